"""What may be published while a workflow is on: by hand, of old revisions, by schedules and imports."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.fakes import FixedClock
from tests.fakes_schedules import MemoryLog
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    change,
    do,
    items,
    make,
    published,
    rows,
)
from tests.integration.cms.workflow_client import approve, move, my_id, show, task_states, tasks, turn

from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.api import PostChanges, PostService
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import NotApproved
from cms_api.domains.cms.schedules.firing import Firing
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.settings import Settings


@pytest.fixture
def posts(application: Application) -> PostService:
    return application.container.cms.posts()


@pytest.fixture
async def actor(admin: httpx.AsyncClient) -> Actor:
    """The administrator, as services know her."""
    user = await my_id(admin)
    return Actor(user_id=UUID(user), permissions=frozenset(policy.PERMISSIONS))


@pytest.fixture
def publish(application: Application, posts: PostService, actor: Actor) -> Callable[..., Any]:
    """Publishes a revision, the draft where none is given."""

    async def work(post: dict[str, Any], revision: str | None = None, *, by: Actor = actor) -> Any:
        async with application.unit_of_work() as uow:
            return await posts.publish(
                uow, by, UUID(post["id"]), expected=None, revision_id=UUID(revision) if revision else None
            )

    return work


@pytest.fixture
def clock() -> FixedClock:
    """The clock of those who fire: it stands still, a day ahead."""
    return FixedClock(datetime.now(UTC) + timedelta(days=1))


@pytest.fixture
def firing(application: Application, clock: FixedClock) -> Firing:
    cms = application.container.cms
    return Firing(
        clock=clock,
        types=cms.types(),
        new_uow=application.unit_of_work,
        is_outage=is_outage,
        log=MemoryLog(),
    )


async def planned(client: httpx.AsyncClient, post: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A new schedule, for an hour from now."""
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    path = f"{API}/posts/{post['id']}/schedule"
    return answered(await client.post(path, json={"publish_at": at, **more}), 201)


async def schedule_of(client: httpx.AsyncClient, plan: dict[str, Any]) -> dict[str, Any]:
    path = f"{API}/posts/{plan['document_id']}/schedules/{plan['id']}"
    return answered(await client.get(path), 200)


async def test_an_older_revision_needs_to_have_been_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, publish: Callable[..., Any], settings: Settings
) -> None:
    url = settings.database_url or ""
    post = await published(admin, "posts", title="Once live")
    seen = post["live_revision"]
    unseen = (await change(admin, "posts", post, title="Never live"))["draft_revision"]
    draft = (await change(admin, "posts", post, title="Not yet live"))["draft_revision"]
    await turn(admin, on=True)
    await move(admin, post, "in_review")
    before = await show(admin, post)

    for revision in (unseen, draft, None):
        with pytest.raises(NotApproved) as caught:
            await publish(post, revision)
        assert caught.value.members == {"stages": ["approved"]}
    assert await show(admin, post) == before
    assert (await publish(post, seen)).stage == "in_review"
    # the draft goes on: it still waits for its review
    assert task_states(url, post) == [("in_review", "open")]

    await move(admin, post, "approved")
    with pytest.raises(NotApproved):
        await publish(post, unseen)
    live = answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)
    assert live["title"] == "Once live"
    await publish(post, draft)
    live = answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)
    assert live["title"] == "Not yet live"
    assert task_states(url, post) == [("in_review", "done"), ("approved", "done")]

    # the draft of today is an older revision that was live, tomorrow
    await change(admin, "posts", post, title="Wrong")
    assert str((await publish(post, draft)).live_revision) == draft
    await turn(admin, on=False)
    assert str((await publish(post, unseen)).live_revision) == unseen


async def test_an_import_goes_past_it_and_a_schedule_does_not(
    admin: httpx.AsyncClient, publish: Callable[..., Any], actor: Actor
) -> None:
    await turn(admin, on=True)
    imported, planned_one = await make(admin, "posts", title="I"), await make(admin, "posts", title="S")
    shown = await publish(imported, by=SYSTEM)
    assert (shown.status, shown.stage) == ("published", "draft")
    with pytest.raises(NotApproved):
        await publish(planned_one, by=Actor(user_id=actor.user_id, is_system=True))
    # what it brought is edited and published as anything else
    await change(admin, "posts", imported, title="Mine")
    answered(await admin.post(f"{API}/posts/{imported['id']}/publish", headers=ANY), 409, "not_approved")
    await approve(admin, imported)
    assert (await do(admin, "posts", imported, "publish"))["status"] == "published"


async def test_a_schedule_that_is_not_approved_fails_for_all_to_see(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    firing: Firing,
    clock: FixedClock,
    settings: Settings,
) -> None:
    post = await make(admin, "posts", title="Hello")
    plan = await planned(admin, post)
    await turn(admin, on=True)
    for attempt in range(1, 6):
        assert await firing.fire_next()
        found = await schedule_of(admin, plan)
        assert (found["attempts"], found["error"]["code"]) == (attempt, "not_approved")
        assert "“approved”" in found["error"]["detail"]
        assert not await firing.fire_next()
        clock.move(minutes=15)
    assert found["state"] == "failed"
    failed = await items(admin, f"{API}/schedules?filter[state]=failed")
    assert [one["id"] for one in failed] == [plan["id"]]
    answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 404)
    shown = await show(admin, post)
    assert (shown["status"], shown["stage"], shown["version"]) == ("draft", "draft", 2)
    told = rows(
        settings.database_url or "",
        "SELECT payload->>'code', payload->>'document' FROM activity.events WHERE name = 'schedule.failed'",
    )
    assert told == [("not_approved", post["id"])]


async def test_a_schedule_waits_for_an_approval_that_comes_late(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, firing: Firing, clock: FixedClock, settings: Settings
) -> None:
    await turn(admin, on=True)
    post = await make(admin, "posts", title="Late")
    plan = await planned(admin, post)
    assert await firing.fire_next()
    assert (await schedule_of(admin, plan))["state"] == "pending"
    await approve(admin, post)
    clock.move(minutes=15)
    assert await firing.fire_next()
    assert (await schedule_of(admin, plan))["state"] == "done"
    assert answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)["title"] == "Late"
    assert task_states(settings.database_url or "", post) == [("in_review", "done"), ("approved", "done")]


async def test_a_schedule_of_a_revision_is_held_to_what_was_approved(
    admin: httpx.AsyncClient, firing: Firing
) -> None:
    await turn(admin, on=True)
    post = await make(admin, "posts", title="As agreed")
    await approve(admin, post)
    plan = await planned(admin, post, revision_id=post["draft_revision"])
    await change(admin, "posts", post, title="Not as agreed")
    assert await firing.fire_next()
    found = await schedule_of(admin, plan)
    assert (found["state"], found["error"]["code"]) == ("pending", "not_approved")
    assert (await show(admin, post))["status"] == "scheduled"


async def test_whatever_changes_an_approved_draft_sends_it_back(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], settings: Settings
) -> None:
    url = settings.database_url or ""
    editor = await user_client("editor")
    discarded, reverted = [await published(admin, "posts", title=title) for title in ("D", "R")]
    for one in (discarded, reverted):
        await change(admin, "posts", one, title="Changed")
    await turn(admin, on=True)
    for one in (discarded, reverted):
        await approve(admin, one)

    shown = await do(editor, "posts", discarded, "discard")
    assert (shown["title"], shown["stage"], shown["version"]) == ("D", "draft", 7)
    path = f"{API}/posts/{reverted['id']}/revisions/{reverted['live_revision']}/restore"
    shown = answered(await editor.post(path, headers=ANY), 200)
    assert (shown["title"], shown["stage"], shown["version"]) == ("R", "draft", 7)
    for one in (discarded, reverted):
        assert task_states(url, one) == [
            ("in_review", "done"),
            ("approved", "cancelled"),
            ("draft", "open"),
        ]
        answered(await admin.post(f"{API}/posts/{one['id']}/publish", headers=ANY), 409, "not_approved")
        moved = rows(
            url,
            """
            SELECT payload->>'from', payload->>'to', payload->'version' FROM activity.events
            WHERE name = 'document.moved' AND subject = %s ORDER BY position
            """,
            [one["id"]],
        )
        assert moved == [("draft", "in_review", 5), ("in_review", "approved", 6), ("approved", "draft", 7)]
    assert sorted(task["title"] for task in await tasks(admin)) == ["D", "R"]


async def test_what_changes_nothing_leaves_the_approval(admin: httpx.AsyncClient) -> None:
    await turn(admin, on=True)
    post = await make(admin, "posts", title="Same")
    await approve(admin, post)
    await do(admin, "posts", post, "publish")
    await change(admin, "posts", post, title="Same")
    await do(admin, "posts", post, "discard")
    path = f"{API}/posts/{post['id']}/revisions/{post['draft_revision']}/restore"
    answered(await admin.post(path, headers=ANY), 200)
    await do(admin, "posts", post, "unpublish")
    shown = await do(admin, "posts", post, "publish")
    assert (shown["stage"], shown["status"]) == ("approved", "published")


async def test_a_change_under_review_stays_there(admin: httpx.AsyncClient, settings: Settings) -> None:
    await turn(admin, on=True)
    post = await move(admin, await make(admin, "posts", title="Wip"), "in_review")
    assert (await change(admin, "posts", post, title="Better"))["stage"] == "in_review"
    assert task_states(settings.database_url or "", post) == [("in_review", "open")]


async def test_a_copy_begins_at_the_first_stage(admin: httpx.AsyncClient) -> None:
    for kind, key in (("posts", "post"), ("pages", "page")):
        await turn(admin, on=True, kind=key)
        one = await approve(admin, await make(admin, kind, title="Original"))
        response = await admin.post(f"{API}/{kind}/{one['id']}/duplicate", headers=ANY)
        copy = answered(response, 201)
        assert (copy["stage"], (await show(admin, one))["stage"]) == ("draft", "approved")
        answered(await admin.post(f"{API}/{kind}/{copy['id']}/publish", headers=ANY), 409, "not_approved")
        await turn(admin, on=False, kind=key)
        response = await admin.post(f"{API}/{kind}/{one['id']}/duplicate", headers=ANY)
        assert answered(response, 201)["stage"] is None


async def test_stages_of_ones_own(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], settings: Settings
) -> None:
    """A stage that leads nowhere is nobody's task."""
    author = await user_client("author")
    body = {
        "is_enabled": True,
        "stages": [
            {"key": "idea", "name": "Idea"},
            {"key": "ready", "name": "Ready", "may_publish": True},
            {"key": "dropped", "name": "Dropped"},
        ],
        "transitions": [
            {"from": "idea", "to": "ready", "roles": ["author"]},
            {"from": "idea", "to": "dropped", "roles": ["author"]},
        ],
    }
    path = f"{API}/workflows/post"
    changed = answered(await admin.patch(path, json=body, headers=ANY), 200)
    assert [stage["key"] for stage in changed["stages"]] == ["idea", "ready", "dropped"]
    one, other = await make(author, "posts", title="One"), await make(author, "posts", title="Other")
    await move(author, one, "ready")
    await move(author, other, "dropped")
    assert rows(settings.database_url or "", "SELECT count(*) FROM cms.tasks") == [(0,)]
    assert (await do(author, "posts", one, "publish"))["status"] == "published"
    answered(await author.post(f"{API}/posts/{other['id']}/publish", headers=ANY), 409, "not_approved")


async def test_a_stage_does_not_go_while_an_edit_sends_a_document_there(
    admin: httpx.AsyncClient, application: Application, posts: PostService, actor: Actor
) -> None:
    await turn(admin, on=True)
    post = await approve(admin, await make(admin, "posts", title="Edited"))
    others = {
        "stages": [
            {"key": "approved", "name": "Approved", "may_publish": True},
            {"key": "in_review", "name": "In review"},
        ],
        "transitions": [{"from": "approved", "to": "in_review", "roles": ["editor"]}],
    }
    async with application.unit_of_work() as uow:
        edited = await posts.update(uow, actor, UUID(post["id"]), PostChanges(title="Late"), expected=None)
        assert edited.stage == "draft"
        late = asyncio.create_task(admin.patch(f"{API}/workflows/post", json=others, headers=ANY))
        await asyncio.sleep(0.3)
    answered(await late, 409, "stage_in_use")
    await move(admin, post, "in_review")
    answered(await admin.patch(f"{API}/workflows/post", json=others, headers=ANY), 200)

"""Schedules on fakes: making, moving, cancelling; firing in order, late, again, and not at all."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes_cms import CmsUnitOfWork
from tests.fakes_schedules import Away, FakeSchedules, ScheduledCms
from tests.fakes_types import FixedTypes
from tests.unit.cms.test_schedule_moments import Shifted

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import Archived, DocumentNotFound, Trashed
from cms_api.domains.cms.pages.interface import PageChanges
from cms_api.domains.cms.posts.interface import PostChanges, PostView
from cms_api.domains.cms.schedules.cancelling import cancel_pending
from cms_api.domains.cms.schedules.errors import (
    ScheduleFinished,
    ScheduleNotFound,
    TooManySchedules,
)
from cms_api.domains.cms.schedules.interface import MAX_PENDING, ScheduleChanges, ScheduleView
from cms_api.domains.cms.schedules.model import BACKOFF, MAX_ATTEMPTS
from cms_api.domains.cms.schedules.ports import ScheduleRepository
from cms_api.domains.cms.schedules.runner import ScheduleRunner
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Conflict, Forbidden, Invalid, Stale, Unauthenticated
from cms_api.querying import Comparison, PageRequest, SortKey

ALL = frozenset(policy.PERMISSIONS)
OWN = frozenset({policy.READ, policy.CREATE, f"{policy.PUBLISH}_own"})
BY_TIME = PageRequest(sort=(SortKey("at"),))


@pytest.fixture
def cms() -> ScheduledCms:
    return ScheduledCms()


@pytest.fixture
def editor(cms: ScheduledCms) -> Actor:
    return Actor(user_id=cms.users.add("Eve", "eve@example.org"), permissions=ALL)


@pytest.fixture
def post(cms: ScheduledCms):
    async def work(title: str = "Hello", *, actor: Actor = SYSTEM, **values: Any) -> PostView:
        async with cms.uow() as uow:
            return await cms.posts.create(uow, actor, PostChanges(title=title, **values))

    return work


@pytest.fixture
def schedule(cms: ScheduledCms, editor: Actor):
    """Schedules a document for some minutes from now, or whenever it is told."""

    async def work(
        document: Any, minutes: float = 10, *, actor: Actor = editor, what: str = "publish_at", **values: Any
    ) -> ScheduleView:
        at = (cms.clock.at + timedelta(minutes=minutes)).isoformat()
        changes = ScheduleChanges(**({what: at} | values))
        async with cms.uow() as uow:
            return await cms.schedules.create(uow, actor, document.type, document.id, changes)

    return work


@pytest.fixture
def move(cms: ScheduledCms, editor: Actor):
    async def work(
        one: ScheduleView, *, actor: Actor = editor, expected: int | None = None, **values: Any
    ) -> ScheduleView:
        async with cms.uow() as uow:
            ids = one.type, one.document_id, one.id
            return await cms.schedules.move(uow, actor, *ids, ScheduleChanges(**values), expected=expected)

    return work


@pytest.fixture
def cancel(cms: ScheduledCms, editor: Actor):
    async def work(one: ScheduleView, *, actor: Actor = editor, expected: int | None = None) -> None:
        async with cms.uow() as uow:
            await cms.schedules.cancel(uow, actor, one.type, one.document_id, one.id, expected=expected)

    return work


@pytest.fixture
def now(cms: ScheduledCms, editor: Actor):
    """A schedule as it stands."""

    async def work(one: ScheduleView) -> ScheduleView:
        return await cms.schedules.get(editor, one.type, one.document_id, one.id)

    return work


async def fired(cms: ScheduledCms) -> int:
    """Fires all that is due, and counts it."""
    number = 0
    while await cms.firing.fire_next():
        number += 1
    return number


def faults(caught: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


class Broken:
    """A service of documents that can do nothing."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked: list[dict[str, Any]] = []

    async def publish(self, _uow: Any, actor: Actor, document_id: UUID, **how: Any) -> None:
        self.asked.append({"actor": actor, "document_id": document_id, **how})
        if self.errors:
            raise self.errors.pop(0)

    unpublish = publish


# Making


async def test_a_schedule_is_made(cms: ScheduledCms, editor: Actor, post, schedule) -> None:
    document = await post()
    made = await schedule(document, publish_at="2026-12-24T09:00:00", timezone="Europe/Paris")
    assert (made.document_id, made.type, made.action, made.state) == (
        document.id,
        "post",
        "publish",
        "pending",
    )
    assert made.at == datetime(2026, 12, 24, 8, tzinfo=UTC)
    assert made.local_at.isoformat() == "2026-12-24T09:00:00+01:00"
    assert (made.timezone, made.attempts, made.lateness, made.error) == ("Europe/Paris", 0, None, None)
    assert (made.next_attempt_at, made.finished_at, made.version) == (made.at, None, 1)
    assert (made.created_by, made.created_at) == (editor.user_id, cms.clock.at)
    (event,) = [event for event in cms.store.events if event.name == "schedule.created"]
    assert (event.subject, event.actor, event.document) == (made.id, editor.user_id, document.id)
    assert (event.type, event.action, event.at) == ("post", "publish", made.at)
    # the document itself does not change
    assert (await cms.posts.get(editor, document.id)).version == document.version


async def test_all_faults_are_told(post, schedule) -> None:
    document = await post()
    with pytest.raises(Invalid) as caught:
        await schedule(document, publish_at="soon", timezone="Nowhere", revision_id=uuid4())
    assert faults(caught) == [
        ("/publish_at", "time"),
        ("/timezone", "unknown_timezone"),
        ("/revision_id", "unknown_reference"),
    ]


async def test_one_thing_is_done_at_one_time(cms: ScheduledCms, editor: Actor, post, schedule) -> None:
    document = await post()
    with pytest.raises(Invalid) as caught:
        await schedule(document, unpublish_at="2026-12-24T09:00:00")
    assert faults(caught) == [("/unpublish_at", "one_of")]
    async with cms.uow() as uow:
        with pytest.raises(Invalid) as caught:
            await cms.schedules.create(uow, editor, "post", document.id, ScheduleChanges(timezone="UTC"))
    assert faults(caught) == [("/publish_at", "required")]


async def test_a_revision_is_one_of_the_documents_and_for_publishing(
    cms: ScheduledCms, editor: Actor, post, schedule
) -> None:
    mine, other = await post(), await post("Other")
    for one in (mine, other):
        async with cms.uow() as uow:
            await cms.posts.publish(uow, editor, one.id, expected=None)
    revisions = {row.document: revision for revision, row in cms.store.revisions.items()}
    made = await schedule(mine, revision_id=revisions[mine.id])
    assert made.revision_id == revisions[mine.id]
    with pytest.raises(Invalid) as caught:
        await schedule(mine, revision_id=revisions[other.id])
    assert faults(caught) == [("/revision_id", "unknown_reference")]
    with pytest.raises(Invalid) as caught:
        await schedule(mine, what="unpublish_at", revision_id=revisions[mine.id])
    assert faults(caught) == [("/revision_id", "not_for_unpublishing")]


async def test_who_may(cms: ScheduledCms, editor: Actor, post, schedule, move, cancel) -> None:
    writer = Actor(user_id=cms.users.add("Wim", "wim@example.org"), permissions=OWN)
    reader = Actor(user_id=uuid4(), permissions=frozenset({policy.READ}))
    nobody_special = Actor(user_id=uuid4())
    mine, hers = await post(actor=writer), await post("Hers", actor=editor)
    byline = await cms.posts.get(editor, mine.id)
    shared = await post("Shared", authors=byline.authors)
    for document in (mine, shared):
        made = await schedule(document, actor=writer)
        await move(made, actor=writer, publish_at="2030-01-01T00:00:00Z")
        await cancel(made, actor=writer)
    made = await schedule(hers)
    for actor, error in (
        (writer, Forbidden), (reader, Forbidden), (nobody_special, Forbidden), (ANONYMOUS, Unauthenticated),
    ):  # fmt: skip
        with pytest.raises(error):
            await schedule(hers, actor=actor)
        with pytest.raises(error):
            await move(made, actor=actor, publish_at="2030-01-01T00:00:00Z")
        with pytest.raises(error):
            await cancel(made, actor=actor)
    assert (await cms.schedules.list(reader, BY_TIME)).items
    for actor, error in ((nobody_special, Forbidden), (ANONYMOUS, Unauthenticated)):
        with pytest.raises(error):
            await cms.schedules.list(actor, BY_TIME)
        with pytest.raises(error):
            await cms.schedules.list_of(actor, "post", hers.id, BY_TIME)
        with pytest.raises(error):
            await cms.schedules.get(actor, "post", hers.id, made.id)


@pytest.mark.parametrize(("verb", "error"), [("trash", Trashed), ("archive", Archived)])
async def test_only_documents_at_work_are_scheduled(
    cms: ScheduledCms, editor: Actor, post, schedule, move, verb: str, error: type[Exception]
) -> None:
    document = await post()
    pending = await schedule(document)
    async with cms.uow() as uow:
        await getattr(cms.posts, verb)(uow, editor, document.id, expected=None)
    assert (await cms.schedules.get(editor, "post", document.id, pending.id)).state == "cancelled"
    assert "schedule.cancelled" in cms.names()
    with pytest.raises(error):
        await schedule(document)
    with pytest.raises(ScheduleFinished):
        await move(pending, publish_at="2030-01-01T00:00:00Z")


async def test_a_publication_to_come_shows_in_the_status(
    cms: ScheduledCms, editor: Actor, post, schedule
) -> None:
    document = await post()
    await schedule(document, what="unpublish_at")
    assert (await cms.posts.get(editor, document.id)).status == "draft"
    await schedule(document)
    assert (await cms.posts.get(editor, document.id)).status == "scheduled"
    async with cms.uow() as uow:
        await cms.posts.publish(uow, editor, document.id, expected=None)
    assert (await cms.posts.get(editor, document.id)).status == "published"


async def test_unknown_documents_and_schedules(cms: ScheduledCms, editor: Actor, post, schedule) -> None:
    document, other = await post(), await post("Other")
    made = await schedule(document)
    async with cms.uow() as uow:
        for kind, one in (("page", document.id), ("post", uuid4()), ("nothing", document.id)):
            with pytest.raises(DocumentNotFound):
                await cms.schedules.create(uow, editor, kind, one, ScheduleChanges())
            with pytest.raises(DocumentNotFound):
                await cms.schedules.get(editor, kind, one, made.id)
            with pytest.raises(DocumentNotFound):
                await cms.schedules.list_of(editor, kind, one, BY_TIME)
            with pytest.raises(DocumentNotFound):
                await cms.schedules.cancel(uow, editor, kind, one, made.id, expected=None)
        for one, which in ((document.id, uuid4()), (other.id, made.id)):
            with pytest.raises(ScheduleNotFound):
                await cms.schedules.get(editor, "post", one, which)
            with pytest.raises(ScheduleNotFound):
                await cms.schedules.move(uow, editor, "post", one, which, ScheduleChanges(), expected=None)
            with pytest.raises(ScheduleNotFound):
                await cms.schedules.cancel(uow, editor, "post", one, which, expected=None)


async def test_there_are_not_too_many(post, schedule, cancel) -> None:
    document, other = await post(), await post("Other")
    made = [await schedule(document, minutes) for minutes in range(1, MAX_PENDING + 1)]
    with pytest.raises(TooManySchedules):
        await schedule(document)
    await schedule(other)
    await cancel(made[0])
    await schedule(document)


async def test_schedules_are_listed(cms: ScheduledCms, editor: Actor, post, schedule, cancel) -> None:
    document, other = await post(), await post("Other")
    late, early = await schedule(document, 20), await schedule(document, 10)
    third = await schedule(other, 15, what="unpublish_at")
    await cancel(early)
    assert [one.id for one in (await cms.schedules.list(editor, BY_TIME)).items] == [
        early.id,
        third.id,
        late.id,
    ]
    listed = await cms.schedules.list_of(editor, "post", document.id, BY_TIME)
    assert [(one.id, one.state) for one in listed.items] == [(early.id, "cancelled"), (late.id, "pending")]
    page = PageRequest(sort=(SortKey("created_at"),), filter=Comparison("action", "eq", ("unpublish",)))
    assert [one.id for one in (await cms.schedules.list(editor, page)).items] == [third.id]


# Moving and cancelling


async def test_a_schedule_is_moved(cms: ScheduledCms, post, schedule, move) -> None:
    made = await schedule(await post(), publish_at="2026-12-24T09:00:00", timezone="Europe/Paris")
    cms.clock.move(minutes=1)
    moved = await move(made, expected=1, publish_at="2026-07-14T10:00:00")
    assert moved.local_at.isoformat() == "2026-07-14T10:00:00+02:00"
    assert (moved.at, moved.next_attempt_at) == (datetime(2026, 7, 14, 8, tzinfo=UTC),) * 2
    assert (moved.version, moved.updated_at) == (2, cms.clock.at)
    zoned = await move(moved, expected=2, timezone="Asia/Kolkata")
    assert zoned.local_at.isoformat() == "2026-07-14T10:00:00+05:30"
    assert zoned.at == datetime(2026, 7, 14, 4, 30, tzinfo=UTC)
    both = await move(zoned, publish_at="2026-07-14T10:00:00Z", timezone="America/New_York")
    assert both.local_at.isoformat() == "2026-07-14T06:00:00-04:00"
    same = await move(both, publish_at="2026-07-14T06:00:00")
    assert same == both
    events = [event for event in cms.store.events if event.name == "schedule.moved"]
    assert [(event.subject, event.at, event.version) for event in events] == [
        (made.id, moved.at, 2), (made.id, zoned.at, 3), (made.id, both.at, 4),
    ]  # fmt: skip


async def test_a_stale_mover_is_refused(post, schedule, move, cancel) -> None:
    made = await schedule(await post())
    await move(made, expected=1, publish_at="2030-01-01T00:00:00Z")
    with pytest.raises(Stale):
        await move(made, expected=1, publish_at="2031-01-01T00:00:00Z")
    with pytest.raises(Stale):
        await cancel(made, expected=1)
    await cancel(made, expected=2)


async def test_wrong_moves_are_refused(post, schedule, move, now) -> None:
    made = await schedule(await post(), publish_at="2026-10-25T02:30:00+01:00", timezone="Europe/Paris")
    for changes, wanted in (
        ({"unpublish_at": "2030-01-01T00:00:00Z"}, [("/unpublish_at", "other_action")]),
        ({"publish_at": "2020-01-01T00:00:00Z"}, [("/publish_at", "past")]),
        ({"timezone": "Mars"}, [("/timezone", "unknown_timezone")]),
        ({"publish_at": "2027-03-28T02:30:00"}, [("/publish_at", "skipped_time")]),
        (
            {"publish_at": "x", "unpublish_at": "y", "timezone": "Mars", "revision_id": uuid4()},
            [
                ("/unpublish_at", "other_action"),
                ("/publish_at", "time"),
                ("/timezone", "unknown_timezone"),
                ("/revision_id", "unknown_reference"),
            ],
        ),
    ):
        with pytest.raises(Invalid) as caught:
            await move(made, **changes)
        assert faults(caught) == wanted
    assert await now(made) == made
    assert await move(made, timezone="Europe/Paris") == made  # its second half past two stays the second


async def test_a_zone_alone_keeps_the_wall_time_where_clocks_there_show_it(post, schedule, move) -> None:
    made = await schedule(await post(), publish_at="2027-03-28T02:30:00")
    with pytest.raises(Invalid) as caught:
        await move(made, timezone="Europe/Paris")
    assert faults(caught) == [("/timezone", "skipped_time")]


async def test_a_cancelled_schedule_stays_to_be_seen(
    cms: ScheduledCms, post, schedule, move, cancel, now
) -> None:
    made = await schedule(await post())
    await cancel(made, expected=1)
    found = await now(made)
    assert (found.state, found.next_attempt_at, found.finished_at) == ("cancelled", None, cms.clock.at)
    assert cms.names().count("schedule.cancelled") == 1
    for refused in (cancel(made), move(made, publish_at="2030-01-01T00:00:00Z"), cancel(made, expected=1)):
        with pytest.raises(ScheduleFinished):
            await refused
    cms.clock.move(days=1)
    assert await fired(cms) == 0


async def test_all_of_a_document_is_cancelled(cms: ScheduledCms, editor: Actor, post, schedule, now) -> None:
    document, other = await post(), await post("Other")
    one, two, three = await schedule(document), await schedule(document, 20), await schedule(other)
    async with cms.uow() as uow:
        assert await cancel_pending(uow, editor, document.id, at=cms.clock.at) == 2
    assert [(await now(each)).state for each in (one, two, three)] == ["cancelled", "cancelled", "pending"]
    events = [event for event in cms.store.events if event.name == "schedule.cancelled"]
    assert [(event.subject, event.actor) for event in events] == [
        (one.id, editor.user_id),
        (two.id, editor.user_id),
    ]


# Firing


async def test_a_post_is_published_and_unpublished_in_time(
    cms: ScheduledCms, editor: Actor, post, schedule, now
) -> None:
    document = await post()
    first, last = await schedule(document), await schedule(document, 20, what="unpublish_at")
    assert await fired(cms) == 0
    cms.clock.move(minutes=9, seconds=59.9)
    assert await fired(cms) == 0
    assert await cms.firing.seconds_to_next() == pytest.approx(0.1)
    cms.clock.move(seconds=1.6)
    assert await fired(cms) == 1
    done = await now(first)
    assert (done.state, done.lateness, done.finished_at) == ("done", 1.5, cms.clock.at)
    assert (done.attempts, done.next_attempt_at, done.error, done.version) == (1, None, None, 2)
    live = await cms.posts.get(editor, document.id)
    assert (live.status, live.published_at) == ("published", first.at)  # the time that was meant
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    assert (await cms.posts.get(editor, document.id)).status == "draft"
    assert (await now(last)).state == "done"
    assert await cms.firing.seconds_to_next() is None
    (event,) = [e for e in cms.store.events if e.name == "schedule.fired" and e.subject == first.id]
    assert (event.actor, event.document, event.lateness) == (editor.user_id, document.id, 1.5)
    (event,) = [e for e in cms.store.events if e.name == "document.published"]
    assert event.actor == editor.user_id


async def test_pages_are_published_too(cms: ScheduledCms, editor: Actor, schedule) -> None:
    async with cms.uow() as uow:
        page = await cms.pages.create(uow, editor, PageChanges(title="About"))
    await schedule(page)
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    assert (await cms.pages.get(editor, page.id)).status == "published"


async def test_what_is_published_already_keeps_its_date(
    cms: ScheduledCms, editor: Actor, post, schedule
) -> None:
    document = await post()
    async with cms.uow() as uow:
        live = await cms.posts.publish(uow, editor, document.id, expected=None)
    await schedule(document)
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    again = await cms.posts.get(editor, document.id)
    assert (again.published_at, again.version) == (live.published_at, live.version + 1)


async def test_the_revision_that_was_named_is_published(
    cms: ScheduledCms, editor: Actor, post, schedule
) -> None:
    document = await post()
    async with cms.uow() as uow:
        await cms.posts.publish(uow, editor, document.id, expected=None)
        await cms.posts.unpublish(uow, editor, document.id, expected=None)
    (revision,) = cms.store.revisions
    made = await schedule(document, revision_id=revision)
    posts = Broken()
    cms.firing = cms.made_firing(types=FixedTypes({"post": posts}))
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    assert posts.asked == [
        {
            "actor": Actor(user_id=editor.user_id, is_system=True),
            "document_id": document.id,
            "expected": None,
            "revision_id": revision,
            "published_at": made.at,
        }
    ]


async def test_what_was_missed_is_caught_up_in_order(
    cms: ScheduledCms, editor: Actor, post, schedule, now
) -> None:
    documents = [await post(f"Number {number}") for number in range(3)]
    made = []
    for minutes, number, what in (
        (30, 0, "publish_at"), (10, 1, "publish_at"), (40, 0, "unpublish_at"), (20, 1, "unpublish_at"),
        (15, 2, "publish_at"), (50, 0, "publish_at"),
    ):  # fmt: skip
        made.append(await schedule(documents[number], minutes, what=what))
    cms.clock.move(days=2)  # nobody was there
    assert await fired(cms) == 6
    order = [event.subject for event in cms.store.events if event.name == "schedule.fired"]
    assert order == [one.id for one in sorted(made, key=lambda one: one.at)]
    assert [(await cms.posts.get(editor, one.id)).status for one in documents] == [
        "published",
        "draft",
        "published",
    ]
    assert (await now(made[1])).lateness == timedelta(days=2, minutes=-10).total_seconds()


@pytest.fixture
def blocked(cms: ScheduledCms, editor: Actor, post):
    """Makes a post whose address another one still has, and a way to have that one give it up."""

    async def work() -> tuple[PostView, Any]:
        other = await post("Mine")
        async with cms.uow() as uow:
            await cms.posts.publish(uow, editor, other.id, expected=None)
            await cms.posts.update(uow, editor, other.id, PostChanges(slug="moved"), expected=None)

        async def heal() -> None:
            async with cms.uow() as uow:
                await cms.posts.unpublish(uow, editor, other.id, expected=None)

        return await post("Mine"), heal

    return work


async def test_a_failure_is_retried_later_and_ends_visible(
    cms: ScheduledCms, editor: Actor, blocked, schedule, now
) -> None:
    document, _ = await blocked()
    made = await schedule(document)
    cms.clock.move(minutes=10)
    for attempt, wait in enumerate(BACKOFF, start=1):
        assert await fired(cms) == 1
        found = await now(made)
        assert (found.state, found.attempts, found.version) == ("pending", attempt, attempt + 1)
        assert found.error is not None
        assert found.error.code == "address_taken"
        assert "“mine”" in found.error.detail
        assert found.next_attempt_at == cms.clock.at + wait
        assert await cms.firing.seconds_to_next() == wait.total_seconds()
        cms.clock.move(seconds=wait.total_seconds() - 1)
        assert await fired(cms) == 0
        cms.clock.move(seconds=1)
    assert await fired(cms) == 1
    found = await now(made)
    assert (found.state, found.attempts, found.next_attempt_at) == ("failed", MAX_ATTEMPTS, None)
    assert (found.finished_at, found.lateness) == (cms.clock.at, None)
    (event,) = [event for event in cms.store.events if event.name == "schedule.failed"]
    assert (event.subject, event.attempts, event.code) == (made.id, 5, "address_taken")
    assert "schedule.fired" not in cms.names()
    page = PageRequest(sort=(SortKey("at"),), filter=Comparison("state", "eq", ("failed",)))
    assert [one.id for one in (await cms.schedules.list(editor, page)).items] == [made.id]
    cms.clock.move(days=1)
    assert await fired(cms) == 0


async def test_what_time_can_not_heal_is_given_up_at_once(cms: ScheduledCms, post, schedule, now) -> None:
    made = await schedule(await post(), what="unpublish_at")  # it is not published
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    found = await now(made)
    assert (found.state, found.attempts, found.next_attempt_at) == ("failed", 1, None)
    assert found.error is not None
    assert found.error.code == "not_published"


async def test_what_is_healed_in_time_succeeds(cms: ScheduledCms, blocked, schedule, now) -> None:
    document, heal = await blocked()
    made = await schedule(document)
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    await heal()
    cms.clock.move(seconds=10)
    assert await fired(cms) == 1
    found = await now(made)
    assert (found.state, found.attempts, found.error, found.lateness) == ("done", 2, None, 10.0)


async def test_a_later_one_waits_for_an_earlier_one_that_fails(
    cms: ScheduledCms, blocked, post, schedule, now, move
) -> None:
    (document, heal), other = await blocked(), await post("Other")
    first = await schedule(document, 10)
    second, elsewhere = await schedule(document, 11), await schedule(other, 12)
    cms.clock.move(minutes=12)
    assert await fired(cms) == 2
    assert [(await now(one)).state for one in (first, second, elsewhere)] == ["pending", "pending", "done"]
    # held back, it is nothing to wake up for
    assert await cms.firing.seconds_to_next() == BACKOFF[0].total_seconds()
    await move(first, publish_at="2030-01-01T00:00:00Z")
    assert (await now(first)).error is None
    await heal()
    assert await fired(cms) == 1
    assert (await now(second)).state == "done"


async def test_what_nobody_foresaw_leaks_nothing(cms: ScheduledCms, post, schedule, now) -> None:
    made = await schedule(await post())
    cms.firing = cms.made_firing(
        types=FixedTypes({"post": Broken(RuntimeError("password=secret at /srv/x.py"))})
    )
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    error = (await now(made)).error
    assert error is not None
    assert error.code == "internal_error"
    assert "secret" not in error.detail
    assert "/srv" not in error.detail
    ((_, _, broke), _) = cms.log.lines
    assert isinstance(broke["exc_info"], RuntimeError)
    assert broke["schedule_id"] == str(made.id)


async def test_a_type_that_is_gone_is_a_failure(cms: ScheduledCms, post, schedule, now) -> None:
    made = await schedule(await post())
    cms.firing = cms.made_firing(types=FixedTypes({}))
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    assert (await now(made)).attempts == 1


async def test_an_outage_is_no_attempt(cms: ScheduledCms, post, schedule, now) -> None:
    made = await schedule(await post())
    cms.firing = cms.made_firing(types=FixedTypes({"post": Broken(Away())}))
    cms.clock.move(minutes=10)
    with pytest.raises(Away):
        await cms.firing.fire_next()
    assert await now(made) == made
    assert await fired(cms) == 1
    assert (await now(made)).state == "done"


async def test_a_failure_is_not_noted_on_what_has_changed_since(
    cms: ScheduledCms, post, schedule, now, move, cancel
) -> None:
    """Once the deed is taken back, the schedule is free: somebody may come between it and the note."""
    kept, moved, gone = [await schedule(await post(f"Number {n}"), 10 + n) for n in range(3)]

    async def meddle(document_id: UUID) -> None:
        if document_id == moved.document_id:
            await move(moved, publish_at="2030-01-01T00:00:00Z")
        if document_id == gone.document_id:
            await cancel(gone)

    posts = Broken(*(Conflict("Not today.") for _ in range(3)))
    noted = 0

    class Late(CmsUnitOfWork):
        async def __aenter__(self) -> Any:
            await meddle(posts.asked[-1]["document_id"])
            return await super().__aenter__()

    def new_uow() -> CmsUnitOfWork:
        nonlocal noted
        if noted == len(posts.asked):
            return cms.uow()
        noted += 1
        return Late(cms.store, {ScheduleRepository: FakeSchedules(cms.store)})

    cms.firing = cms.made_firing(types=FixedTypes({"post": posts}), new_uow=new_uow)
    cms.clock.move(minutes=20)
    assert await fired(cms) == 3
    found = [await now(one) for one in (kept, moved, gone)]
    assert [(one.state, one.attempts) for one in found] == [("pending", 1), ("pending", 0), ("cancelled", 0)]


async def test_new_rules_of_a_zone_move_what_is_pending(
    cms: ScheduledCms, post, schedule, now, cancel
) -> None:
    document = await post()
    paris = await schedule(document, publish_at="2026-12-24T09:00:00", timezone="Europe/Paris")
    kolkata = await schedule(document, publish_at="2026-12-25T09:00:00", timezone="Asia/Kolkata")
    utc = await schedule(document, publish_at="2026-12-26T09:00:00")
    cancelled = await schedule(document, publish_at="2026-12-27T09:00:00", timezone="Europe/Paris")
    await cancel(cancelled)
    assert await cms.firing.realign() == 0
    zones = {"Europe/Paris": Shifted(2), "Asia/Kolkata": Shifted(5.5)}
    cms.firing = cms.made_firing(zones=zones.__getitem__)
    assert await cms.firing.realign() == 1
    found = await now(paris)
    assert found.local_at.isoformat() == "2026-12-24T09:00:00+02:00"
    assert (found.at, found.next_attempt_at) == (datetime(2026, 12, 24, 7, tzinfo=UTC),) * 2
    assert [(await now(one)).version for one in (kolkata, utc, cancelled)] == [1, 1, 2]
    (event,) = [event for event in cms.store.events if event.name == "schedule.moved"]
    assert (event.subject, event.actor, event.at) == (paris.id, None, found.at)
    assert await cms.firing.realign() == 0


async def test_what_was_tried_already_is_not_moved_by_new_rules(
    cms: ScheduledCms, post, schedule, now
) -> None:
    made = await schedule(await post(), what="unpublish_at", timezone="Europe/Paris")
    cms.clock.move(minutes=10)
    assert await fired(cms) == 1
    cms.firing = cms.made_firing(zones=lambda _: Shifted(-3))
    assert await cms.firing.realign() == 0
    assert (await now(made)).at == made.at


async def test_a_zone_that_this_host_does_not_know_holds_nobody_up(
    cms: ScheduledCms, post, schedule, now
) -> None:
    document = await post()
    paris = await schedule(document, timezone="Europe/Paris")
    await schedule(document, 20, timezone="Asia/Kolkata")
    zones = {"Europe/Paris": Shifted(0)}
    cms.firing = cms.made_firing(zones=zones.__getitem__)
    assert await cms.firing.realign() == 1
    assert cms.log.names() == ["unknown_timezone"]
    assert (await now(paris)).version == 2


async def test_realigning_goes_through_all_of_them(cms: ScheduledCms, post, schedule) -> None:
    for number in range(9):
        document = await post(f"Number {number}")
        for minutes in range(1, 50):
            await schedule(document, minutes, timezone="Europe/Paris")
    cms.firing = cms.made_firing(zones=lambda _: Shifted(-5))
    assert await cms.firing.realign() == 9 * 49


# The worker


@pytest.fixture
async def run(cms: ScheduledCms):
    """Starts a worker; it is stopped at the end, and must stop at once."""
    stop = asyncio.Event()
    tasks = []

    def start(**parts: Any) -> None:
        made: dict[str, Any] = {
            "firing": cms.firing,
            "wakeups": cms.wakeups,
            "log": cms.log,
            "concurrency": 1,
        }
        tasks.append(asyncio.create_task(ScheduleRunner(**(made | parts)).run(stop)))

    yield start
    stop.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 1)


async def until(condition: Any, seconds: float = 2) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in a database, or as good as
            await asyncio.sleep(0.005)


async def test_a_worker_is_woken_by_what_is_new(cms: ScheduledCms, post, schedule, now, run) -> None:
    run()
    await asyncio.sleep(0.02)  # it sleeps for long: there is nothing to do
    made = await schedule(await post())
    cms.clock.move(minutes=10)  # a clock that leaps: the worker counts on from when it looked
    cms.wakeups.wake()

    async def done() -> bool:
        return (await now(made)).state == "done"

    await until(done)


async def test_a_worker_wakes_when_something_is_due(cms: ScheduledCms, post, schedule, now, run) -> None:
    made = await schedule(await post(), minutes=0.1 / 60)
    cms.wakeups.is_deaf = True
    run()

    async def done() -> bool:
        return (await now(made)).state == "done"

    await asyncio.sleep(0.03)
    assert not await done()
    cms.clock.move(seconds=0.1)
    await until(done)


async def test_a_worker_outlives_the_database(
    cms: ScheduledCms, post, schedule, now, run, monkeypatch
) -> None:
    monkeypatch.setattr("cms_api.domains.cms.schedules.runner.PAUSE", 0.01)
    made = await schedule(await post())
    cms.clock.move(minutes=10)
    cms.firing = cms.made_firing(types=FixedTypes({"post": Broken(Away(), Away(), Away())}))
    run()

    async def done() -> bool:
        return (await now(made)).state == "done"

    await until(done)

    async def is_over() -> bool:
        return len(cms.log.lines) > 1

    await until(is_over)
    assert cms.log.names() == ["schedules_without_database", "schedules_with_database"]
    assert (await now(made)).attempts == 1


async def test_a_worker_outlives_its_own_faults(
    cms: ScheduledCms, post, schedule, now, run, monkeypatch
) -> None:
    monkeypatch.setattr("cms_api.domains.cms.schedules.runner.PAUSE", 0.01)
    faulty = iter([RuntimeError("a fault")])

    def new_uow() -> Any:
        for error in faulty:
            raise error
        return cms.uow()

    cms.firing = cms.made_firing(new_uow=new_uow)
    made = await schedule(await post())
    cms.clock.move(minutes=10)
    run()

    async def done() -> bool:
        return (await now(made)).state == "done"

    await until(done)
    assert cms.log.names() == ["schedules_broke"]


async def test_a_worker_that_is_told_to_stop_begins_nothing_new(cms: ScheduledCms, post, schedule) -> None:
    stop = asyncio.Event()

    class Stopping(Broken):
        async def publish(self, *args: Any, **how: Any) -> None:
            stop.set()
            await super().publish(*args, **how)

    for number in range(3):
        await schedule(await post(f"Number {number}"))
    cms.clock.move(minutes=10)
    posts = Stopping()
    firing = cms.made_firing(types=FixedTypes({"post": posts}))
    await asyncio.wait_for(
        ScheduleRunner(firing=firing, wakeups=cms.wakeups, log=cms.log, concurrency=1).run(stop), 1
    )
    assert len(posts.asked) == 1
    assert [row.state for row in cms.store.schedules.values()].count("done") == 1

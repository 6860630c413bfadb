"""Schedules over HTTP and on PostgreSQL: a whole life, races, workers side by side."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from litestar import Litestar
from sqlalchemy import text
from tests.described import names_of
from tests.fakes import FixedClock
from tests.fakes_schedules import FakeWakeups, MemoryLog
from tests.fakes_types import FixedTypes
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    at,
    change,
    do,
    faults,
    items,
    make,
    rows,
)
from tests.integration.hearing import until

from cms_api.adapters.http.openapi import document as openapi_document
from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.cms.wakeups import PostgresWakeups
from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.documents.errors import AddressTaken
from cms_api.domains.cms.documents.subjects import SubjectRepository
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.schedules.firing import Firing
from cms_api.domains.cms.schedules.ports import ScheduleRepository
from cms_api.domains.cms.schedules.runner import ScheduleRunner
from cms_api.kernel.actor import SYSTEM
from cms_api.settings import Settings

KINDS = pytest.mark.parametrize("kind", ["posts", "pages"])
XMAS = {"publish_at": "2036-12-24T09:00:00", "timezone": "Europe/Paris"}


def soon(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


@pytest.fixture
def clock() -> FixedClock:
    """The clock of those who fire: it stands still, a day ahead."""
    return FixedClock(datetime.now(UTC) + timedelta(days=1))


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def firing_of(application: Application, clock: FixedClock, log: MemoryLog, **parts: Any) -> Firing:
    cms = application.container.cms
    made: dict[str, Any] = {
        "clock": clock,
        "types": cms.types(),
        "new_uow": application.unit_of_work,
        "is_outage": is_outage,
        "log": log,
    }
    return Firing(**(made | parts))


@pytest.fixture
def firing(application: Application, clock: FixedClock, log: MemoryLog) -> Firing:
    return firing_of(application, clock, log)


async def planned(client: httpx.AsyncClient, kind: str, one: dict[str, Any], **body: Any) -> dict[str, Any]:
    """A new schedule; for an hour from now where nothing else is said."""
    sent = body if {"publish_at", "unpublish_at"} & set(body) else {"publish_at": soon(hours=1), **body}
    response = await client.post(f"{API}/{kind}/{one['id']}/schedule", json=sent)
    made = answered(response, 201)
    assert response.headers["location"] == f"{API}/{kind}/{one['id']}/schedules/{made['id']}"
    assert response.headers["etag"] == '"v1"'
    return made


def url_of(schedule: dict[str, Any]) -> str:
    return f"{API}/{schedule['type']}s/{schedule['document_id']}/schedules/{schedule['id']}"


async def read(client: httpx.AsyncClient, schedule: dict[str, Any]) -> dict[str, Any]:
    return answered(await client.get(url_of(schedule)), 200)


class Gate:
    """A service of documents that stops before it does anything, until it is let through."""

    def __init__(self, documents: Any) -> None:
        self._documents = documents
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def publish(self, *args: Any, **how: Any) -> Any:
        self.reached.set()
        await self.opened.wait()
        return await self._documents.publish(*args, **how)


# Over HTTP


@KINDS
async def test_a_whole_life(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, firing: Firing, clock: FixedClock, kind: str
) -> None:
    one = await make(admin, kind, title="Hello")
    made = await planned(admin, kind, one, **XMAS)
    assert (made["action"], made["state"], made["type"]) == ("publish", "pending", one["type"])
    assert (made["at"], made["local_at"]) == ("2036-12-24T08:00:00Z", "2036-12-24T09:00:00+01:00")
    assert made["timezone"] == "Europe/Paris"
    assert (made["attempts"], made["lateness"], made["error"], made["revision_id"]) == (0, None, None, None)
    url = url_of(made)
    response = await admin.get(url)
    assert answered(response, 200) == made
    again = await admin.get(url, headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304
    assert answered(await admin.get(f"{API}/{kind}/{one['id']}"), 200)["version"] == 1

    answered(await admin.patch(url, json={"timezone": "UTC"}), 428)
    answered(await admin.patch(url, json={"timezone": "UTC"}, headers=at(7)), 412, "stale")
    when = soon(hours=2)
    response = await admin.patch(url, json={"publish_at": when}, headers=at(1))
    moved = answered(response, 200)
    assert response.headers["etag"] == '"v2"'
    assert datetime.fromisoformat(moved["at"]) == datetime.fromisoformat(when)
    assert moved["timezone"] == "Europe/Paris"
    second = await planned(admin, kind, one, unpublish_at=soon(hours=3))
    third = await planned(admin, kind, one, publish_at=soon(hours=4))
    answered(await admin.delete(url_of(third)), 428)
    answered(await admin.delete(url_of(third), headers=at(1)), 204)
    answered(await admin.delete(url_of(third), headers=ANY), 409, "schedule_finished")

    assert await firing.fire_next()
    answered(await client.get(f"{CONTENT}/{kind}/{one['id']}"), 200)
    done = await read(admin, made)
    assert (done["state"], done["version"], done["next_attempt_at"]) == ("done", 3, None)
    assert done["lateness"] == pytest.approx((clock.at - datetime.fromisoformat(when)).total_seconds())
    live = answered(await admin.get(f"{API}/{kind}/{one['id']}"), 200)
    assert (live["status"], live["published_at"]) == ("published", moved["at"])
    answered(await admin.patch(url, json={"publish_at": when}, headers=at(2)), 409, "schedule_finished")
    answered(await admin.delete(url, headers=at(2)), 409, "schedule_finished")

    assert await firing.fire_next()
    answered(await client.get(f"{CONTENT}/{kind}/{one['id']}"), 404)
    assert not await firing.fire_next()
    listed = await items(admin, f"{API}/{kind}/{one['id']}/schedules")
    assert [(each["id"], each["state"]) for each in listed] == [
        (made["id"], "done"), (second["id"], "done"), (third["id"], "cancelled"),
    ]  # fmt: skip


async def test_events_tell_what_became_of_it(
    admin: httpx.AsyncClient, firing: Firing, settings: Settings
) -> None:
    one = await make(admin, "posts", title="Hello")
    made = await planned(admin, "posts", one)
    answered(await admin.patch(url_of(made), json={"publish_at": soon(hours=2)}, headers=ANY), 200)
    assert await firing.fire_next()
    other = await planned(admin, "posts", one)
    answered(await admin.delete(url_of(other), headers=ANY), 204)
    found = rows(
        settings.database_url or "",
        """
        SELECT name, subject::text, payload->>'document', payload->>'action', actor IS NOT NULL FROM activity.events
        WHERE name LIKE 'schedule.%%' ORDER BY position
        """,
    )
    told = (one["id"], "publish", True)
    assert found == [
        ("schedule.created", made["id"], *told),
        ("schedule.moved", made["id"], *told),
        ("schedule.fired", made["id"], *told),
        ("schedule.created", other["id"], *told),
        ("schedule.cancelled", other["id"], *told),
    ]
    ((version, lateness),) = rows(
        settings.database_url or "",
        "SELECT payload->'version', payload->'lateness' FROM activity.events WHERE name = 'schedule.fired'",
    )
    assert version == 3
    assert lateness > 0


async def test_the_calendar(admin: httpx.AsyncClient) -> None:
    post, page = await make(admin, "posts", title="P"), await make(admin, "pages", title="Q")
    second = await planned(admin, "posts", post, publish_at="2036-02-01T00:00:00Z")
    first = await planned(admin, "pages", page, publish_at="2036-01-01T00:00:00Z")
    third = await planned(admin, "posts", post, unpublish_at="2036-03-01T00:00:00Z")
    answered(await admin.delete(url_of(third), headers=ANY), 204)

    async def ids(query: str = "", path: str = "schedules") -> list[str]:
        return [one["id"] for one in await items(admin, f"{API}/{path}{query}")]

    assert await ids() == [first["id"], second["id"], third["id"]]
    assert await ids("?sort=-at") == [third["id"], second["id"], first["id"]]
    assert await ids("?sort=created_at") == [second["id"], first["id"], third["id"]]
    assert await ids("?filter[state]=cancelled") == [third["id"]]
    assert await ids("?filter[type]=page") == [first["id"]]
    assert await ids(f"?filter[document_id]={post['id']}&filter[action]=publish") == [second["id"]]
    assert await ids("?filter[at][gte]=2036-02-01T00:00:00Z&filter[at][lt]=2036-03-01T00:00:00Z") == [
        second["id"]
    ]
    assert await ids(f"?filter[created_by]={first['created_by']}") == [first["id"], second["id"], third["id"]]
    assert await ids("?filter[state]=failed") == []
    assert await ids(path=f"posts/{post['id']}/schedules") == [second["id"], third["id"]]
    page_one = answered(await admin.get(f"{API}/schedules?limit=2&count=exact"), 200)
    assert page_one["count"] == 3
    assert await ids(f"?limit=2&after={page_one['page']['next']}") == [third["id"]]
    for wrong in ("sort=state", "filter[lateness]=1", "filter[at]=soon", "after=x", "x=1"):
        answered(await admin.get(f"{API}/schedules?{wrong}"), 400, "malformed")
    answered(await admin.get(f"{API}/posts/{post['id']}/schedules?filter[document_id]={post['id']}"), 400)
    answered(await admin.get(f"{API}/posts/{uuid4()}/schedules"), 404, "document_not_found")
    answered(await admin.get(f"{API}/posts/{page['id']}/schedules"), 404, "document_not_found")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, [("/publish_at", "required")]),
        ({"timezone": "UTC"}, [("/publish_at", "required")]),
        ({**XMAS, "unpublish_at": "2036-01-01T00:00:00Z"}, [("/unpublish_at", "one_of")]),
        ({"publish_at": None}, [("/publish_at", "type")]),
        ({"publish_at": 1766566800}, [("/publish_at", "type")]),
        ({"publish_at": "x" * 65}, [("/publish_at", "length")]),
        ({"publish_at": "tomorrow"}, [("/publish_at", "time")]),
        ({"publish_at": "2020-01-01T00:00:00Z"}, [("/publish_at", "past")]),
        ({"publish_at": "2136-01-01T00:00:00Z"}, [("/publish_at", "too_far")]),
        ({"publish_at": "9999-12-31T23:59:59-23:59"}, [("/publish_at", "time")]),
        ({**XMAS, "timezone": "europe/paris"}, [("/timezone", "unknown_timezone")]),
        ({**XMAS, "timezone": "../../etc/passwd"}, [("/timezone", "unknown_timezone")]),
        ({**XMAS, "timezone": ""}, [("/timezone", "length")]),
        ({**XMAS, "timezone": "a\0b"}, [("/timezone", "nul")]),
        (
            {"publish_at": "2036-03-30T02:30:00", "timezone": "Europe/Paris"},
            [("/publish_at", "skipped_time")],
        ),
        (
            {"publish_at": "soon", "timezone": "Mars", "revision_id": str(uuid4())},
            [
                ("/publish_at", "time"),
                ("/timezone", "unknown_timezone"),
                ("/revision_id", "unknown_reference"),
            ],
        ),
        ({**XMAS, "revision_id": "latest"}, [("/revision_id", "value")]),
        (
            {"unpublish_at": "2036-01-01T00:00:00Z", "revision_id": str(uuid4())},
            [("/revision_id", "not_for_unpublishing")],
        ),
        (
            {"publish_on": "2036-01-01", "state": "done"},
            [("/publish_on", "unknown_field"), ("/state", "unknown_field")],
        ),
    ],
)
async def test_wrong_bodies(
    admin: httpx.AsyncClient, settings: Settings, body: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    one = await make(admin, "posts", title="Hello")
    problem = answered(await admin.post(f"{API}/posts/{one['id']}/schedule", json=body), 422, "invalid")
    assert faults(problem) == wanted
    assert rows(settings.database_url or "", "SELECT count(*) FROM cms.schedules") == [(0,)]


async def test_a_wrong_zone_comes_with_the_nearest(admin: httpx.AsyncClient) -> None:
    one = await make(admin, "posts", title="Hello")
    body = {**XMAS, "timezone": "Europe/Pariss"}
    problem = answered(await admin.post(f"{API}/posts/{one['id']}/schedule", json=body), 422)
    assert (
        problem["errors"][0]["detail"]
        == "There is no time zone “Europe/Pariss”. Did you mean “Europe/Paris”?"
    )


async def test_who_may(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    user_client: Callable[..., Awaitable[httpx.AsyncClient]],
) -> None:
    author = await user_client("author")
    reader = await user_client("reader", email="rea@example.org")
    hers, mine = await make(admin, "posts", title="Hers"), await make(author, "posts", title="Mine")
    made = await planned(author, "posts", mine)
    answered(await author.patch(url_of(made), json=XMAS, headers=ANY), 200)
    answered(await author.delete(url_of(made), headers=ANY), 204)
    other = await planned(admin, "posts", hers)
    for who, status in ((author, 403), (reader, 403), (client, 401)):
        answered(await who.post(f"{API}/posts/{hers['id']}/schedule", json=XMAS), status)
        answered(await who.patch(url_of(other), json=XMAS, headers=ANY), status)
        answered(await who.delete(url_of(other), headers=ANY), status)
    assert await read(reader, other) == other
    for path in (url_of(other), f"{API}/schedules", f"{API}/posts/{hers['id']}/schedules"):
        answered(await client.get(path), 401)


async def test_what_is_not_at_work_is_not_scheduled(admin: httpx.AsyncClient, settings: Settings) -> None:
    trashed, archived = await make(admin, "posts", title="T"), await make(admin, "posts", title="A")
    answered(await admin.delete(f"{API}/posts/{trashed['id']}", headers=ANY), 204)
    answered(await admin.post(f"{API}/posts/{trashed['id']}/schedule", json=XMAS), 409, "trashed")
    with psycopg.connect(settings.database_url or "") as connection:
        connection.execute("UPDATE cms.documents SET archived_at = now() WHERE id = %s", [archived["id"]])
    answered(await admin.post(f"{API}/posts/{archived['id']}/schedule", json=XMAS), 409, "archived")
    answered(await admin.post(f"{API}/posts/{uuid4()}/schedule", json=XMAS), 404, "document_not_found")
    answered(await admin.post(f"{API}/pages/{archived['id']}/schedule", json=XMAS), 404, "document_not_found")


async def test_there_are_not_too_many(admin: httpx.AsyncClient) -> None:
    one = await make(admin, "posts", title="Hello")
    for _ in range(45):
        await planned(admin, "posts", one)
    url = f"{API}/posts/{one['id']}/schedule"
    sent = [admin.post(url, json={"publish_at": soon(hours=1)}) for _ in range(10)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*sent))
    assert statuses == [201] * 5 + [409] * 5
    answered(await admin.post(url, json=XMAS), 409, "too_many_schedules")


async def test_the_interface_is_described(app: Litestar) -> None:
    made = openapi_document(app)
    operation = made["paths"][f"{API}/posts/{{document_id}}/schedule"]["post"]
    assert operation["operationId"] == "schedulePost"
    assert "Location" in operation["responses"]["201"]["headers"]
    assert operation["requestBody"]["content"]["application/json"]["example"]
    one = made["paths"][f"{API}/pages/{{document_id}}/schedules/{{schedule_id}}"]
    assert [one[method]["operationId"] for method in ("get", "patch", "delete")] == [
        "getPageSchedule", "movePageSchedule", "cancelPageSchedule",
    ]  # fmt: skip
    for method in ("patch", "delete"):
        assert "If-Match" in names_of(made, one[method])
    calendar = made["paths"][f"{API}/schedules"]["get"]
    assert "filter[state]" in names_of(made, calendar)
    view = made["components"]["schemas"]["ScheduleView"]["properties"]
    assert set(view) >= {"at", "local_at", "timezone", "lateness", "attempts", "error", "next_attempt_at"}


# Races


@pytest.fixture
async def post(admin: httpx.AsyncClient) -> dict[str, Any]:
    return await make(admin, "posts", title="Hello")


@pytest.mark.parametrize("change", ["move", "cancel"])
async def test_who_comes_while_it_fires_waits_and_is_too_late(
    admin: httpx.AsyncClient,
    application: Application,
    clock: FixedClock,
    log: MemoryLog,
    post: dict[str, Any],
    change: str,
) -> None:
    made = await planned(admin, "posts", post)
    gate = Gate(application.container.cms.posts())
    firing = firing_of(application, clock, log, types=FixedTypes({"post": gate}))
    fire = asyncio.create_task(firing.fire_next())
    await asyncio.wait_for(gate.reached.wait(), 5)
    request = (
        admin.patch(url_of(made), json=XMAS, headers=at(1))
        if change == "move"
        else admin.delete(url_of(made), headers=at(1))
    )
    late = asyncio.create_task(request)
    await asyncio.sleep(0.3)
    assert not late.done()
    gate.opened.set()
    assert await fire
    answered(await late, 409, "schedule_finished")
    assert (await read(admin, made))["state"] == "done"


@pytest.mark.parametrize("change", ["move", "cancel"])
async def test_who_comes_before_it_fires_wins(
    admin: httpx.AsyncClient, application: Application, firing: Firing, post: dict[str, Any], change: str
) -> None:
    made = await planned(admin, "posts", post)
    async with application.unit_of_work() as uow:
        schedules = uow.repository(ScheduleRepository)
        found = await schedules.get(UUID(post["id"]), UUID(made["id"]))
        assert found is not None
        if change == "move":
            due_at = found.due_at + timedelta(days=9)
            found.local_at, found.due_at, found.next_attempt_at = due_at.replace(tzinfo=None), due_at, due_at
        else:
            found.cancel(at=datetime.now(UTC))
        await schedules.save(found)
        # not yet committed: whoever fires passes it over, and does not wait
        assert not await asyncio.wait_for(firing.fire_next(), 1)
    assert not await firing.fire_next()
    wanted = "pending" if change == "move" else "cancelled"
    assert (await read(admin, made))["state"] == wanted


async def test_an_editor_who_saves_is_passed_over_and_nothing_stays_locked(
    admin: httpx.AsyncClient,
    application: Application,
    firing: Firing,
    settings: Settings,
    post: dict[str, Any],
) -> None:
    """Else trashing, which locks the document first, and firing might wait for each other."""
    held = await planned(admin, "posts", post)
    other = await make(admin, "posts", title="Other")
    free = await planned(admin, "posts", other, publish_at=soon(hours=2))
    async with await psycopg.AsyncConnection.connect(settings.database_url or "") as editor:
        await editor.execute("SELECT FROM cms.documents WHERE id = %s FOR UPDATE", [post["id"]])
        async with application.unit_of_work() as uow:
            claimed = await uow.repository(ScheduleRepository).claim(datetime.now(UTC) + timedelta(days=1))
            assert claimed is not None
            assert str(claimed.id) == free["id"]
            # the schedule of the document that was passed over is free for who has the document
            await editor.execute("SELECT FROM cms.schedules WHERE id = %s FOR UPDATE NOWAIT", [held["id"]])
        assert await firing.fire_next()
        assert not await firing.fire_next()
    assert await firing.fire_next()
    assert [(await read(admin, one))["state"] for one in (held, free)] == ["done", "done"]


async def test_trashing_and_firing_do_not_wait_in_a_circle(
    admin: httpx.AsyncClient, application: Application, clock: FixedClock, log: MemoryLog
) -> None:
    """What the engine does on trashing: the document first, then its schedules."""
    posts = [await make(admin, "posts", title=f"Number {number}") for number in range(12)]
    made = [await planned(admin, "posts", one) for one in posts]
    firing = firing_of(application, clock, log)

    async def trash(one: dict[str, Any]) -> None:
        async with application.unit_of_work() as uow:
            await uow.repository(SubjectRepository).get("post", UUID(one["id"]), alone=True)
            await asyncio.sleep(0.01)
            await uow.repository(ScheduleRepository).cancel_pending(UUID(one["id"]), at=datetime.now(UTC))

    async def fire() -> None:
        for _ in range(12):
            await firing.fire_next()

    await asyncio.gather(*(trash(one) for one in posts), fire())
    states = [(await read(admin, one))["state"] for one in made]
    assert set(states) <= {"done", "cancelled", "pending"}
    assert log.lines == []


async def test_what_is_fired_by_two_is_fired_once(
    admin: httpx.AsyncClient,
    application: Application,
    clock: FixedClock,
    log: MemoryLog,
    post: dict[str, Any],
) -> None:
    await planned(admin, "posts", post)
    gate = Gate(application.container.cms.posts())
    first = asyncio.create_task(
        firing_of(application, clock, log, types=FixedTypes({"post": gate})).fire_next()
    )
    await asyncio.wait_for(gate.reached.wait(), 5)
    assert not await firing_of(application, clock, log).fire_next()
    gate.opened.set()
    assert await first
    assert not await firing_of(application, clock, log).fire_next()
    assert answered(await admin.get(f"{API}/posts/{post['id']}"), 200)["version"] == 2


async def test_publishing_and_unpublishing_are_not_turned_round(
    admin: httpx.AsyncClient,
    application: Application,
    clock: FixedClock,
    log: MemoryLog,
    post: dict[str, Any],
) -> None:
    """Both are due after a downtime, and two workers at hand."""
    await planned(admin, "posts", post, publish_at=soon(hours=1))
    last = await planned(admin, "posts", post, unpublish_at=soon(hours=2))
    gate = Gate(application.container.cms.posts())
    first = asyncio.create_task(
        firing_of(application, clock, log, types=FixedTypes({"post": gate})).fire_next()
    )
    await asyncio.wait_for(gate.reached.wait(), 5)
    other = firing_of(application, clock, log)
    assert not await other.fire_next()
    assert (await read(admin, last))["state"] == "pending"
    gate.opened.set()
    assert await first
    assert await other.fire_next()
    assert (await read(admin, last))["state"] == "done"
    assert answered(await admin.get(f"{API}/posts/{post['id']}"), 200)["status"] == "draft"


async def test_a_revision_is_published_while_the_draft_goes_on(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, firing: Firing, post: dict[str, Any]
) -> None:
    tags = [(await make(admin, "tags", name=name))["id"] for name in ("A", "B")]
    chosen = await change(admin, "posts", post, title="As agreed", tags=tags)
    plan = await planned(admin, "posts", post, revision_id=chosen["draft_revision"])
    assert answered(await admin.get(f"{API}/posts/{post['id']}"), 200)["status"] == "scheduled"
    await change(admin, "posts", post, title="Something else", tags=tags[::-1])
    assert await firing.fire_next()
    assert (await read(admin, plan))["state"] == "done"
    live = answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)
    assert (live["title"], live["tags"]) == ("As agreed", tags)
    draft = answered(await admin.get(f"{API}/posts/{post['id']}"), 200)
    assert (draft["title"], draft["status"], draft["has_unpublished_changes"]) == (
        "Something else",
        "published",
        True,
    )
    assert draft["live_revision"] == chosen["draft_revision"]


async def test_a_revision_that_is_to_be_published_is_kept(
    admin: httpx.AsyncClient, application: Application, firing: Firing, post: dict[str, Any]
) -> None:
    plan = await planned(admin, "posts", post, revision_id=post["draft_revision"])
    for number in range(5):
        await change(admin, "posts", post, title=f"Version {number}")
    policy = f"{API}/retention-policies/post"
    answered(await admin.patch(policy, json={"max_revisions": 1}, headers={"If-Match": "*"}), 200)
    retention = application.container.cms.retention()
    assert await retention.purge_revisions(application.unit_of_work) == 4
    assert await firing.fire_next()
    assert (await read(admin, plan))["state"] == "done"


async def test_what_can_not_be_taken_down_is_not_taken_down_later(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    firing: Firing,
    clock: FixedClock,
    post: dict[str, Any],
) -> None:
    """Nothing was live; it must not be tried again when something is, nor hold up what comes behind."""
    down = await planned(admin, "posts", post, unpublish_at=soon(hours=1))
    up = await planned(admin, "posts", post, publish_at=soon(hours=2))
    assert await firing.fire_next()
    over = await read(admin, down)
    assert (over["state"], over["attempts"], over["error"]["code"]) == ("failed", 1, "not_published")
    assert await firing.fire_next()
    assert (await read(admin, up))["state"] == "done"
    clock.move(hours=1)
    assert not await firing.fire_next()
    answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)


async def test_the_archive_cancels_what_is_planned(
    admin: httpx.AsyncClient, firing: Firing, post: dict[str, Any]
) -> None:
    plan = await planned(admin, "posts", post)
    shown = answered(await admin.post(f"{API}/posts/{post['id']}/archive", headers={"If-Match": "*"}), 200)
    assert shown["status"] == "archived"
    assert (await read(admin, plan))["state"] == "cancelled"
    assert not await firing.fire_next()


async def test_a_claim_looks_at_little_whatever_the_statistics_say(
    application: Application, settings: Settings
) -> None:
    url, number = settings.database_url or "", 300
    posts = application.container.cms.posts()
    async with application.unit_of_work() as uow:
        for one in range(number):
            await posts.create(uow, SYSTEM, PostChanges(title=f"Number {one}"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO cms.schedules (id, document_id, type, action, local_at, timezone, due_at, state, created_at,
                updated_at)
            SELECT gen_random_uuid(), id, type, 'publish', now(), 'UTC', now(), 'done', now(), now() FROM cms.documents
            """
        )
        connection.execute("VACUUM ANALYZE cms.schedules")  # nothing is pending, for all that is known
        connection.execute("UPDATE cms.schedules SET state = 'pending', next_attempt_at = due_at")
    looked_at = text(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'schedules'"
    )
    async with SqlAlchemyUnitOfWork(application.container.core.sessions(), REPOSITORIES) as other:
        assert await other.repository(ScheduleRepository).claim(datetime.now(UTC)) is not None
        async with SqlAlchemyUnitOfWork(application.container.core.sessions(), REPOSITORIES) as mine:
            assert await mine.repository(ScheduleRepository).claim(datetime.now(UTC)) is not None
            assert 0 < (await mine.session.execute(looked_at)).scalar_one() < 20
        async with SqlAlchemyUnitOfWork(application.container.core.sessions(), REPOSITORIES) as mine:
            assert await mine.repository(ScheduleRepository).next_due() is not None
            assert 0 < (await mine.session.execute(looked_at)).scalar_one() < 20


# Failures


async def test_a_failure_becomes_visible(
    admin: httpx.AsyncClient, firing: Firing, clock: FixedClock, settings: Settings
) -> None:
    live = await do(admin, "posts", await make(admin, "posts", title="Hello"), "publish")
    answered(await admin.patch(f"{API}/posts/{live['id']}", json={"slug": "moved"}, headers=ANY), 200)
    # the draft's address is free, the live copy of the other one still stands there
    squatter = await make(admin, "posts", title="Hello", slug="hello")
    made = await planned(admin, "posts", squatter)
    for attempt in range(1, 6):
        assert await firing.fire_next()
        found = await read(admin, made)
        assert found["attempts"] == attempt
        assert found["error"]["code"] == AddressTaken.code
        assert "hello" in found["error"]["detail"]
        assert not await firing.fire_next()
        clock.move(minutes=15)
    assert (found["state"], found["lateness"]) == ("failed", None)
    assert [one["id"] for one in await items(admin, f"{API}/schedules?filter[state]=failed")] == [made["id"]]
    assert answered(await admin.get(f"{API}/posts/{squatter['id']}"), 200)["status"] == "draft"
    ((code, attempts),) = rows(
        settings.database_url or "",
        "SELECT payload->>'code', payload->'attempts' FROM activity.events WHERE name = 'schedule.failed'",
    )
    assert (code, attempts) == ("address_taken", 5)


async def test_a_worker_that_dies_has_done_nothing(
    admin: httpx.AsyncClient,
    application: Application,
    clock: FixedClock,
    log: MemoryLog,
    firing: Firing,
    settings: Settings,
    post: dict[str, Any],
) -> None:
    made = await planned(admin, "posts", post)
    gate = Gate(application.container.cms.posts())
    dying = asyncio.create_task(
        firing_of(application, clock, log, types=FixedTypes({"post": gate})).fire_next()
    )
    await asyncio.wait_for(gate.reached.wait(), 5)
    killed = rows(
        settings.database_url or "",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        " AND datname = current_database()",
    )
    assert killed == [(True,)]
    gate.opened.set()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the driver says
        await dying
    assert is_outage(caught.value)
    found = await read(admin, made)
    assert (found["state"], found["attempts"], found["version"]) == ("pending", 0, 1)
    assert await firing.fire_next()
    assert (await read(admin, made))["state"] == "done"


async def test_a_worker_that_is_cancelled_has_done_nothing(
    admin: httpx.AsyncClient,
    application: Application,
    clock: FixedClock,
    log: MemoryLog,
    firing: Firing,
    post: dict[str, Any],
) -> None:
    made = await planned(admin, "posts", post)
    gate = Gate(application.container.cms.posts())
    dying = asyncio.create_task(
        firing_of(application, clock, log, types=FixedTypes({"post": gate})).fire_next()
    )
    await asyncio.wait_for(gate.reached.wait(), 5)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert (await read(admin, made))["attempts"] == 0
    assert await firing.fire_next()


async def test_a_database_that_is_not_there_is_an_outage(tmp_path: Any) -> None:
    settings = Settings(
        database_url="postgresql://nobody@127.0.0.1:1/nothing", data_dir=tmp_path, secret_key="x" * 40
    )
    application = Application(settings)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the driver says
        await firing_of(application, FixedClock(), MemoryLog()).fire_next()
    assert is_outage(caught.value)
    await application.container.core.engine().dispose()


# Workers


@pytest.fixture
async def applications(app: Litestar, settings: Settings) -> AsyncIterator[list[Application]]:
    """Three processes' worth of services on one database."""
    del app  # it has made the administrator
    made = [Application(settings) for _ in range(3)]
    for one in made:
        await one.start()
    yield made
    for one in made:
        await one.stop()


class Team:
    """Workers that run until they are dismissed."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def hire(self, runner: ScheduleRunner) -> None:
        self.tasks.append(asyncio.create_task(runner.run(self.stop)))

    async def dismiss(self) -> None:
        self.stop.set()
        await asyncio.wait_for(asyncio.gather(*self.tasks), 10)


@pytest.fixture
async def team() -> AsyncIterator[Team]:
    made = Team()
    yield made
    await made.dismiss()


async def test_each_of_many_is_fired_once(
    admin: httpx.AsyncClient, applications: list[Application], settings: Settings, team: Team
) -> None:
    url = settings.database_url or ""
    when = soon(seconds=1.5)
    posts = [await make(admin, "posts", title=f"Number {number}") for number in range(20)]
    for one in posts:
        await planned(admin, "posts", one, publish_at=when)
    for application in applications:
        team.hire(application.container.cms.schedule_runner())
    await until(lambda: rows(url, "SELECT count(*) FROM cms.schedules WHERE state = 'done'") == [(20,)])
    assert rows(
        url,
        """
        SELECT count(*), count(DISTINCT subject) FROM activity.events WHERE name = 'document.published'
        """,
    ) == [(20, 20)]
    assert rows(url, "SELECT count(*) FROM activity.events WHERE name = 'schedule.fired'") == [(20,)]
    assert rows(url, "SELECT count(*) FROM cms.publications") == [(20,)]
    ((attempts, earliest),) = rows(url, "SELECT sum(attempts), min(lateness) FROM cms.schedules")
    assert attempts == 20
    assert earliest >= 0


async def test_after_a_downtime_everything_is_done_in_order(
    admin: httpx.AsyncClient, applications: list[Application], settings: Settings, team: Team, log: MemoryLog
) -> None:
    url = settings.database_url or ""
    posts = [await make(admin, "posts", title=f"Number {number}") for number in range(4)]
    for hour in range(1, 6):
        for one in posts:
            what = "publish_at" if hour % 2 else "unpublish_at"
            await planned(admin, "posts", one, **{what: soon(hours=hour)})
    clock = FixedClock(datetime.now(UTC) + timedelta(days=1))
    for application in applications:
        wakeups = FakeWakeups()
        firing = firing_of(application, clock, log)
        team.hire(ScheduleRunner(firing=firing, wakeups=wakeups, log=log))
    await until(lambda: rows(url, "SELECT count(*) FROM cms.schedules WHERE state = 'done'") == [(20,)])
    for one in posts:
        done = rows(
            url,
            """
            SELECT payload->>'action' FROM activity.events
            WHERE name = 'schedule.fired' AND payload->>'document' = %s ORDER BY position
            """,
            [one["id"]],
        )
        assert [action for (action,) in done] == ["publish", "unpublish", "publish", "unpublish", "publish"]
        assert answered(await admin.get(f"{API}/posts/{one['id']}"), 200)["status"] == "published"
    assert rows(url, "SELECT max(attempts) FROM cms.schedules") == [(1,)]
    assert log.lines == []


async def test_a_sleeping_worker_hears_of_what_is_new(
    admin: httpx.AsyncClient, application: Application, settings: Settings, team: Team
) -> None:
    url = settings.database_url or ""
    team.hire(application.container.cms.schedule_runner())
    await asyncio.sleep(0.5)  # it sleeps, for five seconds if nobody wakes it
    one = await make(admin, "posts", title="Hello")
    made = await planned(admin, "posts", one)
    answered(await admin.patch(url_of(made), json={"publish_at": soon(seconds=1.2)}, headers=ANY), 200)
    await until(lambda: rows(url, "SELECT count(*) FROM cms.publications") == [(1,)], 3)
    assert (await read(admin, made))["lateness"] < 2


async def test_a_listener_finds_its_way_back(settings: Settings, database_url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("cms_api.adapters.sqlalchemy.cms.wakeups.RETRY", 0.05)
    log = MemoryLog()
    async with PostgresWakeups(settings.database_url or "", log=log).listening() as woken:
        await asyncio.wait_for(woken.wait(), 5)
        woken.clear()
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("NOTIFY cms_schedules")
            await asyncio.wait_for(woken.wait(), 5)
            woken.clear()
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cms schedules'"
                " AND datname = current_database()"
            )
            await asyncio.wait_for(woken.wait(), 5)  # something may have been missed
            assert log.names() == ["schedules_not_listening", "schedules_listening"]
            woken.clear()
            connection.execute("NOTIFY cms_schedules")
            await asyncio.wait_for(woken.wait(), 5)


async def test_new_rules_of_a_zone_come_in_with_the_worker(
    admin: httpx.AsyncClient,
    application: Application,
    clock: FixedClock,
    log: MemoryLog,
    post: dict[str, Any],
) -> None:
    made = await planned(admin, "posts", post, **XMAS)
    other = await planned(admin, "posts", post, publish_at="2036-12-24T09:00:00Z")
    from tests.unit.cms.test_schedule_moments import Shifted  # noqa: PLC0415

    firing = firing_of(application, clock, log, zones=lambda _: Shifted(3))
    assert await firing.realign() == 1
    found = await read(admin, made)
    assert (found["at"], found["local_at"]) == ("2036-12-24T06:00:00Z", "2036-12-24T09:00:00+03:00")
    assert (await read(admin, other))["version"] == 1

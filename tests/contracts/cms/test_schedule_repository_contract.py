"""What every repository of schedules, and the queries beside it, do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes_schedules import FakeScheduleQueries, ScheduledCms

from cms_api.adapters.sqlalchemy.cms.schedule_queries import SqlSchedules
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.documents.interface import DocumentService
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.schedules.model import Schedule
from cms_api.domains.cms.schedules.moments import Moment
from cms_api.domains.cms.schedules.ports import ScheduleQueries, ScheduleRepository
from cms_api.domains.cms.schedules.service import view
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
BY = UUID(int=7)


@dataclass(frozen=True, kw_only=True)
class Backend:
    """Both sides of schedules, and the services of what is scheduled."""

    uow: Callable[[], UnitOfWork]
    queries: ScheduleQueries
    posts: DocumentService[Any, Any]
    pages: DocumentService[Any, Any]


@pytest.fixture(params=["fake", "postgres"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "fake":
        cms = ScheduledCms()
        yield Backend(uow=cms.uow, queries=FakeScheduleQueries(cms.store), posts=cms.posts, pages=cms.pages)
        return
    application = Application(request.getfixturevalue("settings"))
    parts = application.container
    await application.start()
    try:
        yield Backend(
            uow=application.unit_of_work,
            queries=SqlSchedules(parts.core.reader()),
            posts=parts.cms.posts(),
            pages=parts.cms.pages(),
        )
    finally:
        await application.stop()


@pytest.fixture
def write(backend):
    """Does some work on the repository in a unit of work of its own."""

    async def work(do: Callable[[ScheduleRepository], Awaitable[Any]]) -> Any:
        async with backend.uow() as uow:
            return await do(uow.repository(ScheduleRepository))

    return work


@pytest.fixture
def post(backend):
    async def work(title: str = "Hello", **values: Any) -> UUID:
        async with backend.uow() as uow:
            made = await backend.posts.create(uow, SYSTEM, PostChanges(title=title, **values))
        document_id: UUID = made.id
        return document_id

    return work


@pytest.fixture
def add(write):
    """A new schedule, some minutes from `AT`."""

    async def work(document_id: UUID, minutes: float = 10, **values: Any) -> Schedule:
        due_at = AT + timedelta(minutes=minutes)
        made = Schedule(
            **(
                {
                    "id": new_id(),
                    "document_id": document_id,
                    "type": "post",
                    "action": "publish",
                    "revision_id": None,
                    "local_at": due_at.replace(tzinfo=None),
                    "timezone": "UTC",
                    "due_at": due_at,
                    "next_attempt_at": due_at,
                    "created_by": BY,
                    "created_at": AT,
                    "updated_at": AT,
                }
                | values
            )
        )
        await write(lambda repository: repository.add(made))
        return made

    return work


@pytest.fixture
def claim(write):
    """What is claimed some minutes after `AT`; None for nothing."""

    async def work(minutes: float) -> UUID | None:
        found = await write(lambda repository: repository.claim(AT + timedelta(minutes=minutes)))
        return found and found.id

    return work


def state(schedule: Schedule | None) -> dict[str, Any]:
    assert schedule is not None
    return {name: getattr(schedule, name) for name in Schedule.__dataclass_fields__}


async def test_a_schedule_comes_back_as_stored(backend, write, post, add) -> None:
    document = await post()
    made = await add(
        document,
        action="unpublish",
        local_at=datetime.fromisoformat("2026-10-25T02:30:00.5"),
        timezone="Europe/Paris",
        due_at=datetime(2026, 10, 25, 1, 30, 0, 500_000, tzinfo=UTC),
        attempts=2,
        error_code="conflict",
        error_detail="Nein: “ü”",
        version=3,
    )
    assert state(await write(lambda r: r.get(document, made.id))) == state(made)
    assert await backend.queries.get("post", document, made.id) == view(made)


async def test_a_schedule_is_found_with_its_document_only(backend, write, post, add) -> None:
    document, other = await post(), await post("Other")
    made = await add(document)
    for one, schedule in ((other, made.id), (document, uuid4()), (uuid4(), made.id)):
        assert await write(lambda r, one=one, schedule=schedule: r.get(one, schedule)) is None
        assert await backend.queries.get("post", one, schedule) is None
    assert await backend.queries.get("page", document, made.id) is None


async def test_a_changed_schedule_is_kept(write, post, add) -> None:
    document = await post()
    made = await add(document)
    later = AT + timedelta(days=1)
    made.move(
        Moment(local_at=later.replace(tzinfo=None), timezone="UTC", due_at=later), revision_id=None, at=AT
    )
    await write(lambda r: r.save(made))
    assert state(await write(lambda r: r.get(document, made.id))) == state(made)
    made.fail("conflict", "No.", at=later)
    await write(lambda r: r.save(made))
    assert state(await write(lambda r: r.get(document, made.id))) == state(made)
    made.fire(at=later + timedelta(seconds=1.25))
    await write(lambda r: r.save(made))
    found = await write(lambda r: r.get(document, made.id))
    assert state(found) == state(made)
    assert (found.state, found.lateness) == ("done", 1.25)


async def test_documents_are_known_by_type(backend, post) -> None:
    document = await post()
    assert await backend.queries.has_document("post", document)
    assert not await backend.queries.has_document("page", document)
    assert not await backend.queries.has_document("post", uuid4())


async def test_only_revisions_of_the_document(write, post) -> None:
    document = await post()
    assert not await write(lambda r: r.has_revision(document, uuid4()))


async def test_what_is_pending_is_counted(write, post, add) -> None:
    document, other = await post(), await post("Other")
    assert await write(lambda r: r.pending(document)) == 0
    made = [await add(document, minutes) for minutes in (1, 2, 3)]
    await add(other)
    made[0].cancel(at=AT)
    await write(lambda r: r.save(made[0]))
    assert await write(lambda r: r.pending(document)) == 2


async def test_all_of_a_document_is_cancelled(write, post, add) -> None:
    document, other = await post(), await post("Other")
    late, early = await add(document, 20), await add(document, 10)
    done = await add(document, 5, state="done", next_attempt_at=None, lateness=0.5)
    elsewhere = await add(other)
    at = AT + timedelta(minutes=1)
    cancelled = await write(lambda r: r.cancel_pending(document, at=at))
    early.cancel(at=at)
    late.cancel(at=at)
    assert [state(one) for one in cancelled] == [state(early), state(late)]
    for one in (early, late, done, elsewhere):
        assert state(await write(lambda r, one=one: r.get(one.document_id, one.id))) == state(one)
    assert await write(lambda r: r.cancel_pending(document, at=at)) == []


async def test_the_one_that_waits_longest_is_claimed(write, post, add, claim) -> None:
    assert await claim(60) is None
    second, first = await add(await post("B"), 20), await add(await post("A"), 10)
    assert await claim(9.99) is None
    assert await claim(10) == first.id
    assert await claim(30) == first.id
    first.cancel(at=AT)
    await write(lambda r: r.save(first))
    assert await claim(19) is None
    assert await claim(20) == second.id
    found = await write(lambda r: r.claim(AT + timedelta(minutes=20)))
    assert state(found) == state(second)


async def test_of_those_due_at_once_the_one_made_first_is_claimed(post, add, claim) -> None:
    made = [await add(await post(f"Number {number}")) for number in range(3)]
    assert await claim(10) == made[0].id


async def test_what_is_over_is_not_claimed(post, add, claim) -> None:
    for number, over in enumerate(("done", "failed", "cancelled")):
        await add(await post(f"Number {number}"), state=over, next_attempt_at=None)
    assert await claim(60) is None


async def test_who_waits_for_another_attempt_lets_others_by(write, post, add, claim) -> None:
    failing, other = await add(await post("A"), 10), await add(await post("B"), 11)
    failing.fail("conflict", "No.", at=AT + timedelta(minutes=12))
    await write(lambda r: r.save(failing))
    assert await claim(12) == other.id
    other.cancel(at=AT)
    await write(lambda r: r.save(other))
    assert await claim(12.1) is None
    assert await claim(12.2) == failing.id


async def test_what_is_later_for_a_document_waits_until_the_earlier_is_over(write, post, add, claim) -> None:
    document = await post()
    last = await add(document, 30)
    first = await add(document, 10)
    middle = await add(document, 20, action="unpublish")
    assert await claim(60) == first.id
    first.fail("conflict", "No.", at=AT + timedelta(minutes=60))
    await write(lambda r: r.save(first))
    assert await claim(60) is None
    assert await write(lambda r: r.next_due()) == first.next_attempt_at
    first.fire(at=AT + timedelta(minutes=61))
    await write(lambda r: r.save(first))
    assert await claim(60) == middle.id
    middle.cancel(at=AT)
    await write(lambda r: r.save(middle))
    assert await claim(60) == last.id


async def test_when_there_is_something_to_do(write, post, add) -> None:
    assert await write(lambda r: r.next_due()) is None
    document = await post()
    await add(document, 30)
    await add(await post("Other"), 20)
    first = await add(document, 10)
    assert await write(lambda r: r.next_due()) == first.due_at
    first.cancel(at=AT)
    await write(lambda r: r.save(first))
    assert await write(lambda r: r.next_due()) == AT + timedelta(minutes=20)


async def test_those_with_a_zone_are_gone_through(write, post, add) -> None:
    document = await post()
    made = [await add(document, minutes, timezone="Europe/Paris") for minutes in (3, 2, 1)]
    await add(document, 4)
    await add(document, 5, timezone="Europe/Paris", state="cancelled", next_attempt_at=None)
    first = await write(lambda r: r.zoned(None, 2))
    assert [state(one) for one in first] == [state(one) for one in made[:2]]
    rest = await write(lambda r: r.zoned(first[-1].id, 2))
    assert [one.id for one in rest] == [made[2].id]
    assert await write(lambda r: r.zoned(made[2].id, 2)) == []


async def test_schedules_are_listed(backend, post, add) -> None:
    document, other = await post(), await post("Other")
    late = await add(document, 20, created_at=AT - timedelta(days=1))
    early = await add(
        document, 10, state="failed", next_attempt_at=None, error_code="stale", error_detail="S."
    )
    third = await add(other, 15, action="unpublish", created_by=None)

    async def ids(*filters: Comparison, sort: str = "at", down: bool = False, **asked: Any) -> list[UUID]:
        of = asked.pop("of", None)
        page = PageRequest(sort=(SortKey(sort, down),), filter=all_of(*filters), **asked)
        return [found.id for found in (await backend.queries.list(page, document_id=of)).items]

    assert await ids() == [early.id, third.id, late.id]
    assert await ids(down=True) == [late.id, third.id, early.id]
    assert await ids(sort="created_at") == [late.id, early.id, third.id]
    assert await ids(of=document) == [early.id, late.id]
    assert await ids(of=uuid4()) == []
    assert await ids(limit=1) == [early.id]
    assert await ids(Comparison("state", "eq", ("failed",))) == [early.id]
    assert await ids(Comparison("action", "ne", ("publish",))) == [third.id]
    assert await ids(Comparison("type", "in", ("post", "page"))) == [early.id, third.id, late.id]
    assert await ids(Comparison("type", "eq", ("page",))) == []
    assert await ids(Comparison("document_id", "eq", (other,))) == [third.id]
    assert await ids(Comparison("created_by", "exists", (False,))) == [third.id]
    assert await ids(Comparison("at", "gte", (third.due_at,))) == [third.id, late.id]
    page = await backend.queries.list(PageRequest(sort=(SortKey("at"),), limit=2, count="exact"))
    assert page.items == [view(early), view(third)]
    assert page.count == 3
    rest = await backend.queries.list(PageRequest(sort=(SortKey("at"),), after=page.next))
    assert rest.items == [view(late)]

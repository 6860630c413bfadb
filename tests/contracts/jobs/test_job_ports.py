"""The jobs domain's ports: one suite, on the fakes and on PostgreSQL with the queue's library."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row
from tests.contracts.postgres import postgres
from tests.fakes_jobs import FakeJobQueries, JobStore, JobUnitOfWork

from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.jobs.queries import SqlJobs
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.bootstrap.jobs import REPOSITORIES
from cms_api.domains.jobs.interface import JOBS
from cms_api.domains.jobs.model import Job, Step
from cms_api.domains.jobs.ports import JobQueries, JobQueue, JobRepository
from cms_api.domains.jobs.service import view
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, PageRequest

NOW = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
Entries = list[tuple[UUID, datetime | None]]


@dataclass(frozen=True, kw_only=True)
class Backend:
    uow: Callable[[], UnitOfWork]
    queries: JobQueries
    queued: Callable[[], Awaitable[Entries]]


@pytest.fixture(params=["fake", "postgres"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "fake":
        store = JobStore()

        async def in_store() -> Entries:
            return store.queue

        yield Backend(uow=lambda: JobUnitOfWork(store), queries=FakeJobQueries(store), queued=in_store)
        return
    async with postgres(request) as (url, sessions, reader):

        async def in_database() -> Entries:
            async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
                found = await connection.execute("SELECT * FROM queue.procrastinate_jobs ORDER BY id")
                rows = await found.fetchall()
            assert {(row["task_name"], row["status"]) for row in rows} <= {("run_job", "todo")}
            return [(UUID(row["args"]["job_id"]), row["scheduled_at"]) for row in rows]

        yield Backend(
            uow=lambda: SqlAlchemyUnitOfWork(sessions, REPOSITORIES),
            queries=SqlJobs(reader),
            queued=in_database,
        )


def job(*, by: UUID | None = None, at: datetime = NOW, **params: Any) -> Job:
    made, _ = Job.queue(kind="counting", params=params, total=3, by=by, at=at)
    return made


def values(one: Job | None) -> dict[str, Any]:
    assert one is not None
    return {field.name: getattr(one, field.name) for field in fields(Job)}


async def stored(backend: Backend, *jobs: Job) -> None:
    async with backend.uow() as uow:
        for one in jobs:
            await uow.repository(JobRepository).add(one)


async def test_a_job_comes_back_as_it_was_stored(backend: Backend) -> None:
    one = job(by=uuid4(), ids=["a", "ß"], deep={"n": [1, None, True, 1.5]})
    await stored(backend, one)
    async with backend.uow() as uow:
        jobs = uow.repository(JobRepository)
        assert values(await jobs.get(one.id)) == values(one)
        assert await jobs.get(uuid4()) is None
    assert await backend.queries.get(one.id) == view(one)
    assert await backend.queries.get(uuid4()) is None


@pytest.mark.parametrize("cursor", [None, 7, "x", ["a", 1], {"after": "b"}, False])
async def test_progress_is_saved(backend: Backend, cursor: Any) -> None:
    one = job()
    await stored(backend, one)
    async with backend.uow() as uow:
        jobs = uow.repository(JobRepository)
        found = await jobs.get(one.id)
        assert found is not None
        found.begin(NOW)
        found.advance(
            Step(cursor=cursor, done=2, result={"failed": [{"id": 1}]}, finished=False, total=5), NOW
        )
        await jobs.save(found)
    async with backend.uow() as uow:
        again = await uow.repository(JobRepository).get(one.id)
        assert values(again) == values(found)
    shown = await backend.queries.get(one.id)
    assert shown == view(found)
    assert (shown.done, shown.total, shown.state) == (2, 5, "running")  # type: ignore[union-attr]


async def test_a_failure_is_saved(backend: Backend) -> None:
    one = job()
    await stored(backend, one)
    one.fail("broken", "It is broken.", NOW)
    async with backend.uow() as uow:
        await uow.repository(JobRepository).save(one)
    async with backend.uow() as uow:
        assert values(await uow.repository(JobRepository).get(one.id)) == values(one)
    assert await backend.queries.get(one.id) == view(one)


async def test_an_entry_is_there_once_the_transaction_is(backend: Backend) -> None:
    first, second = uuid4(), uuid4()
    with pytest.raises(ZeroDivisionError):
        async with backend.uow() as uow:
            await uow.repository(JobQueue).enqueue(first)
            raise ZeroDivisionError
    assert await backend.queued() == []
    async with backend.uow() as uow:
        queue = uow.repository(JobQueue)
        await queue.enqueue(first)
        await queue.enqueue(second, at=NOW)
        with pytest.raises(ZeroDivisionError):
            async with uow.savepoint():
                await queue.enqueue(uuid4())
                raise ZeroDivisionError
        await queue.enqueue(first)
    assert await backend.queued() == [(first, None), (second, NOW), (first, None)]


async def test_lists_are_narrowed_by_conditions(backend: Backend) -> None:
    ada, bea = uuid4(), uuid4()
    jobs = [job(by=by, at=NOW + timedelta(minutes=age)) for age, by in enumerate([ada, bea, None, ada, bea])]
    await stored(backend, *jobs)
    everything = PageRequest(sort=JOBS.sort)
    assert [one.id for one in (await backend.queries.list(everything)).items] == [
        one.id for one in reversed(jobs)
    ]
    for owner, numbers in ((ada, [3, 0]), (bea, [4, 1]), (uuid4(), [])):
        page = everything.narrowed(Comparison("created_by", "eq", (owner,)))
        found = await backend.queries.list(page)
        assert [one.id for one in found.items] == [jobs[number].id for number in numbers]
        first = await backend.queries.list(msgspec.structs.replace(page, limit=1, count="exact"))
        assert (len(first.items), first.count) == (min(1, len(numbers)), len(numbers))
        if first.next:
            rest = await backend.queries.list(msgspec.structs.replace(page, after=first.next))
            assert [one.id for one in rest.items] == [jobs[number].id for number in numbers[1:]]


async def test_only_what_ended_before_is_purged(backend: Backend) -> None:
    jobs = [job() for _ in range(5)]
    for hours, one in enumerate(jobs[:4]):
        one.cancel(expected=None, at=NOW + timedelta(hours=hours))
    await stored(backend, *jobs)
    async with backend.uow() as uow:
        purged = await uow.repository(JobRepository).purge(before=NOW + timedelta(hours=3), limit=2)
    assert {one.id for one in purged} == {one.id for one in jobs[:2]}
    async with backend.uow() as uow:
        purged = await uow.repository(JobRepository).purge(before=NOW + timedelta(hours=3), limit=2)
    assert [one.id for one in purged] == [jobs[2].id]
    async with backend.uow() as uow:
        assert await uow.repository(JobRepository).purge(before=NOW + timedelta(hours=3), limit=2) == []


async def test_filters_of_the_real_list(database_url: str) -> None:
    engine = make_engine(database_url, size=1, statement_timeout=15)
    reader = Reader(database_url, size=1, statement_timeout=15)
    await reader.open()
    try:
        one, other = job(), job()
        other.cancel(expected=None, at=NOW)
        async with SqlAlchemyUnitOfWork(make_sessions(engine), REPOSITORIES) as uow:
            for made in (one, other):
                await uow.repository(JobRepository).add(made)
        for wanted, found in (
            (Comparison("state", "eq", ("cancelled",)), [other.id]),
            (Comparison("finished_at", "exists", (False,)), [one.id]),
            (Comparison("kind", "ne", ("counting",)), []),
            (Comparison("created_by", "exists", (False,)), [other.id, one.id]),
        ):
            page = PageRequest(sort=JOBS.sort, filter=wanted)
            assert [x.id for x in (await SqlJobs(reader).list(page)).items] == found
    finally:
        await reader.close()
        await engine.dispose()

"""Jobs on fakes: progress, going on, stopping, failing, trying again, and whose rights count."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.fakes import FixedClock
from tests.fakes_jobs import (
    Counting,
    FakeIdentity,
    FakeJobLog,
    FakeJobQueries,
    JobStore,
    JobUnitOfWork,
)

from cms_api.domains.jobs.errors import JobNotFound, JobOver
from cms_api.domains.jobs.interface import JOBS, JobView
from cms_api.domains.jobs.model import Job, JobFailure, JobState
from cms_api.domains.jobs.runner import MAX_ATTEMPTS, TURN, JobRunner
from cms_api.domains.jobs.service import PURGED_AT_ONCE, Jobs
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Stale, Unauthenticated, invalid
from cms_api.querying import EVERYTHING, AnyOf, Comparison, PageRequest

ADA = Actor(user_id=uuid4(), permissions=frozenset({"posts:count"}))
BEA = Actor(user_id=uuid4())
READER = Actor(user_id=uuid4(), permissions=frozenset({"jobs:read"}))
ADMIN = Actor(user_id=uuid4(), permissions=frozenset({"jobs:read", "jobs:cancel"}))


class House:
    """The service and the runner on one store."""

    def __init__(self) -> None:
        self.store, self.clock, self.log = JobStore(), FixedClock(), FakeJobLog()
        self.identity = FakeIdentity(ADA)
        self.handler = Counting(self.store)
        self.jobs = Jobs(clock=self.clock, queries=FakeJobQueries(self.store), retention=3600)
        self.runner = JobRunner(
            clock=self.clock,
            identity=self.identity,
            handlers={"counting": self.handler},
            new_uow=self.uow,
            log=self.log,
        )
        self.stop = asyncio.Event()
        self.units: list[JobUnitOfWork] = []

    def uow(self) -> JobUnitOfWork:
        self.units.append(JobUnitOfWork(self.store))
        return self.units[-1]

    async def start(self, actor: Actor = ADA, *, to: int = 30, kind: str = "counting") -> JobView:
        async with self.uow() as uow:
            return await self.jobs.start(uow, actor, kind=kind, params={"to": to}, total=to)

    async def run(self, job: JobView) -> Job:
        """Run the job as its newest entry in the queue says, once it is due."""
        job_id, at = self.store.queue.pop()
        assert job_id == job.id
        if at is not None:
            self.clock.at = max(self.clock.at, at)
        await self.runner.run(job.id, self.stop)
        return self.now(job)

    def now(self, job: JobView) -> Job:
        return self.store.jobs[job.id]

    @property
    def events(self) -> list[str]:
        return [event.name for event in self.store.events]


@pytest.fixture
def house() -> House:
    return House()


async def test_a_job_is_done_step_by_step(house: House) -> None:
    job = await house.start()
    assert (job.state, job.done, job.total, job.created_by) == ("queued", 0, 30, ADA.user_id)
    done = await house.run(job)
    assert (done.state, done.done, done.result, done.error) == ("succeeded", 30, {"counted": 30}, None)
    assert done.started_at == done.finished_at == house.clock.at
    assert house.store.done == [0, 10, 20]
    assert house.store.queue == []
    assert house.events == ["job.queued", "job.started", "job.finished"]
    assert {event.actor for event in house.store.events} == {ADA.user_id}
    assert done.version == 5


async def test_what_was_rolled_back_never_runs(house: House) -> None:
    with pytest.raises(ZeroDivisionError):
        async with house.uow() as uow:
            await house.jobs.start(uow, ADA, kind="counting", params={})
            raise ZeroDivisionError
    assert (house.store.jobs, house.store.queue) == ({}, [])
    await house.runner.run(uuid4(), house.stop)
    assert house.events == []


async def test_a_job_that_is_over_is_not_done_again(house: House) -> None:
    job = await house.start()
    done = await house.run(job)
    await house.runner.run(job.id, house.stop)
    assert house.now(job).version == done.version
    assert house.store.done == [0, 10, 20]


async def test_a_worker_that_stops_leaves_the_rest_to_the_next(house: House) -> None:
    job = await house.start()
    house.stop.set()
    half = await house.run(job)
    assert (half.state, half.done, half.attempts, len(house.store.queue)) == ("running", 10, 0, 1)
    house.stop.clear()
    assert (await house.run(job)).state == "succeeded"
    assert house.store.done == [0, 10, 20]
    assert house.events.count("job.started") == 1


async def test_what_no_transaction_may_hold_comes_before_each_step(house: House) -> None:
    prepared: list[int] = []

    async def prepare(state: JobState) -> None:
        assert all(uow.committed for uow in house.units)
        prepared.append(state.done)

    house.handler.prepare = prepare  # type: ignore[method-assign]
    assert (await house.run(await house.start())).state == "succeeded"
    assert prepared == [0, 10, 20]


async def test_preparations_are_cut_off_by_a_stop_and_tried_again_after_an_error(house: House) -> None:
    cut_off: list[bool] = []

    async def for_ever(state: JobState) -> None:
        del state
        house.stop.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_off.append(True)
            raise

    async def broken(state: JobState) -> None:
        raise RuntimeError(state.kind)

    house.handler.prepare = for_ever  # type: ignore[method-assign]
    job = await house.start()
    left = await house.run(job)
    assert (left.state, left.done, left.attempts, cut_off) == ("running", 0, 0, [True])
    house.stop.clear()
    house.handler.prepare = broken  # type: ignore[method-assign]
    assert (await house.run(job)).attempts == 1
    assert len(house.log.errors) == 1
    del house.handler.prepare  # type: ignore[method-assign]
    assert (await house.run(job)).state == "succeeded"
    assert house.store.done == [0, 10, 20]


async def test_a_long_job_lets_others_have_their_turn(house: House) -> None:
    job = await house.start()
    step = house.handler.step

    async def slow(*arguments):
        house.clock.at += TURN + timedelta(seconds=1)
        return await step(*arguments)

    house.handler.step = slow  # type: ignore[method-assign]
    assert (await house.run(job)).done == 10
    assert (await house.run(job)).done == 20


async def test_cancelling_one_that_waits(house: House) -> None:
    job = await house.start()
    async with house.uow() as uow:
        cancelled = await house.jobs.cancel(uow, ADA, job.id, expected=1)
    assert (cancelled.state, cancelled.version) == ("cancelled", 2)
    await house.run(job)
    assert house.store.done == []
    assert house.events == ["job.queued", "job.cancelled"]
    with pytest.raises(JobOver):
        await house.jobs.cancel(house.uow(), ADA, job.id, expected=None)


async def test_cancelling_one_that_runs_stops_it_before_its_next_step(house: House) -> None:
    job = await house.start()
    step = house.handler.step

    async def and_cancel(uow, actor, state):
        done = await step(uow, actor, state)
        if done.done == 20:
            # As a request that waits for the lock of the row: it comes right behind the step.
            async def cancel() -> None:
                async with house.uow() as other:
                    await house.jobs.cancel(other, ADA, job.id, expected=None)

            uow.on_commit(cancel)
        return done

    house.handler.step = and_cancel  # type: ignore[method-assign]
    job_then = await house.run(job)
    assert (job_then.state, job_then.done, job_then.result) == ("cancelled", 20, {"counted": 20})
    assert house.store.done == [0, 10]
    assert house.events[-1] == "job.cancelled"


async def test_a_refusal_ends_the_job_and_takes_its_step_back(house: House) -> None:
    house.handler.raises[10] = [invalid("/title", "required", "A title is needed.")]
    failed = await house.run(await house.start())
    assert (failed.state, failed.done) == ("failed", 10)
    assert failed.error == JobFailure(code="invalid", detail="A title is needed.")
    assert house.store.done == [0]
    assert (house.store.queue, house.log.errors) == ([], [])
    finished = house.store.events[-1]
    assert (finished.name, finished.state, finished.code) == ("job.finished", "failed", "invalid")  # type: ignore[attr-defined]


async def test_an_unforeseen_error_is_tried_again_later_and_later(house: House) -> None:
    house.handler.raises[10] = [RuntimeError("the secret is 42")] * 3
    job = await house.start()
    pauses: list[float] = []
    for number in range(1, 4):
        broken = await house.run(job)
        assert (broken.state, broken.done, broken.attempts) == ("running", 10, number)
        ((_, at),) = house.store.queue
        assert at is not None
        pauses.append((at - house.clock.at).total_seconds())
    assert pauses == [5, 20, 80]
    done = await house.run(job)
    assert (done.state, done.attempts) == ("succeeded", 1)
    assert house.store.done == [0, 10, 20]
    assert len(house.log.errors) == 3


async def test_it_is_given_up_at_some_time_and_tells_nothing(house: House) -> None:
    house.handler.raises[0] = [RuntimeError("the secret is 42")] * 99
    job = await house.start()
    for _ in range(MAX_ATTEMPTS):
        failed = await house.run(job)
    assert (failed.state, house.store.queue) == ("failed", [])
    assert failed.error is not None
    assert failed.error.code == "internal_error"
    assert "42" not in failed.error.detail
    assert len(house.log.errors) == MAX_ATTEMPTS


async def test_one_that_kills_its_worker_is_given_up_too(house: House) -> None:
    # A process that dies notes nothing: only that it began was noted, before.
    house.handler.raises[0] = [asyncio.CancelledError()] * 99
    job = await house.start()
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(asyncio.CancelledError):
            await house.runner.run(job.id, house.stop)
        assert house.now(job).state == "running"
    await house.runner.run(job.id, house.stop)
    assert house.now(job).state == "failed"


async def test_the_rights_are_those_of_the_moment(house: House) -> None:
    job = await house.start()
    house.stop.set()
    await house.run(job)
    house.identity.actors[ADA.user_id] = Actor(user_id=ADA.user_id)
    await house.run(job)
    assert [actor.permissions for actor in house.handler.actors] == [ADA.permissions, frozenset()]
    assert not any(actor.is_system for actor in house.handler.actors)
    house.identity.actors.clear()
    gone = await house.run(job)
    assert (gone.state, gone.error and gone.error.code) == ("failed", "user_gone")
    assert len(house.handler.actors) == 2


async def test_a_job_of_the_system_runs_as_the_system(house: House) -> None:
    job = await house.start(SYSTEM, to=1)
    assert job.created_by is None
    await house.run(job)
    assert house.handler.actors == [SYSTEM]


async def test_a_kind_that_nobody_does_fails_visibly(house: House) -> None:
    failed = await house.run(await house.start(kind="dancing"))
    assert failed.error is not None
    assert (failed.state, failed.error.code) == ("failed", "unknown_kind")
    assert "dancing" in failed.error.detail
    assert house.events == ["job.queued", "job.finished"]


async def test_who_may_see_and_cancel(house: House) -> None:
    job = await house.start()
    system = await house.start(SYSTEM)
    page = PageRequest(sort=JOBS.sort)
    for actor, ids in ((ADA, {job.id}), (BEA, set()), (READER, {job.id, system.id})):
        assert {one.id for one in (await house.jobs.list(actor, page)).items} == ids
        # whatever else is asked: it holds beside it
        either = page.narrowed(AnyOf((Comparison("kind", "exists", (True,)), EVERYTHING)))
        assert {one.id for one in (await house.jobs.list(actor, either)).items} == ids
        for one in (job, system):
            if one.id in ids:
                assert (await house.jobs.get(actor, one.id)).id == one.id
                continue
            with pytest.raises(JobNotFound):
                await house.jobs.get(actor, one.id)
            with pytest.raises(JobNotFound):
                await house.jobs.cancel(house.uow(), actor, one.id, expected=None)
    with pytest.raises(Forbidden):
        await house.jobs.cancel(house.uow(), READER, job.id, expected=None)
    with pytest.raises(Stale):
        await house.jobs.cancel(house.uow(), ADMIN, job.id, expected=7)
    for ask in (house.jobs.list(ANONYMOUS, page), house.jobs.get(ANONYMOUS, job.id)):
        with pytest.raises(Unauthenticated):
            await ask
    with pytest.raises(Unauthenticated):
        await house.jobs.start(house.uow(), ANONYMOUS, kind="counting", params={})
    async with house.uow() as uow:
        assert (await house.jobs.cancel(uow, ADMIN, job.id, expected=1)).state == "cancelled"
    assert house.store.events[-1].actor == ADMIN.user_id


async def test_what_is_over_for_long_is_removed_in_batches(house: House) -> None:
    old = [await house.start(to=1) for _ in range(PURGED_AT_ONCE + 1)]
    for job in reversed(old):
        await house.run(job)
    house.clock.move(seconds=1800)
    young = await house.start(to=1)
    await house.run(young)
    waiting = await house.start()
    house.clock.move(seconds=1801)
    assert await house.jobs.purge(house.uow) == len(old)
    assert set(house.store.jobs) == {young.id, waiting.id}
    assert house.events.count("job.purged") == len(old)
    assert await house.jobs.purge(house.uow) == 0


async def test_params_are_json(house: House) -> None:
    some = UUID(int=7)
    async with house.uow() as uow:
        job = await house.jobs.start(uow, ADA, kind="counting", params={"ids": (some,)})
    assert job.params == {"ids": [str(some)]}

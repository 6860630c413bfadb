"""Doing jobs: one step, one transaction."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from cms_api.domains.auth.api import IdentityService
from cms_api.domains.jobs.interface import JobHandler
from cms_api.domains.jobs.model import Job, JobState
from cms_api.domains.jobs.ports import JobLog, JobQueue, JobRepository
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import CmsError
from cms_api.kernel.events import Event
from cms_api.kernel.unit_of_work import UnitOfWork

MAX_ATTEMPTS = 5
LONGEST_DELAY = 600.0
GROWTH = 4
# How long a job may go on before it queues up again, so that others get their turn.
TURN = timedelta(seconds=30)


class JobRunner:
    """Runs jobs, with the rights that their users have at that moment.

    Any number of processes may run the same job at once: the row's lock lets one step happen at a
    time, and the cursor is stored with what the step did. ``delay`` is what a step waits for its
    second try, in seconds; it grows fourfold with each more.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        identity: IdentityService,
        handlers: Mapping[str, JobHandler],
        new_uow: Callable[[], UnitOfWork],
        log: JobLog,
        delay: float = 5.0,
    ) -> None:
        self._clock = clock
        self._identity = identity
        self._handlers = handlers
        self._new_uow = new_uow
        self._log = log
        self._delay = delay

    async def run(self, job_id: UUID, stop: asyncio.Event) -> None:
        """Do the job's steps until it is over, or queue it again: after a turn, or once ``stop`` is set.

        Raises only where not even that can be noted, because the database is away; it is to be
        called again then.
        """
        try:
            state = await self._begin(job_id)
            turn_ends = self._clock.now() + TURN
            while state is not None:
                if await self._prepare(state, stop):
                    state = await self._step(job_id)
                if state is not None and (stop.is_set() or self._clock.now() > turn_ends):
                    await self._pause(job_id)
                    return
        except Exception as error:  # noqa: BLE001 - whatever it is, the step is tried again
            self._log.broke(job_id, error)
            await self._try_again(job_id)

    async def _begin(self, job_id: UUID) -> JobState | None:
        """Count a try, before anything can end the process. None where there is nothing to do."""
        async with self._new_uow() as uow:
            job = await uow.repository(JobRepository).get(job_id)
            if job is None or job.is_over:
                return None
            event: Event | None
            if job.attempts >= MAX_ATTEMPTS:
                event = self._give_up(job)
            elif job.kind not in self._handlers:
                event = job.fail(
                    "unknown_kind", f"Nothing here does jobs of the kind “{job.kind}”.", self._clock.now()
                )
            else:
                event = job.begin(self._clock.now())
            await _store(uow, job, event)
            return None if job.is_over else job.as_state()

    async def _prepare(self, state: JobState, stop: asyncio.Event) -> bool:
        """What the next step needs, in no transaction. False where that was cut off by ``stop``."""
        preparing = asyncio.create_task(self._handlers[state.kind].prepare(state))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({preparing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if preparing.done():
                await preparing
                return True
            return False
        finally:
            for task in (preparing, stopping):
                task.cancel()
            await asyncio.gather(preparing, stopping, return_exceptions=True)

    async def _step(self, job_id: UUID) -> JobState | None:
        """One step with its progress, in one transaction. None where there is nothing more to do."""
        async with self._new_uow() as uow:
            job = await uow.repository(JobRepository).get(job_id)
            if job is None or job.is_over:
                return None
            event: Event | None
            try:
                actor = await self._actor_of(job)
                async with uow.savepoint():
                    step = await self._handlers[job.kind].step(uow, actor, job.as_state())
            except CmsError as error:
                event = job.fail(error.code, error.detail, self._clock.now())
            else:
                event = job.advance(step, self._clock.now())
            await _store(uow, job, event)
            return None if job.is_over else job.as_state()

    async def _actor_of(self, job: Job) -> Actor:
        return SYSTEM if job.created_by is None else await self._identity.actor_of(job.created_by)

    async def _pause(self, job_id: UUID) -> None:
        async with self._new_uow() as uow:
            job = await uow.repository(JobRepository).get(job_id)
            if job is None or job.is_over:
                return
            job.pause()
            await uow.repository(JobRepository).save(job)
            await uow.repository(JobQueue).enqueue(job_id)

    async def _try_again(self, job_id: UUID) -> None:
        async with self._new_uow() as uow:
            job = await uow.repository(JobRepository).get(job_id)
            if job is None or job.is_over:
                return
            if job.attempts >= MAX_ATTEMPTS:
                await _store(uow, job, self._give_up(job))
                return
            delay = min(self._delay * GROWTH ** max(job.attempts - 1, 0), LONGEST_DELAY)
            at = self._clock.now() + timedelta(seconds=delay)
            await uow.repository(JobQueue).enqueue(job_id, at=at)

    def _give_up(self, job: Job) -> Event:
        detail = f"A step failed {job.attempts} times. The reason has been logged under the job's id."
        return job.fail("internal_error", detail, self._clock.now())


async def _store(uow: UnitOfWork, job: Job, event: Event | None) -> None:
    await uow.repository(JobRepository).save(job)
    if event is not None:
        uow.record(event)

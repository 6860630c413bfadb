"""Beginning, watching and stopping jobs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from cms_api.domains.jobs.errors import JobNotFound
from cms_api.domains.jobs.events import JobPurged
from cms_api.domains.jobs.interface import JobService, JobView
from cms_api.domains.jobs.model import Job
from cms_api.domains.jobs.policy import CANCEL, READ
from cms_api.domains.jobs.ports import JobQueries, JobQueue, JobRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, Condition, Page, PageRequest

PURGED_AT_ONCE = 100


def view(job: Job) -> JobView:
    """The job, as others may see it."""
    return msgspec.convert(job, JobView, from_attributes=True)


class Jobs(JobService):
    """The service of jobs. ``retention`` is how long those that ended are kept, in seconds."""

    def __init__(self, *, clock: Clock, queries: JobQueries, retention: int) -> None:
        self._clock = clock
        self._queries = queries
        self._retention = timedelta(seconds=retention)

    async def start(
        self,
        uow: UnitOfWork,
        actor: Actor,
        *,
        kind: str,
        params: dict[str, Any],
        total: int | None = None,
    ) -> JobView:
        actor.require_known()
        job, queued = Job.queue(
            kind=kind,
            params=msgspec.json.decode(msgspec.json.encode(params)),
            total=total,
            by=actor.user_id,
            at=self._clock.now(),
        )
        await uow.repository(JobRepository).add(job)
        await uow.repository(JobQueue).enqueue(job.id)
        uow.record(queued)
        return view(job)

    async def get(self, actor: Actor, job_id: UUID) -> JobView:
        actor.require_known()
        job = await self._queries.get(job_id)
        if job is None or not _may_see(actor, job.created_by):
            raise JobNotFound
        return job

    async def list(self, actor: Actor, page: PageRequest) -> Page[JobView]:
        actor.require_known()
        return await self._queries.list(page if actor.may(READ) else page.narrowed(_own(actor)))

    async def cancel(self, uow: UnitOfWork, actor: Actor, job_id: UUID, *, expected: int | None) -> JobView:
        actor.require_known()
        jobs = uow.repository(JobRepository)
        job = await jobs.get(job_id)
        if job is None or not _may_see(actor, job.created_by):
            raise JobNotFound
        if not actor.owns(job.created_by):
            actor.require(CANCEL)
        cancelled = job.cancel(expected=expected, at=self._clock.now())
        await jobs.save(job)
        uow.record(cancelled.by(actor))
        return view(job)

    async def purge(self, new_uow: Callable[[], UnitOfWork]) -> int:
        before, total = self._clock.now() - self._retention, 0
        while True:
            async with new_uow() as uow:
                purged = await uow.repository(JobRepository).purge(before=before, limit=PURGED_AT_ONCE)
                uow.record(*(JobPurged(subject=job.id, kind=job.kind, version=job.version) for job in purged))
            total += len(purged)
            if len(purged) < PURGED_AT_ONCE:
                return total


def _own(actor: Actor) -> Condition:
    """What is true of the actor's own jobs."""
    return Comparison("created_by", "eq", (actor.user_id,))


def _may_see(actor: Actor, created_by: UUID | None) -> bool:
    return actor.owns(created_by) or actor.may(READ)

"""The jobs domain's ports without a database, and handlers to try it with."""

import copy
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

import msgspec
from tests.fakes import FakeUnitOfWork
from tests.fakes_cms import page_of

from cms_api.domains.auth.api import IdentityService, UserGone
from cms_api.domains.jobs.interface import JobHandler, JobView
from cms_api.domains.jobs.model import Job, JobState, Step
from cms_api.domains.jobs.ports import JobLog, JobQueries, JobQueue, JobRepository
from cms_api.domains.jobs.service import view
from cms_api.kernel.actor import Actor
from cms_api.kernel.events import Event
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest


@dataclass
class JobStore:
    """What a database would hold. Rows are replaced, never changed."""

    jobs: dict[UUID, Job] = field(default_factory=dict)
    queue: list[tuple[UUID, datetime | None]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    # What the steps of a handler did, to be taken back with the rest.
    done: list[int] = field(default_factory=list)

    def kept(self) -> dict[str, Any]:
        return {name: copy.copy(value) for name, value in vars(self).items()}

    def take_back(self, before: dict[str, Any]) -> None:
        vars(self).update(before)


def _as_stored(job: Job) -> Job:
    """A copy that has gone through JSON where a database would have it so."""
    values = {one.name: getattr(job, one.name) for one in fields(Job)}
    for name in ("params", "cursor", "result"):
        values[name] = msgspec.json.decode(msgspec.json.encode(values[name]))
    return Job(**values)


class FakeJobs(JobRepository):
    def __init__(self, store: JobStore) -> None:
        self._store = store

    async def add(self, job: Job) -> None:
        self._store.jobs[job.id] = _as_stored(job)

    async def get(self, job_id: UUID) -> Job | None:
        return _as_stored(self._store.jobs[job_id]) if job_id in self._store.jobs else None

    async def save(self, job: Job) -> None:
        self._store.jobs[job.id] = _as_stored(job)

    async def purge(self, *, before: datetime, limit: int) -> list[Job]:
        over = [job for job in self._store.jobs.values() if job.finished_at and job.finished_at < before]
        purged = sorted(over, key=lambda job: job.finished_at)[:limit]  # type: ignore[arg-type,return-value]
        for job in purged:
            del self._store.jobs[job.id]
        return purged


class FakeJobQueries(JobQueries):
    def __init__(self, store: JobStore) -> None:
        self._store = store

    async def get(self, job_id: UUID) -> JobView | None:
        job = self._store.jobs.get(job_id)
        return None if job is None else view(job)

    async def list(self, page: PageRequest) -> Page[JobView]:
        return page_of(list(self._store.jobs.values()), page, getattr, view)


class FakeQueue(JobQueue):
    def __init__(self, store: JobStore) -> None:
        self._store = store

    async def enqueue(self, job_id: UUID, *, at: datetime | None = None) -> None:
        self._store.queue.append((job_id, at))


class JobUnitOfWork(FakeUnitOfWork):
    """A unit of work on a store that takes everything back when it is rolled back."""

    def __init__(self, store: JobStore) -> None:
        super().__init__({JobRepository: FakeJobs(store), JobQueue: FakeQueue(store)})
        self._store = store
        self._before: dict[str, Any] = {}

    def _kept(self) -> dict[str, Any]:
        return self._store.kept()

    def _take_back(self, before: dict[str, Any]) -> None:
        self._store.take_back(before)

    async def __aenter__(self) -> Self:
        self._before = self._kept()
        return await super().__aenter__()

    async def __aexit__(self, *raised: Any) -> None:  # noqa: PYI036 - handed on as they are
        await super().__aexit__(*raised)
        if self.rolled_back:
            self._take_back(self._before)
        else:
            self._store.events.extend(self.events)


class FakeIdentity(IdentityService):
    """Knows the users that it was told of."""

    def __init__(self, *actors: Actor) -> None:
        self.actors = {actor.user_id: actor for actor in actors}

    async def identify(self, access_token: str) -> Actor:
        return self.actors[UUID(access_token)]

    async def actor_of(self, user_id: UUID) -> Actor:
        if user_id not in self.actors:
            raise UserGone
        return self.actors[user_id]


class FakeJobLog(JobLog):
    def __init__(self) -> None:
        self.errors: list[tuple[UUID, Exception]] = []

    def broke(self, job_id: UUID, error: Exception) -> None:
        self.errors.append((job_id, error))


class Counting(JobHandler):
    """Counts to ``total`` by tens, into a store; raises what it is told to, where it is told to."""

    kind: ClassVar[str] = "counting"

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self.actors: list[Actor] = []
        self.raises: dict[int, list[BaseException]] = {}

    async def step(self, uow: UnitOfWork, actor: Actor, job: JobState) -> Step:
        del uow  # the store is taken back with it
        self.actors.append(actor)
        at = job.cursor or 0
        self._store.done.append(at)
        if errors := self.raises.get(at):
            raise errors.pop(0)
        done = min(at + 10, job.params["to"])
        finished = done == job.params["to"]
        return Step(cursor=done, done=done, result={"counted": done}, finished=finished)

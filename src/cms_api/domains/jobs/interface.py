"""Work that is too long for a request: how it is asked for, watched, and done."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from cms_api.domains.jobs.model import JobFailure, JobState, State, Step
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job, as it stands.

    ``total`` is how much there is to do, null where that is not known; ``done`` is how much of it
    is done. ``result`` tells what came of it so far, in a form that the kind decides.
    ``attempts`` counts the tries of the step at hand.
    """

    id: UUID
    kind: str
    params: dict[str, Any]
    state: State
    total: int | None
    done: int
    result: dict[str, Any] | None
    error: JobFailure | None
    attempts: int
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int


JOBS = Listing(
    sorts=("created_at",),
    filters={
        "kind": "text",
        "state": "text",
        "created_by": "uuid",
        "created_at": "timestamptz",
        "finished_at": "timestamptz",
    },
    shown=JobView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)


class JobService(ABC):
    """Jobs, for who begins and watches them.

    Everybody sees their own; others' are hidden, but from who has ``jobs:read``.
    """

    @abstractmethod
    async def start(
        self,
        uow: UnitOfWork,
        actor: Actor,
        *,
        kind: str,
        params: dict[str, Any],
        total: int | None = None,
    ) -> JobView:
        """Have work of ``kind`` done, with the rights that the actor's user then has.

        It begins once the unit of work is committed, and never where that is rolled back.
        ``params`` are JSON, and shown to who may see the job. Whether the actor may ask for the
        work is for the caller to check.
        """

    @abstractmethod
    async def get(self, actor: Actor, job_id: UUID) -> JobView:
        """One job. Raises `JobNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[JobView]:
        """Jobs, as `JOBS` allows."""

    @abstractmethod
    async def cancel(self, uow: UnitOfWork, actor: Actor, job_id: UUID, *, expected: int | None) -> JobView:
        """Stop a job: one that waits at once, one that runs before its next step.

        What has been done stays. Others' jobs need ``jobs:cancel``. Raises `JobNotFound`, `Stale`
        and `JobOver`.
        """

    @abstractmethod
    async def purge(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Remove jobs that ended long ago, in small batches; how many they were."""


class JobHandler(ABC):
    """Does the work of one kind of job, step by step."""

    kind: ClassVar[str]

    async def prepare(self, job: JobState) -> None:
        """Do what the next step needs and no transaction may hold, such as building an index.

        Nothing is locked and no transaction of the job is open meanwhile, however long it takes; so
        several processes may be at it at once, the job may be cancelled meanwhile, and where the
        process is to stop this is cancelled, and done again later: it must stand all that. After
        an error it is tried again later, a few times.
        """
        del job

    @abstractmethod
    async def step(self, uow: UnitOfWork, actor: Actor, job: JobState) -> Step:
        """Do one bounded piece of the work, and say how far it came.

        All of it happens in ``uow``, which commits it together with the progress: so a step counts
        once, whatever happens to the process. The job is locked meanwhile, and whoever cancels it
        waits: keep a step to about a second. A `CmsError` takes the step back and ends the job;
        after any other error the step is tried again later, a few times.
        """

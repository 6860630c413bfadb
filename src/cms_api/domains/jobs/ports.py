"""What jobs need from outside."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

from cms_api.domains.jobs.interface import JobView
from cms_api.domains.jobs.model import Job
from cms_api.querying import Page, PageRequest


class JobRepository(ABC):
    """Jobs, for changing them."""

    @abstractmethod
    async def add(self, job: Job) -> None:
        """Store a new job."""

    @abstractmethod
    async def get(self, job_id: UUID) -> Job | None:
        """The job, locked until the unit of work ends."""

    @abstractmethod
    async def save(self, job: Job) -> None:
        """Store the changed job."""

    @abstractmethod
    async def purge(self, *, before: datetime, limit: int) -> list[Job]:
        """Remove up to ``limit`` jobs that ended before, and return them."""


class JobQueue(ABC):
    """Tells the workers that there is something to do."""

    @abstractmethod
    async def enqueue(self, job_id: UUID, *, at: datetime | None = None) -> None:
        """Have the job run once the unit of work is committed, not before ``at``.

        It is run at least once. Nothing happens where the unit of work is rolled back.
        """


class JobQueries(ABC):
    """Jobs, for looking at them."""

    @abstractmethod
    async def get(self, job_id: UUID) -> JobView | None:
        """One job."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[JobView]:
        """A page of jobs, as `JOBS` allows."""


class JobLog(ABC):
    """Where the errors go that nobody foresaw."""

    @abstractmethod
    def broke(self, job_id: UUID, error: Exception) -> None:
        """A step of the job raised ``error``."""

"""What schedules need from outside."""

from abc import ABC, abstractmethod
from asyncio import Event
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from cms_api.domains.cms.schedules.interface import ScheduleView
from cms_api.domains.cms.schedules.model import Schedule
from cms_api.querying import Page, PageRequest


class ScheduleRepository(ABC):
    """Schedules, for changing and firing them.

    Who holds a schedule locked has locked its document before. So nobody who trashes a document
    and cancels its schedules, and nobody who fires one of them, waits for the other in a circle.
    """

    @abstractmethod
    async def has_revision(self, document_id: UUID, revision_id: UUID) -> bool:
        """Whether the revision is one of the document."""

    @abstractmethod
    async def pending(self, document_id: UUID) -> int:
        """How many schedules of the document are still to be done."""

    @abstractmethod
    async def add(self, schedule: Schedule) -> None:
        """Store a new schedule, and wake the workers."""

    @abstractmethod
    async def get(self, document_id: UUID, schedule_id: UUID) -> Schedule | None:
        """The schedule, locked with its document until the unit of work ends."""

    @abstractmethod
    async def save(self, schedule: Schedule) -> None:
        """Store the changed schedule; wake the workers where it is still to be done."""

    @abstractmethod
    async def cancel_pending(self, document_id: UUID, *, at: datetime) -> list[Schedule]:
        """Cancel all that is still to be done with a document, and return it.

        For who has the document locked already.
        """

    @abstractmethod
    async def claim(self, now: datetime) -> Schedule | None:
        """The schedule whose turn it is, locked with its document until the unit of work ends.

        That is the one that waits for its next attempt longest, among the first ones of each
        document: what is to be done with it later waits until the earlier is over. Whatever
        somebody else has locked at the moment is passed over.
        """

    @abstractmethod
    async def next_due(self) -> datetime | None:
        """When there is something to claim; in the past where others have it locked."""

    @abstractmethod
    async def zoned(self, after: UUID | None, limit: int) -> list[Schedule]:
        """Pending schedules in other zones than UTC, by id, from behind ``after``; not locked."""


class ScheduleQueries(ABC):
    """Schedules, for looking at them."""

    @abstractmethod
    async def get(self, kind: str, document_id: UUID, schedule_id: UUID) -> ScheduleView | None:
        """One schedule of a document."""

    @abstractmethod
    async def list(self, page: PageRequest, *, document_id: UUID | None = None) -> Page[ScheduleView]:
        """A page of schedules."""

    @abstractmethod
    async def has_document(self, kind: str, document_id: UUID) -> bool:
        """Whether there is such a document."""


class Wakeups(ABC):
    """Tells that a schedule was made or moved, by whichever process."""

    @abstractmethod
    def listening(self) -> AbstractAsyncContextManager[Event]:
        """An event that is set each time, and whenever something may have been missed."""


class Log(Protocol):
    """Where workers tell what happens to them."""

    def info(self, event: str, **values: object) -> object:
        """What is good to know."""

    def warning(self, event: str, **values: object) -> object:
        """What may pass by itself."""

    def error(self, event: str, **values: object) -> object:
        """What somebody should look into."""

"""What locks and presence need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.cms.locks.model import EditLock, Presence

MAX_PRESENT = 100


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is there; ``is_editing`` where she holds the lock."""

    user_id: UUID
    since: datetime
    is_editing: bool


class LockRepository(ABC):
    """Locks, for changing them."""

    @abstractmethod
    async def get(self, document_id: UUID) -> EditLock | None:
        """The document's lock, an expired one too, kept as it is until the unit of work ends."""

    @abstractmethod
    async def put(self, lock: EditLock, *, over: UUID | None = None) -> bool:
        """Store the lock where the document has none, an expired one, or one that ``over`` holds.

        False, and nothing stored, where it has another one. Of two units of work that store the
        first lock of a document at once, one gets True.
        """

    @abstractmethod
    async def delete(self, document_id: UUID, user_id: UUID) -> None:
        """Remove the lock, if it is the user's."""

    @abstractmethod
    async def purge(self, *, at: datetime, limit: int) -> int:
        """Remove up to ``limit`` locks that have expired; those that others work on are left alone."""


class PresenceRepository(ABC):
    """Presences, for changing them."""

    @abstractmethod
    async def put(self, presence: Presence) -> None:
        """Store a presence. Where the user has been there all along, ``since`` stays as it was."""

    @abstractmethod
    async def delete(self, document_id: UUID, user_id: UUID) -> None:
        """Remove a presence, if there is one."""

    @abstractmethod
    async def present(self, document_id: UUID, *, at: datetime) -> list[Present]:
        """Who is there, the longest first, at most `MAX_PRESENT`."""

    @abstractmethod
    async def purge(self, *, at: datetime, limit: int) -> int:
        """Remove up to ``limit`` presences that have expired; those that others work on are left alone."""


class LockQueries(ABC):
    """Locks and presences, for looking at them."""

    @abstractmethod
    async def of(self, document_ids: Collection[UUID], *, at: datetime) -> dict[UUID, EditLock]:
        """The locks that are held at that moment, by document."""

    @abstractmethod
    async def present(self, document_id: UUID, *, at: datetime) -> list[Present]:
        """All who are there: users, so no more than there are of these."""

"""The services of locks and of presence."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey


class LockView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is editing a document. ``ttl`` is in seconds: renew well before.

    ``user_name`` is null where the account is gone.
    """

    document_id: UUID
    user_id: UUID
    user_name: str | None
    acquired_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    ttl: int


class LockSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A lock, as a document shows it. ``user_name`` is null where the account is gone."""

    user_id: UUID
    user_name: str | None
    expires_at: datetime


class PresenceView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has a document before her. ``is_editing`` tells whether she holds its lock."""

    user_id: UUID
    user_name: str | None
    since: datetime
    is_editing: bool


PRESENCES = Listing(
    sorts=("since", "user_name"),
    filters={"user_id": "uuid", "user_name": "text", "since": "timestamptz", "is_editing": "boolean"},
    shown=PresenceView.__struct_fields__,
    sort=(SortKey("since"),),
)


class HeldLocks(ABC):
    """The locks that documents show."""

    @abstractmethod
    async def of(self, document_ids: Iterable[UUID]) -> dict[UUID, LockSummary]:
        """The locks held now, by document.

        One statement however many documents are asked about; a second, for names, where any is held.
        """


class LockService(ABC):
    """Advisory edit locks: they tell, and keep nobody from writing. Versions do.

    ``kind`` is the key of the content type. Each method raises `DocumentNotFound`, and
    `Unauthenticated` for who is no user.
    """

    @abstractmethod
    async def take(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, *, take_over: bool = False
    ) -> LockView:
        """Take the lock, or renew it where it is the actor's own.

        Needs the right to edit the document. Raises `Locked` where somebody else holds it, unless
        ``take_over``; and `Trashed`.
        """

    @abstractmethod
    async def get(self, actor: Actor, kind: str, document_id: UUID) -> LockView:
        """The lock. Needs ``documents:read``. Raises `NotLocked`."""

    @abstractmethod
    async def release(self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID) -> None:
        """Give the actor's own lock back; nothing happens where nobody holds it.

        Needs ``documents:read``. Raises `Locked` where somebody else holds it.
        """

    @abstractmethod
    async def purge_expired(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Remove locks and presences that have expired, in small batches; how many they were."""


class PresenceService(ABC):
    """Who has a document before her; needs ``documents:read``. Each method raises `DocumentNotFound`."""

    @abstractmethod
    async def appear(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID
    ) -> tuple[PresenceView, ...]:
        """Say that the actor is there, for a while. Who is there now, the longest first, at most 100."""

    @abstractmethod
    async def list(self, actor: Actor, kind: str, document_id: UUID, page: PageRequest) -> Page[PresenceView]:
        """Who is there now, as `PRESENCES` allows."""

    @abstractmethod
    async def leave(self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID) -> None:
        """Say that the actor is not there any more; nothing happens where she was not."""

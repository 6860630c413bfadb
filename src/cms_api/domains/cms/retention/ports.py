"""What retention needs from outside."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.cms.retention.interface import RetentionPolicy


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch has removed.

    ``numbers`` are the revisions that went, by document; ``last`` is the last document that was
    looked at, None behind the end; ``is_full`` tells that its batch has more to remove.
    """

    numbers: dict[UUID, int]
    last: UUID | None
    is_full: bool


class TrashedDocument(msgspec.Struct, frozen=True):
    """A document whose time in the trash is over."""

    id: UUID
    trashed_at: datetime


class RetentionRepository(ABC):
    """Policies, and what they apply to."""

    @abstractmethod
    async def get(self, type: str) -> RetentionPolicy | None:
        """The policy, locked until the unit of work ends."""

    @abstractmethod
    async def save(self, policy: RetentionPolicy) -> None:
        """Store a policy that is there already."""

    @abstractmethod
    async def purge_revisions(
        self,
        type: str,
        *,
        keep: int | None,
        before: datetime | None,
        after: UUID | None,
        limit: int,
    ) -> Purged:
        """Remove surplus revisions of up to ``limit`` documents behind ``after``, and their contents.

        At most 1,000 revisions at once. Documents that somebody is changing are left out.
        """

    @abstractmethod
    async def overdue_trash(
        self, type: str, *, before: datetime, limit: int, after: TrashedDocument | None = None
    ) -> list[TrashedDocument]:
        """Up to ``limit`` documents trashed before, by that time, behind ``after``; locked.

        Without those that something else points at which forbids it, and those being changed.
        """


class RetentionQueries(ABC):
    """Policies, for looking at them."""

    @abstractmethod
    async def list(self) -> list[RetentionPolicy]:
        """All policies, by type."""

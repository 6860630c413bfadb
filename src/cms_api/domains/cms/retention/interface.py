"""How long old revisions and the trash are kept."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey

WRITE = "retention:write"
PERMISSIONS = {WRITE: "Decide how long old revisions and the trash are kept."}


class RetentionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one content type; null is without limit.

    A revision goes once ``max_revisions`` newer ones of its document are there, or once it is older
    than ``max_revision_days``. The draft, the live copy, whatever was ever published, is pinned
    or has a label, and what a schedule is to publish stay. A document goes once it has been in
    the trash for ``max_trash_days``, unless another one points at it.
    """

    type: str
    max_revisions: int | None
    max_revision_days: int | None
    max_trash_days: int | None
    version: int
    updated_at: datetime
    updated_by: UUID | None


RETENTION_POLICIES = Listing(
    sorts=("type", "max_revisions", "max_revision_days", "max_trash_days", "updated_at"),
    filters={
        "type": "text",
        "max_revisions": "integer",
        "max_revision_days": "integer",
        "max_trash_days": "integer",
        "updated_at": "timestamptz",
        "updated_by": "uuid",
    },
    shown=RetentionPolicy.__struct_fields__,
    sort=(SortKey("type"),),
)


class RetentionChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays. Each is at least 1, or null."""

    max_revisions: int | UnsetType | None = UNSET
    max_revision_days: int | UnsetType | None = UNSET
    max_trash_days: int | UnsetType | None = UNSET


class RetentionService(ABC):
    """Retention, for each content type. Reading needs ``documents:read``, changing ``retention:write``."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[RetentionPolicy]:
        """The policies of types, as `RETENTION_POLICIES` allows."""

    @abstractmethod
    async def get(self, actor: Actor, type: str) -> RetentionPolicy:
        """The policy of a type. Raises `PolicyNotFound`."""

    @abstractmethod
    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        type: str,
        changes: RetentionChanges,
        *,
        expected: int | None,
    ) -> RetentionPolicy:
        """Change a policy; it is applied the next time that something is purged. Raises `Stale`."""

    @abstractmethod
    async def purge_revisions(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Remove the revisions that no policy keeps, in small batches; how many they were."""

    @abstractmethod
    async def purge_trash(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Purge what has been in the trash for long enough, in small batches; how many documents."""

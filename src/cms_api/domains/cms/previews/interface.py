"""The site as it would look with some drafts published, for whoever has a link to that."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey

# In seconds.
MIN_LIFETIME, DEFAULT_LIFETIME, MAX_LIFETIME = 60, 3_600, 2_592_000
MAX_DOCUMENTS = 50


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """A preview of ``documents``, good until ``expires_at``. Its token is not shown again."""

    id: UUID
    documents: tuple[UUID, ...]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime


class IssuedPreview(PreviewView, frozen=True, kw_only=True):
    """A preview that was just made. Whoever has the ``token`` sees the drafts of its documents."""

    token: str

    def __repr__(self) -> str:
        return f"IssuedPreview(id={self.id}, …)"


PREVIEWS = Listing(
    sorts=("created_at", "expires_at"),
    filters={
        "id": "uuid",
        "documents": "uuid",
        "created_by": "uuid",
        "created_at": "timestamptz",
        "expires_at": "timestamptz",
    },
    shown=PreviewView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)


class PreviewService(ABC):
    """Previews.

    Everybody sees and takes back their own; others' are hidden, but from who has ``previews:manage``.
    What has expired is no longer there.
    """

    @abstractmethod
    async def create(
        self, uow: UnitOfWork, actor: Actor, documents: Sequence[UUID], *, lifetime: int
    ) -> IssuedPreview:
        """A preview of up to 50 documents, for ``lifetime`` seconds, from 60 to 2,592,000.

        Needs `documents:read`. Raises `Invalid` that names every document which is not there, or in
        the archive or the trash.
        """

    @abstractmethod
    async def create_for(
        self, uow: UnitOfWork, actor: Actor, type: str, document: UUID, *, lifetime: int
    ) -> IssuedPreview:
        """The same for one document of a type. Raises `DocumentNotFound`, too."""

    @abstractmethod
    async def get(self, actor: Actor, preview_id: UUID) -> PreviewView:
        """One preview. Raises `PreviewNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[PreviewView]:
        """Previews, as `PREVIEWS` allows."""

    @abstractmethod
    async def revoke(self, uow: UnitOfWork, actor: Actor, preview_id: UUID) -> None:
        """Take a preview back: its token is refused from the next request on. Raises `PreviewNotFound`."""

    @abstractmethod
    async def purge_expired(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Remove previews that have expired, in small batches; how many they were."""

    @abstractmethod
    def showing(self, token: str) -> AbstractAsyncContextManager[None]:
        """Have all that is read inside of it see the drafts of a preview as if they were published.

        Nothing of that stays, and nobody else sees it. Raises `PreviewInvalid`, `PreviewExpired`,
        `PreviewTokenRevoked`, and what publishing would raise: `AddressTaken`, for instance.
        """

"""The service of media."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey


class MediaView(msgspec.Struct, frozen=True, kw_only=True):
    """A file. ``size`` is in bytes, ``width`` and ``height`` in pixels.

    ``url`` is where it is served from: here, or ``source_url`` where it was never fetched.
    """

    id: UUID
    filename: str
    title: str
    alt: str
    caption: str
    media_type: str | None
    size: int | None
    width: int | None
    height: int | None
    url: str
    source_url: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class MediaChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    title: str | UnsetType = UNSET
    alt: str | UnsetType = UNSET
    caption: str | UnsetType = UNSET


MEDIA = Listing(
    sorts=("created_at", "filename"),
    filters={
        "id": "uuid",
        "filename": "text",
        "title": "text",
        "media_type": "text",
        "created_at": "timestamptz",
    },
    shown=MediaView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)


class MediaService(ABC):
    """Files. Reading needs ``documents:read``."""

    @abstractmethod
    async def upload(
        self,
        uow: UnitOfWork,
        actor: Actor,
        *,
        filename: str,
        chunks: AsyncIterator[bytes],
        changes: MediaChanges,
    ) -> MediaView:
        """Store a file; its type is found by looking into it. Needs ``media:upload``.

        Raises `TooLarge`, and `UnsupportedMedia` for a type that is not taken.
        """

    @abstractmethod
    async def register(
        self, uow: UnitOfWork, actor: Actor, *, filename: str, source_url: str, changes: MediaChanges
    ) -> MediaView:
        """Know a file by its address elsewhere. Needs ``media:upload``."""

    @abstractmethod
    async def get(self, actor: Actor, media_id: UUID) -> MediaView:
        """One file's record. Raises `ResourceNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[MediaView]:
        """Files, as `MEDIA` allows."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, media_id: UUID, changes: MediaChanges, *, expected: int | None
    ) -> MediaView:
        """Change a file's texts. Needs ``media:edit``, or to have uploaded it.

        Raises `ResourceNotFound`, `Stale`.
        """

    @abstractmethod
    async def attach(
        self, uow: UnitOfWork, actor: Actor, media_id: UUID, chunks: AsyncIterator[bytes]
    ) -> MediaView:
        """Store the file of a record that had only its address. Raises as `upload` does."""

    @abstractmethod
    async def delete(self, uow: UnitOfWork, actor: Actor, media_id: UUID, *, expected: int | None) -> None:
        """Delete record and file. Needs as `update`. Raises `ResourceNotFound`, `Stale`, `InUse`."""

"""What the service of media needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from uuid import UUID

import msgspec

from cms_api.domains.cms.media.interface import MediaView
from cms_api.domains.cms.media.model import Asset
from cms_api.querying import Page, PageRequest


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A file that storage has taken in. ``size`` in bytes, dimensions in pixels, for images."""

    key: str
    media_type: str
    size: int
    sha256: bytes
    width: int | None
    height: int | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is in storage: where on this machine, what, and what it is called where that is known."""

    path: str
    media_type: str
    filename: str | None


class Storage(ABC):
    """Where files are kept."""

    @abstractmethod
    async def put(self, asset_id: UUID, filename: str, chunks: AsyncIterator[bytes], *, limit: int) -> Stored:
        """Take a file in, whole or not at all; what it is, is found by looking into it.

        Raises `TooLarge` behind ``limit`` bytes, `UnsupportedMedia` for a type that is not taken.
        """

    @abstractmethod
    async def remove(self, key: str) -> None:
        """Forget a file; nothing happens where there is none."""

    @abstractmethod
    def find(self, key: PurePosixPath) -> Found | None:
        """The file with that key; None where there is none. What a key stands for never changes."""


class MediaRepository(ABC):
    """Files' records, for changing them."""

    @abstractmethod
    async def get(self, media_id: UUID) -> Asset | None:
        """The record, locked until the unit of work ends."""

    @abstractmethod
    async def add(self, asset: Asset) -> None:
        """Store a new record."""

    @abstractmethod
    async def save(self, asset: Asset) -> None:
        """Store the changed record."""

    @abstractmethod
    async def delete(self, asset: Asset) -> None:
        """Remove the record; documents no longer count on it. Raises `InUse` for the picture of an author."""


class MediaQueries(ABC):
    """Files' records, for looking at them."""

    @abstractmethod
    async def get(self, media_id: UUID) -> MediaView | None:
        """One record."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[MediaView]:
        """A page of records."""

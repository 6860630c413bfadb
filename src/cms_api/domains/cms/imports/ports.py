"""What imports need from outside."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import msgspec


class Imported(msgspec.Struct, frozen=True):
    """What an item became, from which state of it, and the target's version right then."""

    target_id: UUID
    hash: bytes
    version: int


class ImportSources(ABC):
    """What has been imported before, by source, kind and key."""

    @abstractmethod
    async def find(self, source: str, kind: str, keys: Collection[str]) -> dict[str, Imported]:
        """Those of ``keys`` that have been imported."""

    @abstractmethod
    async def put(self, source: str, kind: str, key: str, imported: Imported) -> None:
        """Remember what an item became."""


class FetchError(Exception):
    """The file could not be fetched; the sentence says why. ``offline``: nothing can be reached."""

    def __init__(self, reason: str, *, offline: bool = False) -> None:
        super().__init__(reason)
        self.offline = offline


class Fetcher(ABC):
    """Fetches files from other sites."""

    @abstractmethod
    def fetch(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The file's bytes. Raises `FetchError`, also for addresses inside of private networks."""

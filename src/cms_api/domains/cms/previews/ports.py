"""What previews need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.cms.previews.interface import PreviewView
from cms_api.domains.cms.previews.model import Preview
from cms_api.querying import Page, PageRequest


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A document that has a draft to be shown."""

    id: UUID
    type: str


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview shows: drafts, in the order of their ids, and when it was made."""

    at: datetime
    drafts: tuple[Draft, ...]


class PreviewRepository(ABC):
    """Previews, for making and removing them."""

    @abstractmethod
    async def add(self, preview: Preview) -> None:
        """Store a new preview."""

    @abstractmethod
    async def get(self, preview_id: UUID) -> Preview | None:
        """The preview, an expired one too, locked until the unit of work ends."""

    @abstractmethod
    async def delete(self, preview_id: UUID) -> None:
        """Remove the preview."""

    @abstractmethod
    async def purge(self, *, at: datetime, limit: int) -> int:
        """Remove up to ``limit`` previews that have expired; those that others work on are left alone."""


class PreviewQueries(ABC):
    """Previews and documents that can be previewed, for looking at them: one statement each."""

    @abstractmethod
    async def get(self, preview_id: UUID) -> PreviewView | None:
        """One preview, an expired one too."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[PreviewView]:
        """A page of previews, expired ones too, as `PREVIEWS` allows."""

    @abstractmethod
    async def drafts(self, ids: Collection[UUID]) -> Sequence[Draft]:
        """Those of them that are there, in the order of their ids: neither in the archive nor in the trash."""

    @abstractmethod
    async def staged(self, preview_id: UUID) -> Staged | None:
        """The drafts of a preview's documents, as far as they are there; None where there is no such preview."""


class PreviewStage(ABC):
    """A transaction that comes to nothing, and in which reads may take place."""

    @abstractmethod
    def reading(self) -> AbstractAsyncContextManager[None]:
        """Have all reads of this task see what the unit of work has written.

        From here on the unit of work waits for others and works for a short time only: it gives
        up before anybody who waits for it.
        """

    @abstractmethod
    async def hold(self, ids: Collection[UUID]) -> None:
        """Keep editors from changing these documents until the unit of work ends, in the order that all lock in."""

"""What previews need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import msgspec


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A document that has a draft to be shown."""

    id: UUID
    type: str


class PreviewQueries(ABC):
    """Documents that can be previewed, for looking at them."""

    @abstractmethod
    async def drafts(self, ids: Collection[UUID]) -> list[Draft]:
        """Those of them that are there, in the order of their ids: neither in the archive nor in the trash."""


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

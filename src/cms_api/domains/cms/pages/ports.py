"""What the tree of pages needs from outside."""

from abc import ABC, abstractmethod
from uuid import UUID

import msgspec

from cms_api.domains.cms.pages.interface import Tree


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page is in drafts."""

    parent: UUID | None
    locale: str


class Sibling(msgspec.Struct, frozen=True, kw_only=True):
    """A page among those below the same one, with its order."""

    id: UUID
    order: int


class TreeRepository(ABC):
    """The tree of drafts, for moving pages in it."""

    @abstractmethod
    async def spot(self, page_id: UUID) -> Spot | None:
        """Where a page is."""

    @abstractmethod
    async def siblings(self, spot: Spot) -> list[Sibling]:
        """The pages right below a parent, or at the top, in their order.

        Left out are those in the trash or the archive, which can't be changed.
        """


class LiveTree(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the live tree: each page as JSON text, and its id."""

    items: list[tuple[str, UUID]]
    is_cut: bool


class TreeQueries(ABC):
    """The tree, for looking at it: one statement each. None where there is no such root."""

    @abstractmethod
    async def drafts(self, root: UUID | None, depth: int, locale: str) -> Tree | None:
        """The drafts below ``root``, or at the top. ``locale`` counts where there is no root."""

    @abstractmethod
    async def live(self, root: UUID | None, depth: int, locale: str) -> LiveTree | None:
        """The live pages below ``root``, or at the top."""

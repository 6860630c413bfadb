"""The service of pages, and that of their tree."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.documents.content import Format, Seo
from cms_api.domains.cms.documents.interface import (
    DOCUMENTS,
    ArticleView,
    DocumentService,
    Status,
    document_kind,
)
from cms_api.domains.cms.media.interface import MEDIA
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Relation

# How deep a tree is shown, where nothing is said and at most, and how much of it.
DEFAULT_DEPTH, MAX_DEPTH, MAX_PAGES = 3, 10, 1_000


class PageView(ArticleView, frozen=True, kw_only=True):
    """A page with its draft. Its place is below ``parent``, or at the root."""

    parent: UUID | None
    menu_order: int


class PageChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values of a page's draft; what is unset stays."""

    title: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    excerpt: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    authors: tuple[UUID, ...] | UnsetType = UNSET
    cover: UUID | UnsetType | None = UNSET
    seo: Seo | UnsetType = UNSET
    parent: UUID | UnsetType | None = UNSET
    menu_order: int | UnsetType = UNSET


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page is to be: below ``parent``, its own one where unset; right before or after a sibling.

    Without a sibling it comes last.
    """

    parent: UUID | UnsetType | None = UNSET
    before: UUID | None = None
    after: UUID | None = None


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """A page in the tree of drafts. ``depth`` is 1 on the first level that is shown.

    ``children`` is how many hang right below it, shown or not.
    """

    id: UUID
    parent: UUID | None
    depth: int
    slug: str
    path: str
    title: str
    menu_order: int
    status: Status
    version: int
    updated_at: datetime
    children: int


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the tree, each page before those below it; ``is_cut`` where there is more on these levels."""

    items: list[Leaf]
    is_cut: bool


PAGES: Listing = Listing(
    sorts=DOCUMENTS.sorts,
    filters={**DOCUMENTS.filters, "parent": "uuid", "path": "text", "cover": "uuid"},
    relations={
        **DOCUMENTS.relations,
        "parent": Relation(fields=lambda: PAGES, kinds=(document_kind("page"),)),
        "cover": Relation(fields=lambda: MEDIA, kinds=("media",)),
    },
    shown=PageView.__struct_fields__,
    expands=True,
    is_searchable=True,
    sort=DOCUMENTS.sort,
)


class PageService(DocumentService[PageChanges, PageView]):
    """Pages: timeless, in a tree that their addresses follow."""

    key: ClassVar[str] = "page"

    @abstractmethod
    async def place(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, place: Place, *, expected: int | None
    ) -> PageView:
        """Put the draft of a page somewhere in the tree, with all that hangs below it.

        Its order is chosen between its neighbours'. Where there is no room between them the nearest
        siblings get new orders, as if each were edited. Raises as `update` does, `NoRoom`, and
        `Invalid` for a sibling that is none, or a page that would hang below itself.
        """


class PageTreeService(ABC):
    """Looking at the tree of pages: siblings by their order, then by title."""

    @abstractmethod
    async def drafts(self, actor: Actor, *, root: UUID | None, depth: int, locale: str | None) -> Tree:
        """What hangs below ``root``, or at the top, in drafts; needs ``documents:read``.

        Up to `MAX_PAGES` pages of ``depth`` levels. The language is that of the root, where there is
        one. Raises `DocumentNotFound`.
        """

    @abstractmethod
    async def live(self, *, root: UUID | None, depth: int, locale: str | None) -> Delivered:
        """The same of live pages, for everybody. A page below one that is not live is not in it.

        Raises `NothingPublished` where the root is not live.
        """

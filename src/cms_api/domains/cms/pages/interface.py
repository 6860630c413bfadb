"""The service of pages."""

from typing import ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.documents.content import Format, Seo
from cms_api.domains.cms.documents.interface import DOCUMENTS, ArticleView, DocumentService
from cms_api.kernel.paging import Listing


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


PAGES = Listing(
    sorts=DOCUMENTS.sorts,
    filters={**DOCUMENTS.filters, "parent": "uuid", "path": "text"},
    sort=DOCUMENTS.sort,
)


class PageService(DocumentService[PageChanges, PageView]):
    """Pages: timeless, in a tree that their addresses follow."""

    key: ClassVar[str] = "page"

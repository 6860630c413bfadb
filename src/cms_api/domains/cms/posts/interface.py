"""The service of posts."""

from typing import ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.documents.content import Format, Seo
from cms_api.domains.cms.documents.interface import DOCUMENTS, ArticleView, DocumentService
from cms_api.domains.cms.media.interface import MEDIA
from cms_api.domains.cms.taxonomies.interface import CATEGORIES, TAGS
from cms_api.querying import Listing, Relation


class PostView(ArticleView, frozen=True, kw_only=True):
    """A post with its draft."""

    categories: tuple[UUID, ...]
    tags: tuple[UUID, ...]
    is_sticky: bool


class PostChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values of a post's draft; what is unset stays."""

    title: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    excerpt: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    authors: tuple[UUID, ...] | UnsetType = UNSET
    categories: tuple[UUID, ...] | UnsetType = UNSET
    tags: tuple[UUID, ...] | UnsetType = UNSET
    cover: UUID | UnsetType | None = UNSET
    seo: Seo | UnsetType = UNSET
    is_sticky: bool | UnsetType = UNSET


POSTS = Listing(
    sorts=DOCUMENTS.sorts,
    filters={**DOCUMENTS.filters, "tags": "uuid", "categories": "uuid", "cover": "uuid"},
    relations={
        **DOCUMENTS.relations,
        "tags": Relation(fields=lambda: TAGS, is_many=True, kinds=("tag",)),
        "categories": Relation(fields=lambda: CATEGORIES, is_many=True, kinds=("category",)),
        "cover": Relation(fields=lambda: MEDIA, kinds=("media",)),
    },
    shown=PostView.__struct_fields__,
    expands=True,
    is_searchable=True,
    sort=DOCUMENTS.sort,
)


class PostService(DocumentService[PostChanges, PostView]):
    """Posts: dated, filed under categories and tags."""

    key: ClassVar[str] = "post"

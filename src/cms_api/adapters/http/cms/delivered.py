"""The shape of what delivery answers. PostgreSQL writes it; these structs describe it, and hold it to account in tests.

No field is required, as a client may ask for some only. A relation is an id, or with `include` an object.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cms_api.domains.cms.api import BodyFormat, DeliveredSeo, Heading, Highlights, Kind

Moment = Annotated[datetime, Meta(tz=True)]


class DeliveredItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every item has."""

    id: UUID | UnsetType = UNSET
    updated_at: Moment | UnsetType = UNSET


class DeliveredFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file. `size` is in bytes, `width` and `height` in pixels."""

    id: UUID | UnsetType = UNSET
    url: str | UnsetType = UNSET
    filename: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    alt: str | UnsetType = UNSET
    caption: str | UnsetType = UNSET
    media_type: str | UnsetType | None = UNSET
    size: int | UnsetType | None = UNSET
    width: int | UnsetType | None = UNSET
    height: int | UnsetType | None = UNSET


class DeliveredAuthor(DeliveredItem, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A byline."""

    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    bio: str | UnsetType = UNSET
    website: str | UnsetType | None = UNSET
    avatar: UUID | DeliveredFile | UnsetType | None = UNSET


class DeliveredTag(DeliveredItem, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tag."""

    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class DeliveredCategory(DeliveredTag, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A category, below another one or at the top."""

    parent: "UUID | DeliveredCategory | UnsetType | None" = UNSET


class DeliveredDocument(DeliveredItem, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published document: `body` is as `format` says, safe HTML or made of it; `reading_time` is in minutes."""

    type: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    excerpt: str | UnsetType = UNSET
    body: str | list[dict[str, Any]] | UnsetType = UNSET
    format: BodyFormat | UnsetType = UNSET
    status: Literal["published"] | UnsetType = UNSET
    author: UUID | DeliveredAuthor | UnsetType | None = UNSET
    authors: list[UUID | DeliveredAuthor] | UnsetType = UNSET
    cover: UUID | DeliveredFile | UnsetType | None = UNSET
    seo: DeliveredSeo | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    published_at: Moment | UnsetType = UNSET
    first_published_at: Moment | UnsetType = UNSET
    created_at: Moment | UnsetType = UNSET
    reading_time: int | UnsetType = UNSET
    toc: list[Heading] | UnsetType = UNSET
    highlights: Annotated[Highlights, Meta(description="Only where `q` is given.")] | UnsetType = UNSET


class DeliveredPost(DeliveredDocument, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published post."""

    categories: list[UUID | DeliveredCategory] | UnsetType = UNSET
    tags: list[UUID | DeliveredTag] | UnsetType = UNSET
    is_sticky: bool | UnsetType = UNSET


class DeliveredParent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The page that a page hangs below."""

    id: UUID | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    path: str | UnsetType = UNSET


class DeliveredPage(DeliveredDocument, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published page; `path` is its address, `parent` the page above it where that is published, else null."""

    path: str | UnsetType = UNSET
    parent: UUID | DeliveredParent | UnsetType | None = UNSET
    menu_order: int | UnsetType = UNSET


DELIVERED: dict[Kind, type[msgspec.Struct]] = {
    "posts": DeliveredPost,
    "pages": DeliveredPage,
    "categories": DeliveredCategory,
    "tags": DeliveredTag,
    "authors": DeliveredAuthor,
    "media": DeliveredFile,
}

"""Published content, for everybody: read only, and as fast as can be."""

from abc import ABC, abstractmethod
from typing import Literal

import msgspec

from cms_api.domains.cms.documents.rendering import BodyFormat
from cms_api.kernel.paging import FieldType, Listing, Page, PageRequest, SortKey

Kind = Literal["posts", "pages", "categories", "tags", "authors"]

_DATED: dict[str, FieldType] = {
    "id": "uuid",
    "slug": "text",
    "title": "text",
    "locale": "text",
    "published_at": "timestamptz",
    "first_published_at": "timestamptz",
    "updated_at": "timestamptz",
    "author": "uuid",
    "author.slug": "text",
}
_NAMED: dict[str, FieldType] = {"id": "uuid", "name": "text", "slug": "text"}

LISTINGS: dict[Kind, Listing] = {
    "posts": Listing(
        sorts=("published_at", "updated_at", "title"),
        filters={
            **_DATED,
            "is_sticky": "boolean",
            "tags": "uuid",
            "tags.slug": "text",
            "categories": "uuid",
            "categories.slug": "text",
        },
        sort=(SortKey("published_at", descending=True),),
    ),
    "pages": Listing(
        sorts=("menu_order", "title", "published_at", "updated_at"),
        filters={**_DATED, "path": "text", "parent": "uuid", "menu_order": "integer"},
        sort=(SortKey("menu_order"), SortKey("title")),
    ),
    "categories": Listing(
        sorts=("name", "slug"), filters={**_NAMED, "parent": "uuid"}, sort=(SortKey("name"),)
    ),
    "tags": Listing(sorts=("name", "slug"), filters=_NAMED, sort=(SortKey("name"),)),
    "authors": Listing(sorts=("name", "slug"), filters=_NAMED, sort=(SortKey("name"),)),
}

INCLUDES: dict[Kind, tuple[str, ...]] = {
    "posts": ("author", "authors", "categories", "tags", "cover"),
    "pages": ("author", "authors", "cover", "parent"),
    "categories": ("parent",),
    "tags": (),
    "authors": ("avatar",),
}

_DOCUMENT = (
    "id", "type", "slug", "title", "excerpt", "body", "format", "status", "author", "authors", "cover", "seo",
    "locale", "version", "published_at", "first_published_at", "created_at", "updated_at", "reading_time",
    "toc",
)  # fmt: skip
_TERM = ("id", "name", "slug", "description", "updated_at")
FIELDS: dict[Kind, tuple[str, ...]] = {
    "posts": (*_DOCUMENT, "categories", "tags", "is_sticky"),
    "pages": (*_DOCUMENT, "path", "parent", "menu_order"),
    "categories": (*_TERM, "parent"),
    "tags": _TERM,
    "authors": ("id", "name", "slug", "bio", "website", "avatar", "updated_at"),
}


class Selection(msgspec.Struct, frozen=True):
    """What of each item is wanted: relations to expand, fields to keep (None: all), the format of bodies."""

    include: frozenset[str] = frozenset()
    fields: tuple[str, ...] | None = None
    format: BodyFormat = "html"


class Delivered(msgspec.Struct, frozen=True):
    """An item as JSON text, and what a cache wants to know of it.

    ``changed_at`` is an HTTP date (RFC 9110, section 5.6.7), empty where none covers all of it;
    ``used`` the ids of all that the text was made of, joined by commas: ready to be sent, as nobody
    calculates with them.
    """

    json: str
    changed_at: str
    used: str


class DeliveryService(ABC):
    """What the public may read: published content only, never a private field."""

    @abstractmethod
    async def one(
        self,
        kind: Kind,
        by: Literal["id", "slug", "path"],
        value: object,
        selection: Selection,
        locale: str | None,
    ) -> Delivered:
        """One item. Raises `NothingPublished` where nothing published is at that place."""

    @abstractmethod
    async def list(self, kind: Kind, page: PageRequest, selection: Selection) -> Page[Delivered]:
        """A page of items, as `LISTINGS` allows."""

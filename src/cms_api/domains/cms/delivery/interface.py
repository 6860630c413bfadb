"""Published content, for everybody: read only, and as fast as can be."""

from abc import ABC, abstractmethod
from typing import Literal

import msgspec

from cms_api.querying import (
    Fields,
    FieldType,
    Listing,
    Page,
    PageRequest,
    Relation,
    Selection,
    SortKey,
)

Kind = Literal["posts", "pages", "categories", "tags", "authors", "media"]

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
    "media": ("id", "url", "filename", "title", "alt", "caption", "media_type", "size", "width", "height"),
}

_DATED: dict[str, FieldType] = {
    "id": "uuid",
    "slug": "text",
    "title": "text",
    "excerpt": "text",
    "locale": "text",
    "reading_time": "integer",
    "published_at": "timestamptz",
    "first_published_at": "timestamptz",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "author": "uuid",
    "authors": "uuid",
    "cover": "uuid",
}
_NAMED: dict[str, FieldType] = {
    "id": "uuid",
    "name": "text",
    "slug": "text",
    "description": "text",
    "updated_at": "timestamptz",
}

_PARENTS = Fields(
    filters={"id": "uuid", "slug": "text", "title": "text", "path": "text"},
    sorts=("title", "path"),
    shown=("id", "slug", "title", "path"),
)
# What any document has. “author” is the first of the authors, but a filter looks at all of them.
BYLINES = {
    "author": Relation(fields=lambda: LISTINGS["authors"]),
    "authors": Relation(fields=lambda: LISTINGS["authors"], is_many=True),
}
_ARTICLE = {**BYLINES, "cover": Relation(fields=lambda: LISTINGS["media"])}

LISTINGS: dict[Kind, Listing] = {
    "posts": Listing(
        sorts=("published_at", "updated_at", "title"),
        filters={**_DATED, "is_sticky": "boolean", "tags": "uuid", "categories": "uuid"},
        relations={
            **_ARTICLE,
            "categories": Relation(fields=lambda: LISTINGS["categories"], is_many=True),
            "tags": Relation(fields=lambda: LISTINGS["tags"], is_many=True),
        },
        shown=FIELDS["posts"],
        expands=True,
        has_texts=True,
        is_searchable=True,
        is_ranked=True,
        sort=(SortKey("published_at", descending=True),),
    ),
    "pages": Listing(
        sorts=("menu_order", "title", "published_at", "updated_at"),
        filters={**_DATED, "path": "text", "parent": "uuid", "menu_order": "integer"},
        relations={**_ARTICLE, "parent": Relation(fields=lambda: _PARENTS)},
        shown=FIELDS["pages"],
        expands=True,
        has_texts=True,
        is_searchable=True,
        is_ranked=True,
        sort=(SortKey("menu_order"), SortKey("title")),
    ),
    "categories": Listing(
        sorts=("name", "slug"),
        filters={**_NAMED, "parent": "uuid"},
        relations={"parent": Relation(fields=lambda: LISTINGS["categories"])},
        shown=FIELDS["categories"],
        expands=True,
        sort=(SortKey("name"),),
    ),
    "tags": Listing(
        sorts=("name", "slug"),
        filters=_NAMED,
        shown=FIELDS["tags"],
        expands=True,
        sort=(SortKey("name"),),
    ),
    "authors": Listing(
        sorts=("name", "slug"),
        filters={
            "id": "uuid",
            "name": "text",
            "slug": "text",
            "bio": "text",
            "website": "text",
            "avatar": "uuid",
            "updated_at": "timestamptz",
        },
        relations={"avatar": Relation(fields=lambda: LISTINGS["media"])},
        shown=FIELDS["authors"],
        expands=True,
        sort=(SortKey("name"),),
    ),
    "media": Listing(
        sorts=("filename", "title"),
        filters={
            "id": "uuid",
            "filename": "text",
            "title": "text",
            "alt": "text",
            "caption": "text",
            "media_type": "text",
            "size": "integer",
            "width": "integer",
            "height": "integer",
        },
        shown=FIELDS["media"],
        expands=True,
        sort=(SortKey("filename"),),
    ),
}


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
        """A page of items, as `LISTINGS` allows.

        Those of a search are in one language, the one that the filter asks for or the default one.
        """

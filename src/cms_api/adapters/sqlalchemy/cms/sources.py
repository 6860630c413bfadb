"""What readers may see beside entries: tables, their fields, and how they point at one another.

One description serves what is shown, what is filtered on and what is sorted by. In its SQL `~` stands
for the alias of the row, so that a relation can be walked more than once.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cms_api.adapters.sqlalchemy.cms.seo import SEO
from cms_api.adapters.sqlalchemy.cms.urls import file_url
from cms_api.adapters.sqlalchemy.keyset import Column, Node, Related, Several
from cms_api.domains.cms.delivery.interface import Kind

SourceName = Kind | str


def moment(column: str) -> str:
    """A time as RFC 3339 in UTC with ``Z``, as the encoder on the management side writes it."""
    written = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({written}, '.000000Z', 'Z')"


class Link(NamedTuple):
    """How rows point at others.

    ``ids`` is the array of ids in their order, or the one id. ``field`` is what `cms.links` calls
    it, where all that a filter looks at is there, under an index. ``only_live`` says that there may be
    no row for an id: it is one of a document, which counts as long as that is live.
    """

    source: str
    ids: str
    is_many: bool = False
    field: str | None = None
    only_live: bool = False


class Source(NamedTuple):
    """A table: its name, its key, what changes it, its JSON, its columns, and what it points at."""

    table: str
    key: str
    shown: Mapping[str, str]
    columns: Mapping[str, Column]
    links: Mapping[str, Link]


_TERM = {
    "id": "~.id",
    "name": "~.name",
    "slug": "~.slug",
    "description": "~.description",
    "updated_at": moment("~.updated_at"),
}
_TERM_COLUMNS = {
    "id": Column("~.id", "uuid"),
    "name": Column("~.name", "text"),
    "slug": Column("~.slug", "text"),
    "description": Column("~.description", "text"),
    "updated_at": Column("~.updated_at", "timestamptz"),
}
DOCUMENT_SHOWN = {
    "id": "~.document_id",
    "type": "~.type",
    "slug": "~.slug",
    "title": "~.title",
    "excerpt": "~.fields->'excerpt'",
    "body": "~.fields->'body'",
    "format": "'html'",
    "status": "'published'",
    "author": "~.author_ids[1]",
    "authors": "~.author_ids",
    "cover": "~.cover_id",
    "seo": re.sub(r"\bp\.", "~.", SEO),
    "locale": "~.locale",
    "version": "~.version",
    "published_at": moment("~.published_at"),
    "first_published_at": moment("~.first_published_at"),
    "created_at": moment("~.created_at"),
    "updated_at": moment("~.updated_at"),
    "reading_time": "~.fields->'reading_time'",
    "toc": "~.toc",
}
# What publications of every type have.
DOCUMENT_COLUMNS = {
    "id": Column("~.document_id", "uuid"),
    "slug": Column("~.slug", "text"),
    "locale": Column("~.locale", "text"),
    "published_at": Column("~.published_at", "timestamptz"),
    "first_published_at": Column("~.first_published_at", "timestamptz"),
    "created_at": Column("~.created_at", "timestamptz"),
    "updated_at": Column("~.updated_at", "timestamptz"),
}
_ARTICLE_COLUMNS = {
    **DOCUMENT_COLUMNS,
    "title": Column("~.title", "text"),
    "excerpt": Column("(~.fields->>'excerpt')", "text"),
    "reading_time": Column("(~.fields->>'reading_time')::integer", "integer"),
}
BYLINES = {
    "author": Link("authors", "~.author_ids[1]", field="authors"),
    "authors": Link("authors", "~.author_ids", is_many=True, field="authors"),
}
_ARTICLE_LINKS = {**BYLINES, "cover": Link("media", "~.cover_id")}
# Nobody but editors knows of a page that is not live.
_LIVE_PARENT = "(SELECT u.document_id FROM cms.publications u WHERE u.document_id = ~.parent_id)"

SOURCES: dict[str, Source] = {
    "posts": Source(
        "cms.publications",
        "document_id",
        {
            **DOCUMENT_SHOWN,
            "categories": "~.category_ids",
            "tags": "~.tag_ids",
            "is_sticky": "~.is_sticky",
        },
        {**_ARTICLE_COLUMNS, "is_sticky": Column("~.is_sticky", "boolean")},
        {
            **_ARTICLE_LINKS,
            "categories": Link("categories", "~.category_ids", is_many=True, field="categories"),
            "tags": Link("tags", "~.tag_ids", is_many=True, field="tags"),
        },
    ),
    "pages": Source(
        "cms.publications",
        "document_id",
        {**DOCUMENT_SHOWN, "path": "~.path", "parent": _LIVE_PARENT, "menu_order": "~.menu_order"},
        {
            **_ARTICLE_COLUMNS,
            "path": Column("~.path", "text"),
            "menu_order": Column("~.menu_order", "integer"),
        },
        {**_ARTICLE_LINKS, "parent": Link("parents", "~.parent_id", only_live=True)},
    ),
    # The page that a page hangs below.
    "parents": Source(
        "cms.publications",
        "document_id",
        {"id": "~.document_id", "slug": "~.slug", "title": "~.title", "path": "~.path"},
        {
            "id": Column("~.document_id", "uuid"),
            "slug": Column("~.slug", "text"),
            "title": Column("~.title", "text"),
            "path": Column("~.path", "text"),
        },
        {},
    ),
    "categories": Source(
        "cms.terms",
        "id",
        {**_TERM, "parent": "~.parent_id"},
        _TERM_COLUMNS,
        {"parent": Link("categories", "~.parent_id")},
    ),
    "tags": Source("cms.terms", "id", _TERM, _TERM_COLUMNS, {}),
    "authors": Source(
        "cms.authors",
        "id",
        {
            "id": "~.id",
            "name": "~.name",
            "slug": "~.slug",
            "bio": "~.bio",
            "website": "~.website",
            "avatar": "~.avatar_id",
            "updated_at": moment("~.updated_at"),
        },
        {
            "id": Column("~.id", "uuid"),
            "name": Column("~.name", "text"),
            "slug": Column("~.slug", "text"),
            "bio": Column("~.bio", "text"),
            "website": Column("~.website", "text"),
            "updated_at": Column("~.updated_at", "timestamptz"),
        },
        {"avatar": Link("media", "~.avatar_id")},
    ),
    "media": Source(
        "cms.media",
        "id",
        {
            "id": "~.id",
            "url": file_url("~"),
            "filename": "~.filename",
            "title": "~.title",
            "alt": "~.alt",
            "caption": "~.caption",
            "media_type": "~.media_type",
            "size": "~.size",
            "width": "~.width",
            "height": "~.height",
        },
        {
            "id": Column("~.id", "uuid"),
            "filename": Column("~.filename", "text"),
            "title": Column("~.title", "text"),
            "alt": Column("~.alt", "text"),
            "caption": Column("~.caption", "text"),
            "media_type": Column("~.media_type", "text"),
            "size": Column("~.size", "integer"),
            "width": Column("~.width", "integer"),
            "height": Column("~.height", "integer"),
        },
        {},
    ),
}
NODES_KEPT = 1_024


def at(sql: str, alias: str) -> str:
    """SQL of the row that goes by ``alias``."""
    return sql.replace("~", alias)


def below(alias: str) -> str:
    """The alias of a row that the one with ``alias`` leads to: another one at each level."""
    return f"{alias}t"


def placed(columns: Mapping[str, Column], alias: str) -> dict[str, Node]:
    """Columns of the row that goes by ``alias``."""
    return {
        name: one._replace(sql=at(one.sql, alias), implied=one.implied and at(one.implied, alias))
        for name, one in columns.items()
    }


def linked(alias: str, field: str, *, document: str, live: bool) -> str:
    """The condition that a document points at something through a field, with ``{}`` for that."""
    links = f"{alias}l"
    return (
        f"EXISTS (SELECT FROM cms.links {links}{{}} WHERE {links}.document_id = {document}"
        f" AND {links}.is_live = {str(live).lower()} AND {links}.field = '{field}' AND {{{{}}}})"
    )


@lru_cache(maxsize=NODES_KEPT)
def nodes(source: str, alias: str) -> Mapping[str, Node]:
    """What the rows of a source are filtered on, where they go by ``alias``."""
    found = placed(SOURCES[source].columns, alias)
    for name, link in SOURCES[source].links.items():
        found[name] = related(link, alias)
    return found


def related(link: Link, alias: str, *, has_ids: bool = True) -> Related:
    """What rows are filtered on through a link of the row that goes by ``alias``, and has the ids, or does not."""
    target, there = SOURCES[link.source], below(alias)
    ids = at(link.ids, alias)
    row = f"{target.table} {there} WHERE {there}.{target.key} = {ids}"
    one = None if link.is_many else f"(SELECT {{}} FROM {row})"

    def fields() -> Mapping[str, Node]:
        return nodes(link.source, there)

    if link.field is None:
        exists = f"EXISTS (SELECT FROM {row} AND {{}})"
        found = (
            Several(exists, Column(f"{there}.{target.key}", "uuid"))
            if link.only_live
            else Column(ids, "uuid")
        )
        return Related(exists, fields, found, one)
    exists = linked(alias, link.field, document=f"{alias}.document_id", live=True)
    join = f" JOIN {target.table} {there} ON {there}.{target.key} = {alias}l.target_id"
    present = f"({ids} <> '{{}}')" if link.is_many else f"({ids} IS NOT NULL)"
    column = Column(f"{alias}l.target_id", "uuid")
    targets = Several(exists.format(""), column, present if has_ids else None)
    return Related(exists.format(join), fields, targets, one)

"""Published content as JSON text that PostgreSQL has encoded: one statement a read, nothing decoded here."""

from functools import lru_cache
from typing import Any, Literal, NamedTuple

from cms_api.adapters.sqlalchemy.cms.queries import SLUG, TARGET, linked
from cms_api.adapters.sqlalchemy.cms.seo import SEO, SEO_USED
from cms_api.adapters.sqlalchemy.cms.urls import (
    IS_PUBLIC_AUTHOR,
    file_url,
    mentioned_addresses,
    mentioned_ids,
)
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, cut
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.delivery.interface import Delivered, Kind, Selection
from cms_api.domains.cms.delivery.ports import DeliveryQueries
from cms_api.domains.cms.documents.addresses import addressed
from cms_api.domains.cms.documents.rendering import BodyFormat
from cms_api.kernel.paging import Page, PageRequest

STATEMENTS_KEPT = 512


def moment(column: str) -> str:
    """A time as RFC 3339 in UTC with ``Z``, as the encoder on the management side writes it."""
    written = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({written}, '.000000Z', 'Z')"


class Related(NamedTuple):
    """What a relation can be expanded to: where from, joined how, which fields."""

    table: str
    alias: str
    ids: str
    is_many: bool
    fields: dict[str, str]


AUTHOR_FIELDS = {
    "id": "a.id",
    "name": "a.name",
    "slug": "a.slug",
    "bio": "a.bio",
    "website": "a.website",
    "avatar": "a.avatar_id",
    "updated_at": moment("a.updated_at"),
}
TERM_FIELDS = {
    "id": "t.id",
    "name": "t.name",
    "slug": "t.slug",
    "description": "t.description",
    "updated_at": moment("t.updated_at"),
}
CATEGORY_FIELDS = {**TERM_FIELDS, "parent": "t.parent_id"}
MEDIA_FIELDS = {
    "id": "m.id",
    "url": file_url("m"),
    "filename": "m.filename",
    "title": "m.title",
    "alt": "m.alt",
    "caption": "m.caption",
    "media_type": "m.media_type",
    "size": "m.size",
    "width": "m.width",
    "height": "m.height",
}
PARENT_FIELDS = {"id": "u.document_id", "slug": "u.slug", "title": "u.title", "path": "u.path"}

DOCUMENT_FIELDS = {
    "id": "p.document_id",
    "type": "p.type",
    "slug": "p.slug",
    "title": "p.title",
    "excerpt": "p.fields->'excerpt'",
    "body": "p.fields->'body'",
    "format": "'html'",
    "status": "'published'",
    "author": "p.author_ids[1]",
    "authors": "p.author_ids",
    "cover": "p.cover_id",
    "seo": SEO,
    "locale": "p.locale",
    "version": "p.version",
    "published_at": moment("p.published_at"),
    "first_published_at": moment("p.first_published_at"),
    "created_at": moment("p.created_at"),
    "updated_at": moment("p.updated_at"),
    "reading_time": "p.fields->'reading_time'",
    "toc": "p.toc",
}

FIELDS: dict[Kind, dict[str, str]] = {
    "posts": {
        **DOCUMENT_FIELDS,
        "categories": "p.category_ids",
        "tags": "p.tag_ids",
        "is_sticky": "p.is_sticky",
    },
    "pages": {**DOCUMENT_FIELDS, "path": "p.path", "parent": "p.parent_id", "menu_order": "p.menu_order"},
    "categories": CATEGORY_FIELDS,
    "tags": TERM_FIELDS,
    "authors": AUTHOR_FIELDS,
}

_AUTHOR = Related("cms.authors", "a", "p.author_ids[1]", is_many=False, fields=AUTHOR_FIELDS)
_AUTHORS = Related("cms.authors", "a", "p.author_ids", is_many=True, fields=AUTHOR_FIELDS)
_COVER = Related("cms.media", "m", "p.cover_id", is_many=False, fields=MEDIA_FIELDS)
RELATED: dict[Kind, dict[str, Related]] = {
    "posts": {
        "author": _AUTHOR,
        "authors": _AUTHORS,
        "categories": Related("cms.terms", "t", "p.category_ids", is_many=True, fields=CATEGORY_FIELDS),
        "tags": Related("cms.terms", "t", "p.tag_ids", is_many=True, fields=TERM_FIELDS),
        "cover": _COVER,
    },
    "pages": {
        "author": _AUTHOR,
        "authors": _AUTHORS,
        "cover": _COVER,
        "parent": Related("cms.publications", "u", "p.parent_id", is_many=False, fields=PARENT_FIELDS),
    },
    "categories": {
        "parent": Related(
            "cms.terms",
            "v",
            "t.parent_id",
            is_many=False,
            fields={name: sql.replace("t.", "v.") for name, sql in TERM_FIELDS.items()},
        ),
    },
    "tags": {},
    "authors": {"avatar": Related("cms.media", "m", "a.avatar_id", is_many=False, fields=MEDIA_FIELDS)},
}

SOURCES: dict[Kind, tuple[str, str, str, str]] = {
    # the table; its id; what it was changed at; what keeps its rows to the kind
    "posts": ("cms.publications p", "p.document_id", "p.updated_at", "p.type = 'post'"),
    "pages": ("cms.publications p", "p.document_id", "p.updated_at", "p.type = 'page'"),
    "categories": ("cms.terms t", "t.id", "t.updated_at", "t.taxonomy = 'category'"),
    "tags": ("cms.terms t", "t.id", "t.updated_at", "t.taxonomy = 'tag'"),
    # A byline is public once something is published under it.
    "authors": ("cms.authors a", "a.id", "a.updated_at", IS_PUBLIC_AUTHOR),
}  # fmt: skip

_DATES = {
    "published_at": Column("p.published_at", "timestamptz"),
    "updated_at": Column("p.updated_at", "timestamptz"),
    "title": Column("p.title", "text"),
}


def _live(field: str, column: Column, table: str | None = None) -> Any:
    return linked(field, column, table=table, live=True, document="p.document_id")


_DOCUMENT_FILTERS = {
    "slug": Column("p.slug", "text"),
    "locale": Column("p.locale", "text"),
    "first_published_at": Column("p.first_published_at", "timestamptz"),
    "author": _live("authors", TARGET),
    "author.slug": _live("authors", SLUG, "cms.authors"),
}
_NAMED = {"name": "text", "slug": "text"}
KEYSETS: dict[Kind, Keyset] = {
    "posts": Keyset(
        _DATES,
        key=Column("p.document_id", "uuid"),
        filters={
            **_DOCUMENT_FILTERS,
            "is_sticky": Column("p.is_sticky", "boolean"),
            "tags": _live("tags", TARGET),
            "tags.slug": _live("tags", SLUG, "cms.terms"),
            "categories": _live("categories", TARGET),
            "categories.slug": _live("categories", SLUG, "cms.terms"),
        },
    ),
    "pages": Keyset(
        {**_DATES, "menu_order": Column("p.menu_order", "integer")},
        key=Column("p.document_id", "uuid"),
        filters={
            **_DOCUMENT_FILTERS,
            "path": Column("p.path", "text"),
            "parent": Column("p.parent_id", "uuid"),
        },
    ),
    "categories": Keyset(
        {name: Column(f"t.{name}", kind) for name, kind in _NAMED.items()},
        key=Column("t.id", "uuid"),
        filters={"parent": Column("t.parent_id", "uuid")},
    ),
    "tags": Keyset(
        {name: Column(f"t.{name}", kind) for name, kind in _NAMED.items()}, key=Column("t.id", "uuid")
    ),
    "authors": Keyset(
        {name: Column(f"a.{name}", kind) for name, kind in _NAMED.items()}, key=Column("a.id", "uuid")
    ),
}


def rendered(field: str, format: BodyFormat, alias: str = "p") -> str:
    """What a live copy has in a format; in HTML where it is from before there were others."""
    held = f"{alias}.fields->'{field}'"
    if format == "html":
        return held
    return (
        f"coalesce((SELECT r.{format}->'{field}' FROM cms.renderings r"
        f" WHERE r.document_id = {alias}.document_id), {held})"
    )


def _format_of(format: BodyFormat) -> str:
    if format == "html":
        return "'html'"
    there = "SELECT FROM cms.renderings r WHERE r.document_id = p.document_id"
    return f"CASE WHEN EXISTS ({there}) THEN '{format}' ELSE 'html' END"


def object_of(fields: dict[str, str]) -> str:
    """The expression of a JSON object."""
    # A row rather than json_build_object(): as fast, and without a space in the JSON.
    columns = ", ".join(f'{sql} AS "{name}"' for name, sql in fields.items())
    return f"(SELECT row_to_json(_) FROM (SELECT {columns}) _)"


def expanded(related: Related, only: list[str]) -> str:
    """The expression of what a relation leads to: all of its fields, or ``only`` some."""
    fields = {name: related.fields[name] for name in only} if only else related.fields
    key = f"{related.alias}.{'document_id' if related.table == 'cms.publications' else 'id'}"
    if not related.is_many:
        return (
            f"(SELECT {object_of(fields)} FROM {related.table} {related.alias} WHERE {key} = {related.ids})"
        )
    return (
        f"(SELECT coalesce(json_agg({object_of(fields)} ORDER BY x.n), '[]') "
        f"FROM unnest({related.ids}) WITH ORDINALITY x(id, n) JOIN {related.table} {related.alias} ON {key} = x.id)"
    )


@lru_cache(maxsize=STATEMENTS_KEPT)
def _select(kind: Kind, selection: Selection) -> str:
    """The statement up to its WHERE: the JSON, its date, the ids of what it is made of."""
    source, key, changed, _ = SOURCES[kind]
    fields, related = FIELDS[kind], RELATED[kind]
    wanted: dict[str, list[str]] = {}
    for name in selection.fields or fields:
        head, _, tail = name.partition(".")
        wanted.setdefault(head, [])
        if tail:
            wanted[head].append(tail)
    if "body" in fields:
        in_format = {"body": rendered("body", selection.format), "format": _format_of(selection.format)}
        fields = fields | in_format
    parts, used = {}, [f"ARRAY[{key}]"]
    for name, only in wanted.items():
        if name in selection.include:
            parts[name] = expanded(related[name], only)
            ids = related[name].ids
            used.append(ids if related[name].is_many else f"array_remove(ARRAY[{ids}], NULL)")
        else:
            parts[name] = fields[name]
    date, more = http_date(changed), ""
    if "body" in parts:
        used.append(mentioned_ids())
        date = f"CASE WHEN cardinality(p.mention_ids) = 0 THEN {date} ELSE '' END"
        more = f", {mentioned_addresses()}"
    if "seo" in parts:
        used.append(SEO_USED)
    columns = f"{object_of(parts)}::text, {date}, array_to_string({' || '.join(used)}, ',')"
    return f"SELECT {columns}{more}\nFROM {source}"


@lru_cache(maxsize=STATEMENTS_KEPT)
def _one(kind: Kind, by: str, selection: Selection) -> str:
    source, key, _, condition = SOURCES[kind]
    alias = source.rsplit(" ", 1)[1]
    column = key if by == "id" else f"{alias}.{by}"
    if kind == "posts" and by == "slug":
        column = "p.path"  # the same, and indexed
    where = f"{column} = %(value)s AND {condition}"
    if alias == "p" and by != "id":
        where += " AND p.locale = %(locale)s"
    return f"{_select(kind, selection)}\nWHERE {where}"


@lru_cache(maxsize=STATEMENTS_KEPT)
def _page(kind: Kind, page: PageRequest, selection: Selection) -> tuple[str, str, dict[str, object]]:
    """The statement of a page, that of its count, and the parameters of both."""
    source, _, _, condition = SOURCES[kind]
    params: dict[str, object] = {}
    where = [condition, *KEYSETS[kind].conditions(page.filters, params)]
    counting = f"SELECT count(*)\nFROM {source}\nWHERE {' AND '.join(where)}"
    columns, behind, order = KEYSETS[kind].clauses(page, params)
    head, tail = _select(kind, selection).split("\nFROM ", 1)
    sql = (
        f"{head}, {columns}\nFROM {tail}\nWHERE {' AND '.join([*where, behind])}"
        f"\nORDER BY {order}\nLIMIT {page.limit + 1}"
    )
    return sql, counting, params


def http_date(column: str) -> str:
    """A time as HTTP writes it (RFC 9110, section 5.6.7)."""
    return f"to_char({column} AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS \"GMT\"')"


def delivered(row: tuple[Any, ...], format: BodyFormat) -> Delivered:
    """What a row says, with the addresses of what it mentions in their places."""
    json, changed_at, used, *rest = row
    if rest and rest[0] is not None:
        json = addressed(json, rest[0], format)
    return Delivered(json, changed_at, used)


class SqlDelivery(DeliveryQueries):
    """Reads of the tables ``cms.publications``, ``terms`` and ``authors``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def one(
        self, kind: Kind, by: Literal["id", "slug", "path"], value: object, selection: Selection, locale: str
    ) -> Delivered | None:
        row = await self._reader.one(_one(kind, by, selection), {"value": value, "locale": locale})
        return None if row is None else delivered(row, selection.format)

    async def list(self, kind: Kind, page: PageRequest, selection: Selection) -> Page[Delivered]:
        sql, counting, params = _page(kind, page, selection)
        rows = await self._reader.rows(sql, params)
        count = None
        if page.count:
            counted = await self._reader.one(counting, params)
            count = counted[0] if counted else 0
        return cut(rows, page, len(page.sort) + 1, lambda row: delivered(row, selection.format), count)

"""Published content as JSON text that PostgreSQL has encoded: one statement a read, nothing decoded here."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Literal

from cms_api.adapters.sqlalchemy.cms.hits import (
    Copies,
    highlights,
    of_hits,
    of_type,
    page_of_hits,
)
from cms_api.adapters.sqlalchemy.cms.seo import DOCUMENT_CHANGED, SEO_CHANGED, SEO_USED
from cms_api.adapters.sqlalchemy.cms.sources import SOURCES, Link, at, below, nodes
from cms_api.adapters.sqlalchemy.cms.urls import (
    IS_PUBLIC_AUTHOR,
    IS_PUBLIC_FILE,
    mentioned_addresses,
    mentioned_ids,
)
from cms_api.adapters.sqlalchemy.keyset import (
    Column,
    Keyset,
    Node,
    Shortcut,
    Statement,
    counted,
    cut,
    single,
    values_of,
)
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.delivery.interface import LISTINGS, Delivered, Kind
from cms_api.domains.cms.delivery.ports import DeliveryQueries
from cms_api.domains.cms.documents.addresses import addressed
from cms_api.domains.cms.search.interface import Question
from cms_api.querying import HIGHLIGHTS, Page, PageRequest, Selection, TextFormat

STATEMENTS_KEPT = 512
# Of the values that a page is kept with, in characters.
MAX_VALUES_KEPT = 2_000
# Above this many characters, addresses are put into JSON on a thread, so that others need not wait.
LARGE = 100_000
# The column of a row that has them.
ADDRESSES = 3
# Lists tell none: of what was on a page and went, none of the others would know.
NO_DATE = "''"
# The alias of the rows that are asked for, and what keeps those of the table to the kind.
ALIASES: dict[Kind, str] = {
    "posts": "p",
    "pages": "p",
    "categories": "t",
    "tags": "t",
    "authors": "a",
    "media": "m",
}
TYPES: dict[Kind, str] = {"posts": "post", "pages": "page"}
CONDITIONS: dict[Kind, str] = {
    **{kind: f"p.type = '{key}'" for kind, key in TYPES.items()},
    "categories": "t.taxonomy = 'category'",
    "tags": "t.taxonomy = 'tag'",
    # A byline is public once something is published under it.
    "authors": IS_PUBLIC_AUTHOR,
    "media": IS_PUBLIC_FILE,
}

# Where a slug leads to one row.
SLUGS = {
    "categories": "cms.terms WHERE taxonomy = 'category'",
    "tags": "cms.terms WHERE taxonomy = 'tag'",
    "authors": "cms.authors WHERE true",
}


def _keyset(kind: Kind) -> Keyset:
    alias, source = ALIASES[kind], SOURCES[kind]
    sorts = {name: at(source.columns[name].sql, alias) for name in LISTINGS[kind].sorts}
    return Keyset(
        {name: Column(sql, source.columns[name].type) for name, sql in sorts.items()},
        key=Column(f"{alias}.{source.key}", "uuid"),
        filters=nodes(kind, alias),
        shortcuts=_shortcuts(kind) if kind in TYPES else None,
    )


def _shortcuts(kind: Kind) -> dict[str, Shortcut]:
    """By what a document points at: links are kept in the order of the newest documents."""
    found = {}
    for name, link in SOURCES[kind].links.items():
        if link.field is None:
            continue
        shortcut = Shortcut(
            join=f"JOIN cms.links k ON k.document_id = p.document_id AND k.is_live AND k.field = '{link.field}'"
            f" AND k.type = '{TYPES[kind]}' AND k.target_id = {{}}",
            target="{}::uuid",
            columns={"published_at": Column("k.published_at", "timestamptz")},
            key=Column("k.document_id", "uuid"),
        )
        by_slug = f"(SELECT id FROM {SLUGS[link.source]} AND slug = {{}}::text)"
        found[name] = found[f"{name}.id"] = shortcut
        found[f"{name}.slug"] = shortcut._replace(target=by_slug)
    return found


KEYSETS: dict[Kind, Keyset] = {kind: _keyset(kind) for kind in ALIASES}
SEARCHED: dict[Kind, Keyset] = {
    kind: of_hits(KEYSETS[kind]) for kind, listing in LISTINGS.items() if listing.is_searchable
}


def rendered(field: str, format: TextFormat, alias: str = "p") -> str:
    """What a live copy has in a format; in HTML where it is from before there were others."""
    held = f"{alias}.fields->'{field}'"
    if format == "html":
        return held
    return (
        f"coalesce((SELECT r.{format}->'{field}' FROM cms.renderings r"
        f" WHERE r.document_id = {alias}.document_id), {held})"
    )


def _format_of(format: TextFormat) -> str:
    if format == "html":
        return "'html'"
    there = "SELECT FROM cms.renderings r WHERE r.document_id = p.document_id"
    return f"CASE WHEN EXISTS ({there}) THEN '{format}' ELSE 'html' END"


def object_of(fields: Mapping[str, str]) -> str:
    """The expression of a JSON object."""
    # A row rather than json_build_object(): as fast, and without a space in the JSON.
    columns = ", ".join(f'{sql} AS "{name}"' for name, sql in fields.items())
    return f"(SELECT row_to_json(_) FROM (SELECT {columns}) _)"


def kept(fields: Mapping[str, str], selection: Selection) -> dict[str, str]:
    """Those of a row's fields that are wanted, in the order that they are asked for in."""
    wanted = fields if selection.fields is None else selection.fields
    return {name: fields[name] for name in wanted}


def shown(source: str, alias: str, selection: Selection, texts: Mapping[str, str] | None = None) -> str:
    """The JSON of a row: its fields, and what is included in the place of ids. ``texts`` are in another format."""
    known, links = {**SOURCES[source].shown, **(texts or {})}, SOURCES[source].links
    parts = {}
    for name, sql in kept(known, selection).items():
        inner = selection.of(name)
        parts[name] = at(sql, alias) if inner is None else expanded(links[name], alias, inner)
    return object_of(parts)


def expanded(link: Link, alias: str, selection: Selection) -> str:
    """The JSON of what a link of the row ``alias`` leads to."""
    target, there = SOURCES[link.source], below(alias)
    made, ids, key = shown(link.source, there, selection), at(link.ids, alias), f"{there}.{target.key}"
    if not link.is_many:
        return f"(SELECT {made} FROM {target.table} {there} WHERE {key} = {ids})"
    # Nothing stands in them twice. A join with what they are unnested to is guessed to find ten rows
    # each, and so reads whole tables of terms.
    rows, own = f"{target.table} {there} WHERE {key} = ANY({ids})", f"array_position({ids}, {key})"
    return gathered(made, rows, selection, nodes(link.source, there), there, own)


def gathered(
    made: str, rows: str, selection: Selection, fields: Mapping[str, Node], there: str, own: str
) -> str:
    """The JSON of several rows: of all in their ``own`` order, or of as many as wanted in that of ``fields``."""
    if selection.limit is None and not selection.sort:
        return f"(SELECT coalesce(json_agg({made} ORDER BY {own}), '[]') FROM {rows})"
    keys = [
        f"{single(fields, key.field).sql} {'DESC' if key.descending else 'ASC'} NULLS LAST"
        for key in selection.sort
    ]
    limit = "" if selection.limit is None else f" LIMIT {selection.limit}"
    numbered = f"SELECT {made} AS made, row_number() OVER (ORDER BY {', '.join([*keys, own])}) AS place"
    return (
        f"(SELECT coalesce(json_agg({there}y.made ORDER BY {there}y.place), '[]')"
        f" FROM ({numbered} FROM {rows} ORDER BY place{limit}) {there}y)"
    )


def used(source: str, alias: str, selection: Selection) -> list[str]:
    """The expressions of the arrays of ids that what is included is made of, and ids that only live ones show."""
    found = []
    for name, link in SOURCES[source].links.items():
        inner = selection.of(name)
        if not selection.wants(name) or (inner is None and not link.only_live):
            continue
        ids = at(link.ids, alias)
        array = ids if link.is_many else f"array_remove(ARRAY[{ids}], NULL)"
        found.append(array)
        if inner is None:
            continue
        target, there = SOURCES[link.source], below(alias)
        for deeper in used(link.source, there, inner):
            rows = f"{target.table} {there} WHERE {there}.{target.key} = ANY({array})"
            found.append(f"ARRAY(SELECT unnest({deeper}) FROM {rows})")
    return found


@lru_cache(maxsize=STATEMENTS_KEPT)
def _select(kind: Kind, selection: Selection, *, date: str = NO_DATE) -> str:
    """The statement up to its WHERE."""
    return f"SELECT {_columns(kind, selection, date=date)}\nFROM {SOURCES[kind].table} {ALIASES[kind]}"


def _date(kind: Kind, selection: Selection) -> str:
    """When what is shown of an item changed last, as far as a date tells every change of it."""
    if kind not in TYPES:
        return http_date(f"{ALIASES[kind]}.updated_at")
    date = http_date(SEO_CHANGED if selection.wants("seo") else DOCUMENT_CHANGED)
    unless = []
    if selection.wants("body"):
        unless.append("cardinality(p.mention_ids) > 0")
    if kind == "pages" and selection.wants("parent"):
        unless.append("p.parent_id IS NOT NULL")
    return f"CASE WHEN {' OR '.join(unless)} THEN '' ELSE {date} END" if unless else date


def _columns(
    kind: Kind, selection: Selection, found: Mapping[str, str] | None = None, *, date: str = NO_DATE
) -> str:
    """The JSON, its date, the ids of what it is made of. ``found`` is what a hit has besides."""
    alias, source = ALIASES[kind], SOURCES[kind]
    arrays, more, texts = [f"ARRAY[{alias}.{source.key}]", *used(kind, alias, selection)], "", {}
    if "body" in source.shown:
        texts = {"body": rendered("body", selection.format), "format": _format_of(selection.format)}
        # A heading may have an address for its words.
        if selection.wants("body") or selection.wants("toc"):
            arrays.append(mentioned_ids())
            more = f", {mentioned_addresses()}"
        if selection.wants("seo"):
            arrays.append(SEO_USED)
    made = shown(kind, alias, selection, {**texts, **(found or {})})
    return f"{made}::text, {date}, array_to_string({' || '.join(arrays)}, ','){more}"


@lru_cache(maxsize=STATEMENTS_KEPT)
def _one(kind: Kind, by: str, selection: Selection) -> str:
    alias = ALIASES[kind]
    column = f"{alias}.{SOURCES[kind].key if by == 'id' else by}"
    where = f"{column} = %(value)s AND {CONDITIONS[kind]}"
    if alias == "p" and by != "id":
        where += " AND p.locale = %(locale)s"
    return f"{_select(kind, selection, date=_date(kind, selection))}\nWHERE {where}"


@lru_cache(maxsize=STATEMENTS_KEPT)
def _hits(kind: Kind, selection: Selection, *, is_prefix: bool) -> Copies:
    found = {HIGHLIGHTS: highlights(is_prefix=is_prefix)}
    return Copies(_columns(kind, selection, found), SEARCHED[kind], (of_type(TYPES[kind]),))


def _page(
    kind: Kind, page: PageRequest, selection: Selection
) -> tuple[Statement, dict[str, object], dict[str, object]]:
    """The statement of a page, the parameters of its condition, and those of the page."""
    values = [*(page.after or ()), *(page.before or ())]
    values += [one for several in values_of(page.filter) for one in several]
    is_short = sum(len(str(one)) for one in values) <= MAX_VALUES_KEPT
    return (_kept_page if is_short else _kept_page.__wrapped__)(kind, page, selection)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _kept_page(
    kind: Kind, page: PageRequest, selection: Selection
) -> tuple[Statement, dict[str, object], dict[str, object]]:
    statement = KEYSETS[kind].statement(_select(kind, selection), (CONDITIONS[kind],), page)
    return statement, *KEYSETS[kind].bound(statement, page)


def http_date(column: str) -> str:
    """A time as HTTP writes it (RFC 9110, section 5.6.7); empty for none."""
    return f"coalesce(to_char({column} AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS \"GMT\"'), '')"


def delivered(row: tuple[Any, ...], format: TextFormat) -> Delivered:
    """What a row says, with the addresses of what it mentions in their places."""
    json, changed_at, ids, *rest = row
    if rest and rest[0] is not None:
        json = addressed(json, rest[0], format)
    return Delivered(json, changed_at, ids)


async def delivered_one(row: tuple[Any, ...], format: TextFormat) -> Delivered:
    """The same, on a thread where it is long and mentions something."""
    if len(row[0]) < LARGE or len(row) <= ADDRESSES or row[ADDRESSES] is None:
        return delivered(row, format)
    return await asyncio.to_thread(delivered, row, format)


class SqlDelivery(DeliveryQueries):
    """Reads of the tables ``cms.publications``, ``terms``, ``authors`` and ``media``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def one(
        self, kind: Kind, by: Literal["id", "slug", "path"], value: object, selection: Selection, locale: str
    ) -> Delivered | None:
        row = await self._reader.one(_one(kind, by, selection), {"value": value, "locale": locale})
        return None if row is None else await delivered_one(row, selection.format)

    async def list(self, kind: Kind, page: PageRequest, selection: Selection) -> Page[Delivered]:
        statement, filtered, placed_at = _page(kind, page, selection)
        rows = await self._reader.rows(statement.sql, placed_at)
        count = await counted(self._reader, statement, filtered, page)
        width, make = len(page.sort) + 1, partial(delivered, format=selection.format)
        if not LISTINGS[kind].has_texts or sum(len(row[0]) for row in rows) < LARGE:
            return cut(rows, page, width, make, count)
        return await asyncio.to_thread(cut, rows, page, width, make, count)

    async def search(
        self, kind: Kind, question: Question, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        copies = _hits(kind, selection, is_prefix=question.is_prefix)
        return await page_of_hits(
            self._reader, question, page, copies, lambda row: delivered(row, selection.format)
        )

"""Published entries as JSON text: statements made of their types, with what they point at."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from cms_api.adapters.sqlalchemy.cms.delivery import (
    NO_DATE,
    delivered,
    delivered_one,
    expanded,
    gathered,
    http_date,
    object_of,
    rendered,
    shown,
)
from cms_api.adapters.sqlalchemy.cms.entry_columns import Place, entry_nodes, sort_columns, target_nodes
from cms_api.adapters.sqlalchemy.cms.hits import (
    Copies,
    highlights,
    of_hits,
    of_type,
    page_of_hits,
)
from cms_api.adapters.sqlalchemy.cms.seo import SEO_CHANGED, SEO_USED
from cms_api.adapters.sqlalchemy.cms.sources import (
    BYLINES,
    DOCUMENT_COLUMNS,
    DOCUMENT_SHOWN,
    SOURCES,
    at,
    nodes,
)
from cms_api.adapters.sqlalchemy.cms.urls import addresses_of, is_unmarked, mentioned_addresses
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Node
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.content_types.compiling import EntryKind
from cms_api.domains.cms.content_types.fields import (
    TEXTS,
    BlocksField,
    DateTimeField,
    Field,
    GroupField,
    ListField,
    MediaField,
    ReferenceField,
    ReferencesField,
    walk,
)
from cms_api.domains.cms.content_types.shapes import needs_showing, points
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.documents.addresses import UNMARKED
from cms_api.domains.cms.documents.types import Catalogue, UntilChanged
from cms_api.domains.cms.entries.delivery import BUILT_IN, EntryQueries
from cms_api.domains.cms.entries.listing import PUBLIC, own_of, public_listing_of
from cms_api.domains.cms.search.interface import Question
from cms_api.querying import HIGHLIGHTS, NO_SELECTION, Page, PageRequest, Selection, TextFormat

STATEMENTS_KEPT = 512


ENTRY_SHOWN = {**DOCUMENT_SHOWN, "path": "~.path"}


class _Writer:
    """Writes the expression of an entry's JSON. Ids and keys are letters, digits and underscores."""

    def __init__(self, catalogue: Catalogue, format: TextFormat) -> None:
        self._catalogue = catalogue
        self._format = format
        self._number = 0

    def entry(
        self, kind: EntryKind, alias: str, selection: Selection, found: Mapping[str, str] | None = None
    ) -> str:
        """The JSON of the entry in the row ``alias`` of the publications. ``found`` is what a hit has besides."""
        parts: dict[str, str] = {}
        for name in own_of(kind.definition):
            if selection.wants(name):
                inner = selection.of(name)
                parts[name] = (
                    at(ENTRY_SHOWN[name], alias) if inner is None else expanded(BYLINES[name], alias, inner)
                )
        for field in kind.definition.fields:
            if field.visibility == "public" and selection.wants(field.key):
                has_texts = any(isinstance(one, TEXTS) for one in walk((field,)))
                held = rendered(str(field.id), self._format if has_texts else "html", alias)
                parts[field.key] = self._value(field, held, selection.of(field.key))
        # A field of the type's own may go by such a name.
        parts = {name: sql for name, sql in (found or {}).items() if selection.wants(name)} | parts
        return object_of(parts)

    def _new(self) -> str:
        self._number += 1
        return f"e{self._number}"

    def _value(self, field: Field, held: str, inner: Selection | None) -> str:
        """A stored value as readers get it. What has another shape, as its document is yet to follow, is null."""
        match field:
            case DateTimeField():
                return f"to_json(replace({held}#>>'{{}}', '.000000Z', 'Z'))"
            case MediaField():
                return self._file(held, inner)
            case ReferenceField():
                return self._reference(field, held, inner)
            case ReferencesField():
                return self._references(field, held, inner)
            case ListField() if needs_showing(field.of) or points(field.of):
                return self._each(held, lambda one: self._value(field.of, one, inner))
            case GroupField():
                parts = {
                    one.key: self._value(one, f"({held})->'{one.id}'", inner and inner.of(one.key))
                    for one in field.fields
                }
                return f"CASE WHEN jsonb_typeof({held}) = 'object' THEN {object_of(parts)} END"
            case BlocksField():
                return self._blocks(field, held, inner)
            case _:
                return held

    def _each(self, held: str, made: Callable[[str], str], condition: str = "true") -> str:
        alias = self._new()
        array = f"CASE WHEN jsonb_typeof({held}) = 'array' THEN {held} END"
        items = f"json_agg({made(f'{alias}.v')} ORDER BY {alias}.n)"
        return (
            f"CASE WHEN {held} IS NOT NULL THEN (SELECT coalesce({items}, '[]')"
            f" FROM jsonb_array_elements({array}) WITH ORDINALITY {alias}(v, n) WHERE {condition.format(alias)}) END"
        )

    def _blocks(self, field: BlocksField, held: str, inner: Selection | None) -> str:
        def block(one: str) -> str:
            cases = []
            for variant in field.variants:
                parts = {"id": f"({one})->'id'", "type": f"'{variant.key}'"}
                for part in variant.fields:
                    value = f"({one})->'{part.id}'"
                    parts[part.key] = self._value(part, value, inner and inner.of(part.key))
                cases.append(f"WHEN '{variant.id}' THEN {object_of(parts)}")
            return f"CASE ({one})->>'type' {' '.join(cases)} END"

        known = ", ".join(f"'{variant.id}'" for variant in field.variants)
        return self._each(held, block, f"{{0}}.v->>'type' IN ({known})")

    def _file(self, held: str, inner: Selection | None) -> str:
        if inner is None:
            return held
        made = shown("media", "m", inner)
        return f"(SELECT {made} FROM cms.media m WHERE m.id = {_uuid(held)})"

    def _reference(self, field: ReferenceField, held: str, inner: Selection | None) -> str:
        alias = self._new()
        made = self._target(field.types, alias, inner)
        return f"(SELECT {made} FROM cms.publications {alias} WHERE {alias}.document_id = {_uuid(held)})"

    def _references(self, field: ReferencesField, held: str, inner: Selection | None) -> str:
        alias = self._new()
        made = self._target(field.types, alias, inner)
        array = f"CASE WHEN jsonb_typeof({held}) = 'array' THEN {held} END"
        rows = (
            f"jsonb_array_elements_text({array}) WITH ORDINALITY {alias}x(id, n)"
            f" JOIN cms.publications {alias} ON {alias}.document_id = {alias}x.id::uuid"
        )
        sorted_by = (
            target_nodes(field.types, self._catalogue.definitions, LIVE, alias)
            if inner and inner.sort
            else {}
        )
        return gathered(made, rows, inner or NO_SELECTION, sorted_by, alias, f"{alias}x.n")

    def _target(self, types: tuple[str, ...], alias: str, inner: Selection | None) -> str:
        """A document that is pointed at: its id, or all of it. Only live ones are here."""
        if inner is None:
            return f"{alias}.document_id"
        cases = []
        for key in types or (*BUILT_IN, *self._catalogue.kinds):
            if (kind := self._catalogue.kinds.get(key)) is not None:
                cases.append(f"WHEN '{key}' THEN {self.entry(kind, alias, inner)}")
            elif key in BUILT_IN:
                cases.append(f"WHEN '{key}' THEN {self._built_in(key, alias, inner)}")
        return f"CASE {alias}.type {' '.join(cases)} END" if cases else f"to_json({alias}.document_id)"

    def _built_in(self, key: str, alias: str, inner: Selection) -> str:
        """A post or page: of what is wanted of several types, it has some."""
        source = SOURCES[BUILT_IN[key]]
        fields = (
            None if inner.fields is None else tuple(name for name in inner.fields if name in source.shown)
        )
        include = tuple((name, one) for name, one in inner.include if name in source.links)
        return shown(BUILT_IN[key], alias, Selection(include=include, fields=fields))


def _uuid(held: str) -> str:
    return f"(CASE WHEN jsonb_typeof({held}) = 'string' THEN ({held}#>>'{{}}')::uuid END)"


def _noted(alias: str) -> str:
    """What the texts of a live copy mention, with `UNMARKED` where its addresses are not marked."""
    mentions = f"{alias}.mention_ids"
    return (
        f"CASE WHEN cardinality({mentions}) > 0 AND {is_unmarked(alias)}"
        f" THEN {mentions} || '{UNMARKED}'::uuid ELSE {mentions} END"
    )


# What an entry points at, and what that points at, as far as it is included.
_REACHED = """
    WITH RECURSIVE used AS (
        SELECT l.target_id, 1 AS depth FROM cms.links l
        WHERE l.document_id = p.document_id AND l.is_live AND l.is_public
        UNION
        SELECT l.target_id, used.depth + 1 FROM used
        JOIN cms.links l ON l.document_id = used.target_id AND l.is_live AND l.is_public
        WHERE used.depth < {depth})"""
# What an answer is made of: the entry, and what it and its relations point at, also with texts and pictures.
_USED = f"""array_to_string(ARRAY[p.document_id] || {SEO_USED} || ARRAY({_REACHED}
    SELECT DISTINCT target_id FROM used{{translations}}), ',')"""
# What is included tells of its translations.
_TRANSLATIONS = """
    UNION SELECT q.document_id FROM used
    JOIN cms.publications u ON u.document_id = used.target_id AND u.translation_group IS NOT NULL
    JOIN cms.publications q ON q.translation_group = u.translation_group OR q.document_id = u.translation_group"""
# What is included has texts of its own, which may mention more.
_MENTIONS = f"""{_noted("p")} || ARRAY({_REACHED}
    SELECT DISTINCT unnest({_noted("q")}) FROM used JOIN cms.publications q ON q.document_id = used.target_id)"""


def _date(kind: EntryKind) -> str:
    """When an entry or its type changed last; none where the type is another one by now than the statement shows."""
    changed = http_date("CASE WHEN c.changed_at IS NOT NULL THEN greatest(c.changed_at, t.updated_at) END")
    told = f"""SELECT {changed} FROM cms.content_types t CROSS JOIN LATERAL (SELECT {SEO_CHANGED} AS changed_at) c
        WHERE t.key = '{kind.definition.key}' AND t.version = {kind.version} AND cardinality(p.mention_ids) = 0"""
    return f"coalesce(({told}), '')"


def _columns(
    catalogue: Catalogue,
    key: str,
    selection: Selection,
    found: Mapping[str, str] | None = None,
    *,
    date: str = NO_DATE,
) -> str:
    """The JSON, its date, the ids of what it is made of, and addresses. ``found`` is what a hit has besides."""
    writer, depth = _Writer(catalogue, selection.format), max(selection.depth, 1)
    made = writer.entry(catalogue.kinds[key], "p", selection, found)
    # What is included points at things itself.
    reached = depth + 1 if selection.include else depth
    told = _TRANSLATIONS if selection.include else ""
    used, addresses = _USED.format(depth=reached, translations=told), mentioned_addresses()
    if selection.include:
        made_of = addresses_of("z.ids", locale="p.locale", unmarked=f"'{UNMARKED}' = ANY (z.ids)")
        addresses = f"(SELECT CASE WHEN cardinality(z.ids) > 0 THEN {made_of} END FROM ("
        addresses += f"SELECT {_MENTIONS.format(depth=depth)} AS ids) z)"
    return f"{made}::text, {date}, {used}, {addresses}"


class SqlEntryDelivery(EntryQueries):
    """Reads of ``cms.publications``. Statements are kept until any type changes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._selects = UntilChanged[tuple[str, Selection, str], str](most=STATEMENTS_KEPT)
        self._hits = UntilChanged[tuple[str, Selection, bool], Copies](most=STATEMENTS_KEPT)
        self._keysets = UntilChanged[str, Keyset]()

    async def one(
        self,
        catalogue: Catalogue,
        key: str,
        by: Literal["id", "slug"],
        value: object,
        selection: Selection,
        locale: str,
    ) -> Delivered | None:
        where = "p.document_id = %(value)s" if by == "id" else "p.path = %(value)s AND p.locale = %(locale)s"
        date = _date(catalogue.kinds[key])
        sql = f"{self._select(catalogue, key, selection, date=date)}\nWHERE {where} AND p.type = '{key}'"
        if by == "slug":
            value = catalogue.kinds[key].definition.address(str(value)) or value
        row = await self._reader.one(sql, {"value": value, "locale": locale})
        return None if row is None else await delivered_one(row, selection.format)

    async def list(
        self, catalogue: Catalogue, key: str, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        select = self._select(catalogue, key, selection)
        keyset = self._keyset(catalogue, key)
        return await keyset.page(
            self._reader,
            select,
            [f"p.type = '{key}'"],
            {},
            page,
            lambda row: delivered(row, selection.format),
        )

    async def search(
        self, catalogue: Catalogue, key: str, question: Question, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        is_prefix = question.is_prefix
        copies = self._hits.get(
            catalogue.stamp,
            (key, selection, is_prefix),
            lambda: Copies(
                _columns(catalogue, key, selection, {HIGHLIGHTS: highlights(is_prefix=is_prefix)}),
                of_hits(self._keyset(catalogue, key)),
                (of_type(key),),
            ),
        )
        return await page_of_hits(
            self._reader, question, page, copies, lambda row: delivered(row, selection.format)
        )

    def _select(self, catalogue: Catalogue, key: str, selection: Selection, *, date: str = NO_DATE) -> str:
        return self._selects.get(
            catalogue.stamp,
            (key, selection, date),
            lambda: f"SELECT {_columns(catalogue, key, selection, date=date)}\nFROM cms.publications p",
        )

    def _keyset(self, catalogue: Catalogue, key: str) -> Keyset:
        return self._keysets.get(catalogue.stamp, key, lambda: _keyset_of(catalogue.kinds[key], catalogue))


def _system(alias: str) -> dict[str, Node]:
    """What every published entry has, as posts have it."""
    known = nodes("posts", alias)
    return {name: known[name] for name in (*DOCUMENT_COLUMNS, *BYLINES)}


LIVE = Place(
    face=PUBLIC,
    table="cms.publications",
    key="document_id",
    live=True,
    system=_system,
    built_in={"post": partial(nodes, "posts"), "page": partial(nodes, "pages")},
    files=partial(nodes, "media"),
)
SORTS = {
    "published_at": Column("p.published_at", "timestamptz"),
    "updated_at": Column("p.updated_at", "timestamptz"),
}


def _keyset_of(kind: EntryKind, catalogue: Catalogue) -> Keyset:
    found = entry_nodes(kind.definition, catalogue.definitions, LIVE, "p")
    listing = public_listing_of(kind.definition, catalogue.definitions)
    own = sort_columns(found, [name for name in listing.sorts if name not in SORTS])
    return Keyset(SORTS | own, key=Column("p.document_id", "uuid"), filters=found)

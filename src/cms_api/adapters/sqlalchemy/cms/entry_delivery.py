"""Published entries as JSON text: statements made of their types, with what they point at."""

import re
from collections.abc import Callable
from typing import Any, Literal

from cms_api.adapters.sqlalchemy.cms.delivery import (
    DOCUMENT_FIELDS,
    FIELDS,
    MEDIA_FIELDS,
    RELATED,
    delivered,
    expanded,
    http_date,
    object_of,
    rendered,
)
from cms_api.adapters.sqlalchemy.cms.entry_columns import column, relations, sort_column
from cms_api.adapters.sqlalchemy.cms.queries import SLUG, TARGET, linked
from cms_api.adapters.sqlalchemy.cms.seo import SEO_USED
from cms_api.adapters.sqlalchemy.cms.urls import addresses_of, mentioned_addresses
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Relation
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.content_types.compiling import EntryKind
from cms_api.domains.cms.content_types.fields import (
    RELATIONS,
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
from cms_api.domains.cms.documents.rendering import BodyFormat
from cms_api.domains.cms.documents.types import Catalogue
from cms_api.domains.cms.entries.delivery import BUILT_IN, EntryQueries, EntrySelection, Tree, own_of
from cms_api.domains.cms.entries.listing import filterable, sortable
from cms_api.kernel.paging import Page, PageRequest

STATEMENTS_KEPT = 512
_ALIAS = re.compile(r"\bp\.")


class _Writer:
    """Writes the expression of an entry's JSON. Ids and keys are letters, digits and underscores."""

    def __init__(self, catalogue: Catalogue, format: BodyFormat) -> None:
        self._catalogue = catalogue
        self._format = format
        self._number = 0

    def entry(self, kind: EntryKind, alias: str, include: Tree, wanted: Tree | None) -> str:
        """The JSON of the entry in the row ``alias`` of the publications."""
        parts: dict[str, str] = {}
        for name in own_of(kind):
            if wanted is None or name in wanted:
                parts[name] = self._own(name, alias, include, wanted)
        for field in kind.definition.fields:
            if field.visibility == "public" and (wanted is None or field.key in wanted):
                has_texts = any(isinstance(one, TEXTS) for one in walk((field,)))
                held = rendered(str(field.id), self._format if has_texts else "html", alias)
                parts[field.key] = self._value(field, held, include.get(field.key), _in(wanted, field.key))
        return object_of(parts)

    def _own(self, name: str, alias: str, include: Tree, wanted: Tree | None) -> str:
        if name in ("author", "authors") and name in include:
            return self._aliased(expanded(RELATED["posts"][name], list(_in(wanted, name) or ())), alias)
        return self._aliased("p.path" if name == "path" else DOCUMENT_FIELDS[name], alias)

    def _aliased(self, sql: str, alias: str) -> str:
        return _ALIAS.sub(f"{alias}.", sql)

    def _new(self) -> str:
        self._number += 1
        return f"e{self._number}"

    def _value(self, field: Field, held: str, include: Tree | None, wanted: Tree | None) -> str:
        """A stored value as readers get it. What has another shape, as its document is yet to follow, is null."""
        match field:
            case DateTimeField():
                return f"to_json(replace({held}#>>'{{}}', '.000000Z', 'Z'))"
            case MediaField():
                return self._file(held, include, wanted)
            case ReferenceField():
                return self._reference(field, held, include, wanted)
            case ReferencesField():
                return self._references(field, held, include, wanted)
            case ListField() if needs_showing(field.of) or points(field.of):
                return self._each(held, lambda one: self._value(field.of, one, include, wanted))
            case GroupField():
                parts = {
                    one.key: self._value(one, f"({held})->'{one.id}'", _in(include, one.key), None)
                    for one in field.fields
                }
                return f"CASE WHEN jsonb_typeof({held}) = 'object' THEN {object_of(parts)} END"
            case BlocksField():
                return self._blocks(field, held, include)
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

    def _blocks(self, field: BlocksField, held: str, include: Tree | None) -> str:
        def block(one: str) -> str:
            cases = []
            for variant in field.variants:
                parts = {"id": f"({one})->'id'", "type": f"'{variant.key}'"}
                for part in variant.fields:
                    inner = f"({one})->'{part.id}'"
                    parts[part.key] = self._value(part, inner, _in(include, part.key), None)
                cases.append(f"WHEN '{variant.id}' THEN {object_of(parts)}")
            return f"CASE ({one})->>'type' {' '.join(cases)} END"

        known = ", ".join(f"'{variant.id}'" for variant in field.variants)
        return self._each(held, block, f"{{0}}.v->>'type' IN ({known})")

    def _file(self, held: str, include: Tree | None, wanted: Tree | None) -> str:
        if include is None:
            return held
        fields = {name: MEDIA_FIELDS[name] for name in wanted} if wanted else MEDIA_FIELDS
        return f"(SELECT {object_of(fields)} FROM cms.media m WHERE m.id = {_uuid(held)})"

    def _reference(self, field: ReferenceField, held: str, include: Tree | None, wanted: Tree | None) -> str:
        alias = self._new()
        made = self._target(field.types, alias, include, wanted)
        return f"(SELECT {made} FROM cms.publications {alias} WHERE {alias}.document_id = {_uuid(held)})"

    def _references(
        self, field: ReferencesField, held: str, include: Tree | None, wanted: Tree | None
    ) -> str:
        alias, items = self._new(), self._new()
        made = self._target(field.types, alias, include, wanted)
        array = f"CASE WHEN jsonb_typeof({held}) = 'array' THEN {held} END"
        return (
            f"(SELECT coalesce(json_agg({made} ORDER BY {items}.n), '[]') FROM jsonb_array_elements_text({array})"
            f" WITH ORDINALITY {items}(id, n) JOIN cms.publications {alias} ON {alias}.document_id = {items}.id::uuid)"
        )

    def _target(self, types: tuple[str, ...], alias: str, include: Tree | None, wanted: Tree | None) -> str:
        """A document that is pointed at: its id, or all of it. Only live ones are here."""
        if include is None:
            return f"{alias}.document_id"
        cases = []
        for key in types or (*BUILT_IN, *self._catalogue.kinds):
            if (kind := self._catalogue.kinds.get(key)) is not None:
                cases.append(f"WHEN '{key}' THEN {self.entry(kind, alias, include, wanted or None)}")
            elif key in BUILT_IN:
                cases.append(f"WHEN '{key}' THEN {self._built_in(key, alias, include, wanted)}")
        return f"CASE {alias}.type {' '.join(cases)} END" if cases else f"to_json({alias}.document_id)"

    def _built_in(self, key: str, alias: str, include: Tree, wanted: Tree | None) -> str:
        known, related = FIELDS[BUILT_IN[key]], RELATED[BUILT_IN[key]]
        parts = {
            name: self._aliased(
                expanded(related[name], list(_in(wanted, name) or ())) if name in include else sql, alias
            )
            for name, sql in known.items()
            if not wanted or name in wanted
        }
        return object_of(parts)


def _in(tree: Tree | None, name: str) -> Any:
    return None if tree is None else tree.get(name)


def _uuid(held: str) -> str:
    return f"(CASE WHEN jsonb_typeof({held}) = 'string' THEN ({held}#>>'{{}}')::uuid END)"


# What an entry points at, and what that points at, as far as it is included.
_REACHED = """
    WITH RECURSIVE used AS (
        SELECT l.target_id, 1 AS depth FROM cms.links l WHERE l.document_id = p.document_id AND l.is_live
        UNION
        SELECT l.target_id, used.depth + 1 FROM used JOIN cms.links l ON l.document_id = used.target_id AND l.is_live
        WHERE used.depth < {depth})"""
# What an answer is made of: the entry, and what it and its relations point at.
_USED = f"""array_to_string(ARRAY[p.document_id] || {SEO_USED} || ARRAY({_REACHED}
    SELECT DISTINCT target_id FROM used), ',')"""
# What is included has texts of its own, which may mention more.
_MENTIONS = f"""p.mention_ids || ARRAY({_REACHED}
    SELECT DISTINCT unnest(q.mention_ids) FROM used JOIN cms.publications q ON q.document_id = used.target_id)"""


_DATE = f"CASE WHEN cardinality(p.mention_ids) = 0 THEN {http_date('p.updated_at')} ELSE '' END"


class SqlEntryDelivery(EntryQueries):
    """Reads of ``cms.publications``. Statements are kept until any type changes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._stamp = ""
        self._selects: dict[tuple[Any, ...], str] = {}
        self._keysets: dict[str, Keyset] = {}

    async def one(
        self,
        catalogue: Catalogue,
        key: str,
        by: Literal["id", "slug"],
        value: object,
        selection: EntrySelection,
        locale: str,
    ) -> Delivered | None:
        where = "p.document_id = %(value)s" if by == "id" else "p.path = %(value)s AND p.locale = %(locale)s"
        sql = f"{self._select(catalogue, key, selection)}\nWHERE {where} AND p.type = '{key}'"
        if by == "slug":
            value = catalogue.kinds[key].definition.address(str(value)) or value
        row = await self._reader.one(sql, {"value": value, "locale": locale})
        return None if row is None else delivered(row, selection.format)

    async def list(
        self, catalogue: Catalogue, key: str, page: PageRequest, selection: EntrySelection
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

    def _select(self, catalogue: Catalogue, key: str, selection: EntrySelection) -> str:
        self._renew(catalogue)
        found = self._selects.get((key, selection.spelling, selection.format))
        if found is None:
            writer = _Writer(catalogue, selection.format)
            made = writer.entry(catalogue.kinds[key], "p", selection.include, selection.fields)
            depth = max(selection.depth, 1)
            used, addresses = _USED.format(depth=depth), mentioned_addresses()
            if selection.include:
                reached = addresses_of("z.ids")
                addresses = f"(SELECT CASE WHEN cardinality(z.ids) > 0 THEN {reached} END FROM ("
                addresses += f"SELECT {_MENTIONS.format(depth=depth)} AS ids) z)"
            found = f"SELECT {made}::text, {_DATE}, {used}, {addresses}\nFROM cms.publications p"
            if len(self._selects) >= STATEMENTS_KEPT:
                self._selects.clear()
            self._selects[key, selection.spelling, selection.format] = found
        return found

    def _keyset(self, catalogue: Catalogue, key: str) -> Keyset:
        self._renew(catalogue)
        if (found := self._keysets.get(key)) is None:
            found = self._keysets[key] = _keyset_of(catalogue.kinds[key])
        return found

    def _renew(self, catalogue: Catalogue) -> None:
        if catalogue.stamp != self._stamp:
            self._selects.clear()
            self._keysets.clear()
            self._stamp = catalogue.stamp


def _keyset_of(kind: EntryKind) -> Keyset:
    custom: dict[str, Column | Relation] = {}
    for name, (field, held) in filterable(kind.definition, is_public=True).items():
        if isinstance(field, RELATIONS):
            custom |= relations(field, document="p.document_id", is_live=True)
        else:
            custom[name] = column("p.fields", field, held)
    sorts = {
        name: sort_column("p.fields", *found)
        for name, found in sortable(kind.definition, is_public=True).items()
    }
    return Keyset(
        {
            "published_at": Column("p.published_at", "timestamptz"),
            "updated_at": Column("p.updated_at", "timestamptz"),
            **sorts,
        },
        key=Column("p.document_id", "uuid"),
        filters={
            "slug": Column("p.slug", "text"),
            "locale": Column("p.locale", "text"),
            "first_published_at": Column("p.first_published_at", "timestamptz"),
            "author": linked("authors", TARGET, live=True, document="p.document_id"),
            "author.slug": linked("authors", SLUG, table="cms.authors", live=True, document="p.document_id"),
            **custom,
        },
    )

"""Fields of entries as columns: what lists are sorted by and filtered on, wherever in an entry they are."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cms_api.adapters.sqlalchemy.cms.field_indexes import value_of
from cms_api.adapters.sqlalchemy.cms.sources import below, linked
from cms_api.adapters.sqlalchemy.keyset import NOTHING, Column, Either, Node, Related, Several
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import (
    BlocksField,
    Field,
    GroupField,
    ListField,
    MediaField,
    ReferenceField,
    ReferencesField,
)
from cms_api.domains.cms.content_types.shapes import moment
from cms_api.domains.cms.entries.listing import KINDS, Definitions, Face, seen, targeted
from cms_api.querying import FieldType

_SHAPES: dict[FieldType, str] = {"number": "number", "boolean": "boolean"}
_TYPES = {"number": "numeric", "boolean": "boolean"}


class Place(NamedTuple):
    """Where entries are looked at: the face, its table and key, and how the rows there begin.

    ``system`` gives the nodes that entries have beside the fields of their type, ``built_in`` those of
    the other types, ``files`` those of files, each for the alias of the row.
    """

    face: Face
    table: str
    key: str
    live: bool
    system: Callable[[str], Mapping[str, Node]]
    built_in: Mapping[str, Callable[[str], Mapping[str, Node]]]
    files: Callable[[str], Mapping[str, Node]]


def _encode(kind: FieldType) -> Any:
    return moment if kind == "datetime" else None


def column(fields: str, field: Field, kind: FieldType) -> Column:
    """A field's value, to be filtered on. ``fields`` is the column that all of them are in."""
    shape = _SHAPES.get(kind, "text")
    return Column(value_of(shape, fields, str(field.id)), _TYPES.get(shape, "text"), _encode(kind))


def sort_column(held: Column) -> Column:
    """A value to be sorted by: something comes before all others where there is none."""
    return Column(f"coalesce({held.sql}, {NOTHING[held.type]})", held.type)


def _item(value: str, kind: FieldType) -> Column:
    """A member of a list."""
    shape = _SHAPES.get(kind, "text")
    text = f"({value}#>>'{{}}')"
    if shape == "text":
        return Column(text, "text", _encode(kind))
    made = f"(CASE WHEN jsonb_typeof({value}) = '{shape}' THEN {text}::{_TYPES[shape]} END)"
    return Column(made, _TYPES[shape])


class _Walker:
    """Makes the nodes of entries. ``alias`` is that of the document, ``at`` that of the innermost row."""

    def __init__(self, place: Place, definitions: Definitions) -> None:
        self._place = place
        self._definitions = definitions

    def whole(self, definition: Definition, alias: str) -> dict[str, Node]:
        """All that entries of a type are asked about."""
        own = self.nodes(definition.fields, f"{alias}.fields", alias, alias)
        return {**own, **self._place.system(alias)}

    def nodes(
        self, fields: Iterable[Field], held: str, alias: str, at: str, *, is_single: bool = True
    ) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for field in seen(fields, self._place.face):
            node = self._node(field, held, alias, at, is_single=is_single)
            if node is not None:
                found[field.key] = node
        return found

    def _node(self, field: Field, held: str, alias: str, at: str, *, is_single: bool) -> Node | None:
        if (kind := KINDS.get(type(field))) is not None:
            return column(held, field, kind)
        value = f"{held}->'{field.id}'"
        match field:
            case MediaField() | ReferenceField() | ReferencesField():
                return self._link(field, alias, at, is_single=is_single)
            case GroupField():
                return self._group(field, f"({value})", alias, at, is_single=is_single)
            case BlocksField():
                return self._blocks(field, value, alias, below(at))
            case ListField():
                return self._list(field.of, value, alias, below(at))
            case _:
                return None

    def _group(self, field: GroupField, held: str, alias: str, at: str, *, is_single: bool) -> Related:
        return Related("{}", lambda: self.nodes(field.fields, held, alias, at, is_single=is_single), one="{}")

    def _each(self, value: str, item: str) -> str:
        array = f"CASE WHEN jsonb_typeof({value}) = 'array' THEN {value} END"
        return f"EXISTS (SELECT FROM jsonb_array_elements({array}) {item}(v) WHERE {{}})"

    def _list(self, of: Field, value: str, alias: str, item: str) -> Node | None:
        if (kind := KINDS.get(type(of))) is not None:
            return Several(self._each(value, item), _item(f"{item}.v", kind))
        match of:
            case MediaField() | ReferenceField() | ReferencesField():
                return self._link(of, alias, item, is_single=False)
            case GroupField():
                return Related(
                    self._each(value, item),
                    lambda: self.nodes(of.fields, f"{item}.v", alias, item, is_single=False),
                )
            case _:
                return None

    def _blocks(self, field: BlocksField, value: str, alias: str, item: str) -> Related:
        def fields() -> Mapping[str, Node]:
            kinds = f"({item}.v->>'type')"
            keys = " ".join(f"WHEN '{one.id}' THEN '{one.key}'" for one in field.variants)
            parts = [
                (str(one.id), self.nodes(one.fields, f"{item}.v", alias, item, is_single=False))
                for one in field.variants
            ]
            return {"type": Column(f"(CASE {kinds} {keys} END)", "text"), **merged(kinds, parts)}

        return Related(self._each(value, item), fields)

    def _link(self, field: Field, alias: str, at: str, *, is_single: bool) -> Related:
        """What points at other rows is looked up in the table of links, wherever in the entry it stands."""
        place, links, there = self._place, f"{at}l", below(at)
        exists = linked(at, str(field.id), document=f"{alias}.{place.key}", live=place.live)
        if isinstance(field, MediaField):
            table, key = "cms.media", "id"

            def fields() -> Mapping[str, Node]:
                return place.files(there)
        else:
            table, key = place.table, place.key

            def fields() -> Mapping[str, Node]:
                return self.targets(getattr(field, "types", ()), there)

        join = f" JOIN {table} {there} ON {there}.{key} = {links}.target_id"
        # Readers see of what a live copy points at only what is live. Its files they see all.
        is_hidden = place.live and not isinstance(field, MediaField)
        ids = Several(exists.format(join if is_hidden else ""), Column(f"{links}.target_id", "uuid"))
        one = None
        if is_single and not isinstance(field, ReferencesField):
            one = (
                f"(SELECT {{}} FROM cms.links {links}{join} WHERE {links}.document_id = {alias}.{place.key}"
                f" AND {links}.is_live = {str(place.live).lower()} AND {links}.field = '{field.id}' LIMIT 1)"
            )
        return Related(exists.format(join), fields, ids, one)

    def targets(self, types: tuple[str, ...], alias: str) -> Mapping[str, Node]:
        """The nodes of documents of some types, of any where none are named."""
        built_in = self._place.built_in
        found = [
            (key, built_in[key](alias) if key in built_in else self.whole(self._definitions[key], alias))
            for key in targeted(types, self._place.face, self._definitions)
        ]
        if not found:
            return self._place.system(alias)
        return merged(f"{alias}.type", [(key, dict(nodes)) for key, nodes in found])


def merged(kinds: str, parts: Sequence[tuple[str, Mapping[str, Node]]]) -> dict[str, Node]:
    """What rows of several kinds are asked about; ``kinds`` is the expression that tells them apart."""
    if len(parts) == 1:
        return dict(parts[0][1])
    names = dict.fromkeys(name for _, nodes in parts for name in nodes)
    found: dict[str, Node] = {}
    for name in names:
        known = [(key, nodes[name]) for key, nodes in parts if name in nodes]
        if (node := _merged(kinds, known, is_common=len(known) == len(parts))) is not None:
            found[name] = node
    return found


def _merged(kinds: str, known: list[tuple[str, Node]], *, is_common: bool) -> Node | None:
    columns = [(key, node) for key, node in known if isinstance(node, Column)]
    if len(columns) == len(known):
        first = columns[0][1]
        if len({one.type for _, one in columns}) > 1:
            return None
        if is_common and all(one.sql == first.sql for _, one in columns):
            return first
        cases = " ".join(f"WHEN '{key}' THEN {one.sql}" for key, one in columns)
        return Column(f"(CASE {kinds} {cases} END)", first.type, first.encode)
    if columns:
        return None
    guarded = [_guarded(f"{kinds} = '{key}'", node) for key, node in known]
    return Either(tuple(guarded))


def _guarded(guard: str, node: Node) -> Related | Several:
    """The same, of rows of one kind only."""
    match node:
        case Several():
            return _several(guard, node)
        case Related():
            one = None if node.one is None else f"(CASE WHEN {guard} THEN {node.one} END)"
            ids: Column | Several | None
            if isinstance(node.ids, Column):
                ids = Column(f"(CASE WHEN {guard} THEN {node.ids.sql} END)", node.ids.type)
            else:
                ids = None if node.ids is None else _several(guard, node.ids)
            return Related(f"({guard} AND {node.sql})", node.fields, ids, one)
        case _:
            raise TypeError(node)


def _several(guard: str, values: Several) -> Several:
    present = None if values.present is None else f"({guard} AND {values.present})"
    return Several(f"({guard} AND {values.sql})", values.column, present)


def entry_nodes(
    definition: Definition, definitions: Definitions, place: Place, alias: str
) -> dict[str, Node]:
    """What the entries of a type are filtered on, where their documents go by ``alias``."""
    return _Walker(place, definitions).whole(definition, alias)


def target_nodes(
    types: tuple[str, ...], definitions: Definitions, place: Place, alias: str
) -> Mapping[str, Node]:
    """What documents of some types are filtered on and sorted by."""
    return _Walker(place, definitions).targets(types, alias)


def sort_columns(nodes: Mapping[str, Node], names: Iterable[str]) -> dict[str, Column]:
    """The columns that entries are sorted by, of fields that may have no value."""
    found = {name: nodes[name] for name in names}
    return {name: sort_column(one) for name, one in found.items() if isinstance(one, Column)}

"""Fields of entries as columns: what lists are sorted by and filtered on."""

from typing import Any

from cms_api.adapters.sqlalchemy.cms.field_indexes import value_of
from cms_api.adapters.sqlalchemy.keyset import Column, Relation
from cms_api.domains.cms.content_types.fields import Field, ReferenceField, ReferencesField
from cms_api.domains.cms.content_types.shapes import moment
from cms_api.kernel.paging import FieldType

# What stands for no value where rows are sorted: it comes before all others.
NOTHING = {"text": "''", "numeric": "'-Infinity'::numeric", "boolean": "false"}
_SHAPES: dict[FieldType, str] = {"number": "number", "boolean": "boolean"}
_TYPES = {"number": "numeric", "boolean": "boolean"}


def column(fields: str, field: Field, kind: FieldType) -> Column:
    """A field's value, to be filtered on. ``fields`` is the column that all of them are in."""
    shape = _SHAPES.get(kind, "text")
    encode: Any = moment if kind == "datetime" else None
    return Column(value_of(shape, fields, str(field.id)), _TYPES.get(shape, "text"), encode)


def sort_column(fields: str, field: Field, kind: FieldType) -> Column:
    """A field's value, to be sorted by."""
    held = column(fields, field, kind)
    return Column(f"coalesce({held.sql}, {NOTHING[held.type]})", held.type)


def relations(field: Field, *, document: str, is_live: bool) -> dict[str, Relation]:
    """What a field points at, by the names of its filters."""
    linked = (
        f"EXISTS (SELECT FROM cms.links l{{}} WHERE l.document_id = {document} AND l.is_live = {str(is_live).lower()}"
        f" AND l.field = '{field.id}' AND {{{{}}}})"
    )
    found = {field.key: Relation(linked.format(""), Column("l.target_id", "uuid"))}
    if isinstance(field, (ReferenceField, ReferencesField)):
        table, key = ("cms.publications", "document_id") if is_live else ("cms.documents", "id")
        join = f" JOIN {table} t ON t.{key} = l.target_id"
        found[f"{field.key}.slug"] = Relation(linked.format(join), Column("t.slug", "text"))
    return found

"""The texts of entries that editors search: of fields that all who see documents may see."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cms_api.domains.cms.content_types.fields import (
    TEXTS,
    BlocksField,
    EnumField,
    Field,
    GroupField,
    ListField,
    SlugField,
    TextField,
)

WORDED = (TextField, EnumField, SlugField, *TEXTS)


def unrestricted(fields: Iterable[Field]) -> Iterator[Field]:
    """The fields that texts are taken from, with those that they are inside of. Restricted ones have none."""
    for field in fields:
        if field.visibility != "restricted":
            yield field
            for part in parts_of(field):
                yield from unrestricted(part)


def parts_of(field: Field) -> Iterator[tuple[Field, ...]]:
    """The fields inside of a field: those of a group, of a list's groups, of each kind of block."""
    match field:
        case ListField():
            yield from parts_of(field.of)
        case GroupField():
            yield field.fields
        case BlocksField():
            yield from (variant.fields for variant in field.variants)


def texts_of(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each text with the id of its field, of values by the fields' ids."""
    for field in fields:
        if field.visibility != "restricted" and (value := values.get(str(field.id))) is not None:
            yield from _texts(field, str(field.id), value)


def _texts(field: Field, name: str, value: Any) -> Iterator[tuple[str, str]]:
    match field:
        case ListField():
            for one in value:
                yield from _texts(field.of, name, one)
        case GroupField():
            yield from _inside(name, texts_of(field.fields, value))
        case BlocksField():
            variants = {one.id: one for one in field.variants}
            for block in value:
                if block["type"] in variants:
                    yield from _inside(name, texts_of(variants[block["type"]].fields, block))
        case _ if isinstance(field, WORDED):
            yield name, value


def _inside(name: str, texts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The texts inside of a field, which goes by ``name``: they count as taken from it, too."""
    for inner, text in texts:
        yield name, ""
        yield inner, text

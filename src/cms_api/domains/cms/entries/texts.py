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
    """The fields that texts are taken from. What is inside of a field is as visible as that is."""
    return (field for field in fields if field.visibility != "restricted")


def texts_of(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each text with the id of the field that it stands in, of values by the fields' ids."""
    for field in unrestricted(fields):
        for text in _texts(field, values.get(str(field.id))):
            yield str(field.id), text


def _texts(field: Field, value: Any) -> Iterator[str]:
    if value is None:
        return
    match field:
        case ListField():
            for one in value:
                yield from _texts(field.of, one)
        case GroupField():
            yield from _inside(field.fields, value)
        case BlocksField():
            variants = {one.id: one.fields for one in field.variants}
            for block in value:
                yield from _inside(variants.get(block["type"], ()), block)
        case _ if isinstance(field, WORDED):
            yield value


def _inside(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[str]:
    for field in fields:
        yield from _texts(field, values.get(str(field.id)))

"""Values that were stored when a field was another one, as the field takes them by now."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from cms_api.domains.cms.content_types import shapes
from cms_api.domains.cms.content_types.annotations import annotation
from cms_api.domains.cms.content_types.fields import (
    BlocksField,
    Field,
    GroupField,
    JsonField,
    ListField,
    ReferencesField,
    Variant,
    type_of,
)
from cms_api.kernel.errors import Invalid
from cms_api.validation import convert

# What is accepted to become of values: made into others that say less; or, where a field can't take
# them, dropped, or replaced by the default.
Resolution = Literal["convert", "drop", "default"]

_DAY = 10  # the length of a date: 2026-01-02
_TEXTUAL = ("text", "enum", "slug", "number", "boolean", "date", "datetime")
# From which types of field the values of another can be made.
CASTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_TEXTUAL, _TEXTUAL),
    "text": (*_TEXTUAL, "rich_text", "markdown"),
    "rich_text": ("text",),
    "markdown": ("text",),
    "reference": ("references",),
    "references": ("reference",),
    "json": (*_TEXTUAL, "rich_text", "markdown", "media", "reference", "references"),
}


Maker = Callable[[Any, Any, Resolution | None], Any]


class Unfit(Exception):
    """A value that a field can't take, and nothing may take the place of."""


def can_cast(before: Field, after: Field) -> bool:
    """Whether values of one field can become values of the other."""
    old, new = type_of(before), type_of(after)
    if isinstance(after, ListField):
        return can_cast(before.of if isinstance(before, ListField) else before, after.of)
    return old == new or old in CASTS.get(new, ())


def converted(
    fields: tuple[Field, ...], conversions: Mapping[str, Resolution | None], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Stored values of a type's fields, with those of ``conversions`` made fit; done twice it is the same."""
    there = {field.id for field in fields}
    # A field that is gone takes its values along: another one may come under its id.
    kept = {name: one for name, one in values.items() if name in there or name not in conversions}
    for field in fields:
        name = str(field.id)
        if name in conversions:
            try:
                value = fitted(field, kept.get(name), conversions[name])
            except Unfit:
                continue  # stays as it is, for somebody to look at: nothing goes in silence
            if value is None:
                kept.pop(name, None)
            else:
                kept[name] = value
    return kept


def fitted(field: Field, value: Any, otherwise: Resolution | None) -> Any:
    """A stored value as ``field`` takes it. Raises `Unfit`."""
    if value is None or value == []:
        return _missing(field, otherwise, value)
    if takes(field, value):
        return value
    maker: Maker = _MAKERS.get(type(field), _cast)
    made = maker(field, value, otherwise)
    if made is not None and takes(field, made):
        return made
    return _missing(field, otherwise, None)


@lru_cache(maxsize=512)
def _type_of(encoded: bytes) -> Any:
    """The type of the values of a field, which is made once."""
    return annotation(msgspec.json.decode(encoded, type=Field), "Value", "given")


def _given(field: Field, value: Any) -> Any:
    return convert(value, _type_of(msgspec.json.encode(field)))


def takes(field: Field, value: Any) -> bool:
    """Whether a stored value is right for a field as it is."""
    try:
        given = _given(field, shapes.shown(field, value))
    except (Invalid, KeyError, TypeError, AttributeError):
        return False
    # What the field does not know is left out when it is shown.
    return next(shapes.faults(field, given, ""), None) is None and bool(shapes.stored(field, given) == value)


def _missing(field: Field, otherwise: Resolution | None, value: Any) -> Any:
    """What stands where there is no fit value."""
    if value == [] and getattr(field, "min_items", 0) == 0:
        return value
    default = getattr(field, "default", None)
    if value is None and not field.required and otherwise != "default":
        return None
    if otherwise == "default" and default is not None:
        return shapes.stored(field, _given(field, default))
    if otherwise == "drop" and not field.required:
        return None
    raise Unfit


def _cast(field: Field, value: Any, otherwise: Resolution | None) -> Any:
    del otherwise
    try:
        match type_of(field):
            case "text" | "enum" | "slug" | "rich_text" | "markdown":
                return _text(value)
            case "number":
                return _number(value)
            case "boolean":
                return {"true": True, "false": False, "1": True, "0": False}.get(_text(value).strip().lower())
            case "date":
                return date.fromisoformat(_text(value)[:_DAY]).isoformat()
            case "datetime":
                return _moment(_text(value))
            case "reference":
                return value[0] if isinstance(value, list) and len(value) == 1 else None
            case "references":
                return [value] if isinstance(value, str) else None
            case _:
                return None
    except (ValueError, TypeError):
        return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _number(value: Any) -> float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        raise TypeError
    number = float(value)
    return int(number) if number.is_integer() else number


def _moment(value: str) -> str:
    found = datetime.fromisoformat(value)
    return shapes.moment(found if found.tzinfo else found.replace(tzinfo=UTC))


def _list(field: ListField, value: Any, otherwise: Resolution | None) -> Any:
    items = value if isinstance(value, list) else [value]
    kept = (fitted(field.of, one, otherwise) for one in items)
    return [one for one in kept if one is not None]


def _references(field: ReferencesField, value: Any, otherwise: Resolution | None) -> Any:
    items = list(dict.fromkeys(value if isinstance(value, list) else [value]))
    return items[: field.max_items] if otherwise == "drop" else items


def _group(field: GroupField, value: Any, otherwise: Resolution | None) -> Any:
    return _parts(field.fields, value, otherwise) if isinstance(value, dict) else None


def _parts(
    fields: tuple[Field, ...], value: Mapping[str, Any], otherwise: Resolution | None
) -> dict[str, Any]:
    found = {str(field.id): fitted(field, value.get(str(field.id)), otherwise) for field in fields}
    return {name: one for name, one in found.items() if one is not None}


def _blocks(field: BlocksField, value: Any, otherwise: Resolution | None) -> Any:
    if not isinstance(value, list):
        return None
    variants: dict[str | None, Variant] = {one.id: one for one in field.variants}
    if otherwise is None and any(block["type"] not in variants for block in value):
        raise Unfit
    kept = [
        {"id": one["id"], "type": one["type"], **_parts(variants[one["type"]].fields, one, otherwise)}
        for one in value
        if one["type"] in variants
    ]
    return kept[: field.max_items] if otherwise == "drop" else kept


_MAKERS: dict[type, Maker] = {
    ListField: _list,
    ReferencesField: _references,
    GroupField: _group,
    BlocksField: _blocks,
    JsonField: lambda _field, value, _otherwise: value,
}

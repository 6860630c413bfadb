"""Examples made of a definition: values that an entry of the type could have."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from cms_api.domains.cms.content_types.definition import Definition, pattern_of
from cms_api.domains.cms.content_types.fields import (
    BlocksField,
    BooleanField,
    DateField,
    DateTimeField,
    EnumField,
    Field,
    GroupField,
    JsonField,
    ListField,
    MarkdownField,
    NumberField,
    ReferencesField,
    RichTextField,
    SlugField,
    TextField,
)

# What is tried where a text must match a pattern; there is no telling what else would.
GUESSES = (
    "text", "Text", "TEXT", "a", "A", "1", "12", "123", "1234", "12345", "123456", "A1", "AB12", "AB-12", "AB-123",
    "ABC-123", "ABC-1234", "#a1b2c3", "en", "en-GB", "1.0.0", "10:00", "2026-01-02", "ada@example.org", "+441234567890",
    "https://example.org", "https://example.org/a", "/a/b",
)  # fmt: skip
WORDS = "An example. "
_ID = 0x01936F2AD1C87B6E9C1F3A5B7D9E0F12


class _Unknown(Exception):
    """There is no telling what a value would look like."""


def example_of(definition: Definition) -> dict[str, Any] | None:
    """What may be sent for a new entry; ``None`` where a required field's pattern can't be met by guessing."""
    try:
        return _parts(definition.fields)
    except _Unknown:
        return None


def change_of(definition: Definition) -> dict[str, Any]:
    """What may be sent to change an entry: one field."""
    for field in definition.fields:
        try:
            return {field.key: _value(field)}
        except _Unknown:
            continue
    return {"slug": "another-slug"}


def _parts(fields: tuple[Field, ...]) -> dict[str, Any]:
    found = {}
    for field in fields:
        try:
            found[field.key] = _value(field)
        except _Unknown:
            if field.required:
                raise
    return found


def _value(field: Field) -> Any:  # noqa: C901, PLR0911, PLR0912 - a case for each type of field
    if (default := getattr(field, "default", None)) is not None:
        return default
    match field:
        case TextField():
            return _text(field)
        case RichTextField():
            return f"<p>{WORDS.strip()}</p>"[: field.max_length]
        case MarkdownField():
            return WORDS.strip()[: field.max_length]
        case NumberField():
            return _number(field)
        case BooleanField():
            return True
        case DateField():
            return "2026-01-02"
        case DateTimeField():
            return "2026-01-02T03:04:05Z"
        case EnumField():
            return field.options[0]
        case JsonField():
            return {"any": "thing"} if field.max_bytes >= len('{"any":"thing"}') else 1
        case SlugField():
            return "an-example"
        case ReferencesField():
            return [_id(number) for number in range(_several(field))]
        case ListField():
            return [_value(field.of) for _ in range(_several(field))]
        case GroupField():
            return _parts(field.fields)
        case BlocksField():
            return list(_blocks(field))
        case _:  # a file, or a document
            return _id(0)


def _several(field: ReferencesField | ListField | BlocksField) -> int:
    return min(max(field.min_items, 1), field.max_items)


def _blocks(field: BlocksField) -> Iterator[dict[str, Any]]:
    known = []
    for variant in field.variants:
        try:
            known.append({"type": variant.key, **_parts(variant.fields)})
        except _Unknown:
            continue
    if not known and field.min_items:
        raise _Unknown
    wanted = min(max(field.min_items, len(known)), field.max_items)
    for number in range(wanted if known else 0):
        yield known[number % len(known)]


def _text(field: TextField) -> str:
    if field.pattern is None:
        text = WORDS * (field.min_length // len(WORDS) + 1)
        return text[: max(field.min_length, min(len(WORDS) - 1, field.max_length))]
    matches = pattern_of(field.pattern).fullmatch
    for guess in GUESSES:
        if field.min_length <= len(guess) <= field.max_length and matches(guess):
            return guess
    raise _Unknown


def _number(field: NumberField) -> int | float:
    low, high = field.minimum, field.maximum
    if low is not None and low > 1:
        return low
    return 1 if high is None or high >= 1 else high


def _id(number: int) -> str:
    return str(UUID(int=_ID + number))

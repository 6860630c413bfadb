"""The types of fields' values: what input is checked against, and what describes output."""

import copy
import re
from datetime import date, datetime
from functools import reduce
from itertools import chain, count
from operator import or_
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from cms_api.domains.cms.content_types.fields import (
    MAX_INTEGER,
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

# What of a field an annotation is for: a new value, a value that is shown, one that readers get.
Face = Literal["given", "shown", "delivered"]

# The module of structs that are made at run time: whoever describes them gives them other names by it.
MODULE = "entries"
# What JavaScript's regular expressions, and so JSON Schema's, have not or have otherwise.
_OTHER_DIALECT = re.compile(r"\(\?(?!:)|\\[pPAzQECaxC]|\[\[:|[*+?}]\+")

Moment = Annotated[datetime, Meta(tz=True)]


def struct(name: str, members: list[Any], doc: str, **options: Any) -> type[msgspec.Struct]:
    """A struct made of ``members``, closed and immutable."""
    return msgspec.defstruct(
        name,
        members,
        namespace={"__doc__": doc},
        module=MODULE,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        **options,
    )


def member(field: Field, name: str, face: Face, *, has_defaults: bool = False) -> Any:
    """The member that stands for a field in a struct: its key, its type, and what it is where it is left out."""
    known = annotation(field, f"{name}{pascal(field.key)}", face)
    default = getattr(field, "default", None) if has_defaults else None
    whole = described(field, known if field.required else known | None)
    if default is not None and face == "given":
        value = msgspec.convert(default, known)
        if isinstance(value, (list, dict)):
            return (field.key, whole, msgspec.field(default_factory=lambda: copy.deepcopy(value)))
        return (field.key, whole, value)
    if field.required or face != "given":
        return (field.key, whole)
    return (field.key, whole, None)


def annotation(  # noqa: C901, PLR0911, PLR0912 - a case for each type of field
    field: Field, name: str, face: Face
) -> Any:
    """The type of a value of ``field``; structs inside are named after ``name``."""
    match field:
        case TextField():
            extra = _pattern(field.pattern) if field.pattern else None
            return Annotated[
                str, Meta(min_length=field.min_length, max_length=field.max_length, extra_json_schema=extra)
            ]
        case RichTextField() | MarkdownField():
            # Readers get it as HTML, which may be longer, or in blocks.
            readers = str | list[dict[str, Any]]
            return readers if face == "delivered" else Annotated[str, Meta(max_length=field.max_length)]
        case NumberField():
            return _number(field)
        case BooleanField():
            return bool
        case DateField():
            return date
        case DateTimeField():
            return Moment
        case EnumField():
            return Literal[field.options]
        case SlugField():
            return Annotated[str, Meta(min_length=1, max_length=200)]
        case JsonField():
            return Any
        case ReferencesField():
            target = UUID | dict[str, Any] if face == "delivered" else UUID
            return Annotated[list[target], Meta(min_length=field.min_items, max_length=field.max_items)]  # type: ignore[valid-type]
        case ListField():
            item = annotation(field.of, f"{name}Item", face)
            return Annotated[list[item], Meta(min_length=field.min_items, max_length=field.max_items)]  # type: ignore[valid-type]
        case GroupField():
            return struct(
                name, _parts(field.fields, name, face), field.description or field.name or field.key
            )
        case BlocksField():
            return _blocks(field, name, face)
        case _:  # a file, or a document
            return UUID | dict[str, Any] if face == "delivered" else UUID


def _pattern(pattern: str) -> dict[str, Any]:
    """What JSON Schema says of a pattern: itself, where it means the same there."""
    if _OTHER_DIALECT.search(pattern):
        return {"x-re2": pattern}
    return {"pattern": f"^(?:{pattern})$"}


def described(field: Field, known: Any) -> Any:
    """The type, with what the field is for."""
    note = field.description or field.name
    return Annotated[known, Meta(description=note)] if note else known


def _number(field: NumberField) -> Any:
    low, high = field.minimum, field.maximum
    whole = Annotated[
        int,
        Meta(
            ge=-MAX_INTEGER if low is None else max(_up(low), -MAX_INTEGER),
            le=MAX_INTEGER if high is None else min(_down(high), MAX_INTEGER),
        ),
    ]
    if field.integer:
        return whole
    return whole | Annotated[float, Meta(ge=low, le=high)]


def _up(bound: float) -> int:
    return bound if isinstance(bound, int) else int(-(-bound // 1))


def _down(bound: float) -> int:
    return bound if isinstance(bound, int) else int(bound // 1)


def _parts(fields: tuple[Field, ...], name: str, face: Face) -> list[Any]:
    return [member(field, name, face) for field in fields]


def _blocks(field: BlocksField, name: str, face: Face) -> Any:
    members = [
        struct(
            f"{name}{pascal(variant.key)}",
            [
                ("id", UUID | None, None) if face == "given" else ("id", UUID),
                *_parts(variant.fields, f"{name}{pascal(variant.key)}", face),
            ],
            variant.description or variant.name or variant.key,
            tag_field="type",
            tag=variant.key,
        )
        for variant in field.variants
    ]
    block: Any = reduce(or_, members)
    return Annotated[list[block], Meta(min_length=field.min_items, max_length=field.max_items)]


def free_name(name: str, taken: set[str]) -> str:
    """The name, or one that differs from those ``taken``, in lower case, in more than case; it is taken then.

    Clients make files of such names.
    """
    numbered = (f"{name}No{number}" for number in count(2))
    free = next(one for one in chain([name], numbered) if one.lower() not in taken)
    taken.add(free.lower())
    return free


def pascal(key: str) -> str:
    """The key as the name of a class."""
    return "".join(part.capitalize() for part in re.split(r"[_-]", key))

"""Values of fields: as clients write them, as they are stored under the fields' ids, and back."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec

from cms_api.domains.cms.content_types.definition import pattern_of
from cms_api.domains.cms.content_types.fields import (
    POINTING,
    SEARCHED,
    TEXTS,
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
    MediaField,
    NumberField,
    ReferenceField,
    ReferencesField,
    RichTextField,
    SlugField,
    TextField,
    Variant,
    type_of,
    walk,
)
from cms_api.domains.cms.documents.content import Link
from cms_api.domains.cms.documents.mentions import mentioned, unlinked
from cms_api.domains.cms.documents.slugs import check_slug
from cms_api.domains.cms.search.text import Weight
from cms_api.kernel.errors import Fault, Invalid

Target = tuple[str, UUID]  # a field's id, and what it points at

# Values that are stored as they come, and shown as they are stored.
_PLAIN = (TextField, RichTextField, MarkdownField, NumberField, BooleanField, EnumField, JsonField)


def moment(value: datetime) -> str:
    """A moment as it is stored: in UTC and always as long, so that texts sort as moments do.

    Raises `ValueError` where it has no date there: the calendar ends with the years 1 and 9999.
    """
    if value.tzinfo is not UTC:
        try:
            value = value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError(error) from None
    seconds, _, fraction = msgspec.json.encode(value)[1:-2].decode().partition(".")
    return f"{seconds}.{fraction:0<6}Z"


def stored(field: Field, value: Any) -> Any:
    """A value, as the compiled type has it, as it is stored."""
    match field:
        case SlugField():
            return check_slug(value)
        case DateTimeField():
            return moment(value)
        case ReferencesField():
            return [str(one) for one in value]
        case ListField():
            return [stored(field.of, one) for one in value]
        case GroupField():
            return _stored_parts(field.fields, value)
        case BlocksField():
            variants = {one.key: one for one in field.variants}
            return [_stored_block(variants[type_of(block)], block) for block in value]
        case _ if isinstance(field, _PLAIN):
            return value
        case _:  # a date, or an id
            return value.isoformat() if isinstance(value, date) else str(value)


def _stored_parts(fields: tuple[Field, ...], value: msgspec.Struct) -> dict[str, Any]:
    found = ((field, getattr(value, field.key)) for field in fields)
    return {str(field.id): stored(field, one) for field, one in found if one is not None}


def _stored_block(variant: Variant, block: Any) -> dict[str, Any]:
    return {"id": str(block.id or uuid4()), "type": variant.id, **_stored_parts(variant.fields, block)}


def shown(field: Field, value: Any) -> Any:
    """A stored value as clients see it."""
    if value is None:
        return None
    match field:
        case DateTimeField():
            return str(value).replace(".000000Z", "Z")
        case ListField():
            return [shown(field.of, one) for one in value]
        case GroupField():
            return {one.key: shown(one, value.get(one.id)) for one in field.fields}
        case BlocksField():
            variants = {one.id: one for one in field.variants}
            return [_shown_block(variants[one["type"]], one) for one in value if one["type"] in variants]
        case _:
            return value


def _shown_block(variant: Variant, block: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": block["id"],
        "type": variant.key,
        **{field.key: shown(field, block.get(str(field.id))) for field in variant.fields},
    }


def storing(field: Field) -> Callable[[Any], Any] | None:
    """What makes a value, as the compiled type has it, the stored one; None where they are the same."""
    if isinstance(field, _PLAIN) or (isinstance(field, ListField) and isinstance(field.of, _PLAIN)):
        return None
    match field:
        case DateField():
            return date.isoformat
        case DateTimeField():
            return moment
        case MediaField() | ReferenceField():
            return str
        case _:
            return partial(stored, field)


def needs_showing(field: Field) -> bool:
    """Whether a value of it is shown in another form than it is stored in."""
    match field:
        case DateTimeField() | GroupField() | BlocksField():
            return True
        case ListField():
            return needs_showing(field.of)
        case _:
            return False


def faults(field: Field, value: Any, pointer: str) -> Iterator[Fault]:  # noqa: C901, PLR0912 - a case for each type of field
    """What is wrong with a value that the compiled type has let pass."""
    if value is None:
        return
    match field:
        case TextField() if field.pattern is not None:
            if not pattern_of(field.pattern).fullmatch(value):
                yield Fault(pointer, "pattern", f"This must match “{field.pattern}”.")
        case SlugField():
            try:
                check_slug(value, pointer=pointer)
            except Invalid as error:
                yield from error.faults
        case DateTimeField():
            try:
                moment(value)
            except ValueError:
                yield Fault(pointer, "range", "In UTC this is outside of the years 1 to 9999.")
        case JsonField():
            if len(msgspec.json.encode(value)) > field.max_bytes:
                yield Fault(pointer, "length", f"This has at most {field.max_bytes} bytes.")
        case ReferencesField():
            for place, one in enumerate(value):
                if one in value[:place]:
                    yield Fault(f"{pointer}/{place}", "duplicate", "This document is there twice.")
        case ListField():
            for place, one in enumerate(value):
                yield from faults(field.of, one, f"{pointer}/{place}")
        case GroupField():
            yield from _part_faults(field.fields, value, pointer)
        case BlocksField():
            variants, seen = {one.key: one for one in field.variants}, set[UUID]()
            for place, block in enumerate(value):
                if block.id is not None and block.id in seen:
                    yield Fault(f"{pointer}/{place}/id", "duplicate", "Another block has this id.")
                seen.add(block.id)
                yield from _part_faults(variants[type_of(block)].fields, block, f"{pointer}/{place}")
        case _:
            return


def _part_faults(fields: tuple[Field, ...], value: msgspec.Struct, pointer: str) -> Iterator[Fault]:
    for field in fields:
        yield from faults(field, getattr(value, field.key), f"{pointer}/{field.key}")


def needs_checking(field: Field) -> bool:
    """Whether `faults` has something to say about a value of it."""
    match field:
        case TextField():
            return field.pattern is not None
        case ListField():
            return needs_checking(field.of)
        case GroupField():
            return any(needs_checking(one) for one in field.fields)
        case _:
            return isinstance(field, (SlugField, DateTimeField, JsonField, ReferencesField, BlocksField))


def links(  # noqa: C901, PLR0912 - a case for each type of field
    field: Field, value: Any, pointer: str
) -> Iterator[tuple[Field, str, UUID, str]]:
    """What a stored value points at: the field, the kind, the target, and where it stands."""
    if value is None:
        return
    match field:
        case MediaField():
            yield field, "media", UUID(value), pointer
        case ReferenceField():
            yield field, "document", UUID(value), pointer
        case ReferencesField():
            for place, one in enumerate(value):
                yield field, "document", UUID(one), f"{pointer}/{place}"
        case ListField():
            for place, one in enumerate(value):
                yield from links(field.of, one, f"{pointer}/{place}")
        case GroupField():
            for one in field.fields:
                yield from links(one, value.get(one.id), f"{pointer}/{one.key}")
        case BlocksField():
            variants = {one.id: one for one in field.variants}
            blocks = (block for block in value if block["type"] in variants)
            for place, block in enumerate(blocks):
                for one in variants[block["type"]].fields:
                    yield from links(one, block.get(one.id), f"{pointer}/{place}/{one.key}")
        case _ if isinstance(field, TEXTS):
            for kind, target in mentioned(value):
                yield field, kind, target, pointer
        case _:
            return


def searched(fields: tuple[Field, ...], values: Mapping[str, Any]) -> Iterator[tuple[Field, Weight, str]]:
    """The texts that are searched of what readers get, by the fields' ids, with how much they count."""
    for top in fields:
        if top.visibility == "public":
            yield from _searched(top, values.get(str(top.id)))


def _searched(field: Field, value: Any) -> Iterator[tuple[Field, Weight, str]]:
    if value is None:
        return
    match field:
        case ListField():
            for one in value:
                yield from _searched(field.of, one)
        case GroupField():
            for part in field.fields:
                yield from _searched(part, value.get(str(part.id)))
        case BlocksField():
            variants = {one.id: one for one in field.variants}
            for block in value:
                for part in variants[block["type"]].fields if block["type"] in variants else ():
                    yield from _searched(part, block.get(str(part.id)))
        case _ if isinstance(field, SEARCHED) and field.searchable is not None:
            yield field, field.searchable, value
        case _:
            return


def points(field: Field) -> bool:
    """Whether a value of it may point at something."""
    return any(isinstance(one, POINTING) for one in walk((field,)))


def pointing(fields: tuple[Field, ...], at: str = "") -> Iterator[tuple[Field, str]]:
    """The fields that may point at something, with the pointers of their links; ``*`` is a place in a list."""
    for field in fields:
        yield from _pointing(field, f"{at}/{field.key}")


def _pointing(field: Field, at: str) -> Iterator[tuple[Field, str]]:
    match field:
        case ReferencesField():
            yield field, f"{at}/*"
        case ListField():
            yield from _pointing(field.of, f"{at}/*")
        case GroupField():
            yield from pointing(field.fields, at)
        case BlocksField():
            for variant in field.variants:
                yield from pointing(variant.fields, f"{at}/*")
        case _ if isinstance(field, POINTING):
            yield field, at
        case _:
            return


def links_of(fields: tuple[Field, ...], values: Mapping[str, Any]) -> Iterator[Link]:
    """The links of a type's fields, counted for each of them."""
    counts: dict[str, int] = {}
    for top in fields:
        for field, kind, target, pointer in links(top, values.get(str(top.id)), f"/{top.key}"):
            name = str(field.id)
            counts[name] = counts.get(name, -1) + 1
            yield Link(
                name,
                counts[name],
                kind,  # type: ignore[arg-type]  # one of the kinds that mentions have
                target,
                pointer,
                field.on_delete,  # type: ignore[union-attr]  # what points has a policy
                getattr(field, "types", ()),
                top.visibility == "public",
            )


def without(field: Field, value: Any, gone: Collection[Target]) -> Any:
    """A stored value without what it points at there; None where nothing is left of a single one."""
    if value is None:
        return None
    match field:
        case MediaField() | ReferenceField():
            return None if (str(field.id), UUID(value)) in gone else value
        case ReferencesField():
            return [one for one in value if (str(field.id), UUID(one)) not in gone]
        case ListField():
            kept = (without(field.of, one, gone) for one in value)
            return [one for one in kept if one is not None]
        case GroupField():
            return _without_parts(field.fields, value, gone)
        case BlocksField():
            variants = {one.id: one for one in field.variants}
            return [
                _without_parts(variants[block["type"]].fields, block, gone)
                if block["type"] in variants
                else block
                for block in value
            ]
        case _ if isinstance(field, TEXTS):
            lost = {target for name, target in gone if name == field.id}
            return (
                unlinked(value, "markdown" if isinstance(field, MarkdownField) else "html", lost)
                if lost
                else value
            )
        case _:
            return value


def _without_parts(
    fields: tuple[Field, ...], value: Mapping[str, Any], gone: Collection[Target]
) -> dict[str, Any]:
    kept = dict(value)
    for field in fields:
        name = str(field.id)
        if name in kept and (left := without(field, kept[name], gone)) != kept[name]:
            if left is None:
                del kept[name]
            else:
                kept[name] = left
    return kept


def mapped(field: Field, value: Any, change: Callable[[Field, Any], Any]) -> Any:
    """A stored value with ``change`` done to each text in it."""
    if value is None:
        return None
    match field:
        case ListField():
            return [mapped(field.of, one, change) for one in value]
        case GroupField():
            return _mapped_parts(field.fields, value, change)
        case BlocksField():
            variants = {one.id: one for one in field.variants}
            return [
                _mapped_parts(variants[block["type"]].fields, block, change)
                for block in value
                if block["type"] in variants
            ]
        case _:
            return change(field, value)


def _mapped_parts(
    fields: tuple[Field, ...], value: Mapping[str, Any], change: Callable[[Field, Any], Any]
) -> dict[str, Any]:
    kept = {name: value[name] for name in ("id", "type") if name in value}
    for field in fields:
        if (held := value.get(str(field.id))) is not None:
            kept[str(field.id)] = mapped(field, held, change)
    return kept

"""Faults that are left where the types of other values are wrong: so that one answer tells all of them."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from cms_api.domains.cms.content_types.fields import (
    BlocksField,
    Field,
    GroupField,
    JsonField,
    ListField,
    ReferencesField,
    SlugField,
    TextField,
)
from cms_api.domains.cms.content_types.shapes import faults
from cms_api.kernel.errors import Fault


def remaining(field: Field, raw: Any, pointer: str, told: Collection[str]) -> Iterator[Fault]:
    """What is wrong with the JSON ``raw`` besides types and bounds; ``told`` are the pointers of those."""
    if pointer in told:
        return
    match field, raw:
        case ((TextField() | SlugField()), str()):
            yield from faults(field, raw, pointer)
        case JsonField(), _:
            yield from faults(field, raw, pointer)
        case ReferencesField(), list():
            yield from _duplicates(raw, pointer, "", "This document is there twice.")
        case ListField(), list():
            for place, one in enumerate(raw):
                yield from remaining(field.of, one, f"{pointer}/{place}", told)
        case GroupField(), dict():
            yield from _parts(field.fields, raw, pointer, told)
        case BlocksField(), list():
            blocks = [one if isinstance(one, dict) else {} for one in raw]
            yield from _duplicates(
                [one.get("id") for one in blocks], pointer, "/id", "Another block has this id."
            )
            variants = {one.key: one.fields for one in field.variants}
            for place, block in enumerate(blocks):
                kind = block.get("type")
                fields = variants.get(kind, ()) if isinstance(kind, str) else ()
                yield from _parts(fields, block, f"{pointer}/{place}", told)
        case _:
            return


def _parts(fields: tuple[Field, ...], raw: Any, pointer: str, told: Collection[str]) -> Iterator[Fault]:
    for field in fields:
        yield from remaining(field, raw.get(field.key), f"{pointer}/{field.key}", told)


def _duplicates(ids: list[Any], pointer: str, tail: str, detail: str) -> Iterator[Fault]:
    seen: set[UUID] = set()
    for place, one in enumerate(ids):
        try:
            found = UUID(one)
        except (ValueError, TypeError, AttributeError):
            continue
        if found in seen:
            yield Fault(f"{pointer}/{place}{tail}", "duplicate", detail)
        seen.add(found)

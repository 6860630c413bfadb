"""What a change of a type would do: found out by trying it on what is stored."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.content_types import shapes
from cms_api.domains.cms.content_types.conversions import Resolution, can_cast
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import (
    POINTING,
    BlocksField,
    Field,
    ReferenceField,
    ReferencesField,
    inner,
    type_of,
    walk,
)
from cms_api.domains.cms.content_types.interface import Change, Plan
from cms_api.domains.cms.content_types.tallies import MAX_EXAMPLES, Tally
from cms_api.kernel.errors import Fault

T = TypeVar("T")

# What of a field says nothing about which values are right.
_COSMETIC = frozenset(
    {
        "key",
        "name",
        "description",
        "default",
        "indexed",
        "unique",
        "visibility",
        "localised",
        "on_delete",
        "searchable",
    }
)


def tallies(before: Definition, after: Definition, resolutions: Mapping[str, Resolution]) -> list[Tally]:
    """What is to be counted."""
    old = {field.id: field for field in before.fields}
    counted = []
    for field in after.fields:
        known = old.pop(field.id, None)
        resolution = resolutions.get(field.key)
        if known is None:
            if field.required:
                counted.append(Tally(field, None, resolution))
        elif core(known) != core(field):
            counted.append(Tally(field, known, resolution))
    counted += [Tally(None, field, resolutions.get(field.key)) for field in old.values()]
    return counted


def points_otherwise(before: Definition, after: Definition) -> bool:
    """Whether equal values point at other things than before, or are rendered in another way."""
    old, new = ({one.id: one for one in walk(of.fields)} for of in (before, after))
    stood, stand = (
        {str(one.id): (type_of(one), _form(at)) for one, at in shapes.pointing(of.fields)}
        for of in (before, after)
    )
    return any(stood.get(str(name)) != stand.get(str(name)) for name in old.keys() & new.keys())


def _form(pointer: str) -> list[bool]:
    return [part == "*" for part in pointer.split("/")]


def pointers(before: Definition, after: Definition) -> dict[str, str]:
    """The fields whose links stand elsewhere because something is renamed, with where that is."""
    stood = {str(one.id): at for one, at in shapes.pointing(before.fields)}
    stand = {str(one.id): at for one, at in shapes.pointing(after.fields)}
    return {name: at for name, at in _changed(stood, stand).items() if _form(stood[name]) == _form(at)}


def core(field: Field) -> Any:
    """What of a field decides which values are right, in one form."""
    return _core(msgspec.to_builtins(field))


def _core(value: Any) -> Any:
    if isinstance(value, dict):
        is_field = "id" in value
        return {name: _core(one) for name, one in value.items() if not (is_field and name in _COSMETIC)}
    if isinstance(value, list):
        items = [_core(one) for one in value]
        if items and all(isinstance(one, dict) and "id" in one for one in items):
            return sorted(items, key=lambda one: str(one["id"]))
        return items
    return value


def type_faults(before: Definition, after: Definition) -> Iterator[Fault]:
    """Fields whose values can't become those of the field that follows them."""
    old = {field.id: field for field in before.fields}
    for place, field in enumerate(after.fields):
        known = old.get(field.id)
        if known is not None:
            yield from _type_faults(known, field, f"/fields/{place}")


def _type_faults(before: Field, after: Field, at: str) -> Iterator[Fault]:
    if not can_cast(before, after):
        detail = f"A field “{type_of(before)}” can't become one of the type “{type_of(after)}”: make another field."
        yield Fault(f"{at}/type", "type", detail)
        return
    if type_of(before) == type_of(after):
        old = {one.id: one for one in inner(before)}
        for one in inner(after):
            if (known := old.get(one.id)) is not None:
                yield from _type_faults(known, one, at)


def told(before: Definition, after: Definition) -> Iterator[Change]:
    """What a change says by itself, whatever is stored."""
    for name in ("name", "description", "title_field"):
        if getattr(before, name) != getattr(after, name):
            yield _safe("update_type", None, name, f"“{name}” of the type changes.")
    yield from _told(before.fields, after.fields, "", None)


def _told(
    before: tuple[Field, ...], after: tuple[Field, ...], path: str, top: str | None
) -> Iterator[Change]:
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    for field in after:
        where, owner = f"{path}{field.key}", top or field.key
        known = old.get(field.id)
        if known is None:
            yield _safe("add_field", owner, where, f"A field “{field.key}” ({type_of(field)}) comes in.")
            continue
        if known.key != field.key:
            detail = f"“{known.key}” is called “{field.key}”; its values stay."
            yield _safe("rename_field", owner, where, detail)
        if differing := _differing(known, field):
            yield _safe("change_field", owner, where, f"“{field.key}” changes: {', '.join(differing)}.")
        yield from _told_inside(known, field, f"{where}.", owner)
    for field in before:
        if field.id not in new:
            owner = top or field.key
            yield _safe("remove_field", owner, f"{path}{field.key}", f"“{field.key}” goes.")
    kept = [one.id for one in before if one.id in new]
    if kept != [one.id for one in after if one.id in old]:
        yield _safe("move_field", top, path.rstrip("."), "The fields stand in another order.")


def _told_inside(known: Field, field: Field, path: str, owner: str) -> Iterator[Change]:
    if isinstance(known, BlocksField) and isinstance(field, BlocksField):
        old = {one.id: one for one in known.variants}
        for variant in field.variants:
            before = old.pop(variant.id, None)
            if before is None:
                yield _safe(
                    "change_field",
                    owner,
                    f"{path}{variant.key}",
                    f"A kind of block “{variant.key}” comes in.",
                )
                continue
            if before.key != variant.key:
                detail = f"The block “{before.key}” is called “{variant.key}”."
                yield _safe("rename_field", owner, f"{path}{variant.key}", detail)
            yield from _told(before.fields, variant.fields, f"{path}{variant.key}.", owner)
        for gone in old.values():
            yield _safe("remove_variant", owner, f"{path}{gone.key}", f"The block “{gone.key}” goes.")
        return
    yield from _told(tuple(inner(known)), tuple(inner(field)), path, owner)


def _differing(before: Field, after: Field) -> list[str]:
    """The names of what is different in a field itself."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    inside = {"key", "id", "of", "fields", "variants"}
    return [
        name for name in dict.fromkeys((*old, *new)) if name not in inside and old.get(name) != new.get(name)
    ]


def _safe(action: Any, field: str | None, path: str, detail: str) -> Change:
    return Change(action=action, field=field, path=path, detail=detail, is_safe=True)


def created(key: str) -> Plan:
    """The plan of a type that is not there yet."""
    change = _safe("create_type", None, "", f"“{key}” comes in.")
    return Plan(key=key, version=0, is_safe=True, is_applicable=True, changes=(change,))


def moving(before: str | None, after: str | None, number: int, resolution: Resolution | None) -> Change:
    """What another path of a type does to its ``number`` live documents."""
    is_lossy = after is None and number > 0
    if after is None:
        words = "lose their address"
    else:
        words = "get an address" if before is None else "move; redirects lead to them from where they were"
    return Change(
        action="move_documents",
        field="path",
        path="path",
        detail=f"{number} documents {words}.",
        is_safe=not is_lossy,
        live=number,
        resolutions=("drop",) if is_lossy else (),
        resolution=resolution if is_lossy and resolution == "drop" else None,
    )


def refused(key: str, number: int, examples: Iterable[UUID], words: str) -> Change:
    """A step that nothing but a change of the documents makes possible; ``key`` is a field's, or `path`."""
    return Change(
        action="refuse",
        field=key,
        path=key,
        detail=f"{number} documents {words}.",
        is_safe=False,
        drafts=number,
        examples=tuple(examples)[:MAX_EXAMPLES],
    )


def policies(before: Definition, after: Definition) -> dict[str, str]:
    """The fields whose policy of deletion changes, with the new one."""
    return _changed(_policies(before), _policies(after))


def _policies(definition: Definition) -> dict[str, str]:
    return {
        str(field.id): field.on_delete for field in walk(definition.fields) if isinstance(field, POINTING)
    }


def visibilities(before: Definition, after: Definition) -> dict[str, bool]:
    """The fields that readers see from now on, or no more, as far as they may point at something."""
    return _changed(_visibilities(before), _visibilities(after))


def _visibilities(definition: Definition) -> dict[str, bool]:
    return {
        str(field.id): top.visibility == "public"
        for top in definition.fields
        for field in walk((top,))
        if isinstance(field, POINTING)
    }


def _changed(old: Mapping[str, T], new: Mapping[str, T]) -> dict[str, T]:
    """What is another value than it was, of names that were there before."""
    return {name: value for name, value in new.items() if name in old and old[name] != value}


def narrowed(before: Definition, after: Definition) -> Iterator[tuple[Field, tuple[str, ...]]]:
    """Fields that may point at fewer types than before, with those that are left."""
    old = {field.id: field for field in walk(before.fields)}
    for field in walk(after.fields):
        known = old.get(field.id)
        if isinstance(field, (ReferenceField, ReferencesField)) and field.types and known is not None:
            had = getattr(known, "types", ())
            if not had or set(had) - set(field.types):
                yield field, field.types

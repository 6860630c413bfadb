"""What a content type is: a key, and fields."""

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Any

import msgspec
import re2  # type: ignore[import-untyped]  # it says nothing of its types
from msgspec import Meta

from cms_api.domains.cms.content_types.fields import (
    RELATIONS,
    SCALARS,
    SEARCHED,
    BlocksField,
    EnumField,
    Field,
    GroupField,
    Key,
    Label,
    ListField,
    Note,
    NumberField,
    PathPattern,
    ReferenceField,
    ReferencesField,
    TextField,
    TypeKey,
    Variant,
    new_field_id,
    type_of,
    walk,
)
from cms_api.domains.cms.documents.interface import DocumentView
from cms_api.domains.cms.documents.slugs import check_slug
from cms_api.kernel.errors import Fault, Invalid

SLUG = "{slug}"
MAX_FIELDS = 200
MAX_DEPTH = 5
# A row of an index holds 2,704 bytes (PostgreSQL manual, section 64.1), a character up to four.
MAX_INDEXED = 500
BUILT_IN = ("post", "page")
# Names that the addresses beside `/entries/{type}` have, or that would be taken for them.
RESERVED_TYPES = frozenset({*BUILT_IN, "posts", "pages", "single", "types", "query"})
# What an entry has beside its own fields, in management and in delivery.
SYSTEM_FIELDS = frozenset(
    {*DocumentView.__struct_fields__, "withheld", "translations", "translation_of", "path"}
)

_PATH = re.compile(r"(?:/[^/{}]+)+/\{slug\}")
_QUIET = re2.Options()
_QUIET.log_errors = False
_QUIET.max_mem = 1 << 20


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a content type says of its documents.

    A singleton has one document for each language. ``title_field`` names the text that a document
    goes by in lists, and that its slug is made of; the first text where none is named. Who may not see
    that field gets the slug in its place. Where there is a ``path``, a pattern, live documents have an
    address on the site.
    """

    key: TypeKey
    name: Label = ""
    description: Note = ""
    singleton: bool = False
    title_field: Key | None = None
    path: PathPattern | None = None
    fields: Annotated[tuple[Field, ...], Meta(max_length=1_000)] = ()

    @property
    def title(self) -> Field | None:
        """The field that documents go by, if there is one."""
        texts = (field for field in self.fields if isinstance(field, TextField))
        return next((field for field in texts if self.title_field in (None, field.key)), None)

    def address(self, slug: str) -> str | None:
        """Where the live document of this slug is on the site, without a slash in front; None for nowhere."""
        return None if self.path is None else self.path.removeprefix("/").replace(SLUG, slug)

    @property
    def common_title(self) -> Field | None:
        """The field that documents go by, as far as everybody may see it who sees them."""
        title = self.title
        return title if title is not None and title.visibility != "restricted" else None

    @property
    def public_title(self) -> Field | None:
        """The field that documents go by, as far as readers may see it."""
        title = self.title
        return title if title is not None and title.visibility == "public" else None

    def searched(self) -> frozenset[tuple[str, str, str]]:
        """What documents are found by: the ids of fields, their types and how much they count."""
        found = {
            (str(field.id), type_of(field), str(field.searchable))
            for top in self.fields
            if top.visibility == "public"
            for field in walk((top,))
            if isinstance(field, SEARCHED) and field.searchable is not None
        }
        if found and (title := self.public_title) is not None:
            found.add((str(title.id), "title", "high"))
        return frozenset(found)

    def field(self, field_id: str) -> Field | None:
        """The field at the top with this id."""
        return next((field for field in self.fields if field.id == field_id), None)

    def points_at(self) -> frozenset[str]:
        """The types that its fields name."""
        return frozenset(
            key
            for field in walk(self.fields)
            if isinstance(field, (ReferenceField, ReferencesField))
            for key in field.types
        )


def pattern_of(pattern: str) -> Any:
    """The compiled pattern, which takes time in proportion to the text (RE2). Raises `re2.error`."""
    return re2.compile(pattern, _QUIET)


def with_ids(fields: tuple[Field, ...], before: tuple[Field, ...] = ()) -> tuple[Field, ...]:
    """The fields with ids: those given, those of fields with the same key and type before, or new ones."""
    held = {field.id for field in fields if field.id is not None}
    known = {(field.key, type_of(field)): field for field in before if field.id not in held}
    by_id = {field.id: field for field in before}
    return tuple(_with_id(field, known.get((field.key, type_of(field))), by_id) for field in fields)


def _with_id(field: Field, same: Field | None, by_id: dict[str | None, Field]) -> Field:
    field_id = field.id or (same.id if same else None) or new_field_id()
    old = by_id.get(field_id)
    match field:
        case ListField():
            of = old.of if isinstance(old, ListField) else None
            (item,) = with_ids((field.of,), (of,) if of else ())
            return msgspec.structs.replace(field, id=field_id, of=item)
        case GroupField():
            parts = old.fields if isinstance(old, GroupField) else ()
            return msgspec.structs.replace(field, id=field_id, fields=with_ids(field.fields, parts))
        case BlocksField():
            variants = old.variants if isinstance(old, BlocksField) else ()
            return msgspec.structs.replace(field, id=field_id, variants=_variants(field.variants, variants))
        case _:
            return msgspec.structs.replace(field, id=field_id)


def _variants(variants: tuple[Variant, ...], before: tuple[Variant, ...]) -> tuple[Variant, ...]:
    held = {one.id for one in variants if one.id is not None}
    by_key = {one.key: one for one in before if one.id not in held}
    by_id = {one.id: one for one in before}
    found = []
    for one in variants:
        same = by_id.get(one.id) if one.id else by_key.get(one.key)
        fields = with_ids(one.fields, same.fields if same else ())
        found.append(
            msgspec.structs.replace(one, id=one.id or (same.id if same else new_field_id()), fields=fields)
        )
    return tuple(found)


def faults_of(definition: Definition, types: Collection[str]) -> Iterator[Fault]:
    """Everything that is wrong with a definition; ``types`` are the types that there are."""
    if definition.key in RESERVED_TYPES:
        yield Fault("/key", "reserved", f"“{definition.key}” is a type, or an address, already.")
    if definition.path is not None:
        yield from path_faults(definition.path, "/path")
    total = 0
    for total, _ in enumerate(_bounded(definition.fields), 1):  # noqa: B007 - the last one counts
        pass
    if total > MAX_FIELDS:
        yield Fault("/fields", "too_many", f"A type has at most {MAX_FIELDS} fields, at all depths together.")
        return
    ids: dict[str, str] = {}
    yield from _list_faults(definition.fields, "/fields", 1, ids, {*types, definition.key, *BUILT_IN})
    for place, field in enumerate(definition.fields):
        if field.key in SYSTEM_FIELDS:
            detail = f"Every entry has a field “{field.key}” already."
            yield Fault(f"/fields/{place}/key", "reserved", detail)
    named = {field.key for field in definition.fields if isinstance(field, TextField)}
    if definition.title_field is not None and definition.title_field not in named:
        yield Fault("/title_field", "unknown_field", "This is the key of a text field at the top.")


def path_faults(path: str, pointer: str) -> Iterator[Fault]:
    """Everything that is wrong with a pattern of addresses."""
    if not _PATH.fullmatch(path):
        detail = (
            f"A path is a slash, fixed names with slashes between, and “{SLUG}” at the end: “/events/{SLUG}”."
        )
        yield Fault(pointer, "path", detail)
        return
    for name in path.split("/")[1:-1]:
        try:
            is_clean = check_slug(name) == name
        except Invalid:
            is_clean = False
        if not is_clean:
            yield Fault(pointer, "path", f"“{name[:100]}” is no name for addresses: words joined by hyphens.")


def _bounded(fields: tuple[Field, ...]) -> Iterator[Field]:
    """All fields, as many as matter."""
    for number, field in enumerate(walk(fields)):
        if number > MAX_FIELDS:
            return
        yield field


def _list_faults(
    fields: tuple[Field, ...], pointer: str, depth: int, ids: dict[str, str], types: Collection[str]
) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, field in enumerate(fields):
        at = f"{pointer}/{place}"
        if not field.key:
            yield Fault(f"{at}/key", "required", "The field “key” is required.")
        elif field.key in seen:
            yield Fault(f"{at}/key", "duplicate", f"There are two fields “{field.key}”.")
        seen.add(field.key)
        yield from _faults(field, at, depth, ids, types)


def _faults(
    field: Field, at: str, depth: int, ids: dict[str, str], types: Collection[str]
) -> Iterator[Fault]:
    if field.id is not None:
        if field.id in ids:
            yield Fault(f"{at}/id", "duplicate", f"{ids[field.id]} has this id as well.")
        ids.setdefault(field.id, at)
    if depth > MAX_DEPTH:
        yield Fault(at, "too_deep", f"Fields are nested at most {MAX_DEPTH} deep.")
        return
    yield from _flag_faults(field, at, is_top=depth == 1)
    yield from _bound_faults(field, at)
    yield from _own_faults(field, at, depth, ids, types)


def _flag_faults(field: Field, at: str, *, is_top: bool) -> Iterator[Fault]:
    for name in ("unique", "indexed"):
        if getattr(field, name) and not (is_top and isinstance(field, SCALARS)):
            yield Fault(f"{at}/{name}", "not_here", f"Only single values at the top of a type can be {name}.")
    if field.localised and not is_top:
        yield Fault(f"{at}/localised", "not_here", "What is inside of a field is as localised as that is.")
    if field.visibility != "public" and not is_top:
        yield Fault(f"{at}/visibility", "not_here", "What is inside of a field is as visible as that is.")
    is_kept = field.required or (isinstance(field, ReferencesField) and field.min_items > 0)
    if isinstance(field, RELATIONS) and is_kept and field.on_delete == "unlink":
        detail = "What is required can't be unlinked: say “restrict” or “cascade”."
        yield Fault(f"{at}/on_delete", "contradiction", detail)


def _bound_faults(field: Field, at: str) -> Iterator[Fault]:
    for low, high in (("min_length", "max_length"), ("minimum", "maximum"), ("min_items", "max_items")):
        least, most = getattr(field, low, None), getattr(field, high, None)
        if least is not None and most is not None and least > most:
            yield Fault(f"{at}/{high}", "range", f"“{high}” is less than “{low}”.")
    if isinstance(field, TextField) and field.indexed and field.max_length > MAX_INDEXED:
        detail = f"An indexed text has at most {MAX_INDEXED} characters: say so."
        yield Fault(f"{at}/max_length", "range", detail)
    if isinstance(field, NumberField) and field.integer:
        for name in ("minimum", "maximum"):
            if isinstance(getattr(field, name), float):
                yield Fault(f"{at}/{name}", "type", "The bound of a whole number is a whole number.")


def _own_faults(  # noqa: C901, PLR0912 - a case for each type of field
    field: Field, at: str, depth: int, ids: dict[str, str], types: Collection[str]
) -> Iterator[Fault]:
    match field:
        case TextField() if field.pattern is not None:
            try:
                pattern_of(field.pattern)
            except re2.error as error:
                detail = f"This is no regular expression that RE2 takes: {_reason(error)}."
                yield Fault(f"{at}/pattern", "pattern", detail)
        case EnumField():
            if not field.options:
                yield Fault(f"{at}/options", "required", "There must be something to choose from.")
            for place, option in enumerate(field.options):
                if option in field.options[:place]:
                    yield Fault(f"{at}/options/{place}", "duplicate", f"“{option}” is there twice.")
        case ReferenceField() | ReferencesField():
            for place, key in enumerate(field.types):
                if key not in types:
                    yield Fault(f"{at}/types/{place}", "unknown_type", f"There is no content type “{key}”.")
        case ListField():
            if isinstance(field.of, (ListField, BlocksField, ReferencesField)):
                detail = "A list is of single values or groups; several references are a field of their own."
                yield Fault(f"{at}/of/type", "not_here", detail)
            if field.of.key:
                yield Fault(f"{at}/of/key", "not_here", "What a list is of has no key.")
            yield from _faults(field.of, f"{at}/of", depth + 1, ids, types)
        case GroupField():
            if not field.fields:
                yield Fault(f"{at}/fields", "required", "A group has at least one field.")
            yield from _list_faults(field.fields, f"{at}/fields", depth + 1, ids, types)
        case BlocksField():
            yield from _variant_faults(field, at, depth, ids, types)
        case _:
            return


def _variant_faults(
    field: BlocksField, at: str, depth: int, ids: dict[str, str], types: Collection[str]
) -> Iterator[Fault]:
    if not field.variants:
        yield Fault(f"{at}/variants", "required", "There is at least one kind of block.")
    seen: set[str] = set()
    for place, variant in enumerate(field.variants):
        here = f"{at}/variants/{place}"
        if variant.key in seen:
            yield Fault(f"{here}/key", "duplicate", f"There are two kinds “{variant.key}”.")
        seen.add(variant.key)
        if variant.id is not None:
            if variant.id in ids:
                yield Fault(f"{here}/id", "duplicate", f"{ids[variant.id]} has this id as well.")
            ids.setdefault(variant.id, here)
        for number, one in enumerate(variant.fields):
            if one.key in ("id", "type"):
                yield Fault(
                    f"{here}/fields/{number}/key", "reserved", f"Every block has a field “{one.key}” already."
                )
        yield from _list_faults(variant.fields, f"{here}/fields", depth + 1, ids, types)


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)

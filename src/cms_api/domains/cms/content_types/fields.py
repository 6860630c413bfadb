"""The fields that a content type is made of: what an editor may say, and what counts as right."""

import secrets
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import Meta

from cms_api.domains.cms.documents.content import OnDelete
from cms_api.domains.cms.search.text import Weight

Key = Annotated[
    str,
    Meta(
        pattern=r"^[a-z](?:_?[a-z0-9])*$(?!\n)",
        max_length=60,
        description="Lower case letters, digits and single underscores, a letter first.",
        examples=["headline"],
    ),
]
FieldKey = Annotated[
    str, Meta(pattern=r"^(?:[a-z](?:_?[a-z0-9])*)?$(?!\n)", max_length=60, examples=["headline"])
]
TypeKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z](?:[_-]?[a-z0-9])*$(?!\n)",
        max_length=60,
        description="The name in addresses: lower case, words joined by `-` or `_`.",
        examples=["event"],
    ),
]
FieldId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9]{9}$(?!\n)",
        description="What the field's values are stored under, for good: a field with another key and the same "
        "id is renamed. Made here where not given.",
    ),
]
PathPattern = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="Where live entries are on the site: fixed names, and `{slug}` as the last one.",
        examples=["/events/{slug}"],
    ),
]
Label = Annotated[str, Meta(max_length=200)]
Note = Annotated[str, Meta(max_length=2_000)]
Visibility = Annotated[
    Literal["public", "internal", "restricted"],
    Meta(
        description="`public`: readers see it; `internal`: management only; `restricted`: management, and there "
        "only who has `documents:read_restricted`."
    ),
]
Searchable = Annotated[
    Weight | None,
    Meta(
        description="Whether, and how much, it counts in full-text search; only what is `public` is searched. "
        "Where anything of a type is, its title is, too, and counts most."
    ),
]
Length = Annotated[int, Meta(ge=0, le=1_000_000)]
Many = Annotated[int, Meta(ge=0, le=1_000)]
Pattern = Annotated[
    str,
    Meta(
        min_length=1, max_length=500, description="A regular expression in RE2's syntax, for the whole text."
    ),
]
# Whole numbers that JSON's readers agree on (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1
Integer = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Number = Union[Integer, float]  # noqa: UP007 - an annotated member and a plain one

READ_RESTRICTED = "documents:read_restricted"

LENGTH = 10
_FIRST = "abcdefghijklmnopqrstuvwxyz"
_REST = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_field_id() -> str:
    """Ten letters and digits; two of them are alike once in 10^15 times."""
    return secrets.choice(_FIRST) + "".join(secrets.choice(_REST) for _ in range(LENGTH - 1))


class FieldBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """What all fields have. ``unique`` and ``indexed`` are for single values at the top of a type.

    The key is left out in the field that says what a list is of.
    """

    key: FieldKey = ""
    id: FieldId | None = None
    name: Label = ""
    description: Note = ""
    required: bool = False
    localised: Annotated[
        bool,
        Meta(
            description="Whether each language has a value of its own; else all translations share it. "
            "`unique` counts within a language where it has one."
        ),
    ] = False
    unique: bool = False
    indexed: bool = False
    visibility: Visibility = "public"


class TextField(FieldBase, frozen=True, kw_only=True, tag="text"):
    """Plain text."""

    min_length: Length = 0
    max_length: Length = 10_000
    pattern: Pattern | None = None
    default: str | None = None
    searchable: Searchable = None


class RichTextField(FieldBase, frozen=True, kw_only=True, tag="rich_text"):
    """HTML, sanitised when it is published. `cms://document/<id>` in it is a link that is kept track of."""

    max_length: Length = 1_000_000
    default: str | None = None
    on_delete: OnDelete = "restrict"
    searchable: Searchable = None


class MarkdownField(FieldBase, frozen=True, kw_only=True, tag="markdown"):
    """Markdown; readers get safe HTML."""

    max_length: Length = 1_000_000
    default: str | None = None
    on_delete: OnDelete = "restrict"
    searchable: Searchable = None


class NumberField(FieldBase, frozen=True, kw_only=True, tag="number"):
    """A number; whole ones only where `integer` is set."""

    integer: bool = False
    minimum: Number | None = None
    maximum: Number | None = None
    default: Number | None = None


class BooleanField(FieldBase, frozen=True, kw_only=True, tag="boolean"):
    """True or false."""

    default: bool | None = None


class DateField(FieldBase, frozen=True, kw_only=True, tag="date"):
    """A day: `2026-01-02`."""

    default: str | None = None


class DateTimeField(FieldBase, frozen=True, kw_only=True, tag="datetime"):
    """A moment: `2026-01-02T03:04:05Z`. Other offsets are turned into UTC."""

    default: str | None = None


class EnumField(FieldBase, frozen=True, kw_only=True, tag="enum"):
    """One of several texts."""

    options: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=500)
    ] = ()
    default: str | None = None
    searchable: Searchable = None


class JsonField(FieldBase, frozen=True, kw_only=True, tag="json"):
    """Any JSON, taken as it is; `max_bytes` long at most."""

    max_bytes: Annotated[int, Meta(ge=1, le=1_000_000)] = 100_000
    default: Any = None


class SlugField(FieldBase, frozen=True, kw_only=True, tag="slug"):
    """A name for addresses: words joined by hyphens."""

    default: str | None = None


class MediaField(FieldBase, frozen=True, kw_only=True, tag="media"):
    """A file."""

    on_delete: OnDelete = "restrict"


Types = Annotated[
    tuple[TypeKey, ...],
    Meta(max_length=50, description="The content types that it may point at; any where there are none."),
]


class ReferenceField(FieldBase, frozen=True, kw_only=True, tag="reference"):
    """A document."""

    types: Types = ()
    on_delete: OnDelete = "restrict"


class ReferencesField(FieldBase, frozen=True, kw_only=True, tag="references"):
    """Several documents in an order, none of them twice."""

    types: Types = ()
    on_delete: OnDelete = "restrict"
    min_items: Many = 0
    max_items: Many = 100


class ListField(FieldBase, frozen=True, kw_only=True, tag="list"):
    """Several of the same."""

    of: "Field"
    min_items: Many = 0
    max_items: Many = 100


class GroupField(FieldBase, frozen=True, kw_only=True, tag="group"):
    """Fields that belong together."""

    fields: "tuple[Field, ...]" = ()


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of block."""

    key: Key
    id: FieldId | None = None
    name: Label = ""
    description: Note = ""
    fields: "tuple[Field, ...]" = ()


class BlocksField(FieldBase, frozen=True, kw_only=True, tag="blocks"):
    """A sequence of blocks, each of one of several kinds and under an id that stays."""

    variants: Annotated[tuple[Variant, ...], Meta(max_length=50)] = ()
    min_items: Many = 0
    max_items: Many = 200


Field = (
    TextField | RichTextField | MarkdownField | NumberField | BooleanField | DateField | DateTimeField | EnumField
    | JsonField | SlugField | MediaField | ReferenceField | ReferencesField | ListField | GroupField | BlocksField
)  # fmt: skip

TEXTS = (RichTextField, MarkdownField)
SEARCHED = (TextField, RichTextField, MarkdownField, EnumField)
# Whose value is an id, or several.
RELATIONS = (MediaField, ReferenceField, ReferencesField)
POINTING = (*RELATIONS, *TEXTS)
# What can be filtered, sorted and indexed: single values.
SCALARS = (TextField, NumberField, BooleanField, DateField, DateTimeField, EnumField, SlugField)


def type_of(field: Field) -> str:
    """The field's type, as clients write it."""
    return str(field.__struct_config__.tag)


def inner(field: Field) -> Iterator[Field]:
    """The fields right inside of a field."""
    match field:
        case ListField():
            yield field.of
        case GroupField():
            yield from field.fields
        case BlocksField():
            for variant in field.variants:
                yield from variant.fields
        case _:
            return


def walk(fields: "tuple[Field, ...]") -> Iterator[Field]:
    """All fields, at every depth."""
    for field in fields:
        yield field
        yield from walk(tuple(inner(field)))

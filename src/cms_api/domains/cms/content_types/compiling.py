"""Content types made into structs: input is checked at C speed, and its JSON Schema is exact."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cms_api.domains.cms.content_types import shapes
from cms_api.domains.cms.content_types.annotations import (
    MODULE,
    Moment,
    annotation,
    described,
    member,
    pascal,
    struct,
)
from cms_api.domains.cms.content_types.conversions import Resolution, converted
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import READ_RESTRICTED, Field, walk
from cms_api.domains.cms.content_types.remaining import remaining
from cms_api.domains.cms.documents.content import CardKind, OpenGraph, Seo, TwitterCard
from cms_api.domains.cms.documents.model import ContentType
from cms_api.domains.cms.documents.seo import DeliveredSeo
from cms_api.domains.cms.documents.slugs import check_slug
from cms_api.domains.cms.entries.content import EntryContent
from cms_api.domains.cms.entries.interface import EntryView
from cms_api.domains.cms.search.interface import Highlights
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Fault, Faults, Invalid
from cms_api.querying import HIGHLIGHTS
from cms_api.validation import convert

SlugText = Annotated[
    str, Meta(min_length=1, max_length=200, description="Made of the title where it is not given.")
]
Authors = Annotated[
    tuple[UUID, ...], Meta(max_length=20, description="Ids of authors, the first one leading.")
]
Locale = Annotated[
    str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)", max_length=35, examples=["en"])
]
MOMENTS = ("published_at", "first_published_at", "created_at", "updated_at")


SeoTitle = Annotated[str, Meta(max_length=500)]
SeoText = Annotated[str, Meta(max_length=2_000)]


class OpenGraphInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What previews show in networks, see ogp.me. `image` is a file."""

    title: SeoTitle | None = None
    description: SeoText | None = None
    image: UUID | None = None
    type: (
        Annotated[str, Meta(pattern=r"^[a-z_]+(\.[a-z_]+)?$(?!\n)", max_length=50, examples=["article"])]
        | None
    ) = None


class TwitterCardInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What previews show where they are cards. `image` is a file."""

    card: CardKind | None = None
    title: SeoTitle | None = None
    description: SeoText | None = None
    image: UUID | None = None
    creator: Annotated[str, Meta(max_length=50, pattern=r"^@\w+$(?!\n)", examples=["@ada"])] | None = None


class SeoInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What search engines and previews show in place of title and excerpt."""

    title: SeoTitle | None = None
    description: SeoText | None = None
    canonical: (
        Annotated[str, Meta(max_length=2_000, pattern=r"^https?://[^\s]+$(?!\n)")] | UnsetType | None
    ) = UNSET
    noindex: bool | UnsetType = UNSET
    nofollow: bool | UnsetType = UNSET
    og: OpenGraphInput | UnsetType | None = UNSET
    twitter: TwitterCardInput | UnsetType | None = UNSET


class Neighbours(NamedTuple):
    """All types that there are, which lists may walk to; ``stamp`` is another one once any has changed."""

    stamp: str
    definitions: Mapping[str, Definition]


ALONE = Neighbours("", {})


class EntryKind(ContentType[EntryContent], frozen=True, kw_only=True):
    """A compiled type.

    ``new`` is what a new entry is decoded as, ``whole`` what a changed one is, ``patch`` describes
    a merge patch, ``view`` what management shows, ``delivered`` what readers get. ``conversions``
    are what documents that were stored before may have before them, by the fields' ids. ``names``
    are those ids, ``formed`` what makes stored values of those that come in another form.
    ``restricted_ids`` are the ids of the ``restricted`` fields, and of whatever is inside of them.
    """

    definition: Definition
    new: type[msgspec.Struct]
    whole: type[msgspec.Struct]
    patch: type[msgspec.Struct]
    view: type[EntryView]
    delivered: type[msgspec.Struct]
    conversions: Mapping[str, Resolution | None]
    unready: tuple[str, ...] = ()
    names: tuple[str, ...]
    values_of: Callable[[Any], tuple[Any, ...]]
    formed: tuple[tuple[str, Callable[[Any], Any]], ...]
    checked: tuple[Field, ...]
    restricted: frozenset[str]
    restricted_ids: frozenset[str]
    is_searched: bool
    neighbours: Neighbours = ALONE

    def withheld(self, actor: Actor) -> frozenset[str]:
        """The fields that this actor may not see."""
        if not self.restricted or actor.is_system or actor.may(READ_RESTRICTED):
            return frozenset()
        return self.restricted

    def seen(self, actor: Actor) -> frozenset[str] | None:
        # Nobody knows any more whether a field that is gone, or goes by another key, was restricted.
        return None if actor.may(READ_RESTRICTED) else frozenset(self.fields) - self.restricted

    def told(self, actor: Actor, content: EntryContent) -> dict[str, Any]:
        """A content as this actor sees it."""
        withheld = self.withheld(actor)
        return {name: one for name, one in content.told().items() if name not in withheld}

    def current(self, content: EntryContent) -> EntryContent:
        """A content that is stored, as the type has it by now."""
        if not self.conversions:
            return content
        fields = converted(self.definition.fields, self.conversions, content.fields)
        return content if fields == content.fields else msgspec.structs.replace(content, fields=fields)

    def read(
        self, values: Mapping[str, Any], wanted: type[msgspec.Struct], *, slug: str | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Input as ``wanted``, and its fields as they are stored; ``slug`` is right, as it is there already.

        Raises `Invalid` with every fault that can be found without looking at anything else.
        """
        wrong = Faults()
        given, fields = None, dict[str, Any]()
        told: frozenset[str] = frozenset()
        try:
            given = convert(values, wanted)
        except Invalid as error:
            told = frozenset(fault.pointer for fault in error.faults)
            wrong.note(*error.faults)
            for field in self.checked:
                wrong.note(*remaining(field, values.get(field.key), f"/{field.key}", told))
        else:
            with wrong.noted():
                fields = self.stored_of(given)
        if values.get("slug") not in (None, slug) and "/slug" not in told:
            with wrong.noted():
                check_slug(values["slug"])
        wrong.refuse()
        return given, fields

    def stored_of(self, given: Any) -> dict[str, Any]:
        """The fields of checked input as they are stored. Raises `Invalid` with every fault that is left."""
        wrong = Faults()
        for field in self.checked:
            wrong.note(*shapes.faults(field, getattr(given, field.key), f"/{field.key}"))
        wrong.refuse()
        # All values at once: a loop over the fields would cost more than checking them does.
        fields: dict[str, Any] = dict(zip(self.names, self.values_of(given), strict=True))
        for name, form in self.formed:
            if (value := fields[name]) is not None:
                fields[name] = form(value)
        if None in fields.values():
            return {name: value for name, value in fields.items() if value is not None}
        return fields


def seo_of(given: SeoInput | None) -> Seo:
    """The input as a content has it."""
    if given is None:
        return Seo()
    values = {name: one for name in Seo.__struct_fields__ if (one := getattr(given, name)) is not UNSET}
    for name, kind in (("og", OpenGraph), ("twitter", TwitterCard)):
        if values.get(name) is not None:
            values[name] = msgspec.convert(values[name], kind, from_attributes=True)
    return Seo(**values)


def compiled(
    definition: Definition,
    *,
    version: int,
    conversions: dict[str, Resolution | None] | None = None,
    unready: tuple[str, ...] = (),
    name: str | None = None,
    neighbours: Neighbours = ALONE,
) -> EntryKind:
    """The type, ready for use. ``unready`` are unique fields whose index is still being built.

    ``name`` is what its structs are named after, where that is not its key.
    """
    name = name or pascal(definition.key)
    restricted = tuple(field for field in definition.fields if field.visibility == "restricted")
    # A class of its own for each version of a type: a content knows its names by its class.
    content = type(f"{name}Content", (EntryContent,), {"definition": definition}, frozen=True, kw_only=True)
    return EntryKind(
        key=definition.key,
        content=content,
        fields=("slug", "authors", "seo", *(field.key for field in definition.fields)),
        version=version,
        definition=definition,
        new=_input(definition, f"New{name}Entry", has_defaults=True),
        whole=_input(definition, f"Whole{name}Entry", has_defaults=False),
        patch=_patch(definition, f"{name}EntryPatch"),
        view=_view(definition, f"{name}Entry"),
        delivered=_delivered(definition, f"Delivered{name}Entry"),
        conversions=conversions or {},
        unready=unready,
        names=tuple(str(field.id) for field in definition.fields),
        values_of=_getter(definition),
        formed=tuple(
            (str(field.id), form)
            for field in definition.fields
            if (form := shapes.storing(field)) is not None
        ),
        checked=tuple(field for field in definition.fields if shapes.needs_checking(field)),
        restricted=frozenset(field.key for field in restricted),
        restricted_ids=frozenset(str(field.id) for field in walk(restricted)),
        is_searched=bool(definition.searched()),
        neighbours=neighbours,
    )


def _getter(definition: Definition) -> Callable[[Any], tuple[Any, ...]]:
    """What gets the values of all fields of checked input, in their order."""
    keys = [field.key for field in definition.fields]
    if len(keys) > 1:
        return attrgetter(*keys)
    return lambda given: tuple(getattr(given, key) for key in keys)


def checked_default(field: Field) -> tuple[Fault, ...]:
    """What is wrong with the default of a field, as a value of it."""
    if (default := getattr(field, "default", None)) is None:
        return ()
    try:
        value = convert(default, annotation(field, "Default", "given"), pointer="/default")
    except Invalid as error:
        return error.faults
    return tuple(shapes.faults(field, value, "/default"))


def _input(definition: Definition, name: str, *, has_defaults: bool) -> type[msgspec.Struct]:
    own = [member(field, name, "given", has_defaults=has_defaults) for field in definition.fields]
    system: list[Any] = [
        ("slug", SlugText | None, None),
        ("authors", Authors | UnsetType | None, UNSET),
        ("seo", SeoInput | None, None),
    ]
    if has_defaults:
        system.append(("locale", Locale | UnsetType, UNSET))
    return struct(name, [*system, *own], f"{definition.description or definition.name or definition.key}")


def _patch(definition: Definition, name: str) -> type[msgspec.Struct]:
    own = [
        (
            field.key,
            described(field, annotation(field, f"{name}{pascal(field.key)}", "given") | UnsetType | None),
            UNSET,
        )
        for field in definition.fields
    ]
    system: list[Any] = [
        ("slug", SlugText | UnsetType, UNSET),
        ("authors", Authors | UnsetType, UNSET),
        ("seo", SeoInput | UnsetType | None, UNSET),
    ]
    return struct(name, [*system, *own], "New values; what is left out stays, null is no value.")


def _view(definition: Definition, name: str) -> type[EntryView]:
    own: list[Any] = []
    for field in definition.fields:
        known = annotation(field, f"{name}{pascal(field.key)}", "shown")
        known = known if field.required else known | None
        own.append(
            (field.key, described(field, known | UnsetType), UNSET)
            if field.visibility == "restricted"
            else (field.key, described(field, known))
        )
    doc = definition.description or definition.name or definition.key
    found = msgspec.defstruct(
        name, own, bases=(EntryView,), namespace={"__doc__": doc}, module=MODULE, frozen=True, kw_only=True
    )
    return cast("type[EntryView]", found)


def _delivered(definition: Definition, name: str) -> type[msgspec.Struct]:
    own = [
        (
            field.key,
            described(field, annotation(field, f"{name}{pascal(field.key)}", "delivered") | UnsetType | None),
            UNSET,
        )
        for field in definition.fields
        if field.visibility == "public"
    ]
    system: list[Any] = [
        ("id", UUID | UnsetType, UNSET),
        ("type", str | UnsetType, UNSET),
        ("slug", str | UnsetType, UNSET),
        ("status", Literal["published"] | UnsetType, UNSET),
        ("author", UUID | dict[str, Any] | UnsetType | None, UNSET),
        ("authors", list[UUID | dict[str, Any]] | UnsetType, UNSET),
        ("seo", DeliveredSeo | UnsetType, UNSET),
        ("locale", str | UnsetType, UNSET),
        ("version", int | UnsetType, UNSET),
        *((name, Moment | UnsetType, UNSET) for name in MOMENTS),
    ]
    if definition.path is not None:
        system.append(("path", str | UnsetType, UNSET))
    if definition.searched() and HIGHLIGHTS not in {field.key for field in definition.fields}:
        system.append((HIGHLIGHTS, Highlights | UnsetType, UNSET))
    return struct(
        name, [*system, *own], "A published entry. No field is required, as a client may ask for some only."
    )

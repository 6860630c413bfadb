"""Who points at something, and what its deletion does to them."""

from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.content import OnDelete
from cms_api.querying import Listing, SortKey

# What is deleted: a document that goes to the trash, one that goes from there for good, or
# something else, that is gone at once.
Mode = Literal["trash", "purge", "delete"]
Effect = Literal["restricted", "unlinked", "cascaded"]
Face = Literal["draft", "live"]
# How many of those who keep something from being deleted are named, and how many of all in a preview.
NAMED, PREVIEWED = 20, 100


class FieldOf(NamedTuple):
    """A field as links are kept by it: its content type, and the id that it has for good, at whatever depth."""

    type: str
    field: str


class Referrer(msgspec.Struct, frozen=True):
    """A document, or something else, that points at it. ``type`` is that of its content, or what it is."""

    id: UUID
    type: str
    title: str


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a document's draft or live copy: from ``field``, at ``pointer`` in what it says."""

    id: UUID
    type: str
    title: str
    slug: str
    face: Face
    field: str
    pointer: str
    on_delete: OnDelete


# `field` sorts by what values are kept under: its key, that of a field of an entry its id.
REFERENCES = Listing(
    sorts=("face", "field", "id", "type", "title", "slug"),
    filters={
        "id": "uuid",
        "type": "text",
        "title": "text",
        "slug": "text",
        "face": "text",
        "field": "text",
        "pointer": "text",
        "on_delete": "text",
    },
    shown=Reference.__struct_fields__,
    sort=(SortKey("face"), SortKey("field"), SortKey("id")),
)


class Group(msgspec.Struct, frozen=True):
    """How many something happens to, and the first of those who may be named."""

    count: int = 0
    items: tuple[Referrer, ...] = ()


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion meets: who forbids it, who loses a reference, and who goes along."""

    restricted: Group = Group()
    unlinked: Group = Group()
    cascaded: Group = Group()

    @property
    def others(self) -> frozenset[Referrer]:
        """Those that it changes."""
        return frozenset((*self.unlinked.items, *self.cascaded.items))


class DeletionPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a deletion would do. At most 100 of each group are named, none by a field that is withheld."""

    is_allowed: bool
    restricted_by: Group
    unlinked: Group
    cascaded: Group


def grouped(rows: list[tuple[Effect, int, Any, str, str, bool]]) -> Effects:
    """The effects that rows tell of: effect, how many have it, one who has it, and whether that one is named."""
    found: dict[Effect, tuple[int, list[Referrer]]] = {}
    for effect, count, id_, type_, title, is_named in rows:
        _, items = found.setdefault(effect, (count, []))
        if is_named:
            items.append(Referrer(id_, type_, title))
    return Effects(**{effect: Group(count, tuple(items)) for effect, (count, items) in found.items()})

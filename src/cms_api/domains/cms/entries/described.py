"""A content type as the API's own description has it."""

from typing import Any

import msgspec

from cms_api.domains.cms.content_types.compiling import EntryKind
from cms_api.domains.cms.content_types.examples import change_of, example_of
from cms_api.domains.cms.entries.listing import listing_of, public_listing_of
from cms_api.querying import Listing


class EntryDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What clients send and get for the entries of one type, as structs; and what its lists allow.

    The structs belong to whoever asked: nothing is decoded with them.
    """

    key: str
    name: str
    title: str
    new: type[msgspec.Struct]
    patch: type[msgspec.Struct]
    view: type[msgspec.Struct]
    delivered: type[msgspec.Struct]
    has_address: bool
    listing: Listing
    public_listing: Listing
    example: dict[str, Any] | None
    change: dict[str, Any]


def described(kind: EntryKind, name: str) -> EntryDescription:
    """The description of a type that was compiled for this purpose; ``name`` is its key as a class's name."""
    definition = kind.definition
    return EntryDescription(
        key=definition.key,
        name=name,
        title=definition.name or definition.key,
        new=kind.new,
        patch=kind.patch,
        view=kind.view,
        delivered=kind.delivered,
        has_address=definition.path is not None,
        listing=listing_of(definition, kind.neighbours.definitions),
        public_listing=public_listing_of(definition, kind.neighbours.definitions),
        example=example_of(definition),
        change=change_of(definition),
    )

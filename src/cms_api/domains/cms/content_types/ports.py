"""What content types need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from cms_api.domains.cms.content_types.conversions import Resolution
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.interface import Change, FieldIndex, TypeRevision
from cms_api.domains.cms.documents.content import Link
from cms_api.domains.cms.documents.rendering import OtherFormat, PublicFields
from cms_api.querying import Page, PageRequest


class TypeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A content type as it is stored.

    ``conversions`` are what its documents may still have before them; ``migration_id`` the job
    that they follow by.
    """

    id: UUID
    key: str
    version: int
    definition: Definition
    conversions: dict[str, Resolution | None]
    migration_id: UUID | None
    created_at: datetime
    updated_at: datetime
    created_by: UUID | None
    updated_by: UUID | None
    indexes: tuple[FieldIndex, ...] = ()


class IndexSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An index that a field is to have. ``shape`` is how its values sort."""

    field_id: str
    kind: Literal["unique", "plain"]
    shape: Literal["text", "number", "boolean"]
    localised: bool


class StoredFields(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says, by the fields' ids: its draft, and its live copy where that is another one."""

    id: UUID
    draft: dict[str, Any]
    live: dict[str, Any] | None
    is_live: bool


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """A draft's or a live copy's fields, those of a live copy as readers get them, and their links.

    ``others`` are those of a live copy that have a text in them, by the formats beside HTML, and
    ``mentions`` what those texts point at.
    """

    fields: dict[str, Any]
    links: tuple[Link, ...]
    others: Mapping[OtherFormat, PublicFields] = {}
    mentions: frozenset[UUID] = frozenset()


class ReadModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a document is found and read by, as it follows from what that says."""

    id: UUID
    draft: Face
    live: Face | None


class ContentTypeRepository(ABC):
    """Content types, for changing them."""

    @abstractmethod
    async def get(self, key: str) -> TypeRecord | None:
        """The type, locked until the unit of work ends: nobody changes its documents meanwhile."""

    @abstractmethod
    async def hold(self, key: str) -> int | None:
        """The type's version, which stays until the unit of work ends; any number may hold it."""

    @abstractmethod
    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of ``keys`` that are types; they stay until the unit of work ends."""

    @abstractmethod
    async def add(self, record: TypeRecord) -> None:
        """Store a new type with a workflow and limits of retention. Raises `TypeTaken`."""

    @abstractmethod
    async def save(self, record: TypeRecord) -> None:
        """Store a changed type."""

    @abstractmethod
    async def add_revision(self, record: TypeRecord, changes: Collection[Change]) -> None:
        """Store what the type has become, and how."""

    @abstractmethod
    async def set_indexes(self, key: str, specs: Collection[IndexSpec]) -> bool:
        """Note which indexes the type's fields are to have; whether any is to be built or dropped."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Delete the type, with its workflow and limits of retention."""

    @abstractmethod
    async def usage(self, key: str) -> tuple[int, tuple[str, ...]]:
        """How many documents are of the type, and which other types name it."""


class ModelledDocuments(ABC):
    """The documents of a type, as its changes concern them."""

    @abstractmethod
    async def batch(self, key: str, after: UUID | None, limit: int) -> list[StoredFields]:
        """Up to ``limit`` documents behind ``after``, those in the trash included."""

    @abstractmethod
    async def count(self, key: str) -> int:
        """How many documents are of the type."""

    @abstractmethod
    async def duplicates(self, key: str, field_id: str, *, localised: bool) -> tuple[int, list[UUID]]:
        """How many documents outside of the trash share a value with another one, and some of them."""

    @abstractmethod
    async def misfits(self, key: str, field_id: str, types: Collection[str]) -> tuple[int, list[UUID]]:
        """How many documents point through a field at something of another type, and some of them."""

    @abstractmethod
    async def unequal(self, key: str, field_id: str) -> tuple[int, list[UUID]]:
        """How many documents have another value in a field than a translation of theirs, and some of them."""

    @abstractmethod
    async def set_policies(self, key: str, policies: Mapping[str, str]) -> None:
        """Have the links of these fields follow another policy when their targets are deleted."""

    @abstractmethod
    async def set_visibilities(self, key: str, visibilities: Mapping[str, bool]) -> None:
        """Have the links of these fields be of what readers see, or not."""

    @abstractmethod
    async def set_pointers(self, key: str, pointers: Mapping[str, str]) -> None:
        """Have the links of these fields stand elsewhere: ``*`` in a pointer is a place in a list, which stays."""

    @abstractmethod
    async def put(self, definition: Definition, models: Collection[ReadModel]) -> None:
        """Store what documents of the type are found and read by. Raises `ValueTaken`."""

    @abstractmethod
    async def set_titles(self, key: str, draft: str | None, live: str | None) -> None:
        """Have all documents of the type go by other fields, drafts and live copies; by their slugs without one."""

    @abstractmethod
    async def is_taken(
        self, key: str, field_id: str, value: Any, *, locale: str | None, but: Collection[UUID]
    ) -> bool:
        """Whether a document outside of the trash has the value; nobody else asks meanwhile."""


class AddressRepository(ABC):
    """The addresses of a type's live documents, which follow from a pattern: for posts, one of the site's settings.

    Whoever changes live posts, or several, holds their pattern, and whoever changes that locks it: before anything
    else is locked, as moving them locks their documents.
    """

    @abstractmethod
    async def hold_posts(self) -> None:
        """Keep the pattern of posts as it is until the unit of work ends; any number may do so at once."""

    @abstractmethod
    async def lock_posts(self) -> None:
        """Wait for all who hold the pattern of posts, and let nobody hold it until the unit of work ends."""

    @abstractmethod
    async def holder(self, path: str) -> str | None:
        """The type, or `post`, whose live documents have addresses of this pattern; nobody else asks meanwhile.

        A slug alone is no pattern.
        """

    @abstractmethod
    async def count(self, key: str) -> int:
        """How many documents of the type are live."""

    @abstractmethod
    async def taken(self, key: str, path: str) -> tuple[int, list[UUID]]:
        """How many live documents of the type would be where others are, and some of them."""

    @abstractmethod
    async def move(self, key: str, path: str | None, *, at: datetime) -> None:
        """Have the live documents of the type be elsewhere, or nowhere: in one statement, whatever their number.

        From the addresses that they had redirects lead to them. Raises `AddressTaken`.
        """


class FieldIndexes(ABC):
    """The indexes themselves, which are built beside the traffic, and so in no unit of work."""

    @abstractmethod
    async def settle(self, key: str) -> None:
        """Build what is to be there and is not, drop what is not to be, and note how that went.

        It waits for every transaction that is open when it begins: the caller must hold none. Where it
        is cancelled, what it was at is built again the next time.
        """


class ContentTypeQueries(ABC):
    """Content types, for looking at them."""

    @abstractmethod
    async def get(self, key: str) -> TypeRecord | None:
        """One type."""

    @abstractmethod
    async def versions(self, keys: Collection[str]) -> dict[str, tuple[int, bool, str]]:
        """Of those types that are there: the version, whether all indexes are ready, and the `fingerprint`."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[TypeRecord]:
        """A page of types."""

    @abstractmethod
    async def all(self) -> Sequence[TypeRecord]:
        """All types, by their keys."""

    @abstractmethod
    async def fingerprint(self) -> str:
        """Another text whenever any type has changed."""

    @abstractmethod
    async def revisions(self, type_id: UUID, page: PageRequest) -> Page[TypeRevision]:
        """A page of what a type was."""

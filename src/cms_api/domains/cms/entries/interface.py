"""The service of entries: documents of the types that were made at run time."""

from abc import abstractmethod
from typing import Any, Literal
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.interface import DocumentService, DocumentView
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork


class EntryView(DocumentView, frozen=True, kw_only=True):
    """An entry with its draft; its type adds a field for each of its own.

    ``withheld`` names the fields that this user may not see. ``translation_of`` is the document
    that this is a translation of; translations share what is not localised.
    """

    withheld: tuple[str, ...]
    translation_of: UUID | None


class PatchOperation(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}
):
    """An operation of a JSON Patch (RFC 6902). In a path, a block's id stands for its place."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: str
    source: str | msgspec.UnsetType = msgspec.UNSET
    value: Any = msgspec.UNSET


class EntryChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of an entry: a whole one for a new one, a merge patch (RFC 7396), or operations."""

    values: dict[str, Any] | None = None
    operations: tuple[PatchOperation, ...] | None = None


class EntryService(DocumentService[EntryChanges, EntryView]):
    """The entries of one type.

    A draft that says something else in what is not localised has its translations say it, too;
    `Forbidden` where the actor may not edit one of these.
    """

    @abstractmethod
    async def translate(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, locale: str, *, expected: int | None
    ) -> EntryView:
        """Begin a translation: a document of its own, which shares what is not localised from then on.

        Raises `TranslationExists` where there is one in that language.
        """

    @abstractmethod
    async def follow(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> bool:
        """Have a document become what its type has become. Whether anything in it was different."""

"""The service of revisions."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.revisions.diff import FieldChange
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey

C = TypeVar("C")

# What a diff can compare: a revision by its id, the draft as it is, or what readers see.
Ref = UUID | Literal["draft", "live"]


class RevisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as it once was.

    ``document_version`` is the version that the document got with it, ``changed`` the fields that
    were different before, as far as the actor may see them, ``size`` the bytes of its content as
    JSON. ``version`` is the revision's own: its label and pin can change.
    """

    id: UUID
    document_id: UUID
    document_version: int
    is_draft: bool
    is_live: bool
    label: str | None
    is_pinned: bool
    changed: tuple[str, ...]
    restored_from: UUID | None
    size: int
    published_at: datetime | None
    created_at: datetime
    created_by: UUID | None
    version: int


class RevisionDetail(RevisionView, Generic[C], frozen=True, kw_only=True):
    """A revision with what it holds."""

    content: C


class RevisionChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    label: str | UnsetType | None = UNSET
    is_pinned: bool | UnsetType = UNSET


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What is different in ``after``, field by field; fields that are equal are left out."""

    before: RevisionView
    after: RevisionView
    changes: tuple[FieldChange, ...]


REVISIONS = Listing(
    sorts=("created_at",),
    filters={
        "is_pinned": "boolean",
        "label": "text",
        "created_at": "timestamptz",
        "created_by": "uuid",
        "published_at": "timestamptz",
    },
    shown=RevisionView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)


class RevisionService(ABC):
    """What documents said before. ``type`` is a content type's key.

    Each method raises `DocumentNotFound`, and `RevisionNotFound` for a revision that is not the
    document's, or was purged.
    """

    @abstractmethod
    async def list(self, actor: Actor, type: str, document_id: UUID, page: PageRequest) -> Page[RevisionView]:
        """The revisions of a document, as `REVISIONS` allows."""

    @abstractmethod
    async def get(
        self,
        actor: Actor,
        type: str,
        document_id: UUID,
        revision_id: UUID,
    ) -> RevisionDetail[Any]:
        """One revision with its content."""

    @abstractmethod
    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        type: str,
        document_id: UUID,
        revision_id: UUID,
        changes: RevisionChanges,
        *,
        expected: int | None,
    ) -> RevisionView:
        """Label or pin a revision: it is then kept for good. Needs the right to edit; raises `Stale`."""

    @abstractmethod
    async def diff(self, actor: Actor, type: str, document_id: UUID, before: Ref, after: Ref) -> Diff:
        """What changed from one to the other. Raises `NotPublished` for “live” where nothing is."""

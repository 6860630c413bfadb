"""The service that every type of document has."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.authors.interface import AUTHORS
from cms_api.domains.cms.documents.content import Format, Seo
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.locks.interface import LockSummary
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import (
    Comparison,
    FieldType,
    Listing,
    Page,
    PageRequest,
    Relation,
    SortKey,
    mentions,
)

V = TypeVar("V", bound="DocumentView")
Changes = TypeVar("Changes", bound=msgspec.Struct)
Status = Literal["draft", "scheduled", "published", "archived"]


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """A document with its draft. Relations are ids.

    ``lock`` is who is editing it at this moment; it is no part of the version.
    """

    id: UUID
    type: str
    slug: str
    status: Status
    author: UUID | None
    authors: tuple[UUID, ...]
    seo: Seo
    locale: str
    version: int
    draft_revision: UUID
    live_revision: UUID | None
    published_at: datetime | None
    first_published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    trashed_at: datetime | None
    has_unpublished_changes: bool
    stage: str | None
    lock: LockSummary | None


class ArticleView(DocumentView, frozen=True, kw_only=True):
    """A document of a built-in type. ``reading_time`` is in minutes."""

    title: str
    excerpt: str
    body: str
    format: Format
    cover: UUID | None
    reading_time: int


def is_whole(view: DocumentView) -> bool:
    """Whether the version stands for all that is shown: locks and schedules come and go without it."""
    return view.lock is None and view.status in ("published", "archived")


SORTS = ("created_at", "updated_at", "title")
FILTERS: dict[str, FieldType] = {
    "id": "uuid",
    "slug": "text",
    "title": "text",
    "status": "text",
    "stage": "text",
    "locale": "text",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "published_at": "timestamptz",
    "first_published_at": "timestamptz",
    "created_by": "uuid",
    "updated_by": "uuid",
    "author": "uuid",
    "authors": "uuid",
    "trashed": "boolean",
    "trashed_at": "timestamptz",
}


DOCUMENT_KIND = "document:"


def document_kind(type: str) -> str:
    """What a relation to documents of a type leads to."""
    return f"{DOCUMENT_KIND}{type}"


# “author” is the first one where it is sorted by; filters look at all of them.
RELATIONS = {
    "author": Relation(fields=lambda: AUTHORS, kinds=("author",)),
    "authors": Relation(fields=lambda: AUTHORS, is_many=True, kinds=("author",)),
}
DOCUMENTS = Listing(
    sorts=SORTS,
    filters=FILTERS,
    relations=RELATIONS,
    shown=DocumentView.__struct_fields__,
    expands=True,
    is_searchable=True,
    sort=(SortKey("created_at", descending=True),),
)
IN_TRASH = ("trashed", "trashed_at")


def without_trash(page: PageRequest) -> PageRequest:
    """The page without what is in the trash, unless it is asked about that."""
    if any(mentions(page.filter, name) for name in IN_TRASH):
        return page
    return page.narrowed(Comparison("trashed_at", "exists", (False,)))


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Where a document is to go in its workflow, for whom, and why."""

    stage: str
    assignee: UUID | None = None
    comment: str | None = None


class DocumentService(ABC, Generic[Changes, V]):
    """Drafting, publishing and discarding documents of one type.

    Each method that changes something raises `DocumentNotFound`, and `Stale` where ``expected``
    is neither None nor the current version. Who may: see `documents.policy`. ``kind`` is the type of
    its documents, ``listing`` what its lists can be sorted by and filtered on.
    """

    kind: ContentType[Any]
    listing: Listing

    @abstractmethod
    async def create(
        self,
        uow: UnitOfWork,
        actor: Actor,
        changes: Changes,
        *,
        locale: str | None = None,
        created_at: datetime | None = None,
    ) -> V:
        """Begin a draft. ``changes`` has a title at least; a slug is made of it where none is given.

        A user who names no authors is the author. An import may set ``created_at``.
        Raises `SlugTaken`, and `Invalid` with every
        fault: malformed slug, references that don't exist.
        """

    @abstractmethod
    def view(self, actor: Actor, document: Document[Any], lock: LockSummary | None) -> V:
        """A document of this type as the actor sees it; ``lock`` is the one that is held on it."""

    @abstractmethod
    async def get(self, actor: Actor, document_id: UUID) -> V:
        """One document with its draft, also one from the trash."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[V]:
        """Documents with their drafts; those in the trash only where a filter asks for them."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, changes: Changes, *, expected: int | None
    ) -> V:
        """Change the draft. The live copy stays as it is. Raises as `create` does, and `Trashed`."""

    @abstractmethod
    async def discard(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        """Give the draft up for what is live. Raises `NotPublished`, `SlugTaken`, `Trashed`, `Archived`."""

    @abstractmethod
    async def restore_revision(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document_id: UUID,
        revision_id: UUID,
        *,
        expected: int | None,
        drop_missing: bool = False,
    ) -> V:
        """Make an old revision the draft again, as a new revision.

        Fields that the actor may not see keep what the draft has. Raises `RevisionNotFound`,
        `SlugTaken`, `Trashed`, `Archived`, and `Invalid` that names each reference whose target is
        gone; unless ``drop_missing``, which leaves those out.
        """

    @abstractmethod
    async def duplicate(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        """Begin another document with the same draft, under a free slug. Raises `Trashed`."""

    @abstractmethod
    async def publish(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document_id: UUID,
        *,
        expected: int | None,
        revision_id: UUID | None = None,
        published_at: datetime | None = None,
    ) -> V:
        """Make a revision, the draft where none is named, what readers see.

        Raises `RevisionNotFound`, `AddressTaken`, `Trashed`, `Archived`, and `Invalid` where what
        it points at is gone. Where the workflow is on, `NotApproved`.
        """

    @abstractmethod
    async def show_draft(self, uow: UnitOfWork, document_id: UUID, *, at: datetime) -> None:
        """Make the draft what readers would see, within ``uow``, which must come to nothing.

        What was never published is so since ``at``; it was changed then, or later, when the draft was.
        Needs no right, minds no workflow, and does nothing where the document can't be published.
        Raises `AddressTaken`, and `Invalid` where its address can't be made.
        """

    @abstractmethod
    async def move(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, move: Move, *, expected: int | None
    ) -> V:
        """Put it at another stage. Needs ``documents:read`` and a role of the transition.

        Raises `NoSuchTransition`, `Trashed`, `Archived`, and `Invalid` for an assignee who can't be.
        """

    @abstractmethod
    async def unpublish(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        """Take the live copy away; the draft stays. Raises `NotPublished`."""

    @abstractmethod
    async def archive(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        """Lay it aside: the live copy goes, the draft can't be changed. Raises `Archived`, `Trashed`."""

    @abstractmethod
    async def unarchive(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        """Take it out of the archive, as a draft. Raises `NotArchived`, `Trashed`."""

    @abstractmethod
    async def trash(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> None:
        """Put it into the trash, the live copy with it.

        What points at it is unlinked or trashed as well, as its links say. Raises `Trashed`,
        `HasChildren`, `InUse`, `Busy`, and `Forbidden` for what would go along.
        """

    @abstractmethod
    async def restore(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        """Bring it back from the trash as a draft, under another slug where its own is taken by now.

        Raises `NotTrashed`; and `SlugTaken` for one that is archived as well, and can't be changed.
        """

    @abstractmethod
    async def purge(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> None:
        """Delete it from the trash for good, and what goes along as its links say.

        Raises `NotTrashed`, `InUse` where others point at it, those in the trash included, `Busy`.
        """

    # What a deletion of something else needs, see `deleting`.

    @abstractmethod
    async def hold(self, uow: UnitOfWork) -> None:
        """Keep the type as it is until the unit of work ends, where it could change."""

    @abstractmethod
    async def hold_addresses(self, uow: UnitOfWork) -> None:
        """Keep what addresses follow from beside the type and the documents; before any document is locked.

        Needed before live copies change, or several documents.
        """

    @abstractmethod
    async def unlink(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, targets: frozenset[UUID]
    ) -> None:
        """Take its links to ``targets`` that may be lost out of the draft and the live copy.

        Needs no right: whoever may delete something may have it taken out.
        """

    @abstractmethod
    async def rerender(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> bool:
        """Render its live copy anew, as the renderer does it by now; whether there is one. Needs no right."""

    @abstractmethod
    async def trash_along(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> None:
        """Put it into the trash, whoever points at it. Raises `Forbidden`, `HasChildren`."""

    @abstractmethod
    async def purge_along(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> None:
        """Record its end for good; whoever asks deletes it. Raises `Forbidden`, `NotTrashed`."""

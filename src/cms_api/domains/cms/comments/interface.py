"""The service of editorial comments."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey


class CommentView(msgspec.Struct, frozen=True, kw_only=True):
    """A comment on a document, or on the field that the JSON Pointer ``field`` names.

    A reply has a ``parent_id``; ``resolved_at`` stands on the thread only. ``author_name`` is null
    where the account is gone.
    """

    id: UUID
    document_id: UUID
    parent_id: UUID | None
    field: str | None
    quote: str | None
    body: str
    author_id: UUID
    author_name: str | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class NewComment(msgspec.Struct, frozen=True, kw_only=True):
    """What is said, about what. With a ``parent_id`` it is a reply, which has its thread's field."""

    body: str
    field: str | None = None
    quote: str | None = None
    parent_id: UUID | None = None


class CommentChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New words; what is unset stays."""

    body: str | UnsetType = UNSET


COMMENTS = Listing(
    sorts=("created_at",),
    filters={
        "id": "uuid",
        "field": "text",
        "resolved": "boolean",
        "author_id": "uuid",
        "parent_id": "uuid",
        "created_at": "timestamptz",
    },
    shown=CommentView.__struct_fields__,
    sort=(SortKey("created_at"),),
)


class CommentService(ABC):
    """Comments among editors. Reading needs ``documents:read``, writing ``comments:write`` as well.

    Those on a field that the actor may not see, or that the document has no longer, are not there
    for who may not see all fields.

    ``kind`` is the key of the document's content type. Each method raises `DocumentNotFound`; those
    that take a comment `CommentNotFound`; those that change one `Stale`, and `Trashed` where the
    document is in the trash.
    """

    @abstractmethod
    async def create(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, new: NewComment
    ) -> CommentView:
        """Begin a thread, or reply to one.

        Raises `Unauthenticated` for who is no user, `Forbidden` for a field that the actor may not
        see, and `Invalid` with every fault: a field that the
        document does not have, a parent that is not there or is a reply, a reply with a field or
        quote of its own.
        """

    @abstractmethod
    async def get(self, actor: Actor, kind: str, document_id: UUID, comment_id: UUID) -> CommentView:
        """One comment."""

    @abstractmethod
    async def list(self, actor: Actor, kind: str, document_id: UUID, page: PageRequest) -> Page[CommentView]:
        """The comments on a document, as `COMMENTS` allows. A reply counts as resolved with its thread."""

    @abstractmethod
    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        changes: CommentChanges,
        *,
        expected: int | None,
    ) -> CommentView:
        """Say it in other words. Others' comments need ``comments:moderate``."""

    @abstractmethod
    async def delete(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        *,
        expected: int | None,
    ) -> None:
        """Delete a comment for good, a thread with its replies.

        Others' comments need ``comments:moderate``; so does a thread in which others have replied,
        else `HasReplies` is raised.
        """

    @abstractmethod
    async def resolve(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        *,
        expected: int | None,
    ) -> CommentView:
        """Settle a thread, whoever began it; nothing happens where it is. Raises `NotAThread`."""

    @abstractmethod
    async def reopen(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        *,
        expected: int | None,
    ) -> CommentView:
        """Take a thread up again; nothing happens where it is open. Raises `NotAThread`."""

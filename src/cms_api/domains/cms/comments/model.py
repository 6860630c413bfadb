"""Editorial comments: what is said about a document, or about a field of it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from uuid import UUID

from cms_api.domains.cms.comments.errors import HasReplies, NotAThread
from cms_api.domains.cms.comments.events import (
    CommentCreated,
    CommentDeleted,
    CommentReopened,
    CommentResolved,
    CommentUpdated,
)
from cms_api.kernel.errors import invalid
from cms_api.kernel.ids import new_id

# RFC 6901, section 3, without control characters.
_POINTER = re.compile(r"(?:/(?:[^~/\x00-\x1f]|~[01])*)+")


def _named(pointer: str) -> str:
    """The field that a JSON Pointer leads into: its first step."""
    return pointer[1:].partition("/")[0].replace("~1", "/").replace("~0", "~")


def check_field(field: str, known: Collection[str]) -> str:
    """``field``, a JSON Pointer into a content that has the fields ``known``. Raises `Invalid`.

    Only its first step is looked up: a draft changes, and what was there may be somewhere else.
    """
    if not _POINTER.fullmatch(field):
        raise invalid("/field", "pointer", "A field is a JSON Pointer, like “/body” or “/seo/title”.")
    if (name := _named(field)) not in known:
        nearest = get_close_matches(name, known, n=1)
        hint = f" Did you mean “/{nearest[0]}”?" if nearest else ""
        raise invalid("/field", "unknown_field", f"The document has no field “{name[:100]}”.{hint}")
    return field


@dataclass(slots=True, eq=False, kw_only=True)
class EditorialComment:
    """A comment: a thread, which can be resolved, or a reply to one. Threads are one level deep."""

    id: UUID
    version: int = 1
    document_id: UUID
    parent_id: UUID | None = None
    field: str | None = None
    quote: str | None = None
    body: str
    author_id: UUID
    resolved_at: datetime | None = None
    resolved_by: UUID | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def begin(
        cls, document_id: UUID, body: str, *, field: str | None, quote: str | None, at: datetime, by: UUID
    ) -> "EditorialComment":
        """A new thread."""
        return cls(
            id=new_id(),
            document_id=document_id,
            field=field,
            quote=quote,
            body=body,
            author_id=by,
            created_at=at,
            updated_at=at,
        )

    def is_within(self, fields: Collection[str] | None) -> bool:
        """Whether it is about one of those fields, or about none; always where that is None."""
        return fields is None or self.field is None or _named(self.field) in fields

    def reply(self, body: str, *, at: datetime, by: UUID) -> "EditorialComment":
        """A reply, about the same field. Raises `Invalid` where this is a reply itself."""
        if self.parent_id is not None:
            raise invalid("/parent_id", "not_nestable", "A reply has no replies: reply to its thread.")
        answer = self.begin(self.document_id, body, field=self.field, quote=None, at=at, by=by)
        answer.parent_id = self.id
        return answer

    def created(self) -> CommentCreated:
        """The event of its beginning."""
        return CommentCreated(
            subject=self.id, document_id=self.document_id, parent_id=self.parent_id, version=self.version
        )

    def edit(self, body: str, *, at: datetime) -> CommentUpdated | None:
        """Say it in other words; None where they are the same."""
        if body == self.body:
            return None
        self.body = body
        self._touch(at)
        return CommentUpdated(
            subject=self.id, document_id=self.document_id, parent_id=self.parent_id, version=self.version
        )

    def resolve(self, *, at: datetime, by: UUID | None) -> CommentResolved | None:
        """Settle the thread; None where it was settled. Raises `NotAThread`."""
        self._require_thread()
        if self.resolved_at is not None:
            return None
        self.resolved_at, self.resolved_by = at, by
        self._touch(at)
        return CommentResolved(
            subject=self.id, document_id=self.document_id, parent_id=None, version=self.version
        )

    def reopen(self, *, at: datetime) -> CommentReopened | None:
        """Take the thread up again; None where it is open. Raises `NotAThread`."""
        self._require_thread()
        if self.resolved_at is None:
            return None
        self.resolved_at = self.resolved_by = None
        self._touch(at)
        return CommentReopened(
            subject=self.id, document_id=self.document_id, parent_id=None, version=self.version
        )

    def deleted(self, replies: Collection[UUID], *, by: UUID | None, may_moderate: bool) -> CommentDeleted:
        """The event of its end, and of its replies', of which ``replies`` are the authors.

        Raises `HasReplies` where some are others' and the user may not moderate.
        """
        others = sum(author_id != by for author_id in replies)
        if others and not may_moderate:
            raise HasReplies(others)
        return CommentDeleted(
            subject=self.id,
            document_id=self.document_id,
            parent_id=self.parent_id,
            version=self.version,
            replies=len(replies),
        )

    def _require_thread(self) -> None:
        if self.parent_id is not None:
            raise NotAThread

    def _touch(self, at: datetime) -> None:
        self.version += 1
        self.updated_at = at

"""Readers' comments: what becomes of them, and of their threads."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cms_api.domains.cms.reader_comments.errors import NothingToRestore
from cms_api.domains.cms.reader_comments.events import (
    ReaderCommentDeleted,
    ReaderCommentImported,
    ReaderCommentModerated,
    ReaderCommentSubmitted,
    ReaderCommentUpdated,
)
from cms_api.domains.cms.reader_comments.texts import as_html
from cms_api.kernel.errors import Invalid, invalid
from cms_api.kernel.ids import dated_id, new_id

State = Literal["pending", "approved", "spam", "trash"]
Reason = Literal["honeypot", "links", "word", "address", "network"]
STATES: tuple[State, ...] = ("pending", "approved", "spam", "trash")

# How far replies to replies go; a path has one id more.
MAX_DEPTH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who says something. ``is_staff``: one who moderates, or whose document it is."""

    name: str
    email: str = field(repr=False)
    url: str | None = None
    user_id: UUID | None = None
    is_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWriter:
    """Who said something elsewhere, where nobody may have asked for an e-mail address."""

    name: str
    email: str | None = field(repr=False)
    url: str | None = None
    user_id: UUID | None = None
    is_staff: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class ReaderComment:
    """A comment below a published document, or a reply to one.

    ``path`` are the ids from the thread's first comment down to this one: in their order, threads
    are read from top to bottom. ``state_before`` is where restoring leads. What tells who wrote it is
    empty once it was erased.
    """

    id: UUID
    version: int = 1
    document_id: UUID
    parent_id: UUID | None = None
    path: tuple[UUID, ...]
    state: State
    state_before: State | None = None
    state_since: datetime
    reason: Reason | None = None
    author_name: str | None
    author_email: str | None = field(repr=False)
    author_url: str | None = None
    user_id: UUID | None = None
    is_staff: bool = False
    body: str
    html: str
    client_hash: bytes | None = field(default=None, repr=False)
    words_hash: bytes | None = field(default=None, repr=False)
    moderated_at: datetime | None = None
    moderated_by: UUID | None = None
    erased_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def begin(
        cls,
        document_id: UUID,
        writer: Writer,
        body: str,
        *,
        parent: "ReaderComment | None" = None,
        at: datetime,
        state: State = "pending",
        reason: Reason | None = None,
        client_hash: bytes | None = None,
        words_hash: bytes | None = None,
    ) -> "ReaderComment":
        """A new comment; a reply to ``parent``. Raises `Invalid` where nobody may reply to that."""
        if parent is not None:
            parent.require_repliable()
        made = new_id()
        return cls(
            id=made,
            document_id=document_id,
            parent_id=parent.id if parent else None,
            path=(*(parent.path if parent else ()), made),
            state=state,
            state_before="pending" if state == "spam" else None,
            state_since=at,
            reason=reason,
            author_name=writer.name,
            author_email=writer.email,
            author_url=writer.url,
            user_id=writer.user_id,
            is_staff=writer.is_staff,
            body=body,
            html=as_html(body),
            client_hash=client_hash,
            words_hash=words_hash,
            created_at=at,
            updated_at=at,
        )

    @classmethod
    def taken_over(
        cls,
        document_id: UUID,
        writer: "PastWriter",
        body: str,
        *,
        parent: "ReaderComment | None",
        state: State,
        written_at: datetime,
        order: int,
        at: datetime,
    ) -> "ReaderComment":
        """A comment that was made elsewhere, in any state and below any other.

        Where replies end, it hangs beside what it replies to. Its id is of the moment at which it
        was written, so that it has its place in the thread; ``order`` counts within that moment.
        """
        above = parent.path[:MAX_DEPTH] if parent else ()
        made = dated_id(written_at, order)
        return cls(
            id=made,
            document_id=document_id,
            parent_id=above[-1] if above else None,
            path=(*above, made),
            state=state,
            state_before="pending" if state == "spam" else None,
            # From now on: what was spam for years would be purged within the hour, with its replies.
            state_since=at,
            author_name=writer.name,
            author_email=writer.email,
            author_url=writer.url,
            user_id=writer.user_id,
            is_staff=writer.is_staff,
            body=body,
            html=as_html(body),
            created_at=written_at,
            updated_at=at,
        )

    @property
    def depth(self) -> int:
        """How many comments it is below; 0 begins a thread."""
        return len(self.path) - 1

    def require_repliable(self) -> None:
        """Raise `Invalid` where readers don't see it, or where replies end."""
        if self.state != "approved":
            raise unknown_parent()
        if self.depth >= MAX_DEPTH:
            raise invalid("/parent", "too_deep", f"Replies are nested at most {MAX_DEPTH} deep.")

    def submitted(self) -> ReaderCommentSubmitted:
        """The event of its beginning."""
        return ReaderCommentSubmitted(
            subject=self.id, document_id=self.document_id, version=self.version, state=self.state
        )

    def imported(self) -> ReaderCommentImported:
        """The event of its being taken over."""
        return ReaderCommentImported(
            subject=self.id, document_id=self.document_id, version=self.version, state=self.state
        )

    def moderate(self, state: State, *, at: datetime, by: UUID | None) -> ReaderCommentModerated | None:
        """Put it into a state; None where it is in that already."""
        if (before := self.state) == state:
            return None
        if state in ("spam", "trash"):
            if before in ("pending", "approved"):
                self.state_before = before
        else:
            self.state_before = self.reason = None
        self.state, self.state_since = state, at
        self.moderated_at, self.moderated_by = at, by
        self._touch(at)
        return ReaderCommentModerated(
            subject=self.id, document_id=self.document_id, version=self.version, before=before, state=state
        )

    def restore(self, *, at: datetime, by: UUID | None) -> ReaderCommentModerated | None:
        """Put it back to where it was before it became spam, or trash. Raises `NothingToRestore`."""
        if self.state not in ("spam", "trash"):
            raise NothingToRestore
        return self.moderate(self.state_before or "pending", at=at, by=by)

    def edit(self, values: dict[str, Any], *, at: datetime) -> ReaderCommentUpdated | None:
        """Take new values for the text, the name or the link; None where nothing is different."""
        changed = tuple(name for name, value in values.items() if getattr(self, name) != value)
        if not changed:
            return None
        for name in changed:
            setattr(self, name, values[name])
        self.html = as_html(self.body)
        self._touch(at)
        return ReaderCommentUpdated(
            subject=self.id, document_id=self.document_id, version=self.version, changed=changed
        )

    def deleted(self, replies: int) -> ReaderCommentDeleted:
        """The event of its end, and of its ``replies``'."""
        return ReaderCommentDeleted(
            subject=self.id, document_id=self.document_id, version=self.version, replies=replies
        )

    def _touch(self, at: datetime) -> None:
        self.version += 1
        self.updated_at = at


def unknown_parent() -> Invalid:
    """The fault of a reply to nothing that readers see."""
    return invalid("/parent", "unknown_reference", "There is no comment with this id here.")

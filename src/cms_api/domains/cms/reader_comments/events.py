"""What happens to readers' comments. Events say nothing of who wrote them, nor what."""

from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event

# The rules are one for all; their events are known by this id.
RULES_ID = UUID("3f0a4f0e-0c0b-5b1e-8d51-6c1b7f7f2a10")


class ReaderCommentEvent(Event, frozen=True, kw_only=True):
    """``version`` is the comment's after the change."""

    document_id: UUID
    version: int


class ReaderCommentSubmitted(ReaderCommentEvent, frozen=True, kw_only=True):
    """A reader has said something; ``state`` is what it was taken for."""

    name: ClassVar[str] = "reader_comment.submitted"

    state: str


class ReaderCommentImported(ReaderCommentEvent, frozen=True, kw_only=True):
    """It was said elsewhere, and taken over; nobody has to be told of it as of something new."""

    name: ClassVar[str] = "reader_comment.imported"

    state: str


class ReaderCommentModerated(ReaderCommentEvent, frozen=True, kw_only=True):
    """A moderator has decided: it was in the state ``before``."""

    name: ClassVar[str] = "reader_comment.moderated"

    before: str
    state: str


class ReaderCommentUpdated(ReaderCommentEvent, frozen=True, kw_only=True):
    """A moderator has changed it, in the fields ``changed``."""

    name: ClassVar[str] = "reader_comment.updated"

    changed: tuple[str, ...]


class ReaderCommentDeleted(ReaderCommentEvent, frozen=True, kw_only=True):
    """It is gone for good, and as many ``replies`` with it."""

    name: ClassVar[str] = "reader_comment.deleted"

    replies: int


class ReaderCommentErased(ReaderCommentEvent, frozen=True, kw_only=True):
    """It no longer says who wrote it."""

    name: ClassVar[str] = "reader_comment.erased"


class ReaderCommentsPurged(Event, frozen=True, kw_only=True):
    """So many comments on a document were spam or in the trash for long enough. The subject is the document."""

    name: ClassVar[str] = "reader_comment.purged"

    number: int


class CommentRulesUpdated(Event, frozen=True, kw_only=True):
    """The rules were changed, in the fields ``changed``."""

    name: ClassVar[str] = "comment_rules.updated"

    version: int
    changed: tuple[str, ...]


class CommentSettingsUpdated(Event, frozen=True, kw_only=True):
    """Whether one document takes comments was changed. The subject is the document."""

    name: ClassVar[str] = "comment_settings.updated"

    version: int
    is_open: bool | None

"""What happens to editorial comments. The subject is the comment."""

from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event


class CommentEvent(Event, frozen=True, kw_only=True):
    """``parent_id`` is the comment that it replies to; ``version`` the comment's after the change."""

    document_id: UUID
    parent_id: UUID | None
    version: int


class CommentCreated(CommentEvent, frozen=True, kw_only=True):
    """Somebody commented, or replied."""

    name: ClassVar[str] = "comment.created"


class CommentUpdated(CommentEvent, frozen=True, kw_only=True):
    """The words were changed."""

    name: ClassVar[str] = "comment.updated"


class CommentResolved(CommentEvent, frozen=True, kw_only=True):
    """The thread is settled."""

    name: ClassVar[str] = "comment.resolved"


class CommentReopened(CommentEvent, frozen=True, kw_only=True):
    """The thread is not settled after all."""

    name: ClassVar[str] = "comment.reopened"


class CommentDeleted(CommentEvent, frozen=True, kw_only=True):
    """It is gone for good, and as many ``replies`` with it."""

    name: ClassVar[str] = "comment.deleted"

    replies: int

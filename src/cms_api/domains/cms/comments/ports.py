"""What editorial comments need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from uuid import UUID

from cms_api.domains.cms.comments.model import EditorialComment
from cms_api.querying import Page, PageRequest


class CommentRepository(ABC):
    """Comments, for changing them."""

    @abstractmethod
    async def get(self, document_id: UUID, comment_id: UUID) -> EditorialComment | None:
        """The comment on that document, locked until the unit of work ends."""

    @abstractmethod
    async def add(self, comment: EditorialComment) -> None:
        """Store a new comment. Raises `Invalid` where the one that it replies to is not on the document."""

    @abstractmethod
    async def save(self, comment: EditorialComment) -> None:
        """Store the changed comment."""

    @abstractmethod
    async def delete(self, comment: EditorialComment) -> None:
        """Remove the comment with its replies."""

    @abstractmethod
    async def reply_authors(self, comment: EditorialComment) -> list[UUID]:
        """Who wrote the replies to it, one for each reply."""


class CommentQueries(ABC):
    """Comments, for looking at them."""

    @abstractmethod
    async def get(self, document_id: UUID, comment_id: UUID) -> EditorialComment | None:
        """The comment on that document."""

    @abstractmethod
    async def list(
        self, document_id: UUID, page: PageRequest, *, fields: Collection[str] | None = None
    ) -> Page[EditorialComment]:
        """A page of the comments on a document; with ``fields``, of those on one of them, or on the whole."""

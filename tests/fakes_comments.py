"""The ports of editorial comments on the store."""

import copy
from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from cms_api.domains.cms.comments.model import EditorialComment
from cms_api.domains.cms.comments.ports import CommentQueries, CommentRepository
from cms_api.kernel.errors import invalid
from cms_api.querying import Page, PageRequest

if TYPE_CHECKING:
    from tests.fakes_cms import Store


def found(store: "Store", document_id: UUID, comment_id: UUID) -> EditorialComment | None:
    comment = store.comments.get(comment_id)
    return copy.copy(comment) if comment is not None and comment.document_id == document_id else None


class FakeComments(CommentRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, document_id: UUID, comment_id: UUID) -> EditorialComment | None:
        return found(self._store, document_id, comment_id)

    async def add(self, comment: EditorialComment) -> None:
        if (
            comment.parent_id is not None
            and found(self._store, comment.document_id, comment.parent_id) is None
        ):
            raise invalid("/parent_id", "unknown_reference", "There is no comment with this id here.")
        self._store.comments[comment.id] = copy.copy(comment)

    async def save(self, comment: EditorialComment) -> None:
        self._store.comments[comment.id] = copy.copy(comment)

    async def delete(self, comment: EditorialComment) -> None:
        comments = self._store.comments
        for one in [c.id for c in comments.values() if comment.id in (c.id, c.parent_id)]:
            del comments[one]

    async def reply_authors(self, comment: EditorialComment) -> list[UUID]:
        replies = [one for one in self._store.comments.values() if one.parent_id == comment.id]
        return [one.author_id for one in sorted(replies, key=lambda one: (one.created_at, one.id))]


class FakeCommentQueries(CommentQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, document_id: UUID, comment_id: UUID) -> EditorialComment | None:
        return found(self._store, document_id, comment_id)

    async def list(
        self, document_id: UUID, page: PageRequest, *, fields: Collection[str] | None = None
    ) -> Page[EditorialComment]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - which imports this module

        rows = [
            copy.copy(one)
            for one in self._store.comments.values()
            if one.document_id == document_id and one.is_within(fields)
        ]
        return page_of(rows, page, self._field, lambda row: row)

    def _field(self, row: EditorialComment, name: str) -> object:
        if name == "resolved":
            thread = row if row.parent_id is None else self._store.comments[row.parent_id]
            return thread.resolved_at is not None
        return getattr(row, name)

"""Editorial comments."""

from collections.abc import Collection
from dataclasses import fields as fields_of
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied, translating
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.comments.model import EditorialComment
from cms_api.domains.cms.comments.ports import CommentQueries, CommentRepository
from cms_api.kernel.errors import invalid
from cms_api.querying import Page, PageRequest

NAMES = [field.name for field in fields_of(EditorialComment)]
COMMENT = (
    f"SELECT {', '.join(f'c.{name}' for name in NAMES)}"
    "\nFROM cms.editorial_comments c LEFT JOIN cms.editorial_comments t ON t.id = c.parent_id"
)
COMMENTS_BY = Keyset(
    {"created_at": Column("c.created_at", "timestamptz")},
    key=Column("c.id", "uuid"),
    filters={
        "field": Column("c.field", "text"),
        "author_id": Column("c.author_id", "uuid"),
        "parent_id": Column("c.parent_id", "uuid"),
        "resolved": Column("(coalesce(t.resolved_at, c.resolved_at) IS NOT NULL)", "boolean"),
    },
)


def _comment(row: Any) -> EditorialComment:
    return EditorialComment(**dict(zip(NAMES, row, strict=True)))


class SqlAlchemyComments(CommentRepository):
    """Comments in ``cms.editorial_comments``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, document_id: UUID, comment_id: UUID) -> EditorialComment | None:
        found = await self._session.execute(
            text(
                f"SELECT {', '.join(NAMES)} FROM cms.editorial_comments"
                " WHERE id = :id AND document_id = :document_id FOR UPDATE"
            ),
            {"id": comment_id, "document_id": document_id},
        )
        row = found.one_or_none()
        return None if row is None else _comment(row)

    async def add(self, comment: EditorialComment) -> None:
        unknown = invalid("/parent_id", "unknown_reference", "There is no comment with this id here.")
        with translating({"fk_editorial_comments_parent": unknown}):
            await self._session.execute(
                text(
                    f"INSERT INTO cms.editorial_comments ({', '.join(NAMES)})"
                    f" VALUES ({', '.join(f':{name}' for name in NAMES)})"
                ),
                copied(comment, NAMES),
            )

    async def save(self, comment: EditorialComment) -> None:
        await self._session.execute(
            text(
                """
                UPDATE cms.editorial_comments SET version = :version, body = :body, resolved_at = :resolved_at,
                    resolved_by = :resolved_by, updated_at = :updated_at
                WHERE id = :id
                """
            ),
            copied(comment, ("id", "version", "body", "resolved_at", "resolved_by", "updated_at")),
        )

    async def delete(self, comment: EditorialComment) -> None:
        await self._session.execute(
            text("DELETE FROM cms.editorial_comments WHERE id = :id"), {"id": comment.id}
        )

    async def reply_authors(self, comment: EditorialComment) -> list[UUID]:
        found = await self._session.scalars(
            text(
                """
                SELECT author_id FROM cms.editorial_comments
                WHERE document_id = :document_id AND parent_id = :id ORDER BY created_at, id
                """
            ),
            {"id": comment.id, "document_id": comment.document_id},
        )
        return list(found)


class SqlComments(CommentQueries):
    """Comments, as they are shown."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, document_id: UUID, comment_id: UUID) -> EditorialComment | None:
        row = await self._reader.one(
            COMMENT + "\nWHERE c.id = %(id)s AND c.document_id = %(document_id)s",
            {"id": comment_id, "document_id": document_id},
        )
        return None if row is None else _comment(row)

    async def list(
        self, document_id: UUID, page: PageRequest, *, fields: Collection[str] | None = None
    ) -> Page[EditorialComment]:
        where, params = ["c.document_id = %(document_id)s"], dict[str, object](document_id=document_id)
        if fields is not None:
            # The first step of a pointer; no key has anything in it that pointers escape.
            where.append("(c.field IS NULL OR split_part(c.field, '/', 2) = ANY(%(fields)s::text[]))")
            params["fields"] = sorted(fields)
        return await COMMENTS_BY.page(self._reader, COMMENT, where, params, page, _comment)

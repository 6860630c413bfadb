"""Readers' comments."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied, translating
from cms_api.adapters.sqlalchemy.cms.table import lock
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.reader_comments.interface import ReaderCommentCounts, ReaderCommentView
from cms_api.domains.cms.reader_comments.model import ReaderComment, unknown_parent
from cms_api.domains.cms.reader_comments.ports import (
    CommenterRepository,
    ReaderCommentQueries,
    ReaderCommentRepository,
    Ref,
)
from cms_api.querying import Page, PageRequest

NAMES = [one.name for one in fields(ReaderComment)]
CHANGING = [name for name in NAMES if name not in ("document_id", "parent_id", "path", "created_at")]
SELECT = f"SELECT {', '.join(NAMES)} FROM cms.reader_comments"

VIEW = ReaderCommentView.__struct_fields__
_VIEW_SQL = {"type": "d.type", "depth": "cardinality(c.path) - 1"}
COMMENT = (
    f"SELECT {', '.join(_VIEW_SQL.get(name, f'c.{name}') for name in VIEW)}"
    "\nFROM cms.reader_comments c JOIN cms.documents d ON d.id = c.document_id"
)
COMMENTS_BY = Keyset(
    {"created_at": Column("c.created_at", "timestamptz")},
    key=Column("c.id", "uuid"),
    filters={
        "type": Column("d.type", "text"),
        **{name: Column(f"c.{name}", "uuid") for name in ("document_id", "parent_id", "user_id")},
        **{
            name: Column(f"c.{name}", "text")
            for name in ("state", "author_email", "author_name", "body", "reason")
        },
    },
)

SAVE_STATES = """
    UPDATE cms.reader_comments c
    SET version = v.version, state = v.state, state_before = v.state_before, state_since = v.state_since,
        reason = v.reason, moderated_at = v.moderated_at, moderated_by = v.moderated_by,
        updated_at = v.updated_at
    FROM unnest(CAST(:id AS uuid[]), CAST(:version AS integer[]), CAST(:state AS text[]),
        CAST(:state_before AS text[]), CAST(:state_since AS timestamptz[]), CAST(:reason AS text[]),
        CAST(:moderated_at AS timestamptz[]), CAST(:moderated_by AS uuid[]), CAST(:updated_at AS timestamptz[]))
        AS v(id, version, state, state_before, state_since, reason, moderated_at, moderated_by, updated_at)
    WHERE c.id = v.id
"""
STATE_NAMES = (
    "id", "version", "state", "state_before", "state_since", "reason", "moderated_at", "moderated_by",
    "updated_at",
)  # fmt: skip
# The row itself is always among those that its id leads to.
BELOW = "document_id = :document_id AND :id = ANY(path)"
PURGE = """
    WITH over AS (
        SELECT document_id, id FROM cms.reader_comments
        WHERE (state = 'spam' AND state_since < CAST(:spam_before AS timestamptz))
           OR (state = 'trash' AND state_since < CAST(:trash_before AS timestamptz))
        ORDER BY state_since, id LIMIT :limit FOR UPDATE SKIP LOCKED)
    DELETE FROM cms.reader_comments c USING over o
    WHERE c.document_id = o.document_id AND o.id = ANY(c.path)
    RETURNING c.document_id
"""
FORGET_CLIENTS = """
    UPDATE cms.reader_comments SET client_hash = NULL WHERE id = ANY(ARRAY(
        SELECT id FROM cms.reader_comments WHERE client_hash IS NOT NULL AND created_at < :before
        ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING id
"""


def _comment(row: Any) -> ReaderComment:
    values = dict(zip(NAMES, row, strict=True))
    return ReaderComment(**{**values, "path": tuple(values["path"])})


class SqlAlchemyReaderComments(ReaderCommentRepository):
    """Comments in ``cms.reader_comments``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, comment_id: UUID) -> ReaderComment | None:
        found = await self._session.execute(text(f"{SELECT} WHERE id = :id FOR UPDATE"), {"id": comment_id})
        row = found.one_or_none()
        return None if row is None else _comment(row)

    async def get_many(self, ids: Collection[UUID]) -> list[ReaderComment]:
        found = await self._session.execute(
            text(f"{SELECT} WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": list(ids)}
        )
        return [_comment(row) for row in found]

    async def parent(self, document_id: UUID, comment_id: UUID) -> ReaderComment | None:
        found = await self._session.execute(
            text(f"{SELECT} WHERE id = :id AND document_id = :document_id FOR KEY SHARE"),
            {"id": comment_id, "document_id": document_id},
        )
        row = found.one_or_none()
        return None if row is None else _comment(row)

    async def type_of(self, comment: ReaderComment) -> str:
        found = await self._session.execute(
            text("SELECT type FROM cms.documents WHERE id = :id"), {"id": comment.document_id}
        )
        kind: str = found.scalar_one()
        return kind

    async def add(self, comment: ReaderComment) -> None:
        with translating({"fk_reader_comments_parent": unknown_parent()}):
            await self._session.execute(
                text(
                    f"INSERT INTO cms.reader_comments ({', '.join(NAMES)})"
                    f" VALUES ({', '.join(f':{name}' for name in NAMES)})"
                ),
                {**copied(comment, NAMES), "path": list(comment.path)},
            )

    async def save(self, comment: ReaderComment) -> None:
        pairs = ", ".join(f"{name} = :{name}" for name in CHANGING if name != "id")
        await self._session.execute(
            text(f"UPDATE cms.reader_comments SET {pairs} WHERE id = :id"), copied(comment, CHANGING)
        )

    async def save_states(self, comments: Sequence[ReaderComment]) -> None:
        columns = {name: [getattr(one, name) for one in comments] for name in STATE_NAMES}
        await self._session.execute(text(SAVE_STATES), columns)

    async def delete(self, comment: ReaderComment) -> int:
        gone = await self._session.scalars(
            text(f"DELETE FROM cms.reader_comments WHERE {BELOW} RETURNING id"),
            {"id": comment.id, "document_id": comment.document_id},
        )
        return len(gone.all()) - 1

    async def purge(
        self, *, spam_before: datetime | None, trash_before: datetime | None, limit: int
    ) -> dict[UUID, int]:
        numbers: dict[UUID, int] = {}
        for document_id in await self._session.scalars(
            text(PURGE), {"spam_before": spam_before, "trash_before": trash_before, "limit": limit}
        ):
            numbers[document_id] = numbers.get(document_id, 0) + 1
        return numbers


class SqlAlchemyCommenters(CommenterRepository):
    """What ``cms.reader_comments`` says of who wrote them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def has_approved(self, email: str, user_id: UUID | None) -> bool:
        found = await self._session.scalar(
            text(
                """
                SELECT EXISTS (SELECT FROM cms.reader_comments
                    WHERE author_email = :email AND state = 'approved' AND NOT is_staff
                      AND user_id IS NOT DISTINCT FROM CAST(:user_id AS uuid))
                """
            ),
            {"email": email, "user_id": user_id},
        )
        return bool(found)

    async def was_said(self, words_hash: bytes, *, since: datetime) -> bool:
        await lock(self._session, f"reader comment {words_hash.hex()}")
        found = await self._session.scalar(
            text(
                """
                SELECT EXISTS (
                    SELECT FROM cms.reader_comments WHERE words_hash = :hash AND created_at > :since)
                """
            ),
            {"hash": words_hash, "since": since},
        )
        return bool(found)

    async def erase(self, email: str, *, at: datetime) -> list[Ref]:
        erased = await self._session.execute(
            text(
                """
                UPDATE cms.reader_comments SET version = version + 1, author_name = NULL, author_email = NULL,
                    author_url = NULL, user_id = NULL, client_hash = NULL, words_hash = NULL,
                    erased_at = :at, updated_at = :at
                WHERE author_email = :email
                RETURNING id, document_id, version
                """
            ),
            {"email": email, "at": at},
        )
        return [Ref(*row) for row in erased]

    async def forget_clients(self, *, before: datetime, limit: int) -> int:
        found = await self._session.execute(text(FORGET_CLIENTS), {"before": before, "limit": limit})
        return len(found.all())


class SqlReaderComments(ReaderCommentQueries):
    """Comments, as moderators see them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, comment_id: UUID) -> ReaderCommentView | None:
        row = await self._reader.one(f"{COMMENT}\nWHERE c.id = %(id)s", {"id": comment_id})
        return None if row is None else _view(row)

    async def list(self, page: PageRequest) -> Page[ReaderCommentView]:
        return await COMMENTS_BY.page(self._reader, COMMENT, [], {}, page, _view)

    async def counts(self) -> ReaderCommentCounts:
        rows = await self._reader.rows("SELECT state, count(*) FROM cms.reader_comments GROUP BY state")
        return ReaderCommentCounts(**dict(rows))


def _view(row: Any) -> ReaderCommentView:
    return ReaderCommentView(**dict(zip(VIEW, row, strict=True)))

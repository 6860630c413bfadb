"""Previews, and transactions that are read from and rolled back."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Several
from cms_api.adapters.sqlalchemy.raw import driver_connection
from cms_api.adapters.sqlalchemy.reading import Reader, inside
from cms_api.domains.cms.previews.interface import PreviewView
from cms_api.domains.cms.previews.model import Preview
from cms_api.domains.cms.previews.ports import Draft, PreviewQueries, PreviewRepository, PreviewStage, Staged
from cms_api.querying import Page, PageRequest

# In milliseconds. Shorter than PostgreSQL waits before it looks for a deadlock (`deadlock_timeout`, a
# second), so that of two who wait for each other it is the preview that gives up, and never an editor.
LOCK_TIMEOUT = 700
STATEMENT_TIMEOUT = 5_000

NAMES = tuple(field.name for field in fields(Preview))
COLUMNS = ", ".join(NAMES)
PREVIEW = f"SELECT {', '.join(f'p.{name}' for name in PreviewView.__struct_fields__)}\nFROM cms.previews p"
PREVIEWS_BY = Keyset(
    {
        "created_at": Column("p.created_at", "timestamptz"),
        "expires_at": Column("p.expires_at", "timestamptz"),
    },
    key=Column("p.id", "uuid"),
    filters={
        "created_by": Column("p.created_by", "uuid"),
        "documents": Several(
            "EXISTS (SELECT FROM unnest(p.documents) x(id) WHERE {})", Column("x.id", "uuid")
        ),
    },
)

AT_HAND = "d.trashed_at IS NULL AND d.archived_at IS NULL"
DRAFTS = f"SELECT d.id, d.type FROM cms.documents d WHERE d.id = ANY(%(ids)s) AND {AT_HAND} ORDER BY d.id"
# A preview of which nothing is left gives one row, without a document; one that is not there gives none.
STAGED = f"""
SELECT p.created_at, d.id, d.type FROM cms.previews p LEFT JOIN cms.documents d ON d.id = ANY(p.documents) AND {AT_HAND}
WHERE p.id = %(id)s ORDER BY d.id
"""


class SqlAlchemyPreviews(PreviewRepository):
    """Previews in ``cms.previews``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, preview: Preview) -> None:
        holders = ", ".join(f":{name}" for name in NAMES)
        await self._session.execute(
            text(f"INSERT INTO cms.previews ({COLUMNS}) VALUES ({holders})"),
            asdict(preview) | {"documents": list(preview.documents)},
        )

    async def get(self, preview_id: UUID) -> Preview | None:
        found = await self._session.execute(
            text(f"SELECT {COLUMNS} FROM cms.previews WHERE id = :id FOR UPDATE"), {"id": preview_id}
        )
        row = found.mappings().one_or_none()
        return None if row is None else Preview(**{**row, "documents": tuple(row["documents"])})

    async def delete(self, preview_id: UUID) -> None:
        await self._session.execute(text("DELETE FROM cms.previews WHERE id = :id"), {"id": preview_id})

    async def purge(self, *, at: datetime, limit: int) -> int:
        gone = await self._session.execute(
            text(
                """
                DELETE FROM cms.previews WHERE id = ANY (ARRAY(
                    SELECT id FROM cms.previews WHERE expires_at <= :at
                    ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED))
                RETURNING id
                """
            ),
            {"at": at, "limit": limit},
        )
        return len(gone.all())


class SqlPreviews(PreviewQueries):
    """Rows of ``cms.previews``, and of ``cms.documents``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, preview_id: UUID) -> PreviewView | None:
        row = await self._reader.one(PREVIEW + "\nWHERE p.id = %(id)s", {"id": preview_id})
        return None if row is None else _view(row)

    async def list(self, page: PageRequest) -> Page[PreviewView]:
        return await PREVIEWS_BY.page(self._reader, PREVIEW, [], {}, page, _view)

    async def drafts(self, ids: Collection[UUID]) -> Sequence[Draft]:
        rows = await self._reader.rows(DRAFTS, {"ids": list(ids)})
        return [Draft(id=document, type=key) for document, key in rows]

    async def staged(self, preview_id: UUID) -> Staged | None:
        rows = await self._reader.rows(STAGED, {"id": preview_id})
        if not rows:
            return None
        drafts = tuple(Draft(id=document, type=key) for _, document, key in rows if document is not None)
        return Staged(at=rows[0][0], drafts=drafts)


def _view(row: tuple[Any, ...]) -> PreviewView:
    values = dict(zip(PreviewView.__struct_fields__, row, strict=True))
    return PreviewView(**values | {"documents": tuple(values["documents"])})


class SqlAlchemyPreviewStage(PreviewStage):
    """The session's transaction, on whose connection the reads of the task are done."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        await self._session.execute(
            text(
                "SELECT set_config('lock_timeout', :lock, true), set_config('statement_timeout', :statement, true)"
            ),
            {"lock": str(LOCK_TIMEOUT), "statement": str(STATEMENT_TIMEOUT)},
        )
        with inside(await driver_connection(self._session)):
            yield

    async def hold(self, ids: Collection[UUID]) -> None:
        await self._session.execute(
            text("SELECT id FROM cms.documents WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE"),
            {"ids": list(ids)},
        )

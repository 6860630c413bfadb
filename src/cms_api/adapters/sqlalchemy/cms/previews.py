"""Transactions that are read from, and rolled back."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.raw import driver_connection
from cms_api.adapters.sqlalchemy.reading import Reader, inside
from cms_api.domains.cms.previews.ports import Draft, PreviewQueries, PreviewStage

# In milliseconds. Shorter than PostgreSQL waits before it looks for a deadlock (`deadlock_timeout`, a
# second), so that of two who wait for each other it is the preview that gives up, and never an editor.
LOCK_TIMEOUT = 700
STATEMENT_TIMEOUT = 5_000

DRAFTS = """
SELECT id, type FROM cms.documents
WHERE id = ANY(%(ids)s) AND trashed_at IS NULL AND archived_at IS NULL ORDER BY id
"""


class SqlPreviews(PreviewQueries):
    """Rows of ``cms.documents``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def drafts(self, ids: Collection[UUID]) -> list[Draft]:
        rows = await self._reader.rows(DRAFTS, {"ids": list(ids)})
        return [Draft(id=document, type=key) for document, key in rows]


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

"""Locks and presences."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.locks.model import EditLock, Presence
from cms_api.domains.cms.locks.ports import (
    MAX_PRESENT,
    LockQueries,
    LockRepository,
    PresenceRepository,
    Present,
)

LOCK = "SELECT document_id, user_id, acquired_at, refreshed_at, expires_at FROM cms.edit_locks"
NAMES = ("document_id", "user_id", "acquired_at", "refreshed_at", "expires_at")
PRESENT = """
SELECT p.user_id, p.since, EXISTS (
    SELECT FROM cms.edit_locks l
    WHERE l.document_id = p.document_id AND l.user_id = p.user_id AND l.expires_at > {at})
FROM cms.presences p
WHERE p.document_id = {id} AND p.expires_at > {at}
ORDER BY p.since, p.user_id
"""


def _lock(row: Any) -> EditLock:
    return EditLock(**dict(zip(NAMES, row, strict=True)))


def _present(row: Any) -> Present:
    user_id, since, is_editing = row
    return Present(user_id=user_id, since=since, is_editing=is_editing)


async def _purge(session: AsyncSession, table: str, *, at: datetime, limit: int) -> int:
    """Delete up to ``limit`` rows that have expired, past those that are locked."""
    gone = await session.execute(
        text(
            f"""
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {table} WHERE expires_at <= :at
                ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED))
            RETURNING document_id
            """
        ),
        {"at": at, "limit": limit},
    )
    return len(gone.all())


class SqlAlchemyLocks(LockRepository):
    """Locks in ``cms.edit_locks``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, document_id: UUID) -> EditLock | None:
        found = await self._session.execute(
            text(f"{LOCK} WHERE document_id = :id FOR UPDATE"), {"id": document_id}
        )
        row = found.one_or_none()
        return None if row is None else _lock(row)

    async def put(self, lock: EditLock, *, over: UUID | None = None) -> bool:
        stored = await self._session.scalar(
            text(
                """
                INSERT INTO cms.edit_locks AS l (document_id, user_id, acquired_at, refreshed_at, expires_at)
                VALUES (:document_id, :user_id, :acquired_at, :refreshed_at, :expires_at)
                ON CONFLICT (document_id) DO UPDATE SET user_id = excluded.user_id,
                    acquired_at = excluded.acquired_at, refreshed_at = excluded.refreshed_at,
                    expires_at = excluded.expires_at
                WHERE l.expires_at <= excluded.refreshed_at OR l.user_id = CAST(:over AS uuid)
                RETURNING document_id
                """
            ),
            {**asdict(lock), "over": over},
        )
        return stored is not None

    async def delete(self, document_id: UUID, user_id: UUID) -> None:
        await self._session.execute(
            text("DELETE FROM cms.edit_locks WHERE document_id = :id AND user_id = :user_id"),
            {"id": document_id, "user_id": user_id},
        )

    async def purge(self, *, at: datetime, limit: int) -> int:
        return await _purge(self._session, "cms.edit_locks", at=at, limit=limit)


class SqlAlchemyPresences(PresenceRepository):
    """Presences in ``cms.presences``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, presence: Presence) -> None:
        await self._session.execute(
            text(
                """
                INSERT INTO cms.presences AS p (document_id, user_id, since, seen_at, expires_at)
                VALUES (:document_id, :user_id, :since, :seen_at, :expires_at)
                ON CONFLICT (document_id, user_id) DO UPDATE SET
                    since = CASE WHEN p.expires_at > excluded.seen_at THEN p.since ELSE excluded.since END,
                    seen_at = excluded.seen_at, expires_at = excluded.expires_at
                """
            ),
            asdict(presence),
        )

    async def delete(self, document_id: UUID, user_id: UUID) -> None:
        await self._session.execute(
            text("DELETE FROM cms.presences WHERE document_id = :id AND user_id = :user_id"),
            {"id": document_id, "user_id": user_id},
        )

    async def present(self, document_id: UUID, *, at: datetime) -> list[Present]:
        rows = await self._session.execute(
            text(PRESENT.format(id=":id", at=":at") + "LIMIT :limit"),
            {"id": document_id, "at": at, "limit": MAX_PRESENT},
        )
        return [_present(row) for row in rows]

    async def purge(self, *, at: datetime, limit: int) -> int:
        return await _purge(self._session, "cms.presences", at=at, limit=limit)


class SqlLocks(LockQueries):
    """Locks and presences, as they are shown."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def of(self, document_ids: Collection[UUID], *, at: datetime) -> dict[UUID, EditLock]:
        rows = await self._reader.rows(
            f"{LOCK} WHERE document_id = ANY(%(ids)s) AND expires_at > %(at)s",
            {"ids": list(document_ids), "at": at},
        )
        return {lock.document_id: lock for lock in map(_lock, rows)}

    async def present(self, document_id: UUID, *, at: datetime) -> list[Present]:
        rows = await self._reader.rows(
            PRESENT.format(id="%(id)s", at="%(at)s"), {"id": document_id, "at": at}
        )
        return [_present(row) for row in rows]

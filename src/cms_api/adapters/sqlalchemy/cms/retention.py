"""Retention: policies, and the removal of what they don't keep."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.retention.interface import RetentionPolicy
from cms_api.domains.cms.retention.ports import (
    Purged,
    RetentionQueries,
    RetentionRepository,
    TrashedDocument,
)

REVISIONS_AT_ONCE = 1_000
NAMES = RetentionPolicy.__struct_fields__
POLICY = f"SELECT {', '.join(NAMES)} FROM cms.retention_policies"

# The documents are locked first: whoever adds a revision, or notes something on one, holds that lock.
LOOK = """
    SELECT id FROM cms.documents WHERE type = :type AND (CAST(:after AS uuid) IS NULL OR id > :after)
    ORDER BY id LIMIT :limit
"""
LOCK = "SELECT id FROM cms.documents WHERE id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED"
PURGE = """
    WITH ranked AS (
        SELECT document_id, id, row_number() OVER (PARTITION BY document_id ORDER BY id DESC) AS place
        FROM cms.revisions WHERE document_id = ANY(:ids)),
    surplus AS (
        SELECT r.document_id, r.id FROM ranked
        JOIN cms.revisions r ON r.document_id = ranked.document_id AND r.id = ranked.id
        JOIN cms.documents d ON d.id = r.document_id
        WHERE (ranked.place > CAST(:keep AS integer) OR r.created_at < CAST(:before AS timestamptz))
          AND NOT r.is_pinned AND r.label IS NULL AND r.published_at IS NULL
          AND r.id <> d.draft_revision_id AND r.id IS DISTINCT FROM d.live_revision_id
          AND NOT EXISTS (
            SELECT FROM cms.schedules s
            WHERE s.document_id = r.document_id AND s.state = 'pending' AND s.revision_id = r.id)
        ORDER BY r.document_id, r.id LIMIT :limit)
    DELETE FROM cms.revisions r USING surplus s WHERE r.document_id = s.document_id AND r.id = s.id
    RETURNING r.document_id
"""
# Differences go before what they differ from.
PURGE_CONTENTS = """
    DELETE FROM cms.contents c WHERE c.document_id = ANY(:ids) AND (c.base_hash IS NULL) = :is_whole
      AND NOT EXISTS (SELECT FROM cms.revisions r WHERE r.document_id = c.document_id AND r.hash = c.hash)
      AND NOT EXISTS (SELECT FROM cms.contents o WHERE o.document_id = c.document_id AND o.base_hash = c.hash)
"""
OVERDUE = """
    SELECT d.id, d.trashed_at FROM cms.documents d
    WHERE d.type = :type AND d.trashed_at < :before
      AND (CAST(:after AS uuid) IS NULL
        OR (d.trashed_at, d.id) > (CAST(:after_at AS timestamptz), CAST(:after AS uuid)))
      AND NOT EXISTS (
        SELECT FROM cms.links l
        WHERE l.target_id = d.id AND l.document_id <> d.id AND l.on_delete = 'restrict')
    ORDER BY d.trashed_at, d.id LIMIT :limit FOR UPDATE SKIP LOCKED
"""


class SqlAlchemyRetention(RetentionRepository):
    """Policies in ``cms.retention_policies``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, type: str) -> RetentionPolicy | None:
        found = await self._session.execute(text(f"{POLICY} WHERE type = :type FOR UPDATE"), {"type": type})
        row = found.mappings().one_or_none()
        return None if row is None else RetentionPolicy(**row)

    async def save(self, policy: RetentionPolicy) -> None:
        pairs = ", ".join(f"{name} = :{name}" for name in NAMES if name != "type")
        await self._session.execute(
            text(f"UPDATE cms.retention_policies SET {pairs} WHERE type = :type"), copied(policy, NAMES)
        )

    async def purge_revisions(
        self,
        type: str,
        *,
        keep: int | None,
        before: datetime | None,
        after: UUID | None,
        limit: int,
    ) -> Purged:
        seen = list(await self._session.scalars(text(LOOK), {"type": type, "after": after, "limit": limit}))
        if not seen:
            return Purged(numbers={}, last=None, is_full=False)
        ids = list(await self._session.scalars(text(LOCK), {"ids": seen}))
        numbers: dict[UUID, int] = {}
        for document_id in await self._session.scalars(
            text(PURGE), {"ids": ids, "keep": keep, "before": before, "limit": REVISIONS_AT_ONCE}
        ):
            numbers[document_id] = numbers.get(document_id, 0) + 1
        if numbers:
            for is_whole in (False, True):
                await self._session.execute(
                    text(PURGE_CONTENTS), {"ids": list(numbers), "is_whole": is_whole}
                )
        return Purged(numbers=numbers, last=seen[-1], is_full=sum(numbers.values()) == REVISIONS_AT_ONCE)

    async def overdue_trash(
        self, type: str, *, before: datetime, limit: int, after: TrashedDocument | None = None
    ) -> list[TrashedDocument]:
        found = await self._session.execute(
            text(OVERDUE),
            {
                "type": type,
                "before": before,
                "limit": limit,
                "after": after.id if after else None,
                "after_at": after.trashed_at if after else None,
            },
        )
        return [TrashedDocument(*row) for row in found]


class SqlRetention(RetentionQueries):
    """Policies, for looking at them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list(self) -> list[RetentionPolicy]:
        rows = await self._reader.rows(f"{POLICY} ORDER BY type")
        return [RetentionPolicy(**dict(zip(NAMES, row, strict=True))) for row in rows]

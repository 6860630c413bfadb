"""The repository of schedules."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Result, text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied
from cms_api.domains.cms.schedules.model import Schedule
from cms_api.domains.cms.schedules.ports import ScheduleRepository

CHANNEL = "cms_schedules"

NAMES = tuple(field.name for field in fields(Schedule))
COLUMNS = ", ".join(f"s.{name}" for name in NAMES)

# Whether a schedule is the first of what is still to be done with its document. Not written as
# NOT EXISTS: that would be planned as a join, perhaps over all that is pending.
IS_FIRST = """
    s.id = (SELECT e.id FROM cms.schedules e WHERE e.document_id = s.document_id AND e.state = 'pending'
            ORDER BY e.due_at, e.id LIMIT 1)
"""
# Documents before schedules, as everybody locks them; so whoever passes a document over has
# nothing of it locked.
CLAIM = f"""
    SELECT {COLUMNS} FROM cms.schedules s JOIN cms.documents d ON d.id = s.document_id
    WHERE s.state = 'pending' AND s.next_attempt_at <= :now AND {IS_FIRST}
    ORDER BY s.next_attempt_at, s.id
    LIMIT 1 FOR UPDATE OF d SKIP LOCKED FOR UPDATE OF s SKIP LOCKED
"""
NEXT_DUE = f"""
    SELECT s.next_attempt_at FROM cms.schedules s WHERE s.state = 'pending' AND {IS_FIRST}
    ORDER BY s.next_attempt_at, s.id LIMIT 1
"""


def load(row: Mapping[Any, Any]) -> Schedule:
    """The schedule that a row tells of."""
    return Schedule(**{name: row[name] for name in NAMES})


class SqlAlchemySchedules(ScheduleRepository):
    """Schedules in ``cms.schedules``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def has_revision(self, document_id: UUID, revision_id: UUID) -> bool:
        found = await self._session.scalar(
            text("SELECT true FROM cms.revisions WHERE document_id = :document_id AND id = :id"),
            {"document_id": document_id, "id": revision_id},
        )
        return bool(found)

    async def pending(self, document_id: UUID) -> int:
        number = await self._session.scalar(
            text("SELECT count(*) FROM cms.schedules WHERE document_id = :id AND state = 'pending'"),
            {"id": document_id},
        )
        return number or 0

    async def add(self, schedule: Schedule) -> None:
        names, holders = ", ".join(NAMES), ", ".join(f":{name}" for name in NAMES)
        await self._session.execute(
            text(f"INSERT INTO cms.schedules ({names}) VALUES ({holders})"), copied(schedule, NAMES)
        )
        await self._wake()

    async def get(self, document_id: UUID, schedule_id: UUID) -> Schedule | None:
        found = await self._session.execute(
            text(
                f"""
                SELECT {COLUMNS} FROM cms.schedules s JOIN cms.documents d ON d.id = s.document_id
                WHERE s.id = :id AND s.document_id = :document_id
                FOR NO KEY UPDATE OF d FOR UPDATE OF s
                """
            ),
            {"id": schedule_id, "document_id": document_id},
        )
        row = found.mappings().one_or_none()
        return None if row is None else load(row)

    async def save(self, schedule: Schedule) -> None:
        pairs = ", ".join(f"{name} = :{name}" for name in NAMES if name != "id")
        await self._session.execute(
            text(f"UPDATE cms.schedules SET {pairs} WHERE id = :id"), copied(schedule, NAMES)
        )
        if schedule.state == "pending":
            await self._wake()

    async def cancel_pending(self, document_id: UUID, *, at: datetime) -> list[Schedule]:
        found = await self._session.execute(
            text(
                f"""
                WITH cancelled AS (
                    UPDATE cms.schedules s SET state = 'cancelled', next_attempt_at = NULL, finished_at = :at,
                        updated_at = :at, version = version + 1
                    WHERE s.document_id = :document_id AND s.state = 'pending' RETURNING {COLUMNS})
                SELECT * FROM cancelled ORDER BY due_at, id
                """
            ),
            {"document_id": document_id, "at": at},
        )
        return [load(row) for row in found.mappings()]

    async def claim(self, now: datetime) -> Schedule | None:
        row = (await self._in_order(CLAIM, {"now": now})).mappings().one_or_none()
        return None if row is None else load(row)

    async def next_due(self) -> datetime | None:
        found: datetime | None = (await self._in_order(NEXT_DUE)).scalar()
        return found

    async def _in_order(self, statement: str, params: Mapping[str, object] | None = None) -> Result[Any]:
        """Run a statement that wants the first of an order, and walks an index until it has it.

        Where the planner thinks that next to nothing is pending, as it does until somebody counts
        what a busy hour has brought, it would look at all of that and sort it: for each claim.
        """
        await self._session.execute(text("SET LOCAL enable_sort = off"))
        found = await self._session.execute(text(statement), params)
        await self._session.execute(text("SET LOCAL enable_sort TO DEFAULT"))
        return found

    async def zoned(self, after: UUID | None, limit: int) -> list[Schedule]:
        found = await self._session.execute(
            text(
                f"""
                SELECT {COLUMNS} FROM cms.schedules s
                WHERE s.state = 'pending' AND s.timezone <> 'UTC'
                  AND (CAST(:after AS uuid) IS NULL OR s.id > CAST(:after AS uuid))
                ORDER BY s.id LIMIT :limit
                """
            ),
            {"after": after, "limit": limit},
        )
        return [load(row) for row in found.mappings()]

    async def _wake(self) -> None:
        """Tell the workers of all processes, once this is committed."""
        await self._session.execute(text(f"NOTIFY {CHANNEL}"))

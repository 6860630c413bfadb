"""Jobs in ``jobs.jobs``."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import json_text
from cms_api.domains.jobs.model import Job, JobFailure
from cms_api.domains.jobs.ports import JobRepository

COLUMNS = tuple(field.name for field in fields(Job))
# Sent and read as text, so that one encoder, ours, decides what JSON looks like.
JSON = ("params", "cursor", "result", "error")
NAMES = ", ".join(COLUMNS)
READ = ", ".join(f"{name}::text AS {name}" if name in JSON else name for name in COLUMNS)
HOLDERS = {name: f"CAST(:{name} AS jsonb)" if name in JSON else f":{name}" for name in COLUMNS}


class SqlAlchemyJobs(JobRepository):
    """One row a job."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, job: Job) -> None:
        await self._session.execute(
            text(f"INSERT INTO jobs.jobs ({NAMES}) VALUES ({', '.join(HOLDERS.values())})"), _values(job)
        )

    async def get(self, job_id: UUID) -> Job | None:
        # A step may be busy elsewhere, building an index or fetching a file, before it comes back here.
        await self._session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        found = await self._session.execute(
            text(f"SELECT {READ} FROM jobs.jobs WHERE id = :id FOR UPDATE"), {"id": job_id}
        )
        row = found.mappings().one_or_none()
        return None if row is None else _job(row)

    async def save(self, job: Job) -> None:
        pairs = ", ".join(f"{name} = {holder}" for name, holder in HOLDERS.items() if name != "id")
        await self._session.execute(text(f"UPDATE jobs.jobs SET {pairs} WHERE id = :id"), _values(job))

    async def purge(self, *, before: datetime, limit: int) -> list[Job]:
        found = await self._session.execute(
            text(
                f"""
                DELETE FROM jobs.jobs WHERE id IN (
                    SELECT id FROM jobs.jobs WHERE finished_at < :before
                    ORDER BY finished_at LIMIT :limit FOR UPDATE SKIP LOCKED)
                RETURNING {READ}
                """
            ),
            {"before": before, "limit": limit},
        )
        return [_job(row) for row in found.mappings()]


def _values(job: Job) -> dict[str, Any]:
    values = {name: getattr(job, name) for name in COLUMNS}
    return values | {name: None if values[name] is None else json_text(values[name]) for name in JSON}


def _job(row: Mapping[Any, Any]) -> Job:
    values = {name: row[name] for name in COLUMNS}
    for name in JSON:
        if values[name] is not None:
            kind: Any = JobFailure if name == "error" else Any
            values[name] = msgspec.json.decode(values[name], type=kind)
    return Job(**values)

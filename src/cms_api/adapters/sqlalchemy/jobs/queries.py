"""The queries of the jobs domain: one statement each."""

from typing import Any
from uuid import UUID

import msgspec

from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.jobs.interface import JobView
from cms_api.domains.jobs.model import JobFailure
from cms_api.domains.jobs.ports import JobQueries
from cms_api.querying import Page, PageRequest

JOB = f"SELECT {', '.join(f'j.{name}' for name in JobView.__struct_fields__)}\nFROM jobs.jobs j"

JOBS_BY = Keyset(
    {"created_at": Column("j.created_at", "timestamptz")},
    key=Column("j.id", "uuid"),
    filters={
        "kind": Column("j.kind", "text"),
        "state": Column("j.state", "text"),
        "created_by": Column("j.created_by", "uuid"),
        "finished_at": Column("j.finished_at", "timestamptz"),
    },
)


class SqlJobs(JobQueries):
    """Jobs, as they are shown."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, job_id: UUID) -> JobView | None:
        row = await self._reader.one(f"{JOB}\nWHERE j.id = %(id)s", {"id": job_id})
        return None if row is None else _view(row)

    async def list(self, page: PageRequest) -> Page[JobView]:
        return await JOBS_BY.page(self._reader, JOB, [], {}, page, _view)


def _view(row: tuple[Any, ...]) -> JobView:
    values = dict(zip(JobView.__struct_fields__, row, strict=True))
    if values["error"] is not None:
        values["error"] = msgspec.convert(values["error"], JobFailure)
    return JobView(**values)

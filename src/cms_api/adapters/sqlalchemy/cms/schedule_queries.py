"""What management sees of schedules: one statement each."""

from typing import Any
from uuid import UUID

from cms_api.adapters.sqlalchemy.cms.schedules import COLUMNS, NAMES, load
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.schedules.interface import ScheduleView
from cms_api.domains.cms.schedules.ports import ScheduleQueries
from cms_api.domains.cms.schedules.service import view
from cms_api.querying import Page, PageRequest

SCHEDULE = f"SELECT {COLUMNS}\nFROM cms.schedules s"
SCHEDULES_BY = Keyset(
    {"at": Column("s.due_at", "timestamptz"), "created_at": Column("s.created_at", "timestamptz")},
    key=Column("s.id", "uuid"),
    filters={
        "state": Column("s.state", "text"),
        "action": Column("s.action", "text"),
        "type": Column("s.type", "text"),
        "document_id": Column("s.document_id", "uuid"),
        "created_by": Column("s.created_by", "uuid"),
    },
)


class SqlSchedules(ScheduleQueries):
    """Schedules."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, kind: str, document_id: UUID, schedule_id: UUID) -> ScheduleView | None:
        row = await self._reader.one(
            SCHEDULE + "\nWHERE s.id = %(id)s AND s.document_id = %(document_id)s AND s.type = %(type)s",
            {"id": schedule_id, "document_id": document_id, "type": kind},
        )
        return None if row is None else _schedule(row)

    async def list(self, page: PageRequest, *, document_id: UUID | None = None) -> Page[ScheduleView]:
        where = [] if document_id is None else ["s.document_id = %(document_id)s"]
        params = {} if document_id is None else {"document_id": document_id}
        return await SCHEDULES_BY.page(self._reader, SCHEDULE, where, params, page, _schedule)

    async def has_document(self, kind: str, document_id: UUID) -> bool:
        row = await self._reader.one(
            "SELECT true FROM cms.documents WHERE id = %(id)s AND type = %(type)s",
            {"id": document_id, "type": kind},
        )
        return row is not None


def _schedule(row: tuple[Any, ...]) -> ScheduleView:
    return view(load(dict(zip(NAMES, row, strict=True))))

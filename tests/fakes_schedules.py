"""The ports of schedules without a database, and what surrounds a worker."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.fakes_cms import CmsUnitOfWork, FakeCms, Store, page_of

from cms_api.domains.cms.schedules.firing import Firing
from cms_api.domains.cms.schedules.interface import ScheduleView
from cms_api.domains.cms.schedules.model import Schedule
from cms_api.domains.cms.schedules.ports import ScheduleQueries, ScheduleRepository, Wakeups
from cms_api.domains.cms.schedules.service import Schedules, view
from cms_api.querying import Page, PageRequest


class FakeSchedules(ScheduleRepository):
    """Schedules in the store. Nothing is ever locked by others."""

    def __init__(self, store: Store, wakeups: "FakeWakeups | None" = None) -> None:
        self._store = store
        self._wakeups = wakeups or FakeWakeups()

    async def has_revision(self, document_id: UUID, revision_id: UUID) -> bool:
        found = self._store.revisions.get(revision_id)
        return found is not None and found.document == document_id

    async def pending(self, document_id: UUID) -> int:
        return len(self._pending(document_id))

    def _pending(self, document_id: UUID | None = None) -> list[Schedule]:
        rows = [
            row
            for row in self._store.schedules.values()
            if row.state == "pending" and document_id in (None, row.document_id)
        ]
        return sorted(rows, key=lambda row: (row.due_at, row.id))

    async def add(self, schedule: Schedule) -> None:
        await self.save(schedule)

    async def get(self, document_id: UUID, schedule_id: UUID) -> Schedule | None:
        row = self._store.schedules.get(schedule_id)
        return copy.copy(row) if row is not None and row.document_id == document_id else None

    async def save(self, schedule: Schedule) -> None:
        self._store.schedules[schedule.id] = copy.copy(schedule)
        if schedule.state == "pending":
            self._wakeups.wake()

    async def cancel_pending(self, document_id: UUID, *, at: datetime) -> list[Schedule]:
        cancelled = [copy.copy(row) for row in self._pending(document_id)]
        for row in cancelled:
            row.cancel(at=at)
            await self.save(row)
        return cancelled

    async def claim(self, now: datetime) -> Schedule | None:
        return next((copy.copy(row) for row in self._first() if _at(row) <= now), None)

    async def next_due(self) -> datetime | None:
        return next((_at(row) for row in self._first()), None)

    def _first(self) -> list[Schedule]:
        """The first pending one of each document, in the order in which they are tried."""
        first: dict[UUID, Schedule] = {}
        for row in self._pending():
            first.setdefault(row.document_id, row)
        return sorted(first.values(), key=lambda row: (_at(row), row.id))

    async def zoned(self, after: UUID | None, limit: int) -> list[Schedule]:
        rows = sorted(self._pending(), key=lambda row: row.id)
        found = [row for row in rows if row.timezone != "UTC" and (after is None or row.id > after)]
        return [copy.copy(row) for row in found[:limit]]


def _at(schedule: Schedule) -> datetime:
    assert schedule.next_attempt_at is not None
    return schedule.next_attempt_at


class FakeScheduleQueries(ScheduleQueries):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, kind: str, document_id: UUID, schedule_id: UUID) -> ScheduleView | None:
        row = self._store.schedules.get(schedule_id)
        return view(row) if row and (row.type, row.document_id) == (kind, document_id) else None

    async def list(self, page: PageRequest, *, document_id: UUID | None = None) -> Page[ScheduleView]:
        rows = [view(row) for row in self._store.schedules.values() if document_id in (None, row.document_id)]
        return page_of(rows, page, getattr, lambda row: row)

    async def has_document(self, kind: str, document_id: UUID) -> bool:
        row = self._store.documents.get(document_id)
        return row is not None and row.type == kind


class FakeWakeups(Wakeups):
    """Wakes whoever listens in this process. ``is_deaf`` loses every notification."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self.is_deaf = False

    def listening(self) -> AbstractAsyncContextManager[asyncio.Event]:
        return self._listening()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Event]:
        woken = asyncio.Event()
        self._listeners.add(woken)
        try:
            yield woken
        finally:
            self._listeners.remove(woken)

    def wake(self) -> None:
        if not self.is_deaf:
            for woken in self._listeners:
                woken.set()


class MemoryLog:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def info(self, event: str, **values: object) -> None:
        self.lines.append(("info", event, values))

    def warning(self, event: str, **values: object) -> None:
        self.lines.append(("warning", event, values))

    def error(self, event: str, **values: object) -> None:
        self.lines.append(("error", event, values))

    def names(self) -> list[str]:
        return [event for _, event, _ in self.lines]


class Away(Exception):
    """The database of the fakes is away."""


class ScheduledCms(FakeCms):
    """The cms domain on fakes, with schedules."""

    def __init__(self) -> None:
        super().__init__()
        self.wakeups = FakeWakeups()
        self.log = MemoryLog()
        self.schedules = Schedules(clock=self.clock, queries=FakeScheduleQueries(self.store))
        self.firing = self.made_firing()

    def made_firing(self, **parts: Any) -> Firing:
        made: dict[str, Any] = {
            "clock": self.clock,
            "types": self.types,
            "new_uow": self.uow,
            "is_outage": lambda error: isinstance(error, Away),
            "log": self.log,
        }
        return Firing(**(made | parts))

    def uow(self) -> CmsUnitOfWork:
        return CmsUnitOfWork(self.store, {ScheduleRepository: FakeSchedules(self.store, self.wakeups)})

"""The log of changes, without a database."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.sync.interface import FIRST, LAST, Position, SyncFilter
from cms_api.domains.cms.sync.ports import (
    ChangeQueries,
    ChangeRepository,
    Horizon,
    Listened,
    Place,
    Told,
    Touched,
    Walked,
)

PLURALS = {"category": "categories", "media": "media", "settings": "settings"}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the log."""

    number: int
    xact: int
    resource: str
    id: UUID
    type: str | None
    locale: str | None
    is_deleted: bool
    changed_at: datetime

    @property
    def at(self) -> tuple[int, int]:
        return self.xact, self.number

    @property
    def keys(self) -> tuple[str, ...]:
        if self.resource == "document":
            return (str(self.id), f"document:{self.type}", "documents")
        if self.resource == "comments":
            return (f"comments:{self.id}",)
        if self.resource == "comment":
            return (str(self.id),)
        if self.resource == "path":
            return ("redirects",)
        return (str(self.id), PLURALS.get(self.resource, f"{self.resource}s"))


class Log:
    """All rows. ``horizon`` is the first transaction whose rows are not final."""

    def __init__(self) -> None:
        self.rows: list[Change] = []
        self.horizon = 1
        self.pruned = 0
        self.epoch = "first"

    def newer(self, row: Change, *, before: int) -> list[Change]:
        """Those of the same resource, in transactions before one."""
        return [
            one
            for one in self.rows
            if (one.id, one.resource) == (row.id, row.resource) and one.at > row.at and one.xact < before
        ]


class FakeChanges(ChangeQueries, ChangeRepository):
    """Both ports on one log; types that change stand for no documents here."""

    def __init__(self, log: Log, *, window: int) -> None:
        self._log = log
        self._window = window
        # The files that something live shows.
        self.shown: set[UUID] = set()

    def _behind(self, at: Position, *, upto: int) -> list[Change]:
        done = (at.xact, at.number, at.inner)
        rows = [one for one in self._log.rows if (*one.at, FIRST) > done and one.xact < upto]
        return sorted(rows, key=lambda one: one.at)

    async def walk(self, at: Position, wanted: SyncFilter, *, limit: int) -> Walked:
        upto = at.upto or self._log.horizon
        rows = self._behind(at, upto=upto)
        looked = rows[: self._window]
        found = [
            Touched(
                kind=one.resource,  # type: ignore[arg-type]  # it is among those that are wanted
                type=one.type,
                id=one.id,
                place=Place(one.xact, one.number, FIRST),
            )
            for one in looked
            if one.resource in wanted.kinds
            and (one.resource != "document" or wanted.types is None or one.type in wanted.types)
            and (one.resource != "document" or wanted.locale in (None, one.locale))
            and not self._log.newer(one, before=upto)
        ]
        end = Place(*looked[-1].at, LAST) if len(looked) == self._window else None
        return Walked(horizon=await self.horizon(), found=found[:limit], looked_up_to=end)

    async def told(self, at: Position, *, limit: int) -> Listened:
        rows = self._behind(at, upto=at.upto or self._log.horizon)
        found = [
            Told(tags=one.keys, changed_at=one.changed_at, place=Place(one.xact, one.number, LAST))
            for one in rows[:limit]
        ]
        return Listened(horizon=await self.horizon(), found=found)

    async def horizon(self) -> Horizon:
        return Horizon(epoch=self._log.epoch, xact=self._log.horizon, pruned=self._log.pruned)

    async def files(self, ids: Collection[UUID]) -> dict[UUID, str]:
        return {one: f'{{"id":"{one}"}}' for one in ids if one in self.shown}

    async def renew(self) -> bool:
        return False

    async def compact(
        self, *, after: int, limit: int, superseded_before: datetime, deleted_before: datetime
    ) -> tuple[int | None, int]:
        log = self._log
        looked = sorted((one for one in log.rows if one.number > after), key=lambda one: one.number)[:limit]
        superseded = [
            one
            for one in looked
            if any(new.changed_at < superseded_before for new in log.newer(one, before=log.horizon))
        ]
        forgotten = [
            one
            for one in looked
            if one.is_deleted
            and one.changed_at < deleted_before
            and one.xact < log.horizon
            and not [other for other in log.rows if other.id == one.id and other is not one]
        ]
        log.pruned = max([log.pruned, *(one.xact for one in forgotten)])
        gone: list[Any] = [*superseded, *forgotten]
        log.rows = [one for one in log.rows if one not in gone]
        return (looked[-1].number if looked else None), len(gone)

"""The log of changes, without a database."""

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from tests.fakes_cms import Store
from tests.fakes_content_types import TypeStore

from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.sync.interface import FIRST, LAST, Position, SyncFilter, SyncKind
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


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """Something that shows others: it comes again where one of ``shown`` changes, a resource and its id."""

    kind: SyncKind
    id: UUID
    shown: set[tuple[str, UUID]]
    type: str | None = None
    locale: str | None = None


def path_id(locale: str, path: str) -> UUID:
    """The id by which the log names a path."""
    return UUID(hashlib.md5(f"{locale} {path}".encode(), usedforsecurity=False).hexdigest())


def showings(store: Store, types: TypeStore) -> Iterator[Showing]:
    """What shows others, of all there is."""
    yield from _documents(store, types)
    for menu in store.menus.values():
        targets = [item.target for item in menu.items]
        yield Showing(kind="menu", id=menu.id, shown={(one.kind, one.id) for one in targets if one.id})
    for redirect in store.redirects.values():
        shown = {("address", redirect.document_id)} if redirect.document_id else set()
        if redirect.target is not None:
            place = redirect.locale, redirect.target
            shown.add(("path", path_id(*place)))
            shown |= {
                ("address", one.document_id)
                for one in store.redirects.values()
                if one.document_id and one.is_automatic and (one.locale, one.source) == place
            }
        yield Showing(kind="redirect", id=redirect.id, shown=shown)
    site = store.site
    pages, files = (site.home_page, site.posts_page), (site.logo, site.icon, site.image)
    addresses = {("address", one) for one in pages if one}
    yield Showing(kind="settings", id=SITE_ID, shown=addresses | {("media", one) for one in files if one})
    for comment in store.reader_comments.values():
        if comment.state == "approved":
            above = {("comment", one) for one in comment.path[:-1]}
            yield Showing(kind="comment", id=comment.id, shown={("address", comment.document_id), *above})


def _documents(store: Store, types: TypeStore) -> Iterator[Showing]:
    for one, live in store.publications.items():
        shown = {("settings", SITE_ID), ("address", one)}
        if (record := types.types.get(live.type)) is not None:
            shown.add(("content-type", record.id))
        if (group := store.documents[one].translation_of) is not None:
            shown.add(("address", group))
        for link in store.links[one, True]:
            # Of its authors and terms a document says no more than who they are.
            if link.field not in ("authors", "categories", "tags"):
                shown.add(("address" if link.kind == "document" else link.kind, link.target))
        yield Showing(kind="document", id=one, type=live.type, locale=live.locale, shown=shown)


class FakeChanges(ChangeQueries, ChangeRepository):
    """Both ports on one log, with what shows others in the stores."""

    def __init__(
        self, log: Log, *, window: int, store: Store | None = None, types: TypeStore | None = None
    ) -> None:
        self._log = log
        self._window = window
        self._store = store or Store()
        self._types = types or TypeStore()
        # The files that something live shows.
        self.shown: set[UUID] = set()

    def _from(self, at: Position) -> list[Change]:
        """The rows from a position on, with the one that stands there, up to the end of its walk."""
        upto = at.upto or self._log.horizon
        rows = [one for one in self._log.rows if one.at >= (at.xact, at.number) and one.xact < upto]
        return sorted(rows, key=lambda one: one.at)

    async def walk(self, at: Position, wanted: SyncFilter, *, limit: int) -> Walked:
        upto = at.upto or self._log.horizon
        looked = self._from(at)[: self._window]
        found = [
            touched
            for row in looked
            if not self._log.newer(row, before=upto)
            for touched in (*_itself(row, wanted), *self._spread(row, at, wanted))
            if (*row.at, touched.place.inner) > (at.xact, at.number, at.inner)
        ]
        end = Place(*looked[-1].at, LAST) if len(looked) == self._window else None
        return Walked(horizon=await self.horizon(), found=found[:limit], looked_up_to=end)

    def _spread(self, row: Change, at: Position, wanted: SyncFilter) -> list[Touched]:
        """What shows the resource, and is not told by a change of its own or by a later one of what it shows."""
        if not at.start:  # each comes by itself
            return []
        upto = at.upto or self._log.horizon
        own = {(one.resource, one.id) for one in self._log.rows if at.start <= one.xact < upto}
        later = {(one.resource, one.id) for one in self._log.rows if one.at > row.at and one.xact < upto}
        found = [
            Touched(kind=one.kind, type=one.type, id=one.id, place=Place(*row.at, one.id))
            for one in showings(self._store, self._types)
            if (row.resource, row.id) in one.shown
            and _is_wanted(one.kind, one.type, one.locale, wanted)
            and (one.kind, one.id) not in own
            and later.isdisjoint(one.shown)
        ]
        return sorted(found, key=lambda one: one.id)

    async def told(self, at: Position, *, limit: int) -> Listened:
        done = (at.xact, at.number)
        found = [
            Told(tags=one.keys, changed_at=one.changed_at, place=Place(one.xact, one.number, LAST))
            for one in self._from(at)
            if one.at > done
        ][:limit]
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


def _is_wanted(kind: str, type: str | None, locale: str | None, wanted: SyncFilter) -> bool:
    if kind != "document":
        return kind in wanted.kinds
    is_type = wanted.types is None or type in wanted.types
    return kind in wanted.kinds and is_type and wanted.locale in (None, locale)


def _itself(row: Change, wanted: SyncFilter) -> list[Touched]:
    if not _is_wanted(row.resource, row.type, row.locale, wanted):
        return []
    kind: Any = row.resource  # it is among those that are wanted
    return [Touched(kind=kind, type=row.type, id=row.id, place=Place(*row.at, FIRST))]

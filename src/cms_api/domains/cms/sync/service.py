"""Following changes: the log says what to look at, delivery what it is now."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from cms_api.domains.cms.content_types.errors import TypeNotFound
from cms_api.domains.cms.delivery.interface import Delivered, DeliveryService, Kind
from cms_api.domains.cms.entries.delivery import BUILT_IN, EntryDeliveryService
from cms_api.domains.cms.site.interface import PublicSiteService
from cms_api.domains.cms.sync.errors import SyncTokenExpired
from cms_api.domains.cms.sync.interface import (
    READ_PURGES,
    Position,
    Purge,
    PurgePage,
    PurgeService,
    SyncFilter,
    SyncItem,
    SyncPage,
    SyncService,
)
from cms_api.domains.cms.sync.ports import ChangeQueries, ChangeRepository, Horizon, Place, Those, Touched
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Malformed
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import MAX_LIMIT, Comparison, PageRequest, Selection

DELIVERED: dict[str, Kind] = {"author": "authors", "category": "categories", "tag": "tags"}
# A walk that takes longer than this may meet fewer resources than there are; those come in the next one.
SUPERSEDED_KEPT = timedelta(days=1)
CHANGES_AT_ONCE = 5_000


class Sync(SyncService):
    """The service of replicas. ``others`` gives what delivery shows of further kinds, by their names."""

    def __init__(
        self,
        *,
        changes: ChangeQueries,
        delivery: DeliveryService,
        entries: EntryDeliveryService,
        site: PublicSiteService,
        others: Mapping[str, Those],
    ) -> None:
        self._changes = changes
        self._delivery = delivery
        self._entries = entries
        self._site = site
        self._others = others

    async def page(self, wanted: SyncFilter, *, limit: int, at: Position | None) -> SyncPage:
        if at is None:
            await self._check(wanted.types or ())
        given = at or Position()
        walked = await self._changes.walk(given, wanted, limit=limit + 1)
        walk = _begun(given, walked.horizon)
        found, more = walked.found[:limit], len(walked.found) > limit
        texts = await self._texts(found)
        items = [
            SyncItem(kind=one.kind, type=one.type, id=one.id, json=text, position=_at(walk, one.place))
            for one, text in ((one, texts.get((one.kind, one.id))) for one in found)
            if text is not None or walk.start
        ]
        place = found[-1].place if more else walked.looked_up_to
        if place is not None:
            return SyncPage(items=items, next=_at(walk, place), token=None)
        return SyncPage(items=items, next=None, token=_next_walk(walk))

    async def _check(self, types: Sequence[str]) -> None:
        """A walk begins with types that there are; one that goes on has to hear of those that went."""
        faults: list[Fault] = []
        for key in types:
            if key in BUILT_IN:
                continue
            try:
                await self._entries.of(key)
            except TypeNotFound:
                faults.append(Fault("?type", "unknown_type", f"There is no type “{key[:100]}” here."))
        if faults:
            raise Malformed(faults[0].detail, faults=tuple(faults))

    async def _texts(self, found: list[Touched]) -> dict[tuple[str, UUID], str]:
        """What readers see of resources: one statement for each kind and type."""
        ids: dict[tuple[str, str | None], list[UUID]] = {}
        for one in found:
            ids.setdefault((one.kind, one.type), []).append(one.id)
        texts: dict[tuple[str, UUID], str] = {}
        for (kind, key), some in sorted(ids.items(), key=lambda pair: (pair[0][0], pair[0][1] or "")):
            if kind == "media":
                files = await self._changes.files(some)
                texts |= {(kind, file): text for file, text in files.items()}
                continue
            for item in await self._delivered(kind, key or "", some):
                # An item is made of itself first.
                texts[kind, UUID(item.used.partition(",")[0])] = item.json
        return texts

    async def _delivered(self, kind: str, type: str, ids: list[UUID]) -> Sequence[Delivered]:
        if kind == "settings":
            return [await self._site.get()]
        if kind in self._others:
            return await self._others[kind](ids)
        those = PageRequest(limit=MAX_LIMIT, sort=(), filter=Comparison("id", "in", tuple(ids)))
        if kind != "document" or type in BUILT_IN:
            page = await self._delivery.list(DELIVERED.get(kind) or BUILT_IN[type], those, Selection())
            return page.items
        try:
            reader = await self._entries.of(type)
        except TypeNotFound:
            return []
        return (await reader.page(those, Selection())).items


class Purges(PurgeService):
    """The service of what caches must drop."""

    def __init__(self, changes: ChangeQueries) -> None:
        self._changes = changes

    async def page(self, actor: Actor, *, limit: int, at: Position | None) -> PurgePage:
        actor.require(READ_PURGES)
        given = at or Position()
        told = await self._changes.told(given, limit=limit + 1)
        walk = _begun(given, told.horizon)
        items = [
            Purge(tags=one.tags, changed_at=one.changed_at, position=_at(walk, one.place))
            for one in told.found[:limit]
        ]
        if len(told.found) > limit:
            return PurgePage(items=items, next=items[-1].position, token=None)
        return PurgePage(items=items, next=None, token=_next_walk(walk))

    async def now(self, actor: Actor) -> Position:
        actor.require(READ_PURGES)
        return _next_walk(_begun(Position(), await self._changes.horizon()))


class Upkeep:
    """Keeps the log of changes short, and of one epoch. ``tombstones`` is in seconds."""

    def __init__(self, *, clock: Clock, tombstones: int) -> None:
        self._clock = clock
        self._tombstones = timedelta(seconds=tombstones)

    async def compact(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Remove changes that say nothing more; how many."""
        async with new_uow() as uow:
            await uow.repository(ChangeRepository).renew()
        now, total, after = self._clock.now(), 0, 0
        while True:
            async with new_uow() as uow:
                last, removed = await uow.repository(ChangeRepository).compact(
                    after=after,
                    limit=CHANGES_AT_ONCE,
                    superseded_before=now - SUPERSEDED_KEPT,
                    deleted_before=now - self._tombstones,
                )
            total += removed
            if last is None:
                return total
            after = last


def _begun(at: Position, horizon: Horizon) -> Position:
    """The walk that ``at`` belongs to, with its end. Raises `SyncTokenExpired`."""
    # What was deleted before a walk through everything began, that walk need not tell.
    since = at.start or at.upto or horizon.xact
    is_other = at.epoch not in ("", horizon.epoch) or max(since, at.upto or 0) > horizon.xact
    if is_other or since <= horizon.pruned:
        raise SyncTokenExpired
    return Position(horizon.epoch, at.start, at.upto or horizon.xact, at.xact, at.number, at.inner)


def _at(walk: Position, place: Place) -> Position:
    return Position(walk.epoch, walk.start, walk.upto, place.xact, place.number, place.inner)


def _next_walk(walk: Position) -> Position:
    """Where the walk begins that follows."""
    end = walk.upto or 0
    return Position(walk.epoch, start=end, xact=end)

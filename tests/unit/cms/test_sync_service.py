"""Replicas, by rules: whatever is written, and whenever it is committed, they come to what is there."""

import asyncio
from collections.abc import Awaitable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tests.fakes import FakeUnitOfWork, FixedClock
from tests.fakes_sync import Change, FakeChanges, Log

from cms_api.domains.cms.content_types.errors import TypeNotFound
from cms_api.domains.cms.delivery.interface import Delivered, DeliveryService
from cms_api.domains.cms.entries.delivery import EntryDeliveryService
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.site.interface import PublicSiteService
from cms_api.domains.cms.sync.errors import SyncTokenExpired
from cms_api.domains.cms.sync.interface import READ_PURGES, Position, SyncFilter
from cms_api.domains.cms.sync.ports import ChangeRepository
from cms_api.domains.cms.sync.service import Purges, Sync, Upkeep
from cms_api.kernel.actor import ANONYMOUS, Actor
from cms_api.kernel.errors import Forbidden, Unauthenticated
from cms_api.querying import Comparison, Page, PageRequest

T = TypeVar("T")

NOW = datetime(2026, 1, 2, tzinfo=UTC)
IDS = [UUID(int=number) for number in range(1, 5)]
DOCUMENTS = SyncFilter(kinds=("document",))


def run(work: Awaitable[T]) -> T:
    async def main() -> T:
        return await work

    return asyncio.run(main())


class LivePosts(DeliveryService):
    """Posts that are live, by id: what they say."""

    def __init__(self) -> None:
        self.live: dict[UUID, int] = {}

    async def one(self, *_: Any) -> Delivered:
        raise NotImplementedError

    async def list(self, kind: Any, page: PageRequest, selection: Any) -> Page[Delivered]:
        del selection
        assert kind == "posts"
        assert isinstance(page.filter, Comparison)
        wanted: Any = page.filter.values
        found = [Delivered(str(self.live[one]), "", f"{one},more") for one in wanted if one in self.live]
        return Page(items=found)


class NoEntries(EntryDeliveryService):
    """There are no types."""

    async def of(self, key: str) -> Any:
        raise TypeNotFound(key)

    async def listings(self, *_: Any) -> Any:
        raise NotImplementedError


class OneSite(PublicSiteService):
    """Settings that nobody has changed."""

    async def get(self) -> Delivered:
        return Delivered("{}", "", f"{SITE_ID},more")


class Site:
    """A log, what it is about, and the services on both."""

    def __init__(self, *, window: int = 100) -> None:
        self.log, self.posts = Log(), LivePosts()
        self.changes = FakeChanges(self.log, window=window)
        self.menus: set[UUID] = set()
        self.asked: list[tuple[UUID, ...]] = []
        self.sync = Sync(
            changes=self.changes, delivery=self.posts, entries=NoEntries(), site=OneSite(),
            others={"menu": self._menus},
        )  # fmt: skip
        self.number = 0

    async def _menus(self, ids: Collection[UUID]) -> list[Delivered]:
        self.asked.append(tuple(ids))
        return [Delivered(f'"{one}"', "", f"{one},more") for one in ids if one in self.menus]

    def row(
        self, xact: int, id: UUID, *, is_deleted: bool = False, kind: str = "document", type: str = "post"
    ) -> Change:
        self.number += 1
        return Change(
            number=self.number, xact=xact, resource=kind, id=id, type=type if kind == "document" else None,
            locale="en", is_deleted=is_deleted, changed_at=NOW,
        )  # fmt: skip


class Replicas(RuleBasedStateMachine):
    """Transactions that write posts and end in any order, a replica that follows, and upkeep."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site(window=3)
        self.next_xact = 1
        self.open: dict[int, list[tuple[Change, int | None]]] = {}
        self.replica: dict[UUID, int] = {}
        self.at: Position | None = None
        self.value = 0

    def _settle(self) -> None:
        self.site.log.horizon = min(self.open, default=self.next_xact)

    @rule()
    def begin(self) -> None:
        self.open[self.next_xact] = []
        self.next_xact += 1
        self._settle()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), id=st.sampled_from(IDS), is_live=st.booleans())
    def write(self, data: st.DataObject, id: UUID, *, is_live: bool) -> None:
        # Who writes what another one has written waits for its end.
        free = [
            xact
            for xact in self.open
            if not any(one.id == id for other, rows in self.open.items() if other != xact for one, _ in rows)
        ]
        if free:
            xact = data.draw(st.sampled_from(sorted(free)))
            self.value += 1
            row = self.site.row(xact, id, is_deleted=not is_live)
            self.open[xact].append((row, self.value if is_live else None))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), is_committed=st.booleans())
    def end(self, data: st.DataObject, *, is_committed: bool) -> None:
        rows = self.open.pop(data.draw(st.sampled_from(sorted(self.open))))
        for row, value in rows if is_committed else ():
            self.site.log.rows.append(row)
            if value is None:
                self.site.posts.live.pop(row.id, None)
            else:
                self.site.posts.live[row.id] = value
        self._settle()

    @rule(limit=st.integers(1, 3))
    def follow(self, limit: int) -> None:
        self._follow(limit)

    def _follow(self, limit: int) -> bool:
        """Take in a page; whether it was the last of its walk."""
        page = run(self.site.sync.page(DOCUMENTS, limit=limit, at=self.at))
        for item in page.items:
            if item.json is None:
                self.replica.pop(item.id, None)
            else:
                self.replica[item.id] = int(item.json)
        self.at = page.next or page.token
        assert (page.next is None) is (page.token is not None)
        return page.token is not None

    @rule()
    def compact(self) -> None:
        """As if all was long ago: what is superseded goes, tombstones stay."""
        late, early = NOW + timedelta(days=1), NOW - timedelta(days=1)
        run(self.site.changes.compact(after=0, limit=100, superseded_before=late, deleted_before=early))

    def teardown(self) -> None:
        self.open.clear()
        self._settle()
        for _ in range(2):  # the walk that was begun, and the one behind it
            while not self._follow(2):
                pass
        assert self.replica == self.site.posts.live


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


async def test_tokens_of_another_time_are_refused() -> None:
    site = Site()
    site.log.horizon = 50
    site.log.rows.append(site.row(10, IDS[0]))
    page = await site.sync.page(DOCUMENTS, limit=1, at=None)
    assert page.token == Position("first", start=50, xact=50)
    assert (await site.sync.page(DOCUMENTS, limit=1, at=page.token)).items == []
    for wrong in (
        msgspec.structs.replace(page.token, epoch="second"),
        Position("first", start=51, xact=51),
        Position("first", start=20, upto=51, xact=20),
        Position("first", upto=51),
    ):
        with pytest.raises(SyncTokenExpired):
            await site.sync.page(DOCUMENTS, limit=1, at=wrong)
    site.log.pruned = 30
    for old in (Position("first", start=30, xact=30), Position("first", upto=30)):
        with pytest.raises(SyncTokenExpired):
            await site.sync.page(DOCUMENTS, limit=1, at=old)
    # Everything is told from the beginning, whatever was forgotten before.
    assert await site.sync.page(DOCUMENTS, limit=1, at=Position("first", upto=31))
    assert await site.sync.page(DOCUMENTS, limit=1, at=Position("first", start=31, xact=31))


async def test_what_is_not_there_is_told_to_who_may_have_it_only() -> None:
    site = Site()
    site.log.horizon = 50
    site.log.rows += [
        site.row(10, IDS[0], type="gone"), site.row(10, IDS[1]), site.row(10, IDS[2], kind="media"),
        site.row(10, IDS[3], kind="media"),
    ]  # fmt: skip
    site.changes.shown = {IDS[3]}
    everything = await site.sync.page(SyncFilter(), limit=10, at=None)
    assert [(item.kind, item.id) for item in everything.items] == [("media", IDS[3])]
    changed = await site.sync.page(SyncFilter(), limit=10, at=Position("first", start=5, xact=5))
    assert [(item.id, item.json is None) for item in changed.items] == [
        (IDS[0], True), (IDS[1], True), (IDS[2], True), (IDS[3], False),
    ]  # fmt: skip


async def test_of_each_kind_all_is_asked_for_at_once() -> None:
    site = Site()
    site.log.horizon = 50
    site.menus = {IDS[0], IDS[2]}
    site.log.rows += [site.row(10, one, kind="menu") for one in IDS[:3]]
    site.log.rows.append(site.row(11, SITE_ID, kind="settings"))
    told = await site.sync.page(SyncFilter(), limit=10, at=Position("first", start=5, xact=5))
    assert [(item.kind, item.id, item.json) for item in told.items] == [
        ("menu", IDS[0], f'"{IDS[0]}"'), ("menu", IDS[1], None), ("menu", IDS[2], f'"{IDS[2]}"'),
        ("settings", SITE_ID, "{}"),
    ]  # fmt: skip
    assert site.asked == [tuple(IDS[:3])]
    settings = SyncFilter(kinds=("settings",))
    assert [item.kind for item in (await site.sync.page(settings, limit=10, at=None)).items] == ["settings"]


async def test_purges() -> None:
    site = Site()
    site.log.horizon = 50
    site.log.rows += [site.row(10, IDS[0]), site.row(11, IDS[1], kind="tag")]
    purges, actor = Purges(site.changes), Actor(user_id=IDS[3], permissions=frozenset({READ_PURGES}))
    first = await purges.page(actor, limit=1, at=None)
    assert [one.tags for one in first.items] == [(str(IDS[0]), "document:post", "documents")]
    assert first.token is None
    second = await purges.page(actor, limit=1, at=first.next)
    assert [one.tags for one in second.items] == [(str(IDS[1]), "tags")]
    assert second.next is None
    assert second.token == await purges.now(actor)
    for nobody, error in ((ANONYMOUS, Unauthenticated), (Actor(user_id=IDS[3]), Forbidden)):
        with pytest.raises(error):
            await purges.page(nobody, limit=1, at=None)
        with pytest.raises(error):
            await purges.now(nobody)


async def test_upkeep_goes_through_all_of_the_log() -> None:
    site, clock = Site(), FixedClock()
    site.log.horizon = 50
    site.log.rows += [site.row(10, IDS[0]), site.row(11, IDS[0]), site.row(12, IDS[1], is_deleted=True)]
    old = clock.now() - timedelta(days=2)
    site.log.rows = [msgspec.structs.replace(one, changed_at=old) for one in site.log.rows]
    upkeep = Upkeep(clock=clock, tombstones=86_400)
    assert await upkeep.compact(lambda: FakeUnitOfWork({ChangeRepository: site.changes})) == 2
    assert ([one.number for one in site.log.rows], site.log.pruned) == ([2], 12)

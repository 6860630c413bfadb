"""What every log of changes does."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.fakes import FakeUnitOfWork
from tests.fakes_sync import Change, FakeChanges, Log

from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.cms.sync import WINDOW, SqlChanges
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.cms.sync.interface import FIRST, LAST, Position, SyncFilter
from cms_api.domains.cms.sync.ports import ChangeQueries, ChangeRepository, Place
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALL = SyncFilter()
A, B, C = new_id(), new_id(), new_id()
# Transactions long ago: in the log of PostgreSQL they are final.
OLD = 10


@dataclass(frozen=True, kw_only=True)
class Logged:
    """One implementation, and a way to write rows that it finds."""

    changes: ChangeQueries
    uow: Callable[[], UnitOfWork]
    add: Callable[..., None]

    async def found(
        self, at: Position, wanted: SyncFilter = ALL, *, limit: int = 10
    ) -> list[tuple[Any, ...]]:
        walked = await self.changes.walk(at, wanted, limit=limit)
        return [(one.kind, one.id, one.place.xact, one.place.number) for one in walked.found]

    async def compact(self, *, superseded_before: datetime, deleted_before: datetime) -> int:
        async with self.uow() as uow:
            _, number = await uow.repository(ChangeRepository).compact(
                after=0, limit=100, superseded_before=superseded_before, deleted_before=deleted_before
            )
        return number


def row(number: int, xact: int, id: UUID, resource: str = "document", **more: Any) -> Change:
    values = {"type": "post", "locale": "en", "is_deleted": False, "changed_at": NOW} | more
    return Change(number=number, xact=xact, id=id, resource=resource, **values)


@pytest.fixture(params=["fake", "postgres"])
async def logged(request: pytest.FixtureRequest) -> AsyncIterator[Logged]:
    if request.param == "fake":
        log = Log()
        log.horizon = 1_000
        fake = FakeChanges(log, window=WINDOW)
        yield Logged(
            changes=fake,
            uow=lambda: FakeUnitOfWork({ChangeRepository: fake}),
            add=lambda *all: log.rows.extend(all),
        )
        return
    url = request.getfixturevalue("database_url")
    engine, reader = make_engine(url, size=2, statement_timeout=15), Reader(url, size=2, statement_timeout=15)
    await reader.open()

    with psycopg.connect(url) as connection:
        # The site's settings are in it from the beginning.
        connection.execute("DELETE FROM cms.changes")

    def add(*rows: Change) -> None:
        with psycopg.connect(url) as connection:
            connection.cursor().executemany(
                "INSERT INTO cms.changes (number, xact, resource, id, type, locale, is_deleted, changed_at)"
                " OVERRIDING SYSTEM VALUE VALUES (%s, %s::text::xid8, %s, %s, %s, %s, %s, %s)",
                [
                    (r.number, str(r.xact), r.resource, r.id, r.type, r.locale, r.is_deleted, r.changed_at)
                    for r in rows
                ],
            )

    try:
        yield Logged(
            changes=SqlChanges(reader),
            uow=lambda: SqlAlchemyUnitOfWork(make_sessions(engine), REPOSITORIES),
            add=add,
        )
    finally:
        await reader.close()
        await engine.dispose()


async def test_a_walk_goes_by_transaction_then_number(logged: Logged) -> None:
    logged.add(row(1, OLD + 1, A), row(2, OLD, B), row(3, OLD, C, "tag", type=None, locale=None))
    assert await logged.found(Position()) == [
        ("document", B, OLD, 2), ("tag", C, OLD, 3), ("document", A, OLD + 1, 1),
    ]  # fmt: skip
    walked = await logged.changes.walk(Position(), ALL, limit=2)
    assert [one.id for one in walked.found] == [B, C]
    assert walked.found[0].place == Place(OLD, 2, FIRST)
    assert walked.looked_up_to is None
    assert walked.horizon.xact > OLD + 1
    assert walked.horizon == await logged.changes.horizon()
    assert await logged.found(Position(xact=OLD, number=2, inner=LAST)) == [
        ("tag", C, OLD, 3), ("document", A, OLD + 1, 1),
    ]  # fmt: skip
    assert await logged.found(Position(start=OLD + 1, xact=OLD + 1)) == [("document", A, OLD + 1, 1)]
    assert await logged.found(Position(upto=OLD + 1)) == [("document", B, OLD, 2), ("tag", C, OLD, 3)]


async def test_a_resource_comes_where_it_last_changed_within_the_walk(logged: Logged) -> None:
    logged.add(row(5, OLD, A), row(2, OLD + 2, A), row(3, OLD + 1, B), row(4, OLD + 1, B))
    assert await logged.found(Position()) == [("document", B, OLD + 1, 4), ("document", A, OLD + 2, 2)]
    # By transaction, though the other one has the higher number.
    assert await logged.found(Position(start=OLD + 2, xact=OLD + 2)) == [("document", A, OLD + 2, 2)]
    assert await logged.found(Position(upto=OLD + 1)) == [("document", A, OLD, 5)]


async def test_filters(logged: Logged) -> None:
    logged.add(
        row(1, OLD, A), row(2, OLD, B, type="page", locale="fr"),
        row(3, OLD, C, "author", type=None, locale=None), row(4, OLD, C, "comments", type=None, locale=None),
    )  # fmt: skip

    async def ids(**wanted: Any) -> list[UUID]:
        return [one for _, one, *_ in await logged.found(Position(), SyncFilter(**wanted))]

    assert await ids() == [A, B, C]
    assert await ids(kinds=("author",)) == [C]
    assert await ids(types=("page", "event")) == [B, C]
    assert await ids(locale="en") == [A, C]
    assert await ids(kinds=("document",), types=("post",), locale="fr") == []


async def test_a_look_has_an_end_where_filters_leave_nothing(logged: Logged) -> None:
    logged.add(*(row(number, OLD, new_id()) for number in range(1, WINDOW + 2)))
    tags = SyncFilter(kinds=("tag",))
    walked = await logged.changes.walk(Position(), tags, limit=5)
    assert (walked.found, walked.looked_up_to) == ([], Place(OLD, WINDOW, LAST))
    walked = await logged.changes.walk(Position(xact=OLD, number=WINDOW, inner=LAST), tags, limit=5)
    assert (walked.found, walked.looked_up_to) == ([], None)


async def test_keys(logged: Logged) -> None:
    kinds = (
        "author", "category", "tag", "media", "menu", "redirect", "settings", "comments", "content-type", "comment",
        "path",
    )  # fmt: skip
    logged.add(
        row(1, OLD, A), *(row(number, OLD, B, kind, type=None) for number, kind in enumerate(kinds, 2))
    )
    told = await logged.changes.told(Position(), limit=20)
    assert [one.tags for one in told.found] == [
        (str(A), "document:post", "documents"), (str(B), "authors"), (str(B), "categories"), (str(B), "tags"),
        (str(B), "media"), (str(B), "menus"), (str(B), "redirects"), (str(B), "settings"), (f"comments:{B}",),
        (str(B), "content-types"), (str(B),), ("redirects",),
    ]  # fmt: skip
    assert {one.changed_at for one in told.found} == {NOW}
    behind = await logged.changes.told(Position(xact=OLD, number=2, inner=LAST), limit=2)
    assert [one.place for one in behind.found] == [Place(OLD, 3, LAST), Place(OLD, 4, LAST)]


async def test_what_says_nothing_more_is_removed(logged: Logged) -> None:
    day = timedelta(days=1)
    logged.add(
        row(1, OLD, A), row(2, OLD + 1, A, changed_at=NOW + day), row(3, OLD + 2, A, changed_at=NOW + 2 * day),
        row(4, OLD + 1, B), row(5, OLD + 3, B, is_deleted=True), row(6, OLD + 4, C, is_deleted=True),
    )  # fmt: skip
    early = NOW - day
    assert await logged.compact(superseded_before=early, deleted_before=early) == 0
    # The one that stands for the first is old enough, the one that stands for the second is not.
    assert await logged.compact(superseded_before=NOW + 2 * day, deleted_before=early) == 2
    assert (await logged.changes.horizon()).pruned == 0
    assert [one for _, one, *_ in await logged.found(Position())] == [A, B, C]
    assert await logged.compact(superseded_before=NOW + 3 * day, deleted_before=NOW + day) == 3
    assert (await logged.changes.horizon()).pruned == OLD + 4
    assert await logged.found(Position()) == [("document", A, OLD + 2, 3)]
    async with logged.uow() as uow:
        changes = uow.repository(ChangeRepository)
        assert await changes.compact(after=3, limit=5, superseded_before=NOW, deleted_before=NOW) == (None, 0)

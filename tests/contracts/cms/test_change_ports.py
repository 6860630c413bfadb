"""What every log of changes does."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
import pytest
from tests.contracts.cms.test_menu_ports import item, menu_of
from tests.contracts.cms.test_modelling_ports import definition, entry
from tests.contracts.cms.test_reader_comment_ports_contract import GRACE
from tests.contracts.cms.test_redirect_ports_contract import redirect as redirect_from
from tests.fakes_cms import CmsUnitOfWork, Store
from tests.fakes_content_types import FakeContentTypes, TypeStore
from tests.fakes_sync import Change, FakeChanges, Log, path_id

from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.cms.sync import WINDOW, SqlChanges
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.cms.content_types.ports import ContentTypeRepository, TypeRecord
from cms_api.domains.cms.documents.content import PageContent, PostContent, Seo
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.menus.items import Target
from cms_api.domains.cms.menus.ports import MenuRepository
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.reader_comments.model import ReaderComment
from cms_api.domains.cms.reader_comments.ports import ReaderCommentRepository
from cms_api.domains.cms.redirects.ports import RedirectRepository
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.site.ports import SiteRepository
from cms_api.domains.cms.sync.interface import FIRST, LAST, Position, SyncFilter
from cms_api.domains.cms.sync.ports import ChangeQueries, ChangeRepository, Place
from cms_api.domains.cms.taxonomies.model import Term
from cms_api.domains.cms.taxonomies.ports import TermRepository
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
    forget: Callable[[], None]

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
        log, store, types = Log(), Store(), TypeStore()
        log.horizon = 1_000
        fake = FakeChanges(log, window=WINDOW, store=store, types=types)
        more: dict[type, object] = {
            ChangeRepository: fake,
            ContentTypeRepository: FakeContentTypes(types),
        }
        yield Logged(
            changes=fake,
            uow=lambda: CmsUnitOfWork(store, more),
            add=lambda *all: log.rows.extend(all),
            forget=log.rows.clear,
        )
        return
    url = request.getfixturevalue("database_url")
    engine, reader = make_engine(url, size=2, statement_timeout=15), Reader(url, size=2, statement_timeout=15)
    await reader.open()

    def forget() -> None:
        with psycopg.connect(url) as connection:
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

    forget()  # the site's settings are in it from the beginning
    try:
        yield Logged(
            changes=SqlChanges(reader),
            uow=lambda: SqlAlchemyUnitOfWork(make_sessions(engine), REPOSITORIES),
            add=add,
            forget=forget,
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


# What shows others, and comes again where these change


class World(NamedTuple):
    """One of everything that shows something else; the names say what it is, or is called by."""

    logged: Logged
    ids: dict[str, UUID]

    def named(self, id: UUID) -> str:
        return next(name for name, one in self.ids.items() if one == id)

    async def spread(
        self, *changes: tuple[str, str], wanted: SyncFilter = ALL, at: Position | None = None, limit: int = 50
    ) -> dict[str, int]:
        """What comes of changes, each a kind and a name, where and with which kind: the number of the change."""
        self.logged.forget()
        self.logged.add(
            *(
                row(number, OLD, self.ids[name], kind, **self._more(kind, name))
                for number, (kind, name) in enumerate(changes, 1)
            )
        )
        walked = await self.logged.changes.walk(at or Position(start=OLD, xact=OLD), wanted, limit=limit)
        places = [(one.place.xact, one.place.number, one.place.inner) for one in walked.found]
        assert places == sorted(places)
        assert all(one.place.inner in (FIRST, one.id) for one in walked.found)
        found = {f"{one.kind} {self.named(one.id)}": one.place.number for one in walked.found}
        assert len(found) == len(walked.found)
        types = {self.named(one.id): one.type for one in walked.found if one.kind == "document"}
        assert types.items() <= TYPES.items()
        return found

    def _more(self, kind: str, name: str) -> dict[str, Any]:
        return {"type": TYPES[name]} if kind == "document" else {"type": None, "locale": None}


TYPES = {"home": "page", "post": "post", "german": "post", "event": "thing", "fete": "thing"}


DATES: dict[str, Any] = {"created_at": NOW, "updated_at": NOW}


@pytest.fixture
async def world(logged: Logged) -> World:
    ids = {"site": SITE_ID, "old": path_id("en", "old"), "away": path_id("en", "away")}
    for fill in (_small_things, _documents, _menus, _redirects, _comments):
        async with logged.uow() as uow:
            ids |= await fill(uow, ids)
    async with logged.uow() as uow:
        sites = uow.repository(SiteRepository)
        shown = {"home_page": ids["home"], "logo": ids["logo"]}
        await sites.save(msgspec.structs.replace(await sites.get(), **shown))
    return World(logged, ids)


async def _small_things(uow: UnitOfWork, _: dict[str, UUID]) -> dict[str, UUID]:
    """Terms, files, a type."""
    terms = {
        name: Term(id=new_id(), taxonomy="tag", name=name, slug=name.replace(" ", "-"), **DATES)
        for name in ("tag", "other tag")
    }
    files = {
        name: Asset(id=new_id(), filename=name, source_url=f"https://x.example/{name}", **DATES)
        for name in ("cover", "logo")
    }
    record = TypeRecord(
        id=new_id(), key="thing", version=1, definition=definition(), conversions={}, migration_id=None,
        created_by=None, updated_by=None, **DATES,
    )  # fmt: skip
    for term in terms.values():
        await uow.repository(TermRepository).add(term)
    for file in files.values():
        await uow.repository(MediaRepository).add(file)
    await uow.repository(ContentTypeRepository).add(record)
    return {name: one.id for name, one in (terms | files | {"thing": record}).items()}


async def _documents(uow: UnitOfWork, ids: dict[str, UUID]) -> dict[str, UUID]:
    """Live ones: a page, posts, an entry and its translation."""

    def made(kind: Any, content: Any, locale: str = "en") -> Document[Any]:
        return Document.create(kind, content, locale=locale, at=NOW, by=None)[0]

    home, event = made(PAGE, PageContent(title="Home", slug="home")), entry("event")
    links = f'<a href="cms://tag/{ids["tag"]}">t</a> <a href="cms://document/{home.id}">h</a>'
    content = PostContent(title="P", slug="p", body=links, cover=ids["cover"], tags=(ids["other tag"],))
    documents = {
        "home": home,
        "post": made(POST, content),
        "german": made(POST, PostContent(title="D", slug="d"), "de"),
        "event": event,
        "fete": entry("fete", locale="fr", translation_of=event.id),
    }
    public = Public(fields={"excerpt": "", "body": "", "seo": Seo(), "reading_time": 1})
    for one in documents.values():
        await uow.repository(DocumentRepository).add(one)
        one.publish(at=NOW, by=None)
        await uow.repository(DocumentRepository).save(one)
        await uow.repository(PublicationRepository).put_live(one, one.draft, public)
    return {name: one.id for name, one in documents.items()}


async def _menus(uow: UnitOfWork, ids: dict[str, UUID]) -> dict[str, UUID]:
    home, tag = Target(kind="document", id=ids["home"]), Target(kind="tag", id=ids["tag"])
    menus = {"main": menu_of(item(home)), "foot": menu_of(item(home), item(tag, position=1), key="foot")}
    for menu in menus.values():
        await uow.repository(MenuRepository).add(menu)
        await uow.repository(MenuRepository).put_items(menu)
    return {name: one.id for name, one in menus.items()}


async def _redirects(uow: UnitOfWork, ids: dict[str, UUID]) -> dict[str, UUID]:
    redirects = {
        "to home": redirect_from("to-home", None, document_id=ids["home"]),
        "automatic": redirect_from("old", None, document_id=ids["home"], is_automatic=True),
        "to old": redirect_from("to-old", "old"),
        "to away": redirect_from("to-away", "away"),
    }
    for redirect in redirects.values():
        await uow.repository(RedirectRepository).add(redirect)
    return {name: one.id for name, one in redirects.items()}


async def _comments(uow: UnitOfWork, ids: dict[str, UUID]) -> dict[str, UUID]:
    def said(**more: Any) -> ReaderComment:
        return ReaderComment.begin(ids["post"], GRACE, "Hm.", at=NOW, **more)

    first = said(state="approved")
    reply = said(state="approved", parent=first)
    below, waiting = said(state="approved", parent=reply), said(parent=first)
    comments = {"first": first, "reply": reply, "below": below, "waiting": waiting}
    for comment in comments.values():
        await uow.repository(ReaderCommentRepository).add(comment)
    return {name: one.id for name, one in comments.items()}


SPREADS: dict[tuple[str, str], set[str]] = {
    ("content-type", "thing"): {"document event", "document fete"},
    ("settings", "site"): {"settings site", *(f"document {name}" for name in TYPES)},
    ("media", "cover"): {"media cover", "document post"},
    ("media", "logo"): {"media logo", "settings site"},
    # Of its own terms a document says no more than which they are.
    ("tag", "other tag"): {"tag other tag"},
    ("tag", "tag"): {"tag tag", "document post", "menu foot"},
    ("document", "home"): {"document home", "menu main", "menu foot"},
    ("document", "post"): {"document post"},
    ("address", "home"): {
        "document home", "document post", "redirect to home", "redirect automatic", "redirect to old",
        "settings site",
    },
    ("address", "post"): {"document post", "comment first", "comment reply", "comment below"},
    ("address", "event"): {"document event", "document fete"},
    ("address", "fete"): {"document fete"},
    ("path", "old"): {"redirect to old"},
    ("path", "away"): {"redirect to away"},
    ("comment", "first"): {"comment first", "comment reply", "comment below"},
    ("comment", "reply"): {"comment reply", "comment below"},
    ("comments", "post"): set(),
    ("menu", "main"): {"menu main"},
    ("redirect", "to home"): {"redirect to home"},
}  # fmt: skip


async def test_what_changes_stands_for_what_shows_it(world: World) -> None:
    for change, shown in SPREADS.items():
        assert await world.spread(change) == dict.fromkeys(shown, 1), change
        # Where everything is gathered, each comes by itself.
        itself = {f"{change[0]} {change[1]}"} & shown
        assert await world.spread(change, at=Position()) == dict.fromkeys(itself, 1), change


async def test_what_shows_several_that_changed_comes_once_by_the_last(world: World) -> None:
    assert await world.spread(("tag", "tag"), ("document", "home")) == {
        "tag tag": 1, "document post": 1, "document home": 2, "menu main": 2, "menu foot": 2,
    }  # fmt: skip
    # What changed itself comes by that alone, be it before or behind.
    own = {"menu foot": 2, "menu main": 3, "document home": 3}
    assert await world.spread(("document", "home"), ("menu", "foot"), ("document", "home")) == own
    assert await world.spread(("menu", "foot"), ("document", "home")) == {
        "menu foot": 1, "document home": 2, "menu main": 2,
    }  # fmt: skip
    # What lies behind the end of the walk is told by the next one.
    world.logged.forget()
    world.logged.add(
        row(1, OLD, world.ids["tag"], "tag", type=None, locale=None),
        row(2, OLD + 1, world.ids["home"], type="page"),
    )
    walk = Position(start=OLD, upto=OLD + 1, xact=OLD)
    assert {one.id for one in (await world.logged.changes.walk(walk, ALL, limit=9)).found} == {
        world.ids[name] for name in ("tag", "post", "foot")
    }


async def test_a_walk_goes_on_within_a_change(world: World) -> None:
    changes = (("tag", "tag"), ("settings", "site"), ("address", "home"))
    whole = await world.spread(*changes)
    found: dict[str, int] = {}
    at = Position(start=OLD, xact=OLD)
    for _ in range(len(whole) + 1):
        walked = await world.logged.changes.walk(at, ALL, limit=2)
        if not walked.found:
            break
        last = walked.found[-1].place
        found |= {f"{one.kind} {world.named(one.id)}": one.place.number for one in walked.found}
        at = msgspec.structs.replace(at, xact=last.xact, number=last.number, inner=last.inner)
    assert found == whole
    assert set(whole) > {"document post", "redirect to old", "menu foot"}


async def test_filters_hold_for_what_shows_others_too(world: World) -> None:
    change = ("settings", "site")
    assert await world.spread(change, wanted=SyncFilter(kinds=("document",), types=("post",))) == {
        "document post": 1, "document german": 1,
    }  # fmt: skip
    assert await world.spread(change, wanted=SyncFilter(types=("thing",), locale="fr")) == {
        "settings site": 1, "document fete": 1,
    }  # fmt: skip
    kinds: Any = ("menu", "redirect")
    assert await world.spread(("document", "home"), ("address", "home"), wanted=SyncFilter(kinds=kinds)) == {
        "menu main": 1, "menu foot": 1, "redirect to home": 2, "redirect automatic": 2, "redirect to old": 2,
    }  # fmt: skip

"""Taking over another system's content: everything once, nothing twice, nobody's work lost."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.fakes_cms import (
    CmsUnitOfWork,
    FakeCms,
    FakeMediaQueries,
    ListSource,
    MemoryStorage,
    Publication,
    png,
)
from tests.unit.cms.conftest import SITE

from cms_api.domains.cms.authors.interface import AuthorChanges
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.imports.interface import NOTES_KEPT, ImportReport, Tally
from cms_api.domains.cms.imports.source import (
    SourceAttachment,
    SourceAuthor,
    SourceDocument,
    SourceError,
    SourceFault,
    SourceItem,
    SourceOther,
    SourceTerm,
    SourceTermRef,
    term_key,
)
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import Stored
from cms_api.domains.cms.media.service import Media
from cms_api.domains.cms.pages.interface import PageChanges
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.taxonomies.interface import TermChanges
from cms_api.domains.cms.taxonomies.model import Term
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Unauthenticated

LONG_AGO = datetime(2019, 5, 1, 12, tzinfo=UTC)
ADA = SourceAuthor(key="ada", email="ada@old.example", name="Ada Lovelace")


def category(slug: str, *, parent: str | None = None, name: str | None = None) -> SourceTerm:
    return SourceTerm(
        key=term_key("category", slug),
        taxonomy="category",
        name=name or slug.title(),
        slug=slug,
        parent_slug=parent,
        description=f"About {slug}",
    )


def tag(slug: str) -> SourceTerm:
    return SourceTerm(
        key=term_key("tag", slug),
        taxonomy="tag",
        name=slug.title(),
        slug=slug,
        parent_slug=None,
        description="",
    )


def ref(taxonomy: Any, slug: str) -> SourceTermRef:
    return SourceTermRef(taxonomy=taxonomy, slug=slug, name=slug.title())


def post(key: str, title: str = "A title", **values: Any) -> SourceDocument:
    return SourceDocument(
        **(
            {
                "key": key,
                "type": "post",
                "title": title,
                "slug": None,
                "status": "published",
                "body": f"<p>Body of {key}</p>",
                "excerpt": "",
                "author_key": None,
                "published_at": LONG_AGO,
                "modified_at": LONG_AGO,
                "created_at": LONG_AGO,
                "parent_key": None,
                "menu_order": 0,
                "is_sticky": False,
                "password": False,
                "terms": (),
                "cover_key": None,
            }
            | values
        )
    )


def page(key: str, title: str = "A page", **values: Any) -> SourceDocument:
    return post(key, title, type="page", **values)


def picture(key: str, url: str = "https://old.example/up/Tree%20one.png", **values: Any) -> SourceAttachment:
    return SourceAttachment(
        **(
            {
                "key": key,
                "title": "Tree",
                "url": url,
                "alt": "A tree",
                "caption": "Autumn",
                "description": "",
                "created_at": LONG_AGO,
                "parent_key": None,
            }
            | values
        )
    )


def document(cms: FakeCms, key: str, kind: str = "post", source: str = "old.example") -> Document[Any]:
    return cms.store.documents[cms.store.imported[source, kind, key].target_id]


def live(cms: FakeCms, key: str, kind: str = "post") -> Publication | None:
    return cms.store.publications.get(document(cms, key, kind).id)


def term(cms: FakeCms, taxonomy: str, slug: str) -> Term:
    return next(t for t in cms.store.terms.values() if (t.taxonomy, t.slug) == (taxonomy, slug))


def counts(tally: Tally) -> tuple[int, int, int, int, int]:
    return tally.read, tally.created, tally.updated, tally.unchanged, tally.skipped


def created(number: int) -> tuple[int, int, int, int, int]:
    return number, number, 0, 0, 0


def unchanged(number: int) -> tuple[int, int, int, int, int]:
    return number, 0, 0, number, 0


WHOLE: list[SourceItem] = [
    ADA,
    category("news", parent="top"),
    category("top"),
    tag("python"),
    picture("9"),
    page("3", "Team", parent_key="2", menu_order=4),
    page("2", "About"),
    post(
        "1",
        "Grüße & mehr",
        author_key="ada",
        terms=(ref("category", "news"), ref("tag", "python"), ref("tag", "new")),
        cover_key="9",
        is_sticky=True,
        excerpt="In short",
    ),
    SourceOther(kind="pingback", key="1"),
    SourceOther(kind="pingback", key="2"),
    SourceFault(where="line 7", reason="It has no id."),
]


async def test_a_whole_site(cms: FakeCms, run) -> None:
    report = await run(*WHOLE)
    assert {kind: counts(tally) for kind, tally in report.tallies.items()} == {
        "author": created(1),
        "category": created(2),
        "tag": created(2),
        "media": created(1),
        "post": created(1),
        "page": created(2),
        "broken": (1, 0, 0, 0, 1),
    }
    assert report.unplaced == {"pingback": 2}
    assert report.notes == [("line 7", "It has no id.")]

    made = document(cms, "1")
    assert (made.draft.title, made.draft.slug, made.draft.is_sticky) == ("Grüße & mehr", "grüße-mehr", True)
    assert made.draft.format == "html"
    assert (made.created_at, made.published_at, made.first_published_at) == (LONG_AGO, LONG_AGO, LONG_AGO)
    assert made.created_by is None
    (author,) = cms.store.authors.values()
    assert (author.name, author.slug, author.user_id) == ("Ada Lovelace", "ada-lovelace", None)
    assert made.draft.authors == (author.id,)
    assert made.draft.categories == (term(cms, "category", "news").id,)
    assert made.draft.tags == (term(cms, "tag", "python").id, term(cms, "tag", "new").id)
    (asset,) = cms.store.media.values()
    assert made.draft.cover == asset.id
    copy = live(cms, "1")
    assert copy is not None
    assert (copy.path, copy.fields["excerpt"], copy.fields["body"]) == (
        "grüße-mehr",
        "In short",
        "<p>Body of 1</p>",
    )


async def test_children_may_come_before_their_parents(cms: FakeCms, run) -> None:
    await run(*WHOLE)
    assert term(cms, "category", "news").parent_id == term(cms, "category", "top").id
    about, team = document(cms, "2", "page"), document(cms, "3", "page")
    assert (team.draft.parent, team.draft.menu_order) == (about.id, 4)
    copy = live(cms, "3", "page")
    assert copy is not None
    assert copy.path == cms.store.paths[team.id] == "about/team"


async def test_a_file_is_known_by_its_address(cms: FakeCms, run) -> None:
    await run(picture("9"))
    (asset,) = cms.store.media.values()
    assert (asset.filename, asset.source_url, asset.size) == (
        "Tree one.png",
        "https://old.example/up/Tree%20one.png",
        None,
    )
    assert (asset.title, asset.alt, asset.caption) == ("Tree", "A tree", "Autumn")


async def test_run_again_it_changes_nothing(cms: FakeCms, run) -> None:
    await run(*WHOLE)
    before = cms.store.copied()
    cms.clock.move(days=1)
    report = await run(*WHOLE)
    assert {kind: counts(tally) for kind, tally in report.tallies.items()} == {
        "author": unchanged(1),
        "category": unchanged(2),
        "tag": unchanged(1),
        "media": unchanged(1),
        "post": unchanged(1),
        "page": unchanged(2),
        "broken": (1, 0, 0, 0, 1),
    }
    assert cms.store.copied() == before


async def test_another_site_is_another_source(cms: FakeCms, run) -> None:
    await run(post("1", "Same"))
    report = await run(post("1", "Same"), key="else.example")
    assert counts(report.of("post")) == created(1)
    slugs = [document(cms, "1", source=source).draft.slug for source in ("old.example", "else.example")]
    assert slugs == ["same", "same-2"]


async def test_what_changed_there_changes_here(cms: FakeCms, run) -> None:
    await run(post("1"), page("2"))
    report = await run(post("1", "New"), page("2", body="More"), post("3"))
    assert counts(report.of("post")) == (2, 1, 1, 0, 0)
    assert counts(report.of("page")) == (1, 0, 1, 0, 0)
    copy = live(cms, "1")
    assert copy is not None
    assert (copy.content.title, copy.path) == ("New", "new")
    assert counts((await run(post("1", "New"), page("2", body="More"), post("3"))).of("post")) == unchanged(2)


async def test_what_changed_here_is_left_alone(cms: FakeCms, run) -> None:
    await run(post("1"), post("2"))
    async with cms.uow() as uow:
        await cms.posts.update(
            uow, SYSTEM, document(cms, "1").id, PostChanges(title="Edited here"), expected=None
        )
        await cms.posts.trash(uow, SYSTEM, document(cms, "2").id, expected=None)
    assert counts((await run(post("1"), post("2"))).of("post")) == unchanged(2)
    report = await run(post("1", "Edited there"), post("2", "Edited there"))
    assert counts(report.of("post")) == (2, 0, 0, 0, 2)
    assert [why for _, why in report.notes] == [
        "it was changed here since the last import: left as it is"
    ] * 2
    assert document(cms, "1").draft.title == "Edited here"
    assert document(cms, "2").trashed_at is not None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"password": True}, "password"),
        ({"status": "private"}, "private"),
        ({"status": "pending"}, "review"),
        ({"status": "scheduled", "published_at": datetime(2099, 1, 1, tzinfo=UTC)}, "scheduled for 2099"),
        ({"status": "draft"}, None),
    ],
)
async def test_what_is_not_for_readers_stays_a_draft(
    cms: FakeCms, run, given: dict[str, Any], reason: str | None
) -> None:
    report = await run(post("1", **given), page("2", **given))
    assert counts(report.of("post")) == created(1)
    for kind, key in (("post", "1"), ("page", "2")):
        assert live(cms, key, kind) is None
        assert not document(cms, key, kind).is_live
    if reason is None:
        assert report.notes == []
    else:
        assert len(report.notes) == 2
        assert all(reason in why for _, why in report.notes)


@pytest.mark.parametrize("given", [{"password": True}, {"status": "private"}, {"status": "trashed"}])
async def test_what_is_closed_later_vanishes_from_readers(cms: FakeCms, run, given: dict[str, Any]) -> None:
    await run(post("1"))
    assert live(cms, "1") is not None
    assert counts((await run(post("1", **given))).of("post")) == (1, 0, 1, 0, 0)
    assert live(cms, "1") is None
    assert counts((await run(post("1", **given))).of("post")) == unchanged(1)


async def test_the_trash_comes_along(cms: FakeCms, run) -> None:
    report = await run(post("1", status="trashed"), page("2", status="trashed"), post("3", "A title"))
    assert counts(report.of("post")) == created(2)
    assert document(cms, "1").trashed_at is not None
    assert document(cms, "2", "page").trashed_at is not None
    assert document(cms, "3").draft.slug == document(cms, "1").draft.slug == "a-title"
    assert counts((await run(post("1", status="trashed"))).of("post")) == unchanged(1)


async def test_what_is_taken_out_of_the_trash_there_comes_back_here(cms: FakeCms, run) -> None:
    await run(post("1", status="trashed"), page("2", status="trashed"))
    report = await run(post("1", "Back"), page("2", "Back"))
    assert counts(report.of("post")) == counts(report.of("page")) == (1, 0, 1, 0, 0)
    for kind, key in (("post", "1"), ("page", "2")):
        copy = live(cms, key, kind)
        assert copy is not None
        assert copy.content.title == "Back"


@pytest.mark.parametrize("child_first", [True, False])
async def test_a_page_above_others_does_not_hide_in_the_trash(
    cms: FakeCms, run, *, child_first: bool
) -> None:
    items = [page("2", "Child", parent_key="1"), page("1", "Parent", status="trashed")]
    report = await run(*(items if child_first else reversed(items)))
    assert counts(report.of("page")) == created(2)
    child, parent = document(cms, "2", "page"), document(cms, "1", "page")
    assert (parent.draft.title, parent.draft.slug) == ("Parent", "parent")
    assert parent.is_live is False
    assert child.is_live
    assert report.notes
    again = await run(*(items if child_first else reversed(items)))
    assert counts(again.of("page")) == unchanged(2)


async def test_a_broken_item_is_skipped_and_the_rest_goes_in(cms: FakeCms, run) -> None:
    """An address that is still live elsewhere can't be taken over."""
    async with cms.uow() as uow:
        mine = await cms.posts.create(uow, SYSTEM, PostChanges(title="Mine", slug="hello"))
        await cms.posts.publish(uow, SYSTEM, mine.id, expected=None)
        await cms.posts.update(uow, SYSTEM, mine.id, PostChanges(slug="moved"), expected=None)
    report = await run(post("1", slug="first"), post("2", "Second", slug="hello"), post("3", slug="third"))
    assert counts(report.of("post")) == (3, 2, 0, 0, 1)
    ((what, why),) = report.notes
    assert what == "post 2 “Second”"
    assert "hello" in why
    assert ("old.example", "post", "2") not in cms.store.imported
    assert {live.path for live in cms.store.publications.values()} == {"first", "hello", "third"}
    async with cms.uow() as uow:
        await cms.posts.publish(uow, SYSTEM, mine.id, expected=None)
    again = await run(post("1", slug="first"), post("2", "Second", slug="hello"), post("3", slug="third"))
    assert counts(again.of("post")) == (3, 1, 0, 2, 0)


async def test_what_is_pointed_at_but_not_there_is_left_out(cms: FakeCms, run) -> None:
    lost = {"author_key": "nobody", "cover_key": "99"}
    report = await run(post("1", **lost), page("2", parent_key="98", **lost))
    assert counts(report.of("post")) == counts(report.of("page")) == created(1)
    assert (document(cms, "1").draft.authors, document(cms, "1").draft.cover) == ((), None)
    assert document(cms, "2", "page").draft.parent is None
    assert sorted(why for _, why in report.notes) == [
        "its author “nobody” is not there: left out",
        "its author “nobody” is not there: left out",
        "its media “99” is not there: left out",
        "its media “99” is not there: left out",
        "its page “98” is not there: left out",
    ]


async def test_pages_in_a_circle_end_in_a_note(cms: FakeCms, run) -> None:
    report = await run(page("1", "One", parent_key="2"), page("2", "Two", parent_key="1"))
    assert counts(report.of("page")) == (2, 1, 0, 0, 1)
    ((_, why),) = report.notes
    assert "below itself" in why
    assert document(cms, "1", "page").draft.parent == document(cms, "2", "page").id


async def test_categories_in_a_circle_or_without_a_parent_are_at_the_top(cms: FakeCms, run) -> None:
    items = [category("a", parent="b"), category("b", parent="a"), category("c", parent="gone")]
    report = await run(*items)
    assert counts(report.of("category")) == created(3)
    assert term(cms, "category", "a").parent_id == term(cms, "category", "b").id
    assert term(cms, "category", "b").parent_id is None
    assert sorted(what for what, _ in report.notes) == ["category:b", "category:c"]
    assert counts((await run(*items)).of("category")) == unchanged(3)


async def test_terms_that_are_here_already_are_used(cms: FakeCms, run) -> None:
    async with cms.uow() as uow:
        mine = await cms.terms.create(uow, SYSTEM, "category", TermChanges(name="Mine", slug="news"))
    report = await run(
        category("top"), category("news", parent="top"), post("1", terms=(ref("category", "news"),))
    )
    assert counts(report.of("category")) == (2, 1, 0, 1, 0)
    assert document(cms, "1").draft.categories == (mine.id,)
    assert (term(cms, "category", "news").name, term(cms, "category", "news").parent_id) == ("Mine", None)


async def test_terms_that_fall_together_are_one(cms: FakeCms, run) -> None:
    await run(post("1", terms=(ref("tag", "c++"), ref("tag", "c"), ref("tag", "C"))))
    assert [(one.slug, one.name) for one in cms.store.terms.values()] == [("c", "C++")]
    assert len(document(cms, "1").draft.tags) == 1


async def test_an_author_who_has_an_account_is_its_user(cms: FakeCms, run) -> None:
    user = cms.users.add("Ada", "ada@old.example")
    other = cms.users.add("Bea", "bea@old.example")
    async with cms.uow() as uow:
        known = await cms.authors.create(uow, SYSTEM, AuthorChanges(name="Bea B.", user_id=other))
    await run(
        ADA,
        SourceAuthor(key="bea", email="bea@old.example", name="Beatrix"),
        SourceAuthor(key="cleo", email=None, name=""),
        post("1", author_key="bea"),
        post("2", author_key="cleo"),
    )
    by_name = {author.name: author for author in cms.store.authors.values()}
    assert set(by_name) == {"Ada", "Bea B.", "cleo"}
    assert (by_name["Ada"].user_id, by_name["Bea B."].user_id) == (user, other)
    assert document(cms, "1").draft.authors == (known.id,)
    assert document(cms, "2").draft.authors == (by_name["cleo"].id,)


# Slugs


@pytest.mark.parametrize(
    ("slug", "title", "found"),
    [
        ("Grüße", "x", "grüße"),
        ("你好", "x", "你好"),
        ("हिन्दी", "x", "हिन्दी"),
        ("with_underscore", "x", "with-underscore"),
        (None, "From the Title", "from-the-title"),
        (None, "", "untitled"),
        ("", "Title", "title"),
        ("a" * 300, "x", "a" * 192),
    ],
)
async def test_a_slug_stays_as_near_as_it_can(
    cms: FakeCms, run, slug: str | None, title: str, found: str
) -> None:
    report = await run(post("1", title, slug=slug), page("2", title, slug=slug))
    assert document(cms, "1").draft.slug == found
    assert document(cms, "2", "page").draft.slug == found
    assert report.notes == []


async def test_a_long_slug_that_is_taken_gets_a_number(cms: FakeCms, run) -> None:
    long = "a" * 191 + "-" + "b" * 8
    report = await run(post("1", slug=long), post("2", slug=long))
    assert counts(report.of("post")) == created(2)
    assert document(cms, "2").draft.slug == "a" * 191 + "-2"


async def test_a_number_behind_a_slug_stays_when_the_text_changes(cms: FakeCms, run) -> None:
    async with cms.uow() as uow:
        await cms.posts.create(uow, SYSTEM, PostChanges(title="Here first", slug="hello"))
    await run(post("1", slug="hello"))
    assert document(cms, "1").draft.slug == "hello-2"
    for text in ("new", "newer"):
        report = await run(post("1", slug="hello", body=text))
        assert counts(report.of("post")) == (1, 0, 1, 0, 0)
        assert document(cms, "1").draft.slug == "hello-2"


async def test_a_page_moves_below_one_that_has_its_slug_already(cms: FakeCms, run) -> None:
    await run(page("1", slug="top"), page("2", slug="same", parent_key="1"), page("3", slug="same"))
    report = await run(
        page("1", slug="top"), page("2", slug="same", parent_key="1"), page("3", slug="same", parent_key="1")
    )
    assert counts(report.of("page")) == (3, 0, 1, 2, 0)
    moved = document(cms, "3", "page")
    assert cms.store.paths[moved.id] == "top/same-2"


async def test_the_place_held_for_a_page_may_be_taken(cms: FakeCms, run) -> None:
    async with cms.uow() as uow:
        await cms.pages.create(uow, SYSTEM, PageChanges(title="Mine", slug="import-7"))
    report = await run(page("8", "Child", parent_key="7"), page("7", "Parent"))
    assert counts(report.of("page")) == created(2)
    child = document(cms, "8", "page")
    assert cms.store.paths[child.id] == "parent/child"


async def test_a_page_called_import_keeps_its_name(cms: FakeCms, run) -> None:
    await run(page("7", "Import"))
    assert document(cms, "7", "page").draft.slug == "import"


# Interruptions


class Unplugged(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("after", range(14))
async def test_an_interrupted_import_is_finished_by_the_next(cms: FakeCms, run, after: int) -> None:
    calm = FakeCms()
    await calm.imports.run(
        SYSTEM, ListSource(SITE, *WHOLE), new_uow=calm.uow, fetch_files=False, progress=lambda _: None
    )
    begun = 0

    def new_uow() -> Any:
        nonlocal begun
        begun += 1
        if begun > after:
            raise Unplugged
        return cms.uow()

    with pytest.raises(Unplugged):
        await cms.imports.run(
            SYSTEM, ListSource(SITE, *WHOLE), new_uow=new_uow, fetch_files=False, progress=lambda _: None
        )
    await run(*WHOLE)

    def told(of: FakeCms) -> Any:
        documents = of.store.documents.values()
        return (
            sorted((of.store.paths[d.id], d.type, d.is_live, len(list(d.draft.links()))) for d in documents),
            sorted(copy.path for copy in of.store.publications.values()),
            sorted((t.taxonomy, t.slug, t.parent_id is None) for t in of.store.terms.values()),
            sorted(a.slug for a in of.store.authors.values()),
            sorted(m.filename for m in of.store.media.values()),
        )

    assert told(cms) == told(calm)
    assert counts((await run(*WHOLE)).of("page")) == unchanged(2)


async def test_a_source_that_ends_in_the_middle_is_told_and_kept(cms: FakeCms) -> None:
    broken = ListSource(SITE, ADA, category("news"), post("1"), breaks=SourceError("It ends in line 9."))
    with pytest.raises(SourceError):
        await cms.imports.run(SYSTEM, broken, new_uow=cms.uow, fetch_files=False, progress=lambda _: None)
    assert len(cms.store.authors) == len(cms.store.terms) == 1


# Files

URLS = [f"https://old.example/{n}.png" for n in range(6)]


def asset(cms: FakeCms, key: str) -> Asset:
    return cms.store.media[cms.store.imported["old.example", "media", key].target_id]


async def test_files_are_fetched(cms: FakeCms, run) -> None:
    cms.fetcher.files = {URLS[0]: png(3, 2)}
    report = await run(picture("0", URLS[0]), fetch=True)
    assert (report.unplaced, report.notes) == ({}, [])
    assert (asset(cms, "0").media_type, asset(cms, "0").width) == ("image/png", 3)
    assert list(cms.storage.files) == [asset(cms, "0").storage_key]
    assert counts((await run(picture("0", URLS[0]), fetch=True)).of("media")) == unchanged(1)
    assert cms.fetcher.asked == URLS[:1]


async def test_nothing_is_fetched_unasked(cms: FakeCms, run) -> None:
    await run(picture("0", URLS[0]))
    assert cms.fetcher.asked == []


async def test_files_that_cannot_be_had_stay_where_they_are(cms: FakeCms, run) -> None:
    cms.fetcher.files = {URLS[1]: b"<html>login</html>", URLS[2]: b"x" * 10_001, URLS[3]: b"words"}
    report = await run(*(picture(str(n), URLS[n]) for n in range(4)), fetch=True)
    assert report.unplaced == {"file not fetched": 3}
    assert [what for what, _ in report.notes] == [f"attachment {n}" for n in range(3)]
    assert all(f"stays at {URLS[n]}" in why for n, (_, why) in enumerate(report.notes))
    assert counts(report.of("media")) == created(4)
    assert [asset(cms, str(n)).storage_key is None for n in range(4)] == [True, True, True, False]
    assert len(cms.storage.files) == 1


async def test_a_network_that_is_away_is_not_waited_for(cms: FakeCms, run) -> None:
    cms.fetcher.is_offline = True
    items = [picture(str(n), URLS[n]) for n in range(6)]
    report = await run(*items, post("1", cover_key="0"), fetch=True)
    assert cms.fetcher.asked == URLS[:3]
    assert report.unplaced == {"file not fetched": 3, "file not fetched (network away)": 3}
    assert counts(report.of("media")) == created(6)
    assert document(cms, "1").draft.cover == asset(cms, "0").id
    cms.fetcher.is_offline = False
    cms.fetcher.files = dict.fromkeys(URLS, png())
    again = await run(*items, post("1", cover_key="0"), fetch=True)
    assert again.unplaced == {}
    assert counts(again.of("media")) == unchanged(6)
    assert len(cms.storage.files) == 6
    assert counts(again.of("post")) == unchanged(1)


async def test_no_transaction_is_open_while_the_network_is_waited_for() -> None:
    """A slow site must not hold a connection, let alone a locked row."""
    cms, touched = FakeCms(), False
    cms.fetcher.files = {URLS[0]: png()}

    class Watched(CmsUnitOfWork):
        def repository(self, port: type[Any]) -> Any:
            nonlocal touched
            touched = True
            return super().repository(port)

        async def __aexit__(self, *raised: Any) -> None:  # noqa: PYI036 - handed on as they are
            nonlocal touched
            await super().__aexit__(*raised)
            touched = False

    seen: list[bool] = []

    class WatchedStorage(MemoryStorage):
        async def put(self, *args: Any, **named: Any) -> Stored:
            seen.append(touched)
            return await super().put(*args, **named)

    media = Media(
        clock=cms.clock,
        queries=FakeMediaQueries(cms.store),
        storage=WatchedStorage(),
        limit=1_000,
        deletions=cms.deletions,
    )
    imports = cms.made_imports(media)
    await imports.run(
        SYSTEM,
        ListSource(SITE, picture("0", URLS[0])),
        new_uow=lambda: Watched(cms.store),
        fetch_files=True,
        progress=lambda _: None,
    )
    assert asset(cms, "0").size == len(png())
    assert seen == [False]


# Who may, and how it is told


async def test_who_may_import(run) -> None:
    with pytest.raises(Unauthenticated):
        await run(actor=ANONYMOUS)
    with pytest.raises(Forbidden):
        await run(actor=Actor(user_id=uuid4(), permissions=frozenset({"documents:create"})))
    await run(actor=Actor(user_id=uuid4(), permissions=frozenset({"imports:run"})))


async def test_progress_goes_from_nothing_to_all(cms: FakeCms) -> None:
    heard: list[float] = []
    await cms.imports.run(
        SYSTEM, ListSource(SITE, *WHOLE), new_uow=cms.uow, fetch_files=False, progress=heard.append
    )
    assert heard == sorted(heard)
    assert 0 < heard[0] < 0.5
    assert heard[-1] == 1.0


async def test_an_empty_export(run) -> None:
    report = await run()
    assert (report.tallies, report.unplaced, report.notes) == ({}, {}, [])


async def test_many_items_are_read_in_batches(cms: FakeCms, run) -> None:
    report = await run(*(post(str(n), f"Title {n}") for n in range(130)))
    assert counts(report.of("post")) == created(130)
    assert len(cms.store.publications) == 130


def test_reasons_are_kept_up_to_a_number() -> None:
    report = ImportReport()
    for number in range(NOTES_KEPT + 5):
        report.note(f"item {number}", "why")
    assert (len(report.notes), report.more_notes) == (NOTES_KEPT, 5)


async def test_dates_that_nobody_knows(cms: FakeCms, run) -> None:
    nothing = {"published_at": None, "created_at": None, "modified_at": None}
    await run(post("1", **nothing), post("2", published_at=LONG_AGO, created_at=None))
    first, second = document(cms, "1"), document(cms, "2")
    assert (first.created_at, first.published_at) == (cms.clock.at, cms.clock.at)
    assert (second.created_at, second.published_at) == (LONG_AGO, LONG_AGO)


async def test_a_date_that_changes_there_changes_here(cms: FakeCms, run) -> None:
    await run(post("1"))
    later = LONG_AGO + timedelta(days=9)
    await run(msgspec.structs.replace(post("1"), published_at=later))
    assert document(cms, "1").published_at == later


async def test_every_import_leaves_its_events(cms: FakeCms, run) -> None:
    await run(*WHOLE)
    subjects: set[UUID] = {event.subject for event in cms.store.events}
    for rows in (cms.store.documents, cms.store.terms, cms.store.authors, cms.store.media):
        assert set(rows) <= subjects
    assert all(event.actor is None for event in cms.store.events)

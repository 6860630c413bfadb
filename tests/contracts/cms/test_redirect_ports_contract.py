"""What every repository of redirects, and the queries beside it, do; and what publications do to them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from cms_api.domains.cms.documents.content import PageContent, PostContent, Seo
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.redirects.errors import RedirectTaken
from cms_api.domains.cms.redirects.model import Redirect
from cms_api.domains.cms.redirects.paths import with_ancestors
from cms_api.domains.cms.redirects.ports import Detour, LivePlace, RedirectRepository
from cms_api.domains.cms.redirects.service import view
from cms_api.kernel.errors import Invalid
from cms_api.kernel.ids import new_id
from cms_api.querying import Comparison, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
FIELDS = {"excerpt": "Short", "body": "<p>Long</p>", "seo": Seo(), "reading_time": 3}


def redirect(source: str = "old", target: str | None = "new", **values: Any) -> Redirect:
    made: dict[str, Any] = {"locale": "en", "match": "exact", "created_at": AT, "updated_at": AT} | values
    return Redirect(id=new_id(), source=source, target=target, **made)


def prefix(source: str, target: str | None = "new", **values: Any) -> Redirect:
    return redirect(source, target, match="prefix", **values)


def page(slug: str, parent: UUID | None = None, *, locale: str = "en") -> Document[PageContent]:
    content = PageContent(slug=slug, title=slug.title(), parent=parent)
    return Document.create(PAGE, content, locale=locale, at=AT, by=None)[0]


def post(slug: str) -> Document[PostContent]:
    return Document.create(POST, PostContent(slug=slug, title=slug), locale="en", at=AT, by=None)[0]


def state(found: Redirect | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in Redirect.__dataclass_fields__}


@pytest.fixture
def write(backend):
    """Does some work on the repository in a unit of work of its own."""

    async def work(do: Callable[[RedirectRepository], Awaitable[Any]]) -> Any:
        async with backend.uow() as uow:
            return await do(uow.repository(RedirectRepository))

    return work


@pytest.fixture
def add(write):
    async def work(*redirects: Redirect) -> None:
        for one in redirects:
            await write(lambda repository, one=one: repository.add(one))

    return work


@pytest.fixture
def live(backend):
    """Publishes documents, each in a unit of work of its own."""

    async def work(*documents: Document[Any], at: datetime = AT, **values: Any) -> None:
        for document in documents:
            async with backend.uow() as uow:
                repository = uow.repository(DocumentRepository)
                if document.version == 1:
                    await repository.add(document)
                if values:
                    document.edit(msgspec.structs.replace(document.draft, **values), at=at, by=None)
                    await repository.add_revision(document, changed=tuple(values))
                document.publish(at=at, by=None)
                await repository.save(document)
                await uow.repository(PublicationRepository).put_live(
                    document, document.draft, Public(fields=FIELDS)
                )

    return work


@pytest.fixture
def down(backend):
    """Takes the live copy of a document away."""

    async def work(document: Document[Any]) -> None:
        async with backend.uow() as uow:
            document.unpublish(at=AT, by=None)
            await uow.repository(DocumentRepository).save(document)
            await uow.repository(PublicationRepository).take_down(document.id)

    return work


@pytest.fixture
def resolve(backend):
    async def work(path: str, locale: str = "en") -> LivePlace | Detour | None:
        found: LivePlace | Detour | None = await backend.redirects.resolve(path, with_ancestors(path), locale)
        return found

    return work


@pytest.fixture
def automatic(backend):
    """The automatic redirects: where from, where to, which version."""

    async def work() -> dict[str, tuple[UUID, int]]:
        request = PageRequest(
            sort=(SortKey("source"),), filter=Comparison("is_automatic", "eq", (True,)), limit=100
        )
        found = (await backend.redirects.list(request)).items
        assert all((one.status, one.kind, one.target) == (301, "exact", None) for one in found)
        return {one.source: (one.document, one.version) for one in found}

    return work


async def test_a_redirect_comes_back_as_stored(backend, add, write, live) -> None:
    home = page("home")
    await live(home)
    for made in (
        redirect(),
        prefix("größe/straße", "https://example.org/a", status=308),
        redirect("to-document", None, document_id=home.id),
        redirect("gone", None, status=410),
        redirect("", "start"),
        redirect("home-page", ""),
    ):
        await add(made)
        assert state(await write(lambda r, made=made: r.get(made.id))) == state(made)
        assert await backend.redirects.get(made.id) == view(made)
    assert await write(lambda r: r.get(uuid4())) is None
    assert await backend.redirects.get(uuid4()) is None


async def test_a_changed_redirect_is_kept_and_a_deleted_one_is_not(backend, add, write) -> None:
    made = redirect()
    await add(made)
    made.change({"target": "newer", "match": "prefix", "status": 302}, expected=1, at=LATER)
    await write(lambda r: r.save(made))
    assert state(await write(lambda r: r.get(made.id))) == state(made)
    await write(lambda r: r.delete(made))
    assert await backend.redirects.get(made.id) is None


async def test_a_path_is_led_away_once_for_each_kind_and_language(add, write) -> None:
    made = redirect()
    await add(made, prefix("old"), redirect(locale="de"), redirect("Old"))
    with pytest.raises(RedirectTaken):
        await add(redirect("old", "elsewhere"))
    other = redirect("other")
    await add(other)
    other.change({"source": "old"}, expected=1, at=LATER)
    with pytest.raises(RedirectTaken):
        await write(lambda r: r.save(other))
    assert (await write(lambda r: r.twin(redirect("old")))).id == made.id
    assert await write(lambda r: r.twin(made)) is None
    assert await write(lambda r: r.twin(redirect("none"))) is None


async def test_a_document_must_be_there(add, write, live) -> None:
    home, trashed = page("home"), page("trashed")
    await live(home)
    trashed.trash(at=AT, by=None)
    with pytest.raises(Invalid):
        await add(redirect("x", None, document_id=uuid4()))
    assert await write(lambda r: r.has_document(home.id, "en"))
    assert not await write(lambda r: r.has_document(home.id, "de"))
    assert not await write(lambda r: r.has_document(uuid4(), "en"))


STANDING = {
    "exact": redirect("a/b", "x"),
    "prefix": prefix("p/q", "y"),
    "automatic": redirect("auto/one", None, is_automatic=True),
    "address": redirect("out", "https://example.org/a"),
    "prefixes": prefix("old", "blog"),
}


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (redirect("z", "a/b"), "exact"),
        (redirect("z", "a/b/c"), None),
        (redirect("z", "a"), None),
        (redirect("z", "a/bc"), None),
        (redirect("z", "A/b"), None),
        (prefix("z", "a/b"), "exact"),
        (prefix("z", "a"), "exact"),
        (prefix("z", "a/bc"), None),
        (prefix("z", "a/"[:-1] + "-b"), None),
        (prefix("z", ""), "exact"),
        (redirect("z", "p/q"), "prefix"),
        (redirect("z", "p/q/r/s"), "prefix"),
        (redirect("z", "p/qr"), None),
        (redirect("z", "p"), None),
        (prefix("z", "p"), "prefix"),
        (prefix("z", "p/q/r"), "prefix"),
        (redirect("z", "auto/one"), "automatic"),
        (prefix("z", "auto/one"), "automatic"),
        (prefix("z", "auto"), None),
        (redirect("z", "out"), "address"),
        (redirect("z", "https://example.org/a/b"), None),
        (redirect("z", None, status=410), None),
        (redirect("z", "a/b", locale="de"), None),
    ],
)
async def test_what_leads_on_from_a_target(add, write, live, made: Redirect, found: str | None) -> None:
    home = page("home")
    await live(home)
    STANDING["automatic"].document_id = home.id
    await add(*STANDING.values())
    other = await write(lambda r: r.behind(made))
    assert (other and other.id) == (found and STANDING[found].id)


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (redirect("x", "z"), "exact"),
        (redirect("x/1", "z"), None),
        (redirect("X", "z"), None),
        (prefix("x", "z"), "exact"),
        (prefix("x/1", "z"), None),
        (redirect("blog", "z"), "prefixes"),
        (redirect("blog/1/2", "z"), "prefixes"),
        (redirect("blogs", "z"), None),
        (prefix("blog/1", "z"), "prefixes"),
        (prefix("blog", "z"), "prefixes"),
        (prefix("https:", "z"), None),
        (redirect("x", "z", locale="de"), None),
        (redirect("x", None, status=410), "exact"),
    ],
)
async def test_what_leads_to_a_source(add, write, made: Redirect, found: str | None) -> None:
    standing = {name: one for name, one in STANDING.items() if name != "automatic"}
    await add(*standing.values())
    other = await write(lambda r: r.before(made))
    assert (other and other.id) == (found and standing[found].id)


async def test_a_prefix_above_a_target_leads_that_away(add, write) -> None:
    await add(redirect("a", "b/c/d"), prefix("to-root", ""))
    for made, is_met in ((prefix("b"), True), (prefix("b/c"), True), (prefix("b/c/d/e"), False)):
        other = await write(lambda r, made=made: r.before(made))
        assert (other is not None and other.source == "a") is is_met
    # What leads to the root with all below it leads to everything.
    assert (await write(lambda r: r.before(redirect("anything")))).source == "to-root"


async def test_a_redirect_is_not_in_its_own_way(add, write) -> None:
    made = prefix("blog/old", "blog")
    await add(made)
    assert await write(lambda r: r.behind(made)) is None
    assert await write(lambda r: r.before(made)) is None


async def test_a_list_is_filtered_and_sorted(backend, add, live) -> None:
    home = page("home")
    await live(home)
    made = [
        redirect("b", "x"),
        prefix("a", "y", status=302),
        redirect("c", None, document_id=home.id, is_automatic=True),
        redirect("d", None, status=410, locale="de"),
        redirect("Z", "https://example.org"),
    ]
    await add(*made)

    async def listed(*filters: Comparison, **values: Any) -> list[str]:
        request = PageRequest(**({"sort": (SortKey("source"),), "filter": all_of(*filters)} | values))
        return [one.source for one in (await backend.redirects.list(request)).items]

    assert await listed() == ["Z", "a", "b", "c", "d"]
    assert await listed(sort=(SortKey("source", descending=True),), limit=2) == ["d", "c"]
    for field, value, found in (
        ("source", "b", ["b"]),
        ("target", "x", ["b"]),
        ("kind", "prefix", ["a"]),
        ("status", 410, ["d"]),
        ("is_automatic", True, ["c"]),
        ("document", home.id, ["c"]),
        ("locale", "de", ["d"]),
        ("id", made[1].id, ["a"]),
    ):
        assert await listed(Comparison(field, "eq", (value,))) == found
    assert await listed(Comparison("target", "exists", (False,))) == ["c", "d"]
    assert await listed(Comparison("source", "contains", ("z",))) == ["Z"]
    first = await backend.redirects.list(PageRequest(sort=(SortKey("source"),), limit=2))
    second = await backend.redirects.list(PageRequest(sort=(SortKey("source"),), limit=2, after=first.next))
    assert [one.source for one in (*first.items, *second.items)] == ["Z", "a", "b", "c"]


# What is at a path


async def test_what_is_live_comes_first(resolve, add, live) -> None:
    about, news = page("about"), post("news")
    await live(about, news)
    await add(redirect("about", "x"), prefix("news", "y"))
    assert await resolve("about") == LivePlace(kind="page", id=about.id, path="about")
    assert await resolve("news") == LivePlace(kind="post", id=news.id, path="news")
    assert await resolve("about", "de") is None
    assert await resolve("About") is None
    assert (await resolve("news/1")).to == "y/1"


async def test_a_page_comes_before_a_post(resolve, live) -> None:
    first, second = page("same"), post("same")
    await live(second, first)
    assert (await resolve("same")).id == first.id


async def test_the_longest_prefix_counts_and_exact_ones_first(resolve, add) -> None:
    await add(prefix("a", "1"), prefix("a/b", "2"), redirect("a/b/c", "3"), prefix("a/b/c", "4"))
    for path, to in (
        ("a", "1"), ("a/x", "1/x"), ("a/b", "2"), ("a/b/x/y", "2/x/y"), ("a/b/c", "3"), ("a/b/c/d", "4/d"),
        ("ab", None), ("a-b", None), ("A", None), ("", None), ("a/bc", "1/bc"),
    ):  # fmt: skip
        found = await resolve(path)
        assert (found and found.to) == to, path


@pytest.mark.parametrize(
    ("made", "path", "to"),
    [
        (prefix("old", ""), "old/a/b", "a/b"),
        (prefix("old", ""), "old", ""),
        (prefix("old", "https://example.org/base"), "old/a", "https://example.org/base/a"),
        (redirect("old", "https://example.org/?a=b#c"), "old", "https://example.org/?a=b#c"),
        (redirect("", "start"), "", "start"),
        (redirect("größe", "maß"), "größe", "maß"),
        (redirect("old", None, status=410), "old", None),
    ],
)
async def test_where_it_leads(resolve, add, made: Redirect, path: str, to: str | None) -> None:
    await add(made)
    assert await resolve(path) == Detour(
        id=made.id,
        match=made.match,
        source=made.source,
        target=made.target,
        status=made.status,
        to=to,
        document_id=None,
    )


async def test_a_document_is_followed_to_where_it_is(resolve, add, live, down) -> None:
    home = page("home")
    below = page("below", home.id)
    await live(home, below)
    await add(redirect("one", None, document_id=home.id), prefix("many", None, document_id=home.id))

    async def ends(path: str) -> tuple[str | None, UUID | None]:
        found = await resolve(path)
        return found.to, found.document_id

    assert await ends("one") == ("home", home.id)
    assert await ends("many") == ("home", home.id)
    assert await ends("many/below") == ("home/below", below.id)
    assert await ends("many/else") == ("home", home.id)
    await live(home, at=LATER, slug="start")
    assert await ends("one") == ("start", home.id)
    assert await ends("many/below") == ("start/below", below.id)
    await down(home)
    assert await ends("one") == (None, None)


async def test_what_has_moved_from_a_target_is_followed_at_once(resolve, add, live) -> None:
    home = page("home")
    below = page("below", home.id)
    await live(home, below)
    await add(redirect("one", "home/below"), prefix("many", "home"))
    assert (await resolve("one")).document_id == below.id
    await live(home, at=LATER, slug="start")
    for path, to in (("one", "start/below"), ("many", "start"), ("many/below", "start/below")):
        assert (await resolve(path)).to == to
    assert (await resolve("many/else")).to == "home/else"


async def test_those_lead_from_their_sources_to_where_is_resolved(backend, resolve, add, live, down) -> None:
    home, away = page("home"), page("away")
    await live(home, away)
    made = [
        redirect("one", "home"), prefix("many", "home"), redirect("to", None, document_id=home.id),
        redirect("gone", None, status=410), redirect("out", "https://example.org/"),
        redirect("off", None, document_id=away.id), redirect("german", "home", locale="de"),
    ]  # fmt: skip
    await add(*made)
    await live(home, at=LATER, slug="start")
    await down(away)
    found = await backend.redirects.those([one.id for one in made] + [new_id()])
    by_id = {one.id: one for one in found}
    assert by_id.keys() == {one.id for one in made}
    for one in made:
        shown = by_id[one.id]
        there = await resolve(one.source, one.locale)
        assert {name: getattr(shown, name) for name in Detour.__struct_fields__} == msgspec.structs.asdict(
            there
        )
        assert (shown.locale, shown.document) == (one.locale, one.document_id)
    assert [by_id[one.id].to for one in made] == [
        "start", "start", "start", None, "https://example.org/", None, "home",
    ]  # fmt: skip


# What publications do


async def test_old_paths_lead_to_their_documents(automatic, live, resolve) -> None:
    a = page("a")
    b = page("b", a.id)
    c = page("c", b.id)
    other = page("other")
    await live(a, b, c, other)
    assert await automatic() == {}
    await live(a, at=LATER)  # nothing has moved
    assert await automatic() == {}
    await live(a, at=LATER, slug="z")
    assert await automatic() == {"a": (a.id, 1), "a/b": (b.id, 1), "a/b/c": (c.id, 1)}
    await live(b, at=LATER, parent=other.id)
    assert await automatic() == {
        "a": (a.id, 1), "a/b": (b.id, 1), "a/b/c": (c.id, 1), "z/b": (b.id, 1), "z/b/c": (c.id, 1),
    }  # fmt: skip
    for path in ("a/b/c", "z/b/c"):
        found = await resolve(path)
        assert (found.to, found.document_id) == ("other/b/c", c.id)


async def test_a_post_leaves_its_slug_behind(automatic, live, resolve) -> None:
    news = post("news")
    await live(news)
    await live(news, at=LATER, slug="latest")
    assert await automatic() == {"news": (news.id, 1)}
    assert (await resolve("news")).to == "latest"


async def test_what_goes_live_at_a_path_takes_its_automatic_redirects_away(automatic, live, add) -> None:
    a = page("a")
    b = page("b", a.id)
    await live(a, b)
    await live(a, at=LATER, slug="z")
    new = page("a")
    await live(new)
    assert await automatic() == {"a/b": (b.id, 1)}
    # And where it comes back to, with all below it.
    await live(new, at=LATER, slug="new")
    await live(a, at=LATER, slug="a")
    assert await automatic() == {"z": (a.id, 1), "z/b": (b.id, 1)}
    # Others' redirects stay.
    manual = redirect("made", "x")
    await add(manual)
    await live(page("made"))
    assert await automatic() == {"z": (a.id, 1), "z/b": (b.id, 1)}


async def test_an_automatic_redirect_is_turned_and_a_made_one_stays(automatic, live, add, backend) -> None:
    first, second = page("a"), page("b")
    made = redirect("b", "x")
    await live(first, second)
    await add(made)
    await live(first, at=LATER, slug="c")
    assert await automatic() == {"a": (first.id, 1)}
    await live(second, at=LATER, slug="a")
    assert await automatic() == {}
    await live(second, at=LATER, slug="d")
    assert await automatic() == {"a": (second.id, 1)}
    assert await backend.redirects.get(made.id) == view(made)


async def test_nothing_leads_away_from_what_is_live(automatic, live) -> None:
    first, second = page("same"), post("same")
    await live(first, second)
    await live(first, at=LATER, slug="other")
    assert await automatic() == {}


async def test_a_path_that_another_of_them_takes_is_not_led_away(automatic, backend, live) -> None:
    above = page("a")  # a draft; what is live below it has its slug in its path all the same
    x = page("a", above.id)
    y = page("a", x.id)
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).add(above)
    await live(x, y)
    async with backend.uow() as uow:
        above.edit(msgspec.structs.replace(above.draft, slug="gone"), at=AT, by=None)
        await uow.repository(DocumentRepository).add_revision(above, changed=("slug",))
        await uow.repository(DocumentRepository).save(above)
    await live(x, at=LATER, parent=None)
    assert await automatic() == {"a/a/a": (y.id, 1)}


async def test_live_pages_below_a_draft_move_along(automatic, live, down, resolve) -> None:
    a = page("a")
    b = page("b", a.id)
    c = page("c", b.id)
    await live(a, b, c)
    await down(b)
    await live(a, at=LATER, slug="z")
    assert (await resolve("z/b/c")).id == c.id
    assert await automatic() == {"a": (a.id, 1), "a/b/c": (c.id, 1)}
    assert (await resolve("a/b/c")).to == "z/b/c"


async def test_redirects_go_with_their_document(automatic, backend, live, down) -> None:
    a = page("a")
    await live(a)
    await live(a, at=LATER, slug="z")
    await down(a)
    assert set(await automatic()) == {"a"}
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).delete(a.id)
    assert await automatic() == {}


async def test_languages_have_paths_of_their_own(automatic, live) -> None:
    english, german = page("a"), page("a", locale="de")
    await live(english, german)
    await live(english, at=LATER, slug="z")
    await live(german, at=LATER, slug="y")
    assert len(await automatic()) == 1  # the same source in both
    await live(page("a"))
    assert await automatic() == {"a": (german.id, 1)}

"""What the ports of feeds and maps do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.contracts.cms.conftest import Backend

from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.documents.addresses import spelt
from cms_api.domains.cms.documents.content import PageContent, PostContent, Seo
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.feeds.interface import Position, Subject
from cms_api.domains.cms.former_slugs import FormerSlugRepository
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.site.facts import SiteFacts
from cms_api.domains.cms.site.interface import FeedSettings, RobotsSettings
from cms_api.domains.cms.sitemaps.interface import MapPart
from cms_api.domains.cms.taxonomies.model import Term
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.kernel.ids import new_id

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BASE = "https://example.org"
SITE = SiteFacts(
    title="", description="", base=BASE, bases={"fr": f"{BASE}/fr"}, service=BASE, logo=None, icon=None,
    is_noindex=False, feeds=FeedSettings(), robots=RobotsSettings(), changed_at="", used="",
)  # fmt: skip
DATES: dict[str, Any] = {"created_at": AT, "updated_at": AT}


async def live(backend: Backend, content: Any, *, after: int = 0, locale: str = "en") -> UUID:
    """Publish a content, some seconds after the others."""
    kind: Any = PAGE if isinstance(content, PageContent) else POST
    at = AT + timedelta(seconds=after)
    document, _ = Document.create(kind, content, locale=locale, at=at, by=None)
    document.publish(at=at, by=None)
    public = Public(fields={"excerpt": "Short", "body": "<p>Long</p>", "seo": Seo(), "reading_time": 1})
    if content.seo.canonical:
        public = msgspec.structs.replace(public, seo={"canonical": content.seo.canonical})
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).add(document)
        await uow.repository(DocumentRepository).save(document)
        await uow.repository(PublicationRepository).put_live(document, content, public)
    return document.id


async def test_posts_by_page_and_subject(backend: Backend) -> None:
    author = Author(id=new_id(), name="Ada", slug="ada", bio="Writes", **DATES)
    tag = Term(
        id=new_id(), taxonomy="tag", name="Tea", slug="tea", **DATES | {"updated_at": AT + timedelta(days=1)}
    )
    cover = Asset(id=new_id(), filename="a.png", source_url="https://x.example/a.png", alt="A", **DATES)
    async with backend.uow() as uow:
        await uow.repository(AuthorRepository).add(author)
        await uow.repository(TermRepository).add(tag)
        await uow.repository(MediaRepository).add(cover)
    assert await backend.feeds.subject("author", "ada") is None  # nothing is published under her name
    content = PostContent(title="B", slug="b", authors=(author.id,), tags=(tag.id,), cover=cover.id)
    first = await live(backend, PostContent(title="A", slug="a"))
    second = await live(backend, content, after=1)
    await live(backend, PostContent(title="C", slug="c"), locale="de")
    await live(backend, PageContent(title="P", slug="p"))
    assert await backend.feeds.subject("author", "ada") == Subject(
        id=author.id, slug="ada", name="Ada", description="Writes", url="/author/ada"
    )
    assert await backend.feeds.subject("category", "tea") is None
    found = await backend.feeds.subject("tag", "tea")
    assert found is not None
    assert (found.id, found.url) == (tag.id, "/tag/tea")

    async def ids(*args: Any, **more: Any) -> list[UUID]:
        given: dict[str, Any] = {"locale": "en", "after": None, "limit": 9, "with_bodies": False, **more}
        return [row.id for row in await backend.feeds.posts(*args, **given)]

    assert await ids(None, None) == [second, first]
    assert await ids(None, None, limit=1) == [second]
    assert await ids(None, None, after=Position(AT + timedelta(seconds=1), second)) == [first]
    assert await ids(None, None, after=Position(AT, first)) == []
    assert await ids("tag", tag.id) == await ids("author", author.id) == [second]
    (row,) = await backend.feeds.posts("tag", tag.id, locale="en", after=None, limit=9, with_bodies=True)
    assert (row.url, row.title, row.excerpt, row.body) == ("/b", "B", "Short", "<p>Long</p>")
    assert [(one.name, one.url) for one in row.authors] == [("Ada", "/author/ada")]
    assert row.cover is not None
    assert (row.terms, row.cover.url) == (("Tea",), "https://x.example/a.png")
    assert (row.published_at, row.touched_at) == (AT + timedelta(seconds=1), AT + timedelta(days=1))
    assert set(row.used) == {second, author.id, tag.id, cover.id}
    (bare,) = await backend.feeds.posts("tag", tag.id, locale="en", after=None, limit=9, with_bodies=False)
    assert bare.body is None


async def test_former_slugs_lead_to_who_had_them_last(backend: Backend) -> None:
    author = Author(id=new_id(), name="Ada", slug="ada", **DATES)
    one, two = (Term(id=new_id(), taxonomy="tag", name=name, slug=name, **DATES) for name in ("a", "b"))
    other = Term(id=new_id(), taxonomy="category", name="a", slug="a", **DATES)

    async def put(kind: Any, owner: Any, slug: str, former: str | None = None) -> None:
        owner.slug = slug
        repository: Any = AuthorRepository if kind == "author" else TermRepository
        async with backend.uow() as uow:
            await uow.repository(repository).save(owner)
            await uow.repository(FormerSlugRepository).put(kind, owner.id, slug=slug, former=former)

    async def led(scope: Any, slug: str) -> tuple[UUID, str] | None:
        found = await backend.feeds.subject(scope, slug)
        return None if found is None else (found.id, found.slug)

    async with backend.uow() as uow:
        await uow.repository(AuthorRepository).add(author)
        for term in (one, two, other):
            await uow.repository(TermRepository).add(term)
            await uow.repository(FormerSlugRepository).put(term.taxonomy, term.id, slug=term.slug)
    await put("tag", one, "c", "a")
    assert (await led("tag", "a"), await led("tag", "c")) == ((one.id, "c"), (one.id, "c"))
    found = await backend.feeds.subject("tag", "a")
    assert found is not None
    assert found.url == "/tag/c"
    # Other taxonomies have slugs of their own.
    assert (await led("category", "a"), await led("category", "c")) == ((other.id, "a"), None)
    # However often it is renamed, each slug is a step away; and the way back is none.
    await put("tag", one, "d", "c")
    assert (await led("tag", "a"), await led("tag", "c")) == ((one.id, "d"), (one.id, "d"))
    await put("tag", one, "a", "d")
    assert [await led("tag", slug) for slug in ("a", "c", "d")] == [(one.id, "a")] * 3
    await put("tag", one, "a", "a")
    assert await led("tag", "a") == (one.id, "a")
    # Who takes one over has it for good, also once that one has yet another.
    await put("tag", two, "c", "b")
    assert (await led("tag", "c"), await led("tag", "b")) == ((two.id, "c"), (two.id, "c"))
    await put("tag", two, "e", "c")
    assert await led("tag", "c") == (two.id, "e")
    # What is rolled back has not been.
    with pytest.raises(LookupError):
        async with backend.uow() as uow:
            await uow.repository(FormerSlugRepository).put("tag", one.id, slug="e", former="x")
            raise LookupError
    assert (await led("tag", "c"), await led("tag", "x")) == ((two.id, "e"), None)
    async with backend.uow() as uow:
        await uow.repository(TermRepository).delete(two)
    assert [await led("tag", slug) for slug in ("b", "c", "d", "e")] == [None, None, (one.id, "a"), None]
    # Nobody learns of an author under whose name nothing is published.
    await put("author", author, "lovelace", "ada")
    assert await led("author", "ada") is None
    await live(backend, PostContent(title="A", slug="a", authors=(author.id,)))
    assert await led("author", "ada") == (author.id, "lovelace")


async def test_what_is_in_a_map(backend: Backend) -> None:
    assert list(await backend.sitemaps.parts(SITE)) == []
    assert list(await backend.sitemaps.addresses("documents", 0, SITE)) == []
    await live(backend, PostContent(title="A", slug="a"))
    await live(backend, PageContent(title="P", slug="p"), after=5, locale="de")
    await live(backend, PostContent(title="N", slug="n", seo=Seo(noindex=True)), after=9)
    await live(backend, PostContent(title="E", slug="e", seo=Seo(canonical="https://x.example/")))
    assert list(await backend.sitemaps.parts(SITE)) == [MapPart("documents", 0, AT + timedelta(seconds=5))]
    rows = await backend.sitemaps.addresses("documents", 0, SITE)
    assert [(row.url, row.changed_at) for row in rows] == [("/a", AT), ("/p", AT + timedelta(seconds=5))]
    assert list(await backend.sitemaps.addresses("documents", 1, SITE)) == []


async def test_what_names_its_own_address_is_in_a_map(backend: Backend) -> None:
    for slug, canonical, locale in (
        ("a", f"{BASE}/a", "en"),
        ("b", f"{BASE}/b/", "en"),
        ("größe", f"{BASE}/größe", "en"),
        ("f", f"{BASE}/fr/f", "fr"),
        ("g", f"{BASE}/g", "fr"),
        ("x", f"{BASE}/a", "en"),
        ("y", f"{BASE}/y?page=2", "en"),
    ):
        content = PostContent(title=slug, slug=slug, seo=Seo(canonical=spelt(canonical)))
        await live(backend, content, locale=locale)
    rows = await backend.sitemaps.addresses("documents", 0, SITE)
    assert [(row.url, row.locale) for row in rows] == [
        ("/a", "en"), ("/b", "en"), ("/größe", "en"), ("/f", "fr"),
    ]  # fmt: skip


async def test_what_is_at_one_address_is_in_a_map_once(backend: Backend) -> None:
    for locale in ("it", "de", "en", "fr"):
        await live(backend, PageContent(title="P", slug="p"), locale=locale)
    await live(backend, PostContent(title="P", slug="p"))
    for locale in ("it", "de"):
        await live(backend, PostContent(title="Q", slug="q"), locale=locale)
    # What is not to be found itself stands before nothing.
    for seo in (Seo(noindex=True), Seo(canonical="https://x.example/")):
        slug = f"r{len(seo.canonical or '')}"
        await live(backend, PostContent(title="R", slug=slug, seo=seo))
        await live(backend, PostContent(title="R", slug=slug), after=5, locale="de")
    rows = await backend.sitemaps.addresses("documents", 0, SITE)
    assert [(row.url, row.locale) for row in rows] == [
        ("/p", "en"), ("/p", "fr"), ("/q", "de"), ("/r0", "de"), ("/r18", "de"),
    ]  # fmt: skip
    assert list(await backend.sitemaps.parts(SITE)) == [MapPart("documents", 0, AT + timedelta(seconds=5))]


async def test_which_archives_are_in_a_map(backend: Backend) -> None:
    picture = Asset(id=new_id(), filename="a.png", source_url="https://x.example/a.png", **DATES)
    ada = Author(id=new_id(), name="Ada", slug="ada", avatar_id=picture.id, **DATES)
    idle = Author(id=new_id(), name="Idle", slug="idle", **DATES)
    terms = {
        name: Term(
            id=new_id(),
            taxonomy="category" if name == "Food" else "tag",
            name=name,
            slug=name.lower(),
            **DATES,
        )
        for name in ("Food", "Tea", "Unused")
    }
    async with backend.uow() as uow:
        await uow.repository(MediaRepository).add(picture)
        for author in (ada, idle):
            await uow.repository(AuthorRepository).add(author)
        for term in terms.values():
            await uow.repository(TermRepository).add(term)
    assert list(await backend.sitemaps.parts(SITE)) == []
    await live(backend, PageContent(title="P", slug="p", authors=(idle.id,)))  # archives are of posts
    for after in (1, 2):
        used: dict[str, Any] = {"authors": (ada.id,), "tags": (terms["Tea"].id,)}
        if after == 1:
            used["categories"] = (terms["Food"].id,)
        await live(backend, PostContent(title="A", slug=f"a{after}", **used), after=after)
    one, two = (AT + timedelta(seconds=after) for after in (1, 2))
    assert list(await backend.sitemaps.parts(SITE)) == [
        MapPart("documents", 0, two), MapPart("terms", 0, two), MapPart("authors", 0, two)
    ]  # fmt: skip
    found = await backend.sitemaps.addresses("terms", 0, SITE)
    assert [(row.url, row.changed_at) for row in found] == [("/category/food", one), ("/tag/tea", two)]
    (row,) = await backend.sitemaps.addresses("authors", 0, SITE)
    assert (row.url, row.changed_at, [*row.images]) == ("/author/ada", two, ["https://x.example/a.png"])
    assert list(await backend.sitemaps.addresses("authors", 1, SITE)) == []


async def test_what_is_rendered_anew(backend: Backend) -> None:
    one = await live(backend, PostContent(title="A", slug="a"))
    public = Public(fields={"excerpt": "New", "body": "<p>New</p>", "seo": Seo(), "reading_time": 1})
    async with backend.uow() as uow:
        assert list(await uow.repository(PublicationRepository).outdated(None, 9)) == []
        await uow.repository(PublicationRepository).put_rendered(one, public)
        await uow.repository(PublicationRepository).put_rendered(new_id(), public)
    (row,) = await backend.feeds.posts(None, None, locale="en", after=None, limit=9, with_bodies=True)
    assert (row.excerpt, row.body, row.updated_at) == ("New", "<p>New</p>", AT)

"""Posts at the path that the site's settings give them: where they are, and what another path does."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    at,
    change,
    do,
    faults,
    items,
    make,
    published,
    remove,
    rows,
)
from tests.integration.cms.replica import Replica
from tests.integration.cms.test_addresses import at_path, model, move
from tests.integration.cms.test_batch import op, results
from tests.integration.cms.test_list_plans import SEED
from tests.integration.cms.test_purges import tags_since
from tests.integration.hearing import hearing
from tests.integration.http.asking import upload
from tests.unit.test_wxr import item, wxr

from cms_api.adapters.http.caching import tag_of
from cms_api.adapters.wordpress.wxr import WxrFile
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.site.interface import SettingsChanges, SitePathsChanges
from cms_api.kernel.actor import SYSTEM

URL, PUBLIC = f"{API}/settings", f"{CONTENT}/settings"
BLOG, NEWS, PLAIN = "/blog/{slug}", "/news/{slug}", "/{slug}"
BASE = "https://example.org"


async def patched(admin: httpx.AsyncClient, path: str) -> httpx.Response:
    return await admin.patch(URL, json={"paths": {"post": path}}, headers=ANY)


async def put(admin: httpx.AsyncClient, path: str) -> dict[str, Any]:
    return answered(await patched(admin, path), 200)


async def test_what_the_settings_say(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    first = answered(await admin.get(URL), 200)
    assert first["paths"]["post"] == answered(await client.get(PUBLIC), 200)["paths"]["post"] == PLAIN
    assert (await put(admin, PLAIN))["version"] == 1
    changed = answered(await admin.patch(URL, json={"paths": {"post": BLOG}}, headers=at(1)), 200)
    assert changed["paths"] == first["paths"] | {"post": BLOG}
    assert answered(await client.get(PUBLIC), 200)["paths"] == changed["paths"]
    answered(await admin.patch(URL, json={"paths": {"post": NEWS}}, headers=at(1)), 412)
    sent = {name: changed[name] for name in changed if name not in ("version", "updated_at", "updated_by")}
    assert answered(await admin.patch(URL, json=sent, headers=ANY), 200) == changed
    assert (await put(admin, PLAIN))["paths"] == first["paths"]


async def test_settings_of_before(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    data = '{"paths": {"category": "/c/{slug}"}}'
    rows(database_url, f"UPDATE cms.site_settings SET data = '{data}' RETURNING id")
    post = await published(admin, "posts", title="Hello")
    assert await at_path(client, "hello") == post["id"]
    for found in (answered(await client.get(PUBLIC), 200), answered(await admin.get(URL), 200)):
        assert (found["paths"]["post"], found["paths"]["category"]) == (PLAIN, "/c/{slug}")


@pytest.mark.parametrize(
    "path",
    ["blog/{slug}", "/blog", "/blog/{slug}/", "/a/{slug}/b", "/{slug}/{slug}", "//{slug}", "/Blog/{slug}",
     "/a b/{slug}", "/../{slug}", "/a{slug}", "/{year}/{slug}", "/a%2f/{slug}", "/a\n/{slug}"],
)  # fmt: skip
async def test_paths_that_are_none(admin: httpx.AsyncClient, path: str) -> None:
    body = {"paths": {"post": path, "tag": "/t"}, "timezone": "Nowhere"}
    problem = answered(await admin.patch(URL, json=body, headers=ANY), 422, "invalid")
    assert sorted(faults(problem)) == [
        ("/paths/post", "path"), ("/paths/tag", "path"), ("/timezone", "unknown_timezone"),
    ]  # fmt: skip


async def test_paths_that_are_too_long(admin: httpx.AsyncClient) -> None:
    problem = answered(await patched(admin, f"/{'a' * 200}/{{slug}}"), 422, "invalid")
    assert {pointer for pointer, _ in faults(problem)} == {"/paths/post"}


async def test_a_post_goes_where_the_path_says(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await put(admin, BLOG)
    post = await published(admin, "posts", title="Hello")
    found = answered(await client.get(f"{CONTENT}/resolve?path=/blog/hello"), 200)
    assert (found["kind"], found["id"], found["path"]) == ("post", post["id"], "blog/hello")
    assert found["document"] == answered(await client.get(f"{CONTENT}/posts/by-slug/hello"), 200)
    assert await at_path(client, "hello") is None
    # A page may have the slug now, and its place: they don't meet.
    page = await published(admin, "pages", title="Hello")
    assert (await at_path(client, "hello"), await at_path(client, "blog/hello")) == (page["id"], post["id"])
    await change(admin, "posts", post, slug="hi")
    assert await at_path(client, "blog/hello") == post["id"]
    await do(admin, "posts", post, "publish")
    assert (await at_path(client, "blog/hi"), await at_path(client, "blog/hello")) == (post["id"], "/blog/hi")
    answered(await client.get(f"{CONTENT}/posts/by-slug/hello"), 404)
    assert answered(await client.get(f"{CONTENT}/posts/by-slug/hi"), 200)["id"] == post["id"]
    other = await published(admin, "posts", title="Hello")
    assert await at_path(client, "blog/hello") == other["id"]
    await do(admin, "posts", other, "unpublish")
    assert await at_path(client, "blog/hello") is None


async def test_posts_of_several_languages(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    ours = await published(admin, "posts", title="Hello")
    theirs = await published(admin, "posts", title="Hello", locale="fr")
    await put(admin, BLOG)
    for post, locale in ((ours, "en"), (theirs, "fr")):
        for path in ("resolve?path=/blog/hello&", "posts/by-slug/hello?"):
            found = answered(await client.get(f"{CONTENT}/{path}locale={locale}"), 200)
            assert found["id"] == post["id"]
        location = answered(await client.get(f"{CONTENT}/resolve?path=/hello&locale={locale}"), 200)
        assert location["location"] == "/blog/hello"


async def test_another_path_moves_all(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    posts = [await published(admin, "posts", title=f"P{n}") for n in range(4)]
    ids = [post["id"] for post in posts]
    draft, page = await make(admin, "posts", title="Draft"), await published(admin, "pages", title="P9")
    async with counting() as seen:
        await put(admin, BLOG)
    assert sum("UPDATE cms.publications" in one for one in seen) == 1
    few = len(seen)
    assert [await at_path(client, f"blog/p{n}") for n in range(4)] == ids
    assert [await at_path(client, f"p{n}") for n in range(4)] == [f"/blog/p{n}" for n in range(4)]
    assert await at_path(client, "p9") == page["id"]
    redirects = await items(admin, f"{API}/redirects?sort=source")
    assert [(one["source"], one["document"], one["is_automatic"]) for one in redirects] == [
        (f"p{n}", one, True) for n, one in enumerate(ids)
    ]
    # However often they move, each old path is one step away.
    async with counting() as seen:
        await put(admin, NEWS)
    assert len(seen) == few
    for path in ("p0", "blog/p0"):
        assert await at_path(client, path) == "/news/p0"
    await put(admin, PLAIN)
    assert await at_path(client, "p0") == ids[0]
    for path in ("news/p0", "blog/p0"):
        assert await at_path(client, path) == "/p0"
    assert len(await items(admin, f"{API}/redirects")) == 8
    await do(admin, "posts", draft, "publish")
    assert await at_path(client, "draft") == draft["id"]


async def test_redirects_of_people_stay(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    post = await published(admin, "posts", title="Hello")
    await make(admin, "redirects", source="/start", document=post["id"])
    await make(admin, "redirects", source="/begin", target="/hello")
    await make(admin, "redirects", source="/blog", kind="prefix", target="/elsewhere")
    await put(admin, BLOG)
    assert [await at_path(client, one) for one in ("start", "begin", "hello")] == ["/blog/hello"] * 3
    assert await at_path(client, "blog/hello") == post["id"]
    assert await at_path(client, "blog/other") == "/elsewhere/other"


async def test_a_path_whose_places_are_taken(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    blog = await published(admin, "pages", title="Blog")
    page = await published(admin, "pages", title="Hello", parent=blog["id"])
    post, other = [await published(admin, "posts", title=title) for title in ("Hello", "Other")]
    problem = answered(await patched(admin, BLOG), 409, "addresses_taken")
    assert (problem["path"], problem["documents"], problem["examples"]) == (BLOG, 1, [post["id"]])
    assert answered(await admin.get(URL), 200)["version"] == 1
    assert (await at_path(client, "other"), await at_path(client, "blog/hello")) == (other["id"], page["id"])
    assert rows(database_url, "SELECT FROM cms.redirects") == []
    await change(admin, "posts", post, slug="hi")
    await do(admin, "posts", post, "publish")
    await put(admin, BLOG)
    # As ever, a post may come to where a page is, which comes first.
    third = await published(admin, "posts", title="Hello")
    assert await at_path(client, "blog/hello") == page["id"]
    await do(admin, "pages", page, "unpublish")
    assert await at_path(client, "blog/hello") == third["id"]


async def test_posts_and_types_do_not_share_a_path(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await model(admin, BLOG)
    entry = await published(admin, "entries/event", slug="hello")
    problem = answered(await patched(admin, BLOG), 422, "invalid")
    assert faults(problem) == [("/paths/post", "taken")]
    await put(admin, NEWS)
    post = await published(admin, "posts", title="Hello")
    assert faults(answered(await move(admin, NEWS), 422)) == [("/path", "taken")]
    body = {"key": "other", "path": NEWS}
    assert faults(answered(await admin.post(f"{API}/content-types", json=body), 422)) == [("/path", "taken")]
    assert (await at_path(client, "blog/hello"), await at_path(client, "news/hello")) == (
        entry["id"], post["id"],
    )  # fmt: skip
    answered(await move(admin, "/dates/{slug}"), 200)
    await put(admin, BLOG)
    # What led to the entry from there is not needed any more.
    assert await at_path(client, "blog/hello") == post["id"]


async def test_everything_tells_the_address(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    answered(await admin.patch(URL, json={"base_url": BASE}, headers=ANY), 200)
    cover = await upload(admin, alt="A")
    post = await published(admin, "posts", title="Hello", cover=cover["id"])
    link = f'<p><a href="cms://document/{post["id"]}">there</a></p>'
    page = await published(admin, "pages", title="About", body=link)
    target = {"kind": "document", "id": post["id"]}
    await make(admin, "menus", key="main", name="Main", items=[{"target": target}])

    async def told() -> list[str]:
        seo = answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)["seo"]
        body = answered(await client.get(f"{CONTENT}/pages/{page['id']}"), 200)["body"]
        [entry] = answered(await client.get(f"{CONTENT}/menus/main"), 200)["items"]
        [found] = answered(await client.get(f"{CONTENT}/search?q=hello"), 200)["items"]
        feed = answered(await client.get("/feed.json"), 200)
        rss, atom = [(await client.get(one)).text for one in ("/feed.xml", "/atom.xml")]
        [part] = [
            one for one in (await client.get("/sitemap.xml")).text.split("<loc>") if "/sitemaps/0" in one
        ]
        sitemap = (await client.get(part.split("</loc>")[0].replace("http://127.0.0.1:8000", ""))).text
        path = str(entry["url"])
        assert (entry["target"]["path"], found["path"]) == (path[1:], path[1:])
        assert f'href="{path}"' in body
        whole = BASE + path
        assert (seo["canonical"], seo["og"]["url"], feed["items"][0]["url"]) == (whole,) * 3
        assert all(f"{whole}<" in one or f'"{whole}"' in one for one in (rss, atom, sitemap))
        return [path, seo["canonical"]]

    assert await told() == ["/hello", f"{BASE}/hello"]
    await put(admin, BLOG)
    assert await told() == ["/blog/hello", f"{BASE}/blog/hello"]
    await put(admin, PLAIN)
    assert await told() == ["/hello", f"{BASE}/hello"]


async def test_alternates_tell_the_address(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    answered(
        await admin.patch(URL, json={"base_url": BASE, "base_urls": {"fr": f"{BASE}/fr"}}, headers=ANY), 200
    )
    first = await make(admin, "posts", title="Hello")
    other = await make(admin, "posts", title="Salut", locale="fr")
    rows(
        database_url,
        "UPDATE cms.documents SET translation_of = %s WHERE id = %s RETURNING id",
        (first["id"], other["id"]),
    )
    for one in (first, other):
        await do(admin, "posts", one, "publish")
    await put(admin, BLOG)
    for one in (first, other):
        seo = answered(await client.get(f"{CONTENT}/posts/{one['id']}"), 200)["seo"]
        assert seo["alternates"] == [
            {"locale": "en", "url": f"{BASE}/blog/hello"}, {"locale": "fr", "url": f"{BASE}/fr/blog/salut"},
        ]  # fmt: skip


async def test_a_draft_shows_its_future_address(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await admin.patch(URL, json={"base_url": BASE, "paths": {"post": BLOG}}, headers=ANY)
    post = await make(admin, "posts", title="Hello")
    made = answered(await admin.post(f"{API}/posts/{post['id']}/preview"), 201)
    headers = {"Preview-Token": made["token"]}
    found = answered(await client.get(f"{CONTENT}/resolve?path=/blog/hello", headers=headers), 200)
    assert (found["id"], found["document"]["seo"]["canonical"]) == (post["id"], f"{BASE}/blog/hello")
    by_slug = answered(await client.get(f"{CONTENT}/posts/by-slug/hello", headers=headers), 200)
    assert by_slug == found["document"]
    assert await at_path(client, "blog/hello") is None


@pytest.fixture
async def heard(application: Application) -> AsyncIterator[None]:
    """The database is listened to, as in a process that serves."""
    async with hearing(application):
        yield


@pytest.mark.usefixtures("heard")
async def test_caches_purges_and_sync_hear_of_it(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    posts = [await published(admin, "posts", title=f"P{n}") for n in range(3)]
    link = f'<p><a href="cms://document/{posts[0]["id"]}">there</a></p>'
    page = await published(admin, "pages", title="About", body=link)
    plain = await published(admin, "pages", title="Plain")
    target = {"kind": "document", "id": posts[1]["id"]}
    await make(admin, "menus", key="main", name="Main", items=[{"target": target}])
    replica = Replica(client)
    await replica.follow()
    token = answered(await admin.get(f"{API}/purges"), 200)["token"]
    places = (
        f"{CONTENT}/resolve?path=/p0", f"{CONTENT}/resolve?path=/blog/p0", f"{CONTENT}/posts/by-slug/p0",
        f"{CONTENT}/pages/{page['id']}", f"{CONTENT}/menus/main", "/feed.json", PUBLIC,
    )  # fmt: skip
    before = [(await client.get(one)).content for one in places]
    await put(admin, BLOG)
    after = [(await client.get(one)).content for one in places]
    # Without a base URL, a post by itself tells of no address.
    same = [place for place, old, new in zip(places, before, after, strict=True) if old == new]
    assert same == [f"{CONTENT}/posts/by-slug/p0"]
    found, _ = await tags_since(admin, token)
    assert {tag_of(one["id"]) for one in posts} <= found
    assert tag_of(plain["id"]) not in found
    told = {title for _, title in await replica.follow()}
    assert {"P0", "P1", "P2", "About"} <= told
    [copy] = [data for (_, one), data in replica.resources.items() if one == page["id"]]
    assert 'href="/blog/p0"' in copy["body"]
    fresh = Replica(client)
    await fresh.follow()
    assert fresh.resources == replica.resources


class Race:
    """Another path of posts and a publication, at once."""

    def __init__(self, admin: httpx.AsyncClient, application: Application, url: str) -> None:
        self.admin, self.application, self.url = admin, application, url

    @asynccontextmanager
    async def changing(self, path: str) -> AsyncIterator[None]:
        """A change of the path that is committed once the block is left."""
        changes = SettingsChanges(paths=SitePathsChanges(post=path))
        async with self.application.unit_of_work() as uow:
            await self.application.container.cms.site().update(uow, SYSTEM, changes, expected=None)
            yield

    @asynccontextmanager
    async def publishing(self, post: dict[str, Any]) -> AsyncIterator[None]:
        """A publication that is committed once the block is left."""
        async with self.application.unit_of_work() as uow:
            await self.application.container.cms.posts().publish(uow, SYSTEM, UUID(post["id"]), expected=None)
            yield

    async def waiting(self, request: Awaitable[httpx.Response]) -> asyncio.Future[httpx.Response]:
        """The request, once it waits for somebody's lock."""
        task = asyncio.ensure_future(request)
        while not rows(self.url, "SELECT FROM pg_stat_activity WHERE datname = current_database()"
                                 " AND wait_event_type = 'Lock'"):  # fmt: skip
            assert not task.done(), task.result().text
            await asyncio.sleep(0.02)
        return task


@pytest.fixture
def race(admin: httpx.AsyncClient, application: Application, database_url: str) -> Race:
    return Race(admin, application, database_url)


async def to_publish(admin: httpx.AsyncClient, *, is_live: bool) -> tuple[dict[str, Any], str]:
    """A post to be published, and its slug; where it is live, that is another one than readers know."""
    post = await make(admin, "posts", title="Hello")
    if not is_live:
        return post, "hello"
    await do(admin, "posts", post, "publish")
    await change(admin, "posts", post, slug="hi")
    return post, "hi"


@pytest.mark.parametrize("is_live", [False, True])
async def test_a_post_is_published_while_the_path_changes(
    race: Race, admin: httpx.AsyncClient, client: httpx.AsyncClient, *, is_live: bool
) -> None:
    post, slug = await to_publish(admin, is_live=is_live)
    async with race.changing(BLOG):
        publishing = await race.waiting(admin.post(f"{API}/posts/{post['id']}/publish", headers=ANY))
    answered(await publishing, 200)
    assert await at_path(client, f"blog/{slug}") == post["id"]
    assert await at_path(client, "hello") == ("/blog/hi" if is_live else None)


@pytest.mark.parametrize("is_live", [False, True])
async def test_the_path_changes_while_a_post_is_published(
    race: Race, admin: httpx.AsyncClient, client: httpx.AsyncClient, *, is_live: bool
) -> None:
    post, slug = await to_publish(admin, is_live=is_live)
    async with race.publishing(post):
        changing = await race.waiting(patched(admin, BLOG))
    answered(await changing, 200)
    assert await at_path(client, f"blog/{slug}") == post["id"]
    assert await at_path(client, slug) == f"/blog/{slug}"
    assert await at_path(client, "hello") == f"/blog/{slug}"


async def test_drafts_are_saved_while_the_path_changes(race: Race, admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="Hello")
    await published(admin, "posts", title="Live")
    async with race.changing(BLOG):
        await change(admin, "posts", post, title="Hi")
        await make(admin, "posts", title="New")
        await published(admin, "pages", title="Page")


@pytest.mark.parametrize("is_post_first", [False, True])
async def test_a_type_and_posts_ask_for_one_path(
    race: Race, admin: httpx.AsyncClient, *, is_post_first: bool
) -> None:
    await model(admin, NEWS)
    if is_post_first:
        async with race.changing(BLOG):
            moving = await race.waiting(move(admin, BLOG))
        assert faults(answered(await moving, 422)) == [("/path", "taken")]
        return
    container = race.application.container
    from cms_api.domains.cms.content_types.interface import TypeChanges  # noqa: PLC0415

    async with race.application.unit_of_work() as uow:
        await container.cms.content_types().update(
            uow, SYSTEM, "event", TypeChanges(path=BLOG), expected=None
        )
        changing = await race.waiting(patched(admin, BLOG))
    assert faults(answered(await changing, 422)) == [("/paths/post", "taken")]


@pytest.mark.parametrize("attempt", range(3))
async def test_many_do_everything_at_once(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, attempt: int
) -> None:
    del attempt
    tag = await make(admin, "tags", name="Tea")
    posts = [await make(admin, "posts", title=f"P{n}", tags=[tag["id"]]) for n in range(12)]
    for post in posts[:6]:
        await do(admin, "posts", post, "publish")
    home = await published(admin, "pages", title="Home")
    answered(await admin.patch(URL, json={"home_page": home["id"]}, headers=ANY), 200)
    await remove(admin, "pages", home)
    answers = await asyncio.gather(
        *(patched(admin, path) for path in (BLOG, NEWS)),
        *(admin.post(f"{API}/posts/{post['id']}/publish", headers=ANY) for post in posts[3:]),
        admin.post(f"{API}/pages/{home['id']}/purge", headers=ANY),
        admin.delete(f"{API}/tags/{tag['id']}", headers=ANY),
        *(admin.post(f"{API}/posts/{post['id']}/unpublish", headers=ANY) for post in posts[:3]),
        patched(admin, BLOG),
    )
    assert {one.status_code for one in answers} <= {200, 204, 409}, [
        one.text for one in answers if one.status_code >= 500
    ]
    pattern = answered(await admin.get(URL), 200)["paths"]["post"]
    for number, post in enumerate(posts):
        found = await at_path(client, pattern.replace("{slug}", f"p{number}"))
        assert found == (post["id"] if number >= 3 else None)


async def test_an_import_goes_where_the_path_says(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application, tmp_path: Path
) -> None:
    await put(admin, BLOG)
    export = tmp_path / "export.xml"
    export.write_text(wxr(item(post_id="1", post_name="hello", title="Hello")))
    await application.container.cms.imports().run(
        SYSTEM, WxrFile(export), new_uow=application.unit_of_work, fetch_files=False, progress=lambda _: None
    )
    [post] = await items(admin, f"{API}/posts")
    assert await at_path(client, "blog/hello") == post["id"]


async def test_batches_go_where_the_path_says(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await put(admin, BLOG)
    post = await make(admin, "posts", title="Hello")
    [found] = await results(admin, op("publish", post))
    assert found["status"] == 200
    assert await at_path(client, "blog/hello") == post["id"]


async def test_many_posts_move_and_are_found_by_indexes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any], database_url: str
) -> None:
    tag = await make(admin, "tags", name="Tea")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # without what they point at
        for statement in SEED.split(";\n")[:2]:
            connection.execute(statement.replace("%(tag)s", f"'{tag['id']}'").encode())
        connection.execute("ANALYZE")
    async with counting() as seen:
        await put(admin, BLOG)
    assert sum("UPDATE cms.publications" in one for one in seen) == 1
    assert await at_path(client, "post-4321") == "/blog/post-4321"
    async with counting() as seen:
        found = answered(await client.get(f"{CONTENT}/posts/by-slug/post-4321?fields=title"), 200)
    assert found == {"title": "Post 4321"}
    [statement] = seen
    with psycopg.connect(database_url) as connection:
        params = {"value": "post-4321", "locale": "en", "service": None, "default_locale": "en"}
        plan = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}".encode(), params).fetchone()
    assert "ix_publications_slug" in json.dumps(plan)
    assert "Seq Scan" not in json.dumps(plan)

"""Delivery behind its cache, on a real database: fast, and never older than the last change."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import psycopg
import pytest
from tests.fakes_schedules import MemoryLog
from tests.integration.cms.cms_client import API, CONTENT, answered, change, do, make, published
from tests.integration.hearing import until
from tests.integration.http.asking import in_a_later_second, upload

from cms_api.adapters.http.caching import ResponseCache
from cms_api.adapters.sqlalchemy.changes import ChangeListener
from cms_api.bootstrap.container import Application
from cms_api.kernel.actor import SYSTEM


async def hit(client: httpx.AsyncClient, path: str) -> bool:
    """Whether an answer comes out of the cache."""
    response = await client.get(path)
    assert response.status_code in (200, 404)
    return response.headers["server-timing"] == 'cache;desc="hit"'


async def kept(client: httpx.AsyncClient, cache: ResponseCache, *paths: str) -> None:
    """Have answers in the cache."""
    await until(lambda: cache.is_current)
    for path in paths:
        await client.get(path)
        assert await hit(client, path), path


async def test_what_a_request_costs_is_told(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    await published(admin, "posts", title="Hello")
    await until(lambda: cache.is_current)
    first = await client.get(f"{CONTENT}/posts")
    assert first.headers["server-timing"].startswith("db;dur=")
    assert 'desc="1 statements"' in first.headers["server-timing"]
    again = await client.get(f"{CONTENT}/posts")
    assert again.headers["server-timing"] == 'cache;desc="hit"'
    assert again.content == first.content
    for name in ("etag", "cache-control", "vary", "cache-tag", "content-type", "content-length"):
        assert again.headers[name] == first.headers[name]
    listed = await admin.get(f"{API}/posts?count=exact")
    assert int(listed.headers["server-timing"].split('desc="')[1].split()[0]) > 1


async def test_the_next_read_sees_what_was_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    post = await published(admin, "posts", title="0")
    for number in range(1, 20):
        await kept(client, cache, f"{CONTENT}/posts/{post['id']}", f"{CONTENT}/posts")
        post = await change(admin, "posts", post, title=str(number))
        await do(admin, "posts", post, "publish")
        read = answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)
        listed = answered(await client.get(f"{CONTENT}/posts"), 200)
        assert read["title"] == listed["items"][0]["title"] == str(number)


Step = Callable[[httpx.AsyncClient, dict[str, Any]], Awaitable[object]]


async def test_what_a_change_has_nothing_to_do_with_stays(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    tag, other = await make(admin, "tags", name="News"), await make(admin, "tags", name="Other")
    author = await make(admin, "authors", name="Ada")
    post = await published(admin, "posts", title="One", tags=[tag["id"]], authors=[author["id"]])
    second = await published(admin, "posts", title="Two")
    page = await published(admin, "pages", title="Home")
    one = f"{CONTENT}/posts/{post['id']}"
    with_tags = f"{one}?include=tags"
    two, posts, pages = f"{CONTENT}/posts/{second['id']}", f"{CONTENT}/posts", f"{CONTENT}/pages"
    tagged = f"{CONTENT}/posts?filter[tags.slug]=news"
    by_path = f"{CONTENT}/pages/by-path/home"
    tags, authors = f"{CONTENT}/tags", f"{CONTENT}/authors"
    tree, settings = f"{CONTENT}/pages/tree", f"{CONTENT}/settings"
    comments, resolved = f"{one}/comments", f"{CONTENT}/resolve?path=/home"
    everything = {
        one, with_tags, two, posts, pages, tagged, by_path, tags, authors, tree, settings, comments, resolved,
    }  # fmt: skip

    async def redraft() -> None:
        await admin.patch(f"{API}/posts/{post['id']}", json={"title": "!"}, headers={"If-Match": "*"})

    async def republish(kind: str, which: dict[str, Any]) -> None:
        await admin.post(f"{API}/{kind}/{which['id']}/publish", headers={"If-Match": "*"})

    async def rename(kind: str, which: dict[str, Any]) -> None:
        answered(
            await admin.patch(
                f"{API}/{kind}/{which['id']}", json={"name": which["id"]}, headers={"If-Match": "*"}
            ),
            200,
        )

    async def comment() -> None:
        said = await admin.post(f"{CONTENT}/posts/{post['id']}/comments", json={"body": "Hi"})
        assert said.status_code in (201, 202), said.text

    async def settle() -> None:
        answered(await admin.patch(f"{API}/settings", json={"title": "Site"}, headers={"If-Match": "*"}), 200)

    steps: list[tuple[Callable[[], Awaitable[None]], set[str]]] = [
        (redraft, set()),
        (lambda: republish("posts", second), {two, posts, tagged, resolved}),
        (lambda: republish("posts", post), {one, with_tags, posts, tagged, comments, resolved}),
        (lambda: republish("pages", page), {pages, by_path, tree, settings, resolved, tagged}),
        (lambda: rename("tags", tag), {with_tags, tags, tagged}),
        (lambda: rename("tags", other), {tags, tagged}),
        (lambda: rename("authors", author), {authors, tagged}),
        (comment, {comments}),
        # What search engines are told of a document has the site's name in it.
        (settle, everything - {tags, authors, tree, comments}),
    ]
    for number, (step, outdated) in enumerate(steps):
        await kept(client, cache, *sorted(everything))
        await step()
        await until(lambda: cache.is_current)
        assert {path for path in everything if not await hit(client, path)} == outdated, number


async def test_who_has_a_date_only_is_told_of_every_change(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    tag, category = await make(admin, "tags", name="Tea"), await make(admin, "categories", name="News")
    author, cover = await make(admin, "authors", name="Ada"), await upload(admin, alt="A")
    card = await upload(admin, alt="B")
    post = await published(
        admin, "posts", title="One", slug="one", cover=cover["id"], tags=[tag["id"]],
        categories=[category["id"]], authors=[author["id"]], seo={"og": {"image": card["id"]}},
    )  # fmt: skip
    path = f"{CONTENT}/posts/{post['id']}"

    async def call(method: str, url: str, **body: Any) -> None:
        response = await admin.request(method, f"{API}/{url}", json=body or None, headers={"If-Match": "*"})
        assert response.status_code < 300, response.text

    async def translated() -> None:
        made = await make(admin, "posts", title="Eins", slug="eins", locale="de")
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute(
                "UPDATE cms.documents SET translation_of = %s WHERE id = %s", (post["id"], made["id"])
            )
        await call("POST", f"posts/{made['id']}/publish")
        await call("POST", f"posts/{made['id']}/unpublish")

    async def republished(**values: Any) -> None:
        await call("PATCH", f"posts/{post['id']}", **values)
        await call("POST", f"posts/{post['id']}/publish")

    steps: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("nothing", lambda: asyncio.sleep(0)),
        ("draft", lambda: call("PATCH", f"posts/{post['id']}", title="Draft")),
        ("title", lambda: republished(title="Two")),
        ("site", lambda: call("PATCH", "settings", title="Site", base_url="https://site.example")),
        ("language", lambda: call("PATCH", "settings", base_urls={"en": "https://site.example/en"})),
        ("cover", lambda: call("PATCH", f"media/{cover['id']}", alt="C")),
        ("card", lambda: call("PATCH", f"media/{card['id']}", alt="D")),
        ("author", lambda: call("PATCH", f"authors/{author['id']}", name="Grace")),
        ("site's picture", lambda: call("PATCH", "settings", image=card["id"])),
        ("taken off", lambda: republished(tags=[], categories=[], cover=None, seo={})),
        ("tag gone", lambda: call("DELETE", f"tags/{tag['id']}")),
        ("cover gone", lambda: call("DELETE", f"media/{cover['id']}")),
        ("no picture", lambda: call("PATCH", "settings", image=None)),
        ("translated", translated),
        ("again", lambda: republished(title="Three")),
    ]
    kept: set[str] = set()
    for name, step in steps:
        await in_a_later_second()
        before = await client.get(path)
        date = before.headers.get("last-modified", "")
        await step()
        asked = await client.get(path, headers={"If-Modified-Since": date} if date else {})
        now = await client.get(path)
        if asked.status_code == 304:
            kept.add(name)
            assert now.content == before.content, name
        else:
            assert asked.content == now.content, name
    assert {"nothing", "draft", "author"} <= kept


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def ask(admin: httpx.AsyncClient) -> Ask:
    """Change something, whatever its version."""

    async def call(method: str, url: str, **body: Any) -> Any:
        response = await admin.request(method, f"{API}/{url}", json=body or None, headers={"If-Match": "*"})
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    return call


async def dates_told(
    client: httpx.AsyncClient, paths: list[str], steps: dict[str, Callable[[], Awaitable[object]]]
) -> set[tuple[str, str]]:
    """Take the steps; a 304 by date must be of the very same bytes. The steps and paths of which there was one."""
    same: set[tuple[str, str]] = set()
    for name, step in steps.items():
        await in_a_later_second()
        before = {path: await client.get(path) for path in paths}
        await step()
        await in_a_later_second()
        for path, had in before.items():
            date = had.headers.get("last-modified")
            asked = await client.get(path, headers={"If-Modified-Since": date} if date else {})
            now = await client.get(path)
            if asked.status_code == 304:
                same.add((name, path))
                assert now.content == had.content, (name, path)
    return same


async def test_the_date_of_a_page_knows_of_those_above_it(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, ask: Ask
) -> None:
    above = await published(admin, "pages", title="A")
    page = await published(admin, "pages", title="B", parent=above["id"])
    below = await published(admin, "pages", title="G", parent=page["id"])
    before = answered(await client.get(f"{CONTENT}/pages/{page['id']}"), 200)
    paths = [
        f"{CONTENT}/pages/{one['id']}{query}"
        for one in (above, page, below)
        for query in ("", "?fields=path", "?fields=seo", "?fields=title,parent", "?fields=title")
    ]

    async def moved() -> None:
        await ask("PATCH", f"pages/{above['id']}", slug="aa")
        await ask("POST", f"pages/{above['id']}/publish")

    same = await dates_told(
        client,
        paths,
        {
            "nothing": lambda: asyncio.sleep(0),
            "base": lambda: ask("PATCH", "settings", base_url="https://site.example"),
            "moved": moved,
            "home": lambda: ask("PATCH", "settings", home_page=below["id"]),
            "gone": lambda: ask("POST", f"pages/{above['id']}/unpublish"),
            "back": lambda: ask("POST", f"pages/{above['id']}/publish"),
            "below gone": lambda: ask("POST", f"pages/{below['id']}/unpublish"),
        },
    )
    assert {("nothing", path) for path in paths if path.endswith(("=path", "=seo", "=title"))} <= same
    now = answered(await client.get(f"{CONTENT}/pages/{page['id']}"), 200)
    assert (now["path"], now["updated_at"]) == ("aa/b", before["updated_at"])


async def test_the_date_of_an_entry_knows_of_its_type(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, ask: Ask
) -> None:
    text = {"key": "headline", "type": "text"}
    made = await ask("POST", "content-types", key="event", path="/events/{slug}", fields=[text])
    (field,) = made["fields"]
    event = await published(admin, "entries/event", slug="launch", headline="Launch")
    path = f"{CONTENT}/entries/event/{event['id']}"
    paths = [path, f"{path}?fields=path", f"{path}?fields=seo"]
    renamed = {**field, "key": "heading"}
    same = await dates_told(
        client,
        paths,
        {
            "nothing": lambda: asyncio.sleep(0),
            "moved": lambda: ask("PATCH", "content-types/event", path="/dates/{slug}"),
            "no path": lambda: ask("PATCH", "content-types/event", path=None, resolutions={"path": "drop"}),
            "renamed": lambda: ask("PATCH", "content-types/event", fields=[renamed]),
            "more": lambda: ask(
                "PATCH", "content-types/event", fields=[renamed, {"key": "seats", "type": "number"}]
            ),
            "titled": lambda: ask("PATCH", "content-types/event", title_field="heading"),
            "again": lambda: asyncio.sleep(0),
        },
    )
    assert {("nothing", one) for one in paths} | {("again", path), ("again", f"{path}?fields=seo")} <= same


async def test_the_date_of_a_document_knows_of_its_rendering(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    post = await published(admin, "posts", title="One", body="<p>One</p>")
    path = f"{CONTENT}/posts/{post['id']}"
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            'UPDATE cms.publications SET rendering_version = 0, fields = fields || \'{"body": "Old"}\''
        )

    async def rendered() -> None:
        assert await application.container.cms.rendering().rerender(SYSTEM, application.unit_of_work) == 1

    paths = [path, f"{path}?format=text", f"{path}?fields=body"]
    same = await dates_told(client, paths, {"nothing": lambda: asyncio.sleep(0), "rendered": rendered})
    assert {name for name, _ in same} == {"nothing"}


async def test_whoever_is_signed_in_reads_past_the_cache(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache, database_url: str
) -> None:
    post = await published(admin, "posts", title="Old")
    path = f"{CONTENT}/posts/{post['id']}"
    await kept(client, cache, path)
    # What another worker has just written, and nobody was told of yet.
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SET session_replication_role = replica")
        other.execute("UPDATE cms.publications SET title = 'New'")
    assert answered(await client.get(path), 200)["title"] == "Old"
    assert answered(await admin.get(path), 200)["title"] == "New"


async def test_other_processes_are_heard(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache, database_url: str
) -> None:
    post = await published(admin, "posts", title="Old")
    path = f"{CONTENT}/posts/{post['id']}"
    await kept(client, cache, path)
    with psycopg.connect(database_url) as other:
        other.execute("UPDATE cms.publications SET title = 'New'")
        await asyncio.sleep(0.1)
        assert await hit(client, path)  # not committed
    await until(lambda: len(cache) == 0)
    assert answered(await client.get(path), 200)["title"] == "New"


async def test_thousands_of_changes_at_once_are_all_told(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache, database_url: str
) -> None:
    tags = [await make(admin, "tags", name=f"Tag {number}") for number in range(3)]
    await kept(client, cache, *(f"{CONTENT}/tags/{tag['id']}" for tag in tags))
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "INSERT INTO cms.terms (id, taxonomy, name, slug, created_at, updated_at)"
            " SELECT gen_random_uuid(), 'tag', n::text, 't' || n, now(), now() FROM generate_series(1, 5000) n"
        )
        await until(lambda: cache.is_current)
        for tag in tags:
            assert await hit(client, f"{CONTENT}/tags/{tag['id']}")
        other.execute("UPDATE cms.terms SET description = 'x'")
    await until(lambda: len(cache) == 0)


async def test_while_nobody_listens_nothing_is_kept(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache, database_url: str
) -> None:
    post = await published(admin, "posts", title="Old")
    path = f"{CONTENT}/posts/{post['id']}"
    await kept(client, cache, path)
    heard: list[str] = []
    listening, deaf = cache.listening, cache.deaf
    cache.listening = lambda: (heard.append("listening"), listening())[1]  # type: ignore[method-assign]
    cache.deaf = lambda: (heard.append("deaf"), deaf())[1]  # type: ignore[method-assign]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cms changes'"
        )
        await until(lambda: "deaf" in heard)
        assert len(cache) == 0
        await until(lambda: "listening" in heard)
        await kept(client, cache, path)
        other.execute("UPDATE cms.publications SET title = 'New'")
    await until(lambda: len(cache) == 0)
    assert answered(await client.get(path), 200)["title"] == "New"


async def test_each_outage_of_the_listener_is_told(database_url: str) -> None:
    log, cache = MemoryLog(), ResponseCache(limit=1000)
    listener = ChangeListener(database_url, hearer=cache, wake=lambda: None, log=log)
    stop = asyncio.Event()
    listening = asyncio.create_task(listener.run(stop))
    await until(lambda: cache.is_current)
    assert log.names() == []
    with psycopg.connect(database_url, autocommit=True) as other:
        for times in 1, 2:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cms changes'"
                " AND datname = current_database()"
            )
            await until(lambda: len(log.lines) == 2 * times)  # noqa: B023 - called here
            assert log.names() == ["changes_not_heard", "changes_heard"] * times
            assert cache.is_current
    stop.set()
    await listening


@pytest.mark.parametrize(
    ("path", "vary"),
    [(f"{CONTENT}/posts", "Accept-Encoding, Preview-Token"), ("/openapi.json", "Accept-Encoding")],
)
async def test_answers_in_other_codings(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache, path: str, vary: str
) -> None:
    await published(admin, "posts", title="Hello", body="<p>" + "many words " * 200 + "</p>")
    await kept(client, cache, path)
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for coding in ("gzip", "br", "zstd"):
        packed = await client.get(path, headers={"Accept-Encoding": coding})
        assert packed.headers["content-encoding"] == coding
        assert packed.headers["vary"] == vary
        assert int(packed.headers["content-length"]) < len(plain.content)
        if coding != "zstd":
            assert packed.json() == plain.json()
        again = {"Accept-Encoding": coding, "If-None-Match": packed.headers["etag"]}
        assert (await client.get(path, headers=again)).status_code == 304
        head = await client.head(path, headers={"Accept-Encoding": coding})
        assert (head.content, head.headers["content-length"]) == (b"", packed.headers["content-length"])

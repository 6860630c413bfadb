"""What caches in front of delivery are told to drop, and the streams of changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from litestar import Litestar
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    change,
    do,
    make,
    published,
    remove,
    tagged,
    tags,
)
from tests.integration.cms.streams import listening
from tests.integration.hearing import hearing
from tests.integration.http.asking import upload

from cms_api.bootstrap.container import Application

PURGES = f"{API}/purges"


@pytest.fixture
async def heard(application: Application) -> AsyncIterator[None]:
    """The database is listened to, as in a process that serves."""
    async with hearing(application):
        yield


async def tags_since(admin: httpx.AsyncClient, token: str) -> tuple[set[str], str]:
    """What is to be purged since a token, and the next one."""
    found: set[str] = set()
    step = {"token": token}
    while True:
        page = answered(await admin.get(PURGES, params={"limit": "3", **step}), 200)
        found.update(tag for item in page["items"] for tag in item["tags"])
        if page["token"]:
            return found, page["token"]
        step = {"after": page["page"]["next"]}


async def test_who_may(
    client: httpx.AsyncClient, admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    editor = await user_client("editor")
    for path in (PURGES, f"{PURGES}/events"):
        answered(await client.get(path), 401)
        answered(await editor.get(path), 403)
        answered(await admin.get(f"{path}?token=x"), 400, "malformed")
    answered(await admin.get(PURGES), 200)


async def test_every_answer_that_changes_is_told_of(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    tag, category = await make(admin, "tags", name="News"), await make(admin, "categories", name="All")
    ada, file = await make(admin, "authors", name="Grace"), await upload(admin)
    links = {"tags": [tag["id"]], "categories": [category["id"]], "authors": [ada["id"]], "cover": file["id"]}
    post = await make(admin, "posts", title="One", **links)
    home = await published(admin, "pages", title="Home")
    below = await published(admin, "pages", title="Below", parent=home["id"])
    menu = await make(admin, "menus", key="main", name="Main")
    venue = {"key": "venue", "fields": [{"key": "name", "type": "text", "required": True}]}
    event = {
        "key": "event",
        "fields": [
            {"key": "headline", "type": "text", "required": True},
            {"key": "place", "type": "reference", "types": ["venue"]},
        ],
    }
    for definition in (venue, event):
        answered(await admin.post(f"{API}/content-types", json=definition), 201)
    hall = await make(admin, "entries/venue", name="Hall")
    launch = await published(admin, "entries/event", headline="Launch", place=hall["id"])

    one = f"{CONTENT}/posts/{post['id']}"
    paths = [
        one, f"{one}?include=author,tags,categories,cover", f"{CONTENT}/posts", f"{CONTENT}/posts?include=tags",
        f"{CONTENT}/posts?filter[tags.slug]=news", f"{one}/comments", f"{CONTENT}/pages", f"{CONTENT}/pages/tree",
        f"{CONTENT}/pages/{below['id']}?include=parent", f"{CONTENT}/pages/by-path/home/below",
        f"{CONTENT}/pages/by-path/start/below", f"{CONTENT}/tags", f"{CONTENT}/tags/{tag['id']}",
        f"{CONTENT}/categories", f"{CONTENT}/authors", f"{CONTENT}/authors/{ada['id']}",
        f"{CONTENT}/authors?include=avatar", f"{CONTENT}/settings", f"{CONTENT}/resolve?path=/home",
        f"{CONTENT}/menus/main", f"{CONTENT}/entries/event", f"{CONTENT}/entries/event/{launch['id']}",
        f"{CONTENT}/entries/event/{launch['id']}?include=place",
    ]  # fmt: skip

    async def comment() -> None:
        said = await admin.post(f"{one}/comments", json={"body": "Hi"})
        assert said.status_code in (201, 202), said.text

    async def patch(path: str, **body: Any) -> None:
        answered(await admin.patch(f"{API}/{path}", json=body, headers=ANY), 200)

    async def republish(kind: str, which: dict[str, Any], **body: Any) -> None:
        await change(admin, kind, which, **body)
        await do(admin, kind, which, "publish")

    async def item() -> None:
        body = {"target": {"kind": "document", "id": home["id"]}}
        said = await admin.post(f"{API}/menus/{menu['id']}/items", json=body, headers=ANY)
        assert said.status_code in (200, 201), said.text

    steps: dict[str, Callable[[], Awaitable[Any]]] = {
        "publish": lambda: do(admin, "posts", post, "publish"),
        "comment": comment,
        "tag": lambda: patch(f"tags/{tag['id']}", name="Olds"),
        "tag's slug": lambda: patch(f"tags/{tag['id']}", slug="olds"),
        "category": lambda: patch(f"categories/{category['id']}", name="Every"),
        "author": lambda: patch(f"authors/{ada['id']}", name="Hopper"),
        "avatar": lambda: patch(f"authors/{ada['id']}", avatar_id=file["id"]),
        "file": lambda: patch(f"media/{file['id']}", alt="Grey"),
        "move": lambda: republish("pages", home, slug="start"),
        "menu": item,
        "menu's name": lambda: patch(f"menus/{menu['id']}", name="Top"),
        "settings": lambda: patch("settings", title="Site", home_page=home["id"]),
        "venue": lambda: do(admin, "entries/venue", hall, "publish"),
        "venue's name": lambda: republish("entries/venue", hall, name="Great hall"),
        "venue gone": lambda: do(admin, "entries/venue", hall, "unpublish"),
        "type": lambda: patch("content-types/event", name="Happening"),
        "entry": lambda: republish("entries/event", launch, headline="Start"),
        "other tags": lambda: republish("posts", post, tags=[]),
        "tag gone": lambda: remove(admin, "tags", tag),
        "unpublish": lambda: do(admin, "posts", post, "unpublish"),
        "trash": lambda: remove(admin, "pages", below),
    }
    token = answered(await admin.get(f"{PURGES}?token=now"), 200)["token"]
    for name, step in steps.items():
        before = {path: await client.get(path) for path in paths}
        await step()
        purged, token = await tags_since(admin, token)
        assert purged, name
        for path, old in before.items():
            new = await client.get(path)
            if old.content != new.content and old.status_code == 200:
                assert purged & set(old.headers["cache-tag"].split(",")), (name, path)
    assert await tags_since(admin, token) == (set(), token)


async def test_what_is_included_names_what_it_is_made_of(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    fields = [
        {"key": "name", "type": "text"},
        {"key": "text", "type": "rich_text"},
        {"key": "picture", "type": "media"},
        {"key": "next", "type": "reference", "types": ["talk"]},
    ]
    answered(await admin.post(f"{API}/content-types", json={"key": "talk", "fields": fields}), 201)
    target, file = await published(admin, "pages", title="Target"), await upload(admin, alt="A")
    last = await published(admin, "entries/talk", slug="last", name="Last")
    body = f'<p><a href="cms://document/{target["id"]}">there</a></p>'
    inner = await published(
        admin, "entries/talk", slug="inner", name="Inner", text=body, picture=file["id"], next=last["id"]
    )
    outer = await published(admin, "entries/talk", slug="outer", name="Outer", next=inner["id"])
    begun = await admin.post(
        f"{API}/entries/talk/{inner['id']}/translations", json={"locale": "de"}, headers={"If-Match": "*"}
    )
    german = answered(begun, 201)
    await do(admin, "entries/talk", german, "publish")
    url = f"{CONTENT}/entries/talk/{outer['id']}?include=next"
    answer = await client.get(url)
    assert answered(answer, 200)["next"]["next"] == last["id"]
    assert "/target" in answer.text
    needed = tags(*(one["id"] for one in (outer, inner, german, last, target, file)))
    assert needed <= tagged(answer)
    assert needed <= tagged(await client.get(f"{CONTENT}/entries/talk?include=next"))


async def test_searches_are_purged_when_other_words_are_known(
    admin: httpx.AsyncClient, application: Application
) -> None:
    await published(admin, "posts", title="Gardening")
    token = answered(await admin.get(f"{PURGES}?token=now"), 200)["token"]
    await application.container.cms.search_reader().read_all(application.unit_of_work)
    found, _ = await tags_since(admin, token)
    assert found == {"search"}


async def test_what_workers_are_told_is_what_is_purged(admin: httpx.AsyncClient, database_url: str) -> None:
    token = answered(await admin.get(f"{PURGES}?token=now"), 200)["token"]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("LISTEN cms_changes")
        tag = await make(admin, "tags", name="News")
        post = await published(admin, "posts", title="One", tags=[tag["id"]])
        await published(admin, "pages", title="Home")
        await make(admin, "redirects", source="/old", target="/home")
        await remove(admin, "posts", post)
        told = {key for one in other.notifies(timeout=0.3) for key in one.payload.split(",")}
    purged, _ = await tags_since(admin, token)
    assert tags(*told) == purged
    assert tags(post["id"], "document:post", "documents", tag["id"], "tags", "redirects") <= purged


async def test_who_never_was_live_is_purged_without_a_word(admin: httpx.AsyncClient) -> None:
    page, post = await make(admin, "pages", title="Draft"), await make(admin, "posts", title="Draft")
    token = answered(await admin.get(f"{PURGES}?token=now"), 200)["token"]
    for kind, one in (("pages", page), ("posts", post)):
        await remove(admin, kind, one)
        answered(await admin.post(f"{API}/{kind}/{one['id']}/purge", headers=ANY), 204)
    purged, token = await tags_since(admin, token)
    assert purged == set()
    # What the settings point at is another thing.
    home = await make(admin, "pages", title="Home")
    answered(await admin.patch(f"{API}/settings", json={"home_page": home["id"]}, headers=ANY), 200)
    await remove(admin, "pages", home)
    _, token = await tags_since(admin, token)
    answered(await admin.post(f"{API}/pages/{home['id']}/purge", headers=ANY), 204)
    purged, _ = await tags_since(admin, token)
    assert "settings" in purged


async def test_statements_that_touch_nothing_are_not_told_of(
    admin: httpx.AsyncClient, database_url: str
) -> None:
    await published(admin, "posts", title="One")
    with psycopg.connect(database_url, autocommit=True) as other:
        watched = other.execute(
            "SELECT DISTINCT 'cms.' || c.relname, a.attname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relnamespace = 'cms'::regnamespace AND NOT t.tgisinternal AND t.tgtype & 1 = 0"
            " AND a.attidentity = '' AND a.attgenerated = ''"
        ).fetchall()
        columns = dict(watched)
        assert {"cms.publications", "cms.links", "cms.redirects", "cms.site_settings"} <= set(columns)
        before = other.execute("SELECT count(*) FROM cms.changes").fetchone()
        for table, column in columns.items():
            other.execute(f"UPDATE {table} SET {column} = {column} WHERE false".encode())
            other.execute(f"DELETE FROM {table} WHERE false".encode())
            other.execute(f"INSERT INTO {table} ({column}) SELECT {column} FROM {table} WHERE false".encode())
        assert other.execute("SELECT count(*) FROM cms.changes").fetchone() == before


@pytest.mark.usefixtures("heard")
async def test_changes_are_streamed_from_where_the_client_was(
    app: Litestar, admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    post = await published(admin, "posts", title="One")
    path, query = f"{CONTENT}/sync/events", "kinds=document"
    async with listening(app, path, query) as heard:
        assert heard.status == 200
        assert heard.headers["content-type"].startswith("text/event-stream")
        retry = await heard.block()
        assert retry is not None
        assert 2_000 <= int(retry.removeprefix("retry: ")) <= 6_000
        first = await heard.event()
        assert (first.name, first.data["data"]["title"]) == ("change", "One")
        await heard.settled()
        await change(admin, "posts", post, title="Two")
        await do(admin, "posts", post, "publish")
        second = await heard.event()
        assert second.data["data"]["title"] == "Two"
        await heard.settled()
    await do(admin, "posts", post, "unpublish")
    assert heard.last_id is not None
    async with listening(app, path, query, last_event_id=heard.last_id) as again:
        gone = await again.event()
        assert gone.data == {
            "kind": "document", "type": "post", "id": post["id"], "is_deleted": True, "data": None,
        }  # fmt: skip
    page = answered(
        await client.get(f"{CONTENT}/sync?{query}", params={"token": first.id, "kinds": "document"}), 200
    )
    assert [item["is_deleted"] for item in page["items"]] == []
    page = answered(
        await client.get(f"{CONTENT}/sync", params={"token": heard.last_id, "kinds": "document"}), 200
    )
    assert [item["is_deleted"] for item in page["items"]] == [True]


@pytest.mark.usefixtures("heard")
async def test_many_who_listen_share_one_look(
    app: Litestar, admin: httpx.AsyncClient, asked: list[str]
) -> None:
    path = f"{CONTENT}/sync/events"
    async with (
        listening(app, path, "kinds=tag") as one,
        listening(app, path, "kinds=tag") as two,
        listening(app, path, "kinds=tag") as three,
    ):
        for heard in (one, two, three):
            await heard.settled()
        await asyncio.sleep(0.3)
        asked.clear()
        await asyncio.sleep(1)
        assert len(asked) <= 1
        await make(admin, "tags", name="News")
        for heard in (one, two, three):
            assert (await heard.event()).data["data"]["name"] == "News"
        # A look at the log, a walk and the data, beside what the writing itself asks.
        assert sum("bounds" in sql for sql in asked) == 1


@pytest.mark.usefixtures("heard")
async def test_positions_are_numbers_however_long(
    app: Litestar, admin: httpx.AsyncClient, database_url: str
) -> None:
    async with listening(app, f"{CONTENT}/sync/events", "kinds=tag") as heard:
        await heard.settled()
        with psycopg.connect(database_url) as connection:  # as text, 99 would be the last one of all
            connection.execute(
                "INSERT INTO cms.changes (xact, resource, id, is_deleted) VALUES ('99', 'menu', %s, false)",
                (uuid4(),),
            )
        await make(admin, "tags", name="News")
        assert (await heard.event()).data["data"]["name"] == "News"


@pytest.mark.usefixtures("heard")
async def test_purges_are_streamed_and_end_with_the_service(app: Litestar, admin: httpx.AsyncClient) -> None:
    async with listening(app, f"{PURGES}/events", authorization=admin.headers["Authorization"]) as heard:
        await heard.settled()
        tag = await make(admin, "tags", name="News")
        told = await heard.event()
        assert (told.name, set(told.data["tags"])) == ("purge", tags(tag["id"], "tags"))
        assert await tags_since(admin, told.id) == (set(), (await tags_since(admin, told.id))[1])
        app.state.stopping.set()
        while await heard.block() is not None:
            pass

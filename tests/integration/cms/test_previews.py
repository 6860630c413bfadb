"""The site as it would look: drafts through delivery, and nothing of them left behind."""

import asyncio
import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import httpx
import msgspec
import psycopg
import pytest
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    change,
    do,
    faults,
    items,
    make,
    published,
    remove,
    rows,
)
from tests.integration.hearing import until

from cms_api.adapters.http.caching import ResponseCache
from cms_api.bootstrap.background import periodic_work
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.previews.tokens import PreviewTokens

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
TABLES = ("publications", "documents", "revisions", "contents", "links", "redirects", "changes", "menu_items")


async def preview_of(admin: httpx.AsyncClient, *documents: dict[str, Any], **body: Any) -> dict[str, str]:
    """The header that shows the drafts of documents."""
    wanted = {"documents": [document["id"] for document in documents], **body}
    made = answered(await admin.post(f"{API}/previews", json=wanted), 201)
    return {"Preview-Token": made["token"]}


async def shown(client: httpx.AsyncClient, path: str, preview: dict[str, str]) -> dict[str, Any]:
    """What a preview shows at a path."""
    response = await client.get(f"{CONTENT}{path}", headers=preview)
    body = answered(response, 200)
    assert response.headers["cache-control"] == "private, no-store"
    assert not {"etag", "cache-tag", "last-modified", "age"} & set(response.headers)
    return body


@pytest.fixture
def state(database_url: str) -> Callable[[], Any]:
    """Every row of the database, and the transaction that wrote it."""

    def taken() -> Any:
        return [
            sorted(map(str, rows(database_url, f"SELECT xmin::text, t::text FROM cms.{table} t")))
            for table in TABLES
        ]

    return taken


async def test_one_draft_is_shown_to_who_has_the_token(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, state: Callable[[], Any]
) -> None:
    post = await published(admin, "posts", title="Live", body="<p>live</p>")
    await change(admin, "posts", post, title="Draft", body="**draft**", format="markdown", slug="other")
    secret = await published(admin, "posts", title="Second")
    await change(admin, "posts", secret, title="Secret")
    response = await admin.post(f"{API}/posts/{post['id']}/preview")
    made = answered(response, 201)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["location"] == f"{API}/previews/{made['id']}"
    assert made["documents"] == [post["id"]]
    until = msgspec.convert(made["expires_at"], datetime) - datetime.now(UTC)
    assert timedelta(seconds=3_500) < until <= timedelta(seconds=3_600)
    preview = {"Preview-Token": made["token"]}
    before = state()
    seen = await shown(client, f"/posts/{post['id']}", preview)
    assert (seen["title"], seen["slug"], seen["status"]) == ("Draft", "other", "published")
    assert "<strong>draft</strong>" in seen["body"]
    assert (await shown(client, "/posts/by-slug/other", preview))["id"] == post["id"]
    answered(await client.get(f"{CONTENT}/posts/by-slug/live", headers=preview), 404)
    listed = await shown(client, f"/posts?preview={made['token']}&sort=title&include=author", {})
    assert [one["title"] for one in listed["items"]] == ["Draft", "Second"]
    asked = {"sort": ["title"], "fields": ["title"], "limit": 1}
    for given in ({"headers": preview}, {"params": {"preview": made["token"]}}):
        response = await client.post(f"{CONTENT}/posts/query", json=asked, **given)  # type: ignore[arg-type]  # either
        assert answered(response, 200)["items"] == [{"title": "Draft"}]
        assert response.headers["cache-control"] == "private, no-store"
    assert state() == before
    assert [one["title"] for one in await items(client, f"{CONTENT}/posts?sort=title")] == ["Live", "Second"]
    answered(await client.get(f"{CONTENT}/posts/by-slug/other"), 404)


async def test_several_drafts_that_were_never_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, state: Callable[[], Any]
) -> None:
    author, tag = await make(admin, "authors", name="Grace"), await make(admin, "tags", name="News")
    post = await make(admin, "posts", title="One", authors=[author["id"]], tags=[tag["id"]])
    page = await make(admin, "pages", title="Home")
    hidden = await make(admin, "posts", title="Hidden", tags=[tag["id"]])
    menu = await make(admin, "menus", key="main", name="Main")
    target = {"target": {"kind": "document", "id": page["id"]}}
    said = await admin.post(f"{API}/menus/{menu['id']}/items", json=target, headers=ANY)
    assert said.status_code in (200, 201), said.text
    preview = await preview_of(admin, post, page)
    before = state()
    listed = await shown(client, "/posts?filter[tags.slug]=news&include=authors", preview)
    assert [one["title"] for one in listed["items"]] == ["One"]
    assert listed["items"][0]["authors"][0]["name"] == "Grace"
    assert "Grace" in [one["name"] for one in (await shown(client, "/authors", preview))["items"]]
    assert (await shown(client, "/pages/by-path/home", preview))["title"] == "Home"
    assert "Home" in (await client.get(f"{CONTENT}/pages/tree", headers=preview)).text
    assert "Home" in (await client.get(f"{CONTENT}/menus/main", headers=preview)).text
    assert (await shown(client, "/resolve?path=/home", preview))["id"] == page["id"]
    found = await shown(client, "/search?q=one", preview)
    assert [one["title"] for one in found["items"]] == ["One"]
    assert (await shown(client, "/search?q=hidden", preview))["items"] == []
    answered(await client.get(f"{CONTENT}/posts/{hidden['id']}", headers=preview), 404)
    assert state() == before
    assert await items(client, f"{CONTENT}/posts") == []
    assert "Grace" not in [one["name"] for one in await items(client, f"{CONTENT}/authors")]


async def test_pages_move_with_what_is_below_them(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, state: Callable[[], Any]
) -> None:
    home = await published(admin, "pages", title="Home")
    below = await published(admin, "pages", title="Below", parent=home["id"])
    leaf = await published(admin, "pages", title="Leaf", parent=below["id"])
    await change(admin, "pages", home, slug="start")
    await change(admin, "pages", leaf, title="Leaf, redrafted")
    new = await make(admin, "pages", title="New", parent=below["id"])
    before = state()
    preview = await preview_of(admin, home, new)
    assert (await shown(client, "/pages/by-path/start/below/leaf", preview))["title"] == "Leaf"
    assert (await shown(client, "/pages/by-path/start/below/new", preview))["id"] == new["id"]
    led = await shown(client, "/resolve?path=/home/below", preview)
    assert "/start/below" in str(led)
    assert state() == before
    # Two that change places: each goes once the other has made room.
    one, two = await published(admin, "posts", title="One"), await published(admin, "posts", title="Two")
    await change(admin, "posts", two, slug="three")
    await change(admin, "posts", one, slug="two")
    for order in ((one, two), (two, one)):
        preview = await preview_of(admin, *order)
        assert (await shown(client, "/posts/by-slug/two", preview))["id"] == one["id"]
        assert (await shown(client, "/posts/by-slug/three", preview))["id"] == two["id"]
    answered(await client.get(f"{CONTENT}/posts", headers=await preview_of(admin, one)), 409, "address_taken")


async def test_entries(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    event = {
        "key": "event",
        "fields": [
            {"key": "headline", "type": "text", "required": True},
            {"key": "notes", "type": "text", "visibility": "internal"},
            {"key": "next", "type": "reference", "types": ["event"]},
        ],
    }
    answered(await admin.post(f"{API}/content-types", json=event), 201)
    second = await make(admin, "entries/event", headline="Second")
    first = await make(admin, "entries/event", headline="First", notes="secret", next=second["id"])
    alone = await preview_of(admin, first)
    seen = await shown(client, f"/entries/event/{first['id']}?include=next", alone)
    assert (seen["headline"], seen["next"]) == ("First", None)
    assert "notes" not in seen
    both = await preview_of(admin, first, second)
    seen = await shown(client, f"/entries/event/{first['id']}?include=next", both)
    assert seen["next"]["headline"] == "Second"
    assert len((await shown(client, "/entries/event", both))["items"]) == 2
    made = await admin.post(f"{API}/entries/event/{second['id']}/preview", json={"expires_in": 60})
    assert answered(made, 201)["documents"] == [second["id"]]
    await remove(admin, "entries/event", first)
    assert len((await shown(client, "/entries/event", both))["items"]) == 1


async def test_who_may_and_what_is_refused(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    post, page = await make(admin, "posts", title="One"), await make(admin, "pages", title="Home")
    gone = await make(admin, "posts", title="Gone")
    await remove(admin, "posts", gone)
    wanted = {"documents": [post["id"]]}
    answered(await client.post(f"{API}/previews", json=wanted), 401)
    nobody = await user_client()
    answered(await nobody.post(f"{API}/previews", json=wanted), 403)
    answered(await nobody.post(f"{API}/posts/{post['id']}/preview"), 403)
    answered(
        await (await user_client("reader", email="c@example.org")).post(f"{API}/previews", json=wanted), 201
    )
    absent = "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"
    problem = answered(
        await admin.post(f"{API}/previews", json={"documents": [post["id"], gone["id"], absent]}), 422
    )
    assert [pointer for pointer, _ in faults(problem)] == ["/documents/1", "/documents/2"]
    for body in ({"documents": []}, {**wanted, "expires_in": 59}, {**wanted, "expires_in": 2_592_001}, {}):
        answered(await admin.post(f"{API}/previews", json=body), 422)
    for path in (f"posts/{page['id']}", f"posts/{absent}", f"posts/{gone['id']}"):
        answered(await admin.post(f"{API}/{path}/preview"), 404)


async def test_tokens(admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application) -> None:
    post = await make(admin, "posts", title="One")
    preview = await preview_of(admin, post)
    token = preview["Preview-Token"]
    (made,) = await items(admin, f"{API}/previews")
    told = base64.urlsafe_b64decode(token + "=")[16:]
    assert told[6:] == UUID(made["id"]).bytes
    assert 3_500 < int.from_bytes(told[:6], "big") - time.time() <= 3_600
    path = f"{CONTENT}/posts"
    for forged in ("", "x", token[:-1], token + "A", token + "=", token.swapcase(), "é", "A" * 3_000):
        answered(await client.get(path, params={"preview": forged}), 403, "preview_invalid")
    secret = application.settings.secret_key or ""
    late = PreviewTokens(secret).seal(UUID(made["id"]), datetime.now(UTC) - timedelta(seconds=1))
    answered(await client.get(path, params={"preview": late}), 403, "preview_expired")
    other = PreviewTokens(secret + "!").seal(UUID(made["id"]), datetime.now(UTC) + timedelta(hours=1))
    answered(await client.get(path, params={"preview": other}), 403, "preview_invalid")
    # A cursor is signed with another key.
    cursor = answered(await client.get(f"{CONTENT}/sync"), 200)["token"]
    answered(await client.get(path, params={"preview": cursor}), 403, "preview_invalid")
    answered(await client.get(f"{path}?preview={token}", headers=preview), 400, "malformed")
    answered(await client.get(f"{path}?%70review={token}"), 400, "malformed")
    answered(await client.get(f"{CONTENT}/settings?%70review={token}"), 400, "malformed")
    answered(await client.get(f"{CONTENT}/settings?preview={token}"), 200)
    answered(await client.get(f"{CONTENT}/sync?preview={token}"), 400, "malformed")
    answered(await client.post(f"{path}/{post['id']}/comments?preview={token}", json={"body": "Hi"}), 400)
    answered(await admin.get(f"{API}/posts?preview={token}"), 400, "malformed")
    # What is wrong with the request itself is told as ever.
    answered(await client.get(f"{path}?preview={token}&sort=colour"), 400, "malformed")
    assert answered(await client.get(f"{path}?filter[title]=preview"), 200)["items"] == []


async def test_previews_are_listed_without_their_tokens(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    post, page = await make(admin, "posts", title="One"), await make(admin, "pages", title="Home")
    reader, editor = await user_client("reader"), await user_client("editor", email="c@example.org")
    whose = {}
    for whom, documents in ((admin, [post, page]), (reader, [page]), (reader, [post])):
        wanted = {"documents": [one["id"] for one in documents]}
        whose[answered(await whom.post(f"{API}/previews", json=wanted), 201)["id"]] = whom
    first, second, third = whose
    url = f"{API}/previews"
    for whom, expected in (
        (admin, [third, second, first]),
        (editor, [third, second, first]),
        (reader, [third, second]),
    ):
        listed = await items(whom, url)
        assert [one["id"] for one in listed] == expected
        assert all(
            set(one) == {"id", "documents", "created_by", "created_at", "expires_at"} for one in listed
        )
    answered(await client.get(url), 401)
    assert await items(await user_client(email="d@example.org"), url) == []
    assert [one["id"] for one in await items(admin, f"{url}?filter[documents]={post['id']}")] == [
        third,
        first,
    ]
    whom = (await items(reader, url))[0]["created_by"]
    one = answered(
        await admin.get(f"{url}?filter[created_by]={whom}&sort=expires_at&fields=id&limit=1&count=exact"), 200
    )
    assert (one["items"], one["count"]) == ([{"id": second}], 2)
    asked = {
        "filter": {"created_by": whom},
        "after": one["page"]["next"],
        "sort": ["expires_at"],
        "fields": ["id"],
    }
    assert answered(await admin.post(f"{url}/query", json=asked), 200)["items"] == [{"id": third}]
    answered(await admin.get(f"{url}?filter[token]=x"), 400, "malformed")
    response = await reader.get(f"{url}/{second}")
    assert answered(response, 200)["documents"] == [page["id"]]
    again = await reader.get(f"{url}/{second}", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304
    answered(await editor.get(f"{url}/{second}"), 200)
    answered(await reader.get(f"{url}/{first}"), 404, "preview_not_found")
    answered(await client.get(f"{url}/{first}"), 401)


async def test_a_preview_is_taken_back(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any], database_url: str
) -> None:
    post = await make(admin, "posts", title="One")
    reader = await user_client("reader")
    made = answered(await reader.post(f"{API}/posts/{post['id']}/preview"), 201)
    other = answered(await reader.post(f"{API}/posts/{post['id']}/preview"), 201)
    token, own = {"Preview-Token": made["token"]}, await preview_of(admin, post)
    assert len((await shown(client, "/posts", token))["items"]) == 1
    url = f"{API}/previews/{made['id']}"
    answered(await client.delete(url), 401)
    answered(await (await user_client("author", email="c@example.org")).delete(url), 404, "preview_not_found")
    answered(await reader.delete(url), 204)
    for query, headers in (("", token), (f"?preview={made['token']}", {})):
        answered(await client.get(f"{CONTENT}/posts{query}", headers=headers), 403, "preview_revoked")
    answered(await reader.delete(url), 404, "preview_not_found")
    answered(await reader.get(url), 404, "preview_not_found")
    assert len((await shown(client, "/posts", own))["items"]) == 1
    answered(await admin.delete(f"{API}/previews/{other['id']}"), 204)
    told = rows(
        database_url,
        "SELECT name, subject::text, actor::text, payload->'documents'->>0 FROM activity.events"
        " WHERE name LIKE 'preview.%%' ORDER BY position",
    )
    whom, me = made["created_by"], answered(await admin.get(f"{API}/auth/me"), 200)["user"]["id"]
    assert [(name, actor) for name, _, actor, _ in told] == [
        ("preview.created", whom), ("preview.created", whom), ("preview.created", me),
        ("preview.revoked", whom), ("preview.revoked", me),
    ]  # fmt: skip
    assert [subject for name, subject, *_ in told if name == "preview.revoked"] == [made["id"], other["id"]]
    assert {document for *_, document in told} == {post["id"]}


async def test_a_preview_outlives_its_user_and_its_documents(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    post = await make(admin, "posts", title="One")
    reader = await user_client("reader")
    made = answered(await reader.post(f"{API}/posts/{post['id']}/preview"), 201)
    token = {"Preview-Token": made["token"]}
    answered(await admin.delete(f"{API}/users/{made['created_by']}", headers=ANY), 204)
    assert len((await shown(client, "/posts", token))["items"]) == 1
    await remove(admin, "posts", post)
    answered(await admin.post(f"{API}/posts/{post['id']}/purge", headers=ANY), 204)
    assert (await shown(client, "/posts", token))["items"] == []
    (listed,) = await items(admin, f"{API}/previews")
    assert (listed["created_by"], listed["documents"]) == (made["created_by"], [post["id"]])
    answered(await admin.delete(f"{API}/previews/{made['id']}"), 204)


async def test_what_has_expired_is_removed(
    admin: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    post = await make(admin, "posts", title="One")
    late, lasting = [answered(await admin.post(f"{API}/posts/{post['id']}/preview"), 201) for _ in range(2)]
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE cms.previews SET created_at = now() - interval '2 s', expires_at = now() WHERE id = %s",
            [late["id"]],
        )
    answered(await admin.get(f"{API}/previews/{late['id']}"), 404)
    answered(await admin.delete(f"{API}/previews/{late['id']}"), 404)
    assert [one["id"] for one in await items(admin, f"{API}/previews")] == [lasting["id"]]
    (purge,) = (one for one in periodic_work(application.container) if one.name == "purge_previews")
    await purge.work()
    assert rows(database_url, "SELECT id::text FROM cms.previews") == [(lasting["id"],)]


async def test_who_has_no_preview_takes_no_turn(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    post = await make(admin, "posts", title="One")
    made = answered(await admin.post(f"{API}/posts/{post['id']}/preview"), 201)
    answered(await admin.delete(f"{API}/previews/{made['id']}"), 204)
    async with counting() as asked:
        answered(await client.get(f"{CONTENT}/posts?preview={made['token']}"), 403, "preview_revoked")
    assert len(asked) == 1


async def test_pages_of_lists_lead_on_within_the_preview(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    posts = [await make(admin, "posts", title=f"Post {number}") for number in range(3)]
    token = (await preview_of(admin, *posts))["Preview-Token"]
    # By what publishing sets as well: it is the same in each request.
    for order in ("title", "-published_at", "updated_at", "-updated_at"):
        found, url = [], f"{CONTENT}/posts?limit=2&sort={order}&preview={token}"
        while url:
            response = await client.get(url)
            found += [one["title"] for one in answered(response, 200)["items"]]
            url = response.links.get("next", {}).get("url", "")
        assert sorted(found) == ["Post 0", "Post 1", "Post 2"], order


async def written(client: httpx.AsyncClient, url: str, preview: dict[str, str]) -> httpx.Response:
    """A feed or a map as a preview shows it."""
    response = await client.get(url, headers=preview)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-robots-tag"] == "noindex"
    assert not {"etag", "cache-tag", "last-modified", "age"} & set(response.headers)
    return response


async def test_feeds_as_they_would_be(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, state: Callable[[], Any], cache: ResponseCache
) -> None:
    author, tag = await make(admin, "authors", name="Grace"), await make(admin, "tags", name="Tea")
    category = await make(admin, "categories", name="News")
    by = {"authors": [author["id"]], "tags": [tag["id"]], "categories": [category["id"]]}
    live = await published(admin, "posts", title="Live", **by)
    await change(admin, "posts", live, title="Redrafted")
    draft = await make(admin, "posts", title="Drafted", body="<p>text</p>", **by)
    await make(admin, "posts", title="Hidden", **by)
    await until(lambda: cache.is_current)
    preview = await preview_of(admin, live, draft)
    before = state()
    for place in ("", "/categories/news", "/tags/tea", "/authors/grace"):
        for file in ("feed.xml", "atom.xml", "feed.json"):
            url = f"{place}/{file}"
            for given, headers in ((url, preview), (f"{url}?preview={preview['Preview-Token']}", {})):
                text = (await written(client, given, headers)).text
                assert "Drafted" in text
                assert "Redrafted" in text
                assert "Hidden" not in text
                assert ("preview=" in text) == (not headers)
            as_it_is = (await client.get(url)).text
            assert "Live" in as_it_is
            assert "rafted" not in as_it_is
            assert (await client.get(url)).headers["server-timing"] == 'cache;desc="hit"'
    assert state() == before


async def test_pages_of_feeds_lead_on_within_the_preview(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    posts = [await make(admin, "posts", title=f"Post {number}") for number in range(3)]
    answered(await admin.patch(f"{API}/settings", json={"feeds": {"items": 2}}, headers=ANY), 200)
    token = (await preview_of(admin, *posts))["Preview-Token"]
    url, found = f"/feed.json?locale=en&preview={token}", []
    while url:
        feed = (await written(client, url, {})).json()
        assert feed["feed_url"].split("/", 3)[3] == url.split("/", 3)[-1].lstrip("/")
        found += [one["title"] for one in feed["items"]]
        url = feed.get("next_url")
    assert sorted(found) == ["Post 0", "Post 1", "Post 2"]
    for file in ("feed.xml", "atom.xml"):
        root = ET.fromstring((await written(client, f"/{file}?preview={token}", {})).content)
        links = {one.get("rel"): one.get("href", "") for one in root.iter(f"{ATOM}link")}
        assert links["self"].endswith(f"/{file}?preview={token}")
        assert links["next"].endswith(f"&preview={token}")
        assert "Post 0" in (await written(client, links["next"], {})).text


async def test_maps_as_they_would_be(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, state: Callable[[], Any]
) -> None:
    tag = await make(admin, "tags", name="Tea")
    paths = {"paths": {"tag": "/tags/{slug}"}}
    answered(await admin.patch(f"{API}/settings", json=paths, headers=ANY), 200)
    home = await published(admin, "pages", title="Home")
    await published(admin, "pages", title="Below", parent=home["id"])
    await change(admin, "pages", home, slug="start")
    post = await make(admin, "posts", title="Drafted", tags=[tag["id"]])
    preview = await preview_of(admin, home, post)
    before = state()

    async def mapped(query: str, headers: dict[str, str]) -> set[str]:
        """The addresses of all parts, of which the index tells."""
        index = ET.fromstring((await client.get(f"/sitemap.xml{query}", headers=headers)).content)
        parts = [one.text or "" for one in index.iter(f"{SITEMAP}loc")]
        assert all(("preview=" in part) == ("preview=" in query) for part in parts)
        found: set[str] = set()
        for part in parts:
            response = await client.get(part, headers=headers)
            assert response.status_code == 200, response.text
            found |= {
                (one.text or "").split("/", 3)[3]
                for one in ET.fromstring(response.content).iter(f"{SITEMAP}loc")
            }
        return found

    as_it_would_be = {"start", "start/below", "drafted", "tags/tea", "author/ada"}
    assert await mapped("", preview) == as_it_would_be
    assert await mapped(f"?preview={preview['Preview-Token']}", {}) == as_it_would_be
    await written(client, "/sitemap.xml", preview)
    await written(client, "/sitemaps/terms-0.xml", preview)
    assert await mapped("", {}) == {"home", "home/below"}
    assert state() == before
    for url in ("/robots.txt", "/health/live"):
        answered(await client.get(f"{url}?preview={preview['Preview-Token']}"), 400, "malformed")
    for url in ("/sitemap.xml", "/sitemaps/0.xml", "/feed.xml", "/tags/tea/atom.xml"):
        answered(await client.get(f"{url}?preview=x"), 403, "preview_invalid")
        answered(await client.get(f"{url}?%70review={preview['Preview-Token']}"), 400, "malformed")
    answered(await client.get("/sitemaps/7.xml", headers=preview), 404)


async def test_caches_know_nothing_of_previews(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    post = await published(admin, "posts", title="Live")
    await change(admin, "posts", post, title="Draft")
    await until(lambda: cache.is_current)
    path = f"{CONTENT}/posts/{post['id']}"
    first = await client.get(path)
    number = len(cache)
    assert number == 1
    preview = await preview_of(admin, post)
    for _ in range(3):
        assert (await shown(client, f"/posts/{post['id']}", preview))["title"] == "Draft"
        query = f"?preview={preview['Preview-Token']}"
        assert (await shown(client, f"/posts/{post['id']}{query}", {}))["title"] == "Draft"
    again = await client.get(path)
    assert again.headers["server-timing"] == 'cache;desc="hit"'
    assert again.content == first.content
    assert len(cache) == number
    # Who has the live copy's tag gets the draft all the same.
    headers = {**preview, "If-None-Match": first.headers["etag"]}
    assert (await client.get(path, headers=headers)).status_code == 200
    assert (await client.get(path, headers={"If-None-Match": first.headers["etag"]})).status_code == 304


async def test_editors_and_previews_don_t_stop_one_another(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    post = await published(admin, "posts", title="Live")
    other = await make(admin, "posts", title="Other")
    preview = await preview_of(admin, post, other)

    async def look() -> None:
        for _ in range(10):
            seen = await shown(client, "/posts?sort=title", preview)
            assert len(seen["items"]) == 2

    async def edit(which: dict[str, Any]) -> None:
        for number in range(10):
            await change(admin, "posts", which, title=f"Draft {number}")
            await do(admin, "posts", which, "publish")

    await asyncio.gather(look(), look(), edit(post), edit(other))


async def test_a_preview_gives_up_before_an_editor_does(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str, state: Callable[[], Any]
) -> None:
    post = await published(admin, "posts", title="Live")
    preview = await preview_of(admin, post)
    before = state()
    with psycopg.connect(database_url) as editor:
        editor.execute("SELECT FROM cms.documents WHERE id = %s FOR UPDATE", [post["id"]])
        response = await client.get(f"{CONTENT}/posts", headers=preview)
        answered(response, 503, "unavailable")
        assert response.headers["retry-after"]
        # Who does not look at drafts is not kept waiting.
        assert len(await items(client, f"{CONTENT}/posts")) == 1
    assert len((await shown(client, "/posts", preview))["items"]) == 1
    assert state() == before

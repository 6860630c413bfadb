"""Editing over HTTP: drafts, readers, addresses, relations, and nobody's work lost."""

import asyncio
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from litestar import Litestar
from tests.integration.http.asking import in_a_later_second

from cms_api.adapters.sqlalchemy.cms.documents import SqlAlchemyDocuments
from cms_api.adapters.sqlalchemy.cms.resources import SqlAlchemyMedia
from cms_api.domains.cms.api import LISTINGS

API, CONTENT = "/api/v1", "/api/v1/content"
ANY = {"If-Match": "*"}


async def make(client: httpx.AsyncClient, kind: str, **body: Any) -> dict[str, Any]:
    response = await client.post(f"{API}/{kind}", json=body)
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"{API}/{kind}/{response.json()['id']}"
    assert response.headers["etag"] == '"v1"'
    made: dict[str, Any] = response.json()
    return made


async def publish(client: httpx.AsyncClient, kind: str, document: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(f"{API}/{kind}/{document['id']}/publish", headers=ANY)
    assert response.status_code == 200, response.text
    published: dict[str, Any] = response.json()
    return published


async def test_readers_see_only_what_is_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    post = await make(admin, "posts", title="First", body="<p>one</p><script>bad()</script>")
    read = f"{CONTENT}/posts/{post['id']}"
    assert (await client.get(read)).status_code == 404
    await publish(admin, "posts", post)
    assert (await client.get(read)).json()["body"] == "<p>one</p>"

    changed = await admin.patch(
        f"{API}/posts/{post['id']}", json={"title": "Second"}, headers={"If-Match": '"v2"'}
    )
    assert changed.json()["has_unpublished_changes"] is True
    assert (await client.get(read)).json()["title"] == "First"
    again = await publish(admin, "posts", post)
    assert again["has_unpublished_changes"] is False
    assert again["first_published_at"] == again["published_at"]
    assert (await client.get(read)).json()["title"] == "Second"

    assert (await admin.post(f"{API}/posts/{post['id']}/unpublish", headers=ANY)).json()["status"] == "draft"
    assert (await client.get(read)).status_code == 404
    twice = await admin.post(f"{API}/posts/{post['id']}/unpublish", headers=ANY)
    assert (twice.status_code, twice.json()["code"]) == (409, "not_published")


async def test_trash_and_back(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="Gone")
    await publish(admin, "posts", post)
    url = f"{API}/posts/{post['id']}"
    assert (await admin.delete(url, headers=ANY)).status_code == 204
    assert (await client.get(f"{CONTENT}/posts/{post['id']}")).status_code == 404
    assert (await admin.get(f"{API}/posts")).json()["items"] == []
    trashed = (await admin.get(f"{API}/posts?filter[trashed]=true")).json()["items"]
    assert [item["id"] for item in trashed] == [post["id"]]
    assert (await admin.patch(url, json={"title": "x"}, headers=ANY)).json()["code"] == "trashed"
    taken = await make(admin, "posts", title="Gone")
    assert taken["slug"] == "gone"
    back = (await admin.post(f"{url}/restore", headers=ANY)).json()
    assert (back["slug"], back["status"]) == ("gone-2", "draft")


async def test_two_writers_one_wins(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="Contested")
    url = f"{API}/posts/{post['id']}"
    answers = await asyncio.gather(
        *(admin.patch(url, json={"title": f"by {n}"}, headers={"If-Match": '"v1"'}) for n in range(4))
    )
    assert sorted(a.status_code for a in answers) == [200, 412, 412, 412]
    won = next(a for a in answers if a.status_code == 200).json()
    lost = next(a for a in answers if a.status_code == 412).json()
    assert (lost["current_version"], lost["changed_fields"]) == (2, ["title"])
    assert (await admin.get(url)).json()["title"] == won["title"]
    missing = await admin.patch(url, json={"title": "x"})
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    assert (await admin.patch(url, json={"title": "x"}, headers={"If-Match": 'W/"v2"'})).status_code == 412
    await publish(admin, "posts", post)
    same = await admin.get(url, headers={"If-None-Match": '"v3"'})
    assert (same.status_code, same.content) == (304, b"")


async def test_slugs(admin: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(make(admin, "posts", title="Übung macht den Meister") for _ in range(6)))
    assert sorted(post["slug"] for post in made) == [
        "übung-macht-den-meister",
        *(f"übung-macht-den-meister-{n}" for n in range(2, 7)),
    ]
    taken = await admin.post(f"{API}/posts", json={"title": "x", "slug": "übung-macht-den-meister"})
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")
    renamed = await admin.patch(f"{API}/posts/{made[0]['id']}", json={"title": "Other"}, headers=ANY)
    assert renamed.json()["slug"] == made[0]["slug"]
    wrong = await admin.post(f"{API}/posts", json={"title": "x", "slug": "a b", "tags": [made[0]["id"]]})
    assert [e["pointer"] for e in wrong.json()["errors"]] == ["/slug", "/tags/0"]


async def test_a_tree_of_pages(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    top = await make(admin, "pages", title="Über uns")
    middle = await make(admin, "pages", title="Team", parent=top["id"])
    leaf = await make(admin, "pages", title="Ada", parent=middle["id"])
    for page in (top, middle, leaf):
        await publish(admin, "pages", page)
    by_path = f"{CONTENT}/pages/by-path"
    assert (await client.get(f"{by_path}/über-uns/team/ada")).json()["id"] == leaf["id"]

    await admin.patch(f"{API}/pages/{top['id']}", json={"slug": "about"}, headers=ANY)
    assert (await client.get(f"{by_path}/über-uns/team/ada")).status_code == 200
    drafts = (await admin.get(f"{API}/pages?filter[path]=about/team/ada")).json()["items"]
    assert [page["id"] for page in drafts] == [leaf["id"]]
    await publish(admin, "pages", top)
    assert (await client.get(f"{by_path}/about/team/ada?include=parent")).json()["parent"][
        "path"
    ] == "about/team"
    assert (await client.get(f"{by_path}/über-uns/team/ada")).status_code == 404

    cycle = await admin.patch(f"{API}/pages/{top['id']}", json={"parent": leaf["id"]}, headers=ANY)
    assert [e["code"] for e in cycle.json()["errors"]] == ["cycle"]
    assert (await admin.delete(f"{API}/pages/{top['id']}", headers=ANY)).json()["code"] == "has_children"


async def test_live_copies_never_hang_below_one_another(admin: httpx.AsyncClient) -> None:
    below = await make(admin, "pages", title="B")
    above = await make(admin, "pages", title="A", parent=below["id"])
    await publish(admin, "pages", above)
    # The drafts change places, while the live copy of A still hangs below B.
    for page, parent in ((above, None), (below, above["id"])):
        moved = await admin.patch(f"{API}/pages/{page['id']}", json={"parent": parent}, headers=ANY)
        assert moved.status_code == 200
    refused = await admin.post(f"{API}/pages/{below['id']}/publish", headers=ANY)
    assert [e["code"] for e in refused.json()["errors"]] == ["cycle"]
    await publish(admin, "pages", above)
    await publish(admin, "pages", below)


async def test_every_field_that_may_be_asked_for_is_there(client: httpx.AsyncClient) -> None:
    for kind, listing in LISTINGS.items():
        asked = ",".join(listing.relations)
        for include in listing.relations:
            for field in ("id", "name", "slug", "title", "parent", "avatar", "path", "url", "updated_at"):
                query = f"include={asked}&fields={include}.{field}"
                assert (await client.get(f"{CONTENT}/{kind}?{query}")).status_code in (200, 400), query


async def test_relations_come_back_in_order(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    tags = [await make(admin, "tags", name=name) for name in ("Zebra", "Ant", "Möwe")]
    parent = await make(admin, "categories", name="News")
    category = await make(admin, "categories", name="Local", parent_id=parent["id"])
    author = await make(admin, "authors", name="Grace Hopper")
    ids = [tag["id"] for tag in tags]
    post = await make(
        admin, "posts", title="T", tags=ids, categories=[category["id"]], authors=[author["id"]]
    )
    await publish(admin, "posts", post)
    other = await make(admin, "posts", title="Other")
    await publish(admin, "posts", other)

    read = (await client.get(f"{CONTENT}/posts/{post['id']}?include=tags,categories,author")).json()
    assert [tag["name"] for tag in read["tags"]] == ["Zebra", "Ant", "Möwe"]
    assert read["author"]["name"] == "Grace Hopper"
    assert read["authors"] == [author["id"]]
    for query in (
        "filter[tags.slug]=ant",
        "filter[tags.slug][in]=ant,none",
        f"filter[tags]={ids[0]}",
        "filter[categories.slug]=local",
        "filter[author.slug]=grace-hopper",
        f"filter[author]={author['id']}",
    ):
        found = (await client.get(f"{CONTENT}/posts?fields=id&{query}")).json()["items"]
        assert found == [{"id": post["id"]}], query
    without = (await client.get(f"{CONTENT}/posts?fields=id&filter[tags.slug][nin]=ant")).json()["items"]
    assert without == [{"id": other["id"]}]

    in_use = await admin.delete(f"{API}/tags/{ids[0]}", headers=ANY)
    assert (in_use.status_code, in_use.json()["code"], in_use.json()["documents"]) == (409, "in_use", 1)
    assert (await admin.delete(f"{API}/categories/{parent['id']}", headers=ANY)).json()[
        "code"
    ] == "has_children"
    loop = await admin.patch(
        f"{API}/categories/{parent['id']}", json={"parent_id": category["id"]}, headers=ANY
    )
    assert [e["code"] for e in loop.json()["errors"]] == ["cycle"]
    renamed = await admin.patch(f"{API}/tags/{ids[0]}", json={"name": "Quagga"}, headers={"If-Match": '"v1"'})
    assert renamed.headers["etag"] == '"v2"'
    read = (await client.get(f"{CONTENT}/posts/{post['id']}?include=tags")).json()
    assert read["tags"][0]["name"] == "Quagga"


async def test_who_may(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], client: httpx.AsyncClient
) -> None:
    author = await user_client("author")
    reader = await user_client("reader", email="cleo@example.org")
    editor = await user_client("editor", email="dora@example.org")
    own = await make(author, "posts", title="Mine")
    theirs = await make(admin, "posts", title="Theirs")
    byline = (await admin.get(f"{API}/authors/{own['author']}")).json()
    assert byline["name"] == "Bea"
    assert byline["user_id"] is not None

    assert (await author.post(f"{API}/posts/{own['id']}/publish", headers=ANY)).status_code == 200
    for who, status in ((author, 403), (reader, 403), (client, 401), (editor, 200)):
        patched = await who.patch(f"{API}/posts/{theirs['id']}", json={"title": "T"}, headers=ANY)
        assert patched.status_code == status
    assert (await reader.get(f"{API}/posts/{theirs['id']}")).status_code == 200
    assert (await client.get(f"{API}/posts/{theirs['id']}")).status_code == 401
    assert (await author.post(f"{API}/tags", json={"name": "x"})).status_code == 403
    assert (await editor.get(f"{API}/users")).status_code == 200
    assert (await author.get(f"{API}/users")).status_code == 403


async def test_a_byline_is_made_with_the_post_or_not_at_all(
    user_client: Callable[..., Any], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = await user_client("author")

    async def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(SqlAlchemyDocuments, "add", broken)
    assert (await author.post(f"{API}/posts", json={"title": "x"})).status_code == 500
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM cms.authors").fetchone() == (0,)
        events = connection.execute(
            "SELECT count(*) FROM activity.events WHERE name LIKE 'document%'"
        ).fetchone()
        assert events == (0,)


async def test_pages_of_a_list_repeat_and_skip_nothing(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    posts = [await make(admin, "posts", title=f"P {n % 3}") for n in range(11)]
    for post in posts:
        await publish(admin, "posts", post)
    for sort in ("", "&sort=title", "&sort=-title,published_at"):
        seen, url = [], f"{CONTENT}/posts?limit=3&fields=id&count=exact{sort}"
        while url:
            answer = await client.get(url)
            page = answer.json()
            assert page["count"] >= 11
            seen += [item["id"] for item in page["items"]]
            url = answer.links.get("next", {}).get("url", "")
            if len(seen) == 6:  # somebody writes meanwhile, at the front of the list
                await publish(admin, "posts", await make(admin, "posts", title="P 0"))
        assert len(seen) == len(set(seen))
        assert {post["id"] for post in posts} <= set(seen)
    first = (await client.get(f"{CONTENT}/posts?limit=4&fields=id")).json()
    second = (await client.get(f"{CONTENT}/posts?limit=4&fields=id&after={first['page']['next']}")).json()
    back = (await client.get(f"{CONTENT}/posts?limit=4&fields=id&before={second['page']['prev']}")).json()
    assert back["items"] == first["items"]
    for query in (f"sort=title&after={first['page']['next']}", f"after={first['page']['next'][:-2]}"):
        assert (await client.get(f"{CONTENT}/posts?{query}")).status_code == 400
    other_list = await client.get(f"{CONTENT}/pages?after={first['page']['next']}")
    assert other_list.status_code == 400


async def test_delivery_headers_and_budget(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, asked: list[str]
) -> None:
    post = await publish(admin, "posts", await make(admin, "posts", title="T", body="b"))
    asked.clear()
    url = f"{CONTENT}/posts/by-slug/t"
    await in_a_later_second()
    read = await client.get(url)
    assert len(asked) == 1
    listed = await client.get(f"{CONTENT}/posts?include=author,authors,categories,tags,cover")
    assert len(asked) == 2
    assert listed.json()["items"][0]["author"]["name"] == "Ada"
    body = read.json()
    for name in ("published_at", "first_published_at", "created_at", "updated_at"):
        assert body[name] == post[name]
    assert read.headers["cache-control"].startswith("public, max-age=")
    named = read.headers["cache-tag"].split(",")
    assert {post["id"], post["id"][-8:]} <= set(named)
    assert read.headers["last-modified"].endswith("GMT")
    assert "x-request-id" in read.headers
    assert (await client.get(url, headers={"If-None-Match": read.headers["etag"]})).status_code == 304
    head = await client.head(url)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", read.headers["etag"])
    private = {"has_unpublished_changes", "trashed_at", "draft", "created_by", "updated_by"}
    assert not private & set(body)


def png(width: int = 3, height: int = 2) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def test_media(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    app: Litestar,
) -> None:
    del app

    def stored() -> list[Path]:
        return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]

    named = {"file": ("../../Über Bild.html", png(), "text/html")}
    made = await admin.post(f"{API}/media", files=named, data={"alt": "Grey"})
    assert made.status_code == 201, made.text
    asset = made.json()
    assert (asset["media_type"], asset["width"], asset["height"], asset["alt"]) == ("image/png", 3, 2, "Grey")
    served = await client.get(asset["url"])
    assert served.content == png()
    assert served.headers["content-type"] == "image/png"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert len(stored()) == 1

    for content, status in (
        (b"<html><script>x</script></html>", 415),
        (b"<svg xmlns='x'/>", 415),
        (b"", 400),
        (png()[:40], 415),
        (b"%PDF" + b"x" * 70_000_000, 413),
    ):
        refused = await admin.post(f"{API}/media", files={"file": ("a.png", content, "image/png")})
        assert refused.status_code == status, refused.text
    assert (await admin.post(f"{API}/media", data={"x": "y"})).status_code == 415
    assert (await client.post(f"{API}/media", files=named)).status_code == 401

    async def broken(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(SqlAlchemyMedia, "add", broken)
        assert (await admin.post(f"{API}/media", files=named)).status_code == 500
    assert len(stored()) == 1

    post = await make(admin, "posts", title="With cover", cover=asset["id"])
    await publish(admin, "posts", post)
    cover = (await client.get(f"{CONTENT}/posts/{post['id']}?include=cover")).json()["cover"]
    assert cover["url"] == asset["url"]
    url = f"{API}/media/{asset['id']}"
    assert (await admin.delete(url, headers=ANY)).json()["code"] == "in_use"
    await admin.patch(f"{API}/posts/{post['id']}", json={"cover": None}, headers=ANY)
    await publish(admin, "posts", post)
    assert (await admin.delete(url, headers=ANY)).status_code == 204
    assert stored() == []
    assert (await client.get(asset["url"])).status_code == 404


async def test_every_change_has_its_event(admin: httpx.AsyncClient, database_url: str) -> None:
    post = await make(admin, "posts", title="E")
    await publish(admin, "posts", post)
    await admin.patch(f"{API}/posts/{post['id']}", json={"title": "F"}, headers=ANY)
    await admin.patch(f"{API}/posts/{post['id']}", json={"title": "F"}, headers=ANY)  # changes nothing
    await admin.post(f"{API}/posts/{post['id']}/unpublish", headers=ANY)
    await admin.delete(f"{API}/posts/{post['id']}", headers=ANY)
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT name, (payload->>'version')::int FROM activity.events WHERE subject = %s ORDER BY position",
            [post["id"]],
        ).fetchall()
    kinds = ["created", "published", "updated", "unpublished", "trashed"]
    assert found == [(f"document.{kind}", version) for version, kind in enumerate(kinds, 1)]

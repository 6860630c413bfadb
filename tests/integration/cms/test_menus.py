"""Menus over HTTP: managed as trees, shown with what is live."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import psycopg
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
    tagged,
    tags,
)

from cms_api.adapters.http.cms.public_menus import DeliveredMenu
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.menus.ports import MenuQueries

HOSTILE = [
    "javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)", "data:text/html,x",
    "vbscript:x", "file:///etc/passwd", "blob:x", "//evil.example", "/\\evil.example", "\\\\evil.example", "http:",
    "http://", "https:///x", "http://user:pw@example.org", "http://[::1", "http://x:99999", "https://exa mple.org",
    "mailto:", "mailto:x", "tel:", "tel:javascript", "about", "", 'https://x/"onclick=1', "https://x/<script>",
    "http\n://x", "/a b", "/\x00", "# top", "#<b>",
]  # fmt: skip
HARMLESS = [
    "/", "/about", "/search?q=a&b=%20#top", "http://example.org", "HTTPS://example.org:8443/x?y=z#w",
    "https://bücher.example/ä", "mailto:ada@example.org?subject=Hi", "tel:+49-30-123456", "http://[::1]:80/",
    "#", "#top",
]  # fmt: skip


def link(label: str = "Link", url: str = "/x", **more: Any) -> dict[str, Any]:
    return {"label": label, "target": {"kind": "url", "url": url}, **more}


def to(kind: str, one: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"target": {"kind": kind, "id": one["id"]}, **more}


async def menu_of(client: httpx.AsyncClient, *of: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await make(client, "menus", **({"key": "main", "name": "Main"} | more), items=list(of))


async def shown(client: httpx.AsyncClient, key: str = "main") -> list[dict[str, Any]]:
    response = await client.get(f"{CONTENT}/menus/{key}")
    msgspec.json.decode(response.content, type=DeliveredMenu)
    found: list[dict[str, Any]] = answered(response, 200)["items"]
    return found


def labels(of: list[dict[str, Any]]) -> list[Any]:
    return [[one["label"], *labels(one["children"])] if one["children"] else one["label"] for one in of]


def events(url: str) -> list[str]:
    found = rows(url, "SELECT name FROM activity.events WHERE name LIKE 'menu%%' ORDER BY position")
    return [name for (name,) in found]


async def test_the_life_of_a_menu(admin: httpx.AsyncClient, database_url: str) -> None:
    made = await menu_of(admin, link("Home", "/", children=[link("Below", title="A hint")]))
    path = f"{API}/menus/{made['id']}"
    (home,) = made["items"]
    assert (made["locale"], made["version"], home["is_broken"]) == ("en", 1, False)
    assert home["target"] == {"kind": "url", "id": None, "url": "/"}
    assert home["children"][0]["title"] == "A hint"
    response = await admin.get(path)
    assert answered(response, 200) == made
    assert response.headers["etag"] == '"v1"'
    assert (await admin.get(path, headers={"If-None-Match": '"v1"'})).status_code == 304

    # What was read can be sent back, and changes nothing.
    same = answered(await admin.patch(path, json={"items": made["items"]}, headers=at(1)), 200)
    assert same == made
    turned = [home["children"][0] | {"children": [home | {"children": []}]}, link("New")]
    changed = answered(await admin.patch(path, json={"items": turned, "name": "M"}, headers=at(1)), 200)
    below, new = changed["items"]
    assert (changed["version"], changed["name"]) == (2, "M")
    assert (below["id"], below["children"][0]["id"]) == (home["children"][0]["id"], home["id"])
    assert new["id"] not in (below["id"], home["id"])
    assert answered(await admin.get(path), 200) == changed

    answered(await admin.delete(path, headers=at(1)), 412, "stale")
    answered(await admin.delete(path, headers=at(2)), 204)
    answered(await admin.get(path), 404, "resource_not_found")
    assert rows(database_url, "SELECT count(*) FROM cms.menu_items") == [(0,)]
    assert events(database_url) == ["menu.created", "menu.updated", "menu.deleted"]


async def test_a_key_is_there_once_in_a_language(admin: httpx.AsyncClient) -> None:
    made = await menu_of(admin)
    other = await menu_of(admin, locale="de")
    body = {"key": "main", "name": "x"}
    answered(await admin.post(f"{API}/menus", json=body), 409, "menu_key_taken")
    third = await menu_of(admin, key="footer")
    answered(
        await admin.patch(f"{API}/menus/{third['id']}", json={"key": "main"}, headers=ANY),
        409,
        "menu_key_taken",
    )
    for key in ("Main", "a b", "-a", "a-", "a--b", "ä", "a/b", "", "a" * 101, "main\n", "query"):
        problem = answered(await admin.post(f"{API}/menus", json=body | {"key": key}), 422, "invalid")
        assert [fault["pointer"] for fault in problem["errors"]] == ["/key"]
    found = await items(admin, f"{API}/menus?sort=-key,-created_at&filter[key]=main")
    assert [one["id"] for one in found] == [other["id"], made["id"]]
    assert [one["locale"] for one in await items(admin, f"{CONTENT}/menus?filter[key]=main")] == ["en", "de"]


async def test_item_by_item(admin: httpx.AsyncClient, database_url: str) -> None:
    menu = await menu_of(admin, link("A", children=[link("A1"), link("A2")]), link("B"))
    path = f"{API}/menus/{menu['id']}"
    a, b = menu["items"]

    async def tree() -> list[Any]:
        return labels(answered(await admin.get(path), 200)["items"])

    response = await admin.post(
        f"{path}/items", json=link("A0", parent_id=a["id"], position=0, children=[link("A00")]), headers=at(1)
    )
    added = answered(response, 201)
    assert response.headers["location"] == f"{path}/items/{added['id']}"
    assert (added["version"], added["position"], added["parent_id"]) == (2, 0, a["id"])
    assert answered(await admin.get(response.headers["location"]), 200) == added
    answered(await admin.post(f"{path}/items", json=link("C"), headers=at(2)), 201)
    assert await tree() == [["A", ["A0", "A00"], "A1", "A2"], "B", "C"]

    one = f"{path}/items/{b['id']}"
    moved = answered(await admin.patch(one, json={"parent_id": a["id"]}, headers=at(3)), 200)
    assert (moved["parent_id"], moved["position"], moved["version"]) == (a["id"], 3, 4)
    answered(await admin.patch(one, json={"position": 1, "label": "B!"}, headers=at(4)), 200)
    assert await tree() == [["A", ["A0", "A00"], "B!", "A1", "A2"], "C"]
    answered(await admin.patch(one, json={"parent_id": None, "position": 0}, headers=at(5)), 200)
    assert await tree() == ["B!", ["A", ["A0", "A00"], "A1", "A2"], "C"]
    same = answered(await admin.patch(one, json={"position": 0, "label": "B!"}, headers=at(6)), 200)
    assert same["version"] == 6

    a_path = f"{path}/items/{a['id']}"
    for body, fault in (
        ({"parent_id": added["id"]}, ("/parent_id", "cycle")),
        ({"parent_id": a["id"]}, ("/parent_id", "cycle")),
        ({"parent_id": str(uuid4())}, ("/parent_id", "unknown_reference")),
        ({"position": 3}, ("/position", "range")),
        ({"label": None}, ("/label", "required")),
        ({"target": {"kind": "document", "id": str(uuid4())}}, ("/target/id", "unknown_reference")),
        ({"target": {"kind": "document"}}, ("/target/id", "required")),
        ({"target": {"kind": "url", "url": "javascript:x"}}, ("/target/url", "url")),
    ):
        assert faults(answered(await admin.patch(a_path, json=body, headers=at(6)), 422)) == [fault]
    answered(await admin.delete(a_path, headers=at(6)), 204)
    assert await tree() == ["B!", "C"]
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        answered(await admin.request(method, a_path, json=body, headers=ANY), 404, "menu_item_not_found")
    assert events(database_url) == [
        "menu.created", "menu_item.added", "menu_item.added", "menu_item.updated", "menu_item.updated",
        "menu_item.updated", "menu_item.removed",
    ]  # fmt: skip


async def test_every_change_names_its_version(admin: httpx.AsyncClient) -> None:
    menu = await menu_of(admin, link())
    path = f"{API}/menus/{menu['id']}"
    item = f"{path}/items/{menu['items'][0]['id']}"
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"name": "y"}), ("DELETE", path, None), ("POST", f"{path}/items", link()),
        ("PATCH", item, {"label": "y"}), ("DELETE", item, None),
    ]  # fmt: skip
    for method, url, body in changes:
        answered(await admin.request(method, url, json=body), 428, "precondition_required")
        problem = answered(await admin.request(method, url, json=body, headers=at(7)), 412, "stale")
        assert problem["current_version"] == 1
    assert answered(await admin.get(path), 200) == menu


async def test_of_two_who_change_the_same_version_one_is_told(admin: httpx.AsyncClient) -> None:
    menu = await menu_of(admin)
    path = f"{API}/menus/{menu['id']}"
    answers = await asyncio.gather(
        *(admin.patch(path, json={"items": [link(f"L{n}")]}, headers=at(1)) for n in range(4)),
        *(admin.post(f"{path}/items", json=link(f"M{n}"), headers=at(1)) for n in range(4)),
    )
    assert sorted(answer.status_code for answer in answers)[1:] == [412] * 7
    now = answered(await admin.get(path), 200)
    assert (now["version"], len(now["items"])) == (2, 1)


async def test_all_faults_are_named_where_they_are(admin: httpx.AsyncClient) -> None:
    menu, other = await menu_of(admin, link()), await menu_of(admin, link(), key="other")
    mine, foreign = menu["items"][0]["id"], other["items"][0]["id"]
    tag, gone = await make(admin, "tags", name="T"), str(uuid4())
    bad = [
        link(id=foreign),
        link(id=mine, children=[link(id=mine)]),
        {"target": {"kind": "url", "url": "/x"}},
        {"target": {"kind": "document", "id": gone}},
        {"target": {"kind": "category", "id": tag["id"]}, "children": [link(url="data:x")]},
        {"target": {"kind": "document", "id": tag["id"], "url": "/x"}},
        {"target": {"kind": "tag"}},
        link("  "),
    ]
    path = f"{API}/menus/{menu['id']}"
    problem = answered(
        await admin.patch(path, json={"items": bad, "key": "A"}, headers=at(1)), 422, "invalid"
    )
    assert sorted(faults(problem)) == sorted(
        [
            ("/key", "key"),
            ("/items/0/id", "unknown_reference"),
            ("/items/1/children/0/id", "duplicate"),
            ("/items/2/label", "required"),
            ("/items/3/target/id", "unknown_reference"),
            ("/items/4/target/id", "unknown_reference"),
            ("/items/4/children/0/target/url", "url"),
            ("/items/5/target/id", "unknown_reference"),
            ("/items/5/target/url", "not_allowed"),
            ("/items/6/target/id", "required"),
            ("/items/7/label", "length"),
        ]
    )
    wrong = {
        "items": [{"target": {"kind": "x"}, "labl": 1}, {"label": 1, "target": {"kind": "tag", "id": "x"}}]
    }
    problem = answered(await admin.patch(path, json=wrong, headers=at(1)), 422, "invalid")
    assert {pointer for pointer, _ in faults(problem)} == {
        "/items/0/target/kind", "/items/0/labl", "/items/1/label", "/items/1/target/id",
    }  # fmt: skip
    assert answered(await admin.get(path), 200) == menu


async def test_addresses(admin: httpx.AsyncClient) -> None:
    for url in HOSTILE:
        problem = answered(
            await admin.post(f"{API}/menus", json={"key": "x", "name": "x", "items": [link(url=url)]}),
            422,
            "invalid",
        )
        assert [fault["pointer"] for fault in problem["errors"]] == ["/items/0/target/url"], url
    menu = await menu_of(admin, *[link(url=url) for url in HARMLESS])
    assert [one["target"]["url"] for one in menu["items"]] == HARMLESS
    assert [one["url"] for one in await shown(admin)] == HARMLESS


def nested(depth: int) -> dict[str, Any]:
    item = link(f"D{depth}")
    for level in range(depth - 1, 0, -1):
        item = link(f"D{level}", children=[item])
    return item


async def test_bounds(admin: httpx.AsyncClient) -> None:
    menu = await menu_of(admin, nested(6), *[link(f"L{n}") for n in range(494)])
    path = f"{API}/menus/{menu['id']}"
    below = "/items/0" + "/children/0" * 5
    problem = answered(await admin.patch(path, json={"items": [nested(9)]}, headers=ANY), 422)
    assert faults(problem) == [(below + "/children/0", "too_deep")]
    problem = answered(await admin.patch(path, json={"items": [nested(200)]}, headers=ANY), 422)
    assert faults(problem) == [(below + "/children/0", "too_deep")]
    many = [link(children=[link() for _ in range(250)]) for _ in range(2)]
    problem = answered(await admin.patch(path, json={"items": many}, headers=ANY), 422)
    assert faults(problem) == [("/items", "too_many")]
    problem = answered(await admin.post(f"{path}/items", json=link(), headers=ANY), 422)
    assert faults(problem) == [("", "too_many")]
    answered(await admin.delete(f"{path}/items/{menu['items'][1]['id']}", headers=ANY), 204)
    deep = menu["items"][0]
    while deep["children"]:
        deep = deep["children"][0]
    problem = answered(await admin.post(f"{path}/items", json=link(parent_id=deep["id"]), headers=ANY), 422)
    assert faults(problem) == [("", "too_deep")]
    moved = {"parent_id": menu["items"][2]["id"]}
    problem = answered(
        await admin.patch(f"{path}/items/{menu['items'][0]['id']}", json=moved, headers=ANY), 422
    )
    assert faults(problem) == [("/parent_id", "too_deep")]
    body = b'{"items":' + b'[{"label":"x","target":{"kind":"url","url":"/"},"children":' * 10_000
    answered(await admin.patch(path, content=body, headers=ANY), 400, "malformed")


async def test_titles_and_addresses_are_those_of_now(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    about = await published(admin, "pages", title="About")
    team = await published(admin, "pages", title="Team", parent=about["id"])
    post = await published(admin, "posts", title="Hello")
    draft = await make(admin, "pages", title="Draft")
    news, tag = await make(admin, "categories", name="News"), await make(admin, "tags", name="Ant")
    menu = await menu_of(
        admin,
        to("document", about, children=[to("document", team), link("Away", "https://example.org")]),
        to("document", draft, children=[link("Unseen")]),
        to("document", post, label="Our first", title="Really", opens_in_new_tab=True),
        to("category", news, children=[to("tag", tag)]),
    )
    path = f"{CONTENT}/menus/main"
    response = await client.get(path)
    body = answered(response, 200)
    assert {name: body[name] for name in ("id", "key", "name", "locale")} == {
        "id": menu["id"], "key": "main", "name": "Main", "locale": "en",
    }  # fmt: skip
    assert labels(body["items"]) == [["About", "Team", "Away"], "Our first", ["News", "Ant"]]
    first, second, third = body["items"]
    assert first["children"][0]["url"] == "/about/team"
    assert second == {
        "id": menu["items"][2]["id"], "label": "Our first", "title": "Really", "url": "/hello",
        "opens_in_new_tab": True,
        "target": {
            "kind": "document", "id": post["id"], "type": "post", "title": "Hello", "slug": "hello", "path": "hello",
        },
        "children": [],
    }  # fmt: skip
    assert third["target"] == {
        "kind": "category", "id": news["id"], "type": "category", "title": "News", "slug": "news", "path": None,
    }  # fmt: skip
    used = [menu["id"], *(one["id"] for one in (about, team, post, draft, news, tag))]
    assert tagged(response) == tags(*used, "menus", "documents", "categories", "tags")
    etag = {"If-None-Match": response.headers["etag"]}
    assert (await client.get(path, headers=etag)).status_code == 304

    await change(admin, "pages", about, title="About us", slug="about-us")
    assert (await client.get(path, headers=etag)).status_code == 304  # a draft is no news
    await do(admin, "pages", about, "publish")
    first = (await shown(client))[0]
    assert (first["label"], first["url"], first["children"][0]["url"]) == (
        "About us",
        "/about-us",
        "/about-us/team",
    )
    await do(admin, "pages", draft, "publish")
    assert labels(await shown(client))[1] == ["Draft", "Unseen"]
    await do(admin, "pages", team, "unpublish")
    assert labels(await shown(client))[0] == ["About us", "Away"]
    assert answered(await admin.get(f"{API}/menus/{menu['id']}"), 200)["version"] == 1
    answered(await client.get(f"{path}?locale=de"), 404, "nothing_published")
    answered(await client.get(f"{CONTENT}/menus/nothing"), 404, "nothing_published")
    answered(await client.get(f"{path}?lang=de"), 400, "malformed")


async def test_what_is_deleted_for_good_leaves_its_item_behind(admin: httpx.AsyncClient) -> None:
    page, tag = await published(admin, "pages", title="Gone"), await make(admin, "tags", name="Ant")
    menu = await menu_of(
        admin, to("document", page, label="Gone", children=[link("Kept", "/k")]), to("tag", tag), link("End")
    )
    path = f"{API}/menus/{menu['id']}"
    await remove(admin, "pages", page)
    assert labels(await shown(admin)) == ["Ant", "End"]
    assert answered(await admin.get(path), 200) == menu  # it may come back
    answered(await admin.post(f"{API}/pages/{page['id']}/purge", headers=ANY), 204)
    await remove(admin, "tags", tag)
    response = await admin.get(path, headers={"If-None-Match": '"v1"'})
    broken = answered(response, 200)
    assert [one["is_broken"] for one in broken["items"]] == [True, True, False]
    assert broken["items"][0]["target"] == {"kind": "document", "id": None, "url": None}
    assert broken["items"][0]["children"] == menu["items"][0]["children"]
    assert labels(await shown(admin)) == ["End"]
    (found,) = await items(admin, f"{API}/menus")
    assert (found["item_count"], found["broken_count"]) == (4, 2)

    # It goes on being broken through other changes, but no other item becomes so.
    sent = answered(
        await admin.patch(path, json={"items": [*broken["items"][:1], link("Else")]}, headers=at(1)), 200
    )
    assert labels(sent["items"]) == [["Gone", "Kept"], "Else"]
    one = f"{path}/items/{broken['items'][0]['id']}"
    answered(await admin.patch(one, json={"label": "Lost"}, headers=at(2)), 200)
    problem = answered(
        await admin.patch(
            path, json={"items": [broken["items"][0] | {"target": {"kind": "tag"}}]}, headers=ANY
        ),
        422,
    )
    assert faults(problem) == [("/items/0/target/id", "required")]
    mended = answered(
        await admin.patch(one, json={"target": {"kind": "url", "url": "/"}}, headers=at(3)), 200
    )
    assert mended["is_broken"] is False
    assert labels(await shown(admin)) == [["Lost", "Kept"], "Else"]


async def test_a_menu_is_changed_while_what_it_points_at_is_purged(
    admin: httpx.AsyncClient, database_url: str
) -> None:
    menu = await menu_of(admin)
    path = f"{API}/menus/{menu['id']}"
    for whole in (True, False):
        page = await make(admin, "pages", title="Gone")
        body = {"items": [to("document", page, label="Page"), link("Other")]}
        first, _ = answered(await admin.patch(path, json=body, headers=ANY), 200)["items"]
        await remove(admin, "pages", page)
        item = f"{path}/items/{first['id']}"
        # The purge as far as its lock: it has decided, and goes on once the change waits for it.
        async with await psycopg.AsyncConnection.connect(database_url) as purge:
            document = (UUID(page["id"]),)
            await purge.execute("SELECT id FROM cms.documents WHERE id = %s FOR UPDATE", document)
            changing = asyncio.create_task(
                admin.patch(path, json=body, headers=ANY)
                if whole
                else admin.patch(item, json={"label": "Page!"}, headers=ANY)
            )
            await waiting(database_url)
            await purge.execute("DELETE FROM cms.documents WHERE id = %s", document)
        changed = await changing
        if whole:
            problem = answered(changed, 422, "invalid")
            assert faults(problem) == [("/items/0/target/id", "unknown_reference")]
        else:
            answered(changed, 200)
        after = answered(await admin.get(path), 200)["items"]
        assert [one["is_broken"] for one in after] == [True, False]


async def waiting(database_url: str) -> None:
    """Come back once somebody waits for a lock."""
    for _ in range(500):
        if rows(database_url, "SELECT count(*) FROM pg_locks WHERE NOT granted") != [(0,)]:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def test_which_menus_point_at_a_document(admin: httpx.AsyncClient, application: Application) -> None:
    page, post = await make(admin, "pages", title="P"), await make(admin, "posts", title="Q")
    tag = await make(admin, "tags", name="T")
    one = await menu_of(admin, to("document", page, children=[to("document", page)]), to("tag", tag))
    two = await menu_of(admin, to("document", post), to("document", page), key="two")

    async def found(query: str) -> list[str]:
        return [menu["id"] for menu in await items(admin, f"{API}/menus?{query}")]

    assert await found(f"filter[document]={page['id']}") == [one["id"], two["id"]]
    assert await found(f"filter[document]={post['id']}") == [two["id"]]
    assert await found(f"filter[document][ne]={post['id']}") == [one["id"]]
    assert await found(f"filter[document]={tag['id']}") == []
    assert await found(f"filter[tag]={tag['id']}") == [one["id"]]
    assert await found("filter[category][exists]=true") == []
    queries: MenuQueries = application.container.cms.menus()._queries
    uses = await queries.pointing_at([UUID(page["id"]), UUID(post["id"]), uuid4()])
    assert [(str(use.document_id), use.key, len(use.item_ids)) for use in uses] == [
        (page["id"], "main", 2), (page["id"], "two", 1), (post["id"], "two", 1),
    ]  # fmt: skip


async def test_costs_do_not_grow(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    pages = [await published(admin, "pages", title=f"P{n}") for n in range(3)]
    tag = await make(admin, "tags", name="T")

    async def costs(number: int) -> tuple[int, int, int, int]:
        """Of making a menu with so many items, reading, showing and changing it."""
        of = [
            to("document", pages[n % 3], children=[to("tag", tag, children=[nested(4)])])
            if n % 6 == 0
            else link()
            for n in range(number // 2)
        ]
        key = f"m{number}"
        async with counting() as making:
            menu = await menu_of(admin, *of, key=key)
        path = f"{API}/menus/{menu['id']}"
        async with counting() as reading:
            answered(await admin.get(path), 200)
        async with counting() as showing:
            assert len(await shown(client, key)) == len(of)
        body = {"items": [link("First"), *reversed(menu["items"])]}
        async with counting() as changing:
            answered(await admin.patch(path, json=body, headers=ANY), 200)
        return len(making), len(reading), len(showing), len(changing)

    few = await costs(3)
    assert few == await costs(300)
    assert few[2] == 1
    assert few[1] == 2  # who asks, and the menu


async def test_who_may(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    menu = await menu_of(admin, link())
    path = f"{API}/menus/{menu['id']}"
    item = f"{path}/items/{menu['items'][0]['id']}"
    reader, editor = await user_client("reader"), await user_client("editor", email="eve@example.org")
    requests: list[tuple[str, str, Any]] = [
        ("POST", f"{API}/menus", {"key": "x", "name": "x"}), ("PATCH", path, {"name": "x"}),
        ("POST", f"{path}/items", link()), ("PATCH", item, {"label": "y"}), ("DELETE", item, None),
        ("DELETE", path, None),
    ]  # fmt: skip
    for url in (f"{API}/menus", path, item):
        answered(await client.get(url), 401, "unauthenticated")
        answered(await reader.get(url), 200)
    for method, url, body in requests:
        answered(await client.request(method, url, json=body, headers=ANY), 401, "unauthenticated")
        answered(await reader.request(method, url, json=body, headers=ANY), 403, "forbidden")
        assert (await editor.request(method, url, json=body, headers=ANY)).is_success


async def test_lists_of_menus_are_walked(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    for key in "bdac":
        await menu_of(admin, link(), key=key)
    for who, base in ((admin, API), (client, CONTENT)):
        keys, url = [], f"{base}/menus?limit=3&count=exact"
        while True:
            response = await who.get(url)
            body = answered(response, 200)
            keys += [one["key"] for one in body["items"]]
            assert body["count"] == 4
            if body["page"]["next"] is None:
                break
            url = f"{base}/menus?limit=3&count=exact&after={body['page']['next']}"
        assert keys == list("abcd")
        answered(await who.get(f"{base}/menus?filter[nothing]=x"), 400, "malformed")

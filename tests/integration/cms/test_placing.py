"""Placing pages in their tree over HTTP, and looking at it."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import event
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    at,
    change,
    do,
    faults,
    make,
    published,
    remove,
    rows,
    tagged,
    tags,
)

from cms_api.adapters.http.cms.page_tree import DeliveredTree
from cms_api.bootstrap.container import Application

ABSENT = "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"


async def put(client: httpx.AsyncClient, page: dict[str, Any], **place: Any) -> dict[str, Any]:
    """Place a page, whatever its version."""
    return answered(await client.post(f"{API}/pages/{page['id']}/place", json=place, headers=ANY), 200)


async def drafts(client: httpx.AsyncClient, query: str = "") -> list[str]:
    """The paths of the tree of drafts, in its order."""
    found = answered(await client.get(f"{API}/pages/tree{query}"), 200)
    assert not found["is_cut"]
    return [leaf["path"] for leaf in found["items"]]


async def live(client: httpx.AsyncClient, query: str = "") -> list[str]:
    """The paths of the live tree, in its order."""
    found = answered(await client.get(f"{CONTENT}/pages/tree{query}"), 200)
    msgspec.convert(found, DeliveredTree)
    return [leaf["path"] for leaf in found["items"]]


@pytest.fixture
async def pages(admin: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Live pages: a with b, c and d below it, e below b; f."""
    made: dict[str, dict[str, Any]] = {}
    for name, above in (("a", None), ("b", "a"), ("c", "a"), ("d", "a"), ("e", "b"), ("f", None)):
        parent = made[above]["id"] if above else None
        made[name] = await published(admin, "pages", title=name.upper(), parent=parent)
    return made


async def test_a_page_is_placed(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, pages: dict[str, dict[str, Any]]
) -> None:
    a, b, d, f = (pages[name] for name in "abdf")
    before = ["a", "a/b", "a/b/e", "a/c", "a/d", "f"]
    assert await drafts(admin) == await live(client) == before
    url = f"{API}/pages/{d['id']}/place"
    answered(await admin.post(url, json={"before": b["id"]}), 428, "precondition_required")
    answered(await admin.post(url, json={"before": b["id"]}, headers=at(1)), 412, "stale")
    response = await admin.post(url, json={"before": b["id"]}, headers=at(2))
    placed = answered(response, 200)
    assert (placed["version"], response.headers["etag"]) == (3, '"v3"')
    assert (placed["parent"], placed["has_unpublished_changes"]) == (a["id"], True)
    assert await drafts(admin) == ["a", "a/d", "a/b", "a/b/e", "a/c", "f"]
    assert await live(client) == before
    await do(admin, "pages", d, "publish")
    assert await live(client) == await drafts(admin)
    await put(admin, b, parent=f["id"])
    assert await drafts(admin) == ["a", "a/d", "a/c", "f", "f/b", "f/b/e"]
    assert await live(client) == ["a", "a/d", "a/b", "a/b/e", "a/c", "f"]
    await do(admin, "pages", b, "publish")
    assert await live(client) == await drafts(admin)
    found = answered(await client.get(f"{CONTENT}/resolve?path=/a/b/e"), 200)
    assert found["location"] == "/f/b/e"


async def test_readers_see_an_order_that_is_discarded_as_it_was(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, pages: dict[str, dict[str, Any]]
) -> None:
    before = await live(client)
    await put(admin, pages["c"], parent=None, before=pages["a"]["id"])
    assert (await drafts(admin))[0] == "c"
    await do(admin, "pages", pages["c"], "discard")
    assert await drafts(admin) == await live(client) == before


async def test_siblings_that_get_another_order_are_edited(
    admin: httpx.AsyncClient, pages: dict[str, dict[str, Any]]
) -> None:
    b, c, d = (pages[name] for name in "bcd")
    await put(admin, d, after=b["id"])
    assert await drafts(admin, f"?root={pages['a']['id']}&depth=1") == ["a/b", "a/d", "a/c"]
    versions = [answered(await admin.get(f"{API}/pages/{page['id']}"), 200)["version"] for page in (b, c, d)]
    assert versions in ([3, 2, 3], [2, 3, 3])
    edited = b if versions[0] == 3 else c
    revisions = answered(await admin.get(f"{API}/pages/{edited['id']}/revisions"), 200)["items"]
    assert revisions[0]["changed"] == ["menu_order"]


async def test_what_is_wrong_is_named(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, pages: dict[str, dict[str, Any]]
) -> None:
    a, b, e, f = (pages[name] for name in "abef")
    post = await make(admin, "posts", title="Post")

    async def refused(page: dict[str, Any], **place: Any) -> list[tuple[str, str]]:
        response = await admin.post(f"{API}/pages/{page['id']}/place", json=place, headers=ANY)
        return faults(answered(response, 422, "invalid"))

    assert await refused(a, parent=e["id"]) == [("/parent", "cycle")]
    assert await refused(a, parent=a["id"]) == [("/parent", "cycle")]
    assert await refused(f, before=b["id"]) == [("/before", "not_a_sibling")]
    assert await refused(f, after=ABSENT) == [("/after", "not_a_sibling")]
    assert await refused(f, after=f["id"]) == [("/after", "itself")]
    assert await refused(f, parent=post["id"]) == [("/parent", "unknown_reference")]
    assert await refused(b, parent=f["id"], before=a["id"], after=f["id"]) == [
        ("/before", "not_a_sibling"), ("/after", "not_a_sibling"), ("/after", "two_neighbours"),
    ]  # fmt: skip
    assert await refused(b, parent="x", before=1, beside=b["id"]) == [
        ("/beside", "unknown_field"), ("/parent", "value"), ("/before", "type"),
    ]  # fmt: skip
    await make(admin, "pages", title="B", parent=f["id"])
    body = {"parent": f["id"]}
    answered(await admin.post(f"{API}/pages/{b['id']}/place", json=body, headers=ANY), 409, "slug_taken")
    answered(await admin.post(f"{API}/pages/{ABSENT}/place", json={}, headers=ANY), 404)
    answered(await admin.post(f"{API}/pages/{post['id']}/place", json={}, headers=ANY), 404)
    answered(await client.post(f"{API}/pages/{b['id']}/place", json={}, headers=ANY), 401)


async def test_who_may(
    pages: dict[str, dict[str, Any]], user_client: Callable[..., Any], client: httpx.AsyncClient
) -> None:
    reader = await user_client("reader")
    assert len(await drafts(reader)) == 6
    response = await reader.post(f"{API}/pages/{pages['b']['id']}/place", json={}, headers=ANY)
    answered(response, 403, "forbidden")
    answered(await client.get(f"{API}/pages/tree"), 401)


async def test_parts_of_the_tree(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, pages: dict[str, dict[str, Any]]
) -> None:
    a, b, c = (pages[name] for name in "abc")
    for look, who in ((drafts, admin), (live, client)):
        assert await look(who, "?depth=1") == ["a", "f"]
        assert await look(who, f"?root={a['id']}&depth=2") == ["a/b", "a/b/e", "a/c", "a/d"]
        assert await look(who, f"?root={c['id']}") == []
        assert await look(who, "?locale=de") == []
    leaf = answered(await admin.get(f"{API}/pages/tree?depth=1"), 200)["items"][0]
    assert (leaf["children"], leaf["status"], leaf["depth"], leaf["parent"]) == (3, "published", 1, None)
    await do(admin, "pages", b, "unpublish")
    assert await live(client) == ["a", "a/c", "a/d", "f"]
    answered(await client.get(f"{CONTENT}/pages/tree?root={b['id']}"), 404, "nothing_published")
    for base, who in ((API, admin), (CONTENT, client)):
        answered(await who.get(f"{base}/pages/tree?root={ABSENT}"), 404)
        for query in ("depth=0", "depth=11", "depth=", "depth=+3", "root=x", "depth=1&depth=2", "roof=1"):
            answered(await who.get(f"{base}/pages/tree?{query}"), 400, "malformed")


async def test_trees_are_cached_and_tagged(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, pages: dict[str, dict[str, Any]]
) -> None:
    for base, who in ((API, admin), (CONTENT, client)):
        response = await who.get(f"{base}/pages/tree")
        again = {"If-None-Match": response.headers["etag"]}
        assert (await who.get(f"{base}/pages/tree", headers=again)).status_code == 304
    assert tagged(response) == tags("document:page", *(page["id"] for page in pages.values()))
    await change(admin, "pages", pages["f"], title="0")
    await do(admin, "pages", pages["f"], "publish")
    assert answered(await client.get(f"{CONTENT}/pages/tree", headers=again), 200)["items"][0]["title"] == "0"


async def test_those_in_the_trash_are_no_part_of_it(
    admin: httpx.AsyncClient, pages: dict[str, dict[str, Any]]
) -> None:
    await remove(admin, "pages", pages["d"])
    assert await drafts(admin) == ["a", "a/b", "a/b/e", "a/c", "f"]
    response = await admin.post(
        f"{API}/pages/{pages['c']['id']}/place", json={"after": pages["d"]["id"]}, headers=ANY
    )
    assert faults(answered(response, 422)) == [("/after", "not_a_sibling")]
    response = await admin.post(f"{API}/pages/{pages['d']['id']}/place", json={}, headers=ANY)
    answered(response, 409, "trashed")


async def test_many_who_place_at_once_lose_nothing(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], database_url: str
) -> None:
    bea = await user_client("editor")
    top = await make(admin, "pages", title="Top")
    pages = [await make(admin, "pages", title=f"P{number}", parent=top["id"]) for number in range(6)]
    for round_ in range(4):
        places = [
            (who, pages[(number + round_) % 6], pages[(number * 5 + 1) % 6])
            for number, who in enumerate([admin, bea] * 3)
            if (number + round_) % 6 != (number * 5 + 1) % 6
        ]
        answers = await asyncio.gather(
            *(
                who.post(f"{API}/pages/{page['id']}/place", json={side: other["id"]}, headers=ANY)
                for side, (who, page, other) in zip(["before", "after"] * 3, places, strict=False)
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        found = answered(await admin.get(f"{API}/pages/tree?root={top['id']}"), 200)["items"]
        assert {leaf["id"] for leaf in found} == {page["id"] for page in pages}
    # The column says what the content says.
    for page in pages:
        read = answered(await admin.get(f"{API}/pages/{page['id']}"), 200)
        stored = rows(database_url, "SELECT menu_order FROM cms.documents WHERE id = %s", [page["id"]])
        assert stored == [(read["menu_order"],)]


async def test_two_who_put_pages_below_each_other_tie_no_knot(admin: httpx.AsyncClient) -> None:
    for round_ in range(4):
        a, b = [await make(admin, "pages", title=f"{name}{round_}") for name in "AB"]
        answers = await asyncio.gather(
            admin.post(f"{API}/pages/{a['id']}/place", json={"parent": b["id"]}, headers=ANY),
            admin.post(f"{API}/pages/{b['id']}/place", json={"parent": a["id"]}, headers=ANY),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_placing_and_editing_siblings_at_once(admin: httpx.AsyncClient) -> None:
    """Siblings that are edited, trashed or placed meanwhile: no deadlock, and no save is lost."""
    pages = [await make(admin, "pages", title=f"P{number}") for number in range(6)]
    for round_ in range(3):
        answers = await asyncio.gather(
            admin.post(f"{API}/pages/{pages[5]['id']}/place", json={"after": pages[2]["id"]}, headers=ANY),
            admin.post(f"{API}/pages/{pages[0]['id']}/place", json={"after": pages[3]["id"]}, headers=ANY),
            *(
                admin.patch(f"{API}/pages/{page['id']}", json={"body": f"round {round_}"}, headers=ANY)
                for page in pages
            ),
        )
        assert {answer.status_code for answer in answers} == {200}
        for page in pages:
            read = answered(await admin.get(f"{API}/pages/{page['id']}"), 200)
            assert read["body"] == f"round {round_}"


async def test_the_number_of_statements_does_not_depend_on_how_many_there_are(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = application.container.core.engine().sync_engine
    reader = application.container.core.reader()
    real, seen = reader._executed, list[str]()

    async def executed(sql: str, params: Any, **options: Any) -> Any:
        seen.append(sql)
        return await real(sql, params, **options)

    def note(*given: Any) -> None:
        seen.append(given[2])

    monkeypatch.setattr(reader, "_executed", executed)
    event.listen(engine, "before_cursor_execute", note)
    taken = []
    top = await published(admin, "pages", title="Top")
    for number in (4, 30):
        for one in range(number):
            await published(admin, "pages", title=f"P{number} {one}", parent=top["id"], menu_order=10 * one)
        first, last = [
            await make(admin, "pages", title="x", parent=top["id"], menu_order=order - 100 * number)
            for order in (0, 50)
        ]
        seen.clear()
        await put(admin, last, before=first["id"])
        placing = len(seen)
        for who, base in ((admin, API), (client, CONTENT)):
            seen.clear()
            answered(await who.get(f"{base}/pages/tree?root={top['id']}"), 200)
            assert len([sql for sql in seen if "RECURSIVE" in sql]) == 1
            assert len([sql for sql in seen if "auth." not in sql]) == 1
        taken.append(placing)
    event.remove(engine, "before_cursor_execute", note)
    assert taken[0] == taken[1]

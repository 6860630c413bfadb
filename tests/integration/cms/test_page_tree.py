"""The tree of pages over HTTP: addresses that follow, and no way to tie a knot."""

import asyncio
from typing import Any

import httpx
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
    tagged,
    tags,
)
from tests.integration.cms.replica import Replica
from tests.integration.hearing import until

from cms_api.adapters.http.caching import ResponseCache


async def live_at(client: httpx.AsyncClient, path: str) -> str | None:
    """The id of the page that readers find at a path."""
    response = await client.get(f"{CONTENT}/pages/by-path/{path}")
    if response.status_code == 404:
        return None
    body = answered(response, 200)
    assert body["path"] == path
    found: str = body["id"]
    return found


async def draft_at(client: httpx.AsyncClient, path: str) -> str | None:
    """The id of the page whose draft is at a path."""
    found = await items(client, f"{API}/pages?filter[path]={path}")
    return found[0]["id"] if found else None


@pytest.fixture
async def tree(admin: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Three live pages below one another, ``a/b/c``."""
    a = await published(admin, "pages", title="A")
    b = await published(admin, "pages", title="B", parent=a["id"])
    c = await published(admin, "pages", title="C", parent=b["id"], menu_order=-2)
    return [a, b, c]


async def test_addresses_are_made_of_the_tree(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    for path, page in zip(("a", "a/b", "a/b/c"), tree, strict=True):
        assert await live_at(client, path) == page["id"]
        assert await draft_at(admin, path) == page["id"]
    assert await live_at(client, "b") is None
    read = answered(await client.get(f"{CONTENT}/pages/{tree[2]['id']}?include=parent"), 200)
    assert (read["parent"]["path"], read["menu_order"]) == ("a/b", -2)


async def test_drafts_follow_at_once_and_readers_when_it_is_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    a, b, c = tree
    await change(admin, "pages", a, slug="z")
    assert await draft_at(admin, "z/b/c") == c["id"]
    assert await draft_at(admin, "a/b/c") is None
    assert await live_at(client, "a/b/c") == c["id"]
    assert await live_at(client, "z/b/c") is None
    await do(admin, "pages", a, "publish")
    for path, page in (("z", a), ("z/b", b), ("z/b/c", c)):
        assert await live_at(client, path) == page["id"]
    for path in ("a", "a/b", "a/b/c"):
        assert await live_at(client, path) is None


async def test_a_branch_moves_with_all_that_hangs_on_it(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    _, b, c = tree
    await change(admin, "pages", b, parent=None)
    assert await draft_at(admin, "b/c") == c["id"]
    assert await live_at(client, "a/b/c") == c["id"]
    await do(admin, "pages", b, "publish")
    assert await live_at(client, "b/c") == c["id"]
    assert await live_at(client, "a/b/c") is None


async def test_the_draft_of_a_child_goes_below_the_live_parent(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    a, b, _ = tree
    await change(admin, "pages", a, slug="z")
    await do(admin, "pages", b, "publish")
    assert await live_at(client, "a/b") == b["id"]


async def test_a_page_below_a_draft_has_the_address_that_will_be(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    above = await make(admin, "pages", title="Above")
    below = await published(admin, "pages", title="Below", parent=above["id"])
    assert await live_at(client, "above/below") == below["id"]
    assert await live_at(client, "above") is None


async def test_no_page_hangs_below_itself(admin: httpx.AsyncClient, tree: list[dict[str, Any]]) -> None:
    a, b, c = tree
    for page, parent in ((a, a), (a, b), (a, c), (b, c)):
        response = await admin.patch(f"{API}/pages/{page['id']}", json={"parent": parent["id"]}, headers=ANY)
        assert faults(answered(response, 422, "invalid")) == [("/parent", "cycle")]


async def test_two_who_move_at_once_tie_no_knot(admin: httpx.AsyncClient, database_url: str) -> None:
    for round_ in range(5):
        a = await make(admin, "pages", title=f"A{round_}")
        b = await make(admin, "pages", title=f"B{round_}")
        answers = await asyncio.gather(
            admin.patch(f"{API}/pages/{a['id']}", json={"parent": b["id"]}, headers=ANY),
            admin.patch(f"{API}/pages/{b['id']}", json={"parent": a["id"]}, headers=ANY),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422]
    knots = """
        SELECT count(*) FROM cms.documents a JOIN cms.documents b ON a.parent_id = b.id AND b.parent_id = a.id
    """
    assert rows(database_url, knots) == [(0,)]


async def test_a_page_with_others_below_it_stays(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    a, b, c = tree
    for page in (a, b):
        problem = answered(await admin.delete(f"{API}/pages/{page['id']}", headers=ANY), 409, "has_children")
        assert problem["children"] == 1
    assert await live_at(client, "a/b/c") == c["id"]
    for page in (c, b, a):
        await remove(admin, "pages", page)
    assert await items(client, f"{CONTENT}/pages") == []


async def test_what_hangs_there_live_counts_as_well(
    admin: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    a, b, _ = tree
    await change(admin, "pages", b, parent=None)
    answered(await admin.delete(f"{API}/pages/{a['id']}", headers=ANY), 409, "has_children")
    await do(admin, "pages", b, "publish")
    await remove(admin, "pages", a)


async def test_a_child_comes_back_after_its_parent(
    admin: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    _, b, c = tree
    await remove(admin, "pages", c)
    await remove(admin, "pages", b)
    response = await admin.post(f"{API}/pages/{c['id']}/restore", headers=ANY)
    assert faults(answered(response, 422)) == [("/parent", "unknown_reference")]
    await do(admin, "pages", b, "restore")
    assert (await do(admin, "pages", c, "restore"))["parent"] == b["id"]


async def test_a_parent_is_a_page_that_is_there(admin: httpx.AsyncClient) -> None:
    post, gone = await make(admin, "posts", title="P"), await make(admin, "pages", title="G")
    await remove(admin, "pages", gone)
    for parent in (post, gone):
        response = await admin.post(f"{API}/pages", json={"title": "x", "parent": parent["id"]})
        assert faults(answered(response, 422)) == [("/parent", "unknown_reference")]


async def test_siblings_have_slugs_of_their_own(admin: httpx.AsyncClient, tree: list[dict[str, Any]]) -> None:
    a, b, _ = tree
    twin = await make(admin, "pages", title="B", parent=a["id"])
    assert (twin["slug"], (await make(admin, "pages", title="B"))["slug"]) == ("b-2", "b")
    body = {"title": "x", "slug": "b", "parent": a["id"]}
    answered(await admin.post(f"{API}/pages", json=body), 409, "slug_taken")
    response = await admin.patch(f"{API}/pages/{b['id']}", json={"parent": None}, headers=ANY)
    answered(response, 409, "slug_taken")


async def test_children_are_found_by_their_parent(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, tree: list[dict[str, Any]]
) -> None:
    a, b, _ = tree
    second = await published(admin, "pages", title="B2", parent=a["id"], menu_order=-1)
    for url in (f"{API}/pages?sort=title&", f"{CONTENT}/pages?sort=-menu_order&"):
        found = await items(client if url.startswith(CONTENT) else admin, f"{url}filter[parent]={a['id']}")
        assert [page["id"] for page in found] == [b["id"], second["id"]]
    roots = await items(admin, f"{API}/pages?filter[parent][exists]=false")
    assert [page["id"] for page in roots] == [a["id"]]


async def test_a_page_made_while_its_parent_goes_is_refused_or_stays(admin: httpx.AsyncClient) -> None:
    """Either the parent stays because it has a child, or the child is told that it is gone."""
    for round_ in range(4):
        parent = await make(admin, "pages", title=f"P{round_}")
        gone, made = await asyncio.gather(
            admin.delete(f"{API}/pages/{parent['id']}", headers=ANY),
            admin.post(f"{API}/pages", json={"title": "Child", "parent": parent["id"]}),
        )
        assert (gone.status_code, made.status_code) in {(204, 422), (409, 201)}


async def test_readers_see_a_live_parent_or_none(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    top = await published(admin, "pages", title="Top")
    above = await make(admin, "pages", title="Above", parent=top["id"])
    below = await published(admin, "pages", title="Below", parent=above["id"])
    path = f"{CONTENT}/pages/{below['id']}"
    replica = Replica(client, kinds="document")

    async def check(parent: str | None, headers: dict[str, str]) -> None:
        async def ids(query: str) -> set[str]:
            response = await client.get(f"{CONTENT}/pages?filter[id]={below['id']}&{query}", headers=headers)
            return {one["id"] for one in answered(response, 200)["items"]}

        shown = answered(await client.get(path, headers=headers), 200)
        assert (shown["parent"], shown["path"]) == (parent, "top/above/below")
        whole = answered(await client.get(f"{path}?include=parent", headers=headers), 200)
        assert (whole["parent"] and whole["parent"]["id"]) == parent
        resolved = answered(
            await client.get(f"{CONTENT}/resolve?path=/top/above/below&fields=parent", headers=headers), 200
        )
        assert resolved["document"] == {"parent": parent}
        (listed,) = answered(
            await client.get(f"{CONTENT}/pages?filter[slug]=below&fields=parent", headers=headers), 200
        )["items"]
        assert listed == {"parent": parent}
        this, none = {below["id"]}, set[str]()
        assert await ids(f"filter[parent]={above['id']}") == (this if parent else none)
        assert await ids(f"filter[parent][in]={above['id']},{top['id']}") == (this if parent else none)
        assert await ids(f"filter[parent][ne]={above['id']}") == (none if parent else this)
        assert await ids("filter[parent][exists]=true") == (this if parent else none)
        assert await ids("filter[parent][exists]=false") == (none if parent else this)
        assert await ids("filter[parent.slug]=above") == (this if parent else none)

    async def follow(parent: str | None) -> None:
        await replica.follow()
        assert replica.resources["document", below["id"]]["parent"] == parent

    await check(None, {})
    await follow(None)
    made = answered(await admin.post(f"{API}/previews", json={"documents": [above["id"]]}), 201)
    await check(above["id"], {"Preview-Token": made["token"]})
    before = await client.get(path)
    await do(admin, "pages", above, "publish")
    await check(above["id"], {})
    await follow(above["id"])
    await do(admin, "pages", above, "unpublish")
    await check(None, {})
    await follow(None)
    # Caches are told of whoever it hangs below, also as long as that is not shown.
    assert tags(above["id"]) <= tagged(before)
    managed = await items(admin, f"{API}/pages?filter[parent]={above['id']}")
    assert [one["id"] for one in managed] == [below["id"]]


async def test_an_entry_shows_no_parent_that_is_not_live(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    fields = [{"key": "page", "type": "reference", "types": ["page"]}]
    answered(await admin.post(f"{API}/content-types", json={"key": "hint", "fields": fields}), 201)
    above = await published(admin, "pages", title="Above")
    below = await published(admin, "pages", title="Below", parent=above["id"])
    hint = await published(admin, "entries/hint", slug="hint", page=below["id"])
    path = f"{CONTENT}/entries/hint/{hint['id']}?include=page&fields=page.parent"
    for action, parent in (("unpublish", None), ("publish", above["id"])):
        await until(lambda: cache.is_current)
        await client.get(path)
        await do(admin, "pages", above, action)
        await until(lambda: cache.is_current)
        assert answered(await client.get(path), 200) == {"page": {"parent": parent}}
        found = await items(client, f"{CONTENT}/entries/hint?filter[page.parent]={above['id']}")
        assert len(found) == (parent is not None)

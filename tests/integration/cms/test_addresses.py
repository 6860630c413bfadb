"""Entries with addresses on the site: where they are, and what changes of pattern do."""

from collections.abc import Callable
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
)

TYPES = f"{API}/content-types"
HEADLINE = {"key": "headline", "type": "text"}


async def model(admin: httpx.AsyncClient, path: str | None = "/events/{slug}", key: str = "event") -> None:
    body = {"key": key, "path": path, "fields": [HEADLINE]}
    assert answered(await admin.post(TYPES, json=body), 201)["path"] == path


async def at_path(client: httpx.AsyncClient, path: str) -> Any:
    """What is at a path: the id of what is live, where a redirect leads, or nothing."""
    response = await client.get(f"{CONTENT}/resolve", params={"path": path})
    if response.status_code == 404:
        return None
    found = answered(response, 200)
    return found["location"] if found["kind"] == "redirect" else found["id"]


async def move(admin: httpx.AsyncClient, path: str | None, **more: Any) -> httpx.Response:
    return await admin.patch(f"{TYPES}/event", json={"path": path, **more}, headers=ANY)


@pytest.mark.parametrize(
    "path",
    ["events/{slug}", "/{slug}", "/events", "/events/{slug}/", "/a/{slug}/b", "/{slug}/{slug}", "//{slug}",
     "/Events/{slug}", "/a b/{slug}", "/../{slug}", "/a{slug}", "/{id}/{slug}", "/a%2f/{slug}", "/a\n/{slug}"],
)  # fmt: skip
async def test_patterns_that_are_none(admin: httpx.AsyncClient, path: str) -> None:
    problem = answered(await admin.post(TYPES, json={"key": "event", "path": path}), 422)
    assert faults(problem) == [("/path", "path")]


async def test_two_types_do_not_share_a_pattern(admin: httpx.AsyncClient) -> None:
    await model(admin)
    problem = answered(await admin.post(TYPES, json={"key": "other", "path": "/events/{slug}"}), 422)
    assert faults(problem) == [("/path", "taken")]
    await model(admin, "/events/old/{slug}", "other")
    answered(await admin.patch(f"{TYPES}/other", json={"path": "/events/{slug}"}, headers=ANY), 422)
    answered(await admin.patch(f"{TYPES}/event", json={"path": "/events/{slug}"}, headers=ANY), 200)


async def test_where_an_entry_is(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await model(admin)
    one = await published(admin, "entries/event", slug="launch", headline="We launch")
    found = answered(await client.get(f"{CONTENT}/resolve?path=/events/launch"), 200)
    assert answered(await client.get(found["url"]), 200)["path"] == "events/launch"
    assert found == {
        "kind": "entry", "type": "event", "id": one["id"], "path": "events/launch",
        "url": f"{CONTENT}/entries/event/{one['id']}",
        "document": answered(await client.get(found["url"]), 200),
    }  # fmt: skip
    by_slug = f"{CONTENT}/entries/event/by-slug/launch"
    assert answered(await client.get(by_slug, params={"fields": "path"}), 200) == {"path": "events/launch"}
    await change(admin, "entries/event", one, slug="start")
    assert await at_path(client, "events/launch") == one["id"]
    await do(admin, "entries/event", one, "publish")
    assert await at_path(client, "events/start") == one["id"]
    assert await at_path(client, "events/launch") == "/events/start"
    [redirect] = await items(admin, f"{API}/redirects")
    assert (redirect["source"], redirect["document"], redirect["is_automatic"]) == (
        "events/launch", one["id"], True,
    )  # fmt: skip
    await do(admin, "entries/event", one, "unpublish")
    assert await at_path(client, "events/launch") is None


async def test_what_is_at_a_path_is_there_whole(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    fields = [
        {"key": "headline", "type": "text"},
        {"key": "words", "type": "markdown"},
        {"key": "other", "type": "reference", "types": ["event"]},
    ]
    answered(await admin.post(TYPES, json={"key": "event", "path": "/events/{slug}", "fields": fields}), 201)
    place = {"key": "place", "fields": [{"key": "street", "type": "text"}]}
    answered(await admin.post(TYPES, json=place), 201)
    tag = await make(admin, "tags", name="Tea")
    page = await published(admin, "pages", title="About", body="<p>Some <b>words</b></p>")
    await published(admin, "posts", title="News", tags=[tag["id"]])
    first = await published(admin, "entries/event", slug="first", headline="First")
    await published(admin, "entries/event", slug="second", headline="Second", words="*Hi*", other=first["id"])

    async def whole(path: str, **query: str) -> Any:
        response = await client.get(f"{CONTENT}/resolve", params={"path": path, **query})
        return answered(response, 200)["document"]

    # One question fits whatever is there: of what it names, each document has what it has.
    asked = {"include": "other,tags,parent", "fields": "headline,title,words,other.headline,tags.name,street"}
    in_text = await whole("/events/second", **asked, format="text")
    assert in_text == {"headline": "Second", "words": "Hi", "other": {"headline": "First"}}
    assert await whole("/about", **asked) == {"title": "About"}
    assert await whole("/news", **asked) == {"title": "News", "tags": [{"name": "Tea"}]}
    assert await whole("/about", fields="headline") == {"id": page["id"]}
    assert (await whole("/events/second"))["words"] == "<p><em>Hi</em></p>\n"
    for query in ({"include": "others"}, {"fields": "headlines"}, {"include": "headline"}, {"format": "pdf"}):
        for path in ("/about", "/events/second"):
            answered(await client.get(f"{CONTENT}/resolve", params={"path": path, **query}), 400, "malformed")
    async with counting() as seen:
        await whole("/events/second", include="other", fields="other.words")
    # What is there, whether types have changed, the document.
    assert len(seen) == 3
    # Types that change are seen at once.
    await model_without(admin, "words")
    assert "words" not in await whole("/events/second")
    answered(await client.get(f"{CONTENT}/resolve?path=/events/second&fields=words"), 400, "malformed")


async def test_addresses_are_found_however_they_are_composed(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await model(admin)
    category = await make(admin, "categories", name="Zo\u00eb")
    tag = await make(admin, "tags", name="Zo\u00eb")
    author = await make(admin, "authors", name="Zo\u00eb")
    made = {
        "categories/by-slug": category,
        "tags/by-slug": tag,
        "authors/by-slug": author,
        "posts/by-slug": await published(
            admin,
            "posts",
            title="Zo\u00eb",
            authors=[author["id"]],
            categories=[category["id"]],
            tags=[tag["id"]],
        ),
        "pages/by-path": await published(admin, "pages", title="Zo\u00eb"),
        "entries/event/by-slug": await published(admin, "entries/event", slug="zo\u00eb", headline="x"),
    }
    for slug in ("zo\u00eb", "zoe\u0308", "zo%C3%AB", "zoe%CC%88"):
        found = {place: answered(await client.get(f"{CONTENT}/{place}/{slug}"), 200)["id"] for place in made}
        assert found == {place: one["id"] for place, one in made.items()}
        for scope in ("categories", "tags", "authors"):
            feed = answered(await client.get(f"/{scope}/{slug}/feed.json"), 200)
            assert [item["id"] for item in feed["items"]] == [f"urn:uuid:{made['posts/by-slug']['id']}"]


async def model_without(admin: httpx.AsyncClient, key: str) -> None:
    found = answered(await admin.get(f"{TYPES}/event"), 200)["fields"]
    body = {"fields": [one for one in found if one["key"] != key], "resolutions": {key: "drop"}}
    answered(await admin.patch(f"{TYPES}/event", json=body, headers=ANY), 200)


async def test_entries_without_an_address(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await model(admin, None)
    one = await published(admin, "entries/event", slug="launch")
    assert await at_path(client, "launch") is None
    assert "path" not in answered(await client.get(f"{CONTENT}/entries/event/{one['id']}"), 200)
    answered(await client.get(f"{CONTENT}/entries/event?fields=path"), 400)
    body = {"source": "/old", "document": one["id"]}
    assert faults(answered(await admin.post(f"{API}/redirects", json=body), 422)) == [
        ("/document", "unknown_reference")
    ]


async def test_a_page_and_an_entry_do_not_share_an_address(admin: httpx.AsyncClient) -> None:
    await model(admin)
    parent = await published(admin, "pages", title="Events")
    page = await published(admin, "pages", title="Launch", parent=parent["id"])
    entry = await make(admin, "entries/event", slug="launch")
    url = f"{API}/entries/event/{entry['id']}/publish"
    assert answered(await admin.post(url, headers=ANY), 409, "address_taken")["path"] == "events/launch"
    await do(admin, "pages", page, "unpublish")
    answered(await admin.post(url, headers=ANY), 200)
    again = await admin.post(f"{API}/pages/{page['id']}/publish", headers=ANY)
    answered(again, 409, "address_taken")
    other = await published(admin, "pages", title="Other")
    below = await published(admin, "pages", title="Launch", parent=other["id"])
    await remove(admin, "pages", page)
    await change(admin, "pages", below, parent=parent["id"])
    answered(await admin.post(f"{API}/pages/{below['id']}/publish", headers=ANY), 409, "address_taken")


async def test_another_pattern_moves_all(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    await model(admin, None)
    ids = [(await published(admin, "entries/event", slug=f"e{n}"))["id"] for n in range(4)]
    plan = answered(await admin.post(f"{TYPES}/event/plan", json={"path": "/events/{slug}"}), 200)
    [step] = plan["changes"]
    assert (step["action"], step["live"], plan["is_safe"]) == ("move_documents", 4, True)
    answered(await move(admin, "/events/{slug}"), 200)
    assert [await at_path(client, f"events/e{n}") for n in range(4)] == ids
    assert await items(admin, f"{API}/redirects") == []
    async with counting() as seen:
        answered(await move(admin, "/dates/{slug}"), 200)
    assert sum("UPDATE cms.publications" in one for one in seen) == 1
    assert [await at_path(client, f"dates/e{n}") for n in range(4)] == ids
    assert [await at_path(client, f"events/e{n}") for n in range(4)] == [f"/dates/e{n}" for n in range(4)]
    answered(await move(admin, "/events/{slug}"), 200)
    assert await at_path(client, "events/e0") == ids[0]
    assert await at_path(client, "dates/e0") == "/events/e0"
    assert len(await items(admin, f"{API}/redirects")) == 4


async def test_a_pattern_whose_places_are_taken(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await model(admin)
    one = await published(admin, "entries/event", slug="launch")
    parent = await published(admin, "pages", title="Dates")
    await published(admin, "pages", title="Launch", parent=parent["id"])
    problem = answered(await move(admin, "/dates/{slug}"), 409, "unsafe_change")
    [_, refused] = problem["plan"]["changes"]
    assert (refused["action"], refused["field"], refused["examples"]) == ("refuse", "path", [one["id"]])
    assert await at_path(client, "events/launch") == one["id"]


async def test_taking_the_addresses_away(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    await model(admin)
    one = await published(admin, "entries/event", slug="launch")
    problem = answered(await move(admin, None), 409, "unsafe_change")
    assert problem["plan"]["changes"][0]["resolutions"] == ["drop"]
    answered(await move(admin, None, resolutions={"path": "drop"}), 200)
    assert await at_path(client, "events/launch") is None
    assert "path" not in answered(await client.get(f"{CONTENT}/entries/event/by-slug/launch"), 200)
    held = rows(database_url, "SELECT path, has_address FROM cms.publications")
    assert held == [("launch", False)]
    answered(await move(admin, "/dates/{slug}"), 200)
    assert await at_path(client, "dates/launch") == one["id"]


async def test_menus_and_redirects_lead_to_entries(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await model(admin)
    one = await published(admin, "entries/event", slug="launch", headline="Launch")
    target = {"kind": "document", "id": one["id"]}
    await make(admin, "menus", key="main", name="Main", items=[{"target": target}])
    [item] = answered(await client.get(f"{CONTENT}/menus/main"), 200)["items"]
    assert (item["url"], item["target"]["path"]) == ("/events/launch", "events/launch")
    await make(admin, "redirects", source="/start", document=one["id"])
    assert await at_path(client, "start") == "/events/launch"

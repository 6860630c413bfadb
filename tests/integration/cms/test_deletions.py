"""Who points at something, and what its deletion does to them, over HTTP."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import ANY, API, answered, do, items, make, remove, rows

PLACE = {"key": "place", "fields": [{"key": "name", "type": "text", "required": True}]}
POLICIES = pytest.mark.parametrize("policy", ["restrict", "unlink", "cascade"])


def event(policy: str) -> dict[str, Any]:
    return {
        "key": "event",
        "fields": [
            {"key": "headline", "type": "text"},
            {"key": "place", "type": "reference", "types": ["place", "event"], "on_delete": policy},
            {"key": "file", "type": "reference", "types": ["place"], "on_delete": "restrict"},
        ],
    }


async def model(admin: httpx.AsyncClient, policy: str) -> dict[str, Any]:
    """Both types, and a place."""
    for definition in (PLACE, event(policy)):
        answered(await admin.post(f"{API}/content-types", json=definition), 201)
    return await make(admin, "entries/place", name="Mill")


async def seen(admin: httpx.AsyncClient, one: dict[str, Any]) -> dict[str, Any]:
    return answered(await admin.get(f"{API}/entries/{one['type']}/{one['id']}"), 200)


def of(place: dict[str, Any], what: str = "") -> str:
    return f"{API}/entries/place/{place['id']}{what}"


async def test_what_restricts(admin: httpx.AsyncClient) -> None:
    place = await model(admin, "restrict")
    one = await make(admin, "entries/event", headline="Ball", place=place["id"])
    await do(admin, "entries/event", one, "publish")
    found = await items(admin, of(place, "/references"))
    assert [(row["id"], row["face"], row["field"], row["pointer"], row["on_delete"]) for row in found] == [
        (one["id"], "draft", "place", "/place", "restrict"),
        (one["id"], "live", "place", "/place", "restrict"),
    ]
    first = answered(await admin.get(of(place, "/references?limit=1")), 200)
    after = first["page"]["next"]
    second = answered(await admin.get(of(place, f"/references?limit=1&after={after}")), 200)
    assert [first["items"][0], second["items"][0]] == found
    asked = "filter[face]=live&filter[not][on_delete]=unlink&sort=-title&fields=id,face&count=exact"
    told = answered(await admin.get(of(place, f"/references?{asked}")), 200)
    assert (told["items"], told["count"]) == ([{"id": one["id"], "face": "live"}], 1)
    body = {"filter": {"or": [{"field": "nothing"}, {"type": {"starts_with": "EV"}}]}, "fields": ["face"]}
    told = answered(await admin.post(of(place, "/references/query"), json=body), 200)
    assert told["items"] == [{"face": "draft"}, {"face": "live"}]
    problem = answered(await admin.get(of(place, "/references?sort=feld")), 400, "malformed")
    assert problem["errors"][0]["parameter"] == "sort"
    named = {"id": one["id"], "type": "event", "title": one["slug"]}
    problem = answered(await admin.delete(of(place), headers=ANY), 409, "in_use")
    assert (problem["documents"], problem["referrers"][0]["id"]) == (1, named["id"])
    preview = answered(await admin.get(of(place, "/deletion")), 200)
    assert (preview["is_allowed"], preview["restricted_by"]["count"]) == (False, 1)
    await remove(admin, "entries/event", one)
    await remove(admin, "entries/place", place)
    answered(await admin.post(of(place, "/purge"), headers=ANY), 409, "in_use")
    answered(await admin.get(f"{API}/tags/{place['id']}/references"), 404, "resource_not_found")
    answered(await admin.get(f"{API}/posts/{place['id']}/deletion"), 404, "document_not_found")


async def test_what_is_unlinked(admin: httpx.AsyncClient, database_url: str) -> None:
    place = await model(admin, "unlink")
    same = await make(admin, "entries/event", headline="Same", place=place["id"])
    other = await make(admin, "entries/event", headline="Other", place=place["id"])
    for one in (same, other):
        await do(admin, "entries/event", one, "publish")
    url = f"{API}/entries/event/{other['id']}"
    answered(await admin.patch(url, json={"headline": "Newer"}, headers=ANY), 200)
    preview = answered(await admin.get(of(place, "/deletion")), 200)
    assert (preview["is_allowed"], preview["unlinked"]["count"]) == (True, 2)
    await remove(admin, "entries/place", place)
    same, other = await seen(admin, same), await seen(admin, other)
    assert (same["place"], other["place"]) == (None, None)
    assert same["draft_revision"] == same["live_revision"]
    assert other["draft_revision"] != other["live_revision"]
    assert not same["has_unpublished_changes"]
    assert other["has_unpublished_changes"]
    assert rows(database_url, "SELECT * FROM cms.links WHERE on_delete = 'unlink'") == []
    events = rows(database_url, "SELECT subject FROM activity.events WHERE name = 'document.unlinked'")
    assert len(events) == 2
    answered(await admin.post(of(place, "/purge"), headers=ANY), 204)


async def test_what_goes_along(admin: httpx.AsyncClient) -> None:
    place = await model(admin, "cascade")
    one = await make(admin, "entries/event", headline="One", place=place["id"])
    two = await make(admin, "entries/event", headline="Two", place=one["id"])
    url = f"{API}/entries/event/{one['id']}"
    await remove(admin, "entries/place", place)
    assert all([(await seen(admin, found))["trashed_at"] for found in (one, two)])
    answered(await admin.post(of(place, "/purge"), headers=ANY), 204)
    for gone in (url, f"{API}/entries/event/{two['id']}"):
        answered(await admin.get(gone), 404)


async def test_a_circle_goes_together(admin: httpx.AsyncClient) -> None:
    await model(admin, "cascade")
    one = await make(admin, "entries/event", headline="One")
    two = await make(admin, "entries/event", headline="Two", place=one["id"])
    url = f"{API}/entries/event/{one['id']}"
    answered(await admin.patch(url, json={"place": two["id"]}, headers=ANY), 200)
    await remove(admin, "entries/event", one)
    assert (await seen(admin, two))["trashed_at"]


@POLICIES
async def test_a_deletion_waits_for_an_editor_of_a_referrer(
    admin: httpx.AsyncClient, database_url: str, policy: str
) -> None:
    place = await model(admin, policy)
    one = await make(admin, "entries/event", headline="One", place=place["id"])
    async with await psycopg.AsyncConnection.connect(database_url) as editor:
        await editor.execute("SELECT FROM cms.documents WHERE id = %s FOR UPDATE", [one["id"]])
        await editor.execute("SELECT FROM cms.documents WHERE id = %s FOR KEY SHARE", [place["id"]])
        deletion = asyncio.ensure_future(admin.delete(of(place), headers=ANY))
        done, _ = await asyncio.wait([deletion], timeout=0.5)
        assert not done
        await editor.commit()
    answered(await deletion, 409 if policy == "restrict" else 204)


@POLICIES
async def test_links_made_during_a_deletion(admin: httpx.AsyncClient, database_url: str, policy: str) -> None:
    await model(admin, policy)
    for number in range(4):
        place = await make(admin, "entries/place", name=f"Mill {number}")
        one = await make(admin, "entries/event", headline="One")
        url = f"{API}/entries/event/{one['id']}"
        calls = [
            admin.patch(url, json={"place": place["id"]}, headers=ANY),
            admin.delete(of(place), headers=ANY),
        ]
        answers = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        assert {one.status_code for one in answers} <= {200, 204, 409, 422}
    dangling = """
        SELECT l.document_id FROM cms.links l JOIN cms.documents d ON d.id = l.document_id
        JOIN cms.documents t ON t.id = l.target_id WHERE t.trashed_at IS NOT NULL AND d.trashed_at IS NULL
    """
    assert rows(database_url, dangling) == []

"""Content types and their entries over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx
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
    tagged,
    tags,
)
from tests.integration.hearing import until
from tests.integration.http.asking import upload

from cms_api.adapters.http.caching import ResponseCache

EVENT = {
    "key": "event",
    "fields": [
        {"key": "headline", "type": "text", "required": True, "max_length": 100},
        {"key": "seats", "type": "number", "integer": True, "minimum": 0, "default": 10},
        {"key": "starts_at", "type": "datetime"},
        {"key": "notes", "type": "text", "visibility": "internal"},
        {"key": "place", "type": "reference", "types": ["place"]},
        {
            "key": "sections",
            "type": "blocks",
            "variants": [
                {"key": "words", "fields": [{"key": "body", "type": "markdown", "required": True}]},
                {"key": "picture", "fields": [{"key": "file", "type": "media"}]},
            ],
        },
    ],
}
PLACE = {"key": "place", "fields": [{"key": "name", "type": "text", "required": True}]}


async def model(client: httpx.AsyncClient, definition: dict[str, Any]) -> dict[str, Any]:
    """A new content type."""
    response = await client.post(f"{API}/content-types", json=definition)
    return answered(response, 201)


async def test_a_type_and_the_life_of_an_entry(admin: httpx.AsyncClient) -> None:
    await model(admin, PLACE)
    made = await model(admin, EVENT)
    assert [field["key"] for field in made["fields"]] == [field["key"] for field in EVENT["fields"]]
    place = await make(admin, "entries/place", name="The old mill")
    assert (place["slug"], place["type"], place["name"]) == ("the-old-mill", "place", "The old mill")
    entry = await make(
        admin,
        "entries/event",
        headline="We launch",
        place=place["id"],
        starts_at="2026-05-01T10:00:00+02:00",
        sections=[{"type": "words", "body": "*Hello*"}],
    )
    assert (entry["seats"], entry["starts_at"]) == (10, "2026-05-01T08:00:00Z")
    assert entry["sections"][0]["type"] == "words"
    url = f"{API}/entries/event/{entry['id']}"
    assert answered(await admin.get(url), 200) == entry
    block = entry["sections"][0]["id"]
    patch = [
        {"op": "replace", "path": f"/sections/{block}/body", "value": "Bye"},
        {"op": "add", "path": "/sections/-", "value": {"type": "picture"}},
        {"op": "test", "path": "/seats", "value": 10},
    ]
    headers = at(1) | {"Content-Type": "application/json-patch+json"}
    changed = answered(await admin.patch(url, json=patch, headers=headers), 200)
    assert next(one["id"] for one in changed["sections"]) == block
    assert (changed["sections"][0]["body"], len(changed["sections"])) == ("Bye", 2)
    changed = answered(await admin.patch(url, json={"seats": None, "notes": "x"}, headers=at(2)), 200)
    assert (changed["seats"], changed["notes"], changed["version"]) == (None, "x", 3)
    answered(await admin.patch(url, json={"headline": None}, headers=ANY), 422)
    published = await do(admin, "entries/event", entry, "publish")
    assert published["status"] == "published"
    found = await items(admin, f"{API}/entries/event?filter[place.slug]=the-old-mill&sort=-seats")
    assert [one["id"] for one in found] == [entry["id"]]
    diff = answered(await admin.get(f"{url}/revisions"), 200)
    assert len(diff["items"]) == 3
    revision = answered(await admin.get(f"{url}/revisions/{diff['items'][-1]['id']}"), 200)
    assert revision["content"]["headline"] == "We launch"
    for moment in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"):
        response = await admin.post(f"{API}/entries/event", json={"headline": "Far", "starts_at": moment})
        assert faults(answered(response, 422)) == [("/starts_at", "range")]
    wrong = {"headline": 3, "seats": -1, "sections": [{"type": "words"}, {"type": "x"}], "places": []}
    response = await admin.post(f"{API}/entries/event", json=wrong)
    assert faults(answered(response, 422)) == [
        ("/places", "unknown_field"),
        ("/headline", "type"),
        ("/seats", "range"),
        ("/sections/0/body", "required"),
        ("/sections/1/type", "value"),
    ]


async def test_a_change_of_a_type(admin: httpx.AsyncClient) -> None:
    await model(admin, PLACE)
    made = await model(admin, EVENT)
    entry = await make(admin, "entries/event", headline="We launch", seats=3, notes="12")
    fields = made["fields"]
    fields[0]["key"] = "title"
    fields[3] = {"key": "notes", "id": fields[3]["id"], "type": "number", "visibility": "internal"}
    fields.pop(1)
    url = f"{API}/content-types/event"
    plan = answered(await admin.post(f"{url}/plan", json={"fields": fields}), 200)
    assert not plan["is_applicable"]
    told = [(one["action"], one["field"], one["drafts"], one["is_safe"]) for one in plan["changes"]]
    assert ("rename_field", "title", 0, True) in told
    assert ("drop_values", "seats", 1, False) in told
    assert ("convert_values", "notes", 1, True) in told
    answered(await admin.patch(url, json={"fields": fields}, headers=at(1)), 409, "unsafe_change")
    wanted = {"fields": fields, "resolutions": {"seats": "drop"}}
    applied = answered(await admin.patch(url, json=wanted, headers=at(1)), 200)
    assert applied["job"]["state"] == "queued"
    seen = answered(await admin.get(f"{API}/entries/event/{entry['id']}"), 200)
    assert (seen["title"], seen["notes"]) == ("We launch", 12)
    assert "seats" not in seen


async def test_what_readers_get(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    city = {"key": "city", "fields": [{"key": "name", "type": "text"}]}
    place = {**PLACE, "fields": [*PLACE["fields"], {"key": "city", "type": "reference", "types": ["city"]}]}
    event = {**EVENT, "fields": [*EVENT["fields"], {"key": "related", "type": "references"}]}
    for one in (city, place, event):
        await model(admin, one)
    paris = await make(admin, "entries/city", name="Paris")
    mill = await make(admin, "entries/place", name="The mill", city=paris["id"])
    post = await make(admin, "posts", title="News", body="<p>x</p>")
    draft = await make(admin, "posts", title="Not yet")
    entry = await make(
        admin,
        "entries/event",
        headline="We launch",
        seats=40,
        starts_at="2026-05-01T08:00:00Z",
        notes="secret",
        place=mill["id"],
        related=[post["id"], draft["id"], mill["id"]],
        sections=[{"type": "words", "body": "*Hello*<script>x</script>"}, {"type": "picture"}],
    )
    answered(await client.get(f"{CONTENT}/entries/event/by-slug/we-launch"), 404, "nothing_published")
    await do(admin, "entries/event", entry, "publish")
    url = f"{CONTENT}/entries/event/by-slug/we-launch"
    seen = answered(await client.get(url), 200)
    assert "notes" not in seen
    assert (seen["place"], seen["related"]) == (None, [])  # not published yet
    for kind, one in (("entries/city", paris), ("entries/place", mill), ("posts", post)):
        await do(admin, kind, one, "publish")
    seen = answered(await client.get(url), 200)
    assert (seen["place"], seen["related"]) == (mill["id"], [post["id"], mill["id"]])
    assert (seen["headline"], seen["seats"], seen["starts_at"]) == ("We launch", 40, "2026-05-01T08:00:00Z")
    assert seen["sections"][0] == {
        "id": entry["sections"][0]["id"],
        "type": "words",
        "body": "<p><em>Hello</em></p>\n",
    }
    assert seen["sections"][1]["file"] is None
    response = await client.get(f"{url}?include=place.city,related&fields=headline,place,related.title")
    deep = answered(response, 200)
    assert set(deep) == {"headline", "place", "related"}
    assert (deep["place"]["name"], deep["place"]["city"]["name"]) == ("The mill", "Paris")
    assert deep["related"][0] == {"title": "News"}
    assert tags(entry["id"], mill["id"], paris["id"]) <= tagged(response)
    found = await items(
        client, f"{CONTENT}/entries/event?filter[seats][gte]=40&filter[place.slug]=the-mill&sort=-seats"
    )
    assert [one["id"] for one in found] == [entry["id"]]
    assert await items(client, f"{CONTENT}/entries/event?filter[seats][gt]=40") == []
    for wrong in (
        "include=nothing",
        "include=headline",
        "fields=notes",
        "filter[notes]=x",
        "include=place.nothing",
    ):
        answered(await client.get(f"{CONTENT}/entries/event?{wrong}"), 400, "malformed")
    answered(await client.get(f"{CONTENT}/entries/post"), 404, "content_type_not_found")


async def test_filters_see_what_readers_get(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    place = {"type": "reference", "types": ["place"]}
    event = {
        "key": "event",
        "fields": [
            {"key": "headline", "type": "text", "required": True},
            {"key": "place", **place},
            {"key": "anything", "type": "reference"},
            {"key": "others", "type": "references"},
            {"key": "picture", "type": "media"},
            {"key": "address", "type": "group", "fields": [{"key": "city", **place}]},
            {"key": "stands", "type": "list", "of": {"type": "group", "fields": [{"key": "by", **place}]}},
            {"key": "stops", "type": "list", "of": place},
            {
                "key": "body",
                "type": "blocks",
                "variants": [{"key": "spot", "fields": [{"key": "at", **place}]}],
            },
        ],
    }
    await model(admin, PLACE)
    await model(admin, event)
    draft, mill = [await make(admin, "entries/place", name=name) for name in ("Draft", "Mill")]
    file = await upload(admin)
    await do(admin, "entries/place", mill, "publish")

    def pointing(to: str, *others: str) -> dict[str, Any]:
        return {
            "place": to, "anything": to, "others": [to, *others], "address": {"city": to}, "stands": [{"by": to}],
            "stops": [to], "body": [{"type": "spot", "at": to}], "picture": file["id"],
        }  # fmt: skip

    nowhere = await published(admin, "entries/event", headline="Nowhere", **pointing(draft["id"]))
    there = await published(admin, "entries/event", headline="There", **pointing(mill["id"], draft["id"]))
    both = {nowhere["id"], there["id"]}
    shown = answered(await client.get(f"{CONTENT}/entries/event/{nowhere['id']}"), 200)
    assert (shown["place"], shown["others"], shown["address"]) == (None, [], {"city": None})

    async def found(query: str, api: httpx.AsyncClient = client, base: str = CONTENT) -> set[str]:
        return {one["id"] for one in await items(api, f"{base}/entries/event?{query}")}

    paths = ("place", "anything", "others", "address.city", "stands.by", "stops", "body.at")
    for path in paths:
        for live in (False, True):
            some = both if live else {there["id"]}
            if live:
                await do(admin, "entries/place", draft, "publish")
            to = {nowhere["id"]} if path != "others" else both
            assert await found(f"filter[{path}]={draft['id']}") == (to if live else set()), path
            assert await found(f"filter[{path}][in]={draft['id']},{mill['id']}") == some, path
            assert await found(f"filter[{path}][ne]={draft['id']}") == (both - to if live else both), path
            assert await found(f"filter[not][{path}]={draft['id']}") == (both - to if live else both), path
            assert await found(f"filter[{path}][exists]=true") == some, path
            assert await found(f"filter[{path}][exists]=false") == both - some, path
            assert await found(f"filter[{path}.name][exists]=true") == some, path
            assert await found(f"filter[{path}]={draft['id']}", admin, API) == to, path
            assert await found(f"filter[{path}][exists]=true", admin, API) == both, path
        await do(admin, "entries/place", draft, "unpublish")
    assert await found(f"filter[picture]={file['id']}") == both
    assert await found("filter[picture][exists]=false") == set()


async def test_what_filters_see_is_kept_until_it_changes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    await model(admin, PLACE)
    await model(
        admin, {"key": "event", "fields": [{"key": "place", "type": "reference", "types": ["place"]}]}
    )
    place = await make(admin, "entries/place", name="Mill")
    await published(admin, "entries/event", slug="launch", place=place["id"])
    path = f"{CONTENT}/entries/event?filter[place]={place['id']}"
    await until(lambda: cache.is_current)
    assert await items(client, path) == await items(client, path) == []
    await do(admin, "entries/place", place, "publish")
    await until(lambda: cache.is_current)
    assert len(await items(client, path)) == len(await items(client, path)) == 1
    await do(admin, "entries/place", place, "unpublish")
    await until(lambda: cache.is_current)
    assert await items(client, path) == []


async def test_a_singleton_is_there_once_a_language(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    definition = {
        "key": "site-info",
        "singleton": True,
        "fields": [{"key": "motto", "type": "text"}],
    }
    await model(admin, definition)
    one = await make(admin, "entries/site-info", motto="Simple")
    assert one["slug"] == "site-info"
    again = await admin.post(f"{API}/entries/site-info", json={"motto": "Again"})
    answered(again, 409, "singleton_exists")
    await make(admin, "entries/site-info", motto="Einfach", locale="de")
    url = f"{API}/entries/site-info/{one['id']}"
    moved = await admin.patch(url, json={"slug": "elsewhere"}, headers=ANY)
    assert faults(answered(moved, 422)) == [("/slug", "singleton")]
    await do(admin, "entries/site-info", one, "publish")
    seen = answered(await client.get(f"{CONTENT}/entries/site-info/by-slug/site-info"), 200)
    assert seen["motto"] == "Simple"


async def test_restricted_fields_are_withheld_by_name(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    definition = {
        "key": "person",
        "fields": [
            {"key": "name", "type": "text", "required": True},
            {"key": "salary", "type": "number", "visibility": "restricted", "required": True},
        ],
    }
    await model(admin, definition)
    one = await make(admin, "entries/person", name="Ada", salary=10)
    assert (one["salary"], one["withheld"]) == (10, [])
    author = await user_client("author")
    url = f"{API}/entries/person/{one['id']}"
    seen = answered(await author.get(url), 200)
    assert ("salary" in seen, seen["withheld"]) == (False, ["salary"])
    revision = (await items(author, f"{url}/revisions"))[0]["id"]
    held = answered(await author.get(f"{url}/revisions/{revision}"), 200)["content"]
    assert ("salary" in held, held["name"]) == (False, "Ada")
    answered(await author.get(f"{API}/entries/person?filter[salary]=10"), 400)
    answered(await author.post(f"{API}/entries/person", json={"name": "B", "salary": 1}), 403, "forbidden")
    editor = await user_client("reader", "author", email="c@example.org")
    peek = [{"op": "test", "path": "/salary", "value": 10}]
    headers = ANY | {"Content-Type": "application/json-patch+json"}
    assert (await editor.patch(url, json=peek, headers=headers)).status_code in (403, 422)
    changed = answered(await admin.patch(url, json={"name": "Eva"}, headers=ANY), 200)
    assert changed["salary"] == 10


async def test_translations_share_what_is_not_localised(admin: httpx.AsyncClient) -> None:
    definition = {
        "key": "product",
        "fields": [
            {"key": "name", "type": "text", "required": True, "localised": True},
            {"key": "sku", "type": "text", "unique": True},
        ],
    }
    await model(admin, definition)
    one = await make(admin, "entries/product", name="Chair", sku="C1")
    url = f"{API}/entries/product/{one['id']}"
    begun = await admin.post(f"{url}/translations", json={"locale": "de"}, headers=at(1))
    german = answered(begun, 201)
    assert (german["translation_of"], german["locale"], german["sku"]) == (one["id"], "de", "C1")
    again = await admin.post(f"{url}/translations", json={"locale": "de"}, headers=at(1))
    answered(again, 409)
    await change(admin, "entries/product", german, name="Stuhl", sku="C2")
    seen = answered(await admin.get(url), 200)
    assert (seen["name"], seen["sku"], seen["version"]) == ("Chair", "C2", 2)
    taken = await admin.post(f"{API}/entries/product", json={"name": "Other", "sku": "C2"})
    answered(taken, 409, "value_taken")


async def test_reading_costs_the_same_whatever_the_rows(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, asked: list[str]
) -> None:
    await model(admin, {"key": "city", "fields": [{"key": "name", "type": "text"}]})
    place = {**PLACE, "fields": [*PLACE["fields"], {"key": "city", "type": "reference", "types": ["city"]}]}
    await model(admin, place)
    await model(admin, EVENT)
    asked.clear()
    costs: set[tuple[int, int]] = set()
    url = "entries/event?include=place.city,sections.file&limit=100"
    for round_, number in enumerate((1, 3, 30)):
        for n in range(number):
            city = await make(admin, "entries/city", name=f"City {round_} {n}")
            mill = await make(admin, "entries/place", name=f"Mill {round_} {n}", city=city["id"])
            event = await make(admin, "entries/event", headline=f"Event {round_} {n}", place=mill["id"])
            for kind, one in (("city", city), ("place", mill), ("event", event)):
                await do(admin, f"entries/{kind}", one, "publish")
        await items(client, f"{CONTENT}/{url}")
        asked.clear()
        found = await items(client, f"{CONTENT}/{url}")
        read = len(asked)
        assert all(one["place"]["city"]["name"] for one in found)
        asked.clear()
        await items(admin, f"{API}/entries/event?limit=100")
        costs.add((read, len(asked)))
    assert len(found) == 34
    assert len(costs) == 1
    assert costs.pop()[0] == 2  # which types there are, and the entries


async def test_readers_comment_on_entries(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await model(admin, PLACE)
    place = await make(admin, "entries/place", name="The mill")
    url = f"{CONTENT}/entries/place/{place['id']}/comments"
    words = {"author_name": "Bo", "author_email": "bo@example.org", "body": "A fine mill."}
    answered(await client.post(url, json=words), 404)
    await do(admin, "entries/place", place, "publish")
    made = await client.post(url, json=words)
    answered(made, 201)
    assert made.headers["location"].startswith(f"{url}/")

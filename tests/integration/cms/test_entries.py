"""Content types and their entries over HTTP."""

from typing import Any

import httpx
from tests.integration.cms.cms_client import ANY, API, answered, at, do, faults, items, make

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
    assert [one["id"] for one in changed["sections"]][0] == block
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

"""A small site that has some of everything."""

from typing import Any

import httpx
from tests.integration.http.asking import API, make, make_live


async def library_of(admin: httpx.AsyncClient) -> dict[str, Any]:
    """Posts under nested categories with several tags, and events at places in cities."""
    world = await make(admin, "categories", name="World")
    europe = await make(admin, "categories", name="Europe", parent_id=world["id"])
    tags = [await make(admin, "tags", name=name) for name in ("Red", "Green", "Blue")]
    zoe = await make(admin, "authors", name="Zoe")
    abe = await make(admin, "authors", name="Abe", website="https://abe.example.org")
    ids = [one["id"] for one in tags]
    await make_live(
        admin, "posts", title="Alps 100%", authors=[zoe["id"]], categories=[europe["id"]], tags=ids
    )
    await make_live(admin, "posts", title="Baltic_sea", authors=[abe["id"], zoe["id"]], tags=ids[:1])
    await make_live(admin, "posts", title="Caucasus", authors=[abe["id"]], categories=[world["id"]])
    for key, fields in (
        ("city", [{"key": "name", "type": "text"}]),
        ("place", [{"key": "name", "type": "text"}, {"key": "city", "type": "reference", "types": ["city"]}]),
        (
            "event",
            [
                {"key": "headline", "type": "text"},
                {"key": "seats", "type": "number"},
                {"key": "place", "type": "reference", "types": ["place"]},
                {"key": "others", "type": "references"},
                {"key": "words", "type": "list", "of": {"type": "text"}},
                {"key": "spot", "type": "group", "fields": [{"key": "row", "type": "number"}]},
                {
                    "key": "stands",
                    "type": "list",
                    "of": {
                        "type": "group",
                        "fields": [
                            {"key": "name", "type": "text"},
                            {"key": "by", "type": "reference", "types": ["city"]},
                        ],
                    },
                },
                {
                    "key": "body",
                    "type": "blocks",
                    "variants": [
                        {"key": "note", "fields": [{"key": "text", "type": "text"}]},
                        {"key": "sum", "fields": [{"key": "value", "type": "number"}]},
                    ],
                },
                {"key": "secret", "type": "text", "visibility": "internal"},
            ],
        ),
    ):
        response = await admin.post(f"{API}/content-types", json={"key": key, "fields": fields})
        assert response.status_code == 201, response.text
    lyon = await make_live(admin, "entries/city", slug="lyon", name="Lyon")
    rome = await make_live(admin, "entries/city", slug="rome", name="Rome")
    hall = await make_live(admin, "entries/place", slug="hall", name="Hall", city=lyon["id"])
    barn = await make_live(admin, "entries/place", slug="barn", name="Barn", city=rome["id"])
    first = await make_live(
        admin, "entries/event", slug="first", headline="First", seats=10, place=hall["id"], secret="x",
        others=[barn["id"], rome["id"]], words=["one", "two"], spot={"row": 3},
        stands=[{"name": "Tea", "by": rome["id"]}], body=[{"type": "note", "text": "hello"}],
    )  # fmt: skip
    await make_live(
        admin, "entries/event", slug="second", headline="Second", seats=20, place=barn["id"],
        words=["two"], body=[{"type": "sum", "value": 7}],
    )  # fmt: skip
    await make_live(admin, "entries/event", slug="third", headline="Third")
    return {"europe": europe, "city": lyon, "place": hall, "event": first}

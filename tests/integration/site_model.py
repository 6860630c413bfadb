"""A model as real sites have them: types and an entry for each, in the order of their making."""

from typing import Any

LINK = [
    {"key": "label", "type": "text", "required": True, "max_length": 80},
    {"key": "target", "type": "reference", "on_delete": "unlink"},
    {"key": "url", "type": "text", "max_length": 500, "pattern": "https?://.+"},
]
TYPES: list[dict[str, Any]] = [
    {
        "key": "place",
        "name": "Ort",
        "description": "Wo etwas stattfindet.",
        "fields": [
            {"key": "name", "name": "Straßenname", "type": "text", "required": True, "max_length": 100},
            {"key": "capacity", "type": "number", "integer": True, "minimum": 0, "maximum": 100_000},
            {
                "key": "position",
                "type": "group",
                "fields": [
                    {"key": "lat", "type": "number", "minimum": -90, "maximum": 90, "required": True},
                    {"key": "lon", "type": "number", "minimum": -180, "maximum": 180, "required": True},
                ],
            },
        ],
    },
    {
        "key": "event",
        "name": "Event",
        "path": "/events/{slug}",
        "fields": [
            {"key": "headline", "type": "text", "required": True, "min_length": 3, "max_length": 200},
            {"key": "starts_at", "type": "datetime", "required": True, "indexed": True},
            {"key": "day", "type": "date", "description": "Of the doors: the day in local time."},
            {"key": "place", "type": "reference", "types": ["place"]},
            {"key": "others", "type": "references", "types": ["event", "place"], "max_items": 5},
            {"key": "mood", "type": "enum", "options": ["calm", "loud & proud", "größer"], "default": "calm"},
            {"key": "fee", "type": "number", "minimum": 0, "default": 0},
            {"key": "is_public", "type": "boolean", "required": True, "default": True},
            {"key": "notes", "type": "markdown", "visibility": "internal"},
            {"key": "price_paid", "type": "number", "visibility": "restricted"},
        ],
    },
    {
        "key": "article",
        "name": "Article",
        "fields": [
            {"key": "title", "type": "text", "required": True, "localised": True},
            {"key": "intro", "type": "rich_text", "localised": True},
            {"key": "keywords", "type": "list", "of": {"type": "text", "max_length": 40}, "max_items": 10},
            {"key": "cover", "type": "media", "on_delete": "unlink"},
            {"key": "extra", "type": "json"},
            {
                "key": "body",
                "type": "blocks",
                "required": True,
                "min_items": 1,
                "variants": [
                    {"key": "words", "fields": [{"key": "text", "type": "markdown", "required": True}]},
                    {
                        "key": "quote",
                        "description": "Somebody's words.",
                        "fields": [
                            {"key": "text", "type": "text", "required": True},
                            {"key": "said_by", "type": "text"},
                        ],
                    },
                    {
                        "key": "gallery",
                        "fields": [
                            {
                                "key": "pictures",
                                "type": "list",
                                "of": {
                                    "type": "group",
                                    "fields": [
                                        {"key": "file", "type": "media"},
                                        {"key": "caption", "type": "text"},
                                    ],
                                },
                            }
                        ],
                    },
                ],
            },
        ],
    },
    {
        "key": "product",
        "name": "Product",
        "fields": [
            {"key": "name", "type": "text", "required": True},
            {"key": "sku", "type": "text", "required": True, "unique": True, "pattern": "[A-Z]{2}-[0-9]+"},
            {"key": "handle", "type": "slug"},
            {"key": "related", "type": "references", "types": ["product", "article"], "on_delete": "unlink"},
            {
                "key": "variants",
                "type": "list",
                "of": {
                    "type": "group",
                    "fields": [
                        {"key": "colour", "type": "enum", "options": ["red", "blue"], "required": True},
                        {"key": "price", "type": "number", "minimum": 0, "required": True},
                        {"key": "stock", "type": "number", "integer": True},
                    ],
                },
            },
            {
                "key": "details",
                "type": "blocks",
                "variants": [{"key": "table", "fields": [{"key": "rows", "type": "list", "of": {"type": "text"}}]}],
            },
        ],
    },
    {
        "key": "site_settings",
        "name": "Site settings",
        "singleton": True,
        "fields": [
            {"key": "site_name", "type": "text", "required": True},
            {"key": "navigation", "type": "list", "of": {"type": "group", "fields": LINK}},
            {"key": "footer", "type": "rich_text"},
        ],
    },
    # Keys, and fields, whose names run together.
    {
        "key": "a-b",
        "fields": [
            {"key": "c_d", "type": "group", "fields": [{"key": "x", "type": "text"}]},
            {"key": "c", "type": "group", "fields": [
                {"key": "d", "type": "group", "fields": [{"key": "y", "type": "boolean"}]}]},
            {"key": "list", "type": "group", "fields": [{"key": "z", "type": "text"}]},
        ],
    },
    {"key": "a_b", "fields": [{"key": "class", "type": "text"}, {"key": "from", "type": "text"}]},
    {"key": "new-event", "fields": [{"key": "title", "type": "text"}]},
]  # fmt: skip
ENTRIES: list[tuple[str, dict[str, Any]]] = [
    ("place", {"name": "The old mill", "capacity": 80, "position": {"lat": 51.5, "lon": -0.12}}),
    ("event", {"headline": "We launch", "starts_at": "2026-05-01T10:00:00+02:00", "place": "@place", "fee": 12.5}),
    (
        "article",
        {
            "title": "Read this",
            "keywords": ["one", "two"],
            "extra": {"any": [1, None]},
            "body": [
                {"type": "words", "text": "*Hello*"},
                {"type": "quote", "text": "To be"},
                {"type": "gallery", "pictures": [{"caption": "None yet"}]},
            ],
        },
    ),
    (
        "product",
        {
            "name": "Cup",
            "sku": "CU-1",
            "related": ["@article"],
            "variants": [{"colour": "red", "price": 9.5, "stock": 3}, {"colour": "blue", "price": 10}],
            "details": [{"type": "table", "rows": ["a", "b"]}],
        },
    ),
    ("site_settings", {"site_name": "Ours", "navigation": [{"label": "Read", "target": "@article"}]}),
    ("a-b", {"c_d": {"x": "x"}, "c": {"d": {"y": True}}, "list": {"z": "z"}}),
    ("a_b", {"class": "first", "from": "here"}),
    ("new-event", {"title": "No event"}),
]  # fmt: skip


def filled(values: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """The values, with the ids of entries where ``@`` and a type's key stand for them."""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(one) for key, one in value.items()}
        if isinstance(value, list):
            return [fill(one) for one in value]
        return ids[value[1:]] if isinstance(value, str) and value.startswith("@") else value

    return {key: fill(value) for key, value in values.items()}

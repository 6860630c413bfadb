"""Whatever is sent to the routes of content types and entries is answered, and leaves nothing behind."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.integration.cms.cms_client import ANY, API, answered, faults, make, rows

from cms_api.domains.cms.content_types.definition import SYSTEM_FIELDS

TYPES = f"{API}/content-types"
PATCH = ANY | {"Content-Type": "application/json-patch+json"}


def nested(depth: int) -> dict[str, Any]:
    """A group in a group in a group."""
    field: dict[str, Any] = {"key": "a", "type": "text"}
    for _ in range(depth):
        field = {"key": "a", "type": "group", "fields": [field]}
    return field


def listed(depth: int) -> str:
    return "[" * depth + "]" * depth


def texts(number: int) -> list[dict[str, Any]]:
    return [{"key": f"a{n}", "type": "text"} for n in range(number)]


def definitions() -> Iterator[tuple[str, list[dict[str, Any]], str]]:
    """Fields that are wrong, with the pointer of the first fault; an empty one for whichever."""
    for name in sorted(SYSTEM_FIELDS):
        yield f"called {name}", [{"key": name, "type": "text"}], "/fields/0/key"
    for name in ("__proto__", "Ä", "a__b", "a-b", "_a", "1a", "a" * 61, "a\n", "a'b", 'a"b', "a;--"):
        yield f"called {name!r}", [{"key": name, "type": "text"}], "/fields/0/key"
    yield "ten thousand", texts(10_000), "/fields"
    yield "more than a type has", texts(201), "/fields"
    yield "a group of very many", [{"key": "a", "type": "group", "fields": texts(900)}], ""
    yield "groups in groups", [nested(8)], ""
    yield "groups in very many groups", [nested(300)], ""
    for pattern in ("(?=x)", "(", "a{1001}", "((a{100}){100}){100}", "\\1", "[z-a]"):
        yield (
            f"the pattern {pattern}",
            [{"key": "a", "type": "text", "pattern": pattern}],
            "/fields/0/pattern",
        )
    for kind, default in (
        ("number", "x"),
        ("date", "2026-02-30"),
        ("boolean", 1),
        ("slug", "A b"),
        ("text", 7),
    ):
        yield f"a default of {kind}", [{"key": "a", "type": kind, "default": default}], "/fields/0/default"
    yield (
        "an option that is not",
        [{"key": "a", "type": "enum", "options": ["x"], "default": "y"}],
        "/fields/0/default",
    )
    yield "a type that is not", [{"key": "a", "type": "reference", "types": ["nobody"]}], "/fields/0/types/0"
    yield (
        "a list of lists",
        [{"key": "a", "type": "list", "of": {"type": "list", "of": {"type": "text"}}}],
        "",
    )


async def test_definitions_that_are_wrong(admin: httpx.AsyncClient, database_url: str) -> None:
    standing = answered(await admin.post(TYPES, json={"key": "standing", "fields": texts(1)}), 201)
    for title, fields, pointer in definitions():
        response = await admin.post(TYPES, json={"key": "thing", "fields": fields})
        assert response.status_code in (400, 422), (title, response.text)
        if response.status_code == 422:
            found = faults(answered(response, 422))
            assert pointer in ("", found[0][0]), (title, found)
        for response in (
            await admin.post(f"{TYPES}/standing/plan", json={"fields": fields}),
            await admin.patch(f"{TYPES}/standing", json={"fields": fields}, headers=ANY),
        ):
            assert response.status_code in (400, 422), (title, response.text)
    assert rows(database_url, "SELECT key, version FROM cms.content_types") == [("standing", 1)]
    assert answered(await admin.get(f"{TYPES}/standing"), 200) == standing
    assert rows(database_url, "SELECT * FROM cms.field_indexes") == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"null", 422), (b"[]", 422), (b'"x"', 422), (b'{"key": "\xff"}', 400),
        (b'{"key": "thing", "name": "\\u0000"}', 422), (b'{"key": "thing", "name": "\\ud800"}', 400),
        (b'{"key": "thing", "fields": ' + listed(5_000).encode() + b"}", 400),
        (b'{"key": "thing", "fields": [{"key": "a", "type": "number", "minimum": 1e999}]}', 400),
        (b'{"key": "thing", "fields": [{"key": "a", "type": "number", "minimum": NaN}]}', 400),
        (b'{"key": "thing", "nobody": 1}', 422), (b'{"key": "post"}', 422), (b'{"key": ["thing"]}', 422),
        (b'{"key": "thing", "description": "' + b"x" * 2_000_000 + b'"}', 413),
    ],
)  # fmt: skip
async def test_bodies_that_are_none(
    admin: httpx.AsyncClient, database_url: str, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await admin.post(TYPES, content=body, headers=headers)
    assert response.status_code in (status, 400, 422) if status != 413 else 413, response.text
    answered(response, response.status_code)
    assert rows(database_url, "SELECT * FROM cms.content_types") == []


async def test_bodies_of_other_kinds(admin: httpx.AsyncClient) -> None:
    answered(await admin.post(TYPES, json={"key": "thing", "fields": texts(1)}), 201)
    entry = await make(admin, "entries/thing", a0="x")
    one = f"{API}/entries/thing/{entry['id']}"
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
        headers = ANY | {"Content-Type": kind}
        for method, url in (("POST", TYPES), ("POST", f"{TYPES}/thing/plan"), ("PATCH", f"{TYPES}/thing"),
                            ("POST", f"{API}/entries/thing"), ("PATCH", one)):  # fmt: skip
            response = await admin.request(method, url, content=b'{"key": "x"}', headers=headers)
            answered(response, response.status_code)
            assert response.status_code in (400, 415), (method, url, kind, response.text)
    assert answered(await admin.get(one), 200) == entry


async def test_patterns_that_explode_elsewhere(admin: httpx.AsyncClient) -> None:
    for number, pattern in enumerate(("(a+)+", "(a|a)*", "(a|aa)+", "(.*a){20}")):
        fields = [{"key": "a", "type": "text", "pattern": pattern}]
        answered(await admin.post(TYPES, json={"key": f"t{number}", "fields": fields}), 201)
        response = await admin.post(f"{API}/entries/t{number}", json={"a": "a" * 9_000 + "!"})
        assert faults(answered(response, 422)) == [("/a", "pattern")]


async def test_values_that_are_hostile(admin: httpx.AsyncClient, database_url: str) -> None:
    fields = [
        {"key": "j", "type": "json"}, {"key": "n", "type": "number"}, {"key": "t", "type": "text"},
        {"key": "b", "type": "blocks", "variants": [{"key": "v", "fields": texts(1)}]},
    ]  # fmt: skip
    answered(await admin.post(TYPES, json={"key": "thing", "fields": fields}), 201)
    entry = await make(admin, "entries/thing", j={"a": 1}, slug="one")
    one, many = f"{API}/entries/thing/{entry['id']}", f"{API}/entries/thing"
    as_json = ANY | {"Content-Type": "application/json"}
    for depth in (120, 400, 900, 5_000):
        body = f'{{"j": {listed(depth)}}}'.encode()
        for response in (
            await admin.post(many, content=body, headers=as_json),
            await admin.patch(one, content=body, headers=as_json),
            await admin.patch(
                one, content=b'{"j": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}", headers=as_json
            ),
        ):
            assert response.status_code in (400, 422), (depth, response.text)
    for body in (b'{"n": 1e400}', b'{"n": NaN}', b'{"t": "\\u0000"}', b'{"t": "\xc3"}', b'{"b": [[[]]]}',
                 b'{"b": {"type": "v"}}', b'{"b": [{"type": ["v"]}]}', b'{"b": [{"type": "v", "id": 1}]}',
                 b'{"id": "x"}', b'{"withheld": []}', b'{"status": "published"}', b'{"__proto__": {}}'):  # fmt: skip
        for response in (
            await admin.post(many, content=body, headers=as_json),
            await admin.patch(one, content=body, headers=as_json),
        ):
            assert response.status_code in (400, 422), (body, response.text)
            answered(response, response.status_code)
    assert answered(await admin.get(one), 200) == entry
    assert rows(database_url, "SELECT count(*) FROM cms.documents") == [(1,)]


async def test_json_patches_that_are_hostile(admin: httpx.AsyncClient) -> None:
    fields = [{"key": "j", "type": "json"}, {"key": "t", "type": "text"}]
    answered(await admin.post(TYPES, json={"key": "thing", "fields": fields}), 201)
    entry = await make(admin, "entries/thing", j={"a": 1})
    one = f"{API}/entries/thing/{entry['id']}"
    doubling = [{"op": "copy", "from": "/j", "path": f"/j/x{n}"} for n in range(60)]
    deeper = [{"op": "add", "path": "/j" + "/a" * n, "value": {}} for n in range(1, 300)]
    inwards = [{"op": "copy", "from": "/j", "path": "/j" + "/a" * n} for n in range(1, 90)]
    for operations in (
        doubling, deeper, inwards,
        [{"op": "test", "path": "/j" + "/a" * 50_000, "value": 1}],
        [{"op": "add", "path": "/t", "value": "x"}] * 15_000 + [{"op": "remove", "path": "/nobody"}],
        [{"op": "add", "path": "", "value": []}], [{"op": "remove", "path": ""}],
        [{"op": "move", "from": "", "path": "/j"}], [{"op": "copy", "from": "", "path": "/slug"}],
        [{"op": "replace", "path": "/id", "value": "x"}], [{"op": "add", "path": "/__class__", "value": 1}],
        [{"op": "add", "path": "/j/a/b", "value": 1}], [{"op": "evil", "path": "/j"}], [{"op": "add"}], [1], [[]],
    ):  # fmt: skip
        content = json.dumps(operations).encode()
        response = await admin.patch(one, content=content, headers=PATCH)
        assert response.status_code in (400, 413, 422), (content[:100], response.text)
        answered(response, response.status_code)
    assert answered(await admin.get(one), 200) == entry


async def test_a_type_that_is_being_deleted_and_others_that_are_not_there(admin: httpx.AsyncClient) -> None:
    answered(await admin.post(TYPES, json={"key": "place", "fields": texts(1)}), 201)
    place = await make(admin, "entries/place", a0="x")
    to = {"key": "to", "type": "reference", "types": ["place"]}
    answered(await admin.post(TYPES, json={"key": "thing", "fields": [to]}), 201)
    answered(await admin.delete(f"{TYPES}/place", headers=ANY), 409, "content_type_in_use")
    answered(await admin.delete(f"{TYPES}/nobody", headers=ANY), 404, "content_type_not_found")
    for key in ("nobody", "a" * 5_000, "..%2f..", "%00", "%ff"):
        for method, url in (("GET", f"{TYPES}/{key}"), ("GET", f"{API}/entries/{key}"),
                            ("POST", f"{TYPES}/{key}/migrate")):  # fmt: skip
            response = await admin.request(method, url, headers=ANY)
            assert response.status_code in (400, 404, 405, 414), (url[:60], response.text)
    assert answered(await admin.get(f"{API}/entries/place/{place['id']}"), 200) == place

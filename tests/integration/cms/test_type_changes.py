"""Types that change and change again: what no plan has named stays as it was, for editors and readers."""

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    at,
    change,
    do,
    items,
    make,
    published,
    rows,
    settle,
)

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.content_types.fields import MarkdownField
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.kernel.actor import SYSTEM

ENOUGH = 15
FIELDS: list[dict[str, Any]] = [
    {"key": "title", "type": "text"},
    {"key": "code", "type": "text"},
    {"key": "seats", "type": "number"},
    {"key": "open", "type": "boolean"},
    {"key": "day", "type": "date"},
    {"key": "notes", "type": "markdown"},
    {"key": "where", "type": "group", "fields": [
        {"key": "street", "type": "text"}, {"key": "number", "type": "number"}]},
    {"key": "tags", "type": "list", "of": {"type": "text"}},
    {"key": "parts", "type": "blocks", "variants": [
        {"key": "words", "fields": [{"key": "body", "type": "text"}]},
        {"key": "figure", "fields": [{"key": "size", "type": "number"}]}]},
]  # fmt: skip
VALUES: list[dict[str, Any]] = [
    {"title": "One", "code": "12", "seats": 3, "open": True, "day": "2026-01-02", "notes": "*a*",
     "where": {"street": "Long road", "number": 7}, "tags": ["a", "long tag"],
     "parts": [{"type": "words", "body": "Hello"}, {"type": "figure", "size": 4}]},
    {"title": "A very long title", "code": "x y", "seats": 2.5, "open": False, "tags": [],
     "parts": [{"type": "figure", "size": 900}]},
    {"title": "Three", "code": "true", "seats": 1000, "where": {"street": "S"}},
    {"title": "Four"},
]  # fmt: skip
Look = Callable[..., Awaitable[list[dict[str, Any]]]]
Drain = Callable[[], Awaitable[None]]


@pytest.fixture
def drain(application: Application) -> Drain:
    """Does the migration that is under way to its end, as a worker would."""

    async def run() -> None:
        parts = application.container
        handler = parts.cms.migration_handler()
        record = await parts.cms.type_queries().get("thing")
        assert record is not None
        if record.migration_id is None:
            return
        await parts.jobs.runner(handlers={handler.kind: handler}).run(
            UUID(str(record.migration_id)), asyncio.Event()
        )
        job = await parts.jobs.jobs().get(SYSTEM, record.migration_id)
        assert job.state == "succeeded", job

    return run


@pytest.fixture
def seen(admin: httpx.AsyncClient, application: Application, database_url: str) -> Look:
    """What editors see of each entry, and what its live copy says."""

    async def look(ids: list[str]) -> list[dict[str, Any]]:
        kind: Any = await application.container.cms.types().kind("thing")
        found = []
        for one in ids:
            draft = answered(await admin.get(f"{API}/entries/thing/{one}"), 200)
            async with application.unit_of_work() as uow:
                live = await uow.repository(DocumentRepository).snapshot(kind, UUID(one))
            content = None if live is None else msgspec.to_builtins(live.content.told())
            found.append({"draft": draft, "live": content})
            if live is not None:
                [(public,)] = rows(
                    database_url, "SELECT fields FROM cms.publications WHERE document_id = %s", [one]
                )
                markup = {field.id for field in kind.definition.fields if isinstance(field, MarkdownField)}
                stored = {field.id: live.content.fields.get(field.id) for field in kind.definition.fields}
                del public["seo"]
                assert {k: v for k, v in public.items() if k not in markup} == {
                    k: v for k, v in stored.items() if v is not None and k not in markup
                }
        return found

    return look


def by_id(fields: list[dict[str, Any]], shown: dict[str, Any]) -> dict[str, Any]:
    """An entry's values by the ids of fields, at every depth: renaming leaves them as they are."""
    return {one["id"]: named(one, value) for one in fields if (value := shown.get(one["key"])) is not None}


def named(field: dict[str, Any], value: Any) -> Any:
    match field["type"]:
        case "group":
            return by_id(field["fields"], value)
        case "blocks":
            kinds = {one["key"]: one for one in field["variants"]}
            return [
                {
                    "id": one["id"],
                    "type": kinds[one["type"]]["id"],
                    **by_id(kinds[one["type"]]["fields"], one),
                }
                for one in value
            ]
        case _:
            return value


def changed(chance: random.Random, fields: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The fields after a random change."""
    fields = copy.deepcopy(fields)
    one = chance.choice(fields)
    match chance.choice(
        ("rename", "add", "required", "remove", "narrow", "type", "order", "inside", "inside")
    ):
        case "rename":
            one["key"] = f"field_{number}"
        case "add":
            fields.append({"key": f"new_{number}", "type": chance.choice(("text", "number", "boolean"))})
        case "required":
            fields.append({"key": f"must_{number}", "type": "text", "required": True, "default": "D"})
        case "remove" if len(fields) > 3:
            fields.remove(one)
        case "narrow":
            limits = {"text": ("max_length", 4), "number": ("maximum", 10), "list": ("max_items", 1)}
            if one["type"] in limits:
                name, most = limits[one["type"]]
                one[name] = chance.choice((most, 10_000 if name == "max_length" else 1_000))
        case "type" if one["type"] in ("text", "number", "boolean", "date"):
            new = chance.choice(("text", "number", "boolean", "markdown"))
            one = {"key": one["key"], "id": one["id"], "type": new}
            fields = [one if field["id"] == one["id"] else field for field in fields]
        case "order":
            chance.shuffle(fields)
        case "inside":
            inside(chance, fields, number)
    return fields


def inside(chance: random.Random, fields: list[dict[str, Any]], number: int) -> None:
    for field in fields:
        if field["type"] == "group":
            part = chance.choice(field["fields"])
            if part["type"] == "number" and chance.random() < 0.5:
                field["fields"][field["fields"].index(part)] = {k: part[k] for k in ("key", "id")} | {
                    "type": "text"
                }
            elif len(field["fields"]) > 1 and chance.random() < 0.3:
                field["fields"].remove(part)
            else:
                part["key"] = f"part_{number}"
            field["fields"].append({"key": f"more_{number}", "type": "text"})
            if len(field["fields"]) > 4:
                field["fields"].pop()
        if field["type"] == "blocks" and chance.random() < 0.6:
            kind = chance.choice(field["variants"])
            if len(field["variants"]) > 1 and chance.random() < 0.3:
                field["variants"].remove(kind)
            else:
                kind["key"] = f"kind_{number}"
                kind["fields"][0]["key"] = f"inner_{number}"


def differing(before: dict[str, Any] | None, after: dict[str, Any] | None) -> set[str]:
    if before is None or after is None:
        assert before is after
        return set()
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


async def thing(admin: httpx.AsyncClient, *fields: dict[str, Any]) -> dict[str, Any]:
    return answered(await admin.post(f"{API}/content-types", json={"key": "thing", "fields": fields}), 201)


async def became(admin: httpx.AsyncClient, field: dict[str, Any], **new: Any) -> dict[str, Any]:
    """The answer to a change of the only field."""
    body = {"fields": [{"key": field["key"], "id": field["id"], **new}]}
    response = await admin.patch(f"{API}/content-types/thing", json=body, headers=ANY)
    return answered(response, 200)


async def read(client: httpx.AsyncClient, query: str = "") -> list[Any]:
    return [one["a"] for one in await items(client, f"{CONTENT}/entries/thing?{query}")]


async def test_what_a_type_was_page_by_page(admin: httpx.AsyncClient) -> None:
    made = await thing(admin, {"key": "a", "type": "text"})
    for length in (10, 20):
        await became(admin, made["fields"][0], type="text", max_length=length)
    url = f"{API}/content-types/thing/revisions"
    whole = answered(await admin.get(f"{url}?count=exact"), 200)
    assert ([one["version"] for one in whole["items"]], whole["count"]) == ([3, 2, 1], 3)
    first = answered(await admin.get(f"{url}?limit=2"), 200)
    last = answered(await admin.get(f"{url}?limit=2&after={first['page']['next']}"), 200)
    assert (first["items"] + last["items"], last["page"]["next"]) == (whole["items"], None)
    asked = {"filter": {"version": {"gte": 2}}, "sort": ["created_at"], "fields": ["version"]}
    told = answered(await admin.post(f"{url}/query", json=asked), 200)
    assert told["items"] == [{"version": 2}, {"version": 3}]
    answered(await admin.get(f"{API}/content-types/nothing/revisions"), 404)


async def test_readers_get_the_new_form_at_once(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, drain: Drain
) -> None:
    made = await thing(admin, {"key": "a", "type": "text"})
    for value in ("12", "7"):
        await published(admin, "entries/thing", a=value)
    assert await read(client, "sort=a") == ["12", "7"]
    done = await became(admin, made["fields"][0], type="number")
    assert done["job"]["state"] == "queued"
    for _ in range(2):
        assert await read(client, "sort=a") == [7, 12]
        assert await read(client, "filter[a][gt]=8") == [12]
        assert [one["a"] for one in await items(admin, f"{API}/entries/thing?filter[a][gt]=8")] == [12]
        await drain()


async def test_texts_that_become_markup_are_made_safe_at_once(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    made = await thing(admin, {"key": "a", "type": "text"})
    other = await make(admin, "tags", name="Ant")
    text = f'<script>alert(1)</script><a href="cms://tag/{other["id"]}">x</a>'
    entry = await published(admin, "entries/thing", a=text)
    assert await read(client) == [text]
    done = await became(admin, made["fields"][0], type="rich_text")
    assert done["job"] is None
    assert "<script" not in (await read(client))[0]
    assert answered(await admin.get(f"{API}/entries/thing/{entry['id']}"), 200)["a"] == text
    links = rows(database_url, "SELECT is_live, pointer FROM cms.links WHERE target_id = %s", [other["id"]])
    assert sorted(links) == [(False, "/a"), (True, "/a")]
    await became(admin, made["fields"][0], type="json")
    assert await read(client) == [text]
    assert rows(database_url, "SELECT * FROM cms.links WHERE field <> 'authors'") == []


async def test_pointers_are_renamed(admin: httpx.AsyncClient, database_url: str) -> None:
    to = {"key": "to", "type": "references", "types": ["thing"]}
    parts = {"key": "parts", "type": "blocks", "variants": [{"key": "list", "fields": [to]}]}
    made = await thing(admin, parts)
    one, two = [await make(admin, "entries/thing") for _ in range(2)]
    targets = [one["id"], two["id"]]
    block = {"type": "list", "to": targets}
    await published(admin, "entries/thing", parts=[{"type": "list", "to": []}, block])
    [field] = made["fields"]
    field["key"] = "sections"
    field["variants"][0]["fields"][0]["key"] = "links"
    response = await admin.patch(f"{API}/content-types/thing", json={"fields": [field]}, headers=ANY)
    assert answered(response, 200)["job"] is None
    found = rows(
        database_url, "SELECT is_live, pointer FROM cms.links WHERE field <> 'authors' ORDER BY 1, 2"
    )
    assert found == [
        (is_live, f"/sections/1/links/{place}") for is_live in (False, True) for place in range(2)
    ]


async def test_a_migration_that_ended_early_is_started_again(admin: httpx.AsyncClient, drain: Drain) -> None:
    made = await thing(admin, {"key": "a", "type": "text"})
    entry = await make(admin, "entries/thing", a="12")
    url, field = f"{API}/content-types/thing", made["fields"][0]
    answered(await admin.post(f"{url}/migrate", headers=ANY), 409, "nothing_to_migrate")
    job = (await became(admin, field, type="number"))["job"]
    running = answered(await admin.post(f"{url}/migrate", headers=ANY), 409, "content_type_migrating")
    assert (running["job_id"], running["is_over"]) == (job["id"], False)
    answered(await admin.post(f"{API}/jobs/{job['id']}/cancel", headers=ANY), 200)
    body = {"fields": [field]}
    over = answered(await admin.patch(url, json=body, headers=ANY), 409, "content_type_migrating")
    assert (over["job_id"], over["is_over"]) == (job["id"], True)
    assert answered(await admin.get(f"{API}/entries/thing/{entry['id']}"), 200)["a"] == 12
    answered(await admin.post(f"{url}/migrate", headers=at(1)), 412)
    response = await admin.post(f"{url}/migrate", headers=at(2))
    again = answered(response, 202)
    assert response.headers["location"] == f"{API}/jobs/{again['id']}"
    assert answered(await admin.get(url), 200)["migration"] == again["id"]
    await drain()
    assert answered(await admin.get(url), 200)["migration"] is None
    answered(await admin.patch(url, json=body, headers=ANY), 200)


async def test_values_that_become_equal_in_a_unique_field(
    admin: httpx.AsyncClient, application: Application
) -> None:
    made = await thing(admin, {"key": "a", "type": "text", "unique": True})
    await settle(application, "thing")
    for value in ("12", "12.0"):
        await make(admin, "entries/thing", a=value)
    body = {"fields": [{"key": "a", "id": made["fields"][0]["id"], "type": "number", "unique": True}],
            "resolutions": {"a": "convert"}}  # fmt: skip
    response = await admin.patch(f"{API}/content-types/thing", json=body, headers=ANY)
    assert answered(response, 409, "value_taken")["field"] == "a"
    assert sorted(one["a"] for one in await items(admin, f"{API}/entries/thing")) == ["12", "12.0"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_chain_of_changes(admin: httpx.AsyncClient, seen: Look, drain: Drain, seed: int) -> None:
    chance = random.Random(seed)
    kind = answered(await admin.post(f"{API}/content-types", json={"key": "thing", "fields": FIELDS}), 201)
    entries = [await make(admin, "entries/thing", **values) for values in VALUES]
    for one in entries[:3]:
        await do(admin, "entries/thing", one, "publish")
    await change(admin, "entries/thing", entries[0], title="Another", seats=77, code="7", parts=[])
    await change(admin, "entries/thing", entries[1], code=None, tags=["one", "two"])
    ids, url = [one["id"] for one in entries], f"{API}/content-types/thing"
    number, applied = 0, 0
    while applied < ENOUGH and number < 150:
        number += 1
        before, old = await seen(ids), kind["fields"]
        body: dict[str, Any] = {"fields": changed(chance, old, number)}
        response = await admin.post(f"{url}/plan", json=body)
        if response.status_code == 422:  # such a type can't become that one
            answered(await admin.patch(url, json=body, headers=at(kind["version"])), 422)
            assert await seen(ids) == before
            continue
        plan = answered(response, 200)
        open_steps = [one for one in plan["changes"] if not one["is_safe"]]
        if open_steps and all(one["resolutions"] for one in open_steps) and chance.random() < 0.8:
            body["resolutions"] = {
                one["field"]: chance.choice(one["resolutions"]) for one in reversed(open_steps)
            }
            plan = answered(await admin.post(f"{url}/plan", json=body), 200)
        assert await seen(ids) == before, "a plan changes nothing"
        response = await admin.patch(url, json=body, headers=at(kind["version"]))
        if not plan["is_applicable"]:
            if response.json()["code"] != "content_type_migrating":
                assert answered(response, 409, "unsafe_change")["plan"] == plan
            assert await seen(ids) == before
            continue
        if response.status_code == 409:
            answered(response, 409, "content_type_migrating")
            await drain()
            kind = answered(await admin.get(url), 200)
            assert same(kind["fields"], before, await seen(ids))
            continue
        kind = answered(response, 200)["type"]
        assert answered(response, 200)["plan"] == plan
        applied += 1
        check(plan, old, kind["fields"], ids, before, await seen(ids))
        if chance.random() < 0.5:
            now = await seen(ids)
            await drain()
            kind = answered(await admin.get(url), 200)
            assert same(kind["fields"], now, await seen(ids)), "following shows nothing new"
    assert applied == ENOUGH


def same(fields: list[dict[str, Any]], before: list[dict[str, Any]], after: list[dict[str, Any]]) -> bool:
    """Whether two looks at the entries are the same but for versions."""

    def values(look: list[dict[str, Any]]) -> list[Any]:
        return [[None if face is None else by_id(fields, face) for face in one.values()] for one in look]

    return values(before) == values(after)


def check(
    plan: dict[str, Any],
    old: list[dict[str, Any]],
    new: list[dict[str, Any]],
    ids: list[str],
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
) -> None:
    """Values differ where the plan says so, in as many documents, and nowhere else."""
    names = {one["key"]: one["id"] for one in (*old, *new)} | {one["key"]: one["id"] for one in new}
    steps = [
        one for one in plan["changes"] if one["action"] in ("drop_values", "convert_values", "fill_values")
    ]
    for face, count in (("draft", "drafts"), ("live", "live")):
        touched: dict[str, set[str]] = {}
        for one, was, is_ in zip(ids, before, after, strict=True):
            values = [None if look[face] is None else look[face] for look in (was, is_)]
            if values[0] is None or values[1] is None:
                assert values[0] is values[1]
                continue
            for name in differing(by_id(old, values[0]), by_id(new, values[1])):
                touched.setdefault(name, set()).add(one)
        expected: dict[str, int] = {}
        for step in steps:
            assert set(step["examples"]) <= set(ids)
            if step[count]:
                expected[names[step["field"]]] = expected.get(names[step["field"]], 0) + step[count]
        assert {name: len(them) for name, them in touched.items()} == expected, (face, plan)

"""Types that change and change again: what no plan has named stays as it was, for editors and readers."""

import asyncio
import copy
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from tests.integration.cms.cms_client import API, answered, at, change, do, make, rows

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.content_types.fields import MarkdownField
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.kernel.actor import SYSTEM

SECONDS = 12
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

    async def look(ids: list[str], *, is_followed: bool = False) -> list[dict[str, Any]]:
        kind: Any = await application.container.cms.types().kind("thing")
        found = []
        for one in ids:
            draft = answered(await admin.get(f"{API}/entries/thing/{one}"), 200)
            async with application.unit_of_work() as uow:
                live = await uow.repository(DocumentRepository).snapshot(kind, UUID(one))
            content = None if live is None else msgspec.to_builtins(live.content.told())
            found.append({"draft": draft, "live": content})
            if live is not None and is_followed:
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
    number, applied, ends = 0, 0, time.monotonic() + SECONDS
    while time.monotonic() < ends and number < 150:
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
            assert same(kind["fields"], now, await seen(ids, is_followed=True)), "following shows nothing new"
    assert applied > 10


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

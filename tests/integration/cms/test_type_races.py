"""Content types that several clients use and change at the same time."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from tests.integration.cms.cms_client import ANY, API, answered, at, change, items, make, remove, settle

from cms_api.bootstrap.container import Application

TYPES = f"{API}/content-types"
CODE = {"key": "code", "type": "text", "unique": True}


async def model(client: httpx.AsyncClient, key: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return answered(await client.post(TYPES, json={"key": key, "fields": fields}), 201)


async def test_two_changes_of_one_version(admin: httpx.AsyncClient) -> None:
    made = await model(admin, "thing", {"key": "a", "type": "text"})
    bodies = [{"fields": [*made["fields"], {"key": key, "type": "text"}]} for key in ("b", "c")]
    answers = await asyncio.gather(
        *(admin.patch(f"{TYPES}/thing", json=body, headers=at(1)) for body in bodies)
    )
    assert sorted(one.status_code for one in answers) == [200, 412]


@pytest.mark.parametrize("attempt", range(3))
async def test_a_type_goes_while_another_names_it(admin: httpx.AsyncClient, attempt: int) -> None:
    del attempt
    await model(admin, "place", {"key": "name", "type": "text"})
    body = {"key": "event", "fields": [{"key": "place", "type": "reference", "types": ["place"]}]}
    gone, made = await asyncio.gather(
        admin.delete(f"{TYPES}/place", headers=ANY), admin.post(TYPES, json=body)
    )
    assert (gone.status_code, made.status_code) in ((204, 422), (409, 201)), (gone.text, made.text)


@pytest.mark.parametrize("attempt", range(3))
async def test_a_type_goes_while_an_entry_of_it_is_made(admin: httpx.AsyncClient, attempt: int) -> None:
    del attempt
    await model(admin, "place", {"key": "name", "type": "text"})
    gone, *made = await asyncio.gather(
        admin.delete(f"{TYPES}/place", headers=ANY),
        *(admin.post(f"{API}/entries/place", json={"name": f"x{n}"}) for n in range(3)),
    )
    statuses = {one.status_code for one in made}
    if gone.status_code == 204:
        assert statuses <= {404, 409}, [one.text for one in made]
    else:
        answered(gone, 409, "content_type_in_use")
        assert statuses == {201}, [one.text for one in made]


async def test_entries_are_made_while_their_type_changes(admin: httpx.AsyncClient) -> None:
    made = await model(admin, "thing", {"key": "a", "type": "text"})
    fields = [made["fields"][0] | {"key": "b"}]
    answers = await asyncio.gather(
        *(admin.post(f"{API}/entries/thing", json={"a": "x"}) for _ in range(4)),
        admin.patch(f"{TYPES}/thing", json={"fields": fields}, headers=at(1)),
        *(admin.post(f"{API}/entries/thing", json={"a": "x"}) for _ in range(4)),
    )
    assert answers[4].status_code == 200
    for one in answers:
        if one.status_code == 409:
            answered(one, 409, "content_type_changed")
        else:
            assert one.status_code in (200, 201, 422), one.text
    found = await items(admin, f"{API}/entries/thing")
    assert [one["b"] for one in found] == ["x"] * sum(one.status_code == 201 for one in answers)


@pytest.mark.parametrize("is_built", [False, True])
async def test_a_value_is_had_once(
    admin: httpx.AsyncClient, application: Application, *, is_built: bool
) -> None:
    await model(admin, "thing", CODE)
    if is_built:
        await settle(application, "thing")
    state = answered(await admin.get(f"{TYPES}/thing"), 200)["indexes"][0]["state"]
    assert state == ("ready" if is_built else "pending")
    answers = await asyncio.gather(
        *(admin.post(f"{API}/entries/thing", json={"code": "x"}) for _ in range(4))
    )
    assert Counter(one.status_code for one in answers) == {201: 1, 409: 3}
    for one in answers:
        if one.status_code == 409:
            assert answered(one, 409, "value_taken")["field"] == "code"
    other = await make(admin, "entries/thing", code="y")
    wrong = await admin.patch(f"{API}/entries/thing/{other['id']}", json={"code": "x"}, headers=ANY)
    answered(wrong, 409, "value_taken")
    first = next(one.json() for one in answers if one.status_code == 201)
    await remove(admin, "entries/thing", first)
    await change(admin, "entries/thing", other, code="x")


async def test_an_index_that_can_not_be_built(
    admin: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    import psycopg  # noqa: PLC0415

    made = await model(admin, "thing", CODE)
    field = made["fields"][0]["id"]
    first, second = [await make(admin, "entries/thing", code=code) for code in "xy"]
    with psycopg.connect(database_url) as connection:
        # What the application would not have let in.
        connection.execute(
            "UPDATE cms.documents SET fields = jsonb_build_object(%s::text, 'x') WHERE id = %s",
            (field, second["id"]),
        )
    await settle(application, "thing")
    [index] = answered(await admin.get(f"{TYPES}/thing"), 200)["indexes"]
    assert (index["field"], index["state"], index["detail"]) == (
        "code", "failed", "Some documents share a value.",
    )  # fmt: skip
    answered(await admin.post(f"{API}/entries/thing", json={"code": "x"}), 409, "value_taken")
    await remove(admin, "entries/thing", first)
    await settle(application, "thing")
    [index] = answered(await admin.get(f"{TYPES}/thing"), 200)["indexes"]
    assert (index["state"], index["detail"]) == ("ready", None)


async def test_types_whose_fields_have_the_same_ids(
    admin: httpx.AsyncClient, application: Application
) -> None:
    for key in ("one", "two"):
        await model(admin, key, CODE | {"id": "aaaaaaaaa1"})
        await settle(application, key)
    for key in ("one", "two"):
        [index] = answered(await admin.get(f"{TYPES}/{key}"), 200)["indexes"]
        assert index["state"] == "ready"
        await make(admin, f"entries/{key}", code="x")
        answered(await admin.post(f"{API}/entries/{key}", json={"code": "x"}), 409, "value_taken")


async def test_going_back_to_what_the_type_does_not_take_any_more(
    admin: httpx.AsyncClient, application: Application
) -> None:
    made = await model(admin, "thing", {"key": "a", "type": "text"})
    entry = await make(admin, "entries/thing", a="words")
    url = f"{API}/entries/thing/{entry['id']}"
    await change(admin, "entries/thing", entry, a="12")
    field = {"key": "a", "id": made["fields"][0]["id"], "type": "number"}
    response = await admin.patch(f"{TYPES}/thing", json={"fields": [field]}, headers=at(1))
    job = answered(response, 200)["job"]
    parts = application.container
    handler = parts.cms.migration_handler()
    await parts.jobs.runner(handlers={handler.kind: handler}).run(job["id"], asyncio.Event())
    revisions = await items(admin, f"{url}/revisions")
    response = await admin.post(f"{url}/revisions/{revisions[-1]['id']}/restore", headers=ANY)
    problem = answered(response, 422)
    assert [one["pointer"] for one in problem["errors"]] == ["/a"]
    assert answered(await admin.get(url), 200)["a"] == 12

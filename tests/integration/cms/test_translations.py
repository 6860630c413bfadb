"""What translations share, and whom that asks for permission."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.integration.cms.cms_client import (
    ANY,
    API,
    answered,
    at,
    change,
    do,
    faults,
    items,
    make,
    remove,
    rows,
)
from tests.integration.cms.workflow_client import turn
from tests.integration.http.asking import upload

from cms_api.settings import Settings

NOTES = "entries/note"
NOTE = {
    "key": "note",
    "fields": [
        {"key": "name", "type": "text", "required": True, "localised": True},
        {"key": "text", "type": "text"},
        {"key": "seats", "type": "number"},
        {"key": "salary", "type": "number", "visibility": "restricted"},
        {"key": "scan", "type": "media", "visibility": "restricted"},
    ],
}


@pytest.fixture(autouse=True)
async def note(admin: httpx.AsyncClient) -> None:
    """The type of all entries here."""
    answered(await admin.post(f"{API}/content-types", json=NOTE), 201)


@pytest.fixture
async def author(user_client: Callable[..., Any]) -> httpx.AsyncClient:
    """Somebody who changes her own documents only, and doesn't see what is restricted."""
    client: httpx.AsyncClient = await user_client("author")
    return client


async def translate(client: httpx.AsyncClient, one: dict[str, Any], locale: str = "fr") -> dict[str, Any]:
    """A new translation of an entry."""
    url = f"{API}/{NOTES}/{one['id']}/translations"
    return answered(await client.post(url, json={"locale": locale}, headers=ANY), 201)


async def show(client: httpx.AsyncClient, one: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Some of what an entry says now."""
    seen = answered(await client.get(f"{API}/{NOTES}/{one['id']}"), 200)
    return tuple(seen[name] for name in names)


async def patch(client: httpx.AsyncClient, one: dict[str, Any], **values: Any) -> httpx.Response:
    """Try to change an entry, whatever its version."""
    return await client.patch(f"{API}/{NOTES}/{one['id']}", json=values, headers=ANY)


async def restore(client: httpx.AsyncClient, one: dict[str, Any], query: str = "") -> httpx.Response:
    """Try to go back to what an entry said when ``one`` was shown."""
    url = f"{API}/{NOTES}/{one['id']}/revisions/{one['draft_revision']}/restore{query}"
    return await client.post(url, headers=ANY)


def told(refused: dict[str, Any]) -> str:
    """Why something is forbidden."""
    detail: str = refused["detail"]
    return detail


async def test_who_translates_changes_nothing_shared_in_documents_of_others(
    admin: httpx.AsyncClient, author: httpx.AsyncClient
) -> None:
    one = await make(admin, NOTES, name="Chair", text="Old", salary=10)
    answered(await patch(author, one, text="New"), 403, "forbidden")
    french = await translate(author, one)
    assert (french["text"], "salary" in french, french["withheld"]) == ("Old", False, ["salary", "scan"])
    refused = answered(await patch(author, french, text="New", seats=3, name="Chaise"), 403, "forbidden")
    assert told(refused) == "Translations that you may not change share “text”, “seats”."
    for entry in (one, french):
        assert await show(admin, entry, "name", "text", "seats", "version") == ("Chair", "Old", None, 1)
    await change(author, NOTES, french, name="Chaise", text="Old")
    assert await show(admin, french, "name", "text", "salary") == ("Chaise", "Old", 10)
    assert await show(admin, one, "name", "version") == ("Chair", 1)


async def test_shared_fields_change_in_all_that_one_may_change(
    admin: httpx.AsyncClient, author: httpx.AsyncClient
) -> None:
    me = answered(await author.get(f"{API}/auth/me"), 200)["user"]["id"]
    one = await make(admin, NOTES, name="Chair", text="Old", salary=10)
    french = await translate(author, one)
    german = await translate(admin, one, "de")
    hers = (await make(author, NOTES, name="Own"))["authors"]
    await change(admin, NOTES, one, authors=hers)
    answered(await patch(author, french, text="New"), 403, "forbidden")
    await change(admin, NOTES, german, authors=hers)
    await change(author, NOTES, french, text="New")
    for entry in (one, french, german):
        assert await show(admin, entry, "text", "salary") == ("New", 10)
        (newest, *_) = await items(admin, f"{API}/{NOTES}/{entry['id']}/revisions")
        assert (newest["changed"], newest["created_by"]) == (["text"], me)
    response = await admin.patch(f"{API}/{NOTES}/{one['id']}", json={"text": "Late"}, headers=at(2))
    assert answered(response, 412)["changed_fields"] == ["text"]


async def test_what_was_not_changed_is_not_shared(
    admin: httpx.AsyncClient, author: httpx.AsyncClient
) -> None:
    one = await make(author, NOTES, name="Chair", text="Old")
    french = await translate(author, one)
    await do(author, NOTES, french, "archive")
    await change(admin, NOTES, one, text="New", salary=20)
    assert await show(admin, french, "text", "salary") == ("Old", None)
    await do(author, NOTES, french, "unarchive")
    await change(author, NOTES, french, seats=3, name="Chaise")
    assert await show(admin, one, "text", "salary", "seats") == ("New", 20, 3)
    await remove(author, NOTES, french)
    await change(author, NOTES, one, seats=4)
    assert await show(admin, french, "seats") == (3,)


async def test_a_translation_that_gets_shared_values_was_edited(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], settings: Settings
) -> None:
    await turn(admin, on=True, kind="note")
    editor = await user_client("editor")
    one = await make(admin, NOTES, name="Chair", text="Old")
    for stage in ("in_review", "approved"):
        url = f"{API}/{NOTES}/{one['id']}/move"
        answered(await admin.post(url, json={"stage": stage}, headers=ANY), 200)
    french = await translate(editor, one)
    await change(editor, NOTES, french, name="Chaise")
    assert await show(admin, one, "stage", "version") == ("approved", 3)
    await change(editor, NOTES, french, text="New")
    assert await show(admin, one, "stage", "version", "text") == ("draft", 4, "New")
    answered(await editor.post(f"{API}/{NOTES}/{one['id']}/publish", headers=ANY), 409, "not_approved")
    statement = "SELECT stage, state FROM cms.tasks WHERE document_id = %s ORDER BY created_at, id"
    assert rows(settings.database_url, statement, [one["id"]])[-2:] == [
        ("approved", "cancelled"),
        ("draft", "open"),
    ]


async def test_a_restored_revision_is_shared(admin: httpx.AsyncClient, author: httpx.AsyncClient) -> None:
    one = await make(admin, NOTES, name="Chair", text="Old", seats=1)
    french = await translate(author, one)
    chaise = await change(author, NOTES, french, name="Chaise")
    await change(admin, NOTES, one, text="New", name="Seat")
    refused = answered(await restore(author, chaise), 403, "forbidden")
    assert told(refused) == "Translations that you may not change share “text”."
    assert await show(admin, french, "text") == ("New",)
    answered(await restore(admin, one), 200)
    assert await show(admin, one, "name", "text") == ("Chair", "Old")
    assert await show(admin, french, "name", "text", "seats") == ("Chaise", "Old", 1)
    # What is the same by now changes in no other document.
    answered(await restore(author, french), 200)
    assert await show(admin, french, "name") == ("Chair",)


async def test_going_back_leaves_what_one_may_not_see(
    admin: httpx.AsyncClient, author: httpx.AsyncClient
) -> None:
    gone, kept = await upload(admin), await upload(admin)
    one = await make(author, NOTES, name="Chair", text="Old")
    first = await change(admin, NOTES, one, salary=10, scan=gone["id"])
    french = await translate(author, one)
    await change(admin, NOTES, one, salary=20, scan=kept["id"])
    second = await change(author, NOTES, one, text="New")
    await remove(admin, "media", gone)
    assert faults(answered(await restore(admin, first), 422)) == [("/scan", "unknown_reference")]
    for query in ("", "?missing=drop"):
        back = answered(await restore(author, first, query), 200)
        assert (back["text"], back["withheld"]) == ("Old", ["salary", "scan"])
        for entry in (one, french):
            assert await show(admin, entry, "text", "salary", "scan") == ("Old", 20, kept["id"])
        answered(await restore(author, second), 200)
    # Whoever sees them goes back in them, too.
    answered(await restore(admin, first, "?missing=drop"), 200)
    for entry in (one, french):
        assert await show(admin, entry, "text", "salary", "scan") == ("Old", 10, None)


async def test_going_back_to_before_a_restricted_value_keeps_it(
    admin: httpx.AsyncClient, author: httpx.AsyncClient
) -> None:
    one = await make(author, NOTES, name="Chair")
    await change(admin, NOTES, one, salary=10)
    assert answered(await restore(author, one), 200)["version"] == 2
    assert await show(admin, one, "salary") == (10,)


async def batch(client: httpx.AsyncClient, *operations: tuple[dict[str, Any], dict[str, Any]]) -> list[int]:
    """The statuses of several changes in one request, each done by itself."""
    asked = [
        {"action": "update", "type": "note", "id": one["id"], "if_match": "*", "data": values}
        for one, values in operations
    ]
    response = await client.post(f"{API}/batch", json={"atomic": False, "operations": asked})
    return [result["status"] for result in answered(response, 200)["results"]]


async def test_a_change_that_is_refused_changes_nothing_in_a_batch_either(
    admin: httpx.AsyncClient, author: httpx.AsyncClient
) -> None:
    one = await make(admin, NOTES, name="Chair", text="Old")
    french = await translate(author, one)
    assert await batch(author, (french, {"text": "New"}), (french, {"name": "Chaise"})) == [403, 200]
    assert await show(admin, french, "name", "text", "version") == ("Chaise", "Old", 2)
    assert await show(admin, one, "text", "version") == ("Old", 1)


async def test_translations_are_changed_at_once(admin: httpx.AsyncClient) -> None:
    one = await make(admin, NOTES, name="Chair")
    french = await translate(admin, one)
    german = await translate(admin, one, "de")
    answers = await asyncio.gather(
        *(
            patch(admin, entry, text=f"{n}-{entry['locale']}")
            for n in range(3)
            for entry in (one, french, german)
        ),
        admin.post(f"{API}/{NOTES}/{french['id']}/translations", json={"locale": "it"}, headers=ANY),
    )
    batches = await asyncio.gather(
        *(batch(admin, (entry, {"text": entry["locale"]})) for entry in (german, one, french)),
        patch(admin, one, text="One"),
        patch(admin, french, text="Two"),
    )
    assert [answer.status_code for answer in answers] == [200] * 9 + [201]
    assert [found if isinstance(found, list) else found.status_code for found in batches] == [[200]] * 3 + [
        200
    ] * 2
    entries = [one, french, german, answers[-1].json()]
    assert len({await show(admin, entry, "text") for entry in entries}) == 1

"""Locks and presence over HTTP."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx
import msgspec
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

from cms_api.app import create_app
from cms_api.bootstrap.container import Application
from cms_api.settings import Settings, SettingsError, load

KINDS = pytest.mark.parametrize("kind", ["posts", "pages"])


def url(kind: str, one: dict[str, Any], what: str = "lock") -> str:
    return f"{API}/{kind}/{one['id']}/{what}"


async def locked(client: httpx.AsyncClient, kind: str, one: dict[str, Any]) -> dict[str, Any]:
    """The lock that the client has taken, or renewed."""
    return answered(await client.post(url(kind, one)), 200)


def expire(database_url: str) -> None:
    """Let all locks and presences lapse."""
    for table in ("edit_locks", "presences"):
        rows(
            database_url,
            f"UPDATE cms.{table} SET expires_at = expires_at - interval '1 hour' RETURNING document_id",
        )


@pytest.fixture
async def bea(user_client: Callable[..., Any]) -> httpx.AsyncClient:
    client: httpx.AsyncClient = await user_client("editor")
    return client


@KINDS
async def test_the_life_of_a_lock(
    admin: httpx.AsyncClient, bea: httpx.AsyncClient, kind: str, database_url: str
) -> None:
    one = await make(admin, kind, title="Hello")
    path = url(kind, one)
    answered(await admin.get(path), 404, "not_locked")
    before = datetime.now(UTC)
    lock = await locked(admin, kind, one)
    me = answered(await admin.get(f"{API}/auth/me"), 200)["user"]
    assert set(lock) == {
        "document_id", "user_id", "user_name", "acquired_at", "refreshed_at", "expires_at", "ttl",
    }  # fmt: skip
    assert (lock["document_id"], lock["user_id"], lock["user_name"], lock["ttl"]) == (
        one["id"],
        me["id"],
        "Ada",
        60,
    )
    assert datetime.fromisoformat(lock["expires_at"]) - before >= timedelta(seconds=60)
    assert answered(await bea.get(path), 200) == lock

    problem = answered(await bea.post(path, json={"take_over": False}), 409, "locked")
    assert (problem["user_id"], problem["user_name"]) == (me["id"], "Ada")
    assert problem["expires_at"] == lock["expires_at"]
    answered(await bea.delete(path), 409, "locked")

    renewed = await locked(admin, kind, one)
    assert renewed["acquired_at"] == lock["acquired_at"]
    assert renewed["expires_at"] > lock["expires_at"]

    taken = answered(await bea.post(path, json={"take_over": True}), 200)
    assert taken["user_name"] == "Bea"
    answered(await admin.post(path, json={}), 409, "locked")
    answered(await admin.delete(path), 409, "locked")
    for _ in range(2):
        answered(await bea.delete(path), 204)
    answered(await bea.get(path), 404, "not_locked")

    await locked(admin, kind, one)
    expire(database_url)
    answered(await admin.get(path), 404, "not_locked")
    assert (await locked(bea, kind, one))["user_name"] == "Bea"

    events = rows(
        database_url,
        "SELECT name, payload->>'previous' FROM activity.events WHERE name LIKE 'document.%%lock%%' ORDER BY position",
    )
    assert events == [
        ("document.locked", None),
        ("document.lock_taken_over", me["id"]),
        ("document.unlocked", None),
        ("document.locked", None),
        ("document.locked", None),
    ]


@KINDS
async def test_documents_show_who_edits_them(
    admin: httpx.AsyncClient, bea: httpx.AsyncClient, kind: str, database_url: str
) -> None:
    one, other = await make(admin, kind, title="One"), await make(admin, kind, title="Two")
    assert one["lock"] is None
    lock = await locked(bea, kind, one)
    shown = {name: lock[name] for name in ("user_id", "user_name", "expires_at")}
    path = f"{API}/{kind}/{one['id']}"
    response = await admin.get(path)
    assert answered(response, 200) == one | {"lock": shown}
    assert response.headers["etag"] == '"v1"'
    assert {item["id"]: item["lock"] for item in await items(admin, f"{API}/{kind}")} == {
        one["id"]: shown,
        other["id"]: None,
    }
    # It keeps nobody from writing, and counts for no version.
    changed = answered(await admin.patch(path, json={"title": "Mine"}, headers=at(1)), 200)
    assert (changed["version"], changed["lock"]) == (2, shown)
    assert (await do(admin, kind, one, "publish"))["lock"] == shown
    assert (await change(admin, kind, other, title="x"))["lock"] is None
    # A version that one has says nothing of the lock.
    assert (await admin.get(path, headers={"If-None-Match": '"v3"'})).status_code == 200
    answered(await bea.delete(url(kind, one)), 204)
    assert (await admin.get(path, headers={"If-None-Match": '"v3"'})).status_code == 304
    assert answered(await admin.get(path), 200)["lock"] is None
    await locked(bea, kind, one)
    expire(database_url)
    assert answered(await admin.get(path), 200)["lock"] is None


@KINDS
async def test_locks_in_a_list_cost_two_statements(
    admin: httpx.AsyncClient, bea: httpx.AsyncClient, kind: str, asked: list[str]
) -> None:
    made = [await make(admin, kind, title=f"N{n}") for n in range(6)]
    asked.clear()

    async def cost() -> int:
        asked.clear()
        await items(admin, f"{API}/{kind}")
        return len(asked)

    free = await cost()
    for n, one in enumerate(made):
        await locked((admin, bea)[n % 2], kind, one)
        assert await cost() == free + 1  # the names, all at once
    assert sum("cms.edit_locks" in sql for sql in asked) == 1


async def test_two_who_lock_at_once(admin: httpx.AsyncClient, bea: httpx.AsyncClient) -> None:
    for n in range(10):
        one = await make(admin, "posts", title=f"N{n}")
        answers = await asyncio.gather(*(client.post(url("posts", one)) for client in (admin, bea)))
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_two_who_take_over_at_once(
    admin: httpx.AsyncClient, bea: httpx.AsyncClient, database_url: str
) -> None:
    one = await make(admin, "posts", title="x")
    body = {"take_over": True}
    answers = await asyncio.gather(
        *(client.post(url("posts", one), json=body) for client in (admin, bea) * 3)
    )
    assert {answer.status_code for answer in answers} == {200}
    names = rows(
        database_url,
        "SELECT actor::text, payload->>'previous' FROM activity.events"
        " WHERE name LIKE 'document.lock%%' ORDER BY position",
    )
    # Whoever lost it is named by who took it: a chain without a gap.
    assert names[0][1] is None
    for (before, _), (_, previous) in pairwise(names):
        assert previous == before


@KINDS
async def test_presence(
    admin: httpx.AsyncClient, bea: httpx.AsyncClient, kind: str, database_url: str
) -> None:
    one = await make(admin, kind, title="Hello")
    path = url(kind, one, "presence")
    assert await items(admin, path) == []
    answer = answered(await admin.post(path), 200)
    assert answer["page"] == {"next": None, "prev": None, "limit": 100}
    (ada,) = answer["items"]
    assert set(ada) == {"user_id", "user_name", "since", "is_editing"}
    assert (ada["user_name"], ada["is_editing"]) == ("Ada", False)
    await locked(bea, kind, one)
    both = answered(await bea.post(path), 200)["items"]
    assert [(who["user_name"], who["is_editing"]) for who in both] == [("Ada", False), ("Bea", True)]
    assert await items(admin, path) == both
    assert answered(await admin.post(path), 200)["items"] == both
    for _ in range(2):
        answered(await admin.delete(path), 204)
    assert [who["user_name"] for who in await items(admin, path)] == ["Bea"]
    expire(database_url)
    assert await items(admin, path) == []


async def test_who_may(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    one = await make(admin, "posts", title="x")
    reader = await user_client("reader", email="rea@example.org")
    author = await user_client("author", email="aut@example.org")
    nothing = await user_client(email="nil@example.org")
    lock, presence = url("posts", one), url("posts", one, "presence")
    for path in (lock, presence):
        for method in ("GET", "POST", "DELETE"):
            answered(await client.request(method, path), 401, "unauthenticated")
            answered(await nothing.request(method, path), 403, "forbidden")
    answered(await reader.post(lock), 403, "forbidden")
    answered(await author.post(lock), 403, "forbidden")
    answered(await reader.post(presence), 200)
    own = await make(author, "posts", title="own")
    answered(await author.post(url("posts", own)), 200)


async def test_an_author_loses_her_rights_but_can_let_go(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    bea = await user_client("editor", "reader")
    one = await make(admin, "posts", title="x")
    lock = await locked(bea, "posts", one)
    answered(
        await admin.patch(f"{API}/users/{lock['user_id']}", json={"roles": ["reader"]}, headers=ANY), 200
    )
    answered(await bea.post(url("posts", one)), 403, "forbidden")
    answered(await bea.delete(url("posts", one)), 204)


async def test_what_is_wrong(admin: httpx.AsyncClient) -> None:
    one = await make(admin, "posts", title="x")
    path = url("posts", one)
    problem = answered(await admin.post(path, json={"takeover": True, "ttl": 9}), 422, "invalid")
    assert faults(problem) == [("/takeover", "unknown_field"), ("/ttl", "unknown_field")]
    assert faults(answered(await admin.post(path, json={"take_over": "yes"}), 422)) == [
        ("/take_over", "type")
    ]
    assert faults(answered(await admin.post(path, json={"take_over": None}), 422)) == [("/take_over", "type")]
    answered(await admin.post(path, json=[]), 422, "invalid")
    answered(await admin.post(path, content=b"{", headers={"Content-Type": "application/json"}), 400)
    answered(await admin.post(path, content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    answered(await admin.get(f"{path}?x=1"), 400, "malformed")
    for wrong in (f"{API}/pages/{one['id']}", f"{API}/posts/{uuid4()}"):
        for what in ("lock", "presence"):
            for method in ("GET", "POST", "DELETE"):
                answered(await admin.request(method, f"{wrong}/{what}"), 404, "document_not_found")
    answered(await admin.post(f"{API}/posts/7/lock"), 404, "route_not_found")
    answered(await admin.put(path), 405, "method_not_allowed")


async def test_the_body_may_be_left_out(client: httpx.AsyncClient) -> None:
    document = answered(await client.get("/openapi.json"), 200)
    for path in ("posts", "pages"):
        operations = document["paths"][f"{API}/{path}/{{document_id}}/lock"]
        assert operations["post"]["requestBody"]["required"] is False
        assert {"200", "409"} <= set(operations["post"]["responses"])
        assert {"204", "409"} <= set(operations["delete"]["responses"])
    assert document["paths"][f"{API}/posts"]["post"]["requestBody"]["required"] is True


async def test_the_trash(admin: httpx.AsyncClient) -> None:
    one = await make(admin, "posts", title="x")
    await locked(admin, "posts", one)
    await remove(admin, "posts", one)
    answered(await admin.post(url("posts", one)), 409, "trashed")
    answered(await admin.post(url("posts", one), json={"take_over": True}), 409, "trashed")
    answered(await admin.post(url("posts", one, "presence")), 200)
    answered(await admin.delete(url("posts", one)), 204)


async def test_the_lock_of_an_account_that_is_gone(admin: httpx.AsyncClient, bea: httpx.AsyncClient) -> None:
    one = await make(admin, "posts", title="x")
    lock = await locked(bea, "posts", one)
    answered(await bea.post(url("posts", one, "presence")), 200)
    answered(await admin.delete(f"{API}/users/{lock['user_id']}", headers=ANY), 204)
    assert answered(await admin.get(url("posts", one)), 200)["user_name"] is None
    assert [who["user_name"] for who in await items(admin, url("posts", one, "presence"))] == [None]
    assert answered(await admin.post(url("posts", one)), 409, "locked")["user_name"] is None


async def test_what_has_expired_is_removed(
    admin: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    for n in range(3):
        one = await make(admin, "posts", title=f"N{n}")
        await locked(admin, "posts", one)
        answered(await admin.post(url("posts", one, "presence")), 200)
    locks = application.container.cms.locks()
    counts = []
    for _ in range(2):
        counts.append(await locks.purge_expired(application.unit_of_work))
        expire(database_url)
    counts.append(await locks.purge_expired(application.unit_of_work))
    assert counts == [0, 6, 0]
    assert rows(database_url, "SELECT 1 FROM cms.edit_locks, cms.presences") == []


async def test_the_life_of_a_lock_is_a_setting(
    settings: Settings, admin: httpx.AsyncClient, database_url: str
) -> None:
    one = await make(admin, "posts", title="x")
    other = create_app(msgspec.structs.replace(settings, lock_ttl=600))
    await other.state.application.start()
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(other), base_url="http://cms.test", headers=admin.headers
        ) as client:
            lock = await locked(client, "posts", one)
            answered(await client.post(url("posts", one, "presence")), 200)
    finally:
        await other.state.application.stop()
    assert lock["ttl"] == 600
    lives = rows(
        database_url,
        "SELECT expires_at - refreshed_at FROM cms.edit_locks"
        " UNION ALL SELECT expires_at - seen_at FROM cms.presences",
    )
    assert lives == [(timedelta(seconds=600),)] * 2


@pytest.mark.parametrize("wrong", ["9", "3601", "0", "-60", "a minute", ""])
def test_the_setting_has_bounds(wrong: str) -> None:
    assert load({"CMS_LOCK_TTL": "10"}).lock_ttl == 10
    assert load({}).lock_ttl == 60
    with pytest.raises(SettingsError, match="CMS_LOCK_TTL"):
        load({"CMS_LOCK_TTL": wrong})

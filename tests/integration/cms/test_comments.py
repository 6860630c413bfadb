"""Editorial comments over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.integration.cms.cms_client import (
    ANY,
    API,
    answered,
    at,
    do,
    faults,
    items,
    make,
    remove,
    rows,
)

KINDS = pytest.mark.parametrize("kind", ["posts", "pages"])
MEMBERS = {
    "id", "document_id", "parent_id", "field", "quote", "body", "author_id", "author_name", "resolved_at",
    "resolved_by", "version", "created_at", "updated_at",
}  # fmt: skip


async def say(client: httpx.AsyncClient, kind: str, one: dict[str, Any], **body: Any) -> dict[str, Any]:
    """A new comment."""
    path = f"{API}/{kind}/{one['id']}/comments"
    response = await client.post(path, json={"body": "Hm."} | body)
    made = answered(response, 201)
    assert response.headers["location"] == f"{path}/{made['id']}"
    assert response.headers["etag"] == '"v1"'
    return made


def url(kind: str, comment: dict[str, Any], action: str = "") -> str:
    return f"{API}/{kind}/{comment['document_id']}/comments/{comment['id']}{action}"


@pytest.fixture
async def bea(user_client: Callable[..., Any]) -> httpx.AsyncClient:
    client: httpx.AsyncClient = await user_client("author")
    return client


@KINDS
async def test_the_life_of_a_thread(
    admin: httpx.AsyncClient, bea: httpx.AsyncClient, kind: str, database_url: str
) -> None:
    one = await make(admin, kind, title="Hello")
    thread = await say(bea, kind, one, body="Who says so?", field="/body", quote="It is known")
    assert set(thread) == MEMBERS
    assert (thread["document_id"], thread["field"], thread["quote"], thread["author_name"]) == (
        one["id"],
        "/body",
        "It is known",
        "Bea",
    )
    path = url(kind, thread)
    response = await admin.get(path)
    assert answered(response, 200) == thread
    assert response.headers["etag"] == '"v1"'
    assert (await admin.get(path, headers={"If-None-Match": '"v1"'})).status_code == 304

    reply = await say(admin, kind, one, body="Grace.", parent_id=thread["id"])
    assert (reply["parent_id"], reply["field"], reply["author_name"]) == (thread["id"], "/body", "Ada")

    changed = answered(await bea.patch(path, json={"body": "Who, when?"}, headers=at(1)), 200)
    assert (changed["body"], changed["version"], changed["field"]) == ("Who, when?", 2, "/body")
    answered(await bea.patch(url(kind, reply), json={"body": "x"}, headers=at(1)), 403, "forbidden")
    moderated = answered(await admin.patch(path, json={"body": "Who and when?"}, headers=at(2)), 200)
    assert (moderated["version"], moderated["author_name"]) == (3, "Bea")

    settled = answered(await bea.post(f"{path}/resolve", headers=at(3)), 200)
    assert (settled["version"], settled["resolved_by"]) == (4, thread["author_id"])
    assert settled["resolved_at"]
    opened = answered(await admin.post(f"{path}/reopen", headers=at(4)), 200)
    assert (opened["version"], opened["resolved_at"], opened["resolved_by"]) == (5, None, None)
    answered(await admin.post(url(kind, reply, "/resolve"), headers=ANY), 409, "not_a_thread")

    problem = answered(await bea.delete(path, headers=at(5)), 409, "has_replies")
    assert problem["replies"] == 1
    answered(await admin.delete(path, headers=at(5)), 204)
    answered(await admin.get(path), 404, "comment_not_found")
    answered(await admin.get(url(kind, reply)), 404, "comment_not_found")
    assert await items(admin, f"{API}/{kind}/{one['id']}/comments") == []
    # The document knows nothing of it.
    assert answered(await admin.get(f"{API}/{kind}/{one['id']}"), 200) == one

    events = rows(
        database_url,
        "SELECT name FROM activity.events WHERE name LIKE 'comment.%%' ORDER BY position",
    )
    assert [name for (name,) in events] == [
        f"comment.{what}"
        for what in ("created", "created", "updated", "updated", "resolved", "reopened", "deleted")
    ]


async def test_every_change_names_its_version(admin: httpx.AsyncClient) -> None:
    one = await make(admin, "posts", title="x")
    comment = await say(admin, "posts", one)
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"body": "y"}),
        ("POST", "/resolve", None),
        ("POST", "/reopen", None),
        ("DELETE", "", None),
    ]
    for method, action, body in changes:
        path = url("posts", comment, action)
        answered(await admin.request(method, path, json=body), 428, "precondition_required")
        problem = answered(await admin.request(method, path, json=body, headers=at(7)), 412, "stale")
        assert problem["current_version"] == 1
        answered(await admin.request(method, path, json=body, headers={"If-Match": "v1"}), 400, "malformed")
    assert answered(await admin.get(url("posts", comment)), 200) == comment


@KINDS
async def test_lists(admin: httpx.AsyncClient, bea: httpx.AsyncClient, kind: str) -> None:
    one, other = await make(admin, kind, title="One"), await make(admin, kind, title="Two")
    await say(admin, kind, other)
    t1 = await say(admin, kind, one, body="t1", field="/body")
    t2 = await say(bea, kind, one, body="t2")
    r1 = await say(bea, kind, one, body="r1", parent_id=t1["id"])
    r2 = await say(admin, kind, one, body="r2", parent_id=t2["id"])
    answered(await admin.post(url(kind, t1, "/resolve"), headers=at(1)), 200)
    path = f"{API}/{kind}/{one['id']}/comments"
    for query, found in {
        "": "t1 t2 r1 r2",
        "sort=-created_at": "r2 r1 t2 t1",
        "filter[resolved]=true": "t1 r1",
        "filter[resolved]=false": "t2 r2",
        "filter[field]=/body": "t1 r1",
        "filter[field]=%2Fbody&filter[parent_id][exists]=false": "t1",
        "filter[field][exists]=false": "t2 r2",
        "filter[field][starts_with]=/bo": "t1 r1",
        f"filter[author_id]={t2['author_id']}": "t2 r1",
        f"filter[parent_id]={t2['id']}": "r2",
        f"filter[id][in]={t1['id']},{r2['id']}": "t1 r2",
        f"filter[created_at][gt]={t2['created_at']}": "r1 r2",
    }.items():
        assert [item["body"] for item in await items(admin, f"{path}?{query}")] == found.split(), query
    body = answered(await admin.get(f"{path}?limit=3&count=exact"), 200)
    assert (body["count"], len(body["items"])) == (4, 3)
    rest = answered(await admin.get(f"{path}?limit=3&after={body['page']['next']}"), 200)
    assert [item["id"] for item in rest["items"]] == [r2["id"]]
    assert [item["author_name"] for item in body["items"]] == ["Ada", "Bea", "Bea"]
    assert body["items"][2] == r1
    # A cursor is good for its own list.
    foreign = f"{API}/{kind}/{other['id']}/comments?after={body['page']['next']}"
    answered(await admin.get(foreign), 400, "malformed")
    for wrong in (
        "filter[body]=x", "filter[resolved]=yes", "filter[author_id]=7", "sort=body", "include=author",
        "filter[resolved][contains]=t", "limit=101",
    ):  # fmt: skip
        answered(await admin.get(f"{path}?{wrong}"), 400, "malformed")


async def test_a_list_costs_a_constant_number_of_statements(
    admin: httpx.AsyncClient, bea: httpx.AsyncClient, asked: list[str]
) -> None:
    one = await make(admin, "posts", title="x")
    asked.clear()
    costs = []
    for n in range(6):
        await say((admin, bea)[n % 2], "posts", one)
        asked.clear()
        await items(admin, f"{API}/posts/{one['id']}/comments")
        costs.append(len(asked))
    # Who asks, the document, the comments, the names.
    assert costs == [4] * 6


async def test_what_is_wrong(admin: httpx.AsyncClient) -> None:
    one = await make(admin, "posts", title="x")
    path = f"{API}/posts/{one['id']}/comments"
    thread = await say(admin, "posts", one)
    reply = await say(admin, "posts", one, parent_id=thread["id"])
    for body, expected in (
        ({}, [("/body", "required")]),
        ({"body": ""}, [("/body", "length")]),
        ({"body": " \n\t "}, [("/body", "pattern")]),
        ({"body": "x" * 5001}, [("/body", "length")]),
        ({"body": None}, [("/body", "type")]),
        ({"body": "a\0b"}, [("/body", "nul")]),
        ({"body": "x", "field": ""}, [("/field", "length")]),
        ({"body": "x", "field": "body"}, [("/field", "pointer")]),
        ({"body": "x", "field": "/../../etc/passwd"}, [("/field", "unknown_field")]),
        ({"body": "x", "field": "/bodi"}, [("/field", "unknown_field")]),
        ({"body": "x", "field": "/body/~x"}, [("/field", "pointer")]),
        ({"body": "x", "field": "/" + "x" * 500}, [("/field", "length")]),
        ({"body": "x", "quote": ""}, [("/quote", "length")]),
        ({"body": "x", "quote": "x" * 1001}, [("/quote", "length")]),
        ({"body": "x", "parent_id": "7"}, [("/parent_id", "value")]),
        ({"body": "x", "parent_id": str(uuid4())}, [("/parent_id", "unknown_reference")]),
        ({"body": "x", "parent_id": one["id"]}, [("/parent_id", "unknown_reference")]),
        ({"body": "x", "parent_id": reply["id"]}, [("/parent_id", "not_nestable")]),
        (
            {"body": "x", "parent_id": reply["id"], "field": "/body"},
            [("/field", "reply"), ("/parent_id", "not_nestable")],
        ),
        (
            {"text": "x", "author_id": one["id"], "body": 7},
            [("/text", "unknown_field"), ("/author_id", "unknown_field"), ("/body", "type")],
        ),
    ):
        problem = answered(await admin.post(path, json=body), 422, "invalid")
        assert [(pointer, code) for pointer, code in faults(problem)] == expected, body
    for body, expected in (
        ({"body": "x" * 5001}, [("/body", "length")]),
        ({"body": " "}, [("/body", "pattern")]),
        ({"field": "/body"}, [("/field", "unknown_field")]),
        ({"resolved_at": None}, [("/resolved_at", "unknown_field")]),
    ):
        response = await admin.patch(url("posts", thread), json=body, headers=ANY)
        assert faults(answered(response, 422, "invalid")) == expected, body
    assert len(await items(admin, path)) == 2
    longest = await say(admin, "posts", one, body="ß" * 5000, quote="ß" * 1000, field="/seo/title")
    assert len(longest["body"]) == 5000
    markup = await say(admin, "posts", one, body="<script>alert(1)</script>")
    assert markup["body"] == "<script>alert(1)</script>"  # plain text; nobody renders it


@KINDS
async def test_a_comment_belongs_to_its_document(admin: httpx.AsyncClient, kind: str) -> None:
    one, other = await make(admin, kind, title="One"), await make(admin, kind, title="Two")
    comment = await say(admin, kind, one)
    foreign = {"posts": "pages", "pages": "posts"}[kind]
    for base, code in (
        (f"{API}/{kind}/{other['id']}", "comment_not_found"),
        (f"{API}/{foreign}/{one['id']}", "document_not_found"),
        (f"{API}/{kind}/{uuid4()}", "document_not_found"),
    ):
        path = f"{base}/comments/{comment['id']}"
        answered(await admin.get(path), 404, code)
        answered(await admin.patch(path, json={"body": "x"}, headers=ANY), 404, code)
        answered(await admin.delete(path, headers=ANY), 404, code)
        answered(await admin.post(f"{path}/resolve", headers=ANY), 404, code)
        answered(await admin.post(f"{path}/reopen", headers=ANY), 404, code)
        if code == "document_not_found":
            answered(await admin.get(f"{base}/comments"), 404, code)
            answered(await admin.post(f"{base}/comments", json={"body": "x"}), 404, code)
    path = f"{API}/{kind}/{other['id']}/comments"
    answer = await admin.post(path, json={"body": "x", "parent_id": comment["id"]})
    assert faults(answered(answer, 422)) == [("/parent_id", "unknown_reference")]
    assert answered(await admin.get(url(kind, comment)), 200) == comment


async def test_who_may(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    bea: httpx.AsyncClient,
    user_client: Callable[..., Any],
) -> None:
    one = await make(admin, "posts", title="x")
    comment = await say(bea, "posts", one)
    reader = await user_client("reader", email="rea@example.org")
    editor = await user_client("editor", email="edi@example.org")
    nothing = await user_client(email="nil@example.org")
    path = f"{API}/posts/{one['id']}/comments"
    asked: list[tuple[str, str, Any]] = [
        ("POST", path, {"body": "x"}),
        ("PATCH", url("posts", comment), {"body": "x"}),
        ("DELETE", url("posts", comment), None),
        ("POST", url("posts", comment, "/resolve"), None),
        ("POST", url("posts", comment, "/reopen"), None),
        ("GET", path, None),
        ("GET", url("posts", comment), None),
    ]
    for method, target, body in asked:
        answered(await client.request(method, target, json=body, headers=ANY), 401, "unauthenticated")
        answered(await nothing.request(method, target, json=body, headers=ANY), 403, "forbidden")
        status = 200 if method == "GET" else 403
        answered(await reader.request(method, target, json=body, headers=ANY), status)
    answered(await editor.patch(url("posts", comment), json={"body": "y"}, headers=ANY), 200)
    permissions = answered(await bea.get(f"{API}/auth/me"), 200)["permissions"]
    assert "comments:write" in permissions
    assert "comments:moderate" not in permissions
    named = {one["name"] for one in await items(admin, f"{API}/permissions?limit=100")}
    assert {"comments:write", "comments:moderate"} <= named


async def test_the_trash_and_what_is_beyond(admin: httpx.AsyncClient, database_url: str) -> None:
    one = await make(admin, "posts", title="x")
    comment = await say(admin, "posts", one)
    await say(admin, "posts", one, parent_id=comment["id"])
    await remove(admin, "posts", one)
    path = f"{API}/posts/{one['id']}/comments"
    assert len(await items(admin, path)) == 2
    assert answered(await admin.get(url("posts", comment)), 200) == comment
    answered(await admin.post(path, json={"body": "x"}), 409, "trashed")
    answered(await admin.patch(url("posts", comment), json={"body": "x"}, headers=ANY), 409, "trashed")
    answered(await admin.delete(url("posts", comment), headers=ANY), 409, "trashed")
    answered(await admin.post(url("posts", comment, "/resolve"), headers=ANY), 409, "trashed")
    await do(admin, "posts", one, "restore")
    answered(await admin.post(url("posts", comment, "/resolve"), headers=ANY), 200)
    # Comments go with their document, and nothing else keeps them.
    rows(database_url, "DELETE FROM cms.documents RETURNING id")
    assert rows(database_url, "SELECT id FROM cms.editorial_comments") == []


async def test_many_reply_while_the_thread_goes(admin: httpx.AsyncClient, database_url: str) -> None:
    one = await make(admin, "posts", title="x")
    thread = await say(admin, "posts", one)
    path = f"{API}/posts/{one['id']}/comments"
    reply = {"body": "x", "parent_id": thread["id"]}
    *replies, gone = await asyncio.gather(
        *(admin.post(path, json=reply) for _ in range(5)), admin.delete(url("posts", thread), headers=ANY)
    )
    answered(gone, 204)
    assert {answer.status_code for answer in replies} <= {201, 422}
    assert rows(database_url, "SELECT id FROM cms.editorial_comments") == []

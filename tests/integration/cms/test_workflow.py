"""Workflows: off by default; on, nothing is published that was not approved."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from tests.integration.cms.cms_client import ANY, API, answered, at, change, do, faults, items, make

POSTS = f"{API}/workflows/post"


async def turn(admin: httpx.AsyncClient, *, on: bool) -> dict[str, Any]:
    return answered(await admin.patch(POSTS, json={"is_enabled": on}, headers=ANY), 200)


async def move(client: httpx.AsyncClient, post: dict[str, Any], stage: str, **more: Any) -> dict[str, Any]:
    path = f"{API}/posts/{post['id']}/move"
    return answered(await client.post(path, json={"stage": stage, **more}, headers=ANY), 200)


async def refused(
    client: httpx.AsyncClient, post: dict[str, Any], stage: str, status: int, code: str | None = None
) -> dict[str, Any]:
    path = f"{API}/posts/{post['id']}/move"
    return answered(await client.post(path, json={"stage": stage}, headers=ANY), status, code)


async def tasks(client: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answered(await client.get(f"{API}/tasks{query}"), 200)["items"]
    return found


async def test_it_is_off_by_default(admin: httpx.AsyncClient) -> None:
    listed = answered(await admin.get(f"{API}/workflows"), 200)["items"]
    assert [(one["type"], one["is_enabled"], one["version"]) for one in listed] == [
        ("page", False, 1),
        ("post", False, 1),
    ]
    assert listed[0]["transitions"][0]["from"] == "draft"
    post = await make(admin, "posts", title="Free")
    assert post["stage"] is None
    await refused(admin, post, "in_review", 409, "no_such_transition")
    assert (await do(admin, "posts", post, "publish"))["status"] == "published"


async def test_from_draft_to_approval(admin: httpx.AsyncClient, user_client: Callable[..., Any]) -> None:
    author, editor = (
        await user_client("author", email="ann@example.org", name="Ann"),
        await user_client("editor"),
    )
    await turn(admin, on=True)
    post = await make(author, "posts", title="Checked")
    assert post["stage"] == "draft"
    publish = f"{API}/posts/{post['id']}/publish"
    wrong = answered(await admin.post(publish, headers=ANY), 409, "not_approved")
    assert wrong["stages"] == ["approved"]
    await refused(author, post, "approved", 409, "no_such_transition")
    moved = await move(author, post, "in_review", comment="Please look.")
    assert (moved["stage"], moved["version"]) == ("in_review", 2)
    await refused(author, post, "approved", 403)
    (task,) = await tasks(editor)
    assert (task["title"], task["stage"], task["note"]) == ("Checked", "in_review", "Please look.")
    assert await tasks(author) == []
    answered(await author.get(f"{API}/tasks/{task['id']}"), 404, "task_not_found")
    await move(editor, post, "approved")
    changed = await change(editor, "posts", post, title="Changed")
    assert changed["stage"] == "draft"
    answered(await admin.post(publish, headers=ANY), 409, "not_approved")
    assert await tasks(editor) == []
    await move(author, post, "in_review")
    await move(editor, post, "draft", comment="Too long.")
    (back,) = await tasks(author)
    assert (back["note"], back["stage"]) == ("Too long.", "draft")
    await move(author, post, "in_review")
    await move(editor, post, "approved")
    assert (await do(editor, "posts", post, "publish"))["stage"] == "approved"
    assert await tasks(editor) == []


async def test_two_editors_move_at_once(admin: httpx.AsyncClient, user_client: Callable[..., Any]) -> None:
    editor = await user_client("editor")
    await turn(admin, on=True)
    post = await move(admin, await make(admin, "posts", title="Once"), "in_review")
    path, body = f"{API}/posts/{post['id']}/move", {"stage": "approved"}
    answers = await asyncio.gather(
        *(one.post(path, json=body, headers=at(post["version"])) for one in (admin, editor))
    )
    assert sorted(one.status_code for one in answers) == [200, 412]


async def test_tasks_are_assigned(admin: httpx.AsyncClient, user_client: Callable[..., Any]) -> None:
    author, editor = (
        await user_client("author", email="ann@example.org", name="Ann"),
        await user_client("editor"),
    )
    await turn(admin, on=True)
    post = await move(author, await make(author, "posts", title="Whose"), "in_review")
    (task,) = await tasks(editor)
    path = f"{API}/tasks/{task['id']}"
    mine = task["created_by"]
    answered(await editor.patch(path, json={"assignee": mine}), 428)
    wrong = answered(await editor.patch(path, json={"assignee": mine}, headers=at(1)), 422)
    assert faults(wrong) == [("/assignee", "role")]
    answered(await author.patch(path, json={"assignee": None}, headers=at(1)), 404)
    (bea,) = await items(admin, f"{API}/users?filter[email]=bea@example.org")
    hers = bea["id"]
    given = answered(await editor.patch(path, json={"assignee": hers}, headers=at(1)), 200)
    assert (given["assignee"], given["version"]) == (hers, 2)
    answered(await editor.patch(path, json={"assignee": None}, headers=at(1)), 412)
    assert await tasks(admin) == []
    assert len(await tasks(admin, f"?filter[assignee]={hers}")) == 1
    answered(await author.get(f"{API}/tasks?filter[assignee]={hers}"), 403)
    await turn(admin, on=False)
    assert await tasks(editor) == []
    (closed,) = await tasks(editor, "?filter[state]=cancelled")
    assert closed["id"] == task["id"]
    assert answered(await admin.get(f"{API}/posts/{post['id']}"), 200)["stage"] is None


async def test_workflows_are_changed(admin: httpx.AsyncClient, user_client: Callable[..., Any]) -> None:
    editor = await user_client("editor")
    answered(await editor.get(POSTS), 200)
    answered(await editor.patch(POSTS, json={"is_enabled": True}, headers=ANY), 403)
    answered(await admin.patch(POSTS, json={"is_enabled": True}), 428)
    answered(await admin.get(f"{API}/workflows/novel"), 404, "type_not_found")
    body = {
        "stages": [{"key": "a", "name": "A"}, {"key": "a", "name": "B"}],
        "transitions": [{"from": "a", "to": "z", "roles": ["nobody"]}],
    }
    wrong = answered(await admin.patch(POSTS, json=body, headers=ANY), 422)
    assert {pointer for pointer, _ in faults(wrong)} == {
        "/stages",
        "/stages/1/key",
        "/transitions/0/to",
        "/transitions/0/roles/0",
    }
    await turn(admin, on=True)
    await make(admin, "posts", title="In the way")
    one = {"stages": [{"key": "ready", "name": "Ready", "may_publish": True}], "transitions": []}
    wrong = answered(await admin.patch(POSTS, json=one, headers=ANY), 409, "stage_in_use")
    assert (wrong["stage"], wrong["documents"]) == ("draft", 1)
    listed = await items(admin, f"{API}/posts?filter[stage]=draft")
    assert [post["title"] for post in listed] == ["In the way"]

"""Workflows: off by default; on, nothing is published that was not approved."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
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
    published,
    remove,
    rows,
)
from tests.integration.cms.workflow_client import (
    POSTS,
    approve,
    move,
    my_id,
    refused,
    show,
    task_states,
    tasks,
    turn,
)

from cms_api.settings import Settings


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


async def test_turning_it_on_and_off(admin: httpx.AsyncClient, settings: Settings) -> None:
    url = settings.database_url or ""
    trashed, live, draft = [
        await make(admin, "posts", title="Trashed"),
        await published(admin, "posts", title="Live"),
        await make(admin, "posts", title="Draft"),
    ]
    page = await make(admin, "pages", title="Untouched")
    await remove(admin, "posts", trashed)
    await turn(admin, on=True)
    stages = "SELECT type, stage, count(*) FROM cms.documents GROUP BY type, stage ORDER BY type"
    assert rows(url, stages) == [("page", None, 1), ("post", "draft", 3)]
    shown = await show(admin, live)
    assert (shown["version"], shown["status"]) == (live["version"] + 1, "published")
    path = f"{API}/posts/{draft['id']}"
    answered(await admin.patch(path, json={"title": "Late"}, headers=at(1)), 412, "stale")

    await move(admin, draft, "in_review")
    await move(admin, live, "in_review")
    await turn(admin, on=False)
    assert rows(url, stages) == [("page", None, 1), ("post", None, 3)]
    assert (await show(admin, draft))["version"] == 4
    assert (await show(admin, page))["version"] == 1
    assert task_states(url, draft) == task_states(url, live) == [("in_review", "cancelled")]
    assert await tasks(admin) == []
    closed = rows(url, "SELECT DISTINCT closed_by IS NULL, closed_at IS NULL FROM cms.tasks")
    assert closed == [(False, False)]
    assert (await do(admin, "posts", draft, "publish"))["status"] == "published"
    await refused(admin, draft, "in_review", 409, "no_such_transition")

    # nothing is left of what was approved before it was off
    await turn(admin, on=True)
    assert (await do(admin, "posts", trashed, "restore"))["stage"] == "draft"
    wrong = await admin.post(f"{API}/posts/{live['id']}/publish", headers=ANY)
    answered(wrong, 409, "not_approved")


async def test_nothing_is_moved_in_the_trash_or_the_archive(admin: httpx.AsyncClient) -> None:
    for kind, key in (("posts", "post"), ("pages", "page")):
        trashed, archived = await make(admin, kind, title="T"), await make(admin, kind, title="A")
        await turn(admin, on=True, kind=key)
        await remove(admin, kind, trashed)
        await do(admin, kind, archived, "archive")
        await refused(admin, trashed, "in_review", 409, "trashed")
        await refused(admin, archived, "in_review", 409, "archived")
        await do(admin, kind, trashed, "restore")
        await do(admin, kind, archived, "unarchive")
        for one in (trashed, archived):
            assert (await show(admin, one))["stage"] == "draft"
            assert (await move(admin, one, "in_review"))["stage"] == "in_review"


async def test_what_becomes_of_tasks(admin: httpx.AsyncClient, settings: Settings) -> None:
    url = settings.database_url or ""
    await turn(admin, on=True)
    archived, trashed, purged, live, edited = [
        await approve(admin, await make(admin, "posts", title=title))
        for title in ("Archived", "Trashed", "Purged", "Live", "Edited")
    ]
    assert len(await tasks(admin)) == 5
    await do(admin, "posts", archived, "archive")
    await remove(admin, "posts", trashed)
    await remove(admin, "posts", purged)
    answered(await admin.post(f"{API}/posts/{purged['id']}/purge", headers=ANY), 204)
    await do(admin, "posts", live, "publish")
    await change(admin, "posts", edited, title="Edited again")
    assert [task["title"] for task in await tasks(admin)] == ["Edited again"]
    assert task_states(url, edited)[1:] == [("approved", "cancelled"), ("draft", "open")]
    for one, state in ((archived, "cancelled"), (trashed, "cancelled"), (live, "done")):
        assert task_states(url, one) == [("in_review", "done"), ("approved", state)]
    assert task_states(url, purged) == []
    assert len(await tasks(admin, "?filter[state]=done")) == 5
    (last,) = await tasks(admin, f"?filter[state]=done&filter[document_id]={live['id']}&limit=1")
    assert last["closed_by"] == last["created_by"]
    closed = answered(await admin.get(f"{API}/tasks/{last['id']}"), 200)
    wrong = await admin.patch(f"{API}/tasks/{last['id']}", json={"assignee": None}, headers=ANY)
    answered(wrong, 409, "task_closed")
    assert answered(await admin.get(f"{API}/tasks/{last['id']}"), 200) == closed


async def test_pages_have_stages_of_their_own(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    editor = await user_client("editor")
    await turn(admin, on=True, kind="page")
    above = await make(admin, "pages", title="Above")
    below = await make(admin, "pages", title="Below", parent=above["id"])
    post = await make(admin, "posts", title="Free")
    assert (above["stage"], below["stage"], post["stage"]) == ("draft", "draft", None)
    path = f"{API}/pages/{below['id']}/move"
    answered(await editor.post(path, json={"stage": "in_review"}), 428)
    answered(await editor.post(path, json={"stage": "in_review"}, headers=at(2)), 412, "stale")
    response = await editor.post(path, json={"stage": "in_review"}, headers=at(1))
    assert (answered(response, 200)["stage"], response.headers["etag"]) == ("in_review", '"v2"')
    (task,) = await tasks(editor, "?filter[type]=page")
    assert (task["type"], task["document_id"], task["title"]) == ("page", below["id"], "Below")
    assert await tasks(editor, "?filter[type]=post") == []
    answered(await editor.post(f"{API}/pages/{below['id']}/publish", headers=ANY), 409, "not_approved")
    assert (await move(editor, below, "approved"))["parent"] == above["id"]
    assert (await do(editor, "pages", below, "publish"))["status"] == "published"
    wrong = f"{API}/posts/{below['id']}/move"
    answered(await editor.post(wrong, json={"stage": "draft"}, headers=ANY), 404, "document_not_found")


async def test_events_tell_what_happened(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], settings: Settings
) -> None:
    author, editor = await user_client("author", email="ann@example.org"), await user_client("editor")
    ann = await my_id(author)
    bea = await my_id(editor)
    await turn(admin, on=True)
    post = await make(author, "posts", title="Told")
    await move(author, post, "in_review", comment="Look", assignee=bea)
    (task,) = await tasks(editor)
    path = f"{API}/tasks/{task['id']}"
    for assignee in (None, None):
        answered(await editor.patch(path, json={"assignee": assignee}, headers=ANY), 200)
    await move(editor, post, "draft", comment="No")
    await refused(author, post, "approved", 409)
    await remove(author, "posts", post)
    found = rows(
        settings.database_url or "",
        """
        SELECT name, subject::text, actor::text,
            payload - ARRAY['id', 'name', 'subject', 'actor', 'type', 'version', 'occurred_at', 'is_enabled']
        FROM activity.events
        WHERE name LIKE 'workflow.%%' OR name LIKE 'task.%%' OR name = 'document.moved' ORDER BY position
        """,
    )
    (name, workflow, _, _), *others = found
    assert name == "workflow.updated"
    (second,) = {subject for name, subject, *_ in others if name == "task.opened"} - {task["id"]}
    about = {"document": post["id"]}
    assert others == [
        ("document.moved", post["id"], ann, {"from": "draft", "to": "in_review", "comment": "Look"}),
        ("task.opened", task["id"], ann, about | {"stage": "in_review", "assignee": bea}),
        ("task.assigned", task["id"], bea, about | {"assignee": None}),
        ("document.moved", post["id"], bea, {"from": "in_review", "to": "draft", "comment": "No"}),
        ("task.closed", task["id"], bea, about | {"state": "done"}),
        ("task.opened", second, bea, about | {"stage": "draft", "assignee": ann}),
        ("task.closed", second, ann, about | {"state": "cancelled"}),
    ]
    await turn(admin, on=True)  # it is on already
    await turn(admin, on=False)
    told = rows(
        settings.database_url or "",
        """
        SELECT subject::text, payload->>'type', payload->'version', payload->'is_enabled' FROM activity.events
        WHERE name = 'workflow.updated' ORDER BY position
        """,
    )
    assert told == [(workflow, "post", 2, True), (workflow, "post", 3, False)]


async def test_of_many_who_move_one_does(admin: httpx.AsyncClient, settings: Settings) -> None:
    await turn(admin, on=True)
    post = await move(admin, await make(admin, "posts", title="Once"), "in_review")
    path, body = f"{API}/posts/{post['id']}/move", {"stage": "approved"}
    answers = await asyncio.gather(*(admin.post(path, json=body, headers=ANY) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409]
    assert task_states(settings.database_url or "", post) == [("in_review", "done"), ("approved", "open")]


async def test_nothing_is_left_over_when_it_is_turned_off_meanwhile(
    admin: httpx.AsyncClient, settings: Settings
) -> None:
    url = settings.database_url or ""
    await turn(admin, on=True)
    posts = [await make(admin, "posts", title=f"Number {number}") for number in range(4)]

    def try_move(post: dict[str, Any]) -> Any:
        return admin.post(f"{API}/posts/{post['id']}/move", json={"stage": "in_review"}, headers=ANY)

    moves = [try_move(post) for post in posts]
    off = admin.patch(POSTS, json={"is_enabled": False}, headers=ANY)
    begun = admin.post(f"{API}/posts", json={"title": "Begun"})
    answers = await asyncio.gather(*moves[:2], off, begun, *moves[2:])
    assert {one.status_code for one in answers} <= {200, 201, 409}
    assert answers[2].status_code == 200
    assert rows(url, "SELECT count(*) FROM cms.documents WHERE stage IS NOT NULL") == [(0,)]
    assert rows(url, "SELECT count(*) FROM cms.tasks WHERE state = 'open'") == [(0,)]


async def test_who_may(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    nobody = await user_client(email="noa@example.org")
    reader = await user_client("reader", email="rea@example.org")
    author = await user_client("author", email="ann@example.org")
    editor = await user_client("editor")
    await turn(admin, on=True)
    await turn(admin, on=True, kind="page")
    post, page = await make(author, "posts", title="P"), await make(admin, "pages", title="Q")
    for path in (f"{API}/workflows", POSTS):
        answered(await client.get(path), 401)
        answered(await nobody.get(path), 403)
        answered(await reader.get(path), 200)
    body = {"is_enabled": True}
    answered(await client.patch(POSTS, json=body, headers=ANY), 401)
    for who in (nobody, reader, author, editor):
        answered(await who.patch(POSTS, json=body, headers=ANY), 403)
    answered(await admin.patch(POSTS, json=body, headers=ANY), 200)

    for one in (post, page):
        await refused(client, one, "in_review", 401)
        await refused(nobody, one, "in_review", 403)
        assert (await refused(reader, one, "in_review", 403))["roles"] == [
            "administrator",
            "author",
            "editor",
        ]
        await move(author, one, "in_review")
        await refused(author, one, "approved", 403)
        assert (await show(admin, one))["stage"] == "in_review"
    unknown = {"id": str(uuid4()), "type": "post"}
    await refused(client, unknown, "in_review", 401)
    await refused(nobody, unknown, "in_review", 403)
    await refused(reader, unknown, "in_review", 404, "document_not_found")

    first, _ = await tasks(editor)
    path = f"{API}/tasks/{first['id']}"
    answered(await client.get(f"{API}/tasks"), 401)
    answered(await client.get(path), 401)
    answered(await client.patch(path, json={"assignee": None}, headers=ANY), 401)
    for who in (nobody, reader, author):
        assert await tasks(who) == []
        answered(await who.get(path), 404, "task_not_found")
        answered(await who.patch(path, json={"assignee": None}, headers=ANY), 404, "task_not_found")
    answered(await editor.get(path), 200)
    answered(await editor.patch(path, json={"assignee": None}, headers=ANY), 200)
    mine = await my_id(reader)
    for asked in (
        f"filter[assignee]={uuid4()}",
        f"filter[assignee][ne]={mine}",
        "filter[assignee][exists]=true",
    ):
        answered(await reader.get(f"{API}/tasks?{asked}"), 403)
        answered(await editor.get(f"{API}/tasks?{asked}"), 200)
    assert await tasks(reader, f"?filter[assignee]={mine}") == []


async def test_a_hostile_workflow(admin: httpx.AsyncClient) -> None:
    before = answered(await admin.get(POSTS), 200)

    def stage(key: str, **more: Any) -> dict[str, Any]:
        return {"key": key, "name": key.upper() or "?", **more}

    ready = stage("ready", may_publish=True)

    def way(source: str, to: str, *roles: str) -> dict[str, Any]:
        return {"from": source, "to": to, "roles": list(roles) or ["editor"]}

    many = [stage(f"s{number}", may_publish=True) for number in range(21)]
    wrong: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        ({"stages": [], "transitions": []}, [("/stages", "range"), ("/stages", "no_publishing")]),
        ({"stages": many}, [("/stages", "length")]),
        (
            {"stages": [stage("a"), ready, stage("island")], "transitions": [way("a", "ready")]},
            [("/stages/2", "unreachable")],
        ),
        (
            {
                "stages": [stage("a"), stage("a"), stage("island")],
                "transitions": [way("a", "a", "pope"), way("a", "b", "editor", "king"), way("a", "b")],
            },
            [
                ("/stages/1/key", "duplicate"),
                ("/stages", "no_publishing"),
                ("/transitions/0/to", "same"),
                ("/transitions/0/roles/0", "unknown_role"),
                ("/transitions/1/to", "unknown_reference"),
                ("/transitions/1/roles/1", "unknown_role"),
                ("/transitions/2/to", "unknown_reference"),
                ("/transitions/2", "duplicate"),
                ("/stages/2", "unreachable"),
            ],
        ),
        (
            {
                "stages": [{"key": "A b", "name": ""}, {"key": "x" * 51, "name": "y" * 101, "color": "red"}],
                "transitions": [{"from": "a", "to": "b", "roles": []}, {"from": "a", "roles": "editor"}],
                "type": "page",
            },
            [
                ("/stages/0/key", "pattern"),
                ("/stages/0/name", "length"),
                ("/stages/1/color", "unknown_field"),
                ("/stages/1/key", "length"),
                ("/stages/1/name", "length"),
                ("/transitions/0/roles", "length"),
                ("/transitions/1/roles", "type"),
                ("/transitions/1/to", "required"),
                ("/type", "unknown_field"),
            ],
        ),
        ({"stages": [stage("a") | {"name": "a\0"}, ready]}, [("/stages/0/name", "nul")]),
        ({"is_enabled": None}, [("/is_enabled", "type")]),
        ({"is_enabled": 1, "stages": None}, [("/is_enabled", "type"), ("/stages", "type")]),
    ]
    for body, expected in wrong:
        problem = answered(await admin.patch(POSTS, json=body, headers=ANY), 422, "invalid")
        assert sorted(faults(problem)) == sorted(expected), problem
    for key, status in (("novel", 404), ("x" * 500, 404), ("a%00b", 400)):
        path = f"{API}/workflows/{key}"
        answered(await admin.get(path), status)
        answered(await admin.patch(path, json={"is_enabled": True}, headers=ANY), status)
    assert answered(await admin.get(POSTS), 200) == before


async def test_a_hostile_move(admin: httpx.AsyncClient, settings: Settings) -> None:
    await turn(admin, on=True)
    post = await make(admin, "posts", title="Stays")
    path = f"{API}/posts/{post['id']}/move"
    mine = await my_id(admin)
    wrong: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        ({}, [("/stage", "required")]),
        ({"stage": None}, [("/stage", "type")]),
        ({"stage": "In Review"}, [("/stage", "pattern")]),
        ({"stage": "in_review\n"}, [("/stage", "pattern")]),
        ({"stage": "in_review", "comment": "x" * 2_001}, [("/comment", "length")]),
        ({"stage": "in_review", "comment": ""}, [("/comment", "length")]),
        ({"stage": "in_review", "comment": "a\0b"}, [("/comment", "nul")]),
        ({"stage": "in_review", "assignee": str(uuid4())}, [("/assignee", "unknown_reference")]),
        ({"stage": "in_review", "assignee": "bea"}, [("/assignee", "value")]),
        (
            {"stage": 1, "comment": "x" * 2_001, "assignee": "bea", "roles": ["editor"]},
            [
                ("/assignee", "value"),
                ("/comment", "length"),
                ("/roles", "unknown_field"),
                ("/stage", "type"),
            ],
        ),
    ]
    for body, expected in wrong:
        problem = answered(await admin.post(path, json=body, headers=ANY), 422, "invalid")
        assert sorted(faults(problem)) == expected, problem
    for stage in ("nowhere", "draft", "approved"):
        problem = await refused(admin, post, stage, 409, "no_such_transition")
        assert problem["stage"] == "draft"
    shown = await show(admin, post)
    assert (shown["stage"], shown["version"]) == ("draft", 1)
    assert task_states(settings.database_url or "", post) == []
    moved = await move(admin, post, "in_review", comment="ü" * 2_000, assignee=mine)
    assert moved["stage"] == "in_review"
    (task,) = await tasks(admin)
    task_path = f"{API}/tasks/{task['id']}"
    assert (task["note"], task["assignee"]) == ("ü" * 2_000, mine)
    for body, expected in (
        ({}, [("/assignee", "required")]),
        ({"assignee": 1}, [("/assignee", "type")]),
        ({"assignee": str(uuid4())}, [("/assignee", "unknown_reference")]),
        ({"assignee": None, "state": "done"}, [("/state", "unknown_field")]),
    ):
        problem = answered(await admin.patch(task_path, json=body, headers=ANY), 422, "invalid")
        assert faults(problem) == expected, problem
    answered(await admin.get(f"{API}/tasks/{uuid4()}"), 404, "task_not_found")
    for query in ("sort=title", "filter[note]=x", "filter[assignee]=me", "after=x", "limit=0"):
        answered(await admin.get(f"{API}/tasks?{query}"), 400, "malformed")

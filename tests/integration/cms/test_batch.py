"""Many operations in one request: all or nothing, or each by itself."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.integration.cms.cms_client import API, answered, faults, items, make, published, rows

URL = f"{API}/batch"


def op(
    action: str, one: dict[str, Any] | None = None, version: str | int = "*", **more: Any
) -> dict[str, Any]:
    """An operation on a post."""
    found: dict[str, Any] = {"action": action, "type": "post", **more}
    if one is not None:
        found["id"] = one["id"]
    if action != "create":
        found["if_match"] = version if version == "*" else f"v{version}"
    return found


async def run(client: httpx.AsyncClient, *operations: dict[str, Any], atomic: bool = True) -> httpx.Response:
    return await client.post(URL, json={"atomic": atomic, "operations": list(operations)})


async def results(client: httpx.AsyncClient, *operations: dict[str, Any], atomic: bool = True) -> list[Any]:
    found: list[Any] = answered(await run(client, *operations, atomic=atomic), 200)["results"]
    return found


async def titles(client: httpx.AsyncClient) -> list[str]:
    return [one["title"] for one in await items(client, f"{API}/posts?sort=title")]


async def test_operations_follow_one_another(admin: httpx.AsyncClient, database_url: str) -> None:
    old = await published(admin, "posts", title="Old")
    found = await results(
        admin,
        op("create", data={"title": "New", "body": "x", "locale": "de"}),
        op("publish", version=1, result_of=0),
        op("update", old, 2, data={"title": "Older"}),
        op("publish", old, 3, revision_id=old["live_revision"]),
        op("duplicate", old, 4),
        op("trash", version=1, result_of=4),
        op("purge", version=2, result_of=4),
        {"action": "create", "type": "page", "data": {"title": "About"}},
    )
    assert [(one["status"], one["etag"]) for one in found] == [
        (201, '"v1"'), (200, '"v2"'), (200, '"v3"'), (200, '"v4"'), (201, '"v1"'), (204, None), (204, None),
        (201, '"v1"'),
    ]  # fmt: skip
    assert found[0]["id"] == found[1]["id"] == found[1]["document"]["id"]
    assert (found[1]["document"]["status"], found[1]["document"]["locale"]) == ("published", "de")
    assert (found[3]["document"]["has_unpublished_changes"], found[7]["document"]["type"]) == (True, "page")
    assert all(one["problem"] is None for one in found)
    assert await titles(admin) == ["New", "Older"]
    names = rows(
        database_url, "SELECT name FROM activity.events WHERE name LIKE 'document.%%' ORDER BY position"
    )
    assert [name for (name,) in names[2:]] == [
        "document.created", "document.published", "document.updated", "document.published", "document.created",
        "document.duplicated", "document.trashed", "document.purged", "document.created",
    ]  # fmt: skip


async def test_all_or_nothing(admin: httpx.AsyncClient, database_url: str) -> None:
    first, second = await make(admin, "posts", title="A"), await make(admin, "posts", title="B")
    count = rows(database_url, "SELECT count(*) FROM activity.events")
    stale = await run(
        admin,
        op("update", first, 1, data={"title": "Changed"}),
        op("update", second, 7, data={"title": "Changed"}),
        op("create", data={"title": "Never"}),
    )
    problem = answered(stale, 412, "stale")
    assert (problem["operation"], problem["current_version"]) == (1, 1)
    wrong = await run(
        admin, op("publish", first, 1), op("create", data={"title": "C", "tags": [str(uuid4())]})
    )
    problem = answered(wrong, 422)
    assert (problem["operation"], faults(problem)) == (
        1,
        [("/operations/1/data/tags/0", "unknown_reference")],
    )
    assert await titles(admin) == ["A", "B"]
    assert rows(database_url, "SELECT count(*) FROM activity.events") == count


async def test_each_by_itself(admin: httpx.AsyncClient, database_url: str) -> None:
    first, second = await make(admin, "posts", title="A"), await make(admin, "posts", title="B")
    found = await results(
        admin,
        op("update", first, 1, data={"title": "Changed"}),
        op("update", second, 7, data={"title": "Changed"}),
        op("create", data={"title": "C", "slug": "b"}),
        op("publish", version=1, result_of=2),
        op("unpublish", second),
        op("trash", second, 1),
        op("create", data={"title": "D"}),
        atomic=False,
    )
    assert [one["status"] for one in found] == [200, 412, 409, 409, 409, 204, 201]
    codes = [one["problem"] and one["problem"]["code"] for one in found]
    assert codes == [None, "stale", "slug_taken", "result_missing", "not_published", None, None]
    assert found[1]["problem"]["changed_fields"] == []
    assert (found[1]["document"], found[1]["etag"]) == (None, None)
    assert await titles(admin) == ["Changed", "D"]
    updated = rows(database_url, "SELECT count(*) FROM activity.events WHERE name = 'document.updated'")
    assert updated == [(1,)]


async def test_all_faults_of_all_operations_are_named(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="A")
    response = await run(
        admin,
        op("create", post, data={"titel": "x"}),
        {"action": "update", "type": "post", "data": {"title": "", "authors": [7]}},
        op("publish", post, data={}),
        op("trash", post, result_of=1, revision_id=str(uuid4())),
        op("update", result_of=4),
        op("restore_revision", post),
    )
    assert sorted(faults(answered(response, 422))) == [
        ("/operations/0/data/titel", "unknown_field"),
        ("/operations/0/data/title", "required"),
        ("/operations/0/id", "operation"),
        ("/operations/1/data/authors/0", "type"),
        ("/operations/1/data/title", "length"),
        ("/operations/1/id", "operation"),
        ("/operations/1/if_match", "operation"),
        ("/operations/2/data", "operation"),
        ("/operations/3/result_of", "operation"),
        ("/operations/3/revision_id", "operation"),
        ("/operations/4/data", "operation"),
        ("/operations/4/result_of", "operation"),
        ("/operations/5/revision_id", "operation"),
    ]
    assert answered(await admin.get(f"{API}/posts/{post['id']}"), 200)["version"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operations": []},
        {"operations": [op("create", data={"title": "A"})] * 101},
        {"operations": [op("explode")]},
        {"operations": [{"action": "publish", "type": "novel"}]},
        {"operations": [op("publish", if_match="3")]},
        {"operations": [op("publish", result_of=-1)]},
        {"operations": {}, "atomic": 1},
        {"operations": [None]},
    ],
)
async def test_malformed_batches(admin: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answered(await admin.post(URL, json=body), 422, "invalid")


async def test_who_may_do_what_is_decided_for_each(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    post = await make(admin, "posts", title="A")
    author = await user_client("author")
    answered(await run(client, op("create", data={"title": "B"})), 401)
    problem = answered(await run(author, op("create", data={"title": "B"}), op("publish", post)), 403)
    assert problem["operation"] == 1
    assert await titles(admin) == ["A"]
    found = await results(author, op("create", data={"title": "B"}), op("publish", post), atomic=False)
    assert [one["status"] for one in found] == [201, 403]


async def test_batches_that_go_opposite_ways_do_not_wait_in_a_circle(admin: httpx.AsyncClient) -> None:
    posts = [await make(admin, "posts", title=f"Post {number}") for number in range(8)]
    pages = [await make(admin, "pages", title=f"Page {number}") for number in range(4)]
    forth = [op("update", one, data={"excerpt": "x"}) for one in posts]
    forth += [{**op("update", one, data={"parent": pages[0]["id"]}), "type": "page"} for one in pages[1:]]
    for _ in range(3):
        answers = await asyncio.gather(*(run(admin, *forth[:: 1 - 2 * (n % 2)]) for n in range(6)))
        assert {answer.status_code for answer in answers} == {200}


async def test_faults_at_run_time_point_into_the_batch(admin: httpx.AsyncClient) -> None:
    post, missing = await make(admin, "posts", title="A"), str(uuid4())
    found = await results(
        admin, op("create", data={"title": "B"}), op("update", post, data={"tags": [missing]}), atomic=False
    )
    assert faults(found[1]["problem"]) == [("/operations/1/data/tags/0", "unknown_reference")]
    assert found[1]["id"] == post["id"]


async def test_a_hundred_at_once(admin: httpx.AsyncClient) -> None:
    found = await results(admin, *(op("create", data={"title": "Same"}) for _ in range(50)), atomic=False)
    assert [one["status"] for one in found] == [201] * 50
    assert len({one["document"]["slug"] for one in found}) == 50
    pairs = [operation for one in found for operation in (op("publish", one, 1), op("trash", one, 2))]
    assert {one["status"] for one in await results(admin, *pairs)} == {200, 204}
    assert await titles(admin) == []

"""The same for many documents, as a job: with progress, a dry run, and failures that stay alone."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.integration.cms.cms_client import (
    API,
    CONTENT,
    answered,
    change,
    faults,
    items,
    make,
    published,
    rows,
)

from cms_api.bootstrap.background import make_background
from cms_api.bootstrap.container import Application


@pytest.fixture
def work(application: Application):
    """Does a job to its end, as a worker would."""

    async def run(job: dict[str, Any]) -> None:
        parts = application.container
        handler = parts.cms.bulk_handler()
        await parts.jobs.runner(handlers={handler.kind: handler}).run(UUID(job["id"]), asyncio.Event())

    return run


async def begun(client: httpx.AsyncClient, kind: str = "posts", **body: Any) -> dict[str, Any]:
    response = await client.post(f"{API}/{kind}/bulk", json={"filter": {}} | body)
    job = answered(response, 202)
    assert response.headers["location"] == f"{API}/jobs/{job['id']}"
    assert (job["state"], job["done"], job["kind"]) == ("queued", 0, "documents.bulk")
    return job


@pytest.fixture
def done(work):
    async def run(client: httpx.AsyncClient, kind: str = "posts", **body: Any) -> dict[str, Any]:
        job = await begun(client, kind, **body)
        await work(job)
        over = answered(await client.get(f"{API}/jobs/{job['id']}"), 200)
        assert over["state"] == "succeeded", over
        return over

    return run


def numbers(job: dict[str, Any]) -> tuple[int, int, int]:
    result = job["result"]
    return result["changed"], result["unchanged"], result["failed"]


async def test_all_that_pass_the_filter_are_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, done
) -> None:
    news = await make(admin, "tags", name="News")
    for number in range(45):
        await make(admin, "posts", title=f"Post {number}", tags=[news["id"]] if number % 3 else [])
    live = await published(admin, "posts", title="Live", tags=[news["id"]])
    job = await done(admin, action="publish", filter={"tags.slug": "news"})
    assert (job["total"], job["done"], numbers(job)) == (31, 31, (30, 1, 0))
    found = answered(await client.get(f"{CONTENT}/posts?count=exact"), 200)
    assert found["count"] == 31
    assert answered(await admin.get(f"{API}/posts/{live['id']}"), 200)["version"] == live["version"]


async def test_a_dry_run_tells_what_would_come_of_it(
    admin: httpx.AsyncClient, done, database_url: str
) -> None:
    fine = await make(admin, "posts", title="Fine")
    first = await published(admin, "posts", title="Mine", slug="mine")
    await change(admin, "posts", first, slug="moved")
    blocked = await make(admin, "posts", title="Blocked", slug="mine")
    before = rows(database_url, "SELECT id, version, live_revision_id FROM cms.documents ORDER BY id")
    events = "SELECT count(*) FROM activity.events WHERE name LIKE 'document.%%'"
    told = rows(database_url, events)
    job = await done(admin, action="publish", filter={"status": "draft"}, dry_run=True)
    assert numbers(job) == (1, 0, 1)
    assert [(one["id"], one["code"]) for one in job["result"]["failures"]] == [
        (blocked["id"], "address_taken")
    ]
    assert rows(database_url, "SELECT id, version, live_revision_id FROM cms.documents ORDER BY id") == before
    assert rows(database_url, events) == told
    real = await done(admin, action="publish", filter={"status": "draft"})
    assert numbers(real) == (1, 0, 1)
    assert answered(await admin.get(f"{API}/posts/{fine['id']}"), 200)["status"] == "published"


async def test_terms_are_added_and_removed(admin: httpx.AsyncClient, done) -> None:
    old, new = await make(admin, "tags", name="Old"), await make(admin, "tags", name="New")
    section = await make(admin, "categories", name="Section")
    posts = [await make(admin, "posts", title=f"P{n}", tags=[old["id"]] if n else []) for n in range(3)]
    job = await done(
        admin, action="tag", filter={"title": {"in": ["P0", "P1"]}}, add=[new["id"]], remove=[old["id"]]
    )
    assert numbers(job) == (2, 0, 0)
    tags = [answered(await admin.get(f"{API}/posts/{one['id']}"), 200)["tags"] for one in posts]
    assert tags == [[new["id"]], [new["id"]], [old["id"]]]
    assert numbers(await done(admin, action="tag", add=[new["id"]])) == (1, 2, 0)
    assert numbers(await done(admin, action="categorise", add=[section["id"]])) == (3, 0, 0)


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        (["publish", "unpublish"], "draft"),
        (["archive"], "archived"),
        (["archive", "unarchive"], "draft"),
        (["publish"], "published"),
    ],
)
async def test_other_actions(admin: httpx.AsyncClient, done, actions: list[str], status: str) -> None:
    for number in range(3):
        await make(admin, "pages", title=f"Page {number}")
    for action in actions:
        assert numbers(await done(admin, "pages", action=action)) == (3, 0, 0)
    assert [one["status"] for one in await items(admin, f"{API}/pages")] == [status] * 3


async def test_the_trash_is_emptied(admin: httpx.AsyncClient, done) -> None:
    for number in range(4):
        await make(admin, "posts", title=f"Post {number}")
    assert numbers(await done(admin, action="trash")) == (4, 0, 0)
    assert numbers(await done(admin, action="restore", filter={"trashed": True, "title": "Post 0"})) == (
        1,
        0,
        0,
    )
    assert numbers(await done(admin, action="purge", filter={"trashed": True})) == (3, 0, 0)
    assert await items(admin, f"{API}/posts?filter[trashed]=true") == []
    assert [one["title"] for one in await items(admin, f"{API}/posts")] == ["Post 0"]


async def test_documents_made_meanwhile_are_left_alone(admin: httpx.AsyncClient, work) -> None:
    await make(admin, "posts", title="Before")
    job = await begun(admin, action="publish")
    await make(admin, "posts", title="After")
    await work(job)
    statuses = {one["title"]: one["status"] for one in await items(admin, f"{API}/posts")}
    assert statuses == {"Before": "published", "After": "draft"}


async def test_the_rights_are_those_of_who_asked(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any], work
) -> None:
    await make(admin, "posts", title="Theirs")
    author = await user_client("author")
    await make(author, "posts", title="Own")
    answered(await client.post(f"{API}/posts/bulk", json={"action": "trash", "filter": {}}), 401)
    job = await begun(author, action="archive")
    await work(job)
    over = answered(await author.get(f"{API}/jobs/{job['id']}"), 200)
    assert numbers(over) == (1, 0, 1)
    assert over["result"]["failures"][0]["code"] == "forbidden"


async def test_two_jobs_on_the_same_documents_both_count(admin: httpx.AsyncClient, work) -> None:
    tags = [(await make(admin, "tags", name=name))["id"] for name in "ab"]
    for number in range(45):
        await make(admin, "posts", title=f"Post {number}")
    jobs = [await begun(admin, action="tag", add=[tag]) for tag in tags]
    await asyncio.gather(*(work(job) for job in jobs))
    for job in jobs:
        over = answered(await admin.get(f"{API}/jobs/{job['id']}"), 200)
        assert (over["state"], numbers(over)) == ("succeeded", (45, 0, 0))
    found = await items(admin, f"{API}/posts?limit=100")
    assert [sorted(one["tags"]) for one in found] == [sorted(tags)] * 45


async def test_a_tree_of_pages_goes_and_comes_back(admin: httpx.AsyncClient, done) -> None:
    top = await make(admin, "pages", title="Top")
    parents = [await make(admin, "pages", title=f"B{n}", parent=top["id"]) for n in range(25)]
    for parent in parents:
        await make(admin, "pages", title="Leaf", parent=parent["id"])
    first = await make(admin, "pages", title="First")
    await change(admin, "pages", top, parent=first["id"])
    assert numbers(await done(admin, "pages", action="trash")) == (52, 0, 0)
    assert await items(admin, f"{API}/pages") == []
    assert numbers(await done(admin, "pages", action="restore", filter={"trashed": True})) == (52, 0, 0)
    assert numbers(await done(admin, "pages", action="trash")) == (52, 0, 0)
    assert numbers(await done(admin, "pages", action="purge", filter={"trashed": True})) == (52, 0, 0)


async def test_who_may_not_do_it_to_anything_is_told_at_once(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    reader = await user_client("reader", email="rea@example.org")
    author = await user_client("author", email="aut@example.org")
    answered(await reader.post(f"{API}/posts/bulk", json={"action": "publish", "filter": {}}), 403)
    answered(await author.post(f"{API}/posts/bulk", json={"action": "purge", "filter": {}}), 403)
    answered(await author.post(f"{API}/posts/bulk", json={"action": "publish", "filter": {}}), 202)
    there = await make(admin, "tags", name="There")
    body = {"action": "tag", "filter": {}, "add": [there["id"], str(uuid4())]}
    wrong = answered(await admin.post(f"{API}/posts/bulk", json=body), 422)
    assert faults(wrong) == [("/add/1", "unknown_reference")]


async def test_all_faults_are_named(admin: httpx.AsyncClient) -> None:
    body = {
        "action": "tag",
        "filter": {
            "titel": "x",
            "status": {"is": "draft", "in": []},
            "created_at": {"gt": "yesterday"},
            "tags": {"in": ["x", 7]},
            "trashed": "yes",
        },
    }
    wrong = answered(await admin.post(f"{API}/posts/bulk", json=body), 422)
    assert sorted(faults(wrong)) == [
        ("/add", "required"),
        ("/filter/created_at/gt", "type"),
        ("/filter/status/in", "required"),
        ("/filter/status/is", "unknown_operator"),
        ("/filter/tags/in/0", "type"),
        ("/filter/tags/in/1", "type"),
        ("/filter/titel", "unknown_filter"),
        ("/filter/trashed", "type"),
    ]
    answered(await admin.post(f"{API}/posts/bulk", json={"action": "publish"}), 422)
    costly = {"or": [{"categories.parent.parent.name": {"contains": str(number)}} for number in range(10)]}
    refused = await admin.post(f"{API}/posts/bulk", json={"action": "publish", "filter": costly})
    answered(refused, 400, "query_too_costly")
    answered(await admin.post(f"{API}/pages/bulk", json={"action": "tag", "filter": {}, "add": []}), 422)
    terms = {"action": "publish", "filter": {}, "add": [str(uuid4())]}
    assert faults(answered(await admin.post(f"{API}/posts/bulk", json=terms), 422)) == [("/add", "action")]


async def test_a_worker_does_it(admin: httpx.AsyncClient, application: Application) -> None:
    for number in range(30):
        await make(admin, "posts", title=f"Post {number}")
    background = make_background(application.container, application.settings)
    background.start()
    try:
        job = await begun(admin, action="publish")
        for _ in range(200):
            if (over := answered(await admin.get(f"{API}/jobs/{job['id']}"), 200))["state"] == "succeeded":
                break
            await asyncio.sleep(0.05)
    finally:
        await background.stop()
    assert (over["state"], numbers(over)) == ("succeeded", (30, 0, 0))

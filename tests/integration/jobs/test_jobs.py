"""Jobs over HTTP, with a worker in the same process."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import text
from tests.integration.http.asking import ABSENT, ANY, API, check_problem
from tests.integration.jobs.conftest import Await, Start, rows, until

from cms_api.bootstrap.container import Application
from cms_api.domains.jobs.ports import JobRepository
from cms_api.kernel.actor import Actor

JOBS = f"{API}/jobs"


def stream(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        job = json.loads(lines["data"])
        assert lines["id"] == str(job["version"])
        found.append((lines["event"], job))
    return found


@pytest.mark.usefixtures("working")
async def test_a_job_from_its_start_to_its_end(
    admin: httpx.AsyncClient,
    start: Start,
    awaited: Await,
    me: Actor,
    database_url: str,
    steps: Callable[[], Any],
) -> None:
    job_id = await start(me, to=3)
    job = await awaited(job_id, "succeeded")
    assert (job["kind"], job["done"], job["total"], job["error"]) == ("counting", 3, 3, None)
    assert job["params"] == {"to": 3}
    assert job["created_by"] == str(me.user_id)
    # With the rights that the user has, not those of the system, or of who began it.
    assert "documents:publish" in job["result"]["may"]
    assert "cursor" not in job
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert [number for number, _ in steps()] == [1, 2, 3]
    found = rows(
        database_url, "SELECT name, actor FROM activity.events WHERE name LIKE 'job.%' ORDER BY position"
    )
    assert found == [(f"job.{name}", me.user_id) for name in ("queued", "started", "finished")]

    response = await admin.get(f"{JOBS}/{job_id}", headers={"If-None-Match": f'"v{job["version"]}"'})
    assert response.status_code == 304
    check_problem(await admin.post(f"{JOBS}/{job_id}/cancel", headers=ANY), 409, "job_over")


@pytest.mark.usefixtures("working")
async def test_nothing_piles_up_in_the_queue(start: Start, awaited: Await, database_url: str) -> None:
    for job_id in [await start(to=2) for _ in range(5)] + [await start(to=2, refuse=2)]:
        await awaited(job_id, "succeeded", "failed")
    entries = (
        "SELECT id FROM queue.procrastinate_jobs WHERE task_name = 'run_job' UNION ALL"
        " SELECT job_id FROM queue.procrastinate_events e JOIN queue.procrastinate_jobs j ON j.id = e.job_id"
        " WHERE task_name = 'run_job'"
    )
    await until(lambda: rows(database_url, entries) == [])


@pytest.mark.usefixtures("working")
async def test_what_was_rolled_back_never_runs(
    application: Application, start: Start, awaited: Await, database_url: str, steps: Callable[[], Any]
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with application.unit_of_work() as uow:
            jobs = application.container.jobs.jobs()
            await jobs.start(uow, Actor(is_system=True), kind="counting", params={"to": 1})
            raise ZeroDivisionError
    await awaited(await start(to=2), "succeeded")
    assert [number for number, _ in steps()] == [1, 2]
    assert rows(database_url, "SELECT count(*) FROM jobs.jobs") == [(1,)]


@pytest.mark.usefixtures("working")
async def test_a_refusal_ends_the_job_visibly(start: Start, awaited: Await, steps: Callable[[], Any]) -> None:
    job = await awaited(await start(to=3, refuse=2), "failed")
    assert job["error"] == {"code": "refused", "detail": "It was refused."}
    assert job["done"] == 1
    assert [number for number, _ in steps()] == [1]


@pytest.mark.usefixtures("working")
async def test_an_unforeseen_error_is_tried_again(
    start: Start, awaited: Await, database_url: str, steps: Callable[[], Any]
) -> None:
    job_id = await start(**{"to": 3, "break": 2})
    job = await awaited(job_id, "running", done=1)
    waits = "SELECT id FROM queue.procrastinate_jobs WHERE status = 'todo' AND scheduled_at > now()"
    await until(lambda: rows(database_url, waits))
    assert [number for number, _ in steps()] == [1]
    # As if somebody had mended it. The worker in this loop may be at other rows at the moment, and goes on meanwhile.
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("UPDATE jobs.jobs SET params = '{\"to\": 3}'")
        await connection.execute("SET search_path TO queue")
        await connection.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
    job = await awaited(job_id, "succeeded")
    assert "secret" not in json.dumps(job)
    assert [number for number, _ in steps()] == [1, 2, 3]


@pytest.mark.usefixtures("working")
async def test_who_was_deactivated_has_nothing_done_any_more(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], start: Start, awaited: Await
) -> None:
    bea = await user_client("editor")
    user_id = (await bea.get(f"{API}/auth/me")).json()["user"]["id"]
    job_id = await start(Actor(user_id=UUID(user_id)), to=200, pause=0.05)
    await awaited(job_id, "running", done=1)
    answer = await admin.patch(f"{API}/users/{user_id}", json={"is_active": False}, headers=ANY)
    assert answer.status_code == 200
    job = await awaited(job_id, "failed")
    assert job["error"]["code"] == "user_gone"
    assert 0 < job["done"] < 200


@pytest.mark.usefixtures("working")
async def test_cancelling_a_running_job(
    admin: httpx.AsyncClient, start: Start, awaited: Await, steps: Callable[[], Any]
) -> None:
    job_id = await start(to=200, pause=0.1)
    await awaited(job_id, "running", done=1)
    cancelled = await admin.post(f"{JOBS}/{job_id}/cancel", headers=ANY)
    assert cancelled.status_code == 200
    job = cancelled.json()
    assert (job["state"], cancelled.headers["etag"]) == ("cancelled", f'"v{job["version"]}"')
    await asyncio.sleep(0.5)
    assert (await admin.get(f"{JOBS}/{job_id}")).json() == job
    assert len(steps()) == job["done"]


async def test_cancelling_needs_the_version(
    admin: httpx.AsyncClient, start: Start, database_url: str
) -> None:
    url = f"{JOBS}/{await start(to=1)}"
    check_problem(await admin.post(f"{url}/cancel"), 428)
    problem = check_problem(await admin.post(f"{url}/cancel", headers={"If-Match": '"v9"'}), 412)
    assert problem["current_version"] == 1
    tag = (await admin.get(url)).headers["etag"]
    assert (await admin.post(f"{url}/cancel", headers={"If-Match": tag})).json()["state"] == "cancelled"
    check_problem(await admin.post(f"{JOBS}/{ABSENT}/cancel", headers=ANY), 404, "job_not_found")
    events = rows(database_url, "SELECT name FROM activity.events WHERE name LIKE 'job.%' ORDER BY position")
    assert events == [("job.queued",), ("job.cancelled",)]


async def test_own_jobs_and_others(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any], start: Start
) -> None:
    bea = await user_client("editor")
    ben = await user_client("author", email="ben@example.org")
    actor = Actor(user_id=UUID((await bea.get(f"{API}/auth/me")).json()["user"]["id"]))
    mine, systems = await start(actor, to=1), await start(to=1)
    for who, seen in ((admin, [systems, mine]), (bea, [mine]), (ben, [])):
        answer = await who.get(JOBS)
        assert [job["id"] for job in answer.json()["items"]] == seen
        for job_id in (mine, systems):
            for path in ("", "/events"):
                if job_id not in seen:
                    check_problem(await who.get(f"{JOBS}/{job_id}{path}"), 404, "job_not_found")
        if mine not in seen:
            check_problem(await who.post(f"{JOBS}/{mine}/cancel", headers=ANY), 404, "job_not_found")
    for path in ("", f"/{mine}", f"/{mine}/events"):
        check_problem(await client.get(f"{JOBS}{path}"), 401)
    check_problem(await client.post(f"{JOBS}/{mine}/cancel", headers=ANY), 401)
    assert (await bea.post(f"{JOBS}/{mine}/cancel", headers=ANY)).json()["state"] == "cancelled"
    assert (await admin.post(f"{JOBS}/{systems}/cancel", headers=ANY)).json()["state"] == "cancelled"


async def test_lists_are_paged_and_filtered(admin: httpx.AsyncClient, start: Start, me: Actor) -> None:
    made = [await start(me if number % 2 else Actor(is_system=True), to=1) for number in range(5)]
    await admin.post(f"{JOBS}/{made[0]}/cancel", headers=ANY)
    seen, after = [], ""
    while True:
        answer = (await admin.get(f"{JOBS}?limit=2&count=exact{after}")).json()
        assert answer["count"] == 5
        seen += [job["id"] for job in answer["items"]]
        if answer["page"]["next"] is None:
            break
        after = f"&after={answer['page']['next']}"
    assert seen == made[::-1]
    for query, number in (
        ("filter[state]=cancelled", 1),
        ("filter[kind][in]=counting,dancing", 5),
        (f"filter[created_by]={me.user_id}", 2),
        ("filter[finished_at][exists]=true", 1),
    ):
        assert len((await admin.get(f"{JOBS}?{query}")).json()["items"]) == number
    check_problem(await admin.get(f"{JOBS}?sort=kind"), 400)


@pytest.mark.usefixtures("working")
async def test_watching_a_job_to_its_end(admin: httpx.AsyncClient, start: Start) -> None:
    job_id = await start(to=4, pause=0.4)
    answer = await admin.get(f"{JOBS}/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    events = stream(answer.text)
    assert [name for name, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    name, last = events[-1]
    assert (name, last["state"], last["done"]) == ("end", "succeeded", 4)
    versions = [job["version"] for _, job in events[:-1]]
    assert len(set(versions)) == len(versions) > 2
    assert versions == sorted(versions)
    assert last == (await admin.get(f"{JOBS}/{job_id}")).json()
    again = stream((await admin.get(f"{JOBS}/{job_id}/events")).text)
    assert again == [("progress", last), ("end", last)]


async def test_a_watcher_holds_no_connection(
    admin: httpx.AsyncClient, start: Start, database_url: str
) -> None:
    """Twice as many as there are connections, and requests get through."""
    job_id = await start(to=1)
    watching = [asyncio.create_task(admin.get(f"{JOBS}/{job_id}/events")) for _ in range(9)]
    await asyncio.sleep(1.2)
    assert not any(task.done() for task in watching)
    busy = rows(database_url, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
    assert busy == [(0,)]
    assert (await admin.post(f"{JOBS}/{job_id}/cancel", headers=ANY)).status_code == 200
    for answer in await asyncio.gather(*watching):
        assert [(name, job["state"]) for name, job in stream(answer.text)][-1] == ("end", "cancelled")


async def test_a_watcher_who_may_no_longer_is_cut_off(
    user_client: Callable[..., Any], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cms_api.adapters.http.jobs.stream.SILENCE", 0.1)
    bea = await user_client("editor")
    job_id = await start(Actor(user_id=UUID((await bea.get(f"{API}/auth/me")).json()["user"]["id"])), to=1)
    watching = asyncio.create_task(bea.get(f"{JOBS}/{job_id}/events"))
    await asyncio.sleep(1.2)
    assert not watching.done()
    await bea.post(f"{API}/auth/logout")
    answer = await asyncio.wait_for(watching, 5)
    assert answer.text.startswith("event: progress\n")
    assert ": still here\n\n" in answer.text
    assert "event: end" not in answer.text


async def test_the_openapi_document_tells_of_streams(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    watch = document["paths"]["/api/v1/jobs/{job_id}/events"]["get"]
    assert list(watch["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "304" not in watch["responses"]
    assert "404" in watch["responses"]
    cancel = document["paths"]["/api/v1/jobs/{job_id}/cancel"]["post"]
    assert {"200", "404", "409", "412", "428"} <= set(cancel["responses"])
    view = document["components"]["schemas"]["JobView"]
    assert set(view["properties"]["state"]["enum"]) == {
        "queued",
        "running",
        "succeeded",
        "failed",
        "cancelled",
    }
    assert "cursor" not in view["properties"]
    assert "jobs" in {tag["name"] for tag in document["tags"]}


async def test_the_permissions_are_known(admin: httpx.AsyncClient) -> None:
    listed = {one["name"] for one in (await admin.get(f"{API}/permissions?limit=100")).json()["items"]}
    assert {"jobs:read", "jobs:cancel"} <= listed
    roles = {one["key"]: one["permissions"] for one in (await admin.get(f"{API}/roles")).json()["items"]}
    assert {key for key, permissions in roles.items() if "jobs:read" in permissions} == {"administrator"}


async def test_a_step_may_take_its_time(start: Start, me: Actor, application: Application) -> None:
    """The database ends transactions that nobody goes on with, but not that of a step that is busy elsewhere."""
    job_id = await start(me, to=1)
    show = text("SHOW idle_in_transaction_session_timeout")
    units: list[Any] = [application.unit_of_work(), application.unit_of_work()]
    async with units[0] as uow:
        assert await uow.repository(JobRepository).get(UUID(job_id)) is not None
        assert await uow.session.scalar(show) == "0"
    async with units[1] as uow:
        assert await uow.session.scalar(show) == "1min"

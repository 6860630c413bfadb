"""Indexes of fields are built beside everything else: nobody waits for them but who asked."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
from tests.integration.jobs.conftest import rows, until

from cms_api.bootstrap.container import Application
from cms_api.bootstrap.supervision import Background

API = "/api/v1"
# Bounds how long it may hang: the defect that this is about never ended.
SECONDS = 30
QUICK = 10


def a_type(key: str) -> dict[str, Any]:
    fields = [
        {"key": "seats", "type": "number", "indexed": True},
        {"key": "code", "type": "text", "unique": True},
    ]
    return {"key": key, "name": key.title(), "fields": fields}


async def indexes(admin: httpx.AsyncClient, key: str) -> set[str]:
    response = await admin.get(f"{API}/content-types/{key}")
    assert response.status_code == 200, response.text
    return {one["state"] for one in response.json()["indexes"]}


async def ready(admin: httpx.AsyncClient, key: str) -> None:
    async with asyncio.timeout(SECONDS):
        while await indexes(admin, key) != {"ready"}:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.05)


async def published(admin: httpx.AsyncClient, title: str) -> str:
    post = (await admin.post(f"{API}/posts", json={"title": title})).json()
    response = await admin.post(f"{API}/posts/{post['id']}/publish", headers={"If-Match": "*"})
    assert response.status_code == 200, response.text
    return str(post["id"])


async def changed(client: httpx.AsyncClient, token: str) -> set[str]:
    response = await client.get(f"{API}/content/sync", params={"token": token})
    assert response.status_code == 200, response.text
    return {one["id"] for one in response.json()["items"]}


@asynccontextmanager
async def background(application: Application) -> AsyncIterator[Background]:
    """What goes on in the background, for as long as the context."""
    begun = application.background()
    begun.start()
    try:
        yield begun
    finally:
        await begun.stop()


async def test_types_get_their_indexes_while_the_server_works(
    admin: httpx.AsyncClient, working: None
) -> None:
    del working
    made = await asyncio.gather(
        *(admin.post(f"{API}/content-types", json=a_type(key)) for key in ("hall", "room", "barn"))
    )
    assert [one.status_code for one in made] == [201] * 3
    for key in ("hall", "room", "barn"):
        await ready(admin, key)


def is_waiting(url: str) -> bool:
    """Whether an index waits for what reads."""
    statement = """
        SELECT 1 FROM pg_stat_activity
        WHERE query LIKE '%INDEX CONCURRENTLY%' AND pid <> pg_backend_pid() AND wait_event = 'virtualxid'
          AND state = 'active' AND datname = current_database()
    """
    return bool(rows(url, statement))


async def test_nothing_waits_while_an_index_does(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    # The hourly work may come at any moment; on the copy of a database it makes tokens from before void.
    await application.container.cms.change_upkeep().compact(application.unit_of_work)
    token = (await client.get(f"{API}/content/sync")).json()["token"]
    with psycopg.connect(database_url) as reading:
        # What reads for long, as a backup does: an index that is built concurrently waits for it.
        reading.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reading.execute("SELECT count(*) FROM cms.documents")
        async with background(application) as working:
            assert (await admin.post(f"{API}/content-types", json=a_type("hall"))).status_code == 201
            await until(lambda: is_waiting(database_url), SECONDS)
            post = await published(admin, "Meanwhile")
            async with asyncio.timeout(SECONDS):
                while post not in await changed(client, token):  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0.05)
            response = await admin.get(f"{API}/jobs", params={"filter[state]": "running"})
            (job,) = response.json()["items"]
            # The process ends without it, and leaves it to the next.
            before = time.monotonic()
            await working.stop()
            assert time.monotonic() - before < QUICK
        await until(lambda: not is_waiting(database_url), SECONDS)
        async with background(application):
            await until(lambda: is_waiting(database_url), SECONDS)
            url = f"{API}/jobs/{job['id']}"
            cancelled = await admin.post(f"{url}/cancel", headers={"If-Match": "*"})
            assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
            reading.rollback()
            # The type is what says which indexes there are to be, whoever cancels a job.
            await ready(admin, "hall")
            assert (await admin.get(url)).json()["state"] == "cancelled"

"""Jobs, and what works on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from tests.integration.jobs.counting import STEPS, Counting

from cms_api.bootstrap.container import Application
from cms_api.kernel.actor import SYSTEM, Actor

Start = Callable[..., Awaitable[str]]
Await = Callable[..., Awaitable[dict[str, Any]]]


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the database holds."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


async def until(check: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait until ``check`` gives something true, and return it."""
    async with asyncio.timeout(seconds):
        while True:
            if found := check():
                return found
            await asyncio.sleep(0.05)


@pytest.fixture
def steps(database_url: str) -> Callable[[], list[tuple[int, int]]]:
    """The steps that were committed, with the process that did each."""
    with psycopg.connect(database_url) as connection:
        connection.execute(STEPS)

    def found() -> list[tuple[int, int]]:
        with psycopg.connect(database_url) as connection:
            return connection.execute("SELECT number, process FROM public.steps ORDER BY number").fetchall()

    return found


@pytest.fixture
async def working(application: Application, steps: Callable[[], Any]) -> AsyncIterator[None]:
    """What goes on in the background, in this process."""
    del steps
    background = application.background(Counting())
    background.start()
    yield
    await background.stop()


@pytest.fixture
async def me(admin: httpx.AsyncClient) -> Actor:
    """The administrator, as whom jobs are begun."""
    return Actor(user_id=UUID((await admin.get("/api/v1/auth/me")).json()["user"]["id"]))


@pytest.fixture
def start(application: Application) -> Start:
    """Begins jobs."""

    async def begin(actor: Actor = SYSTEM, kind: str = "counting", **params: Any) -> str:
        async with application.unit_of_work() as uow:
            jobs = application.container.jobs.jobs()
            job = await jobs.start(uow, actor, kind=kind, params=params, total=params.get("to"))
        return str(job.id)

    return begin


@pytest.fixture
def awaited(admin: httpx.AsyncClient) -> Await:
    """Waits until a job has come so far."""

    async def wait(job_id: str, *states: str, done: int = 0, seconds: float = 120) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                job: dict[str, Any] = (await admin.get(f"/api/v1/jobs/{job_id}")).json()
                if job["state"] in states and job["done"] >= done:
                    return job
                await asyncio.sleep(0.05)

    return wait

"""Many streams on one worker: what they ask the database, and how many there may be."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from litestar import Litestar
from tests.integration.cms.cms_client import API, CONTENT, answered, make
from tests.integration.cms.streams import listening
from tests.integration.hearing import hearing, until
from tests.integration.http.asking import ABSENT, check_problem

from cms_api.adapters.http.events import OpenStreams
from cms_api.adapters.http.protocol import Protocol
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.sync.interface import Position

MANY = 150
# In seconds, for each thing that is told.
PATIENCE = 30
EVENTS = f"{CONTENT}/sync/events"
INSERT = "INSERT INTO cms.changes (resource, id, is_deleted) VALUES ('tag', gen_random_uuid(), false) RETURNING xact"


@pytest.fixture
async def heard(application: Application) -> AsyncIterator[None]:
    """The database is listened to, as in a process that serves."""
    async with hearing(application):
        yield


@asynccontextmanager
async def served(app: Litestar) -> AsyncIterator[int]:
    """The port where the application answers, as `cms serve` has it answer."""
    config = uvicorn.Config(app, port=0, http=Protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())  # the signals are the test's own
    try:
        await until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        app.state.stopping.set()
        server.should_exit = True
        await serving


class Stream:
    """A client on a connection of its own."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def line(self, start: bytes) -> bytes:
        """The next line that begins with ``start``. Raises `EOFError` at the end."""
        async with asyncio.timeout(PATIENCE):
            while line := await self._reader.readline():
                if line.startswith(start):
                    return line
        raise EOFError


async def opened(stack: AsyncExitStack, port: int, query: str) -> Stream:
    """A stream that has told where it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stack.callback(writer.close)
    writer.write(f"GET {EVENTS}?{query} HTTP/1.1\r\nHost: cms.test\r\n\r\n".encode())
    found = Stream(reader)
    assert await found.line(b"HTTP/") == b"HTTP/1.1 200 OK\r\n"
    await found.line(b"id: ")
    return found


def transaction(url: str, sql: str = "SELECT pg_current_xact_id()") -> int:
    """A transaction of somebody's, and its number."""
    with psycopg.connect(url) as connection:
        row: Any = connection.execute(sql.encode()).fetchone()
        return int(row[0])


@pytest.mark.usefixtures("heard")
async def test_all_hear_of_a_change_by_one_walk(
    app: Litestar, admin: httpx.AsyncClient, asked: list[str], database_url: str
) -> None:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(served(app))
        streams: list[Stream] = []
        for _ in range(3):
            streams += await asyncio.gather(*(opened(stack, port, "kinds=tag") for _ in range(MANY // 3)))
            transaction(database_url)  # who comes later is further on
        await asyncio.sleep(0.5)
        asked.clear()
        await make(admin, "tags", name="News")
        told = await asyncio.gather(*(one.line(b"data: ") for one in streams))
        assert len(set(told)) == 1
        assert b'"News"' in told[0]
        assert sum("bounds" in sql for sql in asked) == 1
        # All are at one place now.
        assert len(set(await asyncio.gather(*(one.line(b"id: ") for one in streams)))) == 1


@pytest.mark.usefixtures("heard")
async def test_nobody_misses_a_change_whatever_the_order_of_commits(
    app: Litestar, admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    late = await make(admin, "tags", name="Late")
    token = answered(await client.get(f"{CONTENT}/sync?kinds=tag"), 200)["token"]
    expected = {late["id"]}

    async def write(name: str) -> None:
        for number in range(8):
            expected.add((await make(admin, "tags", name=f"{name} {number}"))["id"])

    async def heard_all(one: Stream) -> None:
        met: set[str] = set()
        while not expected <= met:
            met.add(json.loads((await one.line(b"data: ")).removeprefix(b"data: "))["id"])

    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(served(app))
        held = stack.enter_context(psycopg.connect(database_url))
        held.execute(
            "INSERT INTO cms.changes (resource, id, is_deleted) VALUES ('tag', %s, false)", (late["id"],)
        )
        writing = asyncio.gather(*map(write, "ABC"))
        streams: list[Stream] = []
        while not writing.done():
            streams.append(await opened(stack, port, f"kinds=tag&token={token}"))
            if len(streams) == 10:
                held.commit()
        held.commit()
        await writing
        assert len(streams) > 10
        await asyncio.gather(*map(heard_all, streams))


@pytest.mark.usefixtures("heard")
async def test_purges_are_shared_by_those_who_may_see_them(
    app: Litestar, admin: httpx.AsyncClient, user_client: Callable[..., Any], asked: list[str]
) -> None:
    bearers = [
        who.headers["Authorization"]
        for who in (
            admin,
            await user_client("administrator"),
            await user_client("editor", email="eve@example.org"),
        )
    ]
    async with AsyncExitStack() as stack:
        one, two, editor = [
            await stack.enter_async_context(listening(app, f"{API}/purges/events", authorization=bearer))
            for bearer in bearers
        ]
        assert (one.status, two.status, editor.status) == (200, 200, 403)
        for heard in (one, two):
            await heard.settled()
        await asyncio.sleep(0.3)
        asked.clear()
        await make(admin, "tags", name="News")
        assert await one.event() == await two.event()
        assert sum("cms.change_keys" in sql for sql in asked) == 1


@pytest.mark.usefixtures("heard")
async def test_streams_leave_connections_to_readers(
    app: Litestar, application: Application, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = await make(admin, "tags", name="Olds")
    # Who waits for a connection for longer than that is told that there is none.
    monkeypatch.setattr(application.container.core.reader()._places, "_patience", 0.05)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(served(app))
        # Each with filters of its own: nothing is shared.
        opening = asyncio.gather(*(opened(stack, port, f"kinds=tag&locale=x{one}") for one in range(MANY)))
        while not opening.done():
            # Past the cache, as she is signed in.
            answered(await admin.get(f"{CONTENT}/tags/{tag['id']}"), 200)
        streams = await opening
        assert all([b'"Olds"' in await one.line(b"data: ") for one in streams])
        await make(admin, "tags", name="News")
        assert all([b'"News"' in await one.line(b"data: ") for one in streams])


async def test_who_waits_is_led_to_the_next_change(application: Application, database_url: str) -> None:
    signal = application.container.core.change_signal()
    last = transaction(database_url, INSERT)
    at = [Position("e", start=number, xact=number) for number in (last + 1, transaction(database_url))]
    assert await signal.beyond(at[0], patience=0.1) is None
    waiting = [asyncio.create_task(signal.beyond(one, patience=PATIENCE)) for one in at]
    await asyncio.sleep(0.2)
    following = transaction(database_url, INSERT)
    transaction(database_url, INSERT)
    signal.wake()
    assert await asyncio.gather(*waiting) == [Position("e", start=following, xact=following)] * 2
    # Who is behind what was known is not, as there may be changes in between.
    behind = Position("e", start=last, xact=last)
    assert await signal.beyond(behind, patience=PATIENCE) == behind


async def test_who_has_missed_removed_changes_is_not_led_on(
    application: Application, database_url: str
) -> None:
    signal = application.container.core.change_signal()
    transaction(database_url, INSERT)
    numbers = [transaction(database_url) for _ in range(3)]
    at = [Position("e", start=number, xact=number) for number in numbers]
    assert await signal.beyond(at[0], patience=0.1) is None
    waiting = [asyncio.create_task(signal.beyond(one, patience=PATIENCE)) for one in at]
    await asyncio.sleep(0.2)
    pruned = f"UPDATE cms.change_epoch SET pruned = '{numbers[1]}' RETURNING pruned"
    assert transaction(database_url, pruned) == numbers[1]
    following = transaction(database_url, INSERT)
    signal.wake()
    assert await asyncio.gather(*waiting) == [*at[:2], Position("e", start=following, xact=following)]


@pytest.mark.usefixtures("heard")
async def test_there_is_an_end_to_the_number_of_streams(
    app: Litestar, admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    app.state.streams = OpenStreams(2)
    bearer = admin.headers["Authorization"]
    async with (
        listening(app, EVENTS) as one,
        listening(app, f"{API}/purges/events", authorization=bearer) as two,
    ):
        assert (one.status, two.status) == (200, 200)
        for who, path in (
            (client, EVENTS),
            (admin, f"{API}/purges/events"),
            (admin, f"{API}/jobs/{ABSENT}/events"),
        ):
            refused = await who.get(path)
            check_problem(refused, 503, "too_many_streams")
            assert 2 <= int(refused.headers["retry-after"]) <= 6
        answered(await client.get(f"{CONTENT}/sync"), 200)
    async with listening(app, EVENTS) as again:
        assert again.status == 200
    # What is refused is open no longer.
    for _ in range(3):
        check_problem(await client.get(f"{EVENTS}?token=x"), 400, "malformed")
        check_problem(await admin.get(f"{API}/jobs/{ABSENT}/events"), 404, "job_not_found")

"""The connections that reads go over: long answers, errors, reads that nobody waits for, a database that goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest
import uvloop
from tests.integration.hearing import until

from cms_api.adapters.sqlalchemy.reading import Reader

SLEEPING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cms reads' AND query LIKE '%%sleep(60%%'"
)

ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cms reads'"


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[Reader]:
    reader = Reader(database_url, size=2, statement_timeout=5)
    await reader.open()
    yield reader
    await reader.close()


def _is_asleep(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute(f"{SLEEPING} AND state = 'active'".encode(), {}).fetchone()
    return bool(found and found[0])


async def test_an_answer_of_many_pieces(reader: Reader) -> None:
    asked = "SELECT n, repeat('x', 5000) FROM generate_series(1, %(rows)s) n"
    for _ in range(3):  # the first prepares it
        rows = await reader.rows(asked, {"rows": 2000})
        assert [row[0] for row in rows] == list(range(1, 2001))
        assert {len(row[1]) for row in rows} == {5000}


async def test_many_at_once(reader: Reader) -> None:
    asked = "SELECT %(number)s::int, repeat('x', 20000)"
    found = await asyncio.gather(*(reader.one(asked, {"number": number}) for number in range(200)))
    assert [row and row[0] for row in found] == list(range(200))


async def test_a_large_question(reader: Reader) -> None:
    row = await reader.one("SELECT length(%(text)s)", {"text": "x" * 20_000_000})
    assert row == (20_000_000,)


async def test_an_error_leaves_the_connection_usable(reader: Reader) -> None:
    for _ in range(3):
        with pytest.raises(psycopg.errors.DivisionByZero):
            await reader.rows("SELECT 1 / (n - 500) FROM generate_series(1, 1000) n")
    assert await reader.one("SELECT 1") == (1,)


async def test_what_takes_too_long_ends(reader: Reader) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        await reader.one("SELECT pg_sleep(60)")
    assert await reader.one("SELECT 1") == (1,)


async def test_a_read_that_nobody_waits_for_ends_in_the_database_too(
    reader: Reader, database_url: str
) -> None:
    for _ in range(3):  # more often than there are connections
        asked = asyncio.create_task(reader.one("SELECT pg_sleep(60)"))
        await until(lambda: _is_asleep(database_url))
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert not _is_asleep(database_url)
    assert await reader.one("SELECT 1") == (1,)


async def test_connections_that_the_database_ended(reader: Reader, database_url: str) -> None:
    await asyncio.gather(*(reader.one("SELECT pg_sleep(0.05)") for _ in range(2)))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cms reads'"
        )
    assert await asyncio.gather(*(reader.one("SELECT 1") for _ in range(4))) == [(1,)] * 4


async def test_a_connection_that_is_ended_amid_a_read(reader: Reader, database_url: str) -> None:
    asked = asyncio.create_task(reader.one("SELECT pg_sleep(60)"))
    await until(lambda: _is_asleep(database_url))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        ended = await connection.execute(
            SLEEPING.replace("count(*)", "pg_terminate_backend(pid)").encode(), {}
        )
        assert await ended.fetchall()
        # It is tried again on a new connection, and there the statement's time runs out.
        with pytest.raises(psycopg.errors.QueryCanceled):
            await asked
    assert await reader.one("SELECT 1") == (1,)


def test_connections_that_are_ended_all_the_time_leave_no_read_behind(database_url: str) -> None:
    # With the loop that the server runs on, which does not tell of every connection that broke.
    async def read_meanwhile() -> None:
        reader = Reader(database_url, size=4, statement_timeout=5)
        await reader.open()
        is_over = False

        async def read() -> None:
            while not is_over:
                with suppress(psycopg.Error):
                    await reader.rows("SELECT n, repeat('x', 500) FROM generate_series(1, 200) n")

        def end_connections() -> None:
            with psycopg.connect(database_url, autocommit=True) as connection:
                connection.execute(ENDED)

        reading = [asyncio.create_task(read()) for _ in range(8)]
        for _ in range(8):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(end_connections)
        is_over = True
        _, waiting = await asyncio.wait(reading, timeout=10)
        assert not waiting
        # All places are free again.
        assert await asyncio.gather(*(reader.one("SELECT 1") for _ in range(4))) == [(1,)] * 4
        await reader.close()

    uvloop.run(read_meanwhile())


async def test_a_lock_is_not_waited_for_as_long_as_an_answer(database_url: str) -> None:
    reader = Reader(database_url, size=1, statement_timeout=3)
    await reader.open()
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE cms.terms")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await reader.rows("SELECT FROM cms.terms")
    await reader.close()

"""Reads: one statement each, on connections without transactions."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import tuple_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from cms_api import timings
from cms_api.adapters.sqlalchemy.turns import Turns
from cms_api.adapters.sqlalchemy.watching import WatchedConnection

Row = tuple[Any, ...]

# How long a read waits for a connection, in seconds, before the service counts as away.
PATIENCE = 5.0

# What every statement may ask for by this name: where this service is found from outside, NULL where that is not known.
SERVICE = "_service"

# Where the reads of this task are done instead, if they must see what a transaction has written so far.
_transaction: ContextVar[AsyncConnection[Row] | None] = ContextVar("transaction", default=None)


@contextmanager
def inside(connection: AsyncConnection[Row]) -> Iterator[None]:
    """Have all reads of this task done on ``connection``, within the transaction that it is in."""
    before = _transaction.set(connection)
    try:
        yield
    finally:
        _transaction.reset(before)


class Reader:
    """AUTOCOMMIT connections for queries that are one statement each, prepared on first use.

    Such a connection holds nothing that a reset would have to clear. So connections, once taken
    from the pool, stay at hand here with a cursor each, the last used first: that saves a third of
    what a read costs. Back to the pool go those that broke, to be replaced.
    """

    def __init__(self, url: str, *, size: int, statement_timeout: int, service: str | None = None) -> None:
        self._known: dict[str, object] = {SERVICE: service and service.rstrip("/")}
        self._pool: AsyncConnectionPool[AsyncConnection[Row]] = AsyncConnectionPool(
            url,
            connection_class=WatchedConnection,
            min_size=1,
            max_size=size,
            open=False,
            timeout=PATIENCE,
            name="reads",
            kwargs={
                "autocommit": True,
                "prepare_threshold": 0,
                "application_name": "cms reads",
                "options": f"-c statement_timeout={statement_timeout * 1000}"
                f" -c lock_timeout={statement_timeout * 333} -c timezone=UTC"
                # Compiling a plan takes longer than what is read here does.
                " -c default_transaction_read_only=on -c jit=off",
            },
        )
        # One place for each connection: its cursor, or None while it is still in the pool.
        self._places = Turns[AsyncCursor[Row] | None]([None] * size, patience=PATIENCE)

    async def open(self) -> None:
        """Open the pool. Raises `psycopg_pool.PoolTimeout` where the database does not answer."""
        await self._pool.open(wait=True, timeout=15.0)

    async def close(self) -> None:
        """Close every connection that is at rest, and the pool."""
        for cursor in self._places.free():
            if cursor is not None:
                await self._pool.putconn(cursor.connection)
        await self._pool.close()

    async def rows(
        self, sql: str, params: Mapping[str, object] | None = None, *, prepare: bool | None = None
    ) -> list[Row]:
        """All rows that ``sql`` gives; placeholders are written ``%(name)s``.

        Without ``prepare``, it is planned for these parameters, each time.
        """
        if (connection := _transaction.get()) is not None:
            return await (await self._executed_inside(connection, sql, params)).fetchall()
        cursor = await self._executed(sql, params, prepare=prepare)
        try:
            return await cursor.fetchall()
        finally:
            self._places.give(cursor)

    async def one(
        self, sql: str, params: Mapping[str, object] | None = None, *, prepare: bool | None = None
    ) -> Row | None:
        """The first row that ``sql`` gives, or None."""
        if (connection := _transaction.get()) is not None:
            return await (await self._executed_inside(connection, sql, params)).fetchone()
        cursor = await self._executed(sql, params, prepare=prepare)
        try:
            return await cursor.fetchone()
        finally:
            self._places.give(cursor)

    async def _executed_inside(
        self, connection: AsyncConnection[Row], sql: str, params: Mapping[str, object] | None
    ) -> AsyncCursor[Row]:
        """A cursor that has run the statement in somebody's transaction; nothing of it is kept there."""
        cursor = connection.cursor(row_factory=tuple_row)
        with timings.counted():
            return await cursor.execute(sql, self._bound(params), prepare=False)

    def _bound(self, params: Mapping[str, object] | None) -> Mapping[str, object] | None:
        """The parameters with what is known without asking; none where the statement has no placeholders."""
        return None if params is None else {**self._known, **params}

    async def _executed(
        self, sql: str, params: Mapping[str, object] | None, *, prepare: bool | None = None
    ) -> AsyncCursor[Row]:
        """A cursor that has run the statement, which counts as one of the request's."""
        timing = timings.current.get()
        if timing is None:
            return await self._run(sql, params, prepare=prepare)
        started = time.perf_counter()
        try:
            return await self._run(sql, params, prepare=prepare)
        finally:
            timing.add(time.perf_counter() - started)

    async def _run(
        self, sql: str, params: Mapping[str, object] | None, *, prepare: bool | None
    ) -> AsyncCursor[Row]:
        """Run a statement. A connection that was dead is replaced, once."""
        cursor, bound = await self._take(), self._bound(params)
        try:
            return await cursor.execute(sql, bound, prepare=prepare)
        except psycopg.OperationalError:
            was_dead = cursor.connection.closed
            await self._give_up(cursor)
            if not was_dead:
                raise
        except BaseException:
            await self._give_up(cursor)
            raise
        cursor = await self._take()
        try:
            return await cursor.execute(sql, bound, prepare=prepare)
        except BaseException:
            await self._give_up(cursor)
            raise

    async def _take(self) -> AsyncCursor[Row]:
        try:
            cursor = await self._places.take()
        except TimeoutError:
            raise PoolTimeout("No connection became free.") from None
        if cursor is not None:
            return cursor
        try:
            return (await self._pool.getconn()).cursor()
        except BaseException:
            self._places.give(None)
            raise

    async def _give_up(self, cursor: AsyncCursor[Row]) -> None:
        """Hand the connection of a failed or cancelled read back; the pool looks into its state."""
        try:
            with suppress(psycopg.Error):
                await self._pool.putconn(cursor.connection)
        finally:
            self._places.give(None)

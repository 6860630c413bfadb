"""Reads: one statement each, on connections without transactions."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool


class Reader:
    """A pool of AUTOCOMMIT connections for queries that are one statement each.

    Such a connection holds nothing that a reset would have to clear, so it goes back without
    a round trip. Statements are prepared on first use.
    """

    def __init__(self, url: str, *, size: int, statement_timeout: int) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=5.0,
            name="reads",
            kwargs={
                "autocommit": True,
                "prepare_threshold": 0,
                "application_name": "cms reads",
                "options": f"-c statement_timeout={statement_timeout * 1000} -c timezone=UTC"
                " -c default_transaction_read_only=on",
            },
        )

    async def open(self) -> None:
        """Open the pool. Raises `psycopg_pool.PoolTimeout` where the database does not answer."""
        await self._pool.open(wait=True, timeout=15.0)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def rows(self, sql: str, params: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """All rows that ``sql`` gives; placeholders are written ``%(name)s``."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(sql, params)
            return await cursor.fetchall()

    async def one(self, sql: str, params: Mapping[str, object] | None = None) -> tuple[Any, ...] | None:
        """The first row that ``sql`` gives, or None."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(sql, params)
            return await cursor.fetchone()

"""The driver's own connection behind a session, for libraries that want one."""

from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The connection that the session's transaction runs on; what is done on it is part of that."""
    raw = await (await session.connection()).get_raw_connection()
    connection: psycopg.AsyncConnection[Any] | None = raw.driver_connection
    if connection is None:
        raise RuntimeError("The connection is closed.")
    return connection

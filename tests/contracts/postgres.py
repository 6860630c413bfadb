"""The adapters' side of contract suites: sessions and reads on a fresh database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.reading import Reader


class Postgres(NamedTuple):
    """What adapters are made of."""

    url: str
    sessions: async_sessionmaker[AsyncSession]
    reader: Reader


@asynccontextmanager
async def postgres(request: pytest.FixtureRequest) -> AsyncIterator[Postgres]:
    """A database of its own for the test that asks, closed at the end."""
    url = request.getfixturevalue("database_url")
    engine = make_engine(url, size=3, statement_timeout=15)
    reader = Reader(url, size=2, statement_timeout=15)
    await reader.open()
    try:
        yield Postgres(url, make_sessions(engine), reader)
    finally:
        await reader.close()
        await engine.dispose()

"""The engine and the sessions that units of work use."""

import time

from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from cms_api import timings


def make_engine(url: str, *, size: int, statement_timeout: int) -> AsyncEngine:
    """An engine on psycopg with a pool of up to ``size`` connections.

    ``statement_timeout`` is in seconds; a lock is waited for a third of that.
    """
    timeouts = f"-c statement_timeout={statement_timeout * 1000} -c lock_timeout={statement_timeout * 333}"
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        # What people wrote, and their addresses, have no business in a log.
        hide_parameters=True,
        connect_args={
            "application_name": "cms",
            # Our own statements name their schemas; those of the queue's library are found in ``queue``.
            "options": f"{timeouts} -c timezone=UTC -c idle_in_transaction_session_timeout=60000"
            " -c search_path=public,queue",
        },
    )
    event.listen(engine.sync_engine, "before_cursor_execute", _begin)
    event.listen(engine.sync_engine, "after_cursor_execute", _count)
    return engine


def _begin(connection: Connection, *_: object) -> None:
    if timings.current.get() is not None:
        connection.info["cms_began"] = time.perf_counter()


def _count(connection: Connection, *_: object) -> None:
    began = connection.info.pop("cms_began", None)
    if began is not None and (timing := timings.current.get()) is not None:
        timing.add(time.perf_counter() - began)


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions that neither flush nor expire on their own."""
    return async_sessionmaker(engine, autoflush=False, expire_on_commit=False)

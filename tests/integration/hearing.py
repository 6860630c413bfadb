"""Hearing of changes, as a process that serves does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cms_api.adapters.http.caching import ResponseCache
from cms_api.bootstrap.container import Application


@asynccontextmanager
async def hearing(application: Application) -> AsyncIterator[ResponseCache]:
    """The application's cache, while the database is listened to."""
    stop = asyncio.Event()
    listening = asyncio.create_task(application.container.core.change_listener().run(stop))
    cache: ResponseCache = application.container.core.cache()
    try:
        await until(lambda: cache.is_current)
        yield cache
    finally:
        stop.set()
        await listening


async def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    """Come back once something holds, be it in a database. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)

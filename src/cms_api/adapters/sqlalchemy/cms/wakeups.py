"""Hearing of new schedules: LISTEN on a connection of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress

import psycopg

from cms_api.adapters.sqlalchemy.cms.schedules import CHANNEL
from cms_api.adapters.sqlalchemy.listening import notifications
from cms_api.domains.cms.schedules.ports import Log, Wakeups

# In seconds: between attempts to connect, and until a silent connection is looked into.
RETRY = 1.0
SILENCE = 30.0


class PostgresWakeups(Wakeups):
    """Notifications of `CHANNEL`. A lost connection is made anew, for as long as somebody listens.

    Its loss and its return are told once each.
    """

    def __init__(self, url: str, *, log: Log) -> None:
        self._url = url
        self._log = log

    def listening(self) -> AbstractAsyncContextManager[asyncio.Event]:
        return self._listening()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Event]:
        woken = asyncio.Event()
        task = asyncio.create_task(self._listen(woken))
        try:
            yield woken
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen(self, woken: asyncio.Event) -> None:
        is_deaf = False

        def listening() -> None:
            nonlocal is_deaf
            if is_deaf:
                is_deaf = False
                self._log.info("schedules_listening")
            # There may have been some while nobody listened.
            woken.set()

        while True:
            try:
                await self._hear(woken, listening)
            except (psycopg.Error, OSError, TimeoutError) as error:
                if not is_deaf:
                    is_deaf = True
                    self._log.warning("schedules_not_listening", error=type(error).__name__)
            await asyncio.sleep(RETRY)

    async def _hear(self, woken: asyncio.Event, listening: Callable[[], None]) -> None:
        """Set ``woken`` on every notification, until the connection breaks."""
        async with aclosing(
            notifications(self._url, (CHANNEL,), name="schedules", silence=SILENCE, on_listening=listening)
        ) as heard:
            async for _ in heard:
                woken.set()

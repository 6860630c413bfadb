"""Hearing of changes: what each worker needs to know of what the others write."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import aclosing
from typing import Protocol

import psycopg

from cms_api.adapters.sqlalchemy.listening import Witness, notifications
from cms_api.adapters.sqlalchemy.unit_of_work import CHANNEL as COMMITS

CHANGES = "cms_changes"
# In seconds: between attempts to connect, and until a silent connection is looked into.
RETRY = 0.25
SILENCE = 2.0


class Hearer(Witness, Protocol):
    """Who keeps something that changes make wrong."""

    def listening(self) -> None:
        """From now on every change is told."""

    def deaf(self) -> None:
        """Changes are not told any more."""

    def changed(self, keys: Collection[str]) -> None:
        """What carries one of ``keys`` is out of date."""


class Log(Protocol):
    """Where outages are told."""

    def info(self, event: str, **values: object) -> None:
        """Tell of the end of one."""

    def warning(self, event: str, **values: object) -> None:
        """Tell of one."""


class ChangeListener:
    """Tells ``hearer`` of every change in the order of commits, for as long as it runs.

    A transaction's changes are told before its end is. A connection that breaks is made anew; ``log`` is
    told once of that, and once of the new one.
    ``wake`` is called whenever there may be changes.
    """

    def __init__(self, url: str, *, hearer: Hearer, wake: Callable[[], None], log: Log) -> None:
        self._url = url
        self._hearer = hearer
        self._wake = wake
        self._log = log
        self._is_told = False

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until ``stop`` is set."""
        task = asyncio.create_task(self._keep())
        try:
            await stop.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._hearer.deaf()

    async def _keep(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                if not self._is_told:
                    self._is_told = True
                    self._log.warning("changes_not_heard", error=type(error).__name__)
            await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        hearer = self._hearer

        def listening() -> None:
            hearer.listening()
            self._wake()
            if self._is_told:
                self._is_told = False
                self._log.info("changes_heard")

        try:
            async with aclosing(
                notifications(
                    self._url,
                    (CHANGES, COMMITS),
                    name="changes",
                    silence=SILENCE,
                    on_listening=listening,
                )
            ) as heard:
                async for channel, payload in heard:
                    if channel == CHANGES:
                        hearer.changed(payload.split(","))
                        self._wake()
                    else:
                        hearer.heard(payload)
        finally:
            hearer.deaf()

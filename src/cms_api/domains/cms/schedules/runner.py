"""The worker of schedules: sleeps until something is due."""

import asyncio

from cms_api.domains.cms.schedules.firing import Firing
from cms_api.domains.cms.schedules.ports import Log, Wakeups

# In seconds. How long to sleep at most: what is lost of a notification is late by no more.
LONGEST_SLEEP = 5.0
# What is due is not to be had, as somebody has it locked: an editor who saves, another worker.
LOCKED_SLEEP = 0.1
SHORTEST_SLEEP = 0.005
# After an error of the database, or of ours.
PAUSE = 1.0


class ScheduleRunner:
    """Fires schedules as they become due, a few at once; any number of processes may do so."""

    def __init__(self, *, firing: Firing, wakeups: Wakeups, log: Log, concurrency: int = 2) -> None:
        self._firing = firing
        self._wakeups = wakeups
        self._log = log
        self._concurrency = concurrency
        self._is_away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; what has been begun is finished first.

        A database that is away is waited for.
        """
        is_aligned = False
        async with self._wakeups.listening() as woken:
            while not stop.is_set():
                woken.clear()
                try:
                    if not is_aligned:
                        await self._align()
                        is_aligned = True
                    await self._drain(stop)
                    pause = await self._pause()
                    self._tell_of_return()
                except Exception as error:  # noqa: BLE001 - a worker goes on whatever happens
                    self._tell(error)
                    pause = PAUSE
                    woken.clear()
                await _first_of(stop, woken, seconds=pause)

    def _tell(self, error: Exception) -> None:
        if not self._firing.is_outage(error):
            self._log.error("schedules_broke", exc_info=error)
        elif not self._is_away:
            self._is_away = True
            self._log.warning("schedules_without_database", error=type(error).__name__)

    def _tell_of_return(self) -> None:
        if self._is_away:
            self._is_away = False
            self._log.info("schedules_with_database")

    async def _align(self) -> None:
        if moved := await self._firing.realign():
            self._log.info("schedules_realigned", number=moved)

    async def _drain(self, stop: asyncio.Event) -> None:
        """Fire all that is due. What one of the tasks meets does not keep the others from it."""

        async def work() -> None:
            while not stop.is_set() and await self._firing.fire_next():
                pass

        done = await asyncio.gather(*(work() for _ in range(self._concurrency)), return_exceptions=True)
        for result in done:
            if isinstance(result, BaseException):
                raise result

    async def _pause(self) -> float:
        seconds = await self._firing.seconds_to_next()
        if seconds is None:
            return LONGEST_SLEEP
        if seconds <= 0:
            return LOCKED_SLEEP
        return min(max(seconds, SHORTEST_SLEEP), LONGEST_SLEEP)


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of the events is set, for at most ``seconds``."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

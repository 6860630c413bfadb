"""Connections that wait for answers cheaply."""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import PQGen
from psycopg.waiting import READY_R, WAIT_R, Ready, Wait

T = TypeVar("T")
# How long a read that nobody waits for any more may take to end, in seconds.
ENDING = 5.0
# How often a connection is looked into that nothing came in on, in seconds: not every event loop tells of one
# that broke.
LOOKING = 1.0


class WatchedConnection(AsyncConnection[tuple[Any, ...]]):
    """Takes what comes in as it comes, and wakes who waits for it when all is there.

    psycopg has the event loop watch the socket anew, and wakes the task, for each piece of an answer:
    PostgreSQL sends a list of 20 posts in a dozen. That is a third of the CPU that such a read costs.
    """

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 - of psycopg's own
    ) -> T:
        """Run what talks to the database to its end. Raises as psycopg's own does, which does all but reading."""
        try:
            state = next(gen)
        except StopIteration as ended:
            value: T = ended.value
            return value
        if timeout is None and state == WAIT_R:
            return await self._read(gen, interval)
        return await super().wait(_resumed(gen, state), interval, timeout)

    async def _read(self, gen: PQGen[T], interval: float) -> T:
        reading = _Reading(self.pgconn.socket, gen)
        try:
            state = await reading.ended
        except asyncio.CancelledError:
            if reading.ended.cancelled():
                reading.stop()
                await self._end(gen)
            raise
        if isinstance(state, Wait):
            return await super().wait(_resumed(gen, state), interval)
        return state

    async def _end(self, gen: PQGen[T]) -> None:
        """Have the database stop working on what nobody waits for."""
        with suppress(psycopg.Error):
            await self.cancel_safe(timeout=ENDING)
            await super().wait(_resumed(gen, WAIT_R), timeout=ENDING)


class _Reading(Generic[T]):
    """Takes what comes in on a socket, until there is an answer, or something else to wait for: ``ended``.

    Raises `psycopg.OperationalError` where the socket is closed.
    """

    __slots__ = ("_gen", "_looking", "_loop", "_socket", "ended")

    def __init__(self, socket: int, gen: PQGen[T]) -> None:
        self._gen = gen
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[T | Wait] = self._loop.create_future()
        try:
            self._loop.add_reader(socket, self._take)
        except OSError as error:
            raise psycopg.OperationalError("The connection is closed.") from error
        self._looking = self._loop.call_later(LOOKING, self._look)

    def stop(self) -> None:
        """Take no more."""
        self._looking.cancel()
        self._loop.remove_reader(self._socket)

    def _take(self) -> None:
        if self.ended.done():  # nobody waits any more
            return
        state: T | Wait
        try:
            if (state := self._gen.send(READY_R)) == WAIT_R:
                return
        except StopIteration as ended:
            state = ended.value
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            self.stop()
            self.ended.set_exception(error)
            return
        self.stop()
        self.ended.set_result(state)

    def _look(self) -> None:
        self._take()
        if not self.ended.done():
            self._looking = self._loop.call_later(LOOKING, self._look)


def _resumed(gen: PQGen[T], state: Wait) -> Generator[Wait, Ready | int, T]:
    """The rest of what has already said that it waits for ``state``."""
    try:
        while True:
            state = gen.send((yield state))
    except StopIteration as ended:
        value: T = ended.value
        return value

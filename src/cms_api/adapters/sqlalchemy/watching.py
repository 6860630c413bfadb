"""Connections that wait for answers cheaply."""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import PQGen
from psycopg.waiting import READY_R, WAIT_R, Ready, Wait

T = TypeVar("T")
# How long a read that nobody waits for any more may take to end, in seconds.
ENDING = 5.0


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
        loop, socket = asyncio.get_running_loop(), self.pgconn.socket
        read: asyncio.Future[T | Wait] = loop.create_future()

        def take() -> None:
            if read.done():  # nobody waits any more
                return
            state: T | Wait
            try:
                if (state := gen.send(READY_R)) == WAIT_R:
                    return
            except StopIteration as ended:
                state = ended.value
            except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
                loop.remove_reader(socket)
                read.set_exception(error)
                return
            loop.remove_reader(socket)
            read.set_result(state)

        try:
            loop.add_reader(socket, take)
        except OSError as error:
            raise psycopg.OperationalError("The connection is closed.") from error
        try:
            state = await read
        except asyncio.CancelledError:
            if read.cancelled():
                loop.remove_reader(socket)
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


def _resumed(gen: PQGen[T], state: Wait) -> Generator[Wait, Ready | int, T]:
    """The rest of what has already said that it waits for ``state``."""
    try:
        while True:
            state = gen.send((yield state))
    except StopIteration as ended:
        value: T = ended.value
        return value

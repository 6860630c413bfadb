"""Turns: what one at a time may use, in the order of coming."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Things that are used by one at a time, the last used first; who waits gets the next, as they came.

    A queue of asyncio's hands what becomes free to whoever asks next, and so makes some wait very long.
    """

    def __init__(self, things: Iterable[T], *, patience: float) -> None:
        self._free = list(things)
        self._patience = patience
        self._waiting: deque[asyncio.Future[T]] = deque()

    async def take(self) -> T:
        """The next one. Raises `TimeoutError` after ``patience`` seconds."""
        if self._free:
            return self._free.pop()
        turn: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.give(turn.result())
            raise

    def give(self, thing: T) -> None:
        """Let others have it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(thing)
                return
        self._free.append(thing)

    def free(self) -> Iterator[T]:
        """Those that nobody uses: they are taken."""
        while self._free:
            yield self._free.pop()

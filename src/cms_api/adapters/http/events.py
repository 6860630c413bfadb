"""Server-sent events (WHATWG HTML, section 9.2): what all streams of them share."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import Any, Generic, TypeVar

import structlog
from litestar.response import Stream
from litestar.types import ASGIApp, Receive, Scope, Send
from psycopg_pool import PoolTimeout

from cms_api.adapters.http.problems import Unavailable
from cms_api.adapters.http.requests import ApiRequest
from cms_api.kernel.errors import CmsError

P = TypeVar("P")
T = TypeVar("T")

MEDIA_TYPE = "text/event-stream"
# In seconds: how long a stream is silent at most.
SILENCE = 15.0
# In milliseconds, from and to: when a client that was cut off asks again. Many that were are not to come together.
RETRY = (2_000, 6_000)
STILL_HERE = b": still here\n\n"
# How many looks of a worker's streams ask the database at the same time: the other connections are for readers.
LOOKS_AT_ONCE = 2

_log = structlog.get_logger("cms.events")


def event(name: str, id: str, data: bytes) -> bytes:
    """One event; ``data`` is one line."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), id.encode(), data)


async def unbroken(chunks: AsyncIterator[bytes], tell: Callable[..., object]) -> AsyncIterator[bytes]:
    """The stream, which ends where the client's rights do; ``tell`` hears of what else ended it."""
    try:
        async for chunk in chunks:
            yield chunk
    except CmsError:
        return  # signed out, or what is followed is not there any more
    except Exception as error:  # noqa: BLE001 - the answer has begun: all that can be done is to end it
        tell(error=type(error).__name__)


def place(id: str) -> bytes:
    """Where a client goes on from, though nothing has happened there."""
    return b"id: %s\n\n" % id.encode()


def stream(events: AsyncIterator[bytes]) -> Stream:
    """The answer that sends ``events``, as they come."""
    return Stream(
        events, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


def _retry() -> int:
    """When to ask again, in milliseconds."""
    return random.randint(*RETRY)  # noqa: S311 - no secret


class TooManyStreams(Unavailable):
    """As many streams of events are open as the service holds (`CMS_MAX_STREAMS` in each worker)."""

    code = "too_many_streams"
    title = "Too many streams are open"

    def __init__(self) -> None:
        super().__init__(
            "Too many streams of events are open here: ask again later.", retry_after=_retry() // 1_000
        )


class OpenStreams:
    """How many streams a worker holds open: up to ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._number = 0

    def __enter__(self) -> None:
        """Open one more. Raises `TooManyStreams`."""
        if self._number >= self._limit:
            raise TooManyStreams
        self._number += 1

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._number -= 1


def limited(app: ASGIApp) -> ASGIApp:
    """Middleware of what answers with a stream, which counts from the request on: its first look takes its time."""

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        with scope["litestar_app"].state.streams:
            await app(scope, receive, send)

    return counted


class _Look:
    """A look that is under way, and how many wait for what it finds."""

    __slots__ = ("found", "waiting")

    def __init__(self, found: asyncio.Task[Any]) -> None:
        self.found = found
        self.waiting = 0


class Looks:
    """What streams of a worker ask the database: once for all who ask the same meanwhile, and few at a time.

    What was found is handed to those who wait, and kept for nobody.
    """

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._begun: dict[Hashable, _Look] = {}

    async def shared(self, place: Hashable, look: Callable[[], Awaitable[T]]) -> T:
        """What ``look`` finds, which says the same to all who ask at ``place``; an error reaches all of them.

        However long others take before, that is waited for. Whoever goes away leaves the look to
        the others; without any it is given up.
        """
        begun = self._begun.get(place)
        if begun is None:
            # In a context of its own: it is nobody's request.
            task = asyncio.create_task(self._found(place, look), context=Context())
            begun = self._begun[place] = _Look(task)
        begun.waiting += 1
        try:
            found: T = await asyncio.shield(begun.found)
        finally:
            begun.waiting -= 1
            if not begun.waiting and not begun.found.done():
                del self._begun[place]
                begun.found.cancel()
        return found

    async def _found(self, place: Hashable, look: Callable[[], Awaitable[T]]) -> T:
        begun = self._begun[place]
        try:
            async with self._turns:
                return await look()
        finally:
            if self._begun.get(place) is begun:
                del self._begun[place]


class Batch(Generic[P]):
    """Events that are ready to be sent, and the position behind them. With ``more``, others are ready already."""

    def __init__(self, events: bytes, position: P, *, more: bool) -> None:
        self.events = events
        self.position = position
        self.more = more


class Follower(Generic[P]):
    """One client that follows a sequence of events; between two looks it holds no connection to the database.

    ``look`` reads what is behind a position, ``wait`` waits for more and says from where on that is
    (None after some seconds), and ``check`` raises where the client's rights have ended meanwhile.
    """

    def __init__(
        self,
        request: ApiRequest,
        *,
        look: Callable[[P], Awaitable[Batch[P]]],
        wait: Callable[[P, float], Awaitable[P | None]],
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._stopping: asyncio.Event = request.app.state.stopping
        self._look = look
        self._wait = wait
        self._check = check
        self._checked_at = 0.0

    def events(self, first: Batch[P]) -> AsyncIterator[bytes]:
        """The stream, which begins with ``first``. It ends where the client's rights or the service end."""
        return unbroken(self._batches(first), partial(_log.warning, "stream_interrupted"))

    async def _batches(self, batch: Batch[P]) -> AsyncIterator[bytes]:
        self._checked_at = asyncio.get_running_loop().time()
        yield b"retry: %d\n\n" % _retry()
        yield batch.events
        while not self._stopping.is_set():
            try:
                found = await self._next(batch)
            except PoolTimeout:
                found = None  # others need the connections more: it goes on from here later
            if found is None:
                yield STILL_HERE
            else:
                batch = found
                yield batch.events

    async def _next(self, batch: Batch[P]) -> Batch[P] | None:
        """What comes behind ``batch``; None where nothing does for a while."""
        loop = asyncio.get_running_loop()
        if self._check is not None and loop.time() - self._checked_at > SILENCE:
            await self._check()
            self._checked_at = loop.time()
        at = batch.position if batch.more else await self._more(batch.position)
        return None if at is None else await self._look(at)

    async def _more(self, position: P) -> P | None:
        """Wait for more, or for the end of the service."""
        waiting = asyncio.ensure_future(self._wait(position, SILENCE))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            for task in (waiting, stopping):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

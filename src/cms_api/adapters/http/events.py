"""Server-sent events (WHATWG HTML, section 9.2): what all streams of them share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

import structlog
from litestar.response import Stream

from cms_api.adapters.http.requests import ApiRequest
from cms_api.kernel.errors import CmsError

P = TypeVar("P")

MEDIA_TYPE = "text/event-stream"
# In seconds: how long a stream is silent at most.
SILENCE = 15.0
# In milliseconds: when a client that was cut off asks again.
RETRY = 3_000
STILL_HERE = b": still here\n\n"

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


class Batch(Generic[P]):
    """Events that are ready to be sent, and the position behind them. With ``more``, others are ready already."""

    def __init__(self, events: list[bytes], position: P, *, more: bool) -> None:
        self.events = events
        self.position = position
        self.more = more


class Follower(Generic[P]):
    """One client that follows a sequence of events; between two looks it holds no connection to the database.

    ``look`` reads what is behind a position, ``wait`` waits for more (False after some seconds), and
    ``check`` raises where the client's rights have ended meanwhile.
    """

    def __init__(
        self,
        request: ApiRequest,
        *,
        look: Callable[[P], Awaitable[Batch[P]]],
        wait: Callable[[P, float], Awaitable[bool]],
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._stopping: asyncio.Event = request.app.state.stopping
        self._look = look
        self._wait = wait
        self._check = check

    def events(self, first: Batch[P]) -> AsyncIterator[bytes]:
        """The stream, which begins with ``first``. It ends where the client's rights or the service end."""
        return unbroken(self._batches(first), partial(_log.warning, "stream_interrupted"))

    async def _batches(self, batch: Batch[P]) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        checked_at = loop.time()
        yield b"retry: %d\n\n" % RETRY
        yield b"".join(batch.events)
        while not self._stopping.is_set():
            if self._check is not None and loop.time() - checked_at > SILENCE:
                await self._check()
                checked_at = loop.time()
            if batch.more or await self._more(batch.position):
                batch = await self._look(batch.position)
                yield b"".join(batch.events)
            else:
                yield STILL_HERE

    async def _more(self, position: P) -> bool:
        """Wait for more, or for the end of the service."""
        waiting = asyncio.ensure_future(self._wait(position, SILENCE))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
            return waiting.done() and waiting.result()
        finally:
            for task in (waiting, stopping):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

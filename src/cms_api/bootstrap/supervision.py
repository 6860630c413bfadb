"""Keeping long-running services alive, and ending them together."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

import structlog

# In seconds: before a service that broke is started again; the pause doubles up to the longest.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
# A service that ran for so long was well: what breaks it then is news, and the pause short.
WELL = 30.0

_log = structlog.get_logger("cms.background")


class Service(Protocol):
    """Something that runs as long as the process does."""

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set, then finish what is begun. `ConnectionError` tells of an outage."""
        ...


class Background:
    """Runs services beside the requests, in the same event loop.

    One that ends or breaks before it should is started again; that its database is away is told
    once an outage. ``timeout`` is how many seconds they have to end.
    """

    def __init__(self, services: Sequence[Service], *, timeout: float) -> None:
        self._services = services
        self._timeout = timeout
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start all of them, in tasks of their own."""
        self._tasks = [asyncio.create_task(self._keep(service)) for service in self._services]

    def request_stop(self) -> None:
        """Tell all of them to finish what they are at; returns at once."""
        self._stop.set()

    async def stop(self) -> None:
        """End all of them: gracefully, then by cancellation where they took longer than they may."""
        self._stop.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if late:
            _log.warning("background_cut_off", number=len(late))

    async def _keep(self, service: Service) -> None:
        loop, pause, told = asyncio.get_running_loop(), FIRST_PAUSE, ""
        while not self._stop.is_set():
            began, error = loop.time(), None
            try:
                await service.run(self._stop)
            except Exception as raised:  # noqa: BLE001 - a service goes on whatever happens
                error = raised
            if self._stop.is_set():
                return
            if loop.time() - began > WELL:
                pause, told = FIRST_PAUSE, ""
            if (what := type(error).__name__) != told:
                told = what
                _tell(service, error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _tell(service: Service, error: Exception | None) -> None:
    name = type(service).__name__
    if error is None or isinstance(error, ConnectionError):
        _log.warning("background_interrupted", service=name, reason=str(error or "It ended."))
    else:
        _log.error("background_broke", service=name, exc_info=error)


@contextmanager
def signalled(*wishes: Callable[[], None]) -> Iterator[None]:
    """Call all ``wishes`` in the event loop when the process is told to end, beside who handles that.

    Does nothing where nobody does, and outside of the main thread, which gets no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    before = {number: handler for number, handler in handlers.items() if callable(handler)}

    def on_signal(number: int, frame: FrameType | None) -> None:
        for wish in wishes:
            loop.call_soon_threadsafe(wish)
        before[signal.Signals(number)](number, frame)

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""What a request costs: its statements, and the time that they took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Timings:
    """The statements of one request. ``seconds`` is the time until each was answered, added up."""

    __slots__ = ("is_cached", "seconds", "statements")

    def __init__(self) -> None:
        self.statements = 0
        self.seconds = 0.0
        self.is_cached = False

    def add(self, seconds: float) -> None:
        """Count one statement more."""
        self.statements += 1
        self.seconds += seconds


# Those of the request that is being answered; None outside of one.
current: ContextVar[Timings | None] = ContextVar("timings", default=None)


@contextmanager
def counted() -> Iterator[None]:
    """Count what is sent meanwhile as one statement of the request that is being answered, if there is one."""
    timing = current.get()
    if timing is None:
        yield
        return
    started = time.perf_counter()
    try:
        yield
    finally:
        timing.add(time.perf_counter() - started)

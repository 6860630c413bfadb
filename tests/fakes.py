"""The unit of work and the clock, without a database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import CmsError
from cms_api.kernel.events import Event
from cms_api.kernel.unit_of_work import UnitOfWork


class FakeUnitOfWork(UnitOfWork):
    """Hands out the fakes that it was given, and remembers what became of it."""

    def __init__(self, repositories: Mapping[type, object]) -> None:
        self._repositories = repositories
        self._pending: list[Event] = []
        self.events: list[Event] = []
        self.committed = False
        self.rolled_back = False
        self._on_commit: list[Callable[[], Awaitable[None]]] = []
        self._on_rollback: list[Callable[[], Awaitable[None]]] = []

    def repository(self, port: type[Any]) -> Any:
        if port not in self._repositories:
            raise LookupError(port.__name__)
        return self._repositories[port]

    def record(self, *events: Event) -> None:
        self._pending.extend(events)

    def on_commit(self, work: Callable[[], Awaitable[None]]) -> None:
        self._on_commit.append(work)

    def on_rollback(self, work: Callable[[], Awaitable[None]]) -> None:
        self._on_rollback.append(work)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        pending, promised, undoing = len(self._pending), len(self._on_commit), len(self._on_rollback)
        before = self._kept()
        try:
            yield
        except BaseException:
            self._take_back(before)
            undone = self._on_rollback[undoing:]
            del self._pending[pending:], self._on_commit[promised:], self._on_rollback[undoing:]
            for work in undone:
                await work()
            raise

    def _kept(self) -> Any:
        """What a store holds, for `_take_back`."""

    def _take_back(self, before: Any) -> None:
        """Make a store hold again what it held before."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None or (isinstance(exc, CmsError) and exc.keeps_changes):
            self.events.extend(self._pending)
            self.committed = True
        else:
            self.rolled_back = True
        self._pending.clear()
        for work in self._on_commit if self.committed else self._on_rollback:
            await work()


class FixedClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **delta: float) -> None:
        self.at += timedelta(**delta)

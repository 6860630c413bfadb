"""The unit of work on an SQLAlchemy session."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from cms_api.adapters.sqlalchemy.activity import EventRow
from cms_api.adapters.sqlalchemy.listening import Witness
from cms_api.kernel.errors import CmsError
from cms_api.kernel.events import Event
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork

R = TypeVar("R")

CHANNEL = "cms_events"
TELL = text("SELECT pg_current_xact_id()::text, pg_notify(:channel, pg_current_xact_id()::text)").bindparams(
    channel=CHANNEL
)


class SqlAlchemyUnitOfWork(UnitOfWork):
    """One session, one transaction; the connection is taken by the first statement."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        adapters: Mapping[type, Callable[[AsyncSession], Any]],
        witness: Witness | None = None,
    ) -> None:
        self._sessions = sessions
        self._adapters = adapters
        self._witness = witness
        self._session: AsyncSession | None = None
        self._bound: dict[type, Any] = {}
        self._events: list[Event] = []
        self._on_commit: list[Callable[[], Awaitable[None]]] = []
        self._on_rollback: list[Callable[[], Awaitable[None]]] = []

    @property
    def session(self) -> AsyncSession:
        """The open session. Raises `RuntimeError` outside of ``async with``."""
        if self._session is None:
            raise RuntimeError("The unit of work is not open: use “async with uow:”.")
        return self._session

    def repository(self, port: type[R]) -> R:
        if (adapter := self._bound.get(port)) is None:
            if (factory := self._adapters.get(port)) is None:
                raise LookupError(f"No adapter is registered for {port.__name__}.")
            adapter = self._bound[port] = factory(self.session)
        return adapter  # type: ignore[no-any-return]  # the registry maps each port to its adapter

    def record(self, *events: Event) -> None:
        self._events.extend(events)

    def on_commit(self, work: Callable[[], Awaitable[None]]) -> None:
        self._on_commit.append(work)

    def on_rollback(self, work: Callable[[], Awaitable[None]]) -> None:
        self._on_rollback.append(work)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        events, promised, undoing = len(self._events), len(self._on_commit), len(self._on_rollback)
        nested = await self.session.begin_nested()
        try:
            yield
            await nested.commit()
        except BaseException:
            if nested.is_active:
                await _to_the_end(nested.rollback())
            undone = self._on_rollback[undoing:]
            del self._events[events:], self._on_commit[promised:], self._on_rollback[undoing:]
            for work in undone:
                await _to_the_end(work())
            raise

    async def __aenter__(self) -> Self:
        if self._session is not None:
            raise RuntimeError("A unit of work is used once.")
        self._session = self._sessions()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session = self.session
        after = self._on_rollback
        try:
            if exc is None or (isinstance(exc, CmsError) and exc.keeps_changes):
                await self._commit(session)
                after = self._on_commit
            else:
                await _to_the_end(session.rollback())
        except BaseException:
            await _to_the_end(session.rollback())
            raise
        finally:
            await _to_the_end(session.close())
            self._bound.clear()
            for work in after:
                await _to_the_end(work())

    async def _commit(self, session: AsyncSession) -> None:
        if not self._events:
            await session.commit()
            return
        xact = await self._store_events(session)
        if self._witness is None:
            await session.commit()
            return
        self._witness.expect(xact)
        try:
            await session.commit()
        except BaseException:
            self._witness.heard(xact)
            raise
        self._witness.committed(xact)

    async def _store_events(self, session: AsyncSession) -> str:
        """Write them, and have the commit tell of itself. Returns the transaction's id."""
        await session.flush()
        await session.execute(
            insert(EventRow),
            [
                {
                    "id": new_id(),
                    "name": event.name,
                    "subject": event.subject,
                    "actor": event.actor,
                    "payload": msgspec.to_builtins(event),
                }
                for event in self._events
            ],
        )
        return str(await session.scalar(TELL))


async def _to_the_end(work: Any) -> None:
    """Finish ``work`` even when the task is cancelled meanwhile, then let the cancellation go on.

    A connection must never return to the pool with its transaction open.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise

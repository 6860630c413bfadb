"""One business transaction: everything in it happens, or nothing does."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self, TypeVar

from cms_api.kernel.events import Event

R = TypeVar("R")


class UnitOfWork(ABC):
    """The transaction that a request, a command or a job runs in.

    Used as an asynchronous context manager, once. A clean exit commits; any exception,
    cancellation included, rolls back (but see `CmsError.keeps_changes`); either way the
    connection goes back. No connection is taken before a repository first needs one, so slow work
    that needs none comes first.

    >>> async with uow:
    ...     await posts.publish(uow, actor, post_id, expected=3)
    """

    @abstractmethod
    def repository(self, port: type[R]) -> R:
        """The adapter of the repository ``port``, bound to this transaction.

        Raises `LookupError` where no adapter is registered for the port.
        """

    @abstractmethod
    def record(self, *events: Event) -> None:
        """Store ``events`` with this transaction, in order, when it commits."""

    @abstractmethod
    def on_commit(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` once the transaction is committed: what can't be rolled back, like removing a file."""

    @abstractmethod
    def on_rollback(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` if the transaction is rolled back: take back what was done outside of it."""

    @abstractmethod
    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A part that is taken back alone when it raises: what it wrote, recorded and promised.

        >>> async with uow.savepoint():
        ...     await posts.publish(uow, actor, post_id, expected=3)
        """

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

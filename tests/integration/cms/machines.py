"""What the state machines of property tests share: a database, the application on it, and units of work."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import psycopg
from hypothesis.stateful import RuleBasedStateMachine
from tests.integration import database

from cms_api.bootstrap.container import Application
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import CmsError
from cms_api.settings import Settings

T = TypeVar("T")


class Machine(RuleBasedStateMachine):
    """One application on a database of its own, on whose behalf ``actor`` does everything."""

    actor: ClassVar[Actor]

    def __init__(self, server: database.Server, folder: Path) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._stack = ExitStack()
        self.url = self._stack.enter_context(server.database())
        self.app = Application(
            Settings(
                database_url=self.url, data_dir=folder, secret_key="-" * 32, pool_size=4, log_level="error"
            )
        )
        self.prepare()
        self.cms = self.app.container.cms
        self.run(self.app.start())

    def prepare(self) -> None:
        """Put other parts into the application, before any is used."""

    def close(self) -> None:
        """End the application, and drop its database."""
        self.run(self.app.stop())
        self._stack.close()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine comes to."""
        return self._loop.run_until_complete(work)

    async def attempt(self, work: Callable[..., Awaitable[Any]]) -> Any:
        """What ``work`` gives in a unit of work of its own, or the error that it was refused with."""
        try:
            async with self.app.unit_of_work() as uow:
                return await work(uow, self.actor)
        except CmsError as error:
            return error

    def do(self, work: Callable[..., Awaitable[Any]]) -> Any:
        """The same, to its end."""
        return self.run(self.attempt(work))

    def rows(self, statement: str, params: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode(), params).fetchall()

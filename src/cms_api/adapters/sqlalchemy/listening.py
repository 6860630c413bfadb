"""LISTEN on a connection of its own."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

import psycopg

# In seconds: what connecting may take, and an answer on a connection that was silent.
CONNECTING = 5
PATIENCE = 3.0


async def notifications(
    url: str, channels: Sequence[str], *, name: str, silence: float, on_listening: Callable[[], None]
) -> AsyncGenerator[tuple[str, str]]:
    """What is told on ``channels``: each time the channel and the payload.

    ``on_listening`` is called once nothing can be missed any more. A connection that is silent
    for ``silence`` seconds is looked into: it may be dead. Raises `psycopg.Error`, `OSError` or
    `TimeoutError` when it breaks.
    """
    connection = await psycopg.AsyncConnection.connect(
        url, autocommit=True, application_name=f"cms {name}", connect_timeout=CONNECTING
    )
    async with connection:
        for channel in channels:
            await connection.execute(f"LISTEN {channel}")
        on_listening()
        while True:
            async with aclosing(connection.notifies(timeout=silence)) as heard:
                async for notify in heard:
                    yield notify.channel, notify.payload
            async with asyncio.timeout(PATIENCE):
                await connection.execute("SELECT 1")


class Witness(Protocol):
    """Who wants to know whether the changes of this process were told yet."""

    def expect(self, xact: str) -> None:
        """A transaction is about to commit."""

    def committed(self, xact: str) -> None:
        """It did."""

    def heard(self, xact: str) -> None:
        """It was told of, or came to nothing."""

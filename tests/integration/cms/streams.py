"""Server-sent events as they come: what a client would buffer is read straight from the application."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from litestar import Litestar

# In seconds. Comments come meanwhile, however long nothing happens.
PATIENCE = 20


class Event(NamedTuple):
    """One event."""

    name: str
    id: str
    data: dict[str, Any]


class Heard:
    """One client that listens."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.last_id: str | None = None
        self.blocks: asyncio.Queue[str | None] = asyncio.Queue()
        self.all: list[str] = []

    async def block(self) -> str | None:
        """The next block; None at the end."""
        async with asyncio.timeout(PATIENCE):
            found = await self.blocks.get()
        if found is not None:
            self.all.append(found)
        return found

    async def event(self) -> Event:
        """The next event, past comments and mere positions."""
        async with asyncio.timeout(PATIENCE):
            while (block := await self.block()) is not None:
                lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
                self.last_id = lines.get("id", self.last_id)
                if "data" in lines:
                    return Event(lines["event"], lines["id"], json.loads(lines["data"]))
        raise EOFError

    async def settled(self) -> None:
        """Read on until a position is told that no event has."""
        async with asyncio.timeout(PATIENCE):
            while (block := await self.block()) is not None:
                if block.startswith("id: "):
                    self.last_id = block.removeprefix("id: ")
                    return
        raise EOFError


@asynccontextmanager
async def listening(app: Litestar, path: str, query: str = "", **headers: str) -> AsyncIterator[Heard]:
    """A client of an event stream, until the end of the block."""
    heard, left, begun = Heard(), asyncio.Event(), asyncio.Event()
    named = {"host": "cms.test", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope: Any = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 1), "server": ("cms.test", 80),
    }  # fmt: skip
    is_first = True

    async def receive() -> Any:
        nonlocal is_first
        if is_first:
            is_first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    rest = ""

    async def send(message: Any) -> None:
        nonlocal rest
        if message["type"] == "http.response.start":
            heard.status = message["status"]
            heard.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            begun.set()
            return
        *blocks, rest = (rest + message.get("body", b"").decode()).split("\n\n")
        for block in blocks:
            heard.blocks.put_nowait(block)
        if not message.get("more_body"):
            heard.blocks.put_nowait(None)

    task = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]  # a coroutine it is
    try:
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
        yield heard
    finally:
        left.set()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

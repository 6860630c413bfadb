"""The bare twins: an ASGI handler and psycopg that run the same statements, and one that sends ready bytes.

What they answer was recorded from the application (``benchmarks.reads``): ``BENCH_RECORDS`` is a file
with the statements and the bodies, by path and query.
"""

import os
import pickle
from pathlib import Path
from typing import Any

from psycopg_pool import AsyncConnectionPool

# A statement, its parameters, and whether it is prepared.
Asked = tuple[str, Any, bool | None]


def _records() -> dict[str, tuple[list[Asked], bytes]]:
    found: dict[str, tuple[list[Asked], bytes]] = pickle.loads(Path(os.environ["BENCH_RECORDS"]).read_bytes())
    return found


def _asked(scope: Any) -> str:
    query = scope["query_string"].decode()
    return f"{scope['path']}?{query}" if query else str(scope["path"])


async def _lifespan(receive: Any, send: Any, start: Any, stop: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _send(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def create() -> Any:
    """Runs what was recorded for a path, and sends the JSON that it gives."""
    statements = {path: asked for path, (asked, _) in _records().items()}
    pool = AsyncConnectionPool(
        os.environ["CMS_DATABASE_URL"],
        min_size=1,
        max_size=8,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0},
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send, pool.open, pool.close)
            return
        found: list[str] = []
        async with pool.connection() as connection:
            for sql, params, prepare in statements[_asked(scope)]:
                cursor = await connection.execute(sql, params, prepare=prepare)
                found += [str(row[0]) for row in await cursor.fetchall()]
        await _send(send, ('{"items":[' + ",".join(found[:20]) + "]}").encode())

    return app


def ready() -> Any:
    """Sends the bytes that were recorded for a path."""
    bodies = {path: body for path, (_, body) in _records().items()}

    async def nothing() -> None:
        return None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send, nothing, nothing)
            return
        await _send(send, bodies[_asked(scope)])

    return app

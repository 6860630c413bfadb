"""The bare twin: an ASGI handler and psycopg, the same statements, nothing else."""

import os
from typing import Any

from psycopg_pool import AsyncConnectionPool

from cms_api.adapters.sqlalchemy.cms.delivery import _one, _page
from cms_api.domains.cms.api import LISTINGS
from cms_api.querying import NO_SELECTION, PageRequest, Selection

INCLUDE = tuple((name, NO_SELECTION) for name in ("author", "categories", "tags"))


def create() -> Any:
    """The application: ``/slug/<slug>`` and ``/list``."""
    pool = AsyncConnectionPool(
        os.environ["CMS_DATABASE_URL"],
        min_size=1,
        max_size=8,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0},
    )
    selection = Selection(include=INCLUDE)
    one = _one("posts", "slug", selection)
    statement, _, params = _page("posts", PageRequest(sort=LISTINGS["posts"].sort), selection)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                if message["type"] == "lifespan.startup":
                    await pool.open()
                    await send({"type": "lifespan.startup.complete"})
                else:
                    await pool.close()
                    await send({"type": "lifespan.shutdown.complete"})
                    return
        path = scope["path"]
        async with pool.connection() as connection:
            if path.startswith("/slug/"):
                cursor = await connection.execute(one, {"value": path[6:], "locale": "en"})
                row = await cursor.fetchone()
                body = row[0].encode() if row else b""
            else:
                cursor = await connection.execute(statement.sql, params)
                rows = await cursor.fetchall()
                body = ('{"items":[' + ",".join(row[0] for row in rows[:20]) + "]}").encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app

"""What the tests of the HTTP API share: making content, and looking at problems."""

import asyncio
import struct
import time
import zlib
from typing import Any
from urllib.parse import unquote

import httpx
from litestar import Litestar

API, CONTENT = "/api/v1", "/api/v1/content"
ANY = {"If-Match": "*"}
JSON = {"Content-Type": "application/json"}
ABSENT = "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}
# Words of our inside: nobody who asks may hear them.
INSIDE = (
    "Traceback", 'File "', ".py", "site-packages", "SELECT ", "INSERT ", "UPDATE ", "psycopg", "sqlalchemy",
    "msgspec", "litestar", "asyncio", "cms.documents", "pk_", "uq_", "object at 0x", "postgresql:",
)  # fmt: skip


async def in_a_later_second() -> None:
    """Wait for the next second: what changed in this one has no Last-Modified yet."""
    await asyncio.sleep(1.001 - time.time() % 1)


def check_problem(response: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem of an answer, once everything that every problem must have is found in it."""
    assert response.status_code == status, (response.status_code, response.text[:500])
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = response.json()
    assert set(problem) >= MEMBERS
    assert all(isinstance(problem[name], str) and problem[name] for name in MEMBERS - {"status"})
    assert problem["status"] == status
    assert problem["type"] == f"/problems#{problem['code']}"
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["instance"].startswith("/")
    for fault in problem.get("errors", ()):
        assert set(fault) in ({"pointer", "code", "detail"}, {"parameter", "code", "detail"})
        assert fault.get("pointer", "") == "" or fault["pointer"].startswith("/")
        assert fault["code"]
        assert fault["detail"]
    assert not [word for word in INSIDE if word in response.text]
    if status == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    if code is not None:
        assert problem["code"] == code
    return problem


async def get_raw(app: Litestar, path: str, query: str = "") -> httpx.Response:
    """The answer to a target as it stands, which a client would tidy up; as the server hands it on."""
    scope: Any = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(path), "raw_path": path.encode("ascii"), "query_string": query.encode("ascii"), "root_path": "",
        "headers": [(b"host", b"cms.test")], "client": ("127.0.0.1", 1), "server": ("cms.test", 80),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body)


def pointers(problem: dict[str, Any]) -> set[str]:
    """The places of all faults."""
    return {fault["pointer"] for fault in problem["errors"]}


async def make(client: httpx.AsyncClient, kind: str, **body: Any) -> dict[str, Any]:
    """A new resource."""
    response = await client.post(f"{API}/{kind}", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def publish(client: httpx.AsyncClient, kind: str, document: dict[str, Any]) -> dict[str, Any]:
    """A document, published."""
    response = await client.post(f"{API}/{kind}/{document['id']}/publish", headers=ANY)
    assert response.status_code == 200, response.text
    published: dict[str, Any] = response.json()
    return published


async def make_live(client: httpx.AsyncClient, kind: str, **body: Any) -> dict[str, Any]:
    """A new document, published."""
    return await publish(client, kind, await make(client, kind, **body))


async def upload(client: httpx.AsyncClient, **texts: str) -> dict[str, Any]:
    """A small picture, uploaded."""
    files = {"file": ("grey.png", picture(), "image/png")}
    response = await client.post(f"{API}/media", files=files, data=texts)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def picture(width: int = 3, height: int = 2) -> bytes:
    """A grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

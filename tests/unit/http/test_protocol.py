"""HTTP/1.1 as `cms serve` speaks it: kept answers are sent at once, and are what they would be otherwise."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import msgspec
import pytest
from litestar.types import ASGIApp
from tests.integration.hearing import until
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from cms_api.adapters.http import context
from cms_api.adapters.http.caching import Answer, CachedAnswers, ResponseCache, shared
from cms_api.adapters.http.context import RequestContext
from cms_api.adapters.http.methods import Methods
from cms_api.adapters.http.protocol import Protocol
from cms_api.adapters.http.proxies import Proxies

BODY = b"many words " * 200
LARGE = b"x" * 100_000
DATE = (b"date", b"Fri, 27 Nov 2026 10:00:00 GMT")
Ask = Callable[[bytes], Any]


class Context(RequestContext):
    """What surrounds requests; it counts those that it is called for."""

    called = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count, and go on."""
        self.called += 1
        await super().__call__(scope, receive, send)


class Site:
    """An application of which everything but `/slow` and `/odd` may be kept, and what serves it."""

    def __init__(self, *, access_log: bool = False, limit_concurrency: int | None = None) -> None:
        cache = ResponseCache(limit=10_000_000)
        cache.listening()
        cached = CachedAnswers(cast("ASGIApp", self.answer), cache, prefixes=("/",))
        self.context = Context(cached, access_log=access_log, proxies=Proxies(()), cached=cached)
        self.asgi_handler = self.context
        self.config = Config(
            cast("Any", self), log_config=None, proxy_headers=False, limit_concurrency=limit_concurrency
        )
        self.config.load()
        self.protocols: list[HttpToolsProtocol] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, as the application does."""
        await self.asgi_handler(scope, receive, send)

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Make an answer for a path."""
        path = scope["path"]
        headers = list[tuple[bytes, bytes]]()
        if path == "/odd":
            headers.append((b"x-odd", b"a\r\nb"))
        answer = Answer(
            LARGE if path == "/large" else path.encode() + BODY, headers, ("one", path), date=DATE[1].decode()
        )
        if path == "/slow":
            await asyncio.sleep(0.01)
            await answer(scope, receive, send)
        else:
            await shared(scope, answer)(scope, receive, send)

    @asynccontextmanager
    async def served(self, protocol: type[HttpToolsProtocol] = Protocol) -> AsyncIterator[Ask]:
        """What sends bytes to it and gives all that comes back, and whether it hung up by itself."""
        state = ServerState()
        state.default_headers = [DATE]

        def connected() -> HttpToolsProtocol:
            self.protocols.append(protocol(self.config, state, {}))
            return self.protocols[-1]

        server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

        async def ask(sent: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(sent + LAST)
            found = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            await writer.wait_closed()
            before, mark, last = found.rpartition(b"HTTP/1.1 ")
            return before if LAST_ID in last else before + mark + last + b"[closed]"

        try:
            yield ask
        finally:
            server.close()
            for connection in list(state.connections):
                connection.transport.close()  # type: ignore[union-attr]
            await server.wait_closed()


def request(*headers: str, path: str = "/a", method: str = "GET", version: str = "1.1") -> bytes:
    """A request as it is written."""
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: x", *headers, "", ""]).encode()


def told(sent: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The status line, the headers in an order of their own, and what comes behind."""
    head, _, body = sent.partition(b"\r\n\r\n")
    head = re.sub(rb"x-request-id: [0-9a-f]{32}", b"x-request-id: -", head)
    # What is not kept says how long it took.
    head = re.sub(rb"server-timing: db.*", b"server-timing: -", head)
    status, *headers = head.split(b"\r\n")
    return status, sorted(headers), body


# Behind what a test sends.
LAST_ID = b"x-request-id: last-of-all"
LAST = request("Connection: close", LAST_ID.decode())
REQUESTS = {
    "plain": request(),
    "packed": request("Accept-Encoding: br, gzip"),
    "known": request("If-None-Match: *"),
    "known packed": request('If-None-Match: "x", *', "Accept-Encoding: gzip"),
    "not modified": request(f"If-Modified-Since: {DATE[1].decode()}"),
    "of another path": request(path="/b?c=d"),
    "with an id": request("X-Request-Id: 1234-abcd"),
    "closing": request("Connection: close"),
    "old": request(version="1.0"),
    "head": request(method="HEAD"),
    "with a body": request("Content-Length: 5") + b"12345",
    "waiting to go on": request("Expect: 100-continue", "Content-Length: 5") + b"12345",
    "never kept": request(path="/slow"),
    "signed in": request("Authorization: Bearer x"),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_what_is_kept_is_sent_as_the_server_sends_it(name: str) -> None:
    answers = []
    for protocol in (HttpToolsProtocol, Protocol):
        async with Site().served(protocol) as ask:
            await ask(REQUESTS[name])
            if name in ("head", "signed in"):
                await ask(request())
            answers.append(told(await ask(REQUESTS[name])))
    assert answers[0] == answers[1]
    status, headers, body = answers[0]
    assert status in (b"HTTP/1.1 200 OK", b"HTTP/1.1 304 Not Modified")
    assert b"date: " + DATE[1] in headers
    assert body.endswith(b"[closed]") is (name in ("closing", "old"))
    if name == "with an id":
        assert b"x-request-id: 1234-abcd" in headers


async def test_what_is_kept_is_nothing_that_the_application_is_called_for() -> None:
    site = Site()
    async with site.served() as ask:
        for called, asked in enumerate((request(), request(path="/slow"), request(path="/slow")), 1):
            await ask(asked)
            assert site.context.called == called
        for asked in (request(), request("If-None-Match: *"), request() * 3):
            assert await ask(asked)
        assert site.context.called == 3


async def test_answers_come_in_the_order_of_the_requests() -> None:
    site = Site()
    paths = ["/a", "/b", "/slow", "/a", "/c", "/a", "/slow", "/b"] * 30
    async with site.served() as ask:
        for path in ("/a", "/b"):
            await ask(request(path=path))
        found = await ask(b"".join(request(path=path) for path in paths))
    assert re.findall(rb"\r\n\r\n(/\w+)many", found) == [path.encode() for path in paths]


async def test_very_many_requests_behind_a_slow_one_are_all_answered() -> None:
    # Each of them is done by the end of the one before it: that must not go deeper and deeper.
    async with Site().served() as ask:
        await ask(request())
        found = await ask(request(path="/slow") + request() * 3_000)
    assert found.count(b"HTTP/1.1 200 OK") == 3_001


async def test_who_asks_and_does_not_read_fills_no_memory() -> None:
    site = Site()
    async with site.served() as ask:
        await ask(request(path="/large"))
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, limit=1_000)
        writer.write(request(path="/large") * 1_500)
        await until(lambda: site.protocols[-1].transport.get_write_buffer_size() > 0)
        await asyncio.sleep(0.1)
        assert site.protocols[-1].transport.get_write_buffer_size() < 3 * len(LARGE)
        # And gets everything as soon as she reads.
        found = 0
        while found < 1_500 * len(LARGE):
            found += len(await asyncio.wait_for(reader.read(1_000_000), 5))
        writer.close()
        await writer.wait_closed()


async def test_a_server_that_is_too_busy_says_so() -> None:
    site = Site()
    async with site.served() as ask:
        await ask(request())
        site.config.limit_concurrency = 1
        assert (await ask(request())).startswith(b"HTTP/1.1 503 ")


async def test_a_header_that_would_end_before_its_time_is_left_to_the_server() -> None:
    async with Site().served() as ask:
        for _ in range(2):
            assert await ask(request(path="/odd")) == b"[closed]"


async def test_what_is_sent_at_once_has_its_line_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(context._log, "info", lambda _, **line: lines.append(line), raising=False)
    site = Site(access_log=True)
    async with site.served() as ask:
        for headers in ([], ["If-None-Match: *"]):
            await ask(request(*headers))
    # Behind each comes one that ends the connection.
    assert [(one["method"], one["path"], one["status"]) for one in lines[::2]] == [
        ("GET", "/a", 200),
        ("GET", "/a", 304),
    ]


async def test_other_applications_are_served_as_ever() -> None:
    site = Site()
    site.asgi_handler = cast("Any", site.answer)
    async with site.served() as ask:
        assert (await ask(request())).startswith(b"HTTP/1.1 200 OK")
    assert site.context.called == 0


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"BREW /a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed"),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000, 431, "head_too_large"),
        (b"GET /" + b"a" * 900_000, 431, "head_too_large"),
        (request() + b"GET /" + b"a" * 900_000, 431, "head_too_large"),
        (request(path="/" + "a" * 65_600), 431, "head_too_large"),
        (request("X: " + "x" * 65_600), 431, "head_too_large"),
        (request(*(f"X{number}: {'x' * 1_000}" for number in range(70))), 431, "head_too_large"),
    ],
)
async def test_what_is_refused_before_there_is_a_request_is_a_problem(
    sent: bytes, status: int, code: str
) -> None:
    async with Site().served() as ask:
        await ask(request())
        found = await ask(sent)
    head, _, body = found[found.rindex(b"HTTP/1.1 ") :].removesuffix(b"[closed]").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head
    problem = msgspec.json.decode(body)
    assert (problem["status"], problem["code"]) == (status, code)
    assert b"x-request-id: " + problem["request_id"].encode() in head
    assert found.endswith(b"[closed]")


async def test_bodies_and_many_requests_are_no_head_that_is_too_large() -> None:
    async with Site().served() as ask:
        found = await ask(
            request("Content-Length: 300000", method="POST") + b"x" * 300_000 + request() * 2_000
        )
    assert found.count(b"HTTP/1.1 200 OK") == 2_001


async def test_what_is_right_is_answered_though_what_follows_is_not() -> None:
    async with Site().served() as ask:
        for path in ("/slow", "/b"):
            found = await ask(request(path=path) + b"nonsense\r\n\r\n")
            assert found.count(b"HTTP/1.1 200 OK") == 1
            assert found.endswith(b"many words [closed]")
            posted = request("Content-Length: 90000", method="POST", path=path) + b"x" * 90_000
            found = await ask(posted + b"GET /a HTTP/1.1\r\nHo")
            assert found.count(b"HTTP/1.1 200 OK") == 1


async def test_heads_of_many_requests_are_each_counted_by_themselves() -> None:
    async with Site().served() as ask:
        await ask(request())
        for number in (1_000, 6_000):
            assert (await ask(request() * number)).count(b"HTTP/1.1 200 OK") == number


async def test_trailers_are_no_headers() -> None:
    site = Site()
    heads: list[Any] = []

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
        heads.append(dict(scope["headers"]))
        await site.answer(scope, receive, send)

    site.context._app = answer
    sent = (
        request("Transfer-Encoding: chunked", "X-Forwarded-For: 1.1.1.1", method="POST") + b"2\r\n{}\r\n0\r\n"
    )
    trailers = b"Authorization: Bearer x\r\nX-Forwarded-For: 2.2.2.2\r\n\r\n"
    async with site.served() as ask:
        assert b"HTTP/1.1 200 OK" in await ask(sent + trailers)
        head, answered = heads[0], len(heads)
        assert (head[b"x-forwarded-for"], b"authorization" in head) == (b"1.1.1.1", False)
        # And they have an end.
        for endless in (b"X: y\r\n" * 200_000, b"X: " + b"y" * 900_000):
            with suppress(ConnectionResetError):
                assert await ask(sent + endless) == b"[closed]"
            assert len(heads) == answered


async def test_a_head_alone_ends() -> None:
    site = Site()
    ended: list[bool] = []

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        del scope
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while (await asyncio.wait_for(receive(), 5))["type"] != "http.disconnect":
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        finally:
            ended.append(True)

    site.context._app = Methods(endless)
    async with site.served() as ask:
        found = await ask(request(method="HEAD"))
        assert found.startswith(b"HTTP/1.1 200 OK")
        assert found.endswith(b"\r\n\r\n")
        await until(lambda: bool(ended))


async def test_who_goes_away_before_all_is_said_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site()
    begun, gone = list[bool](), list[bool]()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        del send
        await receive()
        begun.append(True)
        gone.append((await receive())["type"] == "http.disconnect" and scope["cms_is_gone"])

    monkeypatch.setattr(site.context, "_app", answer)
    async with site.served():
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(request("Content-Length: 500", method="POST") + b"{")
        await until(lambda: bool(begun))
        writer.close()
        await writer.wait_closed()
        await until(lambda: bool(gone))
    assert gone == [True]

"""What surrounds every request: its id, its line in the log, the headers of every answer."""

import re
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from random import getrandbits
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from cms_api import timings
from cms_api.adapters.http.caching import CachedAnswers, Sent
from cms_api.adapters.http.proxies import Proxies

_log = structlog.get_logger("cms.access")
# RFC 9110, section 5.5: none is in a value but the tab.
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_GIVEN = re.compile(rb"[A-Za-z0-9._-]{8,64}")

SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


# Where there are other origins, each answer depends on who asks, also one to a request that names none. What
# the answer itself says may be lost on the way.
VARY = (b"vary", b"Accept-Encoding, Origin, Preview-Token")
CACHE_HIT = b'cache;desc="hit"'
HIT = ((b"server-timing", CACHE_HIT), *SECURITY)
# Set where the server has asked for what is kept before it calls the application.
IS_ASKED = "cms_is_asked"
# Set where the client has gone away.
IS_GONE = "cms_is_gone"


def _told(timing: timings.Timings, seconds: float) -> bytes:
    """What a request cost (Server-Timing, W3C), in milliseconds, with the number of statements."""
    if timing.is_cached:
        return CACHE_HIT
    db = f'db;dur={timing.seconds * 1000:.2f};desc="{timing.statements} statements"'
    return f"{db}, total;dur={seconds * 1000:.2f}".encode()


def _varying(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers with one Vary for all that an answer depends on, each named once.

    What tells browsers of other origins puts its own in the place of what it finds, or leaves that alone.
    """
    headers = list(headers)
    named = [value for key, value in (VARY, *headers) if key == b"vary"]
    names = {name.strip().lower(): name.strip() for name in b",".join(named).split(b",")}
    return [*(one for one in headers if one[0] != b"vary"), (b"vary", b", ".join(names.values()))]


def _request_id(headers: Mapping[bytes, bytes]) -> bytes:
    """A well-formed one that is given, or a new one."""
    given = headers.get(b"x-request-id")
    return given if given and _GIVEN.fullmatch(given) else new_request_id()


def new_request_id() -> bytes:
    """An id for a request that brings none: no secret, and each needs one."""
    return b"%032x" % getrandbits(128)


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """How HTTP/1.1 writes headers (RFC 9112, section 5)."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def head_of(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """How HTTP/1.1 writes a status (RFC 9112, section 4) and headers, without the empty line behind them."""
    return b"HTTP/1.1 %d %b\r\n%b" % (status, HTTPStatus(status).phrase.encode(), lines_of(headers))


def _head(ready: Sent) -> bytes | None:
    """How HTTP/1.1 writes a kept answer's status and headers; None where it can't."""
    headers = (*ready.headers, *HIT)
    if any(_CONTROLS.search(part) for header in headers for part in header):
        return None
    return head_of(ready.status, headers)


class RequestContext:
    """Wraps the whole application, so that what never reaches a route is covered as well."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        access_log: bool,
        proxies: Proxies,
        cached: CachedAnswers | None = None,
        has_origins: bool = False,
    ) -> None:
        self._app = app
        self._cached = cached
        self._has_origins = has_origins
        self._access_log = access_log
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request an id (a well-formed X-Request-Id is kept), answer with it, log it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        if IS_ASKED not in scope and (kept := self._kept(scope)) is not None:
            started = time.perf_counter() if self._access_log else 0.0
            ready, request_id = kept
            head = [*ready.headers, (b"x-request-id", request_id), *HIT]
            await send({"type": "http.response.start", "status": ready.status, "headers": head})
            await send({"type": "http.response.body", "body": ready.body, "more_body": False})
            self._log_kept(scope, kept, started)
            return
        request_id = _request_id(dict(scope["headers"]))
        # A copy: the server goes by its own, and must know of a HEAD that there will be no content.
        scope = scope.copy()
        scope["cms_request_id"] = request_id.decode()  # type: ignore[typeddict-unknown-key]
        scope["client"] = self._proxies.client(scope)
        status = 0
        started = time.perf_counter()
        timing = timings.Timings()
        asked = timings.current.set(timing)
        method = scope["method"]

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                message["headers"] = [
                    *(_varying(headers) if self._has_origins else headers),
                    (b"x-request-id", request_id),
                    (b"server-timing", _told(timing, time.perf_counter() - started)),
                    *SECURITY,
                ]
            await send(message)

        async def receiving() -> ReceiveMessage:
            message = await receive()
            if message["type"] == "http.disconnect":
                scope[IS_GONE] = True  # type: ignore[literal-required]  # a key of our own
            return message

        structlog.contextvars.bind_contextvars(request_id=scope["cms_request_id"])  # type: ignore[typeddict-item]
        try:
            await self._app(scope, receiving, answer)
        finally:
            timings.current.reset(asked)
            if self._access_log:
                self._write(scope, method, status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()

    def written(self, scope: HTTPScope) -> tuple[bytes, bytes] | None:
        """What is kept for a request, as HTTP/1.1 writes it, and logged as answered: for servers that ask for it.

        The head, from its status line on, lacks what is the server's own and the empty line; behind it comes the body.
        """
        started = time.perf_counter() if self._access_log else 0.0
        if (kept := self._kept(scope)) is not None:
            ready, request_id = kept
            ready.head = ready.head or _head(ready)
            if ready.head is not None:
                self._log_kept(scope, kept, started)
                return b"%bx-request-id: %b\r\n" % (ready.head, request_id), ready.body
        scope[IS_ASKED] = True  # type: ignore[literal-required]  # a key of our own
        return None

    def _kept(self, scope: HTTPScope) -> tuple[Sent, bytes] | None:
        """What is kept for a request, and its id. Nothing is worked out that only the application would need."""
        if self._cached is None:
            return None
        headers = dict(scope["headers"])
        ready = self._cached.ready(scope, headers)
        return None if ready is None else (ready, _request_id(headers))

    def _log_kept(self, scope: HTTPScope, kept: tuple[Sent, bytes], started: float) -> None:
        if self._access_log:
            ready, request_id = kept
            seconds = time.perf_counter() - started
            # Nothing else is logged of it: bound for all that would take longer.
            self._write(scope, scope["method"], ready.status, seconds, request_id=request_id.decode())

    def _write(self, scope: Any, method: str, status: int, seconds: float, **more: str) -> None:
        user = scope.get("user")
        _log.info(
            "request",
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            user_id=str(user.user_id) if user is not None and user.user_id else None,
            **more,
        )

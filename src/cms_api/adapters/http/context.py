"""What surrounds every request: its id, its line in the log, the headers of every answer."""

import re
import time
from collections.abc import Iterable
from random import getrandbits
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from cms_api import timings
from cms_api.adapters.http.caching import CachedAnswers
from cms_api.adapters.http.proxies import Proxies

_log = structlog.get_logger("cms.access")
_GIVEN = re.compile(rb"[A-Za-z0-9._-]{8,64}")

SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


# Where there are other origins, each answer depends on who asks, also one to a request that names none.
VARY = (b"vary", b"Accept-Encoding, Origin")
CACHE_HIT = b'cache;desc="hit"'
HIT = ((b"server-timing", CACHE_HIT), *SECURITY)


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
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        # No secret, and each request needs one.
        request_id = given if given and _GIVEN.fullmatch(given) else b"%032x" % getrandbits(128)
        if self._cached is not None and (ready := self._cached.ready(scope, headers)) is not None:
            # The shortest way: nothing is worked out that only the application would need.
            started = time.perf_counter() if self._access_log else 0.0
            status, kept, body = ready
            head = [*kept, (b"x-request-id", request_id), *HIT]
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": body, "more_body": False})
            if self._access_log:
                with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
                    self._write(scope, scope["method"], status, time.perf_counter() - started)
            return
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

        structlog.contextvars.bind_contextvars(request_id=scope["cms_request_id"])  # type: ignore[typeddict-item]
        try:
            await self._app(scope, receive, answer)
        finally:
            timings.current.reset(asked)
            if self._access_log:
                self._write(scope, method, status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()

    def _write(self, scope: Any, method: str, status: int, seconds: float) -> None:
        user = scope.get("user")
        _log.info(
            "request",
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            user_id=str(user.user_id) if user is not None and user.user_id else None,
        )

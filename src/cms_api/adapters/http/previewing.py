"""Delivery as it would be: requests that bring a preview's token (`preview`, or the header Preview-Token)."""

import re
from collections.abc import Container
from urllib.parse import quote, urlencode

from litestar.enums import HttpMethod
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from cms_api.adapters.http.lists import parameters
from cms_api.adapters.http.preconditions import CONDITIONS
from cms_api.domains.cms.api import PreviewService
from cms_api.kernel.errors import Malformed

PARAMETER, HEADER = "preview", b"preview-token"
_NAME = PARAMETER.encode()
# Where in the scope the token is that links are to lead on with.
_LEADING = "cms_preview"
# What others could keep an answer by, or know it again.
_SHARED = frozenset({b"age", b"cache-control", b"cache-tag", b"etag", b"last-modified"})
_PRIVATE = [(b"cache-control", b"private, no-store"), (b"x-robots-tag", b"noindex")]
_LINK = re.compile(rb"<([^>]*)>")


def is_preview(query: bytes, headers: Container[bytes]) -> bool:
    """Whether a request with this query and these headers may be one for a preview: it goes past all caches."""
    return _NAME in query or HEADER in headers


def takes_preview(scope: Scope) -> bool:
    """Whether a request may be one for a preview, and what it asks for can be previewed."""
    return is_preview(scope["query_string"], dict(scope["headers"])) and can_be_previewed(scope)


def can_be_previewed(scope: Scope) -> bool:
    """Whether what a request asks for can be previewed."""
    opt = scope["route_handler"].opt
    # A list that is asked by a body is read, whatever the method says.
    return bool(opt.get("previews")) and (scope.get("method") == HttpMethod.GET or "query_of" in opt)


def leading_on(scope: Scope, url: str) -> str:
    """An address of ours, to be put into a document: within the preview that the document is of, if it is of one.

    That is so where the token came as a parameter. Who sends the header sends it along each time, and
    finds no token in documents.
    """
    token: str | None = scope.get(_LEADING)  # type: ignore[assignment]  # ours
    return url if token is None else f"{url}{'&' if '?' in url else '?'}{_addition(token)}"


def _addition(token: str) -> str:
    return f"{PARAMETER}={quote(token)}"


class Previewing:
    """Answers requests for a preview from within it. Others pass through; so do those of routes without previews.

    The answer is gathered before it is sent: a slow client must not keep a transaction open.
    """

    def __init__(self, app: ASGIApp, previews: PreviewService) -> None:
        self._app = app
        self._previews = previews

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show what the token is good for.

        Raises `Malformed`, `PreviewInvalid`, `PreviewExpired`, `PreviewTokenRevoked`.
        """
        if not takes_preview(scope):
            await self._app(scope, receive, send)
            return
        tokens = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER]
        pairs = parameters(scope["query_string"])
        tokens += [value for name, value in pairs if name == PARAMETER]
        if not tokens:  # the word is there, but as something else
            await self._app(scope, receive, send)
            return
        if len(tokens) > 1:
            raise Malformed("One preview is shown at a time: give one token.")
        rest = [(name, value) for name, value in pairs if name != PARAMETER]
        token = tokens[0] if len(rest) < len(pairs) else None
        scope[_LEADING] = token  # type: ignore[literal-required]  # ours
        scope["query_string"] = urlencode(rest).encode()
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in CONDITIONS]
        gathered: list[Message] = []

        async def gather(message: Message) -> None:
            gathered.append(message)

        async with self._previews.showing(tokens[0]):
            await self._app(scope, receive, gather)
        for message in gathered:
            if message["type"] == "http.response.start":
                message["headers"] = _private(list(message["headers"]), token)
            await send(message)


def _private(headers: list[tuple[bytes, bytes]], token: str | None) -> list[tuple[bytes, bytes]]:
    """Headers that nobody keeps the answer by; links that lead to other pages of the same preview."""
    kept = [
        (name, _linked(value, token) if name.lower() == b"link" and token else value)
        for name, value in headers
        if name.lower() not in _SHARED
    ]
    return kept + _PRIVATE


def _linked(value: bytes, token: str) -> bytes:
    addition = _addition(token).encode()
    return _LINK.sub(
        lambda match: b"<%s%s%s>" % (match[1], b"&" if b"?" in match[1] else b"?", addition), value
    )

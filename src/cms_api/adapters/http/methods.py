"""HEAD and OPTIONS, which every route has."""

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

# A method that no route has: the router answers with those that there are.
NO_METHOD = "NONE"
# Set where the method was HEAD: nobody gets the content that is asked for.
IS_HEAD = "cms_is_head"
PREFLIGHT = b"access-control-request-method"
REFUSED, NO_CONTENT = 405, 204


class Methods:
    """Answers HEAD as GET without the content (RFC 9110, section 9.3.2), and OPTIONS with the methods there are.

    The framework's own answer to OPTIONS knows the methods of one handler, and is for whom that is for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have it answered by what a route has. The scope is the request's own already."""
        if scope["type"] == ScopeType.HTTP:
            if scope["method"] == HttpMethod.HEAD:
                scope["method"] = HttpMethod.GET
                scope[IS_HEAD] = True  # type: ignore[literal-required]  # a key of our own
                send = _head_only(send)
            elif scope["method"] == HttpMethod.OPTIONS and not _is_preflight(scope):
                scope["method"] = NO_METHOD  # type: ignore[typeddict-item]
                send = _granting(send)
        await self._app(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if a page of another origin may ask."""
    return any(name == PREFLIGHT for name, _ in scope["headers"])


def _granting(send: Send) -> Send:
    """``send`` for a method that is refused, which tells those that are not."""
    target = send

    async def granted(message: Message) -> None:
        nonlocal target
        if message["type"] == "http.response.start" and message["status"] == REFUSED:
            message["status"] = NO_CONTENT
            message["headers"] = [one for one in message["headers"] if not one[0].startswith(b"content-")]
            target = _without_content(send)
        await target(message)

    return granted


def _head_only(send: Send) -> Send:
    """``send`` that ends with the head: a stream would have no other end."""

    async def bare(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return bare


def _without_content(send: Send) -> Send:
    async def bare(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return bare

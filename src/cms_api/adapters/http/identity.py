"""Who asks: the actor behind the Authorization header (RFC 6750)."""

from litestar.types import ASGIApp, Receive, Scope, Send

from cms_api.adapters.http.guards import refuse_bodies, refuse_nobody, refuse_unknown_parameters
from cms_api.domains.auth.api import IdentityService, InvalidToken
from cms_api.kernel.actor import ANONYMOUS

MAX_TOKEN_LENGTH = 2_000


class IdentityMiddleware:
    """Puts the actor into the scope. Wrong credentials are refused at once, none are fine.

    Nobody, unknown parameters and bodies that nothing reads are refused here too: a guard of the
    framework costs 30 µs a request, as it copies the handler.
    """

    def __init__(self, app: ASGIApp, identity: IdentityService) -> None:
        self._app = app
        self._identity = identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look the actor up, once a request."""
        token = bearer_token(scope)
        refuse_nobody(scope, is_nobody=token is None)
        refuse_unknown_parameters(scope)
        refuse_bodies(scope)
        scope["auth"] = None
        scope["user"] = ANONYMOUS if token is None else await self._identity.identify(token)
        await self._app(scope, receive, send)


def bearer_token(scope: Scope) -> str | None:
    """The token of the Authorization header; None without one. Raises `InvalidToken`."""
    given = next((value for name, value in scope["headers"] if name == b"authorization"), None)
    return None if given is None else _bearer(given)


def _bearer(header: bytes) -> str:
    scheme, _, token = header.partition(b" ")
    if scheme.lower() != b"bearer":
        raise InvalidToken("The Authorization header takes a Bearer token.")
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        raise InvalidToken("The access token is malformed or forged.")
    return token.decode().strip()

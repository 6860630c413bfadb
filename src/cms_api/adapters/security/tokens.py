"""Access tokens as JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256."""

from datetime import datetime, timedelta
from uuid import UUID

import jwt

from cms_api.domains.auth.sessions.errors import InvalidToken
from cms_api.domains.auth.sessions.ports import AccessTokens, Claims

ALGORITHM = "HS256"
ISSUER = "cms"


class JwtTokens(AccessTokens):
    """Tokens signed with one secret of 32 characters or more."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def issue(self, claims: Claims, *, at: datetime, lifetime: int) -> str:
        payload = {
            "iss": ISSUER,
            "sub": str(claims.user_id),
            "sid": str(claims.session_id),
            "iat": at,
            "exp": at + timedelta(seconds=lifetime),
        }
        return jwt.encode(payload, self._secret, algorithm=ALGORITHM)

    def read(self, token: str, *, at: datetime) -> Claims:
        try:
            # Expiry is held against the clock that is handed in, not the machine's.
            payload = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={
                    "require": ["exp", "sub", "sid", "iss"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            if payload["exp"] <= at.timestamp():
                raise InvalidToken("The access token has expired.")
            return Claims(UUID(payload["sub"]), UUID(payload["sid"]))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
            raise InvalidToken("The access token is malformed or forged.") from None

"""Sessions: a sign-in on one device, kept alive by refresh tokens that are used once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cms_api.domains.auth.sessions.events import SessionRevoked, SessionStarted
from cms_api.kernel.ids import new_id


def make_refresh_token() -> tuple[str, bytes]:
    """A new refresh token of 256 random bits, and its digest."""
    token = secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> bytes:
    """What is stored in place of a refresh token: its SHA-256. Random input needs no salt."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(slots=True, eq=False, kw_only=True)
class Session:
    """A sign-in on one device: the family of all refresh tokens that go back to it."""

    id: UUID
    user_id: UUID
    user_agent: str | None
    ip: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def start(
        cls, *, user_id: UUID, user_agent: str | None, ip: str | None, at: datetime, lifetime: timedelta
    ) -> tuple["Session", SessionStarted]:
        """A new session, good for ``lifetime`` from its last use."""
        session = cls(
            id=new_id(),
            user_id=user_id,
            user_agent=user_agent[:400] if user_agent else None,
            ip=ip,
            created_at=at,
            last_used_at=at,
            expires_at=at + lifetime,
        )
        return session, SessionStarted(subject=session.id, actor=user_id, user_id=user_id)

    def is_alive(self, at: datetime) -> bool:
        """Whether it can still be used."""
        return self.revoked_at is None and at < self.expires_at

    def extend(self, *, at: datetime, lifetime: timedelta) -> None:
        """Count a use: it lasts ``lifetime`` from now."""
        self.last_used_at, self.expires_at = at, at + lifetime

    def revoke(self, at: datetime, *, because: str) -> SessionRevoked | None:
        """End it; None where it had ended before."""
        if self.revoked_at is not None:
            return None
        self.revoked_at = at
        return SessionRevoked(subject=self.id, user_id=self.user_id, because=because)


@dataclass(slots=True, eq=False, kw_only=True)
class RefreshToken:
    """One link of the chain. Known by its digest only."""

    digest: bytes
    session_id: UUID
    issued_at: datetime
    used_at: datetime | None = None

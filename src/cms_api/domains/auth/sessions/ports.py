"""What the services of sessions need from outside."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.auth.sessions.model import RefreshToken, Session
from cms_api.kernel.actor import Actor
from cms_api.querying import Page, PageRequest


class SessionRepository(ABC):
    """Sessions and their refresh tokens, for changing them."""

    @abstractmethod
    async def add(self, session: Session) -> None:
        """Store a new session."""

    @abstractmethod
    async def get(self, session_id: UUID) -> Session | None:
        """The session, locked until the unit of work ends."""

    @abstractmethod
    async def save(self, session: Session) -> None:
        """Store the changed session."""

    @abstractmethod
    async def add_token(self, token: RefreshToken) -> None:
        """Store a new refresh token."""

    @abstractmethod
    async def get_token(self, digest: bytes) -> RefreshToken | None:
        """The refresh token, locked until the unit of work ends."""

    @abstractmethod
    async def save_token(self, token: RefreshToken) -> None:
        """Store the changed refresh token."""

    @abstractmethod
    async def revoke_all(self, user_id: UUID, *, at: datetime, but: UUID | None = None) -> None:
        """End every live session of the user except ``but``."""

    @abstractmethod
    async def purge(self, *, user_id: UUID, ended_before: datetime) -> None:
        """Forget those sessions of the user that expired or were revoked before a moment."""


class SessionQueries(ABC):
    """Sessions, for looking at them."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[Session]:
        """A page of sessions, as `SESSIONS` allows.

        Conditions may be about ``user_id`` and ``revoked_at``, too.
        """

    @abstractmethod
    async def actor(self, *, user_id: UUID, session_id: UUID, at: datetime) -> Actor | None:
        """The actor behind a live session of an active user, in one statement."""

    @abstractmethod
    async def actor_of(self, user_id: UUID) -> Actor | None:
        """An active user as an actor, in one statement."""


class Claims(msgspec.Struct, frozen=True):
    """What an access token says."""

    user_id: UUID
    session_id: UUID


class AccessTokens(ABC):
    """Signed tokens that need no storage."""

    @abstractmethod
    def issue(self, claims: Claims, *, at: datetime, lifetime: int) -> str:
        """A token good for ``lifetime`` seconds."""

    @abstractmethod
    def read(self, token: str, *, at: datetime) -> Claims:
        """What the token says. Raises `InvalidToken` where it is malformed, forged or expired."""

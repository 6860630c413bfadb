"""Signing in, staying signed in, and who a token stands for."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.auth.users.interface import UserView
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of tokens; ``expires_in`` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int

    def __repr__(self) -> str:
        return "Tokens(…)"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed in, and the tokens to go on with."""

    user: UserView
    tokens: Tokens


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in on one device."""

    id: UUID
    user_agent: str | None
    ip: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool


SESSIONS = Listing(
    sorts=("created_at", "last_used_at", "expires_at"),
    filters={
        "id": "uuid",
        "user_agent": "text",
        "ip": "text",
        "created_at": "timestamptz",
        "last_used_at": "timestamptz",
        "expires_at": "timestamptz",
    },
    shown=SessionView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)


class SessionService(ABC):
    """Signing in and out."""

    @abstractmethod
    async def login(
        self, uow: UnitOfWork, *, email: str, password: str, user_agent: str | None, ip: str | None
    ) -> SignedIn:
        """Check the credentials, start a session, note the sign-in.

        Raises `WrongCredentials`, after the same time whether the address or the password is
        wrong, and `UserInactive` where both are right but the user may not sign in.
        """

    @abstractmethod
    async def refresh(self, uow: UnitOfWork, *, refresh_token: str) -> SignedIn:
        """Exchange a refresh token, which is then used up, for a new pair.

        Raises `InvalidToken`, and `TokenReused` for one that had been exchanged before, whose
        session thereby ends.
        """

    @abstractmethod
    async def logout(self, uow: UnitOfWork, actor: Actor) -> None:
        """End the session that the actor's access token belongs to."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[SessionView]:
        """The actor's live sessions, as `SESSIONS` allows."""

    @abstractmethod
    async def revoke(self, uow: UnitOfWork, actor: Actor, session_id: UUID) -> None:
        """End one of the actor's sessions. Raises `SessionNotFound`."""

    @abstractmethod
    async def revoke_others(self, uow: UnitOfWork, actor: Actor) -> None:
        """End all of the actor's sessions but the current one."""


class IdentityService(ABC):
    """Who a request comes from."""

    @abstractmethod
    async def identify(self, access_token: str) -> Actor:
        """The actor that the token stands for, with the permissions of this moment.

        Asks the database each time, so a revoked session, a deactivated user or a lost role
        counts from the next request on. Raises `InvalidToken`.
        """

    @abstractmethod
    async def actor_of(self, user_id: UUID) -> Actor:
        """The user as an actor without a session, with the permissions of this moment.

        For what is done in her name later on. Raises `UserGone` where she was deactivated or deleted.
        """

"""What the service of users needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from uuid import UUID

import msgspec

from cms_api.domains.auth.users.interface import UserSummary, UserView
from cms_api.domains.auth.users.model import User
from cms_api.querying import Page, PageRequest


class UserRepository(ABC):
    """Users, for changing them."""

    @abstractmethod
    async def get(self, user_id: UUID) -> User | None:
        """The user, locked until the unit of work ends."""

    @abstractmethod
    async def add(self, user: User) -> None:
        """Store a new user. Raises `EmailTaken`."""

    @abstractmethod
    async def save(self, user: User) -> None:
        """Store the changed user, roles included. Raises `EmailTaken`."""

    @abstractmethod
    async def delete(self, user_id: UUID) -> None:
        """Remove the user with all that hangs on her."""

    @abstractmethod
    async def has_any(self) -> bool:
        """Whether there is a user at all; no other unit of work can be in this question at a time."""

    @abstractmethod
    async def has_other_administrator(self, user_id: UUID) -> bool:
        """Whether an active administrator exists beside ``user_id``.

        Holds every other question of this kind up until the unit of work ends, so that two
        administrators can't remove each other at the same moment.
        """

    @abstractmethod
    async def summaries(
        self, *, ids: Collection[UUID] = (), emails: Collection[str] = ()
    ) -> list[UserSummary]:
        """The users with one of these ids or normalised addresses."""

    @abstractmethod
    async def known_roles(self) -> frozenset[str]:
        """The keys of all roles."""


class Credentials(msgspec.Struct, frozen=True):
    """What a sign-in is checked against. Never leaves the domain."""

    user_id: UUID
    password_hash: str
    is_active: bool

    def __repr__(self) -> str:
        return f"Credentials(user_id={self.user_id})"


class UserQueries(ABC):
    """Users, for looking at them."""

    @abstractmethod
    async def get(self, user_id: UUID) -> UserView | None:
        """One user."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[UserView]:
        """A page of users."""

    @abstractmethod
    async def summaries_of(self, ids: Collection[UUID]) -> dict[UUID, UserSummary]:
        """Those users of ``ids`` that exist."""

    @abstractmethod
    async def credentials(self, email: str) -> Credentials | None:
        """The credentials registered under a normalised address."""

    @abstractmethod
    async def credentials_of(self, user_id: UUID) -> Credentials | None:
        """The credentials of a user."""


class PasswordHasher(ABC):
    """Slow one-way hashing, off the event loop."""

    @abstractmethod
    async def hash(self, password: str) -> str:
        """The hash of a password of at most 72 bytes."""

    @abstractmethod
    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they belong together. Takes the same time, and says no, where there is no hash."""

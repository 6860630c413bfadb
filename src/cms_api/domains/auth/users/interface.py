"""The service of users, as everybody else sees it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A user without secrets. ``roles`` are role keys, in order of the alphabet."""

    id: UUID
    email: str
    name: str
    is_active: bool
    roles: tuple[str, ...]
    last_login_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class UserSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What another domain may know of a user."""

    id: UUID
    name: str
    email: str
    is_active: bool
    roles: tuple[str, ...] = ()


class UserChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    email: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    roles: tuple[str, ...] | UnsetType = UNSET


USERS = Listing(
    sorts=("created_at", "name", "email"),
    filters={
        "id": "uuid",
        "created_at": "timestamptz",
        "name": "text",
        "email": "text",
        "is_active": "boolean",
        "last_login_at": "timestamptz",
        "role": "text",
    },
    shown=UserView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)


class UserService(ABC):
    """Who may sign in."""

    @abstractmethod
    async def create(
        self, uow: UnitOfWork, actor: Actor, *, email: str, name: str, password: str, roles: Iterable[str]
    ) -> UserView:
        """A new user.

        Needs ``users:write``. Raises `EmailTaken`, and `Invalid` for a malformed address, a
        password outside of 10 characters to 72 bytes, or an unknown role.
        """

    @abstractmethod
    async def ensure_administrator(
        self, uow: UnitOfWork, *, email: str, name: str, password: str
    ) -> UserView | None:
        """Create the first administrator, or do nothing and return None where there is a user."""

    @abstractmethod
    async def get(self, actor: Actor, user_id: UUID) -> UserView:
        """One user. Needs ``users:read``, or to be that user. Raises `UserNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[UserView]:
        """The users, as `USERS` allows. Needs ``users:read``."""

    @abstractmethod
    async def find_by_ids(self, uow: UnitOfWork, ids: Iterable[UUID]) -> dict[UUID, UserSummary]:
        """Those users of ``ids`` that exist; for other domains."""

    @abstractmethod
    async def summaries(self, ids: Iterable[UUID]) -> dict[UUID, UserSummary]:
        """As `find_by_ids`, for reads, which have no unit of work: one statement, none without ids."""

    @abstractmethod
    async def find_by_emails(self, uow: UnitOfWork, emails: Iterable[str]) -> dict[str, UserSummary]:
        """Those users that have one of ``emails`` (in any spelling), by the spelling asked for."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, user_id: UUID, *, expected: int | None, changes: UserChanges
    ) -> UserView:
        """Change a user.

        Needs ``users:write``. A new password or deactivation ends all sessions of the user.
        Raises `UserNotFound`, `Stale`, `EmailTaken`, `LastAdministrator`, `Invalid`.
        """

    @abstractmethod
    async def delete(self, uow: UnitOfWork, actor: Actor, user_id: UUID, *, expected: int | None) -> None:
        """Delete a user and all her sessions. Needs ``users:write``.

        Raises `UserNotFound`, `Stale`, `LastAdministrator`.
        """

    @abstractmethod
    async def change_password(
        self, uow: UnitOfWork, actor: Actor, *, current_password: str, new_password: str
    ) -> None:
        """Replace the actor's own password, and end her other sessions.

        Raises `Unauthenticated`, `WrongCurrentPassword`, `Invalid`.
        """

"""Deciding about users."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from cms_api.domains.auth.sessions.ports import SessionRepository
from cms_api.domains.auth.users.errors import LastAdministrator, UserNotFound, WrongCurrentPassword
from cms_api.domains.auth.users.interface import (
    UserChanges,
    UserService,
    UserSummary,
    UserView,
)
from cms_api.domains.auth.users.model import ADMINISTRATOR, User, check_password, normalise_email
from cms_api.domains.auth.users.policy import USERS_READ, USERS_WRITE
from cms_api.domains.auth.users.ports import PasswordHasher, UserQueries, UserRepository
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Faults, Invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest

T = TypeVar("T")


def view(user: User) -> UserView:
    """The user as others may see her."""
    return UserView(
        id=user.id,
        email=user.email,
        name=user.name,
        is_active=user.is_active,
        roles=tuple(sorted(user.roles)),
        last_login_at=user.last_login_at,
        version=user.version,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def _or(new: T | UnsetType, old: T) -> T:
    return old if new is UNSET else new


class Users(UserService):
    """The service of users."""

    def __init__(self, *, clock: Clock, hasher: PasswordHasher, queries: UserQueries) -> None:
        self._clock = clock
        self._hasher = hasher
        self._queries = queries

    async def create(
        self, uow: UnitOfWork, actor: Actor, *, email: str, name: str, password: str, roles: Iterable[str]
    ) -> UserView:
        actor.require(USERS_WRITE)
        faults = Faults()
        with faults.noted():
            email = normalise_email(email)
        with faults.noted():
            check_password(password)
        faults.refuse()
        password_hash = await self._hasher.hash(password)
        repository = uow.repository(UserRepository)
        keys = await _known(repository, roles)
        user, created = User.create(
            email=email, name=name, password_hash=password_hash, roles=keys, at=self._clock.now()
        )
        await repository.add(user)
        uow.record(created.by(actor))
        return view(user)

    async def ensure_administrator(
        self, uow: UnitOfWork, *, email: str, name: str, password: str
    ) -> UserView | None:
        if await uow.repository(UserRepository).has_any():
            return None
        return await self.create(
            uow, SYSTEM, email=email, name=name, password=password, roles=(ADMINISTRATOR,)
        )

    async def get(self, actor: Actor, user_id: UUID) -> UserView:
        if actor.user_id != user_id or actor.user_id is None:
            actor.require(USERS_READ)
        if (user := await self._queries.get(user_id)) is None:
            raise UserNotFound
        return user

    async def list(self, actor: Actor, page: PageRequest) -> Page[UserView]:
        actor.require(USERS_READ)
        return await self._queries.list(page)

    async def find_by_ids(self, uow: UnitOfWork, ids: Iterable[UUID]) -> dict[UUID, UserSummary]:
        found = await uow.repository(UserRepository).summaries(ids=tuple(ids))
        return {user.id: user for user in found}

    async def summaries(self, ids: Iterable[UUID]) -> dict[UUID, UserSummary]:
        wanted = frozenset(ids)
        return await self._queries.summaries_of(wanted) if wanted else {}

    async def find_by_emails(self, uow: UnitOfWork, emails: Iterable[str]) -> dict[str, UserSummary]:
        spellings: dict[str, str] = {}
        for email in emails:
            try:
                spellings[email] = normalise_email(email)
            except Invalid:
                continue
        found = await uow.repository(UserRepository).summaries(emails=tuple(set(spellings.values())))
        by_email = {user.email: user for user in found}
        return {spelling: by_email[key] for spelling, key in spellings.items() if key in by_email}

    async def update(
        self, uow: UnitOfWork, actor: Actor, user_id: UUID, *, expected: int | None, changes: UserChanges
    ) -> UserView:
        actor.require(USERS_WRITE)
        faults, email = Faults(), changes.email
        with faults.noted():
            email = email if email is UNSET else normalise_email(email)
        with faults.noted():
            if changes.password is not UNSET:
                check_password(changes.password)
        faults.refuse()
        password_hash = None if changes.password is UNSET else await self._hasher.hash(changes.password)
        repository = uow.repository(UserRepository)
        user = await _get(repository, user_id, expected)
        was_administrator = user.is_administrator
        roles = user.roles if changes.roles is UNSET else await _known(repository, changes.roles)
        now = self._clock.now()
        updated = user.change(
            at=now,
            email=_or(email, user.email),
            name=_or(changes.name, user.name),
            is_active=_or(changes.is_active, user.is_active),
            roles=roles,
        )
        if was_administrator and not user.is_administrator:
            await _require_other_administrator(repository, user_id)
        events = [updated] if updated else []
        if password_hash is not None:
            events.append(user.set_password(password_hash, now))
        if not events:
            return view(user)
        await repository.save(user)
        if password_hash is not None or not user.is_active:
            await uow.repository(SessionRepository).revoke_all(user_id, at=now)
        uow.record(*(event.by(actor) for event in events))
        return view(user)

    async def delete(self, uow: UnitOfWork, actor: Actor, user_id: UUID, *, expected: int | None) -> None:
        actor.require(USERS_WRITE)
        repository = uow.repository(UserRepository)
        user = await _get(repository, user_id, expected)
        if user.is_administrator:
            await _require_other_administrator(repository, user_id)
        await repository.delete(user_id)
        uow.record(user.delete().by(actor))

    async def change_password(
        self, uow: UnitOfWork, actor: Actor, *, current_password: str, new_password: str
    ) -> None:
        user_id = actor.require_user()
        check_password(new_password, pointer="/new_password")
        known = await self._queries.credentials_of(user_id)
        if known is None or not await self._hasher.verify(current_password, known.password_hash):
            detail = "This is not your current password."
            raise WrongCurrentPassword(detail, faults=(Fault("/current_password", "wrong_password", detail),))
        password_hash = await self._hasher.hash(new_password)
        now = self._clock.now()
        repository = uow.repository(UserRepository)
        user = await _get(repository, user_id, None)
        changed = user.set_password(password_hash, now)
        await repository.save(user)
        await uow.repository(SessionRepository).revoke_all(user.id, at=now, but=actor.session_id)
        uow.record(changed.by(actor))


async def _get(repository: UserRepository, user_id: UUID, expected: int | None) -> User:
    if (user := await repository.get(user_id)) is None:
        raise UserNotFound
    check_version(user.version, expected)
    return user


async def _known(repository: UserRepository, roles: Iterable[str]) -> frozenset[str]:
    wanted = tuple(dict.fromkeys(roles))
    known = await repository.known_roles()
    faults = tuple(
        Fault(f"/roles/{position}", "unknown_role", f"There is no role “{role}”.")
        for position, role in enumerate(wanted)
        if role not in known
    )
    if faults:
        raise Invalid("Some roles do not exist.", faults=faults)
    return frozenset(wanted)


async def _require_other_administrator(repository: UserRepository, user_id: UUID) -> None:
    if not await repository.has_other_administrator(user_id):
        raise LastAdministrator

"""The repositories of the auth domain."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Text,
    Uuid,
    any_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.auth.rows import (
    RefreshTokenRow,
    RoleRow,
    SessionRow,
    UserRow,
    user_roles,
)
from cms_api.adapters.sqlalchemy.base import copied, translating
from cms_api.domains.auth.sessions.model import RefreshToken, Session
from cms_api.domains.auth.sessions.ports import SessionRepository
from cms_api.domains.auth.users.errors import EmailTaken
from cms_api.domains.auth.users.interface import UserSummary
from cms_api.domains.auth.users.model import ADMINISTRATOR, User
from cms_api.domains.auth.users.ports import UserRepository

USER_FIELDS = (
    "id", "version", "email", "name", "password_hash", "is_active", "last_login_at",
    "created_at", "updated_at",
)  # fmt: skip
SESSION_FIELDS = (
    "id", "user_id", "user_agent", "ip", "created_at", "last_used_at", "expires_at", "revoked_at",
)  # fmt: skip
TOKEN_FIELDS = ("digest", "session_id", "issued_at", "used_at")

_ONE_ADMINISTRATOR_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7025519313)")


class SqlAlchemyUsers(UserRepository):
    """Users in ``auth.users`` and ``auth.user_roles``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, user_id: UUID) -> User | None:
        row = await self._session.get(UserRow, user_id, with_for_update=True, populate_existing=True)
        if row is None:
            return None
        roles = await self._session.scalars(
            select(user_roles.c.role_key).where(user_roles.c.user_id == user_id)
        )
        return User(roles=frozenset(roles), **copied(row, USER_FIELDS))

    async def add(self, user: User) -> None:
        self._session.add(UserRow(**copied(user, USER_FIELDS)))
        await self._flush()
        await self._grant(user.id, user.roles)

    async def save(self, user: User) -> None:
        row = await self._session.get_one(UserRow, user.id)
        for name in USER_FIELDS:
            setattr(row, name, getattr(user, name))
        await self._flush()
        before = frozenset(
            await self._session.scalars(select(user_roles.c.role_key).where(user_roles.c.user_id == user.id))
        )
        if lost := before - user.roles:
            await self._session.execute(
                delete(user_roles).where(
                    user_roles.c.user_id == user.id,
                    user_roles.c.role_key == any_(literal(list(lost), ARRAY(Text))),
                )
            )
        await self._grant(user.id, user.roles - before)

    async def _grant(self, user_id: UUID, roles: Collection[str]) -> None:
        if roles:
            await self._session.execute(
                insert(user_roles), [{"user_id": user_id, "role_key": role} for role in sorted(roles)]
            )

    async def _flush(self) -> None:
        with translating({"uq_users_email": EmailTaken()}):
            await self._session.flush()

    async def delete(self, user_id: UUID) -> None:
        await self._session.execute(delete(UserRow).where(UserRow.id == user_id))

    async def has_any(self) -> bool:
        await self._session.execute(_ONE_ADMINISTRATOR_AT_A_TIME)
        return bool(await self._session.scalar(select(exists(select(UserRow.id)))))

    async def has_other_administrator(self, user_id: UUID) -> bool:
        await self._session.execute(_ONE_ADMINISTRATOR_AT_A_TIME)
        others = (
            select(UserRow.id)
            .join(user_roles, user_roles.c.user_id == UserRow.id)
            .where(UserRow.id != user_id, UserRow.is_active, user_roles.c.role_key == ADMINISTRATOR)
        )
        return bool(await self._session.scalar(select(exists(others))))

    async def summaries(
        self, *, ids: Collection[UUID] = (), emails: Collection[str] = ()
    ) -> list[UserSummary]:
        rows = await self._session.execute(
            select(
                UserRow.id,
                UserRow.name,
                UserRow.email,
                UserRow.is_active,
                select(func.coalesce(func.array_agg(user_roles.c.role_key), literal([], ARRAY(Text))))
                .where(user_roles.c.user_id == UserRow.id)
                .scalar_subquery(),
            ).where(
                or_(
                    UserRow.id == any_(literal(list(ids), ARRAY(Uuid))),
                    UserRow.email == any_(literal(list(emails), ARRAY(Text))),
                )
            )
        )
        return [
            UserSummary(id=i, name=name, email=email, is_active=active, roles=tuple(sorted(roles)))
            for i, name, email, active, roles in rows
        ]

    async def known_roles(self) -> frozenset[str]:
        return frozenset(await self._session.scalars(select(RoleRow.key)))


class SqlAlchemySessions(SessionRepository):
    """Sessions in ``auth.sessions`` and ``auth.refresh_tokens``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, session: Session) -> None:
        self._session.add(SessionRow(**copied(session, SESSION_FIELDS)))
        await self._session.flush()

    async def get(self, session_id: UUID) -> Session | None:
        row = await self._session.get(SessionRow, session_id, with_for_update=True, populate_existing=True)
        return None if row is None else Session(**copied(row, SESSION_FIELDS))

    async def save(self, session: Session) -> None:
        row = await self._session.get_one(SessionRow, session.id)
        row.last_used_at, row.expires_at = session.last_used_at, session.expires_at
        row.revoked_at = session.revoked_at
        await self._session.flush()

    async def add_token(self, token: RefreshToken) -> None:
        self._session.add(RefreshTokenRow(**copied(token, TOKEN_FIELDS)))
        await self._session.flush()

    async def get_token(self, digest: bytes) -> RefreshToken | None:
        row = await self._session.get(RefreshTokenRow, digest, with_for_update=True, populate_existing=True)
        return None if row is None else RefreshToken(**copied(row, TOKEN_FIELDS))

    async def save_token(self, token: RefreshToken) -> None:
        row = await self._session.get_one(RefreshTokenRow, token.digest)
        row.used_at = token.used_at
        await self._session.flush()

    async def revoke_all(self, user_id: UUID, *, at: datetime, but: UUID | None = None) -> None:
        live = update(SessionRow).where(SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None))
        if but is not None:
            live = live.where(SessionRow.id != but)
        await self._session.execute(live.values(revoked_at=at))

    async def purge(self, *, user_id: UUID, ended_before: datetime) -> None:
        await self._session.execute(
            delete(SessionRow).where(
                SessionRow.user_id == user_id,
                or_(SessionRow.expires_at < ended_before, SessionRow.revoked_at < ended_before),
            )
        )

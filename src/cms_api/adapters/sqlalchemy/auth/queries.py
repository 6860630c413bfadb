"""The queries of the auth domain: one statement each."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Several
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.auth.roles.interface import RoleView
from cms_api.domains.auth.roles.ports import RoleQueries
from cms_api.domains.auth.sessions.model import Session
from cms_api.domains.auth.sessions.ports import SessionQueries
from cms_api.domains.auth.users.interface import UserSummary, UserView
from cms_api.domains.auth.users.ports import Credentials, UserQueries
from cms_api.kernel.actor import Actor
from cms_api.querying import Page, PageRequest

USER = """
SELECT u.id, u.email, u.name, u.is_active,
       ARRAY(SELECT role_key FROM auth.user_roles r WHERE r.user_id = u.id ORDER BY role_key) AS roles,
       u.last_login_at, u.version, u.created_at, u.updated_at
FROM auth.users u
"""

USERS_BY = Keyset(
    {
        "created_at": Column("u.created_at", "timestamptz"),
        "name": Column("u.name", "text"),
        "email": Column("u.email", "text"),
    },
    key=Column("u.id", "uuid"),
    filters={
        "is_active": Column("u.is_active", "boolean"),
        "last_login_at": Column("u.last_login_at", "timestamptz"),
        "role": Several(
            "EXISTS (SELECT FROM auth.user_roles x WHERE x.user_id = u.id AND {})",
            Column("x.role_key", "text"),
        ),
    },
)


SESSION_FIELDS = tuple(one.name for one in fields(Session))
SESSION = f"SELECT {', '.join(f's.{name}' for name in SESSION_FIELDS)}\nFROM auth.sessions s"

SESSIONS_BY = Keyset(
    {
        "created_at": Column("s.created_at", "timestamptz"),
        "last_used_at": Column("s.last_used_at", "timestamptz"),
        "expires_at": Column("s.expires_at", "timestamptz"),
    },
    key=Column("s.id", "uuid"),
    filters={
        "user_id": Column("s.user_id", "uuid"),
        "user_agent": Column("s.user_agent", "text"),
        "ip": Column("s.ip", "text"),
        "revoked_at": Column("s.revoked_at", "timestamptz"),
    },
)


class SqlUsers(UserQueries):
    """Users, as they are shown."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, user_id: UUID) -> UserView | None:
        row = await self._reader.one(USER + "WHERE u.id = %(id)s", {"id": user_id})
        return None if row is None else _user(row)

    async def list(self, page: PageRequest) -> Page[UserView]:
        return await USERS_BY.page(self._reader, USER, [], {}, page, _user)

    async def summaries_of(self, ids: Collection[UUID]) -> dict[UUID, UserSummary]:
        rows = await self._reader.rows(
            "SELECT id, name, email, is_active FROM auth.users WHERE id = ANY(%(ids)s)", {"ids": list(ids)}
        )
        return {
            i: UserSummary(id=i, name=name, email=email, is_active=active) for i, name, email, active in rows
        }

    async def credentials(self, email: str) -> Credentials | None:
        row = await self._reader.one(
            "SELECT id, password_hash, is_active FROM auth.users WHERE email = %(email)s", {"email": email}
        )
        return None if row is None else Credentials(*row)

    async def credentials_of(self, user_id: UUID) -> Credentials | None:
        row = await self._reader.one(
            "SELECT id, password_hash, is_active FROM auth.users WHERE id = %(id)s", {"id": user_id}
        )
        return None if row is None else Credentials(*row)


def _user(row: tuple[object, ...]) -> UserView:
    return UserView(**dict(zip(UserView.__struct_fields__, (*row[:4], tuple(row[4]), *row[5:]), strict=True)))  # type: ignore[arg-type]


def _session(row: tuple[Any, ...]) -> Session:
    return Session(**dict(zip(SESSION_FIELDS, row, strict=True)))


class SqlSessions(SessionQueries):
    """Sessions, as they are shown, and the actor behind one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list(self, page: PageRequest) -> Page[Session]:
        return await SESSIONS_BY.page(self._reader, SESSION, [], {}, page, _session)

    async def actor(self, *, user_id: UUID, session_id: UUID, at: datetime) -> Actor | None:
        row = await self._reader.one(
            """
            SELECT ARRAY(
                SELECT DISTINCT p.permission FROM auth.user_roles r
                JOIN auth.role_permissions p USING (role_key) WHERE r.user_id = u.id),
                ARRAY(SELECT role_key FROM auth.user_roles r WHERE r.user_id = u.id)
            FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id
            WHERE s.id = %(session_id)s AND u.id = %(user_id)s
              AND s.revoked_at IS NULL AND s.expires_at > %(at)s AND u.is_active
            """,
            {"user_id": user_id, "session_id": session_id, "at": at},
        )
        if row is None:
            return None
        return Actor(
            user_id=user_id, session_id=session_id, permissions=frozenset(row[0]), roles=frozenset(row[1])
        )

    async def actor_of(self, user_id: UUID) -> Actor | None:
        row = await self._reader.one(
            """
            SELECT ARRAY(
                SELECT DISTINCT p.permission FROM auth.user_roles r
                JOIN auth.role_permissions p USING (role_key) WHERE r.user_id = u.id),
                ARRAY(SELECT r.role_key FROM auth.user_roles r WHERE r.user_id = u.id)
            FROM auth.users u WHERE u.id = %(user_id)s AND u.is_active
            """,
            {"user_id": user_id},
        )
        if row is None:
            return None
        return Actor(user_id=user_id, permissions=frozenset(row[0]), roles=frozenset(row[1]))


class SqlRoles(RoleQueries):
    """Roles, as they are shown."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list(self) -> list[RoleView]:
        rows = await self._reader.rows(
            """
            SELECT r.key, r.name, r.description, ARRAY(
                SELECT permission FROM auth.role_permissions p WHERE p.role_key = r.key ORDER BY permission)
            FROM auth.roles r
            ORDER BY r.key
            """,
        )
        return [
            RoleView(key=key, name=name, description=text, permissions=tuple(permissions))
            for key, name, text, permissions in rows
        ]

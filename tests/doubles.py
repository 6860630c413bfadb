"""In-memory twins of the auth domain's ports. Held to the same contracts as PostgreSQL's."""

from collections.abc import Collection
from copy import copy
from datetime import datetime, timedelta
from uuid import UUID

from cms_api.domains.auth.sessions.errors import InvalidToken
from cms_api.domains.auth.sessions.model import RefreshToken, Session
from cms_api.domains.auth.sessions.ports import AccessTokens, Claims, SessionQueries, SessionRepository
from cms_api.domains.auth.users.errors import EmailTaken
from cms_api.domains.auth.users.interface import UserSummary, UserView
from cms_api.domains.auth.users.model import User
from cms_api.domains.auth.users.ports import Credentials, PasswordHasher, UserQueries, UserRepository
from cms_api.domains.auth.users.service import view
from cms_api.kernel.actor import Actor
from cms_api.querying import Page, PageRequest

ROLES = frozenset({"administrator", "editor", "author", "reader"})


class FakeUsers(UserRepository, UserQueries):
    """Users in a dictionary; what is handed out is a copy, as from a database."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.rows: dict[UUID, User] = {}
        self.log = log if log is not None else []

    async def get(self, user_id: UUID) -> User | None:  # type: ignore[override]
        return copy(self.rows[user_id]) if user_id in self.rows else None

    async def add(self, user: User) -> None:
        self._require_free(user)
        self.rows[user.id] = copy(user)

    async def save(self, user: User) -> None:
        self._require_free(user)
        self.log.append("user saved")
        self.rows[user.id] = copy(user)

    def _require_free(self, user: User) -> None:
        if any(row.email == user.email and row.id != user.id for row in self.rows.values()):
            raise EmailTaken

    async def delete(self, user_id: UUID) -> None:
        self.rows.pop(user_id, None)

    async def has_any(self) -> bool:
        return bool(self.rows)

    async def has_other_administrator(self, user_id: UUID) -> bool:
        return any(row.is_administrator and row.id != user_id for row in self.rows.values())

    async def summaries(
        self, *, ids: Collection[UUID] = (), emails: Collection[str] = ()
    ) -> list[UserSummary]:
        return [
            UserSummary(
                id=row.id,
                name=row.name,
                email=row.email,
                is_active=row.is_active,
                roles=tuple(sorted(row.roles)),
            )
            for row in self.rows.values()
            if row.id in ids or row.email in emails
        ]

    async def summaries_of(self, ids: Collection[UUID]) -> dict[UUID, UserSummary]:
        return {user.id: user for user in await self.summaries(ids=ids)}

    async def known_roles(self) -> frozenset[str]:
        return ROLES

    async def list(self, page: PageRequest) -> Page[UserView]:
        return Page(items=[view(row) for row in self.rows.values()][: page.limit])

    async def credentials(self, email: str) -> Credentials | None:
        self.log.append("registered?")
        found = next((row for row in self.rows.values() if row.email == email), None)
        return found and Credentials(found.id, found.password_hash, found.is_active)

    async def credentials_of(self, user_id: UUID) -> Credentials | None:
        found = self.rows.get(user_id)
        return found and Credentials(found.id, found.password_hash, found.is_active)


class FakeSessions(SessionRepository, SessionQueries):
    """Sessions and refresh tokens in dictionaries; of ``users``, who may act."""

    def __init__(self, log: list[str] | None = None, users: FakeUsers | None = None) -> None:
        self.rows: dict[UUID, Session] = {}
        self.tokens: dict[bytes, RefreshToken] = {}
        self.users = users or FakeUsers()
        self.log = log if log is not None else []

    async def add(self, session: Session) -> None:
        self.rows[session.id] = copy(session)

    async def get(self, session_id: UUID) -> Session | None:
        return copy(self.rows[session_id]) if session_id in self.rows else None

    async def save(self, session: Session) -> None:
        self.rows[session.id] = copy(session)

    async def add_token(self, token: RefreshToken) -> None:
        self.log.append("refresh token stored")
        self.tokens[token.digest] = copy(token)

    async def get_token(self, digest: bytes) -> RefreshToken | None:
        return copy(self.tokens[digest]) if digest in self.tokens else None

    async def save_token(self, token: RefreshToken) -> None:
        self.tokens[token.digest] = copy(token)

    async def revoke_all(self, user_id: UUID, *, at: datetime, but: UUID | None = None) -> None:
        for row in self.rows.values():
            if row.user_id == user_id and row.id != but and row.revoked_at is None:
                row.revoked_at = at

    async def purge(self, *, user_id: UUID, ended_before: datetime) -> None:
        for row in list(self.rows.values()):
            ended = row.expires_at < ended_before or (
                row.revoked_at is not None and row.revoked_at < ended_before
            )
            if row.user_id == user_id and ended:
                del self.rows[row.id]

    async def list(self, page: PageRequest) -> Page[Session]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - which imports this module

        return page_of([copy(row) for row in self.rows.values()], page, getattr, lambda row: row)

    async def actor(self, *, user_id: UUID, session_id: UUID, at: datetime) -> Actor | None:
        row = self.rows.get(session_id)
        if row is None or row.user_id != user_id or not row.is_alive(at):
            return None
        return Actor(user_id=user_id, session_id=session_id)

    async def actor_of(self, user_id: UUID) -> Actor | None:
        user = self.users.rows.get(user_id)
        return None if user is None or not user.is_active else Actor(user_id=user_id)


class FakeHasher(PasswordHasher):
    """Reverses; and counts the work that bcrypt would have."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = log if log is not None else []

    async def hash(self, password: str) -> str:
        return password[::-1]

    async def verify(self, password: str, password_hash: str | None) -> bool:
        self.log.append("password right?")
        return password[::-1] == password_hash


class FakeTokens(AccessTokens):
    """Tokens that say in the open what they stand for."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = log if log is not None else []

    def issue(self, claims: Claims, *, at: datetime, lifetime: int) -> str:
        self.log.append("tokens made")
        return f"{claims.user_id} {claims.session_id} {(at + timedelta(seconds=lifetime)).isoformat()}"

    def read(self, token: str, *, at: datetime) -> Claims:
        try:
            user_id, session_id, ends = token.split(" ")
            if at >= datetime.fromisoformat(ends):
                raise InvalidToken("It has expired.")
            return Claims(UUID(user_id), UUID(session_id))
        except ValueError:
            raise InvalidToken("It is malformed.") from None

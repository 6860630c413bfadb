"""Deciding who is signed in."""

from datetime import datetime, timedelta
from uuid import UUID

from cms_api.domains.auth.sessions.errors import (
    InvalidToken,
    SessionNotFound,
    TokenReused,
    UserGone,
    UserInactive,
    WrongCredentials,
)
from cms_api.domains.auth.sessions.interface import (
    IdentityService,
    SessionService,
    SessionView,
    SignedIn,
    Tokens,
)
from cms_api.domains.auth.sessions.model import RefreshToken, Session, digest, make_refresh_token
from cms_api.domains.auth.sessions.ports import AccessTokens, Claims, SessionQueries, SessionRepository
from cms_api.domains.auth.users.interface import UserView
from cms_api.domains.auth.users.model import User, normalise_email
from cms_api.domains.auth.users.ports import Credentials, PasswordHasher, UserQueries, UserRepository
from cms_api.domains.auth.users.service import view
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Invalid, Unauthenticated
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, Page, PageRequest, all_of

# Ended sessions are kept this long: a stolen token that turns up late is still recognised.
REMEMBERED = timedelta(days=30)


class Sessions(SessionService):
    """The service of sessions. Lifetimes are in seconds."""

    def __init__(
        self,
        *,
        clock: Clock,
        hasher: PasswordHasher,
        tokens: AccessTokens,
        users: UserQueries,
        queries: SessionQueries,
        access_lifetime: int,
        refresh_lifetime: int,
    ) -> None:
        self._clock = clock
        self._hasher = hasher
        self._tokens = tokens
        self._users = users
        self._queries = queries
        self._access_lifetime = access_lifetime
        self._refresh_lifetime = timedelta(seconds=refresh_lifetime)

    async def login(
        self, uow: UnitOfWork, *, email: str, password: str, user_agent: str | None, ip: str | None
    ) -> SignedIn:
        # The unit of work takes no connection before its first repository call: none is held
        # through the tenths of a second that bcrypt needs.
        known = await self._registered(email)
        right = await self._hasher.verify(password, known.password_hash if known else None)
        if known is None or not right:
            raise WrongCredentials
        if not known.is_active:
            raise UserInactive

        users = uow.repository(UserRepository)
        user = await users.get(known.user_id)
        if user is None or user.password_hash != known.password_hash:
            raise WrongCredentials  # changed while bcrypt was at work
        if not user.is_active:
            raise UserInactive
        now = self._clock.now()
        session, started = Session.start(
            user_id=user.id, user_agent=user_agent, ip=ip, at=now, lifetime=self._refresh_lifetime
        )
        tokens, refresh_token = self._make_tokens(session, now)
        sessions = uow.repository(SessionRepository)
        await sessions.purge(user_id=user.id, ended_before=now - REMEMBERED)
        await sessions.add(session)
        await sessions.add_token(refresh_token)
        user.signed_in(now)
        await users.save(user)
        uow.record(started)
        return SignedIn(user=view(user), tokens=tokens)

    async def _registered(self, email: str) -> Credentials | None:
        try:
            return await self._users.credentials(normalise_email(email))
        except Invalid:
            return None

    async def refresh(self, uow: UnitOfWork, *, refresh_token: str) -> SignedIn:
        now = self._clock.now()
        sessions = uow.repository(SessionRepository)
        token = await sessions.get_token(digest(refresh_token))
        if token is None:
            raise InvalidToken("This refresh token is unknown.")
        session = await sessions.get(token.session_id)
        if session is None or not session.is_alive(now):
            raise InvalidToken("The session of this refresh token has ended.")
        if token.used_at is not None:
            await _end(uow, session, now, because="token_reused")
            raise TokenReused
        user = await self._user_of(uow, session)
        token.used_at = now
        session.extend(at=now, lifetime=self._refresh_lifetime)
        tokens, successor = self._make_tokens(session, now)
        await sessions.save_token(token)
        await sessions.save(session)
        await sessions.add_token(successor)
        return SignedIn(user=user, tokens=tokens)

    async def _user_of(self, uow: UnitOfWork, session: Session) -> UserView:
        user: User | None = await uow.repository(UserRepository).get(session.user_id)
        if user is None or not user.is_active:
            raise InvalidToken("The user of this refresh token may no longer sign in.")
        return view(user)

    def _make_tokens(self, session: Session, now: datetime) -> tuple[Tokens, RefreshToken]:
        refresh_token, its_digest = make_refresh_token()
        access_token = self._tokens.issue(
            Claims(session.user_id, session.id), at=now, lifetime=self._access_lifetime
        )
        tokens = Tokens(
            access_token=access_token, refresh_token=refresh_token, expires_in=self._access_lifetime
        )
        return tokens, RefreshToken(digest=its_digest, session_id=session.id, issued_at=now)

    async def logout(self, uow: UnitOfWork, actor: Actor) -> None:
        if actor.session_id is None:
            raise Unauthenticated
        session = await uow.repository(SessionRepository).get(actor.session_id)
        if session is not None:
            await _end(uow, session, self._clock.now(), because="signed_out")

    async def list(self, actor: Actor, page: PageRequest) -> Page[SessionView]:
        own = all_of(
            Comparison("user_id", "eq", (actor.require_user(),)),
            Comparison("revoked_at", "exists", (False,)),
            Comparison("expires_at", "gt", (self._clock.now(),)),
        )
        found = await self._queries.list(page.narrowed(own))
        items = [
            SessionView(
                id=session.id,
                user_agent=session.user_agent,
                ip=session.ip,
                created_at=session.created_at,
                last_used_at=session.last_used_at,
                expires_at=session.expires_at,
                is_current=session.id == actor.session_id,
            )
            for session in found.items
        ]
        return found.of(items)

    async def revoke(self, uow: UnitOfWork, actor: Actor, session_id: UUID) -> None:
        user_id = actor.require_user()
        session = await uow.repository(SessionRepository).get(session_id)
        now = self._clock.now()
        if session is None or session.user_id != user_id or not session.is_alive(now):
            raise SessionNotFound
        await _end(uow, session, now, because="revoked")

    async def revoke_others(self, uow: UnitOfWork, actor: Actor) -> None:
        user_id = actor.require_user()
        await uow.repository(SessionRepository).revoke_all(
            user_id, at=self._clock.now(), but=actor.session_id
        )


class Identity(IdentityService):
    """Tokens first, which costs microseconds; then one statement."""

    def __init__(self, *, clock: Clock, tokens: AccessTokens, queries: SessionQueries) -> None:
        self._clock = clock
        self._tokens = tokens
        self._queries = queries

    async def identify(self, access_token: str) -> Actor:
        now = self._clock.now()
        claims = self._tokens.read(access_token, at=now)
        actor = await self._queries.actor(user_id=claims.user_id, session_id=claims.session_id, at=now)
        if actor is None:
            raise InvalidToken("The session of this token has ended.")
        return actor

    async def actor_of(self, user_id: UUID) -> Actor:
        if (actor := await self._queries.actor_of(user_id)) is None:
            raise UserGone
        return actor


async def _end(uow: UnitOfWork, session: Session, now: datetime, *, because: str) -> None:
    if (revoked := session.revoke(now, because=because)) is None:
        return
    await uow.repository(SessionRepository).save(session)
    uow.record(revoked)

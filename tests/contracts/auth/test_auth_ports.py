"""The auth domain's ports: one suite, on the fakes and on the real adapters."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.doubles import FakeHasher, FakeSessions, FakeTokens, FakeUsers
from tests.fakes import FakeUnitOfWork

from cms_api.adapters.security.hasher import BcryptHasher
from cms_api.adapters.security.tokens import JwtTokens
from cms_api.adapters.sqlalchemy.auth import REPOSITORIES
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.auth.sessions.errors import InvalidToken
from cms_api.domains.auth.sessions.model import RefreshToken, Session
from cms_api.domains.auth.sessions.ports import AccessTokens, Claims, SessionRepository
from cms_api.domains.auth.users.errors import EmailTaken
from cms_api.domains.auth.users.model import User
from cms_api.domains.auth.users.ports import PasswordHasher, UserRepository
from cms_api.kernel.unit_of_work import UnitOfWork

NOW = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
NewUow = Callable[[], UnitOfWork]


@pytest.fixture(params=["fake", "postgresql"])
async def new_uow(request: pytest.FixtureRequest) -> AsyncIterator[NewUow]:
    """Makes units of work, on fakes or on a fresh database."""
    if request.param == "fake":
        users, sessions = FakeUsers(), FakeSessions()
        yield lambda: FakeUnitOfWork({UserRepository: users, SessionRepository: sessions})
        return
    engine = make_engine(request.getfixturevalue("database_url"), size=2, statement_timeout=5)
    yield lambda: SqlAlchemyUnitOfWork(make_sessions(engine), REPOSITORIES)
    await engine.dispose()


def user(email: str = "ada@example.org", *roles: str) -> User:
    made, _ = User.create(email=email, name="Ada", password_hash="hash", roles=frozenset(roles), at=NOW)
    return made


async def stored(new_uow: NewUow, *users: User) -> None:
    async with new_uow() as uow:
        for one in users:
            await uow.repository(UserRepository).add(one)


def fields(entity: object) -> dict[str, object]:
    return {name: getattr(entity, name) for name in entity.__slots__}  # type: ignore[attr-defined]


async def test_a_user_comes_back_as_she_was_stored(new_uow: NewUow) -> None:
    ada = user("ada@example.org", "editor", "author")
    await stored(new_uow, ada)
    async with new_uow() as uow:
        found = await uow.repository(UserRepository).get(ada.id)
        assert found is not None
        assert fields(found) == fields(ada)
        assert await uow.repository(UserRepository).get(uuid4()) is None


async def test_changes_and_roles_are_saved(new_uow: NewUow) -> None:
    ada = user("ada@example.org", "editor")
    await stored(new_uow, ada)
    async with new_uow() as uow:
        users = uow.repository(UserRepository)
        found = await users.get(ada.id)
        assert found is not None
        found.change(
            at=NOW, email="a@example.org", name="A", is_active=False, roles=frozenset({"reader", "author"})
        )
        await users.save(found)
    async with new_uow() as uow:
        again = await uow.repository(UserRepository).get(ada.id)
        assert again is not None
        assert (again.email, again.name, again.is_active, again.version) == ("a@example.org", "A", False, 2)
        assert again.roles == {"reader", "author"}


async def test_an_address_belongs_to_one_user(new_uow: NewUow) -> None:
    await stored(new_uow, user())
    bea = user("bea@example.org")
    with pytest.raises(EmailTaken):
        await stored(new_uow, user())
    await stored(new_uow, bea)
    with pytest.raises(EmailTaken):
        async with new_uow() as uow:
            users = uow.repository(UserRepository)
            found = await users.get(bea.id)
            assert found is not None
            found.email = "ada@example.org"
            await users.save(found)


async def test_summaries_and_administrators(new_uow: NewUow) -> None:
    async with new_uow() as uow:
        assert not await uow.repository(UserRepository).has_any()
    ada, bea = user("ada@example.org", "administrator"), user("bea@example.org")
    await stored(new_uow, ada, bea)
    async with new_uow() as uow:
        users = uow.repository(UserRepository)
        assert await users.has_any()
        assert not await users.has_other_administrator(ada.id)
        assert await users.has_other_administrator(bea.id)
        found = await users.summaries(ids=[ada.id, uuid4()], emails=["bea@example.org"])
        assert {one.id for one in found} == {ada.id, bea.id}
        assert "administrator" in await users.known_roles()
        await users.delete(bea.id)
    async with new_uow() as uow:
        assert await uow.repository(UserRepository).get(bea.id) is None


async def test_sessions_and_refresh_tokens(new_uow: NewUow) -> None:
    ada = user()
    await stored(new_uow, ada)
    made = [
        Session.start(
            user_id=ada.id, user_agent="a", ip="::1", at=NOW - timedelta(days=age), lifetime=timedelta(days=1)
        )[0]
        for age in (0, 0, 9)
    ]
    token = RefreshToken(digest=b"d" * 32, session_id=made[0].id, issued_at=NOW)
    async with new_uow() as uow:
        sessions = uow.repository(SessionRepository)
        for session in made:
            await sessions.add(session)
        await sessions.add_token(token)
    async with new_uow() as uow:
        sessions = uow.repository(SessionRepository)
        found, known = await sessions.get(made[0].id), await sessions.get_token(b"d" * 32)
        assert found is not None
        assert known is not None
        assert fields(found) == fields(made[0])
        assert await sessions.get_token(b"e" * 32) is None
        known.used_at = NOW
        await sessions.save_token(known)
        await sessions.revoke_all(ada.id, at=NOW, but=made[0].id)
        await sessions.purge(user_id=ada.id, ended_before=NOW - timedelta(days=2))
    async with new_uow() as uow:
        sessions = uow.repository(SessionRepository)
        kept = [await sessions.get(session.id) for session in made]
        assert [one and one.revoked_at for one in kept] == [None, NOW, None]
        assert kept[2] is None
        known = await sessions.get_token(b"d" * 32)
        assert known is not None
        assert known.used_at == NOW


@pytest.mark.parametrize("hasher", [FakeHasher(), BcryptHasher(rounds=4)], ids=["fake", "bcrypt"])
async def test_hashes(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash("pässword")
    assert "pässword" not in hashed
    assert await hasher.verify("pässword", hashed)
    assert not await hasher.verify("password", hashed)
    assert not await hasher.verify("pässword", None)


@pytest.mark.parametrize("tokens", [FakeTokens(), JwtTokens("s" * 32)], ids=["fake", "jwt"])
def test_access_tokens(tokens: AccessTokens) -> None:
    claims = Claims(uuid4(), uuid4())
    token = tokens.issue(claims, at=NOW, lifetime=60)
    assert tokens.read(token, at=NOW + timedelta(seconds=59)) == claims
    for wrong, at in ((token, NOW + timedelta(seconds=60)), (token[5:], NOW), ("", NOW)):
        with pytest.raises(InvalidToken):
            tokens.read(wrong, at=at)

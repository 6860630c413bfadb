"""Who acts when nobody is signed in: the same on the fakes and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from tests.doubles import FakeSessions, FakeUsers
from tests.fakes import FakeUnitOfWork

from cms_api.adapters.sqlalchemy.auth import REPOSITORIES
from cms_api.adapters.sqlalchemy.auth.queries import SqlSessions
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.auth.sessions.interface import SESSIONS
from cms_api.domains.auth.sessions.model import Session
from cms_api.domains.auth.sessions.ports import SessionQueries, SessionRepository
from cms_api.domains.auth.users.model import User
from cms_api.domains.auth.users.ports import UserRepository
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, PageRequest, all_of

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
Backend = tuple[Callable[[], UnitOfWork], SessionQueries]


@pytest.fixture(params=["fake", "postgresql"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """Makes units of work, and looks at what they have left."""
    if request.param == "fake":
        users = FakeUsers()
        sessions = FakeSessions(users=users)
        yield lambda: FakeUnitOfWork({UserRepository: users, SessionRepository: sessions}), sessions
        return
    url = request.getfixturevalue("database_url")
    engine = make_engine(url, size=1, statement_timeout=5)
    reader = Reader(url, size=1, statement_timeout=5)
    await reader.open()
    yield lambda: SqlAlchemyUnitOfWork(make_sessions(engine), REPOSITORIES), SqlSessions(reader)
    await reader.close()
    await engine.dispose()


async def test_a_user_acts_while_she_is_active(backend: Backend) -> None:
    new_uow, queries = backend
    user, _ = User.create(email="ada@example.org", name="Ada", password_hash="x", roles=frozenset(), at=NOW)
    async with new_uow() as uow:
        await uow.repository(UserRepository).add(user)
    actor = await queries.actor_of(user.id)
    assert actor is not None
    assert (actor.user_id, actor.session_id, actor.is_system) == (user.id, None, False)
    assert actor.permissions == frozenset()
    assert await queries.actor_of(uuid4()) is None
    user.is_active = False
    async with new_uow() as uow:
        await uow.repository(UserRepository).save(user)
    assert await queries.actor_of(user.id) is None


async def test_sessions_are_listed_by_conditions(backend: Backend) -> None:
    new_uow, queries = backend
    ada, bea = (
        User.create(email=f"{name}@example.org", name=name, password_hash="x", roles=frozenset(), at=NOW)[0]
        for name in ("ada", "bea")
    )
    made = [
        Session.start(
            user_id=one.id,
            user_agent=f"Agent {hours}",
            ip=None if hours else "::1",
            at=NOW - timedelta(hours=hours),
            lifetime=timedelta(hours=3),
        )[0]
        for hours, one in enumerate((ada, ada, bea, ada, ada))
    ]
    made[1].revoke(NOW, because="revoked")
    async with new_uow() as uow:
        for user in (ada, bea):
            await uow.repository(UserRepository).add(user)
        for session in made:
            await uow.repository(SessionRepository).add(session)
            await uow.repository(SessionRepository).save(session)
    page = PageRequest(sort=SESSIONS.sort, count="exact")
    hers = Comparison("user_id", "eq", (ada.id,))
    for conditions, found in (
        ([], [0, 1, 2, 3, 4]),
        ([hers], [0, 1, 3, 4]),
        ([hers, Comparison("revoked_at", "exists", (False,))], [0, 3, 4]),
        ([hers, Comparison("expires_at", "gt", (NOW,))], [0, 1]),
        ([Comparison("user_agent", "contains", ("agent 2",))], [2]),
        ([Comparison("ip", "exists", (True,))], [0]),
    ):
        listed = await queries.list(page.narrowed(all_of(*conditions)))
        assert [one.id for one in listed.items] == [made[number].id for number in found]
        assert listed.count == len(found)
    first = await queries.list(msgspec.structs.replace(page, limit=2).narrowed(hers))
    rest = await queries.list(msgspec.structs.replace(page, after=first.next).narrowed(hers))
    assert [one.id for one in rest.items] == [made[3].id, made[4].id]
    back = await queries.list(msgspec.structs.replace(page, before=rest.prev).narrowed(hers))
    assert [one.id for one in back.items] == [one.id for one in first.items]
    assert first.items[1].revoked_at == NOW

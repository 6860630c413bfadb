"""Who acts when nobody is signed in: the same on the fakes and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from tests.doubles import FakeSessions, FakeUsers
from tests.fakes import FakeUnitOfWork

from cms_api.adapters.sqlalchemy.auth import REPOSITORIES
from cms_api.adapters.sqlalchemy.auth.queries import SqlSessions
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.auth.sessions.ports import SessionQueries
from cms_api.domains.auth.users.model import User
from cms_api.domains.auth.users.ports import UserRepository
from cms_api.kernel.unit_of_work import UnitOfWork

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
Backend = tuple[Callable[[], UnitOfWork], SessionQueries]


@pytest.fixture(params=["fake", "postgresql"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """Makes units of work, and looks at what they have left."""
    if request.param == "fake":
        users = FakeUsers()
        yield lambda: FakeUnitOfWork({UserRepository: users}), FakeSessions(users=users)
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

"""What the queries of users do, on the fake and on PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from tests.doubles import FakeUsers

from cms_api.adapters.sqlalchemy.auth import REPOSITORIES
from cms_api.adapters.sqlalchemy.auth.queries import SqlUsers
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.auth.users.interface import UserSummary
from cms_api.domains.auth.users.model import User
from cms_api.domains.auth.users.ports import UserQueries, UserRepository

NOW = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
Add = Callable[[User], Awaitable[None]]


@pytest.fixture(params=["fake", "postgresql"])
async def users(request: pytest.FixtureRequest) -> AsyncIterator[tuple[UserQueries, Add]]:
    """The queries, and how a user is stored."""
    if request.param == "fake":
        fake = FakeUsers()
        yield fake, fake.add
        return
    url = request.getfixturevalue("database_url")
    engine = make_engine(url, size=1, statement_timeout=5)
    reader = Reader(url, size=1, statement_timeout=5)
    await reader.open()

    async def add(one: User) -> None:
        async with SqlAlchemyUnitOfWork(make_sessions(engine), REPOSITORIES) as uow:
            await uow.repository(UserRepository).add(one)

    try:
        yield SqlUsers(reader), add
    finally:
        await reader.close()
        await engine.dispose()


async def test_summaries_of_those_who_are_there(users: tuple[UserQueries, Add]) -> None:
    queries, add = users
    made = [
        User.create(email=f"{name}@example.org", name=name, password_hash="h", roles=frozenset(), at=NOW)[0]
        for name in ("ada", "bea", "cleo")
    ]
    for one in made:
        await add(one)
    ada, bea, _ = made
    assert await queries.summaries_of([ada.id, uuid4(), bea.id]) == {
        one.id: UserSummary(id=one.id, name=one.name, email=one.email, is_active=True) for one in (ada, bea)
    }
    assert await queries.summaries_of([]) == {}

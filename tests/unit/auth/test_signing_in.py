"""Signing in, on fakes: the order of the steps, and who is let in."""

from uuid import uuid4

import pytest
from tests.doubles import FakeHasher, FakeSessions, FakeTokens, FakeUsers
from tests.fakes import FakeUnitOfWork, FixedClock

from cms_api.domains.auth.sessions.errors import (
    InvalidToken,
    TokenReused,
    UserGone,
    UserInactive,
    WrongCredentials,
)
from cms_api.domains.auth.sessions.interface import SESSIONS, SignedIn
from cms_api.domains.auth.sessions.model import digest
from cms_api.domains.auth.sessions.ports import SessionRepository
from cms_api.domains.auth.sessions.service import Identity, Sessions
from cms_api.domains.auth.users.errors import EmailTaken, LastAdministrator, WrongCurrentPassword
from cms_api.domains.auth.users.interface import UserChanges, UserView
from cms_api.domains.auth.users.ports import UserRepository
from cms_api.domains.auth.users.service import Users
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Invalid, Stale, Unauthenticated
from cms_api.querying import EVERYTHING, AnyOf, Comparison, PageRequest

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


class World:
    """The auth domain on fakes, with one log of what happens in which order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.clock = FixedClock()
        self.users = FakeUsers(self.log)
        self.sessions = FakeSessions(self.log, self.users)
        self.hasher, self.tokens = FakeHasher(self.log), FakeTokens(self.log)
        self.service = Sessions(
            clock=self.clock,
            hasher=self.hasher,
            tokens=self.tokens,
            users=self.users,
            queries=self.sessions,
            access_lifetime=900,
            refresh_lifetime=3600,
        )
        self.people = Users(clock=self.clock, hasher=self.hasher, queries=self.users)
        self.identity = Identity(clock=self.clock, tokens=self.tokens, queries=self.sessions)

    def uow(self) -> FakeUnitOfWork:
        return FakeUnitOfWork({UserRepository: self.users, SessionRepository: self.sessions})

    async def make(self, email: str = EMAIL, *roles: str) -> UserView:
        async with self.uow() as uow:
            return await self.people.create(
                uow, SYSTEM, email=email, name="Ada", password=PASSWORD, roles=roles or ("administrator",)
            )

    async def login(self, email: str = EMAIL, password: str = PASSWORD) -> SignedIn:
        async with self.uow() as uow:
            return await self.service.login(
                uow, email=email, password=password, user_agent="x" * 900, ip=None
            )

    async def refresh(self, token: str) -> SignedIn:
        async with self.uow() as uow:
            return await self.service.refresh(uow, refresh_token=token)


@pytest.fixture
def world() -> World:
    return World()


async def test_the_order_of_the_steps(world: World) -> None:
    await world.make()
    world.log.clear()
    signed_in = await world.login("ADA@EXAMPLE.org")
    assert world.log == [
        "registered?",
        "password right?",
        "tokens made",
        "refresh token stored",
        "user saved",
    ]
    assert signed_in.user.last_login_at == world.clock.at
    assert signed_in.user.version == 1
    assert set(world.sessions.tokens) == {digest(signed_in.tokens.refresh_token)}
    [session] = world.sessions.rows.values()
    assert len(session.user_agent or "") == 400


async def test_unknown_and_wrong_do_the_same_work(world: World) -> None:
    await world.make()
    logs, words = [], []
    for email, password in (("nobody@example.org", PASSWORD), (EMAIL, "wrong")):
        world.log.clear()
        with pytest.raises(WrongCredentials) as refused:
            await world.login(email, password)
        logs.append(list(world.log))
        words.append(refused.value.detail)
    assert logs[0] == logs[1] == ["registered?", "password right?"]
    assert words[0] == words[1]
    assert not world.sessions.rows


async def test_activity_is_looked_at_after_the_password(world: World) -> None:
    await world.make()
    user = await world.make("bea@example.org", "author")
    async with world.uow() as uow:
        await world.people.update(uow, SYSTEM, user.id, expected=1, changes=UserChanges(is_active=False))
    with pytest.raises(WrongCredentials):
        await world.login("bea@example.org", "wrong")
    with pytest.raises(UserInactive):
        await world.login("bea@example.org")
    assert not world.sessions.rows


async def test_a_refresh_token_is_good_once(world: World) -> None:
    await world.make()
    first = await world.login()
    second = await world.refresh(first.tokens.refresh_token)
    with pytest.raises(TokenReused) as reused:
        await world.refresh(first.tokens.refresh_token)
    assert reused.value.keeps_changes
    with pytest.raises(InvalidToken):
        await world.refresh(second.tokens.refresh_token)
    with pytest.raises(InvalidToken):
        await world.identity.identify(second.tokens.access_token)
    with pytest.raises(InvalidToken):
        await world.refresh("unknown")


async def test_time_ends_tokens_and_sessions(world: World) -> None:
    await world.make()
    signed_in = await world.login()
    assert (await world.identity.identify(signed_in.tokens.access_token)).user_id == signed_in.user.id
    world.clock.move(seconds=900)
    with pytest.raises(InvalidToken):
        await world.identity.identify(signed_in.tokens.access_token)
    renewed = await world.refresh(signed_in.tokens.refresh_token)
    world.clock.move(seconds=3600)
    with pytest.raises(InvalidToken):
        await world.refresh(renewed.tokens.refresh_token)
    world.clock.move(days=31)
    await world.login()
    assert len(world.sessions.rows) == 1


async def test_sessions_are_their_users_own(world: World) -> None:
    await world.make()
    first, second = await world.login(), await world.login()
    actor = await world.identity.identify(first.tokens.access_token)
    await world.make("bea@example.org", "author")
    await world.login("bea@example.org")
    page = PageRequest(sort=SESSIONS.sort)
    shown = (await world.service.list(actor, page)).items
    assert sorted(session.is_current for session in shown) == [False, True]
    # whatever else is asked, nobody sees another's
    either = AnyOf((Comparison("id", "exists", (True,)), EVERYTHING))
    assert (await world.service.list(actor, page.narrowed(either))).items == shown
    async with world.uow() as uow:
        await world.service.revoke_others(uow, actor)
    with pytest.raises(InvalidToken):
        await world.identity.identify(second.tokens.access_token)
    async with world.uow() as uow:
        await world.service.logout(uow, actor)
    assert [event.name for event in uow.events] == ["session.revoked"]
    with pytest.raises(Unauthenticated):
        await world.service.list(Actor(), page)


async def test_users_are_managed_with_care(world: World) -> None:
    admin = await world.make()
    with pytest.raises(EmailTaken):
        await world.make("Ada@Example.ORG")
    with pytest.raises(Forbidden):
        async with world.uow() as uow:
            await world.people.delete(uow, Actor(user_id=admin.id), admin.id, expected=None)
    with pytest.raises(Stale):
        async with world.uow() as uow:
            await world.people.update(uow, SYSTEM, admin.id, expected=7, changes=UserChanges(name="x"))
    for changes in (UserChanges(is_active=False), UserChanges(roles=("editor",))):
        with pytest.raises(LastAdministrator):
            async with world.uow() as uow:
                await world.people.update(uow, SYSTEM, admin.id, expected=None, changes=changes)
    with pytest.raises(Invalid) as refused:
        async with world.uow() as uow:
            await world.people.create(uow, SYSTEM, email="no", name="x", password="ä" * 40, roles=())
    assert [fault.pointer for fault in refused.value.faults] == ["/email", "/password"]
    async with world.uow() as uow:
        same = await world.people.update(uow, SYSTEM, admin.id, expected=1, changes=UserChanges(name="Ada"))
    assert (same.version, uow.events) == (1, [])


async def test_a_new_password_ends_the_other_sessions(world: World) -> None:
    await world.make()
    first, second = await world.login(), await world.login()
    actor = await world.identity.identify(first.tokens.access_token)
    with pytest.raises(WrongCurrentPassword):
        async with world.uow() as uow:
            await world.people.change_password(uow, actor, current_password="x", new_password="another one!")
    async with world.uow() as uow:
        await world.people.change_password(uow, actor, current_password=PASSWORD, new_password="another one!")
    await world.identity.identify(first.tokens.access_token)
    with pytest.raises(InvalidToken):
        await world.identity.identify(second.tokens.access_token)
    await world.login(password="another one!")


async def test_the_first_administrator_is_made_once(world: World) -> None:
    for expected in (True, False):
        async with world.uow() as uow:
            made = await world.people.ensure_administrator(uow, email=EMAIL, name="A", password=PASSWORD)
        assert (made is not None) is expected


async def test_acting_for_a_user_who_is_not_there(world: World) -> None:
    ada = await world.make()
    assert (await world.identity.actor_of(ada.id)).user_id == ada.id
    world.users.rows[ada.id].is_active = False
    for user_id in (ada.id, uuid4()):
        with pytest.raises(UserGone):
            await world.identity.actor_of(user_id)

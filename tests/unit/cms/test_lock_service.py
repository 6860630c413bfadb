"""What is decided about locks and presence, on fakes."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.authors.interface import AuthorChanges
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import DocumentNotFound, Trashed
from cms_api.domains.cms.locks.errors import Locked, NotLocked
from cms_api.domains.cms.locks.events import LockTakenOver
from cms_api.domains.cms.locks.interface import PRESENCES, LockSummary, LockView, PresenceView
from cms_api.domains.cms.locks.model import EditLock
from cms_api.domains.cms.locks.ports import LockRepository
from cms_api.domains.cms.posts.interface import POSTS, PostChanges, PostView
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Unauthenticated
from cms_api.querying import PageRequest

EDITING = frozenset({policy.READ, policy.EDIT})
OWN = frozenset({policy.READ, f"{policy.EDIT}_own"})
READING = frozenset({policy.READ})
TTL = timedelta(seconds=60)


@pytest.fixture
def ada(cms: FakeCms) -> Actor:
    return Actor(user_id=cms.users.add("Ada", "ada@example.org"), permissions=EDITING)


@pytest.fixture
def bea(cms: FakeCms) -> Actor:
    return Actor(user_id=cms.users.add("Bea", "bea@example.org"), permissions=EDITING)


@pytest.fixture
async def post(cms: FakeCms) -> PostView:
    async with cms.uow() as uow:
        made = await cms.posts.create(uow, SYSTEM, PostChanges(title="Hello"))
    cms.store.events.clear()
    return made


@pytest.fixture
def take(cms: FakeCms, post: PostView):
    async def work(actor: Actor, **how: bool) -> LockView:
        async with cms.uow() as uow:
            return await cms.locks.take(uow, actor, "post", post.id, **how)

    return work


@pytest.fixture
def release(cms: FakeCms, post: PostView):
    async def work(actor: Actor) -> None:
        async with cms.uow() as uow:
            await cms.locks.release(uow, actor, "post", post.id)

    return work


@pytest.fixture
def appear(cms: FakeCms, post: PostView):
    async def work(actor: Actor) -> tuple[PresenceView, ...]:
        async with cms.uow() as uow:
            return await cms.presences.appear(uow, actor, "post", post.id)

    return work


@pytest.fixture
def there(cms: FakeCms, post: PostView, ada: Actor):
    async def work() -> tuple[PresenceView, ...]:
        page = await cms.presences.list(ada, "post", post.id, PageRequest(sort=PRESENCES.sort))
        return tuple(page.items)

    return work


async def test_a_lock_is_taken(cms: FakeCms, post: PostView, ada: Actor, take) -> None:
    lock = await take(ada)
    at = cms.clock.at
    assert lock == LockView(
        document_id=post.id,
        user_id=ada.user_id,
        user_name="Ada",
        acquired_at=at,
        refreshed_at=at,
        expires_at=at + TTL,
        ttl=60,
    )
    assert await cms.locks.get(ada, "post", post.id) == lock
    (event,) = cms.store.events
    assert (event.name, event.subject, event.actor) == ("document.locked", post.id, ada.user_id)


async def test_a_heartbeat_renews_it_and_records_nothing(cms: FakeCms, ada: Actor, take) -> None:
    first = await take(ada)
    cms.clock.move(seconds=40)
    for how in ({}, {"take_over": True}):
        second = await take(ada, **how)
        assert second.acquired_at == first.acquired_at
        assert second.refreshed_at == cms.clock.at
        assert second.expires_at == cms.clock.at + TTL
    assert cms.names() == ["document.locked"]


async def test_nobody_else_gets_it(cms: FakeCms, ada: Actor, bea: Actor, take, release) -> None:
    lock = await take(ada)
    for refused in (take, release):
        with pytest.raises(Locked) as caught:
            await refused(bea)
        assert caught.value.members == {
            "user_id": ada.user_id,
            "user_name": "Ada",
            "expires_at": lock.expires_at,
        }
        assert "Ada" in caught.value.detail
    assert cms.names() == ["document.locked"]


async def test_it_is_taken_over(cms: FakeCms, ada: Actor, bea: Actor, take) -> None:
    await take(ada)
    cms.clock.move(seconds=1)
    lock = await take(bea, take_over=True)
    assert (lock.user_id, lock.acquired_at) == (bea.user_id, cms.clock.at)
    event = cms.store.events[-1]
    assert isinstance(event, LockTakenOver)
    assert (event.name, event.previous, event.actor, event.type) == (
        "document.lock_taken_over",
        ada.user_id,
        bea.user_id,
        "post",
    )
    with pytest.raises(Locked):
        await take(ada)


async def test_an_expired_lock_is_free_at_once(
    cms: FakeCms, post: PostView, ada: Actor, bea: Actor, take, release
) -> None:
    await take(ada)
    cms.clock.move(seconds=60)
    with pytest.raises(NotLocked):
        await cms.locks.get(bea, "post", post.id)
    await release(bea)
    lock = await take(bea)
    assert lock.user_id == bea.user_id
    assert cms.names() == ["document.locked"] * 2


async def test_who_comes_back_after_a_break_locks_anew(cms: FakeCms, ada: Actor, take) -> None:
    first = await take(ada)
    cms.clock.move(seconds=61)
    assert (await take(ada)).acquired_at > first.acquired_at
    assert cms.names() == ["document.locked"] * 2


async def test_it_is_given_back(cms: FakeCms, post: PostView, ada: Actor, bea: Actor, take, release) -> None:
    await take(ada)
    await release(ada)
    with pytest.raises(NotLocked):
        await cms.locks.get(ada, "post", post.id)
    for actor in (ada, bea):
        await release(actor)
    assert cms.names() == ["document.locked", "document.unlocked"]


async def test_who_was_faster_is_told_of(cms: FakeCms, ada: Actor, bea: Actor, post: PostView) -> None:
    """Between a look at a free lock and taking it, somebody else takes it."""

    class Overtaken(LockRepository):
        def __init__(self, real: LockRepository) -> None:
            self._real, self._looks = real, 0

        async def get(self, document_id: UUID) -> EditLock | None:
            self._looks += 1
            return None if self._looks == 1 else await self._real.get(document_id)

        async def put(self, lock: EditLock, *, over: UUID | None = None) -> bool:
            return await self._real.put(lock, over=over)

        async def delete(self, *_: Any) -> None:
            raise NotImplementedError

        async def purge(self, **_: Any) -> int:
            raise NotImplementedError

    async with cms.uow() as uow:
        await cms.locks.take(uow, ada, "post", post.id)
    for take_over in (False, True):
        uow = cms.uow()
        uow._repositories[LockRepository] = Overtaken(uow.repository(LockRepository))
        async with uow:
            if take_over:
                await cms.locks.take(uow, bea, "post", post.id, take_over=True)
            else:
                with pytest.raises(Locked):
                    await cms.locks.take(uow, bea, "post", post.id)
    uow = cms.uow()
    uow._repositories[LockRepository] = Overtaken(uow.repository(LockRepository))
    async with uow:
        await cms.locks.take(uow, bea, "post", post.id)  # another window of hers was faster
    assert cms.names() == ["document.locked", "document.lock_taken_over"]
    assert cms.store.events[-1].previous == ada.user_id  # type: ignore[attr-defined]


async def test_a_lock_touches_no_version_and_blocks_nobody(
    cms: FakeCms, post: PostView, ada: Actor, bea: Actor, take
) -> None:
    await take(ada)
    async with cms.uow() as uow:
        changed = await cms.posts.update(uow, bea, post.id, PostChanges(title="Mine"), expected=post.version)
    assert changed.version == post.version + 1
    assert changed.lock is not None
    assert changed.lock.user_id == ada.user_id


async def test_documents_show_it_wherever_they_are_shown(
    cms: FakeCms, post: PostView, ada: Actor, take
) -> None:
    async with cms.uow() as uow:
        other = await cms.posts.create(uow, SYSTEM, PostChanges(title="Other"))
    assert post.lock is other.lock is None
    lock = await take(ada)
    shown = LockSummary(user_id=lock.user_id, user_name="Ada", expires_at=lock.expires_at)
    assert (await cms.posts.get(ada, post.id)).lock == shown
    listed = await cms.posts.list(ada, PageRequest(sort=POSTS.sort))
    assert {one.id: one.lock for one in listed.items} == {post.id: shown, other.id: None}
    system = Actor(is_system=True)
    for action in ("publish", "unpublish"):
        async with cms.uow() as uow:
            view = await getattr(cms.posts, action)(uow, system, post.id, expected=None)
        assert view.lock == shown
    cms.clock.move(seconds=60)
    assert (await cms.posts.get(ada, post.id)).lock is None


async def test_the_name_of_who_is_gone(cms: FakeCms, post: PostView, ada: Actor, bea: Actor, take) -> None:
    await take(ada)
    assert ada.user_id is not None
    del cms.users.users[ada.user_id]
    assert (await cms.locks.get(bea, "post", post.id)).user_name is None
    shown = (await cms.posts.get(bea, post.id)).lock
    assert shown is not None
    assert shown.user_name is None
    with pytest.raises(Locked, match="Somebody"):
        await take(bea)


async def test_who_may_edit_may_lock(cms: FakeCms, take) -> None:
    for actor, error in (
        (ANONYMOUS, Unauthenticated),
        (SYSTEM, Unauthenticated),
        (Actor(user_id=uuid4()), Forbidden),
        (Actor(user_id=uuid4(), permissions=READING), Forbidden),
        (Actor(user_id=uuid4(), permissions=OWN), Forbidden),
    ):
        with pytest.raises(error):
            await take(actor)
    assert cms.store.locks == {}


async def test_owners_may_lock(cms: FakeCms, take) -> None:
    began, named = (
        Actor(user_id=cms.users.add(name, f"{name}@example.org"), permissions=OWN | {policy.CREATE})
        for name in ("cleo", "dora")
    )
    async with cms.uow() as uow:
        author = await cms.authors.create(uow, SYSTEM, AuthorChanges(name="D", user_id=named.user_id))
        made = await cms.posts.create(uow, began, PostChanges(title="Own", authors=(author.id,)))
    for actor in (began, named):
        async with cms.uow() as uow:
            lock = await cms.locks.take(uow, actor, "post", made.id, take_over=True)
        assert lock.user_id == actor.user_id
        with pytest.raises(Forbidden):
            await take(actor)


async def test_what_is_in_the_trash_is_not_edited(
    cms: FakeCms, post: PostView, ada: Actor, take, release
) -> None:
    await take(ada)
    async with cms.uow() as uow:
        await cms.posts.trash(uow, SYSTEM, post.id, expected=None)
    with pytest.raises(Trashed):
        await take(ada)
    await release(ada)
    assert cms.store.locks == {}


async def test_there_is_no_lock_of_what_is_not_there(cms: FakeCms, post: PostView, ada: Actor) -> None:
    for kind, document_id in (("post", uuid4()), ("page", post.id), ("nothing", post.id)):
        async with cms.uow() as uow:
            for change in (cms.locks.take, cms.locks.release, cms.presences.appear, cms.presences.leave):
                with pytest.raises(DocumentNotFound):
                    await change(uow, ada, kind, document_id)
        with pytest.raises(DocumentNotFound):
            await cms.locks.get(ada, kind, document_id)
        with pytest.raises(DocumentNotFound):
            await cms.presences.list(ada, kind, document_id, PageRequest(sort=PRESENCES.sort))


# Presence


async def test_who_is_there(cms: FakeCms, ada: Actor, bea: Actor, appear, take, there) -> None:
    since = cms.clock.at
    assert await appear(ada) == (
        PresenceView(user_id=ada.user_id, user_name="Ada", since=since, is_editing=False),
    )
    cms.clock.move(seconds=30)
    await take(bea)
    both = await appear(bea)
    assert both == (
        PresenceView(user_id=ada.user_id, user_name="Ada", since=since, is_editing=False),
        PresenceView(user_id=bea.user_id, user_name="Bea", since=cms.clock.at, is_editing=True),
    )
    assert await there() == both
    await appear(ada)
    cms.clock.move(seconds=59)
    await appear(ada)
    assert [one.since for one in await there()] == [
        since,
        since + timedelta(seconds=30),
    ]
    cms.clock.move(seconds=1)
    (left,) = await there()
    assert left.user_name == "Ada"
    assert cms.names() == ["document.locked"]


async def test_who_leaves_is_gone_at_once(cms: FakeCms, post: PostView, ada: Actor, appear, there) -> None:
    await appear(ada)
    for _ in range(2):
        async with cms.uow() as uow:
            await cms.presences.leave(uow, ada, "post", post.id)
        assert await there() == ()


async def test_readers_may_be_there(cms: FakeCms, appear) -> None:
    reader = Actor(user_id=cms.users.add("Rea", "rea@example.org"), permissions=READING)
    assert [one.user_name for one in await appear(reader)] == ["Rea"]
    for actor, error in (
        (ANONYMOUS, Unauthenticated),
        (SYSTEM, Unauthenticated),
        (Actor(user_id=uuid4()), Forbidden),
    ):
        with pytest.raises(error):
            await appear(actor)


# Housekeeping


async def test_what_has_expired_is_removed(cms: FakeCms, ada: Actor, take, appear) -> None:
    await take(ada)
    await appear(ada)
    for expected in (0, 2, 0):
        assert await cms.locks.purge_expired(cms.uow) == expected
        cms.clock.move(seconds=60)
    assert (cms.store.locks, cms.store.presences) == ({}, {})

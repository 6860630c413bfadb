"""What the repositories and queries of locks, presences and subjects do, on the fakes and on PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.contracts.cms.test_document_repository_contract import FIELDS, page, post

from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.documents.errors import Archived
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.documents.subjects import Subject, SubjectRepository
from cms_api.domains.cms.locks.model import EditLock, Presence
from cms_api.domains.cms.locks.ports import LockRepository, PresenceRepository, Present
from cms_api.kernel.ids import new_id

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TTL = timedelta(seconds=60)
ADA, BEA, CLEO = UUID(int=1), UUID(int=2), UUID(int=3)


def lock(document: Document[Any], user: UUID = ADA, at: datetime = AT) -> EditLock:
    return EditLock.take(document.id, user, at=at, ttl=TTL)


def presence(document: Document[Any], user: UUID = ADA, at: datetime = AT) -> Presence:
    return Presence(document_id=document.id, user_id=user, since=at, seen_at=at, expires_at=at + TTL)


@pytest.fixture
def put(backend):
    """Stores a lock in a unit of work of its own."""

    async def work(one: EditLock, **over: UUID) -> bool:
        async with backend.uow() as uow:
            return await uow.repository(LockRepository).put(one, **over)

    return work


@pytest.fixture
def seen(backend):
    """Stores presences in a unit of work of their own."""

    async def work(*presences: Presence) -> None:
        async with backend.uow() as uow:
            for one in presences:
                await uow.repository(PresenceRepository).put(one)

    return work


@pytest.fixture
def stored(backend):
    """Stores a document."""

    async def work(document: Document[Any]) -> Document[Any]:
        async with backend.uow() as uow:
            await uow.repository(DocumentRepository).add(document)
        return document

    return work


async def held(backend, document: Document[Any]) -> EditLock | None:
    async with backend.uow() as uow:
        found: EditLock | None = await uow.repository(LockRepository).get(document.id)
    return found


# Subjects


async def test_a_subject_has_those_who_own_it(backend) -> None:
    ada, ghost = new_id(), new_id()
    document = post(authors=(ghost, ada))
    async with backend.uow() as uow:
        for one, user in ((ada, ADA), (ghost, None)):
            author = Author(id=one, name="A", slug=f"a-{one}", user_id=user, created_at=AT, updated_at=AT)
            await uow.repository(AuthorRepository).add(author)
        await uow.repository(DocumentRepository).add(document)
    standing = {"is_live": False, "is_archived": False, "is_trashed": False}
    expected = Subject(id=document.id, type="post", **standing, owners=frozenset({ADA, document.created_by}))
    async with backend.uow() as uow:
        subjects = uow.repository(SubjectRepository)
        assert await subjects.get("post", document.id) == expected
        assert await subjects.get("post", document.id, alone=True) == expected
        assert await subjects.get("page", document.id) is None
        assert await subjects.get("post", uuid4()) is None
    assert await backend.subjects.get("post", document.id) == expected
    assert await backend.subjects.get("page", document.id) is None
    assert await backend.subjects.get("post", uuid4()) is None


async def test_a_subject_without_anybody_in_the_trash(backend, stored) -> None:
    document = page()
    document.created_by = None
    document.trash(at=AT, by=None)
    await stored(document)
    found = await backend.subjects.get("page", document.id)
    standing = {"is_live": False, "is_archived": False, "is_trashed": True}
    assert found == Subject(id=document.id, type="page", **standing, owners=frozenset())


async def test_a_subject_knows_where_it_stands(backend, stored) -> None:
    document = post()
    await stored(document)
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        document.publish(at=AT, by=None)
        await documents.save(document)
        await uow.repository(PublicationRepository).put_live(document, document.draft, Public(fields=FIELDS))
    found = await backend.subjects.get("post", document.id)
    assert (found.is_live, found.is_archived) == (True, False)
    found.require_at_hand()
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        document.archive(at=AT, by=None)
        await documents.save(document)
        await uow.repository(PublicationRepository).take_down(document.id)
    found = await backend.subjects.get("post", document.id)
    assert (found.is_live, found.is_archived) == (False, True)
    with pytest.raises(Archived):
        found.require_at_hand()


# Locks


async def test_a_lock_comes_back_as_stored(backend, stored, put) -> None:
    document = await stored(post())
    assert await held(backend, document) is None
    assert await put(lock(document))
    assert await held(backend, document) == lock(document)
    assert await backend.locks.of([document.id], at=AT) == {document.id: lock(document)}


async def test_a_lock_is_renewed_by_its_holder(backend, stored, put) -> None:
    document = await stored(post())
    await put(lock(document))
    later = lock(document).renewed(at=AT + TTL / 2, ttl=TTL)
    assert not await put(later), "two windows of hers that begin at once"
    assert await put(later, over=ADA)
    assert await held(backend, document) == later
    assert later.acquired_at == AT


async def test_a_lock_that_is_held_stays(backend, stored, put) -> None:
    document = await stored(post())
    await put(lock(document))
    soon = AT + TTL - timedelta(microseconds=1)
    assert not await put(lock(document, BEA, soon))
    assert not await put(lock(document, BEA, soon), over=CLEO)
    assert await held(backend, document) == lock(document)


async def test_a_lock_that_has_expired_is_free_at_once(backend, stored, put) -> None:
    document = await stored(post())
    await put(lock(document))
    assert await put(lock(document, BEA, AT + TTL))
    assert await held(backend, document) == lock(document, BEA, AT + TTL)


async def test_a_lock_is_taken_from_who_is_named(backend, stored, put) -> None:
    document = await stored(post())
    await put(lock(document))
    assert await put(lock(document, BEA), over=ADA)
    assert await held(backend, document) == lock(document, BEA)


async def test_a_lock_is_removed_by_its_holder_only(backend, stored, put) -> None:
    document = await stored(post())
    await put(lock(document))
    for user, left in ((BEA, lock(document)), (ADA, None), (ADA, None)):
        async with backend.uow() as uow:
            await uow.repository(LockRepository).delete(document.id, user)
        assert await held(backend, document) == left


async def test_what_is_held_among_many(backend, stored, put) -> None:
    documents = [await stored(post(f"p{n}")) for n in range(4)]
    first, second, third, _ = documents
    await put(lock(first))
    await put(lock(second, BEA, AT + TTL))
    await put(lock(third, CLEO, AT + TTL))
    ids = [documents[0].id, documents[1].id, documents[3].id, uuid4()]
    assert await backend.locks.of(ids, at=AT + TTL) == {second.id: lock(second, BEA, AT + TTL)}
    assert await backend.locks.of([], at=AT) == {}


async def test_expired_locks_go_in_batches(backend, stored, put) -> None:
    for n in range(3):
        await put(lock(await stored(post(f"p{n}"))))
    kept = await stored(post("kept"))
    await put(lock(kept, at=AT + TTL))
    for expected in (2, 1, 0):
        async with backend.uow() as uow:
            assert await uow.repository(LockRepository).purge(at=AT + TTL, limit=2) == expected
    assert await held(backend, kept) == lock(kept, at=AT + TTL)


# Presence


async def test_who_is_there(backend, stored, seen, put) -> None:
    document, other = await stored(post()), await stored(post("other"))
    soon = AT + timedelta(seconds=1)
    await seen(
        presence(document, BEA, soon), presence(document, ADA, AT), presence(document, CLEO, AT - TTL / 2)
    )
    await seen(presence(other, UUID(int=9)))
    await put(lock(document, BEA))
    expected = [
        Present(user_id=CLEO, since=AT - TTL / 2, is_editing=False),
        Present(user_id=ADA, since=AT, is_editing=False),
        Present(user_id=BEA, since=soon, is_editing=True),
    ]
    async with backend.uow() as uow:
        assert await uow.repository(PresenceRepository).present(document.id, at=AT) == expected
    assert await backend.locks.present(document.id, at=AT) == expected
    # The one has gone by then, and the lock of the other.
    assert await backend.locks.present(document.id, at=AT + TTL) == [
        Present(user_id=BEA, since=soon, is_editing=False)
    ]
    assert await backend.locks.present(uuid4(), at=AT) == []


async def test_since_when_somebody_is_there(backend, stored, seen) -> None:
    document = await stored(post())
    await seen(presence(document), presence(document, at=AT + TTL / 2))
    (found,) = await backend.locks.present(document.id, at=AT + TTL)
    assert found.since == AT
    # A break begins anew.
    back = AT + TTL / 2 + TTL
    await seen(presence(document, at=back))
    (found,) = await backend.locks.present(document.id, at=back)
    assert found.since == back


async def test_who_leaves_is_not_there(backend, stored, seen) -> None:
    document = await stored(post())
    await seen(presence(document), presence(document, BEA))
    for _ in range(2):
        async with backend.uow() as uow:
            await uow.repository(PresenceRepository).delete(document.id, ADA)
        assert [one.user_id for one in await backend.locks.present(document.id, at=AT)] == [BEA]


async def test_expired_presences_go_in_batches(backend, stored, seen) -> None:
    document = await stored(post())
    await seen(*(presence(document, UUID(int=n)) for n in range(3)), presence(document, BEA, AT + TTL))
    for expected in (1, 1, 0):
        async with backend.uow() as uow:
            assert await uow.repository(PresenceRepository).purge(at=AT + TTL, limit=1) == expected
    assert [one.user_id for one in await backend.locks.present(document.id, at=AT + TTL)] == [BEA]


async def test_a_heartbeat_is_told_of_a_hundred_and_a_list_has_them_all(backend, stored, seen) -> None:
    document = await stored(post())
    everybody = [UUID(int=n + 1) for n in range(101)]
    await seen(*(presence(document, one) for one in everybody))
    async with backend.uow() as uow:
        found = await uow.repository(PresenceRepository).present(document.id, at=AT)
    assert [one.user_id for one in found] == everybody[:100]
    assert [one.user_id for one in await backend.locks.present(document.id, at=AT)] == everybody


# At the same time: PostgreSQL only


async def test_of_two_who_take_a_free_lock_at_once_one_gets_it(database_url: str) -> None:
    engine = make_engine(database_url, size=2, statement_timeout=15)
    sessions = make_sessions(engine)
    document = post()
    first, second = (SqlAlchemyUnitOfWork(sessions, REPOSITORIES) for _ in range(2))
    try:
        async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as uow:
            await uow.repository(DocumentRepository).add(document)
        async with second:
            # Both have looked and found nobody; neither has committed.
            assert await second.repository(LockRepository).get(document.id) is None
            async with first:
                assert await first.repository(LockRepository).get(document.id) is None
                assert await first.repository(LockRepository).put(lock(document, ADA))
                waiting = asyncio.create_task(second.repository(LockRepository).put(lock(document, BEA)))
                done, _ = await asyncio.wait([waiting], timeout=0.3)
                assert not done, "the second one waits for what comes of the first"
            assert not await waiting
            assert await second.repository(LockRepository).get(document.id) == lock(document, ADA)
    finally:
        await engine.dispose()


async def test_the_second_gets_it_where_the_first_gives_up(database_url: str) -> None:
    engine = make_engine(database_url, size=2, statement_timeout=15)
    sessions = make_sessions(engine)
    document = post()
    first, second = (SqlAlchemyUnitOfWork(sessions, REPOSITORIES) for _ in range(2))
    try:
        async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as uow:
            await uow.repository(DocumentRepository).add(document)
        async with second:
            with pytest.raises(ZeroDivisionError):
                async with first:
                    assert await first.repository(LockRepository).put(lock(document, ADA))
                    waiting = asyncio.create_task(second.repository(LockRepository).put(lock(document, BEA)))
                    await asyncio.wait([waiting], timeout=0.1)
                    raise ZeroDivisionError
            assert await waiting
    finally:
        await engine.dispose()


async def test_what_others_work_on_is_not_purged(database_url: str) -> None:
    engine = make_engine(database_url, size=2, statement_timeout=15)
    sessions = make_sessions(engine)
    document, late = post(), post("late")
    try:
        async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as uow:
            for one in (document, late):
                await uow.repository(DocumentRepository).add(one)
                await uow.repository(LockRepository).put(lock(one))
        async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as busy:
            assert await busy.repository(LockRepository).get(document.id) is not None
            async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as uow:
                assert await uow.repository(LockRepository).purge(at=AT + TTL, limit=10) == 1
            assert await busy.repository(LockRepository).put(lock(document, BEA, AT + TTL))
    finally:
        await engine.dispose()

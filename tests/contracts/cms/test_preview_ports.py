"""What every repository of previews does, and the queries beside it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.contracts.cms.conftest import Backend
from tests.contracts.cms.test_document_repository_contract import page, post

from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.previews.interface import PREVIEWS
from cms_api.domains.cms.previews.model import Preview
from cms_api.domains.cms.previews.ports import Draft, PreviewRepository, Staged
from cms_api.domains.cms.previews.service import view
from cms_api.querying import Comparison, Condition, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HOUR = 3_600
ADA, BEA = UUID(int=1), UUID(int=2)


def preview(*documents: UUID, by: UUID | None = ADA, at: datetime = AT, lifetime: int = HOUR) -> Preview:
    return Preview.make(documents or (uuid4(),), by=by, at=at, lifetime=lifetime)[0]


async def stored(backend: Backend, *previews: Preview) -> None:
    async with backend.uow() as uow:
        for one in previews:
            await uow.repository(PreviewRepository).add(one)


async def documents(backend: Backend, *those: Document[Any]) -> list[Draft]:
    async with backend.uow() as uow:
        for one in those:
            await uow.repository(DocumentRepository).add(one)
    return [Draft(id=one.id, type=one.type) for one in sorted(those, key=lambda one: one.id)]


async def ids(backend: Backend, *conditions: Condition, **asked: Any) -> list[UUID]:
    request = PageRequest(sort=asked.pop("sort", PREVIEWS.sort), filter=all_of(*conditions), **asked)
    return [one.id for one in (await backend.previews.list(request)).items]


@pytest.mark.parametrize("by", [ADA, None])
async def test_a_preview_comes_back_as_it_was_stored(backend: Backend, by: UUID | None) -> None:
    one = preview(*(uuid4() for _ in range(50)), by=by)
    await stored(backend, one, preview())
    async with backend.uow() as uow:
        previews = uow.repository(PreviewRepository)
        assert await previews.get(one.id) == one
        assert await previews.get(uuid4()) is None
    assert await backend.previews.get(one.id) == view(one)
    assert await backend.previews.get(uuid4()) is None


async def test_a_preview_is_removed_once(backend: Backend) -> None:
    one, other = preview(), preview()
    await stored(backend, one, other)
    for _ in range(2):
        async with backend.uow() as uow:
            await uow.repository(PreviewRepository).delete(one.id)
        assert await backend.previews.get(one.id) is None
    assert await backend.previews.get(other.id) == view(other)


async def test_what_is_listed(backend: Backend) -> None:
    document = uuid4()
    first = preview(document, uuid4())
    second = preview(by=BEA, at=AT + timedelta(seconds=1), lifetime=60)
    third = preview(uuid4(), document, at=AT + timedelta(seconds=2))
    await stored(backend, second, third, first)
    assert await ids(backend) == [third.id, second.id, first.id]
    assert await ids(backend, sort=(SortKey("expires_at"),)) == [second.id, first.id, third.id]
    assert await ids(backend, Comparison("created_by", "eq", (BEA,))) == [second.id]
    assert await ids(backend, Comparison("documents", "eq", (document,))) == [third.id, first.id]
    assert await ids(backend, Comparison("documents", "ne", (document,))) == [second.id]
    late = Comparison("expires_at", "gt", (second.expires_at,))
    assert await ids(backend, late, Comparison("id", "in", (first.id, second.id))) == [first.id]
    page_of_two = await backend.previews.list(PageRequest(sort=PREVIEWS.sort, limit=2, count="exact"))
    assert (page_of_two.count, page_of_two.items) == (3, [view(third), view(second)])
    assert await ids(backend, limit=2, after=page_of_two.next) == [first.id]


async def test_the_drafts_of_a_preview_are_those_at_hand(backend: Backend) -> None:
    one, other, trashed, archived = post("one"), page("other"), post("trashed"), post("archived")
    trashed.trash(at=AT, by=None)
    archived.archive(at=AT, by=None)
    await documents(backend, trashed, archived)
    there = await documents(backend, other, one)
    named = (archived.id, one.id, uuid4(), trashed.id, other.id)
    some, none = preview(*named), preview(trashed.id, uuid4())
    await stored(backend, some, none)
    assert await backend.previews.drafts(named) == there
    assert await backend.previews.staged(some.id) == Staged(at=AT, drafts=tuple(there))
    assert await backend.previews.staged(none.id) == Staged(at=AT, drafts=())
    assert await backend.previews.staged(one.id) is None


async def test_expired_previews_go_in_batches(backend: Backend) -> None:
    kept = preview(lifetime=HOUR + 1)
    late = [preview() for _ in range(3)]
    await stored(backend, kept, *late)
    for expected in (2, 1, 0):
        async with backend.uow() as uow:
            previews = uow.repository(PreviewRepository)
            assert await previews.purge(at=late[0].expires_at, limit=2) == expected
    assert await ids(backend) == [kept.id]


async def test_what_others_work_on_is_not_purged(database_url: str) -> None:
    engine = make_engine(database_url, size=2, statement_timeout=15)
    sessions = make_sessions(engine)
    busy, free = preview(), preview()
    try:
        async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as uow:
            for one in (busy, free):
                await uow.repository(PreviewRepository).add(one)
        async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as other:
            assert await other.repository(PreviewRepository).get(busy.id) == busy
            async with SqlAlchemyUnitOfWork(sessions, REPOSITORIES) as uow:
                purged = await uow.repository(PreviewRepository).purge(at=busy.expires_at, limit=10)
                assert purged == 1
    finally:
        await engine.dispose()

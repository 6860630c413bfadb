"""What the repository of content types, and the queries beside it, do."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import pytest
from tests.contracts.postgres import postgres
from tests.fakes import FakeUnitOfWork
from tests.fakes_content_types import FakeContentTypeQueries, FakeContentTypes, TypeStore

from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.cms.content_types import SqlContentTypes
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.errors import TypeTaken
from cms_api.domains.cms.content_types.interface import TYPE_REVISIONS
from cms_api.domains.cms.content_types.plans import created
from cms_api.domains.cms.content_types.ports import (
    ContentTypeQueries,
    ContentTypeRepository,
    IndexSpec,
    TypeRecord,
)
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, PageRequest, SortKey

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Types(NamedTuple):
    uow: Callable[[], UnitOfWork]
    queries: ContentTypeQueries


@pytest.fixture(params=["fake", "postgres"])
async def types(request: pytest.FixtureRequest) -> AsyncIterator[Types]:
    if request.param == "fake":
        store = TypeStore()
        yield Types(
            lambda: FakeUnitOfWork({ContentTypeRepository: FakeContentTypes(store)}),
            FakeContentTypeQueries(store),
        )
        return
    async with postgres(request) as (_, sessions, reader):
        yield Types(lambda: SqlAlchemyUnitOfWork(sessions, REPOSITORIES), SqlContentTypes(reader))


def record(key: str, *fields: dict[str, Any]) -> TypeRecord:
    return TypeRecord(
        id=uuid4(), key=key, version=1, conversions={}, migration_id=None, created_at=AT, updated_at=AT,
        created_by=None, updated_by=None, definition=msgspec.convert({"key": key, "fields": fields}, Definition),
    )  # fmt: skip


async def test_a_type_comes_back_as_stored(types: Types) -> None:
    made = record("one", {"key": "a", "id": "aaaaaaaaa1", "type": "text", "unique": True})
    spec = IndexSpec(field_id="aaaaaaaaa1", kind="unique", shape="text", localised=False)
    before = await types.queries.fingerprint()
    async with types.uow() as uow:
        repository = uow.repository(ContentTypeRepository)
        await repository.add(made)
        await repository.add_revision(made, created("one").changes)
        assert await repository.set_indexes("one", [spec])
        assert not await repository.set_indexes("one", [spec])
        stored = await repository.get("one")
        assert await repository.hold("one") == 1
        assert await repository.known(["one", "two"]) == {"one"}
    assert stored is not None
    assert msgspec.structs.replace(stored, indexes=()) == made
    assert [(one.field, one.kind, one.state) for one in stored.indexes] == [
        ("aaaaaaaaa1", "unique", "pending")
    ]
    assert await types.queries.get("one") == stored
    assert await types.queries.versions(["one", "none"]) == {
        "one": (1, False, await types.queries.fingerprint())
    }
    assert await types.queries.fingerprint() != before
    with pytest.raises(TypeTaken):
        async with types.uow() as uow:
            await uow.repository(ContentTypeRepository).add(record("one"))
    changed = msgspec.structs.replace(
        made, version=2, conversions={"aaaaaaaaa1": "drop"}, migration_id=uuid4()
    )
    async with types.uow() as uow:
        repository = uow.repository(ContentTypeRepository)
        await repository.save(changed)
        await repository.add_revision(changed, ())
        assert await repository.set_indexes("one", [])
    assert await types.queries.get("one") == changed
    assert await types.queries.versions(["one"]) == {"one": (2, True, await types.queries.fingerprint())}
    page = PageRequest(sort=TYPE_REVISIONS.sort, count="exact")
    found = await types.queries.revisions(made.id, page)
    assert [(one.version, len(one.changes)) for one in found.items] == [(2, 0), (1, 1)]
    for sort in (page.sort, (SortKey("created_at", descending=True),)):
        first = await types.queries.revisions(made.id, msgspec.structs.replace(page, sort=sort, limit=1))
        assert ([one.version for one in first.items], first.count) == ([2], 2)
        at = msgspec.structs.replace(page, sort=sort, after=first.next)
        last = await types.queries.revisions(made.id, at)
        assert ([one.version for one in last.items], last.next) == ([1], None)
    one = await types.queries.revisions(made.id, page.narrowed(Comparison("version", "lt", (2,))))
    assert [one.version for one in one.items] == [1]
    async with types.uow() as uow:
        await uow.repository(ContentTypeRepository).delete("one")
    assert await types.queries.get("one") is None
    assert await types.queries.versions(["one"]) == {}


async def test_lists_and_who_names_whom(types: Types) -> None:
    inner = {"key": "r", "type": "references", "types": ["b"]}
    made = [
        record("c", {"key": "g", "type": "group", "fields": [inner]}),
        record("a", inner),
        record("b", inner),
    ]
    async with types.uow() as uow:
        for one in made:
            await uow.repository(ContentTypeRepository).add(one)
        assert await uow.repository(ContentTypeRepository).usage("b") == (0, ("a", "c"))
        assert await uow.repository(ContentTypeRepository).usage("a") == (0, ())
    assert [one.key for one in await types.queries.all()] == ["a", "b", "c"]
    page = await types.queries.list(PageRequest(sort=(SortKey("key"),), limit=2, count="exact"))
    assert ([one.key for one in page.items], page.count) == (["a", "b"], 3)
    rest = await types.queries.list(PageRequest(sort=(SortKey("key"),), limit=2, after=page.next))
    assert [one.key for one in rest.items] == ["c"]

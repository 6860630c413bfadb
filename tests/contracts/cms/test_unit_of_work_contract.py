"""What every unit of work does with a part that fails."""

from typing import ClassVar
from uuid import uuid4

import pytest
from tests.contracts.cms.test_document_repository_contract import post

from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.posts.service import POST
from cms_api.kernel.events import Event
from cms_api.querying import PageRequest, SortKey

ALL = PageRequest(sort=(SortKey("title"),))


class Happened(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "happened"


@pytest.fixture
def titles(backend):
    async def work() -> list[str]:
        return [one.draft.title for one in (await backend.documents.list(POST, ALL)).items]

    return work


async def test_a_part_that_fails_is_taken_back_alone(backend, titles) -> None:
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        await documents.add(post("a"))
        with pytest.raises(ZeroDivisionError):
            async with uow.savepoint():
                await documents.add(post("b"))
                raise ZeroDivisionError
        async with uow.savepoint():
            await documents.add(post("c"))
        await documents.add(post("d"))
    assert await titles() == ["A", "C", "D"]


async def test_a_failed_statement_does_not_spoil_the_rest(backend, titles) -> None:
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        await documents.add(post("a"))
        with pytest.raises(Exception, match="taken"):
            async with uow.savepoint():
                await documents.add(post("a"))
        await documents.add(post("b"))
    assert await titles() == ["A", "B"]


async def test_parts_inside_of_parts(backend, titles) -> None:
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        with pytest.raises(ZeroDivisionError):
            async with uow.savepoint():
                await documents.add(post("a"))
                async with uow.savepoint():
                    await documents.add(post("b"))
                raise ZeroDivisionError
        await documents.add(post("c"))
    assert await titles() == ["C"]


async def test_what_was_promised_in_a_part_that_fails_is_not_kept(backend) -> None:
    done: list[str] = []

    def note(word: str):
        async def work() -> None:
            done.append(word)

        return work

    async with backend.uow() as uow:
        uow.on_commit(note("kept"))
        uow.on_rollback(note("never"))
        with pytest.raises(ZeroDivisionError):
            async with uow.savepoint():
                uow.record(Happened(subject=uuid4()))
                uow.on_commit(note("dropped"))
                uow.on_rollback(note("undone"))
                raise ZeroDivisionError
        assert done == ["undone"]
        async with uow.savepoint():
            uow.on_commit(note("too"))
    assert done == ["undone", "kept", "too"]


async def test_all_is_taken_back_with_the_whole(backend, titles) -> None:
    with pytest.raises(ZeroDivisionError):
        async with backend.uow() as uow:
            async with uow.savepoint():
                await uow.repository(DocumentRepository).add(post("a"))
            raise ZeroDivisionError
    assert await titles() == []

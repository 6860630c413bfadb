"""What the repository of editorial comments, and the queries beside it, do."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.contracts.cms.test_document_repository_contract import post

from cms_api.domains.cms.comments.model import EditorialComment
from cms_api.domains.cms.comments.ports import CommentRepository
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.kernel.errors import Invalid
from cms_api.querying import Comparison, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ADA, BEA = UUID(int=1), UUID(int=2)


def state(found: EditorialComment | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in EditorialComment.__dataclass_fields__}


@pytest.fixture
async def document(backend) -> UUID:
    return await stored(backend, "one")


@pytest.fixture
async def other(backend) -> UUID:
    return await stored(backend, "other")


async def stored(backend, slug: str) -> UUID:
    made = post(slug)
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).add(made)
    return made.id


def thread(document: UUID, body: str = "Hm.", *, minutes: int = 0, **values: Any) -> EditorialComment:
    how: dict[str, Any] = {"field": None, "quote": None, "by": ADA} | values
    return EditorialComment.begin(document, body, at=AT + timedelta(minutes=minutes), **how)


@pytest.fixture
def write(backend):
    """Does some work on the repository in a unit of work of its own."""

    async def work(do: Callable[[CommentRepository], Awaitable[Any]]) -> Any:
        async with backend.uow() as uow:
            return await do(uow.repository(CommentRepository))

    return work


@pytest.fixture
def add(write):
    async def work(*comments: EditorialComment) -> None:
        for one in comments:
            await write(lambda repository, one=one: repository.add(one))

    return work


async def test_a_comment_comes_back_as_stored(backend, write, add, document, other) -> None:
    made = thread(document, "Who says so?", field="/body", quote="It is known")
    answer = made.reply("Grace.", at=AT, by=BEA)
    await add(made, answer)
    for one in (made, answer):
        assert state(await write(lambda r, one=one: r.get(document, one.id))) == state(one)
        assert state(await backend.comments.get(document, one.id)) == state(one)
        # It is on that document and no other one.
        assert await write(lambda r, one=one: r.get(other, one.id)) is None
        assert await backend.comments.get(other, one.id) is None
    assert await write(lambda r: r.get(document, uuid4())) is None
    assert await backend.comments.get(document, uuid4()) is None


async def test_what_has_changed_is_stored(backend, write, add, document) -> None:
    made = thread(document)
    await add(made)
    made.edit("In other words.", at=AT + timedelta(hours=1))
    made.resolve(at=AT + timedelta(hours=2), by=BEA)
    await write(lambda r: r.save(made))
    assert state(await backend.comments.get(document, made.id)) == state(made)
    made.reopen(at=AT + timedelta(hours=3))
    await write(lambda r: r.save(made))
    assert state(await backend.comments.get(document, made.id)) == state(made)
    assert made.version == 4


async def test_a_reply_needs_its_thread_on_the_same_document(add, document, other) -> None:
    made = thread(document)
    await add(made)
    elsewhere = made.reply("x", at=AT, by=BEA)
    elsewhere.document_id = other
    nowhere = made.reply("x", at=AT, by=BEA)
    nowhere.parent_id = uuid4()
    for wrong in (elsewhere, nowhere):
        with pytest.raises(Invalid) as caught:
            await add(wrong)
        assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [
            ("/parent_id", "unknown_reference")
        ]


async def test_a_thread_goes_with_its_replies(backend, write, add, document) -> None:
    made, left = thread(document), thread(document, minutes=5)
    replies = [made.reply(f"{n}", at=AT + timedelta(minutes=n), by=(ADA, BEA)[n % 2]) for n in range(3)]
    kept = left.reply("x", at=AT, by=BEA)
    await add(made, left, *reversed(replies), kept)
    assert await write(lambda r: r.reply_authors(made)) == [ADA, BEA, ADA]
    assert await write(lambda r: r.reply_authors(replies[0])) == []
    await write(lambda r: r.delete(replies[1]))
    assert await write(lambda r: r.reply_authors(made)) == [ADA, ADA]
    await write(lambda r: r.delete(made))
    found = await backend.comments.list(document, PageRequest(sort=(SortKey("created_at"),)))
    assert [one.id for one in found.items] == [kept.id, left.id]


async def test_comments_within_fields(backend, add, document) -> None:
    deep, whole = thread(document, field="/blocks/0/m~1x", minutes=1), thread(document)
    near = thread(document, field="/blocks_", minutes=2)
    await add(deep, whole, near, deep.reply("r", at=AT + timedelta(minutes=3), by=BEA))
    for fields, number in ((("blocks",), 3), (("blocks_",), 2), (("m", "0", ""), 1), (None, 4)):
        page = PageRequest(sort=(SortKey("created_at"),))
        assert len((await backend.comments.list(document, page, fields=fields)).items) == number


async def test_lists(backend, add, document, other) -> None:
    settled = thread(document, "s", field="/body", by=BEA)
    settled.resolve(at=AT, by=ADA)
    open_ = thread(document, "o", field="/title", minutes=2)
    reply = settled.reply("r", at=AT + timedelta(minutes=1), by=ADA)
    answer = open_.reply("a", at=AT + timedelta(minutes=3), by=BEA)
    await add(settled, open_, reply, answer, thread(other))
    names = {settled.id: "s", open_.id: "o", reply.id: "r", answer.id: "a"}

    async def listed(*filters: Comparison, **how: Any) -> str:
        request = PageRequest(**({"sort": (SortKey("created_at"),), "filter": all_of(*filters)} | how))
        found = await backend.comments.list(document, request)
        return "".join(names[one.id] for one in found.items)

    assert await listed() == "sroa"
    assert await listed(sort=(SortKey("created_at", descending=True),)) == "aors"
    assert await listed(Comparison("resolved", "eq", (True,))) == "sr"
    assert await listed(Comparison("resolved", "eq", (False,))) == "oa"
    assert await listed(Comparison("resolved", "ne", (False,))) == "sr"
    assert await listed(Comparison("field", "eq", ("/body",))) == "sr"
    assert await listed(Comparison("field", "in", ("/title", "/x"))) == "oa"
    assert await listed(Comparison("author_id", "eq", (BEA,))) == "sa"
    assert await listed(Comparison("parent_id", "exists", (False,))) == "so"
    assert await listed(Comparison("parent_id", "eq", (open_.id,))) == "a"
    assert await listed(Comparison("id", "in", (open_.id, reply.id))) == "ro"
    assert await listed(Comparison("created_at", "gt", (AT + timedelta(minutes=1),))) == "oa"
    assert await listed(Comparison("resolved", "eq", (True,)), Comparison("author_id", "eq", (ADA,))) == "r"

    async def within(*fields: str, **how: Any) -> tuple[str, int | None]:
        request = PageRequest(sort=(SortKey("created_at"),), count="exact", **how)
        found = await backend.comments.list(document, request, fields=fields)
        return "".join(names[one.id] for one in found.items), found.count

    assert await within("body", "title", "bod") == ("sroa", 4)
    assert await within("body", "/title", "tit") == ("sr", 2)
    assert await within("body", filter=Comparison("field", "eq", ("/title",))) == ("", 0)
    assert await within("body", filter=Comparison("author_id", "eq", (BEA,))) == ("s", 1)
    assert await within() == ("", 0)

    first = await backend.comments.list(
        document, PageRequest(sort=(SortKey("created_at"),), limit=3, count="exact")
    )
    assert ([names[one.id] for one in first.items], first.count) == (["s", "r", "o"], 4)
    rest = await backend.comments.list(
        document, PageRequest(sort=(SortKey("created_at"),), limit=3, after=first.next)
    )
    assert [names[one.id] for one in rest.items] == ["a"]
    assert rest.next is None

"""What the ports of readers' comments do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.contracts.cms.test_document_repository_contract import FIELDS, post

from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.reader_comments.interface import ReaderCommentCounts
from cms_api.domains.cms.reader_comments.model import ReaderComment, State, Writer
from cms_api.domains.cms.reader_comments.ports import (
    CommenterRepository,
    PlaceRepository,
    RateRepository,
    ReaderCommentRepository,
    RulesRepository,
)
from cms_api.domains.cms.reader_comments.rates import Rate
from cms_api.domains.cms.reader_comments.rules import DEFAULTS, DocumentSettings
from cms_api.domains.cms.reader_comments.service import view
from cms_api.kernel.errors import Invalid
from cms_api.querying import Comparison, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
MOD = UUID(int=9)
GRACE = Writer(name="Grace", email="grace@example.org", url="https://example.org/")
HOUR = timedelta(hours=1)


def state(found: ReaderComment | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in ReaderComment.__dataclass_fields__}


async def stored(backend, slug: str, *, live: bool = False) -> UUID:
    made = post(slug)
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        await documents.add(made)
        if live:
            made.publish(at=AT, by=MOD)
            await documents.save(made)
            await uow.repository(PublicationRepository).put_live(made, made.draft, Public(fields=FIELDS))
    return made.id


@pytest.fixture
async def document(backend) -> UUID:
    return await stored(backend, "one")


@pytest.fixture
async def other(backend) -> UUID:
    return await stored(backend, "other")


def said(document: UUID, body: str = "Hm.", *, minutes: int = 0, writer: Writer = GRACE, **how: Any):
    return ReaderComment.begin(document, writer, body, at=AT + timedelta(minutes=minutes), **how)


@pytest.fixture
def write(backend):
    """Does some work on a repository in a unit of work of its own."""

    async def work(do: Callable[[Any], Awaitable[Any]], port: type = ReaderCommentRepository) -> Any:
        async with backend.uow() as uow:
            return await do(uow.repository(port))

    return work


@pytest.fixture
def add(write):
    async def work(*comments: ReaderComment) -> None:
        for one in comments:
            await write(lambda repository, one=one: repository.add(one))

    return work


async def test_a_comment_comes_back_as_stored(backend, write, add, document, other) -> None:
    thread = said(document, "Who <b>says</b> so?", state="approved", client_hash=b"c", words_hash=b"w")
    staff = Writer(name="Ada", email="ada@example.org", user_id=MOD, is_staff=True)
    reply = said(document, "I.", parent=thread, writer=staff, state="spam", reason="links")
    await add(thread, reply)
    for one in (thread, reply):
        assert state(await write(lambda r, one=one: r.get(one.id))) == state(one)
        assert state(await write(lambda r, one=one: r.parent(document, one.id))) == state(one)
        assert await write(lambda r, one=one: r.parent(other, one.id)) is None
        assert await write(lambda r, one=one: r.type_of(one)) == "post"
        assert await backend.reader_comments.get(one.id) == view(one, "post")
    assert reply.path == (thread.id, reply.id)
    assert [one.id for one in await write(lambda r: r.get_many([reply.id, uuid4(), thread.id]))] == [
        thread.id,
        reply.id,
    ]
    assert await write(lambda r: r.get(uuid4())) is None
    assert await write(lambda r: r.get_many([])) == []
    assert await backend.reader_comments.get(uuid4()) is None


async def test_a_reply_needs_its_parent_on_the_same_document(add, document, other) -> None:
    thread = said(document, state="approved")
    await add(thread)
    elsewhere, nowhere = said(document, parent=thread), said(document, parent=thread)
    elsewhere.document_id, nowhere.parent_id = other, uuid4()
    for wrong in (elsewhere, nowhere):
        with pytest.raises(Invalid) as caught:
            await add(wrong)
        assert [(one.pointer, one.code) for one in caught.value.faults] == [("/parent", "unknown_reference")]


async def test_what_has_changed_is_stored(write, add, document) -> None:
    one = said(document)
    await add(one)
    one.edit({"body": "In other words.", "author_url": None, "author_name": "G"}, at=AT + HOUR)
    one.moderate("spam", at=AT + 2 * HOUR, by=MOD)
    await write(lambda r: r.save(one))
    assert state(await write(lambda r: r.get(one.id))) == state(one)
    one.restore(at=AT + 3 * HOUR, by=None)
    await write(lambda r: r.save(one))
    assert state(await write(lambda r: r.get(one.id))) == state(one)
    assert (one.version, one.state, one.html) == (4, "pending", '<p dir="auto">In other words.</p>')


async def test_many_are_moderated_at_once(write, add, document, other) -> None:
    many = [said(document), said(other, state="approved"), said(document, state="spam", reason="word")]
    untouched = said(document)
    await add(*many, untouched)
    for wanted in ("trash", "approved"):
        for one in many:
            one.moderate(wanted, at=AT + HOUR, by=MOD)
        await write(lambda r: r.save_states(many))
        for one in (*many, untouched):
            assert state(await write(lambda r, one=one: r.get(one.id))) == state(one)
    assert {one.state for one in many} == {"approved"}


async def test_a_comment_goes_with_what_hangs_below_it(write, add, document) -> None:
    thread = said(document, state="approved")
    reply = said(document, parent=thread, state="approved")
    deep, sibling = said(document, parent=reply), said(document, parent=thread)
    await add(thread, reply, deep, sibling)
    assert await write(lambda r: r.delete(reply)) == 1
    assert [c.id for c in await write(lambda r: r.get_many([thread.id, deep.id, sibling.id]))] == [
        thread.id,
        sibling.id,
    ]
    assert await write(lambda r: r.delete(thread)) == 1
    assert await write(lambda r: r.get(sibling.id)) is None


async def test_who_has_been_approved(write, add, document) -> None:
    account = Writer(name="Ada", email="ada@example.org", user_id=MOD)
    await add(said(document), said(document, writer=account, state="approved"))
    ask: Any = lambda email, user: write(lambda r: r.has_approved(email, user), CommenterRepository)  # noqa: E731 - short
    assert not await ask("grace@example.org", None)
    assert await ask("ada@example.org", MOD)
    # Who is not signed in may claim any address.
    assert not await ask("ada@example.org", None)
    assert not await ask("grace@example.org", MOD)
    staff = Writer(name="Bea", email="bea@example.org", user_id=MOD, is_staff=True)
    await add(said(document, writer=staff, state="approved"))
    assert not await ask("bea@example.org", MOD)
    await add(said(document, state="approved"))
    assert await ask("grace@example.org", None)


async def test_what_was_said_already(write, add, document) -> None:
    await add(said(document, words_hash=b"x"))
    assert await write(lambda r: r.was_said(b"x", since=AT - HOUR), CommenterRepository)
    assert not await write(lambda r: r.was_said(b"x", since=AT), CommenterRepository)
    assert not await write(lambda r: r.was_said(b"y", since=AT - HOUR), CommenterRepository)


async def test_erasing(write, add, document, other) -> None:
    states: tuple[State, ...] = ("pending", "approved", "spam", "trash")
    mine = [said(document, state=one, client_hash=b"c", words_hash=b"w") for one in states]
    others = said(other, writer=Writer(name="Ada", email="ada@example.org"))
    await add(*mine, others)
    erased = await write(lambda r: r.erase("grace@example.org", at=AT + HOUR), CommenterRepository)
    assert {(one.id, one.document_id, one.version) for one in erased} == {
        (one.id, document, 2) for one in mine
    }
    for one in await write(lambda r: r.get_many([one.id for one in mine])):
        assert (one.author_name, one.author_email, one.author_url, one.user_id) == (None,) * 4
        assert (one.client_hash, one.words_hash, one.erased_at) == (None, None, AT + HOUR)
        assert one.body == "Hm."
    assert state(await write(lambda r: r.get(others.id))) == state(others)
    assert await write(lambda r: r.erase("grace@example.org", at=AT), CommenterRepository) == []


async def test_purging(write, add, document, other) -> None:
    kept = said(document, state="approved")
    spam = said(document, state="spam")
    thread = said(document, state="approved", minutes=1)
    reply = said(document, parent=thread, state="approved")
    await add(kept, spam, thread, reply)
    trashed = said(other, state="trash", minutes=2)
    await add(trashed)
    thread.moderate("trash", at=AT + timedelta(minutes=1), by=MOD)
    await write(lambda r: r.save(thread))
    purge: Any = lambda **how: write(lambda r: r.purge(**{"limit": 9} | how))  # noqa: E731 - short
    assert await purge(spam_before=None, trash_before=None) == {}
    assert await purge(spam_before=AT, trash_before=AT) == {}
    assert await purge(spam_before=AT + HOUR, trash_before=None) == {document: 1}
    assert await purge(spam_before=AT + HOUR, trash_before=AT + HOUR, limit=1) == {document: 2}
    assert await purge(spam_before=None, trash_before=AT + HOUR) == {other: 1}
    assert state(await write(lambda r: r.get(kept.id))) == state(kept)


async def test_clients_are_forgotten(write, add, document) -> None:
    many = [said(document, client_hash=b"c", minutes=n) for n in range(3)]
    await add(*many)
    before = AT + timedelta(minutes=2)
    assert await write(lambda r: r.forget_clients(before=before, limit=1), CommenterRepository) == 1
    assert await write(lambda r: r.forget_clients(before=before, limit=9), CommenterRepository) == 1
    assert await write(lambda r: r.forget_clients(before=before, limit=9), CommenterRepository) == 0
    left = [one.client_hash for one in await write(lambda r: r.get_many([one.id for one in many]))]
    assert left == [None, None, b"c"]


async def test_lists_and_counts(backend, add, document, other) -> None:
    assert await backend.reader_comments.counts() == ReaderCommentCounts()
    first = said(document, "100% wool_", state="approved")
    many = [
        first,
        said(document, "reply", parent=first, minutes=1),
        said(other, "spam", minutes=2, state="spam", reason="links"),
        said(other, "Ada's", minutes=3, writer=Writer(name="Ada", email="ada@example.org", user_id=MOD)),
    ]
    await add(*many)
    assert await backend.reader_comments.counts() == ReaderCommentCounts(pending=2, approved=1, spam=1)

    async def listed(*filters: Comparison, **how: Any) -> list[str]:
        page = PageRequest(sort=(SortKey("created_at"),), filter=all_of(*filters), **how)
        return [one.body for one in (await backend.reader_comments.list(page)).items]

    assert await listed() == ["100% wool_", "reply", "spam", "Ada's"]
    for found, *wanted in (
        (["spam"], "state", "eq", "spam"),
        (["100% wool_", "reply"], "document_id", "eq", document),
        (["reply"], "parent_id", "eq", first.id),
        (["Ada's"], "author_email", "eq", "ada@example.org"),
        (["Ada's"], "author_name", "starts_with", "ad"),
        (["Ada's"], "user_id", "exists", True),
        (["100% wool_"], "body", "contains", "0% W"),
        ([], "body", "contains", "1%w"),
        (["spam"], "reason", "exists", True),
        ([], "type", "eq", "page"),
        (["spam", "Ada's"], "created_at", "gt", AT + timedelta(minutes=1)),
        (["reply"], "id", "in", many[1].id),
    ):
        field, operator, value = wanted
        assert await listed(Comparison(field, operator, (value,))) == found, wanted
    page = PageRequest(sort=(SortKey("created_at", descending=True),), limit=3, count="exact")
    shown = await backend.reader_comments.list(page)
    assert ([one.body for one in shown.items], shown.count) == (["Ada's", "spam", "reply"], 4)
    rest = await backend.reader_comments.list(msgspec.structs.replace(page, after=shown.next))
    assert [one.body for one in rest.items] == ["100% wool_"]


async def test_rules(backend, write) -> None:
    assert await backend.comment_rules.get() == DEFAULTS
    changed = msgspec.structs.replace(
        DEFAULTS,
        enabled=False,
        types={"page": True},
        closes_after_days=9,
        blocked_words=("a", "b"),
        blocked_addresses=("@example.org",),
        blocked_networks=("192.0.2.0/24",),
        spam_days=None,
        version=2,
        updated_at=AT,
        updated_by=MOD,
    )
    await write(lambda r: r.save(changed), RulesRepository)
    assert await backend.comment_rules.get() == changed
    assert await write(lambda r: r.get(), RulesRepository) == changed


async def test_places(backend, write, document) -> None:
    live = await stored(backend, "live", live=True)
    for one, published in ((document, None), (live, AT)):
        for place in (
            await backend.comment_places.get("post", one),
            await write(lambda r, one=one: r.get("post", one), PlaceRepository),
        ):
            assert place.first_published_at == published
            assert place.settings == DocumentSettings(document_id=one)
        assert await backend.comment_places.get("page", one) is None
        assert await write(lambda r, one=one: r.get("page", one), PlaceRepository) is None
    settings = DocumentSettings(document_id=live, is_open=True, closes_at=AT, version=2, updated_at=AT)
    for one in (settings, msgspec.structs.replace(settings, is_open=None, version=3, updated_by=MOD)):
        await write(lambda r, one=one: r.save(one), PlaceRepository)
        assert (await backend.comment_places.get("post", live)).settings == one
    assert (await backend.comment_places.get("post", document)).settings.version == 1


RATE = Rate(3, 60)


async def test_a_bucket_gives_what_it_has_and_fills_up_again(write) -> None:
    async def take(seconds: float, *keys: bytes) -> list[bool]:
        at = AT + timedelta(seconds=seconds)
        taken = await write(lambda r: r.take(keys or (b"a",), RATE, at=at), RateRepository)
        return [one.is_taken for one in taken]

    assert [await take(n) for n in (0, 1, 2, 3)] == [[True], [True], [True], [False]]
    assert await take(3, b"b") == [True]
    assert sorted(await take(3, b"a", b"b")) == [False, True]
    # One token every 20 seconds, counted from the first.
    assert [await take(n) for n in (19.9, 20, 21, 40, 41)] == [[False], [True], [False], [True], [False]]
    # Idle for long, it is full and no fuller.
    assert [await take(1000) for _ in range(4)] == [[True], [True], [True], [False]]


async def test_when_a_bucket_is_full(write) -> None:
    for number in (1, 2, 3):
        (taken,) = await write(lambda r: r.take((b"a",), RATE, at=AT), RateRepository)
        assert taken.full_at == AT + number * timedelta(seconds=20)
    (refused,) = await write(lambda r: r.take((b"a",), RATE, at=AT), RateRepository)
    assert (refused.is_taken, refused.full_at) == (False, AT + timedelta(seconds=60))
    purge: Any = lambda at: write(lambda r: r.purge(at=at, limit=9), RateRepository)  # noqa: E731 - short
    assert await purge(AT + timedelta(seconds=59)) == 0
    assert await purge(AT + timedelta(seconds=60)) == 1
    assert await purge(AT + timedelta(seconds=60)) == 0


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
async def test_of_those_who_come_at_once_as_many_get_a_token_as_there_are(backend) -> None:
    rate = Rate(1, 60)

    async def one(keys: tuple[bytes, ...]) -> bool:
        async with backend.uow() as uow:
            taken = await uow.repository(RateRepository).take(keys, rate, at=AT)
            await asyncio.sleep(0.01)
            return all(bucket.is_taken for bucket in taken)

    # Both orders of the keys: whoever locks them in another order waits for ever.
    keys = [(b"a", b"b"), (b"b", b"a")]
    assert sum(await asyncio.gather(*(one(keys[n % 2]) for n in range(12)))) == 1

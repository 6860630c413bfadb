"""What every repository of revisions and of retention does, and the queries beside them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from cms_api.domains.cms.documents.content import PageContent, PostContent, Seo
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.retention.ports import RetentionRepository, TrashedDocument
from cms_api.domains.cms.revisions.interface import RevisionChanges
from cms_api.domains.cms.revisions.ports import RevisionRepository
from cms_api.querying import Comparison, PageRequest, SortKey

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BY = UUID(int=7)
NEWEST = PageRequest(sort=(SortKey("created_at", descending=True),), limit=100, count="exact")
FIELDS = {"excerpt": "", "body": "", "seo": Seo(), "reading_time": 1}


@pytest.fixture
def saved(backend):
    """Stores a post with as many revisions as bodies, a day apart."""

    async def work(*bodies: str, slug: str = "post") -> Document[PostContent]:
        made, _ = Document.create(
            POST, PostContent(title="Post", slug=slug, body=bodies[0]), locale="en", at=AT, by=BY
        )
        async with backend.uow() as uow:
            documents = uow.repository(DocumentRepository)
            await documents.add(made)
            for day, body in enumerate(bodies[1:], start=1):
                content = msgspec.structs.replace(made.draft, body=body)
                event = made.edit(content, at=AT + timedelta(days=day), by=None)
                await documents.add_revision(made, changed=event.changed)
                await documents.save(made)
        return made

    return work


@pytest.fixture
def purge(backend):
    async def work(**limits: object):
        async with backend.uow() as uow:
            wanted = {"keep": None, "before": None, "after": None, "limit": 10} | limits
            return await uow.repository(RetentionRepository).purge_revisions("post", **wanted)

    return work


@pytest.fixture
def note(backend):
    async def work(document_id: UUID, revision_id: UUID, **changes: object) -> None:
        async with backend.uow() as uow:
            revisions = uow.repository(RevisionRepository)
            revision = await revisions.get(document_id, revision_id)
            revision.update(RevisionChanges(**changes), expected=None)
            await revisions.save(revision)

    return work


async def bodies(backend, document_id: UUID) -> list[str]:
    page = await backend.revisions.list("post", document_id, NEWEST)
    ids = [row.id for row in page.items]
    found = await backend.revisions.get(POST, document_id, *ids)
    return [found[one].content.body for one in reversed(ids)]


async def test_the_revisions_of_a_document_come_newest_first(backend, saved) -> None:
    made = await saved("one", "two", "three")
    await saved("other", slug="other")
    page = await backend.revisions.list("post", made.id, NEWEST)
    assert page.count == 3
    newest, middle, oldest = page.items
    assert [row.document_version for row in page.items] == [3, 2, 1]
    assert (newest.id, newest.is_draft, newest.is_live) == (made.draft_revision_id, True, False)
    assert (middle.changed, middle.created_by, middle.created_at) == (("body",), None, AT + timedelta(days=1))
    assert (oldest.changed, oldest.created_by, oldest.created_at) == ((), BY, AT)
    assert newest.size == len(made.draft.encoded())
    assert (newest.label, newest.is_pinned, newest.restored_from, newest.published_at, newest.version) == (
        None,
        False,
        None,
        None,
        1,
    )


async def test_a_list_of_revisions_is_filtered_and_paged(backend, saved, note) -> None:
    made = await saved("one", "two", "three")
    first = (await backend.revisions.list("post", made.id, NEWEST)).items[-1].id
    await note(made.id, first, label="First")
    only = Comparison("label", "eq", ("First",))
    found = await backend.revisions.list("post", made.id, PageRequest(sort=NEWEST.sort, filter=only))
    assert [row.id for row in found.items] == [first]
    page = await backend.revisions.list("post", made.id, PageRequest(sort=NEWEST.sort, limit=2))
    rest = await backend.revisions.list(
        "post", made.id, PageRequest(sort=NEWEST.sort, limit=2, after=page.next)
    )
    assert [row.document_version for row in (*page.items, *rest.items)] == [3, 2, 1]


async def test_there_is_no_list_without_a_document(backend, saved) -> None:
    made = await saved("one")
    assert await backend.revisions.list("post", uuid4(), NEWEST) is None
    assert await backend.revisions.list("page", made.id, NEWEST) is None
    none = PageRequest(sort=NEWEST.sort, filter=Comparison("is_pinned", "eq", (True,)))
    assert (await backend.revisions.list("post", made.id, none)).items == []


async def test_revisions_are_found_by_id_and_by_what_they_are(backend, saved) -> None:
    made = await saved("one", "two")
    first = (await backend.revisions.list("post", made.id, NEWEST)).items[-1].id
    found = await backend.revisions.get(POST, made.id, first, "draft", "live", uuid4())
    assert set(found) == {first, "draft"}
    assert (found[first].content.body, found["draft"].content) == ("one", made.draft)
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        made.publish(at=AT, by=BY)
        await documents.save(made)
        await uow.repository(PublicationRepository).put_live(made, made.draft, Public(fields=FIELDS))
    found = await backend.revisions.get(POST, made.id, "live", made.draft_revision_id, "draft")
    assert {detail.id for detail in found.values()} == {made.draft_revision_id}
    assert len(found) == 3
    assert (found["live"].is_live, found["live"].published_at) == (True, AT)


async def test_nothing_is_found_of_another_document(backend, saved) -> None:
    made, other = await saved("one"), await saved("two", slug="other")
    assert await backend.revisions.get(POST, made.id, other.draft_revision_id) == {}
    assert await backend.revisions.get(PAGE, made.id, "draft") is None
    assert await backend.revisions.get(POST, uuid4(), "draft") is None
    async with backend.uow() as uow:
        revisions = uow.repository(RevisionRepository)
        assert await revisions.get(made.id, other.draft_revision_id) is None
        assert await revisions.get(made.id, uuid4()) is None


async def test_what_is_noted_stays(backend, saved, note) -> None:
    made = await saved("one")
    await note(made.id, made.draft_revision_id, label="Sent", is_pinned=True)
    row = (await backend.revisions.list("post", made.id, NEWEST)).items[0]
    assert (row.label, row.is_pinned, row.version) == ("Sent", True, 2)


# Retention


async def test_the_oldest_go_where_there_are_too_many(backend, saved, purge) -> None:
    made = await saved(*"abcde")
    other = await saved("x", slug="other")
    purged = await purge(keep=2)
    assert purged.numbers == {made.id: 3}
    assert purged.last == max(made.id, other.id)
    assert not purged.is_full
    assert await bodies(backend, made.id) == ["d", "e"]
    assert (await purge(keep=2)).numbers == {}


async def test_the_oldest_go_after_their_time(backend, saved, purge) -> None:
    made = await saved(*"abcde")
    assert (await purge(before=AT + timedelta(days=2))).numbers == {made.id: 2}
    assert await bodies(backend, made.id) == ["c", "d", "e"]
    assert (await purge(before=AT + timedelta(days=99))).numbers == {made.id: 2}
    assert await bodies(backend, made.id) == ["e"]


async def test_what_somebody_wanted_stays(backend, saved, purge, note) -> None:
    made = await saved(*"abcdef")
    a, b, c, *_ = reversed([row.id for row in (await backend.revisions.list("post", made.id, NEWEST)).items])
    await note(made.id, a, is_pinned=True)
    await note(made.id, b, label="Kept")
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        old = await documents.snapshot(POST, made.id, c)
        made.publish(old, at=AT, by=BY)
        await documents.save(made)
        await uow.repository(PublicationRepository).put_live(made, old.content, Public(fields=FIELDS))
        made.publish(at=AT, by=BY)
        await documents.save(made)
        await uow.repository(PublicationRepository).put_live(made, made.draft, Public(fields=FIELDS))
    assert (await purge(keep=1)).numbers == {made.id: 2}
    assert await bodies(backend, made.id) == ["a", "b", "c", "f"]


async def test_contents_that_others_are_told_from_stay_readable(backend, saved, purge) -> None:
    lines = [f"This is line number {n} of a text that goes on and on." for n in range(300)]
    texts = []
    for number in range(80):
        lines[number * 11 % 300] = f"Line written anew, number {number}."
        texts.append("\n".join(lines))
    made = await saved(*texts)
    for keep in (60, 41, 33, 7, 2):
        await purge(keep=keep)
        assert await bodies(backend, made.id) == texts[-keep:]
    async with backend.uow() as uow:
        assert (await uow.repository(DocumentRepository).get(POST, made.id)).draft == made.draft


async def test_documents_are_gone_through_in_pieces(saved, purge) -> None:
    made = sorted([(await saved("a", "b", slug=f"post-{n}")).id for n in range(5)])
    first = await purge(keep=1, limit=2)
    assert (set(first.numbers), first.last) == (set(made[:2]), made[1])
    second = await purge(keep=1, limit=2, after=first.last)
    assert (set(second.numbers), second.last) == (set(made[2:4]), made[3])
    third = await purge(keep=1, limit=2, after=second.last)
    assert (set(third.numbers), third.last) == ({made[4]}, made[4])
    assert (await purge(keep=1, after=third.last)).last is None


async def test_policies_are_kept(backend) -> None:
    async with backend.uow() as uow:
        policies = uow.repository(RetentionRepository)
        post = await policies.get("post")
        assert await policies.get("nothing") is None
        await policies.save(msgspec.structs.replace(post, max_revisions=3, max_trash_days=None, version=2))
    listed = await backend.retention.list()
    assert [(one.type, one.max_revisions, one.max_trash_days, one.version) for one in listed] == [
        ("page", 1000, 30, 1),
        ("post", 3, None, 2),
    ]


async def test_the_trash_is_overdue_from_the_leaves_up(backend) -> None:
    async with backend.uow() as uow:
        documents = uow.repository(DocumentRepository)
        above, _ = Document.create(PAGE, PageContent(title="A", slug="a"), locale="en", at=AT, by=BY)
        await documents.add(above)
        below, _ = Document.create(
            PAGE, PageContent(title="B", slug="b", parent=above.id), locale="en", at=AT, by=BY
        )
        await documents.add(below)
        for document in (below, above):
            document.trash(at=AT, by=BY)
            await documents.save(document)
    late = AT + timedelta(days=1)
    async with backend.uow() as uow:
        policies, documents = uow.repository(RetentionRepository), uow.repository(DocumentRepository)
        assert await policies.overdue_trash("page", before=AT, limit=10) == []
        assert await policies.overdue_trash("post", before=late, limit=10) == []
        overdue = await policies.overdue_trash("page", before=late, limit=10)
        assert [(one.id, one.trashed_at) for one in overdue] == [(below.id, AT)]
        await documents.delete(below.id)
        assert [one.id for one in await policies.overdue_trash("page", before=late, limit=10)] == [above.id]
        assert (
            await policies.overdue_trash("page", before=late, limit=10, after=TrashedDocument(above.id, AT))
            == []
        )

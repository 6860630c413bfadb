"""A document's life: what each step does, and what no order of steps can break."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cms_api.domains.cms.documents.content import Content, Link, PageContent, PostContent, Seo
from cms_api.domains.cms.documents.errors import Archived, NotArchived, NotPublished, NotTrashed, Trashed
from cms_api.domains.cms.documents.model import ContentType, Document, Snapshot
from cms_api.kernel.errors import Stale

POST = ContentType(key="post", content=PostContent, fields=PostContent.__struct_fields__)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = AT + timedelta(days=1)
ADA, BEA = UUID(int=1), UUID(int=2)
EMPTY = PostContent(title="A", slug="a")


@pytest.fixture
def document() -> Document[PostContent]:
    return Document.create(POST, EMPTY, locale="en", at=AT, by=ADA)[0]


def changed(document: Document[PostContent], **values: Any) -> PostContent:
    return msgspec.structs.replace(document.draft, **values)


def snapshot_of(document: Document[PostContent]) -> Snapshot[PostContent]:
    return Snapshot(document.draft_revision_id, document.draft, document.draft_hash, None)


def test_a_document_begins_as_a_draft() -> None:
    document, created = Document.create(POST, EMPTY, locale="de", at=AT, by=ADA)
    assert (document.type, document.locale, document.version) == ("post", "de", 1)
    assert (document.created_at, document.updated_at) == (AT, AT)
    assert (document.created_by, document.updated_by) == (ADA, ADA)
    assert not document.is_live
    assert not document.has_unpublished_changes
    assert (created.name, created.subject, created.type, created.version) == (
        "document.created",
        document.id,
        "post",
        1,
    )


def test_an_edit_tells_what_it_changed(document: Document[PostContent]) -> None:
    event = document.edit(changed(document, title="B", tags=(uuid4(),)), at=LATER, by=BEA)
    assert event is not None
    assert (event.name, event.version, set(event.changed)) == ("document.updated", 2, {"title", "tags"})
    assert (document.version, document.updated_at, document.updated_by) == (2, LATER, BEA)
    assert document.field_versions == {"title": 2, "tags": 2}


def test_an_edit_that_changes_nothing_is_none(document: Document[PostContent]) -> None:
    assert document.edit(changed(document, title="A"), at=LATER, by=BEA) is None
    assert (document.version, document.updated_at) == (1, AT)


def test_publishing_keeps_the_first_date(document: Document[PostContent]) -> None:
    document.publish(at=AT, by=ADA)
    document.edit(changed(document, title="B"), at=LATER, by=ADA)
    assert document.has_unpublished_changes
    event = document.publish(at=LATER, by=ADA)
    assert (event.name, event.version, document.version) == ("document.published", 4, 4)
    assert (document.published_at, document.first_published_at) == (AT, AT)
    assert not document.has_unpublished_changes


def test_unpublishing_starts_the_date_anew(document: Document[PostContent]) -> None:
    document.publish(at=AT, by=ADA)
    document.unpublish(at=AT, by=ADA)
    assert (document.published_at, document.first_published_at) == (None, AT)
    document.publish(at=LATER, by=ADA)
    assert (document.published_at, document.first_published_at) == (LATER, AT)


def test_an_import_sets_the_date(document: Document[PostContent]) -> None:
    long_ago = AT - timedelta(days=3650)
    document.publish(at=AT, by=None, published_at=long_ago)
    assert (document.published_at, document.first_published_at) == (long_ago, long_ago)


def test_what_is_not_published_cannot_be_unpublished(document: Document[PostContent]) -> None:
    with pytest.raises(NotPublished):
        document.unpublish(at=AT, by=ADA)


def test_the_trash_takes_the_live_copy_along(document: Document[PostContent]) -> None:
    document.publish(at=AT, by=ADA)
    event = document.trash(at=LATER, by=ADA)
    assert (event.name, event.version) == ("document.trashed", 3)
    assert (document.is_live, document.trashed_at, document.published_at) == (False, LATER, None)


def test_the_trash_allows_nothing_but_to_be_restored(document: Document[PostContent]) -> None:
    document.trash(at=AT, by=ADA)
    with pytest.raises(Trashed):
        document.trash(at=AT, by=ADA)
    with pytest.raises(Trashed):
        document.edit(changed(document, title="B"), at=AT, by=ADA)
    with pytest.raises(Trashed):
        document.edit(document.draft, at=AT, by=ADA)
    with pytest.raises(Trashed):
        document.publish(at=AT, by=ADA)
    with pytest.raises(NotPublished):
        document.unpublish(at=AT, by=ADA)
    assert document.version == 2
    event = document.restore(at=LATER, by=ADA)
    assert (event.name, document.trashed_at, document.is_live) == ("document.restored", None, False)


def test_only_the_trash_is_restored_from(document: Document[PostContent]) -> None:
    with pytest.raises(NotTrashed):
        document.restore(at=AT, by=ADA)


def test_an_old_revision_can_be_published_behind_the_draft(document: Document[PostContent]) -> None:
    old = snapshot_of(document)
    document.edit(changed(document, title="B"), at=AT, by=ADA)
    event = document.publish(old, at=LATER, by=ADA)
    assert event.revision == document.live_revision_id == old.revision_id
    assert (document.draft.title, document.live_hash, document.has_unpublished_changes) == (
        "B",
        old.hash,
        True,
    )


def test_discarding_goes_back_to_what_is_live(document: Document[PostContent]) -> None:
    document.publish(at=AT, by=ADA)
    live = snapshot_of(document)
    assert document.discard(live, at=LATER, by=BEA) is None
    document.edit(changed(document, title="B", body="C"), at=AT, by=ADA)
    event = document.discard(live, at=LATER, by=BEA)
    assert event is not None
    assert (event.name, set(event.changed)) == ("document.discarded", {"title", "body"})
    assert (document.draft, document.draft_revision_id) == (live.content, live.revision_id)
    assert not document.has_unpublished_changes


def test_there_is_nothing_to_go_back_to_where_nothing_is_live(document: Document[PostContent]) -> None:
    with pytest.raises(NotPublished):
        document.discard(snapshot_of(document), at=AT, by=ADA)


def test_an_old_revision_comes_back_as_a_new_one(document: Document[PostContent]) -> None:
    old = snapshot_of(document)
    assert document.revert(old, old.content, at=AT, by=ADA) is None
    document.edit(changed(document, title="B"), at=AT, by=ADA)
    event = document.revert(old, old.content, at=LATER, by=BEA)
    assert event is not None
    assert (event.name, event.restored, event.changed) == ("document.reverted", old.revision_id, ("title",))
    assert document.draft == old.content
    assert document.draft_revision_id != old.revision_id


def test_the_archive_keeps_a_document_as_it_is(document: Document[PostContent]) -> None:
    document.publish(at=AT, by=ADA)
    with pytest.raises(NotArchived):
        document.unarchive(at=AT, by=ADA)
    event = document.archive(at=LATER, by=ADA)
    assert (event.name, document.archived_at, document.is_live) == ("document.archived", LATER, False)
    for step in (
        lambda: document.archive(at=AT, by=ADA),
        lambda: document.publish(at=AT, by=ADA),
        lambda: document.edit(changed(document, title="B"), at=AT, by=ADA),
    ):
        with pytest.raises(Archived):
            step()
    document.trash(at=AT, by=ADA)
    with pytest.raises(Trashed):
        document.unarchive(at=AT, by=ADA)
    document.restore(at=AT, by=ADA)
    assert document.archived_at == LATER
    assert document.unarchive(at=AT, by=ADA).name == "document.unarchived"
    assert document.archived_at is None


def test_only_the_trash_is_purged(document: Document[PostContent]) -> None:
    with pytest.raises(NotTrashed):
        document.purged()
    document.trash(at=AT, by=ADA)
    assert (document.purged().name, document.purged().subject) == ("document.purged", document.id)


def test_links_that_are_gone_are_left_out() -> None:
    a, b, c = (UUID(int=n) for n in range(3))
    post = PostContent(title="A", slug="a", authors=(a, b), tags=(b, c), cover=c)
    gone = [link for link in post.links() if link.target == c or link.pointer == "/authors/1"]
    assert post.without(gone) == PostContent(title="A", slug="a", authors=(a,), tags=(b,))
    assert post.without([]) == post


def test_a_stale_writer_hears_what_she_missed(document: Document[PostContent]) -> None:
    document.edit(changed(document, title="B"), at=AT, by=ADA)
    document.edit(changed(document, body="C", slug="c"), at=AT, by=ADA)
    document.publish(at=AT, by=ADA)
    document.check_version(None)
    document.check_version(4)
    for expected, missed in ((1, ["body", "slug", "title"]), (2, ["body", "slug"]), (3, []), (9, [])):
        with pytest.raises(Stale) as caught:
            document.check_version(expected)
        assert caught.value.members == {"current_version": 4, "changed_fields": missed}


def test_equal_contents_have_equal_hashes() -> None:
    one = PostContent(title="A", slug="a", seo=Seo(title="T"))
    assert one.hash() == PostContent(seo=Seo(title="T"), slug="a", title="A").hash()
    assert len(one.hash()) == 16


@given(st.sampled_from(["title", "slug", "excerpt", "body"]), st.text(min_size=1, max_size=5))
def test_other_contents_have_other_hashes(name: str, text: str) -> None:
    other = msgspec.structs.replace(EMPTY, **{name: getattr(EMPTY, name) + text})
    assert other.hash() != EMPTY.hash()


def test_contents_know_what_they_point_at() -> None:
    a, b, c, d, e = (UUID(int=n) for n in range(5))
    post = PostContent(title="A", slug="a", authors=(a, b), categories=(c,), tags=(d,), cover=e)
    assert [(link.pointer, link.kind, link.target) for link in post.links()] == [
        ("/authors/0", "author", a),
        ("/authors/1", "author", b),
        ("/cover", "media", e),
        ("/categories/0", "category", c),
        ("/tags/0", "tag", d),
    ]
    page = PageContent(title="A", slug="a", parent=b)
    assert list(page.links()) == [Link("parent", 0, "document", b, "/parent", types=("page",))]
    assert [link.pointer for link in page.links()] == ["/parent"]
    assert list(Content(slug="a").links()) == []


class Life(RuleBasedStateMachine):
    """Any order of steps, allowed or not."""

    def __init__(self) -> None:
        super().__init__()
        self.document, _ = Document.create(POST, EMPTY, locale="en", at=AT, by=ADA)
        self.snapshots = [snapshot_of(self.document)]
        self.live: PostContent | None = None
        self.is_trashed = self.is_archived = False
        self.steps = 0
        self.now = AT
        self.contents = {1: self.document.draft}
        self.first: datetime | None = None

    @property
    def is_at_hand(self) -> bool:
        return not (self.is_trashed or self.is_archived)

    def _stepped(self) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        return {"at": self.now, "by": BEA}

    def _counted(self) -> None:
        self.steps += 1
        self.contents[self.document.version] = self.document.draft
        if self.document.draft_revision_id not in {one.revision_id for one in self.snapshots}:
            self.snapshots.append(snapshot_of(self.document))

    @precondition(lambda self: self.is_at_hand)
    @rule(title=st.sampled_from("AB"), body=st.sampled_from(["", "x"]), sticky=st.booleans())
    def edit(self, title: str, body: str, sticky: bool) -> None:  # noqa: FBT001 - a drawn value
        before = self.document.draft
        content = changed(self.document, title=title, body=body, is_sticky=sticky)
        event = self.document.edit(content, **self._stepped())
        assert (event is None) == (content == before)
        if event is not None:
            self._counted()

    @precondition(lambda self: self.is_at_hand)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.snapshots))
        before = self.document.draft
        event = self.document.revert(old, old.content, **self._stepped())
        assert (event is None) == (old.content == before)
        if event is not None:
            self._counted()

    @precondition(lambda self: self.is_at_hand and self.live is not None)
    @rule()
    def discard(self) -> None:
        live = next(one for one in self.snapshots if one.revision_id == self.document.live_revision_id)
        if self.document.discard(live, **self._stepped()) is not None:
            self._counted()
        assert not self.document.has_unpublished_changes

    @precondition(lambda self: self.is_at_hand)
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        old = data.draw(st.none() | st.sampled_from(self.snapshots))
        event = self.document.publish(old, **self._stepped())
        assert event.revision == (old.revision_id if old else self.document.draft_revision_id)
        self.live = old.content if old else self.document.draft
        self.first = self.first or self.now
        self._counted()

    @precondition(lambda self: self.live is not None)
    @rule()
    def unpublish(self) -> None:
        self.document.unpublish(**self._stepped())
        self.live = None
        self._counted()

    @precondition(lambda self: self.is_at_hand)
    @rule()
    def archive(self) -> None:
        self.document.archive(**self._stepped())
        self.live, self.is_archived = None, True
        self._counted()

    @precondition(lambda self: self.is_archived and not self.is_trashed)
    @rule()
    def unarchive(self) -> None:
        self.document.unarchive(**self._stepped())
        self.is_archived = False
        self._counted()

    @precondition(lambda self: not self.is_trashed)
    @rule()
    def trash(self) -> None:
        self.document.trash(**self._stepped())
        self.live, self.is_trashed = None, True
        self._counted()

    @precondition(lambda self: self.is_trashed)
    @rule()
    def restore(self) -> None:
        self.document.restore(**self._stepped())
        self.is_trashed = False
        self._counted()

    @rule()
    def try_what_is_refused(self) -> None:
        before = {name: getattr(self.document, name) for name in Document.__dataclass_fields__}
        refused: list[tuple[type[Exception], Any]] = []
        now, old = {"at": self.now, "by": ADA}, self.snapshots[0]
        if not self.is_at_hand:
            error = Trashed if self.is_trashed else Archived
            refused += [
                (error, lambda: self.document.publish(**now)),
                (error, lambda: self.document.edit(self.document.draft, **now)),
                (error, lambda: self.document.revert(old, old.content, **now)),
                (error, lambda: self.document.archive(**now)),
            ]
        if self.is_trashed:
            refused.append((Trashed, lambda: self.document.trash(**now)))
        else:
            refused.append((NotTrashed, lambda: self.document.restore(**now)))
            refused.append((NotTrashed, self.document.purged))
        if not self.is_archived:
            refused.append(
                (Trashed if self.is_trashed else NotArchived, lambda: self.document.unarchive(**now))
            )
        if self.live is None:
            refused.append((NotPublished, lambda: self.document.unpublish(**now)))
            refused.append((NotPublished, lambda: self.document.discard(old, **now)))
        for error, step in refused:
            with pytest.raises(error):
                step()
        assert before == {name: getattr(self.document, name) for name in Document.__dataclass_fields__}

    @invariant()
    def each_step_counts_once(self) -> None:
        assert self.document.version == 1 + self.steps

    @invariant()
    def the_draft_is_a_revision(self) -> None:
        found = {one.revision_id: one for one in self.snapshots}[self.document.draft_revision_id]
        assert (found.content, found.hash) == (self.document.draft, self.document.draft_hash)

    @invariant()
    def the_live_copy_is_what_was_published(self) -> None:
        assert self.document.is_live == (self.live is not None)
        assert (self.document.published_at is not None) == self.document.is_live
        assert self.document.live_hash == (self.live.hash() if self.live else None)
        assert self.document.has_unpublished_changes == (
            self.live is not None and self.document.draft != self.live
        )

    @invariant()
    def what_is_laid_aside_is_out_of_sight(self) -> None:
        assert (self.document.trashed_at is not None) == self.is_trashed
        assert (self.document.archived_at is not None) == self.is_archived
        assert self.is_at_hand or not self.document.is_live

    @invariant()
    def the_first_date_stays(self) -> None:
        assert self.document.first_published_at == self.first

    @invariant()
    def whoever_is_stale_hears_at_least_what_is_different(self) -> None:
        for version, content in self.contents.items():
            if version == self.document.version:
                continue
            with pytest.raises(Stale) as caught:
                self.document.check_version(version)
            told = caught.value.members["changed_fields"]
            names = content.__struct_fields__
            assert {n for n in names if getattr(content, n) != getattr(self.document.draft, n)} <= set(told)


TestLife = Life.TestCase

"""What is decided about readers' comments, on fakes."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.fakes_cms import FakeCms
from tests.fakes_readers import FakePlaceQueries, FakeReaderCommentQueries, FakeRules

from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents.errors import DocumentNotFound, Trashed
from cms_api.domains.cms.posts.interface import PostChanges, PostView
from cms_api.domains.cms.reader_comments import policy
from cms_api.domains.cms.reader_comments.configuring import CommentConfiguration
from cms_api.domains.cms.reader_comments.errors import (
    CommentsClosed,
    NothingToRestore,
    ReaderCommentNotFound,
    SaidAlready,
    TooManyComments,
)
from cms_api.domains.cms.reader_comments.hashing import Hashes
from cms_api.domains.cms.reader_comments.interface import (
    READER_COMMENTS,
    NewReaderComment,
    ReaderCommentChanges,
    RuleChanges,
    SettingChanges,
    SubmittedComment,
)
from cms_api.domains.cms.reader_comments.model import ReaderComment
from cms_api.domains.cms.reader_comments.rates import Rate
from cms_api.domains.cms.reader_comments.service import ReaderComments
from cms_api.domains.cms.reader_comments.submitting import Submissions
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import CmsError, Forbidden, Invalid, Stale, Unauthenticated
from cms_api.querying import PageRequest

CLIENT = "192.0.2.1"
MODERATING = frozenset(policy.PERMISSIONS)
OFTEN = Rate(100, 100)


class Readers:
    """The services of readers' comments on fakes, put together."""

    def __init__(self, rate: Rate = OFTEN, beside: "Readers | None" = None) -> None:
        self.cms = beside.cms if beside else FakeCms()
        self.store, self.clock = self.cms.store, self.cms.clock
        rules = FakeRules(self.store)
        self.submissions = Submissions(
            clock=self.clock, rules=rules, users=self.cms.users, hashes=Hashes("x"), rate=rate
        )
        self.moderation = ReaderComments(
            clock=self.clock, queries=FakeReaderCommentQueries(self.store), rules=rules
        )
        self.configuration = CommentConfiguration(
            clock=self.clock, rules=rules, places=FakePlaceQueries(self.store)
        )
        if beside:
            self.post = beside.post

    def rules(self, **values: Any) -> None:
        self.store.comment_rules = msgspec.structs.replace(self.store.comment_rules, **values)

    async def say(
        self,
        body: str = "Hm.",
        *,
        who: Actor = ANONYMOUS,
        on: Any = None,
        kind: str = "post",
        client: str | None = CLIENT,
        **new: Any,
    ) -> SubmittedComment:
        if who.user_id is None:
            new = {"author_name": "Grace", "author_email": "grace@example.org"} | new
        async with self.cms.uow() as uow:
            said, self.quota = await self.submissions.submit(
                uow, who, kind, on or self.post.id, NewReaderComment(body=body, **new), client=client
            )
        return said

    async def act(self, what: str, who: Actor, *more: Any, expected: int | None = None) -> Any:
        async with self.cms.uow() as uow:
            return await getattr(self.moderation, what)(uow, who, *more, expected=expected)

    def stored(self, said: SubmittedComment) -> ReaderComment:
        return self.store.reader_comments[said.id]


@pytest.fixture
async def readers() -> Readers:
    made = Readers()
    async with made.cms.uow() as uow:
        post: PostView = await made.cms.posts.create(uow, SYSTEM, PostChanges(title="Hello"))
        made.post = await made.cms.posts.publish(uow, SYSTEM, post.id, expected=None)
    made.store.events.clear()
    return made


@pytest.fixture
def moderator(readers: Readers) -> Actor:
    return Actor(user_id=readers.cms.users.add("Mod", "mod@example.org"), permissions=MODERATING)


def faults(error: CmsError) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in error.faults]


async def test_a_comment_waits_for_a_moderator(readers: Readers) -> None:
    said = await readers.say("  Well <b>said</b>.\r\n\r\nAnd so on. ", author_url="https://example.org/")
    assert said == SubmittedComment(
        id=said.id,
        state="pending",
        parent=None,
        author_name="Grace",
        author_url="https://example.org/",
        body="Well <b>said</b>.\n\nAnd so on.",
        html='<p dir="auto">Well &lt;b&gt;said&lt;/b&gt;.</p><p dir="auto">And so on.</p>',
        created_at=readers.clock.at,
        version=1,
    )
    stored = readers.stored(said)
    assert (stored.author_email, stored.is_staff, stored.depth) == ("grace@example.org", False, 0)
    assert CLIENT.encode() not in (stored.client_hash or b"")
    assert "grace" not in repr(stored).replace("Grace", "")
    (event,) = readers.store.events
    assert (event.name, event.subject, event.actor) == ("reader_comment.submitted", said.id, None)
    assert "grace" not in msgspec.json.encode(event).decode().lower()


async def test_every_fault_is_told(readers: Readers) -> None:
    with pytest.raises(Invalid) as caught:
        await readers.say("\u200b", author_name=" ", author_email="x", author_url="javascript:x")
    assert faults(caught.value) == [
        ("/author_name", "empty"),
        ("/author_email", "email"),
        ("/author_url", "url"),
        ("/body", "empty"),
    ]
    with pytest.raises(Invalid) as caught:
        await readers.say(author_name=None, author_email=None)
    assert faults(caught.value) == [("/author_name", "required"), ("/author_email", "required")]
    assert readers.store.reader_comments == {}


async def test_who_is_signed_in_has_the_name_of_her_account(readers: Readers, moderator: Actor) -> None:
    ada = Actor(user_id=readers.cms.users.add("Ada", "ada@example.org"))
    said = await readers.say(who=ada)
    stored = readers.stored(said)
    assert (said.author_name, stored.author_email, stored.user_id) == (
        "Ada",
        "ada@example.org",
        ada.user_id,
    )
    assert (said.state, stored.is_staff) == ("pending", False)
    with pytest.raises(Invalid) as caught:
        await readers.say(who=ada, author_name="Grace", author_email="grace@example.org")
    assert faults(caught.value) == [("/author_name", "from_account"), ("/author_email", "from_account")]
    # Who moderates needs nobody's leave, not even for links.
    said = await readers.say("http://a http://b http://c", who=moderator)
    assert (said.state, readers.stored(said).is_staff, readers.quota) == ("approved", True, None)


async def test_replies(readers: Readers, moderator: Actor) -> None:
    thread = await readers.say("0")
    with pytest.raises(Invalid) as caught:
        await readers.say("1", parent=thread.id)
    assert faults(caught.value) == [("/parent", "unknown_reference")]
    await readers.act("moderate", moderator, thread.id, "approved")
    parent = thread
    for depth in range(1, 6):
        parent = await readers.say(str(depth), parent=parent.id)
        assert parent.state == "approved"  # as the first one was
        assert readers.stored(parent).depth == depth
    with pytest.raises(Invalid) as caught:
        await readers.say("6", parent=parent.id)
    assert faults(caught.value) == [("/parent", "too_deep")]
    with pytest.raises(Invalid):
        await readers.say(parent=uuid4())


async def test_where_nobody_may_comment(readers: Readers) -> None:
    for on, kind in ((uuid4(), "post"), (readers.post.id, "page")):
        with pytest.raises(NothingPublished):
            await readers.say(on=on, kind=kind)
    readers.rules(types={"post": False})
    with pytest.raises(CommentsClosed):
        await readers.say()
    readers.rules(types={}, closes_after_days=1)
    await readers.say()
    readers.clock.move(days=1)
    with pytest.raises(CommentsClosed):
        await readers.say("later")
    async with readers.cms.uow() as uow:
        await readers.cms.posts.unpublish(uow, SYSTEM, readers.post.id, expected=None)
    with pytest.raises(NothingPublished):
        await readers.say("too late")
    assert len(readers.store.reader_comments) == 1


async def test_what_is_let_through(readers: Readers, moderator: Actor) -> None:
    first = await readers.say("1")
    assert (await readers.say("2")).state == "pending"
    await readers.act("moderate", moderator, first.id, "approved")
    assert (await readers.say("3", author_email="GRACE@example.org")).state == "approved"
    assert (await readers.say("4", author_email="other@example.org")).state == "pending"
    await readers.act("moderate", moderator, first.id, "trash")
    for comment in list(readers.store.reader_comments.values()):
        await readers.act("moderate", moderator, comment.id, "pending")
    assert (await readers.say("5")).state == "pending"
    readers.rules(previously_approved=False)
    await readers.act("moderate", moderator, first.id, "approved")
    assert (await readers.say("6")).state == "pending"
    readers.rules(requires_moderation=False)
    assert (await readers.say("7", author_email="new@example.org")).state == "approved"


async def test_spam_is_answered_like_everything_else(readers: Readers) -> None:
    readers.rules(requires_moderation=False, blocked_words=("casino",), blocked_networks=("192.0.2.0/24",))
    for body, client, new, reason in (
        ("Casino", "10.0.0.1", {}, "word"),
        ("hello", CLIENT, {}, "network"),
        ("hi", "10.0.0.1", {"website": "https://x.example"}, "honeypot"),
    ):
        said = await readers.say(body, client=client, **new)
        stored = readers.stored(said)
        assert (said.state, stored.state, stored.reason) == ("approved", "spam", reason)
        assert stored.state_before == "pending"
    fine = await readers.say("fine", client=None)
    assert (fine.state, readers.stored(fine).state, readers.stored(fine).client_hash) == (
        "approved",
        "approved",
        None,
    )


async def test_saying_the_same_again(readers: Readers) -> None:
    await readers.say("Well said.")
    for body in ("Well said.", "  well   SAID. "):
        with pytest.raises(SaidAlready):
            await readers.say(body)
    await readers.say("Well said.", author_email="other@example.org")
    readers.clock.move(hours=1)
    await readers.say("Well said.")
    assert len(readers.store.reader_comments) == 3


async def test_how_often(readers: Readers, moderator: Actor) -> None:
    limited = Readers(Rate(2, 60), readers)
    await limited.say("1")
    assert (limited.quota.remaining, limited.quota.reset) == (1, 30)  # type: ignore[union-attr]
    with pytest.raises(SaidAlready):
        await limited.say("1")  # counts, too
    with pytest.raises(TooManyComments) as caught:
        await limited.say("3")
    assert caught.value.members == {
        "policy": "comments", "limit": 2, "window": 60, "remaining": 0, "reset": 60, "retry_after": 30,
    }  # fmt: skip
    # The same e-mail address from elsewhere, and another one from the same client.
    for other in ({"client": "10.0.0.1"}, {"author_email": "other@example.org"}):
        with pytest.raises(TooManyComments):
            await limited.say("4", **other)  # type: ignore[arg-type]
    # Nothing was taken from the buckets of who was refused.
    for n in range(2):
        await limited.say(f"5{n}", author_email="other@example.org", client="10.0.0.1")
    limited.clock.move(seconds=30)
    await limited.say("6")
    for n in range(5):
        await limited.say(f"7{n}", who=moderator)


async def test_states(readers: Readers, moderator: Actor) -> None:
    said = await readers.say()
    readers.clock.move(minutes=1)
    shown = await readers.act("moderate", moderator, said.id, "approved", expected=1)
    assert (shown.state, shown.version, shown.moderated_at, shown.moderated_by) == (
        "approved",
        2,
        readers.clock.at,
        moderator.user_id,
    )
    assert await readers.act("moderate", moderator, said.id, "approved") == shown
    with pytest.raises(NothingToRestore):
        await readers.act("restore", moderator, said.id)
    # Through spam into the trash and back to where it was before both.
    await readers.act("moderate", moderator, said.id, "spam")
    await readers.act("moderate", moderator, said.id, "trash")
    assert (await readers.act("restore", moderator, said.id)).state == "approved"
    assert (await readers.act("moderate", moderator, said.id, "pending")).state == "pending"
    await readers.act("moderate", moderator, said.id, "trash")
    assert (await readers.act("restore", moderator, said.id)).state == "pending"
    assert [e.name for e in readers.store.events[1:]] == ["reader_comment.moderated"] * 7
    assert [(e.before, e.state) for e in readers.store.events[1:3]] == [  # type: ignore[attr-defined]
        ("pending", "approved"),
        ("approved", "spam"),
    ]


async def test_many(readers: Readers, moderator: Actor) -> None:
    said = [await readers.say(str(n)) for n in range(3)]
    await readers.act("moderate", moderator, said[0].id, "spam")
    readers.store.events.clear()
    missing = uuid4()
    ids = [said[2].id, missing, said[0].id, said[1].id, said[2].id]
    async with readers.cms.uow() as uow:
        done = await readers.moderation.moderate_many(uow, moderator, ids, "spam")
    assert (done.changed, done.unchanged, done.missing) == (
        [said[2].id, said[1].id],
        [said[0].id],
        [missing],
    )
    assert len(readers.store.events) == 2
    assert {one.version for one in readers.store.reader_comments.values()} == {2}


async def test_editing_and_deleting(readers: Readers, moderator: Actor) -> None:
    said = await readers.say(author_url="https://example.org/")
    changes = ReaderCommentChanges(body="In <other> words.", author_name=" G ", author_url=None)
    shown = await readers.act("update", moderator, said.id, changes, expected=1)
    assert (shown.body, shown.author_name, shown.author_url, shown.version) == (
        "In <other> words.", "G", None, 2,
    )  # fmt: skip
    assert shown.html == '<p dir="auto">In &lt;other&gt; words.</p>'
    assert await readers.act("update", moderator, said.id, changes) == shown
    with pytest.raises(Invalid) as caught:
        wrong = ReaderCommentChanges(body="\0", author_name="\0", author_url="x")
        await readers.act("update", moderator, said.id, wrong)
    assert [pointer for pointer, _ in faults(caught.value)] == ["/body", "/author_name", "/author_url"]
    with pytest.raises(Stale):
        await readers.act("delete", moderator, said.id, expected=1)
    await readers.act("delete", moderator, said.id, expected=2)
    assert readers.store.reader_comments == {}
    assert readers.cms.names()[1:] == ["reader_comment.updated", "reader_comment.deleted"]


async def test_erasing(readers: Readers, moderator: Actor) -> None:
    said = [await readers.say(str(n)) for n in range(2)]
    other = await readers.say(author_email="other@example.org")
    async with readers.cms.uow() as uow:
        assert await readers.moderation.erase(uow, moderator, "Grace@Example.org") == 2
        assert await readers.moderation.erase(uow, moderator, "grace@example.org") == 0
    stored = readers.stored(said[0])
    assert (stored.author_name, stored.author_email, stored.body) == (None, None, "0")
    assert readers.stored(other).author_name == "Grace"
    events = [e for e in readers.store.events if e.name == "reader_comment.erased"]
    assert {e.subject for e in events} == {one.id for one in said}
    with pytest.raises(Invalid):
        async with readers.cms.uow() as uow:
            await readers.moderation.erase(uow, moderator, "nobody")


async def test_housekeeping(readers: Readers, moderator: Actor) -> None:
    said = [await readers.say(str(n)) for n in range(4)]
    await readers.act("moderate", moderator, said[0].id, "spam")
    await readers.act("moderate", moderator, said[1].id, "trash")
    readers.rules(spam_days=5, trash_days=None)
    readers.clock.move(days=5)
    assert await readers.moderation.purge(readers.cms.uow) == 0
    assert readers.store.comment_rates == {}
    readers.clock.move(seconds=1)
    assert await readers.moderation.purge(readers.cms.uow) == 1
    assert readers.store.events[-1].subject == readers.post.id
    assert readers.stored(said[2]).client_hash is not None
    readers.clock.move(days=26)
    assert await readers.moderation.purge(readers.cms.uow) == 0
    assert readers.stored(said[2]).client_hash is None


async def test_who_may(readers: Readers, moderator: Actor) -> None:
    said = await readers.say()
    page = PageRequest(sort=READER_COMMENTS.sort)
    looking: list[Any] = [
        lambda who: readers.moderation.list(who, page),
        lambda who: readers.moderation.get(who, said.id),
        readers.moderation.counts,
        readers.configuration.rules,
        lambda who: readers.configuration.settings(who, "post", readers.post.id),
    ]

    async def many(who: Actor) -> None:
        async with readers.cms.uow() as uow:
            await readers.moderation.moderate_many(uow, who, [said.id], "spam")

    async def erase(who: Actor) -> None:
        async with readers.cms.uow() as uow:
            await readers.moderation.erase(uow, who, "grace@example.org")

    async def change_rules(who: Actor) -> None:
        async with readers.cms.uow() as uow:
            await readers.configuration.change_rules(uow, who, RuleChanges(max_links=0), expected=None)

    async def change_settings(who: Actor) -> None:
        async with readers.cms.uow() as uow:
            await readers.configuration.change_settings(
                uow, who, "post", readers.post.id, SettingChanges(is_open=False), expected=None
            )

    moderating: list[Any] = [
        many,
        erase,
        lambda who: readers.act("moderate", who, said.id, "spam"),
        lambda who: readers.act("restore", who, said.id),
        lambda who: readers.act("update", who, said.id, ReaderCommentChanges(body="x")),
        lambda who: readers.act("delete", who, said.id),
    ]
    for works, permission in (
        (looking, policy.READ),
        (moderating, policy.MODERATE),
        ([change_rules, change_settings], policy.CONFIGURE),
    ):
        for work in works:
            with pytest.raises(Unauthenticated):
                await work(ANONYMOUS)
            with pytest.raises(Forbidden) as caught:
                await work(Actor(user_id=uuid4(), permissions=MODERATING - {permission}))
            assert caught.value.members == {"permission": permission}
    assert readers.stored(said).version == 1
    for what in (
        lambda: readers.moderation.get(moderator, uuid4()),
        lambda: readers.act("moderate", moderator, uuid4(), "spam"),
    ):
        with pytest.raises(ReaderCommentNotFound):
            await what()


async def test_rules_and_settings(readers: Readers, moderator: Actor) -> None:
    async with readers.cms.uow() as uow:
        rules = await readers.configuration.change_rules(
            uow, moderator, RuleChanges(types={"post": False}, blocked_words=("A",)), expected=1
        )
    assert (rules.version, rules.blocked_words, rules.updated_by) == (2, ("a",), moderator.user_id)
    async with readers.cms.uow() as uow:
        same = await readers.configuration.change_rules(
            uow, moderator, RuleChanges(blocked_words=("a",)), expected=2
        )
        assert same == rules
        with pytest.raises(Stale):
            await readers.configuration.change_rules(uow, moderator, RuleChanges(), expected=1)
    shown = await readers.configuration.settings(moderator, "post", readers.post.id)
    assert (shown.is_open, shown.accepts, shown.version) == (None, False, 1)

    async def change(expected: int | None, **values: Any) -> Any:
        async with readers.cms.uow() as uow:
            return await readers.configuration.change_settings(
                uow, moderator, "post", readers.post.id, SettingChanges(**values), expected=expected
            )

    shown = await change(1, is_open=True)
    assert (shown.is_open, shown.accepts, shown.version) == (True, True, 2)
    assert await change(2, is_open=True) == shown
    with pytest.raises(Stale):
        await change(1, is_open=False)
    assert (await change(2, closes_at=readers.clock.at)).accepts is False
    with pytest.raises(DocumentNotFound):
        await readers.configuration.settings(moderator, "page", readers.post.id)
    async with readers.cms.uow() as uow:
        await readers.cms.posts.trash(uow, SYSTEM, readers.post.id, expected=None)
    with pytest.raises(Trashed):
        await change(None, is_open=False)
    assert readers.cms.names()[:3] == ["comment_rules.updated"] + ["comment_settings.updated"] * 2

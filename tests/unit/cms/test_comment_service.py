"""What is decided about editorial comments, on fakes."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.comments import policy
from cms_api.domains.cms.comments.errors import CommentNotFound, HasReplies, NotAThread
from cms_api.domains.cms.comments.interface import (
    COMMENTS,
    CommentChanges,
    CommentView,
    NewComment,
)
from cms_api.domains.cms.comments.model import check_field
from cms_api.domains.cms.documents.errors import DocumentNotFound, Trashed
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.pages.interface import PageChanges
from cms_api.domains.cms.posts.interface import PostChanges, PostView
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import CmsError, Forbidden, Invalid, Stale, Unauthenticated
from cms_api.querying import PageRequest

WRITING = frozenset({READ, policy.WRITE})


def actor(cms: FakeCms, name: str, permissions: frozenset[str] = WRITING) -> Actor:
    return Actor(user_id=cms.users.add(name, f"{name}@example.org"), permissions=permissions)


@pytest.fixture
def ada(cms: FakeCms) -> Actor:
    return actor(cms, "Ada")


@pytest.fixture
def bea(cms: FakeCms) -> Actor:
    return actor(cms, "Bea")


@pytest.fixture
def moderator(cms: FakeCms) -> Actor:
    return actor(cms, "Mod", WRITING | {policy.MODERATE})


@pytest.fixture
async def post(cms: FakeCms) -> PostView:
    async with cms.uow() as uow:
        made = await cms.posts.create(uow, SYSTEM, PostChanges(title="Hello"))
    cms.store.events.clear()
    return made


@pytest.fixture
def say(cms: FakeCms, post: PostView):
    async def work(who: Actor, body: str = "Hm.", **new: Any) -> CommentView:
        async with cms.uow() as uow:
            return await cms.comments.create(uow, who, "post", post.id, NewComment(body=body, **new))

    return work


@pytest.fixture
def act(cms: FakeCms, post: PostView):
    """Does something to a comment in a unit of work of its own."""

    async def work(
        what: str, who: Actor, comment: CommentView, *more: Any, expected: int | None = None
    ) -> Any:
        async with cms.uow() as uow:
            return await getattr(cms.comments, what)(
                uow, who, "post", post.id, comment.id, *more, expected=expected
            )

    return work


def new_words(body: str = "In other words.") -> CommentChanges:
    return CommentChanges(body=body)


def faults(error: CmsError) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in error.faults]


async def test_a_thread_is_begun(cms: FakeCms, post: PostView, ada: Actor, say) -> None:
    made = await say(ada, "Who says so?", field="/body", quote="It is known")
    assert made == CommentView(
        id=made.id,
        document_id=post.id,
        parent_id=None,
        field="/body",
        quote="It is known",
        body="Who says so?",
        author_id=ada.user_id,
        author_name="Ada",
        resolved_at=None,
        resolved_by=None,
        version=1,
        created_at=cms.clock.at,
        updated_at=cms.clock.at,
    )
    assert await cms.comments.get(ada, "post", post.id, made.id) == made
    (event,) = cms.store.events
    assert (event.name, event.subject, event.actor) == ("comment.created", made.id, ada.user_id)


async def test_a_reply_is_about_what_its_thread_is(cms: FakeCms, ada: Actor, bea: Actor, say) -> None:
    thread = await say(ada, field="/body", quote="It is known")
    reply = await say(bea, "Grace.", parent_id=thread.id)
    assert (reply.parent_id, reply.field, reply.quote, reply.author_name) == (thread.id, "/body", None, "Bea")
    assert cms.store.events[-1].parent_id == thread.id  # type: ignore[attr-defined]


async def test_a_reply_has_no_replies(cms: FakeCms, ada: Actor, say) -> None:
    reply = await say(ada, parent_id=(await say(ada)).id)
    for new, expected in (
        ({"parent_id": reply.id}, [("/parent_id", "not_nestable")]),
        ({"parent_id": uuid4()}, [("/parent_id", "unknown_reference")]),
        (
            {"parent_id": uuid4(), "field": "/body", "quote": "x"},
            [("/field", "reply"), ("/quote", "reply"), ("/parent_id", "unknown_reference")],
        ),
    ):
        with pytest.raises(Invalid) as caught:
            await say(ada, **new)
        assert faults(caught.value) == expected
    assert len(cms.store.comments) == 2


@pytest.mark.parametrize(
    "field", ["/body", "/title", "/seo/title", "/tags/0", "/is_sticky", "/body/", "/seo/a~1b~0c", "/body/é"]
)
async def test_fields_that_are_there(ada: Actor, say, field: str) -> None:
    assert (await say(ada, field=field)).field == field


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("", "pointer"),
        ("body", "pointer"),
        ("#/body", "pointer"),
        ("/seo/~", "pointer"),
        ("/seo/~2", "pointer"),
        ("/bo~dy", "pointer"),
        ("/body\n", "pointer"),
        ("/body/\0", "pointer"),
        ("/", "unknown_field"),
        ("//body", "unknown_field"),
        ("/bodi", "unknown_field"),
        ("/../body", "unknown_field"),
        ("/~1body", "unknown_field"),
        ("/body~0", "unknown_field"),
        ("/menu_order", "unknown_field"),
        ("/version", "unknown_field"),
        ("/__class__", "unknown_field"),
        ("/BODY", "unknown_field"),
        ("/" + "x" * 400, "unknown_field"),
    ],
)
async def test_fields_that_are_not(cms: FakeCms, ada: Actor, say, field: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        await say(ada, field=field)
    assert faults(caught.value) == [("/field", code)]
    assert len(caught.value.detail) < 200
    assert cms.store.comments == {}


@given(st.text() | st.text().map("/body{}".format) | st.text(alphabet="/~01seo").map("/{}".format))
def test_a_field_is_taken_as_it_is_or_refused(field: str) -> None:
    known = ("body", "seo")
    try:
        assert check_field(field, known) == field
    except Invalid as error:
        assert faults(error)[0][0] == "/field"  # noqa: PT017 - either is right
    else:
        assert field.startswith(("/body", "/seo"))
        assert field[1:].partition("/")[0] in known


async def test_fields_of_pages(cms: FakeCms, ada: Actor) -> None:
    async with cms.uow() as uow:
        page = await cms.pages.create(uow, SYSTEM, PageChanges(title="About"))
        new = NewComment(body="x", field="/menu_order")
        made = await cms.comments.create(uow, ada, "page", page.id, new)
        assert made.field == "/menu_order"
        with pytest.raises(Invalid, match="tags"):
            await cms.comments.create(uow, ada, "page", page.id, NewComment(body="x", field="/tags"))


async def test_words_are_changed(cms: FakeCms, ada: Actor, moderator: Actor, say, act) -> None:
    made = await say(ada)
    cms.clock.move(minutes=1)
    changed = await act("update", ada, made, new_words(), expected=1)
    assert (changed.body, changed.version, changed.updated_at) == ("In other words.", 2, cms.clock.at)
    assert (changed.created_at, changed.author_name) == (made.created_at, "Ada")
    assert await act("update", ada, made, new_words()) == changed
    assert await act("update", ada, made, CommentChanges()) == changed
    moderated = await act("update", moderator, made, new_words("…"))
    assert (moderated.body, moderated.author_id, moderated.version) == ("…", ada.user_id, 3)
    assert cms.names() == ["comment.created", "comment.updated", "comment.updated"]
    assert cms.store.events[-1].actor == moderator.user_id


async def test_threads_are_settled_by_anybody_who_may_write(
    cms: FakeCms, ada: Actor, bea: Actor, say, act
) -> None:
    thread = await say(ada)
    reply = await say(ada, parent_id=thread.id)
    settled = await act("resolve", bea, thread, expected=1)
    assert (settled.resolved_at, settled.resolved_by, settled.version) == (cms.clock.at, bea.user_id, 2)
    cms.clock.move(minutes=1)
    assert await act("resolve", ada, thread, expected=2) == settled
    # One may still reply; that does not open it again.
    await say(bea, parent_id=thread.id)
    assert (await cms.comments.get(ada, "post", thread.document_id, thread.id)).resolved_at is not None
    opened = await act("reopen", ada, thread, expected=2)
    assert (opened.resolved_at, opened.resolved_by, opened.version) == (None, None, 3)
    assert await act("reopen", ada, thread) == opened
    for what in ("resolve", "reopen"):
        with pytest.raises(NotAThread):
            await act(what, ada, reply)
    assert cms.names() == ["comment.created"] * 2 + [
        "comment.resolved",
        "comment.created",
        "comment.reopened",
    ]


async def test_a_comment_is_deleted(cms: FakeCms, ada: Actor, say, act) -> None:
    thread = await say(ada)
    own = await say(ada, parent_id=thread.id)
    await say(ada, parent_id=thread.id)
    await act("delete", ada, own, expected=1)
    await act("delete", ada, thread, expected=1)
    assert cms.store.comments == {}
    assert [(e.name, e.replies) for e in cms.store.events[-2:]] == [  # type: ignore[attr-defined]
        ("comment.deleted", 0),
        ("comment.deleted", 1),
    ]


async def test_replies_of_others_go_only_with_a_moderator(
    cms: FakeCms, ada: Actor, bea: Actor, moderator: Actor, say, act
) -> None:
    thread = await say(ada)
    await say(ada, parent_id=thread.id)
    await say(bea, parent_id=thread.id)
    with pytest.raises(HasReplies) as caught:
        await act("delete", ada, thread)
    assert caught.value.members == {"replies": 1}
    assert len(cms.store.comments) == 3
    await act("delete", moderator, thread)
    assert cms.store.comments == {}


async def test_others_comments_are_theirs(cms: FakeCms, ada: Actor, bea: Actor, say, act) -> None:
    made = await say(ada)
    for what, more in (("update", [new_words()]), ("delete", [])):
        with pytest.raises(Forbidden) as caught:
            await act(what, bea, made, *more)
        assert caught.value.members == {"permission": policy.MODERATE}
    assert cms.names() == ["comment.created"]


CHANGES = pytest.mark.parametrize(
    ("what", "more"), [("update", [new_words()]), ("delete", []), ("resolve", []), ("reopen", [])]
)


@CHANGES
async def test_a_stale_change(cms: FakeCms, ada: Actor, say, act, what: str, more: list[Any]) -> None:
    made = await say(ada)
    await act("update", ada, made, new_words("Newer."))
    with pytest.raises(Stale) as caught:
        await act(what, ada, made, *more, expected=1)
    assert caught.value.members == {"current_version": 2}
    assert cms.store.comments[made.id].body == "Newer."


@CHANGES
async def test_what_hangs_on_the_trash_can_be_read_only(
    cms: FakeCms, post: PostView, ada: Actor, moderator: Actor, say, act, what: str, more: list[Any]
) -> None:
    made = await say(ada)
    async with cms.uow() as uow:
        await cms.posts.trash(uow, SYSTEM, post.id, expected=None)
    for who in (ada, moderator):
        with pytest.raises(Trashed):
            await act(what, who, made, *more)
        with pytest.raises(Trashed):
            await say(who)
    assert await cms.comments.get(ada, "post", post.id, made.id) == made
    async with cms.uow() as uow:
        await cms.posts.restore(uow, SYSTEM, post.id, expected=None)
    await act(what, ada, made, *more)


@CHANGES
async def test_a_comment_belongs_to_its_document(
    cms: FakeCms, post: PostView, ada: Actor, say, what: str, more: list[Any]
) -> None:
    made = await say(ada)
    async with cms.uow() as uow:
        other = await cms.posts.create(uow, SYSTEM, PostChanges(title="Other"))
    for kind, document_id, comment_id, error in (
        ("post", other.id, made.id, CommentNotFound),
        ("post", post.id, uuid4(), CommentNotFound),
        ("page", post.id, made.id, DocumentNotFound),
        ("post", uuid4(), made.id, DocumentNotFound),
    ):
        with pytest.raises(error):
            async with cms.uow() as uow:
                await getattr(cms.comments, what)(
                    uow, ada, kind, document_id, comment_id, *more, expected=None
                )
        with pytest.raises(error):
            await cms.comments.get(ada, kind, document_id, comment_id)
    with pytest.raises(Invalid):
        async with cms.uow() as uow:
            await cms.comments.create(uow, ada, "post", other.id, NewComment(body="x", parent_id=made.id))


@CHANGES
async def test_who_may(cms: FakeCms, ada: Actor, say, act, what: str, more: list[Any]) -> None:
    made = await say(ada)
    assert ada.user_id is not None
    reader = actor(cms, "Rea", frozenset({READ}))
    for who, error in (
        (ANONYMOUS, Unauthenticated),
        (Actor(user_id=uuid4()), Forbidden),
        (reader, Forbidden),
        (Actor(user_id=ada.user_id, permissions=frozenset({READ})), Forbidden),
        (Actor(user_id=ada.user_id, permissions=frozenset({policy.WRITE})), Forbidden),
    ):
        with pytest.raises(error):
            await act(what, who, made, *more)
        with pytest.raises(error):
            await say(who)
    with pytest.raises(Unauthenticated):
        await say(SYSTEM)
    assert (await cms.comments.get(reader, "post", made.document_id, made.id)).id == made.id
    assert cms.names() == ["comment.created"]


async def test_lists_have_names(cms: FakeCms, post: PostView, ada: Actor, bea: Actor, say) -> None:
    thread = await say(ada)
    cms.clock.move(seconds=1)
    await say(bea, parent_id=thread.id)
    del cms.users.users[bea.user_id]  # type: ignore[arg-type]
    found = await cms.comments.list(ada, "post", post.id, PageRequest(sort=COMMENTS.sort))
    assert [one.author_name for one in found.items] == ["Ada", None]
    with pytest.raises(Forbidden):
        await cms.comments.list(Actor(user_id=uuid4()), "post", post.id, PageRequest(sort=COMMENTS.sort))
    for kind, document_id in (("post", UUID(int=7)), ("page", post.id)):
        with pytest.raises(DocumentNotFound):
            await cms.comments.list(ada, kind, document_id, PageRequest(sort=COMMENTS.sort))

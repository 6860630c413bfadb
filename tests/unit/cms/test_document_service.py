"""The document engine's decisions, for posts and pages, on fakes."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.fakes_cms import FakeCms, in_chunks

from cms_api.domains.cms.authors.interface import AuthorChanges
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.content import Seo
from cms_api.domains.cms.documents.errors import (
    AddressTaken,
    DocumentNotFound,
    HasChildren,
    NotPublished,
    NotTrashed,
    SlugTaken,
    Trashed,
)
from cms_api.domains.cms.media.interface import MediaChanges
from cms_api.domains.cms.pages.interface import PageChanges, PageView
from cms_api.domains.cms.posts.interface import PostChanges, PostView
from cms_api.domains.cms.taxonomies.interface import TermChanges
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import CmsError, Forbidden, Invalid, Stale, Unauthenticated
from cms_api.querying import PageRequest, SortKey

ALL = frozenset(policy.PERMISSIONS)
OWN = frozenset(
    {policy.READ, policy.CREATE} | {f"{name}_own" for name in (policy.EDIT, policy.PUBLISH, policy.DELETE)}
)


@pytest.fixture
def editor(cms: FakeCms) -> Actor:
    return Actor(user_id=cms.users.add("Eve", "eve@example.org"), permissions=ALL)


@pytest.fixture
def writer(cms: FakeCms) -> Actor:
    return Actor(user_id=cms.users.add("Wim", "wim@example.org"), permissions=OWN)


@pytest.fixture
def create(cms: FakeCms, editor: Actor):
    async def work(actor: Actor = editor, /, **values: Any) -> PostView:
        async with cms.uow() as uow:
            return await cms.posts.create(uow, actor, PostChanges(**({"title": "Hello, world"} | values)))

    return work


@pytest.fixture
def create_page(cms: FakeCms, editor: Actor):
    async def work(title: str, **values: Any) -> PageView:
        async with cms.uow() as uow:
            return await cms.pages.create(uow, editor, PageChanges(title=title, **values))

    return work


@pytest.fixture
def act(cms: FakeCms, editor: Actor):
    """Does something to a post, or a page, in a unit of work of its own."""

    async def work(
        what: str, view: Any, *more: Any, actor: Actor = editor, expected: int | None = None
    ) -> Any:
        service = cms.pages if view.type == "page" else cms.posts
        async with cms.uow() as uow:
            return await getattr(service, what)(uow, actor, view.id, *more, expected=expected)

    return work


def faults(error: CmsError) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in error.faults]


# Creating


async def test_a_post_begins_as_a_draft(cms: FakeCms, editor: Actor, create) -> None:
    made = await create(body="<p>" + "word " * 300 + "</p>", seo=Seo(title="T"))
    assert (made.type, made.slug, made.status, made.locale, made.version) == (
        "post",
        "hello-world",
        "draft",
        "en",
        1,
    )
    assert (made.created_at, made.published_at, made.trashed_at) == (cms.clock.at, None, None)
    assert (made.reading_time, made.seo, made.format) == (2, Seo(title="T"), "html")
    assert not made.has_unpublished_changes
    assert cms.store.documents[made.id].created_by == editor.user_id
    (created,) = [event for event in cms.store.events if event.name == "document.created"]
    assert (created.subject, created.actor) == (made.id, editor.user_id)


async def test_who_names_no_author_is_the_author(cms: FakeCms, editor: Actor, create) -> None:
    first, second = await create(), await create()
    (author,) = cms.store.authors.values()
    assert (author.user_id, author.name, author.slug) == (editor.user_id, "Eve", "eve")
    assert first.authors == second.authors == (author.id,)
    assert first.author == author.id
    assert cms.names().count("resource.created") == 1


async def test_no_author_is_made_for_who_names_authors(cms: FakeCms, create) -> None:
    made = await create(authors=())
    assert (made.author, made.authors) == (None, ())
    assert cms.store.authors == {}


async def test_the_system_writes_under_no_name(create) -> None:
    assert (await create(SYSTEM)).authors == ()


async def test_no_author_stays_where_the_post_fails(cms: FakeCms, create) -> None:
    with pytest.raises(Invalid):
        await create(tags=(uuid4(),))
    assert cms.store.authors == {}
    assert cms.store.documents == {}
    assert cms.store.events == []


async def test_a_title_is_needed(cms: FakeCms, editor: Actor) -> None:
    async with cms.uow() as uow:
        with pytest.raises(Invalid) as caught:
            await cms.posts.create(uow, editor, PostChanges(body="x"))
    assert faults(caught.value) == [("/title", "required")]


async def test_a_slug_is_made_unique(create) -> None:
    slugs = [(await create(title=title)).slug for title in ("News", "news!", "NEWS", "News 2", "News")]
    assert slugs == ["news", "news-2", "news-3", "news-2-2", "news-4"]


async def test_a_given_slug_is_kept_or_refused(create) -> None:
    assert (await create(slug="Mine")).slug == "mine"
    with pytest.raises(SlugTaken) as caught:
        await create(slug="mine")
    assert caught.value.members == {"slug": "mine"}
    with pytest.raises(Invalid) as invalid:
        await create(slug="not / a slug")
    assert faults(invalid.value) == [("/slug", "slug")]


async def test_locales_have_slugs_of_their_own(cms: FakeCms, editor: Actor, create) -> None:
    await create(slug="mine")
    async with cms.uow() as uow:
        german = await cms.posts.create(uow, editor, PostChanges(title="M", slug="mine"), locale="de")
    assert (german.slug, german.locale) == ("mine", "de")


async def test_all_faults_are_told_at_once(cms: FakeCms, create) -> None:
    async with cms.uow() as uow:
        tag = await cms.terms.create(uow, SYSTEM, "tag", TermChanges(name="News"))
    with pytest.raises(Invalid) as caught:
        await create(
            slug="a b",
            authors=(uuid4(), uuid4()),
            categories=(tag.id,),
            tags=(tag.id, uuid4(), tag.id),
            cover=uuid4(),
        )
    assert sorted(faults(caught.value)) == [
        ("/authors/0", "unknown_reference"),
        ("/authors/1", "unknown_reference"),
        ("/categories/0", "unknown_reference"),
        ("/cover", "unknown_reference"),
        ("/slug", "slug"),
        ("/tags/1", "unknown_reference"),
        ("/tags/2", "duplicate"),
    ]


async def test_what_is_pointed_at_comes_back_in_order(cms: FakeCms, create) -> None:
    async with cms.uow() as uow:
        authors = [
            (await cms.authors.create(uow, SYSTEM, AuthorChanges(name=name))).id for name in ("Zoe", "Ada")
        ]
        category = (await cms.terms.create(uow, SYSTEM, "category", TermChanges(name="C"))).id
        cover = (
            await cms.media.upload(
                uow, SYSTEM, filename="a.txt", chunks=in_chunks(b"a"), changes=MediaChanges()
            )
        ).id
    made = await create(authors=tuple(authors), categories=(category,), cover=cover)
    assert (made.author, made.authors) == (authors[0], tuple(authors))
    assert (made.categories, made.cover) == ((category,), cover)


async def test_an_import_sets_the_date(cms: FakeCms) -> None:
    long_ago = cms.clock.at - timedelta(days=3000)
    async with cms.uow() as uow:
        made = await cms.posts.create(uow, SYSTEM, PostChanges(title="Old"), created_at=long_ago)
    assert made.created_at == long_ago


# Changing


async def test_a_change_is_stored_with_its_event(cms: FakeCms, create, act) -> None:
    made = await create()
    cms.clock.move(hours=1)
    changed = await act("update", made, PostChanges(title="Bye", excerpt="x"), expected=1)
    assert (changed.title, changed.slug, changed.version) == ("Bye", "hello-world", 2)
    assert changed.updated_at == cms.clock.at
    event = cms.store.events[-1]
    assert (event.name, sorted(event.changed)) == ("document.updated", ["excerpt", "title"])  # type: ignore[attr-defined]


async def test_no_change_is_no_event(cms: FakeCms, create, act) -> None:
    made = await create()
    before = cms.names()
    same = await act("update", made, PostChanges(title=made.title), expected=1)
    assert (same.version, cms.names()) == (1, before)


async def test_a_stale_change_hears_what_it_missed(create, act) -> None:
    made = await create()
    await act("update", made, PostChanges(title="B", body="b"), expected=1)
    await act("update", made, PostChanges(tags=(), excerpt="c"), expected=2)
    with pytest.raises(Stale) as caught:
        await act("update", made, PostChanges(title="mine"), expected=1)
    assert caught.value.members == {"current_version": 3, "changed_fields": ["body", "excerpt", "title"]}
    with pytest.raises(Stale) as caught:
        await act("publish", made, expected=2)
    assert caught.value.members == {"current_version": 3, "changed_fields": ["excerpt"]}
    await act("update", made, PostChanges(title="mine"), expected=None)


async def test_a_taken_slug_is_refused(create, act) -> None:
    await create(slug="taken")
    made = await create()
    with pytest.raises(SlugTaken):
        await act("update", made, PostChanges(slug="taken"))
    with pytest.raises(Invalid) as caught:
        await act("update", made, PostChanges(slug="-", tags=(uuid4(),)))
    assert faults(caught.value) == [("/slug", "slug"), ("/tags/0", "unknown_reference")]


async def test_only_new_links_are_looked_at(cms: FakeCms, create, act) -> None:
    """What vanished in the meantime is no fault of whoever changes something else."""
    async with cms.uow() as uow:
        tag = await cms.terms.create(uow, SYSTEM, "tag", TermChanges(name="News"))
    made = await create(tags=(tag.id,))
    del cms.store.terms[tag.id]
    assert (await act("update", made, PostChanges(title="B"))).tags == (tag.id,)
    with pytest.raises(Invalid) as caught:
        await act("publish", made)
    assert faults(caught.value) == [("/tags/0", "unknown_reference")]


# Publishing


async def test_a_draft_becomes_what_readers_see(cms: FakeCms, create, act) -> None:
    made = await create(body="<p>Hi <b>there</b></p>")
    published = await act("publish", made, expected=1)
    assert (published.status, published.version, published.published_at) == ("published", 2, cms.clock.at)
    live = cms.store.publications[made.id]
    assert (live.path, live.version, live.fields["body"], live.fields["excerpt"]) == (
        "hello-world",
        2,
        "<p>Hi there</p>",
        "Hi there",
    )
    assert cms.names()[-1] == "document.published"


async def test_the_draft_goes_on_behind_readers_backs(cms: FakeCms, create, act) -> None:
    made = await create()
    await act("publish", made)
    changed = await act("update", made, PostChanges(title="Next"))
    assert changed.has_unpublished_changes
    assert cms.store.publications[made.id].content.title == "Hello, world"
    cms.clock.move(days=1)
    again = await act("publish", made)
    assert not again.has_unpublished_changes
    assert again.published_at == cms.clock.at - timedelta(days=1)
    assert cms.store.publications[made.id].content.title == "Next"
    assert len(cms.store.revisions) == 2


async def test_an_address_is_live_once(create, act) -> None:
    first = await create(slug="same")
    await act("publish", first)
    await act("update", first, PostChanges(slug="moved"))
    second = await create(slug="same")
    with pytest.raises(AddressTaken):
        await act("publish", second)
    await act("publish", first)
    assert (await act("publish", second)).status == "published"


async def test_unpublishing_takes_the_live_copy_away(cms: FakeCms, create, act) -> None:
    made = await create()
    with pytest.raises(NotPublished):
        await act("unpublish", made)
    await act("publish", made)
    back = await act("unpublish", made, expected=2)
    assert (back.status, back.version, back.published_at) == ("draft", 3, None)
    assert back.first_published_at == cms.clock.at
    assert cms.store.publications == {}
    assert cms.names()[-1] == "document.unpublished"


# The trash


async def test_the_trash_and_back(cms: FakeCms, editor: Actor, create, act) -> None:
    made = await create()
    await act("publish", made)
    await act("trash", made, expected=2)
    assert cms.store.publications == {}
    found = await cms.posts.get(editor, made.id)
    assert (found.status, found.trashed_at, found.version) == ("draft", cms.clock.at, 3)
    for what, more in (("update", [PostChanges(title="x")]), ("publish", []), ("trash", [])):
        with pytest.raises(Trashed):
            await act(what, made, *more)
    back = await act("restore", made, expected=3)
    assert (back.status, back.trashed_at) == ("draft", None)
    with pytest.raises(NotTrashed):
        await act("restore", made)
    assert cms.names()[-2:] == ["document.trashed", "document.restored"]


async def test_a_slug_taken_meanwhile_is_numbered(cms: FakeCms, create, act) -> None:
    made = await create(slug="mine")
    await act("trash", made)
    await create(slug="mine")
    back = await act("restore", made)
    assert (back.slug, back.trashed_at, back.version) == ("mine-2", None, 4)
    assert cms.names()[-2:] == ["document.restored", "document.updated"]


async def test_what_is_archived_too_keeps_its_slug_and_stays_in_the_trash(cms: FakeCms, create, act) -> None:
    made = await create(slug="mine")
    await act("archive", made)
    await act("trash", made)
    await create(slug="mine")
    with pytest.raises(SlugTaken):
        await act("restore", made)
    assert cms.store.documents[made.id].trashed_at is not None


async def test_the_trash_is_listed_where_asked_for(cms: FakeCms, editor: Actor, create, act) -> None:
    stays, goes = await create(), await create()
    await act("trash", goes)
    page = await cms.posts.list(editor, PageRequest(sort=(SortKey("created_at"),)))
    assert [view.id for view in page.items] == [stays.id]


# Pages


async def test_a_page_cannot_hang_below_itself(create_page, act) -> None:
    a = await create_page("A")
    b = await create_page("B", parent=a.id)
    c = await create_page("C", parent=b.id)
    for parent in (a, b, c):
        with pytest.raises(Invalid) as caught:
            await act("update", a, PageChanges(parent=parent.id))
        assert faults(caught.value) == [("/parent", "cycle")]
    moved = await act("update", c, PageChanges(parent=None))
    assert moved.parent is None


async def test_a_page_hangs_below_pages_only(create, create_page, act) -> None:
    post, trashed = await create(), await create_page("T")
    await act("trash", trashed)
    for parent in (post.id, trashed.id, uuid4()):
        with pytest.raises(Invalid) as caught:
            await create_page("A", parent=parent)
        assert faults(caught.value) == [("/parent", "unknown_reference")]


async def test_siblings_have_different_slugs(create_page) -> None:
    a = await create_page("A")
    slugs = [(await create_page("Same", parent=parent)).slug for parent in (None, a.id, None, a.id)]
    assert slugs == ["same", "same", "same-2", "same-2"]


async def test_a_page_with_children_stays(cms: FakeCms, create_page, act) -> None:
    a = await create_page("A")
    b = await create_page("B", parent=a.id)
    with pytest.raises(HasChildren) as caught:
        await act("trash", a)
    assert caught.value.members == {"children": 1}
    assert cms.store.documents[a.id].trashed_at is None
    await act("trash", b)
    await act("trash", a)
    with pytest.raises(Invalid):
        await act("restore", b)
    await act("restore", a)
    await act("restore", b)


async def test_addresses_follow(cms: FakeCms, create_page, act) -> None:
    a = await create_page("A")
    b = await create_page("B", parent=a.id)
    await act("publish", a)
    await act("publish", b)
    await act("update", a, PageChanges(slug="z"))
    assert cms.store.paths[b.id] == "z/b"
    assert cms.store.publications[b.id].path == "a/b"
    await act("publish", a)
    assert cms.store.publications[b.id].path == "z/b"


# Who may


async def test_types_do_not_know_each_other(cms: FakeCms, editor: Actor, create) -> None:
    post = await create()
    with pytest.raises(DocumentNotFound):
        await cms.pages.get(editor, post.id)
    async with cms.uow() as uow:
        with pytest.raises(DocumentNotFound):
            await cms.pages.publish(uow, editor, post.id, expected=None)


WHATS = [
    ("update", policy.EDIT, [PostChanges(body="x")]),
    ("publish", policy.PUBLISH, []),
    ("unpublish", policy.PUBLISH, []),
    ("trash", policy.DELETE, []),
    ("restore", policy.DELETE, []),
]


@pytest.fixture
def ready_for(act):
    """Brings a post into the state in which something can be done to it."""

    async def work(what: str, post: PostView) -> None:
        if what == "unpublish":
            await act("publish", post)
        if what == "restore":
            await act("trash", post)

    return work


@pytest.mark.parametrize(("what", "permission", "more"), WHATS)
async def test_what_one_may_do_with_any_document(
    cms: FakeCms, create, act, ready_for, what: str, permission: str, more: list[Any]
) -> None:
    post = await create()
    await ready_for(what, post)
    with pytest.raises(Unauthenticated):
        await act(what, post, *more, actor=ANONYMOUS)
    stranger = Actor(user_id=uuid4(), permissions=ALL - {permission})
    with pytest.raises(Forbidden) as caught:
        await act(what, post, *more, actor=stranger)
    assert caught.value.members == {"permission": permission}
    # Who may not read learns nothing, not even whether there is something.
    blind = Actor(user_id=uuid4(), permissions=ALL - {policy.READ})
    for one in (post, msgspec.structs.replace(post, id=uuid4())):
        with pytest.raises(Forbidden) as caught:
            await act(what, one, *more, actor=blind)
        assert caught.value.members == {"permission": policy.READ}
    await act(
        what, post, *more, actor=Actor(user_id=uuid4(), permissions=frozenset({policy.READ, permission}))
    )
    assert cms.store.events[-1].actor is not None


@pytest.mark.parametrize(("what", "permission", "more"), WHATS)
@pytest.mark.parametrize("tie", ["created", "byline", "second byline"])
async def test_what_one_may_do_with_her_own(
    cms: FakeCms, writer: Actor, create, act, ready_for, what: str, permission: str, more: list[Any], tie: str
) -> None:
    async with cms.uow() as uow:
        mine = await cms.authors.of_user(uow, writer.user_id or UUID(int=0))
        other = (await cms.authors.create(uow, SYSTEM, AuthorChanges(name="Zoe"))).id
    if tie == "created":
        post = await create(writer, authors=(other,))
    else:
        post = await create(authors=(mine,) if tie == "byline" else (other, mine))
    strange = await create(authors=(other,))
    await ready_for(what, post)
    await ready_for(what, strange)
    with pytest.raises(Forbidden) as caught:
        await act(what, strange, *more, actor=writer)
    assert caught.value.members == {"permission": permission}
    await act(what, post, *more, actor=writer)


async def test_who_takes_her_name_off_still_made_it(cms: FakeCms, writer: Actor, create, act) -> None:
    post = await create(writer)
    async with cms.uow() as uow:
        other = (await cms.authors.create(uow, SYSTEM, AuthorChanges(name="Zoe"))).id
    await act("update", post, PostChanges(authors=(other,)), actor=writer)
    await act("update", post, PostChanges(title="Still mine"), actor=writer)


async def test_creating_and_reading_need_their_permissions(cms: FakeCms, create) -> None:
    post = await create()
    nobody, reader = ANONYMOUS, Actor(user_id=uuid4(), permissions=frozenset({policy.READ}))
    with pytest.raises(Unauthenticated):
        await create(nobody)
    with pytest.raises(Forbidden):
        await create(reader)
    page = PageRequest(sort=(SortKey("title"),))
    assert (await cms.posts.get(reader, post.id)).id == post.id
    assert len((await cms.posts.list(reader, page)).items) == 1
    for read in (cms.posts.get(nobody, post.id), cms.posts.list(nobody, page)):
        with pytest.raises(Unauthenticated):
            await read


async def test_what_is_not_there_is_not_found(cms: FakeCms, editor: Actor, create, act) -> None:
    with pytest.raises(DocumentNotFound):
        await cms.posts.get(editor, uuid4())
    post = await create()
    del cms.store.documents[post.id]
    with pytest.raises(DocumentNotFound):
        await act("publish", post)

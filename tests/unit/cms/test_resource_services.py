"""Authors, terms and media: what their services decide, on fakes."""

from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes_cms import FakeCms, in_chunks, png

from cms_api.domains.cms.authors.errors import UserHasAuthor
from cms_api.domains.cms.authors.interface import AuthorChanges, AuthorView
from cms_api.domains.cms.documents.errors import HasChildren, InUse, SlugTaken
from cms_api.domains.cms.media.interface import MediaChanges, MediaView
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.resources import ResourceNotFound
from cms_api.domains.cms.taxonomies.interface import TermChanges, TermView
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import (
    CmsError,
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    Stale,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
)
from cms_api.querying import PageRequest, SortKey

READER = Actor(user_id=uuid4(), permissions=frozenset({"documents:read"}))
BY_DATE = PageRequest(sort=(SortKey("created_at"),))


def actor(*permissions: str) -> Actor:
    return Actor(user_id=uuid4(), permissions=frozenset({"documents:read", *permissions}))


def faults(error: CmsError) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in error.faults]


@pytest.fixture
def cms() -> FakeCms:
    return FakeCms(upload_limit=100)


# Authors


@pytest.fixture
def add_author(cms: FakeCms):
    async def work(who: Actor = SYSTEM, /, **values: Any) -> AuthorView:
        async with cms.uow() as uow:
            return await cms.authors.create(uow, who, AuthorChanges(**({"name": "Ada"} | values)))

    return work


@pytest.fixture
def change_author(cms: FakeCms):
    async def work(made: AuthorView, who: Actor = SYSTEM, /, *, expected: int | None = None, **values: Any):
        async with cms.uow() as uow:
            return await cms.authors.update(uow, who, made.id, AuthorChanges(**values), expected=expected)

    return work


async def test_an_author_is_made_with_a_slug(cms: FakeCms, add_author) -> None:
    writer = actor("authors:write")
    first, second, third = await add_author(writer), await add_author(), await add_author(slug="Mine")
    assert (first.slug, second.slug, third.slug) == ("ada", "ada-2", "mine")
    assert (first.version, first.created_at) == (1, cms.clock.at)
    assert await cms.authors.get(READER, first.id) == first
    event = cms.store.events[0]
    assert (event.name, event.subject, event.actor, event.kind) == (  # type: ignore[attr-defined]
        "resource.created",
        first.id,
        writer.user_id,
        "author",
    )


async def test_what_is_wrong_with_an_author(cms: FakeCms, add_author) -> None:
    with pytest.raises(Invalid) as caught:
        await add_author(user_id=uuid4())
    assert faults(caught.value) == [("/user_id", "unknown_reference")]
    with pytest.raises(Invalid) as caught:
        await add_author(avatar_id=uuid4())
    assert faults(caught.value) == [("/avatar_id", "unknown_reference")]
    with pytest.raises(Invalid) as caught:
        await add_author(slug="a b")
    assert faults(caught.value) == [("/slug", "slug")]
    async with cms.uow() as uow:
        with pytest.raises(Invalid) as caught:
            await cms.authors.create(uow, SYSTEM, AuthorChanges(bio="x"))
    assert faults(caught.value) == [("/name", "required")]
    await add_author(slug="ada")
    with pytest.raises(SlugTaken):
        await add_author(slug="ada")


async def test_a_user_has_one_byline(cms: FakeCms, add_author, change_author) -> None:
    user = cms.users.add("Bea", "bea@example.org")
    first, second = await add_author(user_id=user), await add_author()
    with pytest.raises(UserHasAuthor):
        await add_author(user_id=user)
    with pytest.raises(UserHasAuthor):
        await change_author(second, user_id=user)
    assert (await change_author(first, user_id=None)).user_id is None
    assert (await change_author(second, user_id=user)).user_id == user


async def test_a_byline_is_made_on_first_use(cms: FakeCms, add_author) -> None:
    await add_author(name="Bea")
    user = cms.users.add("Bea", "bea@example.org")
    async with cms.uow() as uow:
        made = await cms.authors.of_user(uow, user)
        assert await cms.authors.of_user(uow, user) == made
        assert await cms.authors.users_of(uow, [made, uuid4()]) == {user}
    assert (cms.store.authors[made].name, cms.store.authors[made].slug) == ("Bea", "bea-2")


async def test_a_change_counts(cms: FakeCms, add_author, change_author) -> None:
    made = await add_author()
    cms.clock.move(hours=1)
    changed = await change_author(made, expected=1, bio="Wrote.")
    assert (changed.bio, changed.version, changed.updated_at) == ("Wrote.", 2, cms.clock.at)
    events = len(cms.store.events)
    assert (await change_author(made, bio="Wrote.")).version == 2
    assert len(cms.store.events) == events
    with pytest.raises(Stale) as caught:
        await change_author(made, expected=1, bio="Late.")
    assert caught.value.members["current_version"] == 2
    with pytest.raises(Invalid):
        await change_author(made, slug="a b")
    with pytest.raises(Invalid):
        await change_author(made, user_id=uuid4())


async def test_an_author_of_something_stays(cms: FakeCms, add_author) -> None:
    made = await add_author()
    async with cms.uow() as uow:
        await cms.posts.create(uow, SYSTEM, PostChanges(title="A", authors=(made.id,)))
    async with cms.uow() as uow:
        with pytest.raises(InUse):
            await cms.authors.delete(uow, SYSTEM, made.id, expected=None)
        with pytest.raises(Stale):
            await cms.authors.delete(uow, SYSTEM, made.id, expected=7)
    free = await add_author()
    async with cms.uow() as uow:
        await cms.authors.delete(uow, SYSTEM, free.id, expected=1)
    assert cms.names()[-1] == "resource.deleted"
    with pytest.raises(ResourceNotFound):
        await cms.authors.get(READER, free.id)


async def test_who_may_do_what_with_authors(cms: FakeCms, add_author, change_author) -> None:
    made = await add_author()
    assert [one.id for one in (await cms.authors.list(READER, BY_DATE)).items] == [made.id]
    for who, error in ((ANONYMOUS, Unauthenticated), (READER, Forbidden)):
        with pytest.raises(error):
            await add_author(who)
        with pytest.raises(error):
            await change_author(made, who, bio="x")
        async with cms.uow() as uow:
            with pytest.raises(error):
                await cms.authors.delete(uow, who, made.id, expected=None)
    for read in (cms.authors.get(ANONYMOUS, made.id), cms.authors.list(ANONYMOUS, BY_DATE)):
        with pytest.raises(Unauthenticated):
            await read


async def test_authors_who_are_not_there(cms: FakeCms, add_author, change_author) -> None:
    made = await add_author()
    del cms.store.authors[made.id]
    with pytest.raises(ResourceNotFound):
        await change_author(made, bio="x")
    async with cms.uow() as uow:
        with pytest.raises(ResourceNotFound):
            await cms.authors.delete(uow, SYSTEM, made.id, expected=None)


# Terms


@pytest.fixture
def add_term(cms: FakeCms):
    async def work(
        name: str = "News", taxonomy: Any = "category", who: Actor = SYSTEM, **more: Any
    ) -> TermView:
        async with cms.uow() as uow:
            return await cms.terms.create(uow, who, taxonomy, TermChanges(name=name, **more))

    return work


@pytest.fixture
def change_term(cms: FakeCms):
    async def work(
        made: TermView, who: Actor = SYSTEM, /, *, expected: int | None = None, **values: Any
    ) -> TermView:
        async with cms.uow() as uow:
            return await cms.terms.update(
                uow, who, made.taxonomy, made.id, TermChanges(**values), expected=expected
            )

    return work


async def test_a_taxonomy_has_slugs_of_its_own(add_term) -> None:
    made = [await add_term(taxonomy=taxonomy) for taxonomy in ("category", "tag", "category")]
    assert [term.slug for term in made] == ["news", "news", "news-2"]
    with pytest.raises(SlugTaken):
        await add_term("X", slug="news")
    with pytest.raises(Invalid):
        await add_term("X", slug="a b")


async def test_former_slugs_are_kept_until_others_take_them(
    cms: FakeCms, add_author, change_author, add_term, change_term
) -> None:
    kept = cms.store.former_slugs
    ada, tag = await add_author(slug="ada"), await add_term("Tea", "tag")
    await change_author(ada, name="Ada L.")
    await change_term(tag, description="Leaves.")
    assert kept == {}
    await change_author(ada, slug="lovelace")
    await change_term(tag, slug="chai")
    assert kept == {("author", "ada"): ada.id, ("tag", "tea"): tag.id}
    # What has the slug by now is what is meant by it: one that is new, or that was renamed.
    await add_author(slug="ada")
    other = await add_term("Other", "tag")
    await change_term(other, slug="tea")
    assert kept == {("tag", "other"): other.id}
    await add_term("Other")
    await change_term(other, slug="other")
    assert kept == {("tag", "tea"): other.id}
    with pytest.raises(SlugTaken):
        await change_term(other, slug="chai")
    assert kept == {("tag", "tea"): other.id}


async def test_a_name_is_needed(cms: FakeCms) -> None:
    async with cms.uow() as uow:
        with pytest.raises(Invalid) as caught:
            await cms.terms.create(uow, SYSTEM, "tag", TermChanges(slug="x"))
    assert faults(caught.value) == [("/name", "required")]


async def test_categories_nest_and_tags_do_not(add_term, change_term) -> None:
    a = await add_term("A")
    b = await add_term("B", parent_id=a.id)
    c = await add_term("C", parent_id=b.id)
    for parent in (a, b, c):
        with pytest.raises(Invalid) as caught:
            await change_term(a, parent_id=parent.id)
        assert faults(caught.value) == [("/parent_id", "cycle")]
    tag = await add_term("T", "tag")
    with pytest.raises(Invalid) as caught:
        await change_term(tag, parent_id=a.id)
    assert faults(caught.value) == [("/parent_id", "not_nestable")]
    with pytest.raises(Invalid) as caught:
        await change_term(a, parent_id=tag.id)
    assert faults(caught.value) == [("/parent_id", "unknown_reference")]
    assert (await change_term(c, parent_id=a.id)).parent_id == a.id
    assert (await change_term(c, parent_id=None)).parent_id is None


async def test_a_term_changes_by_versions(cms: FakeCms, add_term, change_term) -> None:
    made = await add_term()
    changed = await change_term(made, expected=1, name="Latest", description="New")
    assert (changed.name, changed.slug, changed.version) == ("Latest", "news", 2)
    event = cms.store.events[-1]
    assert (event.kind, sorted(event.changed)) == ("category", ["description", "name"])  # type: ignore[attr-defined]
    assert (await change_term(made, name="Latest")).version == 2
    with pytest.raises(Stale):
        await change_term(made, expected=1, name="Late")
    with pytest.raises(Invalid):
        await change_term(made, slug="a b")


async def test_terms_in_use_stay(cms: FakeCms, add_term) -> None:
    a, tag = await add_term("A"), await add_term("T", "tag")
    b = await add_term("B", parent_id=a.id)
    async with cms.uow() as uow:
        await cms.posts.create(uow, SYSTEM, PostChanges(title="P", categories=(b.id,), tags=(tag.id,)))
    for term, error in ((a, HasChildren), (b, InUse), (tag, InUse)):
        async with cms.uow() as uow:
            with pytest.raises(error):
                await cms.terms.delete(uow, SYSTEM, term.taxonomy, term.id, expected=None)
    free = await add_term("F", "tag")
    async with cms.uow() as uow:
        with pytest.raises(Stale):
            await cms.terms.delete(uow, SYSTEM, "tag", free.id, expected=2)
        await cms.terms.delete(uow, SYSTEM, "tag", free.id, expected=1)
    with pytest.raises(ResourceNotFound):
        await cms.terms.get(READER, "tag", free.id)


async def test_a_term_is_found_in_its_taxonomy_only(cms: FakeCms, add_term) -> None:
    made = await add_term()
    assert (await cms.terms.get(READER, "category", made.id)).id == made.id
    with pytest.raises(ResourceNotFound):
        await cms.terms.get(READER, "tag", made.id)
    async with cms.uow() as uow:
        with pytest.raises(ResourceNotFound):
            await cms.terms.update(uow, SYSTEM, "tag", made.id, TermChanges(name="x"), expected=None)
        with pytest.raises(ResourceNotFound):
            await cms.terms.delete(uow, SYSTEM, "tag", made.id, expected=None)


async def test_who_may_do_what_with_terms(cms: FakeCms, add_term, change_term) -> None:
    made = await add_term(who=actor("terms:write"))
    assert len((await cms.terms.list(READER, "category", BY_DATE)).items) == 1
    for who, error in ((ANONYMOUS, Unauthenticated), (READER, Forbidden)):
        with pytest.raises(error):
            await add_term(who=who)
        with pytest.raises(error):
            await change_term(made, who, name="x")
        async with cms.uow() as uow:
            with pytest.raises(error):
                await cms.terms.delete(uow, who, "category", made.id, expected=None)
    reads = (cms.terms.get(ANONYMOUS, "category", made.id), cms.terms.list(ANONYMOUS, "category", BY_DATE))
    for read in reads:
        with pytest.raises(Unauthenticated):
            await read


# Media


@pytest.fixture
def upload(cms: FakeCms):
    async def work(body: bytes = b"words", who: Actor = SYSTEM, **texts: Any) -> MediaView:
        async with cms.uow() as uow:
            return await cms.media.upload(
                uow, who, filename="a.png", chunks=in_chunks(body), changes=MediaChanges(**texts)
            )

    return work


async def test_an_upload_is_looked_into(cms: FakeCms, upload) -> None:
    uploader = actor("media:upload")
    made = await upload(png(3, 2), uploader, alt="A tree")
    assert (made.media_type, made.width, made.height, made.size) == ("image/png", 3, 2, len(png()))
    assert (made.filename, made.alt, made.title, made.version) == ("a.png", "A tree", "", 1)
    assert made.url.startswith("/media/")
    assert list(cms.storage.files.values()) == [png(3, 2)]
    assert await cms.media.get(READER, made.id) == made
    assert cms.store.media[made.id].created_by == uploader.user_id
    assert cms.names() == ["resource.created"]


@pytest.mark.parametrize(
    ("body", "error"), [(b"x" * 101, TooLarge), (b"<html>", UnsupportedMedia), (b"", Malformed)]
)
async def test_an_upload_that_fails_leaves_nothing(cms: FakeCms, upload, body: bytes, error: type) -> None:
    with pytest.raises(error):
        await upload(body)
    assert (cms.store.media, cms.storage.files, cms.store.events) == ({}, {}, [])


async def test_a_rolled_back_upload_leaves_no_file(cms: FakeCms) -> None:
    async def upload_and_fail() -> None:
        async with cms.uow() as uow:
            await cms.media.upload(
                uow, SYSTEM, filename="a", chunks=in_chunks(b"words"), changes=MediaChanges()
            )
            assert len(cms.storage.files) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await upload_and_fail()
    assert (cms.store.media, cms.storage.files) == ({}, {})


async def test_a_deleted_file_goes_with_the_commit(cms: FakeCms, upload) -> None:
    made = await upload()

    async def delete_and_fail() -> None:
        async with cms.uow() as uow:
            await cms.media.delete(uow, SYSTEM, made.id, expected=None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await delete_and_fail()
    assert cms.storage.find(PurePosixPath(made.url.removeprefix("/media/"))) is not None
    async with cms.uow() as uow:
        await cms.media.delete(uow, SYSTEM, made.id, expected=1)
        assert len(cms.storage.files) == 1
    assert (cms.store.media, cms.storage.files) == ({}, {})
    assert cms.names()[-1] == "resource.deleted"


async def test_a_file_can_be_known_by_its_address_and_fetched_later(cms: FakeCms) -> None:
    async with cms.uow() as uow:
        known = await cms.media.register(
            uow, SYSTEM, filename="a.txt", source_url="https://old.example/a.txt", changes=MediaChanges()
        )
    assert (known.url, known.size) == ("https://old.example/a.txt", None)
    async with cms.uow() as uow:
        fetched = await cms.media.attach(uow, SYSTEM, known.id, in_chunks(b"words"))
    assert (fetched.size, fetched.media_type, fetched.version) == (5, "text/plain", 2)
    assert fetched.url.startswith("/media/")
    assert fetched.source_url == "https://old.example/a.txt"
    async with cms.uow() as uow:
        with pytest.raises(Conflict):
            await cms.media.attach(uow, SYSTEM, known.id, in_chunks(b"words"))
    assert len(cms.storage.files) == 1


async def test_an_attachment_that_fails_leaves_nothing(cms: FakeCms) -> None:
    async with cms.uow() as uow:
        known = await cms.media.register(
            uow, SYSTEM, filename="a.txt", source_url="https://old.example/a.txt", changes=MediaChanges()
        )

    async def attach_and_fail(media_id: Any) -> None:
        async with cms.uow() as uow:
            await cms.media.attach(uow, SYSTEM, media_id, in_chunks(b"words"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await attach_and_fail(known.id)
    with pytest.raises(ResourceNotFound):
        await attach_and_fail(uuid4())
    assert cms.storage.files == {}
    assert cms.store.media[known.id].storage_key is None


async def test_texts_change_by_versions(cms: FakeCms, upload) -> None:
    made = await upload()
    async with cms.uow() as uow:
        changed = await cms.media.update(uow, SYSTEM, made.id, MediaChanges(alt="Tree"), expected=1)
        assert (changed.alt, changed.version) == ("Tree", 2)
        same = await cms.media.update(uow, SYSTEM, made.id, MediaChanges(alt="Tree"), expected=2)
        assert same.version == 2
        with pytest.raises(Stale):
            await cms.media.update(uow, SYSTEM, made.id, MediaChanges(alt="x"), expected=1)
        with pytest.raises(Stale):
            await cms.media.delete(uow, SYSTEM, made.id, expected=1)


async def test_a_used_file_stays(cms: FakeCms, upload, add_author) -> None:
    cover, avatar = await upload(), await upload()
    await add_author(avatar_id=avatar.id)
    async with cms.uow() as uow:
        await cms.posts.create(uow, SYSTEM, PostChanges(title="A", cover=cover.id))
    for used in (cover, avatar):
        async with cms.uow() as uow:
            with pytest.raises(InUse):
                await cms.media.delete(uow, SYSTEM, used.id, expected=None)
    assert len(cms.storage.files) == 2


async def test_who_may_do_what_with_files(cms: FakeCms, upload) -> None:
    uploader, editor, stranger = actor("media:upload"), actor("media:edit"), actor("media:upload")
    made = await upload(who=uploader)
    assert len((await cms.media.list(READER, BY_DATE)).items) == 1

    async def change(who: Actor) -> None:
        async with cms.uow() as uow:
            await cms.media.update(uow, who, made.id, MediaChanges(alt=str(who.user_id)), expected=None)

    async def delete(who: Actor) -> None:
        async with cms.uow() as uow:
            await cms.media.delete(uow, who, made.id, expected=None)

    for who, error in ((ANONYMOUS, Unauthenticated), (READER, Forbidden), (stranger, Forbidden)):
        with pytest.raises(error):
            await change(who)
        with pytest.raises(error):
            await delete(who)
    for who, error in ((ANONYMOUS, Unauthenticated), (READER, Forbidden)):
        with pytest.raises(error):
            await upload(who=who)
    for read in (cms.media.get(ANONYMOUS, made.id), cms.media.list(ANONYMOUS, BY_DATE)):
        with pytest.raises(Unauthenticated):
            await read
    await change(uploader)
    await change(editor)
    await delete(uploader)
    assert cms.storage.files == {}


async def test_files_that_are_not_there(cms: FakeCms) -> None:
    with pytest.raises(ResourceNotFound):
        await cms.media.get(READER, uuid4())
    async with cms.uow() as uow:
        with pytest.raises(ResourceNotFound):
            await cms.media.update(uow, SYSTEM, uuid4(), MediaChanges(), expected=None)
        with pytest.raises(ResourceNotFound):
            await cms.media.delete(uow, SYSTEM, uuid4(), expected=None)

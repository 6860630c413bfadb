"""What every repository of documents, and every query port beside it, does."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.documents.content import Link, PageContent, PostContent, Seo
from cms_api.domains.cms.documents.errors import AddressTaken, SlugTaken
from cms_api.domains.cms.documents.interface import without_trash
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import (
    DocumentRepository,
    PublicationRepository,
    ReferenceRepository,
)
from cms_api.domains.cms.documents.rendering import Public, PublicFields
from cms_api.domains.cms.documents.slugs import numbered
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.taxonomies.model import Term
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.kernel.errors import Invalid
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, Matches, Page, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
BY = UUID(int=7)
FIELDS = {"excerpt": "Short", "body": "<p>Long</p>", "seo": Seo(title="Best"), "reading_time": 3}

Write = Callable[[Callable[[Any], Awaitable[Any]]], Awaitable[Any]]


def post(
    slug: str = "post", *, locale: str = "en", at: datetime = AT, **values: Any
) -> Document[PostContent]:
    content = PostContent(slug=slug, **({"title": slug.title()} | values))
    return Document.create(POST, content, locale=locale, at=at, by=BY)[0]


def page(slug: str = "page", *, parent: UUID | None = None, **values: Any) -> Document[PageContent]:
    content = PageContent(slug=slug, title=slug.title(), parent=parent, **values)
    return Document.create(PAGE, content, locale="en", at=AT, by=BY)[0]


def edited(document: Document[Any], **values: Any) -> Document[Any]:
    document.edit(msgspec.structs.replace(document.draft, **values), at=AT + timedelta(hours=1), by=BY)
    return document


class Ports:
    """The ports of documents in one: whichever has a method answers."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def __getattr__(self, name: str) -> Any:
        ports = (DocumentRepository, PublicationRepository, ReferenceRepository)
        return getattr(self._uow.repository(next(port for port in ports if hasattr(port, name))), name)


@pytest.fixture
def write(backend) -> Write:
    """Does some work on the repository in a unit of work of its own."""

    async def work(do: Callable[[DocumentRepository], Awaitable[Any]]) -> Any:
        async with backend.uow() as uow:
            return await do(Ports(uow))

    return work


@pytest.fixture
def add(write):
    async def work(*documents: Document[Any]) -> None:
        async def all_of(repository: Ports) -> None:
            for document in documents:
                await repository.add(document)

        await write(all_of)

    return work


@pytest.fixture
def save(write):
    async def work(document: Document[Any]) -> None:
        async def do(repository: Ports) -> None:
            kind = PAGE if document.type == "page" else POST
            if await repository.snapshot(kind, document.id, document.draft_revision_id) is None:
                await repository.add_revision(document, changed=())
            await repository.save(document)

        await write(do)

    return work


@pytest.fixture
def publish(write):
    async def work(document: Document[Any], fields: PublicFields = FIELDS) -> None:
        async def do(repository: Ports) -> None:
            document.publish(at=AT, by=BY)
            await repository.save(document)
            await repository.put_live(document, document.draft, Public(fields=fields))

        await write(do)

    return work


@pytest.fixture
async def targets(backend) -> dict[str, UUID]:
    """One thing of each kind that a document can point at."""
    ids = {kind: new_id() for kind in ("author", "category", "tag", "media")}
    dates: dict[str, Any] = {"created_at": AT, "updated_at": AT}
    async with backend.uow() as uow:
        await uow.repository(MediaRepository).add(
            Asset(id=ids["media"], filename="a.png", source_url="https://old.example/a.png", **dates)
        )
        await uow.repository(AuthorRepository).add(Author(id=ids["author"], name="Ada", slug="ada", **dates))
        for kind in ("category", "tag"):
            await uow.repository(TermRepository).add(
                Term(id=ids[kind], taxonomy=kind, name="News", slug="news", **dates)  # type: ignore[arg-type]
            )
    return ids


def state(document: Document[Any]) -> dict[str, Any]:
    return {name: getattr(document, name) for name in Document.__dataclass_fields__}


# Storing and finding


async def test_a_document_comes_back_as_it_was_stored(add, write, targets) -> None:
    made = post(
        "grüße",
        title="Grüße",
        body="<p>Hi</p>",
        format="markdown",
        excerpt="In short",
        authors=(targets["author"],),
        categories=(targets["category"],),
        tags=(targets["tag"],),
        cover=targets["media"],
        seo=Seo(title="T", description="D"),
        is_sticky=True,
    )
    await add(made)
    found = await write(lambda repository: repository.get(POST, made.id))
    assert state(found) == state(made)


async def test_a_page_comes_back_with_its_place(add, write) -> None:
    above = page("above")
    below = page("below", parent=above.id, menu_order=-3)
    await add(above, below)
    assert state(await write(lambda repository: repository.get(PAGE, below.id))) == state(below)


async def test_nothing_is_found_under_a_strange_id_or_another_type(add, write) -> None:
    made = post()
    await add(made)
    assert await write(lambda repository: repository.get(POST, uuid4())) is None
    assert await write(lambda repository: repository.get(PAGE, made.id)) is None


async def test_what_was_saved_is_found(add, save, write) -> None:
    made = post()
    await add(made)
    await save(edited(made, title="New", slug="new", body="More"))
    found = await write(lambda repository: repository.get(POST, made.id))
    assert state(found) == state(made)
    assert found.version == 2
    assert found.field_versions == {"title": 2, "slug": 2, "body": 2}


async def test_what_was_read_is_a_copy(add, write) -> None:
    made = post()
    await add(made)
    edited(await write(lambda repository: repository.get(POST, made.id)), title="Never saved")
    assert (await write(lambda repository: repository.get(POST, made.id))).draft.title == "Post"


async def test_a_rolled_back_unit_of_work_leaves_nothing(write) -> None:
    made = post()

    async def add_and_fail(repository: Ports) -> None:
        await repository.add(made)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write(add_and_fail)
    assert await write(lambda repository: repository.get(POST, made.id)) is None


# Slugs


async def test_a_slug_is_taken_once(add) -> None:
    await add(post("same"))
    with pytest.raises(SlugTaken) as caught:
        await add(post("same"))
    assert caught.value.members == {"slug": "same"}


async def test_another_type_locale_or_parent_has_slugs_of_its_own(add) -> None:
    above = page("same")
    await add(post("same"), post("same", locale="de"), above, page("same", parent=above.id))


async def test_saving_a_taken_slug_is_refused(add, save) -> None:
    made = post("mine")
    await add(post("same"), made)
    with pytest.raises(SlugTaken):
        await save(edited(made, slug="same"))


async def test_the_trash_frees_a_slug_until_it_is_restored(add, save) -> None:
    first = post("same")
    await add(first)
    first.trash(at=AT, by=BY)
    await save(first)
    await add(post("same"))
    first.restore(at=AT, by=BY)
    with pytest.raises(SlugTaken):
        await save(first)


@pytest.mark.parametrize(
    ("taken", "free"),
    [
        ([], "same"),
        (["other", "same-but-longer", "sam"], "same"),
        (["same"], "same-2"),
        (["same", "same-2", "same-4"], "same-3"),
        (["same-2"], "same"),
    ],
)
async def test_the_first_free_slug(add, write, taken: list[str], free: str) -> None:
    await add(*map(post, taken))
    found = await write(lambda r: r.free_slug(POST, locale="en", base="same", parent=None))
    assert found == free


async def test_a_slug_is_free_in_another_place(add, write) -> None:
    above, gone = page("same"), post("gone")
    gone.trash(at=AT, by=BY)
    await add(above, gone, post("same"))
    free = {
        "type": await write(lambda r: r.free_slug(PAGE, locale="en", base="gone", parent=None)),
        "locale": await write(lambda r: r.free_slug(POST, locale="de", base="same", parent=None)),
        "parent": await write(lambda r: r.free_slug(PAGE, locale="en", base="same", parent=above.id)),
        "trash": await write(lambda r: r.free_slug(POST, locale="en", base="gone", parent=None)),
    }
    assert free == {"type": "gone", "locale": "same", "parent": "same", "trash": "gone"}


async def test_a_long_slug_gets_a_number_too(add, write) -> None:
    long = "a" * 195
    await add(post(long), post(numbered(long, 2)))
    free = await write(lambda r: r.free_slug(POST, locale="en", base=long, parent=None))
    assert free == numbered(long, 3)
    await add(post(free))


# Revisions and live copies


async def test_every_draft_is_kept_as_a_revision(add, save, write) -> None:
    made = post(body="one")
    await add(made)
    first = made.draft_revision_id
    await save(edited(made, body="two"))
    old = await write(lambda r: r.snapshot(POST, made.id, first))
    assert (old.revision_id, old.content.body, old.published_at) == (first, "one", None)
    assert old.hash == old.content.hash()
    new = await write(lambda r: r.snapshot(POST, made.id, made.draft_revision_id))
    assert (new.content, new.hash) == (made.draft, made.draft_hash)


async def test_a_revision_belongs_to_its_document(add, write) -> None:
    made, other = post("one"), post("two")
    await add(made, other)
    assert await write(lambda r: r.snapshot(POST, made.id, other.draft_revision_id)) is None
    assert await write(lambda r: r.snapshot(POST, made.id, uuid4())) is None
    assert await write(lambda r: r.snapshot(POST, uuid4(), made.draft_revision_id)) is None


async def test_the_snapshot_of_the_live_copy(add, save, write, publish) -> None:
    made = post()
    await add(made)
    assert await write(lambda r: r.snapshot(POST, made.id)) is None
    await publish(made)
    live = made.draft_revision_id
    await save(edited(made, title="Next"))
    found = await write(lambda r: r.snapshot(POST, made.id))
    assert (found.revision_id, found.content.title, found.published_at) == (live, "Post", AT)


async def test_a_thousand_words_and_their_many_versions_come_back_as_they_were(add, save, write) -> None:
    words = [f"Sentence number {n} of a long text about this and that." for n in range(400)]
    made = post(body="\n".join(words))
    await add(made)
    kept = {made.draft_revision_id: made.draft}
    for number in range(60):
        words[number * 7 % 400] = f"Sentence {number} has been written anew."
        await save(edited(made, body="\n".join(words)))
        kept[made.draft_revision_id] = made.draft
    for revision_id, content in kept.items():
        found = await write(lambda r, one=revision_id: r.snapshot(POST, made.id, one))
        assert found.content == content
    assert (await write(lambda r: r.get(POST, made.id))).draft == made.draft


async def test_an_old_revision_is_published_behind_the_draft(backend, add, save, write, targets) -> None:
    made = post(tags=(targets["tag"],), authors=(targets["author"],))
    await add(made)
    first = made.draft_revision_id
    await save(edited(made, title="Next", tags=()))
    old = await write(lambda r: r.snapshot(POST, made.id, first))

    async def publish_old(repository: Ports) -> None:
        made.publish(old, at=AT, by=BY)
        await repository.save(made)
        await repository.put_live(made, old.content, Public(fields=FIELDS))

    await write(publish_old)
    found = await backend.documents.get(POST, made.id)
    assert state(found) == state(made)
    assert (found.live_revision_id, found.draft.title, found.has_unpublished_changes) == (first, "Next", True)


async def test_a_deleted_document_is_gone_with_all_that_hung_on_it(
    backend, add, save, write, targets
) -> None:
    made = post(tags=(targets["tag"],))
    await add(made)
    await save(edited(made, title="Next"))
    await write(lambda r: r.delete(made.id))
    assert await backend.documents.get(POST, made.id) is None
    assert await write(lambda r: r.snapshot(POST, made.id, made.draft_revision_id)) is None
    async with backend.uow() as uow:
        terms = uow.repository(TermRepository)
        await terms.delete(await terms.get("tag", targets["tag"]))


async def test_what_a_deletion_of_a_document_meets(add, save, write) -> None:
    above = page("above")
    below = page("below", parent=above.id)
    await add(above, below)

    async def forbids(one, mode):
        found = await write(lambda r: r.effects(one.id, mode, limit=20))
        assert (found.unlinked.count, found.cascaded.count) == (0, 0)
        return [referrer.id for referrer in found.restricted.items]

    assert await forbids(above, "trash") == []
    assert await forbids(above, "purge") == [below.id]
    assert await forbids(below, "purge") == []
    below.trash(at=AT, by=BY)
    await save(below)
    assert await forbids(above, "purge") == [below.id]
    await write(lambda r: r.delete(below.id))
    assert await forbids(above, "purge") == []


async def test_what_a_deletion_of_a_term_meets(add, save, write, targets) -> None:
    made = [post(slug=f"p{number}", tags=(targets["tag"],)) for number in range(3)]
    await add(*made)
    made[0].trash(at=AT, by=BY)
    await save(made[0])
    found = await write(lambda r: r.effects(targets["tag"], "delete", limit=2))
    assert found.restricted.count == 3
    assert [one.id for one in found.restricted.items] == sorted(one.id for one in made)[:2]


async def test_what_is_live_is_known(backend, add, write, publish) -> None:
    made = post()
    await add(made)
    await publish(made)
    found = await write(lambda r: r.get(POST, made.id))
    assert state(found) == state(made)
    assert found.is_live
    assert found.live_hash == made.draft.hash()
    assert not found.has_unpublished_changes
    assert state(await backend.documents.get(POST, made.id)) == state(made)


async def test_a_draft_goes_on_behind_the_live_copy(add, save, write, publish) -> None:
    made = post()
    await add(made)
    await publish(made)
    await save(edited(made, title="Next"))
    found = await write(lambda r: r.get(POST, made.id))
    assert found.has_unpublished_changes
    await save(edited(made, title="Post"))
    assert not (await write(lambda r: r.get(POST, made.id))).has_unpublished_changes


async def test_only_the_published_has_a_live_copy(add, write) -> None:
    made = post()
    await add(made)
    with pytest.raises(LookupError):
        await write(lambda r: r.put_live(made, made.draft, Public(fields=FIELDS)))


async def test_an_address_that_is_still_live_is_taken(add, save, publish) -> None:
    first, second = post("same"), post("other")
    await add(first, second)
    await publish(first)
    await save(edited(first, slug="moved"))
    await save(edited(second, slug="same"))
    with pytest.raises(AddressTaken) as caught:
        await publish(second)
    assert caught.value.members == {"path": "same"}


async def test_publishing_the_move_frees_the_address(add, save, publish) -> None:
    first, second = post("same"), post("other")
    await add(first, second)
    await publish(first)
    await save(edited(first, slug="moved"))
    await publish(first)
    await save(edited(second, slug="same"))
    await publish(second)


async def test_taking_down_frees_the_address(add, save, write, publish) -> None:
    first, second = post("same"), post("other")
    await add(first, second)
    await publish(first)
    first.unpublish(at=AT, by=BY)
    edited(first, slug="moved")
    await save(first)
    await write(lambda r: r.take_down(first.id))
    await save(edited(second, slug="same"))
    await publish(second)


async def test_taking_down_what_is_not_up_does_nothing(add, write) -> None:
    made = post()
    await add(made)
    await write(lambda r: r.take_down(made.id))


# Links


async def test_only_links_to_what_is_there_exist(add, write, targets) -> None:
    there = page("there")
    gone, other = page("gone"), post("other")
    gone.trash(at=AT, by=BY)
    await add(there, gone, other)
    sound = {
        Link("authors", 0, "author", targets["author"]),
        Link("categories", 0, "category", targets["category"]),
        Link("categories", 1, "category", targets["category"]),
        Link("tags", 0, "tag", targets["tag"]),
        Link("cover", 0, "media", targets["media"]),
        Link("parent", 0, "document", there.id, types=("page",)),
    }
    broken = {
        Link("authors", 1, "author", uuid4()),
        Link("categories", 2, "category", targets["tag"]),
        Link("tags", 1, "tag", targets["category"]),
        Link("cover", 0, "media", targets["author"]),
        Link("parent", 0, "document", gone.id, types=("page",)),
        Link("parent", 0, "document", other.id, types=("page",)),
    }
    assert await write(lambda r: r.existing(sound | broken)) == sound
    assert await write(lambda r: r.existing([])) == frozenset()


# The tree


async def test_addresses_follow_the_tree(backend, add, save) -> None:
    a, b, c = page("a"), page("b"), page("c")
    await add(a, b, c)
    await save(edited(b, parent=a.id))
    await save(edited(c, parent=b.id))
    assert await backend.documents.paths([a.id, b.id, c.id, uuid4()]) == {
        a.id: "a",
        b.id: "a/b",
        c.id: "a/b/c",
    }
    await save(edited(a, slug="top"))
    assert await backend.documents.paths([a.id, b.id, c.id]) == {
        a.id: "top",
        b.id: "top/b",
        c.id: "top/b/c",
    }
    await save(edited(b, parent=None))
    assert await backend.documents.paths([b.id, c.id]) == {b.id: "b", c.id: "b/c"}


async def test_a_live_address_follows_what_is_live_above(add, save, publish) -> None:
    a = page("a")
    b, rival = page("b", parent=a.id), page("c")
    await add(a, b, rival)
    await publish(a)
    await publish(b)
    await save(edited(a, slug="z"))
    await publish(a)
    # “a/b” is free only because the live copy of b went along to “z/b”.
    await save(edited(rival, slug="a"))
    child = page("b", parent=rival.id)
    await add(child)
    await publish(rival)
    await publish(child)


async def test_a_live_address_keeps_to_the_live_parent(add, save, publish) -> None:
    a = page("a")
    b = page("b", parent=a.id)
    await add(a, b)
    await publish(a)
    await save(edited(a, slug="z"))
    await publish(b)
    rival = page("a")
    child = page("b", parent=rival.id)
    await add(rival, child)
    with pytest.raises(AddressTaken):
        await publish(rival)


async def test_live_copies_do_not_hang_below_one_another(add, save, publish) -> None:
    a = page("a")
    b = page("b", parent=a.id)
    await add(a, b)
    await publish(a)
    await publish(b)
    await save(edited(b, parent=None))
    await save(edited(a, parent=b.id))
    with pytest.raises(Invalid) as caught:
        await publish(a)
    assert [(f.pointer, f.code) for f in caught.value.faults] == [("/parent", "cycle")]


async def test_an_address_has_an_end(add) -> None:
    above: UUID | None = None
    made = [page("a" * 199) for _ in range(11)]
    for one in made[:10]:
        one.draft = msgspec.structs.replace(one.draft, parent=above)
        above = one.id
    await add(*made[:10])
    with pytest.raises(Invalid) as caught:
        await add(page("a" * 199, parent=above))
    assert [(f.pointer, f.code) for f in caught.value.faults] == [("/parent", "too_deep")]


async def test_what_is_below_what(add, write) -> None:
    a = page("a")
    b = page("b", parent=a.id)
    c = page("c", parent=b.id)
    await add(a, b, c)
    assert await write(lambda r: r.is_below(c.id, a.id))
    assert await write(lambda r: r.is_below(a.id, a.id))
    assert not await write(lambda r: r.is_below(a.id, c.id))
    assert not await write(lambda r: r.is_below(uuid4(), a.id))


async def test_children_are_those_in_drafts_or_live(add, save, write, publish) -> None:
    a = page("a")
    b, c = page("b", parent=a.id), page("c", parent=a.id)
    await add(a, b, c)
    assert await write(lambda r: r.children(a.id)) == 2
    c.trash(at=AT, by=BY)
    await save(c)
    assert await write(lambda r: r.children(a.id)) == 1
    await publish(b)
    await save(edited(b, parent=None))
    assert await write(lambda r: r.children(a.id)) == 1
    await publish(b)
    assert await write(lambda r: r.children(a.id)) == 0


# Lists

BY_TITLE = (SortKey("title"),)


@pytest.fixture
async def shelf(add, save, publish, targets) -> dict[str, Document[Any]]:
    """Seven posts, one of them in the trash; two share a title; and a page."""
    titles = ["fig", "elm", "oak", "oak", "yew", "ash", "gone"]
    shelf = {
        f"p{n}": post(f"p{n}", title=title, at=AT + timedelta(minutes=n)) for n, title in enumerate(titles)
    }
    shelf["page"] = page("page")
    await add(*shelf.values())
    await save(edited(shelf["p1"], tags=(targets["tag"],), authors=(targets["author"],)))
    await save(edited(shelf["p2"], categories=(targets["category"],)))
    await publish(shelf["p1"])
    shelf["p6"].trash(at=AT, by=BY)
    await save(shelf["p6"])
    return shelf


@pytest.fixture
def listed(backend, shelf):
    """The slugs that a list gives."""
    del shelf

    async def read(*filters: Comparison, kind: Any = POST, **asked: Any) -> list[str]:
        request = PageRequest(**({"sort": (SortKey("created_at"),), "filter": all_of(*filters)} | asked))
        page = await backend.documents.list(kind, without_trash(request))
        return [found.draft.slug for found in page.items]

    return read


async def test_a_list_leaves_the_trash_and_other_types_out(listed) -> None:
    assert await listed() == ["p0", "p1", "p2", "p3", "p4", "p5"]
    assert await listed(kind=PAGE) == ["page"]


@pytest.mark.parametrize(
    ("sort", "slugs"),
    [
        ((SortKey("created_at", descending=True),), ["p5", "p4", "p3", "p2", "p1", "p0"]),
        ((SortKey("title"),), ["p5", "p1", "p0", "p2", "p3", "p4"]),
        ((SortKey("title", descending=True),), ["p4", "p3", "p2", "p0", "p1", "p5"]),
        ((SortKey("title"), SortKey("created_at", descending=True)), ["p5", "p1", "p0", "p3", "p2", "p4"]),
    ],
)
async def test_a_list_is_sorted_in_the_end_by_id(listed, sort: tuple[SortKey, ...], slugs: list[str]) -> None:
    assert await listed(sort=sort) == slugs


def wanted(field: str, operator: Any, *values: object) -> Comparison:
    return Comparison(field, operator, values)


@pytest.mark.parametrize(
    ("field", "operator", "values", "slugs"),
    [
        ("title", "eq", ["oak"], ["p2", "p3"]),
        ("title", "ne", ["oak"], ["p0", "p1", "p4", "p5"]),
        ("title", "in", ["oak", "yew"], ["p2", "p3", "p4"]),
        ("title", "nin", ["oak", "yew"], ["p0", "p1", "p5"]),
        ("title", "lt", ["elm"], ["p5"]),
        ("title", "lte", ["elm"], ["p1", "p5"]),
        ("title", "gt", ["oak"], ["p4"]),
        ("title", "gte", ["oak"], ["p2", "p3", "p4"]),
        ("title", "contains", ["A"], ["p2", "p3", "p5"]),
        ("title", "contains", ["%"], []),
        ("title", "contains", ["_"], []),
        ("title", "starts_with", ["O"], ["p2", "p3"]),
        ("slug", "eq", ["p4"], ["p4"]),
        ("status", "eq", ["published"], ["p1"]),
        ("status", "eq", ["draft"], ["p0", "p2", "p3", "p4", "p5"]),
        ("locale", "ne", ["en"], []),
        ("created_at", "gt", [AT + timedelta(minutes=3)], ["p4", "p5"]),
        ("published_at", "exists", [True], ["p1"]),
        ("published_at", "lt", [AT], []),
        ("published_at", "ne", [AT], ["p0", "p2", "p3", "p4", "p5"]),
        ("created_by", "eq", [BY], ["p0", "p1", "p2", "p3", "p4", "p5"]),
        ("trashed", "eq", [True], ["p6"]),
        ("trashed", "eq", [False], ["p0", "p1", "p2", "p3", "p4", "p5"]),
        ("tags.slug", "eq", ["news"], ["p1"]),
        ("tags.slug", "ne", ["news"], ["p0", "p2", "p3", "p4", "p5"]),
        ("tags.slug", "in", ["news", "other"], ["p1"]),
        ("tags.slug", "nin", ["news"], ["p0", "p2", "p3", "p4", "p5"]),
        ("tags", "exists", [True], ["p1"]),
        ("categories", "exists", [False], ["p0", "p1", "p3", "p4", "p5"]),
        ("categories.slug", "contains", ["EW"], ["p2"]),
        ("author.slug", "eq", ["ada"], ["p1"]),
    ],
)
async def test_a_list_is_filtered(
    listed, field: str, operator: Any, values: list[object], slugs: list[str]
) -> None:
    assert await listed(Comparison(field, operator, tuple(values))) == slugs


async def test_relations_are_filtered_by_id(listed, targets) -> None:
    assert await listed(wanted("author", "eq", targets["author"])) == ["p1"]
    assert await listed(wanted("tags", "in", targets["tag"], uuid4())) == ["p1"]
    assert await listed(wanted("categories", "ne", targets["category"])) == ["p0", "p1", "p3", "p4", "p5"]


async def test_all_filters_hold(listed) -> None:
    assert await listed(wanted("title", "eq", "oak"), wanted("slug", "eq", "p3")) == ["p3"]


async def test_pages_are_filtered_by_place(backend, add) -> None:
    above = page("above")
    below = page("below", parent=above.id)
    await add(above, below)
    for condition, found in (
        (wanted("parent", "eq", above.id), [below.id]),
        (Comparison("parent", "exists", (False,)), [above.id]),
        (wanted("path", "eq", "above/below"), [below.id]),
        (wanted("path", "starts_with", "above/"), [below.id]),
    ):
        request = PageRequest(sort=BY_TITLE, filter=condition)
        assert [one.id for one in (await backend.documents.list(PAGE, request)).items] == found


@pytest.mark.parametrize(
    "sort",
    [
        (SortKey("created_at"),),
        (SortKey("title"),),
        (SortKey("title", descending=True),),
        (SortKey("title"), SortKey("created_at", descending=True)),
        (SortKey("title", descending=True), SortKey("created_at")),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 6])
async def test_pages_of_a_list_add_up_both_ways(
    backend, shelf, sort: tuple[SortKey, ...], limit: int
) -> None:
    del shelf

    async def read(**at: Any) -> Page[Any]:
        asked = without_trash(PageRequest(limit=limit, sort=sort, **at))
        found: Page[Any] = await backend.documents.list(POST, asked)
        return found

    whole = [
        one.id for one in (await backend.documents.list(POST, without_trash(PageRequest(sort=sort)))).items
    ]
    at = await read()
    assert at.prev is None
    forwards = [at]
    while at.next is not None:
        at = await read(after=at.next)
        forwards.append(at)
    assert [one.id for found in forwards for one in found.items] == whole
    backwards = [at]
    while at.prev is not None:
        at = await read(before=at.prev)
        backwards.append(at)
    assert at.next is not None or len(forwards) == 1
    assert [one.id for found in reversed(backwards) for one in found.items] == whole


async def test_a_list_is_counted_where_asked(backend, shelf) -> None:
    del shelf
    asked = without_trash(PageRequest(limit=2, sort=BY_TITLE))
    assert (await backend.documents.list(POST, asked)).count is None
    counted = await backend.documents.list(POST, msgspec.structs.replace(asked, count="exact"))
    assert (len(counted.items), counted.count) == (2, 6)
    behind = await backend.documents.list(
        POST,
        msgspec.structs.replace(
            asked, count="exact", after=counted.next, filter=wanted("title", "eq", "oak")
        ),
    )
    assert behind.count == 2


async def test_a_list_of_nothing(backend) -> None:
    assert await backend.documents.list(POST, PageRequest(sort=BY_TITLE)) == Page(items=[])


async def test_drafts_are_searched_by_the_beginnings_of_words(backend, add, save) -> None:
    oak = post("oak", title="Kitchen gardens", excerpt="of all", body="<p>Some <b>tomatoes</b></p>")
    await add(oak, post("elm", title="Kitchen"))

    async def found(words: str) -> set[str]:
        asked = PageRequest(sort=BY_TITLE, filter=Matches(words))
        return {one.draft.slug for one in (await backend.documents.list(POST, asked)).items}

    assert await found("kitch") == {"oak", "elm"}
    assert await found("GARD toma") == await found("oak") == await found("all") == {"oak"}
    assert await found("itchen") == await found("gardens elm") == await found("") == set()
    await save(edited(oak, body="<p>Leeks</p>"))
    assert (await found("tomatoes"), await found("leek")) == (set(), {"oak"})

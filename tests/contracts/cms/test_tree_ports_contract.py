"""What every repository of the tree of pages, and the queries beside it, do."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from cms_api.domains.cms.documents.content import PageContent, PostContent, Seo
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.pages.interface import MAX_PAGES, Leaf, Tree
from cms_api.domains.cms.pages.ports import Sibling, Spot, TreeRepository
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.service import POST
from cms_api.kernel.errors import Invalid

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
FIELDS = {"excerpt": "", "body": "", "seo": Seo(), "reading_time": 1}


def page(
    slug: str, parent: Document[Any] | None = None, order: int = 0, *, locale: str = "en"
) -> Document[PageContent]:
    above = None if parent is None else parent.id
    content = PageContent(slug=slug, title=slug.title(), parent=above, menu_order=order)
    return Document.create(PAGE, content, locale=locale, at=AT, by=None)[0]


@pytest.fixture
def add(backend):
    async def work(*documents: Document[Any], live: bool = False) -> None:
        for document in documents:
            async with backend.uow() as uow:
                await uow.repository(DocumentRepository).add(document)
                if live:
                    document.publish(at=AT, by=None)
                    await uow.repository(DocumentRepository).save(document)
                    await uow.repository(PublicationRepository).put_live(
                        document, document.draft, Public(fields=FIELDS)
                    )

    return work


@pytest.fixture
def save(backend):
    async def work(document: Document[Any], **values: Any) -> None:
        async with backend.uow() as uow:
            repository = uow.repository(DocumentRepository)
            if values:
                document.edit(msgspec.structs.replace(document.draft, **values), at=AT, by=None)
                await repository.add_revision(document, changed=tuple(values))
            await repository.save(document)

    return work


@pytest.fixture
def siblings(backend):
    async def work(parent: UUID | None, locale: str = "en") -> list[Sibling]:
        async with backend.uow() as uow:
            found: list[Sibling] = await uow.repository(TreeRepository).siblings(
                Spot(parent=parent, locale=locale)
            )
            return found

    return work


def shape(tree: Tree | None) -> list[tuple[int, str, int]]:
    assert tree is not None
    return [(leaf.depth, leaf.slug, leaf.children) for leaf in tree.items]


async def test_the_spot_of_a_page(backend, add) -> None:
    above = page("above", locale="de")
    below = page("below", above, locale="de")
    other = Document.create(POST, PostContent(slug="x", title="X"), locale="en", at=AT, by=None)[0]
    await add(above, below, other)
    async with backend.uow() as uow:
        tree = uow.repository(TreeRepository)
        assert await tree.spot(above.id) == Spot(parent=None, locale="de")
        assert await tree.spot(below.id) == Spot(parent=above.id, locale="de")
        assert await tree.spot(other.id) is None
        assert await tree.spot(uuid4()) is None


async def test_siblings_come_in_their_order(add, save, siblings) -> None:
    top = page("top")
    last, b, a, first = page("last", top, 5), page("b", top), page("a", top), page("first", top, -1)
    foreign, trashed, archived = page("fremd", top, locale="de"), page("gone", top), page("laid", top)
    await add(top, last, b, a, first, foreign, trashed, archived, page("root"))
    trashed.trash(at=AT, by=None)
    archived.archive(at=AT, by=None)
    await save(trashed)
    await save(archived)
    assert await siblings(top.id) == [
        Sibling(id=first.id, order=-1),
        Sibling(id=a.id, order=0),
        Sibling(id=b.id, order=0),
        Sibling(id=last.id, order=5),
    ]
    assert [one.id for one in await siblings(top.id, "de")] == [foreign.id]
    await save(first, menu_order=9)
    assert (await siblings(top.id))[-1] == Sibling(id=first.id, order=9)
    assert [one.order for one in await siblings(None)] == [0, 0]
    assert await siblings(uuid4()) == []


async def test_the_tree_of_drafts(backend, add, save) -> None:
    b, a = page("b", order=1), page("a", order=2)
    b2, b1 = page("b2", b, 2), page("b1", b, 1)
    deep = page("deep", b1)
    trashed = page("gone", b1)
    await add(b, a, b2, b1, deep, trashed, page("deutsch", locale="de"))
    trashed.trash(at=AT, by=None)
    await save(trashed)
    whole = [(1, "b", 2), (2, "b1", 1), (3, "deep", 0), (2, "b2", 0), (1, "a", 0)]
    assert shape(await backend.tree.drafts(None, 10, "en")) == whole
    assert shape(await backend.tree.drafts(None, 2, "en")) == [one for one in whole if one[0] <= 2]
    assert shape(await backend.tree.drafts(None, 1, "de")) == [(1, "deutsch", 0)]
    assert shape(await backend.tree.drafts(b.id, 1, "de")) == [(1, "b1", 1), (1, "b2", 0)]
    assert shape(await backend.tree.drafts(a.id, 5, "en")) == []
    assert await backend.tree.drafts(uuid4(), 5, "en") is None
    assert await backend.tree.drafts(trashed.id, 5, "en") is None
    leaf = (await backend.tree.drafts(b1.id, 1, "en")).items[0]
    assert leaf == Leaf(
        id=deep.id,
        parent=b1.id,
        depth=1,
        slug="deep",
        path="b/b1/deep",
        title="Deep",
        menu_order=0,
        status="draft",
        version=1,
        updated_at=AT,
        children=0,
    )


async def test_the_tree_of_live_pages(backend, add, save) -> None:
    b, a = page("b", order=1), page("a", order=2)
    b1 = page("b1", b)
    hidden = page("hidden", a)
    below = page("below", hidden)
    await add(b, a, b1, live=True)
    await add(hidden)
    await add(below, live=True)
    await save(b, title="Unpublished", menu_order=7)
    found = await backend.tree.live(None, 5, "en")
    items = [msgspec.json.decode(item) for item, _ in found.items]
    assert [(item["depth"], item["title"], item["children"]) for item in items] == [
        (1, "B", 1),
        (2, "B1", 0),
        (1, "A", 0),
    ]
    assert [one for _, one in found.items] == [b.id, b1.id, a.id]
    assert items[1] == {
        "id": str(b1.id),
        "parent": str(b.id),
        "depth": 2,
        "slug": "b1",
        "path": "b/b1",
        "title": "B1",
        "menu_order": 0,
        "updated_at": "2026-01-02T03:04:05.678901Z",
        "children": 0,
    }
    assert len((await backend.tree.live(b.id, 1, "de")).items) == 1
    assert (await backend.tree.live(None, 5, "de")).items == []
    assert await backend.tree.live(hidden.id, 5, "en") is None


async def test_a_tree_has_an_end(backend, add) -> None:
    top = page("top")
    await add(top)
    async with backend.uow() as uow:
        for number in range(MAX_PAGES + 1):
            await uow.repository(DocumentRepository).add(page(f"p{number:04}", top))
    found = await backend.tree.drafts(top.id, 1, "en")
    assert (len(found.items), found.is_cut) == (MAX_PAGES, True)
    assert [leaf.slug for leaf in found.items[:2]] == ["p0000", "p0001"]
    whole = await backend.tree.drafts(None, 1, "en")
    assert (shape(whole), whole.is_cut) == ([(1, "top", MAX_PAGES + 1)], False)


async def test_addresses_below_have_an_end_too(add, save) -> None:
    top = page("t")
    chain = [top]
    for number in range(9):
        chain.append(page(str(number) * 200, chain[-1]))
    await add(*chain, live=True)
    with pytest.raises(Invalid) as refused:
        await save(top, slug="t" * 200)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/parent", "too_deep")]

"""What every repository of categories and tags, and the queries beside it, do."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from cms_api.domains.cms.documents.errors import HasChildren, SlugTaken
from cms_api.domains.cms.taxonomies.model import Taxonomy, Term
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.domains.cms.taxonomies.service import view
from cms_api.kernel.errors import Invalid
from cms_api.kernel.ids import new_id
from cms_api.querying import Comparison, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def term(slug: str = "news", taxonomy: Taxonomy = "category", **values: Any) -> Term:
    return Term(
        id=new_id(),
        taxonomy=taxonomy,
        **({"name": slug.title(), "slug": slug, "created_at": AT, "updated_at": AT} | values),
    )


def state(found: Term | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in Term.__dataclass_fields__}


@pytest.fixture
def write(backend):
    """Does some work on the repository in a unit of work of its own."""

    async def work(do: Callable[[TermRepository], Awaitable[Any]]) -> Any:
        async with backend.uow() as uow:
            return await do(uow.repository(TermRepository))

    return work


@pytest.fixture
def add(write):
    async def work(*terms: Term) -> None:
        for one in terms:
            await write(lambda repository, one=one: repository.add(one))

    return work


async def test_a_term_comes_back_as_stored(backend, add, write) -> None:
    above = term("above")
    made = term("below", description="What is new.", parent_id=above.id)
    await add(above, made)
    assert state(await write(lambda r: r.get("category", made.id))) == state(made)
    assert state(await write(lambda r: r.find("category", "below"))) == state(made)
    assert await backend.terms.get("category", made.id) == view(made)


async def test_a_taxonomy_has_its_own_terms(backend, add, write) -> None:
    category, tag = term(), term(taxonomy="tag")
    await add(category, tag)
    assert await write(lambda r: r.get("tag", category.id)) is None
    assert state(await write(lambda r: r.find("tag", "news"))) == state(tag)
    assert await backend.terms.get("category", tag.id) is None
    assert await write(lambda r: r.find("tag", "else")) is None
    assert await write(lambda r: r.get("tag", uuid4())) is None


async def test_a_changed_term_is_kept(add, write) -> None:
    above, made = term("above"), term()
    await add(above, made)
    made.change({"name": "Latest", "parent_id": above.id}, expected=1, at=AT + timedelta(hours=1))
    await write(lambda r: r.save(made))
    assert state(await write(lambda r: r.get("category", made.id))) == state(made)


async def test_a_slug_is_taken_once_in_a_taxonomy(add, write) -> None:
    other = term("other")
    await add(term(), other, term(taxonomy="tag"))
    with pytest.raises(SlugTaken):
        await add(term())
    other.slug = "news"
    with pytest.raises(SlugTaken):
        await write(lambda r: r.save(other))


@pytest.mark.parametrize(
    ("child", "parent", "code"),
    [
        ("category", "nowhere", "unknown_reference"),
        ("category", "tag", "unknown_reference"),
        ("category", "itself", "cycle"),
        ("tag", "tag", "not_nestable"),
    ],
)
async def test_a_parent_must_be_another_category(add, write, child: Taxonomy, parent: str, code: str) -> None:
    tag, made = term("tag", "tag"), term("made", child)
    await add(tag, made)
    made.parent_id = {"nowhere": uuid4(), "tag": tag.id, "itself": made.id}[parent]
    with pytest.raises(Invalid) as caught:
        await write(lambda r: r.save(made))
    assert [(f.pointer, f.code) for f in caught.value.faults] == [("/parent_id", code)]
    if parent != "itself":
        with pytest.raises(Invalid):
            await add(term("new", child, parent_id=made.parent_id))


async def test_what_is_below_what(add, write) -> None:
    a = term("a")
    b = term("b", parent_id=a.id)
    c = term("c", parent_id=b.id)
    await add(a, b, c)
    assert await write(lambda r: r.is_below(c.id, a.id))
    assert await write(lambda r: r.is_below(b.id, b.id))
    assert not await write(lambda r: r.is_below(a.id, c.id))
    assert not await write(lambda r: r.is_below(uuid4(), a.id))


async def test_a_term_with_children_stays(add, write) -> None:
    a = term("a")
    b = term("b", parent_id=a.id)
    await add(a, b)
    with pytest.raises(HasChildren) as caught:
        await write(lambda r: r.delete(a))
    assert caught.value.members == {"children": 1}
    await write(lambda r: r.delete(b))
    await write(lambda r: r.delete(a))
    assert await write(lambda r: r.get("category", a.id)) is None


async def test_the_first_free_slug(add, write) -> None:
    await add(term(), term("news-2"), term("newsletter"), term(taxonomy="tag"))
    assert await write(lambda r: r.free_slug("category", "news")) == "news-3"
    assert await write(lambda r: r.free_slug("tag", "news")) == "news-2"
    assert await write(lambda r: r.free_slug("tag", "newsletter")) == "newsletter"


async def test_terms_are_listed(backend, add) -> None:
    a, b = term("a"), term("b")
    c = term("c", parent_id=b.id, created_at=AT - timedelta(days=1))
    await add(b, c, a, term("t", "tag"))

    async def slugs(*filters: Comparison, sort: SortKey = SortKey("name")) -> list[str]:  # noqa: B008 - frozen
        page = PageRequest(sort=(sort,), filter=all_of(*filters))
        return [found.slug for found in (await backend.terms.list("category", page)).items]

    assert await slugs() == ["a", "b", "c"]
    assert await slugs(sort=SortKey("slug", descending=True)) == ["c", "b", "a"]
    assert await slugs(sort=SortKey("created_at")) == ["c", "a", "b"]
    assert await slugs(Comparison("parent_id", "eq", (b.id,))) == ["c"]
    assert await slugs(Comparison("parent_id", "exists", (False,))) == ["a", "b"]
    assert await slugs(Comparison("name", "in", ("A", "C"))) == ["a", "c"]
    page = await backend.terms.list("category", PageRequest(sort=(SortKey("name"),), limit=1, count="exact"))
    assert (page.items, page.count) == ([view(a)], 3)
    back = await backend.terms.list("category", PageRequest(sort=(SortKey("name"),), before=page.next))
    assert back.items == []

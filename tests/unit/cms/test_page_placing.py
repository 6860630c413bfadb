"""Choosing the order of a page among its siblings, and placing it, on fakes."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import DocumentNotFound, SlugTaken, Trashed
from cms_api.domains.cms.pages.errors import NoRoom
from cms_api.domains.cms.pages.interface import PageChanges, PageView, Place
from cms_api.domains.cms.pages.placing import HIGHEST, LOWEST, MAX_RENUMBERED, orders, position
from cms_api.domains.cms.pages.ports import Sibling
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import CmsError, Forbidden, Invalid, Stale, Unauthenticated

PAGE = UUID(int=999_999)


def row(*given_orders: int) -> list[Sibling]:
    return [Sibling(id=UUID(int=number), order=order) for number, order in enumerate(given_orders)]


def faults(error: CmsError) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in error.faults]


@pytest.mark.parametrize(
    ("siblings", "at", "now", "chosen"),
    [
        ((), 0, 0, 0),
        ((), 0, 7, 7),
        ((0, 10), 1, 0, 5),
        ((0, 10), 1, 3, 3),
        ((0, 2), 1, 0, 1),
        ((0, 10), 2, 0, 20),
        ((0, 10), 2, 15, 15),
        ((0, 10), 0, 0, -10),
        ((0, 0, 0), 0, 0, -10),
        ((0, 0, 0), 3, 0, 10),
        ((5, HIGHEST - 3), 2, 0, HIGHEST - 1),
        ((LOWEST + 1, 5), 0, 5, LOWEST),
    ],
)
def test_where_there_is_room_nobody_else_moves(
    siblings: tuple[int, ...], at: int, now: int, chosen: int
) -> None:
    assert orders(row(*siblings), at, PAGE, now) == {PAGE: chosen}


@pytest.mark.parametrize(
    ("siblings", "at", "moved"),
    [
        ((0, 1), 1, 1),
        ((0, 0, 0, 0), 2, 2),
        ((0, 0, 0, 0, 0), 1, 1),
        ((0, 1, 2, 3, 100), 2, 2),
        ((0, 1, 5), 1, 1),
        ((HIGHEST - 1, HIGHEST), 2, 2),
        ((LOWEST, 0), 0, 1),
        ((LOWEST, *[LOWEST + n for n in range(5)]), 1, 5),
    ],
)
def test_where_there_is_none_as_few_as_can_be(siblings: tuple[int, ...], at: int, moved: int) -> None:
    assert len(orders(row(*siblings), at, PAGE, 0)) - 1 == moved


def test_there_is_an_end_to_it() -> None:
    half = MAX_RENUMBERED
    assert len(orders(row(*[0] * half * 2), half, PAGE, 0)) == half + 1
    with pytest.raises(NoRoom):
        orders(row(*[0] * (half * 2 + 2)), half + 1, PAGE, 0)


@given(
    st.lists(st.integers(-5, 12) | st.sampled_from([LOWEST, HIGHEST]), max_size=12).map(sorted),
    st.integers(0, 12),
    st.integers(-5, 5),
)
def test_the_order_comes_out_as_it_was_asked_for(given_orders: list[int], at: int, now: int) -> None:
    siblings = row(*given_orders)
    at = min(at, len(siblings))
    chosen = orders(siblings, at, PAGE, now)
    wanted = [sibling.id for sibling in siblings]
    wanted.insert(at, PAGE)
    after = {sibling.id: sibling.order for sibling in siblings} | chosen
    # Equal orders are told apart by what follows, which is the title: those that stay keep their places.
    placed = sorted(wanted, key=lambda one: (after[one], wanted.index(one)))
    assert placed == wanted
    neighbours = [after[one] for one in wanted]
    assert all(LOWEST <= order <= HIGHEST for order in neighbours)
    index = wanted.index(PAGE)
    assert all(order < after[PAGE] for order in neighbours[:index])
    assert all(order > after[PAGE] for order in neighbours[index + 1 :])
    for one in chosen:
        if one != PAGE:
            assert neighbours.count(after[one]) == 1


def test_positions() -> None:
    siblings = row(0, 10, 20)
    first, last = siblings[0].id, siblings[2].id
    for place, at in (
        (Place(), 3),
        (Place(before=first), 0),
        (Place(after=first), 1),
        (Place(before=last), 2),
        (Place(after=last), 3),
    ):
        assert position(siblings, PAGE, place) == at
    for place, found in (
        (Place(before=PAGE), [("/before", "itself")]),
        (Place(after=uuid4()), [("/after", "not_a_sibling")]),
        (Place(before=uuid4(), after=first), [("/before", "not_a_sibling"), ("/after", "two_neighbours")]),
    ):
        with pytest.raises(Invalid) as refused:
            position(siblings, PAGE, place)
        assert faults(refused.value) == found


# The service


@pytest.fixture
def editor(cms: FakeCms) -> Actor:
    return Actor(user_id=cms.users.add("Eve", "eve@example.org"), permissions=frozenset(policy.PERMISSIONS))


@pytest.fixture
def make(cms: FakeCms, editor: Actor):
    async def work(title: str, who: Actor = editor, **values: Any) -> PageView:
        async with cms.uow() as uow:
            return await cms.pages.create(uow, who, PageChanges(title=title, **values))

    return work


@pytest.fixture
def put(cms: FakeCms, editor: Actor):
    async def work(
        page: PageView, who: Actor = editor, *, expected: int | None = None, **place: Any
    ) -> PageView:
        async with cms.uow() as uow:
            return await cms.pages.place(uow, who, page.id, Place(**place), expected=expected)

    return work


@pytest.fixture
def tree(cms: FakeCms):
    async def work() -> list[str]:
        found = await cms.page_tree.drafts(SYSTEM, root=None, depth=5, locale=None)
        return [leaf.path for leaf in found.items]

    return work


async def test_pages_are_put_in_order(make, put, tree) -> None:
    a, b, c = [await make(name) for name in "abc"]
    assert await tree() == ["a", "b", "c"]
    await put(c, before=a.id)
    assert await tree() == ["c", "a", "b"]
    await put(c, after=a.id)
    assert await tree() == ["a", "c", "b"]
    await put(a)
    assert await tree() == ["c", "b", "a"]
    moved = await put(a, parent=b.id, expected=3)
    assert (moved.parent, moved.version) == (b.id, 4)
    assert await tree() == ["c", "b", "b/a"]
    await put(c, parent=b.id, before=a.id)
    assert await tree() == ["b", "b/c", "b/a"]
    await put(a, parent=None, before=b.id)
    assert await tree() == ["a", "b", "b/c"]


async def test_who_gets_another_order_is_edited(cms: FakeCms, make, put, tree) -> None:
    a, b, _, d = [await make(name) for name in "abcd"]
    before = len(cms.store.events)
    await put(d, after=a.id)
    assert await tree() == ["a", "d", "b", "c"]
    events = cms.store.events[before:]
    assert [event.name for event in events] == ["document.updated"] * 2
    assert {event.subject for event in events} == {d.id, a.id}
    a, b = await cms.pages.get(SYSTEM, a.id), await cms.pages.get(SYSTEM, b.id)
    assert (a.version, b.version) == (2, 1)
    assert cms.store.revisions[a.draft_revision].changed == ("menu_order",)
    # Nothing to do: nothing done.
    assert (await put(d, after=a.id)).version == 2
    assert len(cms.store.events) == before + 2


async def test_what_can_t_be(cms: FakeCms, make, put) -> None:
    a, b = await make("a"), await make("b")
    below = await make("below", parent=a.id)
    for page, place, found in (
        (a, {"parent": a.id}, [("/parent", "cycle")]),
        (a, {"parent": below.id}, [("/parent", "cycle")]),
        (b, {"before": below.id}, [("/before", "not_a_sibling")]),
        (b, {"parent": a.id, "after": a.id}, [("/after", "not_a_sibling")]),
        (b, {"after": b.id}, [("/after", "itself")]),
        (b, {"parent": uuid4(), "after": a.id}, [("/after", "not_a_sibling"), ("/parent", "unknown_reference")]),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await put(page, **place)
        assert faults(refused.value) == found
    await make("b", parent=a.id)
    with pytest.raises(SlugTaken):
        await put(b, parent=a.id)
    with pytest.raises(Stale):
        await put(b, before=a.id, expected=2)
    with pytest.raises(DocumentNotFound):
        await put(msgspec.structs.replace(b, id=uuid4()))
    async with cms.uow() as uow:
        await cms.pages.trash(uow, SYSTEM, b.id, expected=None)
    with pytest.raises(Trashed):
        await put(b, before=a.id)
    with pytest.raises(Invalid):
        await put(a, before=b.id)


async def test_who_may(cms: FakeCms, make, put) -> None:
    own = frozenset({policy.READ, policy.CREATE, f"{policy.EDIT}_own"})
    writer = Actor(user_id=cms.users.add("Wim", "wim@example.org"), permissions=own)
    a, b = await make("a"), await make("b")
    mine = await make("mine", writer)
    with pytest.raises(Unauthenticated):
        await put(a, ANONYMOUS, after=b.id)
    with pytest.raises(Forbidden):
        await put(a, writer, after=b.id)
    with pytest.raises(Forbidden):
        await put(a, writer, after=uuid4())
    assert (await put(mine, writer, before=a.id)).menu_order < 0
    # There is no room between these two unless one of them moves, which is not hers.
    with pytest.raises(Forbidden):
        await put(mine, writer, after=a.id)
    with pytest.raises(Unauthenticated):
        await cms.page_tree.drafts(ANONYMOUS, root=None, depth=1, locale=None)


async def test_full_rows_are_said_to_those_who_may(cms: FakeCms, make, put) -> None:
    pages = [await make(f"p{number:03}") for number in range(MAX_RENUMBERED * 2 + 3)]
    middle = pages[len(pages) // 2]
    reader = Actor(user_id=uuid4(), permissions=frozenset({policy.READ}))
    with pytest.raises(Forbidden):
        await put(pages[0], reader, after=middle.id)
    with pytest.raises(NoRoom):
        await put(pages[0], after=middle.id)
    assert (await cms.pages.get(SYSTEM, pages[0].id)).version == 1


async def test_trees_that_are_not_there(cms: FakeCms, make) -> None:
    page = await make("a")
    with pytest.raises(DocumentNotFound):
        await cms.page_tree.drafts(SYSTEM, root=uuid4(), depth=1, locale=None)
    with pytest.raises(NothingPublished):
        await cms.page_tree.live(root=page.id, depth=1, locale=None)
    async with cms.uow() as uow:
        await cms.pages.publish(uow, SYSTEM, page.id, expected=None)
    found = await cms.page_tree.live(root=None, depth=1, locale=None)
    assert (found.used, found.json[:11]) == (str(page.id), '{"items":[{')

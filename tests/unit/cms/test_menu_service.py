"""Menus on fakes: planting, the entity, the service."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes import FixedClock
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.menus.errors import MenuItemNotFound, MenuKeyTaken
from cms_api.domains.cms.menus.interface import (
    MANAGE,
    ItemChanges,
    ItemPlace,
    MenuChanges,
    MenuView,
    NewMenu,
)
from cms_api.domains.cms.menus.items import MAX_DEPTH, MAX_ITEMS, Item, NewItem, Planting, Target
from cms_api.domains.cms.menus.model import Menu
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.resources import ResourceNotFound
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Faults, Forbidden, Invalid, Stale, Unauthenticated
from cms_api.kernel.ids import new_id

AT = FixedClock().now()
LINK = Target(kind="url", url="/x")
ADA = Actor(user_id=UUID(int=1), permissions=frozenset({MANAGE, "documents:read"}))
EVE = Actor(user_id=UUID(int=2), permissions=frozenset({"documents:read"}))


def new(label: str | None = "Link", *children: NewItem, **values: Any) -> NewItem:
    return NewItem(label=label, children=children, **({"target": LINK} | values))


def chain(depth: int) -> NewItem:
    item = new()
    for _ in range(depth - 1):
        item = new("Link", item)
    return item


def found(faults: Faults) -> list[tuple[str, str]]:
    try:
        faults.refuse()
    except Invalid as error:
        return [(fault.pointer, fault.code) for fault in error.faults]
    return []


def planted(*items: NewItem, known: dict[UUID, Item] | None = None) -> tuple[Planting, list[tuple[str, str]]]:
    faults = Faults()
    planting = Planting(known or {}, faults)
    planting.all(items, parent_id=None, depth=1, pointer="/items")
    return planting, found(faults)


def menu_of(*items: NewItem) -> Menu:
    planting, faults = planted(*items)
    assert faults == []
    return Menu(
        id=new_id(),
        key="main",
        name="Main",
        locale="en",
        items=tuple(planting.items),
        created_at=AT,
        updated_at=AT,
    )


def labels(menu: Menu, parent_id: UUID | None = None) -> list[Any]:
    return [
        [item.label, *below] if (below := labels(menu, item.id)) else item.label
        for item in menu.below().get(parent_id, ())
    ]


def labelled(menu: Menu, label: str) -> Item:
    return next(item for item in menu.items if item.label == label)


# Planting


def test_items_are_put_in_their_places() -> None:
    planting, faults = planted(new("A", new("B"), new("C")), new("D"))
    assert faults == []
    a, b, c, d = planting.items
    assert [(one.parent_id, one.position) for one in (a, b, c, d)] == [
        (None, 0), (a.id, 0), (a.id, 1), (None, 1),
    ]  # fmt: skip
    assert planting.at == {
        a.id: "/items/0", b.id: "/items/0/children/0", c.id: "/items/0/children/1", d.id: "/items/1",
    }  # fmt: skip


def test_every_fault_is_noted_where_it_is() -> None:
    kept = planted(new())[0].items[0]
    _, faults = planted(
        new("A", id=uuid4()),
        new("B", new("C", id=kept.id), id=kept.id),
        new(None),
        new(" "),
        new("x" * 201, title="x" * 501),
        new("E", target=Target(kind="tag")),
        new("F", target=Target(kind="tag", id=uuid4(), url="/x")),
        new("G", target=Target(kind="url", url="javascript:x")),
        known={kept.id: kept},
    )
    assert faults == [
        ("/items/0/id", "unknown_reference"), ("/items/1/children/0/id", "duplicate"), ("/items/2/label", "required"),
        ("/items/3/label", "length"), ("/items/4/label", "length"), ("/items/4/title", "length"),
        ("/items/5/target/id", "required"), ("/items/6/target/url", "not_allowed"),
        ("/items/7/target/url", "url"),
    ]  # fmt: skip


def test_items_are_nested_so_deep_and_no_deeper() -> None:
    assert planted(chain(MAX_DEPTH))[1] == []
    assert planted(chain(MAX_DEPTH + 2))[1] == [("/items/0" + "/children/0" * MAX_DEPTH, "too_deep")]


def test_what_is_broken_may_stay_so_but_not_become_so() -> None:
    broken = Target(kind="document")
    kept = Item(
        id=new_id(),
        parent_id=None,
        position=0,
        label="x",
        title=None,
        target=broken,
        opens_in_new_tab=False,
    )
    assert planted(new(id=kept.id, target=broken), known={kept.id: kept})[1] == []
    other = Target(kind="tag")
    assert planted(new(id=kept.id, target=other), known={kept.id: kept})[1] == [
        ("/items/0/target/id", "required")
    ]


# The entity


def test_items_are_added_where_they_are_to_be() -> None:
    menu = menu_of(new("A", new("A1")), new("B"))
    parent = labelled(menu, "A")
    added = menu.add(
        [
            Item(
                id=new_id(),
                parent_id=parent.id,
                position=0,
                label="A0",
                title=None,
                target=LINK,
                opens_in_new_tab=False,
            )
        ],
        0,
        at=AT,
    )
    assert labels(menu) == [["A", "A0", "A1"], "B"]
    assert (menu.version, added.version, added.item_id) == (2, 2, labelled(menu, "A0").id)
    assert [one.position for one in menu.below()[parent.id]] == [0, 1]


def test_items_are_moved_with_all_below_them() -> None:
    menu = menu_of(new("A", new("A1")), new("B", new("B1")), new("C"))
    a, b, c = (labelled(menu, label) for label in "ABC")

    def move(item: Item, parent: Item | None, position: int | None) -> Any:
        values = {name: getattr(menu.item(item.id), name) for name in Item.__struct_fields__}
        moved = Item(**(values | {"parent_id": parent.id if parent else None}))
        return menu.change_item(moved, is_moved=True, position=position, at=AT)

    assert move(a, b, None).changed == ("parent_id", "position")
    assert labels(menu) == [["B", "B1", ["A", "A1"]], "C"]
    assert move(c, None, 0).changed == ("position",)
    assert labels(menu) == ["C", ["B", "B1", ["A", "A1"]]]
    assert move(c, None, 0) is None
    assert menu.version == 3
    for item, parent, position, fault in (
        (b, a, None, ("/parent_id", "cycle")),
        (b, b, None, ("/parent_id", "cycle")),
        (c, b, 3, ("/position", "range")),
    ):
        with pytest.raises(Invalid) as caught:
            move(item, parent, position)
        assert [(one.pointer, one.code) for one in caught.value.faults] == [fault]
    assert labels(menu) == ["C", ["B", "B1", ["A", "A1"]]]


def test_what_would_be_too_deep_is_not_moved() -> None:
    menu = menu_of(chain(MAX_DEPTH - 1), new("A", new("B")))
    deepest, a = menu.items[MAX_DEPTH - 2], labelled(menu, "A")
    assert menu.depth_below(deepest.id) == MAX_DEPTH
    values = {name: getattr(a, name) for name in Item.__struct_fields__}
    with pytest.raises(Invalid) as caught:
        menu.change_item(Item(**(values | {"parent_id": deepest.id})), is_moved=True, position=None, at=AT)
    assert caught.value.faults[0].code == "too_deep"


def test_items_go_with_all_below_them() -> None:
    menu = menu_of(new("A", new("A1", new("A2"))), new("B"))
    assert menu.remove(labelled(menu, "A").id, at=AT).others == 2
    assert labels(menu) == ["B"]
    assert menu.items[0].position == 0
    with pytest.raises(MenuItemNotFound):
        menu.remove(uuid4(), at=AT)


# The service


async def make(cms: FakeCms, *items: NewItem, actor: Actor = ADA, key: str = "main") -> MenuView:
    async with cms.uow() as uow:
        return await cms.menus.create(uow, actor, NewMenu(key=key, name="Main", items=items))


async def test_who_may(cms: FakeCms) -> None:
    menu = await make(cms)
    assert await cms.menus.get(EVE, menu.id) == menu
    with pytest.raises(Unauthenticated):
        await cms.menus.get(ANONYMOUS, menu.id)
    with pytest.raises(Forbidden):
        await make(cms, actor=EVE, key="other")
    with pytest.raises(ResourceNotFound):
        await cms.menus.get(SYSTEM, uuid4())


async def test_a_menu_is_changed(cms: FakeCms) -> None:
    menu = await make(cms, new("A", new("B")))
    (a,) = menu.items
    changes = MenuChanges(key="top", items=(new("C", new("A", id=a.id)),))
    with pytest.raises(Stale):
        async with cms.uow() as uow:
            await cms.menus.update(uow, ADA, menu.id, changes, expected=2)
    async with cms.uow() as uow:
        changed = await cms.menus.update(uow, ADA, menu.id, changes, expected=1)
    assert (changed.version, changed.key, changed.items[0].children[0].id) == (2, "top", a.id)
    assert await cms.menus.get(EVE, menu.id) == changed
    async with cms.uow() as uow:
        same = await cms.menus.update(uow, ADA, menu.id, MenuChanges(key="top"), expected=None)
    assert same == changed
    await make(cms)
    with pytest.raises(MenuKeyTaken):
        await make(cms)
    async with cms.uow() as uow:
        await cms.menus.delete(uow, ADA, menu.id, expected=2)
    assert cms.names() == ["menu.created", "menu.updated", "menu.created", "menu.deleted"]


async def test_targets_must_be_there(cms: FakeCms) -> None:
    gone = Target(kind="document", id=uuid4())
    many = [new() for _ in range(MAX_ITEMS)]
    with pytest.raises(Invalid) as caught:
        await make(cms, new("A", new("B", target=gone)), *many, key="A")
    assert {(one.pointer, one.code) for one in caught.value.faults} == {
        ("/key", "key"), ("/items", "too_many"), ("/items/0/children/0/target/id", "unknown_reference"),
    }  # fmt: skip
    assert cms.store.menus == {}
    async with cms.uow() as uow:
        post = await cms.posts.create(uow, SYSTEM, PostChanges(title="P"))
    menu = await make(cms, new(None, target=Target(kind="document", id=post.id)))
    (use,) = await cms.menus.pointing_at(EVE, [post.id])
    assert (use.menu_id, use.item_ids) == (menu.id, (menu.items[0].id,))
    async with cms.uow() as uow:
        await cms.posts.trash(uow, SYSTEM, post.id, expected=None)
        await cms.posts.purge(uow, SYSTEM, post.id, expected=None)
    broken = await cms.menus.get(EVE, menu.id)
    assert (broken.items[0].is_broken, broken.is_whole, broken.version) == (True, False, 1)


async def test_item_by_item(cms: FakeCms) -> None:
    menu = await make(cms, new("A"))
    (a,) = menu.items
    async with cms.uow() as uow:
        place = ItemPlace(parent_id=a.id, position=0)
        added = await cms.menus.add_item(uow, ADA, menu.id, new("B", new("C")), place, expected=1)
    assert (added.parent_id, added.version, added.children[0].label) == (a.id, 2, "C")
    assert await cms.menus.get_item(EVE, menu.id, added.id) == added
    async with cms.uow() as uow:
        changes = ItemChanges(label="B!", parent_id=None, position=0)
        moved = await cms.menus.update_item(uow, ADA, menu.id, added.id, changes, expected=2)
    assert (moved.label, moved.position, moved.version) == ("B!", 0, 3)
    with pytest.raises(Invalid) as caught:
        async with cms.uow() as uow:
            wrong = ItemChanges(label=None, parent_id=uuid4())
            await cms.menus.update_item(uow, ADA, menu.id, added.id, wrong, expected=3)
    assert [one.pointer for one in caught.value.faults] == ["/label", "/parent_id"]
    async with cms.uow() as uow:
        await cms.menus.remove_item(uow, ADA, menu.id, added.id, expected=3)
    assert [one.label for one in (await cms.menus.get(EVE, menu.id)).items] == ["A"]
    with pytest.raises(MenuItemNotFound):
        await cms.menus.get_item(EVE, menu.id, added.id)
    assert cms.names() == ["menu.created", "menu_item.added", "menu_item.updated", "menu_item.removed"]

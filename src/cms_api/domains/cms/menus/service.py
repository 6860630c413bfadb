"""Deciding about menus."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.menus.events import MenuEvent
from cms_api.domains.cms.menus.interface import (
    MANAGE,
    ItemChanges,
    ItemPlace,
    MenuChanges,
    MenuItemView,
    MenuService,
    MenuSummary,
    MenuUse,
    MenuView,
    NewMenu,
    PlacedItem,
    PublicMenuService,
)
from cms_api.domains.cms.menus.items import Item, NewItem, Planting, Target
from cms_api.domains.cms.menus.model import Below, Menu, check_number
from cms_api.domains.cms.menus.ports import MenuQueries, MenuRepository, PublicMenuQueries
from cms_api.domains.cms.resources import ResourceNotFound, given
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Faults, invalid
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest, Selection

MAX_KEY = 100
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


# Where menus are asked for by a body, in the place of a key.
RESERVED_KEY = "query"


def check_key(key: str) -> str:
    """``key``. Raises `Invalid` unless it is words of ASCII letters and digits, joined by hyphens, and is free."""
    if len(key) > MAX_KEY or not _KEY.fullmatch(key):
        raise invalid(
            "/key",
            "key",
            f"A key is up to {MAX_KEY} of a–z and 0–9, in words joined by hyphens; like “main”.",
        )
    if key == RESERVED_KEY:
        raise invalid("/key", "reserved", f"“{key}” is an address already.")
    return key


class Menus(MenuService):
    """The service of menus."""

    def __init__(self, *, clock: Clock, queries: MenuQueries, default_locale: str) -> None:
        self._clock = clock
        self._queries = queries
        self._default_locale = default_locale

    async def create(self, uow: UnitOfWork, actor: Actor, new: NewMenu) -> MenuView:
        actor.require(MANAGE)
        menus, now = uow.repository(MenuRepository), self._clock.now()
        faults = Faults()
        with faults.noted():
            check_key(new.key)
        items = await _planted(menus, {}, new.items, faults)
        faults.refuse()
        menu = Menu(
            id=new_id(),
            key=new.key,
            name=new.name,
            locale=new.locale or self._default_locale,
            items=items,
            created_at=now,
            updated_at=now,
        )
        await menus.add(menu)
        await menus.put_items(menu)
        uow.record(menu.begun().by(actor))
        return view(menu)

    async def get(self, actor: Actor, menu_id: UUID) -> MenuView:
        return view(await self._shown(actor, menu_id))

    async def pointing_at(self, actor: Actor, document_ids: Collection[UUID]) -> list[MenuUse]:
        actor.require(READ)
        return await self._queries.pointing_at(document_ids)

    async def list(self, actor: Actor, page: PageRequest) -> Page[MenuSummary]:
        actor.require(READ)
        return await self._queries.list(page)

    async def update(
        self, uow: UnitOfWork, actor: Actor, menu_id: UUID, changes: MenuChanges, *, expected: int | None
    ) -> MenuView:
        menus, menu = await self._of(uow, actor, menu_id, expected)
        values, faults = given(changes), Faults()
        if "key" in values:
            with faults.noted():
                check_key(values["key"])
        if changes.items is not UNSET:
            values["items"] = await _planted(menus, menu.known(), changes.items, faults)
        faults.refuse()
        updated = menu.take(values, at=self._clock.now())
        has_items = updated is not None and "items" in updated.changed
        return view(await self._stored(uow, actor, menu, updated, has_items=has_items))

    async def delete(self, uow: UnitOfWork, actor: Actor, menu_id: UUID, *, expected: int | None) -> None:
        menus, menu = await self._of(uow, actor, menu_id, expected)
        await menus.delete(menu)
        uow.record(menu.gone().by(actor))

    async def get_item(self, actor: Actor, menu_id: UUID, item_id: UUID) -> PlacedItem:
        return placed(await self._shown(actor, menu_id), item_id)

    async def add_item(
        self,
        uow: UnitOfWork,
        actor: Actor,
        menu_id: UUID,
        new: NewItem,
        place: ItemPlace,
        *,
        expected: int | None,
    ) -> PlacedItem:
        menus, menu = await self._of(uow, actor, menu_id, expected)
        faults, depth = Faults(), 1
        with faults.noted():
            depth = menu.depth_below(place.parent_id)
        # An id in here would be that of another item, so none is known.
        planting = Planting({}, faults)
        planting.one(new, parent_id=place.parent_id, position=0, depth=depth, pointer="")
        await _check_targets(menus, planting, faults)
        faults.refuse()
        added = menu.add(planting.items, place.position, at=self._clock.now())
        await self._stored(uow, actor, menu, added)
        return placed(menu, added.item_id)

    async def update_item(
        self,
        uow: UnitOfWork,
        actor: Actor,
        menu_id: UUID,
        item_id: UUID,
        changes: ItemChanges,
        *,
        expected: int | None,
    ) -> PlacedItem:
        menus, menu = await self._of(uow, actor, menu_id, expected)
        before, values = menu.item(item_id), given(changes)
        position = values.pop("position", None)
        changed = msgspec.structs.replace(before, **values)
        faults = Faults()
        planting = Planting(menu.known(), faults)
        planting.one(_as_new(changed), parent_id=None, position=0, depth=1, pointer="")
        if changed.target != before.target:
            await _check_targets(menus, planting, faults)
        with faults.noted():
            event = menu.change_item(
                changed,
                is_moved=position is not None or changed.parent_id != before.parent_id,
                position=position,
                at=self._clock.now(),
            )
        faults.refuse()
        await self._stored(uow, actor, menu, event)
        return placed(menu, item_id)

    async def remove_item(
        self, uow: UnitOfWork, actor: Actor, menu_id: UUID, item_id: UUID, *, expected: int | None
    ) -> None:
        _, menu = await self._of(uow, actor, menu_id, expected)
        await self._stored(uow, actor, menu, menu.remove(item_id, at=self._clock.now()))

    async def _shown(self, actor: Actor, menu_id: UUID) -> Menu:
        actor.require(READ)
        if (menu := await self._queries.get(menu_id)) is None:
            raise ResourceNotFound("menu")
        return menu

    async def _of(
        self, uow: UnitOfWork, actor: Actor, menu_id: UUID, expected: int | None
    ) -> tuple[MenuRepository, Menu]:
        actor.require(MANAGE)
        menus = uow.repository(MenuRepository)
        if (menu := await menus.get(menu_id)) is None:
            raise ResourceNotFound("menu")
        menu.check(expected)
        return menus, menu

    async def _stored(
        self, uow: UnitOfWork, actor: Actor, menu: Menu, event: MenuEvent | None, *, has_items: bool = True
    ) -> Menu:
        """The menu, stored where something happened to it, and its items where they have changed."""
        if event is not None:
            menus = uow.repository(MenuRepository)
            await menus.save(menu)
            if has_items:
                await menus.put_items(menu)
            uow.record(event.by(actor))
        return menu


class PublicMenus(PublicMenuService):
    """The service of menus in delivery."""

    def __init__(self, *, queries: PublicMenuQueries, default_locale: str) -> None:
        self._queries = queries
        self._default_locale = default_locale

    async def one(self, key: str, locale: str | None) -> Delivered:
        if (found := await self._queries.one(key, locale or self._default_locale)) is None:
            raise NothingPublished
        return found

    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        return await self._queries.those(ids)

    async def list(self, page: PageRequest, selection: Selection) -> Page[Delivered]:
        return await self._queries.list(page, selection)


async def _planted(
    menus: MenuRepository, known: Mapping[UUID, Item], new: tuple[NewItem, ...], faults: Faults
) -> tuple[Item, ...]:
    """``new`` as items in their places; every fault of them is noted."""
    planting = Planting(known, faults)
    planting.all(new, parent_id=None, depth=1, pointer="/items")
    check_number(len(planting.items), faults)
    await _check_targets(menus, planting, faults)
    return tuple(planting.items)


async def _check_targets(menus: MenuRepository, planting: Planting, faults: Faults) -> None:
    """Note the targets that are not there; those that are stay until the unit of work ends."""
    wanted = {item.target for item in planting.items if item.target.id is not None}
    missing = wanted - await menus.existing(wanted) if wanted else set[Target]()
    for item in planting.items:
        if item.target in missing:
            with faults.noted():
                raise invalid(
                    f"{planting.at[item.id]}/target/id",
                    "unknown_reference",
                    f"There is no {item.target.kind} with this id.",
                )


def _as_new(item: Item) -> NewItem:
    return NewItem(
        id=item.id,
        label=item.label,
        title=item.title,
        target=item.target,
        opens_in_new_tab=item.opens_in_new_tab,
    )


def view(menu: Menu) -> MenuView:
    """The menu as others see it."""
    values = {name: getattr(menu, name) for name in MenuView.__struct_fields__ if name != "items"}
    return MenuView(items=_views(menu.below(), None), **values)


def placed(menu: Menu, item_id: UUID) -> PlacedItem:
    """One item of the menu as others see it. Raises `MenuItemNotFound`."""
    item = menu.item(item_id)
    return PlacedItem(
        menu_id=menu.id,
        parent_id=item.parent_id,
        position=item.position,
        version=menu.version,
        **_shown(menu.below(), item),
    )


def _views(below: Below, parent_id: UUID | None) -> tuple[MenuItemView, ...]:
    return tuple(MenuItemView(**_shown(below, item)) for item in below.get(parent_id, ()))


def _shown(below: Below, item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "label": item.label,
        "title": item.title,
        "target": item.target,
        "opens_in_new_tab": item.opens_in_new_tab,
        "is_broken": item.target.is_broken,
        "children": _views(below, item.id),
    }

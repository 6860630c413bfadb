"""Menus, as a whole and item by item."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Name, Wire
from cms_api.domains.cms.api import (
    MAX_ITEMS,
    MAX_MENU_DEPTH,
    MENUS,
    ItemChanges,
    ItemPlace,
    Locale,
    MenuChanges,
    MenuService,
    MenuSummary,
    MenuView,
    NewItem,
    NewMenu,
    PlacedItem,
    Target,
)
from cms_api.kernel.unit_of_work import UnitOfWork

Key = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="What front ends ask for it by: a–z and 0–9 in words joined by hyphens.",
        examples=["main"],
    ),
]
Label = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="What readers see; the target's title where null."),
]
Hint = Annotated[str, Meta(min_length=1, max_length=500, description="Shown when a reader points at it.")]
Address = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2_000,
        description="An http, https, mailto or tel address, a path that begins with a slash, or `#` and a place.",
        examples=["https://example.org/"],
    ),
]
Position = Annotated[
    int, Meta(ge=0, le=MAX_ITEMS, description="From 0, among the items below the same parent.")
]


class TargetInput(Wire, frozen=True, kw_only=True):
    """Where an item leads: for the kind `url` an address, for the others the id of what it points at.

    The id may be null only where it is so already, as the target has been deleted for good.
    """

    kind: Literal["document", "category", "tag", "url"]
    id: UUID | None = None
    url: Address | None = None


class MenuItemInput(Wire, frozen=True, kw_only=True):
    """An item with those below it, six levels deep at most. One with an `id` is that item of the menu.

    `is_broken` is taken so that what was read can be sent back, and counts for nothing.
    """

    id: UUID | None = None
    label: Label | None = None
    title: Hint | None = None
    target: TargetInput
    opens_in_new_tab: bool = False
    is_broken: bool = False
    children: Annotated[tuple["MenuItemInput", ...], Meta(max_length=MAX_ITEMS)] = ()


Items = Annotated[
    tuple[MenuItemInput, ...],
    Meta(max_length=MAX_ITEMS, description="At most 500, on all levels together."),
]


class MenuPatch(Wire, frozen=True, kw_only=True):
    """New values; what is left out stays. Items are replaced whole."""

    key: Key | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    items: Items | UnsetType = UNSET


class MenuRequest(Wire, frozen=True, kw_only=True):
    """A menu to be made, of the default language where none is given."""

    key: Key
    name: Name
    locale: Locale | UnsetType = UNSET
    items: Items = ()


class NewItemRequest(MenuItemInput, frozen=True, kw_only=True):
    """An item to be added, and where: at the top and at the end where nothing is said."""

    parent_id: UUID | None = None
    position: Position | None = None


class ItemPatch(Wire, frozen=True, kw_only=True):
    """New values; what is left out stays. With a parent and no position it goes to that one's end."""

    label: Label | UnsetType | None = UNSET
    title: Hint | UnsetType | None = UNSET
    target: TargetInput | UnsetType = UNSET
    opens_in_new_tab: bool | UnsetType = UNSET
    parent_id: UUID | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET


class MenuController(Controller):
    """Menus."""

    path = "/menus"
    tags = ("menus",)

    @post(
        "/",
        operation_id="createMenu",
        opt={
            "example": {
                "key": "main",
                "name": "Main menu",
                "items": [
                    {
                        "label": "Products",
                        "target": {"kind": "url", "url": "/products"},
                        "children": [
                            {
                                "label": "Prices",
                                "target": {"kind": "url", "url": "https://example.org/prices"},
                                "opens_in_new_tab": True,
                            }
                        ],
                    }
                ],
            }
        },
    )
    async def create(
        self,
        request: ApiRequest,
        data: JSONBody[MenuRequest],
        menus: NamedDependency[MenuService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[MenuView]:
        """With its items, or without any yet."""
        new = NewMenu(key=data.key, name=data.name, locale=data.locale or None, items=_all(data.items))
        async with uow:
            menu = await menus.create(uow, request.user, new)
        return resource(request, menu, status=201, location=f"/api/v1/menus/{menu.id}")

    @get("/", operation_id="listMenus", opt={"listing": MENUS})
    async def list_menus(
        self, request: ApiRequest, menus: NamedDependency[MenuService]
    ) -> Response[ListView[MenuSummary]]:
        """Without their items. `filter[document]` finds those that point at a document."""
        query = list_query(request, MENUS)
        return list_response(request, query, await menus.list(request.user, query.request))

    @get("/{menu_id:uuid}", operation_id="getMenu")
    async def get_menu(
        self, request: ApiRequest, menu_id: FromPath[UUID], menus: NamedDependency[MenuService]
    ) -> Response[MenuView]:
        """One menu with all its items, shown to readers or not."""
        menu = await menus.get(request.user, menu_id)
        return resource(request, menu, is_whole=menu.is_whole)

    @patch("/{menu_id:uuid}", operation_id="updateMenu", opt={"example": {"name": "Main navigation"}})
    async def update(
        self,
        request: ApiRequest,
        menu_id: FromPath[UUID],
        data: JSONBody[MenuPatch],
        if_match: NamedDependency[int | None],
        menus: NamedDependency[MenuService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[MenuView]:
        """`items` replaces all: those with an id keep it, those without are new, others go."""
        items = UNSET if data.items is UNSET else _all(data.items)
        changes = MenuChanges(key=data.key, name=data.name, items=items)
        async with uow:
            menu = await menus.update(uow, request.user, menu_id, changes, expected=if_match)
        return resource(request, menu)

    @delete("/{menu_id:uuid}", operation_id="deleteMenu")
    async def delete_menu(
        self,
        request: ApiRequest,
        menu_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        menus: NamedDependency[MenuService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """For good, with its items."""
        async with uow:
            await menus.delete(uow, request.user, menu_id, expected=if_match)

    @post(
        "/{menu_id:uuid}/items",
        operation_id="addMenuItem",
        opt={"example": {"label": "News", "target": {"kind": "url", "url": "/news"}, "position": 0}},
    )
    async def add_item(
        self,
        request: ApiRequest,
        menu_id: FromPath[UUID],
        data: JSONBody[NewItemRequest],
        if_match: NamedDependency[int | None],
        menus: NamedDependency[MenuService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[PlacedItem]:
        """Its version, here as below, is the menu's."""
        place = into(data, ItemPlace)
        async with uow:
            item = await menus.add_item(uow, request.user, menu_id, _new(data), place, expected=if_match)
        return resource(request, item, status=201, location=f"/api/v1/menus/{menu_id}/items/{item.id}")

    @get("/{menu_id:uuid}/items/{item_id:uuid}", operation_id="getMenuItem")
    async def get_item(
        self,
        request: ApiRequest,
        menu_id: FromPath[UUID],
        item_id: FromPath[UUID],
        menus: NamedDependency[MenuService],
    ) -> Response[PlacedItem]:
        """One item, with those below it."""
        item = await menus.get_item(request.user, menu_id, item_id)
        return resource(request, item, is_whole=item.is_whole)

    @patch(
        "/{menu_id:uuid}/items/{item_id:uuid}",
        operation_id="updateMenuItem",
        opt={"example": {"parent_id": None, "position": 0}},
    )
    async def update_item(
        self,
        request: ApiRequest,
        menu_id: FromPath[UUID],
        item_id: FromPath[UUID],
        data: JSONBody[ItemPatch],
        if_match: NamedDependency[int | None],
        menus: NamedDependency[MenuService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[PlacedItem]:
        """Changed, or moved with all below it."""
        changes = _item_changes(data)
        async with uow:
            item = await menus.update_item(uow, request.user, menu_id, item_id, changes, expected=if_match)
        return resource(request, item)

    @delete("/{menu_id:uuid}/items/{item_id:uuid}", operation_id="deleteMenuItem")
    async def delete_item(
        self,
        request: ApiRequest,
        menu_id: FromPath[UUID],
        item_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        menus: NamedDependency[MenuService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """With all below it: move those first that are to stay."""
        async with uow:
            await menus.remove_item(uow, request.user, menu_id, item_id, expected=if_match)


def _all(items: tuple[MenuItemInput, ...], depth: int = 1) -> tuple[NewItem, ...]:
    return tuple(_new(item, depth) for item in items)


def _new(item: MenuItemInput, depth: int = 1) -> NewItem:
    """The item as the service takes it. What is far too deep is left out: its parents are refused already."""
    return NewItem(
        id=item.id,
        label=item.label,
        title=item.title,
        target=into(item.target, Target),
        opens_in_new_tab=item.opens_in_new_tab,
        children=_all(item.children, depth + 1) if depth <= MAX_MENU_DEPTH else (),
    )


def _item_changes(data: ItemPatch) -> ItemChanges:
    target = UNSET if data.target is UNSET else into(data.target, Target)
    return ItemChanges(
        label=data.label,
        title=data.title,
        target=target,
        opens_in_new_tab=data.opens_in_new_tab,
        parent_id=data.parent_id,
        position=data.position,
    )

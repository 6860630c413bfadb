"""Menus for everybody. PostgreSQL writes the JSON; the structs here describe it."""

from typing import Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp

from cms_api.adapters.http.cms.answering import delivered_list, delivered_one
from cms_api.adapters.http.lists import list_query, query_values
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.cms.api import PUBLIC_MENUS, PublicMenuService

# An item shows its target, or nothing: that may change with any of them.
MADE_OF = ("menus", "documents", "categories", "tags")
LOCALE = {"locale": "The language; the default one where not given."}


class DeliveredTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an item points at, as it is published by now. All but `kind` is null for the kind `url`."""

    kind: Literal["document", "category", "tag", "url"]
    id: UUID | None
    type: str | None
    title: str | None
    slug: str | None
    path: str | None


class DeliveredMenuItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item. `url` is the address that was given, or a document's path behind a slash; null for terms."""

    id: UUID
    label: str
    title: str | None
    url: str | None
    opens_in_new_tab: bool
    target: DeliveredTarget
    children: list["DeliveredMenuItem"]


class DeliveredMenuKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A menu without its items."""

    id: UUID
    key: str
    name: str
    locale: str


class DeliveredMenu(DeliveredMenuKey, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A menu. Items whose target is not live are left out, with those below them."""

    items: list[DeliveredMenuItem]


@get(
    "/menus",
    operation_id="deliverMenus",
    summary="List menus",
    tags=["delivery"],
    opt={"listing": PUBLIC_MENUS, "answers": ListView[DeliveredMenuKey]},
)
async def list_menus(request: ApiRequest, public_menus: NamedDependency[PublicMenuService]) -> ASGIApp:
    """Their keys and names, in all languages; `filter[locale]` asks for one."""
    query = list_query(request, PUBLIC_MENUS)
    page = await public_menus.list(query.request, query.selection)
    return delivered_list(request, query, page, keys=("menus",))


@get(
    "/menus/{key:str}",
    operation_id="deliverMenu",
    summary="Read a menu",
    tags=["delivery"],
    opt={"query": LOCALE, "answers": DeliveredMenu, "dated": False},
)
async def one_menu(
    request: ApiRequest, key: FromPath[str], public_menus: NamedDependency[PublicMenuService]
) -> ASGIApp:
    """With the titles and addresses that its targets have at this moment."""
    locale = query_values(request, LOCALE).get("locale")
    menu = await public_menus.one(key, locale)
    return delivered_one(request, menu, is_dated=False, keys=MADE_OF)


PUBLIC_MENU_ROUTES = [list_menus, one_menu]

"""The ports of menus, without a database."""

import copy
from collections.abc import Collection, Sequence
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.menus.errors import MenuKeyTaken
from cms_api.domains.cms.menus.interface import MenuSummary, MenuUse
from cms_api.domains.cms.menus.items import Item, Target
from cms_api.domains.cms.menus.model import Menu
from cms_api.domains.cms.menus.ports import MenuQueries, MenuRepository, PublicMenuQueries
from cms_api.querying import Page, PageRequest, Selection

if TYPE_CHECKING:
    from tests.fakes_cms import Store


def forget(store: "Store", target_id: UUID) -> None:
    """What happens to the items of menus when what they point at is deleted for good."""
    for key, menu in list(store.menus.items()):
        left = copy.copy(menu)
        left.items = tuple(
            msgspec.structs.replace(item, target=Target(kind=item.target.kind))
            if item.target.id == target_id
            else item
            for item in menu.items
        )
        store.menus[key] = left


# What is told of a menu without its items.
KEY = ("id", "key", "name", "locale")


class FakeMenus(MenuRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, menu_id: UUID) -> Menu | None:
        return copy.copy(self._store.menus.get(menu_id))

    async def add(self, menu: Menu) -> None:
        self._put(menu, ())

    async def save(self, menu: Menu) -> None:
        self._put(menu, self._store.menus[menu.id].items)

    def _put(self, menu: Menu, items: tuple[Item, ...]) -> None:
        if any(
            other.id != menu.id and (other.key, other.locale) == (menu.key, menu.locale)
            for other in self._store.menus.values()
        ):
            raise MenuKeyTaken(menu.key)
        stored = copy.copy(menu)
        stored.items = items
        self._store.menus[menu.id] = stored

    async def put_items(self, menu: Menu) -> None:
        kept = await self.existing({item.target for item in menu.items if item.target.id is not None})
        stored = copy.copy(self._store.menus[menu.id])
        stored.items = tuple(
            item
            if item.target.id is None or item.target in kept
            else msgspec.structs.replace(item, target=Target(kind=item.target.kind))
            for item in menu.items
        )
        self._store.menus[menu.id] = stored

    async def delete(self, menu: Menu) -> None:
        del self._store.menus[menu.id]

    async def existing(self, targets: Collection[Target]) -> frozenset[Target]:
        return frozenset(one for one in targets if self._is_there(one))

    def _is_there(self, target: Target) -> bool:
        if target.id is None:
            return False
        if target.kind == "document":
            return target.id in self._store.documents
        term = self._store.terms.get(target.id)
        return term is not None and term.taxonomy == target.kind


class FakeMenuQueries(MenuQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, menu_id: UUID) -> Menu | None:
        return copy.copy(self._store.menus.get(menu_id))

    async def pointing_at(self, document_ids: Collection[UUID]) -> list[MenuUse]:
        uses = [
            MenuUse(
                document_id=document_id,
                menu_id=menu.id,
                key=menu.key,
                name=menu.name,
                locale=menu.locale,
                item_ids=tuple(sorted(ids)),
            )
            for document_id in set(document_ids)
            for menu in self._store.menus.values()
            if (ids := [item.id for item in menu.items if item.target.id == document_id])
        ]
        return sorted(uses, key=lambda use: (use.document_id, use.key, use.locale))

    async def list(self, page: PageRequest) -> Page[MenuSummary]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - that module knows this one

        def value(menu: Menu, name: str) -> Any:
            if name in ("document", "category", "tag"):
                return tuple(
                    item.target.id
                    for item in menu.items
                    if item.target.kind == name and item.target.id is not None
                )
            return getattr(menu, name)

        return page_of(list(self._store.menus.values()), page, value, summary)


def summary(menu: Menu) -> MenuSummary:
    names = set(MenuSummary.__struct_fields__) - {"item_count", "broken_count"}
    return MenuSummary(
        item_count=len(menu.items),
        broken_count=sum(item.target.is_broken for item in menu.items),
        **{name: getattr(menu, name) for name in names},
    )


class FakePublicMenuQueries(PublicMenuQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def one(self, key: str, locale: str) -> Delivered | None:
        for menu in self._store.menus.values():
            if (menu.key, menu.locale) == (key, locale):
                return self._whole(menu)
        return None

    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        menus = self._store.menus
        return [self._whole(menus[one]) for one in ids if one in menus]

    def _whole(self, menu: Menu) -> Delivered:
        used = [str(menu.id), *{str(item.target.id) for item in menu.items if item.target.id}]
        return _delivered(menu, {"items": self._items(menu, None)}, used)

    def _items(self, menu: Menu, parent_id: UUID | None) -> list[dict[str, Any]]:
        shown = []
        for item in menu.below().get(parent_id, ()):
            if (target := self._target(item.target)) is not None:
                path = target["path"]
                shown.append(
                    {
                        "id": item.id,
                        "label": item.label or target["title"],
                        "title": item.title,
                        "url": item.target.url or (None if path is None else f"/{path}"),
                        "opens_in_new_tab": item.opens_in_new_tab,
                        "target": target,
                        "children": self._items(menu, item.id),
                    }
                )
        return shown

    def _target(self, target: Target) -> dict[str, Any] | None:
        """What the public hears of a target, None where it is not live."""
        shown: dict[str, Any] = {"kind": target.kind, "id": target.id}
        if target.kind == "url":
            return shown | dict.fromkeys(("type", "title", "slug", "path"))
        if target.id is None:
            return None
        if target.kind != "document":
            term = self._store.terms[target.id]
            return shown | {"type": target.kind, "title": term.name, "slug": term.slug, "path": None}
        if (live := self._store.publications.get(target.id)) is None:
            return None
        content = live.content
        return shown | {"type": live.type, "title": content.title, "slug": content.slug, "path": live.path}

    async def list(self, page: PageRequest, selection: Selection) -> Page[Delivered]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - that module knows this one

        rows = list(self._store.menus.values())
        return page_of(
            rows, page, getattr, lambda menu: _delivered(menu, {}, {str(menu.id)}, selection.fields or KEY)
        )


def _delivered(
    menu: Menu, more: dict[str, Any], used: Collection[str], names: tuple[str, ...] = KEY
) -> Delivered:
    shown = {name: getattr(menu, name) for name in names} | more
    return Delivered(
        msgspec.json.encode(shown).decode(),
        format_datetime(menu.updated_at, usegmt=True),
        ",".join(used),
    )

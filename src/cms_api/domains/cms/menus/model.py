"""Menus: trees of items, changed as a whole or item by item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.menus.errors import MenuItemNotFound
from cms_api.domains.cms.menus.events import (
    MenuCreated,
    MenuDeleted,
    MenuItemAdded,
    MenuItemRemoved,
    MenuItemUpdated,
    MenuUpdated,
)
from cms_api.domains.cms.menus.items import MAX_DEPTH, MAX_ITEMS, Item
from cms_api.domains.cms.resources import Resource
from cms_api.kernel.errors import Faults, invalid
from cms_api.kernel.versions import check_version

Below = dict[UUID | None, list[Item]]


@dataclass(slots=True, eq=False, kw_only=True)
class Menu(Resource):
    """A menu of one language. ``items`` stand in the order in which a reader meets them."""

    kind: ClassVar[str] = "menu"

    key: str
    name: str
    locale: str
    items: tuple[Item, ...] = ()

    def check(self, expected: int | None) -> None:
        """Raise `Stale` unless this is the version that is meant."""
        check_version(self.version, expected)

    def item(self, item_id: UUID) -> Item:
        """One item. Raises `MenuItemNotFound`."""
        if (found := self.known().get(item_id)) is None:
            raise MenuItemNotFound
        return found

    def known(self) -> dict[UUID, Item]:
        """The items by their ids."""
        return {item.id: item for item in self.items}

    def below(self) -> Below:
        """The items by what they hang below, in their order."""
        return by_parent(self.items)

    def depth_below(self, parent_id: UUID | None) -> int:
        """The depth of what hangs right below ``parent_id``: 1 at the top. Raises `Invalid`."""
        known, depth = self.known(), 1
        while parent_id is not None:
            if (parent := known.get(parent_id)) is None:
                raise invalid("/parent_id", "unknown_reference", "This menu has no item with this id.")
            parent_id, depth = parent.parent_id, depth + 1
        return depth

    def begun(self) -> MenuCreated:
        """The event of its beginning."""
        return MenuCreated(**self._told())

    def take(self, values: Mapping[str, Any], *, at: datetime) -> MenuUpdated | None:
        """Take new values; None where nothing is different."""
        changed = tuple(name for name, value in values.items() if getattr(self, name) != value)
        if not changed:
            return None
        for name in changed:
            setattr(self, name, values[name])
        self._touch(at)
        return MenuUpdated(changed=changed, **self._told())

    def add(self, items: Sequence[Item], position: int | None, *, at: datetime) -> MenuItemAdded:
        """Put an item, with all below it, among those below its parent. Raises `Invalid`."""
        root, below = items[0], self.below()
        if len(self.items) + len(items) > MAX_ITEMS:
            raise too_many("")
        _insert(below, root, root.parent_id, position)
        for item in items[1:]:
            below.setdefault(item.parent_id, []).append(item)
        self.items = flattened(below)
        self._touch(at)
        return MenuItemAdded(item_id=root.id, **self._told())

    def change_item(
        self, changed: Item, *, is_moved: bool, position: int | None, at: datetime
    ) -> MenuItemUpdated | None:
        """Take an item's new values and, where it is moved, its new place; None where all is as it was.

        Raises `Invalid` for a place that it can't have.
        """
        before, below = self.item(changed.id), self.below()
        siblings = below[before.parent_id]
        if is_moved:
            self._check_move(changed, below)
            siblings.remove(before)
            _insert(below, changed, changed.parent_id, position)
        else:
            siblings[before.position] = changed
        self.items = flattened(below)
        after = self.item(changed.id)
        names = tuple(
            name for name in Item.__struct_fields__ if getattr(after, name) != getattr(before, name)
        )
        if not names:
            return None
        self._touch(at)
        return MenuItemUpdated(item_id=changed.id, changed=names, **self._told())

    def _check_move(self, item: Item, below: Below) -> None:
        known, at = self.known(), item.parent_id
        while at is not None and at != item.id:
            at = known[at].parent_id if at in known else None
        if at is not None:
            raise invalid("/parent_id", "cycle", "An item can't hang below itself.")
        if self.depth_below(item.parent_id) - 1 + _height(below, item.id) > MAX_DEPTH:
            raise invalid("/parent_id", "too_deep", f"Items are nested {MAX_DEPTH} levels deep at most.")

    def remove(self, item_id: UUID, *, at: datetime) -> MenuItemRemoved:
        """Take an item away, with all below it. Raises `MenuItemNotFound`."""
        item, below, before = self.item(item_id), self.below(), len(self.items)
        below[item.parent_id].remove(item)
        self.items = flattened(below)
        self._touch(at)
        return MenuItemRemoved(item_id=item_id, others=before - len(self.items) - 1, **self._told())

    def gone(self) -> MenuDeleted:
        """The event of its end."""
        return MenuDeleted(**self._told())

    def _told(self) -> dict[str, Any]:
        return {"subject": self.id, "key": self.key, "locale": self.locale, "version": self.version}

    def _touch(self, at: datetime) -> None:
        self.version += 1
        self.updated_at = at


def check_number(number: int, faults: Faults) -> None:
    """Note a fault where a menu would have too many items."""
    with faults.noted():
        if number > MAX_ITEMS:
            raise too_many("/items")


def too_many(pointer: str) -> Exception:
    """The fault of a menu that is too long."""
    return invalid(pointer, "too_many", f"A menu has at most {MAX_ITEMS} items, on all levels together.")


def by_parent(items: Sequence[Item]) -> Below:
    """Items by what they hang below, in their order."""
    below: Below = {}
    for item in sorted(items, key=lambda one: one.position):
        below.setdefault(item.parent_id, []).append(item)
    return below


def flattened(below: Below, parent_id: UUID | None = None) -> tuple[Item, ...]:
    """All items in reading order, each with the parent and position at which it is found."""
    found: list[Item] = []
    for position, item in enumerate(below.get(parent_id, ())):
        if item.position != position:
            item = msgspec.structs.replace(item, position=position)  # noqa: PLW2901 - the same, renumbered
        found += (item, *flattened(below, item.id))
    return tuple(found)


def _insert(below: Below, item: Item, parent_id: UUID | None, position: int | None) -> None:
    siblings = below.setdefault(parent_id, [])
    if position is not None and position > len(siblings):
        raise invalid("/position", "range", f"There are places from 0 to {len(siblings)} here.")
    siblings.insert(len(siblings) if position is None else position, item)


def _height(below: Below, item_id: UUID) -> int:
    return 1 + max((_height(below, child.id) for child in below.get(item_id, ())), default=0)

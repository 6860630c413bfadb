"""What happens to menus. The subject is the menu."""

from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event


class MenuEvent(Event, frozen=True, kw_only=True):
    """``version`` is the menu's after the change."""

    key: str
    locale: str
    version: int


class MenuCreated(MenuEvent, frozen=True, kw_only=True):
    """A menu was made, with its first items."""

    name: ClassVar[str] = "menu.created"


class MenuUpdated(MenuEvent, frozen=True, kw_only=True):
    """It was changed, in the fields ``changed``."""

    name: ClassVar[str] = "menu.updated"

    changed: tuple[str, ...]


class MenuDeleted(MenuEvent, frozen=True, kw_only=True):
    """It is gone for good, with its items."""

    name: ClassVar[str] = "menu.deleted"


class MenuItemAdded(MenuEvent, frozen=True, kw_only=True):
    """An item was added, with what hangs below it."""

    name: ClassVar[str] = "menu_item.added"

    item_id: UUID


class MenuItemUpdated(MenuEvent, frozen=True, kw_only=True):
    """An item was changed or moved; ``changed`` names its fields, place included."""

    name: ClassVar[str] = "menu_item.updated"

    item_id: UUID
    changed: tuple[str, ...]


class MenuItemRemoved(MenuEvent, frozen=True, kw_only=True):
    """An item is gone, and as many ``others`` that hung below it."""

    name: ClassVar[str] = "menu_item.removed"

    item_id: UUID
    others: int

"""The services of menus."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.menus.items import NewItem, Target
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, Selection, SortKey

MANAGE = "menus:manage"
PERMISSIONS: dict[str, str] = {MANAGE: "Create, change and delete menus."}


class MenuItemView(msgspec.Struct, frozen=True, kw_only=True):
    """An item with what hangs below it. Without a label the target's title is shown.

    ``is_broken`` says that what it pointed at has been deleted for good.
    """

    id: UUID
    label: str | None
    title: str | None
    target: Target
    opens_in_new_tab: bool
    is_broken: bool
    children: tuple["MenuItemView", ...]


class MenuView(msgspec.Struct, frozen=True, kw_only=True):
    """A menu with all its items."""

    id: UUID
    key: str
    name: str
    locale: str
    items: tuple[MenuItemView, ...]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_whole(self) -> bool:
        """Whether the version stands for all that is shown: targets go for good without it."""
        return not _any_broken(self.items)


def _any_broken(items: tuple[MenuItemView, ...]) -> bool:
    return any(item.is_broken or _any_broken(item.children) for item in items)


class PlacedItem(MenuItemView, frozen=True, kw_only=True):
    """An item and its place in its menu, whose ``version`` this is."""

    menu_id: UUID
    parent_id: UUID | None
    position: int
    version: int

    @property
    def is_whole(self) -> bool:
        """Whether the version stands for all that is shown."""
        return not self.is_broken and not _any_broken(self.children)


class MenuSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A menu without its items, but with how many they are, and how many of them are broken."""

    id: UUID
    key: str
    name: str
    locale: str
    item_count: int
    broken_count: int
    version: int
    created_at: datetime
    updated_at: datetime


class MenuUse(msgspec.Struct, frozen=True, kw_only=True):
    """A menu that points at a document, through these items."""

    document_id: UUID
    menu_id: UUID
    key: str
    name: str
    locale: str
    item_ids: tuple[UUID, ...]


class NewMenu(msgspec.Struct, frozen=True, kw_only=True):
    """A menu to be made."""

    key: str
    name: str
    locale: str | None = None
    items: tuple[NewItem, ...] = ()


class MenuChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays. ``items`` replace all."""

    key: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    items: tuple[NewItem, ...] | UnsetType = UNSET


class ItemPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Below which item, None for the top, and at which position: at the end where none is given."""

    parent_id: UUID | None = None
    position: int | None = None


class ItemChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values of an item; what is unset stays. A new parent without a position means its end."""

    label: str | UnsetType | None = UNSET
    title: str | UnsetType | None = UNSET
    target: Target | UnsetType = UNSET
    opens_in_new_tab: bool | UnsetType = UNSET
    parent_id: UUID | UnsetType | None = UNSET
    position: int | UnsetType = UNSET


MENUS = Listing(
    sorts=("key", "name", "created_at", "updated_at"),
    filters={
        "id": "uuid",
        "key": "text",
        "name": "text",
        "locale": "text",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
        "document": "uuid",
        "category": "uuid",
        "tag": "uuid",
    },
    shown=MenuSummary.__struct_fields__,
    sort=(SortKey("key"),),
)
PUBLIC_MENUS = Listing(
    sorts=("key", "name"),
    filters={"id": "uuid", "key": "text", "name": "text", "locale": "text"},
    shown=("id", "key", "name", "locale"),
    sort=(SortKey("key"),),
)


class MenuService(ABC):
    """Menus. Reading needs ``documents:read``, changing ``menus:manage``.

    Those that take a menu's id raise `ResourceNotFound`, those that take an item's
    `MenuItemNotFound`; those that change something `Stale` where ``expected`` is neither None nor
    the menu's version, and `Invalid` with every fault: items too deep or too many, ids of other
    menus, targets that are not there, addresses that are not allowed.
    """

    @abstractmethod
    async def create(self, uow: UnitOfWork, actor: Actor, new: NewMenu) -> MenuView:
        """Make a menu, of the default language where none is given. Raises `MenuKeyTaken`."""

    @abstractmethod
    async def get(self, actor: Actor, menu_id: UUID) -> MenuView:
        """One menu."""

    @abstractmethod
    async def pointing_at(self, actor: Actor, document_ids: Collection[UUID]) -> list[MenuUse]:
        """Which menus point at these documents."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[MenuSummary]:
        """Menus, as `MENUS` allows."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, menu_id: UUID, changes: MenuChanges, *, expected: int | None
    ) -> MenuView:
        """Change a menu; items with an id keep it. Raises `MenuKeyTaken`."""

    @abstractmethod
    async def delete(self, uow: UnitOfWork, actor: Actor, menu_id: UUID, *, expected: int | None) -> None:
        """Delete a menu with its items."""

    @abstractmethod
    async def get_item(self, actor: Actor, menu_id: UUID, item_id: UUID) -> PlacedItem:
        """One item."""

    @abstractmethod
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
        """Add an item, with what hangs below it."""

    @abstractmethod
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
        """Change or move an item; what hangs below goes along."""

    @abstractmethod
    async def remove_item(
        self, uow: UnitOfWork, actor: Actor, menu_id: UUID, item_id: UUID, *, expected: int | None
    ) -> None:
        """Take an item away, with all that hangs below it."""


class PublicMenuService(ABC):
    """Menus as the public sees them: items whose target is live, with current titles and addresses."""

    @abstractmethod
    async def one(self, key: str, locale: str | None) -> Delivered:
        """One menu. Raises `NothingPublished`."""

    @abstractmethod
    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        """Those of the menus that there are, each as `one` gives it: one statement."""

    @abstractmethod
    async def list(self, page: PageRequest, selection: Selection) -> Page[Delivered]:
        """The keys of menus, as `PUBLIC_MENUS` allows."""

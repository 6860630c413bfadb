"""What the services of menus need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from uuid import UUID

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.menus.interface import MenuSummary, MenuUse
from cms_api.domains.cms.menus.items import Target
from cms_api.domains.cms.menus.model import Menu
from cms_api.querying import Page, PageRequest, Selection


class MenuRepository(ABC):
    """Menus, for changing them."""

    @abstractmethod
    async def get(self, menu_id: UUID) -> Menu | None:
        """The menu with its items, locked until the unit of work ends."""

    @abstractmethod
    async def add(self, menu: Menu) -> None:
        """Store a new menu without its items. Raises `MenuKeyTaken`."""

    @abstractmethod
    async def save(self, menu: Menu) -> None:
        """Store the changed menu without its items. Raises `MenuKeyTaken`."""

    @abstractmethod
    async def put_items(self, menu: Menu) -> None:
        """Make the stored items those of ``menu``: one statement, whatever their number."""

    @abstractmethod
    async def delete(self, menu: Menu) -> None:
        """Remove the menu with its items."""

    @abstractmethod
    async def existing(self, targets: Collection[Target]) -> frozenset[Target]:
        """Those targets that are there, in the trash or not, kept there until the unit of work ends."""


class MenuQueries(ABC):
    """Menus, for looking at them: one statement each."""

    @abstractmethod
    async def get(self, menu_id: UUID) -> Menu | None:
        """One menu with its items."""

    @abstractmethod
    async def pointing_at(self, document_ids: Collection[UUID]) -> list[MenuUse]:
        """The menus that point at documents, by document and key."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[MenuSummary]:
        """A page of menus."""


class PublicMenuQueries(ABC):
    """Menus as JSON, encoded by the database: one statement a read."""

    @abstractmethod
    async def one(self, key: str, locale: str) -> Delivered | None:
        """One menu, with those items whose target is live and below items that are shown."""

    @abstractmethod
    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        """Those of the menus that there are, each as `one` gives it."""

    @abstractmethod
    async def list(self, page: PageRequest, selection: Selection) -> Page[Delivered]:
        """A page of menus without their items, of the fields that are wanted."""

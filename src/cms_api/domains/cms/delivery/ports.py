"""What delivery needs from outside."""

from abc import ABC, abstractmethod
from typing import Literal

from cms_api.domains.cms.delivery.interface import Delivered, Kind
from cms_api.querying import Page, PageRequest, Selection


class DeliveryQueries(ABC):
    """Published content as JSON, encoded by the database: one statement a read."""

    @abstractmethod
    async def one(
        self, kind: Kind, by: Literal["id", "slug", "path"], value: object, selection: Selection, locale: str
    ) -> Delivered | None:
        """One item."""

    @abstractmethod
    async def list(self, kind: Kind, page: PageRequest, selection: Selection) -> Page[Delivered]:
        """A page of items."""

"""What delivery needs from outside."""

from abc import ABC, abstractmethod
from typing import Literal

from cms_api.domains.cms.delivery.interface import Delivered, Kind
from cms_api.domains.cms.search.interface import Question
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

    @abstractmethod
    async def search(
        self, kind: Kind, question: Question, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        """A page of the items that match, each with its `highlights`. One more order is known: `RANKED`.

        Of more than `MAX_RANKED` hits only the newest are listed, and the page is bounded.
        """

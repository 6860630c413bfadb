"""Delivery: the queries, and a clear no."""

from typing import Literal

from cms_api.domains.cms.delivery.interface import Delivered, DeliveryService, Kind
from cms_api.domains.cms.delivery.ports import DeliveryQueries
from cms_api.domains.cms.documents.slugs import composed
from cms_api.domains.cms.search.asking import searched
from cms_api.kernel.errors import NotFound
from cms_api.querying import Page, PageRequest, Selection


class NothingPublished(NotFound):
    """Nothing published has this id, slug or path."""

    code = "nothing_published"
    title = "Nothing is published here"

    def __init__(self) -> None:
        super().__init__("Nothing published has this address.")


class Delivery(DeliveryService):
    """The service of delivery."""

    def __init__(self, *, queries: DeliveryQueries, default_locale: str) -> None:
        self._queries = queries
        self._default_locale = default_locale

    async def one(
        self,
        kind: Kind,
        by: Literal["id", "slug", "path"],
        value: object,
        selection: Selection,
        locale: str | None,
    ) -> Delivered:
        if by != "id":
            value = composed(str(value))
        found = await self._queries.one(kind, by, value, selection, locale or self._default_locale)
        if found is None:
            raise NothingPublished
        return found

    async def list(self, kind: Kind, page: PageRequest, selection: Selection) -> Page[Delivered]:
        question, page = searched(page, self._default_locale)
        if question is not None:
            return await self._queries.search(kind, question, page, selection)
        return await self._queries.list(kind, page, selection)

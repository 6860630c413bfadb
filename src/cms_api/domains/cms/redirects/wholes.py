"""The document at a path, whole, as the delivery of its type gives it."""

from cms_api.domains.cms.delivery.interface import LISTINGS, Delivered, Kind
from cms_api.domains.cms.delivery.ports import DeliveryQueries
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.entries.delivery import BUILT_IN, EntryDeliveryService
from cms_api.domains.cms.redirects.ports import LivePlace
from cms_api.domains.cms.redirects.wanted import Wanted
from cms_api.querying import Listing, Selection

ARTICLES: tuple[Kind, ...] = ("pages", "posts")


class Wholes:
    """Reads what is at a path."""

    def __init__(
        self, *, delivery: DeliveryQueries, entries: EntryDeliveryService, default_locale: str
    ) -> None:
        self._delivery = delivery
        self._entries = entries
        self._default_locale = default_locale

    async def of(self, place: LivePlace, wanted: Wanted) -> Delivered:
        """The document. Raises `NothingPublished` where it was taken down a moment ago, `Malformed`."""
        if place.kind not in BUILT_IN:
            reader = await self._entries.of(place.kind)
            selection = await self._selection(wanted, reader.listing)
            return await reader.one("id", place.id, selection, None)
        kind = BUILT_IN[place.kind]
        selection = await self._selection(wanted, LISTINGS[kind])
        found = await self._delivery.one(kind, "id", place.id, selection, self._default_locale)
        if found is None:
            raise NothingPublished
        return found

    async def _selection(self, wanted: Wanted, listing: Listing) -> Selection:
        others: list[Listing] = [LISTINGS[kind] for kind in ARTICLES]
        if not wanted.asks_only([listing, *others]):
            others += await self._entries.listings()
        return wanted.of(listing, others)

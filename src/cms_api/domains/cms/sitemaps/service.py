"""Putting maps of the site together."""

from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.site.facts import SiteFacts, Sites
from cms_api.domains.cms.sitemaps.interface import MapEntry, MapKind, SiteMap, SiteMapPart, SiteMapService
from cms_api.domains.cms.sitemaps.ports import AddressRow, SiteMapQueries

# Too many documents to name each: any that changes may change a part, and so may a file or a setting.
MAX_PARTS = 1_000_000  # further on there can't be any
TAGS = ("documents", "media", "settings", "categories", "tags", "authors")


class SiteMaps(SiteMapService):
    """The service of maps."""

    def __init__(self, *, queries: SiteMapQueries, sites: Sites) -> None:
        self._queries = queries
        self._sites = sites

    async def index(self) -> SiteMap:
        site = await self._sites.get()
        parts = () if site.is_noindex else await self._queries.parts()
        return SiteMap(site=site, parts=parts, tags=(*TAGS, *site.used.split(",")))

    async def part(self, kind: MapKind, number: int) -> SiteMapPart:
        site = await self._sites.get()
        rows = () if site.is_noindex or number > MAX_PARTS else await self._queries.addresses(kind, number)
        if not rows:
            raise NothingPublished
        return SiteMapPart(
            entries=[_entry(site, row) for row in rows],
            changed_at=max(row.changed_at for row in rows),
            tags=(*TAGS, *site.used.split(",")),
        )

    async def robots(self) -> SiteFacts:
        return await self._sites.get()


def _entry(site: SiteFacts, row: AddressRow) -> MapEntry:
    return MapEntry(
        url=site.absolute(row.url),
        changed_at=row.changed_at,
        image=None if row.image is None else site.absolute(row.image),
        alternates=[(locale, site.absolute(url)) for locale, url in row.alternates],
    )

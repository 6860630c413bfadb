"""Putting maps of the site together."""

from collections.abc import Sequence

from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.site.facts import SiteFacts, Sites
from cms_api.domains.cms.sitemaps.interface import MapEntry, MapKind, SiteMap, SiteMapPart, SiteMapService
from cms_api.domains.cms.sitemaps.ports import AddressRow, SiteMapQueries

# Too many documents to name each: any that changes may change a part, and so may a file or a setting.
MAX_PARTS = 1_000_000  # further on there can't be any
TAGS = ("documents", "media", "settings", "categories", "tags", "authors")


class SiteMaps(SiteMapService):
    """The service of maps."""

    def __init__(self, *, queries: SiteMapQueries, sites: Sites, default_locale: str) -> None:
        self._queries = queries
        self._sites = sites
        self._default_locale = default_locale

    async def index(self) -> SiteMap:
        site = await self._sites.get()
        parts = () if site.is_noindex else await self._queries.parts(site)
        return SiteMap(site=site, parts=parts, tags=(*TAGS, *site.used.split(",")))

    async def part(self, kind: MapKind, number: int) -> SiteMapPart:
        site = await self._sites.get()
        is_known = not site.is_noindex and number <= MAX_PARTS
        rows = await self._queries.addresses(kind, number, site) if is_known else ()
        if not rows:
            raise NothingPublished
        return SiteMapPart(
            entries=[_entry(site, row, self._default_locale) for row in rows],
            changed_at=max(row.changed_at for row in rows),
            tags=(*TAGS, *site.used.split(",")),
        )

    async def robots(self) -> SiteFacts:
        return await self._sites.get()


def _entry(site: SiteFacts, row: AddressRow, default_locale: str) -> MapEntry:
    return MapEntry(
        url=site.within(row.locale).absolute(row.url),
        changed_at=row.changed_at,
        images=[site.absolute(image) for image in row.images],
        alternates=_alternates(site, row, default_locale),
    )


def _alternates(site: SiteFacts, row: AddressRow, default_locale: str) -> Sequence[tuple[str, str]]:
    """Where each translation is; of several at one address one, its own before that in the default locale."""
    at: dict[str, str] = {}
    first = (row.locale, default_locale)
    for locale, url in sorted(row.alternates, key=lambda one: [one[0] != each for each in first]):
        at.setdefault(site.within(locale).absolute(url), locale)
    return sorted((locale, url) for url, locale in at.items())

"""The settings of the site, as feeds and maps of it need them: with addresses that are whole."""

from collections.abc import Mapping

import msgspec

from cms_api.domains.cms.documents.addresses import spelt
from cms_api.domains.cms.site.interface import FeedSettings, RobotsSettings, SeoSettings
from cms_api.domains.cms.site.ports import PublicSiteQueries

# Where files are, below the address of this service.
FILES = "/media/"


class _File(msgspec.Struct, frozen=True):
    url: str


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    tagline: str
    base_url: str | None
    base_urls: Mapping[str, str]
    logo: _File | None
    icon: _File | None
    seo: SeoSettings
    feeds: FeedSettings
    robots: RobotsSettings


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to know of the site.

    ``base`` is where readers find it, ``bases`` where those of some languages do, ``service`` where this service
    and its files are found, all without a slash at the end. ``changed_at`` and ``used`` are as `Delivered` has them.
    """

    title: str
    description: str
    base: str
    bases: Mapping[str, str]
    service: str
    logo: str | None
    icon: str | None
    is_noindex: bool
    feeds: FeedSettings
    robots: RobotsSettings
    changed_at: str
    used: str

    def within(self, locale: str | None) -> "SiteFacts":
        """The same, with ``base`` as readers of a language find it; as it is for what is in none."""
        base = self.bases.get(locale or "")
        return self if base is None else msgspec.structs.replace(self, base=base)

    def absolute(self, url: str) -> str:
        """A path of the site or of a file as a whole address; an address stays as it is."""
        if not url.startswith("/"):
            return spelt(url)
        return f"{self.service if url.startswith(FILES) else self.base}{spelt(url)}"


class Sites:
    """Finds the facts: one statement.

    Addresses come from the settings and from the configuration, never from a request, whose Host
    anybody can choose. Where the site has none, it is taken to be where the service is.
    """

    def __init__(self, *, queries: PublicSiteQueries, public_url: str | None, listens_at: str) -> None:
        self._queries = queries
        self._public_url = public_url
        self._listens_at = listens_at

    async def get(self) -> SiteFacts:
        """The facts of this moment."""
        found = await self._queries.get()
        shown = msgspec.json.decode(found.json, type=_Shown)
        base = (shown.base_url or self._public_url or self._listens_at).rstrip("/")
        facts = SiteFacts(
            title=shown.title or base.partition("://")[2],
            description=shown.tagline or shown.seo.description,
            base=base,
            bases={locale: url.rstrip("/") for locale, url in shown.base_urls.items()},
            service=(self._public_url or base).rstrip("/"),
            logo=None,
            icon=None,
            is_noindex=shown.seo.noindex,
            feeds=shown.feeds,
            robots=shown.robots,
            changed_at=found.changed_at,
            used=found.used,
        )
        files = {
            name: facts.absolute(file.url)
            for name, file in (("logo", shown.logo), ("icon", shown.icon))
            if file is not None
        }
        return msgspec.structs.replace(facts, **files)

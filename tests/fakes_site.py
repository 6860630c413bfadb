"""The ports of settings, without a database."""

from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.media.service import url_of
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.site.interface import SiteSettings
from cms_api.domains.cms.site.ports import PublicSiteQueries, SiteQueries, SiteRepository, SiteTargets

if TYPE_CHECKING:
    from tests.fakes_cms import Store

FIRST = SiteSettings(version=1, updated_at=datetime(2026, 1, 1, tzinfo=UTC), updated_by=None)


def repositories(store: "Store") -> dict[type, object]:
    return {SiteRepository: FakeSite(store), SiteTargets: FakeSiteTargets(store)}


def forget(store: "Store", page_id: UUID) -> None:
    """What happens to the settings when a page is deleted for good."""
    gone = {name: None for name in ("home_page", "posts_page") if getattr(store.site, name) == page_id}
    store.site = msgspec.structs.replace(store.site, **gone)


class FakeSite(SiteRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self) -> SiteSettings:
        return self._store.site

    async def save(self, settings: SiteSettings) -> None:
        self._store.site = settings


class FakeSiteTargets(SiteTargets):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def pages(self, ids: Collection[UUID]) -> frozenset[UUID]:
        rows = self._store.documents
        return frozenset(
            one for one in ids if one in rows and rows[one].type == "page" and rows[one].trashed_at is None
        )

    async def media(self, ids: Collection[UUID]) -> frozenset[UUID]:
        return frozenset(ids) & self._store.media.keys()


class FakeSiteQueries(SiteQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self) -> SiteSettings:
        return self._store.site


class FakePublicSiteQueries(PublicSiteQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self) -> Delivered:
        site = self._store.site
        pointing = {
            name: getattr(site, name) for name in ("home_page", "posts_page", "logo", "icon", "image")
        }
        shown = {
            name: getattr(site, name)
            for name in SiteSettings.__struct_fields__
            if name not in ("version", "updated_at", "updated_by")
        }
        shown |= {name: self._page(pointing[name]) for name in ("home_page", "posts_page")}
        shown |= {name: self._file(pointing[name]) for name in ("logo", "icon", "image")}
        used = [str(one) for one in (SITE_ID, *pointing.values()) if one is not None]
        changed_at = format_datetime(site.updated_at, usegmt=True)
        return Delivered(msgspec.json.encode(shown).decode(), changed_at, ",".join(used))

    def _page(self, page_id: UUID | None) -> dict[str, Any] | None:
        if page_id is None or page_id not in self._store.publications:
            return None
        return {"id": page_id, "path": self._store.publications[page_id].path}

    def _file(self, media_id: UUID | None) -> dict[str, Any] | None:
        if media_id is None:
            return None
        asset = self._store.media[media_id]
        url = url_of(asset.storage_key, asset.source_url)
        return {"url": url, "alt": asset.alt, "width": asset.width, "height": asset.height}

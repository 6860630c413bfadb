"""The settings of the site: one row, and the JSON that the public sees of it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from msgspec import NODEFAULT
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import json_text
from cms_api.adapters.sqlalchemy.cms.delivery import http_date, object_of
from cms_api.adapters.sqlalchemy.cms.sources import SOURCES, at
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.site.interface import SiteSettings
from cms_api.domains.cms.site.ports import PublicSiteQueries, SiteQueries, SiteRepository, SiteTargets
from cms_api.domains.cms.site.service import GROUPS

POINTING = {
    "home_page": "home_page_id",
    "posts_page": "posts_page_id",
    "logo": "logo_id",
    "icon": "icon_id",
    "image": "image_id",
}
STAMPS = ("version", "updated_at", "updated_by")
COLUMNS = (*STAMPS, *POINTING.values(), "data")
# Fields that are in ``data``, with what they are where they were never set.
DEFAULTS: dict[str, Any] = {
    field.name: msgspec.to_builtins(
        field.default if field.default is not NODEFAULT else field.default_factory()
    )
    for field in msgspec.structs.fields(SiteSettings)
    if field.name not in (*POINTING, *STAMPS)
}
SETTINGS = f"SELECT {', '.join(COLUMNS)} FROM cms.site_settings"

_PAGE = object_of({name: at(SOURCES["parents"].shown[name], "u") for name in ("id", "path")})
_FILE = object_of({name: at(SOURCES["media"].shown[name], "m") for name in ("url", "alt", "width", "height")})
_SHOWN = {
    **{name: f"v.data->'{name}'" for name in DEFAULTS},
    **{
        name: f"(SELECT {_PAGE} FROM cms.publications u WHERE u.document_id = s.{POINTING[name]})"
        for name in ("home_page", "posts_page")
    },
    **{
        name: f"(SELECT {_FILE} FROM cms.media m WHERE m.id = s.{POINTING[name]})"
        for name in ("logo", "icon", "image")
    },
}
_NESTED = ", ".join(f"'{name}', d.data->'{name}' || coalesce(s.data->'{name}', '{{}}')" for name in GROUPS)
PUBLIC = f"""
SELECT {object_of(_SHOWN)}::text, {http_date("s.updated_at")},
    concat_ws(',', '{SITE_ID}', s.home_page_id, s.posts_page_id, s.logo_id, s.icon_id, s.image_id)
FROM cms.site_settings s
CROSS JOIN (SELECT CAST(%(defaults)s AS jsonb) AS data) d
CROSS JOIN LATERAL (SELECT d.data || s.data || jsonb_build_object({_NESTED}) AS data) v
"""


def _settings(row: Any) -> SiteSettings:
    values = dict(zip(COLUMNS, row, strict=True))
    kept = {name: values[column] for name, column in POINTING.items()}
    stamps = {name: values[name] for name in STAMPS}
    return msgspec.convert({**values["data"], **kept, **stamps}, SiteSettings)


class SqlAlchemySite(SiteRepository):
    """The settings in ``cms.site_settings``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self) -> SiteSettings:
        return _settings((await self._session.execute(text(f"{SETTINGS} FOR UPDATE"))).one())

    async def save(self, settings: SiteSettings) -> None:
        data = {name: msgspec.to_builtins(getattr(settings, name)) for name in DEFAULTS}
        values = {column: getattr(settings, name) for name, column in POINTING.items()}
        values |= {name: getattr(settings, name) for name in STAMPS}
        pairs = ", ".join(f"{name} = :{name}" for name in values)
        await self._session.execute(
            text(f"UPDATE cms.site_settings SET {pairs}, data = CAST(:data AS jsonb)"),
            values | {"data": json_text(data)},
        )


class SqlAlchemySiteTargets(SiteTargets):
    """Pages and files, kept by a lock that many may share."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def pages(self, ids: Collection[UUID]) -> frozenset[UUID]:
        return await self._kept("cms.documents", ids, "AND type = 'page' AND trashed_at IS NULL")

    async def media(self, ids: Collection[UUID]) -> frozenset[UUID]:
        return await self._kept("cms.media", ids)

    async def _kept(self, table: str, ids: Collection[UUID], condition: str = "") -> frozenset[UUID]:
        found = await self._session.scalars(
            text(f"SELECT id FROM {table} WHERE id = ANY(:ids) {condition} ORDER BY id FOR KEY SHARE"),
            {"ids": list(ids)},
        )
        return frozenset(found)


class SqlSite(SiteQueries):
    """The settings, as they are shown to those who manage them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self) -> SiteSettings:
        (row,) = await self._reader.rows(SETTINGS)
        return _settings(row)


class SqlPublicSite(PublicSiteQueries):
    """The settings as the public sees them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._params = {"defaults": json_text(DEFAULTS)}

    async def get(self) -> Delivered:
        (row,) = await self._reader.rows(PUBLIC, self._params)
        return Delivered(*row)

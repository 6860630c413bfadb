"""What is live and may be found, by ranges of numbers."""

from collections.abc import Sequence

from cms_api.adapters.sqlalchemy.cms.urls import file_url, page_url
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.sitemaps.interface import PART, Part
from cms_api.domains.cms.sitemaps.ports import AddressRow, SiteMapQueries

# One look into the index `ix_publications_part` for each part.
PARTS = f"""
SELECT n, x.at
FROM generate_series(0, (SELECT max(ordinal) / {PART} FROM cms.publications)) n
CROSS JOIN LATERAL (
    SELECT p.updated_at AS at FROM cms.publications p
    WHERE p.ordinal / {PART} = n AND p.has_address AND NOT p.is_noindex
    ORDER BY p.updated_at DESC LIMIT 1) x
ORDER BY n
"""
ADDRESSES = f"""
SELECT {page_url("p")}, p.updated_at,
    (SELECT {file_url("m")} FROM cms.media m WHERE m.id = p.cover_id),
    CASE WHEN p.translation_group IS NOT NULL THEN (
        SELECT array_agg(ARRAY[q.locale, {page_url("q")}] ORDER BY q.locale) FROM cms.publications q
        WHERE (q.translation_group = p.translation_group OR q.document_id = p.translation_group)
          AND q.has_address AND NOT q.is_noindex) END
FROM cms.publications p
WHERE p.ordinal >= %(first)s AND p.ordinal < %(end)s AND p.has_address AND NOT p.is_noindex
  -- What names another address as the right one is not to be found at its own.
  AND p.seo->>'canonical' IS NULL
ORDER BY p.ordinal
"""


class SqlSiteMaps(SiteMapQueries):
    """Reads of ``cms.publications``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def parts(self) -> Sequence[Part]:
        return [Part(number, changed_at) for number, changed_at in await self._reader.rows(PARTS)]

    async def addresses(self, part: int) -> Sequence[AddressRow]:
        rows = await self._reader.rows(ADDRESSES, {"first": part * PART, "end": (part + 1) * PART})
        return [
            AddressRow(url, changed_at, image, [(locale, path) for locale, path in alternates or ()])
            for url, changed_at, image, alternates in rows
        ]

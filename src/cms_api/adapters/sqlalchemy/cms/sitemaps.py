"""What is live, and what lists it, as far as it may be found: by ranges of numbers."""

from collections.abc import Sequence
from typing import Any

from cms_api.adapters.sqlalchemy.base import json_text
from cms_api.adapters.sqlalchemy.cms.urls import AUTHOR_URL, TERM_URL, file_url, page_url, spelt_path
from cms_api.adapters.sqlalchemy.reading import DEFAULT_LOCALE, Reader
from cms_api.domains.cms.documents.addresses import spelt
from cms_api.domains.cms.site.facts import SiteFacts
from cms_api.domains.cms.sitemaps.interface import PART, MapKind, MapPart
from cms_api.domains.cms.sitemaps.ports import MAX_IMAGES, AddressRow, SiteMapQueries

# The newest post that an archive lists, by the index `ix_links_listed`.
_NEWEST = """CROSS JOIN LATERAL (
    SELECT k.published_at AS at FROM cms.links k
    WHERE k.is_live AND k.target_id = {0}.id AND k.field = {1} AND k.type = 'post'
    ORDER BY k.published_at DESC LIMIT 1) x"""
_TERMS = "cms.terms t " + _NEWEST.format(
    "t", "CASE t.taxonomy WHEN 'category' THEN 'categories' ELSE 'tags' END"
)
_AUTHORS = "cms.authors a " + _NEWEST.format("a", "'authors'")


def _base(alias: str) -> str:
    """Where readers find what is in the language of a live copy."""
    return f"coalesce(%(bases)s::jsonb->>{alias}.locale, %(base)s::text)"


def _may_be_found(alias: str) -> str:
    """Whether a live copy is to be found at its own address: at none that is the right one instead of it."""
    canonical, own = f"{alias}.seo->>'canonical'", f"{_base(alias)} || {spelt_path(page_url(alias))}"
    return f"""{alias}.has_address AND NOT {alias}.is_noindex
        AND ({canonical} IS NULL OR rtrim({canonical}, '/') = rtrim({own}, '/'))"""


def _place(alias: str) -> str:
    """Which of several at one address comes first."""
    return f"({alias}.locale <> %({DEFAULT_LOCALE})s, {alias}.locale, {alias}.type)"


# OFFSET has it looked up for each row, by the index `ix_publications_path`, and not for all that are live at once.
_IN_MAPS = f"""{_may_be_found("p")} AND NOT EXISTS (
        SELECT FROM cms.publications q
        WHERE q.path = p.path AND {_may_be_found("q")} AND {_place("q")} < {_place("p")}
          AND {_base("q")} = {_base("p")} AND {page_url("q")} = {page_url("p")} OFFSET 0)"""
# One look into the index `ix_publications_part` for each part, and one for each archive.
PARTS = f"""
SELECT 'documents', n, x.at
FROM generate_series(0, (SELECT max(ordinal) / {PART} FROM cms.publications)) n
CROSS JOIN LATERAL (
    SELECT p.updated_at AS at FROM cms.publications p
    WHERE p.ordinal / {PART} = n AND {_IN_MAPS}
    ORDER BY p.updated_at DESC LIMIT 1) x
UNION ALL SELECT 'terms', t.ordinal / {PART}, max(greatest(t.updated_at, x.at)) FROM {_TERMS} GROUP BY 2
UNION ALL SELECT 'authors', a.ordinal / {PART}, max(greatest(a.updated_at, x.at)) FROM {_AUTHORS} GROUP BY 2
"""
# What everybody is shown of a document's pictures: the cover first, then by where they stand.
_IMAGES = f"""ARRAY(
        SELECT i.url FROM (
            SELECT DISTINCT ON (m.id) {file_url("m")} AS url, m.id IS DISTINCT FROM p.cover_id AS is_more, l.field,
                l.position
            FROM cms.links l JOIN cms.media m ON m.id = l.target_id
            WHERE l.document_id = p.document_id AND l.is_live AND l.is_public AND l.target_kind = 'media'
              AND (m.id = p.cover_id OR starts_with(m.media_type, 'image/'))
            ORDER BY m.id, l.field, l.position) i
        ORDER BY i.is_more, i.field, i.position LIMIT {MAX_IMAGES})"""
_DOCUMENTS = f"""
SELECT {page_url("p")}, p.updated_at,
    {_IMAGES},
    CASE WHEN p.translation_group IS NOT NULL THEN (
        SELECT array_agg(ARRAY[q.locale, {page_url("q")}] ORDER BY q.locale) FROM cms.publications q
        WHERE (q.translation_group = p.translation_group OR q.document_id = p.translation_group)
          AND q.has_address AND NOT q.is_noindex) END, p.locale
FROM cms.publications p
WHERE p.ordinal >= %(first)s AND p.ordinal < %(end)s AND {_IN_MAPS}
ORDER BY p.ordinal
"""
ADDRESSES: dict[MapKind, str] = {
    "documents": _DOCUMENTS,
    "terms": f"""
        SELECT {TERM_URL}, greatest(t.updated_at, x.at), ARRAY[]::text[], NULL, NULL FROM {_TERMS}
        WHERE t.ordinal >= %(first)s AND t.ordinal < %(end)s ORDER BY t.ordinal""",
    "authors": f"""
        SELECT {AUTHOR_URL}, greatest(a.updated_at, x.at),
            ARRAY(SELECT {file_url("m")} FROM cms.media m WHERE m.id = a.avatar_id), NULL, NULL FROM {_AUTHORS}
        WHERE a.ordinal >= %(first)s AND a.ordinal < %(end)s ORDER BY a.ordinal""",
}
ORDER: tuple[MapKind, ...] = tuple(ADDRESSES)


class SqlSiteMaps(SiteMapQueries):
    """Reads of ``cms.publications``, ``terms`` and ``authors``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def parts(self, site: SiteFacts) -> Sequence[MapPart]:
        parts = [MapPart(*row) for row in await self._reader.rows(PARTS, _params(site))]
        return sorted(parts, key=lambda part: (ORDER.index(part.kind), part.number))

    async def addresses(self, kind: MapKind, part: int, site: SiteFacts) -> Sequence[AddressRow]:
        params = _params(site) | {"first": part * PART, "end": (part + 1) * PART}
        rows = await self._reader.rows(ADDRESSES[kind], params)
        return [
            AddressRow(url, changed_at, images, [(of, path) for of, path in alternates or ()], locale)
            for url, changed_at, images, alternates, locale in rows
        ]


def _params(site: SiteFacts) -> dict[str, Any]:
    """Where the site is, spelt as canonical addresses are."""
    bases = {locale: spelt(base) for locale, base in site.bases.items()}
    return {"base": spelt(site.base), "bases": json_text(bases)}

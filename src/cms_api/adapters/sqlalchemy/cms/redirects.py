"""Redirects: the rows, and what is in force at a path."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.table import ResourceTable, lock
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.redirects.errors import RedirectTaken
from cms_api.domains.cms.redirects.interface import RedirectView
from cms_api.domains.cms.redirects.model import Redirect
from cms_api.domains.cms.redirects.paths import with_ancestors
from cms_api.domains.cms.redirects.ports import (
    Detour,
    Leading,
    LivePlace,
    RedirectQueries,
    RedirectRepository,
)
from cms_api.kernel.errors import CmsError, invalid
from cms_api.querying import Page, PageRequest

COLUMNS = ", ".join(field.name for field in fields(Redirect))
# What a path with a name behind it begins with, and the first text behind all of those.
BELOW = "{0} >= {1} || '/' AND {0} < {1} || '0'"

BEHIND = f"""
SELECT {COLUMNS} FROM cms.redirects WHERE locale = :locale AND id <> :id AND (
    (match = 'exact' AND source = :path)
    OR (match = 'prefix' AND source = ANY(:above))
    OR (:is_prefix AND NOT is_automatic AND {BELOW.format("source", "CAST(:path AS text)")})
    OR (:is_prefix AND NOT is_automatic AND :path = ''))
ORDER BY source, match LIMIT 1
"""
BEFORE = f"""
SELECT {COLUMNS} FROM cms.redirects WHERE locale = :locale AND id <> :id AND target IS NOT NULL
  AND position('://' IN target) = 0 AND (
    target = :source
    OR (match = 'prefix' AND target = ANY(:above))
    OR (match = 'prefix' AND target = '')
    OR (:is_prefix AND {BELOW.format("target", "CAST(:source AS text)")}))
ORDER BY source, match LIMIT 1
"""


class SqlAlchemyRedirects(RedirectRepository):
    """Redirects in ``cms.redirects``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._table = ResourceTable(session, "cms.redirects", Redirect)

    async def get(self, redirect_id: UUID) -> Redirect | None:
        return await self._table.get("id = :id", id=redirect_id)

    async def lock_all(self) -> None:
        await lock(self._session, "redirects")

    async def add(self, redirect: Redirect) -> None:
        await self._table.add(redirect, _errors(redirect))

    async def save(self, redirect: Redirect) -> None:
        await self._table.save(redirect, _errors(redirect))

    async def delete(self, redirect: Redirect) -> None:
        await self._session.execute(text("DELETE FROM cms.redirects WHERE id = :id"), {"id": redirect.id})

    async def twin(self, redirect: Redirect) -> Redirect | None:
        return await self._one(
            f"""
            SELECT {COLUMNS} FROM cms.redirects
            WHERE locale = :locale AND match = :match AND source = :source AND id <> :id
            """,
            redirect,
            match=redirect.match,
            source=redirect.source,
        )

    async def behind(self, redirect: Redirect) -> Redirect | None:
        if redirect.path is None:
            return None
        is_prefix, above = redirect.match == "prefix", with_ancestors(redirect.path)
        return await self._one(BEHIND, redirect, path=redirect.path, above=above, is_prefix=is_prefix)

    async def before(self, redirect: Redirect) -> Redirect | None:
        is_prefix, above = redirect.match == "prefix", with_ancestors(redirect.source)
        return await self._one(BEFORE, redirect, source=redirect.source, above=above, is_prefix=is_prefix)

    async def _one(self, statement: str, redirect: Redirect, **params: object) -> Redirect | None:
        found = await self._session.execute(
            text(statement), {"id": redirect.id, "locale": redirect.locale, **params}
        )
        row = found.mappings().one_or_none()
        return None if row is None else Redirect(**row)

    async def has_document(self, document_id: UUID, locale: str) -> bool:
        found = await self._session.scalar(
            text(
                """
                SELECT id FROM cms.documents d
                WHERE id = :id AND locale = :locale AND trashed_at IS NULL AND (type IN ('page', 'post') OR EXISTS (
                    SELECT FROM cms.content_types t WHERE t.key = d.type AND t.definition->>'path' IS NOT NULL))
                FOR KEY SHARE OF d
                """
            ),
            {"id": document_id, "locale": locale},
        )
        return found is not None


def _errors(redirect: Redirect) -> dict[str, CmsError]:
    return {
        # One that a publication has made meanwhile; all others were looked at.
        "uq_redirects_source": RedirectTaken(redirect.source),
        "fk_redirects_document_id_documents": invalid(
            "/document", "unknown_reference", "There is nothing with this id that has an address."
        ),
    }


REDIRECT = """
SELECT r.id, r.locale, r.match, r.source, r.document_id, r.target, r.status, r.is_automatic, r.version,
       r.created_at, r.updated_at
FROM cms.redirects r"""
REDIRECTS_BY = Keyset(
    {
        "source": Column("r.source", "text"),
        "created_at": Column("r.created_at", "timestamptz"),
        "updated_at": Column("r.updated_at", "timestamptz"),
    },
    key=Column("r.id", "uuid"),
    filters={
        "locale": Column("r.locale", "text"),
        "kind": Column("r.match", "text"),
        "document": Column("r.document_id", "uuid"),
        "target": Column("r.target", "text"),
        "status": Column("r.status", "integer"),
        "is_automatic": Column("r.is_automatic", "boolean"),
    },
)

# Where the rows of ``redirect`` lead from a path. Each step is a look into an index: of the live paths, of the
# redirects' sources, of the documents. Two columns of different collations are compared by one that is named.
LEADING = """
wanted AS (
    SELECT r.*, d.path AS document_path, ltrim(coalesce(r.target, d.path) || CASE r.match
        WHEN 'prefix' THEN substr({path}, length(r.source) + 1) ELSE '' END, '/') COLLATE "C" AS path
    FROM redirect r LEFT JOIN cms.publications d
        ON d.document_id = r.document_id AND d.has_address)"""
TO = """coalesce(there.path, later.path, w.document_path, CASE WHEN w.document_id IS NULL THEN w.path END),
    coalesce(there.document_id, later.document_id,
        CASE WHEN w.document_path IS NOT NULL THEN w.document_id END)"""
ENDS = """FROM wanted w
LEFT JOIN LATERAL (
    SELECT p.document_id, p.path FROM cms.publications p
    WHERE p.has_address AND p.locale = w.locale AND p.path = w.path COLLATE "default"
    ORDER BY p.type LIMIT 1) there ON true
LEFT JOIN LATERAL (
    SELECT p.document_id, p.path FROM cms.redirects a
    JOIN cms.publications p ON p.document_id = a.document_id AND p.has_address
    WHERE a.locale = w.locale AND a.match = 'exact' AND a.source = w.path AND a.is_automatic) later ON true"""
RESOLVE = f"""
WITH live AS (
    SELECT type, document_id, path FROM (
        SELECT p.type, p.document_id, p.path FROM cms.publications p
        WHERE p.has_address AND p.locale = %(locale)s AND p.path = %(path)s
        UNION ALL
        SELECT p.type, p.document_id, p.path
        FROM cms.site_settings s JOIN cms.publications p ON p.document_id = s.home_page_id
        WHERE %(path)s::text = '' AND p.locale = %(locale)s) found
    ORDER BY type LIMIT 1),
redirect AS (
    SELECT r.id, r.locale, r.match, r.source, r.target, r.document_id, r.status FROM cms.redirects r
    WHERE NOT EXISTS (SELECT FROM live) AND r.locale = %(locale)s
      AND (r.match, r.source) IN (
        SELECT 'exact', %(path)s::text UNION ALL SELECT 'prefix', unnest(%(above)s::text[]))
    ORDER BY r.match, length(r.source) DESC LIMIT 1),
{LEADING.format(path="%(path)s::text").lstrip()}
SELECT type, document_id, path, NULL, NULL, NULL::integer, NULL, NULL::uuid FROM live
UNION ALL
SELECT NULL, w.id, w.source, w.match, w.target, w.status, {TO}
{ENDS}
"""
THOSE = f"""
WITH redirect AS (SELECT * FROM cms.redirects WHERE id = ANY(%(ids)s)),
{LEADING.format(path="r.source").lstrip()}
SELECT w.id, w.source, w.match, w.target, w.status, {TO}, w.locale, w.document_id
{ENDS}
"""


class SqlRedirects(RedirectQueries):
    """Redirects."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, redirect_id: UUID) -> RedirectView | None:
        row = await self._reader.one(REDIRECT + "\nWHERE r.id = %(id)s", {"id": redirect_id})
        return None if row is None else _view(row)

    async def list(self, page: PageRequest) -> Page[RedirectView]:
        return await REDIRECTS_BY.page(self._reader, REDIRECT, [], {}, page, _view)

    async def resolve(self, path: str, above: Collection[str], locale: str) -> LivePlace | Detour | None:
        row = await self._reader.one(RESOLVE, {"path": path, "above": list(above), "locale": locale})
        if row is None:
            return None
        kind, found, place, match, target, status, to, document_id = row
        if kind is not None:
            return LivePlace(kind=kind, id=found, path=place)
        return Detour(
            id=found, match=match, source=place, target=target, status=status, to=to, document_id=document_id
        )

    async def those(self, ids: Collection[UUID]) -> Sequence[Leading]:
        names = ("id", "source", "match", "target", "status", "to", "document_id", "locale", "document")
        rows = await self._reader.rows(THOSE, {"ids": list(ids)})
        return [Leading(**dict(zip(names, row, strict=True))) for row in rows]


def _view(row: tuple[Any, ...]) -> RedirectView:
    return RedirectView(**dict(zip(RedirectView.__struct_fields__, row, strict=True)))

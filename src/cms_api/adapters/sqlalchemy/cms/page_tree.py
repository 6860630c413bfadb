"""The tree of pages, walked from a root down: drafts and live copies."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.queries import STATUS
from cms_api.adapters.sqlalchemy.cms.sources import at, moment
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.pages.interface import MAX_PAGES, Leaf, Tree
from cms_api.domains.cms.pages.ports import LiveTree, Sibling, Spot, TreeQueries, TreeRepository


class SqlAlchemyTree(TreeRepository):
    """The tree of drafts in ``cms.documents``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def spot(self, page_id: UUID) -> Spot | None:
        found = await self._session.execute(
            text("SELECT parent_id, locale FROM cms.documents WHERE id = :id AND type = 'page'"),
            {"id": page_id},
        )
        row = found.one_or_none()
        return None if row is None else Spot(parent=row.parent_id, locale=row.locale)

    async def siblings(self, spot: Spot) -> list[Sibling]:
        place = "parent_id IS NULL" if spot.parent is None else "parent_id = :parent"
        found = await self._session.execute(
            text(
                f"""
                SELECT id, menu_order FROM cms.documents
                WHERE {place} AND locale = :locale AND type = 'page' AND trashed_at IS NULL
                  AND archived_at IS NULL
                ORDER BY menu_order, title, id
                """
            ),
            {"locale": spot.locale, "parent": spot.parent},
        )
        return [Sibling(id=row.id, order=row.menu_order) for row in found]


def _walk(table: str, key: str, condition: str) -> str:
    """The statement's head: ``tree`` has each page's id, depth and place, the numbers on the way to it.

    The root comes first where there is one, with depth 0. Of one page's children no more are
    looked at than can be shown.
    """
    columns = f"d.{key} AS id, row_number() OVER (ORDER BY d.menu_order, d.title, d.{key}) AS n"
    first = f"ORDER BY d.menu_order, d.title, d.{key} LIMIT {MAX_PAGES + 1}"
    return f"""
WITH RECURSIVE tree AS (
    SELECT * FROM (
        SELECT d.{key} AS id, d.locale, 0 AS depth, CAST('{{}}' AS bigint[]) AS place
        FROM {table} d WHERE d.{key} = %(root)s::uuid AND {condition}
        UNION ALL
        SELECT id, locale, 1, ARRAY[n] FROM (
            SELECT {columns}, d.locale FROM {table} d
            WHERE %(root)s::uuid IS NULL AND d.parent_id IS NULL AND d.locale = %(locale)s AND {condition}
            {first}) top) start
    UNION ALL
    SELECT below.id, tree.locale, tree.depth + 1, tree.place || below.n
    FROM tree CROSS JOIN LATERAL (
        SELECT {columns} FROM {table} d
        WHERE d.parent_id = tree.id AND d.locale = tree.locale AND {condition}
        {first}) below
    WHERE tree.depth < %(depth)s),
shown AS (SELECT * FROM tree ORDER BY place LIMIT {MAX_PAGES + 2})"""


DRAFTS = f"""{_walk("cms.documents", "id", "d.type = 'page' AND d.trashed_at IS NULL")}
SELECT d.id, d.parent_id, t.depth, d.slug, d.path, d.title, d.menu_order, {at(STATUS, "d")}, d.version, d.updated_at,
    (SELECT count(*) FROM cms.documents c
     WHERE c.parent_id = d.id AND c.locale = d.locale AND c.type = 'page' AND c.trashed_at IS NULL)
FROM shown t JOIN cms.documents d ON d.id = t.id ORDER BY t.place
"""
LIVE = f"""{_walk("cms.publications", "document_id", "d.type = 'page'")}
SELECT (SELECT row_to_json(_) FROM (
        SELECT p.document_id AS id, p.parent_id AS parent, t.depth, p.slug, p.path, p.title, p.menu_order,
            {moment("p.updated_at")} AS updated_at, (
                SELECT count(*) FROM cms.publications c
                WHERE c.parent_id = p.document_id AND c.locale = p.locale AND c.type = 'page') AS children) _)::text,
    p.document_id, t.depth
FROM shown t JOIN cms.publications p ON p.document_id = t.id ORDER BY t.place
"""


class SqlTree(TreeQueries):
    """The tree."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def drafts(self, root: UUID | None, depth: int, locale: str) -> Tree | None:
        rows = await self._reader.rows(DRAFTS, {"root": root, "depth": depth, "locale": locale})
        if root is not None and not rows:
            return None
        names = Leaf.__struct_fields__
        leaves = [Leaf(**dict(zip(names, row, strict=True))) for row in rows if row[names.index("depth")]]
        return Tree(items=leaves[:MAX_PAGES], is_cut=len(leaves) > MAX_PAGES)

    async def live(self, root: UUID | None, depth: int, locale: str) -> LiveTree | None:
        rows = await self._reader.rows(LIVE, {"root": root, "depth": depth, "locale": locale})
        if root is not None and not rows:
            return None
        items = [(item, found) for item, found, level in rows if level]
        return LiveTree(items=items[:MAX_PAGES], is_cut=len(items) > MAX_PAGES)

"""Menus as JSON text that PostgreSQL has encoded, nested and with what their targets are called by now."""

from collections.abc import Collection, Sequence
from uuid import UUID

from cms_api.adapters.sqlalchemy.cms.delivery import http_date, kept, object_of
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader, Row
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.menus.ports import PublicMenuQueries
from cms_api.querying import Page, PageRequest, Selection

MENU_FIELDS = {"id": "m.id", "key": "m.key", "name": "m.name", "locale": "m.locale"}
TARGET_FIELDS = {
    "kind": "s.kind",
    "id": "s.target_id",
    "type": "s.type",
    "title": "s.target_title",
    "slug": "s.slug",
    "path": "s.path",
}
ITEM_FIELDS = {
    "id": "s.id",
    "label": "s.label",
    "title": "s.title",
    "url": "s.url",
    "opens_in_new_tab": "s.opens_in_new_tab",
    "target": object_of(TARGET_FIELDS),
}


# The items come in reading order, which is that of their positions from the top down. Each one's text opens
# its list of children; behind the last of a list come as many closings as levels end there.
# The tags name what is not shown too: once it is published, the answer is another one.
def _whole(which: str) -> str:
    """The menus ``m`` that a condition names, with their items: one statement, however many."""
    return f"""
WITH RECURSIVE live AS MATERIALIZED (
    SELECT m.id AS menu_id, i.id, i.parent_id, i.position, coalesce(i.label, p.title, t.name) AS label, i.title, i.kind,
        coalesce(p.document_id, t.id) AS target_id, coalesce(p.type, t.taxonomy) AS type,
        coalesce(p.title, t.name) AS target_title, coalesce(p.slug, t.slug) AS slug,
        CASE WHEN p.has_address THEN p.path END AS path,
        coalesce(i.url, CASE WHEN p.has_address THEN '/' || p.path END) AS url, i.opens_in_new_tab
    FROM cms.menus m JOIN cms.menu_items i ON i.menu_id = m.id
    LEFT JOIN cms.publications p ON p.document_id = i.document_id
    LEFT JOIN cms.terms t ON t.id = i.term_id
    WHERE {which} AND (i.kind = 'url' OR p.document_id IS NOT NULL OR t.id IS NOT NULL)),
shown AS (
    SELECT live.*, 1 AS depth, ARRAY[live.position] AS place FROM live WHERE parent_id IS NULL
    UNION ALL
    SELECT live.*, shown.depth + 1, shown.place || live.position
    FROM shown JOIN live ON live.menu_id = shown.menu_id AND live.parent_id = shown.id),
pieces AS (
    SELECT s.menu_id, s.place,
        CASE WHEN lag(s.depth) OVER w >= s.depth THEN ',' ELSE '' END
        || left({object_of(ITEM_FIELDS)}::text, -1) || ',"children":['
        || repeat(']}}', greatest(s.depth - coalesce(lead(s.depth) OVER w, 1) + 1, 0)) AS json
    FROM shown s WINDOW w AS (PARTITION BY s.menu_id ORDER BY s.place)),
trees AS (SELECT menu_id, string_agg(json, '' ORDER BY place) AS json FROM pieces GROUP BY menu_id)
SELECT left({object_of(MENU_FIELDS)}::text, -1) || ',"items":[' || coalesce(trees.json, '') || ']}}',
    {http_date("m.updated_at")},
    concat_ws(',', m.id, (SELECT string_agg(DISTINCT coalesce(i.document_id, i.term_id)::text, ',')
        FROM cms.menu_items i WHERE i.menu_id = m.id))
FROM cms.menus m LEFT JOIN trees ON trees.menu_id = m.id WHERE {which}
"""


ONE = _whole("m.key = %(key)s AND m.locale = %(locale)s")
THOSE = _whole("m.id = ANY(%(ids)s)")
LISTED = f"{http_date('m.updated_at')}, m.id::text\nFROM cms.menus m"
MENUS_BY = Keyset(
    {"key": Column("m.key", "text"), "name": Column("m.name", "text")},
    key=Column("m.id", "uuid"),
    filters={"locale": Column("m.locale", "text")},
)


def _delivered(row: Row) -> Delivered:
    return Delivered(*row)


class SqlPublicMenus(PublicMenuQueries):
    """Reads of ``cms.menus`` and ``menu_items``, and of what they point at."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def one(self, key: str, locale: str) -> Delivered | None:
        row = await self._reader.one(ONE, {"key": key, "locale": locale})
        return None if row is None else Delivered(*row)

    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        return [Delivered(*row) for row in await self._reader.rows(THOSE, {"ids": list(ids)})]

    async def list(self, page: PageRequest, selection: Selection) -> Page[Delivered]:
        select = f"SELECT {object_of(kept(MENU_FIELDS, selection))}::text, {LISTED}"
        return await MENUS_BY.page(self._reader, select, [], {}, page, _delivered)

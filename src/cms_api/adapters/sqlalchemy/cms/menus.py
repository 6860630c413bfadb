"""Menus: changed as a whole, looked at as a whole."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied, json_text, translating
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Several
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.menus.errors import MenuKeyTaken
from cms_api.domains.cms.menus.interface import MenuSummary, MenuUse
from cms_api.domains.cms.menus.items import Item, Target, TargetKind
from cms_api.domains.cms.menus.model import Menu, by_parent, flattened
from cms_api.domains.cms.menus.ports import MenuQueries, MenuRepository
from cms_api.kernel.errors import CmsError
from cms_api.querying import Page, PageRequest

STORED = ("id", "version", "key", "name", "locale", "created_at", "updated_at")
MENU = f"SELECT {', '.join(f'm.{name}' for name in STORED)}"
ITEMS = """
    SELECT coalesce(json_agg(json_build_object(
        'id', i.id, 'parent_id', i.parent_id, 'position', i.position, 'label', i.label, 'title', i.title,
        'opens_in_new_tab', i.opens_in_new_tab, 'target', json_build_object(
            'kind', i.kind, 'id', coalesce(i.document_id, i.term_id), 'url', i.url))), '[]')
    FROM cms.menu_items i WHERE i.menu_id = """

# Rows that are right already stay untouched.
PUT_ITEMS = """
WITH wanted AS (
    SELECT * FROM jsonb_to_recordset(CAST(:items AS jsonb)) AS w (
        id uuid, parent_id uuid, position integer, label text, title text, kind text, document_id uuid,
        term_id uuid, url text, opens_in_new_tab boolean)),
gone AS (
    DELETE FROM cms.menu_items i WHERE i.menu_id = :menu_id AND NOT EXISTS (
        SELECT FROM wanted w WHERE w.id = i.id))
INSERT INTO cms.menu_items AS i (menu_id, id, parent_id, position, label, title, kind, document_id, term_id, url,
    opens_in_new_tab)
SELECT :menu_id, w.* FROM wanted w
ON CONFLICT (menu_id, id) DO UPDATE SET
    parent_id = excluded.parent_id, position = excluded.position, label = excluded.label,
    title = excluded.title, kind = excluded.kind, document_id = excluded.document_id,
    term_id = excluded.term_id, url = excluded.url, opens_in_new_tab = excluded.opens_in_new_tab
WHERE (i.parent_id, i.position, i.label, i.title, i.kind, i.document_id, i.term_id, i.url, i.opens_in_new_tab)
    IS DISTINCT FROM (excluded.parent_id, excluded.position, excluded.label, excluded.title, excluded.kind,
        excluded.document_id, excluded.term_id, excluded.url, excluded.opens_in_new_tab)
"""

SUMMARY = f"""{MENU},
    (SELECT count(*) FROM cms.menu_items i WHERE i.menu_id = m.id),
    (SELECT count(*) FROM cms.menu_items i WHERE i.menu_id = m.id AND i.kind <> 'url'
        AND i.document_id IS NULL AND i.term_id IS NULL)
FROM cms.menus m"""


def _pointing(column: str, kind: str) -> Several:
    return Several(
        f"EXISTS (SELECT FROM cms.menu_items i WHERE i.menu_id = m.id AND i.kind = '{kind}' AND {{}})",
        Column(column, "uuid"),
    )


MENUS_BY = Keyset(
    {
        "key": Column("m.key", "text"),
        "name": Column("m.name", "text"),
        "created_at": Column("m.created_at", "timestamptz"),
        "updated_at": Column("m.updated_at", "timestamptz"),
    },
    key=Column("m.id", "uuid"),
    filters={
        "locale": Column("m.locale", "text"),
        "document": _pointing("i.document_id", "document"),
        "category": _pointing("i.term_id", "category"),
        "tag": _pointing("i.term_id", "tag"),
    },
)


def _menu(row: Any, items: Any) -> Menu:
    found = msgspec.convert(items, list[Item])
    return Menu(**dict(zip(STORED, row, strict=True)), items=flattened(by_parent(found)))


def _summary(row: Any) -> MenuSummary:
    names = (*STORED, "item_count", "broken_count")
    return MenuSummary(**dict(zip(names, row, strict=True)))


def _row(item: Item, kept: Collection[Target]) -> dict[str, Any]:
    target = item.target
    if target.id is not None and target not in kept:
        target = msgspec.structs.replace(target, id=None)
    return {
        "id": item.id,
        "parent_id": item.parent_id,
        "position": item.position,
        "label": item.label,
        "title": item.title,
        "kind": target.kind,
        "document_id": target.id if target.kind == "document" else None,
        "term_id": target.id if target.kind in ("category", "tag") else None,
        "url": target.url,
        "opens_in_new_tab": item.opens_in_new_tab,
    }


class SqlAlchemyMenus(MenuRepository):
    """Menus in ``cms.menus`` and ``menu_items``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, menu_id: UUID) -> Menu | None:
        # First the lock, then the look: a statement that waits sees of the items what they were before.
        locked = await self._session.execute(
            text(f"{MENU} FROM cms.menus m WHERE m.id = :id FOR UPDATE"), {"id": menu_id}
        )
        if (row := locked.one_or_none()) is None:
            return None
        return _menu(row, await self._session.scalar(text(f"{ITEMS} :id"), {"id": menu_id}))

    async def add(self, menu: Menu) -> None:
        with translating(_errors(menu)):
            await self._session.execute(
                text(
                    f"INSERT INTO cms.menus ({', '.join(STORED)})"
                    f" VALUES ({', '.join(f':{name}' for name in STORED)})"
                ),
                copied(menu, STORED),
            )

    async def save(self, menu: Menu) -> None:
        with translating(_errors(menu)):
            await self._session.execute(
                text(
                    """
                    UPDATE cms.menus SET version = :version, key = :key, name = :name, updated_at = :updated_at
                    WHERE id = :id
                    """
                ),
                copied(menu, ("id", "version", "key", "name", "updated_at")),
            )

    async def put_items(self, menu: Menu) -> None:
        # Of the targets that nobody has asked about now, one may have gone for good since the look.
        kept = await self.existing({item.target for item in menu.items if item.target.id is not None})
        rows = json_text([_row(item, kept) for item in menu.items])
        await self._session.execute(text(PUT_ITEMS), {"menu_id": menu.id, "items": rows})

    async def delete(self, menu: Menu) -> None:
        await self._session.execute(text("DELETE FROM cms.menus WHERE id = :id"), {"id": menu.id})

    async def existing(self, targets: Collection[Target]) -> frozenset[Target]:
        documents = [one.id for one in targets if one.kind == "document"]
        terms = [one.id for one in targets if one.kind in ("category", "tag")]
        found: set[tuple[TargetKind, UUID]] = set()
        if documents:
            rows = await self._session.scalars(
                text("SELECT id FROM cms.documents WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE"),
                {"ids": documents},
            )
            found.update(("document", one) for one in rows)
        if terms:
            kinds = await self._session.execute(
                text("SELECT taxonomy, id FROM cms.terms WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE"),
                {"ids": terms},
            )
            found.update((kind, one) for kind, one in kinds)
        return frozenset(one for one in targets if (one.kind, one.id) in found)


def _errors(menu: Menu) -> dict[str, CmsError]:
    return {"uq_menus_key": MenuKeyTaken(menu.key)}


class SqlMenus(MenuQueries):
    """Menus, as they are shown to those who manage them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, menu_id: UUID) -> Menu | None:
        row = await self._reader.one(
            f"{MENU}, ({ITEMS} m.id) FROM cms.menus m WHERE m.id = %(id)s", {"id": menu_id}
        )
        return None if row is None else _menu(row[:-1], row[-1])

    async def pointing_at(self, document_ids: Collection[UUID]) -> list[MenuUse]:
        rows = await self._reader.rows(
            """
            SELECT i.document_id, m.id, m.key, m.name, m.locale, array_agg(i.id ORDER BY i.id)
            FROM cms.menu_items i JOIN cms.menus m ON m.id = i.menu_id
            WHERE i.document_id = ANY(%(ids)s)
            GROUP BY i.document_id, m.id ORDER BY i.document_id, m.key, m.locale
            """,
            {"ids": list(document_ids)},
        )
        return [
            MenuUse(document_id=one, menu_id=menu, key=key, name=name, locale=locale, item_ids=tuple(items))
            for one, menu, key, name, locale, items in rows
        ]

    async def list(self, page: PageRequest) -> Page[MenuSummary]:
        return await MENUS_BY.page(self._reader, SUMMARY, [], {}, page, _summary)

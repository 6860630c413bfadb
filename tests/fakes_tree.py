"""The ports of the tree of pages on the store."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.engine import status_of
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.pages.interface import MAX_PAGES, Leaf, Tree
from cms_api.domains.cms.pages.ports import LiveTree, Sibling, Spot, TreeQueries, TreeRepository

if TYPE_CHECKING:
    from tests.fakes_cms import Publication, Store


def drafts_below(store: "Store", parent: UUID | None, locale: str) -> list[Document[Any]]:
    """The pages right below another one, in their order."""
    rows = [
        row
        for row in store.documents.values()
        if (row.type, row.locale, row.trashed_at) == ("page", locale, None) and row.draft.parent == parent
    ]
    return sorted(rows, key=lambda row: (row.draft.menu_order, row.draft.title, row.id))


def live_below(store: "Store", parent: UUID | None, locale: str) -> list[tuple[UUID, "Publication"]]:
    """The live pages right below another one, in their order."""
    rows: list[tuple[UUID, Any]] = [
        (one, row)
        for one, row in store.publications.items()
        if (row.type, row.locale, row.parent) == ("page", locale, parent)
    ]
    return sorted(rows, key=lambda pair: (pair[1].content.menu_order, pair[1].content.title, pair[0]))


class FakeTree(TreeRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def spot(self, page_id: UUID) -> Spot | None:
        row = self._store.documents.get(page_id)
        if row is None or row.type != "page":
            return None
        return Spot(parent=row.draft.parent, locale=row.locale)

    async def siblings(self, spot: Spot) -> list[Sibling]:
        rows = drafts_below(self._store, spot.parent, spot.locale)
        return [Sibling(id=row.id, order=row.draft.menu_order) for row in rows if row.archived_at is None]


class FakeTreeQueries(TreeQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def drafts(self, root: UUID | None, depth: int, locale: str) -> Tree | None:
        if root is not None:
            row = self._store.documents.get(root)
            if row is None or row.type != "page" or row.trashed_at is not None:
                return None
            locale = row.locale
        leaves = list(self._leaves(root, 1, depth, locale))
        return Tree(items=leaves[:MAX_PAGES], is_cut=len(leaves) > MAX_PAGES)

    def _leaves(self, parent: UUID | None, level: int, depth: int, locale: str) -> Iterator[Leaf]:
        if level > depth:
            return
        for row in drafts_below(self._store, parent, locale):
            yield Leaf(
                id=row.id,
                parent=parent,
                depth=level,
                slug=row.draft.slug,
                path=self._store.paths[row.id],
                title=row.draft.title,
                menu_order=row.draft.menu_order,
                status=status_of(row),
                version=row.version,
                updated_at=row.updated_at,
                children=len(drafts_below(self._store, row.id, locale)),
            )
            yield from self._leaves(row.id, level + 1, depth, locale)

    async def live(self, root: UUID | None, depth: int, locale: str) -> LiveTree | None:
        if root is not None:
            row = self._store.publications.get(root)
            if row is None or row.type != "page":
                return None
            locale = row.locale
        items = list(self._items(root, 1, depth, locale))
        return LiveTree(items=items[:MAX_PAGES], is_cut=len(items) > MAX_PAGES)

    def _items(self, parent: UUID | None, level: int, depth: int, locale: str) -> Iterator[tuple[str, UUID]]:
        if level > depth:
            return
        for one, row in live_below(self._store, parent, locale):
            content: Any = row.content
            item = {
                "id": one,
                "parent": parent,
                "depth": level,
                "slug": content.slug,
                "path": row.path,
                "title": content.title,
                "menu_order": content.menu_order,
                "updated_at": row.updated_at,
                "children": len(live_below(self._store, one, locale)),
            }
            yield msgspec.json.encode(item).decode(), one
            yield from self._items(one, level + 1, depth, locale)

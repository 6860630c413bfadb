"""The ports of previews, on the store."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from cms_api.domains.cms.previews.interface import PreviewView
from cms_api.domains.cms.previews.model import Preview
from cms_api.domains.cms.previews.ports import Draft, PreviewQueries, PreviewRepository, PreviewStage, Staged
from cms_api.domains.cms.previews.service import view
from cms_api.querying import Page, PageRequest

if TYPE_CHECKING:
    from tests.fakes_cms import Store


class FakePreviews(PreviewRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def add(self, preview: Preview) -> None:
        self._store.previews[preview.id] = preview

    async def get(self, preview_id: UUID) -> Preview | None:
        return self._store.previews.get(preview_id)

    async def delete(self, preview_id: UUID) -> None:
        self._store.previews.pop(preview_id, None)

    async def purge(self, *, at: datetime, limit: int) -> int:
        late = [one.id for one in self._store.previews.values() if one.expires_at <= at][:limit]
        for preview_id in late:
            del self._store.previews[preview_id]
        return len(late)


class FakePreviewQueries(PreviewQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, preview_id: UUID) -> PreviewView | None:
        row = self._store.previews.get(preview_id)
        return None if row is None else view(row)

    async def list(self, page: PageRequest) -> Page[PreviewView]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - which imports this module

        return page_of(list(self._store.previews.values()), page, getattr, view)

    async def drafts(self, ids: Collection[UUID]) -> Sequence[Draft]:
        rows = (self._store.documents[one] for one in sorted(set(ids)) if one in self._store.documents)
        return [
            Draft(id=row.id, type=row.type)
            for row in rows
            if row.trashed_at is None and row.archived_at is None
        ]

    async def staged(self, preview_id: UUID) -> Staged | None:
        if (row := self._store.previews.get(preview_id)) is None:
            return None
        return Staged(at=row.created_at, drafts=tuple(await self.drafts(row.documents)))


class FakePreviewStage(PreviewStage):
    """Reads see everything that is written on the store anyway."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        yield

    async def hold(self, ids: Collection[UUID]) -> None:
        del ids

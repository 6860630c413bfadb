"""What follows publishing: words are learnt, and what was published before there was a search is put in."""

from collections.abc import Callable

from cms_api.domains.cms.documents.ports import Renderer
from cms_api.domains.cms.search.ports import SearchIndex, Unread
from cms_api.domains.cms.search.text import SearchText
from cms_api.kernel.unit_of_work import UnitOfWork

AT_ONCE = 100


class SearchReader:
    """Reads what is in the queue, some live copies in each unit of work."""

    def __init__(self, *, renderer: Renderer) -> None:
        self._renderer = renderer

    async def read_all(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Read until the queue is empty; returns how many live copies that were."""
        total = 0
        while True:
            async with new_uow() as uow:
                number = await self._read(uow)
            total += number
            if number < AT_ONCE:
                return total

    async def _read(self, uow: UnitOfWork) -> int:
        index = uow.repository(SearchIndex)
        rows = await index.unread(AT_ONCE)
        for row in rows:
            if not row.is_indexed and row.body is not None:
                await index.add(row.document_id, row.locale, await self._text(row))
        await index.learn([row.document_id for row in rows if row.is_indexed])
        return len(rows)

    async def _text(self, row: Unread) -> SearchText:
        body = await self._renderer.text(row.body or "")
        excerpt = row.excerpt or ""
        # Most excerpts are made of the body, and count no more than that does.
        own = "" if body.startswith(excerpt.removesuffix("…").rstrip()) else excerpt
        return SearchText.of(row.title, [("medium", own), ("low", body)])

"""Search: one statement a page, and three more where nothing is found."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.search.correcting import corrected, doubtful
from cms_api.domains.cms.search.interface import MAX_QUERY, Facet, Hits, Question, SearchService
from cms_api.domains.cms.search.ports import SearchQueries
from cms_api.domains.cms.search.syntax import canonical
from cms_api.kernel.errors import Malformed
from cms_api.querying import NO_SELECTION, Page, PageRequest, Selection


class Search(SearchService):
    """The service of search."""

    def __init__(self, *, queries: SearchQueries, default_locale: str) -> None:
        self._queries = queries
        self._default_locale = default_locale

    async def search(
        self,
        words: str,
        page: PageRequest,
        *,
        locale: str | None = None,
        is_prefix: bool = False,
        facets: Sequence[Facet] = (),
        selection: Selection = NO_SELECTION,
    ) -> Hits:
        if len(words) > MAX_QUERY:
            raise Malformed(f"“q” has at most {MAX_QUERY} characters.")
        asked = Question(canonical(words), locale or self._default_locale, is_prefix)
        mark = _mark(asked)
        page = _opened(page, mark)
        question, found = asked, await self._queries.page(asked, page, selection)
        if not found.items and (better := await self._corrected(asked)) is not None:
            again = await self._queries.page(better, page, selection)
            if again.items:
                question, found = better, again
        counted = await self._queries.facets(question, page, facets) if facets else None
        return Hits(
            page=_sealed(found, mark),
            corrected=question.words if question is not asked else None,
            facets=counted,
        )

    async def _corrected(self, asked: Question) -> Question | None:
        """The question with other words for those that nothing published has."""
        if not (words := doubtful(asked.words, is_prefix=asked.is_prefix)):
            return None
        alternatives = await self._queries.alternatives(asked.locale, words)
        better = corrected(asked.words, alternatives, is_prefix=asked.is_prefix)
        return None if better is None else msgspec.structs.replace(asked, words=better)


def _mark(question: Question) -> str:
    """What a position carries of the question that it belongs to."""
    return blake2b(msgspec.json.encode(question), digest_size=8).hexdigest()


def _opened(page: PageRequest, mark: str) -> PageRequest:
    """The page with positions as the queries know them."""
    position = page.after or page.before
    if position is None:
        return page
    if position[0] != mark:
        raise Malformed("The cursor belongs to another search.")
    name = "after" if page.after else "before"
    return msgspec.structs.replace(page, **{name: position[1:]})


def _sealed(page: Page[Delivered], mark: str) -> Page[Delivered]:
    return msgspec.structs.replace(
        page,
        next=page.next and (mark, *page.next),
        prev=page.prev and (mark, *page.prev),
    )

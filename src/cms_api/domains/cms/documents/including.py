"""What management shows points at, in the place of its ids: as many statements as there are includes."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.authors.interface import AuthorService
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.interface import DOCUMENT_KIND, DocumentView
from cms_api.domains.cms.documents.ports import DocumentQueries
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.locks.interface import HeldLocks
from cms_api.domains.cms.media.interface import MediaService
from cms_api.domains.cms.taxonomies.interface import TermService
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Forbidden
from cms_api.querying import Comparison, Fields, Page, PageRequest, Relation, Selection, SortKey

# An item as JSON has it.
Row = dict[str, Any]


class RelatedService(ABC):
    """What items point at, one by one or in lists."""

    async def of(self, actor: Actor, item: Any, fields: Fields, selection: Selection) -> Any:
        """One item, as `within` has it in a page."""
        (shown,) = (await self.within(actor, Page(items=[item]), fields, selection)).items
        return shown

    @abstractmethod
    async def within(self, actor: Actor, page: Page[Any], fields: Fields, selection: Selection) -> Page[Any]:
        """The page, of items that have what ``selection`` includes in the place of its ids.

        ``fields`` are those of the list. What the actor may not see stays an id, as does what is
        there no more. Where nothing is included it is the page itself.
        """


class RelatedThings(RelatedService):
    """The service, on those of what is pointed at."""

    def __init__(
        self,
        *,
        authors: AuthorService,
        terms: TermService,
        media: MediaService,
        types: DocumentTypes,
        documents: DocumentQueries,
        locks: HeldLocks,
    ) -> None:
        self._authors = authors
        self._terms = terms
        self._media = media
        self._types = types
        self._documents = documents
        self._locks = locks

    async def within(self, actor: Actor, page: Page[Any], fields: Fields, selection: Selection) -> Page[Any]:
        if not selection.included:
            return page
        rows: list[Row] = [msgspec.to_builtins(item) for item in page.items]
        await self._expand(actor, rows, fields, selection)
        return page.of(rows)

    async def _expand(self, actor: Actor, rows: Sequence[Row], fields: Fields, selection: Selection) -> None:
        """Put what ``selection`` includes into the rows, and into what it puts there."""
        for name, inner in selection.include:
            if not selection.wants(name):
                continue
            relation = fields.relations[name]
            if not relation.hops:
                parts = [part for row in rows for part in _parts(row.get(name))]
                await self._expand(actor, parts, relation.fields(), inner)
                continue
            holder = relation.held or name
            pointing = [row for row in rows if holder in row]
            for row in pointing:
                row[name] = _cut(row[holder], None if inner.sort else inner.limit)
            ids = {UUID(one) for row in pointing for one in _ids(row[name])}
            found = await self._found(actor, relation, ids, inner.sort)
            await self._expand(actor, list(found.values()), relation.fields(), inner)
            for row in pointing:
                row[name] = _filled(row[name], found, inner)

    async def _found(
        self, actor: Actor, relation: Relation, ids: Collection[UUID], sort: tuple[SortKey, ...]
    ) -> dict[str, Row]:
        """Of what a relation leads to, what has one of ``ids``, by its id and in the order asked for."""
        if not ids:
            return {}
        page = PageRequest(
            # Statements are kept by their limits: these are few.
            limit=1 << (len(ids) - 1).bit_length(),
            sort=sort or (SortKey("created_at"),),
            filter=Comparison("id", "in", tuple(sorted(ids))),
        )
        with suppress(Forbidden):
            listed = await self._listed(actor, relation.kinds, page)
            return {str(one.id): msgspec.to_builtins(one) for one in listed}
        return {}

    async def _listed(self, actor: Actor, kinds: tuple[str, ...], page: PageRequest) -> Sequence[Any]:
        match kinds:
            case ("author",):
                return (await self._authors.list(actor, page)).items
            case ("category" | "tag" as taxonomy,):
                return (await self._terms.list(actor, taxonomy, page)).items
            case ("media",):
                return (await self._media.list(actor, page)).items
            case _:
                return await self._drafts(actor, [one.removeprefix(DOCUMENT_KIND) for one in kinds], page)

    async def _drafts(
        self, actor: Actor, types: Collection[str], page: PageRequest
    ) -> Sequence[DocumentView]:
        actor.require(policy.READ)
        services = await self._types.services(types)
        if not services:
            return ()
        found = (await self._documents.several([one.kind for one in services.values()], page)).items
        locks = await self._locks.of(document.id for document in found)
        return [services[one.type].view(actor, one, locks.get(one.id)) for one in found]


def _parts(held: Any) -> Iterator[Row]:
    """A group, or each of a list of them, or each block."""
    if isinstance(held, dict):
        yield held
    elif isinstance(held, list | tuple):
        for one in held:
            yield from _parts(one)


def _ids(held: Any) -> Iterable[str]:
    """What a relation holds: an id, several, or nothing."""
    if held is None:
        return ()
    return held if isinstance(held, list | tuple) else (held,)


def _cut(held: Any, limit: int | None) -> Any:
    return held[:limit] if isinstance(held, list | tuple) else held


def _filled(held: Any, found: Mapping[str, Row], selection: Selection) -> Any:
    """What stands in the place of ids, the ids of what is not to be seen among it and last in any order."""
    if not isinstance(held, list | tuple):
        return found.get(held, held)
    if selection.sort:
        places = {one: place for place, one in enumerate(found)}
        held = sorted(held, key=lambda one: places.get(one, len(places)))[: selection.limit]
    return [found.get(one, one) for one in held]

"""What documents of management point at, in the place of its ids: one statement for each kind of thing."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.authors.interface import AuthorService
from cms_api.domains.cms.documents.interface import DocumentView
from cms_api.domains.cms.media.interface import MediaService
from cms_api.domains.cms.taxonomies.interface import TermService
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Forbidden
from cms_api.querying import Comparison, Page, PageRequest, SortKey

Related = Mapping[str, Mapping[UUID, msgspec.Struct]]


class RelatedService(ABC):
    """What documents point at."""

    @abstractmethod
    async def of(self, actor: Actor, views: Sequence[DocumentView], names: Collection[str]) -> Related:
        """By the name of the relation and by id, what ``views`` point at through ``names``.

        What the actor may not see is left out, as is what is there no more.
        """


class RelatedThings(RelatedService):
    """The service, on those of what is pointed at."""

    def __init__(self, *, authors: AuthorService, terms: TermService, media: MediaService) -> None:
        self._authors = authors
        self._terms = terms
        self._media = media

    async def of(self, actor: Actor, views: Sequence[DocumentView], names: Collection[str]) -> Related:
        kinds: dict[tuple[str, ...], Callable[[PageRequest], Awaitable[Page[Any]]]] = {
            ("author", "authors"): partial(self._authors.list, actor),
            ("categories",): partial(self._terms.list, actor, "category"),
            ("tags",): partial(self._terms.list, actor, "tag"),
            ("cover",): partial(self._media.list, actor),
        }
        found: dict[str, Mapping[UUID, msgspec.Struct]] = {}
        for group, listed in kinds.items():
            if wanted := [name for name in group if name in names]:
                ids = {one for view in views for name in wanted for one in ids_of(view, name)}
                known = await _known(listed, ids)
                found.update(dict.fromkeys(wanted, known))
        return found


def ids_of(view: DocumentView, name: str) -> Iterable[UUID]:
    """What a document points at through a relation: any number of ids."""
    held = getattr(view, name, None)
    if held is None:
        return ()
    return held if isinstance(held, tuple) else (held,)


async def _known(
    listed: Callable[[PageRequest], Awaitable[Page[Any]]], ids: Collection[UUID]
) -> dict[UUID, msgspec.Struct]:
    if not ids:
        return {}
    wanted = Comparison("id", "in", tuple(sorted(ids)))
    page = PageRequest(limit=len(ids), sort=(SortKey("created_at"),), filter=wanted)
    with suppress(Forbidden):
        return {one.id: one for one in (await listed(page)).items}
    return {}

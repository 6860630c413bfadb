"""Deciding about terms."""

from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.deleting import Deletions
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.documents.slugs import check_slug, make_slug
from cms_api.domains.cms.former_slugs import FormerSlugRepository
from cms_api.domains.cms.resources import ResourceNotFound, given
from cms_api.domains.cms.taxonomies.interface import TermChanges, TermService, TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy, Term
from cms_api.domains.cms.taxonomies.ports import TermQueries, TermRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import invalid
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest

WRITE = "terms:write"
PERMISSIONS = {WRITE: "Create, change and delete categories and tags."}


def view(term: Term) -> TermView:
    """The term as others see it."""
    return msgspec.convert(term, TermView, from_attributes=True)


class Terms(TermService):
    """The service of terms."""

    def __init__(self, *, clock: Clock, queries: TermQueries, deletions: Deletions) -> None:
        self._clock = clock
        self._queries = queries
        self._deletions = deletions

    async def create(
        self, uow: UnitOfWork, actor: Actor, taxonomy: Taxonomy, changes: TermChanges
    ) -> TermView:
        actor.require(WRITE)
        values = given(changes)
        if "name" not in values:
            raise invalid("/name", "required", "The field “name” is required.")
        terms = uow.repository(TermRepository)
        if values.get("slug"):
            values["slug"] = check_slug(values["slug"])
        else:
            values["slug"] = await terms.free_slug(taxonomy, make_slug(values["name"]))
        now = self._clock.now()
        term = Term(id=new_id(), taxonomy=taxonomy, created_at=now, updated_at=now, **values)
        await terms.add(term)
        await uow.repository(FormerSlugRepository).put(taxonomy, term.id, slug=term.slug)
        uow.record(term.created().by(actor))
        return view(term)

    async def get(self, actor: Actor, taxonomy: Taxonomy, term_id: UUID) -> TermView:
        actor.require(READ)
        if (term := await self._queries.get(taxonomy, term_id)) is None:
            raise ResourceNotFound(taxonomy)
        return term

    async def list(self, actor: Actor, taxonomy: Taxonomy, page: PageRequest) -> Page[TermView]:
        actor.require(READ)
        return await self._queries.list(taxonomy, page)

    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        taxonomy: Taxonomy,
        term_id: UUID,
        changes: TermChanges,
        *,
        expected: int | None,
    ) -> TermView:
        actor.require(WRITE)
        terms = uow.repository(TermRepository)
        values = given(changes)
        parent = values.get("parent_id")
        # Before any row is locked: two who hang terms below each other's would wait for one another.
        is_cycle = parent is not None and await terms.is_below(parent, term_id)
        term = await _of(terms, taxonomy, term_id)
        if "slug" in values:
            values["slug"] = check_slug(values["slug"])
        if is_cycle:
            raise invalid("/parent_id", "cycle", "A category can't hang below itself.")
        former = term.slug
        updated = term.change(values, expected=expected, at=self._clock.now())
        if updated is not None:
            await terms.save(term)
            if term.slug != former:
                slugs = uow.repository(FormerSlugRepository)
                await slugs.put(taxonomy, term.id, slug=term.slug, former=former)
            uow.record(updated.by(actor))
        return view(term)

    async def delete(
        self, uow: UnitOfWork, actor: Actor, taxonomy: Taxonomy, term_id: UUID, *, expected: int | None
    ) -> None:
        actor.require(WRITE)
        terms = uow.repository(TermRepository)
        begun = await self._deletions.begin(uow, term_id, "delete")
        term = await _of(terms, taxonomy, term_id)
        deleted = term.deleted(expected=expected)
        await self._deletions.carry_out(uow, actor, term_id, "delete", begun)
        await terms.delete(term)
        uow.record(deleted.by(actor))


async def _of(terms: TermRepository, taxonomy: Taxonomy, term_id: UUID) -> Term:
    if (term := await terms.get(taxonomy, term_id)) is None:
        raise ResourceNotFound(taxonomy)
    return term

"""Looking back at what documents said."""

from collections.abc import Collection
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.access import Access
from cms_api.domains.cms.documents.errors import DocumentNotFound, NotPublished, RevisionNotFound
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.revisions.diff import compare
from cms_api.domains.cms.revisions.interface import (
    Diff,
    Ref,
    RevisionChanges,
    RevisionDetail,
    RevisionService,
    RevisionView,
)
from cms_api.domains.cms.revisions.model import Revision
from cms_api.domains.cms.revisions.ports import RevisionQueries, RevisionRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest

V = TypeVar("V", bound=RevisionView)


class Revisions(RevisionService):
    """The service of revisions; ``types`` are the content types."""

    def __init__(self, *, queries: RevisionQueries, access: Access, types: DocumentTypes) -> None:
        self._queries = queries
        self._access = access
        self._types = types

    async def list(self, actor: Actor, type: str, document_id: UUID, page: PageRequest) -> Page[RevisionView]:
        actor.require(policy.READ)
        if (found := await self._queries.list(type, document_id, page)) is None:
            raise DocumentNotFound
        seen = (await self._types.kind(type)).seen(actor)
        return found.of([_told(one, seen) for one in found.items])

    async def get(
        self,
        actor: Actor,
        type: str,
        document_id: UUID,
        revision_id: UUID,
    ) -> RevisionDetail[Any]:
        found = await self._found(actor, type, document_id, revision_id)
        return found[revision_id]

    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        type: str,
        document_id: UUID,
        revision_id: UUID,
        changes: RevisionChanges,
        *,
        expected: int | None,
    ) -> RevisionView:
        kind = await self._types.kind(type)
        await self._access.document(uow, actor, kind, document_id, policy.EDIT)
        revisions = uow.repository(RevisionRepository)
        revision = await revisions.get(document_id, revision_id)
        if revision is None:
            raise RevisionNotFound
        updated = revision.update(changes, expected=expected)
        if updated is not None:
            await revisions.save(revision)
            uow.record(updated.by(actor))
        return _told(_summary(revision), kind.seen(actor))

    async def diff(self, actor: Actor, type: str, document_id: UUID, before: Ref, after: Ref) -> Diff:
        found = await self._found(actor, type, document_id, before, after)
        old, new = found[before], found[after]
        return Diff(before=_summary(old), after=_summary(new), changes=compare(old.content, new.content))

    async def _found(
        self,
        actor: Actor,
        type: str,
        document_id: UUID,
        *refs: Ref,
    ) -> dict[Ref, RevisionDetail[Any]]:
        actor.require(policy.READ)
        kind = await self._types.kind(type)
        found = await self._queries.get(kind, document_id, *refs)
        if found is None:
            raise DocumentNotFound
        if missing := [ref for ref in refs if ref not in found]:
            raise NotPublished if "live" in missing else RevisionNotFound
        seen = kind.seen(actor)
        return {
            ref: msgspec.structs.replace(_told(one, seen), content=kind.told(actor, one.content))
            for ref, one in found.items()
        }


def _told(revision: V, seen: Collection[str] | None) -> V:
    """A revision as it is told to who sees the fields ``seen``, all where that is None."""
    if seen is None:
        return revision
    return msgspec.structs.replace(revision, changed=tuple(one for one in revision.changed if one in seen))


def _summary(revision: Revision | RevisionDetail[Any]) -> RevisionView:
    return msgspec.convert(revision, RevisionView, from_attributes=True)

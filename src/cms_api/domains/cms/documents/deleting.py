"""Deleting what others point at: refused, or done to those as their links say, in one transaction."""

from uuid import UUID

from cms_api.domains.cms.documents.errors import Busy, InUse
from cms_api.domains.cms.documents.ports import DocumentRepository, ReferenceRepository
from cms_api.domains.cms.documents.references import NAMED, Effects, Mode, Referrer
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork


class Deletions:
    """Does to the referrers of something what its deletion means for them.

    Editors lock their document, then what it is to point at. So the referrers that a deletion
    changes are locked before what is deleted: `begin` first, then the lock, then `carry_out`.
    """

    def __init__(self, types: DocumentTypes) -> None:
        self._types = types

    async def begin(self, uow: UnitOfWork, target: UUID, mode: Mode) -> Effects:
        """Lock those whom the deletion of ``target`` changes, with their types."""
        effects = await uow.repository(ReferenceRepository).effects(target, mode, limit=NAMED)
        others = effects.others
        for key in sorted({one.type for one in others}):
            service = await self._types.service(key)
            await service.hold(uow)
            await service.hold_addresses(uow)
        if others:
            await uow.repository(DocumentRepository).lock([one.id for one in others])
        return effects

    async def carry_out(
        self, uow: UnitOfWork, actor: Actor, target: UUID, mode: Mode, begun: Effects
    ) -> tuple[UUID, ...]:
        """Unlink and cascade, now that ``target`` is locked; the ids of documents that went along.

        Where it is purged they are still there, to be deleted with it. Raises `InUse`, `Busy`,
        and `Forbidden` where the actor may not delete what would go along.
        """
        effects = await uow.repository(ReferenceRepository).effects(target, mode, limit=NAMED)
        if effects.restricted.count:
            raise InUse(effects.restricted.count, await self._named(uow, actor, target, mode, effects))
        if not {one.id for one in effects.others} <= {one.id for one in begun.others}:
            raise Busy
        gone = tuple(one.id for one in effects.cascaded.items)
        # Their types are held since `begin`: each is looked up once, whatever the number of documents.
        services = {key: await self._types.service(key) for key in {one.type for one in effects.others}}
        for one in effects.unlinked.items:
            await services[one.type].unlink(uow, actor, one.id, frozenset((target, *gone)))
        for one in effects.cascaded.items:
            service = services[one.type]
            await (service.purge_along if mode == "purge" else service.trash_along)(uow, actor, one.id)
        return gone

    async def _named(
        self, uow: UnitOfWork, actor: Actor, target: UUID, mode: Mode, effects: Effects
    ) -> tuple[Referrer, ...]:
        """Those of ``effects`` who forbid it and may be named: asked for only now, as few deletions are refused."""
        if not (withheld := await self._types.withheld(actor)):
            return effects.restricted.items
        references = uow.repository(ReferenceRepository)
        return (await references.effects(target, mode, limit=NAMED, withheld=withheld)).restricted.items

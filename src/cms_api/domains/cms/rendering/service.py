"""Rendering anew what is live."""

from collections.abc import Callable
from uuid import UUID

from cms_api.domains.cms.documents.ports import PublicationRepository
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.rendering.interface import RenderingService
from cms_api.domains.cms.site.interface import WRITE
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork

AT_ONCE = 20


class Rendering(RenderingService):
    """The service of rendering."""

    def __init__(self, *, types: DocumentTypes) -> None:
        self._types = types

    async def rerender(
        self,
        actor: Actor,
        new_uow: Callable[[], UnitOfWork],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        if not actor.is_system:
            actor.require(WRITE)
        total, after = 0, None
        while True:
            done, after = await self._some(actor, new_uow, after)
            total += done
            if progress is not None:
                progress(total)
            if after is None:
                return total

    async def _some(
        self, actor: Actor, new_uow: Callable[[], UnitOfWork], after: UUID | None
    ) -> tuple[int, UUID | None]:
        """Render the next few; how many, and the last of them unless there are no more."""
        done = 0
        async with new_uow() as uow:
            found = await uow.repository(PublicationRepository).outdated(after, AT_ONCE)
            services = {key: await self._types.service(key) for key in {key for _, key in found}}
            for service in services.values():
                await service.hold_addresses(uow)
            for document_id, key in found:
                done += await services[key].rerender(uow, actor, document_id)
        return done, found[-1][0] if len(found) == AT_ONCE else None

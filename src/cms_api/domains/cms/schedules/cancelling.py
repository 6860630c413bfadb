"""What becomes of schedules when their document leaves the stage."""

from datetime import datetime
from uuid import UUID

from cms_api.domains.cms.schedules.ports import ScheduleRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork


async def cancel_pending(uow: UnitOfWork, actor: Actor, document_id: UUID, *, at: datetime) -> int:
    """Cancel what is still to be done with a document that is trashed, archived or purged.

    For the engine, which has the document locked. Returns how many schedules there were.
    """
    cancelled = await uow.repository(ScheduleRepository).cancel_pending(document_id, at=at)
    uow.record(*(schedule.cancelled().by(actor) for schedule in cancelled))
    return len(cancelled)

"""Doing what is due."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from cms_api.domains.cms.documents.errors import Archived, NotPublished, Trashed
from cms_api.domains.cms.documents.subjects import SubjectRepository
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.schedules.model import Schedule
from cms_api.domains.cms.schedules.moments import Zones
from cms_api.domains.cms.schedules.ports import Log, ScheduleRepository
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import CmsError, NotFound
from cms_api.kernel.unit_of_work import UnitOfWork

BATCH = 200
# Where time changes nothing, or what it changes is no longer what was meant: a document that was not
# live must not be taken down by a second try, once somebody has published it.
FINAL = (NotFound, NotPublished, Trashed, Archived)
INTERNAL = ("internal_error", "Something went wrong here; it has been logged under the schedule's id.")


class Firing:
    """Fires one schedule after the other. ``types`` are the content types.

    ``is_outage`` tells whether an error means that the database was away.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        types: DocumentTypes,
        new_uow: Callable[[], UnitOfWork],
        is_outage: Callable[[Exception], bool],
        log: Log,
        zones: Zones = ZoneInfo,
    ) -> None:
        self._clock = clock
        self._types = types
        self._new_uow = new_uow
        self.is_outage = is_outage
        self._log = log
        self._zones = zones

    async def fire_next(self) -> bool:
        """Do what is due longest, if anything is; returns whether there was something.

        Claim, deed and mark are one transaction: whoever dies in it has done nothing, and holds
        nobody up. A deed that fails is taken back, and noted in a second one. Raises what
        ``is_outage`` says is one: that is no attempt.
        """
        claimed: Schedule | None = None
        version = 0
        try:
            async with self._new_uow() as uow:
                schedules = uow.repository(ScheduleRepository)
                claimed = await schedules.claim(self._clock.now())
                if claimed is None:
                    return False
                version, actor = claimed.version, _actor(claimed)
                await self._do(uow, actor, claimed)
                fired = claimed.fire(at=self._clock.now())
                await schedules.save(claimed)
                uow.record(fired.by(actor))
        except Exception as error:
            if claimed is None or self.is_outage(error):
                raise
            await self._note(claimed, version, error)
        return True

    async def _do(self, uow: UnitOfWork, actor: Actor, schedule: Schedule) -> None:
        documents = await self._types.service(schedule.type)
        if schedule.action == "unpublish":
            await documents.unpublish(uow, actor, schedule.document_id, expected=None)
            return
        subject = await uow.repository(SubjectRepository).get(schedule.type, schedule.document_id, alone=True)
        # As by hand: the date of what is published already stays.
        is_first = subject is None or not subject.is_live
        await documents.publish(
            uow,
            actor,
            schedule.document_id,
            expected=None,
            revision_id=schedule.revision_id,
            published_at=schedule.due_at if is_first else None,
        )

    async def _note(self, claimed: Schedule, version: int, error: Exception) -> None:
        """Count a failed attempt, unless the schedule has been changed or fired in the meantime."""
        if isinstance(error, CmsError):
            code, detail = error.code, error.detail
        else:
            code, detail = INTERNAL
            self._log.error("schedule_broke", schedule_id=str(claimed.id), exc_info=error)
        async with self._new_uow() as uow:
            schedules = uow.repository(ScheduleRepository)
            schedule = await schedules.get(claimed.document_id, claimed.id)
            if schedule is None or schedule.state != "pending" or schedule.version != version:
                return
            failed = schedule.fail(code, detail, at=self._clock.now(), is_final=isinstance(error, FINAL))
            await schedules.save(schedule)
            if failed is not None:
                uow.record(failed.by(_actor(schedule)))
        self._log.warning(
            "schedule_failed", schedule_id=str(schedule.id), code=code, attempts=schedule.attempts
        )

    async def realign(self) -> int:
        """Move what is due in zones whose rules have changed, so that its wall time stays.

        To be done when a process starts: it is then that new rules come in. Returns how many moved.
        """
        moved, after = 0, None
        while True:
            async with self._new_uow() as uow:
                batch = await uow.repository(ScheduleRepository).zoned(after, BATCH)
            for schedule in batch:
                if self._realigned(schedule):
                    moved += await self._realign_one(schedule)
            if len(batch) < BATCH:
                return moved
            after = batch[-1].id

    def _realigned(self, schedule: Schedule) -> bool:
        """Whether the schedule, which nobody else has, has moved."""
        try:
            return schedule.realign(self._zones, at=self._clock.now()) is not None
        except KeyError:  # a zone that this host does not know
            self._log.warning("unknown_timezone", schedule_id=str(schedule.id), timezone=schedule.timezone)
            return False

    async def _realign_one(self, seen: Schedule) -> bool:
        async with self._new_uow() as uow:
            schedules = uow.repository(ScheduleRepository)
            schedule = await schedules.get(seen.document_id, seen.id)
            if schedule is None:
                return False
            moved = schedule.realign(self._zones, at=self._clock.now())
            if moved is None:
                return False
            await schedules.save(schedule)
            uow.record(moved.by(SYSTEM))
            return True

    async def seconds_to_next(self) -> float | None:
        """How long until something is due; not above 0 where something is, None for never."""
        async with self._new_uow() as uow:
            due_at = await uow.repository(ScheduleRepository).next_due()
        return None if due_at is None else (due_at - self._clock.now()).total_seconds()


def _actor(schedule: Schedule) -> Actor:
    """The system, on behalf of who made the schedule: her permission was checked then."""
    return Actor(user_id=schedule.created_by, is_system=True)

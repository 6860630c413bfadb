"""Deciding about schedules."""

from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import UNSET

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.subjects import Subject, SubjectRepository
from cms_api.domains.cms.schedules.errors import ScheduleNotFound, TooManySchedules
from cms_api.domains.cms.schedules.interface import (
    MAX_PENDING,
    ScheduleChanges,
    ScheduleProblem,
    ScheduleService,
    ScheduleView,
)
from cms_api.domains.cms.schedules.model import Action, Schedule
from cms_api.domains.cms.schedules.moments import (
    DEFAULT_TIMEZONE,
    Moment,
    Zones,
    at_wall_time,
    check_timezone,
    moment,
)
from cms_api.domains.cms.schedules.ports import ScheduleQueries, ScheduleRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Faults, invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest


def view(schedule: Schedule) -> ScheduleView:
    """The schedule as others see it."""
    code = schedule.error_code
    return ScheduleView(
        id=schedule.id,
        document_id=schedule.document_id,
        type=schedule.type,
        action=schedule.action,
        revision_id=schedule.revision_id,
        at=schedule.due_at,
        local_at=schedule.wall_time,
        timezone=schedule.timezone,
        state=schedule.state,
        attempts=schedule.attempts,
        next_attempt_at=schedule.next_attempt_at,
        lateness=schedule.lateness,
        error=None if code is None else ScheduleProblem(code, schedule.error_detail or ""),
        created_by=schedule.created_by,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
        finished_at=schedule.finished_at,
        version=schedule.version,
    )


class Schedules(ScheduleService):
    """The service of schedules."""

    def __init__(
        self,
        *,
        clock: Clock,
        queries: ScheduleQueries,
        zones: Zones = ZoneInfo,
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._zones = zones

    async def create(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, changes: ScheduleChanges
    ) -> ScheduleView:
        subject = await self._subject(uow, actor, kind, document_id)
        subject.require_at_hand()
        schedules = uow.repository(ScheduleRepository)
        now = self._clock.now()
        action = _action(changes)
        faults = Faults()
        when: Moment | None = None
        with faults.noted():
            when = moment(
                str(changes.publish_at if action == "publish" else changes.unpublish_at),
                changes.timezone or DEFAULT_TIMEZONE,
                pointer=f"/{action}_at",
                now=now,
                zones=self._zones,
            )
        revision_id = changes.revision_id or None
        with faults.noted():
            await _check_revision(schedules, document_id, action, revision_id)
        faults.refuse()
        if await schedules.pending(document_id) >= MAX_PENDING:
            raise TooManySchedules(MAX_PENDING)
        if when is None:
            raise LookupError("What has no moment was refused.")
        schedule, created = Schedule.create(
            when,
            document_id=document_id,
            kind=kind,
            action=action,
            revision_id=revision_id,
            at=now,
            by=actor.user_id,
        )
        await schedules.add(schedule)
        uow.record(created.by(actor))
        return view(schedule)

    async def get(self, actor: Actor, kind: str, document_id: UUID, schedule_id: UUID) -> ScheduleView:
        actor.require(policy.READ)
        found = await self._queries.get(kind, document_id, schedule_id)
        if found is None:
            await self._require_document(kind, document_id)
            raise ScheduleNotFound
        return found

    async def list(self, actor: Actor, page: PageRequest) -> Page[ScheduleView]:
        actor.require(policy.READ)
        return await self._queries.list(page)

    async def list_of(
        self, actor: Actor, kind: str, document_id: UUID, page: PageRequest
    ) -> Page[ScheduleView]:
        actor.require(policy.READ)
        await self._require_document(kind, document_id)
        return await self._queries.list(page, document_id=document_id)

    async def move(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        schedule_id: UUID,
        changes: ScheduleChanges,
        *,
        expected: int | None,
    ) -> ScheduleView:
        subject = await self._subject(uow, actor, kind, document_id)
        schedules = uow.repository(ScheduleRepository)
        schedule = await _of(schedules, document_id, schedule_id, expected)
        subject.require_at_hand()
        faults = Faults()
        when = schedule.moment
        with faults.noted():
            when = self._moved(schedule, changes)
        revision_id = schedule.revision_id
        if changes.revision_id is not UNSET:
            revision_id = changes.revision_id
            with faults.noted():
                await _check_revision(schedules, document_id, schedule.action, revision_id)
        faults.refuse()
        moved = schedule.move(when, revision_id=revision_id, at=self._clock.now())
        if moved is not None:
            await schedules.save(schedule)
            uow.record(moved.by(actor))
        return view(schedule)

    def _moved(self, schedule: Schedule, changes: ScheduleChanges) -> Moment:
        """The moment that the changes ask for. Raises `Invalid` with every fault."""
        pointer = f"/{schedule.action}_at"
        publishes = schedule.action == "publish"
        text = changes.publish_at if publishes else changes.unpublish_at
        other = changes.unpublish_at if publishes else changes.publish_at
        faults = Faults()
        with faults.noted():
            if other is not UNSET:
                raise invalid(
                    "/unpublish_at" if publishes else "/publish_at",
                    "other_action",
                    f"This schedule is there to {schedule.action}: cancel it and make another.",
                )
        now, found = self._clock.now(), schedule.moment
        timezone = changes.timezone or schedule.timezone
        with faults.noted():
            if text is not UNSET:
                found = moment(text, timezone, pointer=pointer, now=now, zones=self._zones)
            elif timezone != schedule.timezone:
                check_timezone(timezone)
                found = at_wall_time(
                    schedule.local_at, timezone, pointer="/timezone", now=now, zones=self._zones
                )
        faults.refuse()
        return found

    async def cancel(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        schedule_id: UUID,
        *,
        expected: int | None,
    ) -> None:
        await self._subject(uow, actor, kind, document_id)
        schedules = uow.repository(ScheduleRepository)
        schedule = await _of(schedules, document_id, schedule_id, expected)
        cancelled = schedule.cancel(at=self._clock.now())
        await schedules.save(schedule)
        uow.record(cancelled.by(actor))

    async def _subject(self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID) -> Subject:
        """The document, if the actor may publish it."""
        if not actor.is_system:
            actor.require(policy.READ)
        subject = await uow.repository(SubjectRepository).get(kind, document_id, alone=True)
        if subject is None:
            raise DocumentNotFound
        if not actor.is_system:
            policy.require(actor, policy.PUBLISH, owners=subject.owners)
        return subject

    async def _require_document(self, kind: str, document_id: UUID) -> None:
        if not await self._queries.has_document(kind, document_id):
            raise DocumentNotFound


async def _of(
    schedules: ScheduleRepository, document_id: UUID, schedule_id: UUID, expected: int | None
) -> Schedule:
    """The schedule, if it can still be changed and ``expected`` is its version."""
    schedule = await schedules.get(document_id, schedule_id)
    if schedule is None:
        raise ScheduleNotFound
    schedule.require_pending()  # before the version: who comes too late should hear just that
    check_version(schedule.version, expected)
    return schedule


def _action(changes: ScheduleChanges) -> Action:
    """What is asked for. Raises `Invalid` unless it is one thing."""
    publishes, unpublishes = changes.publish_at is not UNSET, changes.unpublish_at is not UNSET
    if publishes and unpublishes:
        raise invalid("/unpublish_at", "one_of", "Give “publish_at” or “unpublish_at”, not both.")
    if not publishes and not unpublishes:
        raise invalid("/publish_at", "required", "The field “publish_at” or “unpublish_at” is required.")
    return "publish" if publishes else "unpublish"


async def _check_revision(
    schedules: ScheduleRepository, document_id: UUID, action: Action, revision_id: UUID | None
) -> None:
    if revision_id is None:
        return
    if action == "unpublish":
        raise invalid("/revision_id", "not_for_unpublishing", "Only publishing takes a revision.")
    if not await schedules.has_revision(document_id, revision_id):
        raise invalid("/revision_id", "unknown_reference", "The document has no revision with this id.")

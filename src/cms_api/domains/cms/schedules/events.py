"""What happens to schedules."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event


class ScheduleEvent(Event, frozen=True, kw_only=True):
    """``document`` is what the schedule is about, ``type`` its content type's key."""

    document: UUID
    type: str
    action: str
    version: int


class ScheduleCreated(ScheduleEvent, frozen=True, kw_only=True):
    """A document is to be published or unpublished ``at`` a time."""

    name: ClassVar[str] = "schedule.created"

    at: datetime


class ScheduleMoved(ScheduleEvent, frozen=True, kw_only=True):
    """It will be done ``at`` another time, or with another revision."""

    name: ClassVar[str] = "schedule.moved"

    at: datetime


class ScheduleCancelled(ScheduleEvent, frozen=True, kw_only=True):
    """It will not be done."""

    name: ClassVar[str] = "schedule.cancelled"


class ScheduleFired(ScheduleEvent, frozen=True, kw_only=True):
    """It was done, ``lateness`` seconds after its time."""

    name: ClassVar[str] = "schedule.fired"

    lateness: float


class ScheduleFailed(ScheduleEvent, frozen=True, kw_only=True):
    """It could not be done in ``attempts`` attempts, the last of which ended in the problem ``code``."""

    name: ClassVar[str] = "schedule.failed"

    attempts: int
    code: str

"""Schedules: what is to be done with a document, and when."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import timezone as fixed
from typing import Any, Literal, TypeVar
from uuid import UUID

from cms_api.domains.cms.schedules.errors import ScheduleFinished
from cms_api.domains.cms.schedules.events import (
    ScheduleCancelled,
    ScheduleCreated,
    ScheduleEvent,
    ScheduleFailed,
    ScheduleFired,
    ScheduleMoved,
)
from cms_api.domains.cms.schedules.moments import Moment, Zones, instant
from cms_api.kernel.ids import new_id

Action = Literal["publish", "unpublish"]
State = Literal["pending", "done", "failed", "cancelled"]

E = TypeVar("E", bound=ScheduleEvent)

# How long to wait after the first failure, the second …; after one more it is given up.
BACKOFF = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
MAX_ATTEMPTS = len(BACKOFF) + 1


@dataclass(slots=True, eq=False, kw_only=True)
class Schedule:
    """Publishing or unpublishing a document at a moment.

    ``revision_id`` is what to publish; None is whatever is the draft then. ``attempts`` counts
    those that failed. ``next_attempt_at`` is set while it is pending, ``lateness`` (seconds) once
    it has fired.
    """

    id: UUID
    document_id: UUID
    type: str
    action: Action
    revision_id: UUID | None
    local_at: datetime
    timezone: str
    due_at: datetime
    state: State = "pending"
    attempts: int = 0
    next_attempt_at: datetime | None
    lateness: float | None = None
    error_code: str | None = None
    error_detail: str | None = None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    version: int = 1

    @classmethod
    def create(
        cls,
        moment: Moment,
        *,
        document_id: UUID,
        kind: str,
        action: Action,
        revision_id: UUID | None,
        at: datetime,
        by: UUID | None,
    ) -> tuple["Schedule", ScheduleCreated]:
        """A new schedule, made ``at`` a time."""
        schedule = cls(
            id=new_id(),
            document_id=document_id,
            type=kind,
            action=action,
            revision_id=revision_id,
            local_at=moment.local_at,
            timezone=moment.timezone,
            due_at=moment.due_at,
            next_attempt_at=moment.due_at,
            created_by=by,
            created_at=at,
            updated_at=at,
        )
        return schedule, _told(schedule, ScheduleCreated, at=schedule.due_at)

    @property
    def wall_time(self) -> datetime:
        """``local_at`` with the offset that it has then."""
        offset = self.local_at - self.due_at.astimezone(UTC).replace(tzinfo=None)
        return self.local_at.replace(tzinfo=fixed(offset))

    @property
    def moment(self) -> Moment:
        """When it is due."""
        return Moment(local_at=self.local_at, timezone=self.timezone, due_at=self.due_at)

    def require_pending(self) -> None:
        """Raise `ScheduleFinished` unless it is still to be done."""
        if self.state != "pending":
            raise ScheduleFinished(self.state)

    def move(self, moment: Moment, *, revision_id: UUID | None, at: datetime) -> ScheduleMoved | None:
        """Do it at another moment, or with another revision; None where nothing is different.

        Its failed attempts count no more. Raises `ScheduleFinished`.
        """
        self.require_pending()
        if (moment, revision_id) == (self.moment, self.revision_id):
            return None
        self.revision_id = revision_id
        self.local_at, self.timezone, self.due_at = moment.local_at, moment.timezone, moment.due_at
        self.attempts, self.next_attempt_at = 0, moment.due_at
        self.error_code = self.error_detail = None
        self._touch(at)
        return _told(self, ScheduleMoved, at=self.due_at)

    def realign(self, zones: Zones, *, at: datetime) -> ScheduleMoved | None:
        """Follow the wall time where the rules of its zone have changed; None where they have not.

        What was tried already stays: its moment has come by the rules of then.
        """
        due_at = instant(self.local_at, zones(self.timezone), known=self.due_at)
        if self.state != "pending" or self.attempts or due_at == self.due_at:
            return None
        moment = Moment(local_at=self.local_at, timezone=self.timezone, due_at=due_at)
        return self.move(moment, revision_id=self.revision_id, at=at)

    def cancel(self, *, at: datetime) -> ScheduleCancelled:
        """Don't do it. Raises `ScheduleFinished`."""
        self._finish("cancelled", at)
        return self.cancelled()

    def cancelled(self) -> ScheduleCancelled:
        """The event of its cancellation."""
        return _told(self, ScheduleCancelled)

    def fire(self, *, at: datetime) -> ScheduleFired:
        """It has been done. Raises `ScheduleFinished`."""
        self._finish("done", at)
        self.attempts += 1
        self.lateness = (at - self.due_at).total_seconds()
        self.error_code = self.error_detail = None
        return _told(self, ScheduleFired, lateness=self.lateness)

    def fail(self, code: str, detail: str, *, at: datetime, is_final: bool = False) -> ScheduleFailed | None:
        """It could not be done: try again later, or give it up, which is an event.

        ``is_final`` where another try would be of no use. Raises `ScheduleFinished`.
        """
        self.require_pending()
        self.attempts += 1
        self.error_code, self.error_detail = code, detail
        if self.attempts < MAX_ATTEMPTS and not is_final:
            self.next_attempt_at = at + BACKOFF[self.attempts - 1]
            self._touch(at)
            return None
        self._finish("failed", at)
        return _told(self, ScheduleFailed, attempts=self.attempts, code=code)

    def _finish(self, state: State, at: datetime) -> None:
        self.require_pending()
        self.state, self.next_attempt_at, self.finished_at = state, None, at
        self._touch(at)

    def _touch(self, at: datetime) -> None:
        self.version += 1
        self.updated_at = at


def _told(schedule: Schedule, event: type[E], **values: Any) -> E:
    """The event of what has become of the schedule."""
    return event(
        subject=schedule.id,
        document=schedule.document_id,
        type=schedule.type,
        action=schedule.action,
        version=schedule.version,
        **values,
    )

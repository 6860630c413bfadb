"""What happens to jobs. Their progress is no event: the job itself tells it."""

from typing import ClassVar

from cms_api.kernel.events import Event


class JobEvent(Event, frozen=True, kw_only=True):
    """Something happened to a job of a kind."""

    kind: str
    version: int


class JobQueued(JobEvent, frozen=True, kw_only=True):
    """A job was accepted."""

    name: ClassVar[str] = "job.queued"


class JobStarted(JobEvent, frozen=True, kw_only=True):
    """A worker has begun it."""

    name: ClassVar[str] = "job.started"


class JobFinished(JobEvent, frozen=True, kw_only=True):
    """It ended by itself: ``state`` is ``succeeded`` or ``failed``; ``code`` tells why it failed."""

    name: ClassVar[str] = "job.finished"

    state: str
    code: str | None = None


class JobCancelled(JobEvent, frozen=True, kw_only=True):
    """Somebody has stopped it."""

    name: ClassVar[str] = "job.cancelled"


class JobPurged(JobEvent, frozen=True, kw_only=True):
    """It ended long ago and was removed."""

    name: ClassVar[str] = "job.purged"

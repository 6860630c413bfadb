"""What happens to locks. The subject is the document."""

from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event


class LockEvent(Event, frozen=True, kw_only=True):
    """``type`` is the key of the document's content type."""

    type: str


class DocumentLocked(LockEvent, frozen=True, kw_only=True):
    """The actor began to edit it."""

    name: ClassVar[str] = "document.locked"


class DocumentUnlocked(LockEvent, frozen=True, kw_only=True):
    """The actor has done with it; a lock that just expires records nothing."""

    name: ClassVar[str] = "document.unlocked"


class LockTakenOver(LockEvent, frozen=True, kw_only=True):
    """The actor took the lock away from ``previous``, who still held it."""

    name: ClassVar[str] = "document.lock_taken_over"

    previous: UUID

"""Locks and presence: both last for a while and are renewed, or lapse by themselves."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(slots=True, frozen=True, kw_only=True)
class EditLock:
    """Says that a user is editing a document. It keeps nobody from changing it: that is If-Match's part."""

    document_id: UUID
    user_id: UUID
    acquired_at: datetime
    refreshed_at: datetime
    expires_at: datetime

    @classmethod
    def take(cls, document_id: UUID, user_id: UUID, *, at: datetime, ttl: timedelta) -> "EditLock":
        """A new lock, good for ``ttl``."""
        return cls(
            document_id=document_id, user_id=user_id, acquired_at=at, refreshed_at=at, expires_at=at + ttl
        )

    def renewed(self, *, at: datetime, ttl: timedelta) -> "EditLock":
        """The same lock, good for another ``ttl`` from now."""
        return replace(self, refreshed_at=at, expires_at=at + ttl)

    def is_held(self, at: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at > at


@dataclass(slots=True, frozen=True, kw_only=True)
class Presence:
    """Says that a user has a document before her. ``since`` when she came, without a break."""

    document_id: UUID
    user_id: UUID
    since: datetime
    seen_at: datetime
    expires_at: datetime

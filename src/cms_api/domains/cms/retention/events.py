"""What happens to policies, and by them."""

from typing import ClassVar
from uuid import UUID

import msgspec

from cms_api.kernel.events import Event

# Policies are known by the key of their type; events by a UUID, which is made of it (RFC 9562, section 5.5).
NAMESPACE = UUID("7d2c5f0e-4a0e-4a57-9d0a-1f6a8f0c3b11")


class RetentionUpdated(Event, frozen=True, kw_only=True):
    """A type's policy was changed."""

    name: ClassVar[str] = "retention.updated"

    type: str
    version: int
    policy: dict[str, int | None] = msgspec.field(default_factory=dict)


class RevisionsPurged(Event, frozen=True, kw_only=True):
    """So many old revisions of a document are gone. The subject is the document."""

    name: ClassVar[str] = "revision.purged"

    type: str
    number: int

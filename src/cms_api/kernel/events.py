"""Facts that a domain tells: what happened, in the past tense."""

from typing import ClassVar
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one subject.

    A subclass sets ``name`` (``post.published`` …) and adds fields that JSON can hold. Events
    are returned by entities, recorded by services in a unit of work, and stored in the same
    transaction as the change itself. They hold no secrets: webhooks and audit will read them.
    """

    name: ClassVar[str]

    subject: UUID
    actor: UUID | None = None

"""Facts that a domain tells: what happened, in the past tense."""

from typing import ClassVar, Self
from uuid import UUID

import msgspec

from cms_api.kernel.actor import Actor


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one subject.

    A subclass sets ``name`` (``post.published`` …) and adds fields that JSON can hold. Events
    are returned by entities, recorded by services in a unit of work, and stored in the same
    transaction as the change itself. They hold no secrets: webhooks and audit will read them.
    """

    name: ClassVar[str]

    subject: UUID
    actor: UUID | None = None

    def by(self, actor: Actor) -> Self:
        """The same event, with who caused it."""
        return msgspec.structs.replace(self, actor=actor.user_id)

"""What happens to previews. One that just expires records nothing: when it does is known from the start."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event


class PreviewCreated(Event, frozen=True, kw_only=True):
    """The actor made a preview of ``documents``."""

    name: ClassVar[str] = "preview.created"

    documents: tuple[UUID, ...]
    expires_at: datetime


class PreviewRevoked(Event, frozen=True, kw_only=True):
    """The actor took it back before its time."""

    name: ClassVar[str] = "preview.revoked"

    documents: tuple[UUID, ...]

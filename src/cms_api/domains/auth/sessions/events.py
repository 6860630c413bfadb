"""What happens to sessions."""

from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event


class SessionStarted(Event, frozen=True, kw_only=True):
    """Somebody signed in."""

    name: ClassVar[str] = "session.started"

    user_id: UUID


class SessionRevoked(Event, frozen=True, kw_only=True):
    """A session ended before its time: ``because`` is ``signed_out``, ``revoked`` or ``token_reused``."""

    name: ClassVar[str] = "session.revoked"

    user_id: UUID
    because: str

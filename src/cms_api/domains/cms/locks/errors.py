"""What can be wrong with a request about locks."""

from datetime import datetime
from uuid import UUID

from cms_api.kernel.errors import Conflict, NotFound


class Locked(Conflict):
    """Somebody else is editing the document. Wait until the lock expires, or take it over."""

    code = "locked"
    title = "Somebody else is editing it"

    def __init__(self, user_id: UUID, user_name: str | None, expires_at: datetime) -> None:
        super().__init__(
            f"{user_name or 'Somebody'} is editing the document: wait, or take the lock over.",
            user_id=user_id,
            user_name=user_name,
            expires_at=expires_at,
        )


class NotLocked(NotFound):
    """Nobody holds the lock of this document."""

    code = "not_locked"
    title = "Nobody is editing it"

    def __init__(self) -> None:
        super().__init__("Nobody holds the lock of this document.")

"""What happens to users."""

from typing import ClassVar

from cms_api.kernel.events import Event


class UserCreated(Event, frozen=True, kw_only=True):
    """Somebody may sign in now."""

    name: ClassVar[str] = "user.created"


class UserUpdated(Event, frozen=True, kw_only=True):
    """``changed`` names the fields, never their values."""

    name: ClassVar[str] = "user.updated"

    changed: tuple[str, ...]


class UserDeleted(Event, frozen=True, kw_only=True):
    """The user is gone for good."""

    name: ClassVar[str] = "user.deleted"

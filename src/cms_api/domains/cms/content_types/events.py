"""What happens to content types."""

from typing import ClassVar

from cms_api.kernel.events import Event


class TypeEvent(Event, frozen=True, kw_only=True):
    """Something happened to the content type ``key``."""

    key: str
    version: int


class TypeCreated(TypeEvent, frozen=True, kw_only=True):
    """It was made."""

    name: ClassVar[str] = "content_type.created"


class TypeUpdated(TypeEvent, frozen=True, kw_only=True):
    """It was changed: ``actions`` says how, in the plan's words."""

    name: ClassVar[str] = "content_type.updated"

    actions: tuple[str, ...]


class TypeMigrated(TypeEvent, frozen=True, kw_only=True):
    """All its documents have followed its last change."""

    name: ClassVar[str] = "content_type.migrated"


class TypeDeleted(TypeEvent, frozen=True, kw_only=True):
    """It is gone."""

    name: ClassVar[str] = "content_type.deleted"

"""What authors, terms and media have in common: small resources with a version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET

from cms_api.kernel.errors import NotFound
from cms_api.kernel.events import Event
from cms_api.kernel.versions import check_version


class ResourceNotFound(NotFound):
    """No author, category, tag, file or redirect has this id."""

    code = "resource_not_found"
    title = "There is no such resource"

    def __init__(self, noun: str) -> None:
        super().__init__(f"There is no {noun} with this id.")


class ResourceCreated(Event, frozen=True, kw_only=True):
    """An author, a term or a file was made; ``kind`` says which of them."""

    name: ClassVar[str] = "resource.created"

    kind: str


class ResourceUpdated(Event, frozen=True, kw_only=True):
    """It was changed, in the fields ``changed``."""

    name: ClassVar[str] = "resource.updated"

    kind: str
    version: int
    changed: tuple[str, ...]


class ResourceDeleted(Event, frozen=True, kw_only=True):
    """It is gone for good."""

    name: ClassVar[str] = "resource.deleted"

    kind: str


@dataclass(slots=True, eq=False, kw_only=True)
class Resource:
    """Something with an id, a version and two dates."""

    kind: ClassVar[str]

    id: UUID
    version: int = 1
    created_at: datetime
    updated_at: datetime

    def created(self) -> ResourceCreated:
        """The event of its beginning."""
        return ResourceCreated(subject=self.id, kind=self.kind)

    def change(self, values: dict[str, Any], *, expected: int | None, at: datetime) -> ResourceUpdated | None:
        """Take new values; None where nothing is different. Raises `Stale`."""
        check_version(self.version, expected)
        changed = tuple(name for name, value in values.items() if getattr(self, name) != value)
        if not changed:
            return None
        for name in changed:
            setattr(self, name, values[name])
        self.version += 1
        self.updated_at = at
        return ResourceUpdated(subject=self.id, kind=self.kind, version=self.version, changed=changed)

    def deleted(self, *, expected: int | None) -> ResourceDeleted:
        """The event of its end. Raises `Stale`."""
        check_version(self.version, expected)
        return ResourceDeleted(subject=self.id, kind=self.kind)


def given(changes: msgspec.Struct) -> dict[str, Any]:
    """The fields of ``changes`` that are set."""
    return {
        name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET
    }

"""Revisions: what a draft once said. Their contents never change; what is noted on them does."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import UNSET

from cms_api.domains.cms.revisions.interface import RevisionChanges
from cms_api.kernel.events import Event
from cms_api.kernel.versions import check_version


class RevisionUpdated(Event, frozen=True, kw_only=True):
    """Its label or its pin was changed. The subject is the document."""

    name: ClassVar[str] = "revision.updated"

    revision: UUID
    version: int
    changed: tuple[str, ...]


@dataclass(slots=True, eq=False, kw_only=True)
class Revision:
    """A revision without its content."""

    id: UUID
    document_id: UUID
    document_version: int
    is_draft: bool
    is_live: bool
    label: str | None
    is_pinned: bool
    changed: tuple[str, ...]
    restored_from: UUID | None
    size: int
    published_at: datetime | None
    created_at: datetime
    created_by: UUID | None
    version: int

    def update(self, changes: RevisionChanges, *, expected: int | None) -> RevisionUpdated | None:
        """Take new values; None where nothing is different. Raises `Stale`."""
        check_version(self.version, expected)
        changed = []
        for name in changes.__struct_fields__:
            value = getattr(changes, name)
            if value is not UNSET and value != getattr(self, name):
                setattr(self, name, value)
                changed.append(name)
        if not changed:
            return None
        self.version += 1
        return RevisionUpdated(
            subject=self.document_id, revision=self.id, version=self.version, changed=tuple(changed)
        )

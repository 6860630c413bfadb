"""Documents: content on its way from draft to reader."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.errors import NotPublished, NotTrashed, Trashed
from cms_api.domains.cms.documents.events import (
    DocumentCreated,
    DocumentPublished,
    DocumentRestored,
    DocumentTrashed,
    DocumentUnpublished,
    DocumentUpdated,
)
from cms_api.kernel.errors import Stale
from cms_api.kernel.ids import new_id

C = TypeVar("C", bound=Content)


class ContentType(msgspec.Struct, Generic[C], frozen=True):
    """A kind of document: its key, the struct of its content, and whether it lives in a tree."""

    key: str
    content: type[C]
    is_tree: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Document(Generic[C]):
    """A working draft, and perhaps a live copy that stands while the draft goes on.

    ``live_hash`` is the hash of the live copy's content. ``field_versions`` tells in which
    version each field of the draft last changed.
    """

    id: UUID
    type: str
    locale: str
    draft: C
    version: int = 1
    live_revision_id: UUID | None = None
    live_hash: bytes | None = None
    published_at: datetime | None = None
    first_published_at: datetime | None = None
    trashed_at: datetime | None = None
    field_versions: dict[str, int] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
    created_by: UUID | None
    updated_by: UUID | None

    @classmethod
    def create(
        cls, kind: ContentType[C], content: C, *, locale: str, at: datetime, by: UUID | None
    ) -> tuple["Document[C]", DocumentCreated]:
        """A new draft."""
        document = cls(
            id=new_id(),
            type=kind.key,
            locale=locale,
            draft=content,
            created_at=at,
            updated_at=at,
            created_by=by,
            updated_by=by,
        )
        return document, DocumentCreated(subject=document.id, type=kind.key, version=1)

    @property
    def is_live(self) -> bool:
        """Whether readers see it."""
        return self.live_revision_id is not None

    @property
    def has_unpublished_changes(self) -> bool:
        """Whether the draft says something else than the live copy."""
        return self.is_live and self.draft.hash() != self.live_hash

    def check_version(self, expected: int | None) -> None:
        """Raise `Stale`, with the fields changed since, unless ``expected`` is current or None."""
        if expected is None or expected == self.version:
            return
        raise Stale(
            f"You changed version {expected}, but version {self.version} is the current one.",
            current_version=self.version,
            changed_fields=sorted(name for name, at in self.field_versions.items() if at > expected),
        )

    def edit(self, content: C, *, at: datetime, by: UUID | None) -> DocumentUpdated | None:
        """Make ``content`` the draft; None where nothing is different. Raises `Trashed`."""
        self._require_untrashed()
        changed = tuple(
            name for name in content.__struct_fields__ if getattr(content, name) != getattr(self.draft, name)
        )
        if not changed:
            return None
        self.draft = content
        self._touch(at, by)
        self.field_versions = self.field_versions | dict.fromkeys(changed, self.version)
        return DocumentUpdated(subject=self.id, type=self.type, version=self.version, changed=changed)

    def publish(
        self, revision_id: UUID, *, at: datetime, by: UUID | None, published_at: datetime | None = None
    ) -> DocumentPublished:
        """Make the revision, a snapshot of the draft, the live copy. Raises `Trashed`.

        The first publication's date stays through later ones; ``published_at`` sets another.
        """
        self._require_untrashed()
        self.live_revision_id, self.live_hash = revision_id, self.draft.hash()
        self.published_at = published_at or self.published_at or at
        self.first_published_at = self.first_published_at or self.published_at
        self._touch(at, by)
        return DocumentPublished(subject=self.id, type=self.type, version=self.version)

    def unpublish(self, *, at: datetime, by: UUID | None) -> DocumentUnpublished:
        """Take the live copy away. Raises `NotPublished`."""
        if not self.is_live:
            raise NotPublished
        self._take_down()
        self._touch(at, by)
        return DocumentUnpublished(subject=self.id, type=self.type, version=self.version)

    def trash(self, *, at: datetime, by: UUID | None) -> DocumentTrashed:
        """Put it into the trash, out of the readers' sight. Raises `Trashed`."""
        self._require_untrashed()
        self._take_down()
        self.trashed_at = at
        self._touch(at, by)
        return DocumentTrashed(subject=self.id, type=self.type, version=self.version)

    def restore(self, *, at: datetime, by: UUID | None) -> DocumentRestored:
        """Bring it back as a draft. Raises `NotTrashed`."""
        if self.trashed_at is None:
            raise NotTrashed
        self.trashed_at = None
        self._touch(at, by)
        return DocumentRestored(subject=self.id, type=self.type, version=self.version)

    def _take_down(self) -> None:
        self.live_revision_id = self.live_hash = self.published_at = None

    def _require_untrashed(self) -> None:
        if self.trashed_at is not None:
            raise Trashed

    def _touch(self, at: datetime, by: UUID | None) -> None:
        self.version += 1
        self.updated_at, self.updated_by = at, by

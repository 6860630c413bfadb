"""Documents: content on its way from draft to reader."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.errors import Archived, NotArchived, NotPublished, NotTrashed, Trashed
from cms_api.domains.cms.documents.events import (
    DocumentArchived,
    DocumentCreated,
    DocumentDiscarded,
    DocumentDuplicated,
    DocumentFollowed,
    DocumentMoved,
    DocumentPublished,
    DocumentPurged,
    DocumentRendered,
    DocumentRestored,
    DocumentReverted,
    DocumentTrashed,
    DocumentUnarchived,
    DocumentUnlinked,
    DocumentUnpublished,
    DocumentUpdated,
)
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Stale
from cms_api.kernel.ids import new_id
from cms_api.kernel.versions import stale_detail

C = TypeVar("C", bound=Content)


class ContentType(msgspec.Struct, Generic[C], frozen=True, kw_only=True):
    """A kind of document: its key, the struct of its content, and whether it lives in a tree.

    ``fields`` are the names of what a document of it says. ``version`` is that of a type that was
    made at run time, None for the built-in ones.
    """

    key: str
    content: type[C]
    is_tree: bool = False
    fields: tuple[str, ...]
    version: int | None = None

    def told(self, actor: Actor, content: C) -> Any:
        """A content as this actor sees it."""
        del actor
        return content

    def seen(self, actor: Actor) -> frozenset[str] | None:
        """The fields that this actor sees; None for all, those too that the type has no longer."""
        del actor
        return None

    def current(self, content: C) -> C:
        """A content that is stored, as the type has it by now."""
        return content


class Snapshot(msgspec.Struct, Generic[C], frozen=True):
    """What a revision holds; ``published_at`` is when it first became the live copy, if ever."""

    revision_id: UUID
    content: C
    hash: bytes
    published_at: datetime | None


@dataclass(slots=True, eq=False, kw_only=True)
class Document(Generic[C]):
    """A working draft, and perhaps a live copy that stands while the draft goes on.

    Both are revisions, which never change: editing makes a new one and points at it, publishing
    points the readers at one. The hashes are those of their contents. ``field_versions`` tells in
    which version each field of the draft last changed; ``is_scheduled``, whether a publication
    is to come; ``stage``, where it stands in its type's workflow, None where that is off;
    ``translation_of``, the document that it is a translation of.
    """

    id: UUID
    type: str
    locale: str
    draft: C
    draft_revision_id: UUID
    draft_hash: bytes
    version: int = 1
    live_revision_id: UUID | None = None
    live_hash: bytes | None = None
    published_at: datetime | None = None
    first_published_at: datetime | None = None
    is_scheduled: bool = False
    stage: str | None = None
    translation_of: UUID | None = None
    archived_at: datetime | None = None
    trashed_at: datetime | None = None
    field_versions: dict[str, int] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
    created_by: UUID | None
    updated_by: UUID | None

    @classmethod
    def create(
        cls,
        kind: ContentType[C],
        content: C,
        *,
        locale: str,
        at: datetime,
        by: UUID | None,
        stage: str | None = None,
        translation_of: UUID | None = None,
    ) -> tuple["Document[C]", DocumentCreated]:
        """A new draft."""
        document = cls(
            id=new_id(),
            type=kind.key,
            locale=locale,
            draft=content,
            draft_revision_id=new_id(),
            draft_hash=content.hash(),
            stage=stage,
            translation_of=translation_of,
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
        return self.is_live and self.draft_hash != self.live_hash

    def check_version(self, expected: int | None, *, seen: Collection[str] | None = None) -> None:
        """Raise `Stale`, with the fields changed since, unless ``expected`` is current or None.

        Of these fields those of ``seen`` only are named, where that is given.
        """
        if expected is None or expected == self.version:
            return
        changed = self.draft.shown(name for name, at in self.field_versions.items() if at > expected)
        raise Stale(
            stale_detail(self.version, expected),
            current_version=self.version,
            changed_fields=sorted(name for name in changed if seen is None or name in seen),
        )

    def edit(self, content: C, *, at: datetime, by: UUID | None) -> DocumentUpdated | None:
        """Make ``content`` the draft; None where nothing is different. Raises `Trashed`, `Archived`."""
        changed = self._redraft(content, new_id(), at, by)
        if not changed:
            return None
        return DocumentUpdated(subject=self.id, type=self.type, version=self.version, changed=changed)

    def revert(
        self, to: Snapshot[C], content: C, *, at: datetime, by: UUID | None
    ) -> DocumentReverted | None:
        """Make ``content``, that of an old revision, the draft again. Raises as `edit` does."""
        changed = self._redraft(content, new_id(), at, by)
        if not changed:
            return None
        return DocumentReverted(
            subject=self.id, type=self.type, version=self.version, restored=to.revision_id, changed=changed
        )

    def discard(self, live: Snapshot[C], *, at: datetime, by: UUID | None) -> DocumentDiscarded | None:
        """Give the draft up for the live copy, ``live``. Raises `NotPublished`, and as `edit` does."""
        if not self.is_live:
            raise NotPublished
        changed = self._redraft(live.content, live.revision_id, at, by)
        if not changed:
            return None
        self.draft_hash = live.hash
        return DocumentDiscarded(subject=self.id, type=self.type, version=self.version, changed=changed)

    def duplicated(self, copy: "Document[C]") -> DocumentDuplicated:
        """The event of ``copy`` having been made of it, which changes nothing here."""
        return DocumentDuplicated(subject=self.id, type=self.type, version=self.version, copy=copy.id)

    def move(self, stage: str, *, at: datetime, by: UUID | None, comment: str | None) -> DocumentMoved:
        """Put it at another stage of the workflow. Raises `Trashed`, `Archived`."""
        self._require_at_hand()
        before, self.stage = self.stage, stage
        self._touch(at, by)
        return self._moved(before, comment)

    def send_back(self, stage: str) -> DocumentMoved:
        """Put it at the first stage, as part of a change that counts the version already."""
        before, self.stage = self.stage, stage
        return self._moved(before, None)

    def _moved(self, before: str | None, comment: str | None) -> DocumentMoved:
        return DocumentMoved(
            subject=self.id,
            type=self.type,
            version=self.version,
            source=before,
            to=self.stage,
            comment=comment,
        )

    def follow(self, live: Snapshot[C] | None, *, at: datetime, by: UUID | None) -> DocumentFollowed:
        """Be what its content type has become: the draft, and the live copy, ``live``, with it.

        That is no editor's change, and happens in the trash and the archive as well.
        """
        was_same = self.draft_revision_id == self.live_revision_id
        changed = self.draft.hash() != self.draft_hash
        if changed:
            self.draft_revision_id, self.draft_hash = new_id(), self.draft.hash()
        if live is not None and (now := live.content.hash()) != live.hash:
            self.live_revision_id = self.draft_revision_id if was_same else new_id()
            self.live_hash = now
        self._touch(at, by)
        return DocumentFollowed(subject=self.id, type=self.type, version=self.version)

    def unlink(self, draft: C, live: C | None, *, at: datetime, by: UUID | None) -> DocumentUnlinked | None:
        """Go on as ``draft`` and ``live``, which lack links to what is deleted; None if nothing differs.

        That is no editor's change, and happens in the trash and the archive as well.
        """
        was_same = self.draft_revision_id == self.live_revision_id
        changed = draft.changed(self.draft)
        is_live = live is not None and live.hash() != self.live_hash
        if not changed and not is_live:
            return None
        if live is not None and is_live:
            self.live_revision_id, self.live_hash = new_id(), live.hash()
        if changed:
            self.draft, self.draft_hash = draft, draft.hash()
            same = self.live_revision_id if was_same and is_live else None
            self.draft_revision_id = same or new_id()
        self._touch(at, by)
        self.field_versions = self.field_versions | dict.fromkeys(changed, self.version)
        return DocumentUnlinked(
            subject=self.id,
            type=self.type,
            version=self.version,
            changed=draft.shown(changed),
            is_live=is_live,
        )

    def as_of(self, live: C) -> "Document[C]":
        """The document as if its live copy, which says ``live``, were its draft."""
        if self.live_revision_id is None or self.live_hash is None:
            raise NotPublished
        return replace(self, draft=live, draft_revision_id=self.live_revision_id, draft_hash=self.live_hash)

    def publish(
        self,
        snapshot: Snapshot[C] | None = None,
        *,
        at: datetime,
        by: UUID | None,
        published_at: datetime | None = None,
    ) -> DocumentPublished:
        """Make a revision, the draft where none is given, the live copy. Raises `Trashed`, `Archived`.

        The first publication's date stays through later ones; ``published_at`` sets another.
        """
        self._require_at_hand()
        self.live_revision_id = snapshot.revision_id if snapshot else self.draft_revision_id
        self.live_hash = snapshot.hash if snapshot else self.draft_hash
        self.published_at = published_at or self.published_at or at
        self.first_published_at = self.first_published_at or self.published_at
        self._touch(at, by)
        return DocumentPublished(
            subject=self.id, type=self.type, version=self.version, revision=self.live_revision_id
        )

    def unpublish(self, *, at: datetime, by: UUID | None) -> DocumentUnpublished:
        """Take the live copy away. Raises `NotPublished`."""
        if not self.is_live:
            raise NotPublished
        self._take_down()
        self._touch(at, by)
        return DocumentUnpublished(subject=self.id, type=self.type, version=self.version)

    def archive(self, *, at: datetime, by: UUID | None) -> DocumentArchived:
        """Lay it aside, out of the readers' sight. Raises `Trashed`, `Archived`."""
        self._require_at_hand()
        self._take_down()
        self.archived_at = at
        self._touch(at, by)
        return DocumentArchived(subject=self.id, type=self.type, version=self.version)

    def unarchive(self, *, at: datetime, by: UUID | None) -> DocumentUnarchived:
        """Bring it back from the archive, as a draft. Raises `Trashed`, `NotArchived`."""
        self._require_untrashed()
        if self.archived_at is None:
            raise NotArchived
        self.archived_at = None
        self._touch(at, by)
        return DocumentUnarchived(subject=self.id, type=self.type, version=self.version)

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

    def purged(self) -> DocumentPurged:
        """The event of its end for good. Raises `NotTrashed`."""
        if self.trashed_at is None:
            raise NotTrashed
        return DocumentPurged(subject=self.id, type=self.type, version=self.version)

    def rendered(self) -> DocumentRendered:
        """The event of its live copy being rendered anew: it says the same, so the version stays."""
        return DocumentRendered(subject=self.id, type=self.type, version=self.version)

    def _redraft(self, content: C, revision_id: UUID, at: datetime, by: UUID | None) -> tuple[str, ...]:
        """Make ``content`` the draft; the fields in which it differs, if any."""
        self._require_at_hand()
        changed = content.changed(self.draft)
        if changed:
            self.draft, self.draft_revision_id, self.draft_hash = content, revision_id, content.hash()
            self._touch(at, by)
            self.field_versions = self.field_versions | dict.fromkeys(changed, self.version)
        return content.shown(changed)

    def _take_down(self) -> None:
        self.live_revision_id = self.live_hash = self.published_at = None

    def _require_at_hand(self) -> None:
        self._require_untrashed()
        if self.archived_at is not None:
            raise Archived

    def _require_untrashed(self) -> None:
        if self.trashed_at is not None:
            raise Trashed

    def _touch(self, at: datetime, by: UUID | None) -> None:
        self.version += 1
        self.updated_at, self.updated_by = at, by

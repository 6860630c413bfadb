"""What happens to documents."""

from typing import ClassVar
from uuid import UUID

import msgspec

from cms_api.kernel.events import Event


class DocumentEvent(Event, frozen=True, kw_only=True):
    """``type`` is the content type's key, ``version`` the document's after the change."""

    type: str
    version: int


class DocumentCreated(DocumentEvent, frozen=True, kw_only=True):
    """A draft was begun."""

    name: ClassVar[str] = "document.created"


class DocumentUpdated(DocumentEvent, frozen=True, kw_only=True):
    """The draft was changed, in the fields ``changed``."""

    name: ClassVar[str] = "document.updated"

    changed: tuple[str, ...]


class DocumentDiscarded(DocumentEvent, frozen=True, kw_only=True):
    """The draft was given up for what is live; ``changed`` are the fields that went back."""

    name: ClassVar[str] = "document.discarded"

    changed: tuple[str, ...]


class DocumentReverted(DocumentEvent, frozen=True, kw_only=True):
    """An old revision, ``restored``, became the draft; ``changed`` are the fields that differ."""

    name: ClassVar[str] = "document.reverted"

    restored: UUID
    changed: tuple[str, ...]


class DocumentDuplicated(DocumentEvent, frozen=True, kw_only=True):
    """``copy`` was begun with the content of its draft."""

    name: ClassVar[str] = "document.duplicated"

    copy: UUID


class DocumentPublished(DocumentEvent, frozen=True, kw_only=True):
    """The revision ``revision`` became the live copy."""

    name: ClassVar[str] = "document.published"

    revision: UUID


class DocumentUnpublished(DocumentEvent, frozen=True, kw_only=True):
    """The live copy was taken away."""

    name: ClassVar[str] = "document.unpublished"


class DocumentArchived(DocumentEvent, frozen=True, kw_only=True):
    """It was laid aside, out of the readers' sight."""

    name: ClassVar[str] = "document.archived"


class DocumentUnarchived(DocumentEvent, frozen=True, kw_only=True):
    """It came back from the archive, as a draft."""

    name: ClassVar[str] = "document.unarchived"


class DocumentTrashed(DocumentEvent, frozen=True, kw_only=True):
    """It went to the trash, with its live copy."""

    name: ClassVar[str] = "document.trashed"


class DocumentRestored(DocumentEvent, frozen=True, kw_only=True):
    """It came back from the trash, as a draft."""

    name: ClassVar[str] = "document.restored"


class DocumentPurged(DocumentEvent, frozen=True, kw_only=True):
    """It is gone for good, with all its revisions."""

    name: ClassVar[str] = "document.purged"


class DocumentMoved(DocumentEvent, frozen=True, kw_only=True):
    """It went from one stage of its workflow to another."""

    name: ClassVar[str] = "document.moved"

    source: str | None = msgspec.field(name="from")
    to: str | None
    comment: str | None = None


class DocumentUnlinked(DocumentEvent, frozen=True, kw_only=True):
    """It lost its references to something that was deleted; ``is_live`` tells whether readers see that."""

    name: ClassVar[str] = "document.unlinked"

    changed: tuple[str, ...]
    is_live: bool


class DocumentFollowed(DocumentEvent, frozen=True, kw_only=True):
    """Its content type changed, and its values with it."""

    name: ClassVar[str] = "document.followed"


class DocumentRendered(DocumentEvent, frozen=True, kw_only=True):
    """Its live copy was rendered anew, by another version of the renderer."""

    name: ClassVar[str] = "document.rendered"

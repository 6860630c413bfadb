"""What happens to documents."""

from typing import ClassVar

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


class DocumentPublished(DocumentEvent, frozen=True, kw_only=True):
    """The draft became the live copy."""

    name: ClassVar[str] = "document.published"


class DocumentUnpublished(DocumentEvent, frozen=True, kw_only=True):
    """The live copy was taken away."""

    name: ClassVar[str] = "document.unpublished"


class DocumentTrashed(DocumentEvent, frozen=True, kw_only=True):
    """It went to the trash, with its live copy."""

    name: ClassVar[str] = "document.trashed"


class DocumentRestored(DocumentEvent, frozen=True, kw_only=True):
    """It came back from the trash, as a draft."""

    name: ClassVar[str] = "document.restored"

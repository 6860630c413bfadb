"""Previews: which drafts are shown, and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cms_api.domains.cms.previews.events import PreviewCreated, PreviewRevoked
from cms_api.kernel.ids import new_id


@dataclass(slots=True, frozen=True, kw_only=True)
class Preview:
    """Shows the drafts of ``documents`` to whoever has its token. It can't be changed, only taken back."""

    id: UUID
    documents: tuple[UUID, ...]
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime

    @classmethod
    def make(
        cls, documents: tuple[UUID, ...], *, by: UUID | None, at: datetime, lifetime: int
    ) -> tuple["Preview", PreviewCreated]:
        """A new preview, good for ``lifetime`` seconds, until a whole second."""
        preview = cls(
            id=new_id(),
            documents=documents,
            created_by=by,
            created_at=at,
            expires_at=(at + timedelta(seconds=lifetime)).replace(microsecond=0),
        )
        event = PreviewCreated(
            subject=preview.id, actor=by, documents=documents, expires_at=preview.expires_at
        )
        return preview, event

    def revoked(self) -> PreviewRevoked:
        """The event of its end before its time."""
        return PreviewRevoked(subject=self.id, documents=self.documents)

"""Documents as what hangs on them sees them: whose they are and where they stand, not what they say."""

from abc import ABC, abstractmethod
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.errors import Archived, Trashed


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A document that something is about. ``owners`` are users: who began it, and who its draft names as authors."""

    id: UUID
    type: str
    is_live: bool
    is_archived: bool
    is_trashed: bool
    owners: frozenset[UUID]

    def require_untrashed(self) -> None:
        """Raise `Trashed` where the document is in the trash."""
        if self.is_trashed:
            raise Trashed

    def require_at_hand(self) -> None:
        """Raise `Trashed` or `Archived` where nothing can be done with the document."""
        self.require_untrashed()
        if self.is_archived:
            raise Archived


class SubjectRepository(ABC):
    """Documents, for changing what hangs on them."""

    @abstractmethod
    async def get(self, kind: str, document_id: UUID, *, alone: bool = False) -> Subject | None:
        """The document of that type, kept as it is until the unit of work ends.

        Any number of units of work may keep it at once, but for one that does so ``alone``; who
        wants to change the document waits.
        """


class SubjectQueries(ABC):
    """Documents, for looking at what hangs on them."""

    @abstractmethod
    async def get(self, kind: str, document_id: UUID) -> Subject | None:
        """The document of that type."""

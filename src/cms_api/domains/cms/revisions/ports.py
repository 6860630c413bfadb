"""What the service of revisions needs from outside."""

from abc import ABC, abstractmethod
from typing import TypeVar
from uuid import UUID

from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.model import ContentType
from cms_api.domains.cms.revisions.interface import Ref, RevisionDetail, RevisionView
from cms_api.domains.cms.revisions.model import Revision
from cms_api.querying import Page, PageRequest

C = TypeVar("C", bound=Content)


class RevisionRepository(ABC):
    """Revisions, for noting something on them. Whoever does holds the lock of the document."""

    @abstractmethod
    async def get(self, document_id: UUID, revision_id: UUID) -> Revision | None:
        """The revision."""

    @abstractmethod
    async def save(self, revision: Revision) -> None:
        """Store what is noted on it."""


class RevisionQueries(ABC):
    """Revisions, for looking at them."""

    @abstractmethod
    async def list(self, type: str, document_id: UUID, page: PageRequest) -> Page[RevisionView] | None:
        """A page of a document's revisions; None where there is no such document."""

    @abstractmethod
    async def get(
        self, kind: ContentType[C], document_id: UUID, *refs: Ref
    ) -> dict[Ref, RevisionDetail[C]] | None:
        """Those revisions that there are, with what they hold; None where there is no such document."""

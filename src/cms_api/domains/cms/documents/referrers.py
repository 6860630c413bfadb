"""Looking at who points at something, before it is deleted or changed."""

from abc import ABC, abstractmethod
from uuid import UUID

from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.documents.ports import ReferenceQueries
from cms_api.domains.cms.documents.references import DeletionPreview, Mode, Reference
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.resources import ResourceNotFound
from cms_api.kernel.actor import Actor
from cms_api.querying import Page, PageRequest

NOUNS = {"author": "author", "category": "category", "tag": "tag", "media": "file"}


class ReferenceService(ABC):
    """Who points at a document, a file, an author or a term: ``kind`` is one of these, or a content type.

    Needs ``documents:read``. What fields say that the actor may not see is told by neither method.
    Raises `DocumentNotFound` and `ResourceNotFound`.
    """

    @abstractmethod
    async def list(self, actor: Actor, kind: str, target: UUID, page: PageRequest) -> Page[Reference]:
        """The links that point at it, of drafts and live copies."""

    @abstractmethod
    async def preview(self, actor: Actor, kind: str, target: UUID) -> DeletionPreview:
        """What its deletion would do: for an untrashed document its way to the trash, else its end."""


class References(ReferenceService):
    """The service, on what is stored of links. ``types`` know which fields are withheld."""

    def __init__(self, queries: ReferenceQueries, types: DocumentTypes) -> None:
        self._queries = queries
        self._types = types

    async def list(self, actor: Actor, kind: str, target: UUID, page: PageRequest) -> Page[Reference]:
        await self._found(actor, kind, target)
        return await self._queries.list(target, page, withheld=await self._types.withheld(actor))

    async def preview(self, actor: Actor, kind: str, target: UUID) -> DeletionPreview:
        mode = await self._found(actor, kind, target)
        return await self._queries.preview(target, mode, withheld=await self._types.withheld(actor))

    async def _found(self, actor: Actor, kind: str, target: UUID) -> Mode:
        actor.require(READ)
        if (mode := await self._queries.find(kind, target)) is None:
            raise ResourceNotFound(NOUNS[kind]) if kind in NOUNS else DocumentNotFound
        return mode

"""Who gets at a document: found, allowed, and at the version that is meant."""

from typing import TypeVar
from uuid import UUID

from cms_api.domains.cms.authors.interface import AuthorService
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork

C = TypeVar("C", bound=Content)


def may_look(actor: Actor) -> None:
    """Nobody learns from an id whether there is something that she may not see."""
    if not actor.is_system:
        actor.require(policy.READ)


class Access:
    """Finds documents for changing them, or something that hangs on them."""

    def __init__(self, authors: AuthorService) -> None:
        self._authors = authors

    async def document(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: ContentType[C],
        document_id: UUID,
        permission: str,
        *,
        expected: int | None = None,
    ) -> Document[C]:
        """The document, locked. Raises `DocumentNotFound`, `Forbidden`, `Stale`."""
        may_look(actor)
        document = await uow.repository(DocumentRepository).get(kind, document_id)
        if document is None:
            raise DocumentNotFound
        await self.require(uow, actor, document, permission)
        document.check_version(expected, seen=kind.seen(actor))
        return document

    async def require(self, uow: UnitOfWork, actor: Actor, document: Document[C], permission: str) -> None:
        """Raise `Forbidden` unless the actor may do it with this document.

        It is the actor's own if she began it, or is one of the authors that its draft names.
        """
        if actor.is_system:
            return
        owners = await self._authors.users_of(uow, document.draft.authors)
        if document.created_by is not None:
            owners |= {document.created_by}
        policy.require(actor, permission, owners=owners)

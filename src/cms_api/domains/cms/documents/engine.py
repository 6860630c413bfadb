"""What all decisions about documents share: finding, checking and showing them."""

from abc import abstractmethod
from typing import Any, Generic, TypeVar
from uuid import UUID

from cms_api.domains.cms.authors.interface import AuthorService
from cms_api.domains.cms.documents.access import Access
from cms_api.domains.cms.documents.content import Content, Link
from cms_api.domains.cms.documents.deleting import Deletions
from cms_api.domains.cms.documents.interface import Changes, DocumentService, Status, V
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.ports import (
    DocumentQueries,
    PublicationRepository,
    ReferenceRepository,
    Renderer,
    Stages,
)
from cms_api.domains.cms.documents.rendering import Public, PublicFields
from cms_api.domains.cms.locks.interface import HeldLocks, LockSummary
from cms_api.domains.cms.search.ports import SearchIndex
from cms_api.domains.cms.search.text import SearchText
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Invalid
from cms_api.kernel.unit_of_work import UnitOfWork

C = TypeVar("C", bound=Content)

# Fields of the built-in types in which nothing stands twice.
LISTS = frozenset({"authors", "categories", "tags"})


class Engine(DocumentService[Changes, V], Generic[C, Changes, V]):
    """The ground that drafting and publishing stand on; a subclass says which type, and how it is shown."""

    kind: ContentType[C]

    def __init__(
        self,
        *,
        clock: Clock,
        queries: DocumentQueries,
        renderer: Renderer,
        authors: AuthorService,
        locks: HeldLocks,
        default_locale: str,
        stages: Stages,
        deletions: Deletions,
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._renderer = renderer
        self._authors = authors
        self._access = Access(authors)
        self._locks = locks
        self._default_locale = default_locale
        self._stages = stages
        self._deletions = deletions

    @abstractmethod
    def _view(self, actor: Actor, document: Document[C], common: dict[str, Any]) -> V:
        """The document as this actor sees it; ``common`` is what all types have."""

    @abstractmethod
    async def _public(self, content: C) -> Public:
        """What readers get of a content, but for relations and what has a column of its own."""

    @abstractmethod
    async def _searched(self, content: C, fields: PublicFields) -> SearchText | None:
        """What of a content, which readers get as ``fields``, is searched; None where nothing is."""

    async def _put_live(self, uow: UnitOfWork, document: Document[C], content: C) -> None:
        """Make ``content``, that of the live revision, what readers see and find."""
        public = await self._public(content)
        await uow.repository(PublicationRepository).put_live(document, content, public)
        await self._put_found(uow, document, content, public)

    async def _put_found(self, uow: UnitOfWork, document: Document[C], content: C, public: Public) -> None:
        """Store what the live copy is found by."""
        if (words := await self._searched(content, public.fields)) is not None:
            await uow.repository(SearchIndex).put(document.id, document.locale, words)

    async def _check_unique(
        self, uow: UnitOfWork, content: C, *, locale: str, document: Document[C] | None
    ) -> None:
        """Raise where another document has what only one may have, as far as no index sees to it."""

    async def hold(self, uow: UnitOfWork) -> None:
        """Nothing to do: built-in types don't change."""

    async def hold_addresses(self, uow: UnitOfWork) -> None:
        """Nothing to do: addresses follow from documents, or from the type."""

    async def _of(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, permission: str, expected: int | None
    ) -> Document[C]:
        """The document, if the actor may and means its current version."""
        await self.hold(uow)
        return await self._access.document(uow, actor, self.kind, document_id, permission, expected=expected)

    async def _shown(self, actor: Actor, document: Document[C]) -> V:
        """The document as it is now, with who is editing it."""
        return self.view(actor, document, (await self._locks.of([document.id])).get(document.id))

    def view(self, actor: Actor, document: Document[C], lock: LockSummary | None) -> V:
        draft = document.draft
        common: dict[str, Any] = {
            "id": document.id,
            "slug": draft.slug,
            "authors": draft.authors,
            "seo": draft.seo,
            "type": document.type,
            "status": status_of(document),
            "author": draft.authors[0] if draft.authors else None,
            "locale": document.locale,
            "version": document.version,
            "draft_revision": document.draft_revision_id,
            "live_revision": document.live_revision_id,
            "published_at": document.published_at,
            "first_published_at": document.first_published_at,
            "created_at": document.created_at,
            "updated_at": document.updated_at,
            "archived_at": document.archived_at,
            "trashed_at": document.trashed_at,
            "has_unpublished_changes": document.has_unpublished_changes,
            "stage": document.stage,
            "lock": lock,
        }
        return self._view(actor, document, common)


def status_of(document: Document[Any]) -> Status:
    """Where a document stands, whether in the trash or not."""
    if document.archived_at is not None:
        return "archived"
    if document.is_live:
        return "published"
    return "scheduled" if document.is_scheduled else "draft"


async def check_links(uow: UnitOfWork, links: list[Link]) -> None:
    """Raise `Invalid` that names each link whose target is not there, or that is there twice."""
    if not links:
        return
    there = await uow.repository(ReferenceRepository).existing(links)
    faults: list[Fault] = []
    seen: set[tuple[str, UUID]] = set()
    for link in links:
        if link not in there:
            faults.append(Fault(link.pointer, "unknown_reference", f"There is no {link.kind} with this id."))
        elif link.field in LISTS and (link.field, link.target) in seen:
            faults.append(Fault(link.pointer, "duplicate", f"This {link.kind} is there twice."))
        seen.add((link.field, link.target))
    if faults:
        raise Invalid("Some references are wrong.", faults=tuple(faults))

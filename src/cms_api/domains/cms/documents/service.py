"""The document engine: one set of decisions for every type of content."""

from abc import abstractmethod
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.authors.interface import AuthorService
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.content import Content, Link
from cms_api.domains.cms.documents.errors import DocumentNotFound, HasChildren
from cms_api.domains.cms.documents.events import DocumentEvent
from cms_api.domains.cms.documents.interface import Changes, DocumentService, V
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.ports import (
    DocumentQueries,
    DocumentRepository,
    PublicFields,
    Renderer,
)
from cms_api.domains.cms.documents.slugs import check_slug, make_slug
from cms_api.domains.cms.resources import given as given_fields
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Faults, Invalid, invalid
from cms_api.kernel.paging import Page, PageRequest
from cms_api.kernel.unit_of_work import UnitOfWork

C = TypeVar("C", bound=Content)


class Documents(DocumentService[Changes, V], Generic[C, Changes, V]):
    """The service of one content type; a subclass says which, and how it is shown."""

    kind: ContentType[C]

    def __init__(
        self,
        *,
        clock: Clock,
        queries: DocumentQueries,
        renderer: Renderer,
        authors: AuthorService,
        default_locale: str,
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._renderer = renderer
        self._authors = authors
        self._default_locale = default_locale

    @abstractmethod
    def _view(self, document: Document[C], common: dict[str, Any]) -> V:
        """The document as it is shown; ``common`` is what all types have."""

    async def create(
        self,
        uow: UnitOfWork,
        actor: Actor,
        changes: Changes,
        *,
        locale: str | None = None,
        created_at: datetime | None = None,
    ) -> V:
        actor.require(policy.CREATE)
        documents = uow.repository(DocumentRepository)
        locale = locale or self._default_locale
        given = given_fields(changes)
        if "title" not in given:
            raise invalid("/title", "required", "The field “title” is required.")
        faults = Faults()
        with faults.noted():
            if given.get("slug"):
                given["slug"] = check_slug(str(given["slug"]))
        is_given = bool(given.get("slug"))
        if not is_given:
            given["slug"] = make_slug(str(given["title"]))
        if "authors" not in given and actor.user_id is not None:
            given["authors"] = (await self._authors.of_user(uow, actor.user_id),)
        content = self.kind.content(**given)
        with faults.noted():
            await _check_links(documents, list(content.links()))
        faults.refuse()
        if not is_given:
            slug = await documents.free_slug(
                self.kind, locale=locale, base=content.slug, parent=getattr(content, "parent", None)
            )
            content = msgspec.structs.replace(content, slug=slug)
        document, created = Document.create(
            self.kind, content, locale=locale, at=created_at or self._clock.now(), by=actor.user_id
        )
        await documents.add(document)
        uow.record(created.by(actor))
        return self._shown(document)

    async def get(self, actor: Actor, document_id: UUID) -> V:
        actor.require(policy.READ)
        if (document := await self._queries.get(self.kind, document_id)) is None:
            raise DocumentNotFound
        return self._shown(document)

    async def list(self, actor: Actor, page: PageRequest) -> Page[V]:
        actor.require(policy.READ)
        found = await self._queries.list(self.kind, page)
        return Page(
            items=[self._shown(document) for document in found.items],
            next=found.next,
            prev=found.prev,
            count=found.count,
        )

    async def update(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, changes: Changes, *, expected: int | None
    ) -> V:
        _may_look(actor)
        documents = uow.repository(DocumentRepository)
        given = given_fields(changes)
        # Before any row is locked: two who hang pages below each other's would wait for one another.
        is_cycle = bool(given.get("parent")) and await documents.is_below(given["parent"], document_id)
        document = await self._of(uow, actor, document_id, policy.EDIT, expected)
        faults = Faults()
        with faults.noted():
            if "slug" in given:
                given["slug"] = check_slug(str(given["slug"]))
        content: C = msgspec.structs.replace(document.draft, **given)
        before = set(document.draft.links())
        with faults.noted():
            await _check_links(documents, [link for link in content.links() if link not in before])
        with faults.noted():
            if is_cycle:
                raise invalid("/parent", "cycle", "A page can't hang below itself.")
        faults.refuse()
        updated = document.edit(content, at=self._clock.now(), by=actor.user_id)
        if updated is not None:
            await documents.save(document)
            uow.record(updated.by(actor))
        return self._shown(document)

    async def publish(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document_id: UUID,
        *,
        expected: int | None,
        revision_id: UUID | None = None,
        published_at: datetime | None = None,
    ) -> V:
        if revision_id is not None:
            raise LookupError("Only the draft can be published so far.")
        document = await self._of(uow, actor, document_id, policy.PUBLISH, expected)
        documents = uow.repository(DocumentRepository)
        now = self._clock.now()
        await _check_links(documents, list(document.draft.links()))
        revision_id = await documents.snapshot(document, at=now, by=actor.user_id)
        published = document.publish(revision_id, at=now, by=actor.user_id, published_at=published_at)
        draft = document.draft
        rendered = await self._renderer.render(draft.body, draft.format, excerpt=draft.excerpt)
        fields = PublicFields(
            excerpt=rendered.excerpt,
            body=rendered.body,
            seo=draft.seo,
            reading_time=rendered.reading_time,
        )
        await documents.save(document)
        await documents.put_live(document, fields)
        uow.record(published.by(actor))
        return self._shown(document)

    async def unpublish(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        document = await self._of(uow, actor, document_id, policy.PUBLISH, expected)
        event = document.unpublish(at=self._clock.now(), by=actor.user_id)
        await self._store_without_live(uow, actor, document, event)
        return self._shown(document)

    async def trash(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> None:
        document = await self._of(uow, actor, document_id, policy.DELETE, expected)
        event = document.trash(at=self._clock.now(), by=actor.user_id)
        if number := await uow.repository(DocumentRepository).children(document_id):
            raise HasChildren(number)
        await self._store_without_live(uow, actor, document, event)

    async def restore(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        document = await self._of(uow, actor, document_id, policy.DELETE, expected)
        event = document.restore(at=self._clock.now(), by=actor.user_id)
        documents = uow.repository(DocumentRepository)
        await _check_links(documents, list(document.draft.links()))
        await documents.save(document)
        uow.record(event.by(actor))
        return self._shown(document)

    async def _store_without_live(
        self, uow: UnitOfWork, actor: Actor, document: Document[C], event: DocumentEvent
    ) -> None:
        documents = uow.repository(DocumentRepository)
        await documents.save(document)
        await documents.take_down(document.id)
        uow.record(event.by(actor))

    async def _of(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, permission: str, expected: int | None
    ) -> Document[C]:
        """The document, if the actor may and means its current version."""
        _may_look(actor)
        document = await uow.repository(DocumentRepository).get(self.kind, document_id)
        if document is None:
            raise DocumentNotFound
        if not actor.is_system:
            owners = await self._authors.users_of(uow, document.draft.authors)
            if document.created_by is not None:
                owners |= {document.created_by}
            policy.require(actor, permission, owners=owners)
        document.check_version(expected)
        return document

    def _shown(self, document: Document[C]) -> V:
        draft = document.draft
        common: dict[str, Any] = {name: getattr(draft, name) for name in Content.__struct_fields__}
        common |= {
            "id": document.id,
            "type": document.type,
            "status": "published" if document.is_live else "draft",
            "author": draft.authors[0] if draft.authors else None,
            "locale": document.locale,
            "version": document.version,
            "published_at": document.published_at,
            "first_published_at": document.first_published_at,
            "created_at": document.created_at,
            "updated_at": document.updated_at,
            "trashed_at": document.trashed_at,
            "has_unpublished_changes": document.has_unpublished_changes,
            "reading_time": self._renderer.reading_time(draft.body),
        }
        return self._view(document, common)


def _may_look(actor: Actor) -> None:
    """Nobody learns from an id whether there is something that she may not see."""
    if not actor.is_system:
        actor.require(policy.READ)


async def _check_links(documents: DocumentRepository, links: list[Link]) -> None:
    """Raise `Invalid` that names each link whose target is not there, or that is there twice."""
    if not links:
        return
    there = await documents.existing(links)
    faults: list[Fault] = []
    seen: set[tuple[str, UUID]] = set()
    for link in links:
        if link not in there:
            faults.append(Fault(link.pointer, "unknown_reference", f"There is no {link.kind} with this id."))
        elif (link.field, link.target) in seen:
            faults.append(Fault(link.pointer, "duplicate", f"This {link.kind} is there twice."))
        seen.add((link.field, link.target))
    if faults:
        raise Invalid("Some references are wrong.", faults=tuple(faults))

"""Drafting: beginning documents and changing their drafts, which readers don't see."""

from abc import abstractmethod
from datetime import datetime
from typing import Any, Generic
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.access import may_look
from cms_api.domains.cms.documents.engine import C, Engine, check_links
from cms_api.domains.cms.documents.errors import DocumentNotFound, NotPublished, RevisionNotFound, Trashed
from cms_api.domains.cms.documents.events import DocumentReverted, DocumentUpdated
from cms_api.domains.cms.documents.interface import Changes, V, without_trash
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, ReferenceRepository
from cms_api.domains.cms.documents.slugs import check_slug, make_slug
from cms_api.domains.cms.resources import given as given_fields
from cms_api.domains.cms.search.asking import tidied
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Faults, invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest


class Drafting(Engine[C, Changes, V], Generic[C, Changes, V]):
    """The half of a document's service that works on drafts."""

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
        # Before the workflow is: who deletes a type locks them in this order.
        await self.hold(uow)
        stage = await self._stages.first_stage(uow, self.kind.key)
        documents = uow.repository(DocumentRepository)
        locale = locale or self._default_locale
        given = self._first(actor, changes)
        faults = Faults()
        with faults.noted():
            if given.get("slug"):
                given["slug"] = check_slug(str(given["slug"]))
        is_given = bool(given.get("slug"))
        if not is_given:
            given["slug"] = make_slug(self._name(given))
        if "authors" not in given and actor.user_id is not None:
            given["authors"] = (await self._authors.of_user(uow, actor.user_id),)
        content = self.kind.content(**given)
        with faults.noted():
            await check_links(uow, list(content.links()))
        faults.refuse()
        if not is_given:
            slug = await documents.free_slug(
                self.kind, locale=locale, base=content.slug, parent=getattr(content, "parent", None)
            )
            content = msgspec.structs.replace(content, slug=slug)
        await self._check_unique(uow, content, locale=locale, document=None)
        document, created = Document.create(
            self.kind,
            content,
            locale=locale,
            at=created_at or self._clock.now(),
            by=actor.user_id,
            stage=stage,
        )
        await documents.add(document)
        uow.record(created.by(actor))
        return self.view(actor, document, None)

    async def get(self, actor: Actor, document_id: UUID) -> V:
        actor.require(policy.READ)
        if (document := await self._queries.get(self.kind, document_id)) is None:
            raise DocumentNotFound
        return await self._shown(actor, document)

    async def list(self, actor: Actor, page: PageRequest) -> Page[V]:
        actor.require(policy.READ)
        page = msgspec.structs.replace(page, filter=tidied(page.filter))
        found = await self._queries.list(self.kind, without_trash(page))
        locks = await self._locks.of(document.id for document in found.items)
        return found.of([self.view(actor, document, locks.get(document.id)) for document in found.items])

    async def update(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, changes: Changes, *, expected: int | None
    ) -> V:
        may_look(actor)
        if given_fields(changes).get("parent") is not None:
            await uow.repository(ReferenceRepository).lock_tree()
        document = await self._of(uow, actor, document_id, policy.EDIT, expected)
        faults = Faults()
        content = self._edited(actor, document.draft, changes, faults)
        await self._check(uow, document, content, faults)
        await self._redraft(uow, actor, document, content)
        return await self._shown(actor, document)

    async def discard(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        documents = uow.repository(DocumentRepository)
        document = await self._of_tree(uow, actor, document_id, policy.EDIT, expected)
        live = await documents.snapshot(self.kind, document_id)
        if live is None:
            raise NotPublished
        await self._check(uow, document, live.content, Faults())
        discarded = document.discard(live, at=self._clock.now(), by=actor.user_id)
        if discarded is not None:
            await self._stages.edited(uow, actor, document, at=document.updated_at)
            await documents.save(document)
            uow.record(discarded.by(actor))
        return await self._shown(actor, document)

    async def restore_revision(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document_id: UUID,
        revision_id: UUID,
        *,
        expected: int | None,
        drop_missing: bool = False,
    ) -> V:
        documents = uow.repository(DocumentRepository)
        document = await self._of_tree(uow, actor, document_id, policy.EDIT, expected)
        snapshot = await documents.snapshot(self.kind, document_id, revision_id)
        if snapshot is None:
            raise RevisionNotFound
        content = snapshot.content
        if drop_missing:
            links = list(content.links())
            there = await uow.repository(ReferenceRepository).existing(links)
            content = content.without([link for link in links if link not in there])
        content = self._restored(actor, document.draft, content)
        await self._check(uow, document, content, Faults())
        reverted = document.revert(snapshot, content, at=self._clock.now(), by=actor.user_id)
        if reverted is not None:
            await self._store(uow, actor, document, reverted, restored_from=revision_id)
        return await self._shown(actor, document)

    async def duplicate(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        may_look(actor)
        actor.require(policy.CREATE)
        await self.hold(uow)
        stage = await self._stages.first_stage(uow, self.kind.key)
        documents = uow.repository(DocumentRepository)
        original = await documents.get(self.kind, document_id)
        if original is None:
            raise DocumentNotFound
        original.check_version(expected, seen=self.kind.seen(actor))
        if original.trashed_at is not None:
            raise Trashed
        content = original.draft
        await check_links(uow, list(content.links()))
        await self._check_unique(uow, content, locale=original.locale, document=None)
        slug = await documents.free_slug(
            self.kind, locale=original.locale, base=content.slug, parent=getattr(content, "parent", None)
        )
        copy, created = Document.create(
            self.kind,
            msgspec.structs.replace(content, slug=slug),
            locale=original.locale,
            at=self._clock.now(),
            by=actor.user_id,
            stage=stage,
        )
        await documents.add(copy)
        uow.record(created.by(actor), original.duplicated(copy).by(actor))
        return self.view(actor, copy, None)

    def _first(self, actor: Actor, changes: Changes) -> dict[str, Any]:
        """What a new document says, the slug perhaps left out. Raises `Invalid`."""
        del actor
        return given_fields(changes)

    @abstractmethod
    def _name(self, given: dict[str, Any]) -> str:
        """What a slug is made of where none is given."""

    def _edited(self, actor: Actor, draft: C, changes: Changes, faults: Faults) -> C:
        """The draft with ``changes``. Notes what is wrong with them in ``faults``, or raises `Invalid`."""
        del actor
        given = given_fields(changes)
        with faults.noted():
            if "slug" in given:
                given["slug"] = check_slug(str(given["slug"]))
        edited: C = msgspec.structs.replace(draft, **given)
        return edited

    def _restored(self, actor: Actor, draft: C, content: C) -> C:
        """The draft that an old ``content`` becomes when this actor goes back to it."""
        del actor, draft
        return content

    async def _redraft(self, uow: UnitOfWork, actor: Actor, document: Document[C], content: C) -> None:
        """Make ``content`` the draft, where it is another one."""
        updated = document.edit(content, at=self._clock.now(), by=actor.user_id)
        if updated is not None:
            await self._store(uow, actor, document, updated)

    async def _store(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document: Document[C],
        event: DocumentUpdated | DocumentReverted,
        *,
        restored_from: UUID | None = None,
    ) -> None:
        """Store another draft as a revision of its own."""
        documents = uow.repository(DocumentRepository)
        await self._stages.edited(uow, actor, document, at=document.updated_at)
        await documents.add_revision(document, changed=event.changed, restored_from=restored_from)
        await documents.save(document)
        uow.record(event.by(actor))

    async def _of_tree(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, permission: str, expected: int | None
    ) -> Document[C]:
        """The document as `_of` finds it, when it may get another place in the tree of its type."""
        may_look(actor)
        if self.kind.is_tree:
            await uow.repository(ReferenceRepository).lock_tree()
        return await self._of(uow, actor, document_id, permission, expected)

    async def _check(self, uow: UnitOfWork, document: Document[C], content: C, faults: Faults) -> None:
        """Raise `Invalid` with ``faults`` and all that keeps ``content`` from becoming the draft."""
        before = set(document.draft.links())
        with faults.noted():
            await check_links(uow, [link for link in content.links() if link not in before])
        parent = getattr(content, "parent", None)
        with faults.noted():
            is_moved = parent != getattr(document.draft, "parent", None)
            if (
                parent is not None
                and is_moved
                and await uow.repository(ReferenceRepository).is_below(parent, document.id)
            ):
                raise invalid("/parent", "cycle", "A page can't hang below itself.")
        faults.refuse()
        await self._check_unique(uow, content, locale=document.locale, document=document)

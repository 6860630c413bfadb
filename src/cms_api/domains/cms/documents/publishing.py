"""Publishing: what readers see, and what is laid aside or thrown away."""

from datetime import datetime
from typing import Generic
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.access import may_look
from cms_api.domains.cms.documents.engine import C, Engine, check_links
from cms_api.domains.cms.documents.errors import HasChildren, RevisionNotFound
from cms_api.domains.cms.documents.events import DocumentEvent
from cms_api.domains.cms.documents.interface import Changes, Move, V
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import (
    DocumentRepository,
    PublicationRepository,
    ReferenceRepository,
)
from cms_api.domains.cms.schedules.cancelling import cancel_pending
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork


class Publishing(Engine[C, Changes, V], Generic[C, Changes, V]):
    """The half of a document's service that decides what readers see."""

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
        may_look(actor)
        await self.hold_addresses(uow)
        document = await self._of(uow, actor, document_id, policy.PUBLISH, expected)
        documents = uow.repository(DocumentRepository)
        snapshot, content = None, document.draft
        if revision_id not in (None, document.draft_revision_id):
            snapshot = await documents.snapshot(self.kind, document_id, revision_id)
            if snapshot is None:
                raise RevisionNotFound
            content = snapshot.content
        await self._stages.check_publishable(uow, actor, document, snapshot)
        await check_links(uow, list(content.links()))
        published = document.publish(
            snapshot, at=self._clock.now(), by=actor.user_id, published_at=published_at
        )
        await documents.save(document)
        await self._put_live(uow, document, content)
        uow.record(published.by(actor))
        if snapshot is None:
            await self._stages.close(uow, actor, document, "done", at=document.updated_at)
        return await self._shown(actor, document)

    async def show_draft(self, uow: UnitOfWork, document_id: UUID, *, at: datetime) -> None:
        document = await self._queries.get(self.kind, document_id)
        if document is not None and document.trashed_at is None and document.archived_at is None:
            changed_at, published_at = max(at, document.updated_at), document.published_at or at
            document.publish(at=changed_at, by=None, published_at=published_at)
            await self._put_live(uow, document, document.draft)

    async def move(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, move: Move, *, expected: int | None
    ) -> V:
        may_look(actor)
        # Keeps the stages as they are until the document is there.
        await self._stages.first_stage(uow, self.kind.key)
        document = await self._of(uow, actor, document_id, policy.READ, expected)
        await self._stages.move(uow, actor, document, move, at=self._clock.now())
        await uow.repository(DocumentRepository).save(document)
        return await self._shown(actor, document)

    async def unpublish(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        may_look(actor)
        await self.hold_addresses(uow)
        document = await self._of(uow, actor, document_id, policy.PUBLISH, expected)
        event = document.unpublish(at=self._clock.now(), by=actor.user_id)
        return await self._stored_without_live(uow, actor, document, event)

    async def archive(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        may_look(actor)
        await self.hold_addresses(uow)
        document = await self._of(uow, actor, document_id, policy.ARCHIVE, expected)
        event = document.archive(at=self._clock.now(), by=actor.user_id)
        await cancel_pending(uow, actor, document_id, at=document.updated_at)
        document.is_scheduled = False
        await self._stages.close(uow, actor, document, "cancelled", at=document.updated_at)
        return await self._stored_without_live(uow, actor, document, event)

    async def unarchive(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        document = await self._of(uow, actor, document_id, policy.ARCHIVE, expected)
        event = document.unarchive(at=self._clock.now(), by=actor.user_id)
        return await self._stored_without_live(uow, actor, document, event)

    async def trash(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> None:
        may_look(actor)
        await self.hold_addresses(uow)
        begun = await self._deletions.begin(uow, document_id, "trash")
        document = await self._of(uow, actor, document_id, policy.DELETE, expected)
        await self._trash(uow, actor, document)
        await self._deletions.carry_out(uow, actor, document_id, "trash", begun)

    async def trash_along(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> None:
        await self._trash(uow, actor, await self._of(uow, actor, document_id, policy.DELETE, None))

    async def _trash(self, uow: UnitOfWork, actor: Actor, document: Document[C]) -> None:
        event = document.trash(at=self._clock.now(), by=actor.user_id)
        if number := await uow.repository(ReferenceRepository).children(document.id):
            raise HasChildren(number)
        await cancel_pending(uow, actor, document.id, at=document.updated_at)
        await self._stages.close(uow, actor, document, "cancelled", at=document.updated_at)
        await self._stored_without_live(uow, actor, document, event)

    async def restore(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> V:
        document = await self._of(uow, actor, document_id, policy.DELETE, expected)
        event = document.restore(at=self._clock.now(), by=actor.user_id)
        uow.record(event.by(actor))
        documents, draft = uow.repository(DocumentRepository), document.draft
        await check_links(uow, list(draft.links()))
        await self._check_unique(uow, draft, locale=document.locale, document=document)
        slug = await documents.free_slug(
            self.kind, locale=document.locale, base=draft.slug, parent=getattr(draft, "parent", None)
        )
        if slug != draft.slug and document.archived_at is None:
            content: C = msgspec.structs.replace(draft, slug=slug)
            renamed = document.edit(content, at=document.updated_at, by=actor.user_id)
            if renamed is not None:
                await documents.add_revision(document, changed=renamed.changed)
                uow.record(renamed.by(actor))
        await documents.save(document)
        return await self._shown(actor, document)

    async def purge(self, uow: UnitOfWork, actor: Actor, document_id: UUID, *, expected: int | None) -> None:
        may_look(actor)
        await self.hold_addresses(uow)
        begun = await self._deletions.begin(uow, document_id, "purge")
        document = await self._of(uow, actor, document_id, policy.PURGE, expected)
        event = document.purged()
        gone = await self._deletions.carry_out(uow, actor, document_id, "purge", begun)
        await uow.repository(DocumentRepository).delete(document_id, *gone)
        uow.record(event.by(actor))

    async def purge_along(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> None:
        document = await self._of(uow, actor, document_id, policy.PURGE, None)
        uow.record(document.purged().by(actor))

    async def unlink(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, targets: frozenset[UUID]
    ) -> None:
        documents = uow.repository(DocumentRepository)
        document = await documents.get(self.kind, document_id)
        if document is None:
            return
        live = await documents.snapshot(self.kind, document_id) if document.is_live else None
        bare = None if live is None else _without(live.content, targets)
        before = document.draft_revision_id, document.live_revision_id
        draft = _without(document.draft, targets)
        event = document.unlink(draft, bare, at=self._clock.now(), by=actor.user_id)
        if event is None:
            return
        is_other_live = bare is not None and document.live_revision_id not in (
            before[1],
            document.draft_revision_id,
        )
        if bare is not None and is_other_live:
            await documents.add_revision(document.as_of(bare), changed=())
        if document.draft_revision_id != before[0]:
            await documents.add_revision(document, changed=event.changed)
        await documents.save(document)
        if bare is not None and event.is_live:
            await self._put_live(uow, document, bare)
        uow.record(event.by(actor))

    async def rerender(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> bool:
        documents = uow.repository(DocumentRepository)
        document = await documents.get(self.kind, document_id)
        live = None if document is None else await documents.snapshot(self.kind, document_id)
        if document is None or live is None or not document.is_live:
            return False
        public = await self._public(live.content)
        await uow.repository(PublicationRepository).put_rendered(document_id, public)
        await self._put_found(uow, document, live.content, public)
        uow.record(document.rendered().by(actor))
        return True

    async def _stored_without_live(
        self, uow: UnitOfWork, actor: Actor, document: Document[C], event: DocumentEvent
    ) -> V:
        documents = uow.repository(DocumentRepository)
        await documents.save(document)
        await uow.repository(PublicationRepository).take_down(document.id)
        uow.record(event.by(actor))
        return await self._shown(actor, document)


def _without(content: C, targets: frozenset[UUID]) -> C:
    return content.without(
        [link for link in content.links() if link.target in targets and link.on_delete == "unlink"]
    )

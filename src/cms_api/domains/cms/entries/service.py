"""Entries, on the document engine."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.content_types import shapes
from cms_api.domains.cms.content_types.compiling import EntryKind, seo_of
from cms_api.domains.cms.content_types.conversions import takes
from cms_api.domains.cms.content_types.errors import SingletonExists, TypeChanged, ValueTaken
from cms_api.domains.cms.content_types.fields import TEXTS, Field
from cms_api.domains.cms.content_types.ports import ContentTypeRepository, ModelledDocuments
from cms_api.domains.cms.content_types.public import rendered_values
from cms_api.domains.cms.documents import policy, seo
from cms_api.domains.cms.documents.errors import SlugTaken, Trashed
from cms_api.domains.cms.documents.events import DocumentReverted, DocumentUpdated
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.documents.rendering import Public, PublicFields
from cms_api.domains.cms.documents.service import Documents
from cms_api.domains.cms.documents.slugs import check_slug
from cms_api.domains.cms.entries.content import EntryContent
from cms_api.domains.cms.entries.interface import EntryChanges, EntryService, EntryView
from cms_api.domains.cms.entries.listing import listing_of
from cms_api.domains.cms.entries.patching import check_nesting, merged, patched
from cms_api.domains.cms.entries.ports import TranslationRepository
from cms_api.domains.cms.search.text import SearchText, Weight
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Fault, Faults, Forbidden, invalid
from cms_api.kernel.unit_of_work import UnitOfWork


class Entries(Documents[EntryContent, EntryChanges, EntryView], EntryService):
    """The service of the entries of one type, as it is at one version."""

    def __init__(self, kind: EntryKind, **tools: Any) -> None:
        super().__init__(**tools)
        self.kind: EntryKind = kind
        self.listing = listing_of(kind.definition, kind.neighbours.definitions)
        self._showing = {
            field.key: (str(field.id), field if shapes.needs_showing(field) else None)
            for field in kind.definition.fields
        }

    async def create(self, uow: UnitOfWork, actor: Actor, changes: EntryChanges, **given: Any) -> EntryView:
        try:
            return await super().create(uow, actor, changes, **given)
        except SlugTaken:
            if self.kind.definition.singleton:
                raise SingletonExists from None
            raise

    async def hold(self, uow: UnitOfWork) -> None:
        if await uow.repository(ContentTypeRepository).hold(self.kind.key) != self.kind.version:
            raise TypeChanged

    def _first(self, actor: Actor, changes: EntryChanges) -> dict[str, Any]:
        values = changes.values or {}
        check_nesting(values, "")
        self._refuse_withheld(actor, values)
        given, fields = self.kind.read(values, self.kind.new)
        first: dict[str, Any] = {"seo": seo_of(given.seo), "fields": fields}
        if isinstance(given.authors, tuple):
            first["authors"] = given.authors
        if self.kind.definition.singleton:
            self._check_singleton(given.slug)
            first["slug"] = self._only_slug
        elif given.slug:
            first["slug"] = given.slug
        return first

    @property
    def _only_slug(self) -> str:
        """What the document of a singleton goes by."""
        return self.kind.key.replace("_", "-")

    def _check_singleton(self, slug: str | None) -> None:
        if slug not in (None, self._only_slug):
            detail = f"The slug of a singleton is its type's key, in hyphens: “{self._only_slug}”."
            raise invalid("/slug", "singleton", detail)

    def _name(self, given: dict[str, Any]) -> str:
        # Whoever is told of the document sees its slug.
        title = self.kind.definition.public_title
        return str(given["fields"].get(str(title.id), "") if title else "") or self.kind.key

    def _edited(
        self, actor: Actor, draft: EntryContent, changes: EntryChanges, faults: Faults
    ) -> EntryContent:
        del faults
        withheld = self.kind.withheld(actor)
        told: dict[str, Any] = msgspec.to_builtins(draft.told())
        seen = {name: one for name, one in told.items() if name not in withheld and one is not None}
        if changes.operations is not None:
            shape = {name: seen.get(name) for name in told if name not in withheld}
            wanted = patched(shape, changes.operations)
            if not isinstance(wanted, dict):
                raise invalid("", "type", "An entry is an object.")
            wanted = {name: one for name, one in wanted.items() if one is not None}
        else:
            check_nesting(changes.values, "")
            wanted = merged(seen, changes.values or {})
        self._refuse_withheld(actor, wanted if changes.operations is not None else changes.values or {})
        hidden = {name: one for name, one in told.items() if name in withheld and one is not None}
        given, fields = self.kind.read(wanted | hidden, self.kind.whole, slug=draft.slug)
        if self.kind.definition.singleton:
            self._check_singleton(given.slug)
        slug = check_slug(given.slug) if given.slug not in (None, draft.slug) else draft.slug
        authors = given.authors if isinstance(given.authors, tuple) else ()
        return msgspec.structs.replace(
            draft, slug=slug, authors=authors, seo=seo_of(given.seo), fields=fields
        )

    def _restored(self, actor: Actor, draft: EntryContent, content: EntryContent) -> EntryContent:
        # Who may not see a field may not change it either, with links that are gone or not.
        withheld = self.kind.withheld(actor)
        return _taking(content, draft, [one for one in self.kind.definition.fields if one.key in withheld])

    def _refuse_withheld(self, actor: Actor, values: Mapping[str, Any]) -> None:
        if taboo := sorted(self.kind.withheld(actor) & values.keys()):
            raise Forbidden(f"You may not see or change “{'”, “'.join(taboo)}”.")

    def _view(self, actor: Actor, document: Document[EntryContent], common: dict[str, Any]) -> EntryView:
        fields, withheld = document.draft.fields, self.kind.withheld(actor)
        own: dict[str, Any] = {
            key: fields.get(name) if field is None else shapes.shown(field, fields.get(name))
            for key, (name, field) in self._showing.items()
            if key not in withheld
        }
        more: dict[str, Any] = {
            "withheld": tuple(sorted(withheld)),
            "translation_of": document.translation_of,
        }
        return self.kind.view(**common, **own, **more)

    async def _public(self, content: EntryContent) -> Public:
        public = await rendered_values(self._renderer, self.kind.definition.fields, content.fields)
        # No field stands in for a description: who may see it can change.
        told = seo.told(content.seo, type=self.kind.key, title=content.public_heading, excerpt="")
        return msgspec.structs.replace(public, fields={"seo": content.seo, **public.fields}, seo=told)

    async def _searched(self, content: EntryContent, fields: PublicFields) -> SearchText | None:
        if not self.kind.is_searched:
            return None
        title, texts = self.kind.definition.public_title, list[tuple[Weight, str]]()
        found = shapes.searched(self.kind.definition.fields, fields)
        for field, weight, text in found:
            if field is not title:
                texts.append((weight, await self._renderer.text(text) if isinstance(field, TEXTS) else text))
        name = content.fields.get(str(title.id)) if title else None
        return SearchText.of(str(name or content.slug), texts)

    async def _check(
        self, uow: UnitOfWork, document: Document[EntryContent], content: EntryContent, faults: Faults
    ) -> None:
        # A revision that is gone back to may be older than the type.
        for field in self.kind.definition.fields:
            value = content.fields.get(str(field.id))
            if value == document.draft.fields.get(str(field.id)):
                continue
            if field.required if value is None else not takes(field, value):
                faults.note(Fault(f"/{field.key}", "value", "The field does not take what this would say."))
        await super()._check(uow, document, content, faults)

    async def _check_unique(
        self, uow: UnitOfWork, content: EntryContent, *, locale: str, document: Document[EntryContent] | None
    ) -> None:
        for field in self.kind.definition.fields:
            value = content.fields.get(str(field.id))
            is_open = field.unique and str(field.id) in self.kind.unready and value is not None
            if not is_open or (document is not None and document.draft.fields.get(str(field.id)) == value):
                continue
            is_taken = await uow.repository(ModelledDocuments).is_taken(
                self.kind.key,
                str(field.id),
                value,
                locale=locale if field.localised else None,
                but=[document.translation_of or document.id, document.id] if document else [],
            )
            if is_taken:
                raise ValueTaken(field.key)

    async def translate(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, locale: str, *, expected: int | None
    ) -> EntryView:
        actor.require(policy.CREATE)
        await self._hold_all(uow, document_id)
        original = await self._of(uow, actor, document_id, policy.READ, expected)
        if original.trashed_at is not None:
            raise Trashed
        documents = uow.repository(DocumentRepository)
        root = original.translation_of or original.id
        if locale == original.locale:
            raise invalid("/locale", "locale", "The document itself is in this language.")
        slug = await documents.free_slug(self.kind, locale=locale, base=original.draft.slug, parent=None)
        copy, created = Document.create(
            self.kind,
            msgspec.structs.replace(original.draft, slug=slug),
            locale=locale,
            at=self._clock.now(),
            by=actor.user_id,
            stage=await self._stages.first_stage(uow, self.kind.key),
            translation_of=root,
        )
        await documents.add(copy)
        uow.record(created.by(actor))
        return self.view(actor, copy, None)

    async def _store(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document: Document[EntryContent],
        event: DocumentUpdated | DocumentReverted,
        *,
        restored_from: UUID | None = None,
    ) -> None:
        await super()._store(uow, actor, document, event, restored_from=restored_from)
        changed = set(event.changed) - self.kind.withheld(actor)
        fields = self.kind.definition.fields
        if shared := [field for field in fields if not field.localised and field.key in changed]:
            await self._share(uow, actor, document, shared)

    async def _of(
        self, uow: UnitOfWork, actor: Actor, document_id: UUID, permission: str, expected: int | None
    ) -> Document[EntryContent]:
        if permission == policy.EDIT:
            await self._hold_all(uow, document_id)
        return await super()._of(uow, actor, document_id, permission, expected)

    async def _hold_all(self, uow: UnitOfWork, document_id: UUID) -> None:
        """Lock a document and its translations, in the order of everybody.

        Two who change two translations, each of which changes the other, would wait in a circle. Where
        all fields are localised, none changes another.
        """
        if all(field.localised for field in self.kind.definition.fields):
            return
        if others := await uow.repository(TranslationRepository).others(document_id):
            # Before documents are: who changes a type locks them in this order.
            await self.hold(uow)
            await uow.repository(DocumentRepository).lock([document_id, *others])

    async def _share(
        self, uow: UnitOfWork, actor: Actor, document: Document[EntryContent], shared: Sequence[Field]
    ) -> None:
        """Have the translations of a document say the same in fields that were changed in it.

        Raises `Forbidden` where the actor may not edit one that would become another.
        """
        documents = uow.repository(DocumentRepository)
        for other in await uow.repository(TranslationRepository).others(document.id):
            translation = await documents.get(self.kind, other)
            if translation is None or translation.trashed_at or translation.archived_at:
                continue
            content = _taking(translation.draft, document.draft, shared)
            if not content.changed(translation.draft):
                continue
            try:
                await self._access.require(uow, actor, translation, policy.EDIT)
            except Forbidden:
                keys = "”, “".join(field.key for field in shared)
                raise Forbidden(f"Translations that you may not change share “{keys}”.") from None
            edited = translation.edit(content, at=document.updated_at, by=actor.user_id)
            if edited is not None:
                # It has nothing to share: all have the same from the document itself.
                await super()._store(uow, actor, translation, edited)

    async def follow(self, uow: UnitOfWork, actor: Actor, document_id: UUID) -> bool:
        documents = uow.repository(DocumentRepository)
        document = await documents.get(self.kind, document_id)
        if document is None:
            return False
        live = await documents.snapshot(self.kind, document_id) if document.is_live else None
        is_other = document.draft.hash() != document.draft_hash
        is_live_other = live is not None and live.content.hash() != live.hash
        was_same = document.draft_revision_id == document.live_revision_id
        if is_other or is_live_other:
            event = document.follow(live, at=self._clock.now(), by=actor.user_id)
            uow.record(event.by(actor))
        if is_other:
            await documents.add_revision(document, changed=())
        if live is not None and is_live_other and not was_same:
            await documents.add_revision(document.as_of(live.content), changed=())
        if is_other or is_live_other:
            await documents.save(document)
        if live is not None and (is_other or is_live_other or self.kind.is_searched):
            await self._put_live(uow, document, live.content)
        return is_other or is_live_other


def _taking(content: EntryContent, source: EntryContent, fields: Iterable[Field]) -> EntryContent:
    """``content`` with what ``source`` says in some fields, or says nothing in."""
    names = {str(field.id) for field in fields}
    own = {name: one for name, one in content.fields.items() if name not in names}
    taken = {name: one for name, one in source.fields.items() if name in names}
    return msgspec.structs.replace(content, fields={**own, **taken})

"""One import, from its first item to its last."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import msgspec

from cms_api.domains.cms.authors.interface import AuthorChanges
from cms_api.domains.cms.documents.content import Link, TargetKind
from cms_api.domains.cms.documents.errors import DocumentNotFound, HasChildren, Trashed
from cms_api.domains.cms.documents.interface import DocumentView
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, ReferenceRepository
from cms_api.domains.cms.documents.slugs import check_slug, is_numbered, make_slug
from cms_api.domains.cms.imports.comments import Comments
from cms_api.domains.cms.imports.menus import Menus
from cms_api.domains.cms.imports.ports import FetchError, Imported, ImportSources
from cms_api.domains.cms.imports.source import (
    SourceAttachment,
    SourceAuthor,
    SourceComment,
    SourceDocument,
    SourceFault,
    SourceItem,
    SourceMenu,
    SourceMenuItem,
    SourceOther,
    SourceTerm,
    SourceTermRef,
)
from cms_api.domains.cms.imports.steps import Outcome, Step, Tools, changed_here, digest_of
from cms_api.domains.cms.media.interface import MediaChanges
from cms_api.domains.cms.pages.interface import PageChanges
from cms_api.domains.cms.pages.service import PAGE
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.reader_comments.interface import SettingChanges
from cms_api.domains.cms.taxonomies.interface import TermChanges
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.errors import CmsError, Invalid, Stale
from cms_api.kernel.unit_of_work import UnitOfWork

# In place of an item's hash: it is not all here yet; it was here before there was an import.
UNFINISHED = b""
ADOPTED = b"adopted"
# Whether a document took comments there, as it is remembered.
COMMENT_SETTINGS = "comment_settings"
OPEN, CLOSED = b"open", b"closed"
OFFLINE_AFTER = 3
# What a document becomes here whose state there has no counterpart yet.
HELD_BACK = {
    "scheduled": "it was scheduled for {at}: kept as a draft",
    "pending": "it was waiting for review: kept as a draft",
    "private": "it was private: kept as a draft",
}
PROTECTED = "readers needed a password: kept as a draft, so that nobody reads it without"


class Run(Step):
    """One import. Four passes over the source, as items point at others that come later.

    ``prepare`` makes authors, terms and media, ``place`` the pages that others may hang below,
    ``finish`` all documents whole, ``attach`` what hangs on them, and ``complete`` what is left
    once everything was read: menus, which point at all of it.
    """

    def __init__(self, tools: Tools, *, fetch_files: bool) -> None:
        super().__init__(tools)
        self._comments = Comments(tools)
        self._menus = Menus(tools)
        self._fetch = fetch_files
        self._failures = 0

    # First pass

    async def prepare(self, item: SourceItem) -> None:
        """Authors, terms, media; the count of all that is broken or has no place; menus are held."""
        match item:
            case SourceAuthor():
                self.report.of("author").read += 1
                await self._guarded("author", f"author {item.key}", lambda uow: self._author(uow, item))
            case SourceTerm():
                self.report.of(item.taxonomy).read += 1
                await self._guarded(item.taxonomy, f"{item.key}", lambda uow: self._term(uow, item))
            case SourceAttachment():
                self.report.of("media").read += 1
                await self._guarded("media", f"attachment {item.key}", lambda uow: self._file(uow, item))
                if self._fetch:
                    await self._fetch_file(item)
            case SourceDocument():
                self.report.of(item.type).read += 1
            case SourceMenu() | SourceMenuItem():
                self._menus.gather(item)
            case SourceOther():
                self.report.unplaced[item.kind] += 1
            case SourceFault():
                self.report.of("broken").read += 1
                self.report.of("broken").skipped += 1
                self.report.note(item.where, item.reason)

    async def _author(self, uow: UnitOfWork, item: SourceAuthor) -> Outcome:
        known, digest = await self._known(uow, "author", item.key), digest_of(item)
        if known is not None:
            return "unchanged"  # a byline that is here belongs to those who are here
        users = await self._do.users.find_by_emails(uow, [item.email] if item.email else [])
        user = users.get(item.email or "")
        if user is not None:
            author_id = await self._do.authors.of_user(uow, user.id)
        else:
            changes = AuthorChanges(name=item.name or item.key)
            author_id = (await self._do.authors.create(uow, SYSTEM, changes)).id
        await self._remember(uow, "author", item.key, Imported(author_id, digest, 1))
        return "created"

    async def _term(self, uow: UnitOfWork, item: SourceTerm | SourceTermRef) -> Outcome:
        if await self._known(uow, item.taxonomy, item.key) is not None:
            return "unchanged"
        slug = _slug(item.slug, item.name)
        there = await uow.repository(TermRepository).find(item.taxonomy, slug)
        outcome: Outcome
        if there is not None:
            term_id, digest, outcome = there.id, ADOPTED, "unchanged"
        else:
            changes = TermChanges(
                name=item.name or slug, slug=slug, description=getattr(item, "description", "")
            )
            term_id = (await self._do.terms.create(uow, SYSTEM, item.taxonomy, changes)).id
            digest, outcome = UNFINISHED, "created"
        await self._remember(uow, item.taxonomy, item.key, Imported(term_id, digest, 1))
        return outcome

    async def _file(self, uow: UnitOfWork, item: SourceAttachment) -> Outcome:
        if await self._known(uow, "media", item.key) is not None:
            return "unchanged"
        name = PurePosixPath(unquote(urlsplit(item.url).path)).name or "file"
        changes = MediaChanges(title=item.title, alt=item.alt, caption=item.caption)
        asset = await self._do.media.register(
            uow, SYSTEM, filename=name, source_url=item.url, changes=changes
        )
        await self._remember(uow, "media", item.key, Imported(asset.id, digest_of(item), asset.version))
        return "created"

    async def _fetch_file(self, item: SourceAttachment) -> None:
        if self._failures >= OFFLINE_AFTER:
            self.report.unplaced["file not fetched (network away)"] += 1
            return
        try:
            async with self._new_uow() as uow:
                known = await self._known(uow, "media", item.key)
            if known is None or not await self._is_missing(known.target_id):
                return
            async with self._do.fetcher.fetch(item.url) as chunks, self._new_uow() as uow:
                await self._do.media.attach(uow, SYSTEM, known.target_id, chunks)
            self._failures = 0
        except FetchError as error:
            self._failures += error.offline
            self.report.unplaced["file not fetched"] += 1
            self.report.note(f"attachment {item.key}", f"the file stays at {item.url}: {error}")
        except CmsError as error:
            self.report.unplaced["file not fetched"] += 1
            self.report.note(f"attachment {item.key}", f"the file stays at {item.url}: {error.detail}")

    async def _is_missing(self, media_id: UUID) -> bool:
        return (await self._do.media.get(SYSTEM, media_id)).size is None

    # Second pass

    async def place(self, item: SourceItem) -> None:
        """Categories below their parents; pages, still empty, for others to hang below."""
        match item:
            case SourceTerm(parent_slug=str()):
                try:
                    async with self._new_uow() as uow:
                        await self._nest(uow, item)
                except CmsError as error:
                    self.report.note(item.key, f"left at the top: {error.detail}")
            case SourceDocument(type="page"):
                try:
                    async with self._new_uow() as uow:
                        if await self._known(uow, "page", item.key) is None:
                            slug = await uow.repository(DocumentRepository).free_slug(
                                PAGE,
                                locale=self._do.default_locale,
                                base=make_slug(f"import-{item.key}"),
                                parent=None,
                            )
                            await self._create(
                                uow, item, PageChanges(title=item.title, slug=slug, authors=())
                            )
                except CmsError:
                    return  # the third pass meets the same and tells of it

    async def _nest(self, uow: UnitOfWork, item: SourceTerm) -> None:
        parent_key = f"{item.taxonomy}:{item.parent_slug}"
        keys = [item.key, parent_key]
        known = await uow.repository(ImportSources).find(self._source, item.taxonomy, keys)
        term = known.get(item.key)
        if term is None or term.hash != UNFINISHED:
            return
        if parent_key not in known:
            self.report.note(item.key, f"left at the top: its parent “{item.parent_slug}” is not in the file")
            return
        await self._do.terms.update(
            uow,
            SYSTEM,
            item.taxonomy,
            term.target_id,
            TermChanges(parent_id=known[parent_key].target_id),
            expected=None,
        )
        await self._remember(uow, item.taxonomy, item.key, Imported(term.target_id, digest_of(item), 2))

    async def _create(
        self, uow: UnitOfWork, item: SourceDocument, changes: PostChanges | PageChanges
    ) -> DocumentView:
        created_at = item.created_at or item.published_at
        document: DocumentView
        if isinstance(changes, PageChanges):
            document = await self._do.pages.create(uow, SYSTEM, changes, created_at=created_at)
        else:
            document = await self._do.posts.create(uow, SYSTEM, changes, created_at=created_at)
        # Whatever stops the import now, the next one finishes it.
        await self._remember(uow, item.type, item.key, Imported(document.id, UNFINISHED, document.version))
        return document

    # Third pass

    async def finish(self, item: SourceItem) -> None:
        """Documents, with all that they say and point at."""
        if isinstance(item, SourceDocument):
            what = f"{item.type} {item.key} “{item.title[:60]}”"
            for ref in item.terms:
                await self._mentioned(ref, what)
            await self._guarded(item.type, what, lambda uow: self._document(uow, item, what))

    async def _mentioned(self, ref: SourceTermRef, what: str) -> None:
        """Make a term that is mentioned by a document only."""
        try:
            async with self._new_uow() as uow:
                outcome = await self._term(uow, ref)
        except CmsError as error:
            self.report.note(what, f"its {ref.taxonomy} “{ref.slug}” can't be made: {error.detail}")
            return
        if outcome == "created":
            self.report.of(ref.taxonomy).read += 1
            self.report.of(ref.taxonomy).created += 1

    async def _document(self, uow: UnitOfWork, item: SourceDocument, what: str) -> Outcome:
        # Whether it takes comments is not what it says, and is remembered by itself.
        digest = digest_of(msgspec.structs.replace(item, takes_comments=None))
        known = await self._known(uow, item.type, item.key)
        if known is not None and known.hash == digest:
            await self._set_comments(uow, item, known.target_id)
            return "unchanged"
        service: Any = self._do.posts if item.type == "post" else self._do.pages
        kind: Any = POST if item.type == "post" else PAGE
        await service.hold_addresses(uow)
        documents = uow.repository(DocumentRepository)
        current = None if known is None else await documents.get(kind, known.target_id)
        if known is not None:
            if current is None:
                raise DocumentNotFound
            if current.version != known.version:
                raise changed_here()
            if current.trashed_at is not None:
                await service.restore(uow, SYSTEM, current.id, expected=None)
        values = await self._values(uow, item, what)
        finished = None if known is None or known.hash == UNFINISHED else current
        slug = await self._free_slug(documents, kind, item, values.get("parent"), finished)
        changes = (PostChanges if item.type == "post" else PageChanges)(slug=slug, **values)
        if known is None:
            document = await self._create(uow, item, changes)
        else:
            document = await service.update(uow, SYSTEM, known.target_id, changes, expected=None)
        await self._set_comments(uow, item, document.id)
        document = await self._set_status(uow, service, item, document, what)
        await self._remember(uow, item.type, item.key, Imported(document.id, digest, document.version))
        return "created" if known is None or known.hash == UNFINISHED else "updated"

    async def _set_comments(self, uow: UnitOfWork, item: SourceDocument, document_id: UUID) -> None:
        """Close the comments of a document as they were there, or leave them to the rules again.

        Open is what documents are there without anybody having said so, so that it says nothing
        against the rules here. What was decided here since the last import stays.
        """
        if item.takes_comments is None:
            return
        now = OPEN if item.takes_comments else CLOSED
        known = await self._known(uow, COMMENT_SETTINGS, item.key)
        if now == (OPEN if known is None else known.hash):
            return
        changes = SettingChanges(is_open=None if item.takes_comments else False)
        expected = 1 if known is None else known.version
        try:
            settings = await self._do.comment_rules.change_settings(
                uow, SYSTEM, item.type, document_id, changes, expected=expected
            )
        except (DocumentNotFound, Trashed, Stale):
            return
        imported = Imported(document_id, now, settings.version)
        await self._remember(uow, COMMENT_SETTINGS, item.key, imported)

    async def _free_slug(
        self,
        documents: DocumentRepository,
        kind: Any,
        item: SourceDocument,
        parent: UUID | None,
        current: Document[Any] | None,
    ) -> str:
        """The slug as it was there, numbered where another has it; a number that it got before stays."""
        base = _slug(item.slug, item.title)
        stays = current is not None and getattr(current.draft, "parent", None) == parent
        have = current.draft.slug if current is not None and stays else None
        if have == base:
            return base
        free = await documents.free_slug(kind, locale=self._do.default_locale, base=base, parent=parent)
        return have if have is not None and free != base and is_numbered(have, base) else free

    async def _set_status(
        self, uow: UnitOfWork, service: Any, item: SourceDocument, document: DocumentView, what: str
    ) -> DocumentView:
        if item.status == "published" and not item.password:
            published: DocumentView = await service.publish(
                uow, SYSTEM, document.id, expected=None, published_at=item.published_at
            )
            return published
        if item.password:
            self.report.note(what, PROTECTED)
        elif item.status in HELD_BACK:
            self.report.note(what, HELD_BACK[item.status].format(at=item.published_at))
        if document.status == "published":
            document = await service.unpublish(uow, SYSTEM, document.id, expected=None)
        if item.status == "trashed":
            try:
                await service.trash(uow, SYSTEM, document.id, expected=None)
            except HasChildren:
                self.report.note(what, "it was in the trash, but others hang below it: kept as a draft")
                return document
            document = msgspec.structs.replace(document, version=document.version + 1)
        return document

    # Fourth pass, and what comes after it

    async def attach(self, item: SourceItem) -> None:
        """Comments, below documents and one another."""
        match item:
            case SourceComment():
                await self._comments.take(item)
            case SourceTerm():
                self._menus.meet(item)

    async def complete(self) -> None:
        """What had to wait for the end: replies without what they reply to, and menus."""
        await self._comments.settle()
        await self._menus.complete()

    async def _values(self, uow: UnitOfWork, item: SourceDocument, what: str) -> dict[str, Any]:
        """The content, with what it points at found here; what is not here is left out and noted."""
        values: dict[str, Any] = {
            "title": item.title,
            "body": item.body,
            "excerpt": item.excerpt,
            "format": "html",
            "authors": await self._targets(uow, "author", [item.author_key] if item.author_key else [], what),
        }
        cover = await self._targets(uow, "media", [item.cover_key] if item.cover_key else [], what)
        values["cover"] = cover[0] if cover else None
        if item.type == "page":
            parent = await self._targets(
                uow, "document", [item.parent_key] if item.parent_key else [], what, kind="page"
            )
            return values | {"parent": parent[0] if parent else None, "menu_order": item.menu_order}
        for taxonomy, field in (("category", "categories"), ("tag", "tags")):
            keys = [ref.key for ref in item.terms if ref.taxonomy == taxonomy]
            values[field] = await self._targets(uow, taxonomy, keys, what)  # type: ignore[arg-type]
        return values | {"is_sticky": item.is_sticky}

    async def _targets(
        self, uow: UnitOfWork, target: TargetKind, keys: list[str], what: str, *, kind: str | None = None
    ) -> tuple[UUID, ...]:
        if not keys:
            return ()
        known = await uow.repository(ImportSources).find(self._source, kind or target, keys)
        links = {
            key: Link(target, 0, target, known[key].target_id) for key in dict.fromkeys(keys) if key in known
        }
        there = await uow.repository(ReferenceRepository).existing(links.values())
        for key in dict.fromkeys(keys):
            if key not in links or links[key] not in there:
                self.report.note(what, f"its {kind or target} “{key}” is not there: left out")
        return tuple(dict.fromkeys(link.target for link in links.values() if link in there))


def _slug(given: str | None, title: str) -> str:
    """The slug as it was there if it can be one here, else one made of the title."""
    if given:
        try:
            return check_slug(given)
        except Invalid:
            return make_slug(given)
    return make_slug(title)

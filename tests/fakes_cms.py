"""The cms domain's ports without a database, a disk or a network."""

import copy
import hashlib
import html
import re
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Self, TypeVar, cast
from uuid import UUID, uuid4

import msgspec
from tests import (
    fakes_comments,
    fakes_locks,
    fakes_menus,
    fakes_previews,
    fakes_readers,
    fakes_redirects,
    fakes_search,
    fakes_site,
    fakes_tree,
)
from tests.fakes import FakeUnitOfWork, FixedClock
from tests.fakes_references import effects_of
from tests.fakes_revisions import FakeRetention, FakeRetentionQueries, FakeRevisionQueries, FakeRevisions
from tests.fakes_types import FixedTypes
from tests.fakes_workflow import FakeTasks, FakeWorkflows, default_workflows

from cms_api.domains.auth.api import UserService, UserSummary, UserView
from cms_api.domains.cms.authors.errors import UserHasAuthor
from cms_api.domains.cms.authors.interface import AuthorView
from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorQueries, AuthorRepository
from cms_api.domains.cms.authors.service import Authors
from cms_api.domains.cms.authors.service import view as author_view
from cms_api.domains.cms.comments.model import EditorialComment
from cms_api.domains.cms.comments.ports import CommentRepository
from cms_api.domains.cms.comments.service import Comments
from cms_api.domains.cms.content_types.ports import AddressRepository
from cms_api.domains.cms.documents.access import Access
from cms_api.domains.cms.documents.content import Content, Format, Link, PostContent
from cms_api.domains.cms.documents.deleting import Deletions
from cms_api.domains.cms.documents.engine import status_of
from cms_api.domains.cms.documents.errors import AddressTaken, HasChildren, InUse, SlugTaken
from cms_api.domains.cms.documents.model import ContentType, Document, Snapshot
from cms_api.domains.cms.documents.ports import (
    DocumentQueries,
    DocumentRepository,
    PublicationRepository,
    ReferenceRepository,
    Renderer,
)
from cms_api.domains.cms.documents.references import Effects, FieldOf, Mode
from cms_api.domains.cms.documents.rendering import (
    RENDERING_VERSION,
    OtherFormat,
    Public,
    PublicFields,
    Rendered,
)
from cms_api.domains.cms.documents.slugs import make_slug, numbered
from cms_api.domains.cms.entries.content import EntryContent
from cms_api.domains.cms.former_slugs import FormerSlugRepository
from cms_api.domains.cms.former_slugs import Kind as SlugKind
from cms_api.domains.cms.imports.ports import Fetcher, FetchError, Imported, ImportSources
from cms_api.domains.cms.imports.service import Imports
from cms_api.domains.cms.imports.source import ContentSource, SourceError, SourceItem
from cms_api.domains.cms.locks.held import LocksNow
from cms_api.domains.cms.locks.model import EditLock, Presence
from cms_api.domains.cms.locks.service import Locks, Presences
from cms_api.domains.cms.media.interface import MediaView
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import Found, MediaQueries, MediaRepository, Storage, Stored
from cms_api.domains.cms.media.service import Media
from cms_api.domains.cms.media.service import view as media_view
from cms_api.domains.cms.menus.model import Menu
from cms_api.domains.cms.menus.ports import MenuRepository
from cms_api.domains.cms.menus.service import Menus
from cms_api.domains.cms.pages.ports import TreeRepository
from cms_api.domains.cms.pages.service import Pages, PageTree
from cms_api.domains.cms.posts.service import Posts
from cms_api.domains.cms.previews.model import Preview
from cms_api.domains.cms.previews.ports import PreviewRepository, PreviewStage
from cms_api.domains.cms.previews.service import Previews
from cms_api.domains.cms.previews.tokens import PreviewTokens
from cms_api.domains.cms.reader_comments.configuring import CommentConfiguration
from cms_api.domains.cms.reader_comments.importing import CommentImports
from cms_api.domains.cms.reader_comments.model import ReaderComment
from cms_api.domains.cms.reader_comments.rules import DEFAULTS, DocumentSettings, ReaderCommentRules
from cms_api.domains.cms.redirects.model import Redirect
from cms_api.domains.cms.redirects.ports import RedirectRepository
from cms_api.domains.cms.redirects.service import Redirects
from cms_api.domains.cms.resources import Resource
from cms_api.domains.cms.retention.interface import RetentionPolicy
from cms_api.domains.cms.retention.ports import RetentionRepository
from cms_api.domains.cms.retention.service import Retention
from cms_api.domains.cms.revisions.ports import RevisionRepository
from cms_api.domains.cms.revisions.service import Revisions
from cms_api.domains.cms.schedules.model import Schedule
from cms_api.domains.cms.schedules.ports import ScheduleRepository
from cms_api.domains.cms.search.ports import SearchIndex
from cms_api.domains.cms.search.text import SearchText
from cms_api.domains.cms.site.interface import SiteSettings
from cms_api.domains.cms.site.service import Site
from cms_api.domains.cms.taxonomies.interface import TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy, Term
from cms_api.domains.cms.taxonomies.ports import TermQueries, TermRepository
from cms_api.domains.cms.taxonomies.service import Terms
from cms_api.domains.cms.taxonomies.service import view as term_view
from cms_api.domains.cms.workflow.model import Workflow
from cms_api.domains.cms.workflow.ports import Task, TaskRepository, WorkflowRepository
from cms_api.domains.cms.workflow.stages import WorkflowStages
from cms_api.kernel.errors import Malformed, TooLarge, UnsupportedMedia, invalid
from cms_api.kernel.events import Event
from cms_api.querying import Page, PageRequest
from cms_api.querying.evaluating import cut, holds, several

C = TypeVar("C", bound=Content)
R = TypeVar("R", bound=Resource)
T = TypeVar("T")
V = TypeVar("V")

MAX_PATH = 2_000


class StoredRevision(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of a document's draft."""

    document: UUID
    document_version: int
    content: Content
    changed: tuple[str, ...]
    restored_from: UUID | None
    at: datetime
    by: UUID | None
    version: int = 1
    label: str | None = None
    is_pinned: bool = False
    published_at: datetime | None = None


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A live copy."""

    type: str
    locale: str
    path: str
    content: Content
    fields: PublicFields
    others: Mapping[OtherFormat, PublicFields]
    rendering_version: int
    version: int
    published_at: datetime
    first_published_at: datetime
    updated_at: datetime

    @property
    def parent(self) -> UUID | None:
        return getattr(self.content, "parent", None)


POLICIES = [
    RetentionPolicy(
        type=key,
        max_revisions=1000,
        max_revision_days=365,
        max_trash_days=30,
        version=1,
        updated_at=FixedClock().now(),
        updated_by=None,
    )
    for key in ("page", "post")
]


@dataclass
class Store:
    """What a database would hold. Rows are replaced, never changed, so that shallow copies are enough."""

    documents: dict[UUID, Document[Any]] = field(default_factory=dict)
    paths: dict[UUID, str] = field(default_factory=dict)
    revisions: dict[UUID, StoredRevision] = field(default_factory=dict)
    links: dict[tuple[UUID, bool], tuple[Link, ...]] = field(default_factory=dict)
    publications: dict[UUID, Publication] = field(default_factory=dict)
    authors: dict[UUID, Author] = field(default_factory=dict)
    terms: dict[UUID, Term] = field(default_factory=dict)
    former_slugs: dict[tuple[str, str], UUID] = field(default_factory=dict)
    media: dict[UUID, Asset] = field(default_factory=dict)
    imported: dict[tuple[str, str, str], Imported] = field(default_factory=dict)
    locks: dict[UUID, EditLock] = field(default_factory=dict)
    presences: dict[tuple[UUID, UUID], Presence] = field(default_factory=dict)
    comments: dict[UUID, EditorialComment] = field(default_factory=dict)
    schedules: dict[UUID, Schedule] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    policies: dict[str, RetentionPolicy] = field(default_factory=lambda: {one.type: one for one in POLICIES})
    workflows: dict[str, Workflow] = field(default_factory=lambda: default_workflows(FixedClock().now()))
    tasks: dict[UUID, Task] = field(default_factory=dict)
    reader_comments: dict[UUID, ReaderComment] = field(default_factory=dict)
    comment_settings: dict[UUID, DocumentSettings] = field(default_factory=dict)
    comment_rates: dict[bytes, datetime] = field(default_factory=dict)
    comment_rules: ReaderCommentRules = DEFAULTS
    redirects: dict[UUID, Redirect] = field(default_factory=dict)
    menus: dict[UUID, Menu] = field(default_factory=dict)
    previews: dict[UUID, Preview] = field(default_factory=dict)
    site: SiteSettings = fakes_site.FIRST
    searched: dict[UUID, SearchText] = field(default_factory=dict)
    search_queue: tuple[UUID, ...] = ()
    search_words: frozenset[tuple[str, str]] = frozenset()
    # What drafts are found and called by, where their type changed since they were saved.
    read_fields: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    titles: dict[UUID, str] = field(default_factory=dict)
    live_titles: dict[UUID, str] = field(default_factory=dict)

    def copied(self) -> dict[str, Any]:
        return {name: copy.copy(value) for name, value in vars(self).items()}

    def take_back(self, before: dict[str, Any]) -> None:
        vars(self).update(before)


class CmsUnitOfWork(FakeUnitOfWork):
    """A unit of work on a store that takes everything back when it is rolled back."""

    def __init__(self, store: Store, more: Mapping[type, object] | None = None) -> None:
        super().__init__({**repositories(store), **(more or {})})
        self._store = store
        self._before: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self._before = self._kept()
        return await super().__aenter__()

    def _kept(self) -> dict[str, Any]:
        return self._store.copied()

    def _take_back(self, before: dict[str, Any]) -> None:
        self._store.take_back(before)

    async def __aexit__(self, *raised: Any) -> None:  # noqa: PYI036 - handed on as they are
        await super().__aexit__(*raised)
        if self.rolled_back:
            self._store.take_back(self._before)
        else:
            self._store.events.extend(self.events)


def repositories(store: Store) -> dict[type, object]:
    # Those modules know this one.
    from tests.fakes_content_types import TypeStore  # noqa: PLC0415
    from tests.fakes_modelling import FakeAddresses  # noqa: PLC0415
    from tests.fakes_schedules import FakeSchedules  # noqa: PLC0415

    return {
        ScheduleRepository: FakeSchedules(store),
        DocumentRepository: FakeDocuments(store),
        PublicationRepository: FakePublications(store),
        AddressRepository: FakeAddresses(store, TypeStore()),
        ReferenceRepository: FakeReferences(store),
        AuthorRepository: FakeAuthors(store),
        TermRepository: FakeTerms(store),
        FormerSlugRepository: FakeFormerSlugs(store),
        MediaRepository: FakeMedia(store),
        ImportSources: FakeImportSources(store),
        RevisionRepository: FakeRevisions(store),
        RetentionRepository: FakeRetention(store),
        **fakes_locks.repositories(store),
        CommentRepository: fakes_comments.FakeComments(store),
        WorkflowRepository: FakeWorkflows(store),
        TaskRepository: FakeTasks(store),
        **fakes_readers.repositories(store),
        RedirectRepository: fakes_redirects.FakeRedirects(store),
        PreviewRepository: fakes_previews.FakePreviews(store),
        PreviewStage: fakes_previews.FakePreviewStage(),
        SearchIndex: fakes_search.FakeSearchIndex(store),
        TreeRepository: fakes_tree.FakeTree(store),
        MenuRepository: fakes_menus.FakeMenus(store),
        **fakes_site.repositories(store),
    }


def first_free(base: str, taken: Collection[str]) -> str:
    number = 1
    while (slug := numbered(base, number)) in taken:
        number += 1
    return slug


class FakeDocuments(DocumentRepository):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        return loaded(self._store, kind, document_id)

    async def lock(self, ids: Collection[UUID]) -> None:
        """One unit of work at a time runs here."""

    async def add(self, document: Document[C]) -> None:
        self._put(document)
        await self.add_revision(document, changed=())

    async def save(self, document: Document[C]) -> None:
        self._put(document)
        self._move_drafts_below(document.id, document.draft.slug)

    def _put(self, document: Document[C]) -> None:
        draft = document.draft
        path = self._path(draft.slug, getattr(draft, "parent", None))
        self._store.documents[document.id] = copy.copy(document)
        self._store.paths[document.id] = path
        self._store.read_fields.pop(document.id, None)
        self._store.titles.pop(document.id, None)
        self._check_path(document.id, draft.slug)
        self._store.links[document.id, False] = tuple(draft.links())

    def _path(self, slug: str, parent: UUID | None) -> str:
        if parent is None:
            return slug
        path = f"{self._store.paths[parent]}/{slug}"
        if len(path) > MAX_PATH:
            raise invalid("/parent", "too_deep", f"An address has at most {MAX_PATH} characters.")
        return path

    def _check_path(self, document_id: UUID, slug: str) -> None:
        def place(one: UUID) -> tuple[str, str, str]:
            document = self._store.documents[one]
            return document.type, document.locale, self._store.paths[one]

        documents = self._store.documents
        if documents[document_id].trashed_at is not None:
            return
        if any(
            other != document_id and row.trashed_at is None and place(other) == place(document_id)
            for other, row in documents.items()
        ):
            raise SlugTaken(slug)

    def _move_drafts_below(self, document_id: UUID, slug: str) -> None:
        for child, row in self._store.documents.items():
            if getattr(row.draft, "parent", None) == document_id:
                self._store.paths[child] = self._path(row.draft.slug, document_id)
                self._check_path(child, slug)
                self._move_drafts_below(child, slug)

    async def add_revision(
        self, document: Document[C], *, changed: tuple[str, ...], restored_from: UUID | None = None
    ) -> None:
        self._store.revisions[document.draft_revision_id] = StoredRevision(
            document=document.id,
            document_version=document.version,
            content=document.draft,
            changed=changed,
            restored_from=restored_from,
            at=document.updated_at,
            by=document.updated_by,
        )

    async def snapshot(
        self, kind: ContentType[C], document_id: UUID, revision_id: UUID | None = None
    ) -> Snapshot[C] | None:
        del kind
        document = self._store.documents.get(document_id)
        wanted = revision_id or (document.live_revision_id if document else None)
        found = self._store.revisions.get(wanted) if wanted else None
        if wanted is None or found is None or found.document != document_id:
            return None
        content = cast("C", found.content)
        return Snapshot(wanted, content, content.hash(), found.published_at)

    async def free_slug(self, kind: ContentType[C], *, locale: str, base: str, parent: UUID | None) -> str:
        return first_free(
            base,
            {
                row.draft.slug
                for row in self._store.documents.values()
                if (row.type, row.locale, row.trashed_at) == (kind.key, locale, None)
                and getattr(row.draft, "parent", None) == parent
            },
        )

    async def delete(self, *ids: UUID) -> None:
        store = self._store
        for one in ids:
            del store.documents[one], store.paths[one]
            store.publications.pop(one, None)
        store.revisions = {key: row for key, row in store.revisions.items() if row.document not in ids}
        store.links = {key: links for key, links in store.links.items() if key[0] not in ids}
        store.redirects = {key: row for key, row in store.redirects.items() if row.document_id not in ids}
        for one in ids:
            fakes_menus.forget(store, one)
            fakes_site.forget(store, one)


class FakePublications(PublicationRepository):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def put_live(self, document: Document[C], content: C, public: Public) -> None:
        if document.published_at is None or document.first_published_at is None:
            raise LookupError("Only a published document has a live copy.")
        if (live := document.live_revision_id) is not None:
            revision = self._store.revisions[live]
            at = revision.published_at or document.updated_at
            self._store.revisions[live] = msgspec.structs.replace(revision, published_at=at)
        self._store.live_titles.pop(document.id, None)
        before, paths = self._store.publications.get(document.id), fakes_redirects.live_paths(self._store)
        self._store.publications[document.id] = Publication(
            type=document.type,
            locale=document.locale,
            path=self._address(content)
            or self._live_path(document.id, content.slug, getattr(content, "parent", None)),
            content=content,
            fields=public.fields,
            others=public.others,
            rendering_version=RENDERING_VERSION,
            version=document.version,
            published_at=document.published_at,
            first_published_at=before.first_published_at if before else document.first_published_at,
            updated_at=document.updated_at,
        )
        self._check_live(document.id, content.slug)
        self._move_live_below(document.id, self._store.publications[document.id].path, content.slug)
        fakes_redirects.lead_on(self._store, document, paths)
        self._store.links[document.id, True] = tuple(content.links())

    async def put_rendered(self, document_id: UUID, public: Public) -> None:
        if (live := self._store.publications.get(document_id)) is not None:
            self._store.publications[document_id] = msgspec.structs.replace(
                live, fields=public.fields, others=public.others, rendering_version=RENDERING_VERSION
            )

    async def outdated(self, after: UUID | None, limit: int) -> list[tuple[UUID, str]]:
        found = sorted(
            (one, live.type)
            for one, live in self._store.publications.items()
            if live.rendering_version < RENDERING_VERSION and (after is None or one > after)
        )
        return found[:limit]

    def _address(self, content: Content) -> str | None:
        if isinstance(content, PostContent):
            return self._store.site.paths.post.removeprefix("/").replace("{slug}", content.slug)
        return content.definition.address(content.slug) if isinstance(content, EntryContent) else None

    def _live_path(self, document_id: UUID, slug: str, parent: UUID | None) -> str:
        seen = {document_id}
        while parent is not None:
            if parent in seen:
                raise invalid("/parent", "cycle", "The live copy of a page above hangs below this one.")
            seen.add(parent)
            live = self._store.publications.get(parent)
            above: Content = live.content if live else self._store.documents[parent].draft
            slug, parent = f"{above.slug}/{slug}", getattr(above, "parent", None)
        return slug

    def _check_live(self, document_id: UUID, slug: str) -> None:
        live = self._store.publications
        mine = live[document_id]
        for other, row in live.items():
            is_rival = row.type == mine.type or (_is_alone(row) and _is_alone(mine))
            if other != document_id and is_rival and (row.locale, row.path) == (mine.locale, mine.path):
                raise AddressTaken(slug)

    def _move_live_below(self, document_id: UUID, above: str, slug: str) -> None:
        live = self._store.publications
        for child, row in list(live.items()):
            if row.parent == document_id:
                path = f"{above}/{row.content.slug}"
                if len(path) > MAX_PATH:
                    raise invalid("/parent", "too_deep", f"An address has at most {MAX_PATH} characters.")
                live[child] = msgspec.structs.replace(row, path=path)
                self._check_live(child, slug)
                self._move_live_below(child, path, slug)
        for child, document in self._store.documents.items():
            parent = getattr(document.draft, "parent", None)
            if child not in live and parent == document_id and document.trashed_at is None:
                self._move_live_below(child, f"{above}/{document.draft.slug}", slug)

    async def take_down(self, document_id: UUID) -> None:
        self._store.publications.pop(document_id, None)
        self._store.links.pop((document_id, True), None)


def _is_alone(row: Publication) -> bool:
    """Whether nothing else may be where it is; a page and a post may share a path."""
    return row.type != "post" and fakes_redirects.has_address(row.type, row.content)


class FakeReferences(ReferenceRepository):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def existing(self, links: Iterable[Link]) -> frozenset[Link]:
        return frozenset(link for link in links if self._is_there(link))

    def _is_there(self, link: Link) -> bool:
        store = self._store
        match link.kind:
            case "author":
                return link.target in store.authors
            case "media":
                return link.target in store.media
            case "document":
                row = store.documents.get(link.target)
                is_fit = not link.types or (row is not None and row.type in link.types)
                return row is not None and is_fit and row.trashed_at is None
            case taxonomy:
                term = store.terms.get(link.target)
                return term is not None and term.taxonomy == taxonomy

    async def is_below(self, document_id: UUID, ancestor: UUID) -> bool:
        at: UUID | None = document_id
        while at is not None and at != ancestor:
            row = self._store.documents.get(at)
            at = getattr(row.draft, "parent", None) if row else None
        return at is not None

    async def children(self, document_id: UUID) -> int:
        drafts = {
            one
            for one, row in self._store.documents.items()
            if getattr(row.draft, "parent", None) == document_id and row.trashed_at is None
        }
        live = {one for one, row in self._store.publications.items() if row.parent == document_id}
        return len(drafts | live)

    async def lock_tree(self) -> None:
        """One unit of work at a time runs here."""

    async def effects(
        self, target: UUID, mode: Mode, *, limit: int, withheld: Collection[FieldOf] = ()
    ) -> Effects:
        return effects_of(self._store, target, mode, limit=limit, withheld=withheld)


def loaded(store: Store, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
    """The document as it is stored, with the hash of its live revision."""
    row = store.documents.get(document_id)
    if row is None or row.type != kind.key:
        return None
    found = copy.copy(row)
    live = found.live_revision_id
    found.live_hash = None if live is None else store.revisions[live].content.hash()
    found.is_scheduled = any(
        (row.document_id, row.state, row.action) == (document_id, "pending", "publish")
        for row in store.schedules.values()
    )
    found.draft_hash = store.revisions[found.draft_revision_id].content.hash()
    return found


class FakeDocumentQueries(DocumentQueries):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        return loaded(self._store, kind, document_id)

    async def list(self, kind: ContentType[C], page: PageRequest) -> Page[Document[C]]:
        return await self.several([kind], page)

    async def several(self, kinds: Sequence[ContentType[Any]], page: PageRequest) -> Page[Document[Any]]:
        rows = [
            found
            for one in self._store.documents
            for kind in kinds
            if (found := loaded(self._store, kind, one)) is not None
        ]
        return page_of(rows, page, self._field, lambda row: row)

    def _field(self, row: Document[Any], name: str) -> object:
        links = self._store.links.get((row.id, False), ())
        targets = {"author": "authors", "tags": "tags", "categories": "categories"}
        head, _, tail = name.partition(".")
        if head in targets:
            found = tuple(link.target for link in links if link.field == targets[head])
            named = self._store.authors if head == "author" else self._store.terms
            return tuple(named[one].slug for one in found) if tail else found
        computed: dict[str, Callable[[], object]] = {
            "status": lambda: status_of(row),
            "trashed": lambda: row.trashed_at is not None,
            "path": lambda: self._store.paths[row.id],
            "q": lambda: tuple(text for _, text in row.draft.texts()),
        }
        if name in computed:
            return computed[name]()
        return getattr(row.draft if name in ("title", "slug", "parent") else row, name)

    async def paths(self, ids: Collection[UUID]) -> dict[UUID, str]:
        return {one: self._store.paths[one] for one in ids if one in self._store.paths}


class FakeAuthors(AuthorRepository):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, author_id: UUID) -> Author | None:
        return copy.copy(self._store.authors.get(author_id))

    async def of_user(self, user_id: UUID) -> Author | None:
        return copy.copy(next((a for a in self._store.authors.values() if a.user_id == user_id), None))

    async def user_ids(self, ids: Collection[UUID]) -> frozenset[UUID]:
        found = (self._store.authors[one].user_id for one in ids if one in self._store.authors)
        return frozenset(user for user in found if user is not None)

    async def add(self, author: Author) -> None:
        for other in self._store.authors.values():
            if other.id != author.id and other.slug == author.slug:
                raise SlugTaken(author.slug)
            if other.id != author.id and author.user_id is not None and other.user_id == author.user_id:
                raise UserHasAuthor
        if author.avatar_id is not None and author.avatar_id not in self._store.media:
            raise invalid("/avatar_id", "unknown_reference", "There is no file with this id.")
        self._store.authors[author.id] = copy.copy(author)

    async def save(self, author: Author) -> None:
        await self.add(author)

    async def delete(self, author: Author) -> None:
        del self._store.authors[author.id]
        forget_slugs(self._store, author.id)

    async def free_slug(self, base: str) -> str:
        return first_free(base, {author.slug for author in self._store.authors.values()})


class FakeTerms(TermRepository):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, taxonomy: Taxonomy, term_id: UUID) -> Term | None:
        term = self._store.terms.get(term_id)
        return copy.copy(term) if term is not None and term.taxonomy == taxonomy else None

    async def find(self, taxonomy: Taxonomy, slug: str) -> Term | None:
        rows = self._store.terms.values()
        return copy.copy(next((t for t in rows if (t.taxonomy, t.slug) == (taxonomy, slug)), None))

    async def add(self, term: Term) -> None:
        if term.parent_id is not None and term.taxonomy != "category":
            raise invalid("/parent_id", "not_nestable", "A tag has no parent.")
        if term.parent_id == term.id:
            raise invalid("/parent_id", "cycle", "A category can't hang below itself.")
        there = await self.find(term.taxonomy, term.slug)
        if there is not None and there.id != term.id:
            raise SlugTaken(term.slug)
        if term.parent_id is not None and await self.get(term.taxonomy, term.parent_id) is None:
            raise invalid("/parent_id", "unknown_reference", "There is no category with this id.")
        self._store.terms[term.id] = copy.copy(term)

    async def save(self, term: Term) -> None:
        await self.add(term)

    async def delete(self, term: Term) -> None:
        if children := sum(other.parent_id == term.id for other in self._store.terms.values()):
            raise HasChildren(children)
        del self._store.terms[term.id]
        forget_slugs(self._store, term.id)
        fakes_menus.forget(self._store, term.id)

    async def is_below(self, term_id: UUID, ancestor: UUID) -> bool:
        at: UUID | None = term_id
        while at is not None and at != ancestor:
            row = self._store.terms.get(at)
            at = row.parent_id if row else None
        return at is not None

    async def free_slug(self, taxonomy: Taxonomy, base: str) -> str:
        return first_free(base, {t.slug for t in self._store.terms.values() if t.taxonomy == taxonomy})


def forget_slugs(store: Store, owner: UUID) -> None:
    """As foreign keys do."""
    for key in [key for key, one in store.former_slugs.items() if one == owner]:
        del store.former_slugs[key]


class FakeFormerSlugs(FormerSlugRepository):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, kind: SlugKind, owner: UUID, *, slug: str, former: str | None = None) -> None:
        self._store.former_slugs.pop((kind, slug), None)
        if former is not None and former != slug:
            self._store.former_slugs[kind, former] = owner


class FakeMedia(MediaRepository):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, media_id: UUID) -> Asset | None:
        return copy.copy(self._store.media.get(media_id))

    async def add(self, asset: Asset) -> None:
        self._store.media[asset.id] = copy.copy(asset)

    async def save(self, asset: Asset) -> None:
        self._store.media[asset.id] = copy.copy(asset)

    async def delete(self, asset: Asset) -> None:
        avatars = sum(author.avatar_id == asset.id for author in self._store.authors.values())
        if number := avatars + (asset.id in (self._store.site.logo, self._store.site.icon)):
            raise InUse(number)
        del self._store.media[asset.id]


class FakeImportSources(ImportSources):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, source: str, kind: str, keys: Collection[str]) -> dict[str, Imported]:
        known = self._store.imported
        return {key: known[source, kind, key] for key in keys if (source, kind, key) in known}

    async def put(self, source: str, kind: str, key: str, imported: Imported) -> None:
        self._store.imported[source, kind, key] = imported


class FakeAuthorQueries(AuthorQueries):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, author_id: UUID) -> AuthorView | None:
        author = self._store.authors.get(author_id)
        return None if author is None else author_view(author)

    async def list(self, page: PageRequest) -> Page[AuthorView]:
        return page_of(list(self._store.authors.values()), page, getattr, author_view)


class FakeTermQueries(TermQueries):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, taxonomy: Taxonomy, term_id: UUID) -> TermView | None:
        term = self._store.terms.get(term_id)
        return term_view(term) if term is not None and term.taxonomy == taxonomy else None

    async def list(self, taxonomy: Taxonomy, page: PageRequest) -> Page[TermView]:
        rows = [term for term in self._store.terms.values() if term.taxonomy == taxonomy]
        return page_of(rows, page, getattr, term_view)


class FakeMediaQueries(MediaQueries):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, media_id: UUID) -> MediaView | None:
        asset = self._store.media.get(media_id)
        return None if asset is None else media_view(asset)

    async def list(self, page: PageRequest) -> Page[MediaView]:
        return page_of(list(self._store.media.values()), page, getattr, media_view)


# Lists


def page_of(
    rows: Sequence[T], page: PageRequest, value: Callable[[T, str], Any], show: Callable[[T], V]
) -> Page[V]:
    """The page of ``rows`` that is asked for; ``value`` gives a row's field, a tuple where it has many."""

    def is_wanted(row: T) -> bool:
        def values(name: str) -> Collection[Any]:
            return several(value(row, name))

        return holds(page.filter, values, lambda query: _begins(query, values("q")))

    found = cut([row for row in rows if is_wanted(row)], page, value)
    return found.of([show(row) for row in found.items])


def _begins(query: str, texts: Collection[str]) -> bool:
    """Whether all the words that are asked for begin words of the texts."""
    words = re.findall(r"\w+", " ".join(texts).lower())
    wanted = re.findall(r"\w+", query.lower())
    return bool(wanted) and all(any(one.startswith(part) for one in words) for part in wanted)


# What is outside of the database


def png(width: int = 2, height: int = 1) -> bytes:
    """The start of a PNG file of that size, enough for what looks no further."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


class MemoryStorage(Storage):
    """Knows PNG, PDF and text when it sees them."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, asset_id: UUID, filename: str, chunks: AsyncIterator[bytes], *, limit: int) -> Stored:
        body = b""
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise TooLarge(f"A file has at most {limit} bytes.", limit=limit)
        if not body:
            raise Malformed("The file is empty.")
        media_type, ending, width, height = self._looked_into(body)
        stem = make_slug(PurePosixPath(filename).stem)
        key = f"{asset_id.hex[:4]}/{asset_id.hex}-{secrets.token_hex(8)}-{stem}.{ending}"
        self.files[key] = body
        return Stored(
            key=key,
            media_type=media_type,
            size=len(body),
            sha256=hashlib.sha256(body).digest(),
            width=width,
            height=height,
        )

    @staticmethod
    def _looked_into(body: bytes) -> tuple[str, str, int | None, int | None]:
        if body.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack(">II", body[16:24])
            return "image/png", "png", width, height
        if body.startswith(b"%PDF-"):
            return "application/pdf", "pdf", None, None
        if b"\0" in body or b"<" in body:
            raise UnsupportedMedia("Files of this type are not taken.")
        return "text/plain", "txt", None, None

    async def remove(self, key: str) -> None:
        self.files.pop(key, None)

    def find(self, key: PurePosixPath) -> Found | None:
        if (body := self.files.get(str(key))) is None:
            return None
        return Found(
            path=f"/memory/{key}",
            media_type=self._looked_into(body)[0],
            filename=key.name.split("-", maxsplit=2)[2],
        )


class PlainRenderer(Renderer):
    """Makes one paragraph of the words of a body, markup and emphasis left out."""

    async def render(self, body: str, format: Format, *, excerpt: str) -> Rendered:
        words = " ".join(re.sub(r"<[^>]*>" if format == "html" else r"<[^>]*>|[*_`#]", " ", body).split())
        return Rendered(
            body=f"<p>{html.escape(words)}</p>",
            excerpt=excerpt or " ".join(words.split()[:55]),
            reading_time=self.reading_time(body),
            others={
                "markdown": words,
                "text": words,
                "blocks": [{"id": "1", "type": "paragraph", "html": html.escape(words)}],
            },
        )

    async def text(self, body: str) -> str:
        return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", body).split()))

    def reading_time(self, body: str) -> int:
        return max(1, -(-len(re.sub(r"<[^>]*>", " ", body).split()) // 238))


class MemoryFetcher(Fetcher):
    """A network of the given files; ``is_offline`` cuts it off. Counts what it is asked for."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.is_offline = False
        self.asked: list[str] = []

    def fetch(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._fetched(url)

    @asynccontextmanager
    async def _fetched(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked.append(url)
        if self.is_offline:
            raise FetchError("the site can't be reached", offline=True)
        if url not in self.files:
            raise FetchError("the site answers 404")
        yield in_chunks(self.files[url])


async def in_chunks(body: bytes, size: int = 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


class ListSource(ContentSource):
    """An export made by hand. ``breaks`` ends each reading with an error."""

    def __init__(
        self, *items: SourceItem, key: str = "old.example", breaks: SourceError | None = None
    ) -> None:
        self._items = items
        self._key = key
        self._breaks = breaks
        self._position = 0

    @property
    def key(self) -> str:
        return self._key

    @property
    def size(self) -> int:
        return len(self._items)

    @property
    def position(self) -> int:
        return self._position

    def items(self) -> Iterator[SourceItem]:
        for position, item in enumerate(self._items, start=1):
            self._position = position
            yield item
        if self._breaks is not None:
            raise self._breaks


class KnownUsers(UserService):
    """The users that the cms domain can learn of; nothing else of the service is there."""

    def __init__(self) -> None:
        self.users: dict[UUID, UserSummary] = {}

    def add(self, name: str, email: str) -> UUID:
        user = UserSummary(id=uuid4(), name=name, email=email, is_active=True)
        self.users[user.id] = user
        return user.id

    async def find_by_ids(self, uow: Any, ids: Iterable[UUID]) -> dict[UUID, UserSummary]:
        del uow
        return {one: self.users[one] for one in ids if one in self.users}

    async def summaries(self, ids: Iterable[UUID]) -> dict[UUID, UserSummary]:
        return await self.find_by_ids(None, ids)

    async def find_by_emails(self, uow: Any, emails: Iterable[str]) -> dict[str, UserSummary]:
        del uow
        by_email = {user.email: user for user in self.users.values()}
        return {email: by_email[email.lower()] for email in emails if email.lower() in by_email}

    async def create(self, *_: Any, **__: Any) -> UserView:
        raise NotImplementedError

    async def ensure_administrator(self, *_: Any, **__: Any) -> UserView | None:
        raise NotImplementedError

    async def get(self, *_: Any) -> UserView:
        raise NotImplementedError

    async def list(self, *_: Any) -> Page[UserView]:
        raise NotImplementedError

    async def update(self, *_: Any, **__: Any) -> UserView:
        raise NotImplementedError

    async def delete(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError

    async def change_password(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError


class FakeCms:
    """The cms domain's services on fakes, put together."""

    def __init__(self, *, upload_limit: int = 10_000) -> None:
        self.store = Store()
        self.types = FixedTypes()
        self.clock = FixedClock()
        self.users = KnownUsers()
        self.storage = MemoryStorage()
        self.fetcher = MemoryFetcher()
        renderer, documents = PlainRenderer(), FakeDocumentQueries(self.store)
        self.deletions = Deletions(self.types)
        self.authors = Authors(
            clock=self.clock,
            queries=FakeAuthorQueries(self.store),
            users=self.users,
            deletions=self.deletions,
        )
        self.terms = Terms(clock=self.clock, queries=FakeTermQueries(self.store), deletions=self.deletions)
        self.media = Media(
            clock=self.clock,
            queries=FakeMediaQueries(self.store),
            storage=self.storage,
            limit=upload_limit,
            deletions=self.deletions,
        )
        about: dict[str, Any] = {
            "clock": self.clock,
            "queries": fakes_locks.FakeLockQueries(self.store),
            "users": self.users,
        }
        beside: dict[str, Any] = {"subjects": fakes_locks.FakeSubjectQueries(self.store), "ttl": 60}
        self.locks = Locks(**about, **beside)
        self.presences = Presences(**about, **beside)
        self.comments = Comments(
            clock=self.clock,
            queries=fakes_comments.FakeCommentQueries(self.store),
            subjects=beside["subjects"],
            users=self.users,
            types=self.types,
        )
        engine: dict[str, Any] = {
            "clock": self.clock,
            "queries": documents,
            "renderer": renderer,
            "authors": self.authors,
            "locks": LocksNow(**about),
            "default_locale": "en",
            "stages": WorkflowStages(users=self.users),
            "deletions": self.deletions,
        }
        self.tools = engine
        self.posts = Posts(**engine)
        self.pages = Pages(**engine)
        self.types.known |= {"post": self.posts, "page": self.pages}
        self.previews = Previews(
            clock=self.clock,
            tokens=PreviewTokens("a secret for tests, 32 bytes long"),
            queries=fakes_previews.FakePreviewQueries(self.store),
            types=self.types,
            new_uow=self.uow,
        )
        self.revisions = Revisions(
            queries=FakeRevisionQueries(self.store),
            access=Access(self.authors),
            types=self.types,
        )
        self.menus = Menus(
            clock=self.clock, queries=fakes_menus.FakeMenuQueries(self.store), default_locale="en"
        )
        self.site = Site(clock=self.clock, queries=fakes_site.FakeSiteQueries(self.store))
        self.retention = Retention(
            clock=self.clock, queries=FakeRetentionQueries(self.store), types=self.types
        )
        self.imports = self.made_imports(self.media)
        self.redirects = Redirects(
            clock=self.clock,
            queries=fakes_redirects.FakeRedirectQueries(self.store),
            wholes=fakes_redirects.wholes(self.store, self.types),
            default_locale="en",
        )
        self.page_tree = PageTree(queries=fakes_tree.FakeTreeQueries(self.store), default_locale="en")

    def made_imports(self, media: Media) -> Imports:
        return Imports(
            posts=self.posts,
            pages=self.pages,
            authors=self.authors,
            terms=self.terms,
            media=media,
            comments=CommentImports(clock=self.clock, users=self.users),
            comment_rules=CommentConfiguration(
                clock=self.clock,
                rules=fakes_readers.FakeRules(self.store),
                places=fakes_readers.FakePlaceQueries(self.store),
            ),
            menus=self.menus,
            users=self.users,
            fetcher=self.fetcher,
            default_locale="en",
        )

    def uow(self) -> CmsUnitOfWork:
        return CmsUnitOfWork(self.store)

    def names(self) -> list[str]:
        """The names of all events that were committed."""
        return [event.name for event in self.store.events]

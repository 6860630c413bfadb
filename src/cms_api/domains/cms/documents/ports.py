"""What the document engine needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from cms_api.domains.cms.documents.content import Content, Format, Link
from cms_api.domains.cms.documents.interface import Move
from cms_api.domains.cms.documents.model import ContentType, Document, Snapshot
from cms_api.domains.cms.documents.references import DeletionPreview, Effects, FieldOf, Mode, Reference
from cms_api.domains.cms.documents.rendering import Public, Rendered
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest

C = TypeVar("C", bound=Content)


class Renderer(ABC):
    """Turns bodies into safe HTML, and into the other formats that readers may ask for."""

    @abstractmethod
    async def render(self, body: str, format: Format, *, excerpt: str) -> Rendered:
        """The body as sanitised HTML and the like; the excerpt made of it where ``excerpt`` is empty."""

    @abstractmethod
    async def text(self, body: str) -> str:
        """The words of HTML that `render` has made, without markup."""

    @abstractmethod
    def reading_time(self, body: str) -> int:
        """Minutes to read ``body``, markup left out; at least 1."""


class DocumentRepository(ABC):
    """Documents with their revisions and the links of their drafts, for changing them."""

    @abstractmethod
    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        """The document, locked until the unit of work ends."""

    @abstractmethod
    async def lock(self, ids: Collection[UUID]) -> None:
        """Lock those documents that are there, in one order for everybody, until the unit of work ends."""

    @abstractmethod
    async def add(self, document: Document[C]) -> None:
        """Store a new document, its first revision and the links of its draft. Raises `SlugTaken`."""

    @abstractmethod
    async def save(self, document: Document[C]) -> None:
        """Store the changed document and the links of its draft. Raises `SlugTaken`.

        Where its address changed, those of the drafts below it follow.
        """

    @abstractmethod
    async def add_revision(
        self, document: Document[C], *, changed: tuple[str, ...], restored_from: UUID | None = None
    ) -> None:
        """Store the draft as the revision that ``draft_revision_id`` names."""

    @abstractmethod
    async def snapshot(
        self, kind: ContentType[C], document_id: UUID, revision_id: UUID | None = None
    ) -> Snapshot[C] | None:
        """What a revision of the document holds; that of the live copy where none is named."""

    @abstractmethod
    async def free_slug(self, kind: ContentType[C], *, locale: str, base: str, parent: UUID | None) -> str:
        """``base``, or the first of ``base-2``, ``base-3`` … that no draft has at that place.

        Two units of work that ask for the same base wait for one another.
        """

    @abstractmethod
    async def delete(self, *ids: UUID) -> None:
        """Delete documents for good, with revisions, links and whatever else hangs on them."""


class PublicationRepository(ABC):
    """Live copies, as readers see them."""

    @abstractmethod
    async def put_live(self, document: Document[C], content: C, public: Public) -> None:
        """Store ``content``, that of the live revision, as the live copy, with its links.

        Raises `AddressTaken`, and `Invalid` where an address gets too long. The addresses of live
        copies below it follow. From each address that changes a redirect leads to the document,
        unless something else is live there; those from the new addresses go.
        """

    @abstractmethod
    async def put_rendered(self, document_id: UUID, public: Public) -> None:
        """Store what the live copy says, rendered anew; everything else of it stays."""

    @abstractmethod
    async def outdated(self, after: UUID | None, limit: int) -> Sequence[tuple[UUID, str]]:
        """Ids and types of live copies that an older version rendered, in the order of their ids."""

    @abstractmethod
    async def take_down(self, document_id: UUID) -> None:
        """Remove the live copy and its links, if there is one."""


class ReferenceRepository(ABC):
    """What documents point at, and what hangs below what."""

    @abstractmethod
    async def existing(self, links: Iterable[Link]) -> frozenset[Link]:
        """Those links whose target is there, kept there until the unit of work ends."""

    @abstractmethod
    async def effects(
        self, target: UUID, mode: Mode, *, limit: int, withheld: Collection[FieldOf] = ()
    ) -> Effects:
        """What a deletion of ``target`` meets; of those who forbid it, ``limit`` are named, else all.

        Who forbids it by links of the fields ``withheld`` only is counted, and not named.
        Documents that go along don't forbid anything. Of ``trash``, only untrashed documents
        count, and children don't; of ``delete``, those in the trash that would go along stay there;
        of ``purge``, all count, translations too, and those in the trash go along.
        """

    @abstractmethod
    async def is_below(self, document_id: UUID, ancestor: UUID) -> bool:
        """Whether the document is ``ancestor`` or hangs below it, in drafts."""

    @abstractmethod
    async def children(self, document_id: UUID) -> int:
        """How many untrashed documents hang right below it, in drafts or live."""

    @abstractmethod
    async def lock_tree(self) -> None:
        """Keep other units of work from moving anything in the tree until this one ends.

        To be asked for before any row is locked: two who hang pages below each other's would wait
        for one another.
        """


class Stages(ABC):
    """What the workflow has to say. A document without a stage costs no statement, but to begin one."""

    @abstractmethod
    async def first_stage(self, uow: UnitOfWork, type: str) -> str | None:
        """The stage of new documents, None where the workflow is off; that stays until ``uow`` ends.

        To be asked for before any document is locked: turning the workflow on or off locks in
        this order.
        """

    @abstractmethod
    async def edited(self, uow: UnitOfWork, actor: Actor, document: Document[Any], *, at: datetime) -> None:
        """Send an approved document back to the first stage, as its draft is another one now."""

    @abstractmethod
    async def check_publishable(
        self, uow: UnitOfWork, actor: Actor, document: Document[Any], snapshot: Snapshot[Any] | None
    ) -> None:
        """Raise `NotApproved` unless the draft, or the revision ``snapshot``, may become the live copy."""

    @abstractmethod
    async def move(
        self, uow: UnitOfWork, actor: Actor, document: Document[Any], move: Move, *, at: datetime
    ) -> None:
        """Move it, close its task and open the next. Raises as `DocumentService.move` does."""

    @abstractmethod
    async def close(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document: Document[Any],
        state: Literal["done", "cancelled"],
        *,
        at: datetime,
    ) -> None:
        """Close its open task, if there is one."""


class DocumentQueries(ABC):
    """Documents, for looking at them."""

    @abstractmethod
    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        """One document."""

    @abstractmethod
    async def list(self, kind: ContentType[C], page: PageRequest) -> Page[Document[C]]:
        """A page of documents."""

    @abstractmethod
    async def several(self, kinds: Sequence[ContentType[Any]], page: PageRequest) -> Page[Document[Any]]:
        """A page of documents of several types: one statement. It can be asked what all of them can."""

    @abstractmethod
    async def paths(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The draft addresses of documents."""


class ReferenceQueries(ABC):
    """Who points at what, for looking at it."""

    @abstractmethod
    async def find(self, kind: str, target: UUID) -> Mode | None:
        """What deleting it would be; None where nothing of this kind, or content type, has the id."""

    @abstractmethod
    async def list(
        self, target: UUID, page: PageRequest, *, withheld: Collection[FieldOf] = ()
    ) -> Page[Reference]:
        """A page of the links that point at it, but for those of the fields ``withheld``."""

    @abstractmethod
    async def preview(
        self, target: UUID, mode: Mode, *, withheld: Collection[FieldOf] = ()
    ) -> DeletionPreview:
        """What its deletion would do; who meets it by the fields ``withheld`` only is counted, and not named."""

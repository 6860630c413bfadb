"""What the document engine needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.content import Content, Format, Link, Seo
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.kernel.paging import Page, PageRequest

C = TypeVar("C", bound=Content)


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """What readers get of a body: safe HTML, an excerpt in plain text, minutes of reading."""

    body: str
    excerpt: str
    reading_time: int


class Renderer(ABC):
    """Turns bodies into safe HTML."""

    @abstractmethod
    async def render(self, body: str, format: Format, *, excerpt: str) -> Rendered:  # noqa: A002 - the field's name
        """The body as sanitised HTML; the excerpt made of it where ``excerpt`` is empty."""

    @abstractmethod
    def reading_time(self, body: str) -> int:
        """Minutes to read ``body``, markup left out; at least 1."""


class PublicFields(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a live copy that is no relation and no column of its own."""

    excerpt: str
    body: str
    seo: Seo
    reading_time: int


class DocumentRepository(ABC):
    """Documents with their revisions, links and live copies, for changing them."""

    @abstractmethod
    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        """The document, locked until the unit of work ends."""

    @abstractmethod
    async def add(self, document: Document[C]) -> None:
        """Store a new document and the links of its draft. Raises `SlugTaken`."""

    @abstractmethod
    async def save(self, document: Document[C]) -> None:
        """Store the changed document and the links of its draft. Raises `SlugTaken`.

        Where its address changed, those of the drafts below it follow.
        """

    @abstractmethod
    async def snapshot(self, document: Document[C], *, at: datetime, by: UUID | None) -> UUID:
        """The id of the revision that holds the draft as it is; made where there is none."""

    @abstractmethod
    async def put_live(self, document: Document[C], fields: PublicFields) -> None:
        """Store the draft as the live copy, with its links. Raises `AddressTaken`.

        The addresses of live copies below it follow.
        """

    @abstractmethod
    async def take_down(self, document_id: UUID) -> None:
        """Remove the live copy and its links, if there is one."""

    @abstractmethod
    async def free_slug(self, kind: ContentType[C], *, locale: str, base: str, parent: UUID | None) -> str:
        """``base``, or the first of ``base-2``, ``base-3`` … that no draft has at that place.

        Two units of work that ask for the same base wait for one another.
        """

    @abstractmethod
    async def existing(self, links: Iterable[Link]) -> frozenset[Link]:
        """Those links whose target is there, kept there until the unit of work ends."""

    @abstractmethod
    async def is_below(self, document_id: UUID, ancestor: UUID) -> bool:
        """Whether the document is ``ancestor`` or hangs below it, in drafts.

        No other unit of work can move anything in the tree until this one ends.
        """

    @abstractmethod
    async def children(self, document_id: UUID) -> int:
        """How many untrashed documents hang right below it, in drafts or live."""


class DocumentQueries(ABC):
    """Documents, for looking at them."""

    @abstractmethod
    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        """One document."""

    @abstractmethod
    async def list(self, kind: ContentType[C], page: PageRequest) -> Page[Document[C]]:
        """A page of documents."""

    @abstractmethod
    async def paths(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The draft addresses of documents."""

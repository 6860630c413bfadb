"""What readers' comments need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.reader_comments.interface import ReaderCommentCounts, ReaderCommentView
from cms_api.domains.cms.reader_comments.model import ReaderComment
from cms_api.domains.cms.reader_comments.rates import Rate, Taken
from cms_api.domains.cms.reader_comments.rules import DocumentSettings, Place, ReaderCommentRules
from cms_api.querying import Page, PageRequest, Selection


class Ref(msgspec.Struct, frozen=True):
    """A comment that was changed past the entity."""

    id: UUID
    document_id: UUID
    version: int


class ReaderCommentRepository(ABC):
    """Comments, for changing them."""

    @abstractmethod
    async def get(self, comment_id: UUID) -> ReaderComment | None:
        """The comment, locked until the unit of work ends."""

    @abstractmethod
    async def get_many(self, ids: Collection[UUID]) -> list[ReaderComment]:
        """Those comments that are there, locked in one order for everybody."""

    @abstractmethod
    async def parent(self, document_id: UUID, comment_id: UUID) -> ReaderComment | None:
        """The comment on that document, kept there until the unit of work ends; not locked for changes."""

    @abstractmethod
    async def type_of(self, comment: ReaderComment) -> str:
        """The type of the document that it is on."""

    @abstractmethod
    async def add(self, comment: ReaderComment) -> None:
        """Store a new comment. Raises `Invalid` where the one that it replies to is gone."""

    @abstractmethod
    async def save(self, comment: ReaderComment) -> None:
        """Store the changed comment."""

    @abstractmethod
    async def save_states(self, comments: Sequence[ReaderComment]) -> None:
        """Store in one statement where comments stand, and who decided it."""

    @abstractmethod
    async def delete(self, comment: ReaderComment) -> int:
        """Remove the comment with everything below it; how many replies those were."""

    @abstractmethod
    async def purge(
        self, *, spam_before: datetime | None, trash_before: datetime | None, limit: int
    ) -> dict[UUID, int]:
        """Remove up to ``limit`` comments that became spam or trash before, with everything below them.

        How many they were, by document; past those that somebody is changing. None is never.
        """


class CommenterRepository(ABC):
    """Who comments: what is known of them, and for how long."""

    @abstractmethod
    async def has_approved(self, email: str, user_id: UUID | None) -> bool:
        """Whether the address, of that account or of none, has an approved comment anywhere.

        What was let through because its author is staff there says nothing of other places.
        """

    @abstractmethod
    async def was_said(self, words_hash: bytes, *, since: datetime) -> bool:
        """Whether a comment with that hash was made since then.

        Two units of work that ask for the same hash wait for one another.
        """

    @abstractmethod
    async def erase(self, email: str, *, at: datetime) -> list[Ref]:
        """Forget in one statement who wrote the comments of an address; those are told."""

    @abstractmethod
    async def forget_clients(self, *, before: datetime, limit: int) -> int:
        """Remove the hashes of clients' addresses from up to ``limit`` comments made before."""


class ReaderCommentQueries(ABC):
    """Comments, for looking at them."""

    @abstractmethod
    async def get(self, comment_id: UUID) -> ReaderCommentView | None:
        """One comment."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[ReaderCommentView]:
        """A page of comments."""

    @abstractmethod
    async def counts(self) -> ReaderCommentCounts:
        """How many there are in each state."""


class DeliveredCommentQueries(ABC):
    """What readers see, as JSON encoded by the database: one statement a read."""

    @abstractmethod
    async def list(
        self, kind: str, document_id: UUID, page: PageRequest, selection: Selection
    ) -> Page[Delivered] | None:
        """A page of the comments on a document; None where nothing is published there."""

    @abstractmethod
    async def one(self, kind: str, document_id: UUID, comment_id: UUID) -> Delivered | None:
        """One comment."""

    @abstractmethod
    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        """Those of the comments that readers see, on whatever documents, each made of itself first."""


class RateRepository(ABC):
    """Buckets of tokens, shared by all processes."""

    @abstractmethod
    async def take(self, keys: Collection[bytes], rate: Rate, *, at: datetime) -> list[Taken]:
        """Take a token out of each bucket that has one, in one statement; a bucket begins full.

        Others who want one of them wait until the unit of work ends. Whoever did not get all
        takes them back by rolling back.
        """

    @abstractmethod
    async def purge(self, *, at: datetime, limit: int) -> int:
        """Remove up to ``limit`` buckets that are full; how many."""


class CommentRules(ABC):
    """The rules, for going by them."""

    @abstractmethod
    async def get(self) -> ReaderCommentRules:
        """The rules that hold now."""


class RulesRepository(ABC):
    """The rules, for changing them."""

    @abstractmethod
    async def get(self) -> ReaderCommentRules:
        """The rules, locked until the unit of work ends."""

    @abstractmethod
    async def save(self, rules: ReaderCommentRules) -> None:
        """Store them."""


class PlaceRepository(ABC):
    """Where comments hang, for commenting there and for changing the settings."""

    @abstractmethod
    async def get(self, kind: str, document_id: UUID) -> Place | None:
        """The document of that type, with its settings."""

    @abstractmethod
    async def save(self, settings: DocumentSettings) -> None:
        """Store a document's settings, new or changed."""


class PlaceQueries(ABC):
    """Where comments hang, for looking at it."""

    @abstractmethod
    async def get(self, kind: str, document_id: UUID) -> Place | None:
        """The document of that type, with its settings."""

"""Readers' comments, as everybody else sees them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.reader_comments.model import Reason, State
from cms_api.domains.cms.reader_comments.rules import ReaderCommentRules
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, Selection, SortKey


class NewReaderComment(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader says. ``website`` is a trap: people don't see it, programs fill it in."""

    body: str
    author_name: str | None = None
    author_email: str | None = None
    author_url: str | None = None
    parent: UUID | None = None
    website: str | None = None


class SubmittedComment(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of it. ``state`` is ``approved`` where readers see it at once, else ``pending``."""

    id: UUID
    state: State
    parent: UUID | None
    author_name: str
    author_url: str | None
    body: str
    html: str
    created_at: datetime
    version: int


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """How much more somebody may say: ``remaining`` of ``limit``, all again in ``reset`` seconds."""

    limit: int
    window: int
    remaining: int
    reset: int


class ReaderCommentView(msgspec.Struct, frozen=True, kw_only=True):
    """A reader's comment, for moderators.

    ``type`` is the document's. ``reason`` tells why it was taken for spam. ``is_staff``: by who may
    moderate, or by one whose document it is. Name and address are null once they were erased.
    """

    id: UUID
    document_id: UUID
    type: str
    parent_id: UUID | None
    depth: int
    state: State
    reason: Reason | None
    author_name: str | None
    author_email: str | None
    author_url: str | None
    user_id: UUID | None
    is_staff: bool
    body: str
    html: str
    moderated_at: datetime | None
    moderated_by: UUID | None
    erased_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class ReaderCommentChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    body: str | UnsetType = UNSET
    author_name: str | UnsetType = UNSET
    author_url: str | UnsetType | None = UNSET


class ReaderCommentCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many comments there are in each state."""

    pending: int = 0
    approved: int = 0
    spam: int = 0
    trash: int = 0


class Moderated(msgspec.Struct, frozen=True, kw_only=True):
    """What became of many: those that changed, those in that state already, those that are not there."""

    changed: list[UUID]
    unchanged: list[UUID]
    missing: list[UUID]


class RuleChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values of the rules; what is unset stays, lists and ``types`` are replaced whole."""

    enabled: bool | UnsetType = UNSET
    types: dict[str, bool] | UnsetType = UNSET
    closes_after_days: int | UnsetType | None = UNSET
    requires_moderation: bool | UnsetType = UNSET
    previously_approved: bool | UnsetType = UNSET
    max_links: int | UnsetType = UNSET
    blocked_words: tuple[str, ...] | UnsetType = UNSET
    blocked_addresses: tuple[str, ...] | UnsetType = UNSET
    blocked_networks: tuple[str, ...] | UnsetType = UNSET
    spam_days: int | UnsetType | None = UNSET
    trash_days: int | UnsetType | None = UNSET


class SettingChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values of a document's settings; null goes by the rules, what is unset stays."""

    is_open: bool | UnsetType | None = UNSET
    closes_at: datetime | UnsetType | None = UNSET


class CommentSettingsView(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says of its comments, and whether it ``accepts`` any at this moment."""

    document_id: UUID
    is_open: bool | None
    closes_at: datetime | None
    accepts: bool
    version: int
    updated_at: datetime | None
    updated_by: UUID | None


READER_COMMENTS = Listing(
    sorts=("created_at",),
    filters={
        "id": "uuid",
        "state": "text",
        "document_id": "uuid",
        "type": "text",
        "parent_id": "uuid",
        "author_email": "text",
        "author_name": "text",
        "user_id": "uuid",
        "body": "text",
        "reason": "text",
        "created_at": "timestamptz",
    },
    shown=ReaderCommentView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)

DELIVERED_COMMENTS = Listing(
    sorts=("thread", "created_at"),
    filters={
        "id": "uuid",
        "parent": "uuid",
        "depth": "integer",
        "created_at": "timestamptz",
        "is_staff": "boolean",
    },
    shown=(
        "id",
        "document",
        "parent",
        "depth",
        "author_name",
        "author_url",
        "body",
        "html",
        "created_at",
        "is_staff",
    ),
    sort=(SortKey("thread"),),
)


class SubmissionService(ABC):
    """Taking in what readers say."""

    @abstractmethod
    async def submit(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        new: NewReaderComment,
        *,
        client: str | None,
    ) -> tuple[SubmittedComment, Quota | None]:
        """Take a comment, from anybody; ``client`` is the address that it comes from.

        A signed-in user has the name and address of her account. Raises `Invalid` with every
        fault, `TooManyComments`, `NothingPublished`, `CommentsClosed`, `SaidAlready`. Spam is taken
        as well, and answered like everything else. The quota is None for who has none.
        """


class PastComment(msgspec.Struct, frozen=True, kw_only=True):
    """What was said elsewhere. ``order`` tells comments of one moment apart.

    ``was_signed_in``: whether the other system knew who said it.
    """

    body: str
    author_name: str
    author_email: str | None
    author_url: str | None
    was_signed_in: bool
    state: State
    parent: UUID | None
    created_at: datetime | None
    order: int


class TakenComment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment that was taken over, and the fields that are not: those that can't be as they were."""

    id: UUID
    version: int
    left_out: tuple[str, ...]


class CommentImportService(ABC):
    """Taking over what was said elsewhere. Needs ``reader_comments:moderate``."""

    @abstractmethod
    async def take_over(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, past: PastComment
    ) -> TakenComment:
        """Store a comment as it was: with its date and its state, on any document, open or closed.

        What holds for all texts holds for it; rules and rates are for what is new, and do not. An
        address that is none is left out. Below replies that can't be replied to here it hangs beside
        its parent. Raises `Invalid` with every fault, `DocumentNotFound`.
        """


class ReaderCommentService(ABC):
    """Moderating. Looking needs ``reader_comments:read``, everything else ``reader_comments:moderate``.

    Methods that take a comment raise `ReaderCommentNotFound`; those that change it `Stale`.
    """

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[ReaderCommentView]:
        """Comments in every state, as `READER_COMMENTS` allows."""

    @abstractmethod
    async def get(self, actor: Actor, comment_id: UUID) -> ReaderCommentView:
        """One comment."""

    @abstractmethod
    async def counts(self, actor: Actor) -> ReaderCommentCounts:
        """How many there are in each state."""

    @abstractmethod
    async def moderate(
        self, uow: UnitOfWork, actor: Actor, comment_id: UUID, state: State, *, expected: int | None
    ) -> ReaderCommentView:
        """Put a comment into a state; nothing happens where it is in that."""

    @abstractmethod
    async def restore(
        self, uow: UnitOfWork, actor: Actor, comment_id: UUID, *, expected: int | None
    ) -> ReaderCommentView:
        """Put spam or trash back to where it was. Raises `NothingToRestore`."""

    @abstractmethod
    async def moderate_many(
        self, uow: UnitOfWork, actor: Actor, ids: Sequence[UUID], state: State
    ) -> Moderated:
        """Put up to 100 comments into a state, whatever their versions; the last word wins."""

    @abstractmethod
    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        comment_id: UUID,
        changes: ReaderCommentChanges,
        *,
        expected: int | None,
    ) -> ReaderCommentView:
        """Change what it says. Raises `Invalid` with every fault."""

    @abstractmethod
    async def delete(self, uow: UnitOfWork, actor: Actor, comment_id: UUID, *, expected: int | None) -> None:
        """Delete a comment for good, with all replies to it."""

    @abstractmethod
    async def erase(self, uow: UnitOfWork, actor: Actor, email: str) -> int:
        """Forget who wrote the comments of an e-mail address, in every state; how many they were."""

    @abstractmethod
    async def purge(self, new_uow: Callable[[], UnitOfWork]) -> int:
        """Remove spam and trash whose time is over, in small batches; how many comments.

        Hashes of clients' addresses that are no longer needed go as well, and buckets that are full.
        """


class CommentRuleService(ABC):
    """Where readers may comment. Looking needs ``reader_comments:read``, changing ``…:configure``."""

    @abstractmethod
    async def rules(self, actor: Actor) -> ReaderCommentRules:
        """The rules."""

    @abstractmethod
    async def change_rules(
        self, uow: UnitOfWork, actor: Actor, changes: RuleChanges, *, expected: int | None
    ) -> ReaderCommentRules:
        """Change the rules, for what is said from now on. Raises `Stale`, `Invalid` with every fault."""

    @abstractmethod
    async def settings(self, actor: Actor, kind: str, document_id: UUID) -> CommentSettingsView:
        """What a document says of its comments. Raises `DocumentNotFound`."""

    @abstractmethod
    async def change_settings(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        changes: SettingChanges,
        *,
        expected: int | None,
    ) -> CommentSettingsView:
        """Change that. Raises `DocumentNotFound`, `Stale`, `Trashed`."""


class DeliveredCommentService(ABC):
    """What readers see: approved comments below what is published, whose ancestors are approved too."""

    @abstractmethod
    async def list(
        self, kind: str, document_id: UUID, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        """Comments on a document, as `DELIVERED_COMMENTS` allows. Raises `NothingPublished`."""

    @abstractmethod
    async def one(self, kind: str, document_id: UUID, comment_id: UUID) -> Delivered:
        """One comment. Raises `NothingPublished`."""

    @abstractmethod
    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        """Those of the comments that readers see, on whatever documents, each made of itself first: one statement."""

"""What another system's export holds, in words of our own, and the port it is read through.

Items come in the order of the file and point at each other by *keys*, which are unique to their
kind within one site: an import that meets a key again is looking at the same thing again.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

import msgspec

from cms_api.kernel.errors import Malformed

SourceTaxonomy: TypeAlias = Literal["category", "tag"]
SourceType: TypeAlias = Literal["post", "page"]
SourceMenuTarget: TypeAlias = Literal["post", "page", "category", "tag", "url"]
SourceCommentState: TypeAlias = Literal["approved", "pending", "spam", "trash"]
SourceStatus: TypeAlias = Literal["published", "scheduled", "draft", "pending", "private", "trashed"]


class SourceError(Malformed):
    """The export can't be read, or can't be read any further. The sentence says where and why."""

    code: ClassVar[str] = "source_unreadable"
    title: ClassVar[str] = "The export can't be read"


class SourceRefused(SourceError):
    """The export holds something that is never read: entities, or more than is safe to hold."""

    code: ClassVar[str] = "source_refused"
    title: ClassVar[str] = "The export is refused"


class SourceSite(msgspec.Struct, frozen=True, kw_only=True):
    """The site that was exported; always the first item."""

    url: str
    title: str


class SourceAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wrote there. ``key`` is the name she signed in with."""

    key: str
    email: str | None
    name: str


class SourceTermRef(msgspec.Struct, frozen=True, kw_only=True):
    """A document's mention of a term, which may not be among the exported ones."""

    taxonomy: SourceTaxonomy
    slug: str
    name: str

    @property
    def key(self) -> str:
        """The key of the term that is meant."""
        return term_key(self.taxonomy, self.slug)


class SourceTerm(msgspec.Struct, frozen=True, kw_only=True):
    """A category or a tag. An export may name the same one twice."""

    key: str
    taxonomy: SourceTaxonomy
    name: str
    slug: str
    parent_slug: str | None
    """The slug of the parent, within the same taxonomy."""
    description: str
    """Plain text."""
    number: str | None = None
    """What the items of menus call it by; unique within its taxonomy."""


class SourceDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A post or a page. All times are UTC."""

    key: str
    type: SourceType
    title: str
    """Plain text; may be empty."""
    slug: str | None
    """As it was, in any script; None where the document never had one."""
    status: SourceStatus
    body: str
    """HTML, not sanitised."""
    excerpt: str
    """Plain text."""
    author_key: str | None
    published_at: datetime | None
    """When it went live, or will where it is scheduled; None where it never did, or nobody knows."""
    modified_at: datetime | None
    created_at: datetime | None
    parent_key: str | None
    menu_order: int
    is_sticky: bool
    password: bool
    """Whether readers need a password. The password itself stays behind."""
    terms: tuple[SourceTermRef, ...]
    cover_key: str | None
    """The attachment shown with the document."""
    takes_comments: bool | None = None
    """Whether readers could comment; None where the export doesn't say."""


class SourceAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded file, which is still where it was: the export has its address only."""

    key: str
    title: str
    url: str
    """An absolute http or https address, not checked any further."""
    alt: str
    caption: str
    description: str
    created_at: datetime | None
    parent_key: str | None


class SourceComment(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader said. It may come before its document, and before what it replies to."""

    key: str
    document_key: str | None
    """None where the export doesn't say."""
    parent_key: str | None
    state: SourceCommentState
    body: str
    """Plain text, of several lines."""
    author_name: str
    author_email: str | None
    author_url: str | None
    was_signed_in: bool
    created_at: datetime | None
    order: int
    """Tells those of one moment apart."""


class SourceMenu(msgspec.Struct, frozen=True, kw_only=True):
    """A menu; its items come apart from it. An export may name the same one twice, or only in items."""

    key: str
    """Its slug, as it reads."""
    name: str


class SourceMenuItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a menu."""

    key: str
    menu_key: str
    menu_name: str
    parent_key: str | None
    order: int
    """Counts through the whole menu."""
    label: str
    """Plain text; empty where the target's title is shown."""
    title: str
    """What is shown beside the label when somebody points at it; plain text, may be empty."""
    target: SourceMenuTarget | None
    """None where it leads to something that there is no place for, which ``target_kind`` names."""
    target_kind: str
    target_key: str
    """The key of a document, the number of a term, or an address as somebody typed it."""
    opens_in_new_tab: bool
    is_shown: bool
    """Whether readers saw it there."""


class SourceOther(msgspec.Struct, frozen=True, kw_only=True):
    """Something sound that there is no place for here yet.

    ``kind`` is one of ``pingback``, ``trackback``, ``comment:<type>`` (``key`` is the document's),
    ``type:<content type>``, ``term:<taxonomy>`` (``key`` is the slug), ``post_format`` and
    ``term_ref:<taxonomy>`` (``key`` is the document's).
    """

    kind: str
    key: str
    reason: str | None = None


class SourceFault(msgspec.Struct, frozen=True, kw_only=True):
    """Something broken that was left out. The items after it are sound."""

    where: str
    reason: str


SourceItem: TypeAlias = (
    SourceSite
    | SourceAuthor
    | SourceTerm
    | SourceDocument
    | SourceAttachment
    | SourceComment
    | SourceMenu
    | SourceMenuItem
    | SourceOther
    | SourceFault
)


def term_key(taxonomy: SourceTaxonomy, slug: str) -> str:
    """The key of a term: documents mention terms by slug, so that is what tells them apart."""
    return f"{taxonomy}:{slug}"


class ContentSource(ABC):
    """Another system's content, one item at a time."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Which site this is, the same for every export of it. Raises `SourceError`."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes there are to read."""

    @property
    @abstractmethod
    def position(self) -> int:
        """Bytes read so far, at most ``size``, by the latest ``items``."""

    @abstractmethod
    def items(self) -> Iterator[SourceItem]:
        """Everything from the beginning, `SourceSite` first, in memory that doesn't grow with the export.

        Raises `SourceError` after the last item that could be read.
        """

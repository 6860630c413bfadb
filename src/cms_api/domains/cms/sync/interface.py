"""Following what readers see: everything, then what has changed since, and never one change less."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

import msgspec

from cms_api.kernel.actor import Actor

SyncKind = Literal[
    "document", "author", "category", "tag", "media", "menu", "redirect", "settings", "comment"
]
KINDS: tuple[SyncKind, ...] = get_args(SyncKind)
READ_PURGES = "purges:read"
PERMISSIONS = {READ_PURGES: "See what caches in front of delivery must drop."}

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A place in the log of changes, good for the epoch that it is of.

    A walk goes from transaction ``start`` (0: it gathers everything) up to, and without,
    ``upto`` (None: as far as changes are final when it is asked for). It has come to the change
    ``number`` of the transaction ``xact``, and within that, where a change stands for many
    documents, to the one with the id ``inner``.
    """

    epoch: str = ""
    start: int = 0
    upto: int | None = None
    xact: int = 0
    number: int = 0
    inner: UUID = FIRST


class SyncFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is followed: some kinds of resources, and documents of some types (None: all) in one language."""

    kinds: tuple[SyncKind, ...] = KINDS
    types: tuple[str, ...] | None = None
    locale: str | None = None


class SyncItem(msgspec.Struct, frozen=True, kw_only=True):
    """A resource as readers see it now: JSON text, or None where they don't. ``position`` is right behind it."""

    kind: SyncKind
    type: str | None
    id: UUID
    json: str | None
    position: Position


class SyncPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a walk. Either it goes on at ``next``, or from ``token`` on the next walk begins."""

    items: list[SyncItem]
    next: Position | None
    token: Position | None


class Purge(msgspec.Struct, frozen=True, kw_only=True):
    """A change: the keys of answers (`Cache-Tag`) that it put out of date. ``position`` is right behind it."""

    tags: tuple[str, ...]
    changed_at: datetime
    position: Position


class PurgePage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a walk through all changes, as `SyncPage` is."""

    items: list[Purge]
    next: Position | None
    token: Position | None


class SyncService(ABC):
    """What readers see, and what changes of it. Nothing else: no draft, no private field."""

    @abstractmethod
    async def page(self, wanted: SyncFilter, *, limit: int, at: Position | None) -> SyncPage:
        """What comes behind ``at``: everything from the beginning where it is None.

        Each resource comes once a walk, as it is when the page is made. What is there no longer
        comes without data, but not in a walk through everything. A page may have fewer than
        ``limit`` (1 to 100) items, or none, and still not be the last. Raises `SyncTokenExpired`, and
        `Malformed` where it is to begin with a type that is none.
        """


class PurgeService(ABC):
    """What caches in front of delivery must drop."""

    @abstractmethod
    async def page(self, actor: Actor, *, limit: int, at: Position | None) -> PurgePage:
        """The changes behind ``at``, the oldest first. Needs `purges:read`. Raises `SyncTokenExpired`."""

    @abstractmethod
    async def now(self, actor: Actor) -> Position:
        """Where the next change comes. Needs `purges:read`."""


class ChangeSignal(ABC):
    """Tells that the log has become longer. However many wait, one looks for all of them."""

    @abstractmethod
    async def beyond(self, at: Position, *, patience: float) -> Position | None:
        """Wait for a final change in a walk that begins at ``at``; None after ``patience`` seconds.

        Returns where the walk begins: those who wait at places with no change in between are led to one.
        """

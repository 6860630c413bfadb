"""What following changes needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.sync.interface import Position, SyncFilter, SyncKind

# Those of some resources that readers see, each made of itself first: one statement.
Those = Callable[[Collection[UUID]], Awaitable[Sequence[Delivered]]]


class Place(msgspec.Struct, frozen=True):
    """Where a change stands in the log, and ``inner`` where within it."""

    xact: int
    number: int
    inner: UUID


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that a change was about, and where that stands. What it says now is another question."""

    kind: SyncKind
    type: str | None
    id: UUID
    place: Place


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The keys that one change put out of date."""

    tags: tuple[str, ...]
    changed_at: datetime
    place: Place


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """How far the log is final: every change of transactions before ``xact`` is in it.

    Tombstones of transactions up to ``pruned`` may have been removed.
    """

    epoch: str
    xact: int
    pruned: int


class Walked(msgspec.Struct, frozen=True, kw_only=True):
    """Resources behind a position; ``looked_up_to`` is where the look ended before the end of the walk."""

    horizon: Horizon
    found: list[Touched]
    looked_up_to: Place | None


class Listened(msgspec.Struct, frozen=True, kw_only=True):
    """Changes behind a position."""

    horizon: Horizon
    found: list[Told]


class ChangeQueries(ABC):
    """The log of changes, for reading: one statement each."""

    @abstractmethod
    async def walk(self, at: Position, wanted: SyncFilter, *, limit: int) -> Walked:
        """The first ``limit`` resources that changed behind ``at``, each where it last did within the walk.

        In a walk from a ``start`` on, what changed stands for what shows it as well: a content type
        for its documents, a document for the menus that point at it; but for those that changed
        themselves.
        """

    @abstractmethod
    async def told(self, at: Position, *, limit: int) -> Listened:
        """The first ``limit`` changes behind ``at``."""

    @abstractmethod
    async def horizon(self) -> Horizon:
        """How far the log is final."""

    @abstractmethod
    async def files(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Those files that something live shows, as JSON text."""


class ChangeRepository(ABC):
    """The log of changes, for keeping it short."""

    @abstractmethod
    async def renew(self) -> bool:
        """Begin a new epoch where the log has come from elsewhere: a restored copy. Whether it had."""

    @abstractmethod
    async def compact(
        self, *, after: int, limit: int, superseded_before: datetime, deleted_before: datetime
    ) -> tuple[int | None, int]:
        """Look through ``limit`` changes behind the one numbered ``after``, and remove what says nothing more.

        That is a final change that a newer one of the same resource, from before
        ``superseded_before``, stands for; and the last change of what was deleted before
        ``deleted_before``. Returns the number of the last change looked at, None at the end, and
        how many were removed.
        """

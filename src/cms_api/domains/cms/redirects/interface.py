"""The service of redirects."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.redirects.model import Match, Status
from cms_api.domains.cms.redirects.wanted import Wanted
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey


class RedirectView(msgspec.Struct, frozen=True, kw_only=True):
    """A redirect. Of ``document`` and ``target`` it has one, or with status 410 none.

    Paths are without a slash at the ends, and not percent-encoded; an empty one is the root.
    """

    id: UUID
    locale: str
    kind: Match
    source: str
    document: UUID | None
    target: str | None
    status: Status
    is_automatic: bool
    version: int
    created_at: datetime
    updated_at: datetime


class RedirectChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays, but what leads elsewhere goes where a new one is given."""

    kind: Match | UnsetType = UNSET
    source: str | UnsetType = UNSET
    document: UUID | UnsetType | None = UNSET
    target: str | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET


REDIRECTS = Listing(
    sorts=("source", "created_at", "updated_at"),
    filters={
        "id": "uuid",
        "locale": "text",
        "kind": "text",
        "source": "text",
        "document": "uuid",
        "target": "text",
        "status": "integer",
        "is_automatic": "boolean",
        "created_at": "timestamptz",
        "updated_at": "timestamptz",
    },
    shown=RedirectView.__struct_fields__,
    sort=(SortKey("source"),),
)


class RedirectService(ABC):
    """Redirects. Reading needs ``documents:read``, changing ``redirects:manage``."""

    @abstractmethod
    async def create(
        self, uow: UnitOfWork, actor: Actor, changes: RedirectChanges, *, locale: str | None = None
    ) -> RedirectView:
        """A new redirect; ``changes`` has a source, and where it leads unless it is gone (410).

        Raises `RedirectTaken`, `RedirectChain`, and `Invalid` with every fault: paths and addresses
        that aren't, no target or two, a loop, a document that is not there.
        """

    @abstractmethod
    async def get(self, actor: Actor, redirect_id: UUID) -> RedirectView:
        """One redirect. Raises `ResourceNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[RedirectView]:
        """Redirects, as `REDIRECTS` allows."""

    @abstractmethod
    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        redirect_id: UUID,
        changes: RedirectChanges,
        *,
        expected: int | None,
    ) -> RedirectView:
        """Change a redirect, which is no automatic one from then on.

        Raises as `create` does, `ResourceNotFound` and `Stale`.
        """

    @abstractmethod
    async def delete(self, uow: UnitOfWork, actor: Actor, redirect_id: UUID, *, expected: int | None) -> None:
        """Delete a redirect. Raises `ResourceNotFound`, `Stale`."""

    @abstractmethod
    async def resolve(self, path: str, locale: str | None, wanted: Wanted | None = None) -> Delivered:
        """What is at a path: a live document, else where to go. Raises `NothingPublished`.

        At the root there is the home page. With ``wanted`` the document itself is there too, of
        which it tells what is to be there; raises `Malformed` where that is something unknown.
        A redirect of just this path comes before those of prefixes, of which the longest one
        counts. One that leads to a document which is not live leads nowhere.
        """

    @abstractmethod
    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        """Redirects as the public sees them, without those that lead nowhere by now: one statement.

        Each is made of itself first. Whether something live comes before it, `resolve` tells.
        """

"""What the service of redirects needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from cms_api.domains.cms.redirects.interface import RedirectView
from cms_api.domains.cms.redirects.model import Match, Redirect, Status
from cms_api.querying import Page, PageRequest


class LivePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A live document at a path; ``kind`` is its content type."""

    kind: str
    id: UUID
    path: str


class Detour(msgspec.Struct, frozen=True, kw_only=True):
    """The redirect that is in force at a path.

    ``to`` is where it leads from the path that was asked for, a path or an address; None where it
    is gone, or where it leads to a document that is not live. ``document_id`` is what is live
    there, if anything is.
    """

    id: UUID
    match: Match
    source: str
    target: str | None
    status: Status
    to: str | None
    document_id: UUID | None


class Leading(Detour, frozen=True, kw_only=True):
    """A redirect, and where it leads from its source; ``document`` is the one that it names."""

    locale: str
    document: UUID | None


class RedirectRepository(ABC):
    """Redirects, for changing them. Automatic ones are made by `PublicationRepository`."""

    @abstractmethod
    async def get(self, redirect_id: UUID) -> Redirect | None:
        """The redirect, locked until the unit of work ends."""

    @abstractmethod
    async def lock_all(self) -> None:
        """Keep others from making and changing redirects until the unit of work ends.

        To be asked for before any row is locked: two that make a chain together must see each other.
        """

    @abstractmethod
    async def add(self, redirect: Redirect) -> None:
        """Store a new redirect. Raises `RedirectTaken`, `Invalid` for an unknown document."""

    @abstractmethod
    async def save(self, redirect: Redirect) -> None:
        """Store the changed redirect. Raises as `add` does."""

    @abstractmethod
    async def delete(self, redirect: Redirect) -> None:
        """Remove the redirect."""

    @abstractmethod
    async def twin(self, redirect: Redirect) -> Redirect | None:
        """Another redirect of the same kind from the same path."""

    @abstractmethod
    async def behind(self, redirect: Redirect) -> Redirect | None:
        """Another redirect from where this one leads to by path.

        For a prefix that is all below its target as well, but automatic ones below don't count:
        they are followed at once.
        """

    @abstractmethod
    async def before(self, redirect: Redirect) -> Redirect | None:
        """Another redirect that leads, by path, to what this one leads away."""

    @abstractmethod
    async def has_document(self, document_id: UUID, locale: str) -> bool:
        """Whether there is such a page or post, not in the trash; it stays until the unit of work ends."""


class RedirectQueries(ABC):
    """Redirects, for looking at them."""

    @abstractmethod
    async def get(self, redirect_id: UUID) -> RedirectView | None:
        """One redirect."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[RedirectView]:
        """A page of redirects."""

    @abstractmethod
    async def resolve(self, path: str, above: Collection[str], locale: str) -> LivePlace | Detour | None:
        """What is at a path: what is live there, else the redirect that is in force. One statement.

        ``above`` is the path with all above it. Where nothing is live at the path that a redirect
        leads to, but an automatic one leads on from there, that one is followed. A prefix leads to
        the document itself where nothing is live at the rest of the path below it.
        """

    @abstractmethod
    async def those(self, ids: Collection[UUID]) -> Sequence[Leading]:
        """Those of the redirects that there are, with where `resolve` says that they lead. One statement."""

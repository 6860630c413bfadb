"""What the service of terms needs from outside."""

from abc import ABC, abstractmethod
from uuid import UUID

from cms_api.domains.cms.taxonomies.interface import TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy, Term
from cms_api.querying import Page, PageRequest


class TermRepository(ABC):
    """Terms, for changing them."""

    @abstractmethod
    async def get(self, taxonomy: Taxonomy, term_id: UUID) -> Term | None:
        """The term, locked until the unit of work ends."""

    @abstractmethod
    async def find(self, taxonomy: Taxonomy, slug: str) -> Term | None:
        """The term with a slug, locked until the unit of work ends."""

    @abstractmethod
    async def add(self, term: Term) -> None:
        """Store a new term. Raises `SlugTaken`, `Invalid` for an unknown parent."""

    @abstractmethod
    async def save(self, term: Term) -> None:
        """Store the changed term. Raises as `add` does."""

    @abstractmethod
    async def delete(self, term: Term) -> None:
        """Remove the term; documents no longer count on it. Raises `HasChildren`."""

    @abstractmethod
    async def is_below(self, term_id: UUID, ancestor: UUID) -> bool:
        """Whether the term is ``ancestor`` or below it; nobody else moves terms until the end."""

    @abstractmethod
    async def free_slug(self, taxonomy: Taxonomy, base: str) -> str:
        """``base``, or the first of ``base-2`` … that is free. Two that ask for the same base wait."""


class TermQueries(ABC):
    """Terms, for looking at them."""

    @abstractmethod
    async def get(self, taxonomy: Taxonomy, term_id: UUID) -> TermView | None:
        """One term."""

    @abstractmethod
    async def list(self, taxonomy: Taxonomy, page: PageRequest) -> Page[TermView]:
        """A page of terms."""

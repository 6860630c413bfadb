"""What the service of authors needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from uuid import UUID

from cms_api.domains.cms.authors.interface import AuthorView
from cms_api.domains.cms.authors.model import Author
from cms_api.querying import Page, PageRequest


class AuthorRepository(ABC):
    """Authors, for changing them."""

    @abstractmethod
    async def get(self, author_id: UUID) -> Author | None:
        """The author, locked until the unit of work ends."""

    @abstractmethod
    async def of_user(self, user_id: UUID) -> Author | None:
        """The author who is linked to a user; a second unit of work that asks for her waits."""

    @abstractmethod
    async def user_ids(self, ids: Collection[UUID]) -> frozenset[UUID]:
        """The users who are linked to these authors."""

    @abstractmethod
    async def add(self, author: Author) -> None:
        """Store a new author. Raises `SlugTaken`, `UserHasAuthor`, `Invalid` for an unknown avatar."""

    @abstractmethod
    async def save(self, author: Author) -> None:
        """Store the changed author. Raises as `add` does."""

    @abstractmethod
    async def delete(self, author: Author) -> None:
        """Remove the author; documents no longer count on her."""

    @abstractmethod
    async def free_slug(self, base: str) -> str:
        """``base``, or the first of ``base-2`` … that is free. Two that ask for the same base wait."""


class AuthorQueries(ABC):
    """Authors, for looking at them."""

    @abstractmethod
    async def get(self, author_id: UUID) -> AuthorView | None:
        """One author."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[AuthorView]:
        """A page of authors."""

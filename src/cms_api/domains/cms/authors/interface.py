"""The service of authors."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.media.interface import MEDIA
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, Relation, SortKey


class AuthorView(msgspec.Struct, frozen=True, kw_only=True):
    """A byline. ``user_id`` is the user who writes under it, if she has an account."""

    id: UUID
    name: str
    slug: str
    user_id: UUID | None
    bio: str
    website: str | None
    avatar_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class AuthorChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    user_id: UUID | UnsetType | None = UNSET
    bio: str | UnsetType = UNSET
    website: str | UnsetType | None = UNSET
    avatar_id: UUID | UnsetType | None = UNSET


AUTHORS = Listing(
    sorts=("name", "slug", "created_at"),
    filters={
        "id": "uuid",
        "name": "text",
        "slug": "text",
        "user_id": "uuid",
        "avatar_id": "uuid",
        "avatar": "uuid",
        "created_at": "timestamptz",
    },
    relations={"avatar": Relation(fields=lambda: MEDIA, kinds=("media",), held="avatar_id")},
    shown=(*AuthorView.__struct_fields__, "avatar"),
    expands=True,
    sort=(SortKey("name"),),
)


class AuthorService(ABC):
    """Bylines. Reading needs ``documents:read``, changing ``authors:write``."""

    @abstractmethod
    async def create(self, uow: UnitOfWork, actor: Actor, changes: AuthorChanges) -> AuthorView:
        """A new author; ``changes`` has a name at least, a slug is made of it.

        Raises `SlugTaken`, `UserHasAuthor`, and `Invalid` for an unknown user or avatar.
        """

    @abstractmethod
    async def get(self, actor: Actor, author_id: UUID) -> AuthorView:
        """One author. Raises `ResourceNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[AuthorView]:
        """The authors, as `AUTHORS` allows."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, author_id: UUID, changes: AuthorChanges, *, expected: int | None
    ) -> AuthorView:
        """Change an author. Feeds at her former slug lead to her, as long as no other author takes that.

        Raises as `create` does, and `ResourceNotFound`, `Stale`.
        """

    @abstractmethod
    async def delete(self, uow: UnitOfWork, actor: Actor, author_id: UUID, *, expected: int | None) -> None:
        """Delete an author. Raises `ResourceNotFound`, `Stale`, `InUse`."""

    @abstractmethod
    async def of_user(self, uow: UnitOfWork, user_id: UUID) -> UUID:
        """The author profile of a user, made of her name on first use."""

    @abstractmethod
    async def users_of(self, uow: UnitOfWork, ids: Iterable[UUID]) -> frozenset[UUID]:
        """The users who are linked to these authors."""

"""The service of terms: categories and tags."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.taxonomies.model import Taxonomy
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import FieldType, Listing, Page, PageRequest, Relation, SortKey


class TermView(msgspec.Struct, frozen=True, kw_only=True):
    """A category or a tag."""

    id: UUID
    taxonomy: Taxonomy
    name: str
    slug: str
    description: str
    parent_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class TermChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    parent_id: UUID | UnsetType | None = UNSET


_FILTERS: dict[str, FieldType] = {"id": "uuid", "name": "text", "slug": "text", "created_at": "timestamptz"}
TAGS = Listing(
    sorts=("name", "slug", "created_at"),
    filters=_FILTERS,
    shown=TermView.__struct_fields__,
    sort=(SortKey("name"),),
)
CATEGORIES: Listing = Listing(
    sorts=TAGS.sorts,
    filters={**_FILTERS, "parent_id": "uuid", "parent": "uuid"},
    relations={"parent": Relation(fields=lambda: CATEGORIES, kinds=("category",), held="parent_id")},
    shown=(*TermView.__struct_fields__, "parent"),
    expands=True,
    sort=TAGS.sort,
)


class TermService(ABC):
    """Categories and tags. Reading needs ``documents:read``, changing ``terms:write``."""

    @abstractmethod
    async def create(
        self, uow: UnitOfWork, actor: Actor, taxonomy: Taxonomy, changes: TermChanges
    ) -> TermView:
        """A new term; ``changes`` has a name at least, a slug is made of it.

        Raises `SlugTaken`, and `Invalid` for an unknown parent.
        """

    @abstractmethod
    async def get(self, actor: Actor, taxonomy: Taxonomy, term_id: UUID) -> TermView:
        """One term. Raises `ResourceNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, taxonomy: Taxonomy, page: PageRequest) -> Page[TermView]:
        """The terms of a taxonomy, as `CATEGORIES` and `TAGS` allow."""

    @abstractmethod
    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        taxonomy: Taxonomy,
        term_id: UUID,
        changes: TermChanges,
        *,
        expected: int | None,
    ) -> TermView:
        """Change a term. Feeds at its former slug lead to it, as long as no other term takes that.

        Raises as `create` does, `ResourceNotFound`, `Stale`, `Invalid` for a cycle.
        """

    @abstractmethod
    async def delete(
        self, uow: UnitOfWork, actor: Actor, taxonomy: Taxonomy, term_id: UUID, *, expected: int | None
    ) -> None:
        """Delete a term. Raises `ResourceNotFound`, `Stale`, `InUse`, `HasChildren`."""

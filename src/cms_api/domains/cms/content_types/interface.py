"""The service of content types."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cms_api.domains.cms.content_types.conversions import Resolution
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import READ_RESTRICTED, Field, Key, Label, Note, PathPattern
from cms_api.domains.jobs.api import JobView
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Listing, Page, PageRequest, SortKey

WRITE = "content_types:write"
PERMISSIONS = {
    WRITE: "Make, change and delete content types.",
    READ_RESTRICTED: "See and change restricted fields.",
}


class FieldIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The database's index of a unique or indexed field. While it is not ready, rules hold all the same."""

    field: str
    kind: Literal["unique", "plain"]
    state: Literal["pending", "ready", "failed"]
    detail: str | None


class TypeView(msgspec.Struct, frozen=True, kw_only=True):
    """A content type. ``migration`` is the job by which documents follow the last change, until it is done."""

    id: UUID
    key: str
    name: str
    description: str
    singleton: bool
    title_field: str | None
    path: str | None
    fields: tuple[Field, ...]
    indexes: tuple[FieldIndex, ...]
    migration: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    created_by: UUID | None
    updated_by: UUID | None


class TypeChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New values; what is left out stays. ``fields`` are all of them, in their order.

    A field is the one of before that has its `id`, or else its key and type. ``resolutions`` say,
    by the key of a field, what becomes of values that can't be kept; by ``path``, of addresses.
    """

    name: Label | UnsetType = UNSET
    description: Note | UnsetType = UNSET
    title_field: Key | UnsetType | None = UNSET
    path: PathPattern | UnsetType | None = UNSET
    fields: Annotated[tuple[Field, ...], Meta(max_length=1_000)] | UnsetType = UNSET
    resolutions: dict[str, Resolution] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a plan. ``field`` is the key of a field at the top, or `path`; ``path`` leads on into it.

    ``drafts`` and ``live`` are how many documents' values it touches: ``effect`` tells how. A step
    with ``resolutions`` happens only where one of them is chosen.
    """

    action: Literal[
        "create_type", "update_type", "add_field", "remove_field", "rename_field", "change_field",
        "convert_values", "drop_values", "fill_values", "remove_variant", "move_field", "move_documents", "refuse",
    ]  # fmt: skip
    field: str | None
    path: str
    detail: str
    is_safe: bool
    drafts: int = 0
    live: int = 0
    examples: tuple[UUID, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    resolution: Resolution | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do. ``is_applicable`` is whether it would be done as it was asked for."""

    key: str
    version: int
    is_safe: bool
    is_applicable: bool
    changes: tuple[Change, ...]


class TypeRevision(msgspec.Struct, frozen=True, kw_only=True):
    """A content type as it once was, and what was changed then."""

    version: int
    definition: Definition
    changes: tuple[Change, ...]
    created_at: datetime
    created_by: UUID | None


TYPE_REVISIONS = Listing(
    sorts=("version", "created_at"),
    filters={"version": "integer", "created_at": "timestamptz", "created_by": "uuid"},
    shown=TypeRevision.__struct_fields__,
    sort=(SortKey("version", descending=True),),
)


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """A changed type with the plan that was carried out; ``job`` does what is left, where something is."""

    type: TypeView
    plan: Plan
    job: JobView | None


TYPES = Listing(
    sorts=("key", "created_at"),
    filters={"key": "text", "created_at": "timestamptz"},
    shown=TypeView.__struct_fields__,
    sort=(SortKey("key"),),
)


class ContentTypeService(ABC):
    """Content types made at run time. All may be seen by who sees documents."""

    @abstractmethod
    async def create(self, uow: UnitOfWork, actor: Actor, definition: Definition) -> TypeView:
        """Make a type. Raises `TypeTaken`, and `Invalid` with every fault."""

    @abstractmethod
    async def get(self, actor: Actor, key: str) -> TypeView:
        """One type. Raises `TypeNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[TypeView]:
        """Types, as `TYPES` allows."""

    @abstractmethod
    async def revisions(self, actor: Actor, key: str, page: PageRequest) -> Page[TypeRevision]:
        """What the type was, as `TYPE_REVISIONS` allows. Raises `TypeNotFound`."""

    @abstractmethod
    async def plan(self, uow: UnitOfWork, actor: Actor, key: str, changes: TypeChanges) -> Plan:
        """What a change would do to how many documents; it changes nothing. Raises `Invalid`."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, key: str, changes: TypeChanges, *, expected: int | None
    ) -> Applied:
        """Change a type, where its plan is applicable.

        Raises `Stale`, `Invalid`, `TypeMigrating`, `UnsafeChange`.
        """

    @abstractmethod
    async def migrate(self, uow: UnitOfWork, actor: Actor, key: str, *, expected: int | None) -> JobView:
        """Start the job by which documents follow the last change again, which failed or was cancelled.

        Raises `Stale`, `TypeMigrating` where it is not over, `NothingToMigrate`.
        """

    @abstractmethod
    async def delete(self, uow: UnitOfWork, actor: Actor, key: str, *, expected: int | None) -> None:
        """Delete a type that has no documents. Raises `Stale`, `TypeInUse`."""

    @abstractmethod
    async def promote(
        self,
        uow: UnitOfWork,
        actor: Actor,
        definitions: Sequence[Definition],
        *,
        resolutions: Mapping[str, Mapping[str, Resolution]],
        dry_run: bool,
    ) -> Sequence[Plan]:
        """Make or change several types at once, as another environment has them: all of them or none.

        They may point at one another. Types that are not named stay. ``resolutions`` are by type.
        """


def details(view: TypeView) -> dict[str, Any]:
    """A type as it is written to a file: its definition, with the ids of its fields."""
    definition = Definition(**{name: getattr(view, name) for name in Definition.__struct_fields__})
    found: dict[str, Any] = msgspec.to_builtins(definition)
    return found

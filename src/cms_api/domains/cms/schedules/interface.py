"""The service of schedules."""

from abc import ABC, abstractmethod
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.schedules.model import Action, State
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import FieldType, Listing, Page, PageRequest, SortKey

MAX_PENDING = 50


class ScheduleProblem(msgspec.Struct, frozen=True):
    """What went wrong in the last attempt; ``code`` is one of /problems."""

    code: str
    detail: str


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule. ``local_at`` is ``at`` as the clocks of ``timezone`` show it.

    ``attempts`` are those that failed; ``lateness`` is in seconds, and there once it has fired.
    """

    id: UUID
    document_id: UUID
    type: str
    action: Action
    revision_id: UUID | None
    at: datetime
    local_at: datetime
    timezone: str
    state: State
    attempts: int
    next_attempt_at: datetime | None
    lateness: float | None
    error: ScheduleProblem | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    version: int


class ScheduleChanges(msgspec.Struct, frozen=True, kw_only=True):
    """When to do what; what is unset stays.

    A time is RFC 3339 with an offset, or without one the time that clocks in ``timezone`` show.
    """

    publish_at: str | UnsetType = UNSET
    unpublish_at: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    revision_id: UUID | UnsetType | None = UNSET


SORTS = ("at", "created_at")
FILTERS: dict[str, FieldType] = {
    "state": "text",
    "action": "text",
    "at": "timestamptz",
    "created_at": "timestamptz",
    "created_by": "uuid",
}
SCHEDULES_OF_DOCUMENT = Listing(
    sorts=SORTS, filters=FILTERS, shown=ScheduleView.__struct_fields__, sort=(SortKey("at"),)
)
SCHEDULES = Listing(
    sorts=SORTS,
    filters={**FILTERS, "type": "text", "document_id": "uuid"},
    shown=ScheduleView.__struct_fields__,
    sort=(SortKey("at"),),
)


class ScheduleService(ABC):
    """Publishing and unpublishing at a time. ``kind`` is the key of a content type.

    Reading needs ``documents:read``; changing needs ``documents:publish``, or
    ``documents:publish_own`` for one's own documents. All raise `DocumentNotFound`.
    """

    @abstractmethod
    async def create(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, changes: ScheduleChanges
    ) -> ScheduleView:
        """Have a document published or unpublished; ``changes`` has exactly one of both times.

        Raises `Trashed`, `Archived`, `TooManySchedules`, and `Invalid` with every fault.
        """

    @abstractmethod
    async def get(self, actor: Actor, kind: str, document_id: UUID, schedule_id: UUID) -> ScheduleView:
        """One schedule. Raises `ScheduleNotFound`."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[ScheduleView]:
        """The schedules of all documents, those that failed or were cancelled too."""

    @abstractmethod
    async def list_of(
        self, actor: Actor, kind: str, document_id: UUID, page: PageRequest
    ) -> Page[ScheduleView]:
        """The schedules of a document."""

    @abstractmethod
    async def move(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        schedule_id: UUID,
        changes: ScheduleChanges,
        *,
        expected: int | None,
    ) -> ScheduleView:
        """Change the time, the zone (alone: the wall time stays) or the revision.

        Waits where it is being fired. Raises `ScheduleNotFound`, `ScheduleFinished`, `Stale`,
        and `Trashed`, `Archived` and `Invalid` as `create` does.
        """

    @abstractmethod
    async def cancel(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        schedule_id: UUID,
        *,
        expected: int | None,
    ) -> None:
        """Don't do it. Waits where it is being fired.

        Raises `ScheduleNotFound`, `ScheduleFinished`, `Stale`.
        """

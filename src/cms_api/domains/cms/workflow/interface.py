"""Workflows and tasks, as everybody else sees them."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.workflow.model import Stage, Transition, Workflow
from cms_api.kernel.actor import Actor
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Fields, Listing, Page, PageRequest, Relation, SortKey

WRITE = "workflows:write"
READ_ALL = "tasks:read_all"
PERMISSIONS = {
    WRITE: "Turn workflows on and off, and decide on their stages.",
    READ_ALL: "See the tasks of everybody.",
}

TaskState = Literal["open", "done", "cancelled"]


class WorkflowChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values; what is unset stays."""

    is_enabled: bool | UnsetType = UNSET
    stages: tuple[Stage, ...] | UnsetType = UNSET
    transitions: tuple[Transition, ...] | UnsetType = UNSET


_STAGES = Fields(filters={"key": "text", "name": "text", "may_publish": "boolean"})
_TRANSITIONS = Fields(filters={"from": "text", "to": "text", "roles": "text"})
WORKFLOWS = Listing(
    sorts=("type", "updated_at"),
    filters={
        "type": "text",
        "is_enabled": "boolean",
        "updated_at": "timestamptz",
        "updated_by": "uuid",
    },
    relations={
        "stages": Relation(fields=lambda: _STAGES, is_many=True, hops=0),
        "transitions": Relation(fields=lambda: _TRANSITIONS, is_many=True, hops=0),
    },
    shown=Workflow.__struct_fields__,
    sort=(SortKey("type"),),
)


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """A document that waits for somebody. Where ``assignee`` is null, for anybody with one of ``roles``."""

    id: UUID
    document_id: UUID
    type: str
    title: str
    stage: str
    assignee: UUID | None
    roles: tuple[str, ...]
    note: str | None
    state: TaskState
    version: int
    created_at: datetime
    created_by: UUID | None
    closed_at: datetime | None
    closed_by: UUID | None


TASKS = Listing(
    sorts=("created_at",),
    filters={
        "state": "text",
        "type": "text",
        "document_id": "uuid",
        "assignee": "uuid",
        "roles": "text",
    },
    shown=TaskView.__struct_fields__,
    sort=(SortKey("created_at", descending=True),),
)


class WorkflowService(ABC):
    """Workflows, one for each content type."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[Workflow]:
        """Workflows, as `WORKFLOWS` allows. Needs ``documents:read``."""

    @abstractmethod
    async def get(self, actor: Actor, type: str) -> Workflow:
        """The workflow of a type. Raises `WorkflowNotFound`."""

    @abstractmethod
    async def update(
        self, uow: UnitOfWork, actor: Actor, type: str, changes: WorkflowChanges, *, expected: int | None
    ) -> Workflow:
        """Change it. Needs ``workflows:write``. Raises `Stale`, `StageInUse`, `Invalid` with every fault.

        Turning it on puts all documents of the type at the first stage; turning it off takes them
        off their stages, and cancels the open tasks.
        """


class TaskService(ABC):
    """Tasks. One's own are those assigned to oneself, or to nobody and for one of one's roles."""

    @abstractmethod
    async def list(self, actor: Actor, page: PageRequest) -> Page[TaskView]:
        """The actor's open tasks; filters ask for others. Those of others need ``tasks:read_all``."""

    @abstractmethod
    async def get(self, actor: Actor, task_id: UUID) -> TaskView:
        """A task of one's own; any with ``tasks:read_all``. Raises `TaskNotFound`."""

    @abstractmethod
    async def assign(
        self, uow: UnitOfWork, actor: Actor, task_id: UUID, assignee: UUID | None, *, expected: int | None
    ) -> TaskView:
        """Give an open task to somebody, or to nobody.

        For its assignee, those with one of its roles, or ``workflows:write``. Raises
        `TaskNotFound`, `Stale`, `TaskClosed`, and `Invalid` for an assignee who can't be.
        """

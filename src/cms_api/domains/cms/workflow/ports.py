"""What workflows and tasks need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.cms.workflow.interface import TaskState, TaskView
from cms_api.domains.cms.workflow.model import Workflow
from cms_api.querying import Page, PageRequest


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A document that waits for somebody, at a stage. ``submitted_by`` took it off the first one."""

    id: UUID
    document_id: UUID
    type: str
    stage: str
    assignee_id: UUID | None
    roles: tuple[str, ...]
    note: str | None
    state: TaskState = "open"
    version: int = 1
    created_at: datetime
    created_by: UUID | None
    submitted_by: UUID | None
    closed_at: datetime | None = None
    closed_by: UUID | None = None


class WorkflowRepository(ABC):
    """Workflows, and where documents stand in them."""

    @abstractmethod
    async def get(self, type: str) -> Workflow | None:
        """The workflow, locked until the unit of work ends."""

    @abstractmethod
    async def look(self, type: str, *, keep: bool = False) -> Workflow | None:
        """The workflow as it is; with ``keep``, nobody changes it until the unit of work ends."""

    @abstractmethod
    async def save(self, workflow: Workflow) -> None:
        """Store a workflow that is there already."""

    @abstractmethod
    async def in_use(self, type: str, stages: Collection[str]) -> dict[str, int]:
        """How many documents are at each of ``stages``, where there are any.

        None gets there until the unit of work ends, if it has the workflow locked.
        """

    @abstractmethod
    async def set_stage(self, type: str, stage: str | None) -> None:
        """Put all documents of the type at a stage, those in the trash included, or take them off theirs.

        Their versions count up.
        """


class TaskRepository(ABC):
    """Tasks, for changing them."""

    @abstractmethod
    async def get(self, task_id: UUID) -> Task | None:
        """The task, locked until the unit of work ends."""

    @abstractmethod
    async def add(self, task: Task) -> None:
        """Store a new task."""

    @abstractmethod
    async def save(self, task: Task) -> None:
        """Store who has it."""

    @abstractmethod
    async def close(
        self, document_id: UUID, state: TaskState, *, at: datetime, by: UUID | None
    ) -> Task | None:
        """Close the document's open task; as it is then, None where there is none."""

    @abstractmethod
    async def cancel_all(self, type: str, *, at: datetime, by: UUID | None) -> dict[UUID, UUID]:
        """Cancel all open tasks of a type; their documents, by the ids of the tasks."""


class WorkflowQueries(ABC):
    """Workflows, for looking at them."""

    @abstractmethod
    async def list(self) -> list[Workflow]:
        """All of them, by type."""


class TaskQueries(ABC):
    """Tasks, for looking at them."""

    @abstractmethod
    async def get(self, task_id: UUID) -> TaskView | None:
        """One task."""

    @abstractmethod
    async def list(self, page: PageRequest) -> Page[TaskView]:
        """Tasks, as `TASKS` allows."""

"""The ports of workflows and tasks, without a database."""

import copy
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from cms_api.domains.auth.api import PermissionView, RoleService, RoleView
from cms_api.domains.cms.workflow.interface import TaskState, TaskView
from cms_api.domains.cms.workflow.model import Stage, Transition, Workflow
from cms_api.domains.cms.workflow.ports import (
    Task,
    TaskQueries,
    TaskRepository,
    WorkflowQueries,
    WorkflowRepository,
)
from cms_api.kernel.actor import Actor
from cms_api.querying import Page, PageRequest
from cms_api.querying.evaluating import page_of as page_of_structs

if TYPE_CHECKING:
    from tests.fakes_cms import Store

STAGES = (
    Stage(key="draft", name="Draft"),
    Stage(key="in_review", name="In review"),
    Stage(key="approved", name="Approved", may_publish=True),
)
EDITORS = ("administrator", "editor")
ROLES = frozenset({*EDITORS, "author", "reader"})
TRANSITIONS = (
    Transition(source="draft", to="in_review", roles=("administrator", "author", "editor")),
    Transition(source="in_review", to="approved", roles=EDITORS),
    Transition(source="in_review", to="draft", roles=EDITORS),
    Transition(source="approved", to="draft", roles=EDITORS),
)


def default_workflows(at: datetime) -> dict[str, Workflow]:
    return {
        key: Workflow(
            type=key,
            is_enabled=False,
            stages=STAGES,
            transitions=TRANSITIONS,
            version=1,
            updated_at=at,
            updated_by=None,
        )
        for key in ("page", "post")
    }


class KnownRoles(RoleService):
    async def roles(self, actor: Actor, page: PageRequest) -> Page[RoleView]:
        del actor
        rows = [RoleView(key=key, name=key, description="", permissions=()) for key in sorted(ROLES)]
        return page_of_structs(rows, page, key="key")

    async def existing(self, keys: Iterable[str]) -> frozenset[str]:
        return ROLES & frozenset(keys)

    def permissions(self, actor: Actor, page: PageRequest) -> Page[PermissionView]:
        del actor, page
        return Page(items=[])


class FakeWorkflows(WorkflowRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, type: str) -> Workflow | None:
        return self._store.workflows.get(type)

    async def look(self, type: str, *, keep: bool = False) -> Workflow | None:
        del keep
        return self._store.workflows.get(type)

    async def save(self, workflow: Workflow) -> None:
        self._store.workflows[workflow.type] = workflow

    async def in_use(self, type: str, stages: Collection[str]) -> dict[str, int]:
        numbers: dict[str, int] = {}
        for row in self._store.documents.values():
            if row.type == type and row.stage in stages:
                numbers[row.stage] = numbers.get(row.stage, 0) + 1
        return numbers

    async def set_stage(self, type: str, stage: str | None) -> None:
        for key, row in list(self._store.documents.items()):
            if row.type == type:
                changed = copy.copy(row)
                changed.stage = stage
                changed.version += 1
                self._store.documents[key] = changed


class FakeTasks(TaskRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, task_id: UUID) -> Task | None:
        return self._store.tasks.get(task_id)

    async def add(self, task: Task) -> None:
        self._store.tasks[task.id] = task

    async def save(self, task: Task) -> None:
        self._store.tasks[task.id] = task

    async def close(
        self, document_id: UUID, state: TaskState, *, at: datetime, by: UUID | None
    ) -> Task | None:
        for task in list(self._store.tasks.values()):
            if task.document_id == document_id and task.state == "open":
                return self._closed(task, state, at, by)
        return None

    async def cancel_all(self, type: str, *, at: datetime, by: UUID | None) -> dict[UUID, UUID]:
        mine = [task for task in self._store.tasks.values() if task.type == type and task.state == "open"]
        return {task.id: self._closed(task, "cancelled", at, by).document_id for task in mine}

    def _closed(self, task: Task, state: TaskState, at: datetime, by: UUID | None) -> Task:
        closed = msgspec.structs.replace(
            task, state=state, closed_at=at, closed_by=by, version=task.version + 1
        )
        self._store.tasks[task.id] = closed
        return closed


class FakeWorkflowQueries(WorkflowQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def list(self) -> list[Workflow]:
        return [self._store.workflows[key] for key in sorted(self._store.workflows)]


class FakeTaskQueries(TaskQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, task_id: UUID) -> TaskView | None:
        task = self._store.tasks.get(task_id)
        return None if task is None else self._view(task)

    async def list(self, page: PageRequest) -> Page[TaskView]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - that module knows this one

        rows = [self._view(task) for task in self._store.tasks.values()]
        return page_of(rows, page, getattr, lambda row: row)

    def _view(self, task: Task) -> TaskView:
        values: dict[str, Any] = {
            name: getattr(task, name) for name in TaskView.__struct_fields__ if hasattr(task, name)
        }
        title = self._store.documents[task.document_id].draft.title
        return TaskView(**values, title=title, assignee=task.assignee_id)

"""Workflows and tasks."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied, json_text
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Several
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.workflow.interface import TaskState, TaskView
from cms_api.domains.cms.workflow.model import Workflow
from cms_api.domains.cms.workflow.ports import (
    Task,
    TaskQueries,
    TaskRepository,
    WorkflowQueries,
    WorkflowRepository,
)
from cms_api.querying import Page, PageRequest

NAMES = Workflow.__struct_fields__
WORKFLOW = f"SELECT {', '.join(NAMES)} FROM cms.workflows"
TASK_NAMES = Task.__struct_fields__
TASK_COLUMNS = ", ".join(TASK_NAMES)

TASK = """
SELECT t.id, t.document_id, t.type, d.title, t.stage, t.assignee_id, t.roles, t.note, t.state, t.version,
       t.created_at, t.created_by, t.closed_at, t.closed_by
FROM cms.tasks t JOIN cms.documents d ON d.id = t.document_id"""
TASKS_BY = Keyset(
    {"created_at": Column("t.created_at", "timestamptz")},
    key=Column("t.id", "uuid"),
    filters={
        "state": Column("t.state", "text"),
        "type": Column("t.type", "text"),
        "document_id": Column("t.document_id", "uuid"),
        "assignee": Column("t.assignee_id", "uuid"),
        "roles": Several("EXISTS (SELECT FROM unnest(t.roles) r(key) WHERE {})", Column("r.key", "text")),
    },
)


def _workflow(row: Mapping[str, Any]) -> Workflow:
    return msgspec.convert(dict(row), Workflow)


def _task(row: Mapping[str, Any]) -> Task:
    return Task(**{**row, "roles": tuple(row["roles"])})


class SqlAlchemyWorkflows(WorkflowRepository):
    """Workflows in ``cms.workflows``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, type: str) -> Workflow | None:
        return await self._one(type, "FOR UPDATE")

    async def look(self, type: str, *, keep: bool = False) -> Workflow | None:
        return await self._one(type, "FOR KEY SHARE" if keep else "")

    async def _one(self, type: str, lock: str) -> Workflow | None:
        found = await self._session.execute(text(f"{WORKFLOW} WHERE type = :type {lock}"), {"type": type})
        row = found.mappings().one_or_none()
        return None if row is None else _workflow(dict(row))

    async def save(self, workflow: Workflow) -> None:
        values = copied(workflow, NAMES)
        for name in ("stages", "transitions"):
            values[name] = json_text(values[name])
        await self._session.execute(
            text(
                """
                UPDATE cms.workflows SET is_enabled = :is_enabled, stages = CAST(:stages AS jsonb),
                    transitions = CAST(:transitions AS jsonb), version = :version, updated_at = :updated_at,
                    updated_by = :updated_by
                WHERE type = :type
                """
            ),
            values,
        )

    async def in_use(self, type: str, stages: Collection[str]) -> dict[str, int]:
        found = await self._session.execute(
            text(
                # All of them are waited for: whoever edits one now may be sending it to such a stage.
                """
                WITH documents AS MATERIALIZED (
                    SELECT stage FROM cms.documents WHERE type = :type AND stage IS NOT NULL FOR SHARE)
                SELECT stage, count(*) FROM documents WHERE stage = ANY(:stages) GROUP BY stage
                """
            ),
            {"type": type, "stages": list(stages)},
        )
        return {stage: number for stage, number in found}  # noqa: C416 - a row is no pair to mypy

    async def set_stage(self, type: str, stage: str | None) -> None:
        await self._session.execute(
            text("UPDATE cms.documents SET stage = :stage, version = version + 1 WHERE type = :type"),
            {"type": type, "stage": stage},
        )


class SqlAlchemyTasks(TaskRepository):
    """Tasks in ``cms.tasks``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, task_id: UUID) -> Task | None:
        return await self._one(f"SELECT {TASK_COLUMNS} FROM cms.tasks WHERE id = :id FOR UPDATE", id=task_id)

    async def add(self, task: Task) -> None:
        holders = ", ".join(f":{name}" for name in TASK_NAMES)
        values = copied(task, TASK_NAMES) | {"roles": list(task.roles)}
        await self._session.execute(
            text(f"INSERT INTO cms.tasks ({TASK_COLUMNS}) VALUES ({holders})"), values
        )

    async def save(self, task: Task) -> None:
        await self._session.execute(
            text("UPDATE cms.tasks SET assignee_id = :assignee_id, version = :version WHERE id = :id"),
            copied(task, ("id", "assignee_id", "version")),
        )

    async def close(
        self, document_id: UUID, state: TaskState, *, at: datetime, by: UUID | None
    ) -> Task | None:
        return await self._one(
            f"""
            UPDATE cms.tasks SET state = :state, closed_at = :at, closed_by = :by, version = version + 1
            WHERE document_id = :id AND state = 'open' RETURNING {TASK_COLUMNS}
            """,
            id=document_id,
            state=state,
            at=at,
            by=by,
        )

    async def cancel_all(self, type: str, *, at: datetime, by: UUID | None) -> dict[UUID, UUID]:
        found = await self._session.execute(
            text(
                """
                UPDATE cms.tasks SET state = 'cancelled', closed_at = :at, closed_by = :by, version = version + 1
                WHERE type = :type AND state = 'open' RETURNING id, document_id
                """
            ),
            {"type": type, "at": at, "by": by},
        )
        return {task: document for task, document in found}  # noqa: C416

    async def _one(self, statement: str, **values: object) -> Task | None:
        row = (await self._session.execute(text(statement), values)).mappings().one_or_none()
        return None if row is None else _task(dict(row))


class SqlWorkflows(WorkflowQueries):
    """Workflows, for looking at them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list(self) -> list[Workflow]:
        rows = await self._reader.rows(f"{WORKFLOW} ORDER BY type")
        return [_workflow(dict(zip(NAMES, row, strict=True))) for row in rows]


class SqlTasks(TaskQueries):
    """Tasks, for looking at them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, task_id: UUID) -> TaskView | None:
        row = await self._reader.one(TASK + "\nWHERE t.id = %(id)s", {"id": task_id})
        return None if row is None else _shown(row)

    async def list(self, page: PageRequest) -> Page[TaskView]:
        return await TASKS_BY.page(self._reader, TASK, [], {}, page, _shown)


def _shown(row: tuple[Any, ...]) -> TaskView:
    values = dict(zip(TaskView.__struct_fields__, row, strict=True))
    values["roles"] = tuple(values["roles"])
    return TaskView(**values)

"""The workflow as the document engine asks it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.documents.errors import Archived, NoSuchTransition, NotApproved, Trashed
from cms_api.domains.cms.documents.interface import Move
from cms_api.domains.cms.documents.model import Document, Snapshot
from cms_api.domains.cms.documents.ports import Stages
from cms_api.domains.cms.workflow.events import TaskClosed, TaskOpened
from cms_api.domains.cms.workflow.model import Workflow
from cms_api.domains.cms.workflow.ports import Task, TaskRepository, WorkflowRepository
from cms_api.domains.cms.workflow.tasks import check_assignee
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Forbidden
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork


class WorkflowStages(Stages):
    """Stages by the workflow of the document's type."""

    def __init__(self, *, users: UserService) -> None:
        self._users = users

    async def first_stage(self, uow: UnitOfWork, type: str) -> str | None:
        workflow = await uow.repository(WorkflowRepository).look(type, keep=True)
        return workflow.first if workflow is not None and workflow.is_enabled else None

    async def edited(self, uow: UnitOfWork, actor: Actor, document: Document[Any], *, at: datetime) -> None:
        if document.stage is None:
            return
        workflow = await uow.repository(WorkflowRepository).look(document.type)
        if workflow is None or (stage := workflow.after_edit(document.stage)) == document.stage:
            return
        uow.record(document.send_back(stage).by(actor))
        closed = await self._closed(uow, actor, document.id, "cancelled", at)
        if closed is not None and (submitter := closed.submitted_by) is not None:
            back = Move(stage=stage)
            await self._open(uow, actor, document, workflow, back, submitter, submitter, at)

    async def check_publishable(
        self, uow: UnitOfWork, actor: Actor, document: Document[Any], snapshot: Snapshot[Any] | None
    ) -> None:
        # An import brings what was published elsewhere. A schedule acts for a user, and is held to it.
        if document.stage is None or (actor.is_system and actor.user_id is None):
            return
        if snapshot is not None and snapshot.published_at is not None:
            return
        workflow = await uow.repository(WorkflowRepository).look(document.type)
        publishable = workflow.publishable if workflow is not None else []
        if snapshot is not None or document.stage not in publishable:
            raise NotApproved(publishable)

    async def move(
        self, uow: UnitOfWork, actor: Actor, document: Document[Any], move: Move, *, at: datetime
    ) -> None:
        if document.trashed_at is not None:
            raise Trashed
        if document.archived_at is not None:
            raise Archived
        workflow = await uow.repository(WorkflowRepository).look(document.type)
        before = document.stage
        way = workflow.transition(before, move.stage) if workflow is not None and before else None
        if workflow is None or way is None:
            raise NoSuchTransition(before, move.stage)
        if not actor.is_system and not actor.roles.intersection(way.roles):
            raise Forbidden("None of your roles may do this.", roles=list(way.roles))
        roles = workflow.roles_at(move.stage)
        await check_assignee(self._users, uow, move.assignee, roles)
        uow.record(document.move(move.stage, at=at, by=actor.user_id, comment=move.comment).by(actor))
        closed = await self._closed(uow, actor, document.id, "done", at)
        submitter = closed.submitted_by if closed is not None else None
        if before == workflow.first:
            submitter = actor.user_id
        assignee = move.assignee
        if move.stage == workflow.first:
            assignee = assignee or submitter
        # A task that nobody sees is none: at the first stage without a submitter, and at a last one.
        if assignee is None and (move.stage == workflow.first or not roles):
            return
        await self._open(uow, actor, document, workflow, move, assignee, submitter, at)

    async def close(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document: Document[Any],
        state: Literal["done", "cancelled"],
        *,
        at: datetime,
    ) -> None:
        if document.stage is not None:
            await self._closed(uow, actor, document.id, state, at)

    async def _open(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document: Document[Any],
        workflow: Workflow,
        move: Move,
        assignee: UUID | None,
        submitter: UUID | None,
        at: datetime,
    ) -> None:
        task = Task(
            id=new_id(),
            document_id=document.id,
            type=document.type,
            stage=move.stage,
            assignee_id=assignee,
            roles=workflow.roles_at(move.stage),
            note=move.comment,
            created_at=at,
            created_by=actor.user_id,
            submitted_by=submitter,
        )
        await uow.repository(TaskRepository).add(task)
        uow.record(
            TaskOpened(subject=task.id, document=document.id, stage=task.stage, assignee=assignee).by(actor)
        )

    async def _closed(
        self,
        uow: UnitOfWork,
        actor: Actor,
        document_id: UUID,
        state: Literal["done", "cancelled"],
        at: datetime,
    ) -> Task | None:
        task = await uow.repository(TaskRepository).close(document_id, state, at=at, by=actor.user_id)
        if task is not None:
            uow.record(TaskClosed(subject=task.id, document=document_id, state=state).by(actor))
        return task

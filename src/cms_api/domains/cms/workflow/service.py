"""Deciding on workflows."""

from uuid import uuid5

import msgspec

from cms_api.domains.auth.api import RoleService
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.resources import given
from cms_api.domains.cms.workflow.errors import StageInUse, WorkflowNotFound
from cms_api.domains.cms.workflow.events import NAMESPACE, TaskClosed, WorkflowUpdated
from cms_api.domains.cms.workflow.interface import WRITE, WorkflowChanges, WorkflowService
from cms_api.domains.cms.workflow.model import Workflow, check
from cms_api.domains.cms.workflow.ports import TaskRepository, WorkflowQueries, WorkflowRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest
from cms_api.querying.evaluating import page_of


class Workflows(WorkflowService):
    """The service of workflows."""

    def __init__(self, *, clock: Clock, queries: WorkflowQueries, roles: RoleService) -> None:
        self._clock = clock
        self._queries = queries
        self._roles = roles

    async def list(self, actor: Actor, page: PageRequest) -> Page[Workflow]:
        actor.require(policy.READ)
        return page_of(await self._queries.list(), page, key="type")

    async def get(self, actor: Actor, type: str) -> Workflow:
        actor.require(policy.READ)
        found = next((one for one in await self._queries.list() if one.type == type), None)
        if found is None:
            raise WorkflowNotFound
        return found

    async def update(
        self, uow: UnitOfWork, actor: Actor, type: str, changes: WorkflowChanges, *, expected: int | None
    ) -> Workflow:
        actor.require(WRITE)
        workflows = uow.repository(WorkflowRepository)
        if (found := await workflows.get(type)) is None:
            raise WorkflowNotFound
        check_version(found.version, expected)
        values = given(changes)
        if all(getattr(found, name) == value for name, value in values.items()):
            return found
        changed = msgspec.structs.replace(
            found, **values, version=found.version + 1, updated_at=self._clock.now(), updated_by=actor.user_id
        )
        roles = await self._roles.existing(role for way in changed.transitions for role in way.roles)
        check(changed.stages, changed.transitions, roles=roles)
        await self._apply(uow, actor, found, changed)
        await workflows.save(changed)
        uow.record(
            WorkflowUpdated(
                subject=uuid5(NAMESPACE, type),
                type=type,
                version=changed.version,
                is_enabled=changed.is_enabled,
            ).by(actor)
        )
        return changed

    async def _apply(self, uow: UnitOfWork, actor: Actor, before: Workflow, after: Workflow) -> None:
        """Bring the documents to where the changed workflow has them."""
        workflows = uow.repository(WorkflowRepository)
        if before.is_enabled and not after.is_enabled:
            await workflows.set_stage(after.type, None)
            cancelled = await uow.repository(TaskRepository).cancel_all(
                after.type, at=after.updated_at, by=actor.user_id
            )
            uow.record(
                *(
                    TaskClosed(subject=task, document=document, state="cancelled").by(actor)
                    for task, document in cancelled.items()
                )
            )
        elif after.is_enabled and not before.is_enabled:
            await workflows.set_stage(after.type, after.first)
        elif gone := {one.key for one in before.stages} - {one.key for one in after.stages}:
            for stage, number in sorted((await workflows.in_use(after.type, gone)).items()):
                raise StageInUse(stage, number)

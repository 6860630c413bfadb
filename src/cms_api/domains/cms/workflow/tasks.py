"""Tasks: who sees them, and who has them."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.workflow import errors
from cms_api.domains.cms.workflow.events import TaskAssigned
from cms_api.domains.cms.workflow.interface import READ_ALL, WRITE, TaskService, TaskView
from cms_api.domains.cms.workflow.ports import TaskQueries, TaskRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import (
    AnyOf,
    Comparison,
    Condition,
    Page,
    PageRequest,
    all_of,
    comparisons,
    mentions,
)

OPEN = Comparison("state", "eq", ("open",))


class Tasks(TaskService):
    """The service of tasks."""

    def __init__(self, *, clock: Clock, queries: TaskQueries, users: UserService) -> None:
        self._clock = clock
        self._queries = queries
        self._users = users

    async def list(self, actor: Actor, page: PageRequest) -> Page[TaskView]:
        actor.require_known()
        asked = [one for one in comparisons(page.filter) if one.field == "assignee"]
        narrowed = page if mentions(page.filter, "state") else page.narrowed(OPEN)
        if any(one.operator != "eq" or one.values != (actor.user_id,) for one in asked):
            actor.require(READ_ALL)
        else:
            narrowed = narrowed.narrowed(_own(actor))
        return await self._queries.list(narrowed)

    async def get(self, actor: Actor, task_id: UUID) -> TaskView:
        actor.require_known()
        task = await self._queries.get(task_id)
        if task is None or not (_is_for(actor, task.assignee, task.roles) or actor.may(READ_ALL)):
            raise errors.TaskNotFound
        return task

    async def assign(
        self, uow: UnitOfWork, actor: Actor, task_id: UUID, assignee: UUID | None, *, expected: int | None
    ) -> TaskView:
        actor.require_known()
        tasks = uow.repository(TaskRepository)
        task = await tasks.get(task_id)
        shown = None if task is None else await self._queries.get(task_id)
        if task is None or shown is None:
            raise errors.TaskNotFound
        may_see = _is_for(actor, task.assignee_id, task.roles) or actor.may(READ_ALL)
        is_hers = actor.user_id == task.assignee_id or bool(actor.roles.intersection(task.roles))
        if not (is_hers or actor.may(WRITE)):
            if not may_see:
                raise errors.TaskNotFound
            actor.require(WRITE)
        check_version(task.version, expected)
        if task.state != "open":
            raise errors.TaskClosed
        await check_assignee(self._users, uow, assignee, task.roles)
        if assignee != task.assignee_id:
            task = msgspec.structs.replace(task, assignee_id=assignee, version=task.version + 1)
            await tasks.save(task)
            uow.record(
                TaskAssigned(
                    subject=task.id, document=task.document_id, version=task.version, assignee=assignee
                ).by(actor)
            )
        return msgspec.structs.replace(shown, assignee=assignee, version=task.version)


async def check_assignee(
    users: UserService, uow: UnitOfWork, assignee: UUID | None, roles: Collection[str]
) -> None:
    """Raise `Invalid` unless it is nobody, or an active user with one of ``roles``."""
    if assignee is None:
        return
    user = (await users.find_by_ids(uow, [assignee])).get(assignee)
    if user is None or not user.is_active:
        raise invalid("/assignee", "unknown_reference", "There is no active user with this id.")
    if not set(user.roles).intersection(roles):
        raise invalid("/assignee", "role", "This user has none of the roles that can go on from there.")


def _own(actor: Actor) -> Condition:
    """What is true of tasks that `_is_for` says are the actor's."""
    free = all_of(
        Comparison("assignee", "exists", (False,)),
        Comparison("roles", "in", tuple(sorted(actor.roles))),
    )
    return free if actor.user_id is None else AnyOf((Comparison("assignee", "eq", (actor.user_id,)), free))


def _is_for(actor: Actor, assignee: UUID | None, roles: Collection[str]) -> bool:
    if assignee is None:
        return bool(actor.roles.intersection(roles))
    return assignee == actor.user_id

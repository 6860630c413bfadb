"""Workflows, moving documents through them, and the tasks that come of it."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.documents import documents_alias
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import (
    TASKS,
    WORKFLOWS,
    Move,
    PageService,
    PageView,
    PostService,
    PostView,
    Stage,
    TaskService,
    TaskView,
    Transition,
    Workflow,
    WorkflowChanges,
    WorkflowService,
)
from cms_api.kernel.unit_of_work import UnitOfWork

# The end of a pattern is before a last line break, too.
StageKey = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$(?!\n)", max_length=50)]
StageName = Annotated[str, Meta(min_length=1, max_length=100)]
RoleKey = Annotated[str, Meta(min_length=1, max_length=100)]
Comment = Annotated[str, Meta(min_length=1, max_length=2_000)]


class StageInput(Wire, frozen=True, kw_only=True):
    """A stage. Documents may be published at those with `may_publish`."""

    key: StageKey
    name: StageName
    may_publish: bool = False


class TransitionInput(Wire, frozen=True, kw_only=True):
    """A way between stages, and the roles that may take a document along it."""

    source: StageKey = msgspec.field(name="from")
    to: StageKey
    roles: Annotated[tuple[RoleKey, ...], Meta(min_length=1, max_length=50)]


class WorkflowPatch(Wire, frozen=True, kw_only=True):
    """New values; what is left out stays. Stages and transitions are replaced whole."""

    is_enabled: bool | UnsetType = UNSET
    stages: Annotated[tuple[StageInput, ...], Meta(max_length=20)] | UnsetType = UNSET
    transitions: Annotated[tuple[TransitionInput, ...], Meta(max_length=400)] | UnsetType = UNSET


class MoveInput(Wire, frozen=True, kw_only=True):
    """Where to, for whom, and why."""

    stage: StageKey
    assignee: UUID | None = None
    comment: Comment | None = None


class TaskPatch(Wire, frozen=True, kw_only=True):
    """Who is to have it; null is anybody with one of its roles."""

    assignee: UUID | None


def move_controller(plural: str, noun: str, *, service: type[Any], view: type[Any]) -> type[Controller]:
    """The route that moves a content type's documents."""
    Service = NamedDependency[service]  # noqa: N806 - an annotation
    View = Response[view]  # noqa: N806
    name = noun.capitalize()

    class MoveController(Controller):
        """Moving from stage to stage."""

        path = f"/{plural}"
        tags = (plural.partition("/")[0],)
        dependencies = {"documents": documents_alias(plural, service)}  # noqa: RUF012 - Litestar's own idiom

        @post(
            "/{document_id:uuid}/move",
            operation_id=f"move{name}",
            summary=f"Move a {noun} to another stage",
            status_code=200,
            opt={"example": {"stage": "in_review", "comment": "Please look at the numbers."}},
        )
        async def move(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            data: JSONBody[MoveInput],
            if_match: NamedDependency[int | None],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
        ) -> View:
            """Its task is done then, and one for the new stage is opened."""
            async with uow:
                document = await documents.move(
                    uow, request.user, document_id, into(data, Move), expected=if_match
                )
            return resource(request, document)

    MoveController.__name__ = f"{name}MoveController"
    return MoveController


PostMoves = move_controller("posts", "post", service=PostService, view=PostView)
PageMoves = move_controller("pages", "page", service=PageService, view=PageView)


class WorkflowController(Controller):
    """Stages on the way to readers."""

    path = "/workflows"
    tags = ("workflows",)

    @get("/", operation_id="listWorkflows", opt={"listing": WORKFLOWS})
    async def list_workflows(
        self, request: ApiRequest, workflows: NamedDependency[WorkflowService]
    ) -> Response[ListView[Workflow]]:
        """The workflows of all content types."""
        query = list_query(request, WORKFLOWS)
        return list_response(request, query, await workflows.list(request.user, query.request))

    @get("/{type_key:str}", operation_id="getWorkflow")
    async def get_workflow(
        self, request: ApiRequest, type_key: FromPath[str], workflows: NamedDependency[WorkflowService]
    ) -> Response[Workflow]:
        """The workflow of a content type, like `post`."""
        return resource(request, await workflows.get(request.user, type_key))

    @patch("/{type_key:str}", operation_id="updateWorkflow", opt={"example": {"is_enabled": True}})
    async def update_workflow(
        self,
        request: ApiRequest,
        type_key: FromPath[str],
        data: JSONBody[WorkflowPatch],
        if_match: NamedDependency[int | None],
        workflows: NamedDependency[WorkflowService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[Workflow]:
        """Turned on, all documents go to the first stage; turned off, open tasks are cancelled."""
        changes = _changes(data)
        async with uow:
            found = await workflows.update(uow, request.user, type_key, changes, expected=if_match)
        return resource(request, found)


class TaskController(Controller):
    """What waits for whom."""

    path = "/tasks"
    tags = ("tasks",)

    @get("/", operation_id="listTasks", opt={"listing": TASKS})
    async def list_tasks(
        self, request: ApiRequest, tasks: NamedDependency[TaskService]
    ) -> Response[ListView[TaskView]]:
        """One's own open tasks. `filter[state]` asks for others, `filter[assignee]` for others' ones."""
        query = list_query(request, TASKS)
        return list_response(request, query, await tasks.list(request.user, query.request))

    @get("/{task_id:uuid}", operation_id="getTask")
    async def get_task(
        self, request: ApiRequest, task_id: FromPath[UUID], tasks: NamedDependency[TaskService]
    ) -> Response[TaskView]:
        """One task."""
        return resource(request, await tasks.get(request.user, task_id))

    @patch("/{task_id:uuid}", operation_id="assignTask", opt={"example": {"assignee": None}})
    async def assign_task(
        self,
        request: ApiRequest,
        task_id: FromPath[UUID],
        data: JSONBody[TaskPatch],
        if_match: NamedDependency[int | None],
        tasks: NamedDependency[TaskService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[TaskView]:
        """Give it to somebody, or to nobody."""
        async with uow:
            task = await tasks.assign(uow, request.user, task_id, data.assignee, expected=if_match)
        return resource(request, task)


def _changes(data: WorkflowPatch) -> WorkflowChanges:
    changes = into(data, WorkflowChanges)
    if data.stages is not UNSET:
        stages = tuple(into(one, Stage) for one in data.stages)
        changes = msgspec.structs.replace(changes, stages=stages)
    if data.transitions is not UNSET:
        ways = tuple(into(one, Transition) for one in data.transitions)
        changes = msgspec.structs.replace(changes, transitions=ways)
    return changes

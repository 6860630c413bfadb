"""What every repository of workflows and tasks does, and the queries beside them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
from tests.contracts.cms.conftest import Backend

from cms_api.domains.cms.documents.content import PostContent
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.workflow.interface import TASKS
from cms_api.domains.cms.workflow.model import Stage
from cms_api.domains.cms.workflow.ports import Task, TaskRepository, WorkflowRepository
from cms_api.kernel.ids import new_id
from cms_api.querying import AnyOf, Comparison, Condition, PageRequest, all_of

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
PAGE = PageRequest(sort=TASKS.sort)


async def begun(backend: Backend, *, stage: str | None) -> UUID:
    content = PostContent(title="A post", slug=f"post-{uuid4()}")
    document, _ = Document.create(POST, content, locale="en", at=AT, by=None, stage=stage)
    async with backend.uow() as uow:
        await uow.repository(DocumentRepository).add(document)
    return document.id


def task(document_id: UUID, *, assignee: UUID | None = None) -> Task:
    return Task(
        id=new_id(),
        document_id=document_id,
        type="post",
        stage="in_review",
        assignee_id=assignee,
        roles=("administrator", "editor"),
        note="Look",
        created_at=AT,
        created_by=None,
        submitted_by=None,
    )


async def test_a_workflow_is_changed(backend: Backend) -> None:
    assert [(one.type, one.is_enabled) for one in await backend.workflows.list()] == [
        ("page", False),
        ("post", False),
    ]
    async with backend.uow() as uow:
        workflows = uow.repository(WorkflowRepository)
        found = await workflows.get("post")
        assert found is not None
        stages = (Stage(key="only", name="Only", may_publish=True),)
        changed = msgspec.structs.replace(found, stages=stages, is_enabled=True, version=2)
        await workflows.save(changed)
        assert await workflows.get("novel") is None
    async with backend.uow() as uow:
        assert await uow.repository(WorkflowRepository).look("post", keep=True) == changed


async def test_stages_are_set_and_counted(backend: Backend) -> None:
    one = await begun(backend, stage=None)
    async with backend.uow() as uow:
        workflows = uow.repository(WorkflowRepository)
        await workflows.set_stage("post", "draft")
        assert await workflows.in_use("post", {"draft", "approved"}) == {"draft": 1}
        assert await workflows.in_use("page", {"draft"}) == {}
    found = await backend.documents.get(POST, one)
    assert found is not None
    assert (found.stage, found.version) == ("draft", 2)


async def test_tasks_are_for_somebody(backend: Backend) -> None:
    ann = uuid4()
    free, hers = task(await begun(backend, stage="in_review")), task(await begun(backend, stage="in_review"))
    hers = msgspec.structs.replace(hers, assignee_id=ann)
    async with backend.uow() as uow:
        await uow.repository(TaskRepository).add(free)
        await uow.repository(TaskRepository).add(hers)

    async def seen(*conditions: Condition) -> set[UUID]:
        page = await backend.tasks.list(PAGE.narrowed(all_of(*conditions)))
        return {one.id for one in page.items}

    unassigned = Comparison("assignee", "exists", (False,))
    is_hers = Comparison("assignee", "eq", (ann,))
    for_her = all_of(unassigned, Comparison("roles", "in", ("author", "editor")))
    assert await seen() == {free.id, hers.id}
    assert await seen(is_hers) == {hers.id}
    assert await seen(AnyOf((is_hers, for_her))) == {free.id, hers.id}
    assert await seen(for_her) == {free.id}
    assert await seen(unassigned, Comparison("roles", "in", ())) == set()
    assert await seen(Comparison("roles", "eq", ("author",))) == set()
    assert await seen(Comparison("roles", "ne", ("author",))) == {free.id, hers.id}
    assert await seen(Comparison("state", "eq", ("done",))) == set()
    shown = await backend.tasks.get(hers.id)
    assert shown is not None
    assert (shown.title, shown.assignee, shown.roles) == ("A post", ann, ("administrator", "editor"))


async def test_tasks_are_closed(backend: Backend) -> None:
    one, other = task(await begun(backend, stage="in_review")), task(await begun(backend, stage="in_review"))
    async with backend.uow() as uow:
        tasks = uow.repository(TaskRepository)
        await tasks.add(one)
        await tasks.add(other)
        closed = await tasks.close(one.document_id, "done", at=AT, by=None)
        assert closed is not None
        assert (closed.id, closed.state, closed.version) == (one.id, "done", 2)
        assert await tasks.close(one.document_id, "done", at=AT, by=None) is None
        await tasks.save(msgspec.structs.replace(other, assignee_id=one.id, version=2))
        assert await tasks.cancel_all("page", at=AT, by=None) == {}
        assert await tasks.cancel_all("post", at=AT, by=None) == {other.id: other.document_id}
    async with backend.uow() as uow:
        found = await uow.repository(TaskRepository).get(other.id)
        assert found is not None
        assert (found.state, found.assignee_id, found.version) == ("cancelled", one.id, 3)

"""Workflows, stages and tasks on fakes: who may, what is published, whose task it is."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import msgspec
import pytest
from tests.fakes_cms import FakeCms, ListSource
from tests.fakes_workflow import (
    STAGES,
    TRANSITIONS,
    FakeTaskQueries,
    FakeWorkflowQueries,
    KnownRoles,
)

from cms_api.domains.auth.api import UserSummary
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import Archived, NoSuchTransition, NotApproved, Trashed
from cms_api.domains.cms.documents.interface import Move
from cms_api.domains.cms.imports.source import SourceDocument, SourceSite
from cms_api.domains.cms.pages.interface import PageChanges
from cms_api.domains.cms.posts.interface import PostChanges, PostView
from cms_api.domains.cms.workflow.errors import StageInUse, TaskClosed, TaskNotFound, WorkflowNotFound
from cms_api.domains.cms.workflow.events import NAMESPACE
from cms_api.domains.cms.workflow.interface import (
    READ_ALL,
    TASKS,
    WORKFLOWS,
    WRITE,
    TaskView,
    WorkflowChanges,
)
from cms_api.domains.cms.workflow.model import Stage, Transition, Workflow
from cms_api.domains.cms.workflow.service import Workflows
from cms_api.domains.cms.workflow.tasks import Tasks
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import CmsError, Forbidden, Invalid, Stale, Unauthenticated
from cms_api.querying import Comparison, PageRequest, all_of

ALL = frozenset(policy.PERMISSIONS)
MINE = PageRequest(sort=TASKS.sort)


@pytest.fixture
def workflows(cms: FakeCms) -> Workflows:
    return Workflows(clock=cms.clock, queries=FakeWorkflowQueries(cms.store), roles=KnownRoles())


@pytest.fixture
def tasks(cms: FakeCms) -> Tasks:
    return Tasks(clock=cms.clock, queries=FakeTaskQueries(cms.store), users=cms.users)


@pytest.fixture
def person(cms: FakeCms):
    """Makes a user with some roles, and the permissions that are told."""

    def work(name: str, *roles: str, may: frozenset[str] = ALL, is_active: bool = True) -> Actor:
        user = UserSummary(
            id=uuid4(), name=name, email=f"{name}@example.org", is_active=is_active, roles=roles
        )
        cms.users.users[user.id] = user
        return Actor(user_id=user.id, permissions=may, roles=frozenset(roles))

    return work


@pytest.fixture
def ann(person) -> Actor:
    made: Actor = person("ann", "author")
    return made


@pytest.fixture
def bea(person) -> Actor:
    made: Actor = person("bea", "editor")
    return made


@pytest.fixture
def chief(person) -> Actor:
    made: Actor = person("chief", "administrator", may=ALL | {WRITE, READ_ALL})
    return made


@pytest.fixture
def set_up(cms: FakeCms, workflows: Workflows, chief: Actor):
    """Changes the workflow of posts; turned on, where nothing is said."""

    async def work(*, actor: Actor = chief, expected: int | None = None, **values: Any) -> Workflow:
        changes = WorkflowChanges(**(values or {"is_enabled": True}))
        async with cms.uow() as uow:
            return await workflows.update(uow, actor, "post", changes, expected=expected)

    return work


@pytest.fixture
def begin(cms: FakeCms, ann: Actor):
    async def work(title: str = "Hello", *, actor: Actor = ann) -> PostView:
        async with cms.uow() as uow:
            return await cms.posts.create(uow, actor, PostChanges(title=title))

    return work


@pytest.fixture
def act(cms: FakeCms):
    """Does something to a post, in a unit of work of its own."""

    async def work(actor: Actor, what: str, post: PostView, *more: Any, **how: Any) -> Any:
        async with cms.uow() as uow:
            return await getattr(cms.posts, what)(uow, actor, post.id, *more, **({"expected": None} | how))

    return work


@pytest.fixture
def move(act):
    async def work(actor: Actor, post: PostView, *stages: str, **how: Any) -> PostView:
        moved = post
        for stage in stages:
            moved = await act(actor, "move", post, Move(stage=stage, **how))
        return moved

    return work


@pytest.fixture
def assign(cms: FakeCms, tasks: Tasks):
    async def work(
        actor: Actor, task: TaskView, to: Actor | UUID | None, *, expected: int | None = None
    ) -> TaskView:
        assignee = to.user_id if isinstance(to, Actor) else to
        async with cms.uow() as uow:
            return await tasks.assign(uow, actor, task.id, assignee, expected=expected)

    return work


async def seen(tasks: Tasks, actor: Actor, *filters: Comparison) -> list[TaskView]:
    return (await tasks.list(actor, msgspec.structs.replace(MINE, filter=all_of(*filters)))).items


def faults(error: CmsError) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in error.faults]


# Deciding on workflows


async def test_who_reads_and_decides(cms: FakeCms, workflows: Workflows, bea: Actor, set_up) -> None:
    page = PageRequest(sort=WORKFLOWS.sort)
    assert [one.type for one in (await workflows.list(bea, page)).items] == ["page", "post"]
    assert (await workflows.get(bea, "post")).stages == STAGES
    with pytest.raises(Unauthenticated):
        await workflows.list(ANONYMOUS, page)
    with pytest.raises(Forbidden):
        await workflows.get(Actor(user_id=uuid4()), "post")
    with pytest.raises(WorkflowNotFound):
        await workflows.get(bea, "novel")
    with pytest.raises(Unauthenticated):
        await set_up(actor=ANONYMOUS)
    with pytest.raises(Forbidden):
        await set_up(actor=bea)
    with pytest.raises(Stale):
        await set_up(expected=2)
    async with cms.uow() as uow:
        with pytest.raises(WorkflowNotFound):
            await workflows.update(uow, SYSTEM, "novel", WorkflowChanges(is_enabled=True), expected=None)
    assert cms.store.workflows["post"].version == 1
    assert cms.names() == []


async def test_a_change_is_told_and_the_same_again_is_none(cms: FakeCms, chief: Actor, set_up) -> None:
    changed = await set_up(expected=1)
    assert (changed.version, changed.is_enabled, changed.updated_by) == (2, True, chief.user_id)
    (event,) = cms.store.events
    assert (event.name, event.subject, event.actor) == (
        "workflow.updated",
        uuid5(NAMESPACE, "post"),
        chief.user_id,
    )
    assert await set_up(stages=STAGES, transitions=TRANSITIONS, is_enabled=True) == changed
    assert len(cms.store.events) == 1
    assert not cms.store.workflows["page"].is_enabled


async def test_a_wrong_change_leaves_it_as_it_was(cms: FakeCms, set_up) -> None:
    with pytest.raises(Invalid) as caught:
        await set_up(transitions=(Transition(source="draft", to="in_review", roles=("editor", "pope")),))
    assert faults(caught.value) == [("/transitions/0/roles/1", "unknown_role"), ("/stages/2", "unreachable")]
    assert cms.store.workflows["post"].transitions == TRANSITIONS


async def test_stages_go_when_nobody_is_there(cms: FakeCms, bea: Actor, set_up, begin, move, act) -> None:
    ready = Stage(key="ready", name="Ready", may_publish=True)
    await set_up()
    post = await begin()
    only = {"stages": (ready,), "transitions": ()}
    with pytest.raises(StageInUse) as caught:
        await set_up(**only)
    assert caught.value.members == {"stage": "draft", "documents": 1}
    # in the trash it is still there
    await act(bea, "trash", post)
    with pytest.raises(StageInUse):
        await set_up(**only)
    await act(bea, "restore", post)
    await move(bea, post, "in_review", "approved")
    kept = (STAGES[0], STAGES[2])
    way = (Transition(source="draft", to="approved", roles=("editor",)),)
    assert (await set_up(stages=kept, transitions=way)).stages == kept
    # turned off, it holds nothing
    await set_up(is_enabled=False)
    assert (await set_up(**only)).stages == (ready,)
    assert (await set_up()).first == "ready"
    assert cms.store.documents[post.id].stage == "ready"


async def test_turning_it_off_closes_what_is_open(
    cms: FakeCms, tasks: Tasks, bea: Actor, chief: Actor, set_up, begin, move
) -> None:
    await set_up()
    post = await begin()
    await move(bea, post, "in_review")
    (task,) = await seen(tasks, bea)
    await set_up(is_enabled=False)
    assert await seen(tasks, bea) == []
    closed = await tasks.get(bea, task.id)
    assert (closed.state, closed.closed_by, closed.closed_at) == ("cancelled", chief.user_id, cms.clock.at)
    row = cms.store.documents[post.id]
    assert (row.stage, row.version) == (None, 3)
    assert cms.names()[-2:] == ["task.closed", "workflow.updated"]
    with pytest.raises(NoSuchTransition, match="off"):
        await move(bea, post, "in_review")


# Publishing


@pytest.mark.parametrize("stage", ["draft", "in_review", "approved"])
@pytest.mark.parametrize("who", ["user", "schedule", "import"])
async def test_the_stage_decides_unless_it_is_an_import(
    bea: Actor, set_up, begin, move, act, stage: str, who: str
) -> None:
    await set_up()
    post = await begin()
    await move(bea, post, *[one.key for one in STAGES[1:]][: ["draft", "in_review", "approved"].index(stage)])
    actor = {"user": bea, "schedule": Actor(user_id=bea.user_id, is_system=True), "import": SYSTEM}[who]
    if stage == "approved" or who == "import":
        assert (await act(actor, "publish", post)).status == "published"
        return
    with pytest.raises(NotApproved) as caught:
        await act(actor, "publish", post)
    assert caught.value.members == {"stages": ["approved"]}


async def test_an_older_revision_must_have_been_live(bea: Actor, set_up, begin, move, act) -> None:
    post = await begin()
    seen_one = (await act(bea, "publish", post)).live_revision
    unseen = (await act(bea, "update", post, PostChanges(title="Unseen"))).draft_revision
    draft = (await act(bea, "update", post, PostChanges(title="Draft"))).draft_revision
    await set_up()
    for revision in (unseen, draft):
        with pytest.raises(NotApproved):
            await act(bea, "publish", post, revision_id=revision)
    assert (await act(bea, "publish", post, revision_id=seen_one)).live_revision == seen_one
    # what was approved is the draft, not what it was before
    await move(bea, post, "in_review", "approved")
    with pytest.raises(NotApproved):
        await act(bea, "publish", post, revision_id=unseen)
    assert (await act(SYSTEM, "publish", post, revision_id=unseen)).live_revision == unseen
    # an import has shown it to readers
    await act(bea, "publish", post, revision_id=seen_one)
    assert (await act(bea, "publish", post, revision_id=unseen)).live_revision == unseen


async def test_an_import_publishes_what_another_system_published(cms: FakeCms, set_up) -> None:
    await set_up()
    at = datetime(2019, 5, 1, 12, tzinfo=UTC)
    item = SourceDocument(
        key="1",
        type="post",
        title="Old",
        slug=None,
        status="published",
        body="<p>Old</p>",
        excerpt="",
        author_key=None,
        published_at=at,
        modified_at=at,
        created_at=at,
        parent_key=None,
        menu_order=0,
        is_sticky=False,
        password=False,
        terms=(),
        cover_key=None,
    )
    source = ListSource(SourceSite(url="https://old.example", title="Old"), item)
    await cms.imports.run(SYSTEM, source, new_uow=cms.uow, fetch_files=False, progress=lambda _: None)
    (post,) = cms.store.documents.values()
    assert (post.is_live, post.stage, post.published_at) == (True, "draft", at)


async def test_only_what_changes_something_sends_it_back(
    cms: FakeCms, tasks: Tasks, bea: Actor, set_up, begin, move, act
) -> None:
    await set_up()
    post = await begin()
    first = await move(bea, post, "in_review", "approved")
    assert (await act(bea, "update", post, PostChanges(title="Hello"))).stage == "approved"
    changed = await act(bea, "update", post, PostChanges(title="Changed"))
    assert (changed.stage, changed.version) == ("draft", first.version + 1)
    (task,) = await seen(tasks, bea)
    assert (task.stage, task.assignee, task.document_id) == ("draft", bea.user_id, post.id)
    assert cms.names()[-4:] == ["document.moved", "task.closed", "task.opened", "document.updated"]
    await move(bea, post, "in_review", "approved")
    assert (await act(bea, "restore_revision", post, post.draft_revision)).stage == "draft"
    await move(bea, post, "in_review", "approved")
    await act(bea, "publish", post)
    await act(SYSTEM, "update", post, PostChanges(title="By the system"))
    await move(bea, post, "in_review", "approved")
    assert (await act(bea, "discard", post)).stage == "draft"


async def test_a_copy_begins_at_the_beginning(bea: Actor, set_up, begin, move, act) -> None:
    await set_up()
    post = await begin()
    await move(bea, post, "in_review", "approved")
    assert (await act(bea, "duplicate", post)).stage == "draft"


# Moving


async def test_ways_and_roles(bea: Actor, ann: Actor, chief: Actor, set_up, begin, move, act) -> None:
    await set_up()
    post = await begin()
    with pytest.raises(NoSuchTransition) as wrong:
        await move(bea, post, "approved")
    assert wrong.value.members == {"stage": "draft"}
    with pytest.raises(NoSuchTransition):
        await move(SYSTEM, post, "draft")
    await move(ann, post, "in_review")
    with pytest.raises(Forbidden) as caught:
        await move(ann, post, "approved")
    assert caught.value.members == {"roles": ["administrator", "editor"]}
    with pytest.raises(Stale):
        await act(bea, "move", post, Move(stage="approved"), expected=1)
    assert (await act(chief, "move", post, Move(stage="approved"), expected=2)).version == 3
    with pytest.raises(Unauthenticated):
        await move(ANONYMOUS, post, "draft")


async def test_nothing_moves_in_the_trash_or_the_archive(
    cms: FakeCms, tasks: Tasks, bea: Actor, set_up, begin, move, act
) -> None:
    await set_up()
    archived, trashed = await begin("A"), await begin("T")
    await move(bea, archived, "in_review")
    await move(bea, trashed, "in_review")
    await act(bea, "archive", archived)
    await act(bea, "trash", trashed)
    assert await seen(tasks, bea) == []
    assert {task.state for task in cms.store.tasks.values()} == {"cancelled"}
    with pytest.raises(Archived):
        await move(bea, archived, "approved")
    with pytest.raises(Trashed):
        await move(bea, trashed, "approved")


async def test_pages_go_by_their_own_workflow(cms: FakeCms, workflows: Workflows, bea: Actor, begin) -> None:
    async with cms.uow() as uow:
        await workflows.update(uow, SYSTEM, "page", WorkflowChanges(is_enabled=True), expected=None)
        page = await cms.pages.create(uow, bea, PageChanges(title="About"))
        moved = await cms.pages.move(uow, bea, page.id, Move(stage="in_review"), expected=1)
    assert (page.stage, moved.stage, (await begin()).stage) == ("draft", "in_review", None)


# Tasks


async def test_a_task_goes_from_hand_to_hand(
    tasks: Tasks, ann: Actor, bea: Actor, chief: Actor, set_up, begin, move, act
) -> None:
    await set_up()
    post = await begin()
    await move(ann, post, "in_review", comment="Look")
    assert await seen(tasks, ann) == []
    (task,) = await seen(tasks, bea)
    assert await seen(tasks, chief) == [task]
    assert (task.note, task.roles, task.created_by, task.state, task.version) == (
        "Look", ("administrator", "editor"), ann.user_id, "open", 1,
    )  # fmt: skip
    await move(bea, post, "draft", comment="No")
    (back,) = await seen(tasks, ann)
    assert (back.assignee, back.note, back.stage) == (ann.user_id, "No", "draft")
    assert (await tasks.get(bea, task.id)).closed_by == bea.user_id
    # approved, and then given up: the one who submitted it hears of it, not the one who approved it
    await move(ann, post, "in_review")
    await move(bea, post, "approved", "draft")
    (back,) = await seen(tasks, ann)
    assert back.assignee == ann.user_id
    await move(ann, post, "in_review")
    await move(bea, post, "approved", assignee=chief.user_id)
    assert await seen(tasks, bea) == []
    (last,) = await seen(tasks, chief)
    await act(bea, "publish", post)
    done = await tasks.get(chief, last.id)
    assert (done.state, done.closed_by) == ("done", bea.user_id)


async def test_a_stage_that_leads_nowhere_is_nobodys_task(
    cms: FakeCms, bea: Actor, set_up, begin, move
) -> None:
    await set_up(is_enabled=True, transitions=TRANSITIONS[:2])
    post = await begin()
    await move(bea, post, "in_review", "approved")
    assert [(task.stage, task.state) for task in cms.store.tasks.values()] == [("in_review", "done")]
    assert cms.names()[-2:] == ["document.moved", "task.closed"]


async def test_what_the_system_submitted_comes_back_to_nobody(
    cms: FakeCms, bea: Actor, set_up, begin, move
) -> None:
    await set_up()
    post = await begin()
    await move(SYSTEM, post, "in_review")
    await move(bea, post, "draft")
    assert [task.state for task in cms.store.tasks.values()] == ["done"]


async def test_who_may_see_and_give_a_task(
    tasks: Tasks, person, ann: Actor, bea: Actor, chief: Actor, set_up, begin, move, assign
) -> None:
    overseer = person("ola", "reader", may=frozenset({READ_ALL}))
    cyd = person("cyd", "editor")
    await set_up()
    await move(ann, await begin(), "in_review")
    (task,) = await seen(tasks, bea)
    for nobody in (ann, person("rea", "reader")):
        with pytest.raises(TaskNotFound):
            await tasks.get(nobody, task.id)
        with pytest.raises(TaskNotFound):
            await assign(nobody, task, None)
    with pytest.raises(Unauthenticated):
        await tasks.get(ANONYMOUS, task.id)
    with pytest.raises(Unauthenticated):
        await tasks.list(ANONYMOUS, MINE)
    with pytest.raises(Unauthenticated):
        await assign(ANONYMOUS, task, None)
    assert await tasks.get(overseer, task.id) == task
    with pytest.raises(Forbidden):
        await assign(overseer, task, bea)
    given = await assign(bea, task, cyd, expected=1)
    assert (given.assignee, given.version) == (cyd.user_id, 2)
    assert await seen(tasks, bea) == []
    assert await seen(tasks, cyd) == [given]
    with pytest.raises(TaskNotFound):
        await tasks.get(bea, task.id)
    with pytest.raises(Stale):
        await assign(cyd, given, None, expected=1)
    # it is for editors, hers or not; and for those who decide on workflows
    assert (await assign(bea, given, bea)).assignee == bea.user_id
    assert (await assign(chief, given, None)).assignee is None
    with pytest.raises(TaskNotFound):
        await tasks.get(chief, uuid4())


async def test_who_can_have_a_task(
    cms: FakeCms, tasks: Tasks, person, ann: Actor, bea: Actor, set_up, begin, move, assign
) -> None:
    gone = person("gus", "editor", is_active=False)
    await set_up()
    post = await begin()
    for wrong, code in (
        (gone.user_id, "unknown_reference"),
        (uuid4(), "unknown_reference"),
        (ann.user_id, "role"),
    ):
        with pytest.raises(Invalid) as caught:
            await move(ann, post, "in_review", assignee=wrong)
        assert faults(caught.value) == [("/assignee", code)]
    assert cms.store.documents[post.id].stage == "draft"
    await move(ann, post, "in_review", assignee=bea.user_id)
    (task,) = await seen(tasks, bea)
    for to, code in ((gone, "unknown_reference"), (uuid4(), "unknown_reference"), (ann, "role")):
        with pytest.raises(Invalid) as caught:
            await assign(bea, task, to)
        assert faults(caught.value) == [("/assignee", code)]
    before = len(cms.store.events)
    assert await assign(bea, task, bea) == task
    assert len(cms.store.events) == before
    await move(bea, post, "approved")
    with pytest.raises(TaskClosed):
        await assign(bea, task, None)


async def test_the_tasks_of_others_need_a_permission(
    tasks: Tasks, ann: Actor, bea: Actor, chief: Actor, set_up, begin, move
) -> None:
    await set_up()
    await move(ann, await begin(), "in_review", assignee=bea.user_id)
    for operator, values in (
        ("eq", (bea.user_id,)),
        ("ne", (ann.user_id,)),
        ("exists", (True,)),
        ("in", (ann.user_id,)),
    ):
        asked = Comparison("assignee", operator, values)
        with pytest.raises(Forbidden):
            await seen(tasks, ann, asked)
        assert len(await seen(tasks, chief, asked)) == (operator != "in")
    assert await seen(tasks, ann, Comparison("assignee", "eq", (ann.user_id,))) == []
    assert len(await seen(tasks, bea, Comparison("assignee", "eq", (bea.user_id,)))) == 1
    # both must hold: another condition does not open the door
    with pytest.raises(Forbidden):
        await seen(
            tasks,
            ann,
            Comparison("assignee", "eq", (ann.user_id,)),
            Comparison("assignee", "ne", (bea.user_id,)),
        )

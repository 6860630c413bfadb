"""The rules of workflows."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes_workflow import STAGES, TRANSITIONS, default_workflows

from cms_api.domains.cms.workflow.model import Stage, Transition, Workflow, check
from cms_api.kernel.errors import Invalid

ROLES = ("administrator", "author", "editor")
KEYS = st.sampled_from(["a", "b", "c", "d"])


def pointers(stages: tuple[Stage, ...], transitions: tuple[Transition, ...]) -> set[str]:
    with pytest.raises(Invalid) as caught:
        check(stages, transitions, roles=ROLES)
    return {fault.pointer for fault in caught.value.faults}


def test_the_default_is_sound() -> None:
    check(STAGES, TRANSITIONS, roles=ROLES)


def test_every_fault_is_named() -> None:
    assert pointers((), ()) == {"/stages"}
    assert pointers(STAGES, ()) == {"/stages/1", "/stages/2"}
    loop = Transition(source="draft", to="draft", roles=("pope",))
    assert pointers(STAGES, (*TRANSITIONS, loop, TRANSITIONS[0])) == {
        "/transitions/4/to",
        "/transitions/4/roles/0",
        "/transitions/5",
    }
    many = tuple(Stage(key=f"s{n}", name="S", may_publish=True) for n in range(21))
    assert "/stages" in pointers(many, ())


def test_an_edit_sends_back_what_was_approved() -> None:
    workflow = default_workflows(datetime(2025, 1, 1, tzinfo=UTC))["post"]
    assert [workflow.after_edit(stage) for stage in ("draft", "in_review", "approved", "gone")] == [
        "draft",
        "in_review",
        "draft",
        "draft",
    ]
    assert workflow.roles_at("in_review") == ("administrator", "editor")


@given(
    stages=st.lists(st.builds(Stage, key=KEYS, name=st.just("S"), may_publish=st.booleans()), max_size=4),
    ways=st.lists(st.builds(Transition, source=KEYS, to=KEYS, roles=st.just(("editor",))), max_size=8),
)
def test_what_is_accepted_leads_to_publishing(stages: list[Stage], ways: list[Transition]) -> None:
    try:
        check(stages, ways, roles=ROLES)
    except Invalid as error:
        assert error.faults  # noqa: PT017 - either outcome is right
        return
    workflow = Workflow(
        type="post",
        is_enabled=True,
        stages=tuple(stages),
        transitions=tuple(ways),
        version=1,
        updated_at=datetime(2025, 1, 1, tzinfo=UTC),
        updated_by=None,
    )
    reached = {workflow.first}
    for _ in stages:
        reached |= {way.to for way in ways if way.source in reached}
    assert reached == {stage.key for stage in stages}
    assert workflow.publishable
    assert len(reached) == len(stages)
    assert all(workflow.transition(way.source, way.to) == way for way in ways)

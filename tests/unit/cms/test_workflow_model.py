"""The rules of workflows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.fakes_workflow import STAGES, TRANSITIONS, default_workflows

from cms_api.domains.cms.workflow.model import MAX_STAGES, Stage, Transition, Workflow, check
from cms_api.kernel.errors import Invalid

ROLES = ("administrator", "author", "editor")
AT = datetime(2025, 1, 1, tzinfo=UTC)
SOME_ROLES = st.sets(st.sampled_from(ROLES), min_size=1).map(lambda found: tuple(sorted(found)))

Shape = tuple[list[Stage], list[Transition]]
Found = set[tuple[str, str]]


def found_in(stages: Any, transitions: Any) -> Found:
    """Where and what of each fault; there must be one."""
    with pytest.raises(Invalid) as caught:
        check(stages, transitions, roles=ROLES)
    faults = [(fault.pointer, fault.code) for fault in caught.value.faults]
    assert len(set(faults)) == len(faults)
    return set(faults)


def workflow_of(stages: Any, transitions: Any) -> Workflow:
    return Workflow(
        type="post",
        is_enabled=True,
        stages=tuple(stages),
        transitions=tuple(transitions),
        version=1,
        updated_at=AT,
        updated_by=None,
    )


def within_reach(stages: list[Stage], transitions: list[Transition]) -> set[str]:
    """The long way: one step further, as often as there are stages."""
    reached = {stages[0].key}
    for _ in stages:
        reached |= {way.to for way in transitions if way.source in reached}
    return reached


# What is wrong


def test_the_default_is_sound() -> None:
    check(STAGES, TRANSITIONS, roles=ROLES)


def test_every_fault_is_named() -> None:
    assert found_in((), ()) == {("/stages", "range"), ("/stages", "no_publishing")}
    assert found_in(STAGES, ()) == {("/stages/1", "unreachable"), ("/stages/2", "unreachable")}
    loop = Transition(source="draft", to="draft", roles=("pope",))
    assert found_in(STAGES, (*TRANSITIONS, loop, TRANSITIONS[0])) == {
        ("/transitions/4/to", "same"),
        ("/transitions/4/roles/0", "unknown_role"),
        ("/transitions/5", "duplicate"),
    }
    many = tuple(Stage(key=f"s{n}", name="S", may_publish=True) for n in range(21))
    assert found_in(many, ()) >= {("/stages", "range"), ("/stages/20", "unreachable")}


def test_a_stage_out_of_reach_is_named_beside_what_else_is_wrong() -> None:
    typo = Transition(source="draft", to="aproved", roles=("pope",))
    assert found_in(STAGES, (TRANSITIONS[0], typo)) == {
        ("/stages/2", "unreachable"),
        ("/transitions/1/to", "unknown_reference"),
        ("/transitions/1/roles/0", "unknown_role"),
    }


def test_one_fault_is_told_in_its_own_words() -> None:
    with pytest.raises(Invalid, match="There is no role “pope”"):
        check(STAGES, (*TRANSITIONS, Transition(source="draft", to="approved", roles=("pope",))), roles=ROLES)
    with pytest.raises(Invalid, match="has 2 faults"):
        check(STAGES, (), roles=ROLES)


def test_an_edit_sends_back_what_was_approved() -> None:
    workflow = default_workflows(AT)["post"]
    assert [workflow.after_edit(stage) for stage in ("draft", "in_review", "approved", "gone")] == [
        "draft",
        "in_review",
        "draft",
        "draft",
    ]
    assert workflow.roles_at("in_review") == ("administrator", "editor")


# Workflows of all shapes


@st.composite
def sound(draw: st.DrawFn) -> Shape:
    """A workflow that is right: a tree of ways that grows from the first stage, and some ways more."""
    keys = draw(
        st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=MAX_STAGES, unique=True)
    )
    publishing = draw(st.sets(st.sampled_from(keys), min_size=1))
    pairs = [(keys[draw(st.integers(0, index - 1))], keys[index]) for index in range(1, len(keys))]
    if len(keys) > 1:
        pair = st.tuples(st.sampled_from(keys), st.sampled_from(keys))
        more = draw(st.lists(pair, max_size=10, unique=True))
        pairs += [(source, to) for source, to in more if source != to and (source, to) not in pairs]
    ways = [
        Transition(source=source, to=to, roles=draw(SOME_ROLES))
        for source, to in draw(st.permutations(pairs))
    ]
    # Only the first place means something.
    order = [keys[0], *draw(st.permutations(keys[1:]))]
    return [Stage(key=key, name=key.upper(), may_publish=key in publishing) for key in order], ways


@given(sound())
def test_what_is_sound_is_accepted_and_leads_to_publishing(shape: Shape) -> None:
    stages, ways = shape
    check(stages, ways, roles=ROLES)
    workflow = workflow_of(stages, ways)
    keys = [stage.key for stage in stages]
    assert within_reach(stages, ways) == set(keys)
    assert workflow.first == keys[0]
    assert workflow.publishable == [stage.key for stage in stages if stage.may_publish]
    assert workflow.publishable
    known = {(way.source, way.to): way for way in ways}
    assert len(known) == len(ways)
    for source in (*keys, None, "nowhere"):
        for to in (*keys, "nowhere"):
            assert workflow.transition(source, to) == known.get((source or "", to))


@given(sound())
def test_an_edit_never_leaves_a_document_where_it_may_be_published_unseen(shape: Shape) -> None:
    workflow = workflow_of(*shape)
    for stage in (*(one.key for one in workflow.stages), "nowhere"):
        after = workflow.after_edit(stage)
        if stage in workflow.publishable or stage == "nowhere":
            assert after == workflow.first
        else:
            assert after == stage
        assert workflow.after_edit(after) == after


@given(sound())
def test_who_can_go_on_is_who_has_a_role_on_a_way(shape: Shape) -> None:
    workflow = workflow_of(*shape)
    for stage in workflow.stages:
        roles = workflow.roles_at(stage.key)
        assert list(roles) == sorted(set(roles))
        for role in ROLES:
            ways = [way for way in workflow.transitions if way.source == stage.key and role in way.roles]
            assert (role in roles) == bool(ways)


# Each of these breaks a sound workflow in one place, and tells where the fault is. They add at the
# end only, so that several of them can be done to the same workflow.


def twice_a_stage(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    del ways
    stages.append(draw(st.sampled_from(stages)))
    return {(f"/stages/{len(stages) - 1}/key", "duplicate")}


def no_way_to_a_stage(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    ways.append(Transition(source="lost", to=stages[0].key, roles=draw(SOME_ROLES)))
    stages.append(Stage(key="lost", name="Lost", may_publish=draw(st.booleans())))
    return {(f"/stages/{len(stages) - 1}", "unreachable")}


def too_many_stages(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    roles = draw(SOME_ROLES)
    for number in range(MAX_STAGES + 1 - len(stages)):
        stages.append(Stage(key=f"more{number}", name="More"))
        ways.append(Transition(source=stages[0].key, to=f"more{number}", roles=roles))
    return {("/stages", "range")}


def no_stage_to_publish_at(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    del draw, ways
    stages[:] = [Stage(key=stage.key, name=stage.name) for stage in stages]
    return {("/stages", "no_publishing")}


def a_way_to_nowhere(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    source = draw(st.sampled_from(stages)).key
    ways.append(Transition(source=source, to="nowhere", roles=draw(SOME_ROLES)))
    return {(f"/transitions/{len(ways) - 1}/to", "unknown_reference")}


def a_way_from_nowhere(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    ways.append(Transition(source="nowhere", to=stages[0].key, roles=draw(SOME_ROLES)))
    return {(f"/transitions/{len(ways) - 1}/from", "unknown_reference")}


def a_way_in_a_circle(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    key = draw(st.sampled_from(stages)).key
    ways.append(Transition(source=key, to=key, roles=draw(SOME_ROLES)))
    return {(f"/transitions/{len(ways) - 1}/to", "same")}


def twice_a_way(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    del stages
    known = draw(st.sampled_from(ways))
    # Other roles don't make it another way.
    ways.append(Transition(source=known.source, to=known.to, roles=draw(SOME_ROLES)))
    return {(f"/transitions/{len(ways) - 1}", "duplicate")}


def a_role_that_is_not_there(draw: st.DrawFn, stages: list[Stage], ways: list[Transition]) -> Found:
    del stages
    index = draw(st.integers(0, len(ways) - 1))
    way = ways[index]
    ways[index] = Transition(source=way.source, to=way.to, roles=(*way.roles, "pope"))
    return {(f"/transitions/{index}/roles/{len(way.roles)}", "unknown_role")}


# In this order: what copies something comes before what makes something that is wrong to copy.
BREAKS = (
    twice_a_stage,
    twice_a_way,
    a_role_that_is_not_there,
    no_way_to_a_stage,
    too_many_stages,
    a_way_to_nowhere,
    a_way_from_nowhere,
    a_way_in_a_circle,
    no_stage_to_publish_at,
)


@pytest.mark.parametrize("broken", BREAKS)
@settings(max_examples=30)
@given(data=st.data(), shape=sound())
def test_what_is_broken_in_one_place_is_refused_there(broken: Any, data: st.DataObject, shape: Shape) -> None:
    stages, ways = [*shape[0]], [*shape[1]]
    assume(ways or broken not in (twice_a_way, a_role_that_is_not_there))
    expected: Found = broken(data.draw, stages, ways)
    if len(stages) > MAX_STAGES:
        expected |= {("/stages", "range")}
    assert found_in(stages, ways) == expected


@given(data=st.data(), shape=sound(), chosen=st.sets(st.sampled_from(range(len(BREAKS))), min_size=2))
def test_whatever_is_broken_is_all_named(data: st.DataObject, shape: Shape, chosen: set[int]) -> None:
    stages, ways = [*shape[0]], [*shape[1]]
    assume(ways)
    expected: Found = set()
    for index in sorted(chosen):
        expected |= BREAKS[index](data.draw, stages, ways)
    if len(stages) > MAX_STAGES:
        expected |= {("/stages", "range")}
    assert found_in(stages, ways) == expected


@given(data=st.data(), shape=sound())
def test_a_stage_that_is_cut_off_is_named_with_all_behind_it(data: st.DataObject, shape: Shape) -> None:
    stages, ways = shape
    assume(len(stages) > 1)
    cut = data.draw(st.sampled_from(stages[1:])).key
    ways = [way for way in ways if way.to != cut]
    reached = within_reach(stages, ways)
    assert cut not in reached
    assert found_in(stages, ways) == {
        (f"/stages/{index}", "unreachable") for index, stage in enumerate(stages) if stage.key not in reached
    }

"""Workflows: stages, and who may move a document from one to another."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.kernel.errors import Fault, Invalid

MAX_STAGES = 20


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a document may stand. ``may_publish`` tells that it may be published there."""

    key: str
    name: str
    may_publish: bool = False


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A way from one stage to another, and the roles that may take a document along it."""

    source: str = msgspec.field(name="from")
    to: str
    roles: tuple[str, ...]


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """The stages of a content type, the first one being that of new documents."""

    type: str
    is_enabled: bool
    stages: tuple[Stage, ...]
    transitions: tuple[Transition, ...]
    version: int
    updated_at: datetime
    updated_by: UUID | None

    @property
    def first(self) -> str:
        """The stage that documents begin at, and go back to."""
        return self.stages[0].key

    @property
    def publishable(self) -> list[str]:
        """The stages at which documents may be published."""
        return [stage.key for stage in self.stages if stage.may_publish]

    def transition(self, source: str | None, to: str) -> Transition | None:
        """The way between two stages, if there is one."""
        return next((one for one in self.transitions if (one.source, one.to) == (source, to)), None)

    def roles_at(self, stage: str) -> tuple[str, ...]:
        """The roles that may take a document further from ``stage``, by the alphabet."""
        return tuple(sorted({role for one in self.transitions if one.source == stage for role in one.roles}))

    def after_edit(self, stage: str) -> str:
        """Where an edit leaves a document: what is published must be what was approved.

        A stage that is there no longer gives way to the first one, too.
        """
        waiting = {one.key for one in self.stages if not one.may_publish}
        return stage if stage in waiting else self.first


def check(stages: Sequence[Stage], transitions: Sequence[Transition], *, roles: Collection[str]) -> None:
    """Raise `Invalid` with all that is wrong with a workflow; ``roles`` are those that there are."""
    faults = (
        *_stage_faults(stages),
        *_transition_faults(stages, transitions, roles),
        *_reach_faults(stages, transitions),
    )
    if len(faults) == 1:
        raise Invalid(faults[0].detail, faults=faults)
    if faults:
        raise Invalid(f"The workflow has {len(faults)} faults.", faults=faults)


def _stage_faults(stages: Sequence[Stage]) -> list[Fault]:
    faults = []
    if not 1 <= len(stages) <= MAX_STAGES:
        faults.append(Fault("/stages", "range", f"A workflow has 1 to {MAX_STAGES} stages."))
    seen: set[str] = set()
    for index, stage in enumerate(stages):
        if stage.key in seen:
            faults.append(
                Fault(f"/stages/{index}/key", "duplicate", f"The stage “{stage.key}” is there twice.")
            )
        seen.add(stage.key)
    if not any(stage.may_publish for stage in stages):
        faults.append(
            Fault("/stages", "no_publishing", "Documents must be publishable at one stage at least.")
        )
    return faults


def _transition_faults(
    stages: Sequence[Stage], transitions: Sequence[Transition], roles: Collection[str]
) -> list[Fault]:
    faults = []
    known = {stage.key for stage in stages}
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(transitions):
        at = f"/transitions/{index}"
        for name, key in (("from", one.source), ("to", one.to)):
            if key not in known:
                faults.append(Fault(f"{at}/{name}", "unknown_reference", f"There is no stage “{key}”."))
        if one.source == one.to:
            faults.append(Fault(f"{at}/to", "same", "A transition leads to another stage."))
        if (one.source, one.to) in seen:
            faults.append(Fault(at, "duplicate", "This transition is there twice."))
        seen.add((one.source, one.to))
        faults += [
            Fault(f"{at}/roles/{place}", "unknown_role", f"There is no role “{role}”.")
            for place, role in enumerate(one.roles)
            if role not in roles
        ]
    return faults


def _reach_faults(stages: Sequence[Stage], transitions: Sequence[Transition]) -> list[Fault]:
    reached = {stages[0].key} if stages else set()
    ahead = list(reached)
    while ahead:
        here = ahead.pop()
        for one in transitions:
            if one.source == here and one.to not in reached:
                reached.add(one.to)
                ahead.append(one.to)
    return [
        Fault(f"/stages/{index}", "unreachable", f"No way leads from the first stage to “{stage.key}”.")
        for index, stage in enumerate(stages)
        if stage.key not in reached
    ]

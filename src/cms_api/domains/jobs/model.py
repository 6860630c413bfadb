"""A job: long work in small steps, each of which counts once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from cms_api.domains.jobs.errors import JobOver
from cms_api.domains.jobs.events import JobCancelled, JobFinished, JobQueued, JobStarted
from cms_api.kernel.ids import new_id
from cms_api.kernel.versions import check_version

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
OVER: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})


class JobFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed: ``code`` is for programs, ``detail`` for people."""

    code: str
    detail: str


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """What a step goes on from: what the last one left behind, None in the beginning."""

    id: UUID
    kind: str
    params: dict[str, Any]
    cursor: Any
    done: int
    total: int | None
    result: dict[str, Any] | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a step has come to.

    ``cursor`` (JSON, private) is where the next one goes on, ``done`` how much is done in all, not
    in this step; ``result`` (a JSON object) what there is to tell so far. A ``total`` of None
    leaves that of the job.
    """

    cursor: Any = None
    done: int
    result: dict[str, Any] | None = None
    finished: bool
    total: int | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """Work that goes on after the request that asked for it.

    ``attempts`` counts the tries of the step at hand; ``created_by`` is None for the system's own.
    """

    id: UUID
    version: int = 1
    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    state: State = "queued"
    total: int | None = None
    done: int = 0
    cursor: Any = None
    result: dict[str, Any] | None = None
    error: JobFailure | None = None
    attempts: int = 0
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @classmethod
    def queue(
        cls, *, kind: str, params: dict[str, Any], total: int | None, by: UUID | None, at: datetime
    ) -> tuple["Job", JobQueued]:
        """A job that waits for a worker."""
        job = cls(id=new_id(), kind=kind, params=params, total=total, created_by=by, created_at=at)
        return job, JobQueued(subject=job.id, actor=by, kind=kind, version=job.version)

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self.state in OVER

    def as_state(self) -> JobState:
        """What its next step may know."""
        return JobState(
            id=self.id,
            kind=self.kind,
            params=self.params,
            cursor=self.cursor,
            done=self.done,
            total=self.total,
            result=self.result,
        )

    def begin(self, at: datetime) -> JobStarted | None:
        """A worker has it, for the first time or again; None where it had been begun before."""
        self.version += 1
        self.attempts += 1
        if self.state == "running":
            return None
        self.state, self.started_at = "running", at
        return JobStarted(subject=self.id, actor=self.created_by, kind=self.kind, version=self.version)

    def advance(self, step: Step, at: datetime) -> JobFinished | None:
        """Take in what a step has come to; the next one's first try begins, or the job has succeeded."""
        self.version += 1
        self.attempts = 1
        self.cursor, self.done, self.result = step.cursor, step.done, step.result
        self.total = self.total if step.total is None else step.total
        return self._end("succeeded", at) if step.finished else None

    def pause(self) -> None:
        """A worker lets go of it between two steps."""
        self.attempts = 0

    def fail(self, code: str, detail: str, at: datetime) -> JobFinished:
        """It can't be done. What earlier steps did stays."""
        self.version += 1
        self.error = JobFailure(code=code, detail=detail)
        return self._end("failed", at)

    def cancel(self, *, expected: int | None, at: datetime) -> JobCancelled:
        """Stop it before its next step. Raises `Stale`, and `JobOver` where it has ended."""
        check_version(self.version, expected)
        if self.is_over:
            raise JobOver(self.state)
        self.version += 1
        self.state, self.finished_at = "cancelled", at
        return JobCancelled(subject=self.id, kind=self.kind, version=self.version)

    def _end(self, state: State, at: datetime) -> JobFinished:
        self.state, self.finished_at = state, at
        return JobFinished(
            subject=self.id,
            actor=self.created_by,
            kind=self.kind,
            version=self.version,
            state=state,
            code=self.error.code if self.error else None,
        )

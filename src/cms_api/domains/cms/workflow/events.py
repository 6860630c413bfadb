"""What happens to workflows and tasks."""

from typing import ClassVar
from uuid import UUID

from cms_api.kernel.events import Event

# Workflows are known by the key of their type; events by a UUID, which is made of it (RFC 9562, section 5.5).
NAMESPACE = UUID("b6f5a1de-2f4c-4c0a-8f0e-6f1f7d1c9a52")


class WorkflowUpdated(Event, frozen=True, kw_only=True):
    """A type's workflow was changed."""

    name: ClassVar[str] = "workflow.updated"

    type: str
    version: int
    is_enabled: bool


class TaskOpened(Event, frozen=True, kw_only=True):
    """A document waits for somebody."""

    name: ClassVar[str] = "task.opened"

    document: UUID
    stage: str
    assignee: UUID | None


class TaskAssigned(Event, frozen=True, kw_only=True):
    """A task was given to somebody else, or to nobody."""

    name: ClassVar[str] = "task.assigned"

    document: UUID
    version: int
    assignee: UUID | None


class TaskClosed(Event, frozen=True, kw_only=True):
    """A task is done or cancelled."""

    name: ClassVar[str] = "task.closed"

    document: UUID
    state: str

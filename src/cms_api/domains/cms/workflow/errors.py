"""What can be wrong with a request about workflows and tasks."""

from cms_api.kernel.errors import Conflict, NotFound


class WorkflowNotFound(NotFound):
    """There is no content type with this key."""

    code = "type_not_found"
    title = "There is no such content type"

    def __init__(self) -> None:
        super().__init__("There is no such content type.")


class StageInUse(Conflict):
    """Documents are at a stage that would be gone: move them first."""

    code = "stage_in_use"
    title = "The stage is in use"

    def __init__(self, stage: str, number: int) -> None:
        super().__init__(
            f"{number} documents are at the stage “{stage}”: move them first.", stage=stage, documents=number
        )


class TaskNotFound(NotFound):
    """No task has this id, or it is not the caller's to know of."""

    code = "task_not_found"
    title = "There is no such task"

    def __init__(self) -> None:
        super().__init__("There is no such task.")


class TaskClosed(Conflict):
    """The task is done or cancelled."""

    code = "task_closed"
    title = "The task is closed"

    def __init__(self) -> None:
        super().__init__("The task is done or cancelled.")

"""What can be wrong with a request about schedules."""

from cms_api.kernel.errors import Conflict, NotFound


class ScheduleNotFound(NotFound):
    """The document has no schedule with this id."""

    code = "schedule_not_found"
    title = "There is no such schedule"

    def __init__(self) -> None:
        super().__init__("The document has no such schedule.")


class ScheduleFinished(Conflict):
    """It has fired, failed or been cancelled, and can't be changed any more: make another one."""

    code = "schedule_finished"
    title = "The schedule is over"

    def __init__(self, state: str) -> None:
        super().__init__(f"The schedule is {state} and can't be changed any more.", state=state)


class TooManySchedules(Conflict):
    """As many schedules of the document are pending as may be: cancel one first."""

    code = "too_many_schedules"
    title = "The document has too many schedules"

    def __init__(self, limit: int) -> None:
        super().__init__(f"At most {limit} schedules of a document may be pending.", limit=limit)

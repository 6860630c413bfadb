"""What can be wrong with a request about jobs."""

from cms_api.kernel.errors import Conflict, NotFound


class JobNotFound(NotFound):
    """No job has this id, or it is another user's, or it ended so long ago that it was removed."""

    code = "job_not_found"
    title = "There is no such job"

    def __init__(self) -> None:
        super().__init__("There is no job with this id.")


class JobOver(Conflict):
    """The job has ended, so there is nothing left to cancel."""

    code = "job_over"
    title = "The job is over"

    def __init__(self, state: str) -> None:
        super().__init__(f"The job is over: it is “{state}”.", state=state)

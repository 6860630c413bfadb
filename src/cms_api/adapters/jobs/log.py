"""Where the errors of jobs go."""

from collections.abc import Callable
from uuid import UUID

import structlog

from cms_api.domains.jobs.ports import JobLog

_log = structlog.get_logger("cms.jobs")


class StructuredJobLog(JobLog):
    """A line for each; with a traceback, but where ``is_outage`` says that the database was away."""

    def __init__(self, is_outage: Callable[[BaseException], bool]) -> None:
        self._is_outage = is_outage

    def broke(self, job_id: UUID, error: Exception) -> None:
        if self._is_outage(error):
            _log.warning("job_interrupted", job_id=str(job_id), error=type(error).__name__)
        else:
            _log.error("job_broke", job_id=str(job_id), exc_info=error)

"""Where the errors of jobs go."""

from uuid import UUID

import structlog

from cms_api.adapters.jobs.outages import is_outage
from cms_api.domains.jobs.ports import JobLog

_log = structlog.get_logger("cms.jobs")


class StructuredJobLog(JobLog):
    """A line for each; with a traceback, but where the database was away."""

    def broke(self, job_id: UUID, error: Exception) -> None:
        if is_outage(error):
            _log.warning("job_interrupted", job_id=str(job_id), error=type(error).__name__)
        else:
            _log.error("job_broke", job_id=str(job_id), exc_info=error)

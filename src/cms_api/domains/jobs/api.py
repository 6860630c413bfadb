"""The door of the jobs domain: what HTTP and other domains may use."""

from cms_api.domains.jobs.errors import JobNotFound, JobOver
from cms_api.domains.jobs.interface import JOBS, JobHandler, JobService, JobView
from cms_api.domains.jobs.model import OVER, JobFailure, JobState, Step
from cms_api.domains.jobs.policy import PERMISSIONS

__all__ = [
    "JOBS",
    "OVER",
    "PERMISSIONS",
    "JobFailure",
    "JobHandler",
    "JobNotFound",
    "JobOver",
    "JobService",
    "JobState",
    "JobView",
    "Step",
]

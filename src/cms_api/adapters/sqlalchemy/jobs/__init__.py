"""The jobs domain's side of the database."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.jobs.repositories import SqlAlchemyJobs
from cms_api.domains.jobs.ports import JobRepository

# The port `JobQueue` is the queue's library's part: bootstrap gives it the session's connection.
REPOSITORIES: dict[type, Callable[[AsyncSession], Any]] = {JobRepository: SqlAlchemyJobs}

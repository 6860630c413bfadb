"""The jobs domain, put together."""

from collections.abc import Callable
from functools import partial
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import DependenciesContainer, Factory, Object, Singleton
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.jobs.log import StructuredJobLog
from cms_api.adapters.jobs.queue import ProcrastinateQueue
from cms_api.adapters.sqlalchemy.jobs import REPOSITORIES as ROWS
from cms_api.adapters.sqlalchemy.jobs.queries import SqlJobs
from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.adapters.sqlalchemy.raw import driver_connection
from cms_api.domains.jobs.ports import JobQueue
from cms_api.domains.jobs.runner import JobRunner
from cms_api.domains.jobs.service import Jobs


def _queue(session: AsyncSession) -> JobQueue:
    """The queue's own means, on the connection of the unit of work."""
    return ProcrastinateQueue(partial(driver_connection, session))


REPOSITORIES: dict[type, Callable[[AsyncSession], Any]] = {**ROWS, JobQueue: _queue}


class JobsContainer(DeclarativeContainer):
    """Beginning and watching jobs, and doing them: with handlers that `bootstrap.background` gives."""

    core = DependenciesContainer()
    auth = DependenciesContainer()

    jobs = Singleton(
        Jobs,
        clock=core.clock,
        queries=Singleton(SqlJobs, core.reader),
        retention=core.settings.provided.job_retention,
    )
    runner = Factory(
        JobRunner,
        clock=core.clock,
        identity=auth.identity,
        new_uow=core.unit_of_work.provider,
        log=Singleton(StructuredJobLog, is_outage=Object(is_outage)),
    )

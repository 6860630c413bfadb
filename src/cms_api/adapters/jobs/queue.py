"""Telling the workers: an entry in the library's queue, made in our own transaction."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from procrastinate import App, PsycopgConnector

from cms_api import timings
from cms_api.domains.jobs.ports import JobQueue

RUN_JOB = "run_job"

# Never opened: it only knows how the library speaks on a connection that it is handed.
_app = App(connector=PsycopgConnector())


class ProcrastinateQueue(JobQueue):
    """Entries by the library's own, documented means, on the connection of the unit of work.

    ``connection`` gives that; the library's schema must be on its search path.
    """

    def __init__(self, connection: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]) -> None:
        self._connection = connection

    async def enqueue(self, job_id: UUID, *, at: datetime | None = None) -> None:
        task = _app.configure_task(RUN_JOB, schedule_at=at, connection=await self._connection())
        # The engine does not see it.
        with timings.counted():
            await task.defer_async(job_id=str(job_id))

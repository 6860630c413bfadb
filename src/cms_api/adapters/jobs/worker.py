"""A worker: takes entries from the queue, and sees to periodic work and to what dead workers left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import DeleteJobCondition, Status

from cms_api.adapters.jobs.queue import RUN_JOB
from cms_api.adapters.jobs.schema import SCHEMA

# In seconds. A worker that is not heard of for so long is dead; what it was at is done by another one.
HEARTBEAT = 5.0
STALLED = 20.0
# New entries are heard of at once; those that are due later, or had to be tried again, are looked for.
POLL = 2.0
# What an entry waits for that could not even be put off: the database was away.
WAIT = 5
PATIENCE = 5
# Of the time to stop, what is left for letting go of a job that did not finish its step.
RESERVE = 2.0
POOL_SIZE = 2

_log = structlog.get_logger("cms.jobs")


class Periodic(msgspec.Struct, frozen=True, kw_only=True):
    """Work that is done again and again, each time by one worker.

    ``cron`` has five fields, or six with seconds at the end, in UTC. A time that passes while
    nobody works is made up for within ten minutes, else left out.
    """

    name: str
    cron: str
    work: Callable[[], Awaitable[Any]]


class QueueWorker:
    """Runs the library's worker until it is told to stop.

    It holds up to two pooled connections, and one that listens. ``run_job`` is handed a job's id,
    and an event that tells when to put the job off; ``timeout`` is how many seconds there are to
    stop. ``is_outage`` tells a database that is away from one that refuses.
    """

    name = "queue"

    def __init__(
        self,
        url: str,
        *,
        run_job: Callable[[UUID, asyncio.Event], Awaitable[None]],
        periodic: Sequence[Periodic],
        concurrency: int,
        timeout: float,
        is_outage: Callable[[BaseException], bool],
    ) -> None:
        self._url = url
        self._is_outage = is_outage
        self._run_job = run_job
        self._periodic = periodic
        self._concurrency = concurrency
        self._timeout = timeout
        # The library tells of an outage in many lines with tracebacks; we tell of it in one.
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        logging.getLogger("asyncio").addFilter(_is_news)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; steps that have been begun are finished first.

        Raises `ConnectionError` where the database is away or went away.
        """
        try:
            await self._probe()
            app = self._app(stop)
            async with app.open_async():
                await self._work(app, stop)
        except (ConnectorException, psycopg.Error) as error:
            # The library wraps what the driver raises.
            if self._is_outage(error.__cause__ or error):
                raise ConnectionError("The database of the queue is away.") from error
            raise

    async def _probe(self) -> None:
        """See whether the database answers: a pool would try, and tell of it, for half a minute."""
        await (await psycopg.AsyncConnection.connect(self._url, connect_timeout=PATIENCE)).close()

    def _app(self, stop: asyncio.Event) -> App:
        app = App(
            connector=PsycopgConnector(
                conninfo=self._url,
                min_size=1,
                max_size=POOL_SIZE,
                timeout=PATIENCE,
                kwargs={
                    "application_name": "cms queue",
                    "options": f"-c search_path={SCHEMA} -c timezone=UTC -c statement_timeout=15000",
                    "connect_timeout": PATIENCE,
                },
            )
        )

        @app.task(name=RUN_JOB, retry=RetryStrategy(wait=WAIT))
        async def run_job(*, job_id: str) -> None:
            await self._run_job(UUID(job_id), stop)

        for one in self._periodic:
            # It never runs twice at once; and while it waits, it is not put into the queue again.
            as_task = app.task(name=f"periodic:{one.name}", lock=one.name, queueing_lock=one.name)
            app.periodic(cron=one.cron)(as_task(_housekeeping(one, self._is_outage)))
        return app

    async def _work(self, app: App, stop: asyncio.Event) -> None:
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=self._concurrency,
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALLED,
                shutdown_graceful_timeout=max(self._timeout - RESERVE, 0.5),
                delete_jobs=DeleteJobCondition.ALWAYS,
                install_signal_handlers=False,
            )
        )
        recovery = asyncio.create_task(self._recover(app))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({worker, recovery, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # To be cancelled is how the library's worker is told to finish what it is at.
            for task in (worker, recovery, stopping):
                task.cancel()
            results = await asyncio.gather(worker, recovery, stopping, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        if not stop.is_set():
            raise ConnectionError("The worker of the queue ended.")

    async def _recover(self, app: App) -> None:
        """Put back what workers were at that have died. Each worker does so: none depends on another."""
        manager = app.job_manager
        while True:
            await asyncio.sleep(HEARTBEAT)
            for entry in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                _log.warning("job_recovered", task=entry.task_name, **entry.task_kwargs)
                # Another worker may have been faster.
                with suppress(ConnectorException):
                    try:
                        await manager.retry_job(entry)
                    except UniqueViolation:  # periodic work whose next time has come already
                        await manager.finish_job(entry, Status.FAILED, delete_job=True)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether it is something else than that the library could not note the end of an entry.

    Then the entry is found by `QueueWorker._recover`.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], ConnectorException))


def _housekeeping(
    one: Periodic, is_outage: Callable[[BaseException], bool]
) -> Callable[[int], Awaitable[None]]:
    async def work(timestamp: int) -> None:
        del timestamp
        try:
            await one.work()
        except Exception as error:  # noqa: BLE001 - it will come again
            if is_outage(error):
                _log.warning("periodic_interrupted", name=one.name, error=type(error).__name__)
            else:
                _log.error("periodic_broke", name=one.name, exc_info=error)

    return work

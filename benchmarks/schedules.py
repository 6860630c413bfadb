"""Many posts due at one moment, competing workers, and some of them killed in the middle.

Makes the posts through the service, has all of them published at one moment by worker processes
(the real application and its `ScheduleRunner`), kills some with SIGKILL when a part is done, and
asks the database: was each published exactly once, and how late? The lateness of the last one is
how long it takes to publish all of them.

    python -m benchmarks.schedules [--number 10000] [--workers 4] [--kill 2]
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from benchmarks.common import Process

from cms_api import logs
from cms_api.adapters.postgres.server import EmbeddedPostgres
from cms_api.adapters.sqlalchemy import migrations
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.api import PostChanges
from cms_api.kernel.actor import SYSTEM
from cms_api.settings import Settings, load

BODY = "<p>" + "Some words that somebody might want to read. " * 40 + "</p>"
BATCH = 20
# Seconds from planning to the moment, and until the whole thing counts as hung.
AHEAD, PATIENCE = 3, 900
KILLED_AT = 0.4

PLAN = """
WITH planned AS (
    INSERT INTO cms.schedules (id, document_id, type, action, local_at, timezone, due_at, next_attempt_at,
        created_at, updated_at)
    SELECT gen_random_uuid(), id, type, 'publish', at AT TIME ZONE 'UTC', 'UTC', at, at, now(), now()
    FROM cms.documents, (SELECT date_trunc('second', now()) + %s * interval '1 second' AS at) moment
    RETURNING due_at)
SELECT DISTINCT due_at FROM planned
"""
# Everything that must hold, each with what must come out; `{n}` is the number of posts.
PROMISES = {
    "schedules that are done": ("SELECT count(*) FROM cms.schedules WHERE state = 'done'", "{n}"),
    "schedules in another state": ("SELECT count(*) FROM cms.schedules WHERE state <> 'done'", "0"),
    "posts that readers see": ("SELECT count(*) FROM cms.publications", "{n}"),
    "posts published more than once": (
        """
        SELECT count(*) FROM (SELECT FROM activity.events WHERE name = 'document.published'
                              GROUP BY subject HAVING count(*) > 1) twice
        """,
        "0",
    ),
    "events document.published": (
        "SELECT count(*) FROM activity.events WHERE name = 'document.published'",
        "{n}",
    ),
    "events schedule.fired": ("SELECT count(*) FROM activity.events WHERE name = 'schedule.fired'", "{n}"),
    "failed attempts": ("SELECT coalesce(sum(attempts - 1), 0) FROM cms.schedules", "0"),
    "fired before their time": ("SELECT count(*) FROM cms.schedules WHERE lateness < 0", "0"),
}
ROLLED_BACK = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
FIGURES = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lateness), percentile_cont(0.95) WITHIN GROUP (ORDER BY lateness),
    min(lateness), max(lateness) FROM cms.schedules
"""


@contextmanager
def database() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="cms-bench-"))
    server = EmbeddedPostgres(folder, throwaway=True)
    try:
        url = server.start()
        migrations.upgrade(url)
        yield url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def write_posts(url: str, number: int) -> None:
    """Drafts, made through the service."""
    application = Application(Settings(database_url=url, secret_key="x" * 40))
    await application.start()
    posts = application.container.cms.posts()

    async def some(numbers: range) -> None:
        for start in numbers[::BATCH]:
            async with application.unit_of_work() as uow:
                for one in range(start, min(start + BATCH, numbers.stop)):
                    await posts.create(uow, SYSTEM, PostChanges(title=f"Post number {one}", body=BODY))

    quarter = -(-number // 4)
    await asyncio.gather(*(some(range(at, min(at + quarter, number))) for at in range(0, number, quarter)))
    await application.stop()


def worker() -> None:
    """The process of a worker, as `cms worker` would be one."""
    settings = load(os.environ)
    logs.configure(settings)

    async def main() -> None:
        application = Application(settings)
        await application.start()
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await application.container.cms.schedule_runner().run(stop)
        await application.stop()

    asyncio.run(main())


@contextmanager
def hired(url: str, number: int) -> Iterator[list[Process]]:
    """Worker processes, all of which listen."""
    environment = os.environ | {
        "CMS_DATABASE_URL": url, "CMS_LOG_LEVEL": "warning", "CMS_SECRET_KEY": "x" * 40, "PYTHONPATH": ".",
    }  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.schedules", "worker"]
    processes = [Process(0, subprocess.Popen(command, env=environment)) for _ in range(number)]
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cms schedules'"
            wait_until(lambda: one(connection, listening) == number)
        yield processes
    finally:
        for process in processes:
            process.handle.terminate()
        for process in processes:
            process.handle.wait(30)


def one(connection: psycopg.Connection, statement: str, *params: object) -> Any:
    row = connection.execute(statement.encode(), params or None).fetchone()
    return row[0] if row else None


def wait_until(condition: Callable[[], bool], pause: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(pause)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kill", type=int, default=2)
    options = parser.parse_args()
    number = options.number
    with database() as url:
        started = time.monotonic()
        asyncio.run(write_posts(url, number))
        print(f"{number} posts written in {time.monotonic() - started:.0f} s", flush=True)
        with hired(url, options.workers) as processes, psycopg.connect(url, autocommit=True) as connection:
            idle = sum(process.cpu() for process in processes)
            due_at = one(connection, PLAN, AHEAD)
            connection.execute("NOTIFY cms_schedules")
            print(f"All due at {due_at:%H:%M:%S}; {options.workers} workers", flush=True)
            done = "SELECT count(*) FROM activity.events WHERE name = 'schedule.fired'"
            wait_until(lambda: one(connection, done) >= number * KILLED_AT)
            before, victims = one(connection, ROLLED_BACK), processes[: options.kill]
            spent = sum(process.cpu() for process in victims)
            for process in victims:
                process.handle.kill()
            print(f"{options.kill} killed with SIGKILL when {one(connection, done)} were done", flush=True)
            time.sleep(1)
            print(f"{one(connection, ROLLED_BACK) - before} firings were cut off and rolled back", flush=True)
            left = "SELECT count(*) FROM cms.schedules WHERE state = 'pending'"
            wait_until(lambda: one(connection, left) == 0, 0.2)
            spent += sum(process.cpu() for process in processes[options.kill :])
            time.sleep(1)  # for whatever might happen a second time
            broken = report(connection, number)
            print(f"CPU of the workers: {(spent - idle) / number * 1000:.1f} ms for each post")
            sys.exit(1 if broken else 0)


def report(connection: psycopg.Connection, number: int) -> int:
    """Print what came of it; returns how many promises are broken."""
    broken = 0
    for name, (statement, wanted) in PROMISES.items():
        found, right = one(connection, statement), int(wanted.format(n=number))
        broken += found != right
        print(f"{name:32}{found:>8}{'' if found == right else f'   should be {right}'}")
    p50, p95, first, last = connection.execute(FIGURES.encode()).fetchone() or (0, 0, 0, 0)
    print(f"lateness: first {first:.3f} s, p50 {p50:.2f} s, p95 {p95:.2f} s, max {last:.2f} s")
    print(f"throughput: {number / last:.0f} a second")
    return broken


if __name__ == "__main__":
    if sys.argv[1:] == ["worker"]:
        worker()
    else:
        main()

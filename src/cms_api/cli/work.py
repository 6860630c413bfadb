"""``cms worker``."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from cms_api.cli.runtime import application, console, database, migrated, settings_of
from cms_api.settings import Settings

if TYPE_CHECKING:
    from cms_api.domains.jobs.api import JobHandler


@click.command()
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where data are kept. [CMS_DATA_DIR, ./.cms]"
)
@click.option("--concurrency", type=int, help="How many jobs at a time. [CMS_JOB_CONCURRENCY, 2]")
def worker(data_dir: Path | None, concurrency: int | None) -> None:
    """Do what goes on in the background: jobs, schedules, housekeeping.

    `cms serve` does so too, unless it is told not to. Any number of workers can run beside it, on
    other machines as well. The database is migrated first.
    """
    settings = settings_of(data_dir=data_dir, job_concurrency=concurrency)
    with database(settings) as ready:
        migrated(ready)
        work(ready)


def work(settings: Settings, *handlers: "JobHandler") -> None:
    """Work until SIGTERM or SIGINT; steps that have been begun are finished then."""
    from cms_api import logs

    logs.configure(settings)
    asyncio.run(_work(settings, *handlers))
    console.print("Stopped.")


async def _work(settings: Settings, *handlers: "JobHandler") -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(told.set))
    async with application(settings) as running:
        background = running.background(*handlers)
        background.start()
        console.print("Working on jobs · Ctrl-C stops")
        await told.wait()
        await background.stop()

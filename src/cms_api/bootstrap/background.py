"""What goes on beside the requests: the queue's worker, and other services that run all the time."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cms_api.adapters.jobs.worker import Periodic, QueueWorker
from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.bootstrap.supervision import Background, Service
from cms_api.domains.jobs.api import JobHandler
from cms_api.settings import Settings

if TYPE_CHECKING:
    from cms_api.bootstrap.container import ApplicationContainer


def job_handlers(parts: "ApplicationContainer") -> list[JobHandler]:
    """What does the jobs of each kind."""
    return [parts.cms.bulk_handler(), parts.cms.migration_handler(), parts.cms.index_handler()]


def periodic_work(parts: "ApplicationContainer") -> list[Periodic]:
    """What is done again and again, each time by one worker."""
    new_uow = parts.core.unit_of_work
    jobs, retention, locks = parts.jobs.jobs(), parts.cms.retention(), parts.cms.locks()
    comments, search = parts.cms.reader_comments(), parts.cms.search_reader()
    changes, previews = parts.cms.change_upkeep(), parts.cms.previews()
    return [
        Periodic(name="purge_jobs", cron="17 * * * *", work=lambda: jobs.purge(new_uow)),
        Periodic(name="purge_revisions", cron="27 * * * *", work=lambda: retention.purge_revisions(new_uow)),
        Periodic(name="purge_trash", cron="37 * * * *", work=lambda: retention.purge_trash(new_uow)),
        Periodic(name="purge_comments", cron="7 * * * *", work=lambda: comments.purge(new_uow)),
        Periodic(name="read_for_search", cron="* * * * *", work=lambda: search.read_all(new_uow)),
        Periodic(name="compact_changes", cron="57 * * * *", work=lambda: changes.compact(new_uow)),
        Periodic(name="purge_locks", cron="47 * * * *", work=lambda: locks.purge_expired(new_uow)),
        Periodic(name="purge_previews", cron="42 * * * *", work=lambda: previews.purge_expired(new_uow)),
    ]


def services(parts: "ApplicationContainer") -> list[Service]:
    """What runs all the time, beside the queue's worker."""
    return [parts.cms.schedule_runner()]


def make_background(
    parts: "ApplicationContainer", settings: Settings, *, handlers: Iterable[JobHandler] = ()
) -> Background:
    """Everything that goes on in the background; ``handlers`` are more than those of the application."""
    by_kind = {handler.kind: handler for handler in (*job_handlers(parts), *handlers)}
    runner = parts.jobs.runner(handlers=by_kind)
    queue = QueueWorker(
        settings.database_url or "",
        run_job=runner.run,
        periodic=periodic_work(parts),
        concurrency=settings.job_concurrency,
        # Less than the whole has, so that it can let go of its entries by itself.
        timeout=settings.shutdown_timeout - 1,
        is_outage=is_outage,
    )
    return Background([queue, *services(parts)], timeout=settings.shutdown_timeout)

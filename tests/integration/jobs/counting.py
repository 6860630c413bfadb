"""A handler that leaves a row for each step; run as a program it is `cms worker` with that handler."""

import asyncio
import os
from typing import ClassVar

from sqlalchemy import text

from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.jobs.api import JobHandler, JobState, Step
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Conflict
from cms_api.kernel.unit_of_work import UnitOfWork

STEPS = "CREATE TABLE IF NOT EXISTS public.steps (job uuid, number integer, process integer)"


class Refused(Conflict):
    """What the handler refuses."""

    code = "refused"


class Counting(JobHandler):
    """Counts to ``params["to"]``, and takes ``params["pause"]`` seconds for each step."""

    kind: ClassVar[str] = "counting"

    async def step(self, uow: UnitOfWork, actor: Actor, job: JobState) -> Step:
        assert isinstance(uow, SqlAlchemyUnitOfWork)
        number = (job.cursor or 0) + 1
        await uow.session.execute(
            text("INSERT INTO public.steps VALUES (:job, :number, :process)"),
            {"job": job.id, "number": number, "process": os.getpid()},
        )
        if number == job.params.get("refuse"):
            raise Refused("It was refused.")
        if number == job.params.get("break"):
            raise RuntimeError("a secret")
        await asyncio.sleep(job.params.get("pause", 0))
        result = {"may": sorted(actor.permissions)}
        return Step(cursor=number, done=number, result=result, finished=number == job.params["to"])


if __name__ == "__main__":
    from cms_api.cli.runtime import database, settings_of
    from cms_api.cli.work import work

    with database(settings_of()) as ready:
        work(ready, Counting())

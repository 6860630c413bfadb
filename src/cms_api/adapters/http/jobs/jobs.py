"""Jobs: looking at them, watching them, stopping them."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from cms_api.adapters.http.events import MEDIA_TYPE, limited, stream
from cms_api.adapters.http.jobs.stream import STREAM, Watch
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.auth.api import IdentityService
from cms_api.domains.jobs.api import JOBS, JobService, JobView
from cms_api.kernel.unit_of_work import UnitOfWork


class JobController(Controller):
    """Work that goes on after the request that asked for it."""

    path = "/jobs"
    tags = ("jobs",)

    @get("/", operation_id="listJobs", opt={"listing": JOBS})
    async def list_jobs(
        self, request: ApiRequest, jobs: NamedDependency[JobService]
    ) -> Response[ListView[JobView]]:
        """Your jobs; everybody's with `jobs:read`. The newest come first."""
        query = list_query(request, JOBS)
        return list_response(request, query, await jobs.list(request.user, query.request))

    @get("/{job_id:uuid}", operation_id="getJob")
    async def get_job(
        self, request: ApiRequest, job_id: FromPath[UUID], jobs: NamedDependency[JobService]
    ) -> Response[JobView]:
        """One job: its state, its progress, and what came of it. The version counts each step."""
        return resource(request, await jobs.get(request.user, job_id))

    @post("/{job_id:uuid}/cancel", operation_id="cancelJob", status_code=200)
    async def cancel(
        self,
        request: ApiRequest,
        job_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        jobs: NamedDependency[JobService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[JobView]:
        """Stop a job: at once while it waits, before its next step while it runs. What is done stays."""
        async with uow:
            job = await jobs.cancel(uow, request.user, job_id, expected=if_match)
        return resource(request, job)

    @get(
        "/{job_id:uuid}/events",
        operation_id="watchJob",
        media_type=MEDIA_TYPE,
        middleware=[limited],
        opt={"stream": STREAM},
    )
    async def watch(
        self,
        request: ApiRequest,
        job_id: FromPath[UUID],
        jobs: NamedDependency[JobService],
        identity: NamedDependency[IdentityService],
    ) -> Stream:
        """Server-sent events: `progress` now and on each change, `end` in the end; both with the job."""
        watch = Watch(request, jobs, identity, first=await jobs.get(request.user, job_id))
        return stream(watch.events())

"""The jobs domain over HTTP."""

from litestar.types import ControllerRouterHandler

from cms_api.adapters.http.jobs.jobs import JobController

ROUTES: list[ControllerRouterHandler] = [JobController]

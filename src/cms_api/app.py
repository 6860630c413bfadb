"""The application: `create_app` makes it of settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

import structlog
from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import AbstractMiddleware, DefineMiddleware
from litestar.types import ASGIApp

from cms_api import logs
from cms_api.adapters.http import auth, cms, jobs, openapi, system
from cms_api.adapters.http.body import JsonBody
from cms_api.adapters.http.caching import CacheAges, CachedAnswers, ResponseCache
from cms_api.adapters.http.context import RequestContext
from cms_api.adapters.http.events import Looks, OpenStreams
from cms_api.adapters.http.identity import IdentityMiddleware
from cms_api.adapters.http.lists import Cursors
from cms_api.adapters.http.methods import Methods
from cms_api.adapters.http.preconditions import provide_if_match
from cms_api.adapters.http.previewing import Previewing
from cms_api.adapters.http.problems import EXCEPTION_HANDLERS
from cms_api.adapters.http.proxies import Proxies
from cms_api.adapters.http.queries import with_queries
from cms_api.bootstrap.container import Application
from cms_api.bootstrap.supervision import Background, signalled
from cms_api.settings import Settings

# What a multipart form has beside its file, in bytes.
FORM_OVERHEAD = 65_536
# Below these paths is what everybody may read.
CACHED = (
    "/api/v1/content/", "/feed.", "/atom.xml", "/categories/", "/tags/", "/authors/", "/sitemap", "/robots.txt",
    "/openapi.json",
)  # fmt: skip
# But there each answer is somebody's own.
NEVER_CACHED = ("/api/v1/content/sync",)


def create_app(settings: Settings) -> Litestar:
    """The ASGI application. ``settings.database_url`` must be given, and the database migrated.

    The application itself hangs on the state as ``app.state.application``, for programs that
    embed it and want to call the services in process.
    """
    if not structlog.is_configured():
        logs.configure(settings)  # the library's own way would print local variables
    application = Application(settings)
    stopping = asyncio.Event()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await application.start()
        listening = Background([application.container.core.change_listener()], timeout=1)
        listening.start()
        background = application.background() if settings.background else Background([], timeout=0)
        background.start()
        try:
            # The server lets us know only when the last answer is sent, and some would never end.
            with signalled(stopping.set, background.request_stop):
                yield
        finally:
            stopping.set()
            await background.stop()
            await listening.stop()
            await application.stop()

    queried = partial(with_queries, max_body=settings.max_body_bytes)
    app = Litestar(
        route_handlers=[
            *system.ROUTES,
            Router("/api/v1", route_handlers=queried(auth.ROUTES + cms.ROUTES + jobs.ROUTES)),
            Router(
                "/api/v1/content",
                route_handlers=queried(cms.DELIVERY_ROUTES),
                opt={"public": True, "previews": True},
            ),
            Router(
                "/api/v1",
                route_handlers=queried(cms.UPLOAD_ROUTES),
                request_max_body_size=settings.max_upload_bytes + FORM_OVERHEAD,
            ),
            *cms.FILE_ROUTES,
        ],
        dependencies={
            **application.dependencies(),
            "if_match": Provide(provide_if_match, sync_to_thread=False),
        },
        dto=JsonBody,
        return_dto=None,
        exception_handlers=EXCEPTION_HANDLERS,
        middleware=[
            DefineMiddleware(IdentityMiddleware, identity=application.container.auth.identity()),
            DefineMiddleware(Previewing, previews=application.container.cms.previews()),
        ],
        cors_config=CORSConfig(
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE", "OPTIONS"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "If-Match",
                "If-Modified-Since",
                "If-None-Match",
                "If-Range",
                "Last-Event-ID",
                "Preview-Token",
                "Range",
                "X-Request-Id",
            ],
            expose_headers=[
                "Accept-Ranges",
                "Content-Range",
                "ETag",
                "Link",
                "Location",
                "RateLimit",
                "RateLimit-Policy",
                "Retry-After",
                "X-Request-Id",
            ],
        )
        if settings.cors_origins
        else None,
        request_max_body_size=settings.max_body_bytes,
        openapi_config=openapi.config(version("cms-api")),
        logging_config=None,
        state=State(
            {
                "application": application,
                "cache_ages": CacheAges(settings.cache_max_age, settings.cache_max_ages),
                "cursors": Cursors(application.settings.secret_key or ""),
                "query_cost_limit": settings.query_cost_limit,
                "is_ready": application.is_ready,
                "looks": Looks(),
                "openapi": openapi.Document(),
                "stopping": stopping,
                "streams": OpenStreams(settings.max_streams),
            }
        ),
        lifespan=[lifespan],
        debug=False,
    )
    handler = _cached(app.asgi_handler, application.container.core.cache())
    app.asgi_handler = RequestContext(
        Methods(handler),
        # With other origins, what their browsers are told is worked out in front of the cache.
        cached=handler if isinstance(handler, CachedAnswers) else None,
        access_log=settings.log_level in ("debug", "info"),
        proxies=Proxies(settings.trusted_proxies),
        has_origins=bool(settings.cors_origins),
    )
    return app


def _cached(handler: ASGIApp, cache: ResponseCache) -> ASGIApp:
    """``handler`` behind the cache; what tells browsers of other origins stays in front of it."""
    if isinstance(handler, AbstractMiddleware):
        handler.app = _cached(handler.app, cache)
        return handler
    return CachedAnswers(handler, cache, prefixes=CACHED, but=NEVER_CACHED)

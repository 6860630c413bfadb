"""Health, the API's own description, and its manuals."""

from html import escape
from importlib.resources import files
from typing import Literal

import structlog
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.types import ASGIApp

from cms_api.adapters.http.caching import Answer, shared
from cms_api.adapters.http.problems import RETRY_AFTER, catalogue
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import View
from cms_api.domains.cms.api import DocumentTypes

_log = structlog.get_logger("cms.health")


class Health(View, frozen=True, kw_only=True):
    """How the service is."""

    status: Literal["ok", "unavailable"]


@get("/health/live", operation_id="live", tags=["system"], opt={"public": True})
async def live() -> Health:
    """Whether the process answers."""
    return Health(status="ok")


@get("/health/ready", operation_id="ready", tags=["system"], opt={"public": True})
async def ready(request: ApiRequest) -> Response[Health]:
    """Whether the database answers and is migrated: 200, else 503."""
    try:
        is_ready = await request.app.state.is_ready()
    except Exception as error:  # noqa: BLE001 - whatever the reason, the answer is the same
        _log.warning("not_ready", error=type(error).__name__)
        is_ready = False
    if is_ready:
        return Response(Health(status="ok"), headers={"Cache-Control": "no-store"})
    headers = {"Cache-Control": "no-store", "Retry-After": str(RETRY_AFTER)}
    return Response(Health(status="unavailable"), status_code=503, headers=headers)


@get("/openapi.json", include_in_schema=False, opt={"public": True})
async def openapi(request: ApiRequest, types: NamedDependency[DocumentTypes]) -> ASGIApp:
    """The OpenAPI 3.1 document, with the types of this moment."""
    document = await request.app.state.openapi(request.app, types)
    headers = [(b"cache-control", b"public, no-cache"), (b"vary", b"Accept-Encoding")]
    return shared(request.scope, Answer(document, headers, ("content-types",)))


@get("/docs", include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def docs() -> Response[bytes]:
    """A browsable manual made of the OpenAPI document, without anything from elsewhere."""
    page = files("cms_api.adapters.http").joinpath("docs.html").read_bytes()
    policy = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    return Response(page, media_type=MediaType.HTML, headers={"Content-Security-Policy": policy})


@get("/problems", include_in_schema=False, opt={"public": True}, media_type=MediaType.HTML)
async def problems() -> Response[str]:
    """Every problem type that the API answers with; the ``type`` of a problem points here."""
    rows = "".join(
        f'<section id="{code}"><h2><code>{code}</code> · {status}</h2><p><b>{escape(title)}.</b> '
        f"{escape(meaning)}</p></section>"
        for code, status, title, meaning in catalogue()
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Problems</title>'
        "<style>body{font:16px/1.5 system-ui;max-width:45rem;margin:2rem auto;padding:0 1rem}"
        f":target{{background:#fff3c4}}</style><h1>Problems</h1>{rows}</html>"
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return Response(page, media_type=MediaType.HTML, headers={"Content-Security-Policy": policy})


ROUTES = [live, ready, openapi, docs, problems]

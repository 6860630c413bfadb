"""Maps of the site, and what robots may fetch."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from cms_api.adapters.http.cms.answering import delivered_as
from cms_api.adapters.http.previewing import leading_on
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.xml import DECLARATION, element
from cms_api.domains.cms.api import MapEntry, MapKind, MapPart, SiteFacts, SiteMapPart, SiteMapService
from cms_api.kernel.errors import NotFound

_PART = re.compile(r"(?:(terms|authors)-)?(0|[1-9][0-9]{0,8})\.xml")
XML, TEXT = "application/xml", "text/plain; charset=utf-8"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NAMESPACES = {
    "xmlns": SITEMAP,
    "xmlns_image": "http://www.google.com/schemas/sitemap-image/1.1",
    "xmlns_xhtml": "http://www.w3.org/1999/xhtml",
}
_EXAMPLE = f'{DECLARATION}<{{0}} xmlns="{SITEMAP}">…</{{0}}>'


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _name(part: MapPart) -> str:
    """What the file of a part is called."""
    return f"{part.number}.xml" if part.kind == "documents" else f"{part.kind}-{part.number}.xml"


def _opt(media_type: str, example: str) -> dict[str, object]:
    return {"public": True, "document": {"media_type": media_type, "example": example}}


@get(
    "/sitemap.xml",
    operation_id="deliverSitemap",
    summary="Read the index of the sitemaps",
    tags=["feeds"],
    opt={**_opt(XML, _EXAMPLE.format("sitemapindex")), "previews": True},
)
async def sitemap_index(request: ApiRequest, sitemaps: NamedDependency[SiteMapService]) -> ASGIApp:
    """Names the parts. There are none where search engines are to stay out."""
    found = await sitemaps.index()
    parts = (
        element(
            "sitemap",
            (
                element("loc", leading_on(request.scope, f"{found.site.service}/sitemaps/{_name(part)}")),
                element("lastmod", _moment(part.changed_at)),
            ),
        )
        for part in found.parts
    )
    body = f"{DECLARATION}{element('sitemapindex', parts, xmlns=SITEMAP)}\n".encode()
    changed_at = max((part.changed_at for part in found.parts), default=None)
    return delivered_as(request, body, XML, resource="sitemaps", changed_at=changed_at, keys=found.tags)


@get(
    "/sitemaps/{file:str}",
    operation_id="deliverSitemapPart",
    summary="Read a part of the sitemap",
    tags=["feeds"],
    opt={**_opt(XML, _EXAMPLE.format("urlset")), "previews": True},
)
async def sitemap_part(
    request: ApiRequest, file: FromPath[str], sitemaps: NamedDependency[SiteMapService]
) -> ASGIApp:
    """Up to 10,000 addresses, with pictures and translations; `file` is as the index names it: `0.xml`."""
    named = _PART.fullmatch(file)
    if named is None:
        raise NotFound("There is no such part.")
    kind: MapKind = named[1] or "documents"  # type: ignore[assignment]  # see the pattern
    found = await sitemaps.part(kind, int(named[2]))
    # Long enough for others to notice, so not on the loop.
    body = await asyncio.to_thread(_urlset, found)
    return delivered_as(request, body, XML, resource="sitemaps", changed_at=found.changed_at, keys=found.tags)


def _urlset(part: SiteMapPart) -> bytes:
    urls = (element("url", _url(entry)) for entry in part.entries)
    return f"{DECLARATION}{element('urlset', urls, **NAMESPACES)}\n".encode()


def _url(entry: MapEntry) -> Iterator[str]:
    yield element("loc", entry.url)
    yield element("lastmod", _moment(entry.changed_at))
    for image in entry.images:
        yield element("image:image", (element("image:loc", image),))
    for locale, url in entry.alternates:
        yield element("xhtml:link", rel="alternate", hreflang=locale, href=url)


@get(
    "/robots.txt",
    operation_id="deliverRobots",
    summary="Read what robots may fetch",
    tags=["feeds"],
    opt={
        **_opt(TEXT, "User-agent: *\nDisallow: /search\n\nSitemap: https://example.org/sitemap.xml\n"),
        "dated": False,
    },
)
async def robots(request: ApiRequest, sitemaps: NamedDependency[SiteMapService]) -> ASGIApp:
    """As the settings of the site say (RFC 9309)."""
    site = await sitemaps.robots()
    return delivered_as(
        request,
        _robots(site),
        TEXT,
        resource="robots",
        changed_at=None,
        keys=("settings", *site.used.split(",")),
    )


def _robots(site: SiteFacts) -> bytes:
    if site.is_noindex:
        return b"User-agent: *\nDisallow: /\n"
    rules = [f"Allow: {path}" for path in site.robots.allow]
    rules += [f"Disallow: {path}" for path in site.robots.disallow]
    lines = ["User-agent: *", *(rules or ["Disallow:"]), "", f"Sitemap: {site.service}/sitemap.xml", ""]
    return "\n".join(lines).encode()


SITEMAP_ROUTES: list[HTTPRouteHandler] = [sitemap_index, sitemap_part, robots]

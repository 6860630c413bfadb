"""Feeds of published posts: of the site, a category, a tag, an author."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from cms_api.adapters.http.cms.answering import delivered_as, led_on
from cms_api.adapters.http.cms.feed_formats import JsonFeed, Links, atom, json_feed, rss
from cms_api.adapters.http.lists import query_values, wrong_parameter
from cms_api.adapters.http.previewing import leading_on
from cms_api.adapters.http.requests import ApiRequest
from cms_api.domains.cms.api import Feed, FeedPosition, FeedScope, FeedService, MovedFeed

QUERY = {
    "locale": "The language; the default one where not given.",
    "after": "Where the page begins, as the link to the next page has it.",
}


class FeedFormat(NamedTuple):
    """What a feed is written as: the end of its path, what it is called, its media type, what writes it."""

    file: str
    name: str
    media_type: str
    write: Callable[[Feed, Links], bytes]
    example: str
    schema: type[msgspec.Struct] | None = None


FORMATS = (
    FeedFormat(
        "feed.xml", "Rss", "application/rss+xml", rss,
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>…</channel></rss>',
    ),
    FeedFormat(
        "atom.xml", "Atom", "application/atom+xml", atom,
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">…</feed>',
    ),
    FeedFormat(
        "feed.json", "Json", "application/feed+json", json_feed,
        '{"version":"https://jsonfeed.org/version/1.1","title":"Example","items":[],'
        '"home_page_url":"https://example.org","feed_url":"https://example.org/feed.json","language":"en"}',
        JsonFeed,
    ),
)  # fmt: skip
SCOPES: dict[str, FeedScope] = {"categories": "category", "tags": "tag", "authors": "author"}
PLURALS = {scope: plural for plural, scope in SCOPES.items()}


def _opt(kind: FeedFormat) -> dict[str, object]:
    return {
        **({} if kind.schema is None else {"answers": kind.schema}),
        "public": True,
        "previews": True,
        "query": QUERY,
        "problems": ("404",),
        "document": {"media_type": kind.media_type, "example": kind.example},
    }


async def _feed(
    request: ApiRequest, feeds: FeedService, kind: FeedFormat, scope: FeedScope | None, slug: str | None
) -> ASGIApp:
    given = query_values(request, QUERY)
    after = None
    if "after" in given and (after := FeedPosition.parse(given["after"])) is None:
        raise wrong_parameter(
            "after", "cursor", "“after” is no position: take it from the link to the next page."
        )
    feed = await feeds.read(scope, slug, locale=given.get("locale"), after=after)
    if isinstance(feed, MovedFeed):
        place = f"{feed.service}{quote(f'/{PLURALS[feed.scope]}/{feed.slug}/{kind.file}')}"
        return led_on(request, _at(request, place, given), resource="feeds", keys=feed.tags)
    body = kind.write(feed, _links(request, feed, given))
    return delivered_as(
        request, body, kind.media_type, resource="feeds", changed_at=feed.updated_at, keys=feed.tags
    )


def _links(request: ApiRequest, feed: Feed, given: dict[str, str]) -> Links:
    place = f"{feed.site.service}{quote(request.scope['path'])}"

    def at(after: str | None) -> str:
        values = {"locale": given.get("locale"), "after": after}
        return _at(request, place, {name: value for name, value in values.items() if value is not None})

    return Links(at(given.get("after")), at(None), at(str(feed.next)) if feed.next else None)


def _at(request: ApiRequest, place: str, values: dict[str, str]) -> str:
    """The address of a feed, with what it is asked for."""
    return leading_on(request.scope, f"{place}?{urlencode(values)}" if values else place)


def _of_site(kind: FeedFormat) -> HTTPRouteHandler:
    @get(
        f"/{kind.file}",
        operation_id=f"deliver{kind.name}Feed",
        summary=f"Read the site’s feed: {kind.file}",
        tags=["feeds"],
        opt=_opt(kind),
    )
    async def feed_of_site(request: ApiRequest, feeds: NamedDependency[FeedService]) -> ASGIApp:
        """The posts of a language, the newest first, some at a time."""
        return await _feed(request, feeds, kind, None, None)

    return feed_of_site


def _of_scope(plural: str, scope: FeedScope, kind: FeedFormat) -> HTTPRouteHandler:
    @get(
        f"/{plural}/{{slug:str}}/{kind.file}",
        operation_id=f"deliver{scope.capitalize()}{kind.name}Feed",
        summary=f"Read the feed of a {scope}: {kind.file}"
        if scope != "author"
        else f"Read an author’s feed: {kind.file}",
        tags=["feeds"],
        opt={**_opt(kind), "moves": True},
    )
    async def feed_of_scope(
        request: ApiRequest, slug: FromPath[str], feeds: NamedDependency[FeedService]
    ) -> ASGIApp:
        """The posts of a language that belong to it, the newest first, some at a time. Former slugs lead on."""
        return await _feed(request, feeds, kind, scope, slug)

    return feed_of_scope


FEED_ROUTES = [
    *(_of_site(kind) for kind in FORMATS),
    *(_of_scope(plural, scope, kind) for plural, scope in SCOPES.items() for kind in FORMATS),
]

"""Published content on its way out: headers for caches, and what each answer is made of."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime

from litestar.types import ASGIApp

from cms_api.adapters.http.caching import Answer, Headers, Redirection, shared
from cms_api.adapters.http.lists import ListQuery
from cms_api.adapters.http.previewing import can_be_previewed
from cms_api.adapters.http.requests import ApiRequest
from cms_api.domains.cms.api import Delivered
from cms_api.querying import Page

# What an answer depends on that looks into other resources, whichever they are.
ANYTHING = ("documents", "authors", "categories", "tags", "media")

ENCODED = b"Accept-Encoding"
# Who brings a preview's token in the header asks for the same address.
PREVIEWED = b"Accept-Encoding, Preview-Token"
# What a search depends on besides: what documents are found by may be read in after they were published.
SEARCH = "search"


def delivered_one(
    request: ApiRequest, item: Delivered, *, is_dated: bool = True, keys: Iterable[str] = ()
) -> ASGIApp:
    """The answer with one item, made of what it used and of ``keys``; its date is told where that covers all of it."""
    date = item.changed_at if is_dated else ""
    used = (*item.used.split(","), *keys)
    return shared(request.scope, Answer(item.json.encode(), _headers(request), used, date=date))


def delivered_list(
    request: ApiRequest,
    query: ListQuery,
    page: Page[Delivered],
    *,
    keys: Iterable[str],
    more: Iterable[tuple[str, str]] = (),
) -> ASGIApp:
    """The answer with a page of items, made of what they used and of ``keys``: what decides which they are.

    ``more`` are further members of it, as JSON texts.
    """
    info, links = query.links(page)
    count = "" if page.count is None else f',"count":{page.count}'
    if page.is_estimate:
        count += ',"count_is_estimate":true'
    if page.is_bounded:
        count += ',"only_newest":true'
    beside = "".join(f',"{name}":{text}' for name, text in more)
    cursors = [f'"{cursor}"' if cursor else "null" for cursor in (info.next, info.prev)]
    body = (
        f'{{"items":[{",".join([item.json for item in page.items])}],'
        f'"page":{{"next":{cursors[0]},"prev":{cursors[1]},"limit":{info.limit}}}{count}{beside}}}'
    )
    headers = _headers(request)
    headers += [(name.lower().encode(), value.encode()) for name, value in links.items()]
    used = ",".join([item.used for item in page.items])
    if query.is_search:
        keys = (*keys, SEARCH)
    return shared(request.scope, Answer(body.encode(), headers, (*used.split(","), *keys)))


def delivered_as(
    request: ApiRequest,
    body: bytes,
    media_type: str,
    *,
    resource: str,
    changed_at: datetime | None,
    keys: Iterable[str],
) -> ASGIApp:
    """The answer with bytes of another media type than JSON, made of what ``keys`` name.

    ``changed_at`` is the newest date in it: it does not tell of what is no longer in it.
    """
    date = "" if changed_at is None else format_datetime(changed_at.astimezone(UTC), usegmt=True)
    answer = Answer(
        body, _headers(request, resource), keys, media_type=media_type.encode(), date=date, is_dated=False
    )
    return shared(request.scope, answer)


def led_on(request: ApiRequest, location: str, *, resource: str, keys: Iterable[str]) -> ASGIApp:
    """The answer that something is elsewhere from now on, where ``keys`` name all that decides where."""
    return shared(request.scope, Redirection(location, _headers(request, resource), keys))


def _headers(request: ApiRequest, resource: str | None = None) -> Headers:
    """The headers of what everybody may keep for a while: how long depends on what it is."""
    resource = resource or request.scope["path"].split("/", 5)[4]
    return [
        (b"cache-control", request.app.state.cache_ages.of(resource)),
        (b"vary", PREVIEWED if can_be_previewed(request.scope) else ENCODED),
    ]

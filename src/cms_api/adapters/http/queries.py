"""`POST …/query` beside each list: the same question in a body, for those that are too long for an address."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from litestar import Controller, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from cms_api.adapters.http.body import check_media_type
from cms_api.adapters.http.lists import BODY, QUERY_PATH
from cms_api.adapters.http.requests import ApiRequest


async def _read(request: ApiRequest) -> None:
    """Put the body where `list_query` finds it."""
    check_media_type(request)
    request.scope[BODY] = await request.body() or b"{}"  # type: ignore[literal-required]  # ours


def with_queries(
    handlers: Iterable[ControllerRouterHandler], *, max_body: int
) -> list[ControllerRouterHandler]:
    """The handlers, and beside each that lists (``opt["listing"]``) one that is asked by a body.

    ``max_body`` is how many bytes that may have, whatever others at the same place take.
    """
    found: list[ControllerRouterHandler] = []
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            found += [handler, *_queries([handler], max_body)]
        elif inspect.isclass(handler) and issubclass(handler, Controller):
            listing = [
                one
                for name in dir(handler)
                if isinstance(one := getattr(handler, name, None), HTTPRouteHandler)
            ]
            made = {f"query_{one.fn.__name__}": one for one in _queries(listing, max_body)}
            found.append(type(handler.__name__, (handler,), made) if made else handler)
        else:
            found.append(handler)
    return found


def _queries(handlers: Sequence[HTTPRouteHandler], max_body: int) -> list[HTTPRouteHandler]:
    return [_query(one, max_body) for one in handlers if "listing" in one.opt and "GET" in one.http_methods]


def _query(listing: HTTPRouteHandler, max_body: int) -> HTTPRouteHandler:
    named = str(listing.operation_id)
    opt: dict[str, Any] = {name: one for name, one in listing.opt.items() if name != "query"}
    return post(
        [f"{path.rstrip('/')}{QUERY_PATH}" for path in sorted(listing.paths)],
        operation_id=query_name(named),
        summary=f"{listing.summary or 'Ask'}, asked by a body" if listing.summary else None,
        description="The same as the list, asked by a body: nothing is changed. Cursors are good for both.",
        tags=listing.tags,
        status_code=200,
        before_request=_read,
        request_max_body_size=max_body,
        # Under a name of its own: in the query string, none of it is taken.
        opt={**opt, "query_of": named, "asked": listing.opt.get("query", {})},
    )(listing.fn)


def query_name(named: str) -> str:
    """What the operation is called that asks a list by a body."""
    if named.startswith("deliver"):
        return f"queryDelivered{named.removeprefix('deliver')}"
    name = named.removeprefix("list")
    return f"query{name[0].upper()}{name[1:]}"

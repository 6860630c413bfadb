"""Single resources: whole under their version, or what of them is chosen, as their lists show items."""

from typing import Any

from litestar import Response

from cms_api.adapters.http.lists import cost_limit_of, kept, selection_from
from cms_api.adapters.http.preconditions import Versioned, chosen, resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.querying import NO_SELECTION, Listing, Selection


def item_query(request: ApiRequest, listing: Listing) -> Selection:
    """What is wanted of an item of a list (``opt["item_of"]``). Raises `Malformed`, and `QueryTooCostly`."""
    query: bytes = request.scope["query_string"]
    if not query:
        return NO_SELECTION
    selection, _ = selection_from(query, listing, cost_limit=cost_limit_of(request))
    return selection


def item_response(
    request: ApiRequest,
    item: Versioned,
    shown: object,
    listing: Listing,
    selection: Selection,
    *,
    is_whole: bool = True,
) -> Response[Any]:
    """What is wanted of ``item``; ``shown`` is the same with what is included in it.

    304 where the client has the very same; where all of it is wanted, ``is_whole`` says whether its
    version tells that.
    """
    if selection == NO_SELECTION:
        return resource(request, item, is_whole=is_whole)
    return chosen(request, kept(shown, selection, listing), item.version)

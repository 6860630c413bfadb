"""Published entries: lean handlers, ready bytes."""

from typing import Any, Literal
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from cms_api.adapters.http.cms.answering import ANYTHING, delivered_list, delivered_one
from cms_api.adapters.http.cms.delivery import FORMAT, QUERY
from cms_api.adapters.http.cms.documents import ENTRIES
from cms_api.adapters.http.lists import ListQuery, cost_limit_of, list_query, selection_from
from cms_api.adapters.http.requests import ApiRequest
from cms_api.domains.cms.api import ANY_ENTRIES, EntryDeliveryService
from cms_api.querying import comparisons

ENTRY_QUERY = {
    "include": "Comma-separated relations to expand, three deep at most: `place,place.city`; what is not "
    "included is an id.",
    "fields": QUERY["fields"],
    **FORMAT,
}
ONE_QUERY = {**ENTRY_QUERY, "locale": "The language; the default one where not given."}
OPT: dict[str, Any] = {"entries": "delivered"}


@get(
    f"/{ENTRIES}",
    operation_id="deliverEntries",
    summary="List published entries",
    tags=["delivery"],
    opt={"listing": ANY_ENTRIES, **OPT},
)
async def list_entries(request: ApiRequest, entry_delivery: NamedDependency[EntryDeliveryService]) -> ASGIApp:
    """Published content only. What a relation points at is there as far as it is published itself."""
    reader = await entry_delivery.of(request.path_params["type"])
    query = list_query(request, reader.listing)
    page = await reader.page(query.request, query.selection)
    keys = (
        f"document:{request.path_params['type']}",
        "content-types",
        *(ANYTHING if query.looks_further or _asks_for_targets(query) else ()),
    )
    return delivered_list(request, query, page, keys=keys)


def _asks_for_targets(query: ListQuery) -> bool:
    """Whether entries are picked by what their fields point at: of that only what is live counts."""
    relations = query.listing.relations
    return any(
        one.field in relations and relations[one.field].kinds for one in comparisons(query.request.filter)
    )


@get(
    f"/{ENTRIES}/{{item_id:uuid}}",
    operation_id="deliverEntry",
    summary="Read a published entry by id",
    tags=["delivery"],
    opt={"query": ENTRY_QUERY, **OPT},
)
async def entry_by_id(
    request: ApiRequest, item_id: FromPath[UUID], entry_delivery: NamedDependency[EntryDeliveryService]
) -> ASGIApp:
    """Published content only; what is not published is not found."""
    return await _one(request, entry_delivery, "id", item_id)


@get(
    f"/{ENTRIES}/by-slug/{{slug:str}}",
    operation_id="deliverEntryBySlug",
    summary="Read a published entry by slug",
    tags=["delivery"],
    opt={"query": ONE_QUERY, **OPT},
)
async def entry_by_slug(
    request: ApiRequest, slug: FromPath[str], entry_delivery: NamedDependency[EntryDeliveryService]
) -> ASGIApp:
    """Published content only, at its current slug. That of a singleton is its type's key, with hyphens."""
    return await _one(request, entry_delivery, "slug", slug)


async def _one(
    request: ApiRequest, entry_delivery: EntryDeliveryService, by: Literal["id", "slug"], value: object
) -> ASGIApp:
    reader = await entry_delivery.of(request.path_params["type"])
    extra = ("locale",) if by == "slug" else ()
    selection, given = selection_from(
        request.scope["query_string"], reader.listing, extra, cost_limit=cost_limit_of(request)
    )
    found = await reader.one(by, value, selection, given.get("locale"))
    is_dated = reader.is_self_contained and not selection.include
    return delivered_one(request, found, is_dated=is_dated, keys=("content-types", "settings"))


ENTRY_DELIVERY_ROUTES: list[HTTPRouteHandler] = [list_entries, entry_by_id, entry_by_slug]

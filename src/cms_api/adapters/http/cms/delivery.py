"""Published content: lean handlers, ready bytes."""

from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from cms_api.adapters.http.cms.answering import ANYTHING, delivered_list, delivered_one
from cms_api.adapters.http.cms.delivered import DELIVERED
from cms_api.adapters.http.lists import MAX_QUERY_KEPT, cost_limit_of, list_query, selection_from
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import DeliveredList, ListView
from cms_api.domains.cms.api import LISTINGS, DeliveryService, Kind
from cms_api.querying import Selection

PLANS_KEPT = 1_024
LIST_KEYS: dict[Kind, str] = {
    "posts": "document:post",
    "pages": "document:page",
    "categories": "categories",
    "tags": "tags",
    "authors": "authors",
    "media": "media",
}
# What search engines are told, and where links lead, the settings of the site have a say in.
MORE_KEYS: dict[Kind, tuple[str, ...]] = {
    "posts": ("settings",),
    "pages": ("settings",),
    # Which are public, what shows them decides.
    "media": ("documents", "authors", "settings"),
}
QUERY = {
    "include": "Comma-separated relations to expand; what is not included is an id.",
    "fields": "Comma-separated fields to keep; `author.name` reaches into an included relation.",
}


FORMAT = {"format": "The format of texts."}
DOCUMENT_QUERY = {**QUERY, **FORMAT}


def query_of(kind: Kind) -> dict[str, str]:
    """What may be asked of an item of a kind."""
    return DOCUMENT_QUERY if LISTINGS[kind].has_texts else QUERY


@lru_cache(maxsize=PLANS_KEPT)
def _one_plan(kind: Kind, query: bytes, cost_limit: int) -> tuple[Selection, str | None]:
    selection, given = selection_from(query, LISTINGS[kind], ("locale",), cost_limit=cost_limit)
    return selection, given.get("locale")


async def _one(
    request: ApiRequest,
    delivery: DeliveryService,
    kind: Kind,
    by: Literal["id", "slug", "path"],
    value: object,
) -> ASGIApp:
    query = request.scope["query_string"]
    plan = _one_plan if len(query) <= MAX_QUERY_KEPT else _one_plan.__wrapped__
    selection, locale = plan(kind, query, cost_limit_of(request))
    item = await delivery.one(kind, by, value, selection, locale)
    return delivered_one(request, item, is_dated=not selection.include, keys=MORE_KEYS.get(kind, ()))


async def _list(request: ApiRequest, delivery: DeliveryService, kind: Kind) -> ASGIApp:
    query = list_query(request, LISTINGS[kind])
    page = await delivery.list(kind, query.request, query.selection)
    keys = (LIST_KEYS[kind], *MORE_KEYS.get(kind, ()), *(ANYTHING if query.looks_further else ()))
    return delivered_list(request, query, page, keys=keys)


def _list_of(kind: Kind) -> Any:
    item = DELIVERED[kind]
    if LISTINGS[kind].is_searchable:
        return DeliveredList[item]  # type: ignore[valid-type]  # a value here, made of a type that is handed in
    return ListView[item]  # type: ignore[valid-type]  # a value here, made of a type that is handed in


def _routes(kind: Kind, noun: str, *, by: Literal["slug", "path"] | None) -> list[HTTPRouteHandler]:
    """The routes of a kind: by id, by slug or path where it has one, as a list."""
    name, singular = kind.capitalize(), noun.capitalize()

    @get(
        f"/{kind}",
        operation_id=f"deliver{name}",
        summary=f"List published {kind}",
        tags=["delivery"],
        opt={"listing": LISTINGS[kind], "answers": _list_of(kind)},
    )
    async def list_items(request: ApiRequest, delivery: NamedDependency[DeliveryService]) -> ASGIApp:
        """Published content only. Pages by cursor; relations are ids until they are included."""
        return await _list(request, delivery, kind)

    @get(
        f"/{kind}/{{item_id:uuid}}",
        operation_id=f"deliver{singular}",
        summary=f"Read a published {noun} by id",
        tags=["delivery"],
        opt={"query": query_of(kind), "answers": DELIVERED[kind]},
    )
    async def by_id(
        request: ApiRequest, item_id: FromPath[UUID], delivery: NamedDependency[DeliveryService]
    ) -> ASGIApp:
        """Published content only; what is not published is not found."""
        return await _one(request, delivery, kind, "id", item_id)

    @get(
        f"/{kind}/by-slug/{{slug:str}}",
        operation_id=f"deliver{singular}BySlug",
        summary=f"Read a published {noun} by slug",
        tags=["delivery"],
        opt={
            "query": {**query_of(kind), "locale": "The language; the default one where not given."},
            "answers": DELIVERED[kind],
        },
    )
    async def by_slug(
        request: ApiRequest, slug: FromPath[str], delivery: NamedDependency[DeliveryService]
    ) -> ASGIApp:
        """Published content only, at its current slug."""
        return await _one(request, delivery, kind, "slug", slug)

    @get(
        f"/{kind}/by-path/{{path:path}}",
        operation_id=f"deliver{singular}ByPath",
        summary=f"Read a published {noun} by path",
        tags=["delivery"],
        opt={
            "query": {**query_of(kind), "locale": "The language; the default one where not given."},
            "answers": DELIVERED[kind],
        },
    )
    async def by_path(
        request: ApiRequest, path: FromPath[str], delivery: NamedDependency[DeliveryService]
    ) -> ASGIApp:
        """Published content only, at its current path: the slugs from the root down, joined by slashes."""
        return await _one(request, delivery, kind, "path", str(path).strip("/"))

    more = {"slug": [by_slug], "path": [by_path], None: []}
    return [list_items, by_id, *more[by]]


DELIVERY_ROUTES = [
    *_routes("posts", "post", by="slug"),
    *_routes("pages", "page", by="path"),
    *_routes("categories", "category", by="slug"),
    *_routes("tags", "tag", by="slug"),
    *_routes("authors", "author", by="slug"),
    *_routes("media", "file", by=None),
]

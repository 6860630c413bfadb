"""Published content: lean handlers, ready bytes."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, get_args
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from cms_api.adapters.http.cms.answering import ANYTHING, delivered_list, delivered_one
from cms_api.adapters.http.cms.delivered import DELIVERED
from cms_api.adapters.http.lists import ListQuery, nearest, values_of
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.cms.api import (
    FIELDS,
    INCLUDES,
    LISTINGS,
    BodyFormat,
    DeliveryService,
    Kind,
    Selection,
)
from cms_api.kernel.errors import Malformed

PLANS_KEPT = 1_024
LIST_KEYS: dict[Kind, str] = {
    "posts": "document:post",
    "pages": "document:page",
    "categories": "categories",
    "tags": "tags",
    "authors": "authors",
}
# What search engines are told, and where links lead, the settings of the site have a say in.
SEO_KEYS = ("settings",)
QUERY = {
    "include": "Comma-separated relations to expand; what is not included is an id.",
    "fields": "Comma-separated fields to keep; `author.name` reaches into an included relation.",
}


FORMAT = {"format": "The format of texts: `html`, `markdown`, `text` or `blocks`; `html` where not given."}
FORMATS: tuple[BodyFormat, ...] = get_args(BodyFormat)
DOCUMENT_QUERY = {**QUERY, **FORMAT}


def query_of(kind: Kind) -> dict[str, str]:
    """What may be asked of an item of a kind."""
    return DOCUMENT_QUERY if kind in ("posts", "pages") else QUERY


def selection_of(kind: Kind, given: Mapping[str, str]) -> Selection:
    """What of an item is asked for. Raises `Malformed` that names what is unknown."""
    include = frozenset(part for part in given.get("include", "").split(",") if part)
    for name in sorted(include):
        if name not in INCLUDES[kind]:
            raise Malformed(f"There is no include “{name[:100]}” here.{nearest(name, INCLUDES[kind])}")
    wanted = body_format(given)
    if "fields" not in given:
        return Selection(include, format=wanted)
    fields = tuple(dict.fromkeys(part for part in given["fields"].split(",") if part))
    inner = {
        "author": "authors",
        "authors": "authors",
        "parent": "pages" if kind == "pages" else "tags",
    }
    for name in fields:
        head, _, tail = name.partition(".")
        if head not in FIELDS[kind]:
            raise Malformed(f"There is no field “{name[:100]}” here.{nearest(name, FIELDS[kind])}")
        if tail and (head not in include or tail not in _inner_fields(inner.get(head, head))):
            raise Malformed(f"There is no field “{name[:100]}” here: is its relation included?")
    if not fields:
        raise Malformed("“fields” names no field.")
    return Selection(include, fields, wanted)


def body_format(given: Mapping[str, str]) -> BodyFormat:
    """The format of texts that a query string asks for. Raises `Malformed`."""
    wanted = given.get("format", "html")
    for known in FORMATS:
        if wanted == known:
            return known
    raise Malformed(f"There is no format “{wanted[:100]}” here.{nearest(wanted, FORMATS)}")


def _inner_fields(name: str) -> tuple[str, ...]:
    if name in ("cover", "avatar"):
        return ("id", "url", "filename", "title", "alt", "caption", "media_type", "size", "width", "height")
    if name == "pages":
        return ("id", "slug", "title", "path")
    return FIELDS[name]  # type: ignore[index]  # a kind: authors, categories or tags


@lru_cache(maxsize=PLANS_KEPT)
def _one_plan(kind: Kind, query: bytes) -> tuple[Selection, str | None]:
    given = values_of(query, (*query_of(kind), "locale"))
    return selection_of(kind, given), given.get("locale")


@lru_cache(maxsize=PLANS_KEPT)
def _list_plan(kind: Kind, query: bytes, request: "_Place") -> tuple[ListQuery, Selection]:
    asked = ListQuery(
        query, LISTINGS[kind], path=request.path, cursors=request.cursors, extra=tuple(query_of(kind))
    )
    return asked, selection_of(kind, asked.extra)


class _Place:
    """Where a list is asked for; equal by path, so that plans can be kept."""

    __slots__ = ("cursors", "path")

    def __init__(self, request: ApiRequest) -> None:
        self.path = request.scope["path"]
        self.cursors = request.app.state.cursors

    def __hash__(self) -> int:
        return hash(self.path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Place) and other.path == self.path and other.cursors is self.cursors


async def _one(
    request: ApiRequest,
    delivery: DeliveryService,
    kind: Kind,
    by: Literal["id", "slug", "path"],
    value: object,
) -> ASGIApp:
    scope = request.scope
    selection, locale = _one_plan(kind, scope["query_string"])
    item = await delivery.one(kind, by, value, selection, locale)
    keys = SEO_KEYS if kind in ("posts", "pages") else ()
    return delivered_one(request, item, is_dated=not selection.include, keys=keys)


async def _list(request: ApiRequest, delivery: DeliveryService, kind: Kind) -> ASGIApp:
    query, selection = _list_plan(kind, request.scope["query_string"], _Place(request))
    page = await delivery.list(kind, query.request, selection)
    return delivered_list(request, query, page, keys=_list_keys(kind, query))


def _list_keys(kind: Kind, query: ListQuery) -> tuple[str, ...]:
    """What decides which items are on a page: those of its kind, and whatever its filters look into."""
    own = (LIST_KEYS[kind], *(SEO_KEYS if kind in ("posts", "pages") else ()))
    looks_further = any("." in wanted.field for wanted in query.request.filters)
    return (*own, *ANYTHING) if looks_further else own


def _list_of(item: type[Any]) -> Any:
    return ListView[item]  # type: ignore[valid-type]  # a value here, made of a type that is handed in


def _routes(kind: Kind, noun: str, *, by: Literal["slug", "path"]) -> list[HTTPRouteHandler]:
    """The routes of a kind: by id, by slug or path, as a list."""
    name, singular = kind.capitalize(), noun.capitalize()

    @get(
        f"/{kind}",
        operation_id=f"deliver{name}",
        summary=f"List published {kind}",
        tags=["delivery"],
        opt={"listing": LISTINGS[kind], "query": query_of(kind), "answers": _list_of(DELIVERED[kind])},
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

    return [list_items, by_id, by_slug if by == "slug" else by_path]


DELIVERY_ROUTES = [
    *_routes("posts", "post", by="slug"),
    *_routes("pages", "page", by="path"),
    *_routes("categories", "category", by="slug"),
    *_routes("tags", "tag", by="slug"),
    *_routes("authors", "author", by="slug"),
]

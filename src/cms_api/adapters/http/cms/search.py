"""Searching what is published."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.answering import ANYTHING, delivered_list
from cms_api.adapters.http.lists import ListQuery, list_query
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import DeliveredList, View
from cms_api.domains.cms.api import FACETS, SEARCH, Facet, Highlights, Hits, SearchService
from cms_api.querying import EVERYTHING, nearest
from cms_api.querying.parsing import Extra

QUERY = {
    "q": 'What to search for, required: all of the words, `"in this order"`, `one or the other`, `-without`.',
    "locale": "The language to search in; the default one where not given.",
    "prefix": "`true`: the last word may be the beginning of one, as it is being typed.",
    "facets": f"Comma-separated facets to count hits by: `{'`, `'.join(FACETS)}`.",
}
# What JSON may say natively.
KINDS: dict[str, Literal["boolean", "names"]] = {"prefix": "boolean", "facets": "names"}
EXTRA = tuple(Extra(name, KINDS.get(name, "text")) for name in QUERY)


class SearchHit(View, frozen=True, kw_only=True):
    """A published document that was found. `score` is from 0 to 1; `path` is null without an address of its own."""

    id: UUID | UnsetType = UNSET
    type: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    path: str | UnsetType | None = UNSET
    locale: str | UnsetType = UNSET
    excerpt: str | UnsetType = UNSET
    published_at: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    score: float | UnsetType = UNSET
    highlights: Highlights | UnsetType = UNSET


class FacetValue(View, frozen=True, kw_only=True):
    """How many hits have a value: a type, the slug of a term or an author, or a month like `2026-01`."""

    value: str
    count: int
    id: UUID | UnsetType = UNSET
    name: str | UnsetType = UNSET


class SearchFacets(View, frozen=True, kw_only=True):
    """The facets that were asked for, up to 50 values each; the most frequent first, months newest first."""

    type: list[FacetValue] | UnsetType = UNSET
    category: list[FacetValue] | UnsetType = UNSET
    tag: list[FacetValue] | UnsetType = UNSET
    author: list[FacetValue] | UnsetType = UNSET
    month: list[FacetValue] | UnsetType = UNSET


class SearchHits(DeliveredList[SearchHit], frozen=True, kw_only=True, omit_defaults=True):
    """Hits, the best first. `corrected` is there where it was searched for in place of `q`."""

    corrected: str | None = None
    facets: SearchFacets | None = None


@get(
    "/search",
    operation_id="searchContent",
    summary="Search what is published",
    tags=["delivery"],
    opt={"listing": SEARCH, "query": QUERY, "kinds": KINDS, "required": ("q",), "answers": SearchHits},
)
async def search_content(request: ApiRequest, search: NamedDependency[SearchService]) -> ASGIApp:
    """Documents of all types in one language, the best match first unless `sort` is given, with snippets and counts."""
    query = list_query(request, SEARCH, extra=EXTRA)
    given = query.extra
    hits = await search.search(
        query.required("q"),
        query.request,
        locale=given.get("locale"),
        is_prefix=_is_prefix(query),
        facets=_facets(query),
        selection=query.selection,
    )
    looks_further = hits.facets is not None or query.request.filter != EVERYTHING
    # What is searched of entries, their types say.
    keys = ("search", "content-types", *(ANYTHING if looks_further else ("documents",)))
    return delivered_list(request, query, hits.page, keys=keys, more=_more(hits))


def _is_prefix(query: ListQuery) -> bool:
    given = query.extra.get("prefix")
    if given not in (None, "true", "false"):
        raise query.wrong("prefix", "type", "“prefix” is “true” or “false”.")
    return given == "true"


def _facets(query: ListQuery) -> tuple[Facet, ...]:
    wanted = tuple(dict.fromkeys(part for part in query.extra.get("facets", "").split(",") if part))
    for name in wanted:
        if name not in FACETS:
            detail = f"There is no facet “{name[:100]}” here.{nearest(name, FACETS)}"
            raise query.wrong("facets", "unknown_facet", detail)
    return wanted  # type: ignore[return-value]  # each of them is one


def _more(hits: Hits) -> Iterator[tuple[str, str]]:
    """What the answer has beside a list's, as JSON texts."""
    if hits.corrected is not None:
        yield "corrected", msgspec.json.encode(hits.corrected).decode()
    if hits.facets is not None:
        yield "facets", "{" + ",".join(f'"{name}":{counts}' for name, counts in hits.facets.items()) + "}"

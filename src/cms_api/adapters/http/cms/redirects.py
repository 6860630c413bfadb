"""Redirects, and what is at a path."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ASGIApp
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.answering import delivered_one
from cms_api.adapters.http.cms.delivered import DeliveredPage, DeliveredPost
from cms_api.adapters.http.cms.delivery import DOCUMENT_QUERY
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import (
    cost_limit_of,
    list_query,
    list_response,
    query_values,
    wrong_parameter,
)
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import (
    REDIRECTS,
    Locale,
    Match,
    RedirectChanges,
    RedirectService,
    RedirectStatus,
    RedirectView,
    Wanted,
)
from cms_api.kernel.unit_of_work import UnitOfWork

# Longer than what is kept, which has no percent-escapes.
Path = Annotated[
    str,
    Meta(
        max_length=6_002,
        description="A path like `/old/page`: kept without slashes at the ends and percent-escapes.",
    ),
]
Target = Annotated[
    str, Meta(max_length=6_002, description="A path like `/new/page`, or an http or https address.")
]


class RedirectPatch(Wire, frozen=True, kw_only=True):
    """A redirect's new values; what is left out stays."""

    kind: Match | UnsetType = UNSET
    source: Path | UnsetType = UNSET
    document: UUID | UnsetType | None = UNSET
    target: Target | UnsetType | None = UNSET
    status: RedirectStatus | UnsetType = UNSET


class NewRedirect(RedirectPatch, frozen=True, kw_only=True):
    """A redirect to be made: to a `document`, to a `target`, or to nowhere with `status` 410."""

    source: Path
    locale: Locale | UnsetType = UNSET


class ResolvedPage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="page"):
    """A published page; `url` is where it can be read alone."""

    id: UUID
    path: str
    url: str
    document: DeliveredPage


class ResolvedPost(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="post"):
    """A published post; `url` is where it can be read alone."""

    id: UUID
    path: str
    url: str
    document: DeliveredPost


class ResolvedEntry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="entry"):
    """A published entry of a content type with addresses; `url` is where it can be read alone."""

    type: str
    id: UUID
    path: str
    url: str
    document: dict[str, Any]


class ResolvedRedirect(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="redirect"):
    """Where to go; `location` is ready for the header of that name, null with `status` 410."""

    status: RedirectStatus
    location: str | None


Resolved = ResolvedPage | ResolvedPost | ResolvedEntry | ResolvedRedirect


class RedirectController(Controller):
    """Where paths lead that were."""

    path = "/redirects"
    tags = ("redirects",)

    @post(
        "/",
        operation_id="createRedirect",
        opt={"example": {"kind": "prefix", "source": "/news", "target": "/blog", "status": 301}},
    )
    async def create(
        self,
        request: ApiRequest,
        data: JSONBody[NewRedirect],
        redirects: NamedDependency[RedirectService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[RedirectView]:
        """Make a redirect; one that would make a chain with another is refused."""
        changes, locale = into(data, RedirectChanges), data.locale or None
        async with uow:
            redirect = await redirects.create(uow, request.user, changes, locale=locale)
        return resource(request, redirect, status=201, location=f"/api/v1/redirects/{redirect.id}")

    @get("/", operation_id="listRedirects", opt={"listing": REDIRECTS})
    async def list_redirects(
        self, request: ApiRequest, redirects: NamedDependency[RedirectService]
    ) -> Response[ListView[RedirectView]]:
        """The redirects, by source where no other order is asked for."""
        query = list_query(request, REDIRECTS)
        return list_response(request, query, await redirects.list(request.user, query.request))

    @get("/{redirect_id:uuid}", operation_id="getRedirect")
    async def get(
        self, request: ApiRequest, redirect_id: FromPath[UUID], redirects: NamedDependency[RedirectService]
    ) -> Response[RedirectView]:
        """One redirect."""
        return resource(request, await redirects.get(request.user, redirect_id))

    @patch(
        "/{redirect_id:uuid}",
        operation_id="updateRedirect",
        opt={"example": {"target": "https://example.org/archive"}},
    )
    async def update(
        self,
        request: ApiRequest,
        redirect_id: FromPath[UUID],
        data: JSONBody[RedirectPatch],
        if_match: NamedDependency[int | None],
        redirects: NamedDependency[RedirectService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[RedirectView]:
        """Change a redirect; an automatic one is yours from then on."""
        changes = into(data, RedirectChanges)
        async with uow:
            redirect = await redirects.update(uow, request.user, redirect_id, changes, expected=if_match)
        return resource(request, redirect)

    @delete("/{redirect_id:uuid}", operation_id="deleteRedirect")
    async def delete(
        self,
        request: ApiRequest,
        redirect_id: FromPath[UUID],
        if_match: NamedDependency[int | None],
        redirects: NamedDependency[RedirectService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """Delete a redirect."""
        async with uow:
            await redirects.delete(uow, request.user, redirect_id, expected=if_match)


KEYS = ("redirects", "documents", "settings", "content-types")
QUERY = {
    "path": "The path that was asked for, percent-encoded as any value here.",
    "locale": "The language; the default one where not given.",
    **DOCUMENT_QUERY,
}


@get(
    "/resolve",
    operation_id="resolvePath",
    summary="Find out what is at a path",
    tags=["delivery"],
    opt={"query": QUERY, "answers": Resolved, "problems": ("404",), "dated": False, "required": ("path",)},
)
async def resolve(request: ApiRequest, redirects: NamedDependency[RedirectService]) -> ASGIApp:
    """A published document, whole; else where a redirect leads. What is published comes first.

    Of `include` and `fields` counts what the document at the path has. The home page is at `/`.
    """
    given = query_values(request, QUERY)
    if "path" not in given:
        raise wrong_parameter("path", "required", "“path” is required.")
    told = {name: given[name] for name in DOCUMENT_QUERY if name in given}
    wanted = Wanted(**told, cost_limit=cost_limit_of(request))
    found = await redirects.resolve(given["path"], given.get("locale"), wanted)
    return delivered_one(request, found, is_dated=False, keys=KEYS)

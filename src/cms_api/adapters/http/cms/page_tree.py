"""Placing pages in their tree, and looking at it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ASGIApp
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.answering import delivered_one
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import query_values, wrong_parameter
from cms_api.adapters.http.preconditions import resource, unversioned
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import Wire
from cms_api.domains.cms.api import (
    DEFAULT_DEPTH,
    MAX_DEPTH,
    MAX_PAGES,
    PageService,
    PageTreeService,
    PageView,
    Place,
    Tree,
)
from cms_api.kernel.unit_of_work import UnitOfWork

QUERY = {
    "root": "The id of the page whose tree it is; the whole site's where not given.",
    "depth": f"How many levels, 1 to {MAX_DEPTH}; {DEFAULT_DEPTH} where not given.",
    "locale": "The language where no root is given; the default one where not given either.",
}


class PlaceInput(Wire, frozen=True, kw_only=True):
    """Where to: below `parent` (null is the top, left out is where it is), by a sibling, or last."""

    parent: UUID | UnsetType | None = UNSET
    before: UUID | None = None
    after: UUID | None = None


class DeliveredLeaf(msgspec.Struct, frozen=True, kw_only=True):
    """A live page in the tree; `depth` is 1 on the first level, `children` counts those right below it."""

    id: UUID
    parent: UUID | None
    depth: int
    slug: str
    path: str
    title: str
    menu_order: int
    updated_at: Annotated[datetime, Meta(tz=True)]
    children: int


class DeliveredTree(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the live tree, each page before those below it; `is_cut` where there is more."""

    items: Annotated[list[DeliveredLeaf], Meta(max_length=MAX_PAGES)]
    is_cut: bool


def _query(request: ApiRequest) -> tuple[UUID | None, int, str | None]:
    """The root, the depth and the language that a request asks for. Raises `Malformed`."""
    given = query_values(request, QUERY)
    root, depth = given.get("root"), given.get("depth", str(DEFAULT_DEPTH))
    if depth not in [str(number) for number in range(1, MAX_DEPTH + 1)]:
        raise wrong_parameter("depth", "range", f"“depth” is a number from 1 to {MAX_DEPTH}.")
    try:
        return None if root is None else UUID(root), int(depth), given.get("locale")
    except ValueError:
        raise wrong_parameter("root", "type", "“root” is the id of a page.") from None


class PageTreeController(Controller):
    """Pages among their siblings."""

    path = "/pages"
    tags = ("pages",)

    @post(
        "/{document_id:uuid}/place",
        operation_id="placePage",
        summary="Put a page somewhere in the tree",
        status_code=200,
        opt={
            "example": {
                "parent": "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12",
                "before": "01936f2a-d1c8-7c8a-8b0d-5e6f70819203",
            }
        },
    )
    async def place(
        self,
        request: ApiRequest,
        document_id: FromPath[UUID],
        data: JSONBody[PlaceInput],
        if_match: NamedDependency[int | None],
        pages: NamedDependency[PageService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[PageView]:
        """Its draft goes below a page, before or after a sibling, or last; readers see it when published."""
        async with uow:
            page = await pages.place(uow, request.user, document_id, into(data, Place), expected=if_match)
        return resource(request, page)

    @get(
        "/tree",
        operation_id="getPageTree",
        summary="See the tree of pages",
        opt={"query": QUERY, "problems": ("404",)},
    )
    async def tree(self, request: ApiRequest, page_tree: NamedDependency[PageTreeService]) -> Response[Tree]:
        """Drafts, each before those below it; siblings by `menu_order`, then by title."""
        root, depth, locale = _query(request)
        return unversioned(
            request, await page_tree.drafts(request.user, root=root, depth=depth, locale=locale)
        )


@get(
    "/pages/tree",
    operation_id="deliverPageTree",
    summary="Read the tree of published pages",
    tags=["delivery"],
    opt={"query": QUERY, "answers": DeliveredTree, "problems": ("404",), "dated": False},
)
async def live_tree(request: ApiRequest, page_tree: NamedDependency[PageTreeService]) -> ASGIApp:
    """Published pages, each before those below it. What hangs below an unpublished one is left out."""
    root, depth, locale = _query(request)
    tree = await page_tree.live(root=root, depth=depth, locale=locale)
    return delivered_one(request, tree, is_dated=False, keys=("document:page",))

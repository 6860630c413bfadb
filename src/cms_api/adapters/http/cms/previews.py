"""Previews: links to the site as it would look."""

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from cms_api.adapters.http.cms.documents import kind_of
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import unversioned
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import PREVIEWS, IssuedPreview, PreviewService, PreviewView
from cms_api.kernel.unit_of_work import UnitOfWork

HOUR, MINUTE, MONTH, MOST = 3_600, 60, 2_592_000, 50
Lifetime = Annotated[int, Meta(ge=MINUTE, le=MONTH, description="For how many seconds it is good.")]
EXAMPLE_ID = "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"


class PreviewRequest(Wire, frozen=True, kw_only=True):
    """How long a preview is wanted."""

    expires_in: Lifetime = HOUR


class NewPreview(PreviewRequest, frozen=True, kw_only=True):
    """The documents whose drafts are to be shown: posts, pages and entries."""

    documents: Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]


def _issued(preview: IssuedPreview) -> Response[IssuedPreview]:
    """The answer that shows the token, which nobody is to keep."""
    headers = {"Location": f"/api/v1/previews/{preview.id}", "Cache-Control": "no-store"}
    return Response(preview, headers=headers)


class PreviewController(Controller):
    """Links to the site as it would look, as long as they hold."""

    path = "/previews"
    tags = ("previews",)

    @post(
        "/",
        operation_id="createPreview",
        summary="Make a link to the site as it would look",
        opt={"example": {"documents": [EXAMPLE_ID], "expires_in": HOUR}, "tagged": False},
    )
    async def create(
        self,
        request: ApiRequest,
        data: JSONBody[NewPreview],
        previews: NamedDependency[PreviewService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[IssuedPreview]:
        """Whoever has the token sees the site with the drafts of these documents published.

        It is good on every GET below `/api/v1/content/`, on feeds and sitemaps, as `preview` or in the
        header `Preview-Token`, until it expires or the preview is deleted. It is shown only now.
        """
        async with uow:
            made = await previews.create(uow, request.user, data.documents, lifetime=data.expires_in)
        return _issued(made)

    @get("/", operation_id="listPreviews", opt={"listing": PREVIEWS})
    async def list_previews(
        self, request: ApiRequest, previews: NamedDependency[PreviewService]
    ) -> Response[ListView[PreviewView]]:
        """Your previews that still hold; everybody's with `previews:manage`. The newest come first."""
        query = list_query(request, PREVIEWS)
        return list_response(request, query, await previews.list(request.user, query.request))

    @get("/{preview_id:uuid}", operation_id="getPreview")
    async def get(
        self, request: ApiRequest, preview_id: FromPath[UUID], previews: NamedDependency[PreviewService]
    ) -> Response[PreviewView]:
        """One preview that still holds, without its token."""
        return unversioned(request, await previews.get(request.user, preview_id))

    @delete("/{preview_id:uuid}", operation_id="revokePreview", summary="Take a preview back")
    async def revoke(
        self,
        request: ApiRequest,
        preview_id: FromPath[UUID],
        previews: NamedDependency[PreviewService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """Its token is refused from the next request on."""
        async with uow:
            await previews.revoke(uow, request.user, preview_id)


def preview_controller(plural: str, noun: str) -> type[Controller]:
    """The route that previews one document of a content type, whose key is ``noun``."""
    name = noun.capitalize()
    kind = partial(kind_of, noun)

    class DocumentPreviewController(Controller):
        """Previews of one document."""

        path = f"/{plural}/{{document_id:uuid}}"
        tags = ("previews",)

        @post(
            "/preview",
            operation_id=f"preview{name}",
            summary=f"Make a link to the site as it would look with the draft of a {noun}",
            opt={"example": {"expires_in": HOUR}, "tagged": False},
        )
        async def preview(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            previews: NamedDependency[PreviewService],
            uow: NamedDependency[UnitOfWork],
            data: JSONBody[PreviewRequest | None] = None,
        ) -> Response[IssuedPreview]:
            """The same as `POST /previews` with this document."""
            lifetime = (data or PreviewRequest()).expires_in
            async with uow:
                made = await previews.create_for(
                    uow, request.user, kind(request), document_id, lifetime=lifetime
                )
            return _issued(made)

    DocumentPreviewController.__name__ = f"{name}PreviewController"
    return DocumentPreviewController


PostPreviewController = preview_controller("posts", "post")
PagePreviewController = preview_controller("pages", "page")
EntryPreviewController = preview_controller("entries/{type:str}", "entry")

"""Previews: links to the site as it would look."""

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from cms_api.adapters.http.cms.documents import kind_of
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import Wire
from cms_api.domains.cms.api import Preview, PreviewService

HOUR, MINUTE, MONTH, MOST = 3_600, 60, 2_592_000, 50
Lifetime = Annotated[int, Meta(ge=MINUTE, le=MONTH, description="For how many seconds it is good.")]
EXAMPLE_ID = "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"
HEADERS = {"Cache-Control": "no-store"}


class PreviewRequest(Wire, frozen=True, kw_only=True):
    """How long a preview is wanted."""

    expires_in: Lifetime = HOUR


class NewPreview(PreviewRequest, frozen=True, kw_only=True):
    """The documents whose drafts are to be shown: posts, pages and entries."""

    documents: Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]


@post(
    "/previews",
    operation_id="createPreview",
    summary="Make a link to the site as it would look",
    tags=["previews"],
    opt={"example": {"documents": [EXAMPLE_ID], "expires_in": HOUR}},
)
async def create_preview(
    request: ApiRequest, data: JSONBody[NewPreview], previews: NamedDependency[PreviewService]
) -> Response[Preview]:
    """Whoever has the token sees the site with the drafts of these documents published.

    It is good on every GET below `/api/v1/content/`, as `preview` or in the header `Preview-Token`.
    """
    made = await previews.create(request.user, data.documents, lifetime=data.expires_in)
    return Response(made, headers=HEADERS)


def preview_controller(plural: str, noun: str) -> type[Controller]:
    """The route that previews one document of a content type, whose key is ``noun``."""
    name = noun.capitalize()
    kind = partial(kind_of, noun)

    class PreviewController(Controller):
        """Previews of one document."""

        path = f"/{plural}/{{document_id:uuid}}"
        tags = ("previews",)

        @post(
            "/preview",
            operation_id=f"preview{name}",
            summary=f"Make a link to the site as it would look with the draft of a {noun}",
            opt={"example": {"expires_in": HOUR}},
        )
        async def preview(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            previews: NamedDependency[PreviewService],
            data: JSONBody[PreviewRequest | None] = None,
        ) -> Response[Preview]:
            """The same as `POST /previews` with this document."""
            lifetime = (data or PreviewRequest()).expires_in
            made = await previews.create_for(request.user, kind(request), document_id, lifetime=lifetime)
            return Response(made, headers=HEADERS)

    PreviewController.__name__ = f"{name}PreviewController"
    return PreviewController


PostPreviewController = preview_controller("posts", "post")
PagePreviewController = preview_controller("pages", "page")
EntryPreviewController = preview_controller("entries/{type:str}", "entry")

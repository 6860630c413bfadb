"""Content types, made at run time."""

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import etag, resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView
from cms_api.domains.cms.api import (
    TYPE_REVISIONS,
    TYPES,
    Applied,
    ContentTypeService,
    Definition,
    Plan,
    TypeChanges,
    TypeRevision,
    TypeView,
)
from cms_api.domains.jobs.api import JobView
from cms_api.kernel.unit_of_work import UnitOfWork

EVENT = {
    "key": "event",
    "name": "Event",
    "fields": [
        {"key": "headline", "type": "text", "required": True, "max_length": 200},
        {"key": "starts_at", "type": "datetime", "indexed": True},
        {"key": "seats", "type": "number", "integer": True, "minimum": 0},
        {"key": "speakers", "type": "references", "types": ["person"], "on_delete": "unlink"},
        {
            "key": "sections",
            "type": "blocks",
            "variants": [
                {"key": "text", "fields": [{"key": "body", "type": "markdown"}]},
                {"key": "image", "fields": [{"key": "file", "type": "media"}]},
            ],
        },
    ],
}
CHANGE = {
    "fields": [
        {"key": "title", "id": "k3x9d2abqz", "type": "text", "required": True, "max_length": 200},
        {"key": "seats", "type": "number", "integer": True, "minimum": 1},
    ],
    "resolutions": {"seats": "drop"},
}


class ContentTypeController(Controller):
    """Content types: what entries are made of."""

    path = "/content-types"
    tags = ("content-types",)

    @post(
        "/",
        operation_id="createContentType",
        opt={"example": EVENT, "takes": Definition, "answers": TypeView},
    )
    async def create(
        self,
        request: ApiRequest,
        data: JSONBody[Definition],
        content_types: NamedDependency[ContentTypeService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[TypeView]:
        """Make a type. From then on `/entries/{key}` has everything that posts have."""
        async with uow:
            made = await content_types.create(uow, request.user, data)
        return resource(request, made, status=201, location=f"/api/v1/content-types/{made.key}")

    @get("/", operation_id="listContentTypes", opt={"listing": TYPES, "answers": ListView[TypeView]})
    async def list_types(
        self, request: ApiRequest, content_types: NamedDependency[ContentTypeService]
    ) -> Response[ListView[TypeView]]:
        """By key where no other order is asked for."""
        query = list_query(request, TYPES)
        return list_response(request, query, await content_types.list(request.user, query.request))

    @get("/{key:str}", operation_id="getContentType", opt={"answers": TypeView})
    async def get_type(
        self, request: ApiRequest, key: FromPath[str], content_types: NamedDependency[ContentTypeService]
    ) -> Response[TypeView]:
        """One type. The `id` of a field is what its values are kept under, whatever its key."""
        found = await content_types.get(request.user, key)
        is_settled = all(index.state == "ready" for index in found.indexes)
        return resource(request, found, is_whole=is_settled)

    @get(
        "/{key:str}/revisions",
        operation_id="listContentTypeRevisions",
        opt={"listing": TYPE_REVISIONS, "answers": ListView[TypeRevision]},
    )
    async def revisions(
        self, request: ApiRequest, key: FromPath[str], content_types: NamedDependency[ContentTypeService]
    ) -> Response[ListView[TypeRevision]]:
        """What the type was, and what was changed each time. The newest comes first."""
        query = list_query(request, TYPE_REVISIONS)
        return list_response(request, query, await content_types.revisions(request.user, key, query.request))

    @post(
        "/{key:str}/plan",
        operation_id="planContentType",
        status_code=200,
        opt={"example": CHANGE, "takes": TypeChanges, "answers": Plan},
    )
    async def plan(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[TypeChanges],
        content_types: NamedDependency[ContentTypeService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[Plan]:
        """What a change would do to how many documents. It changes nothing."""
        async with uow:
            plan = await content_types.plan(uow, request.user, key, data)
        return Response(plan, headers={"Cache-Control": "no-store"})

    @patch(
        "/{key:str}",
        operation_id="updateContentType",
        opt={"example": CHANGE, "takes": TypeChanges, "answers": Applied},
    )
    async def update(
        self,
        request: ApiRequest,
        key: FromPath[str],
        data: JSONBody[TypeChanges],
        if_match: NamedDependency[int | None],
        content_types: NamedDependency[ContentTypeService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[Applied]:
        """Change a type, where its plan loses nothing, or `resolutions` say what becomes of it.

        The type counts at once, for editors and readers. Where values have to become others, a job
        stores them so, document by document.
        """
        async with uow:
            done = await content_types.update(uow, request.user, key, data, expected=if_match)
        headers = {"ETag": etag(done.type.version), "Cache-Control": "private, no-cache"}
        return Response(done, headers=headers)

    @post(
        "/{key:str}/migrate",
        operation_id="migrateContentType",
        status_code=202,
        opt={"answers": JobView},
    )
    async def migrate(
        self,
        request: ApiRequest,
        key: FromPath[str],
        if_match: NamedDependency[int | None],
        content_types: NamedDependency[ContentTypeService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[JobView]:
        """Have documents follow the last change of the type after its job failed or was cancelled."""
        async with uow:
            job = await content_types.migrate(uow, request.user, key, expected=if_match)
        return resource(request, job, status=202, location=f"/api/v1/jobs/{job.id}")

    @delete("/{key:str}", operation_id="deleteContentType")
    async def delete(
        self,
        request: ApiRequest,
        key: FromPath[str],
        if_match: NamedDependency[int | None],
        content_types: NamedDependency[ContentTypeService],
        uow: NamedDependency[UnitOfWork],
    ) -> None:
        """Delete a type that has no documents, and that no other type may point at."""
        async with uow:
            await content_types.delete(uow, request.user, key, expected=if_match)

"""What documents said before: the same routes for each type; and how long that is kept."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.documents import documents_alias, kind_of
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import list_query, list_response, query_values, wrong_parameter
from cms_api.adapters.http.preconditions import resource, unversioned
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import (
    RETENTION_POLICIES,
    REVISIONS,
    Diff,
    PageContent,
    PageService,
    PageView,
    PostContent,
    PostService,
    PostView,
    Ref,
    RetentionChanges,
    RetentionPolicy,
    RetentionService,
    RevisionChanges,
    RevisionDetail,
    RevisionService,
    RevisionView,
)
from cms_api.kernel.unit_of_work import UnitOfWork

Label = Annotated[str, Meta(min_length=1, max_length=200)]
Limit = Annotated[int, Meta(ge=1, le=100_000)]
Days = Annotated[int, Meta(ge=1, le=36_500)]

MISSING = {"missing": "`drop` leaves out references whose target is gone, in place of refusing them."}
SIDES = {
    "from": "A revision's id, `draft` or `live`; `live` where not given.",
    "to": "A revision's id, `draft` or `live`; `draft` where not given.",
}


class PostRevision(RevisionDetail[PostContent], frozen=True, kw_only=True):
    """A revision of a post with what it holds."""


class PageRevision(RevisionDetail[PageContent], frozen=True, kw_only=True):
    """A revision of a page with what it holds."""


class RevisionPatch(Wire, frozen=True, kw_only=True):
    """What is noted on a revision; what is left out stays. Labelled and pinned ones are kept for good."""

    label: Label | UnsetType | None = UNSET
    is_pinned: bool | UnsetType = UNSET


class RetentionPatch(Wire, frozen=True, kw_only=True):
    """New limits; null is without limit, what is left out stays."""

    max_revisions: Limit | UnsetType | None = UNSET
    max_revision_days: Days | UnsetType | None = UNSET
    max_trash_days: Days | UnsetType | None = UNSET


def revision_controller(
    plural: str, noun: str, *, service: type[Any], view: type[Any], detail: type[Any]
) -> type[Controller]:
    """The routes of a content type's revisions."""
    Service = NamedDependency[service]  # noqa: N806 - an annotation
    View = Response[view]  # noqa: N806
    Detail = Response[detail]  # noqa: N806
    key = "/{document_id:uuid}"
    one = f"{key}/revisions/{{revision_id:uuid}}"
    name = noun.capitalize()
    kind = partial(kind_of, noun)

    class RevisionController(Controller):
        """Looking back, and going back."""

        path = f"/{plural}"
        tags = (plural.partition("/")[0],)
        dependencies = {"documents": documents_alias(plural, service)}  # noqa: RUF012 - Litestar's own idiom

        @get(
            f"{key}/revisions",
            operation_id=f"list{name}Revisions",
            summary=f"List a {noun}'s revisions",
            opt={"listing": REVISIONS},
        )
        async def list_revisions(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            revisions: NamedDependency[RevisionService],
        ) -> Response[ListView[RevisionView]]:
            """Every save made one. The newest come first."""
            query = list_query(request, REVISIONS)
            return list_response(
                request, query, await revisions.list(request.user, kind(request), document_id, query.request)
            )

        @get(one, operation_id=f"get{name}Revision", summary=f"Read a {noun}'s revision")
        async def get_revision(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            revision_id: FromPath[UUID],
            revisions: NamedDependency[RevisionService],
        ) -> Detail:
            """A revision with its content."""
            found = await revisions.get(request.user, kind(request), document_id, revision_id)
            return resource(request, found)

        @patch(
            one,
            operation_id=f"update{name}Revision",
            summary=f"Label or pin a {noun}'s revision",
            opt={"example": {"label": "As sent to the printer", "is_pinned": True}},
        )
        async def update_revision(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            revision_id: FromPath[UUID],
            data: JSONBody[RevisionPatch],
            if_match: NamedDependency[int | None],
            revisions: NamedDependency[RevisionService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[RevisionView]:
            """`If-Match` is the revision's own ETag."""
            changes = into(data, RevisionChanges)
            async with uow:
                found = await revisions.update(
                    uow,
                    request.user,
                    kind(request),
                    document_id,
                    revision_id,
                    changes,
                    expected=if_match,
                )
            return resource(request, found)

        @post(
            f"{one}/restore",
            operation_id=f"restore{name}Revision",
            summary=f"Restore a {noun}'s revision",
            status_code=200,
            opt={"query": MISSING},
        )
        async def restore_revision(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            revision_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            documents: Service,
            uow: NamedDependency[UnitOfWork],
        ) -> View:
            """Make it the draft again, as a new revision. `If-Match` is the document's ETag."""
            drop = query_values(request, MISSING).get("missing")
            if drop not in (None, "drop"):
                raise wrong_parameter("missing", "type", "“missing” is “drop”, or left out.")
            async with uow:
                document = await documents.restore_revision(
                    uow,
                    request.user,
                    document_id,
                    revision_id,
                    expected=if_match,
                    drop_missing=drop == "drop",
                )
            return resource(request, document)

        @get(
            f"{key}/diff",
            operation_id=f"diff{name}",
            summary=f"Compare a {noun}",
            opt={"query": SIDES, "conflicts": True},
        )
        async def diff(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            revisions: NamedDependency[RevisionService],
        ) -> Response[Diff]:
            """What is different, field by field; texts word by word."""
            given = query_values(request, SIDES)
            before, after = _ref(given, "from", "live"), _ref(given, "to", "draft")
            return unversioned(
                request,
                await revisions.diff(request.user, kind(request), document_id, before, after),
            )

    RevisionController.__name__ = f"{name}RevisionController"
    return RevisionController


def _ref(given: dict[str, str], name: str, default: str) -> Ref:
    told = given.get(name, default)
    match told:
        case "draft":
            return "draft"
        case "live":
            return "live"
    try:
        return UUID(told)
    except ValueError:
        detail = "“from” and “to” take a revision's id, “draft” or “live”."
        raise wrong_parameter(name, "type", detail) from None


PostRevisionController = revision_controller(
    "posts", "post", service=PostService, view=PostView, detail=PostRevision
)
PageRevisionController = revision_controller(
    "pages", "page", service=PageService, view=PageView, detail=PageRevision
)


class RetentionController(Controller):
    """How long old revisions and the trash are kept."""

    path = "/retention-policies"
    tags = ("retention",)

    @get("/", operation_id="listRetentionPolicies", opt={"listing": RETENTION_POLICIES})
    async def list_policies(
        self, request: ApiRequest, retention: NamedDependency[RetentionService]
    ) -> Response[ListView[RetentionPolicy]]:
        """The policies of all content types."""
        query = list_query(request, RETENTION_POLICIES)
        return list_response(request, query, await retention.list(request.user, query.request))

    @get("/{type_key:str}", operation_id="getRetentionPolicy")
    async def get_policy(
        self, request: ApiRequest, type_key: FromPath[str], retention: NamedDependency[RetentionService]
    ) -> Response[RetentionPolicy]:
        """The policy of a content type, like `post`."""
        return resource(request, await retention.get(request.user, type_key))

    @patch(
        "/{type_key:str}",
        operation_id="updateRetentionPolicy",
        opt={"example": {"max_revisions": 500, "max_revision_days": None}},
    )
    async def update_policy(
        self,
        request: ApiRequest,
        type_key: FromPath[str],
        data: JSONBody[RetentionPatch],
        if_match: NamedDependency[int | None],
        retention: NamedDependency[RetentionService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[RetentionPolicy]:
        """Change a policy; it is applied the next time that something is purged, within an hour."""
        changes = into(data, RetentionChanges)
        async with uow:
            found = await retention.update(uow, request.user, type_key, changes, expected=if_match)
        return resource(request, found)

"""The same for many documents, as a job."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from cms_api.adapters.http.cms.documents import kind_of, plural_name
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import Wire
from cms_api.domains.cms.api import BulkAction, BulkRequest, BulkService
from cms_api.domains.jobs.api import JobView
from cms_api.kernel.unit_of_work import UnitOfWork

EXAMPLE = {"action": "publish", "filter": {"status": "draft", "tags.slug": {"in": ["news"]}}, "dry_run": True}

Terms = Annotated[tuple[UUID, ...], Meta(max_length=100)]


class BulkInput(Wire, frozen=True, kw_only=True):
    """What to do to all documents that pass the filter; `{}` lets all through but those in the trash.

    `filter` takes what lists take: `{"field": value}`, or `{"field": {"operator": value}}`. `add` and
    `remove` are ids of terms, for `tag` and `categorise`. A dry run changes nothing, and tells
    what would come of it.
    """

    action: BulkAction
    filter: dict[str, Any]
    add: Terms = ()
    remove: Terms = ()
    dry_run: bool = False


def bulk_controller(plural: str, noun: str) -> type[Controller]:
    """The route that begins a job on documents of a content type."""
    name = plural_name(plural)
    kind = partial(kind_of, noun)

    class BulkController(Controller):
        """The same for many."""

        path = f"/{plural}"
        tags = (plural.partition("/")[0],)

        @post(
            "/bulk",
            operation_id=f"bulk{name}",
            summary=f"Do the same to many {plural.partition('/')[0]}",
            status_code=202,
            opt={"example": EXAMPLE},
        )
        async def start(
            self,
            request: ApiRequest,
            data: JSONBody[BulkInput],
            bulk: NamedDependency[BulkService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[JobView]:
            """Begin a job, at `Location`. Each document is changed or refused by itself."""
            wanted = BulkRequest(
                action=data.action,
                filter=data.filter,
                add=data.add,
                remove=data.remove,
                dry_run=data.dry_run,
            )
            async with uow:
                job = await bulk.start(uow, request.user, kind(request), wanted)
            return resource(request, job, status=202, location=f"/api/v1/jobs/{job.id}")

    BulkController.__name__ = f"{noun.capitalize()}BulkController"
    return BulkController


PostBulkController = bulk_controller("posts", "post")
PageBulkController = bulk_controller("pages", "page")

"""The same for many documents: a job that goes through them in small steps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.bulk.filters import filters_of
from cms_api.domains.cms.bulk.interface import BulkFailure, BulkRequest, BulkResult, BulkService
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.interface import DocumentService
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.ports import DocumentQueries
from cms_api.domains.cms.pages.interface import PAGES
from cms_api.domains.cms.posts.interface import POSTS, PostChanges
from cms_api.domains.jobs.api import JobHandler, JobService, JobState, JobView, Step
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import CmsError, Faults, invalid
from cms_api.kernel.paging import Filter, Listing, PageRequest
from cms_api.kernel.unit_of_work import UnitOfWork

KIND = "documents.bulk"
DOCUMENTS_AT_ONCE = 20
MAX_FAILURES = 100

LISTINGS: dict[str, Listing] = {"post": POSTS, "page": PAGES}
TERMS: dict[str, str] = {"tag": "tags", "categorise": "categories"}


class BulkParams(BulkRequest, frozen=True, kw_only=True):
    """The parameters of the job: ``before`` is when it was asked for."""

    type: str
    before: datetime


class _TakenBack(Exception):
    """Ends the trial of one document."""


class Bulk(BulkService):
    """The service that begins the jobs."""

    def __init__(self, *, clock: Clock, jobs: JobService) -> None:
        self._clock = clock
        self._jobs = jobs

    async def start(self, uow: UnitOfWork, actor: Actor, type: str, request: BulkRequest) -> JobView:
        actor.require(policy.READ)
        faults = Faults()
        with faults.noted():
            filters_of(LISTINGS[type], request.filter)
        _check_terms(type, request, faults)
        faults.refuse()
        values = {name: getattr(request, name) for name in request.__struct_fields__}
        params = BulkParams(type=type, before=self._clock.now(), **values)
        return await self._jobs.start(uow, actor, kind=KIND, params=msgspec.to_builtins(params))


def _check_terms(type: str, request: BulkRequest, faults: Faults) -> None:
    takes_terms = request.action in TERMS
    with faults.noted():
        if takes_terms and type != "post":
            raise invalid("/action", "action", "Only posts are filed under terms.")
    with faults.noted():
        if takes_terms and not (request.add or request.remove):
            raise invalid("/add", "required", f"“{request.action}” needs terms to “add” or to “remove”.")
    for name in ("add", "remove"):
        with faults.noted():
            if getattr(request, name) and not takes_terms:
                raise invalid(f"/{name}", "action", f"“{request.action}” takes no terms.")


class BulkHandler(JobHandler):
    """Does the jobs: a step for twenty documents, each of which may fail alone."""

    kind: ClassVar[str] = KIND

    def __init__(
        self,
        *,
        queries: DocumentQueries,
        documents: Mapping[str, DocumentService[Any, Any]],
        types: Mapping[str, ContentType[Any]],
    ) -> None:
        self._queries = queries
        self._documents = documents
        self._types = types

    async def step(self, uow: UnitOfWork, actor: Actor, job: JobState) -> Step:
        """Go on behind the document that the last step ended with: in the order of ids, which stay."""
        params = msgspec.convert(job.params, BulkParams)
        is_first = job.cursor is None
        page = await self._queries.list(
            self._types[params.type],
            PageRequest(
                limit=DOCUMENTS_AT_ONCE,
                after=None if is_first else (UUID(job.cursor),),
                sort=(),
                filters=(
                    *filters_of(LISTINGS[params.type], params.filter),
                    Filter("created_at", "lte", (params.before,)),
                ),
                count=is_first,
            ),
        )
        result = msgspec.convert(job.result or {}, BulkResult)
        for document in page.items:
            result = await self._one(uow, actor, params, document, result)
        return Step(
            cursor=str(page.items[-1].id) if page.items else job.cursor,
            done=job.done + len(page.items),
            total=page.count if is_first else None,
            result=msgspec.to_builtins(result),
            finished=page.next is None,
        )

    async def _one(
        self, uow: UnitOfWork, actor: Actor, params: BulkParams, document: Document[Any], result: BulkResult
    ) -> BulkResult:
        try:
            async with uow.savepoint():
                version = await self._perform(uow, actor, params, document)
                if params.dry_run:
                    raise _TakenBack
        except _TakenBack:
            pass
        except CmsError as error:
            failure = BulkFailure(
                id=document.id, title=document.draft.title, code=error.code, detail=error.detail
            )
            return msgspec.structs.replace(
                result, failed=result.failed + 1, failures=(*result.failures, failure)[:MAX_FAILURES]
            )
        if version == document.version:
            return msgspec.structs.replace(result, unchanged=result.unchanged + 1)
        return msgspec.structs.replace(result, changed=result.changed + 1)

    async def _perform(
        self, uow: UnitOfWork, actor: Actor, params: BulkParams, document: Document[Any]
    ) -> int | None:
        """Do it to one document, as it was found. Its version afterwards, None where it is gone from sight."""
        service, expected = self._documents[params.type], document.version
        if params.action == "publish" and document.is_live and not document.has_unpublished_changes:
            return expected
        if (field := TERMS.get(params.action)) is not None:
            kept = [one for one in getattr(document.draft, field) if one not in params.remove]
            terms = tuple(dict.fromkeys((*kept, *params.add)))
            values: dict[str, Any] = {field: terms}
            changes = PostChanges(**values)
            view = await service.update(uow, actor, document.id, changes, expected=expected)
        else:
            view = await getattr(service, params.action)(uow, actor, document.id, expected=expected)
        version: int | None = None if view is None else view.version
        return version

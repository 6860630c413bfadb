"""The same for many documents: a job that goes through them in small steps."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.bulk.filters import condition_from
from cms_api.domains.cms.bulk.interface import (
    BulkAction,
    BulkFailure,
    BulkRequest,
    BulkResult,
    BulkService,
)
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.content import Link, TargetKind
from cms_api.domains.cms.documents.interface import DocumentService, without_trash
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentQueries, DocumentRepository, ReferenceRepository
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.jobs.api import JobHandler, JobService, JobState, JobView, Step
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import CmsError, Fault, Faults, Invalid, invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, Condition, PageRequest, SortKey
from cms_api.querying.costs import check_condition

KIND = "documents.bulk"
DOCUMENTS_AT_ONCE = 20
MAX_FAILURES = 100

TERMS: dict[str, str] = {"tag": "tags", "categorise": "categories"}
KINDS: dict[str, TargetKind] = {"tag": "tag", "categorise": "category"}
# Of each document it is asked again, with the rights of that moment.
PERMISSIONS: dict[BulkAction, str] = {
    "publish": policy.PUBLISH,
    "unpublish": policy.PUBLISH,
    "discard": policy.EDIT,
    "archive": policy.ARCHIVE,
    "unarchive": policy.ARCHIVE,
    "trash": policy.DELETE,
    "restore": policy.DELETE,
    "purge": policy.PURGE,
    "tag": policy.EDIT,
    "categorise": policy.EDIT,
}
# In a tree, leaves go before what they hang on, and come back after it.
BY_PATH: dict[str, tuple[SortKey, ...]] = {
    "trash": (SortKey("path", descending=True),),
    "purge": (SortKey("path", descending=True),),
    "restore": (SortKey("path"),),
}


class BulkParams(BulkRequest, frozen=True, kw_only=True):
    """The parameters of the job: ``before`` is when it was asked for."""

    type: str
    before: datetime


class _TakenBack(Exception):
    """Ends the trial of one document."""


class Bulk(BulkService):
    """The service that begins the jobs."""

    def __init__(self, *, clock: Clock, jobs: JobService, types: DocumentTypes, cost_limit: int) -> None:
        self._clock = clock
        self._types = types
        self._jobs = jobs
        self._cost_limit = cost_limit

    async def start(self, uow: UnitOfWork, actor: Actor, type: str, request: BulkRequest) -> JobView:
        actor.require(policy.READ)
        needed = PERMISSIONS[request.action]
        if not actor.may(f"{needed}_own"):
            actor.require(needed)
        faults = Faults()
        listing = (await self._types.service(type)).listing
        with faults.noted():
            check_condition(condition_from(listing, request.filter), listing, self._cost_limit)
        _check_terms(type, request, faults)
        faults.refuse()
        await _check_existing(uow, request)
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


async def _check_existing(uow: UnitOfWork, request: BulkRequest) -> None:
    """Raise `Invalid` that names each term to be added which is not there."""
    if not request.add:
        return
    links = [Link("add", place, KINDS[request.action], term) for place, term in enumerate(request.add)]
    there = await uow.repository(ReferenceRepository).existing(links)
    faults = [
        Fault(f"/add/{link.position}", "unknown_reference", f"There is no {link.kind} with this id.")
        for link in links
        if link not in there
    ]
    if faults:
        raise Invalid("Some terms are not there.", faults=tuple(faults))


class BulkHandler(JobHandler):
    """Does the jobs: a step for twenty documents, each of which may fail alone."""

    kind: ClassVar[str] = KIND

    def __init__(self, *, queries: DocumentQueries, types: DocumentTypes) -> None:
        self._queries = queries
        self._types = types

    async def step(self, uow: UnitOfWork, actor: Actor, job: JobState) -> Step:
        """Go on behind the document that the last step ended with: in an order that the action leaves alone."""
        params = msgspec.convert(job.params, BulkParams)
        service, is_first = await self._types.service(params.type), job.cursor is None
        await service.hold_addresses(uow)
        page = await self._queries.list(
            service.kind,
            PageRequest(
                limit=DOCUMENTS_AT_ONCE,
                after=None if is_first else (*job.cursor[:-1], UUID(job.cursor[-1])),
                sort=BY_PATH.get(params.action, ()) if service.kind.is_tree else (),
                filter=_condition(service, params),
                count="exact" if is_first else "none",
            ),
        )
        result = msgspec.convert(job.result or {}, BulkResult)
        for document in page.items:
            result = await self._one(uow, actor, params, document, result)
        return Step(
            cursor=None if page.next is None else [str(value) for value in page.next],
            done=job.done + len(page.items),
            total=page.count if is_first else None,
            result=msgspec.to_builtins(result),
            finished=page.next is None,
        )

    async def _one(
        self, uow: UnitOfWork, actor: Actor, params: BulkParams, found: Document[Any], result: BulkResult
    ) -> BulkResult:
        try:
            async with uow.savepoint():
                is_changed = await self._perform(uow, actor, params, found)
                if params.dry_run:
                    raise _TakenBack
        except _TakenBack:
            pass
        except CmsError as error:
            failure = BulkFailure(
                id=found.id, title=found.draft.heading, code=error.code, detail=error.detail
            )
            return msgspec.structs.replace(
                result, failed=result.failed + 1, failures=(*result.failures, failure)[:MAX_FAILURES]
            )
        if is_changed:
            return msgspec.structs.replace(result, changed=result.changed + 1)
        return msgspec.structs.replace(result, unchanged=result.unchanged + 1)

    async def _perform(self, uow: UnitOfWork, actor: Actor, params: BulkParams, found: Document[Any]) -> bool:
        """Do it to one document, as it is by now. Whether that changed anything."""
        service = await self._types.service(params.type)
        document = await uow.repository(DocumentRepository).get(service.kind, found.id)
        if document is None or not await self._is_meant(service, params, found, document):
            return False
        if params.action == "publish" and document.is_live and not document.has_unpublished_changes:
            return False
        if (field := TERMS.get(params.action)) is not None:
            kept = [one for one in getattr(document.draft, field) if one not in params.remove]
            values: dict[str, Any] = {field: tuple(dict.fromkeys((*kept, *params.add)))}
            view = await service.update(uow, actor, document.id, PostChanges(**values), expected=None)
        else:
            view = await getattr(service, params.action)(uow, actor, document.id, expected=None)
        return view is None or bool(view.version != document.version)

    async def _is_meant(
        self,
        service: DocumentService[Any, Any],
        params: BulkParams,
        found: Document[Any],
        document: Document[Any],
    ) -> bool:
        """Whether the document, which is locked, still passes the filter if it has changed since it was found."""
        if document.version == found.version:
            return True
        same = Comparison("id", "eq", (document.id,))
        page = await self._queries.list(
            service.kind, PageRequest(limit=1, sort=(), filter=_condition(service, params)).narrowed(same)
        )
        return bool(page.items)


def _condition(service: DocumentService[Any, Any], params: BulkParams) -> Condition:
    """What a document must be like for the job to be about it."""
    before = Comparison("created_at", "lte", (params.before,))
    wanted = PageRequest(sort=(), filter=condition_from(service.listing, params.filter))
    return without_trash(wanted).narrowed(before).filter

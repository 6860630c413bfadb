"""Entries: the routes of documents, for the types that were made at run time."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from cms_api.adapters.http.cms.bulk import bulk_controller
from cms_api.adapters.http.cms.comments import comment_controller
from cms_api.adapters.http.cms.documents import (
    ENTRIES,
    base_of,
    document_controller,
    documents_alias,
)
from cms_api.adapters.http.cms.locks import lock_controller
from cms_api.adapters.http.cms.revisions import revision_controller
from cms_api.adapters.http.cms.schedules import schedule_controller
from cms_api.adapters.http.cms.workflow import move_controller
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import Wire
from cms_api.domains.cms.api import (
    DOCUMENTS,
    DocumentService,
    EntryChanges,
    EntryService,
    EntryView,
    Locale,
    PatchOperation,
    RevisionDetail,
)
from cms_api.kernel.unit_of_work import UnitOfWork

Patch = dict[str, Any] | Annotated[list[PatchOperation], Meta(max_length=1_000)]


class EntryRevision(RevisionDetail[dict[str, Any]], frozen=True, kw_only=True):
    """A revision of an entry with what it holds."""


class Translation(Wire, frozen=True, kw_only=True):
    """The language of a translation."""

    locale: Locale


def _changes(data: Any) -> tuple[EntryChanges, str | None]:
    if isinstance(data, list):
        return EntryChanges(operations=tuple(data)), None
    locale = data.get("locale")
    return EntryChanges(values=data), locale if isinstance(locale, str) else None


EntryController = document_controller(
    ENTRIES,
    "entry",
    service=DocumentService,
    view=EntryView,
    new=dict[str, Any],
    changed=Patch,
    changes=_changes,
    listing=DOCUMENTS,
    example={"headline": "We launch", "seats": 40},
    better={"seats": 50},
)
EntryRevisionController = revision_controller(
    ENTRIES, "entry", service=DocumentService, view=EntryView, detail=EntryRevision
)
EntryLockController = lock_controller(ENTRIES, "entry")
EntryCommentController = comment_controller(ENTRIES, "entry")
EntryScheduleController = schedule_controller(ENTRIES, "entry")
EntryMoves = move_controller(ENTRIES, "entry", service=DocumentService, view=EntryView)
EntryBulkController = bulk_controller(ENTRIES, "entry")


class MoreEntryController(Controller):
    """What entries have beside the other documents: translations, and singletons without an id."""

    path = f"/{ENTRIES}"
    tags = ("entries",)
    dependencies = {"documents": documents_alias(ENTRIES, EntryService)}  # noqa: RUF012 - Litestar's own idiom

    @post(
        "/{document_id:uuid}/translations",
        operation_id="translateEntry",
        summary="Begin a translation of an entry",
        opt={"example": {"locale": "de"}},
    )
    async def translate(
        self,
        request: ApiRequest,
        document_id: FromPath[UUID],
        data: JSONBody[Translation],
        if_match: NamedDependency[int | None],
        documents: NamedDependency[EntryService],
        uow: NamedDependency[UnitOfWork],
    ) -> Response[EntryView]:
        """A document of its own in another language. What is not localised it shares from then on."""
        async with uow:
            entry = await documents.translate(uow, request.user, document_id, data.locale, expected=if_match)
        location = f"/api/v1/{base_of(request, ENTRIES)}/{entry.id}"
        return resource(request, entry, status=201, location=location)

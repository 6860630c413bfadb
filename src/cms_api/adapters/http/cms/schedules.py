"""Schedules: the same routes for each content type, and a calendar over all documents."""

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.cms.documents import base_of, kind_of
from cms_api.adapters.http.cms.schemas import into
from cms_api.adapters.http.lists import list_query, list_response
from cms_api.adapters.http.preconditions import resource
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, Wire
from cms_api.domains.cms.api import (
    SCHEDULES,
    SCHEDULES_OF_DOCUMENT,
    ScheduleChanges,
    ScheduleService,
    ScheduleView,
)
from cms_api.kernel.unit_of_work import UnitOfWork

When = Annotated[
    str,
    Meta(
        max_length=64,
        description="RFC 3339 with an offset; or without one, the time that clocks in `timezone` show.",
        examples=["2026-12-24T09:00:00+01:00", "2026-12-24T09:00:00"],
    ),
]
Timezone = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="A name of the IANA database; kept, `UTC` where there is none.",
        examples=["Europe/Paris"],
    ),
]
RevisionId = Annotated[UUID, Meta(description="What to publish; null is whatever is the draft then.")]


class ScheduleInput(Wire, frozen=True, kw_only=True):
    """When to do what with a document: one of `publish_at` and `unpublish_at`."""

    publish_at: When | UnsetType = UNSET
    unpublish_at: When | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    revision_id: RevisionId | UnsetType | None = UNSET


class SchedulePatch(ScheduleInput, frozen=True, kw_only=True):
    """Another time, zone or revision; what is left out stays. `timezone` alone keeps the wall time."""


def schedule_controller(plural: str, noun: str) -> type[Controller]:
    """The schedules of one content type, whose key is ``noun``."""
    name, of_all, of_one = noun.capitalize(), "/schedules", "/schedules/{schedule_id:uuid}"
    kind = partial(kind_of, noun)

    class ScheduleController(Controller):
        """Publishing and unpublishing at a time."""

        path = f"/{plural}/{{document_id:uuid}}"
        tags = (plural.partition("/")[0],)

        @post(
            "/schedule",
            operation_id=f"schedule{name}",
            summary=f"Schedule a {noun}",
            opt={"example": {"publish_at": "2036-12-24T09:00:00", "timezone": "Europe/Paris"}},
        )
        async def create(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            data: JSONBody[ScheduleInput],
            schedules: NamedDependency[ScheduleService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[ScheduleView]:
            """Have it published or unpublished at a time. The document itself does not change."""
            changes = into(data, ScheduleChanges)
            async with uow:
                made = await schedules.create(uow, request.user, kind(request), document_id, changes)
            location = f"/api/v1/{base_of(request, plural)}/{document_id}/schedules/{made.id}"
            return resource(request, made, status=201, location=location)

        @get(
            of_all,
            operation_id=f"list{name}Schedules",
            summary=f"List a {noun}'s schedules",
            opt={"listing": SCHEDULES_OF_DOCUMENT},
        )
        async def list_schedules(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            schedules: NamedDependency[ScheduleService],
        ) -> Response[ListView[ScheduleView]]:
            """What is to be done, what was, what failed and what was cancelled."""
            query = list_query(request, SCHEDULES_OF_DOCUMENT)
            page = await schedules.list_of(request.user, kind(request), document_id, query.request)
            return list_response(request, query, page)

        @get(of_one, operation_id=f"get{name}Schedule", summary=f"Read a {noun}'s schedule")
        async def get(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            schedule_id: FromPath[UUID],
            schedules: NamedDependency[ScheduleService],
        ) -> Response[ScheduleView]:
            """One schedule, with its state, attempts and lateness (seconds)."""
            return resource(
                request, await schedules.get(request.user, kind(request), document_id, schedule_id)
            )

        @patch(
            of_one,
            operation_id=f"move{name}Schedule",
            summary=f"Move a {noun}'s schedule",
            opt={"example": {"publish_at": "2036-12-24T18:00:00"}},
        )
        async def move(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            schedule_id: FromPath[UUID],
            data: JSONBody[SchedulePatch],
            if_match: NamedDependency[int | None],
            schedules: NamedDependency[ScheduleService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[ScheduleView]:
            """Change time, zone or revision, up to the moment in which it is done."""
            changes, ids = into(data, ScheduleChanges), (document_id, schedule_id)
            async with uow:
                moved = await schedules.move(
                    uow, request.user, kind(request), *ids, changes, expected=if_match
                )
            return resource(request, moved)

        @delete(of_one, operation_id=f"cancel{name}Schedule", summary=f"Cancel a {noun}'s schedule")
        async def cancel(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            schedule_id: FromPath[UUID],
            if_match: NamedDependency[int | None],
            schedules: NamedDependency[ScheduleService],
            uow: NamedDependency[UnitOfWork],
        ) -> None:
            """Don't do it. The schedule stays to be seen, as cancelled."""
            ids = document_id, schedule_id
            async with uow:
                await schedules.cancel(uow, request.user, kind(request), *ids, expected=if_match)

    ScheduleController.__name__ = f"{name}ScheduleController"
    return ScheduleController


PostScheduleController = schedule_controller("posts", "post")
PageScheduleController = schedule_controller("pages", "page")


class CalendarController(Controller):
    """The schedules of all documents."""

    path = "/schedules"
    tags = ("schedules",)

    @get("/", operation_id="listSchedules", opt={"listing": SCHEDULES})
    async def list_schedules(
        self, request: ApiRequest, schedules: NamedDependency[ScheduleService]
    ) -> Response[ListView[ScheduleView]]:
        """The calendar: all schedules; `filter[state]=failed` shows what could not be done."""
        query = list_query(request, SCHEDULES)
        return list_response(request, query, await schedules.list(request.user, query.request))

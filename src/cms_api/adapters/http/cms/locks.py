"""Who edits a document, and who looks at it: the same routes, made once for each type."""

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
from cms_api.adapters.http.schemas import ListView, PageInfo, Wire
from cms_api.domains.cms.api import PRESENCES, LockService, LockView, PresenceService, PresenceView
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import MAX_LIMIT

TakeOver = Annotated[bool, Meta(description="Take the lock away from whoever holds it.")]


class LockRequest(Wire, frozen=True, kw_only=True):
    """How the lock is wanted."""

    take_over: TakeOver = False


def lock_controller(plural: str, noun: str) -> type[Controller]:
    """The routes of the locks and the presence of a content type, whose key is ``noun``."""
    name = noun.capitalize()
    kind = partial(kind_of, noun)

    class LockController(Controller):
        """Advisory locks, and presence."""

        path = f"/{plural}/{{document_id:uuid}}"
        tags = ("locks",)

        @post(
            "/lock",
            operation_id=f"lock{name}",
            summary=f"Lock a {noun} for editing, or renew the lock",
            status_code=200,
            opt={"example": {"take_over": False}},
        )
        async def lock(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            locks: NamedDependency[LockService],
            uow: NamedDependency[UnitOfWork],
            data: JSONBody[LockRequest | None] = None,
        ) -> Response[LockView]:
            """Tell others that you are editing. Send it again before `ttl` seconds are over: the lock lapses then.

            A lock keeps nobody from writing: what counts is `If-Match`.
            """
            wanted = data or LockRequest()
            async with uow:
                lock = await locks.take(
                    uow, request.user, kind(request), document_id, take_over=wanted.take_over
                )
            return Response(lock, headers={"Cache-Control": "no-store"})

        @get("/lock", operation_id=f"get{name}Lock", summary=f"Who is editing a {noun}")
        async def get_lock(
            self, request: ApiRequest, document_id: FromPath[UUID], locks: NamedDependency[LockService]
        ) -> Response[LockView]:
            """The lock; 404 with the code `not_locked` where nobody holds it."""
            return unversioned(request, await locks.get(request.user, kind(request), document_id))

        @delete(
            "/lock",
            operation_id=f"unlock{name}",
            summary=f"Give the lock of a {noun} back",
            opt={"conflicts": True},
        )
        async def unlock(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            locks: NamedDependency[LockService],
            uow: NamedDependency[UnitOfWork],
        ) -> None:
            """Your own one; nothing happens where nobody holds it."""
            async with uow:
                await locks.release(uow, request.user, kind(request), document_id)

        @post(
            "/presence",
            operation_id=f"appearAt{name}",
            summary=f"Say that you are looking at a {noun}",
            status_code=200,
        )
        async def appear(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            presences: NamedDependency[PresenceService],
            uow: NamedDependency[UnitOfWork],
        ) -> Response[ListView[PresenceView]]:
            """A heartbeat, good for as long as a lock is. The answer tells who is there, the first 100."""
            async with uow:
                found = await presences.appear(uow, request.user, kind(request), document_id)
            # It comes whole: this is no list that is gone through.
            there = PageInfo(next=None, prev=None, limit=MAX_LIMIT)
            return unversioned(request, ListView(items=list(found), page=there))

        @get(
            "/presence",
            operation_id=f"list{name}Presence",
            summary=f"Who is looking at a {noun}",
            opt={"listing": PRESENCES},
        )
        async def presence(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            presences: NamedDependency[PresenceService],
        ) -> Response[ListView[PresenceView]]:
            """The longest first."""
            query = list_query(request, PRESENCES)
            return list_response(
                request, query, await presences.list(request.user, kind(request), document_id, query.request)
            )

        @delete("/presence", operation_id=f"leave{name}", summary=f"Say that you have left a {noun}")
        async def leave(
            self,
            request: ApiRequest,
            document_id: FromPath[UUID],
            presences: NamedDependency[PresenceService],
            uow: NamedDependency[UnitOfWork],
        ) -> None:
            """Nothing happens where you were not there."""
            async with uow:
                await presences.leave(uow, request.user, kind(request), document_id)

    LockController.__name__ = f"{name}LockController"
    return LockController


PostLockController = lock_controller("posts", "post")
PageLockController = lock_controller("pages", "page")

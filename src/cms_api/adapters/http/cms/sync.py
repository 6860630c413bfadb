"""Following what readers see: pages that end in a token, and the same as server-sent events."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Raw

from cms_api.adapters.http.caching import tag_of
from cms_api.adapters.http.events import MEDIA_TYPE, Batch, Follower, Looks, event, limited, place, stream
from cms_api.adapters.http.identity import bearer_token
from cms_api.adapters.http.lists import Cursors, limit_of, query_values, wrong_parameter
from cms_api.adapters.http.preconditions import Ready
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import PageInfo
from cms_api.domains.auth.api import IdentityService
from cms_api.domains.cms.api import (
    SYNC_KINDS,
    ChangeSignal,
    Position,
    Purge,
    PurgePage,
    PurgeService,
    SyncFilter,
    SyncItem,
    SyncKind,
    SyncPage,
    SyncService,
)
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import Malformed
from cms_api.querying import MAX_LIMIT, nearest

NOW = "now"
# What there was at first. Tokens from then, which name no kinds, go on with those: of the others they have never heard.
FIRST_KINDS: tuple[SyncKind, ...] = ("author", "category", "document", "media", "tag")
# More types than that are rarely meant, and each costs a statement.
MAX_TYPES = 50
FILTERS = {
    "kinds": f"Comma-separated, of {', '.join(f'`{kind}`' for kind in SYNC_KINDS)}; where not given, all, or those that"
    " there were when the token was made.",
    "type": "Comma-separated types of documents: `post,event`; all where not given. Other kinds come all the same.",
    "locale": "The language of documents; all where not given. Other kinds come all the same.",
}
TOKEN = "The `token` of the last page of the walk before: only what has changed since."  # noqa: S105 - a text
PAGED = {
    "limit": f"How many at most, 1 to {MAX_LIMIT}.",
    "after": "The cursor `page.next` of the page before.",
    "token": TOKEN,
}
SINCE = {
    "token": f"{TOKEN} The header `Last-Event-ID` wins over it.",
}
LAST_EVENT = {"Last-Event-ID": "The id of the last event that came: browsers send it by themselves."}
PRIVATE = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class SyncItemView(msgspec.Struct, frozen=True, kw_only=True):
    """A resource: as delivery gives it without `include`; `data` is null where readers see it no longer.

    `type` is that of a document; other kinds have none.
    """

    kind: SyncKind
    type: str | None
    id: UUID
    is_deleted: bool
    data: dict[str, Any] | None


class SyncView(msgspec.Struct, frozen=True, kw_only=True):
    """A page. The last one has no `page.next` but a `token`, from which the next walk begins."""

    items: list[SyncItemView]
    page: PageInfo
    token: str | None


class PurgeView(msgspec.Struct, frozen=True, kw_only=True):
    """A change, by the keys of all answers that it put out of date, as their `Cache-Tag` names them."""

    tags: tuple[str, ...]
    changed_at: datetime


class PurgesView(msgspec.Struct, frozen=True, kw_only=True):
    """A page. The last one has no `page.next` but a `token`, from which the next walk begins."""

    items: list[PurgeView]
    page: PageInfo
    token: str | None


class _Marks:
    """Positions as clients hold them: signed, and good for one set of filters."""

    def __init__(self, request: ApiRequest, scope: str) -> None:
        self._cursors: Cursors = request.app.state.cursors
        self.scope = scope

    def of(self, position: Position | None) -> str | None:
        return None if position is None else self.sealed(position)

    def sealed(self, position: Position) -> str:
        return self._cursors.seal(msgspec.to_builtins(position), self.scope)

    def opened(self, mark: str) -> Position:
        """Raises `Malformed` where it was changed, or belongs to other filters."""
        return msgspec.convert(self._cursors.open(mark, self.scope), Position)


class _Following(NamedTuple):
    """What a client follows, and where it is: at the beginning where that is None."""

    wanted: SyncFilter
    marks: _Marks
    at: Position | None


def _following(request: ApiRequest, given: dict[str, str], mark: str | None) -> _Following:
    """Raises `Malformed`."""
    kinds = given["kinds"].split(",") if "kinds" in given else SYNC_KINDS
    wanted = _wanted(given, kinds)
    marks = _Marks(request, _scope(wanted))
    if not mark:
        return _Following(wanted, marks, None)
    try:
        return _Following(wanted, marks, marks.opened(mark))
    except Malformed:
        if "kinds" in given:
            raise
    wanted = _wanted(given, FIRST_KINDS)
    marks = _Marks(request, _scope(wanted))
    return _Following(wanted, marks, marks.opened(mark))


def _wanted(given: dict[str, str], kinds: Iterable[str]) -> SyncFilter:
    """What is followed. Raises `Malformed`."""
    kinds = tuple(sorted({kind for kind in kinds if kind}))
    for kind in kinds:
        if kind not in SYNC_KINDS:
            detail = f"There is no kind “{kind[:100]}” here.{nearest(kind, SYNC_KINDS)}"
            raise wrong_parameter("kinds", "unknown_kind", detail)
    types = tuple(sorted({part for part in given.get("type", "").split(",") if part}))
    if len(types) > MAX_TYPES:
        raise wrong_parameter("type", "too_many", f"“type” takes at most {MAX_TYPES} types.")
    return SyncFilter(
        kinds=msgspec.convert(kinds, tuple[SyncKind, ...]), types=types or None, locale=given.get("locale")
    )


def _scope(wanted: SyncFilter) -> str:
    """One spelling of what is followed."""
    return f"sync|{wanted.kinds}|{wanted.types or ()}|{wanted.locale}"


def _given_mark(given: dict[str, str], *names: str) -> str | None:
    marks = [given[name] for name in names if name in given]
    if len(marks) > 1:
        raise wrong_parameter(names[0], "conflict", f"Give “{'” or “'.join(names)}”, not both.")
    return marks[0] if marks else None


def _page(items: list[Any], marks: _Marks, page: SyncPage | PurgePage, limit: int) -> Ready:
    info = PageInfo(next=marks.of(page.next), prev=None, limit=limit)
    body = {"items": items, "page": info, "token": marks.of(page.token)}
    return Ready(msgspec.json.encode(body), list(PRIVATE))


def _item(item: SyncItem) -> dict[str, Any]:
    data = None if item.json is None else Raw(item.json.encode())
    return {"kind": item.kind, "type": item.type, "id": item.id, "is_deleted": data is None, "data": data}


def _purge(purge: Purge) -> PurgeView:
    return PurgeView(tags=tuple(map(tag_of, purge.tags)), changed_at=purge.changed_at)


def _batch(
    name: str, marks: _Marks, page: SyncPage | PurgePage, shown: Callable[[Any], Any]
) -> Batch[Position]:
    """A page as events. The end of a walk is a place, too: what was passed over need not be looked at again."""
    events = [
        event(name, marks.sealed(item.position), msgspec.json.encode(shown(item))) for item in page.items
    ]
    end = page.next or page.token or Position()
    events.append(place(marks.sealed(end)))
    return Batch(b"".join(events), end, more=page.next is not None)


def _wait(signal: ChangeSignal) -> Callable[[Position, float], Awaitable[Position | None]]:
    return lambda position, seconds: signal.beyond(position, patience=seconds)


@get(
    "/sync",
    operation_id="sync",
    summary="Follow what is published",
    tags=["delivery"],
    opt={
        "query": {**PAGED, **FILTERS},
        "answers": SyncView,
        "problems": ("410",),
        "previews": False,
        "tagged": False,
    },
)
async def sync(request: ApiRequest, sync: NamedDependency[SyncService]) -> Ready:
    """Everything that is published, page by page; with a `token`, only what has changed since.

    Each resource comes once a walk, as it is when its page is made. What readers see no longer comes as a
    tombstone. A page may have fewer items than `limit`, or none, and still have a `next`.
    """
    given = query_values(request, (*PAGED, *FILTERS))
    limit = limit_of(given.get("limit"))
    wanted, marks, at = _following(request, given, _given_mark(given, "after", "token"))
    page = await sync.page(wanted, limit=limit, at=at)
    return _page(list(map(_item, page.items)), marks, page, limit)


@get(
    "/sync/events",
    operation_id="syncEvents",
    summary="Follow what is published, as events",
    tags=["delivery"],
    media_type=MEDIA_TYPE,
    middleware=[limited],
    opt={
        "query": {**SINCE, **FILTERS},
        "headers": LAST_EVENT,
        "problems": ("410",),
        "previews": False,
        "stream": {
            "description": "A `change` for each resource, with what an item of `GET /content/sync` has. The id of an"
            " event is a token, too.",
            "schema": {"type": "string", "contentMediaType": MEDIA_TYPE},
            "example": 'event: change\nid: kT3…\ndata: {"kind":"document","type":"post","id":"01936f2a-d1c8-7b6e-'
            '9c1f-3a5b7d9e0f12","is_deleted":false,"data":{…}}\n\n',
        },
    },
)
async def sync_events(
    request: ApiRequest, sync: NamedDependency[SyncService], signal: NamedDependency[ChangeSignal]
) -> Stream:
    """The walks of `GET /content/sync`, one after another without end: each change as it becomes final."""
    given = query_values(request, (*SINCE, *FILTERS))
    mark = request.headers.get("last-event-id") or given.get("token")
    wanted, marks, begun = _following(request, given, mark)
    looks: Looks = request.app.state.looks

    async def look(at: Position | None) -> Batch[Position]:
        async def walk() -> Batch[Position]:
            return _batch("change", marks, await sync.page(wanted, limit=MAX_LIMIT, at=at), _item)

        return await looks.shared((marks.scope, at), walk)

    follower = Follower[Position](request, look=look, wait=_wait(signal))
    return stream(follower.events(await look(begun)))


async def _now(looks: Looks, purges: PurgeService, actor: Actor) -> Position:
    """Where the next change comes. Rights are looked into: those only who have the same are told the same."""
    return await looks.shared((NOW, actor.permissions), partial(purges.now, actor))


class PurgeController(Controller):
    """What caches in front of delivery must drop."""

    path = "/purges"
    tags = ("purges",)

    @get(
        "/",
        operation_id="listPurges",
        summary="List what caches must drop",
        opt={
            "query": {**PAGED, "token": f"{TOKEN} `{NOW}`: nothing yet, and a token to begin with."},
            "answers": PurgesView,
            "problems": ("410",),
            "tagged": False,
        },
    )
    async def list_purges(self, request: ApiRequest, purges: NamedDependency[PurgeService]) -> Ready:
        """Every change, the oldest first, by the keys of the answers that it put out of date."""
        given = query_values(request, PAGED)
        marks, limit = _Marks(request, "purges"), limit_of(given.get("limit"))
        mark = _given_mark(given, "after", "token")
        if mark == NOW:
            page = PurgePage(items=[], next=None, token=await purges.now(request.user))
        else:
            at = marks.opened(mark) if mark else None
            page = await purges.page(request.user, limit=limit, at=at)
        return _page(list(map(_purge, page.items)), marks, page, limit)

    @get(
        "/events",
        operation_id="purgeEvents",
        summary="Hear what caches must drop",
        media_type=MEDIA_TYPE,
        middleware=[limited],
        opt={
            "query": SINCE,
            "headers": LAST_EVENT,
            "problems": ("410",),
            "stream": {
                "description": "A `purge` for each change. The id of an event is a token, too. Without one the stream"
                " begins with what happens from now on.",
                "schema": {"type": "string", "contentMediaType": MEDIA_TYPE},
                "example": 'event: purge\nid: kT3…\ndata: {"tags":["3a5b7d9e0f12",'
                '"document:post","documents"],"changed_at":"2026-01-02T03:04:05Z"}\n\n',
            },
        },
    )
    async def purge_events(
        self,
        request: ApiRequest,
        purges: NamedDependency[PurgeService],
        signal: NamedDependency[ChangeSignal],
        identity: NamedDependency[IdentityService],
    ) -> Stream:
        """The same without end, each change as it becomes final."""
        given = query_values(request, SINCE)
        marks, actor = _Marks(request, "purges"), request.user
        mark = request.headers.get("last-event-id") or given.get("token")
        looks: Looks = request.app.state.looks
        at = marks.opened(mark) if mark else await _now(looks, purges, actor)

        async def look(at: Position) -> Batch[Position]:
            async def walk() -> Batch[Position]:
                return _batch("purge", marks, await purges.page(actor, limit=MAX_LIMIT, at=at), _purge)

            # As above: the walk looks into rights.
            return await looks.shared((marks.scope, actor.permissions, at), walk)

        async def check() -> None:
            nonlocal actor
            if token := bearer_token(request.scope):
                actor = await identity.identify(token)

        follower = Follower[Position](request, look=look, wait=_wait(signal), check=check)
        return stream(follower.events(await look(at)))


SYNC_ROUTES: list[HTTPRouteHandler] = [sync, sync_events]

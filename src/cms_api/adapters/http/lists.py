"""Lists: what the query string asks for, opaque cursors, and the envelope."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Response

from cms_api.adapters.http.preconditions import unversioned
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, PageInfo
from cms_api.kernel.errors import Fault, Invalid, Malformed
from cms_api.querying import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    Fields,
    Listing,
    Page,
    PageRequest,
    Selection,
    comparisons,
    nearest,
)
from cms_api.querying.conditions import canonical, is_search
from cms_api.querying.costs import DEFAULT_LIMIT_OF_COST, check_cost, check_selection
from cms_api.querying.parsing import Extra, Node, Refused, parsed, selection_of
from cms_api.querying.spellings import JSON, PARAMETERS, of_json, of_parameters
from cms_api.validation import decode

T = TypeVar("T")

QUERIES_KEPT = 1_024
MAX_QUERY_KEPT = 4_096
_SIGNATURE_BYTES = 16
# The longest Link header, in bytes: a cursor holds the values that a list is sorted by.
MAX_LINKS = 2_000
DIRECTION = {"next": "after", "prev": "before"}


class Cursors:
    """Positions in a list, signed: good for one list, one order and one set of filters."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"cursors:" + secret.encode()).digest()

    def seal(self, position: Iterable[object], scope: str) -> str:
        """The cursor of a position."""
        payload = msgspec.json.encode(list(position))
        return _encoded(self._sign(payload, scope) + payload)

    def open(self, cursor: str, scope: str) -> tuple[object, ...]:
        """The position of a cursor. Raises `Malformed` where it is not from this list."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if _encoded(raw) != cursor:  # one position, one spelling: Base64 has several
            raw = b""
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(payload, scope)):
            raise Malformed("The cursor was changed, or belongs to another list, sort or filter.")
        return tuple(msgspec.json.decode(payload))

    def _sign(self, payload: bytes, scope: str) -> bytes:
        # Keyed BLAKE2 (RFC 7693) is as good here as an HMAC, and less work for two cursors a page.
        given = scope.encode() + b"\0" + payload
        return hashlib.blake2b(given, key=self._key, digest_size=_SIGNATURE_BYTES).digest()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def parameters(query: bytes) -> list[tuple[str, str]]:
    """The query's pairs. Raises `Malformed` where it is not UTF-8, or holds U+0000."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise Malformed("The query string can't be read: it must be percent-encoded UTF-8.") from None
    if any("\0" in part for pair in pairs for part in pair):
        raise Malformed("The character U+0000 is not allowed.")
    return pairs


def unknown_parameter(name: str, known: Iterable[str]) -> Fault:
    """That there is no such query parameter, and which one may be meant."""
    detail = f"There is no query parameter “{name[:100]}” here.{nearest(name, known)}"
    return Fault(f"?{name[:200]}", "unknown_parameter", detail)


def wrong_parameter(name: str, code: str, detail: str) -> Malformed:
    """The error that says what is wrong with a query parameter's value."""
    return refusal(Refused([Fault(f"?{name}", code, detail)]))


def refusal(refused: Refused) -> Malformed:
    """The error that names all faults."""
    return Malformed(refused.detail, faults=refused.faults)


def values_of(query: bytes, known: Iterable[str]) -> dict[str, str]:
    """What a query string gives for the parameters ``known``. Raises `Malformed` that names all others."""
    given: dict[str, str] = {}
    faults: list[Fault] = []
    for name, value in parameters(query):
        if name not in known:
            faults.append(unknown_parameter(name, known))
        elif name in given:
            faults.append(Fault(f"?{name}", "duplicate", f"The parameter “{name}” is given twice."))
        given[name] = value
    if faults:
        raise refusal(Refused(faults))
    return given


def query_values(request: ApiRequest, known: Iterable[str]) -> dict[str, str]:
    """What a request gives for the query parameters ``known``. Raises `Malformed` for any other."""
    return values_of(request.scope["query_string"], known)


# Where a list is asked by a body, and where in the scope that body is.
QUERY_PATH = "/query"
BODY = "cms_query_body"


class ListQuery:
    """What is asked of a list, by a query string or by a body; everything unknown is refused by name.

    A cursor is good for the same list, order and filter, however they were spelt, as long as what it is sorted by is of
    the same type. Raises `Malformed`
    with every fault, and `QueryTooCostly`.
    """

    def __init__(
        self,
        query: bytes,
        listing: Listing,
        *,
        path: str,
        cursors: Cursors,
        extra: tuple[Extra, ...] = (),
        body: bytes | None = None,
        cost_limit: int = DEFAULT_LIMIT_OF_COST,
    ) -> None:
        self.listing = listing
        self._cursors = cursors
        self._path = path
        pairs = parameters(query)
        self._is_body = body is not None
        # A cursor has no character that would have to be escaped.
        rest = urlencode([(name, value) for name, value in pairs if name not in ("after", "before")])
        self._rest = f"{rest}&" if rest else ""
        root, spelling = (of_parameters(pairs), PARAMETERS) if body is None else (_of_body(body), JSON)
        try:
            asked = parsed(root, listing, spelling, extra=extra)
        except Refused as error:
            raise refusal(error) from None
        self.cost = check_cost(asked, listing, cost_limit)
        self.selection = asked.selection
        self.extra = asked.extra
        self.is_search = is_search(asked.filter)
        # Whether rows of other resources decide which items are on a page.
        self.looks_further = any(
            "." in field
            for field in (
                *(one.field for one in comparisons(asked.filter)),
                *(key.field for key in asked.sort),
            )
        )
        kinds = [listing.filters.get(key.field) for key in asked.sort]
        self._scope = f"{path}|{asked.sort}|{kinds}|{canonical(asked.filter)}"
        self.request = PageRequest(
            limit=asked.limit,
            after=self._opened("after", asked.after),
            before=self._opened("before", asked.before),
            sort=asked.sort,
            filter=asked.filter,
            count=asked.count,
        )

    def _opened(self, name: str, cursor: str | None) -> tuple[object, ...] | None:
        if cursor is None:
            return None
        try:
            return self._cursors.open(cursor, self._scope)
        except Malformed as error:
            raise self.wrong(name, "cursor", error.detail) from None

    def required(self, name: str) -> str:
        """What is given for one of ``extra``. Raises `Malformed` where that is nothing."""
        if name not in self.extra:
            raise self.wrong(name, "required", f"“{name}” is required.")
        return self.extra[name]

    def wrong(self, name: str, code: str, detail: str) -> Malformed:
        """The error that says what is wrong with what is given by that name."""
        place = f"/{name}" if self._is_body else f"?{name}"
        return refusal(Refused([Fault(place, code, detail)]))

    def links(self, page: Page[Any]) -> tuple[PageInfo, dict[str, str]]:
        """The cursors of a page, and its Link header (RFC 8288): none for a body, or above `MAX_LINKS`."""
        sealed = {
            "next": self._cursors.seal(page.next, self._scope) if page.next else None,
            "prev": self._cursors.seal(page.prev, self._scope) if page.prev else None,
        }
        info = PageInfo(next=sealed["next"], prev=sealed["prev"], limit=self.request.limit)
        if self._is_body:
            return info, {}
        links = [
            f'<{self._path}?{self._rest}{DIRECTION[rel]}={cursor}>; rel="{rel}"'
            for rel, cursor in sealed.items()
            if cursor
        ]
        header = ", ".join(links)
        # Servers and proxies between refuse answers with large headers; the body has the cursors, too.
        return info, {"Link": header} if 0 < len(header) <= MAX_LINKS else {}


def limit_of(given: str | None) -> int:
    """The `limit` of what is paged, but no list. Raises `Malformed`."""
    if given is None:
        return DEFAULT_LIMIT
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= MAX_LIMIT):  # noqa: PLR2004
        raise wrong_parameter("limit", "range", f"“limit” is a number from 1 to {MAX_LIMIT}.")
    return int(given)


def _of_body(body: bytes) -> Node:
    try:
        return of_json(decode(body, dict[str, Any]))
    except Invalid as error:
        raise Malformed(error.detail, faults=error.faults) from None
    except Refused as error:
        raise refusal(error) from None


def cost_limit_of(request: ApiRequest) -> int:
    """What a query may cost in points."""
    limit: int = request.app.state.query_cost_limit
    return limit


def selection_from(
    query: bytes, listing: Listing, extra: tuple[str, ...] = (), *, cost_limit: int = DEFAULT_LIMIT_OF_COST
) -> tuple[Selection, dict[str, str]]:
    """What the query string of a single item asks for, and what it gives for ``extra``.

    Raises `Malformed` with every fault, and `QueryTooCostly`.
    """
    pairs = parameters(query)
    try:
        found = selection_of(of_parameters(pairs), listing, PARAMETERS, extra=extra)
    except Refused as error:
        raise refusal(error) from None
    check_selection(found, listing, cost_limit)
    return found, {name: value for name, value in pairs if name in extra}


def list_response(request: ApiRequest, query: ListQuery, page: Page[T]) -> Response[ListView[T]]:
    """The envelope of a page, of the fields that are wanted; 304 where the client has the very same."""
    info, headers = query.links(page)
    items: list[Any] = page.items
    if query.selection.fields is not None or query.selection.include:
        items = [kept(item, query.selection, query.listing) for item in items]
    view = ListView(items=items, page=info, count=page.count, count_is_estimate=page.is_estimate)
    return unversioned(request, view, headers)


def kept(item: object, selection: Selection, fields: Fields) -> Any:
    """What is wanted of an item, and of what is included in it, as JSON has it."""
    return _kept(msgspec.to_builtins(item), selection, fields)


def _kept(told: Any, selection: Selection, fields: Fields) -> Any:
    """What is wanted of a part of an item; what stayed an id is kept as it is."""
    if isinstance(told, list | tuple):
        return [_kept(one, selection, fields) for one in told]
    if not isinstance(told, dict):
        return told
    wanted: Iterable[str] = told if selection.fields is None else selection.fields
    kept: dict[str, Any] = {}
    for name in wanted:
        relation = fields.relations.get(name)
        held = name if relation is None or name in told else relation.held or name
        if held in told:
            kept[name], inner = told[held], selection.of(name)
            if relation is not None and inner is not None:
                kept[name] = _kept(kept[name], inner, relation.fields())
    return kept


class _Place:
    """A list, and where it is asked for: equal where these are the very same."""

    __slots__ = ("cost_limit", "cursors", "extra", "listing", "path")

    def __init__(self, request: ApiRequest, listing: Listing, extra: tuple[Extra, ...]) -> None:
        self.path = list_path(request)
        self.listing = listing
        self.extra = extra
        self.cursors: Cursors = request.app.state.cursors
        self.cost_limit = cost_limit_of(request)

    def __hash__(self) -> int:
        return hash((self.path, id(self.listing), self.extra))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Place)
            and other.path == self.path
            and other.listing is self.listing
            and other.extra == self.extra
            and other.cursors is self.cursors
        )


@lru_cache(maxsize=QUERIES_KEPT)
def _read(query: bytes, body: bytes | None, place: _Place) -> ListQuery:
    return ListQuery(
        query,
        place.listing,
        path=place.path,
        cursors=place.cursors,
        extra=place.extra,
        body=body,
        cost_limit=place.cost_limit,
    )


def list_query(request: ApiRequest, listing: Listing, *, extra: tuple[Extra, ...] = ()) -> ListQuery:
    """What a request for a list asks for. Raises `Malformed`. The same is read once, and kept."""
    query, body = request.scope["query_string"], query_body(request)
    read = _read if len(query) + len(body or b"") <= MAX_QUERY_KEPT else _read.__wrapped__
    return read(query, body, _Place(request, listing, extra))


def list_path(request: ApiRequest) -> str:
    """The path of the list, whichever way it is asked."""
    path: str = request.scope["path"]
    return path.removesuffix(QUERY_PATH) if query_body(request) is not None else path


def query_body(request: ApiRequest) -> bytes | None:
    """The body that asks a list, where it is asked by a body."""
    found: bytes | None = request.scope.get(BODY)  # type: ignore[assignment]  # put there by `queries`
    return found

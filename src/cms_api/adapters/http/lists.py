"""Lists: what the query string asks for, opaque cursors, and the envelope."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import Meta

from cms_api.adapters.http.preconditions import unversioned
from cms_api.adapters.http.requests import ApiRequest
from cms_api.adapters.http.schemas import ListView, PageInfo
from cms_api.kernel.errors import Malformed
from cms_api.kernel.paging import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    OPERATORS,
    FieldType,
    Filter,
    Listing,
    Page,
    PageRequest,
    SortKey,
)

T = TypeVar("T")

MAX_FILTERS = 20
_FILTER = re.compile(r"filter\[([^\[\]]*)\](?:\[([^\[\]]*)\])?")
_SIGNATURE_BYTES = 16
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
        return hmac.digest(self._key, scope.encode() + b"\0" + payload, "sha256")[:_SIGNATURE_BYTES]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def nearest(name: str, known: Iterable[str]) -> str:
    """“Did you mean …?”, or nothing."""
    found = get_close_matches(name, list(known), n=1)
    return f" Did you mean “{found[0]}”?" if found else ""


def parameters(query: bytes) -> list[tuple[str, str]]:
    """The query's pairs. Raises `Malformed` where it is not UTF-8, or holds U+0000."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise Malformed("The query string can't be read: it must be percent-encoded UTF-8.") from None
    if any("\0" in part for pair in pairs for part in pair):
        raise Malformed("The character U+0000 is not allowed.")
    return pairs


def values_of(query: bytes, known: Iterable[str]) -> dict[str, str]:
    """What a query string gives for the parameters ``known``. Raises `Malformed` for any other."""
    given: dict[str, str] = {}
    for name, value in parameters(query):
        if name not in known:
            raise Malformed(f"There is no query parameter “{name[:100]}” here.{nearest(name, known)}")
        if name in given:
            raise Malformed(f"The parameter “{name}” is given twice.")
        given[name] = value
    return given


def query_values(request: ApiRequest, known: Iterable[str]) -> dict[str, str]:
    """What a request gives for the query parameters ``known``. Raises `Malformed` for any other."""
    return values_of(request.scope["query_string"], known)


class ListQuery:
    """What the query string of a list asks for; everything unknown is refused by name."""

    def __init__(
        self, query: bytes, listing: Listing, *, path: str, cursors: Cursors, extra: tuple[str, ...] = ()
    ) -> None:
        self.extra: dict[str, str] = {}
        self._listing = listing
        self._cursors = cursors
        self._path = path
        self._pairs = parameters(query)
        given: dict[str, str] = {}
        filters: list[Filter] = []
        plain = ("limit", "after", "before", "sort", "count", *extra)
        for name, value in self._pairs:
            if name in plain:
                if name in given:
                    raise Malformed(f"The parameter “{name}” is given twice.")
                given[name] = value
            elif parts := _FILTER.fullmatch(name):
                filters.append(self._filter(parts[1], parts[2] or "eq", value))
            else:
                raise Malformed(
                    f"There is no query parameter “{name[:100]}” here.{nearest(name, (*plain, 'filter[…]'))}"
                )
        if len(filters) > MAX_FILTERS:
            raise Malformed(f"At most {MAX_FILTERS} filters are taken.")
        if "after" in given and "before" in given:
            raise Malformed("Give “after” or “before”, not both.")
        self.extra = {name: given[name] for name in extra if name in given}
        sort = self._sort(given.get("sort"))
        self._scope = f"{path}|{sort}|{sorted(map(repr, filters))}"
        self.request = PageRequest(
            limit=limit_of(given.get("limit")),
            after=cursors.open(given["after"], self._scope) if "after" in given else None,
            before=cursors.open(given["before"], self._scope) if "before" in given else None,
            sort=sort,
            filters=tuple(filters),
            count=_count(given.get("count")),
        )

    def _sort(self, given: str | None) -> tuple[SortKey, ...]:
        if given is None:
            return self._listing.sort
        keys = tuple(SortKey(part.lstrip("-"), part.startswith("-")) for part in given.split(","))
        for key in keys:
            if key.field not in self._listing.sorts:
                hint = nearest(key.field, self._listing.sorts)
                raise Malformed(f"There is no sort “{key.field[:100]}” here.{hint}")
        if len({key.field for key in keys}) < len(keys):
            raise Malformed("A field is sorted by twice.")
        return keys

    def _filter(self, field: str, operator: str, value: str) -> Filter:
        kind = self._listing.filters.get(field)
        if kind is None:
            raise Malformed(
                f"There is no filter “{field[:100]}” here.{nearest(field, self._listing.filters)}"
            )
        if operator not in OPERATORS[kind]:
            hint = nearest(operator, OPERATORS[kind])
            raise Malformed(f"The filter “{field}” has no operator “{operator[:100]}”.{hint}")
        if operator == "exists":
            return Filter(field, "exists", (_value(value, "boolean", field),))
        parts = value.split(",") if operator in ("in", "nin") else [value]
        if len(parts) > MAX_LIMIT:
            raise Malformed(f"The filter “{field}” takes at most {MAX_LIMIT} values.")
        return Filter(field, operator, tuple(_value(part, kind, field) for part in parts))

    def links(self, page: Page[Any]) -> tuple[PageInfo, dict[str, str]]:
        """The cursors of a page, and its Link header (RFC 8288)."""
        sealed = {
            "next": self._cursors.seal(page.next, self._scope) if page.next else None,
            "prev": self._cursors.seal(page.prev, self._scope) if page.prev else None,
        }
        rest = [(k, v) for k, v in self._pairs if k not in ("after", "before")]
        links = [
            f'<{self._path}?{urlencode([*rest, (DIRECTION[rel], cursor)])}>; rel="{rel}"'
            for rel, cursor in sealed.items()
            if cursor
        ]
        headers = {"Link": ", ".join(links)} if links else {}
        return PageInfo(next=sealed["next"], prev=sealed["prev"], limit=self.request.limit), headers


def limit_of(given: str | None) -> int:
    """The `limit` that a query string gives. Raises `Malformed`."""
    if given is None:
        return DEFAULT_LIMIT
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= MAX_LIMIT):  # noqa: PLR2004
        raise Malformed(f"“limit” is a number from 1 to {MAX_LIMIT}.")
    return int(given)


def _count(given: str | None) -> bool:
    if given not in (None, "exact"):
        raise Malformed("“count” is “exact”, or left out.")
    return given is not None


def _value(raw: str, kind: FieldType, field: str) -> object:
    try:
        match kind:
            case "uuid":
                return UUID(raw)
            case "timestamptz" | "datetime":
                moment = msgspec.convert(raw, datetime)
                if moment.tzinfo is None:
                    raise ValueError
                return moment
            case "boolean":
                return {"true": True, "false": False}[raw]
            case "integer":
                return msgspec.convert(int(raw), Annotated[int, Meta(ge=-(2**31), lt=2**31)])
            case "number":
                number = Decimal(raw)
                if not number.is_finite():
                    raise ValueError
                return number
            case "date":
                return date.fromisoformat(raw).isoformat()
            case _:
                return raw
    except (ValueError, KeyError, OverflowError, InvalidOperation):
        wanted = {
            "uuid": "a UUID",
            "timestamptz": "a time like 2026-01-02T03:04:05Z",
            "datetime": "a time like 2026-01-02T03:04:05Z",
            "boolean": "true or false",
            "number": "a number",
            "date": "a day like 2026-01-02",
        }
        raise Malformed(f"The filter “{field}” takes {wanted.get(kind, 'a whole number')}.") from None


def list_response(query: ListQuery, page: Page[T]) -> Response[ListView[T]]:
    """The envelope of a page."""
    info, headers = query.links(page)
    view = ListView(items=page.items, page=info, count=page.count)
    return Response(view, headers={"Cache-Control": "private, no-cache", **headers})


def whole_list(request: ApiRequest, items: list[T]) -> Response[ListView[T]]:
    """The envelope of a list that is short by nature, and comes whole."""
    return unversioned(request, ListView(items=items, page=PageInfo(next=None, prev=None, limit=MAX_LIMIT)))


def list_query(request: ApiRequest, listing: Listing, *, extra: tuple[str, ...] = ()) -> ListQuery:
    """What a request for a list asks for. Raises `Malformed`."""
    scope = request.scope
    return ListQuery(
        scope["query_string"],
        listing,
        path=scope["path"],
        cursors=request.app.state.cursors,
        extra=extra,
    )

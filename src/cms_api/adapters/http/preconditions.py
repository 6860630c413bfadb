"""Versions over HTTP: ETag, and what requests say of versions and dates (RFC 9110, section 13)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import msgspec
from litestar import MediaType, Response
from litestar.types import Receive, Scope, Send
from xxhash import xxh3_128_hexdigest

from cms_api.adapters.http.requests import ApiRequest
from cms_api.kernel.errors import Malformed, PreconditionRequired, Stale

# 304 answers these methods only (RFC 9110, section 13.1.2): not lists that are asked by a body.
CONDITIONAL = frozenset({"GET", "HEAD"})
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})
# A version that no resource ever has: a tag that is none of ours matches nothing.
NO_VERSION = -1
_TAGS = re.compile(r'\s*(?:W/)?"[^"\x00-\x20]*"\s*(?:,\s*(?:W/)?"[^"\x00-\x20]*"\s*)*')
# The tag of a version, or of what a client chose to see of it, which has a hash of that besides.
VERSION = r"v([0-9]{1,9})(?:-[0-9a-f]{32})?"
_VERSION = re.compile(f'"{VERSION}"')


class Versioned(Protocol):
    """Something with a version that counts up."""

    @property
    def version(self) -> int:
        """Counts up by one with each change."""
        ...


V = TypeVar("V", bound=Versioned)


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"v{version}"'


def provide_if_match(request: ApiRequest) -> int | None:
    """The version that If-Match names, or None for ``*``: “whatever the version”.

    Raises `PreconditionRequired` where the header is missing, and `Malformed`. A weak tag, or
    one that is none of ours, matches nothing.
    """
    given = request.headers.get("if-match")
    if given is None:
        raise PreconditionRequired(
            'Send If-Match with the ETag that you read, like "v3"; or *, to win over any other change.'
        )
    if given.strip() == "*":
        return None
    if not _TAGS.fullmatch(given):
        raise Malformed('If-Match is * or an entity tag in double quotes, like "v3".')
    if "," in given:
        raise Malformed("If-Match takes a single entity tag here.")
    ours = _VERSION.fullmatch(given.strip())
    return int(ours[1]) if ours else NO_VERSION


def matches(if_none_match: str | None, *tags: str) -> bool:
    """Whether If-None-Match names one of ``tags``; the comparison is the weak one."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or any(
        one.strip().removeprefix("W/") in tags for one in if_none_match.split(",")
    )


def is_unchanged(given: Mapping[str, str], tag: str, modified: str) -> bool:
    """Whether a client has what it asks for, which has a strong ``tag`` and a date, its Last-Modified.

    The headers ``given`` count in the order of RFC 9110, section 13.2.2. Raises `Stale` where the client
    wants nothing else than what it has.
    """
    date = parsedate_to_datetime(modified)
    if (tags := given.get("if-match")) is not None:
        is_meant = tags.strip() == "*" or tag in [one.strip() for one in tags.split(",")]
    else:
        unmodified = _date(given.get("if-unmodified-since"))
        is_meant = unmodified is None or date <= unmodified
    if not is_meant:
        raise Stale("What is here is not what you have.")
    if (tags := given.get("if-none-match")) is not None:
        return matches(tags, tag)
    since = _date(given.get("if-modified-since"))
    return since is not None and date <= since


def _date(given: str | None) -> datetime | None:
    """The moment that a header names; None where there is none that can be read (RFC 9110, section 5.6.7)."""
    try:
        date = parsedate_to_datetime(given or "")
    except (ValueError, OverflowError):
        return None
    # One of its three forms names no zone.
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def resource(
    request: ApiRequest,
    view: V,
    *,
    status: int = 200,
    location: str | None = None,
    is_whole: bool = True,
) -> Response[Any]:
    """A versioned resource with its ETag; 304 where the client has that version.

    Not so where ``is_whole`` is false: the answer says something at this moment that the version
    does not cover.
    """
    tag = etag(view.version)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if location is not None:
        headers["Location"] = location
    if is_whole and request.method == "GET" and matches(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=headers)
    return Response(view, status_code=status, headers=headers)


def chosen(request: ApiRequest, content: object, version: int) -> Response[Any]:
    """What a client chose to see of a versioned resource, and of what it points at.

    The version does not tell all of that: the tag names it for If-Match, and goes on with a hash of
    what is said, so that the same tag stands for the same bytes.
    """
    body = msgspec.json.encode(content)
    return _tagged(request, body, f'"v{version}-{hash_of(body)}"')


def unversioned(
    request: ApiRequest, content: object, more: Mapping[str, str] = MappingProxyType({})
) -> Response[Any]:
    """An answer without a version: its tag is made of what it says. ``more`` are further headers."""
    body = msgspec.json.encode(content)
    return _tagged(request, body, hash_tag(body), more)


def _tagged(
    request: ApiRequest, body: bytes, tag: str, more: Mapping[str, str] = MappingProxyType({})
) -> Response[Any]:
    """Those bytes under their tag; 304 where the client has them."""
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", **more}
    if request.method in CONDITIONAL and matches(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=MediaType.JSON)


def hash_tag(body: bytes) -> str:
    """The strong entity tag of bytes."""
    return f'"{hash_of(body)}"'


def hash_of(body: bytes) -> str:
    """128 bits of XXH3, which takes a tenth of the time of SHA-256, in hexadecimal digits."""
    return xxh3_128_hexdigest(body)


class Ready:
    """Bytes that are sent as they are, past the framework's response objects."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, body: bytes, headers: list[tuple[bytes, bytes]], status: int = 200) -> None:
        self._body = body
        self._headers = headers
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        del scope, receive
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})

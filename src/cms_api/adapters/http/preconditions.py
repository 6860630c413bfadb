"""Versions over HTTP: ETag, If-Match and If-None-Match (RFC 9110, section 13)."""

import re
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

import msgspec
from litestar import Response

from cms_api.adapters.http.requests import ApiRequest
from cms_api.kernel.errors import Malformed, PreconditionRequired

# A version that no resource ever has: a tag that is none of ours matches nothing.
NO_VERSION = -1
_TAGS = re.compile(r'\s*(?:W/)?"[^"\x00-\x20]*"\s*(?:,\s*(?:W/)?"[^"\x00-\x20]*"\s*)*')
_VERSION = re.compile(r'"v(\d{1,9})"')


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


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether If-None-Match names ``tag``; the comparison is the weak one."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in (
        one.strip().removeprefix("W/") for one in if_none_match.split(",")
    )


def resource(
    request: ApiRequest, view: V, *, status: int = 200, location: str | None = None
) -> Response[Any]:
    """A versioned resource with its ETag; 304 where the client has that version."""
    tag = etag(view.version)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if location is not None:
        headers["Location"] = location
    if request.method == "GET" and matches(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=headers)
    return Response(view, status_code=status, headers=headers)


def unversioned(request: ApiRequest, content: object) -> Response[Any]:
    """An answer without a version: its tag is made of what it says."""
    body = msgspec.json.encode(content)
    return tagged(request, body, {"Cache-Control": "private, no-cache"})


def tagged(
    request: ApiRequest, body: bytes, headers: dict[str, str], *, media_type: str = "application/json"
) -> Response[Any]:
    """Ready bytes under a tag made of their hash; 304 where the client has them."""
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers["ETag"] = tag
    if matches(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)

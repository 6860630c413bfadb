"""Errors as problem details (RFC 9457): every error, without exception."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg
import psycopg_pool
import sqlalchemy.exc
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET, UnsetType

from cms_api.adapters.http.context import IS_GONE
from cms_api.kernel.errors import (
    CmsError,
    Conflict,
    Fault,
    Forbidden,
    Gone,
    Invalid,
    Malformed,
    NotFound,
    PreconditionRequired,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    UnsupportedMedia,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 2


class OutOfRange(CmsError):
    """None of the bytes that are asked for are there; ``size`` is how many there are."""

    code = "out_of_range"
    title = "There are no such bytes"

    def __init__(self, detail: str, *, size: int, **members: Any) -> None:
        super().__init__(detail, size=size, **members)
        self.size = size


class Unavailable(CmsError):
    """What is asked for can't be had at the moment; ``retry_after`` is in seconds."""

    code = "unavailable"
    title = "The service is not available at the moment"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


STATUSES: dict[type[CmsError], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    Stale: 412,
    TooLarge: 413,
    UnsupportedMedia: 415,
    OutOfRange: 416,
    Invalid: 422,
    PreconditionRequired: 428,
    TooMany: 429,
    Unavailable: 503,
}

# What the framework itself refuses.
FRAMEWORK: dict[int, tuple[str, str, str]] = {
    400: (Malformed.code, Malformed.title, "The request can't be read."),
    401: (Unauthenticated.code, Unauthenticated.title, "Sign in first."),
    404: ("route_not_found", "There is nothing at this address", "No resource has this path."),
    405: ("method_not_allowed", "The method is not allowed here", "See the Allow header."),
    413: (TooLarge.code, TooLarge.title, "The body has more bytes than are taken here."),
    415: (UnsupportedMedia.code, UnsupportedMedia.title, "Send application/json."),
    431: (
        "head_too_large",
        "The request's head is too large",
        "Address and headers have 65,536 bytes at most.",
    ),
}
INTERNAL = ("internal_error", "Something went wrong here", "The error has been logged under the request id.")
UNAVAILABLE = (Unavailable.code, Unavailable.title, "Try again in a moment.")

_log = structlog.get_logger("cms.errors")


class FaultView(msgspec.Struct, frozen=True):
    """One fault in the input: in the body at ``pointer``, a JSON Pointer (RFC 6901), or in a ``parameter``."""

    code: str
    detail: str
    pointer: str | UnsetType = UNSET
    parameter: str | UnsetType = UNSET


def _fault(fault: Fault) -> FaultView:
    if fault.pointer.startswith("?"):
        return FaultView(fault.code, fault.detail, parameter=fault.pointer[1:])
    return FaultView(fault.code, fault.detail, pointer=fault.pointer)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem (RFC 9457). ``code`` is for programs, ``detail`` for people."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FaultView] | None = None


def status_of(error: type[CmsError]) -> int:
    """The status of an error's category."""
    return next((STATUSES[base] for base in error.__mro__ if base in STATUSES), 500)


def _worded(
    status: int,
    words: tuple[str, str, str],
    instance: str,
    request_id: str,
    faults: tuple[Fault, ...] = (),
) -> Problem:
    code, title, detail = words
    return Problem(
        type=f"/problems#{code}",
        title=title,
        status=status,
        detail=detail,
        instance=instance,
        code=code,
        request_id=request_id,
        errors=list(map(_fault, faults)) or None,
    )


def _problem(
    request: Request[Any, Any, Any],
    status: int,
    words: tuple[str, str, str],
    *,
    faults: tuple[Fault, ...] = (),
    members: dict[str, Any] | None = None,
) -> dict[str, Any]:
    request_id = str(request.scope.get("cms_request_id", ""))
    problem = _worded(status, words, request.scope["path"], request_id, faults)
    return {**msgspec.to_builtins(problem), **(members or {})}


def refusal(status: int, request_id: str) -> bytes:
    """The problem of what is refused before there is a request."""
    return msgspec.json.encode(_worded(status, FRAMEWORK[status], "", request_id))


def problem_of(request: Request[Any, Any, Any], error: CmsError) -> dict[str, Any]:
    """The problem of what a domain refuses, as a part of an answer."""
    words = (error.code, error.title, error.detail)
    return _problem(request, status_of(type(error)), words, faults=error.faults, members=error.members)


def _response(
    request: Request[Any, Any, Any],
    status: int,
    words: tuple[str, str, str],
    *,
    faults: tuple[Fault, ...] = (),
    members: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    body = _problem(request, status, words, faults=faults, members=members)
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def rate_headers(members: Mapping[str, Any]) -> dict[str, str]:
    """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), where a quota is named."""
    if "policy" not in members:
        return {}
    name = members["policy"]
    return {
        "RateLimit-Policy": f'"{name}";q={members["limit"]};w={members["window"]}',
        "RateLimit": f'"{name}";r={members["remaining"]};t={members["reset"]}',
    }


def on_cms_error(request: Request[Any, Any, Any], error: CmsError) -> Response[bytes]:
    """What a domain refuses."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        reason = "" if type(error) is Unauthenticated else f', error="{error.code}"'
        headers["WWW-Authenticate"] = f'Bearer realm="cms"{reason}'
    if isinstance(error, OutOfRange):
        headers["Content-Range"] = f"bytes */{error.size}"
    if isinstance(error, (TooMany, Unavailable)):
        headers["Retry-After"] = str(error.retry_after)
        headers |= rate_headers(error.members)
    return _response(
        request,
        status_of(type(error)),
        (error.code, error.title, error.detail),
        faults=error.faults,
        members=error.members,
        headers=headers,
    )


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses. Its own words may name our internals, so ours are used."""
    status = error.status_code
    if isinstance(error, ValidationException):
        return _response(request, 400, (Malformed.code, Malformed.title, _missing(error)))
    if status not in FRAMEWORK and request.scope.get(IS_GONE):
        # Before all of the body was there: nobody sees this, and nothing is wrong here.
        return _response(request, 400, FRAMEWORK[400])
    if status not in FRAMEWORK:
        return on_other(request, error)
    # HEAD is there wherever GET is, though routes know nothing of it.
    allow = {
        k: v.replace("GET", "GET, HEAD") for k, v in (error.headers or {}).items() if k.lower() == "allow"
    }
    return _response(request, status, FRAMEWORK[status], headers=allow)


def _missing(error: ValidationException) -> str:
    named = [str(one.get("key")) for one in error.extra or () if isinstance(one, dict)]
    return "A JSON body is required." if "data" in named or not named else f"Check {', '.join(named)}."


def on_other(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """What nobody foresaw, and a database that is away."""
    if _is_unavailable(error):
        _log.warning("unavailable", error=type(error).__name__)
        return _response(request, 503, UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER)})
    _log.error("internal_error", exc_info=error)
    return _response(request, 500, INTERNAL)


def _is_unavailable(error: BaseException) -> bool:
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        error = error.orig
    return isinstance(
        error,
        (
            psycopg_pool.PoolTimeout,
            psycopg_pool.PoolClosed,
            psycopg_pool.TooManyRequests,
            sqlalchemy.exc.TimeoutError,
            psycopg.OperationalError,
            psycopg.InterfaceError,
            asyncio.TimeoutError,
        ),
    )


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    CmsError: on_cms_error,
    HTTPException: on_http_exception,
    Exception: on_other,
}


def catalogue() -> list[tuple[str, int, str, str]]:
    """Every problem that there is: code, status, title, and what it means."""
    found: dict[str, tuple[str, int, str, str]] = {}

    def walk(error: type[CmsError]) -> None:
        if error is not CmsError:
            meaning = (error.__doc__ or "").strip().split("\n\n")[0]
            found.setdefault(error.code, (error.code, status_of(error), error.title, meaning))
        for child in error.__subclasses__():
            walk(child)

    walk(CmsError)
    for status, (code, title, detail) in (*FRAMEWORK.items(), (500, INTERNAL)):
        found.setdefault(code, (code, status, title, detail))
    return sorted(found.values())

"""What can go wrong, in words that every domain shares.

A domain raises these, or subclasses with a ``code`` of their own; the HTTP adapter turns each
*category* (the direct children of `CmsError`) into a status. Nothing here knows of HTTP.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One fault in an input: where, a code, and a sentence.

    ``pointer`` is a JSON Pointer (RFC 6901), or ``?`` and the name of a query's parameter.
    """

    pointer: str
    code: str
    detail: str


class CmsError(Exception):
    """Anything that a caller did, or met, and can be told about.

    ``keeps_changes`` marks the rare error whose unit of work is committed all the same, because
    what was written is the answer to it: a reused refresh token revokes its whole session.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"
    keeps_changes: ClassVar[bool] = False

    def __init__(self, detail: str, *, faults: tuple[Fault, ...] = (), **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.members = members


class Malformed(CmsError):
    """The input can't be read at all, or names something that does not exist."""

    code = "malformed"
    title = "The request is malformed"


class Unauthenticated(CmsError):
    """No credentials, or wrong ones."""

    code = "unauthenticated"
    title = "Sign-in is required"

    def __init__(self, detail: str = "This needs a signed-in user.", **members: Any) -> None:
        super().__init__(detail, **members)


class Forbidden(CmsError):
    """Known, but not allowed."""

    code = "forbidden"
    title = "You are not allowed to do this"


class NotFound(CmsError):
    """Absent, or not the caller's to know of."""

    code = "not_found"
    title = "There is no such resource"


class Gone(CmsError):
    """What was there is so no longer: the caller must start anew."""

    code = "gone"
    title = "It is gone"


class Conflict(CmsError):
    """The state of something else stands in the way."""

    code = "conflict"
    title = "The request conflicts with what is there"


class Stale(CmsError):
    """Somebody else changed it since the caller read it."""

    code = "stale"
    title = "The resource has changed since you read it"


class PreconditionRequired(CmsError):
    """The caller must say which version it means."""

    code = "precondition_required"
    title = "If-Match is required"


class TooLarge(CmsError):
    """More bytes than are taken."""

    code = "too_large"
    title = "The content is too large"


class UnsupportedMedia(CmsError):
    """A kind of content that is not taken."""

    code = "unsupported_media_type"
    title = "The media type is not supported"


class Invalid(CmsError):
    """Well-formed, but breaks a rule."""

    code = "invalid"
    title = "The input is invalid"


class TooMany(CmsError):
    """More requests than are taken in that time; ``retry_after`` is in seconds."""

    code = "too_many_requests"
    title = "There were too many requests"

    def __init__(self, detail: str, *, retry_after: int, **members: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **members)
        self.retry_after = retry_after


def invalid(pointer: str, code: str, detail: str) -> Invalid:
    """An `Invalid` with a single fault."""
    return Invalid(detail, faults=(Fault(pointer, code, detail),))


class Faults:
    """Gathers the faults of several checks, so that a caller hears of all of them at once.

    >>> faults = Faults()
    >>> with faults.noted():
    ...     email = normalise_email(email)
    >>> faults.refuse()
    """

    def __init__(self) -> None:
        self._noted: list[Fault] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what an `Invalid` raised in here complains of, and go on."""
        try:
            yield
        except Invalid as error:
            self._noted.extend(error.faults)

    def note(self, *faults: Fault) -> None:
        """Note faults that were found otherwise."""
        self._noted.extend(faults)

    def refuse(self) -> None:
        """Raise `Invalid` with everything noted, if there is anything."""
        if len(self._noted) == 1:
            raise Invalid(self._noted[0].detail, faults=tuple(self._noted))
        if self._noted:
            raise Invalid(f"The input has {len(self._noted)} faults.", faults=tuple(self._noted))

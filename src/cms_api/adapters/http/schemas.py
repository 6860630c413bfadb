"""What all wire schemas share."""

from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")


class Wire(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A request's body: closed, so that a misspelt field is a fault and not a silence."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A response's body."""


class PageInfo(View, frozen=True, kw_only=True):
    """Where a page stands: opaque cursors for ``after`` and ``before``, null at the ends."""

    next: str | None
    prev: str | None
    limit: int


class ListView(View, Generic[T], frozen=True, kw_only=True, omit_defaults=True):
    """A page of a list. ``count`` is there when it was asked for; ``count_is_estimate`` where it may be wrong."""

    items: list[T]
    page: PageInfo
    count: int | None = None
    count_is_estimate: bool = False


class DeliveredList(ListView[T], frozen=True, kw_only=True, omit_defaults=True):
    """A page of a list that can be searched.

    `only_newest` is true where there are more than 2,000 hits: then those published last are all that is ranked and
    listed. `count` is of all.
    """

    only_newest: bool = False


Email = Annotated[str, Meta(max_length=320, description="An e-mail address.", examples=["ada@example.org"])]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
ShortText = Annotated[str, Meta(max_length=2_000)]
SlugText = Annotated[
    str,
    Meta(min_length=1, max_length=200, description="Made from the title or name where it is not given."),
]

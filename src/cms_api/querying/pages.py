"""Keyset pages: a list is walked by position, never by offset."""

from typing import Generic, Literal, TypeVar

import msgspec

from cms_api.querying.conditions import EVERYTHING, Condition, all_of

T = TypeVar("T")
U = TypeVar("U")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

Count = Literal["none", "estimate", "exact"]


class SortKey(msgspec.Struct, frozen=True):
    """One key of an order: a field's public name, or a path through relations to one; and its direction."""

    field: str
    descending: bool = False


# The order of what a search finds where none is asked for: the best first. It is no field of what is found.
RANKED = (SortKey("score", descending=True),)


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted.

    ``after`` and ``before`` are the values of the sort keys (the id last) of the row that the
    page starts behind or ends in front of; at most one is given. ``limit`` is 1 to 100.
    """

    limit: int = DEFAULT_LIMIT
    after: tuple[object, ...] | None = None
    before: tuple[object, ...] | None = None
    sort: tuple[SortKey, ...]
    filter: Condition = EVERYTHING
    count: Count = "none"

    def narrowed(self, condition: Condition) -> "PageRequest":
        """The same of the rows alone of which ``condition`` is true as well."""
        return msgspec.structs.replace(self, filter=all_of(self.filter, condition))


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list. ``next`` and ``prev`` are positions to go on from, or None at the ends.

    ``is_estimate`` says that ``count`` is what the database's planner expects; ``is_bounded``, that a
    search has more hits than are ranked, and only the newest are listed.
    """

    items: list[T]
    next: tuple[object, ...] | None = None
    prev: tuple[object, ...] | None = None
    count: int | None = None
    is_estimate: bool = False
    is_bounded: bool = False

    def of(self, items: list[U]) -> "Page[U]":
        """The same page with something else made of each item."""
        return Page(
            items=items,
            next=self.next,
            prev=self.prev,
            count=self.count,
            is_estimate=self.is_estimate,
            is_bounded=self.is_bounded,
        )

"""Keyset pages: a list is walked by position, never by offset."""

from collections.abc import Mapping
from typing import Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

FieldType = Literal["text", "uuid", "timestamptz", "boolean", "integer", "number", "date", "datetime"]
Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "contains", "starts_with", "exists"]

# What each type of field can be filtered by.
OPERATORS: dict[FieldType, tuple[Operator, ...]] = {
    "text": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "contains", "starts_with", "exists"),
    "uuid": ("eq", "ne", "in", "nin", "exists"),
    "timestamptz": ("eq", "ne", "lt", "lte", "gt", "gte", "exists"),
    "integer": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "exists"),
    "number": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "exists"),
    "date": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "exists"),
    "datetime": ("eq", "ne", "lt", "lte", "gt", "gte", "exists"),
    "boolean": ("eq", "ne", "exists"),
}


class SortKey(msgspec.Struct, frozen=True):
    """One key of an order: a field's public name, and its direction."""

    field: str
    descending: bool = False


class Filter(msgspec.Struct, frozen=True):
    """A condition on a field. ``values`` is one value, or up to 100 for ``in`` and ``nin``."""

    field: str
    operator: Operator
    values: tuple[object, ...]


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a list can be sorted by and filtered on. ``sort`` is its order where none is asked for."""

    sorts: tuple[str, ...]
    filters: Mapping[str, FieldType]
    sort: tuple[SortKey, ...]


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted.

    ``after`` and ``before`` are the values of the sort keys (the id last) of the row that the
    page starts behind or ends in front of; at most one is given. ``limit`` is 1 to 100. All
    ``filters`` must hold.
    """

    limit: int = DEFAULT_LIMIT
    after: tuple[object, ...] | None = None
    before: tuple[object, ...] | None = None
    sort: tuple[SortKey, ...]
    filters: tuple[Filter, ...] = ()
    count: bool = False


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list. ``next`` and ``prev`` are positions to go on from, or None at the ends."""

    items: list[T]
    next: tuple[object, ...] | None = None
    prev: tuple[object, ...] | None = None
    count: int | None = None

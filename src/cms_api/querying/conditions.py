"""Conditions: what must be true of a row for it to be in a list.

A condition is true or false of a row, never unknown as in SQL. A field, and a path that walks
relations, has any number of values: none where it is null or nothing is related. `eq`, `lt`, `in`,
`contains` and their like are true where *any* of the values is such a one, so of no value they are
false. `ne`, `nin` and `exists` with false are exactly the negations of `eq`, `in` and `exists`
with true; `Not` is that of what is inside of it (ADR 27).
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "contains", "starts_with", "exists"]


class Comparison(msgspec.Struct, frozen=True):
    """A field, or a path through relations (`tags.slug`), compared with values.

    ``values`` is one value, or up to 100 for ``in`` and ``nin``; one boolean for ``exists``.
    """

    field: str
    operator: Operator
    values: tuple[object, ...]


class Matches(msgspec.Struct, frozen=True):
    """Full-text search. Only lists that say so (`Listing.is_searchable`) take it."""

    query: str


class AllOf(msgspec.Struct, frozen=True):
    """True where all ``conditions`` are; with none, always."""

    conditions: "tuple[Condition, ...]"


class AnyOf(msgspec.Struct, frozen=True):
    """True where any of ``conditions`` is; with none, never."""

    conditions: "tuple[Condition, ...]"


class Not(msgspec.Struct, frozen=True):
    """True where ``condition`` is false."""

    condition: "Condition"


Condition = Comparison | Matches | AllOf | AnyOf | Not

EVERYTHING = AllOf(())


def all_of(*conditions: Condition) -> Condition:
    """All of them, without a level more than is needed."""
    flat: list[Condition] = []
    for one in conditions:
        flat += one.conditions if isinstance(one, AllOf) else [one]
    return flat[0] if len(flat) == 1 else AllOf(tuple(flat))


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """All comparisons in a condition, whatever they are joined by."""
    match condition:
        case Comparison():
            yield condition
        case AllOf() | AnyOf():
            for one in condition.conditions:
                yield from comparisons(one)
        case Not():
            yield from comparisons(condition.condition)
        case Matches():
            return


def mentions(condition: Condition, field: str) -> bool:
    """Whether anything is asked of a field."""
    return any(one.field == field for one in comparisons(condition))


def is_search(condition: Condition) -> bool:
    """Whether words are searched for."""
    match condition:
        case AllOf() | AnyOf():
            return any(map(is_search, condition.conditions))
        case Not():
            return is_search(condition.condition)
        case _:
            return isinstance(condition, Matches)


def canonical(condition: Condition) -> str:
    """A text that is the same for conditions that differ in the order of their parts only."""
    match condition:
        case AllOf() | AnyOf():
            parts = sorted(map(canonical, condition.conditions))
            return f"{type(condition).__name__}({','.join(parts)})"
        case Not():
            return f"Not({canonical(condition.condition)})"
        case _:
            return repr(condition)

"""Conditions, evaluated in memory: what fakes use, and what SQL is held to."""

import re
from collections.abc import Callable, Collection
from typing import Any

from cms_api.querying import AllOf, AnyOf, Comparison, Condition, Matches, Not

# All values of a field, or at the end of a path: none where there is nothing.
Values = Callable[[str], Collection[Any]]

_COMPARISONS: dict[str, Callable[[Any, tuple[Any, ...]], bool]] = {
    "eq": lambda value, wanted: bool(value == wanted[0]),
    "in": lambda value, wanted: value in wanted,
    "lt": lambda value, wanted: bool(value < wanted[0]),
    "lte": lambda value, wanted: bool(value <= wanted[0]),
    "gt": lambda value, wanted: bool(value > wanted[0]),
    "gte": lambda value, wanted: bool(value >= wanted[0]),
    "contains": lambda value, wanted: wanted[0].lower() in value.lower(),
    "starts_with": lambda value, wanted: value.lower().startswith(wanted[0].lower()),
}


def holds(condition: Condition, values: Values) -> bool:
    """Whether a condition is true of a row."""
    match condition:
        case AllOf(conditions):
            return all(holds(one, values) for one in conditions)
        case AnyOf(conditions):
            return any(holds(one, values) for one in conditions)
        case Not(inner):
            return not holds(inner, values)
        case Comparison():
            return _compares(condition, values(condition.field))
        case Matches(query):
            # All the words that are asked for begin words of the row.
            words = re.findall(r"\w+", " ".join(values("q")).lower())
            wanted = re.findall(r"\w+", query.lower())
            return bool(wanted) and all(any(one.startswith(part) for one in words) for part in wanted)


def _compares(wanted: Comparison, values: Collection[Any]) -> bool:
    match wanted.operator:
        case "exists":
            return bool(values) == wanted.values[0]
        case "ne":
            return not _any("eq", values, wanted.values)
        case "nin":
            return not _any("in", values, wanted.values)
        case operator:
            return _any(operator, values, wanted.values)


def _any(operator: str, values: Collection[Any], wanted: tuple[Any, ...]) -> bool:
    return any(_COMPARISONS[operator](value, wanted) for value in values)


def several(value: object) -> Collection[Any]:
    """A field of an object as values: none for None, all of a tuple."""
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)

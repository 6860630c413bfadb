"""Conditions and pages evaluated in memory: for lists that are short by nature, and as what SQL is held to.

They mean what they mean in SQL: a condition is true or false of a row, never unknown. Texts are
compared by code points; where rows are sorted, no value comes before all others.
"""

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache, partial
from typing import Any, TypeVar

import msgspec

from cms_api.querying.conditions import AllOf, AnyOf, Comparison, Condition, Matches, Not
from cms_api.querying.pages import Page, PageRequest, SortKey

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

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


def several(value: object) -> Collection[Any]:
    """A field of an object as values: none for None, all of a tuple."""
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


@lru_cache(maxsize=64)
def _attributes(of: type[msgspec.Struct]) -> dict[str, str]:
    """The attributes of a struct, by the names that they have in JSON."""
    return {field.encode_name: field.name for field in msgspec.structs.fields(of)}


def _attribute(row: msgspec.Struct, name: str) -> Collection[Any]:
    return several(getattr(row, _attributes(type(row))[name]))


def _first(row: msgspec.Struct, path: str) -> Any:
    return next(iter(values_at(row, path)), None)


def values_at(row: msgspec.Struct, path: str) -> Collection[Any]:
    """The values at the end of a path through a struct, and the structs in it, by the names in JSON."""
    found: list[Any] = [row]
    for step in path.split("."):
        found = [value for one in found for value in _attribute(one, step)]
    return found


def _unsearchable(query: str) -> bool:
    """What searches rows in which there are no words to be found."""
    raise KeyError("q", query)


def holds(condition: Condition, values: Values, matches: Callable[[str], bool] = _unsearchable) -> bool:
    """Whether a condition is true of a row; ``matches`` tells whether a search finds it."""
    match condition:
        case AllOf(conditions):
            return all(holds(one, values, matches) for one in conditions)
        case AnyOf(conditions):
            return any(holds(one, values, matches) for one in conditions)
        case Not(inner):
            return not holds(inner, values, matches)
        case Comparison():
            return _compares(condition, values(condition.field))
        case Matches(query):
            return matches(query)


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


def page_of(rows: Iterable[S], page: PageRequest, *, key: str) -> Page[S]:
    """The page of ``rows`` that is asked for; ``key`` is the field that tells them apart."""
    found = [row for row in rows if holds(page.filter, partial(values_at, row))]
    return cut(found, page, _first, key=key)


def cut(rows: Iterable[T], page: PageRequest, value: Callable[[T, str], Any], *, key: str = "id") -> Page[T]:
    """The page of ``rows`` that a filter has left, by their order; ``value`` is what a row is sorted by.

    The order ends in ``key``. A position is made of such values, or of what JSON makes of them.
    """
    last = SortKey(key, descending=page.sort[-1].descending if page.sort else False)
    order = (*page.sort, last)

    def position(row: T) -> tuple[Any, ...]:
        return tuple(value(row, one.field) for one in order)

    placed = [(position(row), row) for row in rows]
    count = None if page.count == "none" else len(placed)
    for place, one in reversed(list(enumerate(order))):
        placed.sort(key=partial(_rank, place), reverse=one.descending)
    if page.after is not None:
        placed = [pair for pair in placed if _compared(pair[0], page.after, order) > 0]
    if page.before is not None:
        placed = [pair for pair in placed if _compared(pair[0], page.before, order) < 0]
    more = len(placed) > page.limit
    backwards = page.before is not None
    shown = placed[-page.limit :] if backwards else placed[: page.limit]
    has_next = bool(shown) and (backwards or more)
    has_prev = bool(shown) and (more if backwards else page.after is not None)
    return Page(
        items=[row for _, row in shown],
        next=shown[-1][0] if has_next else None,
        prev=shown[0][0] if has_prev else None,
        count=count,
        is_estimate=page.count == "estimate",
    )


def _rank(place: int, placed: tuple[tuple[Any, ...], object]) -> tuple[bool, Any]:
    return _ranked(placed[0][place])


def _ranked(value: Any) -> tuple[bool, Any]:
    """What a value is sorted by: nothing comes first."""
    return (False, 0) if value is None else (True, value)


def _compared(mine: tuple[Any, ...], at: tuple[object, ...], order: tuple[SortKey, ...]) -> int:
    """Whether a row is behind a position (1), in front of it (-1), or there (0)."""
    for value, sealed, key in zip(mine, at, order, strict=True):
        other = sealed if value is None or sealed is None else msgspec.convert(sealed, type(value))
        if value != other:
            return 1 if (_ranked(value) > _ranked(other)) != key.descending else -1
    return 0

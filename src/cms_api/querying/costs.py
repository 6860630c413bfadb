"""What a query may cost the database, told from what it says alone (ADR 27).

A point is about what one comparison with a column costs. The figures are rough on purpose: they
tell absurd queries from others, and do not depend on how much is stored.
"""

from collections import Counter
from typing import ClassVar, NamedTuple

from cms_api.kernel.errors import Malformed
from cms_api.querying.conditions import AllOf, AnyOf, Comparison, Condition, Matches, Not
from cms_api.querying.listings import Fields, find, find_sort
from cms_api.querying.pages import Count, SortKey
from cms_api.querying.parsing import Asked
from cms_api.querying.selections import Selection

COMPARISON = 1
# Texts that no index helps to look into.
SCANS = {"contains": 10, "starts_with": 5}
RELATION = 2
SEARCH = 10
VALUES_A_POINT = 10
SORTED_RELATION = 10
COUNTS: dict[Count, int] = {"none": 0, "estimate": 2, "exact": 10}
ROWS_A_POINT = 10
# What a relation to several has, where nobody says how many are wanted.
USUAL_MANY = 10
DEFAULT_LIMIT_OF_COST = 300
MOST = 3


class Part(NamedTuple):
    """What one part of a query costs; ``what`` is how it is spelt."""

    cost: int
    what: str


class QueryTooCostly(Malformed):
    """The query would cost the database too much; `most` has what costs most of it."""

    code: ClassVar[str] = "query_too_costly"
    title: ClassVar[str] = "The query costs too much"


def _of_condition(condition: Condition, fields: Fields, parts: list[Part]) -> None:
    match condition:
        case Comparison(field, operator, values):
            hops = find(fields, field).hops
            base = SCANS.get(operator, COMPARISON) + (len(values) - 1) // VALUES_A_POINT
            parts.append(Part(base * (1 + RELATION * hops), f"filter[{field}][{operator}]"))
        case Matches():
            parts.append(Part(SEARCH, "q"))
        case AllOf(conditions) | AnyOf(conditions):
            for one in conditions:
                _of_condition(one, fields, parts)
        case Not(inner):
            _of_condition(inner, fields, parts)


def _of_sort(keys: tuple[SortKey, ...], fields: Fields, parts: list[Part]) -> None:
    for key in keys:
        # The order of a list where none is asked for may be by what can't be asked for.
        hops = find_sort(fields, key.field).hops if "." in key.field else 0
        parts.append(Part(COMPARISON + SORTED_RELATION * hops, f"sort={key.field}"))


def _of_selection(selection: Selection, fields: Fields, rows: int, path: str, parts: list[Part]) -> None:
    """Each relation costs by the rows that it is expanded for, which are more at each level."""
    for name, inner in selection.include:
        relation = fields.relations[name]
        many = inner.limit or USUAL_MANY if relation.is_many else 1
        if relation.hops:
            cost = 1 + rows // ROWS_A_POINT + len(inner.sort)
            parts.append(Part(cost, f"include={path}{name}"))
        _of_selection(inner, relation.fields(), rows * many, f"{path}{name}.", parts)


def check_cost(asked: Asked, fields: Fields, limit: int) -> int:
    """The cost of a query in points. Raises `QueryTooCostly` where it is over ``limit``."""
    parts = [Part(COUNTS[asked.count], f"count={asked.count}")]
    _of_condition(asked.filter, fields, parts)
    _of_sort(asked.sort, fields, parts)
    _of_selection(asked.selection, fields, asked.limit, "", parts)
    return _sum(parts, limit)


def check_selection(selection: Selection, fields: Fields, limit: int) -> int:
    """The cost of what is wanted of one item in points. Raises `QueryTooCostly` where it is over ``limit``."""
    parts: list[Part] = []
    _of_selection(selection, fields, 1, "", parts)
    return _sum(parts, limit)


def check_condition(condition: Condition, fields: Fields, limit: int) -> int:
    """The cost of a condition alone in points. Raises `QueryTooCostly` where it is over ``limit``."""
    parts: list[Part] = []
    _of_condition(condition, fields, parts)
    return _sum(parts, limit)


def _sum(parts: list[Part], limit: int) -> int:
    cost = sum(part.cost for part in parts)
    if cost > limit:
        by_name: Counter[str] = Counter()
        for part in parts:
            by_name[part.what] += part.cost
        most = by_name.most_common(MOST)
        raise QueryTooCostly(
            f"The query costs {cost} points, and at most {limit} are taken. What costs most: "
            + ", ".join(f"“{what}” ({its})" for what, its in most)
            + ".",
            cost=cost,
            limit=limit,
            most=[{"parameter": what, "cost": its} for what, its in most],
        )
    return cost

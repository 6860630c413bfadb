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
# Texts that no index helps to look into, the dearer the longer what is looked for.
SCANS = {"contains": 10, "starts_with": 5}
CHARACTERS_A_POINT = 100
RELATION = 2
# No index finds rows by what they do not lead to.
NEGATED_RELATION = 2
SEARCH = 10
VALUES_A_POINT = 10
SORTED_RELATION = 10
COUNTS: dict[Count, int] = {"none": 0, "estimate": 2, "exact": 10}
ROWS_A_POINT = 10
# An include is looked up for rows, and brings in others: what it brings in has to be put together.
BROUGHT_A_POINT = 25
# What a relation to several has, where nobody says how many are wanted.
USUAL_MANY = 10
DEFAULT_LIMIT_OF_COST = 300
MOST = 3


class Part(NamedTuple):
    """What one part of a query costs; ``what`` is how it is spelt, ``limits`` are those that make it less."""

    cost: int
    what: str
    limits: tuple[str, ...] = ()


class QueryTooCostly(Malformed):
    """The query would cost the database too much; `most` has what costs most of it."""

    code: ClassVar[str] = "query_too_costly"
    title: ClassVar[str] = "The query costs too much"


def _of_condition(
    condition: Condition, fields: Fields, parts: list[Part], *, is_negated: bool = False
) -> None:
    match condition:
        case Comparison(field, operator, values):
            hops = find(fields, field).hops
            base = SCANS.get(operator, COMPARISON) + (len(values) - 1) // VALUES_A_POINT
            if operator in SCANS:
                base += len(str(values[0])) // CHARACTERS_A_POINT
            is_negative = is_negated != (operator in ("ne", "nin"))
            walked = (1 + RELATION * hops) * (NEGATED_RELATION if is_negative and hops else 1)
            parts.append(Part(base * walked, f"filter[{field}][{operator}]"))
        case Matches():
            parts.append(Part(SEARCH, "q"))
        case AllOf(conditions) | AnyOf(conditions):
            for one in conditions:
                _of_condition(one, fields, parts, is_negated=is_negated)
        case Not(inner):
            _of_condition(inner, fields, parts, is_negated=not is_negated)


def _of_sort(keys: tuple[SortKey, ...], fields: Fields, parts: list[Part]) -> None:
    for key in keys:
        # The order of a list where none is asked for may be by what can't be asked for.
        hops = find_sort(fields, key.field).hops if "." in key.field else 0
        parts.append(Part(COMPARISON + SORTED_RELATION * hops, f"sort={key.field}"))


def _of_selection(
    selection: Selection,
    fields: Fields,
    rows: int,
    parts: list[Part],
    at: str = "",
    limits: tuple[str, ...] = (),
) -> None:
    """Each relation costs by the rows that it is expanded for, or that it brings in: more at each level.

    ``at`` is the path of what is selected of, ``limits`` what says how many there are of it.
    """
    for name, inner in selection.include:
        relation, path, known = fields.relations[name], f"{at}{name}", limits
        many = _many(inner) if relation.is_many else 1
        if relation.hops:
            known = (*limits, f"include[{path}][limit]") if relation.is_many else limits
            cost = 1 + max(rows // ROWS_A_POINT, rows * many // BROUGHT_A_POINT) + len(inner.sort)
            parts.append(Part(cost, f"include={path}", known))
        _of_selection(inner, relation.fields(), rows * many, parts, f"{path}.", known)


def _many(selection: Selection) -> int:
    """How many rows of a relation to several are put together."""
    limit = selection.limit or USUAL_MANY
    # Only when all are there it is known which come first.
    return max(limit, USUAL_MANY) if selection.sort else limit


def check_cost(asked: Asked, fields: Fields, limit: int) -> int:
    """The cost of a query in points. Raises `QueryTooCostly` where it is over ``limit``."""
    parts = [Part(COUNTS[asked.count], f"count={asked.count}")]
    _of_condition(asked.filter, fields, parts)
    _of_sort(asked.sort, fields, parts)
    _of_selection(asked.selection, fields, asked.limit, parts, limits=("limit",))
    return _sum(parts, limit)


def check_selection(selection: Selection, fields: Fields, limit: int) -> int:
    """The cost of what is wanted of one item in points. Raises `QueryTooCostly` where it is over ``limit``."""
    parts: list[Part] = []
    _of_selection(selection, fields, 1, parts)
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
        (limits,) = {part.limits for part in parts if part.what == most[0][0]}
        raise QueryTooCostly(
            f"The query costs {cost} points, and at most {limit} are taken. What costs most: "
            + ", ".join(f"“{what}” ({its})" for what, its in most)
            + "."
            + (f" Lower {' or '.join(f'“{one}”' for one in limits)}." if limits else ""),
            cost=cost,
            limit=limit,
            most=[{"parameter": what, "cost": its} for what, its in most],
        )
    return cost

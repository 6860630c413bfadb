"""Lists in SQL: filters, and the rows behind, or in front of, a position in an order."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.kernel.paging import Filter, Operator, Page, PageRequest

T = TypeVar("T")


class Column(NamedTuple):
    """An expression to sort by, never null, and the type that its values are sent as.

    ``encode`` makes of a value what is sent, where that is something else.
    """

    sql: str
    type: str
    encode: Callable[[Any], object] | None = None


class Relation(NamedTuple):
    """A filter on rows that belong to a row: a condition with ``{}`` for what is asked of ``column``."""

    sql: str
    column: Column


POSITIVE: dict[Operator, Operator] = {"ne": "eq", "nin": "in"}
COMPARISONS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def condition(field: Column | Relation, wanted: Filter, holder: str, params: dict[str, object]) -> str:
    """The SQL of one filter; adds what it compares with to ``params`` as ``holder``."""
    if isinstance(field, Relation):
        # “not” means that none of the related rows is such a one.
        positive = POSITIVE.get(wanted.operator)
        if wanted.operator == "exists":
            return ("" if wanted.values[0] else "NOT ") + field.sql.format("true")
        inner = condition(
            field.column, Filter(wanted.field, positive or wanted.operator, wanted.values), holder, params
        )
        return ("NOT " if positive else "") + field.sql.format(inner)
    column = field
    if column.encode is not None and wanted.operator != "exists":
        wanted = Filter(wanted.field, wanted.operator, tuple(map(column.encode, wanted.values)))
    value = wanted.values[0]
    match wanted.operator:
        case "exists":
            return f"{column.sql} IS {'NOT NULL' if value else 'NULL'}"
        case "in" | "nin":
            params[holder] = list(wanted.values)
            listed = f"{column.sql} = ANY(%({holder})s::{column.type}[])"
            return listed if wanted.operator == "in" else f"({listed}) IS NOT TRUE"
        case "contains":
            params[holder] = f"%{_escaped(value)}%"
            return f"{column.sql} ILIKE %({holder})s"
        case "starts_with":
            params[holder] = f"{_escaped(value)}%"
            return f"{column.sql} ILIKE %({holder})s"
        case "ne":
            params[holder] = value
            return f"{column.sql} IS DISTINCT FROM %({holder})s::{column.type}"
        case comparison:
            params[holder] = value
            return f"{column.sql} {COMPARISONS[comparison]} %({holder})s::{column.type}"


def _escaped(value: object) -> str:
    """Text to be found as it stands by LIKE."""
    return str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class Keyset:
    """What a list is sorted by (any of ``columns``, in the end always ``key``) and filtered on.

    Every column that is sorted by must be ``NOT NULL``. ``filters`` adds to the columns.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        *,
        key: Column,
        filters: Mapping[str, Column | Relation] | None = None,
    ) -> None:
        self._columns = columns
        self._key = key
        self._filters: dict[str, Column | Relation] = {**columns, "id": key, **(filters or {})}

    def conditions(self, wanted: Sequence[Filter], params: dict[str, object]) -> list[str]:
        """The SQL of all filters; adds to ``params``."""
        return [
            condition(self._filters[one.field], one, f"_f{index}", params) for index, one in enumerate(wanted)
        ]

    def clauses(self, page: PageRequest, params: dict[str, object]) -> tuple[str, str, str]:
        """The columns to select for positions, the condition of the page, and its order.

        Adds the position's values to ``params``. A page asked for backwards comes in the order
        turned round.
        """
        keys = [(self._columns[key.field], key.descending) for key in page.sort]
        keys.append((self._key, page.sort[-1].descending if page.sort else False))
        backwards = page.before is not None
        position = page.before if backwards else page.after
        order = ", ".join(f"{column.sql} {'DESC' if down != backwards else 'ASC'}" for column, down in keys)
        columns = ", ".join(column.sql for column, _ in keys)
        if position is None:
            return columns, "true", order
        for index, value in enumerate(position):
            params[f"_at{index}"] = value
        holders = [f"%(_at{index})s::{column.type}" for index, (column, _) in enumerate(keys)]
        if len({down for _, down in keys}) == 1:  # one direction: a row comparison, which an index serves
            sign = "<" if keys[0][1] != backwards else ">"
            return columns, f"({columns}) {sign} ({', '.join(holders)})", order
        steps = []
        for index, (column, down) in enumerate(keys):
            same = [f"{c.sql} = {holders[i]}" for i, (c, _) in enumerate(keys[:index])]
            sign = "<" if down != backwards else ">"
            steps.append("(" + " AND ".join([*same, f"{column.sql} {sign} {holders[index]}"]) + ")")
        return columns, "(" + " OR ".join(steps) + ")", order

    async def page(
        self,
        reader: Reader,
        select: str,
        where: Sequence[str],
        params: Mapping[str, object],
        page: PageRequest,
        make: Callable[[tuple[Any, ...]], T],
    ) -> Page[T]:
        """The page of ``select`` (a statement up to its WHERE), one statement, two with a count."""
        values = dict(params)
        where = [*where, *self.conditions(page.filters, values)] or ["true"]
        filtered = dict(values)
        columns, behind, order = self.clauses(page, values)
        head, tail = select.split("\nFROM ", 1)
        sql = (
            f"{head}, {columns}\nFROM {tail}\nWHERE {' AND '.join([*where, behind])}"
            f"\nORDER BY {order}\nLIMIT {page.limit + 1}"
        )
        rows = await reader.rows(sql, values)
        width = len(page.sort) + 1
        count = None
        if page.count:
            counted = await reader.one(
                f"SELECT count(*)\nFROM {tail}\nWHERE {' AND '.join(where)}",
                filtered,
            )
            count = counted[0] if counted else 0
        return cut(rows, page, width, make, count)


def cut(
    rows: list[tuple[Any, ...]],
    page: PageRequest,
    width: int,
    make: Callable[[tuple[Any, ...]], T],
    count: int | None = None,
) -> Page[T]:
    """The page made of up to ``limit`` + 1 rows, whose last ``width`` columns are their position."""
    more, rows = len(rows) > page.limit, rows[: page.limit]
    if backwards := page.before is not None:
        rows.reverse()
    first, last = (rows[0][-width:], rows[-1][-width:]) if rows else (None, None)
    return Page(
        items=[make(row[:-width]) for row in rows],
        next=last if (backwards or more) else None,
        prev=first if (more if backwards else page.after is not None) else None,
        count=count,
    )

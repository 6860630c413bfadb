"""Lists in SQL: conditions, and the rows behind, or in front of, a position in an order.

A statement's text depends on the *shape* of what is asked only: values are bound. It is made once for
each shape and kept.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.querying import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Matches,
    Not,
    Operator,
    Page,
    PageRequest,
    SortKey,
)
from cms_api.querying.conditions import is_search

T = TypeVar("T")
Encode = Callable[[Any], object]


class Column(NamedTuple):
    """An expression to sort by, never null, or to filter on; and the type that its values are sent as.

    ``encode`` makes of a value what is sent, where that is something else. ``implied`` is what follows where
    it equals a value, with ``{}`` for that: said beside it, as an index knows that and not the expression.
    """

    sql: str
    type: str
    encode: Encode | None = None
    implied: str | None = None


class Several(NamedTuple):
    """Values of which a row may have any number: a condition with ``{}`` for what is asked of ``column``.

    ``present`` is the condition that it has any, where the row tells that by itself.
    """

    sql: str
    column: Column
    present: str | None = None


class Related(NamedTuple):
    """What a row leads to: a condition with ``{}`` for what is asked of the fields there.

    ``ids`` is what the relation itself is compared by; ``one`` the expression of a single related
    row's value, with ``{}`` for it, where there is one at most. Without a relation to walk, as for a
    group, both are ``{}``. ``fields`` is asked when it is walked.
    """

    sql: str
    fields: "Callable[[], Mapping[str, Node]]"
    ids: "Column | Several | None" = None
    one: str | None = None


class Either(NamedTuple):
    """A name that stands for something else in rows of another kind: any of these."""

    nodes: "tuple[Related | Several, ...]"


Node = Column | Several | Related | Either

POSITIVE: dict[Operator, Operator] = {"ne": "eq", "nin": "in"}
COMPARISONS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
# What stands for no value where rows are sorted through a relation: it comes before all others.
NOTHING = {
    "text": "''",
    "numeric": "'-Infinity'::numeric",
    "integer": "-2147483648",
    "boolean": "false",
    "timestamptz": "'0001-01-01T00:00:00Z'::timestamptz",
}
STATEMENTS_KEPT = 512


class Search(NamedTuple):
    """Full-text search: a condition, with ``{}`` for the query's parameter."""

    sql: str


class Binding(NamedTuple):
    """A parameter: its name, and what makes what is sent of the comparison's values."""

    holder: str
    encode: Callable[[tuple[object, ...]], object]


def _escaped(value: object) -> str:
    """Text to be found as it stands by LIKE."""
    return str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _encoder(operator: Operator, encode: Encode | None) -> Callable[[tuple[object, ...]], object]:
    made = encode or (lambda value: value)
    match operator:
        case "in" | "nin":
            return lambda values: [made(one) for one in values]
        case "contains":
            return lambda values: f"%{_escaped(values[0])}%"
        case "starts_with":
            return lambda values: f"{_escaped(values[0])}%"
        case _:
            return lambda values: made(values[0])


def _compared(column: Column, operator: Operator, holder: str) -> str:
    """The SQL of a comparison that is not the negation of another one."""
    match operator:
        case "in":
            return f"{column.sql} = ANY(%({holder})s::{column.type}[])"
        case "contains" | "starts_with":
            return f"{column.sql} ILIKE %({holder})s"
        case _:
            value = f"%({holder})s::{column.type}"
            compared = f"{column.sql} {COMPARISONS[operator]} {value}"
            if operator == "eq" and column.implied is not None:
                return f"({compared} AND {column.implied.format(value)})"
            return compared


def is_there(column: Column) -> str:
    """The SQL of there being a value."""
    return f"{column.sql} IS NOT NULL"


def negated(sql: str) -> str:
    """What is true where ``sql`` is false or unknown."""
    return f"NOT {sql}" if sql.startswith("EXISTS (") else f"({sql}) IS NOT TRUE"


class Compiler:
    """Writes the SQL of conditions; ``bindings`` are the parameters, in the order of `values_of`."""

    def __init__(self, fields: Mapping[str, Node], search: Search | None = None) -> None:
        self.bindings: list[Binding] = []
        self._fields = fields
        self._search = search

    def condition(self, condition: Condition) -> str:
        """The SQL. Unknown counts as false in it: nothing but `negated` must be done to it."""
        match condition:
            case AllOf(conditions):
                return f"({' AND '.join(map(self.condition, conditions))})" if conditions else "true"
            case AnyOf(conditions):
                return f"({' OR '.join(map(self.condition, conditions))})" if conditions else "false"
            case Not(inner):
                return negated(self.condition(inner))
            case Matches():
                return self._matches()
            case Comparison():
                return self._comparison(condition)

    def _matches(self) -> str:
        if self._search is None:
            raise KeyError("q")
        holder = self._holder(lambda values: values[0])
        return self._search.sql.format(f"%({holder})s")

    def _comparison(self, wanted: Comparison) -> str:
        operator = wanted.operator
        positive = POSITIVE.get(operator, operator)
        is_negative = positive != operator or (operator == "exists" and not wanted.values[0])
        plain = self._fields.get(wanted.field)
        if operator == "exists":
            tested = self._tested(self._fields, wanted.field, is_there)
            if is_negative and isinstance(plain, Column):
                return f"{plain.sql} IS NULL"
            return negated(tested) if is_negative else tested
        number = len(self.bindings)
        holder = f"_f{number}"
        self.bindings.append(Binding(holder, _encoder(positive, None)))

        def compare(column: Column) -> str:
            self.bindings[number] = Binding(holder, _encoder(positive, column.encode))
            if operator == "ne" and column is plain:
                return f"{column.sql} IS DISTINCT FROM %({holder})s::{column.type}"
            return _compared(column, positive, holder)

        tested = self._tested(self._fields, wanted.field, compare)
        is_told = operator == "ne" and isinstance(plain, Column)
        return negated(tested) if is_negative and not is_told else tested

    def _holder(self, encode: Callable[[tuple[object, ...]], object]) -> str:
        holder = f"_f{len(self.bindings)}"
        self.bindings.append(Binding(holder, encode))
        return holder

    def _tested(self, fields: Mapping[str, Node], path: str, make: Callable[[Column], str]) -> str:
        """What is asked of the values at the end of a path."""
        node = fields.get(path)
        if node is not None:
            return self._ended(node, make)
        head, _, tail = path.partition(".")
        return self._walked(fields[head], tail, make)

    def _ended(self, node: Node, make: Callable[[Column], str]) -> str:
        match node:
            case Column():
                return make(node)
            case Several():
                if make is is_there and node.present is not None:
                    return node.present
                return node.sql.format(make(node.column))
            case Related():
                if node.ids is None:
                    raise KeyError("ids")
                return self._ended(node.ids, make)
            case Either():
                return f"({' OR '.join(self._ended(one, make) for one in node.nodes)})"

    def _walked(self, node: Node, tail: str, make: Callable[[Column], str]) -> str:
        match node:
            case Related():
                return node.sql.format(self._tested(node.fields(), tail, make))
            case Either():
                return f"({' OR '.join(self._walked(one, tail, make) for one in node.nodes)})"
            case _:
                raise KeyError(tail)


def values_of(condition: Condition) -> list[tuple[object, ...]]:
    """The values that are bound, in the order of a `Compiler`'s bindings."""
    match condition:
        case Comparison():
            return [] if condition.operator == "exists" else [condition.values]
        case Matches():
            return [(condition.query,)]
        case Not():
            return values_of(condition.condition)
        case _:
            return [one for part in condition.conditions for one in values_of(part)]


def shape_of(condition: Condition) -> object:
    """What the SQL of a condition depends on: all but the values that are bound."""
    match condition:
        case Comparison():
            held = condition.values if condition.operator == "exists" else ()
            return (condition.field, condition.operator, held)
        case Matches():
            return "q"
        case Not():
            return ("not", shape_of(condition.condition))
        case _:
            kind = "or" if isinstance(condition, AnyOf) else "and"
            return (kind, *map(shape_of, condition.conditions))


class Shortcut(NamedTuple):
    """Rows of another table that are in the order of a list already, for each value of a filter.

    ``join`` has ``{}`` for what the filter's value leads to, ``target`` is that with ``{}`` for the
    parameter. ``columns`` and ``key`` stand for those of the list: equal, but of that table.
    """

    join: str
    target: str
    columns: Mapping[str, Column]
    key: Column


class Statement(NamedTuple):
    """A page's statement, that of its count from its FROM on, and the bindings of the condition."""

    sql: str
    counting: str
    bindings: tuple[Binding, ...]


class Keyset:
    """What a list is sorted by (any of ``columns``, in the end always ``key``) and filtered on.

    Every column that is sorted by must be ``NOT NULL``. ``filters`` adds to the columns;
    ``shortcuts`` are for filters that pick few of many rows. ``rows`` is the table whose rows are listed,
    where the statement has joins beside it that counting does without.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        *,
        key: Column,
        filters: Mapping[str, Node] | None = None,
        search: Search | None = None,
        shortcuts: Mapping[str, Shortcut] | None = None,
        rows: str | None = None,
    ) -> None:
        self._rows = rows
        self._shortcuts = shortcuts or {}
        self._columns = columns
        self._key = key
        self._filters: dict[str, Node] = {**columns, "id": key, **(filters or {})}
        self._search = search
        self._statements: dict[object, Statement] = {}

    def extended(self, columns: Mapping[str, Column], *, key: Column) -> "Keyset":
        """The same with ``columns`` to sort by as well, for rows that go by another ``key``."""
        return Keyset({**self._columns, **columns}, key=key, filters=self._filters)

    def compiled(self, wanted: Condition) -> tuple[str, tuple[Binding, ...]]:
        """The SQL of a condition, and what it is bound to."""
        compiler = Compiler(self._filters, self._search)
        return compiler.condition(wanted), tuple(compiler.bindings)

    def condition(self, wanted: Condition, params: dict[str, object]) -> str:
        """The SQL of a condition; adds what is bound to ``params``."""
        sql, bindings = self.compiled(wanted)
        _bind(bindings, wanted, params)
        return sql

    def _column(self, path: str) -> Column:
        """What is sorted by: a column, or a value of the one row that a relation leads to."""
        if (found := self._columns.get(path)) is not None:
            return found
        value = single(self._filters, path)
        return Column(f"coalesce({value.sql}, {NOTHING[value.type]})", value.type)

    def _keys(self, page: PageRequest, shortcut: Shortcut | None) -> list[tuple[Column, bool]]:
        column = self._column if shortcut is None else shortcut.columns.__getitem__
        keys = [(column(key.field), key.descending) for key in page.sort]
        last = self._key if shortcut is None else shortcut.key
        return [*keys, (last, page.sort[-1].descending if page.sort else False)]

    def clauses(
        self, page: PageRequest, params: dict[str, object], shortcut: Shortcut | None = None
    ) -> tuple[list[str], str, str]:
        """The columns to select for positions, the condition of the page, and its order.

        Adds the position's values to ``params``. A page asked for backwards comes in the order
        turned round.
        """
        _place(page, params)
        keys = self._keys(page, shortcut)
        backwards = page.before is not None
        order = ", ".join(f"{column.sql} {'DESC' if down != backwards else 'ASC'}" for column, down in keys)
        names = [column.sql for column, _ in keys]
        if page.before is None and page.after is None:
            return names, "true", order
        holders = [f"%(_at{index})s::{column.type}" for index, (column, _) in enumerate(keys)]
        if len({down for _, down in keys}) == 1:  # one direction: a row comparison, which an index serves
            sign = "<" if keys[0][1] != backwards else ">"
            return names, f"({', '.join(names)}) {sign} ({', '.join(holders)})", order
        # In several directions: no position in an index but that of the keys before the first turn.
        straight = next(index for index, (_, down) in enumerate(keys) if down != keys[0][1])
        sign = "<=" if keys[0][1] != backwards else ">="
        bound = f"({', '.join(names[:straight])}) {sign} ({', '.join(holders[:straight])})"
        steps = []
        for index, (column, down) in enumerate(keys):
            same = [f"{c.sql} = {holders[i]}" for i, (c, _) in enumerate(keys[:index])]
            sign = "<" if down != backwards else ">"
            steps.append("(" + " AND ".join([*same, f"{column.sql} {sign} {holders[index]}"]) + ")")
        return names, f"{bound} AND ({' OR '.join(steps)})", order

    def statement(self, select: str, where: Sequence[str], page: PageRequest) -> Statement:
        """The statement of a page of ``select`` (up to its WHERE), kept by its shape."""
        return self.kept((select, *where), page, lambda: self._written(select, where, page))

    def kept(self, by: Hashable, page: PageRequest, write: Callable[[], Statement]) -> Statement:
        """What ``write`` gives, kept by the shape of the page and by whatever else it depends on."""
        place = "" if page.after is None else "after"
        place = place if page.before is None else "before"
        shape = (by, shape_of(page.filter), page.sort, place, page.limit)
        found = self._statements.get(shape)
        if found is None:
            if len(self._statements) >= STATEMENTS_KEPT:
                self._statements.clear()
            found = self._statements[shape] = write()
        return found

    def _written(self, select: str, where: Sequence[str], page: PageRequest) -> Statement:
        parts = page.filter.conditions if isinstance(page.filter, AllOf) else (page.filter,)
        compiler = Compiler(self._filters, self._search)
        asked = [compiler.condition(part) for part in parts]
        all_where = [*where, *asked] or ["true"]
        shortcut, join, said = self._shortcut(parts, page.sort)
        # What the join says is not asked again: rows would be guessed to be few, and all be read and sorted.
        listed = [*where, *(sql for place, sql in enumerate(asked) if place != said)] or ["true"]
        columns, behind, order = self.clauses(page, {}, shortcut)
        head, tail = select.split("\nFROM ", 1)
        paged = [*listed, behind] if behind != "true" else listed
        return Statement(
            f"{head}, {', '.join(columns)}\nFROM {tail}{join}\nWHERE {' AND '.join(paged)}"
            f"\nORDER BY {order}\nLIMIT {page.limit + 1}",
            f"FROM {self._rows or tail}\nWHERE {' AND '.join(all_where)}",
            tuple(compiler.bindings),
        )

    def _shortcut(
        self, parts: Sequence[Condition], sort: Sequence[SortKey]
    ) -> tuple[Shortcut | None, str, int | None]:
        """The shortcut that a page can take, the SQL of its join, and which of the filter's parts that says."""
        number = 0
        for place, part in enumerate(parts):
            if isinstance(part, Comparison) and part.operator == "eq":
                found = self._shortcuts.get(part.field)
                if found is not None and all(key.field in found.columns for key in sort):
                    return found, "\n" + found.join.format(found.target.format(f"%(_f{number})s")), place
            number += len(values_of(part))
        return None, "", None

    def bound(self, statement: Statement, page: PageRequest) -> tuple[dict[str, object], dict[str, object]]:
        """The parameters of a page's condition, and those of the page."""
        filtered: dict[str, object] = {}
        _bind(statement.bindings, page.filter, filtered)
        placed = dict(filtered)
        _place(page, placed)
        return filtered, placed

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
        statement = self.statement(select, where, page)
        filtered, placed = self.bound(statement, page)
        # What is best for a search depends on how common the words are.
        prepare = False if is_search(page.filter) else None
        rows = await reader.rows(statement.sql, {**params, **placed}, prepare=prepare)
        count = await counted(reader, statement, {**params, **filtered}, page, prepare=prepare)
        return cut(rows, page, len(page.sort) + 1, make, count)


def _bind(bindings: Sequence[Binding], condition: Condition, params: dict[str, object]) -> None:
    for binding, values in zip(bindings, values_of(condition), strict=True):
        params[binding.holder] = binding.encode(values)


def _place(page: PageRequest, params: dict[str, object]) -> None:
    for index, value in enumerate(page.before or page.after or ()):
        params[f"_at{index}"] = value


def single(fields: Mapping[str, Node], path: str) -> Column:
    """The one value at the end of a path, null where a relation on the way leads nowhere."""
    node = fields.get(path)
    if isinstance(node, Column):
        return node
    head, _, tail = path.partition(".")
    node = fields[head]
    if isinstance(node, Either):
        leading = [
            one for one in node.nodes if isinstance(one, Related) and one.one is not None and has(one, tail)
        ]
        found = [single({"_": one}, f"_.{tail}") for one in leading]
        return Column(f"coalesce({', '.join(one.sql for one in found)})", found[0].type)
    if not isinstance(node, Related) or node.one is None:
        raise KeyError(path)
    value = single(node.fields(), tail)
    return Column(node.one.format(value.sql), value.type)


def has(node: Related, path: str) -> bool:
    """Whether a path leads anywhere from here."""
    try:
        single(node.fields(), path)
    except KeyError:
        return False
    return True


async def counted(
    reader: Reader,
    statement: Statement,
    params: Mapping[str, object],
    page: PageRequest,
    *,
    prepare: bool | None = None,
) -> int | None:
    """How many rows there are in all, as far as that is asked for."""
    match page.count:
        case "exact":
            row = await reader.one(f"SELECT count(*)\n{statement.counting}", params, prepare=prepare)
            return row[0] if row else 0
        case "estimate":
            explained = f"EXPLAIN (FORMAT JSON) SELECT\n{statement.counting}"
            row = await reader.one(explained, params, prepare=prepare)
            return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0
        case _:
            return None


def cut(
    rows: list[tuple[Any, ...]],
    page: PageRequest,
    width: int,
    make: Callable[[tuple[Any, ...]], T],
    count: int | None = None,
) -> Page[T]:
    """The page made of up to ``limit`` + 1 rows, whose last ``width`` columns are their position."""
    if page.count == "estimate" and count is not None:
        count = max(count, len(rows))  # so many there are
    more, rows = len(rows) > page.limit, rows[: page.limit]
    if backwards := page.before is not None:
        rows.reverse()
    first, last = (rows[0][-width:], rows[-1][-width:]) if rows else (None, None)
    return Page(
        items=[make(row[:-width]) for row in rows],
        next=last if (backwards or more) else None,
        prev=first if (more if backwards else page.after is not None) else None,
        count=count,
        is_estimate=page.count == "estimate",
    )

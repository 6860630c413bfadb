"""Conditions in SQL mean what they mean in memory, of whatever rows."""

from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration import database

from cms_api.adapters.sqlalchemy.keyset import Column, Compiler, Node, Related, Several, values_of
from cms_api.querying import OPERATORS, AllOf, AnyOf, Comparison, Condition, FieldType, Not
from cms_api.querying.evaluating import holds, several

TABLES = """
CREATE TEMP TABLE things (id integer PRIMARY KEY, name text, size integer, is_good boolean, parent integer);
CREATE TEMP TABLE marks (thing integer, mark text);
"""
KINDS: dict[str, FieldType] = {"name": "text", "size": "integer", "is_good": "boolean"}
PATHS: dict[str, FieldType] = {
    **KINDS,
    "marks": "text",
    "parent.name": "text",
    "parent.size": "integer",
    "parent.marks": "text",
    "parent.parent.is_good": "boolean",
}
TEXTS = st.text(alphabet="aBc%_\\'é", max_size=3)
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "integer": st.integers(-2, 2),
    "boolean": st.booleans(),
}
# In the order of letters, not of a language: what texts are compared by depends on the database.
ORDERED = {"lt", "lte", "gt", "gte"}


def nodes(alias: str) -> dict[str, Node]:
    """What things are filtered on."""
    there = f"{alias}t"
    return {
        "name": Column(f'{alias}.name COLLATE "C"', "text"),
        "size": Column(f"{alias}.size", "integer"),
        "is_good": Column(f"{alias}.is_good", "boolean"),
        "marks": Several(
            f"EXISTS (SELECT FROM marks {alias}m WHERE {alias}m.thing = {alias}.id AND {{}})",
            Column(f"{alias}m.mark", "text"),
        ),
        "parent": Related(
            f"EXISTS (SELECT FROM things {there} WHERE {there}.id = {alias}.parent AND {{}})",
            lambda: nodes(there),
        ),
    }


class Thing(msgspec.Struct, frozen=True):
    """A row, and the marks that belong to it."""

    name: str | None
    size: int | None
    is_good: bool | None
    parent: int | None
    marks: tuple[str | None, ...]


def comparison(path: str) -> st.SearchStrategy[Comparison]:
    kind = PATHS[path]

    def with_values(operator: Any) -> st.SearchStrategy[Comparison]:
        if operator == "exists":
            values: st.SearchStrategy[Any] = st.tuples(st.booleans())
        elif operator in ("in", "nin"):
            values = st.lists(VALUES[kind], min_size=1, max_size=3).map(tuple)
        else:
            values = st.tuples(VALUES[kind])
        return st.builds(Comparison, st.just(path), st.just(operator), values)

    usable = [one for one in OPERATORS[kind] if one not in ORDERED or kind == "integer"]
    return st.sampled_from(usable).flatmap(with_values)


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from(sorted(PATHS)).flatmap(comparison),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
THINGS = st.lists(
    st.builds(
        Thing,
        st.none() | TEXTS,
        st.none() | st.integers(-2, 2),
        st.none() | st.booleans(),
        st.none() | st.integers(0, 5),
        st.lists(st.none() | TEXTS, max_size=2).map(tuple),
    ),
    max_size=6,
)


def values_at(things: list[Thing], number: int, path: str) -> list[Any]:
    """The values at the end of a path; none where something on the way is null, or not there."""
    head, _, tail = path.partition(".")
    if head == "parent":
        parent = things[number].parent
        return [] if parent is None or parent >= len(things) else values_at(things, parent, tail)
    return [one for one in several(getattr(things[number], head)) if one is not None]


@pytest.fixture(scope="module")
def connection(server: database.Server) -> Iterator[psycopg.Connection[Any]]:
    with server.database() as url, psycopg.connect(url, autocommit=True) as made:
        made.execute(TABLES)
        yield made


@given(THINGS, CONDITIONS)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_sql_and_memory_agree(
    connection: psycopg.Connection[Any], things: list[Thing], condition: Condition
) -> None:
    connection.execute("TRUNCATE things, marks")
    for number, one in enumerate(things):
        row = (number, one.name, one.size, one.is_good, one.parent)
        connection.execute("INSERT INTO things VALUES (%s, %s, %s, %s, %s)", row)
        for mark in one.marks:
            connection.execute("INSERT INTO marks VALUES (%s, %s)", (number, mark))
    compiler = Compiler(nodes("t"))
    sql = compiler.condition(condition)
    params = {
        binding.holder: binding.encode(values)
        for binding, values in zip(compiler.bindings, values_of(condition), strict=True)
    }
    found = connection.execute(f"SELECT t.id FROM things t WHERE {sql} ORDER BY t.id", params)
    expected = [
        number
        for number in range(len(things))
        if holds(condition, lambda path, number=number: values_at(things, number, path))  # type: ignore[misc]
    ]
    assert [row[0] for row in found] == expected, (sql, params)

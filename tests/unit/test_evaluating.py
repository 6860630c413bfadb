"""Conditions and pages in memory; that conditions mean the same in SQL is tested where there is a database."""

from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from itertools import chain
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.querying import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Matches,
    Not,
    Page,
    PageRequest,
    SortKey,
)
from cms_api.querying.evaluating import holds, page_of, values_at

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ADA, BEA = UUID(int=1), UUID(int=2)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Goes by another name in JSON."""

    source: str = msgspec.field(name="from")
    roles: tuple[str, ...] = ()


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """A row."""

    key: str
    name: str | None = None
    size: int | None = None
    is_good: bool | None = None
    at: datetime | None = None
    by: UUID | None = None
    marks: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()


THINGS = (
    Thing(key="a", name="Ärger", size=1, is_good=True, at=AT, by=ADA, marks=("red", "Blue")),
    Thing(key="b", name="50%_b", size=10, is_good=False, at=AT + timedelta(microseconds=5), by=BEA),
    Thing(
        key="c", name="ärger two", marks=("red",), ways=(Way(source="x", roles=("r", "s")), Way(source="y"))
    ),
    Thing(key="d", size=-1, ways=(Way(source="y", roles=("t",)),)),
)


def asked(filter: Condition = EVERYTHING, *sort: SortKey, **more: Any) -> Page[Thing]:
    """A page of the things, last ones first."""
    page = PageRequest(filter=filter, sort=sort or (SortKey("key"),), **more)
    return page_of(THINGS[::-1], page, key="key")


def keys(page: Page[Thing]) -> str:
    return "".join(one.key for one in page.items)


def is_(field: str, operator: Any, *values: object) -> Comparison:
    return Comparison(field, operator, values)


@pytest.mark.parametrize(
    ("field", "operator", "values", "found"),
    [
        ("name", "eq", ["50%_b"], "b"),
        ("name", "ne", ["50%_b"], "acd"),
        ("name", "in", ["50%_b", "Ärger"], "ab"),
        ("name", "nin", ["50%_b", "Ärger"], "cd"),
        ("name", "contains", ["RGER"], "ac"),
        ("name", "contains", ["%"], "b"),
        ("name", "contains", ["_b"], "b"),
        ("name", "starts_with", ["äR"], "ac"),
        ("name", "exists", [True], "abc"),
        ("name", "exists", [False], "d"),
        # By code points: “Ä” is behind all letters of ASCII, and in front of “ä”.
        ("name", "gt", ["z"], "ac"),
        ("name", "lt", ["ä"], "ab"),
        ("size", "lt", [1], "d"),
        ("size", "lte", [1], "ad"),
        ("size", "gt", [1], "b"),
        ("size", "gte", [1], "ab"),
        ("size", "in", [1, -1], "ad"),
        ("is_good", "eq", [False], "b"),
        ("is_good", "ne", [False], "acd"),
        ("at", "gt", [AT], "b"),
        ("at", "eq", [AT], "a"),
        ("by", "eq", [BEA], "b"),
        ("by", "nin", [BEA], "acd"),
        ("marks", "eq", ["red"], "ac"),
        ("marks", "ne", ["red"], "bd"),
        ("marks", "nin", ["Blue", "green"], "bcd"),
        ("marks", "contains", ["BLU"], "a"),
        ("marks", "exists", [False], "bd"),
        ("ways.from", "eq", ["y"], "cd"),
        ("ways.roles", "in", ["s", "t"], "cd"),
        ("ways.roles", "exists", [False], "ab"),
    ],
)
def test_operators(field: str, operator: Any, values: list[object], found: str) -> None:
    assert keys(asked(is_(field, operator, *values))) == found


def test_conditions_are_joined() -> None:
    red, small = is_("marks", "eq", "red"), is_("size", "lt", 5)
    assert keys(asked(AllOf((red, small)))) == "a"
    assert keys(asked(AnyOf((red, small)))) == "acd"
    assert keys(asked(Not(small))) == "bc"
    assert keys(asked(Not(AnyOf((red, small))))) == "b"
    assert keys(asked(AllOf((AnyOf((red, small)), Not(AllOf((red, small))))))) == "cd"
    assert keys(asked(EVERYTHING)) == "abcd"
    assert keys(asked(AnyOf(()))) == ""


def test_paths_end_in_all_values() -> None:
    assert list(values_at(THINGS[2], "ways.roles")) == ["r", "s"]
    assert list(values_at(THINGS[2], "ways.from")) == ["x", "y"]
    assert list(values_at(THINGS[3], "name")) == []
    with pytest.raises(KeyError):
        values_at(THINGS[2], "ways.source")


def test_a_search_is_for_who_says_what_it_finds() -> None:
    searched = Not(Matches("words"))
    assert holds(searched, lambda _: (), lambda query: query != "words")
    with pytest.raises(KeyError):
        asked(searched)


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        (["name"], "dbac"),
        (["-name"], "cabd"),
        (["size"], "cdab"),
        (["-size"], "badc"),
        (["is_good", "-key"], "dcba"),
        (["-is_good", "key"], "abcd"),
        (["at"], "cdab"),
        (["-by"], "badc"),
        (["-key"], "dcba"),
    ],
)
def test_what_has_no_value_comes_before_all_others(sort: list[str], found: str) -> None:
    order = [SortKey(one.removeprefix("-"), descending=one.startswith("-")) for one in sort]
    assert keys(asked(EVERYTHING, *order)) == found


def test_counts_are_of_all_that_a_filter_leaves() -> None:
    red = is_("marks", "eq", "red")
    assert asked(red, limit=1).count is None
    exact, estimate = asked(red, limit=1, count="exact"), asked(red, limit=1, count="estimate")
    assert (exact.count, exact.is_estimate) == (2, False)
    assert (estimate.count, estimate.is_estimate) == (2, True)


def test_a_page_without_neighbours_has_no_positions() -> None:
    for page in (asked(), asked(limit=4), asked(AnyOf(()))):
        assert (page.next, page.prev) == (None, None)
    first = asked(limit=3)
    assert (first.next, first.prev) == (("c", "c"), None)
    last = asked(limit=3, after=first.next)
    assert (keys(last), last.next, last.prev) == ("d", None, ("d", "d"))
    assert (keys(asked(after=("d", "d"))), asked(after=("d", "d")).prev) == ("", None)


def test_a_position_stays_where_its_row_is_gone() -> None:
    assert keys(asked(after=("bb", "bb"))) == "cd"
    assert keys(asked(before=("bb", "bb"))) == "ab"


NAMES = st.none() | st.text(alphabet="aÄ", max_size=2)
SIZES = st.none() | st.integers(-1, 1)
TIMES = st.none() | st.integers(0, 2).map(lambda n: AT + timedelta(microseconds=n * 500_000))
ROWS = st.lists(
    st.builds(Thing, key=st.text(alphabet="abc", max_size=3), name=NAMES, size=SIZES, at=TIMES),
    max_size=12,
    unique_by=lambda one: one.key,
)
SORTS = st.lists(
    st.builds(SortKey, st.sampled_from(["key", "name", "size", "at"]), st.booleans()), min_size=1, max_size=3
).map(tuple)


def in_order(rows: list[Thing], sort: tuple[SortKey, ...]) -> list[Thing]:
    """The rows as the grammar says, compared key by key."""

    def compare(one: Thing, other: Thing) -> int:
        for key in (*sort, SortKey("key", sort[-1].descending)):
            left, right = getattr(one, key.field), getattr(other, key.field)
            if left == right:
                continue
            is_first = left is None or (right is not None and left < right)
            return 1 if is_first == key.descending else -1
        return 0

    return sorted(rows, key=cmp_to_key(compare))


def sent(position: tuple[object, ...] | None) -> tuple[object, ...] | None:
    """A position as a cursor brings it back: of what JSON knows."""
    return None if position is None else tuple(msgspec.json.decode(msgspec.json.encode(position)))


@given(ROWS, SORTS, st.integers(1, 5))
def test_pages_add_up_both_ways(rows: list[Thing], sort: tuple[SortKey, ...], limit: int) -> None:
    whole = in_order(rows, sort)
    page = page_of(rows, PageRequest(sort=sort, limit=limit), key="key")
    forwards = [page.items]
    while page.next is not None:
        page = page_of(rows, PageRequest(sort=sort, limit=limit, after=sent(page.next)), key="key")
        forwards.append(page.items)
    backwards = [page.items]
    while page.prev is not None:
        page = page_of(rows, PageRequest(sort=sort, limit=limit, before=sent(page.prev)), key="key")
        backwards.insert(0, page.items)
    assert [*chain(*forwards)] == [*chain(*backwards)] == whole
    assert len(forwards) == len(backwards) == max(1, -(-len(rows) // limit))

"""What a query costs by what it includes: what is usual is taken, what brings in thousands of rows is not."""

import re
from urllib.parse import parse_qsl

import msgspec
import pytest

from cms_api.domains.cms.api import LISTINGS, POSTS
from cms_api.domains.cms.redirects.wanted import Wanted
from cms_api.querying import Fields, Listing, Relation, SortKey
from cms_api.querying.costs import (
    BROUGHT_A_POINT,
    DEFAULT_LIMIT_OF_COST,
    QueryTooCostly,
    check_cost,
    check_selection,
)
from cms_api.querying.listings import MAX_RELATIONS
from cms_api.querying.pages import MAX_LIMIT
from cms_api.querying.parsing import MAX_INCLUDES, parsed, selection_of
from cms_api.querying.spellings import PARAMETERS, of_parameters


def node() -> Fields:
    return NODES


NODES = Listing(
    sorts=("name",),
    relations={f"next{n}": Relation(fields=node, is_many=True) for n in range(MAX_INCLUDES)}
    | {"one": Relation(fields=node), "part": Relation(fields=node, is_many=True, hops=0)},
    sort=(SortKey("name"),),
    expands=True,
)
BARE = 1  # the order of the list


def cost(query: str, listing: Listing = NODES, *, limit: int = DEFAULT_LIMIT_OF_COST) -> int:
    asked = parsed(of_parameters(parse_qsl(query)), listing, PARAMETERS)
    return check_cost(asked, listing, limit)


def cost_of_one(query: str, listing: Listing = NODES) -> int:
    wanted = selection_of(of_parameters(parse_qsl(query)), listing, PARAMETERS)
    return check_selection(wanted, listing, DEFAULT_LIMIT_OF_COST)


@pytest.mark.parametrize("listing", [POSTS, LISTINGS["posts"]], ids=["management", "delivery"])
@pytest.mark.parametrize(
    ("include", "points"),
    [
        ("author,categories,tags,cover", 11 + 41 + 41 + 11),
        ("author,authors,categories,tags,cover", 11 + 3 * 41 + 11),
        ("author.avatar,authors,categories.parent,tags,cover", 2 * 11 + 2 * 41 + 41 + 101 + 11),
    ],
)
def test_what_is_usual_is_taken_for_the_longest_page(listing: Listing, include: str, points: int) -> None:
    assert cost(f"limit=100&include={include}", listing) == points + BARE
    assert cost(f"limit=100&include={include}&q=two words&count=exact", listing) < DEFAULT_LIMIT_OF_COST


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("limit=100&include=one", 1 + 10),
        ("limit=1&include=next0", 1),
        ("limit=100&include=next0", 1 + 40),
        ("limit=100&include[next0][limit]=1", 1 + 10),
        ("limit=100&include[next0][limit]=50", 1 + 200),
        ("limit=20&include[next0][limit]=100", 1 + 80),
        # All are looked at before it is known which come first.
        ("limit=100&include[next0][limit]=1&include[next0][sort]=name", 1 + 40 + 1),
        ("limit=20&include=next0.next1", 1 + 8 + 1 + 80),
        ("limit=20&include=part.one", 1 + 20),
        ("limit=20&include=part.next0", 1 + 80),
    ],
)
def test_an_include_costs_by_what_it_is_looked_up_for_or_brings_in(query: str, points: int) -> None:
    assert cost(query) == points + BARE


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=100&include[next0][limit]=100", "include=next0"),
        ("limit=100&include=next0.next1", "include=next0.next1"),
        ("limit=100&include=part.next0", "include=part.next0"),
        (f"limit=100&include={','.join(f'next{n}' for n in range(MAX_INCLUDES))}", "include=next0"),
    ],
)
def test_what_may_bring_in_thousands_is_refused(query: str, named: str) -> None:
    with pytest.raises(QueryTooCostly) as refused:
        cost(query)
    assert refused.value.members["most"][0]["parameter"] == named
    assert "Lower “limit” or “include[next0][limit]”" in refused.value.detail or "part." in named
    less = query.replace("limit=100", "limit=20", 1).replace("[limit]=100", "[limit]=40")
    assert cost(less) <= DEFAULT_LIMIT_OF_COST


@pytest.mark.parametrize("rows", [1, 7, 20, 99, MAX_LIMIT])
@pytest.mark.parametrize("many", [1, 3, 10, 50, MAX_LIMIT])
@pytest.mark.parametrize("depth", range(1, MAX_RELATIONS + 1))
def test_no_more_is_brought_in_than_points_allow(rows: int, many: int, depth: int) -> None:
    paths = [".".join(["next0"] * n) for n in range(1, depth + 1)]
    brought = sum(rows * many**n for n in range(1, depth + 1))
    query = "&".join([f"limit={rows}", *(f"include[{path}][limit]={many}" for path in paths)])
    # One point each is there for the statement, and may have been rounded down from nearly two.
    if brought > BROUGHT_A_POINT * DEFAULT_LIMIT_OF_COST:
        with pytest.raises(QueryTooCostly):
            cost(query)
    else:
        assert brought < BROUGHT_A_POINT * (cost(query, limit=10**9) + 1)


@pytest.mark.parametrize(
    ("query", "lower"),
    [
        (
            "limit=100&include=next0.next1",
            "“limit” or “include[next0][limit]” or “include[next0.next1][limit]”",
        ),
        ("limit=100&include=part.next0", "“limit” or “include[part.next0][limit]”"),
        ("limit=100&include=part.part.one", "“limit”"),
    ],
)
def test_it_is_said_what_to_lower(query: str, lower: str) -> None:
    with pytest.raises(QueryTooCostly, match=re.escape(f"). Lower {lower}.") + "$"):
        cost(query)


def test_one_item_is_as_a_list_of_one() -> None:
    for query in (
        "include=one",
        "include=next0.next1",
        "include[next0][limit]=100",
        "include=next0.next1.next2",
    ):
        assert cost_of_one(query) == cost(f"limit=1&{query}") - BARE
    with pytest.raises(QueryTooCostly):
        cost_of_one("include[next0][limit]=100&include[next0.next1][limit]=100")
    assert cost_of_one("include[next0][limit]=100&include[next0.next1][limit]=50") == 1 + 4 + 1 + 200


def test_so_is_what_is_at_a_path() -> None:
    document = msgspec.structs.replace(NODES, has_texts=True)
    wanted = Wanted(include="next0.next1.next2", cost_limit=1 + 1 + 4 + 1 + 40)
    assert wanted.of(document, []).depth == MAX_RELATIONS
    with pytest.raises(QueryTooCostly):
        msgspec.structs.replace(wanted, cost_limit=wanted.cost_limit - 1).of(document, [])


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("filter[title][contains]=" + "x" * 99, 10),
        ("filter[title][contains]=" + "x" * 100, 11),
        ("filter[title][starts_with]=" + "x" * 2_000, 25),
        ("filter[title]=" + "x" * 2_000, 1),
        ("filter[categories.name]=x", 3),
        ("filter[not][categories.name]=x", 6),
        ("filter[categories.name][ne]=x", 6),
        ("filter[not][categories.name][ne]=x", 3),
        ("filter[not][title]=x", 1),
    ],
)
def test_what_is_long_or_negated_costs_more(query: str, points: int) -> None:
    assert cost(query, LISTINGS["posts"]) == points + BARE

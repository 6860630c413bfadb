"""The orders of lists, as the OpenAPI document tells them."""

import pytest

from cms_api.adapters.http.described_lists import MAX_ORDERS, list_parameters
from cms_api.domains.cms.api import LISTINGS, PAGES, POSTS
from cms_api.querying import Listing, Relation, SortKey
from cms_api.querying.listings import MAX_RELATIONS, TooFar, Unknown, find_sort, sort_paths

LISTS = {"posts": POSTS, "pages": PAGES, **{f"delivered {kind}": one for kind, one in LISTINGS.items()}}


@pytest.mark.parametrize("listing", LISTS.values(), ids=LISTS)
def test_each_order_is_one_that_is_taken(listing: Listing) -> None:
    paths = list(sort_paths(listing))
    assert [*listing.sorts] == paths[: len(listing.sorts)]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert find_sort(listing, path).hops <= MAX_RELATIONS


def test_relations_to_several_and_further_ones_are_left_out() -> None:
    paths = set(sort_paths(LISTINGS["posts"]))
    assert {"author.name", "cover.title", "author.avatar.filename"} <= paths
    assert not any(path.startswith(("tags.", "categories.", "authors.")) for path in paths)
    with pytest.raises(Unknown):
        find_sort(LISTINGS["posts"], "tags.name")
    assert "parent.parent.parent.name" in set(sort_paths(LISTINGS["categories"]))
    with pytest.raises(TooFar):
        find_sort(LISTINGS["categories"], "parent.parent.parent.parent.name")


def test_what_has_too_many_orders_names_some() -> None:
    def far() -> Listing:
        return listing

    listing = Listing(
        sorts=("a", "b"),
        relations={f"r{number}": Relation(fields=far) for number in range(MAX_ORDERS)},
        sort=(SortKey("a"),),
    )
    (sort,) = [one for one in list_parameters(listing) if one["name"] == "sort"]
    assert sort["schema"]["items"] == {"type": "string", "examples": ["a", "-a", "b", "-b"]}
    assert "three at most" in sort["description"]

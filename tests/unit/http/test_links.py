"""Links to the pages before and behind, in headers that are never long."""

import msgspec
import pytest

from cms_api.adapters.http.lists import MAX_LINKS, Cursors, ListQuery
from cms_api.kernel.errors import Malformed
from cms_api.querying import Listing, Page, SortKey

LISTING = Listing(
    sorts=("title",), shown=("id", "title"), filters={"title": "text"}, sort=(SortKey("title"),)
)


def query(path: str = "/api/v1/posts") -> ListQuery:
    return ListQuery(b"sort=title&limit=1", LISTING, path=path, cursors=Cursors("secret"))


@pytest.mark.parametrize("number", [1, 2])
def test_a_long_position_is_told_in_the_body_only(number: int) -> None:
    for length in (1, 100, 700, 10_000):
        position = ("x" * length, "id")
        page = Page[str](items=[], next=position, prev=position if number > 1 else None)
        info, headers = query().links(page)
        assert info.next is not None
        assert (info.prev is not None) is (number > 1)
        is_short = length * 4 / 3 * number < MAX_LINKS - 400
        assert ("Link" in headers) is is_short
        if is_short:
            assert len(headers["Link"].encode()) <= MAX_LINKS
            assert headers["Link"].count("rel=") == number


def test_the_bound_is_that_of_the_whole_header() -> None:
    page = Page[str](items=[], next=("x", "id"), prev=None)
    short = len(query().links(page)[1]["Link"])
    room = MAX_LINKS - short
    assert len(query("/api/v1/posts" + "x" * room).links(page)[1]["Link"]) == MAX_LINKS
    assert query("/api/v1/posts" + "x" * (room + 1)).links(page)[1] == {}


def test_a_cursor_ends_with_the_type_of_what_it_goes_by() -> None:
    page = Page[str](items=[], next=("abc1", "id"), prev=None)
    cursor = (query().links(page)[0].next or "").encode()
    asked, cursors = b"sort=title&limit=1&after=" + cursor, Cursors("secret")
    assert ListQuery(asked, LISTING, path="/api/v1/posts", cursors=cursors).request.after == ("abc1", "id")
    numbered = msgspec.structs.replace(LISTING, filters={"title": "number"})
    with pytest.raises(Malformed):
        ListQuery(asked, numbered, path="/api/v1/posts", cursors=cursors)


def test_no_pages_no_header() -> None:
    assert query().links(Page[str](items=[], next=None, prev=None))[1] == {}

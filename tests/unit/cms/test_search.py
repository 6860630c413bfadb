"""Search without a database: what is typed, what is corrected, what is searched."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes_cms import FakeCms
from tests.fakes_search import FakeSearchQueries

from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.search.correcting import corrected, distance, doubtful, nearest
from cms_api.domains.cms.search.interface import SEARCH
from cms_api.domains.cms.search.service import Search
from cms_api.domains.cms.search.syntax import MAX_TERMS, canonical
from cms_api.domains.cms.search.text import MAX_BYTES, SearchText
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.errors import Malformed
from cms_api.querying import PageRequest

PAGE = PageRequest(sort=SEARCH.sort)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("  red   roses ", "red roses"),
        ('"red roses" -blue', '"red roses" -blue'),
        ('-" red roses "', '-"red roses"'),
        ("--blue - -- ---", "-blue"),
        ('red "', "red"),
        ('"" \'\' "-" !', ""),
        ("or red OR or blue or", "red or blue"),
        ('a"b c"d', 'a "b c" d'),
        ("-or red", "red"),
        ('red blue Red -red "red blue" -red', 'blue red "red blue" -red'),
        ("red or blue red", "red or blue red"),
    ],
)
def test_a_query_has_one_form(typed: str, meant: str) -> None:
    assert canonical(typed) == meant


@given(st.text(st.sampled_from('ab-" or'), max_size=80))
def test_the_one_form_stays_and_has_operators_between_words_only(typed: str) -> None:
    form = canonical(typed)
    assert canonical(form) == form
    assert form.count('"') % 2 == 0
    assert len(form.split(" or ")) == 1 or all(part.strip() for part in form.split(" or "))
    assert canonical(" ".join(f"a{number}" for number in range(100))).count("a") == MAX_TERMS


@pytest.mark.parametrize(
    ("one", "other", "mistakes"),
    [("", "", 0), ("a", "", 1), ("garden", "garden", 0), ("gadren", "garden", 1), ("gardn", "garden", 1),
     ("kitten", "sitting", 3), ("ca", "abc", 3)],
)  # fmt: skip
def test_mistakes_are_counted(one: str, other: str, mistakes: int) -> None:
    assert distance(one, other) == distance(other, one) == mistakes


@given(st.text(max_size=8), st.text(max_size=8))
def test_distances_have_bounds(one: str, other: str) -> None:
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))
    assert (distance(one, other) == 0) is (one == other)


def test_the_nearest_word_is_near() -> None:
    assert nearest("gardn", ["pardon", "garden"]) == "garden"
    assert nearest("oakk", ["oats", "oaks"]) == "oaks"
    assert nearest("kitchn", ["chicken"]) is None
    assert nearest("kitchn", []) is None
    assert nearest("cafee", ["café"]) == "café"


def test_what_may_be_misspelt() -> None:
    query = 'The gardn -weeds "small kitchn" or a1b2 kitchn half-timbered'
    assert doubtful(query, is_prefix=False) == ["gardn", "small", "kitchn"]
    assert doubtful("small gardn ", is_prefix=True) == ["small"]
    alternatives = {"gardn": ["garden"], "kitchn": ["kitchen"], "small": []}
    assert corrected(query, alternatives, is_prefix=False) == (
        'The garden -weeds "small kitchen" or a1b2 kitchen half-timbered'
    )
    assert corrected("nothing near", {}, is_prefix=False) is None


@given(st.lists(st.tuples(st.sampled_from(["high", "medium", "low", "lowest"]), st.text(max_size=60_000))))
def test_what_is_searched_has_an_end(texts: list[tuple[str, str]]) -> None:
    made = SearchText.of("Title\0", texts)  # type: ignore[arg-type]  # weights
    whole = f"{made.title}{made.high}{made.medium}{made.low}{made.lowest}"
    assert len(whole.replace("\n", "").encode(errors="replace")) <= MAX_BYTES
    assert made.title == "Title "
    assert not any(ord(letter) < 0x20 and letter != "\n" for letter in whole)


async def test_the_first_parts_are_kept() -> None:
    made = SearchText.of("T", [("low", "é" * MAX_BYTES), ("high", "left out")])
    assert (len(made.low), made.high) == ((MAX_BYTES - 1) // 2, "")


def test_endless_words_have_spaces_in_them() -> None:
    path = "/".join(["segment"] * 2_000)
    made = SearchText.of("", [("low", path), ("low", "a" * 1_000), ("low", f"{path[:250]} x")])
    paths, letters, short = made.low.split("\n")
    assert max(map(len, paths.split(" "))) <= 250 + len("segment")
    assert paths.replace(" ", "") == path
    assert all(word.endswith("segment") for word in paths.split())
    assert letters.strip() == "a" * 1_000
    assert short.split() == [path[:250], "x"]


async def publish(cms: FakeCms, **values: str) -> None:
    async with cms.uow() as uow:
        post = await cms.posts.create(uow, SYSTEM, PostChanges(**values))
        await cms.posts.publish(uow, SYSTEM, post.id, expected=None)


async def test_a_search_is_corrected_only_where_that_helps() -> None:
    cms = FakeCms()
    await publish(cms, title="Small kitchens", body="<p>garden</p>")
    index_words = {("en", "garden"), ("en", "small")}
    cms.store.search_words |= index_words
    search = Search(queries=FakeSearchQueries(cms.store), default_locale="en")
    hits = await search.search("small gardn", PAGE, facets=("type",))
    assert (hits.corrected, len(hits.page.items)) == ("small garden", 1)
    assert hits.facets == {"type": '[{"value":"post","count":1}]'}
    assert (await search.search("small", PAGE)).corrected is None
    missed = await search.search("gardn zebra", PAGE)
    assert (missed.corrected, missed.page.items) == (None, [])


async def test_a_cursor_is_for_one_search() -> None:
    cms = FakeCms()
    for number in range(3):
        await publish(cms, title=f"Oak {number}")
    search = Search(queries=FakeSearchQueries(cms.store), default_locale="en")
    first = await search.search("oak", msgspec.structs.replace(PAGE, limit=2))
    behind = msgspec.structs.replace(PAGE, limit=2, after=first.page.next)
    assert len((await search.search("  oak ", behind)).page.items) == 1
    with pytest.raises(Malformed):
        await search.search("oaks", behind)
    with pytest.raises(Malformed):
        await search.search("x" * 501, PAGE)

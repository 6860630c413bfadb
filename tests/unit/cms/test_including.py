"""What documents point at, and what is searched for: what services decide, on fakes."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.authors.interface import AuthorChanges
from cms_api.domains.cms.documents.including import RelatedThings
from cms_api.domains.cms.pages.interface import PAGES, PageChanges
from cms_api.domains.cms.posts.interface import POSTS, PostChanges, PostView
from cms_api.domains.cms.search.asking import searched, tidied
from cms_api.domains.cms.search.interface import Question
from cms_api.domains.cms.taxonomies.interface import TermChanges
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.querying import (
    EVERYTHING,
    RANKED,
    Comparison,
    Condition,
    Matches,
    Page,
    PageRequest,
    Selection,
    SortKey,
    all_of,
)

READER = Actor(user_id=uuid4(), permissions=frozenset({"documents:read"}))
STRANGER = Actor(user_id=uuid4())
ENGLISH, TITLED = Comparison("locale", "eq", ("en",)), Comparison("title", "eq", ("A",))


async def post(cms: FakeCms) -> PostView:
    async with cms.uow() as uow:
        authors = [await cms.authors.create(uow, SYSTEM, AuthorChanges(name=name)) for name in ("Ada", "Zoe")]
        tag = await cms.terms.create(uow, SYSTEM, "tag", TermChanges(name="Red"))
        changes = PostChanges(title="One", authors=tuple(one.id for one in authors), tags=(tag.id,))
        return await cms.posts.create(uow, SYSTEM, changes)


def related_in(cms: FakeCms) -> RelatedThings:
    return RelatedThings(
        authors=cms.authors,
        terms=cms.terms,
        media=cms.media,
        types=cms.types,
        documents=cms.tools["queries"],
        locks=cms.tools["locks"],
    )


def including(**wanted: Selection) -> Selection:
    return Selection(include=tuple(wanted.items()))


def names(held: Any) -> Any:
    return [names(one) for one in held] if isinstance(held, list) else held and held["name"]


async def test_only_what_is_asked_for_is_put_in(cms: FakeCms) -> None:
    page = Page(items=[await post(cms)])
    related = related_in(cms)
    wanted = including(author=Selection(), tags=Selection(), cover=Selection())
    (row,) = (await related.within(READER, page, POSTS, wanted)).items
    assert (names(row["author"]), names(row["tags"]), row["cover"]) == ("Ada", ["Red"], None)
    assert row["authors"] == tuple(str(one) for one in page.items[0].authors)
    assert await related.within(READER, page, POSTS, Selection()) is page
    # What `fields` leaves out is not looked up.
    dropped = msgspec.structs.replace(wanted, fields=("title", "tags"))
    (row,) = (await related.within(READER, page, POSTS, dropped)).items
    assert (type(row["author"]), names(row["tags"])) == (str, ["Red"])


async def test_one_item_is_as_a_page_of_one(cms: FakeCms) -> None:
    one, related = await post(cms), related_in(cms)
    wanted = including(author=Selection(), authors=Selection(limit=1), tags=Selection())
    (row,) = (await related.within(READER, Page(items=[one]), POSTS, wanted)).items
    assert await related.of(READER, one, POSTS, wanted) == row
    assert (names(row["author"]), names(row["authors"])) == ("Ada", ["Ada"])
    assert await related.of(READER, one, POSTS, Selection()) is one
    assert (await related.of(STRANGER, one, POSTS, wanted))["author"] == str(one.author)


@pytest.mark.parametrize(
    ("wanted", "came"),
    [
        (Selection(), ["Ada", "Zoe"]),
        (Selection(limit=1), ["Ada"]),
        (Selection(sort=(SortKey("name", descending=True),)), ["Zoe", "Ada"]),
        (Selection(sort=(SortKey("name", descending=True),), limit=1), ["Zoe"]),
    ],
)
async def test_several_are_cut_and_sorted(cms: FakeCms, wanted: Selection, came: list[str]) -> None:
    page = Page(items=[await post(cms)])
    (row,) = (await related_in(cms).within(READER, page, POSTS, including(authors=wanted))).items
    assert names(row["authors"]) == came


async def test_includes_go_on_from_what_they_led_to(cms: FakeCms) -> None:
    async with cms.uow() as uow:
        ada = await cms.authors.create(uow, SYSTEM, AuthorChanges(name="Ada"))
        above = await cms.pages.create(uow, SYSTEM, PageChanges(title="Above", authors=(ada.id,)))
        below = await cms.pages.create(uow, SYSTEM, PageChanges(title="Below", parent=above.id))
    wanted = including(parent=including(author=Selection(), parent=Selection()))
    page = Page(items=[below, above])
    rows = (await related_in(cms).within(READER, page, PAGES, wanted)).items
    assert rows[0]["parent"]["title"] == "Above"
    assert (names(rows[0]["parent"]["author"]), rows[0]["parent"]["parent"]) == ("Ada", None)
    assert rows[1]["parent"] is None


async def test_what_may_not_be_seen_stays_an_id(cms: FakeCms) -> None:
    one = await post(cms)
    wanted = including(authors=Selection(), tags=Selection())
    (row,) = (await related_in(cms).within(STRANGER, Page(items=[one]), POSTS, wanted)).items
    assert (row["authors"], row["tags"]) == ([str(i) for i in one.authors], [str(i) for i in one.tags])


@pytest.mark.parametrize(
    ("condition", "question", "rest"),
    [
        (EVERYTHING, None, EVERYTHING),
        (ENGLISH, None, ENGLISH),
        (Matches("or --a"), Question("-a", "de"), EVERYTHING),
        (all_of(ENGLISH, Matches("a")), Question("a", "en"), ENGLISH),
        (all_of(TITLED, ENGLISH, Matches("a")), Question("a", "en"), all_of(TITLED, ENGLISH)),
        (all_of(Comparison("locale", "ne", ("en",)), Matches("a")), Question("a", "de"), None),
    ],
)
def test_a_search_is_told_from_a_filter(
    condition: Condition, question: Question | None, rest: Condition | None
) -> None:
    found, page = searched(PageRequest(sort=RANKED, filter=condition), "de")
    assert found == question
    assert rest is None or page.filter == rest


def test_what_says_nothing_is_left_out_of_a_search() -> None:
    assert tidied(all_of(TITLED, Matches('or "" a or'))) == all_of(TITLED, Matches("a"))
    assert tidied(TITLED) == TITLED

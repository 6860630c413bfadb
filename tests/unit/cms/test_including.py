"""What documents point at, and what is searched for: what services decide, on fakes."""

from uuid import uuid4

import pytest
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.authors.interface import AuthorChanges
from cms_api.domains.cms.documents.including import RelatedThings
from cms_api.domains.cms.posts.interface import PostChanges, PostView
from cms_api.domains.cms.search.asking import searched, tidied
from cms_api.domains.cms.search.interface import Question
from cms_api.domains.cms.taxonomies.interface import TermChanges
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.querying import EVERYTHING, RANKED, Comparison, Condition, Matches, PageRequest, all_of

READER = Actor(user_id=uuid4(), permissions=frozenset({"documents:read"}))
STRANGER = Actor(user_id=uuid4())
ENGLISH, TITLED = Comparison("locale", "eq", ("en",)), Comparison("title", "eq", ("A",))


@pytest.fixture
def cms() -> FakeCms:
    return FakeCms()


async def post(cms: FakeCms) -> PostView:
    async with cms.uow() as uow:
        authors = [await cms.authors.create(uow, SYSTEM, AuthorChanges(name=name)) for name in ("Ada", "Zoe")]
        tag = await cms.terms.create(uow, SYSTEM, "tag", TermChanges(name="Red"))
        changes = PostChanges(title="One", authors=tuple(one.id for one in authors), tags=(tag.id,))
        return await cms.posts.create(uow, SYSTEM, changes)


async def test_only_what_is_asked_for_is_looked_up(cms: FakeCms) -> None:
    one = await post(cms)
    related = RelatedThings(authors=cms.authors, terms=cms.terms, media=cms.media)
    found = await related.of(READER, [one], {"author", "tags", "cover"})
    assert found.keys() == {"author", "tags", "cover"}
    assert [view.name for view in found["author"].values()] == ["Ada"]
    assert [view.name for view in found["tags"].values()] == ["Red"]
    assert found["cover"] == {}
    both = await related.of(READER, [one], {"author", "authors"})
    assert both["author"] is both["authors"]
    assert both["authors"].keys() == set(one.authors)
    assert await related.of(READER, [one], ()) == {}


async def test_what_may_not_be_seen_is_left_out(cms: FakeCms) -> None:
    one = await post(cms)
    related = RelatedThings(authors=cms.authors, terms=cms.terms, media=cms.media)
    assert await related.of(STRANGER, [one], {"authors", "tags"}) == {"authors": {}, "tags": {}}


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

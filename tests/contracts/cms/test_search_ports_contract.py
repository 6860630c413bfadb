"""What every index of live copies does, and the queries beside it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.contracts.cms.conftest import Backend

from cms_api.domains.cms.delivery.interface import Kind
from cms_api.domains.cms.documents.content import PostContent, Seo
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository
from cms_api.domains.cms.documents.rendering import Public
from cms_api.domains.cms.posts.service import POST
from cms_api.domains.cms.search.interface import SEARCH, Question
from cms_api.domains.cms.search.ports import SearchIndex
from cms_api.domains.cms.search.text import SearchText
from cms_api.querying import NO_SELECTION, RANKED, Comparison, PageRequest, Selection

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
FIELDS = {"excerpt": "Short", "body": "<p>Long &amp; wide</p>", "seo": Seo(), "reading_time": 3}
PAGE = PageRequest(sort=SEARCH.sort)
Live = Callable[..., Any]


@pytest.fixture
def live(backend: Backend) -> Live:
    """Publishes a post, and has it found by a text."""

    async def work(title: str, *, locale: str = "en", is_indexed: bool = True, **texts: str) -> UUID:
        content = PostContent(slug=title.lower().replace(" ", "-"), title=title)
        document, _ = Document.create(POST, content, locale=locale, at=AT, by=None)
        async with backend.uow() as uow:
            documents = uow.repository(DocumentRepository)
            await documents.add(document)
            document.publish(at=AT, by=None)
            await documents.save(document)
            await uow.repository(PublicationRepository).put_live(document, content, Public(fields=FIELDS))
            if is_indexed:
                text = SearchText(title=title, **texts)
                await uow.repository(SearchIndex).put(document.id, locale, text)
        return document.id

    return work


async def hits(backend: Backend, words: str, locale: str = "en", **asked: Any) -> list[str]:
    found = await backend.search.page(Question(words, locale, asked.pop("is_prefix", False)), PAGE)
    return [msgspec.json.decode(item.json)["title"] for item in found.items]


async def read(backend: Backend, limit: int = 10) -> Sequence[Any]:
    async with backend.uow() as uow:
        index = uow.repository(SearchIndex)
        rows = await index.unread(limit)
        await index.learn([row.document_id for row in rows if row.is_indexed])
    return rows


async def test_words_are_found_by_weight(backend: Backend, live: Live) -> None:
    await live("Lowest one", lowest="a tulip")
    await live("Low one", low="a tulip")
    await live("Medium one", medium="a tulip")
    await live("Tulip")
    assert await hits(backend, "tulip") == ["Tulip", "Medium one", "Low one", "Lowest one"]
    assert await hits(backend, "rose") == await hits(backend, "") == await hits(backend, "tulip", "de") == []


async def test_words_phrases_alternatives_exclusions_and_beginnings(backend: Backend, live: Live) -> None:
    await live("First", low="red garden door")
    await live("Second", low="door garden, blue")
    for words, found in {
        "door garden": {"First", "Second"},
        '"garden door"': {"First"},
        "garden -blue": {"First"},
        '-"garden door" door': {"Second"},
        "red or blue": {"First", "Second"},
        "red blue": set(),
    }.items():
        assert set(await hits(backend, words)) == found, words
    assert await hits(backend, "garden re") == []
    assert await hits(backend, "garden re", is_prefix=True) == ["First"]


async def test_pages_are_walked_both_ways(backend: Backend, live: Live) -> None:
    ids = sorted([await live(f"Oak {number}") for number in range(5)], reverse=True)
    question, page = Question("oak", "en"), PageRequest(sort=SEARCH.sort, limit=2, count="exact")
    first = await backend.search.page(question, page)
    assert (first.count, first.prev, [item.used for item in first.items]) == (
        5,
        None,
        [str(one) for one in ids[:2]],
    )
    second = await backend.search.page(question, msgspec.structs.replace(page, after=first.next))
    assert [item.used for item in second.items] == [str(one) for one in ids[2:4]]
    back = await backend.search.page(question, msgspec.structs.replace(page, before=second.prev))
    assert [item.used for item in back.items] == [str(one) for one in ids[:2]]


async def test_what_is_taken_down_or_put_anew_is_not_found_as_before(backend: Backend, live: Live) -> None:
    gone, changed = await live("Oak"), await live("Other oak")
    async with backend.uow() as uow:
        await uow.repository(PublicationRepository).take_down(gone)
        await uow.repository(SearchIndex).put(changed, "en", SearchText(title="Elm"))
    assert await hits(backend, "oak") == []
    assert await hits(backend, "elm") == ["Elm"]
    async with backend.uow() as uow:
        await uow.repository(SearchIndex).remove_type("post")
    assert await hits(backend, "elm") == []


async def test_what_is_found_already_is_not_added_to(backend: Backend, live: Live) -> None:
    known, new = await live("Oak"), await live("Elm", is_indexed=False)
    async with backend.uow() as uow:
        index = uow.repository(SearchIndex)
        await index.add(known, "en", SearchText(title="Old name"))
        await index.add(new, "en", SearchText(title="Elm"))
    assert await hits(backend, "oak") == ["Oak"]
    assert await hits(backend, "elm") == ["Elm"]
    assert await hits(backend, "name") == []


async def test_facets_and_filters(backend: Backend, live: Live) -> None:
    for number in range(3):
        await live(f"Oak {number}")
    counted = await backend.search.facets(Question("oak", "en"), PAGE, ("type",))
    assert msgspec.json.decode(counted["type"]) == [{"value": "post", "count": 3}]
    filtered = msgspec.structs.replace(PAGE, filter=Comparison("type", "eq", ("page",)))
    assert (await backend.search.page(Question("oak", "en"), filtered)).items == []


async def test_hits_are_cut_down_to_what_is_wanted(backend: Backend, live: Live) -> None:
    await live("Oak")
    selection = Selection(fields=("title", "type"))
    (hit,) = (await backend.search.page(Question("oak", "en"), PAGE, selection)).items
    assert hit.json == '{"title":"Oak","type":"post"}'


async def test_a_list_of_one_kind_is_searched(backend: Backend, live: Live) -> None:
    best, other = await live("Oak"), await live("Other", low="an oak")
    await live("Elm")

    async def found(kind: Kind, words: str, locale: str = "en", **asked: Any) -> list[str]:
        page = PageRequest(sort=RANKED, **asked)
        listed = await backend.delivery.search(kind, Question(words, locale), page, NO_SELECTION)
        assert not listed.is_bounded
        return [msgspec.json.decode(item.json)["id"] for item in listed.items]

    assert await found("posts", "oak") == [str(best), str(other)]
    assert await found("posts", "oak", limit=1) == [str(best)]
    assert await found("posts", "oak", "de") == await found("pages", "oak") == await found("posts", "") == []


async def test_words_are_learnt_from_the_queue(backend: Backend, live: Live) -> None:
    first, second = await live("Gardening", low="some kitchen"), await live("Late", is_indexed=False)
    async with backend.uow() as uow:
        await uow.repository(SearchIndex).put(second, "en", SearchText(title="Late"))
        await uow.repository(SearchIndex).put(first, "en", SearchText(title="Gardening", low="some kitchen"))
    rows = await read(backend)
    assert [(row.document_id, row.is_indexed) for row in rows] == [
        (one, True) for one in sorted([first, second])
    ]
    assert (rows[0].title, rows[0].excerpt, rows[0].body) == ("Gardening", "Short", "<p>Long &amp; wide</p>")
    assert await read(backend) == []
    found = await backend.search.alternatives("en", ["gardeningg", "kitchen", "xyzxyz"])
    assert found.keys() == {"gardeningg", "xyzxyz"}
    assert found["xyzxyz"] == []
    # Nothing is near without the extension.
    assert found["gardeningg"] in (["gardening"], [])

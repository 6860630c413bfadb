"""`q` on the lists of delivery."""

from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from tests.described import names_of
from tests.integration.cms.cms_client import API, CONTENT, answered, change, do, make, published

from cms_api.adapters.http.cms.delivered import DeliveredPage, DeliveredPost
from cms_api.adapters.http.schemas import DeliveredList
from cms_api.adapters.sqlalchemy.cms import hits

POSTS = f"{CONTENT}/posts"


async def found(client: httpx.AsyncClient, query: str, url: str = POSTS) -> list[str]:
    """The titles of what is found."""
    return [one["title"] for one in (await listed(client, query, url))["items"]]


async def listed(client: httpx.AsyncClient, query: str, url: str = POSTS) -> dict[str, Any]:
    """A list, which has the shape that is documented."""
    response = await client.get(f"{url}?{query}")
    body = answered(response, 200)
    item = DeliveredPage if url.endswith("pages") else DeliveredPost
    msgspec.json.decode(response.content, type=DeliveredList[item])  # type: ignore[valid-type]  # a value
    return body


async def test_a_list_is_searched_by_rank_with_all_that_a_list_can(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    tag = await make(admin, "tags", name="Red")
    await published(admin, "posts", title="Many things", body="<p>Of tulips, too.</p>", tags=[tag["id"]])
    await published(admin, "posts", title="Tulips", body="<p>In the garden.</p>")
    await published(admin, "posts", title="Roses & <i>more</i>", body="<p>Red tulips &amp; roses.</p>")
    await published(admin, "pages", title="Tulips on a page")
    assert await found(client, "q=tulip&limit=1") == ["Tulips"]
    assert await found(client, "q=tulips -garden&sort=title") == ["Many things", "Roses & <i>more</i>"]
    assert await found(client, "q=tulips&sort=-title&limit=1") == ["Tulips"]
    assert await found(client, "q=tulips&filter[tags.slug]=red") == ["Many things"]
    assert await found(client, "q=%22red tulips%22") == ["Roses & <i>more</i>"]
    assert await found(client, "q=tulips", f"{CONTENT}/pages") == ["Tulips on a page"]
    assert (
        await found(client, "q=zebra") == await found(client, "q=the") == await found(client, "q=---") == []
    )
    assert len(await found(client, "q=")) == 3
    whole = await listed(client, "q=roses&include=tags&count=exact&format=text")
    assert (whole["count"], whole["items"][0]["format"]) == (1, "text")
    assert whole["items"][0]["highlights"] == {
        "title": "<mark>Roses</mark> &amp; &lt;i&gt;more&lt;/i&gt;",
        "text": "tulips &amp; <mark>roses</mark>",
    }
    cut = await listed(client, "q=garden&fields=title,highlights")
    assert set(cut["items"][0]) == {"title", "highlights"}
    assert set((await listed(client, "q=garden&fields=title"))["items"][0]) == {"title"}
    assert "highlights" not in (await listed(client, ""))["items"][0]
    asked = await client.post(f"{POSTS}/query", json={"q": "tulips", "filter": {"tags.slug": "red"}})
    assert [one["title"] for one in answered(asked, 200)["items"]] == ["Many things"]


@pytest.mark.parametrize("sort", ["", "&sort=title", "&sort=-author.name,published_at"])
async def test_its_pages_are_walked_both_ways(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, sort: str
) -> None:
    for number in range(5):
        await published(admin, "posts", title=f"Oak {number}", body="<p>oak</p>" * (number % 2))
    whole = await found(client, f"q=oak{sort}")
    first = await listed(client, f"q=oak&limit=2{sort}")
    second = await listed(client, f"q=oak&limit=2{sort}&after={first['page']['next']}")
    back = await listed(client, f"q=oak&limit=2{sort}&before={second['page']['prev']}")
    pages = [[one["title"] for one in page["items"]] for page in (first, second, back)]
    assert (len(whole), pages) == (5, [whole[:2], whole[2:4], whole[:2]])
    other = await client.get(f"{POSTS}?q=elm&limit=2{sort}&after={first['page']['next']}")
    answered(other, 400, "malformed")


async def test_a_search_is_in_one_language(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await published(admin, "posts", title="Running", locale="en")
    await published(admin, "posts", title="Die Häuser", locale="de")
    assert await found(client, "q=run") == ["Running"]
    assert await found(client, "q=Haus") == []
    assert await found(client, "q=Haus&filter[locale]=de") == ["Die Häuser"]


async def test_words_and_phrases_that_many_have_are_bounded(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(admin, "posts", title="A red door")
    for number in range(3):
        await published(admin, "posts", title=f"A door that is red {number}")
    phrase = quote('"red door"')
    for url in (POSTS, f"{CONTENT}/search"):
        assert "only_newest" not in answered(await client.get(f"{url}?q={phrase}"), 200)
    monkeypatch.setattr(hits, "MAX_RANKED", 2)
    monkeypatch.setattr(hits, "MAX_CHECKED", 3)
    common = await listed(client, "q=door&sort=title&count=exact")
    assert (common["only_newest"], common["count"], len(common["items"])) == (True, 4, 2)
    # The one that has the phrase is behind the newest three that have its words.
    excluded = quote('door -"red door"')
    for url in (POSTS, f"{CONTENT}/search"):
        for words, number in ((phrase, 0), (f"{phrase} or {phrase}", 0), (excluded, 2)):
            body = answered(await client.get(f"{url}?q={words}&filter[published_at][exists]=true"), 200)
            assert len(body["items"]) == number, words
        assert body["only_newest"]


async def test_what_is_asked_wrongly_is_refused(client: httpx.AsyncClient) -> None:
    for query in ("q=" + "a" * 501, "q=a&q=b", "q=a&sort=score", "fields=highlights", "filter[q]=a"):
        answered(await client.get(f"{POSTS}?{query}"), 400, "malformed")
    answered(await client.get(f"{CONTENT}/tags?q=a"), 400, "malformed")
    answered(await client.post(f"{POSTS}/query", json={"q": ["a"]}), 400, "malformed")


async def test_it_is_kept_until_what_it_finds_changes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    post = await published(admin, "posts", title="Growing tomatoes")
    first = await client.get(f"{POSTS}?q=tomatoes")
    assert post["id"][-8:] in first.headers["cache-tag"]
    again = await client.get(f"{POSTS}?q=tomatoes", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    await change(admin, "posts", post, title="Growing beans")
    await do(admin, "posts", post, "publish")
    assert await found(client, "q=tomatoes") == []


async def test_entries_are_searched_where_their_type_is(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    fields = [
        {"key": "title", "type": "text", "searchable": "high"},
        {"key": "seats", "type": "number"},
        {"key": "notes", "type": "text", "searchable": "low", "visibility": "internal"},
    ]
    for key, own in (("talk", fields), ("hall", fields[1:2])):
        answered(await admin.post(f"{API}/content-types", json={"key": key, "fields": own}), 201)
    url = f"{CONTENT}/entries/talk"
    await published(admin, "entries/talk", slug="one", title="Oak trees", seats=10, notes="secret")
    await published(admin, "entries/talk", slug="two", title="Old oaks", seats=20)
    items = answered(await client.get(f"{url}?q=oak&sort=-seats"), 200)["items"]
    assert [one["seats"] for one in items] == [20, 10]
    assert items[1]["highlights"] == {"title": "<mark>Oak</mark> trees", "text": ""}
    assert answered(await client.get(f"{url}?q=oak&filter[seats][gt]=10&fields=seats"), 200)["items"] == [
        {"seats": 20}
    ]
    assert answered(await client.get(f"{url}?q=secret"), 200)["items"] == []
    answered(await client.get(f"{CONTENT}/entries/hall?q=oak"), 400, "malformed")
    document = answered(await client.get("/openapi.json"), 200)
    named = {
        key: names_of(document, document["paths"][f"{CONTENT}/entries/{key}"]["get"])
        for key in ("talk", "hall")
    }
    assert ("q" in named["talk"], "q" in named["hall"]) == (True, False)

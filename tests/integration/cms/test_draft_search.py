"""`q` on the lists of management: drafts, by the beginnings of words."""

from typing import Any

import httpx
import pytest
from tests.integration.cms.cms_client import ANY, API, answered, change, do, make, published


async def found(client: httpx.AsyncClient, kind: str, query: str) -> list[str]:
    """The slugs of what is found."""
    items = answered(await client.get(f"{API}/{kind}?{query}"), 200)["items"]
    return sorted(one["slug"] for one in items)


async def test_drafts_are_found_by_what_they_say_now(admin: httpx.AsyncClient) -> None:
    post = await published(
        admin, "posts", title="Kitchen gardens", body="<p>Some <b>tomatoes</b> &amp; beans</p>"
    )
    await make(
        admin, "posts", title="Küche", excerpt="About **pans**", slug="other", format="markdown", locale="de"
    )
    await make(admin, "pages", title="Kitchen page")
    assert await found(admin, "posts", "q=kitch") == ["kitchen-gardens"]
    assert (
        await found(admin, "posts", "q=tom kitch")
        == await found(admin, "posts", "q=bean")
        == ["kitchen-gardens"]
    )
    assert await found(admin, "posts", "q=other") == await found(admin, "posts", "q=pan") == ["other"]
    assert await found(admin, "posts", "q=kitch or pans") == ["kitchen-gardens", "other"]
    assert await found(admin, "posts", "q=pans -about") == await found(admin, "posts", "q=---") == []
    assert await found(admin, "posts", "q=%22some tom%22") == ["kitchen-gardens"]
    assert await found(admin, "posts", "q=b amp") == await found(admin, "posts", "q=o'x") == []
    assert await found(admin, "pages", "q=kitchen") == ["kitchen-page"]
    await change(admin, "posts", post, body="<p>Leeks</p>")
    assert (await found(admin, "posts", "q=tomatoes"), await found(admin, "posts", "q=leek")) == (
        [],
        ["kitchen-gardens"],
    )
    await do(admin, "posts", post, "discard")
    assert (await found(admin, "posts", "q=tomatoes"), await found(admin, "posts", "q=leek")) == (
        ["kitchen-gardens"],
        [],
    )


@pytest.mark.parametrize("piece", ["<!--", "a_", "/.", "~/", "<a ", "a@", "-"])
async def test_texts_that_are_hard_to_parse_are_saved(admin: httpx.AsyncClient, piece: str) -> None:
    # More than some seconds would be a 503.
    body = f"&lt;oak&gt; {piece * (120_000 // len(piece))}"
    made = await make(admin, "posts", title="Hard", format="markdown", body=body)
    assert await found(admin, "posts", "q=hard") == await found(admin, "posts", "q=oak") == [made["slug"]]


async def test_tags_and_comments_are_no_words(admin: httpx.AsyncClient) -> None:
    body = '<p title="leek">a < b <!-- fig --> c > d</p><br/><!DOCTYPE x>plum <!-- elm'
    await make(admin, "posts", title="Oak", body=body)
    for word in ("leek", "fig", "title", "br", "doctype", "elm"):
        assert await found(admin, "posts", f"q={word}") == [], word
    assert await found(admin, "posts", "q=%22a b c d plum%22") == ["oak"]


async def test_a_search_is_filtered_sorted_paged_and_asked_by_a_body(admin: httpx.AsyncClient) -> None:
    for number in range(3):
        await make(admin, "posts", title=f"Oak {number}")
    await make(admin, "posts", title="Elm")
    url = f"{API}/posts"
    first = answered(await admin.get(f"{url}?q=oak&sort=title&limit=2&count=exact&fields=title"), 200)
    assert (first["items"], first["count"]) == ([{"title": "Oak 0"}, {"title": "Oak 1"}], 3)
    after = first["page"]["next"]
    body = {"q": "oak", "sort": ["title"], "limit": 2, "after": after}
    second = answered(await admin.post(f"{url}/query", json=body), 200)
    assert [one["title"] for one in second["items"]] == ["Oak 2"]
    answered(await admin.get(f"{url}?q=elm&sort=title&after={after}"), 400, "malformed")
    answered(await admin.get(f"{url}?q={'a' * 501}"), 400, "malformed")
    assert await found(admin, "posts", "q=oak&filter[title][gt]=Oak 1") == ["oak-2"]
    assert await found(admin, "posts", "q=") == ["elm", "oak-0", "oak-1", "oak-2"]


def inside(place: str, key: str, text: str, visibility: str) -> tuple[dict[str, Any], Any]:
    """A field with a text somewhere inside of it, and a value of it."""
    told = {"key": "told", "type": "text"}
    group = {"type": "group", "fields": [told]}
    found: dict[str, tuple[dict[str, Any], Any]] = {
        "top": ({"type": "text"}, text),
        "list": ({"type": "list", "of": group}, [{"told": text}]),
        "blocks": (
            {"type": "blocks", "variants": [{"key": "note", "fields": [told]}]},
            [{"type": "note", "told": text}],
        ),
    }
    field, value = found[place]
    return {"key": key, "visibility": visibility, **field}, value


@pytest.mark.parametrize("place", ["top", "list", "blocks"])
async def test_of_entries_what_is_withheld_is_not_found(admin: httpx.AsyncClient, place: str) -> None:
    known, value = inside(place, "known", "apples", "internal")
    secret, withheld = inside(place, "secret", "pears", "restricted")
    body = {"key": "thing", "fields": [known, secret]}
    made = answered(await admin.post(f"{API}/content-types", json=body), 201)
    one = await make(admin, "entries/thing", slug="one", known=value, secret=withheld)
    assert (
        await found(admin, "entries/thing", "q=apple")
        == await found(admin, "entries/thing", "q=one")
        == ["one"]
    )
    assert await found(admin, "entries/thing", "q=pears") == []
    fields = [{**field, "visibility": "restricted"} for field in made["fields"]]
    response = await admin.patch(f"{API}/content-types/thing", json={"fields": fields}, headers=ANY)
    assert response.status_code < 300, response.text
    assert await found(admin, "entries/thing", "q=apple") == []
    await change(admin, "entries/thing", one, slug="two")
    assert await found(admin, "entries/thing", "q=two") == ["two"]
    assert await found(admin, "entries/thing", "q=apple") == []

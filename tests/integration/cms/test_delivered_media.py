"""Files for readers: those that something live shows, and no others."""

from typing import Any

import httpx
from tests.integration.cms.cms_client import ANY, API, CONTENT, answered, do, items, make, published
from tests.integration.hearing import until
from tests.integration.http.asking import check_problem, upload

from cms_api.adapters.http.caching import ResponseCache

MEDIA = f"{CONTENT}/media"


async def names(client: httpx.AsyncClient, query: str = "") -> list[str]:
    return [item["alt"] for item in await items(client, f"{MEDIA}{query}")]


async def test_a_file_is_public_while_something_live_shows_it(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    cover, inline, avatar, logo, spare = [
        await upload(admin, alt=alt) for alt in ("cover", "inline", "avatar", "logo", "spare")
    ]
    body = f'<p><img src="cms://media/{inline["id"]}" alt=""></p>'
    author = await make(admin, "authors", name="Ada", avatar_id=avatar["id"])
    post = await make(admin, "posts", title="One", body=body, cover=cover["id"], authors=[author["id"]])
    await until(lambda: cache.is_current)

    async def public() -> set[str]:
        """By the list and one by one, each twice: the second time out of the cache."""
        for _ in range(2):
            listed = set(await names(client))
            for file in (cover, inline, avatar, logo, spare):
                response = await client.get(f"{MEDIA}/{file['id']}")
                if file["alt"] in listed:
                    assert answered(response, 200)["alt"] == file["alt"]
                else:
                    check_problem(response, 404, "nothing_published")
        return listed

    async def settings(**values: Any) -> None:
        answered(await admin.patch(f"{API}/settings", json=values, headers=ANY), 200)

    assert await public() == set()
    await do(admin, "posts", post, "publish")
    assert await public() == {"cover", "inline", "avatar"}
    await settings(logo=logo["id"])
    assert await public() == {"cover", "inline", "avatar", "logo"}
    await do(admin, "posts", post, "unpublish")
    assert await public() == {"logo"}
    await settings(logo=None)
    assert await public() == set()


async def test_files_are_asked_like_everything_else(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    files = [await upload(admin, alt=f"{number}", title=f"T{number % 2}") for number in range(5)]
    body = "".join(f'<img src="cms://media/{file["id"]}" alt="">' for file in files)
    await published(admin, "posts", title="One", body=body)
    assert await names(client, "?sort=-title&filter[alt][ne]=3") == ["1", "4", "2", "0"]
    assert await names(client, "?filter[media_type]=image/png&filter[width][gt]=3") == []
    page = answered(await client.get(f"{MEDIA}?limit=2&count=exact&fields=alt,url"), 200)
    assert (page["count"], set(page["items"][0])) == (5, {"alt", "url"})
    after = answered(await client.get(f"{MEDIA}?limit=2&after={page['page']['next']}"), 200)
    assert len({item["alt"] for item in (*page["items"], *after["items"])}) == 4
    asked = answered(await client.post(f"{MEDIA}/query", json={"filter": {"alt": {"in": ["1", "2"]}}}), 200)
    assert [item["alt"] for item in asked["items"]] == ["1", "2"]
    check_problem(await client.get(f"{MEDIA}?filter[altt]=1"), 400)
    check_problem(await client.get(f"{MEDIA}?fields=storage_key"), 400)
    check_problem(await client.post(MEDIA, json={}), 405)

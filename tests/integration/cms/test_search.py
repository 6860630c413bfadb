"""Full-text search over HTTP."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from tests.integration.cms.cms_client import ANY, API, CONTENT, answered, do, make, published, remove, rows

from cms_api.bootstrap.container import Application
from cms_api.kernel.unit_of_work import UnitOfWork

SEARCH = f"{CONTENT}/search"


async def found(client: httpx.AsyncClient, q: str, **more: str) -> dict[str, Any]:
    """The answer to a search."""
    return answered(await client.get(f"{SEARCH}?{urlencode({'q': q, **more})}"), 200)


async def titles(client: httpx.AsyncClient, q: str, **more: str) -> list[str]:
    """What a search finds, the best first."""
    return [item["title"] for item in (await found(client, q, **more))["items"]]


async def test_what_is_published_is_found_at_once(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="Growing tomatoes", body="<p>They like <b>warmth</b>.</p>")
    assert await titles(client, "tomatoes") == []
    await do(admin, "posts", post, "publish")
    assert await titles(client, "tomato") == ["Growing tomatoes"]
    answered(await admin.patch(f"{API}/posts/{post['id']}", json={"title": "Growing beans"}, headers=ANY), 200)
    assert await titles(client, "beans") == []
    await do(admin, "posts", post, "publish")
    assert (await titles(client, "beans"), await titles(client, "tomatoes")) == (["Growing beans"], [])
    await do(admin, "posts", post, "unpublish")
    assert await titles(client, "beans") == []


async def test_smoke(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await published(admin, "posts", title="Growing <tomatoes>", body="<p>They like <b>warmth</b> &amp; tomatoes.</p>")
    print(await found(client, "tomato", facets="type,category,tag,author,month", count="exact"))
    assert 0

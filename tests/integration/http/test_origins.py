"""Browsers of other origins, in front of the cache: what each is told is its own."""

import httpx
import msgspec
import pytest
from tests.integration.cms.cms_client import API, CONTENT, published
from tests.integration.hearing import until

from cms_api.adapters.http.caching import ResponseCache
from cms_api.settings import Settings

ONE, TWO, FOREIGN = "https://one.example", "https://two.example", "https://foreign.example"
ALLOW = "access-control-allow-origin"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With two sites that may ask."""
    return msgspec.structs.replace(settings, cors_origins=(ONE, TWO))


VARY = ["Accept-Encoding, Origin, Preview-Token"]


async def test_each_origin_gets_its_own_out_of_the_cache(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    await published(admin, "posts", title="Hello", body="<p>" + "Words. " * 200 + "</p>")
    await until(lambda: cache.is_current)
    path = f"{CONTENT}/posts"
    known = {"If-None-Match": (await client.get(path, headers={"Origin": FOREIGN})).headers["etag"]}
    for origin in (ONE, TWO, None, FOREIGN, ONE, None, TWO):
        given = {"Origin": origin} if origin else {}
        for more, status in (({}, 200), (known, 304)):
            response = await client.get(path, headers={**given, **more})
            assert response.status_code == status
            assert response.headers.get_list(ALLOW) == ([origin] if origin in (ONE, TWO) else [])
            # Also where nobody named an origin: a cache in front may keep that for one who does.
            assert response.headers.get_list("vary") == VARY
    assert len(cache) == 1


@pytest.mark.parametrize("origin", [ONE, FOREIGN, None])
async def test_what_an_answer_varies_by_is_named_once(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, origin: str | None
) -> None:
    given = {"Origin": origin} if origin else {}
    for who, path, status in (
        (client, "/feed.xml", 200),
        (client, "/openapi.json", 200),
        (client, f"{CONTENT}/settings", 200),
        (client, f"{CONTENT}/posts/by-slug/none", 404),
        (client, f"{CONTENT}/posts?x=1", 400),
        (client, "/nothing", 404),
        (client, f"{API}/posts", 401),
        (admin, f"{API}/posts", 200),
    ):
        response = await who.get(path, headers=given)
        assert (response.status_code, response.headers.get_list("vary")) == (status, VARY), path


async def test_what_a_browser_of_an_origin_may_send(client: httpx.AsyncClient) -> None:
    asked = (
        "authorization,if-match,if-modified-since,if-none-match,if-range,last-event-id,preview-token,range"
    )
    preflight = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": asked}
    response = await client.options(f"{CONTENT}/posts", headers={"Origin": ONE, **preflight})
    assert (response.status_code, response.headers[ALLOW]) == (204, ONE)
    allowed = {one.strip().lower() for one in response.headers["access-control-allow-headers"].split(",")}
    assert set(asked.split(",")) <= allowed
    refused = await client.options(f"{CONTENT}/posts", headers={"Origin": FOREIGN, **preflight})
    assert refused.status_code == 400
    assert ALLOW not in refused.headers

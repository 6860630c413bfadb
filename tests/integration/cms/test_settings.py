"""The settings of the site over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    at,
    change,
    do,
    faults,
    make,
    published,
    remove,
    rows,
    tagged,
    tags,
)
from tests.integration.http.asking import upload

from cms_api.adapters.http.cms.site import DeliveredSettings
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.kernel.actor import SYSTEM

URL, PUBLIC = f"{API}/settings", f"{CONTENT}/settings"


async def shown(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.get(PUBLIC)
    msgspec.json.decode(response.content, type=DeliveredSettings)
    return answered(response, 200)


async def put(client: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    return answered(await client.patch(URL, json=values, headers=ANY), 200)


async def test_the_life_of_settings(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str, application: Application
) -> None:
    response = await admin.get(URL)
    first = answered(response, 200)
    assert response.headers["etag"] == '"v1"'
    assert {name: value for name, value in first.items() if name != "updated_at"} == {
        "title": "", "tagline": "", "base_url": None, "base_urls": {}, "timezone": "UTC", "posts_per_page": 10,
        "home_page": None, "posts_page": None, "logo": None, "icon": None, "image": None, "social": [],
        "seo": {"title_template": "%s", "description": "", "noindex": False},
        "paths": {"post": "/{slug}", "category": "/category/{slug}", "tag": "/tag/{slug}", "author": "/author/{slug}"},
        "feeds": {"content": "full", "items": 20}, "robots": {"disallow": [], "allow": []},
        "version": 1, "updated_by": None,
    }  # fmt: skip
    public = await shown(client)
    assert public == {name: first[name] for name in public}

    body = {
        "title": "Example", "base_url": "https://example.org/blog", "timezone": "Europe/Paris",
        "base_urls": {"fr": "https://example.org/fr", "de": "https://example.de"},
        "social": [{"network": "mastodon", "url": "https://example.social/@example"}],
        "seo": {"title_template": "%s – Example"},
    }  # fmt: skip
    changed = answered(await admin.patch(URL, json=body, headers=at(1)), 200)
    assert (changed["version"], changed["seo"]["noindex"]) == (2, False)
    again = await put(admin, seo={"noindex": True})
    assert again["seo"] == {"title_template": "%s – Example", "description": "", "noindex": True}
    assert again["base_urls"] == body["base_urls"]
    sent = {name: again[name] for name in again if name not in ("version", "updated_at", "updated_by")}
    assert await put(admin, **sent) == again  # what was read can be sent back, and changes nothing
    assert answered(await admin.get(URL), 200) == again
    public = await shown(client)
    assert public == {name: again[name] for name in public}
    events = rows(
        database_url,
        "SELECT subject, payload->'changed' FROM activity.events WHERE name = 'settings.updated' ORDER BY position",
    )
    assert events == [
        (
            SITE_ID,
            ["title", "base_url", "base_urls", "timezone", "social", "seo.title_template"],
        ),
        (SITE_ID, ["seo.noindex"]),
    ]
    assert (await application.container.cms.site().get(SYSTEM)).seo.noindex


async def test_what_was_set_before_there_was_more_to_set(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    data = '{"title": "Old", "seo": {"noindex": true}}'
    rows(database_url, f"UPDATE cms.site_settings SET data = '{data}' RETURNING id")
    seo = {"title_template": "%s", "description": "", "noindex": True}
    for found in (await shown(client), answered(await admin.get(URL), 200)):
        assert (found["title"], found["seo"], found["posts_per_page"]) == ("Old", seo, 10)


async def test_pages_and_files(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    about = await published(admin, "pages", title="About")
    home = await published(admin, "pages", title="Home", parent=about["id"])
    posts, logo = await make(admin, "pages", title="Posts"), await upload(admin, alt="A tree")
    pointing = {
        "home_page": home["id"],
        "posts_page": posts["id"],
        "logo": logo["id"],
        "icon": logo["id"],
    }
    changed = await put(admin, **pointing)
    assert {name: changed[name] for name in pointing} == pointing
    response = await admin.get(URL, headers={"If-None-Match": '"v2"'})
    assert response.status_code == 304

    response = await client.get(PUBLIC)
    public = answered(response, 200)
    assert public["home_page"] == {"id": home["id"], "path": "about/home"}
    assert public["posts_page"] is None  # nobody reads drafts
    file = {"url": logo["url"], "alt": "A tree", "width": logo["width"], "height": logo["height"]}
    assert public["logo"] == public["icon"] == file
    used = (str(SITE_ID), *pointing.values(), "settings", "document:page", "media")
    assert tagged(response) == tags(*used)
    etag = {"If-None-Match": response.headers["etag"]}
    assert (await client.get(PUBLIC, headers=etag)).status_code == 304
    await do(admin, "pages", posts, "publish")
    assert (await client.get(PUBLIC, headers=etag)).status_code == 200
    await change(admin, "pages", about, slug="us")
    await do(admin, "pages", about, "publish")
    public = await shown(client)
    assert (public["home_page"]["path"], public["posts_page"]["path"]) == ("us/home", "posts")

    problem = answered(await admin.delete(f"{API}/media/{logo['id']}", headers=ANY), 409, "in_use")
    assert problem["documents"] == 1
    await put(admin, logo=None, icon=None)
    await remove(admin, "media", logo)

    # In the trash it still counts, and may be sent back; for good it leaves the place empty.
    await remove(admin, "pages", home)
    assert (await shown(client))["home_page"] is None
    same = await put(admin, home_page=home["id"])
    assert (same["version"], same["home_page"]) == (3, home["id"])
    answered(await admin.post(f"{API}/pages/{home['id']}/purge", headers=ANY), 204)
    response = await admin.get(URL, headers={"If-None-Match": '"v3"'})
    after = answered(response, 200)
    assert (after["version"], after["home_page"], after["posts_page"]) == (3, None, posts["id"])


async def test_a_page_is_purged_while_it_becomes_the_home_page(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    for number in range(5):
        page = await make(admin, "pages", title=f"P{number}")
        await put(admin, home_page=page["id"])
        await remove(admin, "pages", page)
        patched, purged = await asyncio.gather(
            admin.patch(URL, json={"title": f"T{number}", "home_page": page["id"]}, headers=ANY),
            admin.post(f"{API}/pages/{page['id']}/purge", headers=ANY),
        )
        answered(purged, 204)
        assert patched.status_code in (200, 422), patched.text
        assert answered(await admin.get(URL), 200)["home_page"] is None
    await shown(client)


async def test_every_fault_is_named(admin: httpx.AsyncClient) -> None:
    post, page = await make(admin, "posts", title="P"), await make(admin, "pages", title="Gone")
    tag = await make(admin, "tags", name="T")
    await remove(admin, "pages", page)
    body = {
        "base_url": "https://example.org/?x", "timezone": "Europe/Pari",
        "base_urls": {"fr": "https://example.org/?x", "de": "https://example.de", "it": "//example.it"},
        "home_page": post["id"],
        "posts_page": page["id"], "logo": str(uuid4()), "icon": tag["id"],
        "social": [{"network": " ", "url": "javascript:x"}, {"network": "x", "url": "/x"}],
        "seo": {"title_template": "none"},
    }  # fmt: skip
    problem = answered(await admin.patch(URL, json=body, headers=at(1)), 422, "invalid")
    assert sorted(faults(problem)) == [
        ("/base_url", "url"), ("/base_urls/fr", "url"), ("/base_urls/it", "url"),
        ("/home_page", "unknown_reference"), ("/icon", "unknown_reference"),
        ("/logo", "unknown_reference"), ("/posts_page", "unknown_reference"), ("/seo/title_template", "template"),
        ("/social/0/network", "length"), ("/social/0/url", "url"), ("/social/1/url", "url"),
        ("/timezone", "unknown_timezone"),
    ]  # fmt: skip
    wrong = {
        "titel": "x", "title": None, "tagline": "x" * 501, "posts_per_page": 0, "home_page": "x", "logo": 1,
        "social": [{"network": "x"}, {"network": "", "url": "https://x.example", "x": 1}],
        "seo": {"noindex": "yes", "x": 1}, "version": 7,
        "base_urls": {"français/x": "https://a.example", "fr": "", "de": 1},
    }  # fmt: skip
    problem = answered(await admin.patch(URL, json=wrong, headers=at(1)), 422, "invalid")
    assert {pointer for pointer, _ in faults(problem)} == {
        "/titel", "/title", "/tagline", "/posts_per_page", "/home_page", "/logo", "/social/0/url",
        "/social/1/network", "/social/1/x", "/seo/noindex", "/seo/x", "/version", "/base_urls/français~1x",
        "/base_urls/fr", "/base_urls/de",
    }  # fmt: skip
    assert answered(await admin.get(URL), 200)["version"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"base_url": "javascript:alert(1)"}, {"base_url": "//evil.example"}, {"base_url": "https://a@b.example"},
        {"base_url": "https://exa mple.org"}, {"base_url": "ftp://x.example"}, {"base_url": "https://x.example#a"},
        {"base_url": "https://"}, {"base_url": "https://x.example:99999"}, {"base_url": "https://x.example\n"},
        {"base_urls": {"FR": "https://x.example"}}, {"base_urls": {"fr\n": "https://x.example"}}, {"base_urls": []},
        {"base_urls": {f"aa-{n:03}": "https://x.example" for n in range(101)}}, {"base_urls": None},
        {"base_url": "https://[::1"}, {"timezone": "../../etc/passwd"}, {"timezone": "localtime"}, {"timezone": ""},
        {"timezone": "utc\u0000"}, {"title": "a\u0000b"}, {"seo": {"title_template": "%s %s"}},
        {"seo": {"title_template": "%"}}, {"seo": {"title_template": "x" * 199 + "%s"}}, {"seo": None}, {"seo": []},
        {"seo": 1}, {"posts_per_page": 101}, {"posts_per_page": 1.5}, {"posts_per_page": 10**30},
        {"social": [{"network": "x", "url": "https://x.example"}] * 21}, {"social": {"a": 1}}, {"social": None},
        {"seo": {"description": "x" * 2001}}, {"home_page": "' OR 1=1"}, [], "x", 7,
    ],
)  # fmt: skip
async def test_hostile_input(admin: httpx.AsyncClient, body: Any) -> None:
    response = await admin.patch(URL, json=body, headers=ANY)
    problem = answered(response, 422, "invalid")
    assert problem["errors"]
    assert answered(await admin.get(URL), 200)["version"] == 1


async def test_of_many_who_change_the_same_version_one_wins(admin: httpx.AsyncClient) -> None:
    answered(await admin.patch(URL, json={"title": "x"}), 428, "precondition_required")
    problem = answered(await admin.patch(URL, json={"title": "x"}, headers=at(7)), 412, "stale")
    assert problem["current_version"] == 1
    answers = await asyncio.gather(
        *(admin.patch(URL, json={"title": f"T{number}"}, headers=at(1)) for number in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    assert answered(await admin.get(URL), 200)["version"] == 2


async def test_who_may(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    editor = await user_client("editor")
    answered(await client.get(URL), 401, "unauthenticated")
    answered(await client.patch(URL, json={"title": "x"}, headers=ANY), 401, "unauthenticated")
    answered(await editor.get(URL), 200)
    answered(await editor.patch(URL, json={"title": "x"}, headers=ANY), 403, "forbidden")
    assert (await put(admin, title="x"))["version"] == 2
    answered(await client.get(f"{PUBLIC}?x=1"), 400, "malformed")


async def test_what_it_costs(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    pages = [await published(admin, "pages", title=f"P{number}") for number in range(2)]
    logo = await upload(admin)
    async with counting() as changing:
        await put(
            admin, home_page=pages[0]["id"], posts_page=pages[1]["id"], logo=logo["id"], icon=logo["id"]
        )
    # Pages, files, the settings, and the event with its notice, beside who asks.
    assert len([one for one in changing if "cms." in one]) == 4
    async with counting() as reading:
        answered(await admin.get(URL), 200)
    async with counting() as showing:
        await shown(client)
    assert (len(reading), len(showing)) == (2, 1)

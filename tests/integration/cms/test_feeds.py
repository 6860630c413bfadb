"""Feeds, read as feed readers read them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import feedparser
import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    change,
    do,
    items,
    make,
    published,
    remove,
    rows,
    tagged,
    tags,
    translate,
)
from tests.integration.hearing import until
from tests.integration.http.asking import in_a_later_second, upload

from cms_api.adapters.http.caching import ResponseCache
from cms_api.domains.cms.site.events import SITE_ID

ATOM = "{http://www.w3.org/2005/Atom}"
BASE, SERVICE = "https://example.org/blog", "http://127.0.0.1:8000"
HOSTILE = "A ]]> <b>& \"q\" 'a' \x01\x0b￾ é 😀"
SHOWN = "A ]]> <b>& \"q\" 'a'  é 😀"


async def settings(admin: httpx.AsyncClient, **values: Any) -> None:
    answered(await admin.patch(f"{API}/settings", json=values, headers=ANY), 200)


async def read(client: httpx.AsyncClient, url: str) -> httpx.Response:
    response = await client.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["etag"]
    assert response.headers["cache-control"].startswith("public")
    return response


@pytest.fixture
async def site(admin: httpx.AsyncClient) -> dict[str, Any]:
    await settings(admin, title="Site & Co", tagline="All of it", base_url=BASE)
    tag, category = await make(admin, "tags", name="Tea"), await make(admin, "categories", name="News")
    cover, target = await upload(admin, alt="A"), await published(admin, "pages", title="There", slug="there")
    body = (
        f'<p>{"x" * 5} <a href="cms://document/{target["id"]}">t</a> <img src="{cover["url"]}" alt="">'
        '<a href="//other.example/">o</a></p>'
    )
    first = await published(admin, "posts", title="First", body="<p>One</p>", slug="first")
    second = await published(
        admin, "posts", title=HOSTILE, body=body, slug="größe", cover=cover["id"], tags=[tag["id"]],
        categories=[category["id"]],
    )  # fmt: skip
    await make(admin, "posts", title="Draft")
    await published(admin, "posts", title="Deutsch", locale="de", slug="deutsch")
    return {
        "first": first,
        "second": second,
        "tag": tag,
        "category": category,
        "cover": cover,
        "target": target,
    }


async def test_a_feed_has_a_date(client: httpx.AsyncClient, site: dict[str, Any]) -> None:
    assert site
    await in_a_later_second()
    for path in ("/feed.xml", "/atom.xml", "/feed.json", "/sitemap.xml"):
        date = (await read(client, path)).headers["last-modified"]
        assert parsedate_to_datetime(date) <= datetime.now(UTC)
        # It is that of the newest post: of one that left, only the tag tells.
        assert (await client.get(path, headers={"If-Modified-Since": date})).status_code == 200, path


async def test_rss(client: httpx.AsyncClient, site: dict[str, Any]) -> None:
    response = await read(client, "/feed.xml")
    assert response.headers["content-type"] == "application/rss+xml"
    parsed = feedparser.parse(response.content)
    assert (parsed.bozo, parsed.version) == (False, "rss20")
    root = ET.fromstring(response.content)
    channel = root.find("channel")
    assert channel is not None
    assert [channel.findtext(name) for name in ("title", "link", "description", "language")] == [
        "Site & Co", f"{BASE}/", "All of it", "en",
    ]  # fmt: skip
    assert channel.find(f"{ATOM}link").attrib == {  # type: ignore[union-attr]
        "rel": "self", "type": "application/rss+xml", "href": f"{BASE}/feed.xml",
    }  # fmt: skip
    second, first = channel.findall("item")
    assert (second.findtext("title"), first.findtext("title")) == (SHOWN, "First")
    assert second.findtext("link") == f"{BASE}/gr%C3%B6%C3%9Fe"
    guid = second.find("guid")
    assert guid is not None
    assert (guid.text, guid.attrib) == (f"urn:uuid:{site['second']['id']}", {"isPermaLink": "false"})
    assert parsedate_to_datetime(str(second.findtext("pubDate"))).tzinfo is not None
    enclosure = second.find("enclosure")
    assert enclosure is not None
    assert enclosure.attrib == {
        "url": f"{BASE}{site['cover']['url']}", "length": str(site["cover"]["size"]), "type": "image/png",
    }  # fmt: skip
    assert [one.text for one in second.findall("category")] == ["News", "Tea"]
    content = second.findtext("{http://purl.org/rss/1.0/modules/content/}encoded")
    assert content is not None
    assert f'href="{BASE}/there"' in content
    assert f'src="{BASE}{site["cover"]["url"]}"' in content
    assert 'href="https://other.example/"' in content
    assert second.findtext("{http://purl.org/dc/elements/1.1/}creator") == "Ada"
    used = (site["second"]["id"], site["cover"]["id"], site["tag"]["id"], site["target"]["id"], str(SITE_ID))
    assert tags(*used) <= tagged(response)
    assert (
        await client.get("/feed.xml", headers={"If-None-Match": response.headers["etag"]})
    ).status_code == 304


async def test_atom(client: httpx.AsyncClient, site: dict[str, Any]) -> None:
    response = await read(client, "/atom.xml")
    assert response.headers["content-type"] == "application/atom+xml"
    parsed = feedparser.parse(response.content)
    assert (parsed.bozo, parsed.version) == (False, "atom10")
    root = ET.fromstring(response.content)
    # RFC 4287, section 4.1: exactly one id, title and updated in a feed and in each entry; an author.
    entries = root.findall(f"{ATOM}entry")
    for part in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(part.findall(ATOM + name)) == 1
        assert datetime.fromisoformat(str(part.findtext(f"{ATOM}updated"))).tzinfo is not None
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", str(part.findtext(f"{ATOM}id")))
    assert root.find(f"{ATOM}author") is not None
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links == {"self": f"{BASE}/atom.xml", "alternate": f"{BASE}/", "first": f"{BASE}/atom.xml"}
    second = entries[0]
    assert second.findtext(f"{ATOM}title") == SHOWN
    assert {link.get("rel"): link.get("href") for link in second.findall(f"{ATOM}link")} == {
        "alternate": f"{BASE}/gr%C3%B6%C3%9Fe", "enclosure": f"{BASE}{site['cover']['url']}",
    }  # fmt: skip
    content = second.find(f"{ATOM}content")
    assert content is not None
    assert content.get("type") == "html"
    assert parsed.entries[1].content[0].value == "<p>One</p>"


async def test_json_feed(client: httpx.AsyncClient, site: dict[str, Any]) -> None:
    response = await read(client, "/feed.json")
    assert response.headers["content-type"] == "application/feed+json"
    feed = response.json()
    assert {name: feed[name] for name in ("version", "title", "home_page_url", "feed_url", "language")} == {
        "version": "https://jsonfeed.org/version/1.1", "title": "Site & Co", "home_page_url": f"{BASE}/",
        "feed_url": f"{BASE}/feed.json", "language": "en",
    }  # fmt: skip
    assert "next_url" not in feed
    second, first = feed["items"]
    assert second["id"] == f"urn:uuid:{site['second']['id']}"
    assert second["attachments"] == [{
        "url": f"{BASE}{site['cover']['url']}", "mime_type": "image/png", "title": "A",
        "size_in_bytes": site["cover"]["size"],
    }]  # fmt: skip
    assert second["authors"] == [{"name": "Ada", "url": f"{BASE}/author/ada"}]
    assert (first["content_html"], first["title"]) == ("<p>One</p>", "First")
    for item in feed["items"]:
        assert ("content_html" in item) != ("content_text" in item)
        assert None not in item.values()


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("https://old.example/2020/Tree.JPG?w=300#a.png", "image/jpeg"),
        ("https://old.example/tree.webp", "image/webp"),
        ("https://old.example/walk.mp4", "video/mp4"),
        ("https://old.example/picture.php?name=tree.jpg", "application/octet-stream"),
        ("https://old.example/", "application/octet-stream"),
    ],
)
async def test_a_cover_that_was_never_fetched(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    database_url: str,
    site: dict[str, Any],
    url: str,
    media_type: str,
) -> None:
    rows(
        database_url,
        "UPDATE cms.media SET storage_key = NULL, media_type = NULL, size = NULL, sha256 = NULL, source_url = %s"
        " WHERE id = %s RETURNING id",
        (url, site["cover"]["id"]),
    )
    # A feed is kept until something in it changes.
    await settings(admin, tagline="New")
    enclosure = ET.fromstring((await read(client, "/feed.xml")).content).find("channel/item/enclosure")
    assert enclosure is not None
    assert enclosure.attrib == {"url": url, "length": "0", "type": media_type}
    link = ET.fromstring((await read(client, "/atom.xml")).content).find(f".//{ATOM}link[@rel='enclosure']")
    assert link is not None
    assert link.attrib == {"rel": "enclosure", "type": media_type, "href": url}
    item = (await read(client, "/feed.json")).json()["items"][0]
    assert item["attachments"] == [{"url": url, "mime_type": media_type, "title": "A"}]
    assert item.get("image") == (url if media_type.startswith("image/") else None)


async def test_addresses_in_bodies_are_whole(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, site: dict[str, Any]
) -> None:
    file = site["cover"]
    said = {
        'href="sub/x"': f'href="{BASE}/sub/x"',
        'href="?a=1&amp;b=2"': f'href="{BASE}/größe-2?a=1&amp;b=2"',
        'href="../up"': 'href="https://example.org/up"',
        'href="#part"': f'href="{BASE}/größe-2#part"',
        'href="//other.example/x"': 'href="https://other.example/x"',
        'href="/at?c=1&amp;d=2"': f'href="{BASE}/at?c=1&amp;d=2"',
        'href="mailto:a@b.example"': 'href="mailto:a@b.example"',
        'href="//[x"': 'href="//[x"',
        'src="pic.png"': f'src="{BASE}/pic.png"',
        'srcset="/media/a,b.png 1x, /b.png 2x, c.png"': (
            f'srcset="{BASE}/media/a,b.png 1x, {BASE}/b.png 2x, {BASE}/c.png"'
        ),
        f'srcset="cms://media/{file["id"]} 300w, https://x.example/a.png 600w"': (
            f'srcset="{BASE}{file["url"]} 300w, https://x.example/a.png 600w"'
        ),
        'poster="/media/p.png"': f'poster="{BASE}/media/p.png"',
        'cite="/source"': f'cite="{BASE}/source"',
    }
    tags_of = {"href": "a", "src": "img", "srcset": "img", "poster": "video", "cite": "blockquote"}
    body = "".join(
        f'<{tags_of[one.partition("=")[0]]} {one} title="t">x</{tags_of[one.partition("=")[0]]}>'
        for one in said
    )
    # What an author says of such things is no address.
    words = '<code>&lt;a href="/x" src="y"&gt; href="/z" </code>'
    await published(admin, "posts", title="W", slug="größe-2", body=f"{body}<p>{words}</p>")
    encoded = "channel/item/{http://purl.org/rss/1.0/modules/content/}encoded"
    html = {
        ET.fromstring((await read(client, "/feed.xml")).content).findtext(encoded),
        ET.fromstring((await read(client, "/atom.xml")).content).findtext(f"{ATOM}entry/{ATOM}content"),
        (await read(client, "/feed.json")).json()["items"][0]["content_html"],
    }
    assert len(html) == 1
    found = html.pop()
    assert [
        one for one in (*said.values(), words) if one.replace("größe", "gr%C3%B6%C3%9Fe") not in found
    ] == []


async def test_feeds_of_terms_and_authors(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, site: dict[str, Any]
) -> None:
    for place in ("categories/news", "tags/tea"):
        for file in ("feed.xml", "atom.xml"):
            response = await read(client, f"/{place}/{file}")
            assert [one.id for one in feedparser.parse(response.content).entries] == [
                f"urn:uuid:{site['second']['id']}"
            ]
        feed = (await read(client, f"/{place}/feed.json")).json()
        assert [item["id"] for item in feed["items"]] == [f"urn:uuid:{site['second']['id']}"]
    assert feed["title"] == "Tea – Site & Co"
    assert feed["home_page_url"] == f"{BASE}/tag/tea"
    assert len((await read(client, "/authors/ada/feed.json")).json()["items"]) == 2
    german = (await read(client, "/feed.json?locale=de")).json()
    assert ([item["title"] for item in german["items"]], german["feed_url"]) == (
        ["Deutsch"], f"{BASE}/feed.json?locale=de",
    )  # fmt: skip
    hidden = await make(admin, "authors", name="Hidden")
    for wrong in ("categories/tea", "tags/news", f"authors/{hidden['slug']}", "authors/nobody"):
        answered(await client.get(f"/{wrong}/feed.xml"), 404, "nothing_published")


async def test_feeds_are_found_by_slugs_that_were(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, site: dict[str, Any], counting: Callable[[], Any]
) -> None:
    (author,) = [one for one in await items(admin, f"{API}/authors") if one["slug"] == "ada"]
    for kind, one, old, new in (
        ("categories", site["category"], "news", "größe"),
        ("tags", site["tag"], "tea", "chai"),
        ("authors", author, "ada", "lovelace"),
    ):
        await change(admin, kind, one, slug=new)
        for file in ("feed.xml", "atom.xml", "feed.json"):
            async with counting() as statements:
                moved = await client.get(
                    f"/{kind}/{old}/{file}?locale=en&after=2026-01-01T00:00:00Z~{one['id']}"
                )
            assert len(statements) == 2
            assert (moved.status_code, moved.content) == (301, b"")
            assert moved.headers["location"] == (
                f"{BASE}/{kind}/{quote(new)}/{file}?locale=en&after=2026-01-01T00%3A00%3A00Z~{one['id']}"
            )
            # For as long as feeds may be shown, and no longer: another may take the slug.
            followed = await read(client, f"/{kind}/{new}/{file}")
            assert moved.headers["cache-control"] == followed.headers["cache-control"]
            assert tagged(moved) == tags(one["id"], kind, "settings")
            for condition in ({"If-None-Match": "*"}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
                again = await client.get(f"/{kind}/{old}/{file}", headers=condition)
                assert (again.status_code, again.headers["location"]) == (
                    301,
                    f"{BASE}/{kind}/{quote(new)}/{file}",
                )
                assert "etag" not in again.headers
            assert (await client.head(f"/{kind}/{old}/{file}")).status_code == 301
        # As documents, they are delivered at the slug of the moment only.
        answered(await client.get(f"{CONTENT}/{kind}/by-slug/{old}"), 404, "nothing_published")


async def test_a_preview_is_led_on_within_itself(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, site: dict[str, Any]
) -> None:
    await change(admin, "tags", site["tag"], slug="chai")
    body = {"documents": [site["second"]["id"]]}
    token = answered(await admin.post(f"{API}/previews", json=body), 201)["token"]
    moved = await client.get(f"/tags/tea/feed.xml?preview={token}")
    assert (moved.status_code, moved.headers["cache-control"]) == (301, "private, no-store")
    assert moved.headers["location"] == f"{BASE}/tags/chai/feed.xml?preview={token}"


async def test_where_a_feed_is_is_as_fresh_as_all_answers(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, site: dict[str, Any], cache: ResponseCache
) -> None:
    async def led(slug: str) -> str:
        """Where a feed leads, out of the cache the second time; or the title that it has."""
        await until(lambda: cache.is_current)
        found = [await client.get(f"/tags/{slug}/feed.json") for _ in range(2)]
        assert [one.status_code for one in found] == [found[0].status_code] * 2
        if found[0].status_code == 404:
            return ""
        assert found[1].headers["server-timing"] == 'cache;desc="hit"'
        if found[0].status_code == 200:
            return str(found[0].json()["title"]).removesuffix(" – Site & Co")
        assert found[1].headers["location"] == found[0].headers["location"]
        return found[0].headers["location"].removeprefix(f"{BASE}/tags/").removesuffix("/feed.json")

    tag = site["tag"]
    assert (await led("tea"), await led("chai")) == ("Tea", "")
    await change(admin, "tags", tag, slug="chai")
    assert (await led("tea"), await led("chai")) == ("chai", "Tea")
    await change(admin, "tags", tag, slug="cha")
    assert (await led("tea"), await led("chai")) == ("cha", "cha")
    other = await make(admin, "tags", name="Other", slug="chai")
    assert (await led("tea"), await led("chai")) == ("cha", "Other")
    await change(admin, "tags", other, slug="tea")
    assert (await led("tea"), await led("chai")) == ("Other", "tea")
    await settings(admin, base_url="https://example.net")
    moved = await client.get("/tags/chai/feed.json")
    assert moved.headers["location"] == "https://example.net/tags/tea/feed.json"
    await settings(admin, base_url=BASE)
    await remove(admin, "tags", other)
    assert (await led("tea"), await led("chai"), await led("cha")) == ("", "", "Tea")


async def test_excerpts_only_and_where_there_is_no_address(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await published(admin, "posts", title="P", body="<p>All of it</p>", excerpt="Some", slug="p")
    await settings(admin, feeds={"content": "excerpt"})
    (item,) = (await read(client, "/feed.json")).json()["items"]
    assert (item["content_text"], item["url"]) == ("Some", f"{SERVICE}/p")
    assert "content_html" not in item
    assert b"All of it" not in (await read(client, "/feed.xml")).content
    response = await client.get("/feed.json", headers={"Host": "evil.example"})
    assert b"evil" not in response.content


async def test_pages_of_a_feed(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    await settings(admin, feeds={"items": 2})
    tag = await make(admin, "tags", name="T")
    made = [await published(admin, "posts", title=f"P{n}", tags=[tag["id"]]) for n in range(5)]
    wanted = [f"urn:uuid:{one['id']}" for one in reversed(made)]
    seen: list[str] = []
    url: str | None = "/tags/t/feed.json"
    while url:
        async with counting() as statements:
            feed = (await read(client, url)).json()
        assert len(statements) == 3
        seen += [item["id"] for item in feed["items"]]
        url = feed.get("next_url", "").removeprefix(SERVICE) or None
        # What is published meanwhile is before the first page, and moves nothing.
        await published(admin, "posts", title="New", tags=[tag["id"]])
    assert seen == wanted
    seen, url = [], "/atom.xml"
    while url:
        response = await read(client, url)
        parsed = feedparser.parse(response.content)
        seen += [one.id for one in parsed.entries]
        links = {one["rel"]: one["href"] for one in parsed.feed.links}
        assert links["first"] == f"{SERVICE}/atom.xml"
        assert links["self"] == f"{SERVICE}{url}"
        url = links.get("next", "").removeprefix(SERVICE) or None
    assert [one for one in seen if one in wanted] == wanted
    async with counting() as statements:
        await read(client, "/feed.xml")
    assert len(statements) == 2
    for wrong in (
        "?after=x",
        "?after=2026-01-01T00:00:00Z~x",
        "?after=2026-01-01T00:00:00~" + made[0]["id"],
        "?x=1",
    ):
        answered(await client.get(f"/feed.xml{wrong}"), 400, "malformed")


async def test_a_feed_is_another_one_once_something_changes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, site: dict[str, Any]
) -> None:
    tags = [(await read(client, "/feed.xml")).headers["etag"]]
    await change(admin, "tags", site["tag"], name="Coffee")
    tags.append((await read(client, "/feed.xml")).headers["etag"])
    await change(admin, "pages", site["target"], slug="elsewhere")
    await do(admin, "pages", site["target"], "publish")
    tags.append((await read(client, "/feed.xml")).headers["etag"])
    await do(admin, "posts", site["first"], "unpublish")
    tags.append((await read(client, "/feed.xml")).headers["etag"])
    assert len(set(tags)) == 4


def pictures(url: ET.Element) -> list[str | None]:
    return [one.text for one in url.iter("{http://www.google.com/schemas/sitemap-image/1.1}loc")]


async def test_sitemaps_name_all_pictures_that_everybody_is_shown(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await settings(admin, base_url=BASE)
    fields = [
        {"key": "photo", "type": "media"},
        {"key": "gallery", "type": "list", "of": {"type": "media"}},
        {"key": "text", "type": "rich_text"},
        {"key": "proof", "type": "media", "visibility": "internal"},
    ]
    given = {"key": "show", "path": "/shows/{slug}", "fields": fields}
    answered(await admin.post(f"{API}/content-types", json=given), 201)
    files = [await upload(admin, title=f"Picture {number}") for number in range(6)]
    response = await admin.post(f"{API}/media", files={"file": ("words.txt", b"Plain words.")})
    document = answered(response, 201)
    body = (
        f'<p><img src="cms://media/{files[3]["id"]}" alt=""> <a href="cms://media/{document["id"]}">w</a></p>'
    )
    await published(
        admin, "entries/show", slug="one", photo=files[0]["id"], text=body, proof=files[4]["id"],
        gallery=[files[number]["id"] for number in (2, 1, 0)],
    )  # fmt: skip
    await published(
        admin,
        "posts",
        title="P",
        slug="p",
        cover=files[5]["id"],
        body=body,
        seo={"og": {"image": files[0]["id"]}},
    )
    root = ET.fromstring((await read(client, "/sitemaps/0.xml")).content)
    one, p = (pictures(url) for url in root)
    assert set(one) == {f"{BASE}{files[number]['url']}" for number in (0, 1, 2, 3)}
    assert len(one) == 4
    assert p[0] == f"{BASE}{files[5]['url']}"
    assert set(p) == {f"{BASE}{files[number]['url']}" for number in (0, 3, 5)}


async def test_sitemaps(admin: httpx.AsyncClient, client: httpx.AsyncClient, site: dict[str, Any]) -> None:
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    response = await read(client, "/sitemap.xml")
    assert response.headers["content-type"] == "application/xml"
    root = ET.fromstring(response.content)
    assert [one.text for one in root.iter(f"{space}loc")] == [
        f"{BASE}/sitemaps/{name}.xml" for name in ("0", "terms-0", "authors-0")
    ]

    async def found(name: str = "0") -> dict[str, ET.Element]:
        response = await read(client, f"/sitemaps/{name}.xml")
        root = ET.fromstring(response.content)
        assert root.tag == f"{space}urlset"
        return {str(one.findtext(f"{space}loc")).removeprefix(BASE): one for one in root}

    urls = await found()
    assert set(urls) == {"/first", "/gr%C3%B6%C3%9Fe", "/there", "/deutsch"}
    assert pictures(urls["/gr%C3%B6%C3%9Fe"]) == [f"{BASE}{site['cover']['url']}"]
    assert datetime.fromisoformat(str(urls["/first"].findtext(f"{space}lastmod"))).tzinfo is not None
    await change(admin, "posts", site["first"], seo={"noindex": True})
    await do(admin, "posts", site["first"], "publish")
    await change(admin, "pages", site["target"], seo={"canonical": "https://elsewhere.example/"})
    await do(admin, "pages", site["target"], "publish")
    assert set(await found()) == {"/gr%C3%B6%C3%9Fe", "/deutsch"}
    assert set(await found("terms-0")) == {"/category/news", "/tag/tea"}
    assert len(await found("authors-0")) == 1
    await change(admin, "tags", site["tag"], slug="grün")
    await settings(admin, paths={"tag": "/themen/{slug}"})
    assert set(await found("terms-0")) == {"/category/news", "/themen/gr%C3%BCn"}
    await do(admin, "posts", site["second"], "unpublish")
    answered(await client.get("/sitemaps/terms-0.xml"), 404, "nothing_published")
    wrong_names = (
        "1",
        "00",
        "-1",
        "x",
        "999999999",
        "terms-00",
        "terms-",
        "documents-0",
        "authors-1",
        "Terms-0",
    )
    for wrong in ("0", "terms-0", *(f"{name}.xml" for name in wrong_names)):
        answered(await client.get(f"/sitemaps/{wrong}"), 404)
    await settings(admin, seo={"noindex": True})
    assert b"<loc>" not in (await client.get("/sitemap.xml")).content
    answered(await client.get("/sitemaps/0.xml"), 404, "nothing_published")
    assert (await client.get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"


async def test_translations_in_sitemaps(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    one = await published(admin, "posts", title="One", slug="one")
    two = await make(admin, "posts", title="Eins", slug="eins", locale="de")
    translate(database_url, two, one)
    await do(admin, "posts", two, "publish")
    root = ET.fromstring((await read(client, "/sitemaps/0.xml")).content)
    for url in root:
        alternates = {
            link.get("hreflang"): link.get("href")
            for link in url.findall("{http://www.w3.org/1999/xhtml}link")
        }
        assert alternates == {"en": f"{SERVICE}/one", "de": f"{SERVICE}/eins"}


async def mapped(client: httpx.AsyncClient, part: int = 0) -> dict[str, dict[str, str]]:
    """The addresses of a part of the map, each once, with those of its languages."""
    root = ET.fromstring((await read(client, f"/sitemaps/{part}.xml")).content)
    found = {
        str(url.findtext("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")): {
            str(link.get("hreflang")): str(link.get("href"))
            for link in url.findall("{http://www.w3.org/1999/xhtml}link")
        }
        for url in root
    }
    assert len(found) == len(root)
    return found


async def test_languages_at_addresses_of_their_own(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    base, french, german = "https://example.org", "https://example.org/fr", "https://example.de"
    type_ = {"key": "event", "path": "/events/{slug}", "fields": [{"key": "title", "type": "text"}]}
    answered(await admin.post(f"{API}/content-types", json=type_), 201)
    ids = {"en": (await published(admin, "entries/event", title="E", slug="e"))["id"]}
    url = f"{API}/entries/event/{ids['en']}/translations"
    for locale in ("fr", "de"):
        made = answered(await admin.post(url, json={"locale": locale}, headers=ANY), 201)
        ids[locale] = made["id"]
        await do(admin, "entries/event", made, "publish")

    async def told(locale: str) -> tuple[str, str, dict[str, str]]:
        seo = answered(await client.get(f"{CONTENT}/entries/event/{ids[locale]}"), 200)["seo"]
        return seo["canonical"], seo["og"]["url"], {one["locale"]: one["url"] for one in seo["alternates"]}

    # All at one address: nobody is told that it is that of several languages.
    await settings(admin, base_url=base)
    shared = f"{base}/events/e"
    for locale in ids:
        assert await told(locale) == (shared, shared, {locale: shared})
    assert await mapped(client) == {shared: {"en": shared}}

    # Two at one address, for one of which it is told.
    await settings(admin, base_urls={"de": f"{german}/"})
    two = {"de": f"{german}/events/e", "en": shared}
    assert await told("en") == (shared, shared, two)
    assert await told("de") == (two["de"], two["de"], two)
    assert await told("fr") == (shared, shared, {"de": two["de"], "fr": shared})
    assert await mapped(client) == {shared: two, two["de"]: two}

    await settings(admin, base_urls={"fr": french})
    three = two | {"fr": f"{french}/events/e"}
    for locale in ids:
        assert await told(locale) == (three[locale], three[locale], three)
    assert await mapped(client) == dict.fromkeys(three.values(), three)
    where = f"{CONTENT}/resolve?path=/events/e&locale=fr"
    assert answered(await client.get(where), 200)["document"]["seo"]["canonical"] == three["fr"]

    # Those of languages that have none are nowhere.
    await settings(admin, base_url=None)
    some = {locale: three[locale] for locale in ("de", "fr")}
    assert await told("fr") == (three["fr"], three["fr"], some)
    assert (await told("en"))[0] is None


async def test_a_feed_is_of_its_language(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    french = "https://example.org/fr"
    await settings(admin, title="Site", base_url=BASE, base_urls={"fr": french})
    tag, cover = await make(admin, "tags", name="Tea", slug="tea"), await upload(admin, alt="A")
    there = [await published(admin, "pages", title=one, slug=one, locale=one) for one in ("en", "fr", "it")]
    links = "".join(f'<a href="cms://document/{one["id"]}">{one["slug"]}</a>' for one in there)
    values: dict[str, Any] = {
        "title": "P", "slug": "p", "tags": [tag["id"]], "cover": cover["id"],
        "body": f'<p>{links} <img src="{cover["url"]}" alt=""></p>',
    }  # fmt: skip
    made = {locale: await published(admin, "posts", **values, locale=locale) for locale in ("en", "fr")}
    for locale, base in (("en", BASE), ("fr", french)):
        feed = (await read(client, f"/tags/tea/feed.json?locale={locale}")).json()
        (item,) = feed["items"]
        assert (feed["home_page_url"], item["url"]) == (f"{base}/tag/tea", f"{base}/p")
        assert item["authors"] == [{"name": "Ada", "url": f"{base}/author/ada"}]
        for target in (f"{BASE}/en", f"{french}/fr", f"{BASE}/it"):
            assert f'href="{target}"' in item["content_html"]
        # Files, and feeds, are where they were.
        assert f'src="{BASE}{cover["url"]}"' in item["content_html"]
        assert item["image"] == f"{BASE}{cover['url']}"
        assert feed["feed_url"] == f"{BASE}/tags/tea/feed.json?locale={locale}"
        parsed = feedparser.parse((await read(client, f"/atom.xml?locale={locale}")).content)
        assert (parsed.feed.link, parsed.feed.author_detail.href) == (f"{base}/", f"{base}/")
    # In delivery, a path is one of the language that the text is in.
    for locale, wanted in (
        ("en", ["/en", f"{french}/fr", "/it"]),
        ("fr", [f"{BASE}/en", "/fr", f"{BASE}/it"]),
    ):
        body = answered(await client.get(f"{CONTENT}/posts/{made[locale]['id']}"), 200)["body"]
        assert re.findall('href="([^"]*)"', body) == wanted


async def test_what_names_its_own_address_is_in_the_map(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await settings(admin, base_url=BASE, base_urls={"fr": "https://example.org/fr"})
    for slug, locale, canonical in (
        ("one", "en", f"{BASE}/one"),
        ("two", "en", f"{BASE}/two/"),
        ("größe", "en", f"{BASE}/größe"),
        ("trois", "fr", "https://example.org/fr/trois"),
        ("quatre", "fr", f"{BASE}/quatre"),
        ("other", "en", f"{BASE}/one"),
    ):
        await published(admin, "posts", title=slug, slug=slug, locale=locale, seo={"canonical": canonical})
    home = await published(admin, "pages", title="Home", slug="home", seo={"canonical": BASE})
    await settings(admin, home_page=home["id"])
    own = {
        f"{BASE}/one",
        f"{BASE}/two",
        f"{BASE}/gr%C3%B6%C3%9Fe",
        "https://example.org/fr/trois",
        f"{BASE}/",
    }
    assert set(await mapped(client)) == own
    # What is theirs changes with the site.
    await settings(admin, base_url="https://example.net")
    assert set(await mapped(client)) == {"https://example.org/fr/trois"}
    await settings(admin, base_urls={"fr": None})
    assert b"/sitemaps/0.xml" not in (await read(client, "/sitemap.xml")).content
    answered(await client.get("/sitemaps/0.xml"), 404, "nothing_published")


# Live copies without documents, which maps don't look at.
MANY = """
SET session_replication_role = replica;
INSERT INTO cms.publications (document_id, type, locale, slug, path, has_address, version, title, published_at,
    first_published_at, created_at, updated_at, fields)
SELECT gen_random_uuid(), 'post', 'en', 'p' || n, 'p' || n, true, 1, 'P' || n, now(), now(), now(), now(), '{}'
FROM generate_series(1, 25000) n
"""


async def test_a_sitemap_of_tens_of_thousands(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str, asked: list[str]
) -> None:
    one = await published(admin, "posts", title="One", slug="one")
    with psycopg.connect(database_url) as connection:
        connection.execute(MANY)
    asked.clear()
    locs = re.findall(r"<loc>([^<]*)</loc>", (await read(client, "/sitemap.xml")).text)
    assert len(asked) == 2
    assert locs.pop() == f"{SERVICE}/sitemaps/authors-0.xml"
    assert locs == [f"{SERVICE}/sitemaps/{number}.xml" for number in range(3)]
    seen: list[str] = []
    for loc in locs:
        asked.clear()
        found = re.findall(r"<loc>([^<]*)</loc>", (await read(client, loc.removeprefix(SERVICE))).text)
        assert len(found) <= 10_000
        assert len(asked) == 2
        seen += found
        # Whatever goes and comes meanwhile, no other part moves.
        await do(admin, "posts", one, "unpublish")
        await do(admin, "posts", one, "publish")
    others = [url for url in seen if url != f"{SERVICE}/one"]
    assert (len(others), len(set(others))) == (25_000, 25_000)


async def test_robots(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    response = await client.get("/robots.txt")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text == f"User-agent: *\nDisallow:\n\nSitemap: {SERVICE}/sitemap.xml\n"
    await settings(admin, robots={"disallow": ["/search", "/*?q="], "allow": ["/search/help"]}, base_url=BASE)
    assert (await client.get("/robots.txt")).text == (
        f"User-agent: *\nAllow: /search/help\nDisallow: /search\nDisallow: /*?q=\n\nSitemap: {BASE}/sitemap.xml\n"
    )
    for wrong in ("x", "/a b", "/a\nDisallow: /", "/a#b", "/ä", ""):
        problem = answered(
            await admin.patch(f"{API}/settings", json={"robots": {"allow": [wrong]}}, headers=ANY),
            422,
            "invalid",
        )
        assert [fault["pointer"] for fault in problem["errors"]] == ["/robots/allow/0"]
    for wrong in (
        "tag/{slug}",
        "/tag",
        "/{slug}/{slug}",
        "//x/{slug}",
        "/a b/{slug}",
        "/<x>/{slug}",
        "/{slug}?x",
    ):
        problem = answered(
            await admin.patch(f"{API}/settings", json={"paths": {"tag": wrong}}, headers=ANY), 422, "invalid"
        )
        assert [fault["pointer"] for fault in problem["errors"]] == ["/paths/tag"]

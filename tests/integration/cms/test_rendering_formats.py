"""Bodies in all formats, what they link to, and what search engines are told."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import msgspec
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    change,
    do,
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
from cms_api.adapters.http.cms.delivered import DeliveredPage, DeliveredPost
from cms_api.adapters.sqlalchemy.cms.delivery import LARGE
from cms_api.app import create_app
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.documents.addresses import spelt
from cms_api.domains.cms.documents.content import OpenGraph, Seo
from cms_api.domains.cms.documents.mentions import MARK
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.kernel.actor import SYSTEM
from cms_api.settings import Settings

BODY = "<h2>One</h2><p>Some <em>words</em></p><h3>Two</h3><ul><li>a</li></ul><h2>One</h2>"


async def post(client: httpx.AsyncClient, one: dict[str, Any], query: str = "") -> dict[str, Any]:
    response = await client.get(f"{CONTENT}/posts/{one['id']}{query}")
    found = answered(response, 200)
    msgspec.json.decode(response.content, type=DeliveredPost)
    return found


async def settings_of(admin: httpx.AsyncClient, **values: Any) -> None:
    answered(await admin.patch(f"{API}/settings", json=values, headers=ANY), 200)


async def test_a_body_in_all_formats(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    one = await published(admin, "posts", title="P", body=BODY)
    html = await post(client, one)
    assert html["body"] == (
        '<h2 id="one">One</h2><p>Some <em>words</em></p><h3 id="two">Two</h3><ul><li>a</li></ul><h2 id="one-2">One</h2>'
    )
    assert html["toc"] == [
        {"id": "one", "level": 2, "text": "One", "headings": [
            {"id": "two", "level": 3, "text": "Two", "headings": []}]},
        {"id": "one-2", "level": 2, "text": "One", "headings": []},
    ]  # fmt: skip
    assert await post(client, one, "?format=html") == html
    markdown = await post(client, one, "?format=markdown")
    assert markdown["body"] == "## One\n\nSome *words*\n\n### Two\n\n- a\n\n## One"
    text = await post(client, one, "?format=text&fields=body,format")
    assert text == {"body": "One\n\nSome words\n\nTwo\n\n- a\n\nOne", "format": "text"}
    blocks = (await post(client, one, "?format=blocks"))["body"]
    assert [block["type"] for block in blocks] == ["heading", "paragraph", "heading", "list", "heading"]
    assert [block["id"] for block in blocks if block["type"] == "heading"] == ["one", "two", "one-2"]
    # What is not changed keeps its id.
    await change(admin, "posts", one, body="<p>New</p>" + BODY)
    await do(admin, "posts", one, "publish")
    after = (await post(client, one, "?format=blocks"))["body"]
    assert [block["id"] for block in after[1:]] == [block["id"] for block in blocks]
    listed = answered(await client.get(f"{CONTENT}/posts?format=text&fields=body"), 200)
    assert listed["items"][0]["body"].startswith("New\n\nOne")
    answered(await client.get(f"{CONTENT}/posts?format=pdf"), 400, "malformed")
    answered(await client.get(f"{CONTENT}/tags?format=text"), 400, "malformed")


async def test_the_texts_of_entries(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    fields = [
        {"key": "title", "type": "text"},
        {"key": "intro", "type": "markdown"},
        {"key": "parts", "type": "list", "of": {"type": "group", "fields": [{"key": "said", "type": "rich_text"}]}},
        {"key": "next", "type": "reference"},
    ]  # fmt: skip
    response = await admin.post(
        f"{API}/content-types", json={"key": "talk", "name": "Talk", "fields": fields}
    )
    answered(response, 201)
    target = await published(admin, "pages", title="Target")
    link = f'<a href="cms://document/{target["id"]}">there</a>'
    last = await published(
        admin, "entries/talk", title="B", intro=f"Go [there](cms://document/{target['id']})"
    )
    one = await published(
        admin, "entries/talk", title="A", intro="*Hi*", parts=[{"said": f"<p>{link}</p>"}, {"said": "<b>x</b>"}],
        next=last["id"],
    )  # fmt: skip
    url = f"{CONTENT}/entries/talk/{one['id']}"
    html = answered(await client.get(url), 200)
    assert html["intro"] == "<p><em>Hi</em></p>\n"
    assert 'href="/target"' in html["parts"][0]["said"]
    assert html["seo"]["title"] == "A"
    markdown = answered(await client.get(f"{url}?format=markdown&include=next"), 200)
    assert (markdown["intro"], [part["said"] for part in markdown["parts"]]) == (
        "*Hi*", ["[there](/target)", "**x**"],
    )  # fmt: skip
    assert markdown["next"]["intro"] == "Go [there](/target)"
    blocks = answered(await client.get(f"{url}?format=blocks&fields=intro"), 200)
    assert [block["type"] for block in blocks["intro"]] == ["paragraph"]
    await do(admin, "pages", target, "unpublish")
    listed = answered(await client.get(f"{CONTENT}/entries/talk?format=markdown&include=next"), 200)["items"]
    found = next(item for item in listed if item["id"] == one["id"])
    assert (found["parts"][0]["said"], found["next"]["intro"]) == ("there", "Go there")


async def test_a_type_that_changes_takes_all_formats_along(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    types = f"{API}/content-types"
    fields = [
        {"key": "title", "type": "text"},
        {"key": "intro", "type": "markdown"},
        {"key": "said", "type": "text"},
    ]
    made = answered(await admin.post(types, json={"key": "talk", "fields": fields}), 201)
    target = await published(admin, "pages", title="Target")
    one = await published(
        admin, "entries/talk", title="A", intro="*Hi*", said=f"[there](cms://document/{target['id']})"
    )
    title, intro, said = made["fields"]
    body = {"fields": [title, intro, {"key": "said", "id": said["id"], "type": "markdown"}]}
    changed = answered(await admin.patch(f"{types}/talk", json=body, headers=ANY), 200)
    # What is stored stays as it is, but readers get it in another form from now on.
    assert changed["job"] is None
    url = f"{CONTENT}/entries/talk/{one['id']}"
    told = {
        "html": (
            "<p><em>Hi</em></p>\n",
            '<p><a href="/target" rel="noopener noreferrer">there</a></p>\n',
        ),
        "markdown": ("*Hi*", "[there](/target)"),
        "text": ("Hi", "there"),
    }
    for name, texts in told.items():
        found = answered(await client.get(f"{url}?format={name}"), 200)
        assert (found["intro"], found["said"]) == texts
    blocks = answered(await client.get(f"{url}?format=blocks"), 200)
    assert [block["type"] for block in blocks["intro"] + blocks["said"]] == ["paragraph", "paragraph"]
    outdated = "SELECT 1 FROM cms.publications WHERE type = 'talk' AND rendering_version = 0"
    assert rows(database_url, outdated) == []


async def test_what_previews_call_an_entry_follows_its_type(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    types = f"{API}/content-types"
    fields = [
        {"key": "title", "type": "text", "searchable": None},
        {"key": "name", "type": "text", "searchable": None},
    ]
    answered(await admin.post(types, json={"key": "talk", "fields": fields}), 201)
    one = await published(admin, "entries/talk", title="Title", name="Name")
    own = await published(
        admin, "entries/talk", title="Title", name="Name", seo={"title": "T", "twitter": {"title": "Card"}}
    )
    answered(await admin.patch(f"{types}/talk", json={"title_field": "name"}, headers=ANY), 200)
    seo = answered(await client.get(f"{CONTENT}/entries/talk/{one['id']}"), 200)["seo"]
    assert (seo["title"], seo["og"]["title"], seo["twitter"]["title"]) == ("Name", "Name", "Name")
    seo = answered(await client.get(f"{CONTENT}/entries/talk/{own['id']}"), 200)["seo"]
    assert (seo["title"], seo["og"]["title"], seo["twitter"]["title"]) == ("T", "T", "Card")


async def test_links_lead_where_things_are_now(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, counting: Callable[[], Any]
) -> None:
    about = await published(admin, "pages", title="About")
    team = await published(admin, "pages", title="Größe & Team", parent=about["id"])
    tag, category = await make(admin, "tags", name="Tea"), await make(admin, "categories", name="News")
    (author,) = team["authors"]
    name = answered(await admin.get(f"{API}/authors/{author}"), 200)["slug"]
    file = await upload(admin, alt="A")
    body = (
        f'<p><a href="cms://document/{team["id"]}">Team</a> <a href="cms://tag/{tag["id"]}">T</a>'
        f' <a href="cms://category/{category["id"]}">C</a> <a href="cms://author/{author}">A</a>'
        f' <img src="cms://media/{file["id"]}" alt=""></p>'
    )
    one, plain = (
        await published(admin, "posts", title="P", body=body),
        await published(admin, "posts", title="Q"),
    )

    async def hrefs(query: str = "") -> list[str]:
        text = (await post(client, one, query))["body"]
        return [part.split('"')[0] for part in text.split('href="')[1:]]

    there = "/about/gr%C3%B6%C3%9Fe-team"
    assert await hrefs() == [there, "/tag/tea", "/category/news", f"/author/{name}"]
    assert file["url"] in (await post(client, one))["body"]
    assert f"[Team]({there})" in (await post(client, one, "?format=markdown"))["body"]
    assert there in (await post(client, one, "?format=blocks"))["body"][0]["html"]
    assert (await post(client, one, "?format=text"))["body"] == "Team T C A"
    await settings_of(admin, paths={"tag": "/topics/{slug}"})
    await change(admin, "pages", about, slug="us")
    await do(admin, "pages", about, "publish")
    assert (await hrefs())[:2] == ["/us/gr%C3%B6%C3%9Fe-team", "/topics/tea"]
    response = await client.get(f"{CONTENT}/posts/{one['id']}")
    used = (one["id"], team["id"], tag["id"], category["id"], author, file["id"], str(SITE_ID))
    assert tags(*used) <= tagged(response)
    await in_a_later_second()
    assert "last-modified" not in response.headers
    assert "last-modified" in (await client.get(f"{CONTENT}/posts/{plain['id']}")).headers

    await do(admin, "pages", team, "unpublish")
    assert (await post(client, one))["body"].startswith('<p>Team <a href="/topics/tea"')
    assert (await post(client, one, "?format=markdown"))["body"].startswith("Team [T](/topics/tea)")
    await do(admin, "pages", team, "publish")
    assert (await hrefs())[0] == "/us/gr%C3%B6%C3%9Fe-team"
    await settings_of(admin, home_page=team["id"])
    assert (await hrefs())[0] == "/"
    async with counting() as seen:
        await post(client, one, "?format=blocks&include=author,tags")
    async with counting() as listing:
        found = answered(await client.get(f"{CONTENT}/posts"), 200)["items"]
    assert (len(seen), len(listing)) == (1, 1)
    assert "cms://" not in str(found)


async def test_links_of_long_texts_lead_where_things_are_now(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    there, nowhere = (
        await published(admin, "pages", title="There"),
        await make(admin, "pages", title="Nowhere"),
    )
    links = "".join(f'<a href="cms://document/{one["id"]}">x</a>' for one in (there, nowhere))
    text = f"<p>{'word ' * (LARGE // 5)}</p>"
    one = await published(admin, "posts", title="Long", body=f"{text}<p>{links}</p>")
    shown = '<p><a href="/there" rel="noopener noreferrer">x</a>x</p>'
    (listed,) = answered(await client.get(f"{CONTENT}/posts"), 200)["items"]
    assert (await post(client, one))["body"].endswith(shown)
    assert listed["body"].endswith(shown)
    key = {"key": "note", "fields": [{"key": "text", "type": "rich_text"}]}
    answered(await admin.post(f"{API}/content-types", json=key), 201)
    note = await published(admin, "entries/note", slug="note", text=f"{text}<p>{links}</p>")
    found = answered(await client.get(f"{CONTENT}/entries/note/{note['id']}"), 200)
    assert found["text"].endswith(shown)


async def test_words_about_links_stay(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    target = await published(admin, "pages", title="Target", slug="target")
    address = f"cms://document/{target['id']}"
    said = f"Write `{address}` to link [here]({address}) or <{address}>."
    one = await published(
        admin, "posts", title=address, body=said, format="markdown", excerpt=f"{address} it is"
    )
    fields = [
        {"key": "title", "type": "text"},
        {"key": "said", "type": "markdown"},
        {"key": "next", "type": "reference"},
    ]
    answered(await admin.post(f"{API}/content-types", json={"key": "talk", "fields": fields}), 201)
    entry = await published(admin, "entries/talk", title=address, said=said)
    other = await published(admin, "entries/talk", title="O", next=entry["id"])

    async def told() -> list[tuple[str, Any]]:
        """What a post and an entry say, alone and included, in all formats."""
        found: list[tuple[str, Any]] = []
        for name in ("html", "markdown", "text", "blocks"):
            shown = await post(client, one, f"?format={name}")
            assert (shown["title"], shown["excerpt"]) == (address, f"{address} it is")
            assert shown["seo"]["description"] == f"{address} it is"
            url = f"{CONTENT}/entries/talk/"
            alone = answered(await client.get(f"{url}{entry['id']}?format={name}"), 200)
            within = answered(await client.get(f"{url}{other['id']}?format={name}&include=next"), 200)["next"]
            assert alone["title"] == within["title"] == address
            assert shown["body"] == alone["said"] == within["said"]
            found.append((name, shown["body"]))
        return found

    def expected(here: str, bare: str, marked: str, plain: str) -> list[tuple[str, Any]]:
        html = f"Write <code>{address}</code> to link {here} or {bare}."
        (block,) = [dict(text[0]) for name, text in got if name == "blocks"]
        return [
            ("html", f"<p>{html}</p>\n"), ("markdown", f"Write `{address}` to link {marked}."),
            ("text", f"Write {address} to link here or {plain}."), ("blocks", [{**block, "html": html}]),
        ]  # fmt: skip

    rel = 'rel="noopener noreferrer"'
    got = await told()
    linked = expected(
        f'<a href="/target" {rel}>here</a>', f'<a href="/target" {rel}>/target</a>',
        "[here](/target) or [/target](/target)", "/target",
    )  # fmt: skip
    assert got == linked
    hits = answered(await client.get(f"{CONTENT}/posts?q=write&filter[locale]=en"), 200)["items"]
    assert hits[0]["highlights"]["text"].endswith(f"<mark>Write</mark> {address} to link here")

    # What an older renderer left has its links, and loses the words until it is rendered anew.
    rows(
        database_url,
        f"""UPDATE cms.publications SET rendering_version = 2, fields = replace(fields::text, '{MARK}', '')::jsonb
        WHERE cardinality(mention_ids) > 0 RETURNING 1""",
    )
    assert f'<a href="/target" {rel}>here</a>' in (await post(client, one))["body"]
    url = f"{CONTENT}/entries/talk/{other['id']}?include=next"
    assert f'<a href="/target" {rel}>here</a>' in answered(await client.get(url), 200)["next"]["said"]
    assert (
        'href="http://127.0.0.1:8000/target"'
        in (await client.get("/feed.json")).json()["items"][0]["content_html"]
    )
    assert await application.container.cms.rendering().rerender(SYSTEM, application.unit_of_work) == 2
    assert (got := await told()) == linked

    await do(admin, "pages", target, "unpublish")
    got = await told()
    assert got == expected("here", "", "here or ", "")


async def test_what_search_engines_are_told(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    cover, other, default = [await upload(admin, alt=name) for name in ("cover", "other", "default")]
    one = await published(admin, "posts", title="P", body="<p>Some words.</p>", slug="p")
    bare = (await post(client, one))["seo"]
    assert bare == {
        "title": "P", "description": "Some words.", "canonical": None, "noindex": False, "nofollow": False,
        "og": {"title": "P", "description": "Some words.", "type": "article", "url": None, "site_name": None,
               "image": None},
        "twitter": {"card": "summary", "title": "P", "description": "Some words.", "image": None, "creator": None},
        "alternates": [],
    }  # fmt: skip
    await settings_of(
        admin, title="Site", base_url="https://example.org/blog/", image=default["id"],
        seo={"title_template": "%s – Site", "description": "All"},
    )  # fmt: skip
    seo = (await post(client, one))["seo"]
    assert (seo["title"], seo["canonical"]) == ("P – Site", "https://example.org/blog/p")
    assert (seo["og"]["title"], seo["og"]["site_name"]) == ("P", "Site")
    assert (seo["og"]["image"]["alt"], seo["twitter"]["card"]) == ("default", "summary_large_image")
    await change(admin, "posts", one, cover=cover["id"])
    await do(admin, "posts", one, "publish")
    assert (await post(client, one))["seo"]["og"]["image"]["alt"] == "cover"
    given = {
        "title": "T", "description": "D", "canonical": "https://elsewhere.example/p", "noindex": True,
        "nofollow": True, "og": {"title": "OG", "image": other["id"], "type": "book"},
        "twitter": {"card": "summary", "creator": "@ada"},
    }  # fmt: skip
    changed = await change(admin, "posts", one, seo=given)
    assert changed["seo"]["og"] == {"title": "OG", "description": None, "image": other["id"], "type": "book"}
    await do(admin, "posts", one, "publish")
    assert (await post(client, one))["seo"] == {
        "title": "T", "description": "D", "canonical": "https://elsewhere.example/p", "noindex": True,
        "nofollow": True,
        "og": {"title": "OG", "description": "D", "type": "book", "url": "https://elsewhere.example/p",
               "site_name": "Site",
               "image": {"url": f"https://example.org/blog{other['url']}", "alt": "other", "width": other["width"],
                         "height": other["height"]}},
        "twitter": {"card": "summary", "title": "OG", "description": "D",
                    "image": f"https://example.org/blog{other['url']}", "creator": "@ada"},
        "alternates": [],
    }  # fmt: skip
    answered(await admin.delete(f"{API}/media/{other['id']}", headers=ANY), 409, "in_use")
    answered(await admin.delete(f"{API}/media/{default['id']}", headers=ANY), 409, "in_use")
    wrong = {"canonical": "javascript:x", "og": {"image": str(uuid4())}, "twitter": {"card": "huge"}}
    problem = answered(
        await admin.patch(f"{API}/posts/{one['id']}", json={"seo": wrong}, headers=ANY), 422, "invalid"
    )
    assert {fault["pointer"] for fault in problem["errors"]} == {"/seo/canonical", "/seo/twitter/card"}
    page = await published(admin, "pages", title="Home", slug="home")
    await settings_of(admin, home_page=page["id"])
    response = await client.get(f"{CONTENT}/pages/{page['id']}")
    shown = msgspec.json.decode(response.content, type=DeliveredPage)
    assert shown.seo.canonical == "https://example.org/blog/"  # type: ignore[union-attr]


async def test_what_has_no_title_is_told_by_its_first_words(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application
) -> None:
    posts = application.container.cms.posts()

    async def untitled(body: str, **values: Any) -> dict[str, Any]:
        """A post as an import may bring it."""
        async with application.unit_of_work() as uow:
            made = await posts.create(uow, SYSTEM, PostChanges(title="", body=body, **values))
            await posts.publish(uow, SYSTEM, made.id, expected=None)
        return {"id": str(made.id)}

    words = "These are more words than anybody wants to see in the title of a preview."
    one, short, long = await untitled(words), await untitled("短い"), await untitled("長" * 80)
    own, nothing = await untitled("x", seo=Seo(og=OpenGraph(title="OG"))), await untitled("")

    async def titles(of: dict[str, Any]) -> tuple[str, str, str]:
        seo = (await post(client, of))["seo"]
        return seo["title"], seo["og"]["title"], seo["twitter"]["title"]

    assert await titles(nothing) == ("", "", "")
    await settings_of(admin, title="Site", seo={"title_template": "%s | Site"})
    beginning = "These are more words than anybody wants to see in the title …"
    assert await titles(one) == (f"{beginning} | Site", beginning, beginning)
    assert await titles(short) == ("短い | Site", "短い", "短い")
    assert await titles(long) == (f"{'長' * 60} … | Site", f"{'長' * 60} …", f"{'長' * 60} …")
    assert await titles(own) == ("OG | Site", "OG", "OG")
    assert await titles(nothing) == ("Site", "Site", "Site")
    items = (await client.get("/feed.json")).json()["items"]
    assert ["title" in item for item in items] == [False] * 5
    rss = ET.fromstring((await client.get("/feed.xml")).content).findall("channel/item")
    assert [(item.find("title"), item.find("description") is None) for item in rss] == [(None, False)] * 5
    atom = ET.fromstring((await client.get("/atom.xml")).content)
    assert len(atom.findall("{*}entry/{*}title")) == 5


async def test_previews_are_given_whole_addresses(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, cache: ResponseCache
) -> None:
    cover, card = await upload(admin, alt="cover"), await upload(admin, alt="card")
    one = await published(
        admin, "posts", title="P", slug="größe", cover=cover["id"], seo={"twitter": {"image": card["id"]}}
    )

    async def told() -> tuple[str, str]:
        response = await client.get(f"{CONTENT}/posts/{one['id']}")
        seo = answered(response, 200)["seo"]
        return seo["og"]["image"]["url"], seo["twitter"]["image"]

    await until(lambda: cache.is_current)
    assert await told() == await told() == (cover["url"], card["url"])
    for base in ("https://example.org/blog/", "https://other.example"):
        await settings_of(admin, base_url=base)
        whole = tuple(f"{base.rstrip('/')}{file['url']}" for file in (cover, card))
        assert await told() == await told() == whole


async def test_files_are_where_the_service_is_found(admin: httpx.AsyncClient, settings: Settings) -> None:
    cover = await upload(admin, alt="cover")
    page = await published(admin, "pages", title="Page", cover=cover["id"])
    type_ = {
        "key": "talk",
        "fields": [{"key": "title", "type": "text"}, {"key": "next", "type": "reference"}],
    }
    answered(await admin.post(f"{API}/content-types", json=type_), 201)
    entry = {"title": "T", "next": page["id"], "seo": {"og": {"image": cover["id"]}}}
    one = await published(admin, "entries/talk", **entry)
    other = create_app(msgspec.structs.replace(settings, public_url="https://cms.example/api/"))
    await other.state.application.start()
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(other), base_url="http://cms.test", headers=admin.headers
        ) as client:
            url = f"https://cms.example/api{cover['url']}"
            for path in (
                f"{CONTENT}/pages/{page['id']}", f"{CONTENT}/pages/by-path/page", f"{CONTENT}/entries/talk/{one['id']}",
            ):  # fmt: skip
                seo = answered(await client.get(path), 200)["seo"]
                assert (seo["og"]["image"]["url"], seo["twitter"]["image"], seo["canonical"]) == (
                    url,
                    url,
                    None,
                )
            for path in ("pages?fields=seo", "entries/talk?fields=seo", "entries/talk?include=next"):
                for found in answered(await client.get(f"{CONTENT}/{path}"), 200)["items"]:
                    assert (found.get("next") or found)["seo"]["og"]["image"]["url"] == url
            made = answered(await client.post(f"{API}/previews", json={"documents": [page["id"]]}), 201)
            shown = await client.get(
                f"{CONTENT}/pages/{page['id']}", headers={"Preview-Token": made["token"]}
            )
            assert answered(shown, 200)["seo"]["og"]["image"]["url"] == url
    finally:
        await other.state.application.stop()


async def test_what_search_engines_are_told_is_in_ascii(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    await settings_of(admin, base_url="https://example.org")
    type_ = {"key": "event", "path": "/events/{slug}", "fields": [{"key": "title", "type": "text"}]}
    answered(await admin.post(f"{API}/content-types", json=type_), 201)
    one = await published(admin, "entries/event", title="Ü", slug="ü-de")
    two = await make(admin, "entries/event", title="Ü", slug="日本-de", locale="de")
    translate(database_url, two, one)
    await do(admin, "entries/event", two, "publish")
    expected = {
        "de": spelt("https://example.org/events/日本-de"),
        "en": "https://example.org/events/%C3%BC-de",
    }
    for document, locale in ((one, "en"), (two, "de")):
        seo = answered(await client.get(f"{CONTENT}/entries/event/{document['id']}"), 200)["seo"]
        assert (seo["canonical"], seo["og"]["url"]) == (expected[locale], expected[locale])
        assert {told["locale"]: told["url"] for told in seo["alternates"]} == expected
    given = {"canonical": "https://elsewhere.example/größe?a=%20&b=[ü]{x}"}
    own = await published(admin, "posts", title="P", seo=given)
    seo = (await post(client, own))["seo"]
    assert seo["canonical"] == seo["og"]["url"] == spelt(given["canonical"])
    assert seo["canonical"] == "https://elsewhere.example/gr%C3%B6%C3%9Fe?a=%20&b=[%C3%BC]%7Bx%7D"
    # A file that was never fetched is where it was.
    file = await upload(admin, alt="x")
    source = 'https://old.example/ü a"b~%20.png?c=1'
    rows(
        database_url,
        "UPDATE cms.media SET storage_key = NULL, source_url = %s WHERE id = %s RETURNING id",
        (source, file["id"]),
    )
    shown = await published(admin, "posts", title="Q", cover=file["id"])
    assert (await post(client, shown))["seo"]["og"]["image"]["url"] == spelt(source)


async def test_translations_name_one_another(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    await settings_of(admin, base_url="https://example.org")
    one = await published(admin, "posts", title="One", slug="one")
    two = await make(admin, "posts", title="Eins", slug="eins", locale="de")
    translate(database_url, two, one)
    before = (await client.get(f"{CONTENT}/posts/{one['id']}")).headers["etag"]
    await do(admin, "posts", two, "publish")
    expected = [
        {"locale": "de", "url": "https://example.org/eins"},
        {"locale": "en", "url": "https://example.org/one"},
    ]
    for document in (one, two):
        response = await client.get(f"{CONTENT}/posts/{document['id']}")
        assert answered(response, 200)["seo"]["alternates"] == expected
        assert tags(one["id"], two["id"]) <= tagged(response)
        assert response.headers["etag"] != before
    await do(admin, "posts", two, "unpublish")
    (left,) = (await post(client, one))["seo"]["alternates"]
    assert left["locale"] == "en"


async def test_what_an_older_renderer_left_is_rendered_anew(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    one = await published(admin, "posts", title="P", body=BODY)
    draft = await published(admin, "posts", title="Q", body="<p>x</p>")
    await change(admin, "posts", draft, body="<p>draft</p>")
    await remove(admin, "posts", await published(admin, "posts", title="R"))
    rows(database_url, "DELETE FROM cms.renderings RETURNING document_id")
    rows(
        database_url,
        "UPDATE cms.publications SET rendering_version = 0, toc = '[]',"
        ' fields = fields || \'{"body": "old"}\' RETURNING 1',
    )
    before = await post(client, one, "?format=markdown")
    assert (before["body"], before["format"], before["toc"]) == ("old", "html", [])
    count = await application.container.cms.rendering().rerender(SYSTEM, application.unit_of_work)
    assert count == 2
    assert await application.container.cms.rendering().rerender(SYSTEM, application.unit_of_work) == 0
    after = await post(client, one, "?format=markdown")
    assert after["body"].startswith("## One")
    assert (after["version"], after["updated_at"]) == (before["version"], before["updated_at"])
    assert (await post(client, draft))["body"] == "<p>x</p>"
    events = rows(database_url, "SELECT subject::text FROM activity.events WHERE name = 'document.rendered'")
    assert sorted(events) == sorted([(one["id"],), (draft["id"],)])

"""Fields that readers, or not all editors, may see: nothing else tells what they say, or shows their files."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import ANY, API, CONTENT, answered, do, items, make, rows, tagged, tags
from tests.integration.cms.replica import Replica
from tests.integration.http.asking import check_problem, upload

from cms_api.adapters.sqlalchemy import migrations
from cms_api.bootstrap.container import Application

SECRET = "Tangerine"


async def model(admin: httpx.AsyncClient, **definition: Any) -> dict[str, Any]:
    """A new content type."""
    return answered(await admin.post(f"{API}/content-types", json=definition), 201)


class Types:
    """Changes who sees a field of a type, and has the job carried out that follows."""

    def __init__(self, admin: httpx.AsyncClient, application: Application) -> None:
        self._admin, self._application = admin, application
        self._job: dict[str, Any] | None = None

    async def show(self, key: str, field: str, visibility: str) -> None:
        """What readers get changes at once, before the job has come by."""
        made = answered(await self._admin.get(f"{API}/content-types/{key}"), 200)
        fields = [{**one, "visibility": visibility} if one["key"] == field else one for one in made["fields"]]
        response = await self._admin.patch(f"{API}/content-types/{key}", json={"fields": fields}, headers=ANY)
        self._job = answered(response, 200)["job"]

    async def settle(self) -> None:
        """Carry the job out."""
        if self._job is not None:
            parts = self._application.container
            handler = parts.cms.migration_handler()
            runner = parts.jobs.runner(handlers={handler.kind: handler})
            await runner.run(UUID(self._job["id"]), asyncio.Event())


@pytest.fixture
def types(admin: httpx.AsyncClient, application: Application) -> Types:
    return Types(admin, application)


async def told(client: httpx.AsyncClient, one: dict[str, Any]) -> str:
    """Everything that readers are told where an entry is shown."""
    url = f"{CONTENT}/entries/card"
    answers = [
        await client.get(path)
        for path in (
            f"{url}/{one['id']}", url, f"{url}?include=next", f"{CONTENT}/menus/main", f"{CONTENT}/sync",
            f"{CONTENT}/resolve?path=cards/{one['slug']}", f"{CONTENT}/search?q=plain", "/sitemaps/0.xml",
        )
    ]  # fmt: skip
    assert all(one.status_code == 200 for one in answers), [(one.url, one.text) for one in answers]
    return "".join(f"{answer.text}{answer.headers}" for answer in answers).lower()


@pytest.mark.parametrize("visibility", ["internal", "restricted"])
@pytest.mark.parametrize("title_field", [None, "code"])
async def test_a_title_that_is_hidden_is_told_nowhere(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    types: Types,
    user_client: Callable[..., Any],
    visibility: str,
    title_field: str | None,
) -> None:
    code = {"key": "code", "type": "text", "visibility": visibility}
    text = {"key": "text", "type": "text", "searchable": "high"}
    next_one = {"key": "next", "type": "reference", "types": ["card"]}
    fields = [code, text, next_one] if title_field is None else [text, next_one, code]
    await model(admin, key="card", path="/cards/{slug}", title_field=title_field, fields=fields)
    one = await make(admin, "entries/card", code=SECRET, text="Plain")
    assert one["slug"] == "card"
    other = await make(admin, "entries/card", text="Plain", next=one["id"], code=f"{SECRET} too")
    for entry in (one, other):
        await do(admin, "entries/card", entry, "publish")
    item = {"target": {"kind": "document", "id": one["id"]}}
    answered(await admin.post(f"{API}/menus", json={"key": "main", "name": "Main", "items": [item]}), 201)
    assert SECRET.lower() not in await told(client, one)
    author = await user_client("author")
    (referrer,) = await items(author, f"{API}/entries/card/{one['id']}/references?filter[face]=live")
    assert referrer["title"] == (f"{SECRET} too" if visibility == "internal" else "card-2")

    # Whatever was told before, and is told again, follows at once.
    await types.show("card", "code", "public")
    assert SECRET.lower() in await told(client, one)
    seen = answered(await client.get(f"{CONTENT}/entries/card/{one['id']}"), 200)
    assert (seen["code"], seen["seo"]["title"], seen["seo"]["og"]["title"]) == (SECRET, SECRET, SECRET)
    await types.settle()
    await types.show("card", "code", visibility)
    assert SECRET.lower() not in await told(client, one)
    (referrer,) = await items(author, f"{API}/entries/card/{one['id']}/references?filter[face]=live")
    assert referrer["title"] == (f"{SECRET} too" if visibility == "internal" else "card-2")


def holding(place: str, key: str, visibility: str, file: str) -> tuple[dict[str, Any], Any]:
    """A field that holds a file, perhaps inside of another one, and its value."""
    media = {"key": key, "type": "media"}
    match place:
        case "group":
            inner = {**media, "key": "scan"}
            return {"key": key, "type": "group", "visibility": visibility, "fields": [inner]}, {"scan": file}
        case "list":
            of = {"type": "media"}
            return {"key": key, "type": "list", "visibility": visibility, "of": of}, [file]
        case "blocks":
            variant = {"key": "page", "fields": [{"key": "scan", "type": "media"}]}
            field = {"key": key, "type": "blocks", "visibility": visibility, "variants": [variant]}
            return field, [{"type": "page", "scan": file}]
        case "text":
            field = {"key": key, "type": "rich_text", "visibility": visibility}
            return field, f'<p><img src="cms://media/{file}" alt=""></p>'
        case _:
            return {**media, "visibility": visibility}, file


@pytest.mark.parametrize("place", ["media", "group", "list", "blocks", "text"])
async def test_a_file_that_only_a_hidden_field_shows_is_not_public(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, types: Types, place: str
) -> None:
    scan = await upload(admin, title="Secret scan")
    field, value = holding(place, "paper", "restricted", scan["id"])
    draft = await make(admin, "posts", title="Not yet")
    behind = {"key": "behind", "type": "reference", "types": ["post"], "visibility": "internal"}
    await model(admin, key="deal", fields=[{"key": "name", "type": "text"}, field, behind])
    one = await make(admin, "entries/deal", name="Deal", paper=value, behind=draft["id"])
    replica = Replica(client, kinds="media")

    async def is_public() -> bool:
        """By its list, by itself and by the sync."""
        listed = await items(client, f"{CONTENT}/media?filter[title]=Secret scan")
        await replica.follow()
        synced = ("media", scan["id"]) in replica.resources
        response = await client.get(f"{CONTENT}/media/{scan['id']}")
        if listed:
            answered(response, 200)
        else:
            check_problem(response, 404, "nothing_published")
        assert bool(listed) == synced
        return synced

    assert not await is_public()
    await do(admin, "entries/deal", one, "publish")
    assert not await is_public()
    shown = await client.get(f"{CONTENT}/entries/deal/{one['id']}?include=authors")
    assert not tagged(shown) & tags(scan["id"], draft["id"])
    assert scan["id"] not in f"{shown.text}{shown.headers}"
    assert draft["id"] not in f"{shown.text}{shown.headers}"
    await types.show("deal", "paper", "public")
    assert await is_public()
    assert tags(scan["id"]) <= tagged(await client.get(f"{CONTENT}/entries/deal/{one['id']}"))
    await types.settle()
    await types.show("deal", "paper", "internal")
    assert not await is_public()
    # It can't be deleted all the same.
    check_problem(await admin.delete(f"{API}/media/{scan['id']}", headers=ANY), 409)


async def test_what_was_told_before_is_mended(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    scans = [await upload(admin, title=title) for title in ("Shown", "Hidden", "Hidden deep")]
    text = {"key": "code", "type": "text"}
    deep, inner = holding("group", "more", "internal", scans[2]["id"])
    files = [{"key": "front", "type": "media"}, {"key": "back", "type": "media", "visibility": "restricted"}]
    expected = {}
    for visibility in ("public", "internal", "restricted"):
        fields = [{"key": "no", "type": "number"}, {**text, "visibility": visibility}, *files, deep]
        await model(admin, key=visibility, fields=fields)
        said = {"front": scans[0]["id"], "back": scans[1]["id"], "more": inner}
        one = await make(admin, f"entries/{visibility}", slug="s", code=SECRET, **said)
        await do(admin, f"entries/{visibility}", one, "publish")
        expected[visibility] = (
            "s" if visibility == "restricted" else SECRET,
            SECRET if visibility == "public" else "s",
        )
    migrations.downgrade(database_url, "0028")
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE cms.documents SET title = %s WHERE slug = 's'", [SECRET])
        connection.execute("UPDATE cms.publications SET title = %s WHERE slug = 's'", [SECRET])
    migrations.upgrade(database_url)
    found = rows(
        database_url,
        """
        SELECT d.type, d.title, p.title, p.seo->'og'->>'title'
        FROM cms.documents d JOIN cms.publications p ON p.document_id = d.id
        """,
    )
    assert {key: (draft, live) for key, draft, live, _ in found} == expected
    assert all(told == live for _, _, live, told in found)
    listed = await items(client, f"{CONTENT}/media")
    assert [file["title"] for file in listed] == ["Shown"]

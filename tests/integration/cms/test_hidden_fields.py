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


def pointing(place: str, target: str) -> tuple[dict[str, Any], Any, str]:
    """A restricted field that points at a document, perhaps deep inside; a value, and where the link stands."""
    inner = {"key": "to", "type": "reference", "types": ["post"]}
    group = {"type": "group", "fields": [inner]}
    found: dict[str, tuple[dict[str, Any], Any, str]] = {
        "reference": ({**inner, "key": "behind"}, target, "/behind"),
        "group": (group, {"to": target}, "/behind/to"),
        "list": ({"type": "list", "of": group}, [{"to": target}], "/behind/0/to"),
        "blocks": (
            {"type": "blocks", "variants": [{"key": "note", "fields": [inner]}]},
            [{"type": "note", "to": target}],
            "/behind/0/to",
        ),
        "text": ({"type": "rich_text"}, f'<p><a href="cms://document/{target}">It</a></p>', "/behind"),
    }
    field, value, pointer = found[place]
    return {**field, "key": "behind", "visibility": "restricted"}, value, pointer


@pytest.mark.parametrize("place", ["reference", "group", "list", "blocks", "text"])
async def test_what_a_restricted_field_points_at_is_not_told(
    admin: httpx.AsyncClient, types: Types, user_client: Callable[..., Any], place: str
) -> None:
    target = await make(admin, "posts", title="Target")
    field, value, pointer = pointing(place, target["id"])
    open_ = {"key": "seen", "type": "reference", "types": ["post"]}
    await model(admin, key="deal", fields=[field, open_])
    one = await make(admin, "entries/deal", behind=value, seen=target["id"])
    other = await make(admin, "entries/deal", behind=value)
    for made in (one, other):
        await do(admin, "entries/deal", made, "publish")
    author, url = await user_client("author"), f"{API}/posts/{target['id']}"

    async def told(client: httpx.AsyncClient, query: str = "") -> list[tuple[str, str]]:
        page = answered(await client.get(f"{url}/references?count=exact&{query}"), 200)
        assert page["count"] == len(page["items"])
        return sorted({(row["id"], row["pointer"]) for row in page["items"]})

    everything = sorted([(one["id"], pointer), (one["id"], "/seen"), (other["id"], pointer)])
    assert await told(admin) == everything
    assert await told(author) == [(one["id"], "/seen")]
    assert await told(author, f"filter[id]={other['id']}") == []
    assert await told(author, f"filter[pointer]={pointer}") == []
    assert await told(author, "filter[not][field]=seen") == []
    first = answered(await author.get(f"{url}/references?limit=1"), 200)
    rest = answered(await author.get(f"{url}/references?limit=1&after={first['page']['next']}"), 200)
    assert [row["face"] for row in (*first["items"], *rest["items"])] == ["draft", "live"]
    assert rest["page"]["next"] is None

    for client, named in ((admin, {one["id"], other["id"]}), (author, {one["id"]})):
        preview = answered(await client.get(f"{url}/deletion"), 200)
        assert not preview["is_allowed"]
        assert preview["restricted_by"]["count"] == 2
        assert {row["id"] for row in preview["restricted_by"]["items"]} == named
    await types.show("deal", "behind", "internal")
    assert await told(author) == everything


async def test_who_forbids_a_deletion_by_a_restricted_field_is_not_named(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    author = await user_client("author")
    target = await make(author, "posts", title="Target")
    field, value, _ = pointing("reference", target["id"])
    await model(admin, key="deal", fields=[field])
    one = await make(admin, "entries/deal", behind=value)
    url = f"{API}/posts/{target['id']}"
    for client, named in ((admin, [one["id"]]), (author, [])):
        problem = answered(await client.delete(url, headers=ANY), 409, "in_use")
        assert (problem["documents"], [row["id"] for row in problem["referrers"]]) == (1, named)


async def test_what_restricted_fields_show_is_not_told_of_files(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    scan = await upload(admin, title="Scan")
    field, value = holding("blocks", "paper", "restricted", scan["id"])
    await model(admin, key="deal", fields=[field])
    await make(admin, "entries/deal", paper=value)
    author = await user_client("author")
    url = f"{API}/media/{scan['id']}/references"
    assert [row["pointer"] for row in await items(admin, url)] == ["/paper/0/scan"]
    assert await items(author, url) == []


async def test_leaving_links_out_takes_one_statement(
    admin: httpx.AsyncClient, user_client: Callable[..., Any], counting: Callable[[], Any]
) -> None:
    target = await make(admin, "posts", title="Target")
    field, value, _ = pointing("reference", target["id"])
    author, url = await user_client("author"), f"{API}/posts/{target['id']}/references"
    costs: dict[bool, list[int]] = {True: [], False: []}
    for number in range(3):
        await model(admin, key=f"deal_{number}", fields=[field])
        await make(admin, f"entries/deal_{number}", behind=value)
        for client in (admin, author):
            await items(client, url)  # which looks at the types that have changed
            async with counting() as statements:
                await items(client, url)
            costs[client is admin].append(len(statements))
    # Who asks, what is pointed at, the links; and whether any type has changed.
    assert costs == {True: [3] * 3, False: [4] * 3}


NOBODY = "comment_not_found"


async def test_comments_on_a_restricted_field_are_for_those_who_may_see_it(
    admin: httpx.AsyncClient, types: Types, user_client: Callable[..., Any]
) -> None:
    code = {"key": "code", "type": "group", "fields": [{"key": "words", "type": "text"}]}
    fields = [{"key": "name", "type": "text"}, {**code, "visibility": "restricted"}]
    await model(admin, key="card", fields=fields)
    author = await user_client("author")
    one = await make(author, "entries/card", name="One")
    answered(
        await admin.patch(f"{API}/entries/card/{one['id']}", json={"code": {"words": SECRET}}, headers=ANY),
        200,
    )
    url = f"{API}/entries/card/{one['id']}/comments"

    async def say(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
        return answered(await client.post(url, json={"body": "Hm."} | body), 201)

    secret = await say(admin, field="/code/words", quote=SECRET)
    reply = await say(admin, parent_id=secret["id"], body=f"{SECRET} it is")
    known = await say(admin, field="/name")
    whole = await say(author)

    async def told(client: httpx.AsyncClient, query: str = "") -> list[str]:
        page = answered(await client.get(f"{url}?count=exact&{query}"), 200)
        assert page["count"] == len(page["items"])
        return [item["id"] for item in page["items"]]

    assert await told(admin) == [secret["id"], reply["id"], known["id"], whole["id"]]
    assert await told(author) == [known["id"], whole["id"]]
    for query in (
        "filter[field]=/code/words", "filter[field][starts_with]=/c", f"filter[id]={reply['id']}",
        f"filter[parent_id]={secret['id']}", "filter[parent_id][exists]=true",
    ):  # fmt: skip
        assert await told(author, query) == [], query
    first = answered(await author.get(f"{url}?limit=1"), 200)
    rest = answered(await author.get(f"{url}?limit=1&after={first['page']['next']}"), 200)
    assert ([item["id"] for item in rest["items"]], rest["page"]["next"]) == ([whole["id"]], None)

    for hidden in (secret, reply):
        at = f"{url}/{hidden['id']}"
        answered(await author.get(at), 404, NOBODY)
        answered(await author.patch(at, json={"body": "x"}, headers=ANY), 404, NOBODY)
        answered(await author.delete(at, headers=ANY), 404, NOBODY)
        for verb in ("resolve", "reopen"):
            answered(await author.post(f"{at}/{verb}", headers=ANY), 404, NOBODY)
    missing = [
        answered(await author.post(url, json={"body": "x", "parent_id": parent}), 422)["errors"]
        for parent in (secret["id"], one["id"])
    ]
    assert missing[0] == missing[1]
    for field in ("/code", "/code/words"):
        answered(await author.post(url, json={"body": "x", "field": field}), 403, "forbidden")
    answered(await author.post(url, json={"body": "x", "field": "/cod"}), 422)

    await types.show("card", "code", "internal")
    assert await told(author) == [secret["id"], reply["id"], known["id"], whole["id"]]


async def test_comments_on_a_field_that_is_gone_are_for_those_who_may_see_all(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    """Under another key, or dropped, it is not known any more as the restricted field that it was."""
    code = {"key": "code", "type": "text", "visibility": "restricted"}
    made = await model(admin, key="card", fields=[{"key": "name", "type": "text"}, code])
    one = await make(admin, "entries/card", name="One", code=SECRET)
    url = f"{API}/entries/card/{one['id']}/comments"
    thread = answered(await admin.post(url, json={"body": "Hm.", "field": "/code", "quote": SECRET}), 201)
    name, secret = made["fields"]
    author = await user_client("author")
    drop = {"resolutions": {"secret": "drop"}}
    for fields, more in (([name, {**secret, "key": "secret"}], {}), ([name], drop)):
        changes = {"fields": fields, **more}
        answered(await admin.patch(f"{API}/content-types/card", json=changes, headers=ANY), 200)
        assert await items(author, url) == []
        answered(await author.get(f"{url}/{thread['id']}"), 404, NOBODY)
        assert [item["id"] for item in await items(admin, url)] == [thread["id"]]


async def test_that_a_restricted_field_changed_is_not_told(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    code = {"key": "code", "type": "text", "visibility": "restricted"}
    await model(admin, key="card", fields=[{"key": "name", "type": "text"}, code])
    author = await user_client("author")
    one = await make(author, "entries/card", name="One")
    url = f"{API}/entries/card/{one['id']}"
    answered(await admin.patch(url, json={"name": "Two", "code": SECRET}, headers=ANY), 200)
    for client, changed in ((admin, ["code", "name"]), (author, ["name"])):
        stale = answered(await client.patch(url, json={"name": "Three"}, headers={"If-Match": '"v1"'}), 412)
        assert stale["changed_fields"] == changed
        newest, *_ = await items(client, f"{url}/revisions")
        at = f"{url}/revisions/{newest['id']}"
        label = answered(await client.patch(at, json={"label": changed[0]}, headers=ANY), 200)
        diff = answered(await client.get(f"{url}/diff?from={newest['id']}"), 200)
        detail = answered(await client.get(at), 200)
        for told in (newest, label, diff["after"], detail):
            assert sorted(told["changed"]) == changed

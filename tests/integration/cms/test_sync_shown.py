"""Replicas of what a site shows beside its documents: menus, redirects, settings, readers' comments."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from litestar import Litestar
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
)
from tests.integration.cms.replica import Replica
from tests.integration.cms.streams import listening
from tests.integration.http.asking import upload

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.kernel.ids import new_id

KINDS = "menu,redirect,settings,comment"
Told = Callable[..., Awaitable[list[tuple[str, str]]]]


class Truth:
    """What delivery shows of those kinds, asked for one by one."""

    def __init__(self, client: httpx.AsyncClient, database_url: str) -> None:
        self._client = client
        self._url = database_url

    async def all(self) -> dict[tuple[str, str], Any]:
        settings = answered(await self._client.get(f"{CONTENT}/settings"), 200)
        found: dict[tuple[str, str], Any] = {("settings", str(SITE_ID)): settings}
        for menu in await items(self._client, f"{CONTENT}/menus?limit=100"):
            query = urlencode({"locale": menu["locale"]})
            whole = answered(await self._client.get(f"{CONTENT}/menus/{menu['key']}?{query}"), 200)
            found["menu", menu["id"]] = whole
        for kind in ("posts", "pages"):
            for document in await items(self._client, f"{CONTENT}/{kind}?limit=100"):
                for comment in await items(
                    self._client, f"{CONTENT}/{kind}/{document['id']}/comments?limit=100"
                ):
                    found["comment", comment["id"]] = comment
        return found

    async def leads(self) -> dict[str, tuple[int, str | None]]:
        """Where redirects lead from paths at which nothing is live."""
        found = {}
        for (source,) in rows(self._url, "SELECT source FROM cms.redirects"):
            response = await self._client.get(f"{CONTENT}/resolve?{urlencode({'path': f'/{source}'})}")
            if response.status_code == 200 and response.json()["kind"] == "redirect":
                found[source] = (response.json()["status"], response.json()["location"])
        return found


@pytest.fixture
def truth(client: httpx.AsyncClient, database_url: str) -> Truth:
    return Truth(client, database_url)


@pytest.fixture
def replica(client: httpx.AsyncClient) -> Replica:
    return Replica(client, kinds=KINDS)


@pytest.fixture
def told(replica: Replica, truth: Truth) -> Told:
    """What a walk tells; what the replica has by then is what delivery shows."""

    async def follow(limit: int = 100) -> list[tuple[str, str]]:
        found = await replica.follow(limit=limit)
        redirects = {key: one for key, one in replica.resources.items() if key[0] == "redirect"}
        others = {key: one for key, one in replica.resources.items() if key[0] != "redirect"}
        assert others == await truth.all()
        leads = {one["source"]: (one["status"], one["location"]) for one in redirects.values()}
        assert leads.items() >= (await truth.leads()).items()
        return [(kind, name) for kind, name in found if kind != "settings"] + [
            (kind, "") for kind, _ in found if kind == "settings"
        ]

    return follow


async def patch(admin: httpx.AsyncClient, path: str, **body: Any) -> None:
    answered(await admin.patch(f"{API}/{path}", json=body, headers=ANY), 200)


async def republish(admin: httpx.AsyncClient, kind: str, one: dict[str, Any], **body: Any) -> None:
    await change(admin, kind, one, **body)
    await do(admin, kind, one, "publish")


async def test_menus_come_again_when_what_they_point_at_changes(
    admin: httpx.AsyncClient, replica: Replica, told: Told
) -> None:
    page, other = [await published(admin, "pages", title=title) for title in ("About", "Other")]
    draft = await make(admin, "posts", title="Draft")
    tag, category = await make(admin, "tags", name="News"), await make(admin, "categories", name="All")
    targets = [{"kind": "document", "id": page["id"]}, {"kind": "document", "id": draft["id"]}]
    targets += [{"kind": "tag", "id": tag["id"]}]
    entries: list[dict[str, Any]] = [{"target": one} for one in targets]
    entries.append({"label": "Example", "target": {"kind": "url", "url": "https://example.org/"}})
    main = await make(admin, "menus", key="main", name="Main", items=entries)
    german = await make(admin, "menus", key="main", name="Haupt", locale="de")
    foot = await make(
        admin,
        "menus",
        key="foot",
        name="Foot",
        items=[{"target": {"kind": "category", "id": category["id"]}}],
    )
    assert await told(limit=1) == [("menu", "Foot"), ("menu", "Haupt"), ("menu", "Main"), ("settings", "")]
    assert await told() == []

    steps: dict[str, tuple[Awaitable[Any], list[str]]] = {
        "renamed": (patch(admin, f"menus/{german['id']}", name="Oben"), ["Oben"]),
        "title": (republish(admin, "pages", page, title="About us"), ["Main"]),
        "moved": (republish(admin, "pages", page, slug="us"), ["Main"]),
        "another's title": (republish(admin, "pages", other, title="Else"), []),
        "goes live": (do(admin, "posts", draft, "publish"), ["Main"]),
        "tag": (patch(admin, f"tags/{tag['id']}", name="Olds"), ["Main"]),
        "category's slug": (patch(admin, f"categories/{category['id']}", slug="every"), ["Foot"]),
        "taken down": (do(admin, "pages", page, "unpublish"), ["Main"]),
        "tag gone": (remove(admin, "tags", tag), ["Main"]),
        "other items": (
            patch(admin, f"menus/{german['id']}", items=[{"target": {"kind": "document", "id": page["id"]}}]),
            ["Oben"],
        ),
        "live again": (do(admin, "pages", page, "publish"), ["Main", "Oben"]),
    }
    for name, (step, menus) in steps.items():
        await step
        found = [which for kind, which in await told(limit=1) if kind == "menu"]
        assert found == menus, name
    # Several at once: each comes once.
    await republish(admin, "pages", page, title="We")
    await republish(admin, "posts", draft, title="Live")
    await patch(admin, f"menus/{main['id']}", name="Top")
    await republish(admin, "pages", page, title="We all")
    assert [one for one in await told(limit=1) if one[0] == "menu"] == [("menu", "Oben"), ("menu", "Top")]
    await remove(admin, "menus", foot)
    assert await told() == [("menu", "-")]
    before = dict(replica.resources)
    await replica.begin_anew()
    assert replica.resources == before


async def test_redirects_come_again_when_they_lead_elsewhere(
    admin: httpx.AsyncClient, replica: Replica, told: Told
) -> None:
    page = await published(admin, "pages", title="Team")
    await told()
    to_page = await make(admin, "redirects", source="/people", document=page["id"])
    by_path = await make(admin, "redirects", source="/crew", target="/team")
    below = await make(admin, "redirects", source="/t", target="/team", kind="prefix")
    gone = await make(admin, "redirects", source="/gone", status=410)
    away = await make(
        admin, "redirects", source="/away", target="https://example.org/ö".replace("ö", "%C3%B6")
    )
    assert len(await told(limit=2)) == 5
    assert replica.resources["redirect", to_page["id"]] == {
        "id": to_page["id"], "locale": "en", "kind": "exact", "source": "people", "status": 301,
        "location": "/team", "document": page["id"],
    }  # fmt: skip
    assert replica.resources["redirect", gone["id"]]["location"] is None
    assert replica.resources["redirect", away["id"]]["location"] == "https://example.org/%C3%B6"

    def where(one: dict[str, Any]) -> str | None:
        location: str | None = replica.resources["redirect", one["id"]]["location"]
        return location

    await republish(admin, "pages", page, slug="us")
    # The automatic one, and all that led to where the page was.
    assert len(await told(limit=1)) == 4
    assert [where(one) for one in (to_page, by_path, below)] == ["/us"] * 3
    await republish(admin, "pages", page, slug="we")
    assert {one[0] for one in await told(limit=1)} == {"redirect"}
    assert [where(one) for one in (to_page, by_path, below)] == ["/we"] * 3
    await republish(admin, "pages", page, title="Nothing else")
    assert await told() == []

    # The automatic one goes, by itself and by hand.
    other = await published(admin, "pages", title="Team")
    await told()
    assert (where(by_path), where(to_page)) == ("/team", "/we")
    await republish(admin, "pages", other, slug="squad")
    await told()
    assert (where(by_path), where(to_page)) == ("/squad", "/we")
    (automatic,) = await items(admin, f"{API}/redirects?filter[source]=team")
    await remove(admin, "redirects", automatic)
    assert sorted(await told()) == [("redirect", "-"), ("redirect", "/team"), ("redirect", "/team")]
    assert where(by_path) == "/team"

    await do(admin, "pages", page, "unpublish")
    assert ("redirect", "-") in await told()
    assert ("redirect", to_page["id"]) not in replica.resources
    await do(admin, "pages", page, "publish")
    await told()
    assert where(to_page) == "/we"
    await patch(admin, f"redirects/{away['id']}", target="/elsewhere")
    assert await told() == [("redirect", "/elsewhere")]
    await remove(admin, "redirects", away)
    assert await told() == [("redirect", "-")]
    before = dict(replica.resources)
    await replica.begin_anew()
    assert replica.resources == before


async def test_settings_come_again_when_what_they_show_changes(admin: httpx.AsyncClient, told: Told) -> None:
    home, logo = await published(admin, "pages", title="Home"), await upload(admin)
    other, file = await published(admin, "pages", title="Other"), await upload(admin)
    await told()
    settings = [("settings", "")]
    await patch(admin, "settings", title="Site", home_page=home["id"], logo=logo["id"])
    assert await told() == settings
    await patch(admin, f"media/{logo['id']}", alt="Ant")
    assert await told() == settings
    await patch(admin, f"media/{file['id']}", alt="Bee")
    await republish(admin, "pages", other, slug="else")
    assert "settings" not in {kind for kind, _ in await told()}
    for step in (
        republish(admin, "pages", home, slug="start"),
        do(admin, "pages", home, "unpublish"),
        do(admin, "pages", home, "publish"),
        patch(admin, "settings", image=file["id"]),
        patch(admin, f"media/{file['id']}", alt="Moth"),
    ):
        await step
        assert ("settings", "") in await told()
    assert await told() == []


async def test_comments_come_and_go_as_readers_see_them(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, replica: Replica, told: Told, database_url: str
) -> None:
    post, page = await published(admin, "posts", title="One"), await published(admin, "pages", title="Two")
    await told()

    async def say(body: str, parent: str | None = None, who: httpx.AsyncClient = admin) -> dict[str, Any]:
        more = {} if who is admin else {"author_name": "Grace", "author_email": "grace@example.org"}
        new = {"body": body, "parent": parent, **more}
        return answered(await who.post(f"{CONTENT}/posts/{post['id']}/comments", json=new), 201)

    async def act(comment: dict[str, Any], action: str) -> None:
        answered(await admin.post(f"{API}/comments/{comment['id']}/{action}", headers=ANY), 200)

    waiting = await say("Hi", who=client)
    assert await told() == []
    await act(waiting, "approve")
    assert await told() == [("comment", "Hi")]
    assert replica.resources["comment", waiting["id"]]["document"] == post["id"]
    first = await say("First")
    reply = await say("Reply", first["id"])
    await say("Reply to that", reply["id"])
    await told()
    await act(first, "spam")
    assert await told(limit=1) == [("comment", "-")] * 3
    late = Replica(client, kinds="comment")
    assert await late.follow() == [("comment", "Hi")]
    await act(first, "restore")
    await patch(admin, f"comments/{reply['id']}", body="Answer")
    assert await told(limit=1) == [("comment", "Answer"), ("comment", "First"), ("comment", "Reply to that")]

    await do(admin, "posts", post, "unpublish")
    assert await told(limit=2) == [("comment", "-")] * 4
    await act(waiting, "trash")
    await told()
    await do(admin, "posts", post, "publish")
    assert ("comment", "Hi") not in await told()
    assert len(replica.resources) == 4
    await republish(admin, "posts", post, title="Other")
    await republish(admin, "pages", page, title="Other")
    assert await told() == []
    # Whatever else is noted of one, and what waits or is spam, is not told.
    number = "SELECT count(*) FROM cms.changes WHERE resource = 'comment'"
    before = rows(database_url, number)
    with psycopg.connect(database_url) as other:
        other.execute("UPDATE cms.reader_comments SET client_hash = NULL, version = version + 1")
    await act(await say("Buy", who=client), "spam")
    assert rows(database_url, number) == before
    answered(await admin.delete(f"{API}/comments/{first['id']}", headers=ANY), 204)
    assert await told() == [("comment", "-")] * 3
    await remove(admin, "posts", post)
    await told()
    assert [kind for kind, _ in replica.resources] == ["settings"]


async def test_what_points_at_something_and_what_it_points_at_are_committed_in_any_order(
    admin: httpx.AsyncClient, replica: Replica, truth: Truth, told: Told, database_url: str
) -> None:
    page = await published(admin, "pages", title="About")
    menu = await make(admin, "menus", key="main", name="Main")
    await told()
    add = (
        "INSERT INTO cms.menu_items (menu_id, id, position, kind, document_id, opens_in_new_tab)"
        " VALUES (%s, %s, %s, 'document', %s, false)"
    )
    rename = "UPDATE cms.publications SET title = title || '!' WHERE document_id = %s"
    lead = (
        "INSERT INTO cms.redirects (id, locale, match, source, target, document_id, status, is_automatic, created_at,"
        " updated_at) VALUES (%s, 'en', 'exact', %s, %s, %s, 301, %s, now(), now())"
    )
    with psycopg.connect(database_url) as early, psycopg.connect(database_url) as late:
        # Whichever of the two ends first, both are told of in the end.
        for number, (first, second) in enumerate(((early, late), (late, early))):
            early.execute(add, [menu["id"], new_id(), number, page["id"]])
            late.execute(rename, [page["id"]])
            first.commit()
            await replica.follow()
            second.commit()
            await told()
            early.execute(lead, [new_id(), f"from-{number}", f"old-{number}", None, False])
            late.execute(lead, [new_id(), f"old-{number}", None, page["id"], True])
            first.commit()
            await replica.follow()
            second.commit()
            await told()
            early.execute("SELECT pg_current_xact_id()")
            late.execute("DELETE FROM cms.redirects WHERE source = %s", [f"old-{number}"])
            late.commit()
            await replica.follow()
            early.execute(lead, [new_id(), f"by-{number}", f"old-{number}", None, False])
            early.commit()
            await told()
    assert len((await truth.all())["menu", menu["id"]]["items"]) == 2


async def test_tokens_from_before_go_on_with_the_kinds_there_were(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    sync, first = f"{CONTENT}/sync", "author,category,document,media,tag"
    # What a token without kinds was good for, once.
    old = answered(await client.get(sync, params={"kinds": first}), 200)["token"]
    await make(admin, "menus", key="main", name="Main")
    await make(admin, "tags", name="News")
    page = answered(await client.get(sync, params={"token": old}), 200)
    assert [item["kind"] for item in page["items"]] == ["tag"]
    again = answered(await client.get(sync, params={"token": page["token"], "kinds": first}), 200)
    assert again["items"] == []
    # One of now is for all there is, and not good for those.
    new = answered(await client.get(sync), 200)
    assert {item["kind"] for item in new["items"]} == {"tag", "menu", "settings"}
    answered(await client.get(sync, params={"token": new["token"], "kinds": first}), 400, "malformed")
    answered(await client.get(sync, params={"token": old, "type": "post"}), 400, "malformed")
    answered(await client.get(sync, params={"token": old, "kinds": "tag"}), 400, "malformed")


async def test_they_are_streamed(
    app: Litestar, admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application
) -> None:
    del application
    menu = await make(admin, "menus", key="main", name="Main")
    token = answered(await client.get(f"{CONTENT}/sync?kinds=menu,redirect"), 200)["token"]
    await remove(admin, "menus", menu)
    await make(admin, "redirects", source="/old", target="/new")
    async with listening(app, f"{CONTENT}/sync/events", f"kinds=menu,redirect&token={token}") as heard:
        gone, made = (await heard.event()).data, (await heard.event()).data
    assert gone == {"kind": "menu", "type": None, "id": menu["id"], "is_deleted": True, "data": None}
    assert (made["kind"], made["data"]["location"]) == ("redirect", "/new")

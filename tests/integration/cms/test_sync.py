"""Replicas that follow what is published, on a real database."""

import asyncio
import time
from typing import Any

import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import (
    API,
    CONTENT,
    answered,
    change,
    do,
    make,
    published,
    remove,
    rows,
)
from tests.integration.cms.replica import Replica
from tests.integration.http.asking import upload

from cms_api.domains.cms.sync.interface import KINDS

EVENT = {
    "key": "event",
    "name": "Event",
    "fields": [
        {"key": "headline", "type": "text", "required": True},
        {"key": "place", "type": "reference", "types": ["venue"]},
        {"key": "budget", "type": "number", "visibility": "internal"},
    ],
}
VENUE = {"key": "venue", "name": "Venue", "fields": [{"key": "name", "type": "text", "required": True}]}


async def entry_of(admin: httpx.AsyncClient, kind: str, **body: Any) -> dict[str, Any]:
    return answered(await admin.post(f"{API}/entries/{kind}", json=body), 201)


async def test_everything_then_only_what_has_changed(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    tag = await make(admin, "tags", name="News")
    post = await published(admin, "posts", title="One", tags=[tag["id"]])
    other = await published(admin, "posts", title="Two")
    await make(admin, "posts", title="Draft")
    page = await published(admin, "pages", title="Home")
    replica = Replica(client, kinds="document,tag")
    assert await replica.follow(limit=2) == [
        ("document", "Home"), ("document", "One"), ("document", "Two"), ("tag", "News"),
    ]  # fmt: skip
    shown = answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)
    assert replica.resources["document", post["id"]] == shown
    assert await replica.follow() == []

    await change(admin, "posts", post, title="!")
    assert await replica.follow() == []
    await do(admin, "posts", post, "publish")
    await change(admin, "tags", tag, name="Olds")
    assert await replica.follow() == [("document", "!"), ("tag", "Olds")]

    await do(admin, "posts", post, "unpublish")
    await remove(admin, "pages", page)
    await do(admin, "posts", other, "publish")
    await do(admin, "posts", other, "publish")
    assert await replica.follow(limit=1) == [("document", "-"), ("document", "-"), ("document", "Two")]
    await do(admin, "posts", post, "publish")
    assert await replica.follow() == [("document", "!")]
    assert {one for _, one in replica.resources} == {tag["id"], post["id"], other["id"]}
    # Who comes only now hears nothing of what is gone.
    late = Replica(client, kinds="tag,document")
    await late.follow()
    assert late.resources == replica.resources
    assert ("document", "-") not in late.told


async def test_authors_and_files_come_with_what_shows_them(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    avatar, cover = await upload(admin), await upload(admin)
    ada = await make(admin, "authors", name="Ada", avatar_id=avatar["id"])
    replica = Replica(client, kinds="document,author,media")
    assert await replica.follow() == []
    post = await make(admin, "posts", title="One", authors=[ada["id"]], cover=cover["id"])
    assert {data for _, data in await replica.follow()} <= {"-"}
    await do(admin, "posts", post, "publish")
    told = await replica.follow()
    assert ("author", "Ada") in told
    assert {key for key in replica.resources if key[0] == "media"} == {
        ("media", avatar["id"]), ("media", cover["id"]),
    }  # fmt: skip
    await change(admin, "authors", ada, avatar_id=None)
    assert ("media", "-") in await replica.follow()
    await do(admin, "posts", post, "unpublish")
    await replica.follow()
    assert replica.resources == {}
    answered(await admin.patch(f"{API}/settings", json={"logo": cover["id"]}, headers={"If-Match": "*"}), 200)
    await replica.follow()
    assert list(replica.resources) == [("media", cover["id"])]


async def test_entries_come_without_what_is_private_and_again_when_their_type_changes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    answered(await admin.post(f"{API}/content-types", json=VENUE), 201)
    made = answered(await admin.post(f"{API}/content-types", json=EVENT), 201)
    venue = await entry_of(admin, "venue", name="Hall")
    event = await entry_of(admin, "event", headline="Launch", place=venue["id"], budget=5)
    second = await entry_of(admin, "event", headline="Other")
    for one in (event, second):
        await do(admin, "entries/event", one, "publish")
    await published(admin, "posts", title="Post")
    replica = Replica(client, type="event,venue", kinds="document")
    assert len(await replica.follow()) == 2
    assert "budget" not in replica.resources["document", event["id"]]
    assert replica.resources["document", event["id"]]["place"] is None
    # What points at it shows it now.
    await do(admin, "entries/venue", venue, "publish")
    assert len(await replica.follow()) == 2
    assert replica.resources["document", event["id"]]["place"] == venue["id"]
    await do(admin, "entries/venue", venue, "unpublish")
    await replica.follow()
    assert replica.resources["document", event["id"]]["place"] is None

    fields = [{**field} for field in made["fields"]]
    fields[2]["visibility"] = "public"
    answered(
        await admin.patch(f"{API}/content-types/event", json={"fields": fields}, headers={"If-Match": "*"}),
        200,
    )
    await do(admin, "entries/event", second, "publish")
    assert len(await replica.follow(limit=1)) == 2
    assert replica.resources["document", event["id"]]["budget"] == 5
    assert await replica.follow() == []


async def test_kinds_types_and_languages_are_chosen(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await make(admin, "tags", name="News")
    await make(admin, "categories", name="All")
    await published(admin, "posts", title="English")
    await published(admin, "posts", title="Français", locale="fr")
    await published(admin, "pages", title="Home")
    assert await Replica(client, kinds="category,tag").follow() == [("category", "All"), ("tag", "News")]
    assert await Replica(client, kinds="document", type="post", locale="fr").follow() == [
        ("document", "Français")
    ]
    assert await Replica(client, kinds="category,document,tag", type="page").follow() == [
        ("category", "All"), ("document", "Home"), ("tag", "News"),
    ]  # fmt: skip


async def test_what_is_asked_wrongly_is_told(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    sync = f"{CONTENT}/sync"
    await make(admin, "tags", name="News")
    token = answered(await client.get(sync), 200)["token"]
    for query in (
        "kinds=documents", "limit=0", "limit=101", "token=x", "after=x", f"token={token[:-1]}",
        f"token={token}&after={token}", f"token={token}&kinds=tag", f"token={token}&locale=fr", "tokens=1",
        "preview=x",
    ):  # fmt: skip
        answered(await client.get(f"{sync}?{query}"), 400, "malformed")
    response = await client.get(sync)
    assert response.headers["cache-control"] == "no-store"
    assert "cache-tag" not in response.headers


async def test_a_restored_database_begins_anew(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    post = await published(admin, "posts", title="One")
    replica = Replica(client, kinds="document")
    await replica.follow()
    with psycopg.connect(database_url, autocommit=True) as other:
        # The database of a test is a copy of another.
        assert other.execute("SELECT cms.renew_epoch()").fetchone() == (True,)
        assert other.execute("SELECT cms.renew_epoch()").fetchone() == (False,)
        await replica.begin_anew()
        # That takes no right but to the schema.
        other.execute("CREATE ROLE cms_plain")
        other.execute("GRANT USAGE ON SCHEMA cms TO cms_plain")
        other.execute("SET ROLE cms_plain")
        assert other.execute("SELECT cms.change_lineage()").fetchone() is not None
        other.execute("RESET ROLE")
        other.execute("DROP OWNED BY cms_plain")
        other.execute("DROP ROLE cms_plain")
        # As a copy in a cluster that has done less.
        other.execute("UPDATE cms.changes SET xact = (xact::text::bigint + 1000000)::text::xid8")
        assert other.execute("SELECT cms.renew_epoch()").fetchone() == (True,)
        assert other.execute("SELECT cms.renew_epoch()").fetchone() == (False,)
    gone = await client.get(f"{CONTENT}/sync", params={"token": str(replica.token), "kinds": "document"})
    answered(gone, 410, "sync_token_expired")
    answered(
        await client.get(
            f"{CONTENT}/sync/events?kinds=document", headers={"Last-Event-ID": str(replica.token)}
        ),
        410,
        "sync_token_expired",
    )
    anew = Replica(client, kinds="document")
    await anew.follow()
    assert anew.resources == replica.resources
    await do(admin, "posts", post, "unpublish")
    assert await anew.follow() == [("document", "-")]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("UPDATE cms.change_epoch SET lineage = 'elsewhere'")
        assert other.execute("SELECT cms.renew_epoch()").fetchone() == (True,)
    answered(await client.get(f"{CONTENT}/sync", params={"token": str(anew.token), "kinds": "document"}), 410)


async def test_what_others_commit_meanwhile_is_no_other_log(
    admin: httpx.AsyncClient, database_url: str
) -> None:
    def renew() -> bool:
        return bool(rows(database_url, "SELECT cms.renew_epoch()")[0][0])

    def wait() -> None:
        while rows(database_url, waiting) == [(0,)]:
            time.sleep(0.01)

    # The database of a test is a copy of another, once.
    assert renew()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%renew_epoch%%' AND wait_event_type = 'Lock'"
    with psycopg.connect(database_url) as holding:
        holding.execute("SELECT FROM cms.change_epoch FOR UPDATE")
        renewing = asyncio.create_task(asyncio.to_thread(renew))
        await asyncio.to_thread(wait)
        await make(admin, "tags", name="News")
    assert await renewing is False


@pytest.fixture
def aged(database_url: str) -> Any:
    """Makes the log of changes older by some days."""

    def age(days: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute(
                "UPDATE cms.changes SET changed_at = changed_at - make_interval(days => %s)", [days]
            )

    return age


async def test_the_log_is_kept_short_and_old_tokens_are_refused(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Any, database_url: str, aged: Any
) -> None:
    upkeep, new_uow = application.container.cms.change_upkeep(), application.unit_of_work

    def lines() -> int:
        return int(rows(database_url, "SELECT count(*) FROM cms.changes WHERE resource = 'document'")[0][0])

    await upkeep.compact(new_uow)
    post = await published(admin, "posts", title="One")
    for _ in range(3):
        await do(admin, "posts", post, "publish")
    gone = await published(admin, "posts", title="Two")
    early, late = Replica(client, kinds="document"), Replica(client, kinds="document")
    await early.follow()
    await do(admin, "posts", gone, "unpublish")
    await late.follow()
    assert await upkeep.compact(new_uow) == 0
    assert lines() == 6
    aged(2)
    assert await upkeep.compact(new_uow) >= 4
    assert lines() == 2
    assert await early.follow() == [("document", "-")]
    assert await late.follow() == []
    aged(89)
    old = Replica(client, kinds="document")
    old.token = early.token
    await do(admin, "posts", post, "publish")
    assert await upkeep.compact(new_uow) >= 1
    assert lines() == 2
    # Whoever has heard of the deletion goes on; who may not have must start anew.
    assert await early.follow() == [("document", "One")]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("UPDATE cms.change_epoch SET pruned = pg_current_xact_id()")
    answered(
        await client.get(f"{CONTENT}/sync", params={"token": str(old.token), "kinds": "document"}),
        410,
        "sync_token_expired",
    )


async def test_the_number_of_statements_does_not_grow(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, asked: list[str]
) -> None:
    async def statements() -> int:
        asked.clear()
        answered(await client.get(f"{CONTENT}/sync?limit=100"), 200)
        return len(asked)

    ada = await make(admin, "authors", name="Ada")
    await make(admin, "tags", name="News")
    await make(admin, "categories", name="All")
    await published(admin, "posts", title="One", authors=[ada["id"]])
    home = await published(admin, "pages", title="Home")
    await upload(admin)

    async def more(number: int) -> None:
        await make(admin, "tags", name=f"Tag {number}")
        post = await published(admin, "posts", title=f"Post {number}", authors=[ada["id"]])
        target = {"kind": "document", "id": home["id"]}
        await make(admin, "menus", key=f"menu-{number}", name="Menu", items=[{"target": target}])
        await make(admin, "redirects", source=f"/old/{number}", document=home["id"])
        url = f"{CONTENT}/posts/{post['id']}/comments"
        answered(await admin.post(url, json={"body": f"Number {number}"}), 201)

    await more(0)
    few = await statements()
    # The log, posts and pages; what else there is, one for each kind.
    assert few == 3 + len(KINDS) - 1
    for number in range(1, 12):
        await more(number)
    assert await statements() == few


async def test_what_shows_something_else_comes_again_when_that_changes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    tag, file = await make(admin, "tags", name="News"), await upload(admin)
    home = await published(admin, "pages", title="Home")
    mention = f'<a href="cms://document/{home["id"]}">home</a> <a href="cms://tag/{tag["id"]}">news</a>'
    one = await published(admin, "posts", title="One", body=f"<p>{mention}</p>", cover=file["id"])
    await published(admin, "posts", title="Two")
    replica = Replica(client, kinds="document")
    await replica.follow()

    async def patch(path: str, **body: Any) -> None:
        answered(await admin.patch(f"{API}/{path}", json=body, headers={"If-Match": "*"}), 200)

    async def truth() -> dict[tuple[str, str], Any]:
        found = [
            item
            for kind in ("posts", "pages")
            for item in answered(await client.get(f"{CONTENT}/{kind}?limit=100"), 200)["items"]
        ]
        return {("document", item["id"]): item for item in found}

    async def told(limit: int = 100) -> list[str]:
        found = await replica.follow(limit=limit)
        assert replica.resources == await truth()
        return [title for _, title in found]

    await patch(f"media/{file['id']}", alt="Grey")
    assert await told() == ["One"]
    await patch(f"tags/{tag['id']}", slug="olds")
    assert await told() == ["One"]
    await patch("settings", title="Site", base_url="https://example.org")
    assert await told(limit=1) == ["Home", "One", "Two"]
    await patch("settings", base_urls={"en": "https://example.org/en"})
    assert await told() == ["Home", "One", "Two"]
    await change(admin, "pages", home, slug="start")
    await do(admin, "pages", home, "publish")
    assert await told() == ["Home", "One"]
    await do(admin, "pages", home, "unpublish")
    assert await told() == ["-", "One"]
    # Several at once: each document comes once all the same.
    await do(admin, "pages", home, "publish")
    await patch(f"media/{file['id']}", alt="White")
    await patch(f"tags/{tag['id']}", slug="news")
    await patch("settings", title="Other", image=file["id"])
    await do(admin, "posts", one, "publish")
    assert await told(limit=1) == ["Home", "One", "Two"]
    await patch(f"media/{file['id']}", alt="Black")
    assert await told() == ["Home", "One", "Two"]
    assert await told() == []


async def test_a_walk_begins_with_types_that_there_are(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    answered(await admin.post(f"{API}/content-types", json=VENUE), 201)
    refused = answered(await client.get(f"{CONTENT}/sync?type=post,nope,venue,other"), 400)
    assert [(one["parameter"], one["code"]) for one in refused["errors"]] == [("type", "unknown_type")] * 2
    assert "nope" in refused["detail"]
    answered(await client.get(f"{CONTENT}/sync/events?type=nope"), 400)
    token = answered(await client.get(f"{CONTENT}/sync?type=venue"), 200)["token"]
    kind = answered(await admin.get(f"{API}/content-types/venue"), 200)
    answered(await admin.delete(f"{API}/content-types/{kind['key']}", headers={"If-Match": "*"}), 204)
    # Whoever follows it has to hear that it went.
    answered(await client.get(f"{CONTENT}/sync?type=venue&token={token}"), 200)

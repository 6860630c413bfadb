"""Retention: what is kept, who decides, and that what goes is gone from the disk as well."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
from tests.integration.cms.cms_client import (
    ANY,
    API,
    answered,
    at,
    change,
    faults,
    items,
    make,
    published,
    remove,
    rows,
)

from cms_api.bootstrap.container import Application

POLICY = f"{API}/retention-policies/post"


def count(url: str, table: str, document: dict[str, Any]) -> int:
    (row,) = rows(url, f"SELECT count(*) FROM cms.{table} WHERE document_id = %s", [document["id"]])
    return int(row[0])


async def test_policies_are_read_and_changed(admin: httpx.AsyncClient, database_url: str) -> None:
    listed = answered(await admin.get(f"{API}/retention-policies"), 200)
    assert [(one["type"], one["max_revisions"], one["max_trash_days"]) for one in listed["items"]] == [
        ("page", 1000, 30),
        ("post", 1000, 30),
    ]
    answered(await admin.patch(POLICY, json={"max_revisions": 2}), 428)
    answered(await admin.patch(POLICY, json={"max_revisions": 2}, headers=at(9)), 412, "stale")
    changed = answered(
        await admin.patch(POLICY, json={"max_revisions": 2, "max_trash_days": None}, headers=at(1)), 200
    )
    assert (changed["max_revisions"], changed["max_revision_days"], changed["max_trash_days"]) == (
        2,
        365,
        None,
    )
    assert changed["version"] == 2
    assert answered(await admin.patch(POLICY, json={"max_revisions": 2}, headers=ANY), 200)["version"] == 2
    response = await admin.get(POLICY, headers={"If-None-Match": '"v2"'})
    assert response.status_code == 304
    found = rows(
        database_url, "SELECT payload->'policy' FROM activity.events WHERE name = 'retention.updated'"
    )
    assert found == [({"max_revisions": 2, "max_revision_days": 365, "max_trash_days": None},)]


async def test_wrong_limits_are_all_named(admin: httpx.AsyncClient) -> None:
    body = {"max_revisions": 0, "max_revision_days": 36_501, "max_trash_days": "30", "keep": 1}
    wrong = answered(await admin.patch(POLICY, json=body, headers=ANY), 422)
    assert {pointer for pointer, _ in faults(wrong)} == {f"/{name}" for name in body}
    answered(await admin.get(f"{API}/retention-policies/novel"), 404, "type_not_found")
    answered(
        await admin.patch(f"{API}/retention-policies/novel", json={}, headers=ANY), 404, "type_not_found"
    )


async def test_who_may_decide(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    editor = await user_client("editor")
    answered(await client.get(POLICY), 401)
    answered(await editor.get(POLICY), 200)
    answered(await editor.patch(POLICY, json={"max_revisions": 2}, headers=ANY), 403)
    answered(await admin.patch(POLICY, json={"max_revisions": 2}, headers=ANY), 200)


async def test_old_revisions_go_with_their_contents(
    admin: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    post = await published(admin, "posts", title="One", body="Some words. " * 500)
    for number in range(12):
        await change(admin, "posts", post, body=f"Some words. {number} " * 500)
    answered(await admin.patch(POLICY, json={"max_revisions": 3}, headers=ANY), 200)
    retention = application.container.cms.retention()
    assert await retention.purge_revisions(application.unit_of_work) == 9
    assert await retention.purge_revisions(application.unit_of_work) == 0
    kept = await items(admin, f"{API}/posts/{post['id']}/revisions")
    assert [row["document_version"] for row in kept] == [14, 13, 12, 1]
    assert count(database_url, "revisions", post) == 4
    assert 4 <= count(database_url, "contents", post) <= 8
    for row in kept:
        answered(await admin.get(f"{API}/posts/{post['id']}/revisions/{row['id']}"), 200)
    events = rows(database_url, "SELECT subject, payload FROM activity.events WHERE name = 'revision.purged'")
    assert [(subject, payload["number"]) for subject, payload in events] == [(UUID(post["id"]), 9)]


async def test_many_revisions_go_in_batches(
    admin: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    post = await make(admin, "posts", title="One")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            """
            INSERT INTO cms.revisions (document_id, id, document_version, hash, size, created_at)
            SELECT document_id, gen_random_uuid(), 1, hash, size, '2020-01-01' FROM cms.revisions,
                generate_series(1, 2500) WHERE document_id = %s
            """,
            [post["id"]],
        )
    retention = application.container.cms.retention()
    assert await retention.purge_revisions(application.unit_of_work) == 2500
    assert count(database_url, "revisions", post) == 1
    events = rows(
        database_url, "SELECT (payload->'number')::int FROM activity.events WHERE name = 'revision.purged'"
    )
    assert sorted(row[0] for row in events) == [500, 1000, 1000]


async def test_what_was_in_the_trash_for_long_enough_goes(
    admin: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    above = await make(admin, "pages", title="Above")
    below = await make(admin, "pages", title="Below", parent=above["id"])
    fresh = await make(admin, "pages", title="Fresh")
    for page in (below, above, fresh):
        await remove(admin, "pages", page)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE cms.documents SET trashed_at = now() - interval '31 days' WHERE id <> %s", [fresh["id"]]
        )
    retention = application.container.cms.retention()
    assert await retention.purge_trash(application.unit_of_work) == 2
    answered(await admin.get(f"{API}/pages/{above['id']}"), 404)
    answered(await admin.get(f"{API}/pages/{below['id']}"), 404)
    answered(await admin.get(f"{API}/pages/{fresh['id']}"), 200)
    purged = rows(
        database_url, "SELECT subject FROM activity.events WHERE name = 'document.purged' ORDER BY position"
    )
    assert [str(row[0]) for row in purged] == [below["id"], above["id"]]

"""Revisions over HTTP: every save makes one, each can be read, compared and gone back to."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
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
    items,
    make,
    published,
    remove,
    rows,
)


def revisions_of(one: dict[str, Any], kind: str = "posts") -> str:
    return f"{API}/{kind}/{one['id']}/revisions"


async def restore(
    client: httpx.AsyncClient, one: dict[str, Any], revision: str, query: str = ""
) -> httpx.Response:
    return await client.post(f"{revisions_of(one)}/{revision}/restore{query}", headers=ANY)


async def test_every_save_makes_a_revision(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="One")
    await change(admin, "posts", post, title="Two", body="<p>b</p>")
    saved = await change(admin, "posts", post, title="Three")
    await change(admin, "posts", post, title="Three")
    found = await items(admin, revisions_of(post))
    assert [row["document_version"] for row in found] == [3, 2, 1]
    assert [row["changed"] for row in found] == [["title"], ["title", "body"], []]
    assert [row["is_draft"] for row in found] == [True, False, False]
    assert saved["draft_revision"] == found[0]["id"]
    assert saved["live_revision"] is None
    one = answered(await admin.get(f"{revisions_of(post)}/{found[2]['id']}"), 200)
    assert (one["content"]["title"], one["version"]) == ("One", 1)
    again = await admin.get(f"{revisions_of(post)}/{found[2]['id']}", headers={"If-None-Match": '"v1"'})
    assert again.status_code == 304


async def test_a_revision_is_labelled_and_pinned(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="One")
    url = f"{revisions_of(post)}/{post['draft_revision']}"
    body = {"label": "As printed", "is_pinned": True}
    answered(await admin.patch(url, json=body), 428)
    answered(await admin.patch(url, json=body, headers=at(7)), 412, "stale")
    response = await admin.patch(url, json=body, headers=at(1))
    changed = answered(response, 200)
    assert (changed["label"], changed["is_pinned"], changed["version"]) == ("As printed", True, 2)
    assert response.headers["etag"] == '"v2"'
    assert [row["id"] for row in await items(admin, f"{revisions_of(post)}?filter[is_pinned]=true")] == [
        post["draft_revision"]
    ]
    unlabelled = answered(await admin.patch(url, json={"label": None}, headers=at(2)), 200)
    assert (unlabelled["label"], unlabelled["is_pinned"]) == (None, True)
    wrong = answered(await admin.patch(url, json={"label": "", "is_pinned": 1}, headers=ANY), 422)
    assert {pointer for pointer, _ in faults(wrong)} == {"/label", "/is_pinned"}


async def test_an_old_revision_becomes_the_draft_again(admin: httpx.AsyncClient) -> None:
    post = await published(admin, "posts", title="One", body="<p>first</p>")
    first = post["live_revision"]
    await change(admin, "posts", post, title="Two", body="<p>second</p>")
    answered(await admin.post(f"{revisions_of(post)}/{first}/restore", headers=at(1)), 412)
    answered(await admin.post(f"{revisions_of(post)}/{first}/restore"), 428)
    back = answered(await restore(admin, post, first), 200)
    assert (back["title"], back["body"], back["version"]) == ("One", "<p>first</p>", 4)
    assert back["has_unpublished_changes"] is False
    newest = (await items(admin, revisions_of(post)))[0]
    assert (newest["restored_from"], newest["id"]) == (first, back["draft_revision"])
    assert answered(await restore(admin, post, first), 200)["version"] == 4


async def test_what_a_revision_points_at_may_be_gone(admin: httpx.AsyncClient) -> None:
    tags = [await make(admin, "tags", name=name) for name in ("Kept", "Gone")]
    post = await make(admin, "posts", title="One", tags=[tag["id"] for tag in tags])
    first = post["draft_revision"]
    await change(admin, "posts", post, tags=[])
    await remove(admin, "tags", tags[1])
    refused = answered(await restore(admin, post, first), 422)
    assert faults(refused) == [("/tags/1", "unknown_reference")]
    answered(await restore(admin, post, first, "?missing=keep"), 400)
    answered(await restore(admin, post, first, "?mising=drop"), 400)
    back = answered(await restore(admin, post, first, "?missing=drop"), 200)
    assert back["tags"] == [tags[0]["id"]]


async def test_a_slug_that_another_has_by_now_is_refused(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="Same")
    first = post["draft_revision"]
    await change(admin, "posts", post, slug="moved")
    await make(admin, "posts", title="Same")
    answered(await restore(admin, post, first), 409, "slug_taken")
    assert answered(await admin.get(f"{API}/posts/{post['id']}"), 200)["slug"] == "moved"


async def test_a_page_goes_back_to_its_old_place_unless_that_is_below_it(admin: httpx.AsyncClient) -> None:
    above = await make(admin, "pages", title="Above")
    page = await make(admin, "pages", title="Page", parent=above["id"])
    first = page["draft_revision"]
    await change(admin, "pages", page, parent=None)
    await change(admin, "pages", above, parent=page["id"])
    response = await admin.post(f"{revisions_of(page, 'pages')}/{first}/restore", headers=ANY)
    assert faults(answered(response, 422)) == [("/parent", "cycle")]
    await change(admin, "pages", above, parent=None)
    response = await admin.post(f"{revisions_of(page, 'pages')}/{first}/restore", headers=ANY)
    assert answered(response, 200)["parent"] == above["id"]


async def test_a_diff_tells_what_changed(admin: httpx.AsyncClient) -> None:
    post = await published(admin, "posts", title="One", body="<p>The first words.</p>")
    url = f"{API}/posts/{post['id']}/diff"
    assert answered(await admin.get(url), 200)["changes"] == []
    await change(admin, "posts", post, body="<p>The second words.</p>", is_sticky=True)
    diff = answered(await admin.get(url), 200)
    assert diff["changes"] == [
        {
            "kind": "text",
            "pointer": "/body",
            "segments": [
                {"op": "equal", "text": "<p>The "},
                {"op": "delete", "text": "first"},
                {"op": "insert", "text": "second"},
                {"op": "equal", "text": " words.</p>"},
            ],
        },
        {"kind": "value", "pointer": "/is_sticky", "before": False, "after": True},
    ]
    assert (diff["before"]["is_live"], diff["after"]["is_draft"]) == (True, True)
    back = answered(await admin.get(f"{url}?from=draft&to={post['live_revision']}"), 200)
    assert [one["pointer"] for one in back["changes"]] == ["/body", "/is_sticky"]


async def test_a_diff_of_what_is_not_there(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="One")
    url = f"{API}/posts/{post['id']}/diff"
    answered(await admin.get(url), 409, "not_published")
    answered(await admin.get(f"{url}?from=draft&to={uuid4()}"), 404, "revision_not_found")
    answered(await admin.get(f"{url}?from=draft&to=Draft"), 400)
    answered(await admin.get(f"{url}?since=draft"), 400)
    answered(await admin.get(f"{API}/posts/{uuid4()}/diff?from=draft"), 404, "document_not_found")


async def test_a_revision_belongs_to_one_document(admin: httpx.AsyncClient) -> None:
    post, other = await make(admin, "posts", title="One"), await make(admin, "posts", title="Two")
    strange = f"{revisions_of(post)}/{other['draft_revision']}"
    answered(await admin.get(strange), 404, "revision_not_found")
    answered(await admin.patch(strange, json={"is_pinned": True}, headers=ANY), 404, "revision_not_found")
    answered(await restore(admin, post, other["draft_revision"]), 404, "revision_not_found")
    answered(await admin.get(f"{API}/pages/{post['id']}/revisions"), 404, "document_not_found")
    answered(await admin.get(f"{API}/posts/{uuid4()}/revisions"), 404, "document_not_found")


async def test_who_may_look_back_and_go_back(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    post = await make(admin, "posts", title="One")
    one = f"{revisions_of(post)}/{post['draft_revision']}"
    await change(admin, "posts", post, title="Two")
    reader = await user_client("reader", email="rea@example.org")
    author = await user_client("author", email="aut@example.org")
    for who, status in ((client, 401), (reader, 200), (author, 200)):
        answered(await who.get(revisions_of(post)), status)
        answered(await who.get(one), status)
        answered(await who.get(f"{API}/posts/{post['id']}/diff?from=draft"), status)
    for who, status in ((client, 401), (reader, 403), (author, 403)):
        answered(await who.patch(one, json={"is_pinned": True}, headers=ANY), status)
        answered(await restore(who, post, post["draft_revision"]), status)
    mine = await make(author, "posts", title="Mine")
    answered(
        await author.patch(
            f"{revisions_of(mine)}/{mine['draft_revision']}", json={"is_pinned": True}, headers=ANY
        ),
        200,
    )


# Drafts beside live copies


async def test_discarding_takes_back_to_what_readers_see(admin: httpx.AsyncClient) -> None:
    tags = [(await make(admin, "tags", name=name))["id"] for name in ("A", "B", "C")]
    post = await published(admin, "posts", title="One", tags=tags)
    await change(admin, "posts", post, title="Two", tags=tags[::-1], slug="two")
    back = await do(admin, "posts", post, "discard")
    assert (back["title"], back["slug"], back["tags"]) == ("One", "one", tags)
    assert (back["has_unpublished_changes"], back["version"]) == (False, 4)
    assert back["draft_revision"] == back["live_revision"]
    assert (await do(admin, "posts", post, "discard"))["version"] == 4
    draft = await make(admin, "posts", title="Never live")
    answered(await admin.post(f"{API}/posts/{draft['id']}/discard", headers=ANY), 409, "not_published")


async def test_readers_see_relations_in_the_order_that_was_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    tags = [(await make(admin, "tags", name=name))["id"] for name in "dbca"]
    post = await published(admin, "posts", title="One", tags=tags)
    url = f"{CONTENT}/posts/{post['id']}"
    for order in (tags[::-1], tags[1:], [tags[2], tags[0]]):
        await change(admin, "posts", post, tags=order)
        before = answered(await client.get(url), 200)
        await do(admin, "posts", post, "publish")
        assert answered(await client.get(url), 200)["tags"] == order != before["tags"]
        await change(admin, "posts", post, tags=[])
        assert answered(await client.get(url), 200)["tags"] == order


async def test_an_older_revision_is_published_by_hand(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    post = await make(admin, "posts", title="One")
    other = await make(admin, "posts", title="Other")
    await change(admin, "posts", post, title="Two")
    url = f"{API}/posts/{post['id']}/publish"
    shown = answered(await admin.post(url, json={"revision_id": post["draft_revision"]}, headers=ANY), 200)
    assert (shown["title"], shown["has_unpublished_changes"]) == ("Two", True)
    assert answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 200)["title"] == "One"
    strange = {"revision_id": other["draft_revision"]}
    answered(await admin.post(url, json=strange, headers=ANY), 404, "revision_not_found")
    answered(await admin.post(url, json={"revision": "x"}, headers=ANY), 422, "invalid")
    answered(await admin.post(url, content=b"garbage", headers=ANY), 400, "malformed")
    assert answered(await admin.post(url, headers=ANY), 200)["has_unpublished_changes"] is False


@pytest.mark.parametrize("verb", ["unpublish", "discard", "archive", "duplicate", "restore", "purge"])
async def test_a_body_that_nothing_reads_is_refused(admin: httpx.AsyncClient, verb: str) -> None:
    post = await published(admin, "posts", title="One")
    url = f"{API}/posts/{post['id']}/{verb}"
    answered(await admin.post(url, json={"title": "Mine"}, headers=ANY), 400, "malformed")
    assert answered(await admin.get(f"{API}/posts/{post['id']}"), 200)["version"] == 2
    assert (await admin.post(url, json={}, headers=ANY)).status_code != 400


async def test_what_comes_back_from_the_trash_finds_a_free_slug(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="Same")
    await remove(admin, "posts", post)
    await make(admin, "posts", title="Same")
    back = await do(admin, "posts", post, "restore")
    assert (back["slug"], back["trashed_at"], back["status"]) == ("same-2", None, "draft")
    assert [row["changed"] for row in await items(admin, revisions_of(post))] == [["slug"], []]
    other = await make(admin, "posts", title="Else")
    await remove(admin, "posts", other)
    assert (await do(admin, "posts", other, "restore"))["slug"] == "else"


async def test_a_draft_is_never_said_to_be_unchanged(admin: httpx.AsyncClient) -> None:
    """Whether it is scheduled shows without a new version."""
    post = await make(admin, "posts", title="One")
    url = f"{API}/posts/{post['id']}"
    plan = answered(await admin.post(f"{url}/schedule", json={"publish_at": "2040-01-01T00:00:00Z"}), 201)
    seen = await admin.get(url, headers={"If-None-Match": '"v1"'})
    assert answered(seen, 200)["status"] == "scheduled"
    answered(await admin.delete(f"{url}/schedules/{plan['id']}", headers=ANY), 204)
    assert answered(await admin.get(url, headers={"If-None-Match": '"v1"'}), 200)["status"] == "draft"
    await do(admin, "posts", post, "publish")
    assert (await admin.get(url, headers={"If-None-Match": '"v2"'})).status_code == 304


async def test_a_tag_of_another_kind_matches_nothing(admin: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="One")
    for tag in ('W/"v1"', '"x"', '"v-1"'):
        problem = answered(
            await admin.patch(f"{API}/posts/{post['id']}", json={"title": "B"}, headers={"If-Match": tag}),
            412,
        )
        assert "-1" not in problem["detail"]


async def test_the_archive(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    post = await published(admin, "posts", title="One")
    answered(await admin.post(f"{API}/posts/{post['id']}/archive"), 428)
    answered(await admin.post(f"{API}/posts/{post['id']}/archive", headers=at(1)), 412)
    laid = await do(admin, "posts", post, "archive")
    assert (laid["status"], laid["live_revision"], laid["version"]) == ("archived", None, 3)
    assert laid["archived_at"] is not None
    answered(await client.get(f"{CONTENT}/posts/{post['id']}"), 404)
    for verb in ("publish", "archive", "discard"):
        answered(await admin.post(f"{API}/posts/{post['id']}/{verb}", headers=ANY), 409)
    answered(
        await admin.patch(f"{API}/posts/{post['id']}", json={"title": "X"}, headers=ANY), 409, "archived"
    )
    assert [row["id"] for row in await items(admin, f"{API}/posts?filter[status]=archived")] == [post["id"]]
    back = await do(admin, "posts", post, "unarchive")
    assert (back["status"], back["archived_at"], back["version"]) == ("draft", None, 4)
    answered(await admin.post(f"{API}/posts/{post['id']}/unarchive", headers=ANY), 409, "not_archived")


async def test_a_duplicate_is_a_draft_of_its_own(admin: httpx.AsyncClient) -> None:
    tag = await make(admin, "tags", name="A")
    post = await published(admin, "posts", title="One", body="<p>b</p>", tags=[tag["id"]], is_sticky=True)
    answered(await admin.post(f"{API}/posts/{post['id']}/duplicate"), 428)
    answered(await admin.post(f"{API}/posts/{post['id']}/duplicate", headers=at(1)), 412)
    response = await admin.post(f"{API}/posts/{post['id']}/duplicate", headers=at(2))
    copy = answered(response, 201)
    assert response.headers["location"] == f"{API}/posts/{copy['id']}"
    same = ("title", "body", "tags", "authors", "is_sticky", "locale", "format")
    assert [copy[name] for name in same] == [post[name] for name in same]
    assert (copy["slug"], copy["status"], copy["version"]) == ("one-2", "draft", 1)
    await remove(admin, "posts", post)
    answered(await admin.post(f"{API}/posts/{post['id']}/duplicate", headers=ANY), 409, "trashed")


async def test_purging_leaves_nothing(admin: httpx.AsyncClient, database_url: str) -> None:
    tag = await make(admin, "tags", name="A")
    post = await published(admin, "posts", title="One", tags=[tag["id"]])
    await change(admin, "posts", post, title="Two")
    url = f"{API}/posts/{post['id']}/purge"
    answered(await admin.post(url, headers=ANY), 409, "not_trashed")
    await remove(admin, "posts", post)
    answered(await admin.post(url), 428)
    answered(await admin.post(url, headers=at(1)), 412)
    answered(await admin.post(url, headers=at(4)), 204)
    answered(await admin.get(f"{API}/posts/{post['id']}"), 404)
    answered(await admin.post(url, headers=ANY), 404)
    for table in ("revisions", "contents", "links", "publications"):
        assert rows(
            database_url, f"SELECT count(*) FROM cms.{table} WHERE document_id = %s", [post["id"]]
        ) == [(0,)]
    await remove(admin, "tags", tag)
    (event,) = rows(database_url, "SELECT payload FROM activity.events WHERE name = 'document.purged'")
    assert event[0]["subject"] == post["id"]


async def test_a_page_is_not_purged_while_another_points_at_it(admin: httpx.AsyncClient) -> None:
    above = await make(admin, "pages", title="Above")
    below = await make(admin, "pages", title="Below", parent=above["id"])
    await remove(admin, "pages", below)
    await remove(admin, "pages", above)
    response = await admin.post(f"{API}/pages/{above['id']}/purge", headers=ANY)
    assert answered(response, 409, "in_use")["documents"] == 1
    answered(await admin.post(f"{API}/pages/{below['id']}/purge", headers=ANY), 204)
    answered(await admin.post(f"{API}/pages/{above['id']}/purge", headers=ANY), 204)


@pytest.mark.parametrize(
    ("verb", "event"),
    [
        ("publish", "document.published"),
        ("archive", "document.archived"),
        ("duplicate", "document.duplicated"),
    ],
)
async def test_each_step_tells_its_event(
    admin: httpx.AsyncClient, database_url: str, verb: str, event: str
) -> None:
    post = await make(admin, "posts", title="One")
    answered(
        await admin.post(f"{API}/posts/{post['id']}/{verb}", headers=ANY), 201 if verb == "duplicate" else 200
    )
    found = rows(
        database_url,
        "SELECT payload FROM activity.events WHERE name = %s AND subject = %s AND actor IS NOT NULL",
        [event, post["id"]],
    )
    assert len(found) == 1


async def test_who_may_archive_duplicate_and_purge(
    admin: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    post = await make(admin, "posts", title="One")
    author = await user_client("author", email="aut@example.org")
    editor = await user_client("editor", email="edi@example.org")
    reader = await user_client("reader", email="rea@example.org")
    url = f"{API}/posts/{post['id']}"
    answered(await reader.post(f"{url}/duplicate", headers=ANY), 403)
    copy = answered(await author.post(f"{url}/duplicate", headers=ANY), 201)
    answered(await author.post(f"{url}/archive", headers=ANY), 403)
    answered(await author.post(f"{API}/posts/{copy['id']}/archive", headers=ANY), 200)
    answered(await editor.post(f"{url}/archive", headers=ANY), 200)
    await remove(author, "posts", copy)
    answered(await author.post(f"{API}/posts/{copy['id']}/purge", headers=ANY), 403)
    answered(await editor.post(f"{API}/posts/{copy['id']}/purge", headers=ANY), 204)

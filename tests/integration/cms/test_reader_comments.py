"""Readers' comments over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import psycopg
import pytest
from litestar import Litestar
from sqlalchemy import event
from tests.conftest import ADMIN_EMAIL
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    at,
    do,
    faults,
    items,
    make,
    published,
    remove,
    rows,
    tagged,
    tags,
)
from tests.integration.http.asking import in_a_later_second

from cms_api.adapters.http.cms.reader_comments import DeliveredComment
from cms_api.app import create_app
from cms_api.bootstrap.container import Application
from cms_api.settings import Settings

KINDS = pytest.mark.parametrize("kind", ["posts", "pages"])
GRACE = {"author_name": "Grace", "author_email": "grace@example.org", "body": "Well said."}
RULES = f"{API}/comments/rules"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As many comments as a test likes; those on the limit set it themselves."""
    return msgspec.structs.replace(settings, comment_rate="1000/1s")


def path(kind: str, one: dict[str, Any], comment: dict[str, Any] | None = None) -> str:
    return f"{CONTENT}/{kind}/{one['id']}/comments" + (f"/{comment['id']}" if comment else "")


async def say(client: httpx.AsyncClient, kind: str, one: dict[str, Any], **body: Any) -> dict[str, Any]:
    """A new comment."""
    response = await client.post(path(kind, one), json=GRACE | body)
    said = answered(response, 201)
    assert response.headers["location"] == path(kind, one, said)
    assert response.headers["etag"] == '"v1"'
    return said


async def act(client: httpx.AsyncClient, comment: dict[str, Any], action: str) -> dict[str, Any]:
    return answered(await client.post(f"{API}/comments/{comment['id']}/{action}", headers=ANY), 200)


async def change_rules(admin: httpx.AsyncClient, **rules: Any) -> None:
    answered(await admin.patch(RULES, json=rules, headers=ANY), 200)


async def seen(client: httpx.AsyncClient, kind: str, one: dict[str, Any]) -> list[str]:
    return [item["body"] for item in await items(client, path(kind, one))]


@KINDS
async def test_from_the_reader_to_the_readers(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, kind: str, database_url: str
) -> None:
    one = await published(admin, kind, title="Hello")
    said = await say(client, kind, one, body=" <b>Hi</b>\r\n\r\nyou ", author_url="https://example.org/")
    assert set(said) == {
        "id", "state", "parent", "author_name", "author_url", "body", "html", "created_at", "version",
    }  # fmt: skip
    assert (said["state"], said["body"]) == ("pending", "<b>Hi</b>\n\nyou")
    assert await items(client, path(kind, one)) == []
    answered(await client.get(path(kind, one, said)), 404, "nothing_published")

    shown = answered(await admin.get(f"{API}/comments/{said['id']}"), 200)
    assert (shown["author_email"], shown["type"], shown["document_id"]) == (
        "grace@example.org",
        kind[:-1],
        one["id"],
    )
    approved = answered(await admin.post(f"{API}/comments/{said['id']}/approve", headers=at(1)), 200)
    assert (approved["state"], approved["version"]) == ("approved", 2)
    assert approved["moderated_by"]
    reply = await say(client, kind, one, body="And?", parent=said["id"])
    assert reply["state"] == "approved"

    response = await client.get(path(kind, one) + "?count=exact")
    body = answered(response, 200)
    found = msgspec.convert(body["items"], list[DeliveredComment])
    assert [(c.body, c.depth, c.parent) for c in found] == [
        ("<b>Hi</b>\n\nyou", 0, None),
        ("And?", 1, found[0].id),
    ]
    assert found[0].html == '<p dir="auto">&lt;b&gt;Hi&lt;/b&gt;</p><p dir="auto">you</p>'
    assert body["items"][0]["created_at"] == said["created_at"]
    assert body["count"] == 2
    assert "grace@example.org" not in response.text
    assert tagged(response) == tags(one["id"], f"comments:{one['id']}")
    assert response.headers["cache-control"].startswith("public")
    again = {"If-None-Match": response.headers["etag"]}
    assert (await client.get(path(kind, one) + "?count=exact", headers=again)).status_code == 304
    await in_a_later_second()
    single = await client.get(path(kind, one, said))
    assert answered(single, 200) == body["items"][0]
    assert single.headers["cache-tag"] == response.headers["cache-tag"]
    assert "last-modified" in single.headers

    names = rows(
        database_url,
        "SELECT name FROM activity.events WHERE name LIKE 'reader_comment%%' ORDER BY position",
    )
    assert [name for (name,) in names] == [
        "reader_comment.submitted", "reader_comment.moderated", "reader_comment.submitted",
    ]  # fmt: skip
    secrets = "SELECT count(*) FROM activity.events WHERE payload::text ~* 'grace|127\\.0\\.0|hi</b>'"
    assert rows(database_url, secrets) == [(0,)]
    hashes = rows(database_url, "SELECT encode(client_hash, 'escape') FROM cms.reader_comments")
    assert all("127.0.0.1" not in one for (one,) in hashes)


async def test_threads_in_order_page_by_page(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await change_rules(admin, requires_moderation=False)
    one, other = await published(admin, "posts", title="One"), await published(admin, "posts", title="Two")
    a = await say(client, "posts", one, body="a")
    b = await say(client, "posts", one, body="b")
    await say(client, "posts", other, body="elsewhere")
    a1 = await say(client, "posts", one, body="a1", parent=a["id"])
    await say(client, "posts", one, body="b1", parent=b["id"])
    await say(client, "posts", one, body="a2", parent=a["id"])
    a11 = await say(client, "posts", one, body="a11", parent=a1["id"])
    url = path("posts", one)
    assert await seen(client, "posts", one) == ["a", "a1", "a11", "a2", "b", "b1"]
    for query, found in {
        "sort=created_at": "a b a1 b1 a2 a11",
        "sort=-created_at": "a11 a2 b1 a1 b a",
        "filter[depth]=0": "a b",
        f"filter[parent]={a['id']}": "a1 a2",
        f"filter[id]={a11['id']}": "a11",
        f"filter[created_at][gt]={a1['created_at']}": "a11 a2 b1",
    }.items():
        assert [item["body"] for item in await items(client, f"{url}?{query}")] == found.split(), query
    for sort in ("thread", "-thread", "created_at"):
        whole = [item["id"] for item in await items(client, f"{url}?sort={sort}")]
        walked, backwards, cursor = [], [], ""
        while True:
            body = answered(await client.get(f"{url}?sort={sort}&limit=2&count=exact{cursor}"), 200)
            assert body["count"] == 6
            walked += [item["id"] for item in body["items"]]
            if body["page"]["next"] is None:
                break
            cursor = f"&after={body['page']['next']}"
        while body["page"]["prev"]:
            body = answered(await client.get(f"{url}?sort={sort}&limit=2&before={body['page']['prev']}"), 200)
            backwards = [item["id"] for item in body["items"]] + backwards
        assert walked == whole
        assert backwards == whole[:4]
    said = await client.get(f"{url}?fields=depth,body&filter[is_staff]=false&limit=1")
    assert answered(said, 200)["items"] == [{"depth": 0, "body": "a"}]
    assert tagged(said) == tags(one["id"], f"comments:{one['id']}")
    asked = {"fields": ["depth", "body"], "filter": {"not": {"is_staff": True}}, "limit": 1}
    assert answered(await client.post(f"{url}/query", json=asked), 200)["items"] == said.json()["items"]
    assert answered(await client.get(f"{url}?filter[is_staff]=true"), 200)["items"] == []
    problem = answered(await client.get(f"{url}?fields=author_email"), 400, "malformed")
    assert problem["errors"][0]["code"] == "unknown_field"
    page = answered(await client.get(f"{url}?limit=2"), 200)["page"]
    answered(await client.get(f"{path('posts', other)}?after={page['next']}"), 400, "malformed")
    for wrong in (
        "filter[author_email]=x",
        "sort=author_email",
        "filter[state]=spam",
        "include=x",
        "limit=0",
    ):
        answered(await client.get(f"{url}?{wrong}"), 400, "malformed")
    # What hangs below something hidden is hidden with it, and comes back with it.
    hidden = await act(admin, a1, "trash")
    assert await seen(client, "posts", one) == ["a", "a2", "b", "b1"]
    assert answered(await client.get(f"{url}?count=exact"), 200)["count"] == 4
    answered(await client.get(path("posts", one, a11)), 404)
    await act(admin, hidden, "restore")
    assert len(await seen(client, "posts", one)) == 6


async def test_what_is_not_public_has_no_comments(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    draft = await make(admin, "posts", title="Draft")
    one = await published(admin, "posts", title="One")
    said = await say(client, "posts", one)
    await act(admin, said, "approve")

    async def is_hidden(post: dict[str, Any], kind: str = "posts") -> None:
        answered(await client.get(path(kind, post)), 404, "nothing_published")
        answered(await client.get(path(kind, post, said)), 404, "nothing_published")
        answered(await client.post(path(kind, post), json=GRACE), 404, "nothing_published")

    for post, kind in ((draft, "posts"), (one, "pages"), ({"id": str(uuid4())}, "posts")):
        await is_hidden(post, kind)
    await do(admin, "posts", one, "unpublish")
    await is_hidden(one)
    await do(admin, "posts", one, "publish")
    assert await seen(client, "posts", one) == ["Well said."]
    await remove(admin, "posts", one)
    await is_hidden(one)
    await do(admin, "posts", one, "restore")
    await do(admin, "posts", one, "publish")
    assert await seen(client, "posts", one) == ["Well said."]
    await remove(admin, "posts", one)
    answered(await admin.post(f"{API}/posts/{one['id']}/purge", headers=ANY), 204)
    assert rows(database_url, "SELECT id FROM cms.reader_comments") == []


async def test_where_readers_may_comment(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    one = await published(admin, "posts", title="One")
    url = f"{API}/posts/{one['id']}/comment-settings"
    response = await admin.get(url)
    found = answered(response, 200)
    assert (found["is_open"], found["closes_at"], found["accepts"], found["version"]) == (None, None, True, 1)
    assert response.headers["etag"] == '"v1"'
    answered(await admin.patch(url, json={"is_open": False}), 428)
    closed = answered(await admin.patch(url, json={"is_open": False}, headers=at(1)), 200)
    assert (closed["is_open"], closed["accepts"], closed["version"]) == (False, False, 2)
    answered(await client.post(path("posts", one), json=GRACE), 409, "comments_closed")
    assert (
        answered(await admin.patch(url, json={"is_open": True}, headers=at(1)), 412)["current_version"] == 2
    )
    await admin.patch(url, json={"is_open": None, "closes_at": "2020-01-01T00:00:00Z"}, headers=at(2))
    answered(await client.post(path("posts", one), json=GRACE), 409, "comments_closed")
    await admin.patch(url, json={"closes_at": "2100-01-01T00:00:00+01:00"}, headers=at(3))
    await say(client, "posts", one)
    await change_rules(admin, types={"post": False})
    answered(await client.post(path("posts", one), json=GRACE), 409, "comments_closed")
    await admin.patch(url, json={"is_open": True}, headers=ANY)
    await say(client, "posts", one, body="Open after all.")
    problem = answered(await admin.patch(url, json={"closes_at": "2020-01-01", "open": 1}, headers=ANY), 422)
    assert {pointer for pointer, _ in faults(problem)} == {"/closes_at", "/open"}
    for end in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"):
        problem = answered(await admin.patch(url, json={"closes_at": end}, headers=ANY), 422)
        assert faults(problem) == [("/closes_at", "range")]
    answered(await admin.get(f"{API}/pages/{one['id']}/comment-settings"), 404, "document_not_found")
    answered(await client.get(url), 401)
    author = await user_client("author")
    answered(await author.get(url), 403)
    answered(await author.patch(url, json={"is_open": True}, headers=ANY), 403)


async def test_rules(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    rules = answered(await admin.get(RULES), 200)
    assert rules == {
        "enabled": True, "types": {}, "closes_after_days": None, "requires_moderation": True,
        "previously_approved": True, "max_links": 2, "blocked_words": [], "blocked_addresses": [],
        "blocked_networks": [], "spam_days": 30, "trash_days": 30, "version": 1, "updated_at": None,
        "updated_by": None,
    }  # fmt: skip
    new = {"blocked_words": ["Casino"], "blocked_networks": ["192.0.2.1"], "closes_after_days": 90}
    answered(await admin.patch(RULES, json=new), 428)
    changed = answered(await admin.patch(RULES, json=new, headers=at(1)), 200)
    assert (changed["blocked_words"], changed["blocked_networks"]) == (["casino"], ["192.0.2.1/32"])
    assert (changed["version"], changed["closes_after_days"]) == (2, 90)
    assert (await admin.get(RULES, headers={"If-None-Match": '"v2"'})).status_code == 304
    answered(await admin.patch(RULES, json=new, headers=at(1)), 412, "stale")
    for wrong, expected in (
        ({"blocked_words": ["x"] * 501}, {("/blocked_words", "length")}),
        ({"blocked_words": [""]}, {("/blocked_words/0", "length")}),
        (
            {"blocked_networks": ["x", "10.0.0.1/8"], "blocked_addresses": ["y"]},
            {
                ("/blocked_networks/0", "network"),
                ("/blocked_networks/1", "network"),
                ("/blocked_addresses/0", "address"),
            },
        ),
        ({"types": {"Post!": True}}, {("/types", "pattern")}),
        ({"spam_days": 0, "max_links": -1, "regex": "(a+)+$"},
         {("/spam_days", "range"), ("/max_links", "range"), ("/regex", "unknown_field")}),
    ):  # fmt: skip
        problem = answered(await admin.patch(RULES, json=wrong, headers=ANY), 422, "invalid")
        found = {(pointer if "types" not in pointer else "/types", code) for pointer, code in faults(problem)}
        assert found == expected, wrong
    answered(await client.get(RULES), 401)


async def test_hostile_words(admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str) -> None:
    await change_rules(admin, requires_moderation=False, max_links=1000)
    one = await published(admin, "posts", title="One")
    for body, text, html in (
        ("<script>alert(1)</script>", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a\u202egnp.exe\x1b[31m\x07\u2066", "agnp.exe[31m", "agnp.exe[31m"),
        ("'; DROP TABLE cms.reader_comments; --", "'; DROP TABLE cms.reader_comments; --",
         "&#x27;; DROP TABLE cms.reader_comments; --"),
        ("%s %(x)s :id {0} \\", "%s %(x)s :id {0} \\", "%s %(x)s :id {0} \\"),
        ("[x](javascript:alert(1)) ![](x)", "[x](javascript:alert(1)) ![](x)", "[x](javascript:alert(1)) ![](x)"),
        ("\ufffe\uffff𝕏", "\ufffe\uffff𝕏", "\ufffe\uffff𝕏"),
    ):  # fmt: skip
        said = await say(client, "posts", one, body=body)
        shown = answered(await client.get(path("posts", one, said)), 200)
        assert (shown["body"], shown["html"]) == (text, f'<p dir="auto">{html}</p>')
    named = await say(client, "posts", one, author_name="Gr<i>ace\n\u202e ")
    assert named["author_name"] == "Gr<i>ace"
    number = rows(database_url, "SELECT count(*) FROM cms.reader_comments")
    for body, expected in (
        ({}, {("/body", "required")}),
        (GRACE | {"body": ""}, {("/body", "length")}),
        (GRACE | {"body": "\u200b"}, {("/body", "empty")}),
        (GRACE | {"body": "x" * 5001}, {("/body", "length")}),
        (GRACE | {"body": "x" * 1_000_000}, {("/body", "length")}),
        (GRACE | {"body": "a\0b"}, {("/body", "nul")}),
        ({"body": "x"}, {("/author_name", "required"), ("/author_email", "required")}),
        (GRACE | {"author_email": "x@y\r\nBcc: z"}, {("/author_email", "email")}),
        (GRACE | {"author_url": "javascript:alert(1)"}, {("/author_url", "url")}),
        (GRACE | {"parent": "7"}, {("/parent", "value")}),
        (GRACE | {"parent": str(uuid4())}, {("/parent", "unknown_reference")}),
        (GRACE | {"state": "approved", "is_staff": True},
         {("/state", "unknown_field"), ("/is_staff", "unknown_field")}),
    ):  # fmt: skip
        problem = answered(await client.post(path("posts", one), json=body), 422, "invalid")
        assert set(faults(problem)) == expected, str(body)[:200]
    huge = await client.post(path("posts", one), json=GRACE | {"body": "x" * 2_000_000})
    answered(huge, 413, "too_large")
    answered(await client.post(path("posts", one), content=b"body=x"), 400, "malformed")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answered(await client.post(path("posts", one), content=b"body=x", headers=form), 415)
    assert rows(database_url, "SELECT count(*) FROM cms.reader_comments") == number


async def test_spam_is_not_told(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await change_rules(admin, requires_moderation=False, blocked_words=["casino"])
    one = await published(admin, "posts", title="One")
    fine = await say(client, "posts", one)
    for body, reason in (
        ({"body": "1", "website": "https://x.example"}, "honeypot"),
        ({"body": "CASINO"}, "word"),
        ({"body": "http://a http://b http://c"}, "links"),
    ):
        said = await say(client, "posts", one, **body)
        assert {name: type(value) for name, value in said.items()} == {
            name: type(value) for name, value in fine.items()
        }
        assert said["state"] == "approved"
        shown = answered(await admin.get(f"{API}/comments/{said['id']}"), 200)
        assert (shown["state"], shown["reason"]) == ("spam", reason)
    assert await seen(client, "posts", one) == ["Well said."]
    assert answered(await admin.get(f"{API}/comments/counts"), 200) == {
        "pending": 0, "approved": 1, "spam": 3, "trash": 0,
    }  # fmt: skip
    answered(
        await client.post(path("posts", one), json=GRACE | {"body": " well  SAID."}), 409, "duplicate_comment"
    )


async def test_who_is_signed_in(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    bea = await user_client("author")
    hers = await published(bea, "posts", title="Hers")
    one = await published(admin, "posts", title="One")
    for who, post, state, is_staff in (
        (admin, one, "approved", True),
        (bea, hers, "approved", True),
        (bea, one, "pending", False),
    ):
        said = answered(await who.post(path("posts", post), json={"body": "By my account."}), 201)
        shown = answered(await admin.get(f"{API}/comments/{said['id']}"), 200)
        assert (said["state"], shown["is_staff"], shown["author_name"]) == (
            state,
            is_staff,
            "Ada" if who is admin else "Bea",
        )
    problem = answered(await bea.post(path("posts", one), json=GRACE), 422)
    assert set(faults(problem)) == {("/author_name", "from_account"), ("/author_email", "from_account")}
    forged = {"Authorization": "Bearer forged"}
    answered(await client.post(path("posts", one), json=GRACE, headers=forged), 401)
    # Who only claims an address is not let through for what its owner has said.
    said = await say(client, "posts", one, author_email=ADMIN_EMAIL)
    assert said["state"] == "pending"


async def test_moderating(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    one = await published(admin, "posts", title="One")
    said = await say(client, "posts", one)
    url = f"{API}/comments/{said['id']}"
    asked: list[tuple[str, str, Any]] = [
        *(("POST", f"/{verb}", None) for verb in ("approve", "hold", "spam", "trash", "restore")),
        ("PATCH", "", {"body": "x"}),
        ("DELETE", "", None),
    ]
    for method, action, body in asked:
        answered(await admin.request(method, url + action, json=body), 428, "precondition_required")
        problem = answered(await admin.request(method, url + action, json=body, headers=at(7)), 412, "stale")
        assert problem["current_version"] == 1
    answered(await admin.post(f"{url}/restore", headers=at(1)), 409, "nothing_to_restore")
    version = 1
    for verb, state in (
        ("approve", "approved"), ("spam", "spam"), ("trash", "trash"), ("restore", "approved"),
        ("hold", "pending"), ("spam", "spam"), ("restore", "pending"), ("trash", "trash"), ("approve", "approved"),
    ):  # fmt: skip
        response = await admin.post(f"{url}/{verb}", headers=at(version))
        version += 1
        assert (answered(response, 200)["state"], response.headers["etag"]) == (state, f'"v{version}"')
    assert (await act(admin, said, "approve"))["version"] == version
    new = {"body": "Better <said>.", "author_name": "G", "author_url": "https://example.org/"}
    changed = answered(await admin.patch(url, json=new, headers=at(version)), 200)
    assert {name: changed[name] for name in new} == new
    assert changed["html"] == '<p dir="auto">Better &lt;said&gt;.</p>'
    assert await seen(client, "posts", one) == ["Better <said>."]
    problem = answered(await admin.patch(url, json={"body": "\u200b", "author_email": "x"}, headers=ANY), 422)
    assert faults(problem) == [("/author_email", "unknown_field")]
    response = await admin.get(url, headers={"If-None-Match": f'"v{version + 1}"'})
    assert response.status_code == 304
    answered(await admin.delete(url, headers=at(version + 1)), 204)
    answered(await admin.get(url), 404, "reader_comment_not_found")
    answered(await admin.post(f"{url}/approve", headers=ANY), 404, "reader_comment_not_found")


async def test_many_at_once(admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str) -> None:
    one = await published(admin, "posts", title="One")
    ids = [(await say(client, "posts", one, body=str(n)))["id"] for n in range(5)]
    missing = str(uuid4())
    body = {"ids": [ids[3], missing, ids[0], ids[3]], "state": "approved"}
    done = answered(await admin.post(f"{API}/comments/moderate", json=body), 200)
    assert done == {"changed": [ids[3], ids[0]], "unchanged": [], "missing": [missing]}
    done = answered(await admin.post(f"{API}/comments/moderate", json={"ids": ids, "state": "approved"}), 200)
    assert (len(done["changed"]), sorted(done["unchanged"])) == (3, sorted([ids[0], ids[3]]))
    assert await seen(client, "posts", one) == list("01234")
    found = rows(
        database_url,
        "SELECT count(*), count(actor) FROM activity.events WHERE name = 'reader_comment.moderated'",
    )
    assert found == [(5, 5)]
    for wrong, pointer in (
        ({"ids": [], "state": "spam"}, "/ids"),
        ({"ids": [missing] * 101, "state": "spam"}, "/ids"),
        ({"ids": [missing], "state": "gone"}, "/state"),
    ):
        problem = answered(await admin.post(f"{API}/comments/moderate", json=wrong), 422)
        assert [one for one, _ in faults(problem)] == [pointer]


async def test_lists(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    one, page = await published(admin, "posts", title="One"), await published(admin, "pages", title="Two")
    a = await say(client, "posts", one, body="alpha")
    await say(client, "pages", page, body="beta", author_email="other@example.org")
    await act(admin, a, "spam")
    url = f"{API}/comments"
    for query, found in {
        "": "beta alpha",
        "sort=created_at": "alpha beta",
        "filter[state]=pending": "beta",
        "filter[state][in]=spam,trash": "alpha",
        f"filter[document_id]={one['id']}": "alpha",
        "filter[type]=page": "beta",
        "filter[author_email]=other@example.org": "beta",
        "filter[body][contains]=LPH": "alpha",
        f"filter[created_at][gt]={a['created_at']}": "beta",
        "filter[parent_id][exists]=true": "",
    }.items():
        assert [item["body"] for item in await items(admin, f"{url}?{query}")] == found.split(), query
    body = answered(await admin.get(f"{url}?limit=1&count=exact"), 200)
    assert (body["count"], body["items"][0]["body"]) == (2, "beta")
    rest = answered(await admin.get(f"{url}?limit=1&after={body['page']['next']}"), 200)
    assert rest["items"][0]["body"] == "alpha"
    for wrong in ("filter[client_hash]=x", "sort=author_email", "q=x"):
        answered(await admin.get(f"{url}?{wrong}"), 400, "malformed")


async def test_who_may(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    one = await published(admin, "posts", title="One")
    said = await say(client, "posts", one)
    url = f"{API}/comments"
    looking = [
        ("GET", url, None),
        ("GET", f"{url}/{said['id']}", None),
        ("GET", f"{url}/counts", None),
        ("GET", RULES, None),
    ]
    changing: list[tuple[str, str, Any]] = [
        ("POST", f"{url}/{said['id']}/hold", None),
        ("PATCH", f"{url}/{said['id']}", {"body": "x"}),
        ("POST", f"{url}/moderate", {"ids": [said["id"]], "state": "approved"}),
        ("POST", f"{url}/erase", {"author_email": "nobody@example.org"}),
        ("PATCH", RULES, {"max_links": 1}),
    ]
    editor = await user_client("editor", email="edi@example.org")
    author, reader = await user_client("author"), await user_client("reader", email="rea@example.org")
    for method, target, body in looking + changing:
        answered(await client.request(method, target, json=body, headers=ANY), 401, "unauthenticated")
        for who in (author, reader):
            answered(await who.request(method, target, json=body, headers=ANY), 403, "forbidden")
        answered(await editor.request(method, target, json=body, headers=ANY), 200)
    named = {one["name"] for one in await items(admin, f"{API}/permissions?limit=100")}
    assert {"reader_comments:read", "reader_comments:moderate", "reader_comments:configure"} <= named


async def test_erasing(admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str) -> None:
    await change_rules(admin, requires_moderation=False)
    one = await published(admin, "posts", title="One")
    for n in range(3):
        await say(client, "posts", one, body=str(n), author_url="https://grace.example/")
    other = await say(client, "posts", one, author_email="other@example.org", author_name="Bea")
    before = (await client.get(path("posts", one))).headers["etag"]
    done = await admin.post(f"{API}/comments/erase", json={"author_email": "GRACE@example.org"})
    assert answered(done, 200) == {"erased": 3}
    response = await client.get(path("posts", one))
    assert response.headers["etag"] != before
    assert [(c["author_name"], c["author_url"]) for c in response.json()["items"]] == [
        (None, None), (None, None), (None, None), ("Bea", None),
    ]  # fmt: skip
    assert rows(database_url, "SELECT id::text FROM cms.reader_comments WHERE author_email IS NOT NULL") == [
        (other["id"],)
    ]
    everything = "SELECT count(*) FROM cms.reader_comments c WHERE c::text ~* 'grace'"
    assert rows(database_url, everything) == [(0,)]
    assert rows(database_url, "SELECT count(*) FROM activity.events e WHERE e::text ~* 'grace@'") == [(0,)]
    again = await admin.post(f"{API}/comments/erase", json={"author_email": "grace@example.org"})
    assert answered(again, 200) == {"erased": 0}


async def test_what_is_over_goes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str, application: Application
) -> None:
    await change_rules(admin, requires_moderation=False, spam_days=10, trash_days=20)
    one = await published(admin, "posts", title="One")
    said = {name: await say(client, "posts", one, body=name) for name in ("kept", "spam", "trash", "new")}
    await say(client, "posts", one, body="below", parent=said["trash"]["id"])
    for name, action in (("spam", "spam"), ("trash", "trash"), ("new", "trash")):
        await act(admin, said[name], action)
    for name, days in (("spam", 11), ("trash", 21), ("new", 19)):
        rows(
            database_url,
            "UPDATE cms.reader_comments SET state_since = now() - make_interval(days => %s)"
            " WHERE body = %s RETURNING id",
            [days, name],
        )
    rows(database_url, "UPDATE cms.reader_comments SET created_at = now() - interval '31 days' RETURNING id")
    rows(database_url, "UPDATE cms.comment_rates SET full_at = now() - interval '1 second' RETURNING key")
    assert await application.container.cms.reader_comments().purge(application.unit_of_work) == 3
    assert rows(database_url, "SELECT body, client_hash FROM cms.reader_comments ORDER BY body") == [
        ("kept", None), ("new", None),
    ]  # fmt: skip
    assert rows(database_url, "SELECT key FROM cms.comment_rates") == []
    purged = (
        "SELECT subject::text, payload->'number' FROM activity.events WHERE name = 'reader_comment.purged'"
    )
    assert rows(database_url, purged) == [(one["id"], 3)]


async def test_no_address_gets_into_the_log(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    database_url: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    one = await published(admin, "posts", title="One")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE cms.reader_comments RENAME COLUMN html TO gone")
    problem = answered(await client.post(path("posts", one), json=GRACE), 500, "internal_error")
    logged = "".join(capfd.readouterr())
    assert problem["request_id"] in logged
    assert "reader_comments" in logged  # the statement is there
    for secret in ("grace@example.org", "Well said", "127.0.0.1"):
        assert secret not in logged


# How often


@pytest.fixture
async def limited(settings: Settings) -> AsyncIterator[Callable[..., Any]]:
    """Makes clients, each from an address, of an application with a limit of three in a minute."""
    trusted = ("10.0.0.0/8",)
    app: Litestar = create_app(
        msgspec.structs.replace(settings, comment_rate="3/1m", trusted_proxies=trusted)
    )
    await app.state.application.start()
    clients = []

    def make_client(address: str, **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 4711))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://cms.test", **options))
        return clients[-1]

    try:
        yield make_client
    finally:
        for client in clients:
            await client.aclose()
        await app.state.application.stop()


def numbered(n: int) -> dict[str, str]:
    return {"author_name": "G", "author_email": f"g{n}@example.org", "body": f"Number {n}"}


async def test_too_many(admin: httpx.AsyncClient, limited: Callable[..., Any]) -> None:
    one = await published(admin, "posts", title="One")
    url, reader = path("posts", one), limited("192.0.2.1")
    for n, remaining in enumerate((2, 1, 0)):
        response = await reader.post(url, json=numbered(n))
        answered(response, 201)
        assert response.headers["ratelimit-policy"] == '"comments";q=3;w=60'
        assert response.headers["ratelimit"].startswith(f'"comments";r={remaining};t=')
    response = await reader.post(url, json=numbered(3))
    problem = answered(response, 429, "too_many_comments")
    assert response.headers["ratelimit-policy"] == '"comments";q=3;w=60'
    assert response.headers["ratelimit"].startswith('"comments";r=0;t=')
    assert 1 <= int(response.headers["retry-after"]) <= 20
    assert problem["retry_after"] == int(response.headers["retry-after"])
    # Headers that anybody can write change nothing.
    for forged in (
        {"X-Forwarded-For": "192.0.2.99"},
        {"X-Forwarded-For": "127.0.0.1, 10.0.0.1"},
        {"Forwarded": "for=192.0.2.99"},
        {"X-Real-IP": "192.0.2.99"},
    ):
        answered(await reader.post(url, json=numbered(4), headers=forged), 429)
    # A proxy that is trusted tells them apart; what the reader has written in front of it counts for nothing.
    proxy = limited("10.0.0.1")
    answered(await proxy.post(url, json=numbered(5), headers={"X-Forwarded-For": "192.0.2.1"}), 429)
    spoofed = {"X-Forwarded-For": "198.51.100.7, 192.0.2.1, 10.0.0.2"}
    answered(await proxy.post(url, json=numbered(5), headers=spoofed), 429)
    answered(await proxy.post(url, json=numbered(5), headers={"X-Forwarded-For": "192.0.2.2"}), 201)
    # All of an IPv6 network is one client.
    for n in range(6, 9):
        answered(await limited(f"2001:db8::{n}").post(url, json=numbered(n)), 201)
    answered(await limited("2001:db8::ffff:1").post(url, json=numbered(9)), 429)
    # One e-mail address from many clients, in any spelling.
    for n in range(4):
        body = numbered(n) | {"author_email": "Same@Example.org" if n % 2 else "same@example.org"}
        answered(await limited(f"203.0.113.{n}").post(url, json=body), 201 if n < 3 else 429)
    # Who moderates has no limit.
    token = {"Authorization": admin.headers["Authorization"]}
    for n in range(5):
        response = await reader.post(url, json={"body": f"Staff {n}"}, headers=token)
        answered(response, 201)
        assert "ratelimit" not in response.headers


async def test_exactly_as_many_pass_as_may(
    admin: httpx.AsyncClient, limited: Callable[..., Any], database_url: str
) -> None:
    one = await published(admin, "posts", title="One")
    url, reader = path("posts", one), limited("192.0.2.1")
    for n in range(2):
        answered(await reader.post(url, json=numbered(n)), 201)
    # One is left, and many come for it at once.
    answers = await asyncio.gather(*(reader.post(url, json=numbered(n)) for n in range(10, 18)))
    assert sorted(answer.status_code for answer in answers) == [201] + [429] * 7
    assert rows(database_url, "SELECT count(*) FROM cms.reader_comments") == [(3,)]


async def test_the_same_words_at_once(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    one = await published(admin, "posts", title="One")
    answers = await asyncio.gather(*(client.post(path("posts", one), json=GRACE) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert rows(database_url, "SELECT count(*) FROM cms.reader_comments") == [(1,)]


async def test_replies_while_the_thread_goes(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    await change_rules(admin, requires_moderation=False)
    one = await published(admin, "posts", title="One")
    thread = await say(client, "posts", one)
    reply = GRACE | {"parent": thread["id"]}
    *replies, gone = await asyncio.gather(
        *(client.post(path("posts", one), json=reply | {"body": str(n)}) for n in range(5)),
        admin.delete(f"{API}/comments/{thread['id']}", headers=ANY),
    )
    answered(gone, 204)
    assert {answer.status_code for answer in replies} <= {201, 422}
    assert rows(database_url, "SELECT id FROM cms.reader_comments") == []


# What it costs


async def test_reads_cost_a_constant_number_of_statements(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, asked: list[str]
) -> None:
    await change_rules(admin, requires_moderation=False)
    one = await published(admin, "posts", title="One")
    asked.clear()
    for n in range(3):
        said = await say(client, "posts", one, body=str(n))
        for who, url, cost in (
            (client, path("posts", one), 1),
            (client, path("posts", one) + "?count=exact", 1),
            (client, path("posts", one, said), 1),
            (admin, f"{API}/comments", 2),
            (admin, f"{API}/comments/counts", 2),
        ):
            asked.clear()
            answered(await who.get(url), 200)
            assert len(asked) == cost, url


async def test_writes_cost_a_constant_number_of_statements(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application
) -> None:
    one = await published(admin, "posts", title="One")
    ids = [(await say(client, "posts", one, body=str(n)))["id"] for n in range(30)]
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(" ".join(statement.split()))

    engine = application.container.core.engine().sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        costs = []
        for some in (ids[:1], ids[1:3], ids[3:]):
            sent.clear()
            body = {"ids": some, "state": "approved"}
            answered(await admin.post(f"{API}/comments/moderate", json=body), 200)
            costs.append(len(sent))
        # The comments, their states, the events, and that there are some.
        assert costs == [4] * 3
        sent.clear()
        done = await admin.post(f"{API}/comments/erase", json={"author_email": "grace@example.org"})
        assert answered(done, 200) == {"erased": 30}
        assert len(sent) == 3
        sent.clear()
        await say(client, "posts", one, body="One more")
        # The limit, the document, its settings, a lock and a look for the same words, whether the
        # address is known, the comment, the event, and that there is one.
        assert len(sent) == 9, sent
    finally:
        event.remove(engine, "before_cursor_execute", note)

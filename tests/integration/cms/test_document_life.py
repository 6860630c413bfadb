"""Posts and pages over HTTP: a whole life, nobody's work lost, slugs that are one's own."""

import asyncio
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

KINDS = pytest.mark.parametrize("kind", ["posts", "pages"])
BY = {"posts": "by-slug", "pages": "by-path"}


async def seen(client: httpx.AsyncClient, kind: str, one: dict[str, Any]) -> dict[str, Any] | None:
    """What readers see of a document, the same by id, by address and in the list."""
    answers = [
        await client.get(f"{CONTENT}/{kind}/{one['id']}"),
        await client.get(f"{CONTENT}/{kind}/{BY[kind]}/{one['slug']}"),
    ]
    listed = [item for item in await items(client, f"{CONTENT}/{kind}") if item["id"] == one["id"]]
    if answers[0].status_code == 404:
        assert [answer.status_code for answer in answers] == [404, 404]
        assert listed == []
        return None
    bodies = [answered(answer, 200) for answer in answers]
    assert bodies[0] == bodies[1] == listed[0]
    return bodies[0]


@KINDS
async def test_a_whole_life(admin: httpx.AsyncClient, client: httpx.AsyncClient, kind: str) -> None:
    made = await make(
        admin,
        kind,
        title="Über Bäume",
        body="*Hi* <script>x()</script>",
        format="markdown",
        seo={"title": "S"},
    )
    url = f"{API}/{kind}/{made['id']}"
    assert (made["type"], made["slug"], made["status"], made["version"]) == (
        kind.removesuffix("s"),
        "über-bäume",
        "draft",
        1,
    )
    assert (made["format"], made["body"], made["reading_time"]) == (
        "markdown",
        "*Hi* <script>x()</script>",
        1,
    )
    assert made["seo"] == {"title": "S", "description": None}
    assert made["created_at"].endswith("Z")
    assert answered(await admin.get(url), 200) == made
    assert await seen(client, kind, made) is None

    response = await admin.post(f"{url}/publish", headers=at(1))
    live = answered(response, 200)
    assert response.headers["etag"] == '"v2"'
    assert (live["status"], live["has_unpublished_changes"]) == ("published", False)
    read = await seen(client, kind, made)
    assert read is not None
    assert (read["body"], read["format"], read["excerpt"], read["status"]) == (
        "<p><em>Hi</em> </p>\n",
        "html",
        "Hi",
        "published",
    )

    response = await admin.patch(url, json={"title": "Later", "excerpt": "E"}, headers=at(2))
    draft = answered(response, 200)
    assert response.headers["etag"] == '"v3"'
    assert (draft["title"], draft["slug"], draft["has_unpublished_changes"]) == ("Later", "über-bäume", True)
    assert await seen(client, kind, made) == read

    again = answered(await admin.post(f"{url}/publish", headers=at(3)), 200)
    assert (again["published_at"], again["first_published_at"]) == (live["published_at"],) * 2
    read = await seen(client, kind, made)
    assert read is not None
    assert (read["title"], read["excerpt"], read["version"]) == ("Later", "E", 4)

    back = answered(await admin.post(f"{url}/unpublish", headers=at(4)), 200)
    assert (back["status"], back["published_at"], back["version"]) == ("draft", None, 5)
    assert back["first_published_at"] == live["first_published_at"]
    assert await seen(client, kind, made) is None
    answered(await admin.post(f"{url}/unpublish", headers=ANY), 409, "not_published")

    answered(await admin.post(f"{url}/publish", headers=at(5)), 200)
    answered(await admin.delete(url, headers=at(6)), 204)
    assert await seen(client, kind, made) is None
    trashed = answered(await admin.get(url), 200)
    assert (trashed["status"], trashed["version"], trashed["trashed_at"] is None) == ("draft", 7, False)
    assert await items(admin, f"{API}/{kind}") == []
    assert await items(admin, f"{API}/{kind}?filter[trashed]=true") == [trashed]
    for refused in (
        admin.patch(url, json={"title": "x"}, headers=ANY),
        admin.post(f"{url}/publish", headers=ANY),
        admin.delete(url, headers=ANY),
    ):
        answered(await refused, 409, "trashed")

    restored = answered(await admin.post(f"{url}/restore", headers=at(7)), 200)
    assert (restored["status"], restored["trashed_at"], restored["version"]) == ("draft", None, 8)
    answered(await admin.post(f"{url}/restore", headers=ANY), 409, "not_trashed")
    assert await seen(client, kind, made) is None
    answered(await admin.post(f"{url}/publish", headers=at(8)), 200)
    assert await seen(client, kind, made) is not None


@KINDS
async def test_every_change_names_its_version(admin: httpx.AsyncClient, kind: str) -> None:
    made = await make(admin, kind, title="A")
    url = f"{API}/{kind}/{made['id']}"
    requests = [
        ("PATCH", url, {"title": "B"}),
        ("DELETE", url, None),
        ("POST", f"{url}/publish", None),
        ("POST", f"{url}/unpublish", None),
        ("POST", f"{url}/restore", None),
    ]
    for method, target, body in requests:
        ask = {"method": method, "url": target, "json": body}
        answered(await admin.request(**ask), 428, "precondition_required")
        stale = answered(await admin.request(**ask, headers=at(7)), 412, "stale")
        assert (stale["current_version"], stale["changed_fields"]) == (1, [])
        for tag in ('W/"v1"', '"1"', '"something"'):
            answered(await admin.request(**ask, headers={"If-Match": tag}), 412, "stale")
        for wrong in ("v1", "", '"v1', '"v1", "v2"'):
            answered(await admin.request(**ask, headers={"If-Match": wrong}), 400, "malformed")
    assert answered(await admin.get(url), 200) == made


async def test_a_stale_writer_hears_what_she_missed(admin: httpx.AsyncClient) -> None:
    made = await make(admin, "posts", title="A")
    url = f"{API}/posts/{made['id']}"
    await change(admin, "posts", made, title="B", body="b")
    await change(admin, "posts", made, is_sticky=True)
    await do(admin, "posts", made, "publish")
    for version, missed in ((1, ["body", "is_sticky", "title"]), (2, ["is_sticky"]), (3, [])):
        stale = answered(await admin.patch(url, json={"title": "C"}, headers=at(version)), 412, "stale")
        assert (stale["current_version"], stale["changed_fields"]) == (4, missed)
    assert answered(await admin.patch(url, json={"title": "C"}, headers=at(4)), 200)["version"] == 5
    assert answered(await admin.patch(url, json={"title": "D"}, headers=ANY), 200)["version"] == 6


async def test_a_change_of_nothing_is_no_version(admin: httpx.AsyncClient) -> None:
    made = await make(admin, "posts", title="A", body="b")
    response = await admin.patch(f"{API}/posts/{made['id']}", json={"title": "A"}, headers=at(1))
    assert (answered(response, 200), response.headers["etag"]) == (made, '"v1"')


async def test_what_one_has_is_not_sent_again(admin: httpx.AsyncClient) -> None:
    made = await published(admin, "posts", title="A")
    url = f"{API}/posts/{made['id']}"
    for tag in ('"v2"', 'W/"v2"', '"v7", "v2"', "*"):
        same = await admin.get(url, headers={"If-None-Match": tag})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"v2"')
    assert (await admin.get(url, headers={"If-None-Match": '"v1"'})).status_code == 200


async def test_both_kinds_of_patch_are_taken(admin: httpx.AsyncClient) -> None:
    made = await make(admin, "posts", title="A", excerpt="e")
    headers = ANY | {"Content-Type": "application/merge-patch+json"}
    response = await admin.patch(f"{API}/posts/{made['id']}", content=b'{"title": "B"}', headers=headers)
    changed = answered(response, 200)
    assert (changed["title"], changed["excerpt"]) == ("B", "e")


@KINDS
async def test_of_many_writers_one_wins(admin: httpx.AsyncClient, kind: str) -> None:
    made = await make(admin, kind, title="Contested")
    url = f"{API}/{kind}/{made['id']}"
    answers = await asyncio.gather(
        *(admin.patch(url, json={"title": f"by {n}"}, headers=at(1)) for n in range(5)),
        admin.post(f"{url}/publish", headers=at(1)),
        admin.delete(url, headers=at(1)),
    )
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) in ([200, *[412] * 6], [204, *[412] * 6])
    assert all(answer.json()["current_version"] == 2 for answer in answers if answer.status_code == 412)
    found = answered(await admin.get(url), 200)
    assert found["version"] == 2
    won = next(answer for answer in answers if answer.status_code < 300)
    if won.status_code == 200:
        assert won.json() == found


async def test_who_insists_wins_last(admin: httpx.AsyncClient) -> None:
    made = await make(admin, "posts", title="Contested")
    answers = await asyncio.gather(*(change(admin, "posts", made, title=f"by {n}") for n in range(6)))
    assert sorted(answer["version"] for answer in answers) == [2, 3, 4, 5, 6, 7]
    last = max(answers, key=lambda answer: int(answer["version"]))
    assert answered(await admin.get(f"{API}/posts/{made['id']}"), 200) == last


# Slugs


@KINDS
async def test_a_slug_of_ones_own_among_ten(admin: httpx.AsyncClient, kind: str) -> None:
    made = await asyncio.gather(*(make(admin, kind, title="Same, same!") for _ in range(10)))
    assert {one["slug"] for one in made} == {"same-same", *(f"same-same-{n}" for n in range(2, 11))}


@KINDS
async def test_of_ten_who_want_a_slug_one_gets_it(admin: httpx.AsyncClient, kind: str) -> None:
    answers = await asyncio.gather(
        *(admin.post(f"{API}/{kind}", json={"title": "x", "slug": "mine"}) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"slug_taken"}


@KINDS
async def test_a_taken_slug(admin: httpx.AsyncClient, kind: str) -> None:
    first = await make(admin, kind, title="Mine")
    other = await make(admin, kind, title="Other")
    problem = answered(
        await admin.post(f"{API}/{kind}", json={"title": "x", "slug": "mine"}), 409, "slug_taken"
    )
    assert problem["slug"] == "mine"
    url = f"{API}/{kind}/{other['id']}"
    answered(await admin.patch(url, json={"slug": "MINE"}, headers=ANY), 409, "slug_taken")
    await remove(admin, kind, first)
    await change(admin, kind, other, slug="mine")
    assert (await do(admin, kind, first, "restore"))["slug"] == "mine-2"
    german = await make(admin, kind, title="x", slug="mine", locale="de")
    assert (german["slug"], german["locale"]) == ("mine", "de")


async def test_an_address_that_readers_still_know(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    first = await published(admin, "posts", title="Mine")
    await change(admin, "posts", first, slug="moved")
    second = await make(admin, "posts", title="Mine")
    assert second["slug"] == "mine"
    url = f"{API}/posts/{second['id']}/publish"
    problem = answered(await admin.post(url, headers=ANY), 409, "address_taken")
    assert problem["path"] == "mine"
    assert answered(await client.get(f"{CONTENT}/posts/by-slug/mine"), 200)["id"] == first["id"]
    await do(admin, "posts", first, "publish")
    await do(admin, "posts", second, "publish")
    assert answered(await client.get(f"{CONTENT}/posts/by-slug/mine"), 200)["id"] == second["id"]
    assert answered(await client.get(f"{CONTENT}/posts/by-slug/moved"), 200)["id"] == first["id"]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("हिन्दी भाषा", "हिन्दी-भाषा"),
        ("你好,世界", "你好-世界"),
        ("Ünïcödé", "ünïcödé"),
        ("!!!", "untitled"),
        ("Long " * 99, ("long-" * 39)[:191]),
    ],
)
async def test_titles_of_all_kinds_are_found_by_their_slug(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, title: str, slug: str
) -> None:
    post = await published(admin, "posts", title=title)
    assert post["slug"].startswith(slug)
    assert answered(await client.get(f"{CONTENT}/posts/by-slug/{post['slug']}"), 200)["title"] == title


# What is wrong


@KINDS
async def test_all_faults_are_told_at_once(admin: httpx.AsyncClient, kind: str) -> None:
    tag, nowhere = await make(admin, "tags", name="T"), str(uuid4())
    body: dict[str, Any] = {"title": "x", "slug": "a b", "authors": [nowhere, nowhere], "cover": nowhere}
    wrong = [
        ("/authors/0", "unknown_reference"),
        ("/authors/1", "unknown_reference"),
        ("/cover", "unknown_reference"),
        ("/slug", "slug"),
    ]
    if kind == "posts":
        body |= {"categories": [tag["id"]], "tags": [tag["id"], nowhere, tag["id"]]}
        wrong += [
            ("/categories/0", "unknown_reference"),
            ("/tags/1", "unknown_reference"),
            ("/tags/2", "duplicate"),
        ]
    else:
        body |= {"parent": nowhere}
        wrong += [("/parent", "unknown_reference")]
    assert sorted(faults(answered(await admin.post(f"{API}/{kind}", json=body), 422, "invalid"))) == sorted(
        wrong
    )
    made = await make(admin, kind, title="y")
    response = await admin.patch(f"{API}/{kind}/{made['id']}", json=body, headers=ANY)
    assert sorted(faults(answered(response, 422, "invalid"))) == sorted(wrong)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, [("/title", "required")]),
        ({"title": ""}, [("/title", "length")]),
        ({"title": "x" * 501}, [("/title", "length")]),
        ({"title": "x", "format": "rtf"}, [("/format", "value")]),
        ({"title": "x", "slug": ""}, [("/slug", "length")]),
        ({"title": "x", "locale": "English"}, [("/locale", "pattern")]),
        ({"title": "x", "authors": ["me"]}, [("/authors/0", "value")]),
        ({"title": "x", "tags": None, "body": 1}, [("/body", "type"), ("/tags", "type")]),
        ({"title": "x", "id": "1", "version": 7}, [("/id", "unknown_field"), ("/version", "unknown_field")]),
        ({"title": "x", "seo": {"tilte": "x"}}, [("/seo/tilte", "unknown_field")]),
        ({"title": "a\0b"}, [("/title", "nul")]),
    ],
)
async def test_bodies_that_are_wrong(
    admin: httpx.AsyncClient, body: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    problem = answered(await admin.post(f"{API}/posts", json=body), 422, "invalid")
    assert sorted(faults(problem)) == wrong


@KINDS
async def test_what_is_not_there(admin: httpx.AsyncClient, kind: str) -> None:
    other = await make(admin, "pages" if kind == "posts" else "posts", title="x")
    for one in (str(uuid4()), other["id"]):
        url = f"{API}/{kind}/{one}"
        for method, target in (
            ("GET", url),
            ("PATCH", url),
            ("DELETE", url),
            ("POST", f"{url}/publish"),
            ("POST", f"{url}/unpublish"),
            ("POST", f"{url}/restore"),
        ):
            body = {"title": "x"} if method == "PATCH" else None
            response = await admin.request(method, target, json=body, headers=ANY)
            answered(response, 404, "document_not_found")
    answered(await admin.get(f"{API}/{kind}/no-id"), 404, "route_not_found")


async def test_what_vanished_meanwhile_is_told_when_it_is_published(admin: httpx.AsyncClient) -> None:
    tag = await make(admin, "tags", name="T")
    post = await make(admin, "posts", title="x", tags=[tag["id"]])
    answered(await admin.delete(f"{API}/tags/{tag['id']}", headers=ANY), 409, "in_use")
    await change(admin, "posts", post, tags=[])
    await remove(admin, "tags", tag)
    await do(admin, "posts", post, "publish")


# Authors made on the way


async def test_the_first_post_makes_its_author(
    admin: httpx.AsyncClient, user_client, database_url: str
) -> None:
    bea = await user_client("author")
    assert rows(database_url, "SELECT count(*) FROM cms.authors") == [(0,)]
    posts = await asyncio.gather(*(make(bea, "posts", title=f"P{n}") for n in range(4)))
    (author,) = await items(admin, f"{API}/authors")
    assert {post["author"] for post in posts} == {author["id"]}
    me = answered(await bea.get(f"{API}/auth/me"), 200)
    user = me.get("user", me)
    assert (author["name"], author["slug"], author["user_id"]) == ("Bea", "bea", user["id"])


async def test_no_author_stays_of_a_post_that_fails(user_client, database_url: str) -> None:
    bea = await user_client("author")
    before = rows(database_url, "SELECT count(*) FROM activity.events")
    body = {"title": "x", "tags": [str(uuid4())]}
    answered(await bea.post(f"{API}/posts", json=body), 422)
    answered(await bea.post(f"{API}/posts", json={"title": "x", "slug": "a b"}), 422)
    assert rows(database_url, "SELECT count(*) FROM cms.authors") == [(0,)]
    assert rows(database_url, "SELECT count(*) FROM cms.documents") == [(0,)]
    assert rows(database_url, "SELECT count(*) FROM activity.events") == before


async def test_who_names_authors_needs_no_profile(user_client, admin: httpx.AsyncClient) -> None:
    ada = await make(admin, "authors", name="Ada")
    bea = await user_client("author")
    assert (await make(bea, "posts", title="x", authors=[ada["id"]]))["authors"] == [ada["id"]]
    assert (await make(bea, "posts", title="x", authors=[]))["author"] is None
    assert len(await items(admin, f"{API}/authors")) == 1

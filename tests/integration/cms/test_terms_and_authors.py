"""Categories, tags and authors over HTTP."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

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

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.taxonomies.interface import TermChanges
from cms_api.kernel.actor import SYSTEM

KINDS = pytest.mark.parametrize("kind", ["categories", "tags", "authors"])


@KINDS
async def test_a_whole_life(admin: httpx.AsyncClient, client: httpx.AsyncClient, kind: str) -> None:
    made = await make(admin, kind, name="Größe & mehr")
    url = f"{API}/{kind}/{made['id']}"
    assert (made["slug"], made["version"]) == ("größe-mehr", 1)
    response = await admin.get(url)
    assert (answered(response, 200), response.headers["etag"]) == (made, '"v1"')
    assert (await admin.get(url, headers={"If-None-Match": '"v1"'})).status_code == 304
    assert await items(admin, f"{API}/{kind}") == [made]

    answered(await admin.patch(url, json={"name": "x"}), 428, "precondition_required")
    response = await admin.patch(url, json={"name": "Size"}, headers=at(1))
    changed = answered(response, 200)
    assert (changed["name"], changed["slug"], changed["version"]) == ("Size", "größe-mehr", 2)
    assert response.headers["etag"] == '"v2"'
    same = answered(await admin.patch(url, json={"name": "Size"}, headers=at(2)), 200)
    assert same == changed
    stale = answered(await admin.patch(url, json={"name": "Late"}, headers=at(1)), 412, "stale")
    assert stale["current_version"] == 2
    answered(await admin.patch(url, json={"slug": "size"}, headers=ANY), 200)
    public = f"{CONTENT}/{kind}/by-slug/size"
    if kind == "authors":  # public once something is published under it
        answered(await client.get(public), 404, "nothing_published")
        post = await published(admin, "posts", title="Post", authors=[made["id"]])
        assert answered(await client.get(public), 200)["name"] == "Size"
        await change(admin, "posts", post, authors=[])
        await do(admin, "posts", post, "publish")
    else:
        assert answered(await client.get(public), 200)["name"] == "Size"

    answered(await admin.delete(url), 428)
    answered(await admin.delete(url, headers=at(1)), 412)
    answered(await admin.delete(url, headers=at(3)), 204)
    for method in ("GET", "PATCH", "DELETE"):
        response = await admin.request(
            method, url, json={"name": "x"} if method == "PATCH" else None, headers=ANY
        )
        answered(response, 404, "resource_not_found")
    answered(await client.get(public), 404)


@KINDS
async def test_slugs_of_ones_own(admin: httpx.AsyncClient, kind: str) -> None:
    made = await asyncio.gather(*(make(admin, kind, name="Same") for _ in range(10)))
    assert {one["slug"] for one in made} == {"same", *(f"same-{n}" for n in range(2, 11))}
    answered(await admin.post(f"{API}/{kind}", json={"name": "x", "slug": "same"}), 409, "slug_taken")
    url = f"{API}/{kind}/{made[0]['id']}"
    answered(await admin.patch(url, json={"slug": made[1]["slug"]}, headers=ANY), 409, "slug_taken")
    wrong = answered(await admin.post(f"{API}/{kind}", json={"name": "x", "slug": "a b"}), 422)
    assert faults(wrong) == [("/slug", "slug")]
    answers = await asyncio.gather(
        *(admin.post(f"{API}/{kind}", json={"name": "x", "slug": "mine"}) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 4]


@KINDS
async def test_of_two_writers_one_wins(admin: httpx.AsyncClient, kind: str) -> None:
    made = await make(admin, kind, name="Contested")
    url = f"{API}/{kind}/{made['id']}"
    answers = await asyncio.gather(
        *(admin.patch(url, json={"name": f"by {n}"}, headers=at(1)) for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert answered(await admin.get(url), 200) == won


@KINDS
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, [("/name", "required")]),
        ({"name": ""}, [("/name", "length")]),
        ({"name": "x" * 201}, [("/name", "length")]),
        ({"name": "x", "colour": 1}, [("/colour", "unknown_field")]),
        ({"name": 1, "slug": None}, [("/name", "type"), ("/slug", "type")]),
    ],
)
async def test_bodies_that_are_wrong(
    admin: httpx.AsyncClient, kind: str, body: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    assert sorted(faults(answered(await admin.post(f"{API}/{kind}", json=body), 422))) == wrong


# Categories and tags


async def test_a_tree_of_categories(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    a = await make(admin, "categories", name="A")
    b = await make(admin, "categories", name="B", parent_id=a["id"])
    c = await make(admin, "categories", name="C", parent_id=b["id"])
    read = answered(await client.get(f"{CONTENT}/categories/{c['id']}?include=parent"), 200)
    assert read["parent"]["slug"] == "b"
    for parent in (a, b, c):
        response = await admin.patch(
            f"{API}/categories/{a['id']}", json={"parent_id": parent["id"]}, headers=ANY
        )
        assert faults(answered(response, 422)) == [("/parent_id", "cycle")]
    problem = answered(await admin.delete(f"{API}/categories/{a['id']}", headers=ANY), 409, "has_children")
    assert problem["children"] == 1
    assert (await change(admin, "categories", b, parent_id=None))["parent_id"] is None
    await remove(admin, "categories", a)


async def test_a_parent_is_a_category(admin: httpx.AsyncClient) -> None:
    tag, made = await make(admin, "tags", name="T"), await make(admin, "categories", name="C")
    for parent in (tag["id"], str(uuid4())):
        body = {"name": "x", "parent_id": parent}
        wrong = answered(await admin.post(f"{API}/categories", json=body), 422)
        assert faults(wrong) == [("/parent_id", "unknown_reference")]
        response = await admin.patch(
            f"{API}/categories/{made['id']}", json={"parent_id": parent}, headers=ANY
        )
        assert faults(answered(response, 422)) == [("/parent_id", "unknown_reference")]
    response = await admin.post(f"{API}/tags", json={"name": "x", "parent_id": made["id"]})
    assert faults(answered(response, 422)) == [("/parent_id", "unknown_field")]


async def test_two_who_move_at_once_tie_no_knot(admin: httpx.AsyncClient, database_url: str) -> None:
    for round_ in range(5):
        a = await make(admin, "categories", name=f"A{round_}")
        b = await make(admin, "categories", name=f"B{round_}")
        answers = await asyncio.gather(
            admin.patch(f"{API}/categories/{a['id']}", json={"parent_id": b["id"]}, headers=ANY),
            admin.patch(f"{API}/categories/{b['id']}", json={"parent_id": a["id"]}, headers=ANY),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422]
    knots = "SELECT count(*) FROM cms.terms a JOIN cms.terms b ON a.parent_id = b.id AND b.parent_id = a.id"
    assert rows(database_url, knots) == [(0,)]


@pytest.mark.parametrize(
    ("kind", "field"), [("categories", "categories"), ("tags", "tags"), ("authors", "authors")]
)
async def test_what_is_in_use_stays(admin: httpx.AsyncClient, kind: str, field: str) -> None:
    used = await make(admin, kind, name="Used")
    url = f"{API}/{kind}/{used['id']}"
    draft = await make(admin, "posts", title="Draft", **{"authors": [], field: [used["id"]]})
    live = await published(admin, "posts", title="Live", **{"authors": [], field: [used["id"]]})
    problem = answered(await admin.delete(url, headers=ANY), 409, "in_use")
    assert problem["documents"] == 2
    await change(admin, "posts", draft, **{field: []})
    # Readers still see the other one, whatever its draft says by now.
    await change(admin, "posts", live, **{field: []})
    assert answered(await admin.delete(url, headers=ANY), 409, "in_use")["documents"] == 1
    answered(await admin.post(f"{API}/posts/{live['id']}/publish", headers=ANY), 200)
    answered(await admin.delete(url, headers=ANY), 204)


async def test_what_is_filed_while_its_tag_goes_is_refused_or_keeps_it(admin: httpx.AsyncClient) -> None:
    for round_ in range(4):
        tag = await make(admin, "tags", name=f"T{round_}")
        gone, made = await asyncio.gather(
            admin.delete(f"{API}/tags/{tag['id']}", headers=ANY),
            admin.post(f"{API}/posts", json={"title": "x", "tags": [tag["id"]]}),
        )
        assert (gone.status_code, made.status_code) in {(204, 422), (409, 201)}


async def test_taxonomies_do_not_know_each_other(admin: httpx.AsyncClient) -> None:
    tag = await make(admin, "tags", name="T")
    answered(await admin.get(f"{API}/categories/{tag['id']}"), 404, "resource_not_found")
    answered(await admin.delete(f"{API}/categories/{tag['id']}", headers=ANY), 404, "resource_not_found")


# Authors


async def test_an_author_belongs_to_a_user_or_to_nobody(admin: httpx.AsyncClient, user_client) -> None:
    await user_client("author")
    (bea,) = [user for user in await items(admin, f"{API}/users") if user["name"] == "Bea"]
    made = await make(admin, "authors", name="Beatrix", user_id=bea["id"], website="https://bea.example")
    assert (made["user_id"], made["website"]) == (bea["id"], "https://bea.example")
    body = {"name": "Again", "user_id": bea["id"]}
    answered(await admin.post(f"{API}/authors", json=body), 409, "user_has_author")
    other = await make(admin, "authors", name="Other")
    response = await admin.patch(f"{API}/authors/{other['id']}", json={"user_id": bea["id"]}, headers=ANY)
    answered(response, 409, "user_has_author")
    assert (await change(admin, "authors", made, user_id=None))["user_id"] is None
    assert (await change(admin, "authors", other, user_id=bea["id"]))["user_id"] == bea["id"]
    wrong = answered(await admin.post(f"{API}/authors", json={"name": "x", "user_id": str(uuid4())}), 422)
    assert faults(wrong) == [("/user_id", "unknown_reference")]


async def test_the_byline_that_is_there_is_used(admin: httpx.AsyncClient, user_client) -> None:
    bea = await user_client("author")
    (user,) = [user for user in await items(admin, f"{API}/users") if user["name"] == "Bea"]
    byline = await make(admin, "authors", name="B. Writer", user_id=user["id"])
    assert (await make(bea, "posts", title="x"))["author"] == byline["id"]


@pytest.mark.parametrize(
    "website", ["javascript:alert(1)", "ftp://a.example", "a.example", "https://a b", ""]
)
async def test_a_website_is_one(admin: httpx.AsyncClient, website: str) -> None:
    wrong = answered(await admin.post(f"{API}/authors", json={"name": "x", "website": website}), 422)
    assert [pointer for pointer, _ in faults(wrong)] == ["/website"]


async def test_an_avatar_is_a_file(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    body = {"name": "x", "avatar_id": str(uuid4())}
    assert faults(answered(await admin.post(f"{API}/authors", json=body), 422)) == [
        ("/avatar_id", "unknown_reference")
    ]
    uploaded = answered(await admin.post(f"{API}/media", files={"file": ("a.txt", b"words")}), 201)
    made = await make(admin, "authors", name="Ada", avatar_id=uploaded["id"])
    await published(admin, "posts", title="Post", authors=[made["id"]])
    read = answered(await client.get(f"{CONTENT}/authors/{made['id']}?include=avatar"), 200)
    assert read["avatar"]["url"] == uploaded["url"]
    answered(await admin.delete(f"{API}/media/{uploaded['id']}", headers=ANY), 409, "in_use")


async def test_who_takes_a_slug_while_it_is_given_up_has_it(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application
) -> None:
    """Whoever gets a slug waits for who had it, and so sees what that one has left behind."""
    terms = application.container.cms.terms()
    first = await make(admin, "tags", name="Tea", slug="tea")
    async with asyncio.TaskGroup() as group, application.unit_of_work() as uow:
        changes = TermChanges(slug="chai")
        await terms.update(uow, SYSTEM, "tag", UUID(first["id"]), changes, expected=None)
        second = group.create_task(make(admin, "tags", name="Other", slug="tea"))
        await asyncio.sleep(0.3)
        assert not second.done()
    assert (await client.get("/tags/tea/feed.json")).status_code == 200
    await remove(admin, "tags", second.result())
    assert (await client.get("/tags/tea/feed.json")).status_code == 404
    assert (await client.get("/tags/chai/feed.json")).status_code == 200

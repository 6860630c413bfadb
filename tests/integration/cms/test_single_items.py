"""Single resources in management take `include` and `fields`, and say the same as their lists."""

from typing import Any

import httpx
import pytest
from tests.integration.cms.cms_client import (
    API,
    CONTENT,
    answered,
    change,
    items,
    make,
    published,
)
from tests.integration.http.asking import upload

KINDS = ("posts", "pages", "entries/event", "authors", "categories", "tags", "media")
ASKED = {
    "posts": (
        "include=author.avatar,authors,categories.parent,tags,cover",
        "include[tags][limit]=1&include[tags][sort]=name&fields=title,tags.name,authors",
    ),
    "pages": ("include=author,cover,parent.author", "include=parent&fields=id,parent.title"),
    "entries/event": (
        "include=author,place.photo,things,stand.where",
        "include[things][limit]=1&include=stand.where&fields=headline,things.slug,stand",
    ),
    "authors": ("include=avatar", "include=avatar&fields=name,avatar.alt", "fields=avatar"),
    "categories": ("include=parent.parent", "include=parent&fields=name,parent.slug", "fields=parent_id"),
    "tags": ("fields=name,slug",),
    "media": ("fields=alt,version",),
}


async def model(admin: httpx.AsyncClient, key: str, fields: list[dict[str, Any]]) -> None:
    """A content type."""
    answered(await admin.post(f"{API}/content-types", json={"key": key, "fields": fields}), 201)


async def of_each_kind(admin: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """One of each kind, which points at something by all its relations."""
    photo = await upload(admin, alt="Grey")
    ada = await make(admin, "authors", name="Ada B", avatar_id=photo["id"])
    above = await make(admin, "categories", name="Above")
    below = await make(admin, "categories", name="Below", parent_id=above["id"])
    tags = [await make(admin, "tags", name=name) for name in ("Red", "Blue")]
    place = [
        {"key": "photo", "type": "media"},
        {"key": "owner", "type": "text", "visibility": "restricted"},
    ]
    await model(admin, "place", place)
    where = {"key": "where", "type": "reference", "types": ["place"]}
    fields = [
        {"key": "headline", "type": "text"},
        {**where, "key": "place"},
        {"key": "things", "type": "references"},
        {"key": "stand", "type": "group", "fields": [where]},
    ]
    await model(admin, "event", fields)
    hall = await make(admin, "entries/place", slug="hall", photo=photo["id"], owner="Zoe")
    many = {"authors": [ada["id"]], "cover": photo["id"]}
    ids = [one["id"] for one in tags]
    post = await published(admin, "posts", title="Post", categories=[below["id"]], tags=ids, **many)
    top = await make(admin, "pages", title="Top", **many)
    event = await make(
        admin, "entries/event", slug="fair", headline="Fair", place=hall["id"], authors=[ada["id"]],
        things=[post["id"], hall["id"]], stand={"where": hall["id"]},
    )  # fmt: skip
    page = await make(admin, "pages", title="Page", parent=top["id"], **many)
    found = (post, page, event, ada, below, tags[0], photo)
    return dict(zip(KINDS, found, strict=True))


async def test_a_single_one_is_as_its_list_shows_it(admin: httpx.AsyncClient) -> None:
    there = await of_each_kind(admin)
    for kind, queries in ASKED.items():
        one = there[kind]["id"]
        whole = answered(await admin.get(f"{API}/{kind}/{one}"), 200)
        for query in queries:
            (listed,) = await items(admin, f"{API}/{kind}?filter[id]={one}&{query}")
            shown = answered(await admin.get(f"{API}/{kind}/{one}?{query}"), 200)
            assert shown == listed != whole, (kind, query)
    event = there["entries/event"]
    shown = answered(await admin.get(f"{API}/entries/event/{event['id']}?include=place.photo"), 200)
    assert shown["place"]["photo"] == there["media"]
    fields = "fields=headline,things.slug&include[things][sort]=-created_at&include[things][limit]=1"
    shown = answered(await admin.get(f"{API}/entries/event/{event['id']}?{fields}"), 200)
    assert shown == {"headline": "Fair", "things": [{"slug": "post"}]}


async def test_what_a_single_one_does_not_know(admin: httpx.AsyncClient) -> None:
    there = await of_each_kind(admin)
    for kind, query, code, meant in (
        ("posts", "include=authr", "unknown_include", "author"),
        ("posts", "include=author.avatr", "unknown_include", "author.avatar"),
        ("posts", "include[tags][limt]=3", "unknown_parameter", "limit"),
        ("posts", "fields=titel", "unknown_field", "title"),
        ("pages", "includes=author", "unknown_parameter", "include"),
        ("entries/event", "include=plaec", "unknown_include", "place"),
        ("entries/event", "fields=headlin", "unknown_field", "headline"),
        ("authors", "include=avatars", "unknown_include", "avatar"),
        ("categories", "fields=nam", "unknown_field", "name"),
        ("tags", "field=name", "unknown_parameter", "fields"),
        ("tags", "include=parent", "unknown_parameter", None),
        ("media", "fields=filenam", "unknown_field", "filename"),
        ("media", "include=author", "unknown_parameter", None),
        ("posts", "limit=3", "unknown_parameter", None),
        ("posts", "fields=", "required", None),
    ):
        url = f"{API}/{kind}/{there[kind]['id']}"
        (fault,) = answered(await admin.get(f"{url}?{query}"), 400, "malformed")["errors"]
        assert fault["code"] == code, (kind, query)
        assert meant is None or f"Did you mean “{meant}”?" in fault["detail"], fault
    both = await admin.get(f"{API}/posts/{there['posts']['id']}?include=nobody&fields=nothing")
    assert len(answered(both, 400, "malformed")["errors"]) == 2


async def test_a_tag_tells_what_is_included_and_which_version(admin: httpx.AsyncClient) -> None:
    ada = await make(admin, "authors", name="Ada B")
    post = await published(admin, "posts", title="Post", authors=[ada["id"]])
    url = f"{API}/posts/{post['id']}"
    plain = (await admin.get(url)).headers["etag"]
    assert plain == f'"v{post["version"]}"'
    for query in ("include=author", "fields=title", "include=author&fields=title,author.name"):
        seen = await admin.get(f"{url}?{query}")
        tag = seen.headers["etag"]
        assert tag.startswith(f"{plain[:-1]}-")
        assert seen.headers["cache-control"] == "private, no-cache"
        again = await admin.get(f"{url}?{query}", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        # The version alone says nothing of what was chosen.
        other = await admin.get(f"{url}?{query}", headers={"If-None-Match": plain})
        assert (other.status_code, other.content) == (200, seen.content)

    seen = await admin.get(f"{url}?include=author")
    known = {"If-None-Match": seen.headers["etag"]}
    await change(admin, "authors", ada, name="Ada L")
    renamed = await admin.get(f"{url}?include=author", headers=known)
    assert answered(renamed, 200)["author"]["name"] == "Ada L"
    assert renamed.headers["etag"] != seen.headers["etag"]
    only = await admin.get(f"{url}?fields=author", headers=known)
    assert answered(only, 200) == {"author": ada["id"]}

    # What is pointed at may have changed since: the post has not.
    wanted = {"If-Match": seen.headers["etag"]}
    changed = await admin.patch(url, json={"title": "Later"}, headers=wanted)
    assert answered(changed, 200)["version"] == post["version"] + 1
    stale = await admin.patch(url, json={"title": "Never"}, headers=wanted)
    assert answered(stale, 412)["current_version"] == post["version"] + 1
    for wrong in ('"v2-abc"', '"v2-"', seen.headers["etag"].upper()):
        answered(await admin.patch(url, json={"title": "x"}, headers={"If-Match": wrong}), 412)
    tag = (await admin.get(f"{url}?fields=title")).headers["etag"]
    operation = {"action": "publish", "type": "post", "id": post["id"]}
    for status, given in ((412, seen.headers["etag"]), (200, tag)):
        body = {"operations": [{**operation, "if_match": given}]}
        answered(await admin.post(f"{API}/batch", json=body), status)


async def test_a_draft_that_was_chosen_from_is_known_again(admin: httpx.AsyncClient) -> None:
    """Its lock is no part of the version, but of the bytes."""
    post = await make(admin, "posts", title="Draft")
    url = f"{API}/posts/{post['id']}?include=author"
    known = {"If-None-Match": (await admin.get(url)).headers["etag"]}
    assert (await admin.get(url, headers=known)).status_code == 304
    answered(await admin.post(f"{API}/posts/{post['id']}/lock", json={}), 200)
    assert answered(await admin.get(url, headers=known), 200)["lock"] is not None


async def test_a_single_one_shows_what_the_asking_user_may_see(
    admin: httpx.AsyncClient, user_client: Any
) -> None:
    event = (await of_each_kind(admin))["entries/event"]
    url = f"{API}/entries/event/{event['id']}?include=place"
    seen = answered(await admin.get(url), 200)
    assert (seen["place"]["owner"], seen["place"]["withheld"]) == ("Zoe", [])
    seen = answered(await (await user_client("author")).get(url), 200)
    assert seen["place"]["withheld"] == ["owner"]
    assert "owner" not in seen["place"]


async def test_a_single_one_costs_a_constant_number_of_statements(
    admin: httpx.AsyncClient, asked: list[str]
) -> None:
    there = await of_each_kind(admin)
    post, event = there["posts"]["id"], there["entries/event"]["id"]
    tags = [(await make(admin, "tags", name=f"T{n}"))["id"] for n in range(5)]
    await admin.get(f"{API}/entries/event/{event}?include=things")
    for ids in (tags[:1], tags):
        await change(admin, "posts", {"id": post}, tags=ids)
        await change(admin, "entries/event", {"id": event}, things=[there["pages"]["id"], post][: len(ids)])
        for url, cost in (
            # The document and its lock; one for each include, of documents another one for their locks.
            (f"posts/{post}", 2),
            (f"posts/{post}?fields=title", 2),
            (f"posts/{post}?include=author,tags,categories.parent,cover", 7),
            (f"authors/{there['authors']['id']}?include=avatar", 2),
            (f"categories/{there['categories']['id']}?include=parent.parent", 2),
            (f"media/{there['media']['id']}?fields=alt", 1),
        ):
            asked.clear()
            answered(await admin.get(f"{API}/{url}"), 200)
            assert sum("cms." in sql for sql in asked) == cost, url
        asked.clear()
        answered(await admin.get(f"{API}/entries/event/{event}?include=things"), 200)
        # Its type, itself and its lock; the types of what is included, and that with its locks.
        assert sum("cms." in sql for sql in asked) == 6


@pytest.mark.parametrize("place", [API, CONTENT])
async def test_what_brings_in_too_much_is_refused(admin: httpx.AsyncClient, place: str) -> None:
    await model(admin, "node", [{"key": "next", "type": "references"}])
    node = await published(admin, "entries/node", slug="one")
    deep = "include[next][limit]=100&include[next.next][limit]=100"
    for url, query in (
        (f"entries/node/{node['id']}", deep),
        ("entries/node", "limit=100&include[next][limit]=100"),
    ):
        problem = answered(await admin.get(f"{place}/{url}?{query}"), 400, "query_too_costly")
        assert problem["cost"] > problem["limit"]
        assert problem["most"][0]["parameter"] in ("include=next", "include=next.next")
        less = query.replace("=100", "=40")
        answered(await admin.get(f"{place}/{url}?{less}"), 200)
    answered(await admin.get(f"{place}/entries/node/{node['id']}?include=next.next.next"), 200)

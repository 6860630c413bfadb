"""Lists over HTTP: filters, orders, and cursors that hold while others write."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.integration.cms.cms_client import (
    API,
    CONTENT,
    answered,
    change,
    do,
    items,
    make,
    published,
    remove,
)
from tests.integration.http.asking import upload

KINDS = pytest.mark.parametrize("kind", ["posts", "pages", "authors", "categories", "tags"])


def named(kind: str, name: str) -> dict[str, Any]:
    return {"title" if kind in ("posts", "pages") else "name": name}


async def walk(client: httpx.AsyncClient, url: str) -> tuple[list[list[str]], list[list[str]]]:
    """The ids on each page, forwards by the Link header and back again by the cursors."""
    forwards, backwards = [], []
    path = url.partition("?")[0]
    response = await client.get(url)
    while True:
        body = answered(response, 200)
        forwards.append([item["id"] for item in body["items"]])
        links = {rel: link["url"] for rel, link in response.links.items()}
        assert set(links) == {rel for rel in ("next", "prev") if body["page"][rel]}
        if "next" not in links:
            break
        response = await client.get(links["next"])
    query = url.partition("?")[2]
    while True:
        body = answered(response, 200)
        backwards.insert(0, [item["id"] for item in body["items"]])
        if body["page"]["prev"] is None:
            break
        response = await client.get(f"{path}?{query}&before={body['page']['prev']}")
    return forwards, backwards


@KINDS
async def test_pages_add_up_both_ways(admin: httpx.AsyncClient, kind: str) -> None:
    made = [await make(admin, kind, **named(kind, f"N {n % 3}")) for n in range(8)]
    ids = [one["id"] for one in made]
    name = next(iter(named(kind, "")))
    whole = {
        "sort=created_at": ids,
        "sort=-created_at": ids[::-1],
        f"sort={name}": sorted(ids, key=lambda one: (ids.index(one) % 3, ids.index(one))),
        f"sort=-{name},created_at": sorted(ids, key=lambda one: (-(ids.index(one) % 3), ids.index(one))),
    }
    for query, expected in whole.items():
        for limit in (1, 3, 8, 100):
            forwards, backwards = await walk(admin, f"{API}/{kind}?{query}&limit={limit}")
            assert [*chain(*forwards)] == [*chain(*backwards)] == expected
            assert all(len(page) <= limit for page in forwards + backwards)
            assert len(forwards) == -(-8 // limit)


@KINDS
async def test_nothing_is_repeated_or_skipped_while_others_write(admin: httpx.AsyncClient, kind: str) -> None:
    made = [await make(admin, kind, **named(kind, f"N{n}")) for n in range(9)]
    for sort, front in (("sort=-created_at", "A"), (f"sort={next(iter(named(kind, '')))}", "A")):
        seen: list[str] = []
        url = f"{API}/{kind}?limit=2&{sort}"
        while url:
            response = await admin.get(url)
            seen += [item["id"] for item in answered(response, 200)["items"]]
            # In front of what was read already, whatever the order.
            await make(admin, kind, **named(kind, front))
            url = response.links.get("next", {}).get("url", "")
        assert len(seen) == len(set(seen))
        assert {one["id"] for one in made} <= set(seen)


async def test_what_is_deleted_or_moved_disturbs_nobody(admin: httpx.AsyncClient) -> None:
    made = [await make(admin, "posts", title=f"N{n}") for n in range(7)]
    first = answered(await admin.get(f"{API}/posts?limit=3&sort=title"), 200)
    # The row that the cursor stands on vanishes, another one moves from behind it to the front.
    await remove(admin, "posts", made[2])
    await change(admin, "posts", made[3], title="A")
    after = first["page"]["next"]
    rest = await items(admin, f"{API}/posts?limit=10&sort=title&after={after}")
    assert [item["id"] for item in rest] == [one["id"] for one in made[4:]]
    page = answered(await admin.get(f"{API}/posts?limit=10&sort=title&before={after}"), 200)
    assert [item["id"] for item in page["items"]] == [made[3]["id"], made[0]["id"], made[1]["id"]]
    assert page["page"]["prev"] is None


async def test_posts_are_filtered(admin: httpx.AsyncClient) -> None:
    tag, category = await make(admin, "tags", name="T"), await make(admin, "categories", name="C")
    author = await make(admin, "authors", name="Grace")
    p0 = await make(admin, "posts", title="Zero 100%", tags=[tag["id"]])
    p1 = await make(admin, "posts", title="One", categories=[category["id"]], authors=[author["id"]])
    p2 = await published(admin, "posts", title="Two_x", locale="de")
    p3 = await make(admin, "posts", title="Gone")
    await remove(admin, "posts", p3)
    everything = {"p0": p0["id"], "p1": p1["id"], "p2": p2["id"], "p3": p3["id"]}
    names = {one: name for name, one in everything.items()}
    for query, found in {
        "": "p0 p1 p2",
        "filter[id]=" + p1["id"]: "p1",
        f"filter[id][in]={p0['id']},{p2['id']},{uuid4()}": "p0 p2",
        f"filter[id][nin]={p0['id']}": "p1 p2",
        "filter[title]=One": "p1",
        "filter[title][ne]=One": "p0 p2",
        "filter[title][contains]=ZERO": "p0",
        "filter[title][contains]=%25": "p0",
        "filter[title][contains]=_": "p2",
        "filter[title][starts_with]=t": "p2",
        "filter[slug]=two-x": "p2",
        "filter[status]=published": "p2",
        "filter[status]=draft": "p0 p1",
        "filter[status][in]=draft,published": "p0 p1 p2",
        "filter[locale]=de": "p2",
        f"filter[created_at][lt]={p1['created_at']}": "p0",
        f"filter[created_at][gte]={p1['created_at']}": "p1 p2",
        "filter[published_at][exists]=true": "p2",
        "filter[published_at][exists]=false": "p0 p1",
        f"filter[tags]={tag['id']}": "p0",
        "filter[tags.slug]=t": "p0",
        "filter[tags.slug][ne]=t": "p1 p2",
        "filter[tags][exists]=false": "p1 p2",
        "filter[categories.slug]=c": "p1",
        f"filter[categories][nin]={category['id']}": "p0 p2",
        "filter[author.slug]=grace": "p1",
        f"filter[author][ne]={author['id']}": "p0 p2",
        "filter[trashed]=true": "p3",
        "filter[trashed]=false": "p0 p1 p2",
        "filter[trashed][exists]=true": "p0 p1 p2 p3",
        "filter[title]=One&filter[status]=draft": "p1",
        "filter[title]=One&filter[status]=published": "",
    }.items():
        listed = await items(admin, f"{API}/posts?sort=created_at&{query}")
        assert " ".join(names[item["id"]] for item in listed) == found, query


async def test_other_lists_are_filtered(admin: httpx.AsyncClient) -> None:
    top = await make(admin, "categories", name="Top")
    sub = await make(admin, "categories", name="Sub", parent_id=top["id"])
    await make(admin, "tags", name="Sub")
    ada, _ = await make(admin, "authors", name="Ada", bio="x"), await make(admin, "authors", name="Grace")
    for url, found in {
        f"categories?filter[parent_id]={top['id']}": [sub["id"]],
        "categories?filter[parent_id][exists]=false": [top["id"]],
        "categories?filter[slug]=sub": [sub["id"]],
        "authors?filter[name][starts_with]=a": [ada["id"]],
        "authors?filter[user_id][exists]=true": [],
        "tags?filter[name]=Top": [],
    }.items():
        assert [item["id"] for item in await items(admin, f"{API}/{url}")] == found, url


async def test_a_list_is_counted_where_asked(admin: httpx.AsyncClient) -> None:
    for n in range(5):
        await make(admin, "tags", name=f"T{n}")
    body = answered(await admin.get(f"{API}/tags?limit=2"), 200)
    assert "count" not in body
    assert body["page"]["limit"] == 2
    counted = answered(await admin.get(f"{API}/tags?limit=2&count=exact&filter[name][ne]=T0"), 200)
    assert counted["count"] == 4


@KINDS
@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=x", "limit=-1", "limit=1&limit=2", "count=yes", "sort=body", "sort=",
        "sort=created_at,-created_at", "filter[nothing]=x", "filter[id]=x", "filter[id][like]=x",
        "filter[created_at][gt]=yesterday", "filter[created_at]=2026-01-01T00:00:00", "after=x", "before=",
        "after=x&before=y", "colour=red", "include=nobody", "fields=ids", "filter=x", "filter[]=x",
    ],
)  # fmt: skip
async def test_what_a_list_does_not_know(admin: httpx.AsyncClient, kind: str, query: str) -> None:
    answered(await admin.get(f"{API}/{kind}?{query}"), 400, "malformed")


async def test_a_cursor_is_good_for_its_own_list(admin: httpx.AsyncClient) -> None:
    for n in range(3):
        await make(admin, "posts", title=f"N{n}")
        await make(admin, "pages", title=f"N{n}")
    cursor = answered(await admin.get(f"{API}/posts?limit=1"), 200)["page"]["next"]
    answered(await admin.get(f"{API}/posts?after={cursor}"), 200)
    for other in (
        f"{API}/pages?after={cursor}",
        f"{API}/posts?sort=title&after={cursor}",
        f"{API}/posts?filter[status]=draft&after={cursor}",
        f"{API}/posts?after={cursor[:-2]}",
        f"{API}/posts?after={cursor[:-1]}{'A' if cursor[-1] != 'A' else 'B'}",
        f"{API}/posts?after={cursor}AAAA",
    ):
        answered(await admin.get(other), 400, "malformed")


async def test_each_list_costs_a_constant_number_of_statements(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, asked: list[str]
) -> None:
    tag = await make(admin, "tags", name="T")
    for n in range(3):
        await published(admin, "posts", title=f"N{n}", tags=[tag["id"]])
        await published(admin, "pages", title=f"N{n}")
    asked.clear()
    answered(await admin.get(f"{API}/auth/me"), 200)
    identified = sum("cms." not in sql for sql in asked)
    for kind in ("posts", "pages", "authors", "categories", "tags", "media"):
        locks = int(kind in ("posts", "pages"))  # a statement for all of them
        for query, cost in (("?limit=2", 1 + locks), ("?limit=2&count=exact", 2 + locks)):
            asked.clear()
            answered(await admin.get(f"{API}/{kind}{query}"), 200)
            assert sum("cms." in sql for sql in asked) == cost, kind
            assert sum("cms." not in sql for sql in asked) <= identified
    asked.clear()
    answered(await client.get(f"{CONTENT}/posts?include=tags,author"), 200)
    assert len(asked) == 1
    asked.clear()
    answered(await client.get(f"{CONTENT}/posts?q=n0&include=tags,author&sort=title"), 200)
    assert len(asked) == 1
    for limit in (1, 3):
        asked.clear()
        answered(await admin.get(f"{API}/posts?q=n&include=tags,author,authors,cover&limit={limit}"), 200)
        # The list, its locks, and what is included: there are no covers.
        assert sum("cms." in sql for sql in asked) == 5


async def test_lists_are_private(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="x")
    await do(admin, "posts", post, "publish")
    for kind in ("posts", "pages", "authors", "categories", "tags", "media"):
        response = await admin.get(f"{API}/{kind}")
        assert response.headers["cache-control"].startswith("private")
        refused = await client.get(f"{API}/{kind}")
        answered(refused, 401, "unauthenticated")
        assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_relations_are_included(admin: httpx.AsyncClient) -> None:
    ada = await make(admin, "authors", name="Ada B")
    zoe = await make(admin, "authors", name="Zoe")
    tags = [await make(admin, "tags", name=name) for name in ("Red", "Blue")]
    news = await make(admin, "categories", name="News")
    cover = await upload(admin, alt="Grey")
    ids = [one["id"] for one in tags]
    values = {
        "authors": [zoe["id"], ada["id"]],
        "tags": ids,
        "categories": [news["id"]],
        "cover": cover["id"],
    }
    await make(admin, "posts", title="With all", **values)
    await make(admin, "posts", title="With none", authors=[])
    await make(admin, "pages", title="Page", authors=[ada["id"]])
    query = "include=author,authors,categories,tags,cover&sort=title"
    full, bare = await items(admin, f"{API}/posts?{query}")
    assert (full["author"]["name"], [one["name"] for one in full["authors"]]) == ("Zoe", ["Zoe", "Ada B"])
    assert (full["tags"], full["categories"], full["cover"]) == (tags, [news], cover)
    assert (bare["author"], bare["authors"], bare["tags"], bare["cover"]) == (None, [], [], None)
    cut = "include[tags][limit]=1&include[tags][sort]=name&fields=title,tags.name,authors&sort=title&limit=1"
    assert await items(admin, f"{API}/posts?{cut}") == [
        {"title": "With all", "tags": [{"name": "Blue"}], "authors": values["authors"]}
    ]
    (page,) = await items(admin, f"{API}/pages?include=authors&fields=authors.slug")
    assert page == {"authors": [{"slug": "ada-b"}]}
    asked = await admin.post(
        f"{API}/posts/query", json={"include": {"tags": {"limit": 1}}, "fields": ["tags.slug"]}
    )
    assert {"tags": [{"slug": "red"}]} in answered(asked, 200)["items"]


async def event_type(admin: httpx.AsyncClient) -> None:
    """Places, and events that point at these, at posts and at each other from wherever a field may be."""
    place = [
        {"key": "name", "type": "text"},
        {"key": "photo", "type": "media"},
        {"key": "owner", "type": "text", "visibility": "restricted"},
    ]
    answered(await admin.post(f"{API}/content-types", json={"key": "place", "fields": place}), 201)
    where = {"key": "where", "type": "reference", "types": ["place"]}
    any_of_them = {"key": "things", "type": "references", "types": ["place", "post", "page"]}
    fields = [
        {"key": "headline", "type": "text"},
        {**where, "key": "place"},
        any_of_them,
        {"key": "anything", "type": "reference"},
        {"key": "stand", "type": "group", "fields": [where]},
        {"key": "stops", "type": "list", "of": {"type": "group", "fields": [where]}},
        {"key": "body", "type": "blocks", "variants": [
            {"key": "map", "fields": [where]}, {"key": "note", "fields": [{"key": "text", "type": "text"}]},
        ]},
    ]  # fmt: skip
    answered(await admin.post(f"{API}/content-types", json={"key": "event", "fields": fields}), 201)


async def test_entries_include_what_they_point_at(admin: httpx.AsyncClient) -> None:
    await event_type(admin)
    ada = await make(admin, "authors", name="Ada B")
    photo = await upload(admin, alt="Grey")
    hall = await make(
        admin, "entries/place", slug="hall", name="Hall", photo=photo["id"], authors=[ada["id"]]
    )
    barn = await make(admin, "entries/place", slug="barn", name="Barn", owner="Zoe", authors=[])
    tag = await make(admin, "tags", name="Red")
    post = await make(admin, "posts", title="A post", tags=[tag["id"]])
    first = await make(
        admin, "entries/event", slug="first", headline="First", anything=post["id"], authors=[ada["id"]]
    )
    await make(
        admin, "entries/event", slug="second", headline="Second", authors=[],
        place=hall["id"], things=[post["id"], barn["id"], hall["id"]], anything=first["id"],
        stand={"where": barn["id"]}, stops=[{"where": hall["id"]}, {"where": None}, {"where": barn["id"]}],
        body=[{"type": "map", "where": hall["id"]}, {"type": "note", "text": "Here."}],
    )  # fmt: skip
    url = f"{API}/entries/event?filter[slug]=second"

    (one,) = await items(
        admin, f"{url}&include=place.photo,place.author.avatar,things.tags,anything.anything"
    )
    assert one["place"]["photo"] == photo
    assert one["place"]["author"]["name"] == "Ada B"
    assert [thing["id"] for thing in one["things"]] == [post["id"], barn["id"], hall["id"]]
    assert one["things"][0]["tags"] == [tag]
    assert one["things"][2]["photo"] == photo["id"]
    assert (one["anything"]["slug"], one["anything"]["anything"]["title"]) == ("first", "A post")
    assert one["stand"] == {"where": barn["id"]}

    (one,) = await items(admin, f"{url}&include=stand.where,stops.where,body.where")
    assert one["stand"]["where"]["name"] == "Barn"
    assert [stop["where"] and stop["where"]["name"] for stop in one["stops"]] == ["Hall", None, "Barn"]
    assert (one["body"][0]["where"]["name"], one["body"][1]["text"]) == ("Hall", "Here.")
    assert one["place"] == hall["id"]

    wanted = "include[things][limit]=2&include[things][sort]=-created_at&fields=headline,things.slug,place"
    (one,) = await items(admin, f"{url}&{wanted}")
    assert one == {
        "headline": "Second", "things": [{"slug": "a-post"}, {"slug": "barn"}], "place": hall["id"],
    }  # fmt: skip
    body = {
        "filter": {"slug": "second"},
        "include": {"things": {"limit": 1, "include": {"tags": {"fields": ["name"]}}, "fields": ["tags"]}},
        "fields": ["things"],
    }
    asked = await admin.post(f"{API}/entries/event/query", json=body)
    assert answered(asked, 200)["items"] == [{"things": [{"tags": [{"name": "Red"}]}]}]


async def test_includes_show_what_the_asking_user_may_see(admin: httpx.AsyncClient, user_client: Any) -> None:
    await event_type(admin)
    barn = await make(admin, "entries/place", slug="barn", name="Barn", owner="Zoe")
    await make(admin, "entries/event", slug="one", place=barn["id"])
    url = f"{API}/entries/event?include=place"
    (seen,) = await items(admin, url)
    assert (seen["place"]["owner"], seen["place"]["withheld"]) == ("Zoe", [])
    (seen,) = await items(await user_client("author"), url)
    assert seen["place"]["withheld"] == ["owner"]
    assert "owner" not in seen["place"]


async def test_trees_include_what_is_above(admin: httpx.AsyncClient) -> None:
    photo = await upload(admin, alt="Grey")
    above = await make(admin, "categories", name="Above")
    middle = await make(admin, "categories", name="Middle", parent_id=above["id"])
    below = await make(admin, "categories", name="Below", parent_id=middle["id"])
    url = f"{API}/categories?filter[slug]=below"
    (one,) = await items(admin, f"{url}&include=parent.parent")
    assert one == below | {"parent": middle | {"parent": above}}
    (one,) = await items(admin, f"{url}&include=parent.parent&fields=name,parent.name,parent.parent.slug")
    assert one == {"name": "Below", "parent": {"name": "Middle", "parent": {"slug": "above"}}}
    assert await items(admin, f"{url}&fields=name,parent") == [{"name": "Below", "parent": middle["id"]}]

    ada = await make(admin, "authors", name="Ada B", avatar_id=photo["id"])
    by_ada = "filter[avatar.filename][starts_with]=" + photo["filename"][:3]
    assert await items(admin, f"{API}/authors?{by_ada}&include=avatar") == [ada | {"avatar": photo}]
    root = await make(admin, "pages", title="Root", authors=[ada["id"]])
    await make(admin, "pages", title="Leaf", parent=root["id"])
    (leaf,) = await items(
        admin, f"{API}/pages?filter[slug]=leaf&include=parent.author.avatar&fields=parent.author.avatar.alt"
    )
    assert leaf == {"parent": {"author": {"avatar": {"alt": "Grey"}}}}
    await make(admin, "posts", title="Post", categories=[below["id"], above["id"]])
    (post,) = await items(
        admin, f"{API}/posts?include=categories.parent&fields=categories.parent.name,categories.parent.slug"
    )
    assert post == {"categories": [{"parent": {"name": "Middle", "slug": "middle"}}, {"parent": None}]}


async def test_lists_are_known_again(admin: httpx.AsyncClient) -> None:
    await make(admin, "tags", name="Red")
    url = f"{API}/tags?limit=1"
    read = await admin.get(url)
    known = {"If-None-Match": read.headers["etag"]}
    again = await admin.get(url, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", read.headers["etag"])
    await make(admin, "tags", name="Blue")
    answered(await admin.get(url, headers=known), 200)  # there is another one, and a next page


@pytest.mark.parametrize(
    "include", ["parent", "categories.parents", "cover.id", "authr", "seo", "author.avatar.x", "a.b.c.d"]
)
async def test_no_more_is_included(admin: httpx.AsyncClient, include: str) -> None:
    answered(await admin.get(f"{API}/posts?include={include}"), 400, "malformed")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("users", "email,name"),
        ("jobs", "state"),
        ("media", "filename,alt"),
        ("menus", "key"),
        ("redirects", "source,target"),
        ("comments", "body"),
        ("schedules", "state"),
        ("tasks", "state"),
        ("authors", "name"),
        ("content-types", "key,version"),
        ("posts/{post}/revisions", "label"),
        ("posts/{post}/comments", "body"),
        ("posts/{post}/schedules", "state"),
    ],
)
async def test_fields_of_every_list(admin: httpx.AsyncClient, path: str, fields: str) -> None:
    post = await make(admin, "posts", title="One")
    await upload(admin)
    await make(admin, "menus", key="main", name="Main")
    await make(admin, "redirects", source="/old", target="/new")
    await make(admin, "authors", name="Zoe")
    answered(await admin.post(f"{API}/content-types", json={"key": "event", "fields": []}), 201)
    answered(await admin.post(f"{API}/posts/{post['id']}/comments", json={"body": "Well"}), 201)
    at = {"publish_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    answered(await admin.post(f"{API}/posts/{post['id']}/schedule", json=at), 201)
    url = f"{API}/{path.replace('{post}', post['id'])}"
    for item in await items(admin, f"{url}?fields={fields}"):
        assert set(item) <= set(fields.split(","))
    answered(await admin.get(f"{url}?fields=nothing"), 400, "malformed")

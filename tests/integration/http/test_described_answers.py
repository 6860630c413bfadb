"""That answers are what the OpenAPI document says of them: bodies, headers, and what may be asked for."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.described import parameters_of
from tests.integration.http.asking import ABSENT, API, CONTENT, make_live
from tests.integration.http.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What servers and clients have to agree on anyway, and what guards each answer alike.
PLAIN_HEADERS = {
    "content-type", "content-length", "content-encoding", "content-disposition", "content-security-policy",
    "x-content-type-options", "x-frame-options", "referrer-policy",
}  # fmt: skip
MANAGED = ("posts", "pages", "entries/event")
DELIVERED = ("posts", "pages", "categories", "authors", "entries/event", "entries/place")


@pytest.fixture
async def document(site: Site, library: dict[str, Any]) -> dict[str, Any]:
    """The document, with types."""
    del library
    found: dict[str, Any] = (await site.visitor.get("/openapi.json")).json()
    return found


# What each list can include, as deep as it goes.
DEEP = {
    "posts": "author.avatar,authors,categories.parent.parent,tags,cover",
    "pages": "author,authors,cover,parent",
    "categories": "parent.parent.parent",
    "authors": "avatar",
    "entries/event": "place.city,others,author,authors,stands.by",
    "entries/place": "city",
}


def resolved(document: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    while "$ref" in one:
        kind, name = one["$ref"].split("/")[-2:]
        one = document["components"][kind][name]
    return one


def check(document: dict[str, Any], path: str, answer: Any, *, method: str = "get") -> None:
    """That a body is as the document says."""
    content = document["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    (described,) = content.values()
    whole = {**described["schema"], "components": document["components"]}
    faults = [
        f"{one.json_path}: {one.message[:300]}"
        for one in Draft202012Validator(whole).iter_errors(answer.json())
    ]
    assert not faults, (str(answer.request.url), faults)


def included(document: dict[str, Any], path: str) -> list[str]:
    """The relations that a list says can be included."""
    parameters = parameters_of(document, document["paths"][path]["get"])
    (words,) = (one["description"] for one in parameters if one["name"] == "include")
    listed = {name for one in parameters for name in re.findall(r"^filter\[(\w+)\]$", one["name"])}
    return [name for name in re.findall(r"`([a-z]\w*)`", words) if name in listed]


@pytest.fixture
async def filled(site: Site, library: dict[str, Any]) -> None:
    """A page below another one, with all that it can point at."""
    del library
    ids = site.ids
    parent = await make_live(site.admin, "pages", title="Above")
    await make_live(
        site.admin, "pages", title="Below", parent=parent["id"], authors=[ids["authors"]], cover=ids["media"]
    )
    await make_live(
        site.admin, "posts", title="All", authors=[ids["authors"]], cover=ids["media"], tags=[ids["tags"]],
        categories=[ids["categories"]],
    )  # fmt: skip


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", MANAGED)
async def test_what_management_includes(site: Site, document: dict[str, Any], kind: str) -> None:
    url = f"{API}/{kind}"
    relations = included(document, url)
    assert {"author", "authors"} <= set(relations)
    for asked in ("", *(f"include={name}" for name in relations), f"include={','.join(relations)}"):
        answer = await site.admin.get(f"{url}?{asked}")
        check(document, url, answer)
        check(document, url, await site.admin.get(f"{url}?{asked}&fields=id,authors"))
    several = {"authors": {"fields": ["name"], "limit": 1}}
    answer = await site.admin.post(f"{url}/query", json={"include": several})
    check(document, f"{url}/query", answer, method="post")
    assert any(one["authors"] and set(one["authors"][0]) == {"name"} for one in answer.json()["items"])


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", DEEP)
async def test_how_deep_management_includes(site: Site, document: dict[str, Any], kind: str) -> None:
    url, deep = f"{API}/{kind}", DEEP[kind]
    for asked in (*(f"include={name}" for name in deep.split(",")), f"include={deep}"):
        check(document, url, await site.admin.get(f"{url}?{asked}"))
    check(document, url, await site.admin.get(f"{url}?include={deep}&fields=id"))


ITEMS = {
    "posts": "document_id", "pages": "document_id", "entries/event": "document_id", "entries/place": "document_id",
    "authors": "author_id", "categories": "term_id", "tags": "term_id", "media": "media_id",
}  # fmt: skip
CHOOSING = re.compile(r"fields|format|include(?:\[.+\])?")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", ITEMS)
async def test_single_ones_in_management(site: Site, document: dict[str, Any], kind: str) -> None:
    """They take what their lists take to choose with, and answer what the document says."""
    url, path = f"{API}/{kind}", f"{API}/{kind}/{{{ITEMS[kind]}}}"
    listed = parameters_of(document, document["paths"][url]["get"])
    taken = [one for one in parameters_of(document, document["paths"][path]["get"]) if one["in"] == "query"]
    assert taken == [one for one in listed if one["in"] == "query" and CHOOSING.fullmatch(one["name"])]
    deep = DEEP.get(kind)
    assert (deep is not None) == ("include" in {one["name"] for one in taken})
    asked = ["", "?fields=id"]
    asked += [f"?include={name}" for name in deep.split(",")] if deep else []
    asked += [f"?include={deep}", f"?include={deep}&fields=id,version"] if deep else []
    for one in (await site.admin.get(url)).json()["items"]:
        for query in asked:
            answer = await site.admin.get(f"{url}/{one['id']}{query}")
            assert answer.status_code == 200, answer.text
            check(document, path, answer)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", ["authors", "categories", "tags", "media", "users", "redirects", "menus"])
async def test_fields_of_management(site: Site, document: dict[str, Any], kind: str) -> None:
    url = f"{API}/{kind}"
    answer = await site.admin.get(f"{url}?fields=id")
    assert all(set(one) == {"id"} for one in answer.json()["items"])
    check(document, url, answer)
    check(document, url, await site.admin.get(url))


@pytest.mark.parametrize(
    ("kind", "key"),
    [("roles", "key"), ("permissions", "name"), ("retention-policies", "type"), ("workflows", "type")],
)
async def test_fields_of_short_lists(site: Site, document: dict[str, Any], kind: str, key: str) -> None:
    url = f"{API}/{kind}"
    check(document, url, await site.admin.get(url))
    answer = await site.admin.get(f"{url}?fields={key}&count=exact")
    assert all(set(one) == {key} for one in answer.json()["items"])
    check(document, url, answer)
    body = {"fields": [key], "filter": {key: {"exists": True}}}
    answer = await site.admin.post(f"{url}/query", json=body)
    check(document, f"{url}/query", answer, method="post")


async def test_whatever_comes_in_pages_takes_the_whole_grammar(document: dict[str, Any]) -> None:
    lists = set()
    for path, operations in document["paths"].items():
        answers = operations.get("get", {}).get("responses", {})
        for content in answers.get("200", {}).get("content", {}).values():
            told = resolved(document, content["schema"]).get("properties", {})
            # What changed since a token is told in the order in which it did, and no list.
            if {"items", "page"} <= set(told) and "token" not in told:
                lists.add(path)
    for path in lists:
        names = {one["name"] for one in parameters_of(document, document["paths"][path]["get"])}
        assert {"limit", "after", "before", "sort", "fields", "count"} <= names, path
        assert any(name.startswith("filter[") for name in names), path
        assert "post" in document["paths"][f"{path}/query"]
    assert {f"{API}/posts", f"{API}/permissions", f"{CONTENT}/posts", f"{CONTENT}/entries/event"} <= lists


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", DELIVERED)
async def test_what_delivery_includes(site: Site, document: dict[str, Any], kind: str) -> None:
    url = f"{CONTENT}/{kind}"
    deep = DEEP[kind]
    for asked in ("", *(f"include={name}" for name in deep.split(",")), f"include={deep}"):
        answer = await site.visitor.get(f"{url}?{asked}")
        check(document, url, answer)
    check(document, url, await site.visitor.get(f"{url}?include={deep}&fields=id"))
    for name in ("markdown", "text", "blocks") if kind in ("posts", "pages") else ():
        check(document, url, await site.visitor.get(f"{url}?format={name}"))


async def test_fields_of_delivered_menus_and_comments(
    site: Site, document: dict[str, Any], filled: Any
) -> None:
    del filled
    found = (await site.visitor.get(f"{CONTENT}/menus?limit=1")).json()["items"]
    assert found
    for asked in ("", "?fields=id", "?fields=key,locale"):
        check(document, f"{CONTENT}/menus", await site.visitor.get(f"{CONTENT}/menus{asked}"))
    rules = {"enabled": True, "requires_moderation": False}
    changed = await site.admin.patch(f"{API}/comments/rules", json=rules, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    post = await make_live(site.admin, "posts", title="Said of")
    url = f"{CONTENT}/posts/{post['id']}/comments"
    said = await site.visitor.post(
        url, json={"author_name": "Grace", "author_email": "g@example.org", "body": "Yes."}
    )
    assert said.status_code == 201, said.text
    for asked in ("", "?fields=id"):
        answer = await site.visitor.get(f"{url}{asked}")
        assert len(answer.json()["items"]) == 1
        check(document, f"{CONTENT}/posts/{{document_id}}/comments", answer)


async def test_a_category_has_its_parent_as_an_id_or_whole(site: Site, document: dict[str, Any]) -> None:
    url = f"{CONTENT}/categories"
    for asked, kind in (("", str), ("?include=parent", dict), ("?include=parent.parent", dict)):
        answer = await site.visitor.get(f"{url}{asked}")
        assert {type(one["parent"]) for one in answer.json()["items"]} == {kind, type(None)}
        check(document, url, answer)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("path", ["/feed.json", "/tags/{slug}/feed.json"])
async def test_a_feed_is_no_string(site: Site, document: dict[str, Any], path: str) -> None:
    answer = await site.visitor.get(path.format(slug="ant"))
    assert answer.json()["items"]
    check(document, path, answer)
    content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/feed+json"]
    whole = {**content["schema"], "components": document["components"]}
    Draft202012Validator(whole).validate(content["example"])


@pytest.mark.parametrize("kind", ["posts", "pages", "categories", "entries/event"])
@pytest.mark.parametrize("place", [API, CONTENT])
async def test_all_orders_are_told(site: Site, document: dict[str, Any], place: str, kind: str) -> None:
    url = f"{place}/{kind}"
    parameters = {one["name"]: one for one in parameters_of(document, document["paths"][url]["get"])}
    orders = parameters["sort"]["schema"]["items"]["enum"]
    related = {"categories": "parent.name"}.get(kind, "author.name")
    assert {related, f"-{related}"} <= set(orders)
    for order in orders:
        answer = await site.admin.get(f"{url}?sort={order}")
        assert answer.status_code == 200 or answer.json()["code"] == "query_too_costly", answer.text
    assert (await site.admin.get(f"{url}?sort=author.nothing")).status_code == 400


async def test_formats_and_previews_are_told(site: Site, document: dict[str, Any]) -> None:
    formats = ["html", "markdown", "text", "blocks"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parameters = {one["name"]: one for one in parameters_of(document, operation)}
            if "format" in parameters:
                assert parameters["format"]["schema"]["enum"] == formats
            is_read = method == "get" or path.endswith("/query")
            is_delivered = path.startswith(f"{CONTENT}/") and "/sync" not in path
            is_written = operation["tags"] == ["feeds"] and path != "/robots.txt"
            is_shown = (is_delivered or is_written) and is_read
            assert ("preview" in parameters) == is_shown
            assert ("Preview-Token" in parameters) == ("preview" in parameters)
            if "preview" in parameters:
                assert "403" in operation["responses"]
    for kind in ("posts", "pages", "entries/event"):
        url = f"{CONTENT}/{kind}"
        assert "format" in {one["name"] for one in parameters_of(document, document["paths"][url]["get"])}
        assert (await site.visitor.get(f"{url}?format=text")).status_code == 200
        (content,) = document["paths"][f"{url}/query"]["post"]["requestBody"]["content"].values()
        assert content["schema"]["properties"]["format"]["oneOf"][0]["enum"] == formats
        assert (await site.visitor.post(f"{url}/query", json={"format": "text"})).status_code == 200
        assert (await site.visitor.get(f"{url}?preview=x")).status_code == 403
    for path in (f"{CONTENT}/sync/events", f"{API}/purges/events"):
        names = {one["name"] for one in parameters_of(document, document["paths"][path]["get"])}
        assert "Last-Event-ID" in names


async def test_that_feeds_move_is_told(site: Site, document: dict[str, Any]) -> None:
    made = (await site.admin.post(f"{API}/tags", json={"name": "Moves", "slug": "here"})).json()
    await site.admin.patch(f"{API}/tags/{made['id']}", json={"slug": "there"}, headers={"If-Match": "*"})
    for file in ("feed.xml", "atom.xml", "feed.json"):
        answer = await site.visitor.get(f"/tags/here/{file}")
        described = document["paths"][f"/tags/{{slug}}/{file}"]["get"]["responses"]["301"]
        told = {name.lower() for name in resolved(document, described)["headers"]}
        came = {name for name in answer.headers if name not in PLAIN_HEADERS}
        assert (answer.status_code, told) == (301, came)
        assert "301" not in document["paths"][f"/{file}"]["get"]["responses"]
    await site.admin.delete(f"{API}/tags/{made['id']}", headers={"If-Match": "*"})


async def test_parts_of_files_are_told(site: Site, document: dict[str, Any]) -> None:
    url = (await site.admin.get(f"{API}/media/{site.ids['media']}")).json()["url"]
    operation = document["paths"]["/media/{key}"]["get"]
    assert {"Range", "If-Range"} <= {one["name"] for one in parameters_of(document, operation)}
    answer = await site.visitor.get(url, headers={"Range": "bytes=0-9"})
    told = {name.lower() for name in operation["responses"]["206"]["headers"]}
    assert (answer.status_code, told) == (206, {name for name in answer.headers if name not in PLAIN_HEADERS})
    for headers in ({"Range": "bytes=9999999-"}, {"If-Match": '"x"'}):
        answer = await site.visitor.get(url, headers=headers)
        assert str(answer.status_code) in operation["responses"], answer.text


async def test_what_must_be_asked_is_told(site: Site, document: dict[str, Any]) -> None:
    for path, name in ((f"{CONTENT}/search", "q"), (f"{CONTENT}/resolve", "path")):
        parameters = parameters_of(document, document["paths"][path]["get"])
        assert [one["name"] for one in parameters if one["required"]] == [name]
        assert (await site.visitor.get(path)).status_code == 400
    url = f"{CONTENT}/search/query"
    body = document["paths"][url]["post"]["requestBody"]
    (content,) = body["content"].values()
    assert (body["required"], content["schema"]["required"]) == (True, ["q"])
    asked = {"q": "first", "locale": "en", "prefix": "true", "facets": "type"}
    assert asked.keys() <= content["schema"]["properties"].keys()
    answer = await site.visitor.post(url, json=asked)
    assert answer.status_code == 200, answer.text
    check(document, url, answer, method="post")
    assert (await site.visitor.post(url, json=content["example"])).status_code == 200
    for name, native in (("prefix", "boolean"), ("facets", "array")):
        (told, _) = content["schema"]["properties"][name]["oneOf"]
        assert [one["type"] for one in told["oneOf"]] == [native, "string"]


async def test_headers_are_told(site: Site, document: dict[str, Any], library: dict[str, Any]) -> None:
    """Of every GET and list: no header comes that is not declared, and 304 where it is, and only there."""
    ids = {**site.ids, "entries": library["event"]["id"]}

    async def file() -> str:
        found: str = (await site.admin.get(f"{API}/media/{site.ids['media']}")).json()["url"]
        return found

    asked, faults = 0, list[tuple[str, str, set[str]]]()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.endswith("/events") or not (method == "get" or path.endswith("/query")):
                continue
            kind = path.removeprefix(f"{CONTENT}/").removeprefix(f"{API}/").strip("/").split("/")[0]
            by_slug = {"posts": "first", "tags": "ant", "categories": "news", "authors": "grace"}
            url = path.replace("{slug}", by_slug.get(kind, "first")).replace("{path}", "about")
            url = url.replace("{key}", "main").replace("{file}", "0.xml")
            url = re.sub(r"\{\w+_id\}", ids.get(kind, ABSENT), url)
            url = (await file()) if path.startswith("/media/") else url
            url += "?path=/about" if path.endswith("/resolve") else ""
            url += "?q=first" if path.endswith("/search") else ""
            body = {"json": {}} if method == "post" else {}
            answer = await site.admin.request(method, url, **body)
            if answer.status_code != 200:
                continue
            asked += 1
            described = operation["responses"]["200"]
            told = {name.lower() for name in described["headers"]} - PLAIN_HEADERS
            came = {name for name in answer.headers if name not in PLAIN_HEADERS}
            faults += [(path, "came", came - told)] if came - told else []
            if (missing := told - came - {"link", "last-modified"}) and "/health/" not in path:
                faults.append((path, "did not come", missing))
            again = await site.admin.request(method, url, headers={"If-None-Match": "*"}, **body)
            # Of the settings only those that are not looked up anew each time.
            may_differ = path == f"{API}/settings"
            if (again.status_code == 304) != ("304" in operation["responses"]) and not may_differ:
                faults.append((path, "304", {str(again.status_code)}))
                continue
            if again.status_code == 304:
                told = {name.lower() for name in resolved(document, operation["responses"]["304"])["headers"]}
                came = {name for name in again.headers if name not in PLAIN_HEADERS}
                faults += [(path, "came with 304", came - told)] if came - told else []
    assert not faults, "\n".join(map(str, faults))
    assert asked > 60

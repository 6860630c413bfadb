"""What can be asked of lists, in both spellings, over a small site that has some of everything."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from tests.integration.http.asking import ABSENT, API, CONTENT, check_problem
from tests.integration.http.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
POSTS = f"{CONTENT}/posts"
EVENTS = f"{CONTENT}/entries/event"


async def titles(client: httpx.AsyncClient, url: str, query: str, name: str = "title") -> list[str]:
    """The names of what is found, as a query string asks for it."""
    response = await client.get(f"{url}?{query}")
    assert response.status_code == 200, response.text
    return [one[name] for one in response.json()["items"]]


MINE = "filter[title][in]=Alps 100%25,Baltic_sea,Caucasus&sort=title"


@pytest.mark.parametrize("url", [POSTS, f"{API}/posts"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("filter[tags.slug][in]=red,blue", "AB"),
        ("filter[tags.slug][ne]=blue", "BC"),
        ("filter[tags.name][starts_with]=gre", "A"),
        ("filter[tags][exists]=false", "C"),
        ("filter[authors.name]=Zoe", "AB"),
        ("filter[author.slug]=abe", "BC"),
        ("filter[categories.parent.slug]=world", "A"),
        ("filter[categories.parent][exists]=true", "A"),
        ("filter[categories.parent.name][ne]=World", "BC"),
        ("filter[not][categories.slug]=world", "AB"),
        ("filter[or][0][categories.slug]=world&filter[or][1][title][contains]=100%25", "AC"),
        ("filter[or][0][title]=Caucasus&filter[or][0][tags.slug]=red&filter[or][1][title]=Baltic_sea", "B"),
        ("filter[and][0][tags.slug]=red&filter[and][1][not][tags.slug]=blue", "B"),
        ("filter[not][or][0][tags.slug]=blue&filter[not][or][1][tags][exists]=false", "B"),
        ("filter[title][contains]=_", "B"),
        ("filter[title][contains]=%25", "A"),
        ("filter[title][gt]=B&filter[title][lt]=C", "B"),
        ("filter[cover.filename][contains]=x", ""),
    ],
)
async def test_filters(site: Site, library: Any, url: str, query: str, found: str) -> None:
    del library
    got = await titles(site.admin, url, f"{MINE}&{query}")
    assert "".join(one[0] for one in got) == found


@pytest.mark.parametrize("url", [EVENTS, f"{API}/entries/event"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("filter[place.name]=Hall", "F"),
        ("filter[place.city.name]=Lyon", "F"),
        ("filter[place.city.slug][in]=rome,oslo", "S"),
        ("filter[place.city.name][ne]=Lyon", "ST"),
        ("filter[others.name]=Rome", "F"),
        ("filter[others.city.name]=Rome", "F"),
        ("filter[others][exists]=false", "ST"),
        ("filter[words]=one", "F"),
        ("filter[words][nin]=one", "ST"),
        ("filter[spot.row][gte]=3", "F"),
        ("filter[spot.row][exists]=false", "ST"),
        ("filter[stands.name]=Tea", "F"),
        ("filter[stands.by.name]=Rome", "F"),
        ("filter[body.text][contains]=ell", "F"),
        ("filter[body.type]=sum", "S"),
        ("filter[body.value]=7", "S"),
        ("filter[seats][gt]=10.5", "S"),
        ("filter[not][seats][gt]=10.5", "FT"),
        ("sort=-place.city.name,headline", "SFT"),
        ("sort=place.name", "TSF"),
        ("sort=-seats", "SFT"),
    ],
)
async def test_fields_of_entries(site: Site, library: Any, url: str, query: str, found: str) -> None:
    del library
    order = "" if "sort=" in query else "&sort=headline"
    got = await titles(site.admin, url, f"{query}{order}", "headline")
    assert "".join(one[0] for one in got) == found


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("filter[tags.slug][in]=red,blue&sort=-title&limit=1", {
        "filter": {"tags.slug": {"in": ["red", "blue"]}}, "sort": ["-title"], "limit": 1}),
    ("filter[or][0][title]=Caucasus&filter[or][1][not][tags.slug][ne]=blue&limit=1&count=exact", {
        "filter": {"or": [{"title": "Caucasus"}, {"not": {"tags.slug": {"ne": "blue"}}}]},
        "limit": 1, "count": "exact"}),
    ("include=author,tags&include[tags][limit]=2&include[tags][sort]=-name&fields=title,tags.name,author.name", {
        "include": {"author": True, "tags": {"limit": 2, "sort": ["-name"], "fields": ["name"]}},
        "fields": ["title", "tags", "author.name"]}),
    ("include=categories.parent&sort=author.name,-title", {
        "include": ["categories.parent"], "sort": ["author.name", "-title"]}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "body"), QUESTIONS)
async def test_a_body_says_the_same(site: Site, library: Any, query: str, body: dict[str, Any]) -> None:
    del library
    said = await site.visitor.get(f"{POSTS}?{query}")
    asked = await site.visitor.post(f"{POSTS}/query", json=body)
    assert (said.status_code, asked.status_code) == (200, 200), said.text + asked.text
    assert said.json() == asked.json()
    for name in ("cache-control", "vary", "cache-tag"):
        assert said.headers[name] == asked.headers[name]
    cursor = said.json()["page"]["next"]
    if cursor is None:
        return
    there = await site.visitor.get(f"{POSTS}?{query}&after={quote(cursor)}")
    here = await site.visitor.post(f"{POSTS}/query", json={**body, "after": cursor})
    assert there.json() == here.json()
    assert there.json()["items"] != said.json()["items"]
    back = await site.visitor.post(f"{POSTS}/query", json={**body, "before": here.json()["page"]["prev"]})
    assert back.json()["items"] == said.json()["items"]
    check_problem(await site.visitor.get(f"{POSTS}?after={quote(cursor)}"), 400, "malformed")


async def test_management_is_asked_by_bodies_too(site: Site, library: Any) -> None:
    del library
    body = {"filter": {"authors.name": "Abe"}, "fields": ["title", "status"], "sort": ["title"]}
    answer = await site.admin.post(f"{API}/posts/query", json=body)
    assert answer.json()["items"] == [
        {"title": "Baltic_sea", "status": "published"}, {"title": "Caucasus", "status": "published"},
    ]  # fmt: skip
    assert (await site.visitor.post(f"{API}/posts/query", json=body)).status_code == 401
    assert (await site.admin.post(f"{API}/posts/query")).status_code == 200


def lists_of(site: Site, method: str) -> dict[str, Any]:
    """What each list can be asked, by the paths where ``method`` asks it."""
    return {
        route.path_format: handler.opt["listing"]
        for route in site.app.routes
        for handler in getattr(route, "route_handlers", ())
        if "listing" in handler.opt and method in handler.http_methods
    }


async def test_every_list_is_asked_by_a_body_too(site: Site) -> None:
    lists, asked = lists_of(site, "GET"), lists_of(site, "POST")
    assert len(lists) > 30
    assert asked == {f"{path}/query": listing for path, listing in lists.items()}


async def test_every_list_takes_fields(site: Site) -> None:
    assert [path for path, listing in lists_of(site, "GET").items() if not listing.shown] == []


async def test_delivered_menus_are_cut_down(site: Site) -> None:
    said = await site.visitor.get(f"{CONTENT}/menus?fields=name,key&filter[name][starts_with]=ma")
    assert said.json()["items"] == [{"name": "Main", "key": "main"}]
    asked = await site.visitor.post(f"{CONTENT}/menus/query", json={"fields": ["name", "key"]})
    assert asked.json()["items"] == said.json()["items"]
    assert said.headers["cache-tag"] == asked.headers["cache-tag"]
    check_problem(await site.visitor.get(f"{CONTENT}/menus?fields=items"), 400, "malformed")


async def test_files_are_asked_by_a_body_too(site: Site) -> None:
    query = "filter[title][exists]=true&filter[not][filename]=x&sort=-created_at&fields=id,filename&limit=1&count=exact"
    said = await site.admin.get(f"{API}/media?{query}")
    body = {
        "filter": {"title": {"exists": True}, "not": {"filename": "x"}},
        "sort": ["-created_at"],
        "fields": ["id", "filename"],
        "limit": 1,
        "count": "exact",
    }
    asked = await site.admin.post(f"{API}/media/query", json=body)
    assert (said.status_code, asked.status_code) == (200, 200), said.text + asked.text
    assert said.json() == asked.json()
    assert (await site.visitor.post(f"{API}/media/query", json=body)).status_code == 401
    # it is no upload: a body of that size is refused
    check_problem(await site.admin.post(f"{API}/media/query", content=b" " * 1_100_000, headers=JSON), 413)


async def test_includes_are_nested_and_cut(site: Site, library: Any) -> None:
    url = f"{POSTS}?filter[title][starts_with]=Alps&fields=tags,categories"
    (whole,) = (await site.visitor.get(f"{url}&include=tags,categories.parent")).json()["items"]
    assert [one["name"] for one in whole["tags"]] == ["Red", "Green", "Blue"]
    assert whole["categories"][0]["parent"]["slug"] == "world"
    wanted = f"{url}&include[tags][limit]=2&include[tags][sort]=name&fields=tags.slug,categories"
    response = await site.visitor.get(wanted.replace("&fields=tags,categories", ""))
    (cut,) = response.json()["items"]
    assert cut == {"tags": [{"slug": "blue"}, {"slug": "green"}], "categories": [library["europe"]["id"]]}
    wanted = "include=place.city,others&include[others][limit]=1&fields=place.city.name,others.slug"
    place = f"{EVENTS}?filter[slug]=first&{wanted}"
    (event,) = (await site.visitor.get(place)).json()["items"]
    assert event == {"place": {"city": {"name": "Lyon"}}, "others": [{"slug": "barn"}]}


async def test_counts(site: Site, library: Any) -> None:
    del library
    for url in (POSTS, f"{API}/posts", f"{API}/tags", EVENTS):
        exact = (await site.admin.get(f"{url}?count=exact")).json()
        assert exact["count"] == len(exact["items"])
        assert "count_is_estimate" not in exact
        # PostgreSQL expects that few rows pass several conditions.
        narrow = "&".join(f"filter[and][{number}][id][ne]={UUID(int=number)}" for number in range(5))
        estimate = (
            await site.admin.get(f"{url}?count=estimate&{narrow}&filter[or][0][slug][contains]=a")
        ).json()
        assert estimate["count"] >= len(estimate["items"])
        assert estimate["count_is_estimate"] is True
        assert "count" not in (await site.admin.get(f"{url}?count=none")).json()


async def test_all_faults_are_told_at_once(site: Site, library: Any) -> None:
    del library
    query = (
        "filter[titel]=x&filter[tags.slig]=x&filter[title][like]=x&filter[or][0][reading_time]=x"
        "&sort=tilte&include=autor&limit=0&count=some&lmit=3"
    )
    problem = check_problem(await site.visitor.get(f"{POSTS}?{query}"), 400, "malformed")
    assert [(one["parameter"], one["code"]) for one in problem["errors"]] == [
        ("lmit", "unknown_parameter"),
        ("filter[titel]", "unknown_filter"),
        ("filter[tags.slig]", "unknown_filter"),
        ("filter[title][like]", "unknown_operator"),
        ("filter[or][0][reading_time]", "type"),
        ("limit", "range"),
        ("sort", "unknown_sort"),
        ("count", "unknown_count"),
        ("include", "unknown_include"),
    ]
    said = " ".join(one["detail"] for one in problem["errors"])
    for hint in ("“limit”", "“title”", "“tags.slug”", "“author”"):
        assert f"Did you mean {hint}?" in said
    body = {"filter": {"or": [{"titel": "x"}, {"title": 3}]}, "sort": "title", "fields": ["nothing"]}
    problem = check_problem(await site.visitor.post(f"{POSTS}/query", json=body), 400, "malformed")
    assert [one["pointer"] for one in problem["errors"]] == [
        "/filter/or/0/titel", "/filter/or/1/title", "/sort", "/fields",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fields=titel", "There is no field “titel” here. Did you mean “title”?"),
        (
            "include=author&fields=author.nam",
            "There is no field “author.nam” here. Did you mean “author.name”?",
        ),
        ("fields=author.name", "There is no field “author.name” here: “author” is not included."),
        ("fields=seo.titel", "There is no field “seo.titel” here: “seo” comes whole, or not at all."),
        ("fields=sea.title", "There is no field “sea.title” here. Did you mean “seo”?"),
        ("filter[author.name.x]=a", "“author.name” is a plain value: no filter goes on behind it."),
        ("filter[author.nam]=a", "There is no filter “author.nam” here. Did you mean “author.name”?"),
        ("sort=title.x", "“title” is a plain value: no sort goes on behind it."),
        (
            "sort=tags.name",
            "“tags” leads to several: only what there is one of can be sorted by.",
        ),
    ],
)
async def test_what_is_wrong_is_told_with_what_is_near(site: Site, query: str, said: str) -> None:
    problem = check_problem(await site.visitor.get(f"{POSTS}?{query}"), 400, "malformed")
    assert [one["detail"] for one in problem["errors"]] == [said]


@pytest.mark.parametrize(
    "query",
    [
        "filter[author.user_id][exists]=true",
        "filter[secret]=x",
        "filter[author.avatar.filename.x]=x",
        "filter[or]=x",
        "filter[or][a][title]=x",
        "filter[not]=x",
        "filter" + "[not]" * 7 + "[title]=x",
        "sort=tags.name",
        "include[author][limit]=2",
        "include[tags][limit]=0",
        "include[tags][what]=1",
        "include=categories.parent.parent.parent",
        "q=a&q=b",
        "q=a&sort=score",
    ],
)
async def test_what_is_refused(site: Site, library: Any, query: str) -> None:
    del library
    for url in (POSTS, EVENTS):
        problem = check_problem(await site.visitor.get(f"{url}?{query}"), 400, "malformed")
        assert problem["errors"]


async def test_bodies_that_are_refused(site: Site) -> None:
    url = f"{POSTS}/query"
    check_problem(
        await site.visitor.post(url, content=b"{", headers={"Content-Type": "application/json"}), 400
    )
    check_problem(await site.visitor.post(url, content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    check_problem(await site.visitor.post(f"{url}?limit=3", json={}), 400)
    deep: Any = {"title": "x"}
    for _ in range(300):
        deep = {"not": deep}
    for body in (
        [],
        {"filter": []},
        {"filter": deep},
        {"filter": {"title": None}},
        {"filter": {"or": None}},
        {"filter": {"title": {"eq": {"x": 1}}}},
        {"include": {"nothing": None}},
        {"include": {"tags": {"lmit": None}}},
        {"after": 3},
        {"after": "x"},
        {"x": 1},
        {"x": None},
        {"lmit": 3, "fliter": {}},
    ):
        problem = check_problem(await site.visitor.post(url, json=body), 400, "malformed")
        assert "parameter" not in problem["detail"]
        if body:
            assert all("pointer" in one and "arameter" not in one["detail"] for one in problem["errors"])
            assert "filter[" not in str(problem["errors"])
    misspelt = check_problem(await site.visitor.post(url, json={"fliter": {}}), 400)
    assert misspelt["detail"] == "There is no member “fliter” here. Did you mean “filter”?"
    assert [one["pointer"] for one in misspelt["errors"]] == ["/fliter"]


OPTIONAL = ("limit", "after", "before", "sort", "filter", "count", "fields", "include", "format", "q")


@pytest.mark.parametrize("url", [POSTS, EVENTS, f"{API}/posts", f"{API}/media", f"{API}/tags"])
async def test_null_in_a_body_says_nothing(site: Site, library: Any, url: str) -> None:
    del library
    plain = await site.admin.post(f"{url}/query", json={})
    problem = (await site.admin.post(f"{url}/query", json={"x": 1, **dict.fromkeys(OPTIONAL)})).json()
    unknown = {one["pointer"].removeprefix("/") for one in problem["errors"]}
    assert unknown <= {
        "x",
        "format",
        "q",
        "include",
    }  # what this list does not take, it takes as null neither
    nothing = {name: None for name in OPTIONAL if name not in unknown}
    asked = await site.admin.post(f"{url}/query", json=nothing)
    assert asked.status_code == 200, asked.text
    assert asked.json() == plain.json()


async def test_null_among_includes_says_nothing(site: Site, library: Any) -> None:
    del library
    asked = {
        "include": {"tags": {"limit": None, "sort": None, "fields": None, "include": None}, "author": None},
        "fields": ["tags.name", "author"],
        "after": None,
        "before": None,
    }
    plain = await site.visitor.get(f"{POSTS}?include=tags&fields=tags.name,author")
    told = await site.visitor.post(f"{POSTS}/query", json=asked)
    assert told.status_code == 200, told.text
    assert told.json() == plain.json()
    assert (
        await site.visitor.post(f"{CONTENT}/search/query", json={"q": "x", "locale": None})
    ).status_code == 200
    for body, code in (({"q": None}, "required"), ({}, "required"), ({"q": 3}, "type")):
        problem = check_problem(await site.visitor.post(f"{CONTENT}/search/query", json=body), 400)
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [("/q", code)]
    problem = check_problem(await site.visitor.get(f"{CONTENT}/search"), 400, "malformed")
    assert [(one["parameter"], one["code"]) for one in problem["errors"]] == [("q", "required")]


async def test_what_costs_too_much_is_refused(site: Site, library: Any) -> None:
    del library
    parts = "&".join(f"filter[or][{n}][categories.parent.name][contains]=x" for n in range(10))
    problem = check_problem(await site.visitor.get(f"{POSTS}?{parts}"), 400, "query_too_costly")
    assert problem["cost"] > problem["limit"]
    # What is said ten times is told once.
    named = [one["parameter"] for one in problem["most"]]
    assert len(named) == len(set(named))
    assert problem["most"][0] == {"parameter": "filter[categories.parent.name][contains]", "cost": 500}


@pytest.mark.parametrize(
    "url", [f"{CONTENT}/posts", f"{CONTENT}/entries/event", f"{API}/posts", f"{API}/tags"]
)
@pytest.mark.usefixtures("library")
async def test_what_is_asked_by_a_body_is_sent_whatever_one_has(site: Site, url: str) -> None:
    first = await site.admin.post(f"{url}/query", json={})
    for tag in (first.headers["etag"], "*"):
        for name, value in (("If-None-Match", tag), ("If-Modified-Since", "Wed, 25 Nov 2099 10:00:00 GMT")):
            again = await site.admin.post(f"{url}/query", json={}, headers={name: value})
            assert (again.status_code, again.content) == (200, first.content)
            assert again.headers["etag"] == first.headers["etag"]
        assert (await site.admin.get(url, headers={"If-None-Match": tag})).status_code == 304


@pytest.mark.parametrize("url", [f"{POSTS}?filter[reading_time]", f"{EVENTS}?filter[seats]"])
@pytest.mark.parametrize(
    "value", ["1_0", "٥", "+1", " 1", "1 ", "0x1", "1.", ".5", "NaN", "Infinity", "1\n", "", "--1"]
)
@pytest.mark.usefixtures("library")
async def test_numbers_are_written_as_everywhere(site: Site, url: str, value: str) -> None:
    for operator, given in (("", value), ("[gte]", value), ("[in]", f"1,{value}")):
        problem = check_problem(await site.visitor.get(f"{url}{operator}={quote(given)}"), 400, "malformed")
        assert [one["code"] for one in problem["errors"]] == ["type"], (operator, given)
    for given in ("1", "-1", "0", "007"):
        assert (await site.visitor.get(f"{url}={given}")).status_code == 200
    assert (await site.visitor.get(f"{EVENTS}?filter[seats]=-1.5e1")).status_code == 200


@pytest.mark.parametrize(
    "value", ["{" + ABSENT + "}", f"urn:uuid:{ABSENT}", ABSENT.replace("-", "_"), "1_" * 16]
)
async def test_ids_are_written_as_everywhere(site: Site, value: str) -> None:
    check_problem(await site.visitor.get(f"{POSTS}?filter[id]={quote(value)}"), 400, "malformed")
    assert (await site.visitor.get(f"{POSTS}?filter[id]={ABSENT.upper()}")).status_code == 200


@pytest.mark.usefixtures("library")
async def test_what_is_given_twice_is_refused(site: Site) -> None:
    for one in (
        "include[tags][limit]=2",
        "include[tags][sort]=name",
        "include=tags",
        "fields=id",
        "sort=title",
    ):
        name = one.partition("=")[0]
        problem = check_problem(await site.visitor.get(f"{POSTS}?{one}&{one}"), 400, "malformed")
        assert {(fault["parameter"], fault["code"]) for fault in problem["errors"]} == {(name, "duplicate")}


@pytest.mark.usefixtures("library")
async def test_what_is_expected_is_said(site: Site) -> None:
    async def said(**body: Any) -> str:
        problem = check_problem(await site.visitor.post(f"{POSTS}/query", json=body), 400, "malformed")
        return str(problem["detail"])

    assert await said(sort="-title") == '“sort” is a list of fields, like ["-title"].'
    assert await said(fields="title") == '“fields” is a list of fields, like ["title"].'
    assert await said(include="tags") == (
        '“include” is a list of relations, like ["author"], or an object with them.'
    )
    several = "“tags” leads to several: only what there is one of can be sorted by."
    assert await said(sort=["tags.name"]) == several
    problem = check_problem(await site.visitor.get(f"{POSTS}?sort=tags.name"), 400, "malformed")
    assert (problem["detail"], problem["errors"][0]["code"]) == (several, "unknown_sort")


async def test_a_body_says_natively_what_a_search_takes(site: Site) -> None:
    url = f"{CONTENT}/search"
    for natively, text in (
        ({"prefix": True, "facets": ["type", "month"]}, {"prefix": "true", "facets": "type,month"}),
        ({"prefix": False, "facets": []}, {"prefix": "false"}),
    ):
        asked = [{"q": "firs", **one} for one in (natively, text)]
        answers = [await site.visitor.post(f"{url}/query", json=one) for one in asked]
        answers.append(await site.visitor.get(url, params=asked[1]))
        assert [one.status_code for one in answers] == [200, 200, 200]
        assert answers[0].json() == answers[1].json() == answers[2].json()
    for wrong, detail in (
        ({"prefix": 1}, "“prefix” is true or false."),
        ({"prefix": ["true"]}, "“prefix” is true or false."),
        ({"facets": [1]}, "“facets” is a list of names."),
        ({"facets": ["type,month"]}, "“facets” is a list of names."),
        ({"facets": True}, "“facets” is a list of names."),
        ({"locale": True}, "“locale” is text."),
    ):
        problem = check_problem(await site.visitor.post(f"{url}/query", json={"q": "a", **wrong}), 400)
        assert (problem["detail"], problem["errors"][0]["pointer"]) == (detail, f"/{next(iter(wrong))}")


@pytest.mark.parametrize(
    ("path", "query", "name", "found"),
    [
        (
            POSTS,
            "filter[title]=Baltic_sea&include[authors][sort]=-avatar.filename,name",
            "authors",
            ["Abe", "Zoe"],
        ),
        (
            POSTS,
            "filter[title]=Alps 100%25&include[categories][sort]=parent.name",
            "categories",
            ["Europe"],
        ),
        (EVENTS, "filter[headline]=First&include[others][sort]=author.name", "others", None),
    ],
)
async def test_an_include_is_sorted_through_relations_too(
    site: Site, library: Any, path: str, query: str, name: str, found: list[str] | None
) -> None:
    del library
    for url in (path, path.replace("/content", "")):
        response = await site.admin.get(f"{url}?{query}")
        assert response.status_code == 200, response.text
        (item,) = response.json()["items"]
        if found is not None:
            assert [one["name"] for one in item[name]] == found


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("seats", "1e200000", "type"),
        ("seats", "-1e131072", "type"),
        ("seats", "1e-20000", "type"),
        ("seats", "9" * 500, "type"),
        ("seats", "1" * 2_001, "too_long"),
        ("headline", "x" * 2_001, "too_long"),
        ("published_at", "9999-12-31T23:59:59-12:00", "type"),
        ("published_at", "0001-01-01T00:00:00%2B14:00", "type"),
    ],
)
async def test_values_at_the_ends_of_what_there_is(
    site: Site, library: Any, field: str, value: str, code: str
) -> None:
    del library
    for url in (EVENTS, EVENTS.replace("/content", "")):
        for operator in ("gt", "lte") if field == "published_at" else ("eq", "in"):
            response = await site.admin.get(f"{url}?filter[{field}][{operator}]={value}")
            if (field, operator) == ("headline", "gt"):
                continue
            problem = check_problem(response, 400, "malformed")
            assert [one["code"] for one in problem["errors"]] == [code]
    for last in ("1e308", "9999-12-31T23:59:59Z"):
        there = "seats" if last == "1e308" else "published_at"
        assert (await site.visitor.get(f"{EVENTS}?filter[{there}][gt]={last}")).json()["items"] == []


async def test_names_that_are_all_unknown_are_no_work(site: Site, library: Any) -> None:
    del library
    body = {"filter": {f"publishedat{number:05}": 1 for number in range(1_000)}}
    problem = check_problem(await site.visitor.post(f"{POSTS}/query", json=body), 400, "malformed")
    assert len(problem["errors"]) == 50
    assert "There are 1000 faults in all." in problem["detail"]
    many = {f"a{number}": 1 for number in range(7_000)}
    some = {f"a{number}": 1 for number in range(1_000)}
    names = [f"a{number}" for number in range(1_001)]
    for body, pointer in (
        (many, "/a5999"),
        ({"filter": many}, "/filter/a5998"),
        ({"filter": {"or": [{"not": some}] * 7}}, "/filter/or/5/not/a985"),
        ({"include": names}, "/include"),
        ({"fields": names}, "/fields"),
        ({"sort": names}, "/sort"),
    ):
        problem = check_problem(await site.visitor.post(f"{POSTS}/query", json=body), 400, "malformed")
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(pointer, "too_many")]

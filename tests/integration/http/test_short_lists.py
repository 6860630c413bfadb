"""Lists that are short by nature are asked as all others: filters, orders, fields, cursors, counts, bodies."""

from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from tests.conftest import PASSWORD, sign_in
from tests.integration.http.asking import ANY, API, check_problem, make
from tests.integration.http.conftest import Site

from cms_api.domains.auth.api import GRANTABLE, ROLES
from cms_api.domains.cms.api import PRESENCES, RETENTION_POLICIES, WORKFLOWS
from cms_api.querying import Listing

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Short(NamedTuple):
    """A list: where it is, what it can be asked, and what tells its items apart."""

    url: str
    listing: Listing
    key: str


LISTS = {
    "roles": Short(f"{API}/roles", ROLES, "key"),
    "permissions": Short(f"{API}/permissions", GRANTABLE, "name"),
    "policies": Short(f"{API}/retention-policies", RETENTION_POLICIES, "type"),
    "workflows": Short(f"{API}/workflows", WORKFLOWS, "type"),
    "presences": Short(f"{API}/{{kind}}/presence", PRESENCES, "user_id"),
}
every_list = pytest.mark.parametrize("name", LISTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lists(site: Site) -> dict[str, Short]:
    """The lists, with more than one item in each."""
    post = f"posts/{site.ids['posts']}"
    await make(site.admin, "content-types", key="event", fields=[{"key": "name", "type": "text"}])
    for name in ("Bea", "Cleo"):
        email = f"{name.lower()}@example.org"
        await make(site.admin, "users", email=email, name=name, password=PASSWORD, roles=["editor"])
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(site.app), base_url="http://cms.test"
        ) as user:
            await sign_in(user, email)
            assert (await user.post(f"{API}/{post}/presence")).status_code == 200
    assert (await site.admin.post(f"{API}/{post}/presence")).status_code == 200
    assert (await site.admin.post(f"{API}/{post}/lock")).status_code == 200
    for path, body in (
        ("retention-policies/page", {"max_revisions": None}),
        ("retention-policies/post", {"max_revisions": 5}),
        ("workflows/page", {"is_enabled": True}),
    ):
        assert (await site.admin.patch(f"{API}/{path}", json=body, headers=ANY)).status_code == 200
    return {name: one._replace(url=one.url.format(kind=post)) for name, one in LISTS.items()}


async def found(client: httpx.AsyncClient, url: str, **params: Any) -> list[dict[str, Any]]:
    """The items on the first page."""
    response = await client.get(url, params={"limit": 100, **params})
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


@every_list
async def test_pages_add_up_both_ways(site: Site, lists: dict[str, Short], name: str) -> None:
    url, listing, key = lists[name]
    for sort in [f"{sign}{one}" for one in listing.sorts for sign in ("", "-")]:
        whole = [one[key] for one in await found(site.admin, url, sort=sort)]
        assert len(whole) == len(set(whole)) > 1
        limit = max(1, len(whole) // 3)
        response = await site.admin.get(url, params={"sort": sort, "limit": limit})
        forwards = [one[key] for one in response.json()["items"]]
        while "next" in response.links:
            response = await site.admin.get(response.links["next"]["url"])
            forwards += [one[key] for one in response.json()["items"]]
        backwards = [one[key] for one in response.json()["items"]]
        while "prev" in response.links:
            response = await site.admin.get(response.links["prev"]["url"])
            backwards = [one[key] for one in response.json()["items"]] + backwards
        assert forwards == backwards == whole, sort


@every_list
async def test_a_body_asks_the_same(site: Site, lists: dict[str, Short], name: str) -> None:
    url, listing, key = lists[name]
    body = {"sort": [f"-{listing.sorts[-1]}"], "fields": [key], "count": "exact", "limit": 1}
    address = {"sort": f"-{listing.sorts[-1]}", "fields": key, "count": "exact", "limit": 1}
    first = (await site.admin.get(url, params=address)).json()
    assert (await site.admin.post(f"{url}/query", json=body)).json() == first
    assert [set(one) for one in first["items"]] == [{key}]
    assert first["count"] == len(await found(site.admin, url))
    # A cursor is good for both.
    after = first["page"]["next"]
    second = (await site.admin.get(url, params=address | {"after": after})).json()
    assert second["items"] != first["items"]
    assert (await site.admin.post(f"{url}/query", json=body | {"after": after})).json() == second
    estimate = (await site.admin.get(url, params={"count": "estimate"})).json()
    assert (estimate["count"], estimate["count_is_estimate"]) == (first["count"], True)
    assert "count" not in (await site.admin.get(url, params={"count": "none"})).json()


@every_list
async def test_each_value_finds_what_has_it(site: Site, lists: dict[str, Short], name: str) -> None:
    url, listing, key = lists[name]
    items = await found(site.admin, url)
    for field, kind in listing.filters.items():
        for one in items:
            value = one[field]
            values = value if isinstance(value, list) else [value]
            for each in [each for each in values if each is not None][:2]:
                spelt = str(each).lower() if kind == "boolean" else str(each)
                asked = {f"filter[{field}]": spelt}
                with_it = {item[key] for item in await found(site.admin, url, **asked)}
                assert one[key] in with_it
                asked = {f"filter[{field}][ne]": spelt}
                without = {item[key] for item in await found(site.admin, url, **asked)}
                assert with_it.isdisjoint(without)
                assert with_it | without == {item[key] for item in items}
        absent = await found(site.admin, url, **{f"filter[{field}][exists]": "false"})
        assert [item[key] for item in absent] == [item[key] for item in items if item[field] in (None, [])]


@pytest.mark.parametrize(
    ("name", "query", "keys"),
    [
        ("roles", "filter[permissions]=roles:read", ["administrator", "editor"]),
        ("roles", "filter[key][in]=editor,reader&sort=-name", ["reader", "editor"]),
        ("roles", "filter[or][0][key]=editor&filter[or][1][name][contains]=EAD", ["editor", "reader"]),
        ("roles", "filter[not][permissions][starts_with]=DOCUMENTS:&filter[key]=editor", []),
        ("permissions", "filter[name][starts_with]=jobs:", ["jobs:cancel", "jobs:read"]),
        ("permissions", "filter[name][starts_with]=JOBS:&sort=-name&limit=1", ["jobs:read"]),
        ("policies", "sort=max_revisions&filter[type][in]=page,post,event", ["page", "post", "event"]),
        ("policies", "sort=-max_revisions&filter[type][in]=page,post", ["post", "page"]),
        ("policies", "filter[max_revisions][exists]=false", ["page"]),
        ("policies", "filter[max_revisions][lte]=5", ["post"]),
        ("workflows", "filter[is_enabled]=true", ["page"]),
        ("workflows", "filter[and][0][type][gte]=page&filter[and][1][type][lt]=post", ["page"]),
        ("workflows", "filter[stages.key]=draft&filter[type][ne]=event&sort=-type", ["post", "page"]),
        ("workflows", "filter[transitions.from]=nowhere", []),
    ],
)
async def test_what_is_found(
    site: Site, lists: dict[str, Short], name: str, query: str, keys: list[str]
) -> None:
    url, _, key = lists[name]
    response = await site.admin.get(f"{url}?{query}")
    assert response.status_code == 200, response.text
    assert [one[key] for one in response.json()["items"]] == keys


async def test_who_is_there_is_asked_for(site: Site, lists: dict[str, Short]) -> None:
    url = lists["presences"].url
    names = [one["user_name"] for one in await found(site.admin, url)]
    assert names == ["Bea", "Cleo", "Ada"]
    asked = {"filter[is_editing]": "true", "fields": "user_name"}
    assert await found(site.admin, url, **asked) == [{"user_name": "Ada"}]
    names = [one["user_name"] for one in await found(site.admin, url, sort="-user_name")]
    assert names == ["Cleo", "Bea", "Ada"]


@every_list
async def test_what_is_unknown_is_named(site: Site, lists: dict[str, Short], name: str) -> None:
    url, listing, key = lists[name]
    wrong = f"limt=1&sort={listing.sorts[0]}x&fields={key}x&filter[{key}x]=1&filter[{key}][lik]=1&count=all"
    problem = check_problem(await site.admin.get(f"{url}?{wrong}"), 400)
    assert {one["parameter"] for one in problem["errors"]} == {
        "limt", "sort", "fields", f"filter[{key}x]", f"filter[{key}][lik]", "count",
    }  # fmt: skip
    told = {one["parameter"]: one["detail"] for one in problem["errors"]}
    for one, meant in (("limt", "limit"), ("fields", key), (f"filter[{key}x]", key)):
        assert f"Did you mean “{meant}”?" in told[one]
    body = {"sort": ["nothing"], "filter": {"nothing": 1}}
    problem = check_problem(await site.admin.post(f"{url}/query", json=body), 400)
    assert {one["pointer"] for one in problem["errors"]} == {"/sort", "/filter/nothing"}


@every_list
async def test_cursors_belong_to_their_list(site: Site, lists: dict[str, Short], name: str) -> None:
    url, listing, _ = lists[name]
    after = (await site.admin.get(url, params={"limit": 1})).json()["page"]["next"]
    other = next(one for one in lists if one != name)
    for path, params in (
        (url, {"after": after, "sort": f"-{listing.sorts[0]}"}),
        (url, {"after": f"{after[:-2]}AA"}),
        (lists[other].url, {"after": after}),
    ):
        problem = check_problem(await site.admin.get(path, params=params), 400)
        assert [one["code"] for one in problem["errors"]] == ["cursor"]


@every_list
async def test_what_one_has_is_not_sent_again(site: Site, lists: dict[str, Short], name: str) -> None:
    url = lists[name].url
    first = await site.admin.get(url)
    tag = {"If-None-Match": first.headers["etag"]}
    again = await site.admin.get(url, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    # 304 answers GET and HEAD only: a list that is asked by a body is sent.
    asked = await site.admin.post(f"{url}/query", headers=tag)
    assert (asked.status_code, asked.content) == (200, first.content)
    assert (await site.admin.get(f"{url}?limit=1", headers=tag)).status_code == 200


@every_list
async def test_nobody_else_asks(site: Site, lists: dict[str, Short], name: str) -> None:
    url = lists[name].url
    check_problem(await site.visitor.get(url), 401, "unauthenticated")
    check_problem(await site.visitor.post(f"{url}/query", json={}), 401, "unauthenticated")

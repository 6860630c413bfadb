"""Addresses, parameters, cursors, credentials and headers that are wrong."""

import base64
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import httpx
import jwt
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.integration.http.asking import ABSENT, ANY, API, CONTENT, JSON, check_problem, get_raw
from tests.integration.http.conftest import Site

from cms_api.adapters.http.lists import Cursors, ListQuery
from cms_api.domains.auth.api import SESSIONS, USERS
from cms_api.domains.cms.api import (
    AUTHORS,
    CATEGORIES,
    LISTINGS,
    MEDIA,
    MENUS,
    PAGES,
    POSTS,
    PREVIEWS,
    PUBLIC_MENUS,
    REDIRECTS,
    TAGS,
)
from cms_api.querying import OPERATORS, Listing

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTS: dict[str, Listing] = {
    f"{API}/posts": POSTS,
    f"{API}/pages": PAGES,
    f"{API}/authors": AUTHORS,
    f"{API}/categories": CATEGORIES,
    f"{API}/tags": TAGS,
    f"{API}/media": MEDIA,
    f"{API}/redirects": REDIRECTS,
    f"{API}/users": USERS,
    f"{API}/auth/sessions": SESSIONS,
    f"{API}/menus": MENUS,
    f"{API}/previews": PREVIEWS,
    f"{CONTENT}/menus": PUBLIC_MENUS,
    **{f"{CONTENT}/{kind}": listing for kind, listing in LISTINGS.items()},
}
every_list = pytest.mark.parametrize("url", LISTS)
KINDS = ("posts", "pages", "authors", "categories", "tags", "media", "users", "redirects")
KINDS = ("posts", "pages", "authors", "categories", "tags", "media", "users", "menus")
DELIVERED = tuple(LISTINGS)
# What takes no parameter at all.
PLAIN = [
    "/health/live", "/health/ready", "/openapi.json", "/docs", "/problems", f"{API}/auth/me",
    f"{API}/settings", f"{CONTENT}/settings",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def nothing_changes(site: Site) -> Iterator[None]:
    """Whatever these tests send, no row comes of it."""
    before = site.counts()
    yield
    assert site.counts() == before


def addresses(site: Site) -> list[str]:
    """An address of every shape."""
    one = [f"{API}/{kind}/{site.ids[kind]}" for kind in KINDS]
    public = [f"{CONTENT}/posts/{site.ids['posts']}", f"{CONTENT}/posts/by-slug/first"]
    return [*PLAIN, *LISTS, *one, *public, f"{CONTENT}/pages/by-path/about"]


# Parameters


@every_list
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limt=3", "“limt” here. Did you mean “limit”?"),
        ("Limit=3", "“Limit”"),
        ("limit", "limit"),
        ("limit=", "limit"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.0", "limit"),
        ("limit=1e1", "limit"),
        ("limit=+5", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "“limit” is given twice"),
        ("offset=10", "“offset”"),
        ("page=2", "“page”"),
        ("sort=", "sort"),
        ("sort=nothing", "“nothing”"),
        ("sort=id;drop+table+users", "id;drop table users"),
        ("sort=,", "sort"),
        ("count=yes", "count"),
        ("count=", "count"),
        ("after=", "cursor"),
        ("after=abc", "cursor"),
        ("before=%C3%BC", "cursor"),
        ("after=a&before=b", "not both"),
        ("filter=x", "“filter”"),
        ("filter[]=x", "filter"),
        ("filter[nothing]=x", "“nothing”"),
        ("filter[id", "“filter[id”"),
        ("filter[id]]=x", "“filter[id]]”"),
        ("filter[id][eq][eq]=x", "filter[id][eq][eq]"),
        ("filter[id][like]=x", "“like”"),
        ("filter[id][EQ]=x", "“EQ”"),
        ("filter[id][gt]=" + ABSENT, "“gt”"),
        ("filter[id]=", "UUID"),
        ("filter[id]=1", "UUID"),
        ("filter[id][in]=" + ABSENT + ",x", "UUID"),
        ("filter[id][in]=" + ",".join([ABSENT] * 101), "at most 100"),
        ("filter[id][exists]=maybe", "true or false"),
        ("filter[id]=%00", "U+0000"),
        ("%00=1", "U+0000"),
        ("x=%FF", "percent-encoded UTF-8"),
        ("%FF=x", "percent-encoded UTF-8"),
        ("x=%ED%A0%80", "percent-encoded UTF-8"),
        ("x=%C0%80", "percent-encoded UTF-8"),
        ("&".join(f"filter[id]={ABSENT}" for _ in range(51)), "filters"),
        ("&".join(f"a{n}=1" for n in range(101)), "query string"),
        ("q=" + "x" * 50_000, "“q”"),
        ("x" * 50_000, "query parameter"),
    ],
)  # fmt: skip
async def test_parameters_of_lists(site: Site, url: str, query: str, named: str) -> None:
    problem = check_problem(await site.admin.get(f"{url}?{query}"), 400, "malformed")
    assert named in problem["detail"]
    assert len(problem["detail"]) < 300
    assert problem["instance"] == url


@every_list
async def test_every_filter_works_with_every_operator_it_has(site: Site, url: str) -> None:
    right = {
        "text": "x", "uuid": ABSENT, "timestamptz": "2026-01-02T03:04:05Z", "integer": "7", "boolean": "true",
    }  # fmt: skip
    for field, kind in LISTS[url].filters.items():
        for operator in OPERATORS[kind]:
            value = "false" if operator == "exists" else right[kind]
            value = f"{value},{value}" if operator in ("in", "nin") else value
            wanted = {f"filter[{field}][{operator}]": value, "count": "exact"}
            response = await site.admin.get(url, params=wanted)
            assert response.status_code == 200, (wanted, response.text)
        others = {one for listed in OPERATORS.values() for one in listed} - set(OPERATORS[kind])
        for operator in others:
            response = await site.admin.get(url, params={f"filter[{field}][{operator}]": right[kind]})
            assert f"“{operator}”" in check_problem(response, 400)["detail"]


WRONG_VALUES = {
    "uuid": ("x", "1", ABSENT[:-1], ABSENT + "0", "' OR 1=1 --"),
    "timestamptz": (
        "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "0", "infinity",
        "2026-01-01T00:00:00+99:00", "99999-01-01T00:00:00Z",
    ),
    "text": ("x" * 2_001,),
    "integer": ("", "x", "1.5", "1e3", str(2**31), str(-(2**31) - 1), "9" * 5000, "0x10"),
    "boolean": ("", "1", "TRUE", "yes", "null"),
}  # fmt: skip


@every_list
async def test_values_of_filters(site: Site, url: str) -> None:
    for field, kind in LISTS[url].filters.items():
        for value in WRONG_VALUES.get(kind, ()):
            problem = check_problem(await site.admin.get(url, params={f"filter[{field}]": value}), 400)
            assert f"“{field}”" in problem["detail"], value
        if kind == "text":
            for value in (
                "'",
                '"',
                "\\",
                "%",
                "_",
                "%%",
                "x" * 2_000,
                "%s",
                "%(x)s",
                "{}",
                "\U0010ffff",
                "\u202e",
            ):
                for operator in ("eq", "contains", "starts_with", "in", "lt"):
                    response = await site.admin.get(url, params={f"filter[{field}][{operator}]": value})
                    assert response.status_code == 200, (field, operator, value[:10], response.text[:300])


async def test_the_ends_of_time_and_number(site: Site) -> None:
    for value in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59"):
        for operator in ("eq", "gt", "lte"):
            for url in (f"{CONTENT}/posts", f"{API}/posts"):
                response = await site.admin.get(url, params={f"filter[published_at][{operator}]": value})
                assert response.status_code < 500, (value, operator)
                assert response.status_code in (200, 400)
    for value in (2**31 - 1, -(2**31)):
        assert (await site.admin.get(f"{CONTENT}/pages?filter[menu_order]={value}")).status_code == 200


@every_list
async def test_sorts(site: Site, url: str) -> None:
    names = LISTS[url].sorts
    for name in names:
        for sort in (name, f"-{name}"):
            assert (await site.admin.get(url, params={"sort": sort})).status_code == 200
        for wrong in (f"+{name}", f"{name} ", name.upper(), f"{name},{name}", f"{name},-{name}", f"{name},"):
            check_problem(await site.admin.get(f"{url}?sort={quote_plus(wrong)}"), 400, "malformed")
    assert (await site.admin.get(url, params={"sort": ",-".join(names)})).status_code == 200


@pytest.mark.parametrize("kind", DELIVERED)
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("include=nothing", "“nothing”"),
        ("include=authr,tag", "“"),
        ("include=password_hash", "“password_hash”"),
        ("include=author.tags", "“author.tags”"),
        ("include=%00", "U+0000"),
        ("include=" + "x" * 50_000, "“xxx"),
        ("fields=nothing", "“nothing”"),
        ("fields=", "names no field"),
        ("fields=,", "names no field"),
        ("fields=id,Title", "“Title”"),
        ("fields=author.name", "author.name"),
        ("fields=tags.name.x", "tags.name.x"),
        ("fields=.", "“.”"),
        ("fields=draft", "“draft”"),
        ('fields=id"', "id"),
        ("fields=" + ",".join(f"x{n}" for n in range(1_000)), "“x0”"),
        ("fields=" + ",".join(f"x{n}" for n in range(9_000)), "At most 1000 names are taken."),
    ],
)  # fmt: skip
async def test_parameters_of_delivery(site: Site, kind: str, query: str, named: str) -> None:
    for url in (f"{CONTENT}/{kind}", f"{CONTENT}/{kind}/{ABSENT}"):
        problem = check_problem(await site.visitor.get(f"{url}?{query}"), 400, "malformed")
        assert named in problem["detail"]


@pytest.mark.parametrize("url", [f"{CONTENT}/posts/{ABSENT}", f"{CONTENT}/posts/by-slug/first"])
async def test_a_single_item_takes_no_parameter_of_lists(site: Site, url: str) -> None:
    for query in ("limit=1", "sort=title", "after=x", "count=exact", "filter[id]=x", "inclde=tags"):
        name = query.split("=")[0]
        assert f"“{name}”" in check_problem(await site.visitor.get(f"{url}?{query}"), 400)["detail"]
    response = await site.visitor.get(f"{url}?fields=id&fields=title")
    check_problem(response, 400, "malformed")


async def test_nothing_takes_an_unknown_parameter(site: Site) -> None:
    for url in addresses(site):
        for query, names in (
            ("x=1", ["x"]),
            ("x", ["x"]),
            ("=", [""]),
            ("a=1&b=2&a=3", ["a", "b"]),
            ("%F0%9F%98%80=1", ["😀"]),
        ):
            response = await site.admin.get(f"{url}?{query}")
            errors = check_problem(response, 400, "malformed")["errors"]
            told = {one["parameter"] for one in errors if one["code"] == "unknown_parameter"}
            assert told == set(names), url
        check_problem(await site.admin.get(f"{url}?x=%FF"), 400, "malformed")
        check_problem(await site.admin.get(f"{url}?x=%00"), 400, "malformed")
    for kind in KINDS:
        url = f"{API}/{kind}/{site.ids[kind]}"
        check_problem(await site.admin.patch(f"{url}?force=1", json={}, headers=ANY), 400)
        check_problem(await site.admin.delete(f"{url}?force=1", headers=ANY), 400)
        if kind != "media":
            check_problem(await site.admin.post(f"{API}/{kind}?dry_run=1", json={}), 400)
    check_problem(await site.admin.post(f"{API}/posts/{site.ids['posts']}/publish?at=now", headers=ANY), 400)
    check_problem(await site.admin.post(f"{API}/auth/logout?all=true"), 400)
    check_problem(await site.visitor.post(f"{API}/auth/login?email=x", json={}), 400)
    for url, name in (
        (f"{CONTENT}/pages/tree?depth=99", "depth"),
        (f"{CONTENT}/resolve", "path"),
        (f"{CONTENT}/sync?limit=0", "limit"),
        (f"{CONTENT}/search?q=x&prefix=1", "prefix"),
        (f"{CONTENT}/search?q=x&facets=typ", "facets"),
        (f"{API}/posts/{site.ids['posts']}/diff?to=x", "to"),
    ):
        problem = check_problem(await site.admin.get(url), 400)
        assert [one["parameter"] for one in problem["errors"]] == [name], url
    # what can be previewed takes one more
    problem = check_problem(await site.visitor.get(f"{CONTENT}/settings?prevew=x"), 400)
    assert problem["errors"][0]["detail"].endswith("Did you mean “preview”?")
    problem = check_problem(await site.visitor.get(f"{CONTENT}/settings?preview=x&y=1"), 400)
    assert [one["parameter"] for one in problem["errors"]] == ["y"]


async def test_options_reads_no_parameter(site: Site) -> None:
    for url in (f"{API}/posts", f"{CONTENT}/posts", f"{CONTENT}/settings", "/health/live"):
        plain = await site.admin.options(url)
        assert (plain.status_code, plain.content) == (204, b"")
        for query in ("x=1", "limit=0", "preview=x"):
            response = await site.admin.options(f"{url}?{query}")
            assert (response.status_code, response.headers["allow"]) == (204, plain.headers["allow"]), url
    check_problem(await site.visitor.options("/nothing"), 404)


# Cursors


async def cursor(site: Site, url: str, query: str = "") -> str:
    """A cursor of a list, made by its own hand, as the site has no second page."""
    separator = "&" if query else ""
    response = await site.admin.get(f"{url}?{query}{separator}limit=1")
    assert response.status_code == 200, response.text
    listed = LISTS[url]
    asked = {name: part for name, _, part in (p.partition("=") for p in query.split("&"))}
    width = len(asked["sort"].split(",")) if "sort" in asked else len(listed.sort)
    values = {
        "title": "x",
        "name": "x",
        "slug": "x",
        "email": "x",
        "filename": "x",
        "menu_order": 1,
        "path": "x",
    }
    names = asked["sort"].split(",") if "sort" in asked else [key.field for key in listed.sort]
    position = [values.get(name.lstrip("-"), "2026-01-02T03:04:05Z") for name in names]
    assert len(position) == width
    return await seal(site, url, query, [*position, ABSENT])


async def seal(site: Site, url: str, query: str, position: list[Any]) -> str:
    cursors: Cursors = site.app.state.cursors
    made = ListQuery(query.encode(), LISTS[url], path=url, cursors=cursors)
    return cursors.seal(position, made._scope)


@every_list
async def test_cursors_that_were_changed(site: Site, url: str) -> None:
    good = await cursor(site, url)
    assert (await site.admin.get(f"{url}?after={good}")).status_code == 200
    assert (await site.admin.get(f"{url}?before={good}")).status_code == 200
    raw = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))

    def sealed(changed: bytes) -> str:
        return base64.urlsafe_b64encode(changed).decode().rstrip("=")

    dice = random.Random(7)
    flipped = [
        sealed(raw[:place] + bytes([raw[place] ^ 1 << dice.randrange(8)]) + raw[place + 1 :])
        for place in range(len(raw))
    ]
    cut = [good[:length] for length in range(len(good))]
    other = Cursors("another secret of sufficient length").seal(["x", ABSENT], "x")
    unsigned = sealed(bytes(16) + raw[16:])
    swapped = sealed(raw[16:] + raw[:16])
    longer = [good + letter for letter in ("A", "AA", "AAAA", "=", "!", ".", "%20")]
    for wrong in [*flipped, *cut, *longer, other, unsigned, swapped, "x" * 50_000, good * 2, "💥", "-_-_"]:
        for name in ("after", "before"):
            response = await site.admin.get(f"{url}?{name}={wrong}")
            assert "cursor" in check_problem(response, 400, "malformed")["detail"], wrong


async def test_cursors_of_another_list_sort_or_filter(site: Site) -> None:
    url = f"{CONTENT}/posts"
    sorted_, filtered = "sort=title", f"filter[author]={ABSENT}"
    queries = [
        "", sorted_, "sort=-title", "sort=published_at", "sort=title,published_at", filtered,
        f"filter[tags]={ABSENT}", f"filter[author][ne]={ABSENT}", f"{sorted_}&{filtered}", "filter[title]=x",
    ]  # fmt: skip
    made = {query: await cursor(site, url, query) for query in queries}
    assert len(set(made.values())) == len(made)
    for query in queries:
        for origin, one in made.items():
            response = await site.visitor.get(f"{url}?{query}&after={one}".replace("?&", "?"))
            if origin == query:
                assert response.status_code == 200, response.text
            else:
                check_problem(response, 400, "malformed")
    for other in LISTS:
        if other != url:
            check_problem(await site.admin.get(f"{other}?after={made['']}"), 400, "malformed")
    same = await site.visitor.get(f"{url}?limit=3&include=tags&fields=id&count=exact&after={made['']}")
    assert same.status_code == 200
    twice = await site.visitor.get(f"{url}?filter[title]=x&filter[slug]=y&sort=title&limit=1")
    assert twice.status_code == 200


# Credentials


async def test_credentials(site: Site) -> None:
    token = site.admin.headers["Authorization"].removeprefix("Bearer ")
    head, claims, signature = token.split(".")
    payload = jwt.decode(token, options={"verify_signature": False})
    secret = "a secret for tests, 32 bytes long"
    wrong: list[str | bytes] = [
        "", "Bearer", "Bearer ", "Bearer  ", "Basic YTpi", "Digest x", "bearer", token, f"Token {token}",
        "Bearer x.y.z", "Bearer ..", "Bearer null", "Bearer " + "a" * 5000, f"Bearer {token} {token}",
        f"Bearer {head}.{claims}", f"Bearer {head}.{claims}.", f"Bearer {head}..{signature}",
        f"Bearer {claims}.{head}.{signature}", f"Bearer {token[:-1]}", f"Bearer {token}A", f"Bearer {token}\u00fc",
        b"Bearer \xff\xfe", b"Bearer \x00", "Bearer cms_unknown_key",
        "Bearer " + jwt.encode(payload, "", algorithm="none"),
        "Bearer " + jwt.encode(payload, secret + "!", algorithm="HS256"),
        "Bearer " + jwt.encode(payload, secret * 2, algorithm="HS384"),
        "Bearer " + jwt.encode({**payload, "exp": 1}, secret, algorithm="HS256"),
        "Bearer " + jwt.encode({**payload, "exp": "x"}, secret, algorithm="HS256"),
        "Bearer " + jwt.encode({}, secret, algorithm="HS256"),
        *(
            "Bearer " + jwt.encode({**payload, name: value}, secret, algorithm="HS256")
            for name in ("sid", "sub")
            for value in (None, 1, "x", [], {}, "\0", ABSENT)
            if name in payload
        ),
        *(
            "Bearer " + jwt.encode({k: v for k, v in payload.items() if k != name}, secret, algorithm="HS256")
            for name in ("sid", "exp")
        ),
    ]  # fmt: skip
    for header in wrong:
        sent = {"Authorization": header if isinstance(header, bytes) else header.encode()}
        for url in (f"{CONTENT}/posts", f"{API}/posts", f"{API}/auth/me", "/health/live"):
            response = await site.visitor.get(url, headers=sent)  # type: ignore[arg-type]
            problem = check_problem(response, 401)
            assert problem["code"] == "invalid_token", header
            assert 'error="invalid_token"' in response.headers["www-authenticate"]
        response = await site.visitor.post(f"{API}/posts", json={"title": "x"}, headers=sent)  # type: ignore[arg-type]
        check_problem(response, 401, "invalid_token")
    assert (await site.visitor.get(f"{API}/auth/me", headers={"Authorization": f"bearer {token}"})).is_success


async def test_nobody_gets_in(site: Site) -> None:
    for kind in KINDS:
        url = f"{API}/{kind}/{site.ids[kind]}"
        for method, address in (("GET", f"{API}/{kind}"), ("GET", url), ("DELETE", url)):
            response = await site.visitor.request(method, address, headers=ANY)
            check_problem(response, 401, "unauthenticated")
            assert response.headers["www-authenticate"] == 'Bearer realm="cms"'
        response = await site.visitor.patch(url, json={}, headers=ANY)
        check_problem(response, 401, "unauthenticated")
    for action in ("publish", "unpublish", "restore"):
        url = f"{API}/posts/{site.ids['posts']}/{action}"
        check_problem(await site.visitor.post(url, headers=ANY), 401, "unauthenticated")
    for url in (f"{API}/auth/me", f"{API}/auth/sessions", f"{API}/roles", f"{API}/permissions"):
        check_problem(await site.visitor.get(url), 401, "unauthenticated")
    for token in ("x", "q" * 43, "ü", "'; --"):
        response = await site.visitor.post(f"{API}/auth/refresh", json={"refresh_token": token})
        check_problem(response, 401)


# If-Match and If-None-Match


@pytest.mark.parametrize("kind", KINDS)
async def test_if_match(site: Site, kind: str) -> None:
    url = f"{API}/{kind}/{site.ids[kind]}"
    calls: list[tuple[str, str, Any]] = [("PATCH", url, {}), ("DELETE", url, None)]
    if kind in ("posts", "pages"):
        calls += [("POST", f"{url}/{action}", None) for action in ("publish", "unpublish", "restore")]
    for method, address, body in calls:
        asked = {"json": body} if body is not None else {}
        response = await site.admin.request(method, address, **asked)
        problem = check_problem(response, 428, "precondition_required")
        assert "If-Match" in problem["detail"]
        for wrong in (
            "",
            "v1",
            "1",
            '"',
            '"v1',
            'v1"',
            '"v1""v2"',
            '"v1", "v2"',
            "**",
            "W/v1",
            '"a b"',
            'w/"v1"',
        ):
            response = await site.admin.request(method, address, headers={"If-Match": wrong}, **asked)
            check_problem(response, 400, "malformed")
        for other in (
            '"v99"',
            '"v0"',
            '"v-1"',
            '"x"',
            '""',
            '"V1"',
            'W/"v1"',
            '"v999999999999"',
            '"v1.0"',
            '"v٣"',
        ):
            response = await site.admin.request(
                method, address, headers={"If-Match": other.encode()}, **asked
            )
            problem = check_problem(response, 412)
            assert problem["current_version"] >= 1
        absent = address.replace(site.ids[kind], ABSENT)
        check_problem(await site.admin.request(method, absent, headers=ANY, **asked), 404)


async def test_if_none_match_is_never_a_fault(site: Site) -> None:
    for url in (f"{CONTENT}/posts", f"{CONTENT}/posts/by-slug/first", f"{API}/posts/{site.ids['posts']}"):
        for given_tags in ("", "x", '"', "W/", "*, *", '"v1', "ü", ",,,", '"' + "x" * 60_000 + '"'):
            response = await site.admin.get(url, headers={"If-None-Match": given_tags.encode()})  # type: ignore[dict-item]
            assert response.status_code == 200
        tag = (await site.admin.get(url)).headers["etag"]
        for given_tags in (tag, f"W/{tag}", f'"x", {tag}', f'"x",W/{tag} , "y"', "*"):
            response = await site.admin.get(url, headers={"If-None-Match": given_tags})
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["etag"] == tag


# Addresses


@pytest.mark.parametrize(
    "path",
    [
        "/", "/nothing", "/api", "/api/v1", "/api/v2/posts", "/API/V1/posts", f"{API}/post",
        f"{API}/posts/123", f"{API}/posts/{ABSENT[:-1]}", f"{API}/posts/{ABSENT}0",
        f"{API}/posts/{ABSENT}/nothing", f"{API}/posts/%20", f"{API}/posts/..", f"{API}/users/me", f"{CONTENT}",
        f"{CONTENT}/posts/x", f"{CONTENT}/users", f"{CONTENT}/posts/by-slug",
        f"{CONTENT}/posts/by-path/x", f"{CONTENT}/pages/by-slug/x", "/media", "/media/", "/_schema",
        "/_schema/openapi.json", "/schema", "/.env", "/health", "/docs/x", "/openapi.yaml", "/favicon.ico",
        f"{API}/posts/" + "9" * 5000, f"{API}/" + "x" * 50_000, f"{API}/pösts", f"{API}/%FF%FE", f"{API}/posts/%C0%80",
        f"{API}/posts/%", f"{API}/posts/%zz", f"{API}/posts/' OR 1=1 --", f"{CONTENT}/posts/by-slug/a/b",
    ],
)  # fmt: skip
async def test_no_such_address(site: Site, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "PATCH", "DELETE"):
        response = await site.admin.request(method, path, headers=ANY)
        if method == "HEAD":
            assert (response.status_code, response.content) in ((404, b""), (405, b""))
            continue
        check_problem(response, response.status_code)
        assert response.status_code in ((404,) if method == "GET" else (404, 405))


async def test_ids_of_nothing(site: Site) -> None:
    for kind in KINDS:
        problem = check_problem(await site.admin.get(f"{API}/{kind}/{ABSENT}"), 404)
        assert problem["instance"] == f"{API}/{kind}/{ABSENT}"
        other = next(site.ids[one] for one in KINDS if one != kind)
        check_problem(await site.admin.get(f"{API}/{kind}/{other}"), 404)
    for kind in DELIVERED:
        check_problem(await site.visitor.get(f"{CONTENT}/{kind}/{ABSENT}"), 404, "nothing_published")
    for spelling in (site.ids["posts"].upper(), site.ids["posts"].replace("-", "")):
        response = await site.visitor.get(f"{CONTENT}/posts/{spelling}")
        assert response.status_code in (200, 404)


@pytest.mark.parametrize(
    "slug",
    [
        "%FF%FE", "%C0%80", "%ED%A0%80", "%F5%80%80%80", "'", "%22", "%25", "%25s", "%(x)s", "%3B--", "%0A",
        "%E2%80%AE", "%F0%9F%92%A5", "x" * 20_000, "..", "%2e%2e", "%2F", "a%2Fb", "null",
        "%7B%7D", "FIRST", "first%20",
    ],
)  # fmt: skip
async def test_slugs_of_nothing(site: Site, slug: str) -> None:
    for url in (
        f"{CONTENT}/posts/by-slug/{slug}",
        f"{CONTENT}/tags/by-slug/{slug}",
        f"{CONTENT}/pages/by-path/x/{slug}",
    ):
        check_problem(await get_raw(site.app, url), 404)


async def test_nul_in_an_address(site: Site) -> None:
    for url in (
        f"{CONTENT}/posts/by-slug/%00", f"{CONTENT}/pages/by-path/a/b%00c", f"{CONTENT}/authors/by-slug/x%00",
        f"{CONTENT}/posts/%00", f"{API}/posts/%00", "/media/%00", "/media/a%00.png", "/%00", f"{API}/%00/x",
    ):  # fmt: skip
        response = await site.visitor.get(url)
        assert response.status_code in (400, 404)
        check_problem(response, response.status_code)


@pytest.mark.parametrize(
    "path",
    [
        "../secret_key", "%2e%2e/secret_key", "..%2fsecret_key", "%2e%2e%2fsecret_key", "....//secret_key",
        "/etc/passwd", "%2fetc%2fpasswd", "a/../../secret_key", "..\\secret_key", "%5c..%5csecret_key", ".", "..",
        "%2e", "x" * 5000, "a/" * 2000, "~root", "%FF", "con", "a:b", "%0d%0aX-Injected:1",
    ],
)  # fmt: skip
async def test_files_outside_are_out_of_reach(site: Site, path: str) -> None:
    response = await site.visitor.get(f"/media/{path}")
    check_problem(response, 404)
    assert "x-injected" not in response.headers


async def test_what_is_not_allowed(site: Site) -> None:
    post = site.ids["posts"]
    table = {
        f"{API}/posts": {"GET", "POST", "OPTIONS"},
        f"{API}/posts/{post}": {"GET", "PATCH", "DELETE", "OPTIONS"},
        f"{API}/posts/{post}/publish": {"POST", "OPTIONS"},
        f"{API}/media": {"GET", "POST", "OPTIONS"},
        f"{API}/media/{site.ids['media']}": {"GET", "PATCH", "DELETE", "OPTIONS"},
        f"{API}/auth/login": {"POST", "OPTIONS"},
        f"{API}/auth/sessions": {"GET", "DELETE", "OPTIONS"},
        f"{CONTENT}/posts": {"GET", "OPTIONS"},
        f"{CONTENT}/posts/{post}": {"GET", "OPTIONS"},
        f"{CONTENT}/pages/by-path/about": {"GET", "OPTIONS"},
        "/openapi.json": {"GET", "OPTIONS"},
        "/health/live": {"GET", "OPTIONS"},
        "/feed.xml": {"GET", "OPTIONS"},
        "/sitemaps/0.xml": {"GET", "OPTIONS"},
        "/robots.txt": {"GET", "OPTIONS"},
    }
    for url, methods in table.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X" * 200):
            if method in methods:
                continue
            response = await site.admin.request(method, url)
            check_problem(response, 405, "method_not_allowed")
            allowed = {one.strip() for one in response.headers["allow"].split(",")}
            assert allowed == methods | ({"HEAD"} if "GET" in methods else set()), (method, url)
        for client in (site.admin, site.visitor):
            told = await client.options(url)
            assert (told.status_code, told.content, told.headers["allow"]) == (
                204,
                b"",
                response.headers["allow"],
            )


# What every answer has


async def test_the_request_id(site: Site) -> None:
    for url in addresses(site):
        kept = await site.admin.get(url, headers={"X-Request-Id": "abc-123.DEF_4"})
        assert kept.headers.get_list("x-request-id") == ["abc-123.DEF_4"]
        assert (await site.admin.get(url)).headers["x-request-id"] != "abc-123.DEF_4"
    problem = await site.visitor.get(f"{API}/posts", headers={"X-Request-Id": "abcdefgh"})
    assert check_problem(problem, 401)["request_id"] == "abcdefgh"
    for wrong in (
        b"",
        b"short",
        b"x" * 65,
        b"with space",
        b"x\ty",
        b"\xff" * 8,
        b"<script>",
        b"a" * 8 + b"\n",
    ):
        response = await site.visitor.get("/nothing", headers=[(b"x-request-id", wrong)])
        made = check_problem(response, 404)["request_id"]
        assert len(made) == 32
        assert made.encode() != wrong


async def test_security_headers(site: Site) -> None:
    for url in [*addresses(site), "/nothing", f"{API}/posts?x=1", f"{CONTENT}/posts/{ABSENT}"]:
        response = await site.admin.get(url)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "server" not in response.headers
        assert "x-powered-by" not in response.headers
        assert not [name for name in response.headers if name.startswith("access-control-")]
    for url in ("/docs", "/problems"):
        response = await site.visitor.get(url)
        assert response.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_every_problem_type_is_explained(site: Site) -> None:
    page = (await site.visitor.get("/problems")).text
    for url, code in (
        ("/nothing", "route_not_found"), (f"{API}/posts", "unauthenticated"), ("/docs?x", "malformed"),
        (f"{CONTENT}/posts/{ABSENT}", "nothing_published"),
    ):  # fmt: skip
        problem = (await site.visitor.get(url)).json()
        assert problem["type"] == f"/problems#{code}"
        assert f'id="{code}"' in page
    for code in (
        "internal_error",
        "unavailable",
        "method_not_allowed",
        "stale",
        "slug_taken",
        "wrong_credentials",
    ):
        assert f'id="{code}"' in page
    assert "<script" not in page


# Anything at all

fuzzing = hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
words = st.sampled_from(
    ["limit", "after", "before", "sort", "count", "include", "fields", "filter", "id", "title", "slug", "name", "eq",
     "in", "contains", "exists", "author", "tags.slug", "published_at", "true", "1", "-title", ABSENT, ",",
     ".", "-", "[", "]"]
)  # fmt: skip
raw_query = st.lists(
    words
    | st.text(max_size=8).map(lambda text: quote_plus(text, errors="ignore"))
    | st.sampled_from(
        ["%", "%0", "%00", "%FF", "%C3", "&", "=", "+", ";", "#", "%5B", "%5D", "'", '"', "\\"]
    ),
    max_size=12,
).map("".join)
filters = st.dictionaries(
    st.tuples(
        st.sampled_from(
            ["title", "slug", "name", "id", "published_at", "author.slug", "tags", "menu_order", "email"]
        ),
        st.sampled_from(["eq", "ne", "lt", "gte", "in", "nin", "contains", "starts_with", "exists"]),
    ).map(lambda pair: f"filter[{pair[0]}][{pair[1]}]"),
    st.text(max_size=20) | st.sampled_from(["true", ABSENT, "2026-01-02T03:04:05Z", "7", "a,b", "%", "\\"]),
    max_size=3,
).map(lambda pairs: urlencode({k: v.encode("utf-8", "surrogatepass") for k, v in pairs.items()}))


@fuzzing
@given(query=raw_query | filters)
async def test_no_query_breaks_anything(site: Site, query: str) -> None:
    for url in (
        f"{CONTENT}/posts", f"{CONTENT}/pages", f"{CONTENT}/tags", f"{CONTENT}/posts/by-slug/first", f"{API}/posts",
        f"{API}/users", f"{API}/media", f"{API}/auth/me",
    ):  # fmt: skip
        response = await site.admin.get(
            httpx.URL("http://cms.test" + url, query=query.replace("#", "%23").encode("ascii", "ignore"))
        )
        assert response.status_code in (200, 400), (url, query)
        if response.status_code == 400:
            check_problem(response, 400, "malformed")


@fuzzing
@given(text=st.text(max_size=30), raw=st.binary(max_size=12))
async def test_no_path_breaks_anything(site: Site, text: str, raw: bytes) -> None:
    for part in (quote(text.encode("utf-8", "surrogatepass"), safe=""), quote(raw, safe="/")):
        for start in (
            f"{CONTENT}/posts/by-slug/",
            f"{CONTENT}/pages/by-path/",
            f"{API}/posts/",
            "/media/",
            "/",
        ):
            response = await site.admin.get(httpx.URL("http://cms.test", raw_path=(start + part).encode()))
            assert response.status_code < 500, (start, part)
            if response.status_code >= 400:
                check_problem(response, response.status_code)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from([ABSENT, "", "\0", "html", "x" * 600, 2**63, -1, "https://x.example", "a@b.example"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
names = st.sampled_from(
    ["title", "slug", "body", "format", "excerpt", "authors", "categories", "tags", "cover", "seo", "is_sticky",
     "locale", "parent", "menu_order", "name", "bio", "website", "avatar_id", "user_id", "description", "parent_id",
     "email", "password", "roles", "is_active", "refresh_token", "current_password", "new_password", "alt", "caption"]
)  # fmt: skip
bodies = st.dictionaries(names, json_values, max_size=6) | json_values


@fuzzing
@given(body=bodies)
async def test_no_body_breaks_anything(site: Site, body: Any) -> None:
    sent = msgspec.json.encode(body)
    # Without rights: what is valid is refused as well, so that the site stays as it is.
    for path in ("posts", "pages", "authors", "categories", "tags", "users", "auth/refresh", "auth/login"):
        response = await site.visitor.post(f"{API}/{path}", content=sent, headers=JSON)
        check_problem(response, response.status_code)
        assert response.status_code in (400, 401, 422)


@fuzzing
@given(raw=st.binary(max_size=60))
async def test_no_bytes_break_anything(site: Site, raw: bytes) -> None:
    for content in (raw, b'{"title": "' + raw, b'{"email": "a@b.example", "password": "' + raw + b'"}'):
        for path in ("posts", "auth/login"):
            response = await site.visitor.post(f"{API}/{path}", content=content, headers=JSON)
            check_problem(response, response.status_code)
            assert response.status_code in (400, 401, 422)

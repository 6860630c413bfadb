"""Bad input gets a clear problem, never a 500, and no word about our inside."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from tests.conftest import ADMIN_EMAIL, PASSWORD

POSTS, CONTENT, LOGIN = "/api/v1/posts", "/api/v1/content", "/api/v1/auth/login"
JSON = {"Content-Type": "application/json"}
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def check(response: httpx.Response, status: int, *codes: str) -> dict[str, Any]:
    """The problem, once it is found to be a proper one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert set(problem) >= MEMBERS
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["type"] == f"/problems#{problem['code']}"
    assert not any(
        word in response.text for word in ("Traceback", "SELECT ", "psycopg", "site-packages", ".py")
    )
    if codes:
        assert [error["code"] for error in problem["errors"]] == list(codes)
    return problem


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"{'title': 1}", 400),
        (b'{"title": "x"} trailing', 400),
        (b'{"title": "\xff\xfe"}', 400),
        (b'{"title": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b'{"seo":' * 50_000, 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"x"', 422),
        (b'{"title": "a\\u0000b"}', 422),
        (b'{"title": "x", "menu_order": 1e400}', 400),
        (b'{"title": "' + b"x" * 2_000_000 + b'"}', 413),
    ],
)
@pytest.mark.parametrize("url", [POSTS, "/api/v1/pages"])
async def test_bodies(admin: httpx.AsyncClient, url: str, body: bytes, status: int) -> None:
    check(await admin.post(url, content=body, headers=JSON), status)


async def test_a_body_that_comes_in_pieces_is_limited_too(admin: httpx.AsyncClient) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * 65_536

    check(await admin.post(POSTS, content=pieces(), headers=JSON), 413)


async def test_all_faults_are_named(admin: httpx.AsyncClient) -> None:
    body = {
        "titel": "x",
        "slug": 5,
        "format": "word",
        "tags": ["x", 3],
        "seo": {"titel": 1},
        "cover": "no id",
        "is_sticky": "yes",
    }
    problem = check(await admin.post(POSTS, json=body), 422)
    assert {error["pointer"] for error in problem["errors"]} == {
        "/titel", "/title", "/slug", "/format", "/tags/0", "/tags/1", "/seo/titel", "/cover", "/is_sticky",
    }  # fmt: skip
    assert "Did you mean “title”?" in problem["errors"][0]["detail"]


async def test_media_types(admin: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "a"):
        check(await admin.post(POSTS, content=b"{}", headers={"Content-Type": kind}), 415)
    merge = {"Content-Type": "application/merge-patch+json"}
    check(await admin.post(POSTS, content=b"{}", headers=merge), 415)
    made = (await admin.post(POSTS, json={"title": "x"})).json()
    patched = await admin.patch(
        f"{POSTS}/{made['id']}", content=b'{"title": "y"}', headers={**merge, "If-Match": '"v1"'}
    )
    assert patched.json()["title"] == "y"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limt=3", "limt"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=%D9%A3", "limit"),
        ("sort=nothing", "nothing"),
        ("sort=title,title", "twice"),
        ("filter[nothing]=1", "nothing"),
        ("filter[title][like]=1", "like"),
        ("filter[published_at]=yesterday", "published_at"),
        ("filter[published_at]=2026-01-01T00:00:00", "published_at"),
        ("filter[author]=1", "author"),
        ("filter[is_sticky]=maybe", "is_sticky"),
        ("filter[title", "filter"),
        ("include=nothing", "nothing"),
        ("fields=nothing", "nothing"),
        ("fields=author.name", "author.name"),
        ("fields=", "fields"),
        ("after=abc", "cursor"),
        ("after=%00", "U+0000"),
        ("after=a&before=b", "not both"),
        ("count=yes", "count"),
        ("filter[title]=%FF", "query string"),
        ("&".join(f"filter[title]={n}" for n in range(60)), "filters"),
        ("&".join(f"a{n}=1" for n in range(200)), "query string"),
    ],
)
async def test_queries(client: httpx.AsyncClient, query: str, named: str) -> None:
    assert named in check(await client.get(f"{CONTENT}/posts?{query}"), 400)["detail"]


async def test_addresses(admin: httpx.AsyncClient) -> None:
    check(await admin.get("/nothing"), 404)
    check(await admin.get(f"{POSTS}/123"), 404)
    check(await admin.get(f"{POSTS}/01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"), 404)
    check(await admin.get(f"{CONTENT}/posts/by-slug/%00"), 400)
    check(await admin.get(f"{CONTENT}/posts/by-slug/%FF%FE"), 404)
    check(await admin.get(f"{CONTENT}/pages/by-path/a/b/../../c"), 404)
    check(await admin.get("/media/../secret_key"), 404)
    check(await admin.get("/media/%2e%2e/secret_key"), 404)
    check(await admin.get("/api/v1/auth/me?x=1"), 400)
    refused = await admin.put(POSTS)
    check(refused, 405)
    assert "POST" in refused.headers["allow"]


async def test_preconditions(admin: httpx.AsyncClient) -> None:
    made = (await admin.post(POSTS, json={"title": "x"})).json()
    url = f"{POSTS}/{made['id']}"
    for given_tag, status in (
        ("v1", 400),
        ('"v1", "v2"', 400),
        ('"', 400),
        ('"x"', 412),
        ('"v99999999999"', 412),
    ):
        check(await admin.patch(url, json={"title": "y"}, headers={"If-Match": given_tag}), status)
    check(await admin.delete(url), 428)


async def test_credentials(client: httpx.AsyncClient) -> None:
    for header in ("Basic YTpi", "Bearer", "Bearer x.y.z", "Bearer " + "a" * 5000):
        refused = await client.get(f"{CONTENT}/posts", headers={"Authorization": header})
        check(refused, 401)
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    check(await client.get("/api/v1/users"), 401)


async def test_the_request_id_is_kept_if_it_is_one(client: httpx.AsyncClient) -> None:
    kept = await client.get("/health/live", headers={"X-Request-Id": "abc-123.DEF_4"})
    assert kept.headers["x-request-id"] == "abc-123.DEF_4"
    made = await client.get("/health/live", headers={"X-Request-Id": "x\ty"})
    assert len(made.headers["x-request-id"]) == 32


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(
    [
        "title",
        "slug",
        "body",
        "format",
        "tags",
        "authors",
        "seo",
        "cover",
        "parent",
        "email",
        "password",
        "name",
    ]
)
bodies = st.dictionaries(names, json_values, max_size=6) | json_values
fuzzing = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzzing
@given(body=bodies)
async def test_no_body_is_an_internal_error(admin: httpx.AsyncClient, body: Any) -> None:
    for url in (POSTS, "/api/v1/pages", "/api/v1/tags", "/api/v1/users", LOGIN):
        response = await admin.post(url, content=json.dumps(body).encode(), headers=JSON)
        assert response.status_code < 500, (url, body)


@fuzzing
@given(query=st.dictionaries(st.text(max_size=12) | names, st.text(max_size=30), max_size=4))
async def test_no_query_is_an_internal_error(admin: httpx.AsyncClient, query: dict[str, str]) -> None:
    for url in (f"{CONTENT}/posts", POSTS, f"{CONTENT}/posts/by-slug/x"):
        assert (await admin.get(url, params=query)).status_code < 500
    for field in ("title", "slug", "author.slug", "author", "published_at"):
        for operator in ("eq", "in", "contains", "starts_with", "lt", "exists"):
            for value in query.values():
                wanted = {f"filter[{field}][{operator}]": value}
                assert (await admin.get(f"{CONTENT}/posts", params=wanted)).status_code < 500


async def test_ready_and_away(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "ok"}
    assert (await client.get("/health/ready")).json() == {"status": "ok"}
    body = {"email": ADMIN_EMAIL, "password": PASSWORD}
    assert (await client.post(LOGIN, json=body)).status_code == 200


async def test_nobody_hears_that_before_anything_else(client: httpx.AsyncClient) -> None:
    for method, url, body in (
        ("POST", "/api/v1/posts", {"titel": 1}),
        ("POST", "/api/v1/posts/bulk", {}),
        ("POST", "/api/v1/batch", {}),
        ("PATCH", "/api/v1/retention-policies/post", {"x": 1}),
        ("GET", "/api/v1/posts?nothing=1", None),
    ):
        response = await client.request(method, url, json=body)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")


async def test_the_server_keeps_knowing_of_a_head(app: Litestar) -> None:
    """Else it waits for the content that the length promises, and breaks the connection."""
    scope: Any = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "HEAD", "scheme": "http",
        "path": "/health/live", "raw_path": b"/health/live", "query_string": b"", "root_path": "",
        "headers": [], "client": ("127.0.0.1", 1), "server": ("cms.test", 80),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert (scope["method"], sent[0]["status"], sent[-1]["body"]) == ("HEAD", 200, b"")

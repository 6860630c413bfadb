"""Bodies that are wrong: every fault is named, nothing is changed, nothing breaks."""

import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from tests.conftest import ADMIN_EMAIL, PASSWORD
from tests.integration.http.asking import ABSENT, ANY, API, JSON, check_problem, picture, pointers
from tests.integration.http.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

MERGE = {"Content-Type": "application/merge-patch+json"}
# Every route that takes JSON, with the field that is text and required, or the nearest to that.
CREATING = {
    "posts": "title",
    "pages": "title",
    "authors": "name",
    "categories": "name",
    "tags": "name",
    "menus": "name",
    "users": "email",
    "redirects": "source",
    "auth/login": "email",
    "auth/refresh": "refresh_token",
    "auth/password/change": "new_password",
}
CHANGING = {
    "posts": "title",
    "pages": "title",
    "authors": "name",
    "categories": "name",
    "tags": "name",
    "menus": "name",
    "users": "name",
    "media": "title",
    "redirects": "source",
}
ROUTES = [("POST", path, field) for path, field in CREATING.items()] + [
    ("PATCH", path, field) for path, field in CHANGING.items()
]
every_route = pytest.mark.parametrize(
    ("method", "path", "field"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES]
)


async def send(
    site: Site, method: str, path: str, content: Any, headers: dict[str, str] | None = None
) -> httpx.Response:
    url = f"{API}/{path}" if method == "POST" else f"{API}/{path}/{site.ids[path]}"
    sent = {**JSON, **ANY, **(headers or {})}
    return await site.admin.request(method, url, content=content, headers=sent)


@pytest.fixture(scope="module", autouse=True)
def nothing_changes(site: Site) -> Iterator[None]:
    """Whatever these tests send, no row comes of it."""
    before = site.counts()
    yield
    assert site.counts() == before


MALFORMED = {
    "empty": b"",
    "blank": b" \n\t ",
    "half": b"{",
    "half a string": b'{"x": "y',
    "single quotes": b"{'x': 'y'}",
    "no quotes": b"{x: 1}",
    "comma at the end": b'{"x": 1,}',
    "comment": b'{"x": 1} // y',
    "two values": b"{} {}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"x": 1}'.encode("utf-16"),
    "NaN": b'{"FIELD": NaN}',
    "Infinity": b'{"FIELD": -Infinity}',
    "too large a float": b'{"FIELD": 1e400}',
    "too long a number": b'{"FIELD": ' + b"9" * 5000 + b"}",
    "leading zero": b'{"FIELD": 01}',
    "hexadecimal": b'{"FIELD": 0x10}',
    "plus": b'{"FIELD": +1}',
    "control character": b'{"FIELD": "a\nb"}',
    "raw NUL": b'{"FIELD": "a\x00b"}',
    "NUL alone": b"\x00",
    "unknown escape": b'{"FIELD": "\\x41"}',
    "half an escape": b'{"FIELD": "\\u00"}',
    "lone high surrogate": b'{"FIELD": "\\ud800"}',
    "lone low surrogate": b'{"FIELD": "\\udc00"}',
    "surrogates the wrong way round": b'{"FIELD": "\\udc00\\ud800"}',
    "surrogate and a letter": b'{"FIELD": "\\ud83dx"}',
    "invalid UTF-8": b'{"FIELD": "\xff\xfe"}',
    "half of a character": b'{"FIELD": "\xc3"}',
    "overlong NUL": b'{"FIELD": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"FIELD": "\xed\xa0\x80"}',
    "beyond Unicode": b'{"FIELD": "\xf5\x80\x80\x80"}',
    "invalid UTF-8 in a name": b'{"\xff": 1}',
    "open brackets": b"[" * 100_000,
    "open braces": b'{"FIELD":' * 50_000,
    "closed brackets": b"[" * 100_000 + b"]" * 100_000,
    "deep in a field": b'{"FIELD": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep in an unknown field": b'{"x": ' + b'{"x":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    "form": b"title=x&name=y",
    "XML": b'<?xml version="1.0"?><title>x</title>',
}  # fmt: skip


@every_route
async def test_malformed(site: Site, method: str, path: str, field: str) -> None:
    for name, body in MALFORMED.items():
        response = await send(site, method, path, body.replace(b"FIELD", field.encode()))
        problem = check_problem(response, 400, "malformed")
        assert "JSON" in problem["detail"], name
        assert "errors" not in problem


@every_route
async def test_a_body_that_is_no_object(site: Site, method: str, path: str, field: str) -> None:
    del field
    for body in (b"null", b"true", b"0", b'"x"', b"[]", b"[{}]", b"1e3", b"9" * 4000):
        problem = check_problem(await send(site, method, path, body), 422, "invalid")
        assert pointers(problem) == {""}, body


@every_route
async def test_wrong_types(site: Site, method: str, path: str, field: str) -> None:
    wrong = (b"1", b"-1.5", b"true", b"[]", b"{}", b'["x"]', b"1e308", b"9" * 4000, b"-" + b"9" * 400)
    for value in wrong:
        body = b'{"' + field.encode() + b'": ' + value + b"}"
        problem = check_problem(await send(site, method, path, body), 422, "invalid")
        assert f"/{field}" in pointers(problem), value
    problem = check_problem(await send(site, method, path, b'{"%s": null}' % field.encode()), 422, "invalid")
    assert f"/{field}" in pointers(problem)


@every_route
async def test_an_unknown_field_is_named_with_its_neighbour(
    site: Site, method: str, path: str, field: str
) -> None:
    typo = field[:-1] + field[-1] * 2
    problem = check_problem(await send(site, method, path, b'{"%s": "x"}' % typo.encode()), 422, "invalid")
    fault = next(one for one in problem["errors"] if one["pointer"] == f"/{typo}")
    assert fault["code"] == "unknown_field"
    assert f"“{typo}”" in fault["detail"]
    assert f"Did you mean “{field}”?" in fault["detail"]

    body = {"zzzzzz": 1, "a/b~c": 2, "": 3, "ключ": 4, "x" * 5000: 5}
    response = await site.admin.request(
        method, f"{API}/{path}" + (f"/{site.ids[path]}" if method == "PATCH" else ""), json=body, headers=ANY
    )
    problem = check_problem(response, 422, "invalid")
    assert {"/zzzzzz", "/a~1b~0c", "/", "/ключ"} < pointers(problem)
    assert "Did you mean" not in next(e for e in problem["errors"] if e["pointer"] == "/zzzzzz")["detail"]
    assert all(len(fault["detail"]) < 300 for fault in problem["errors"])


@every_route
async def test_the_character_nul(site: Site, method: str, path: str, field: str) -> None:
    for value in (r"\u0000", r"a\u0000b", r"long enough for a password\u0000"):
        body = f'{{"{field}": "{value}", "x\\u0000": 1}}'.encode()
        problem = check_problem(await send(site, method, path, body), 422, "invalid")
        assert problem["errors"]


NULS = {
    "posts": ({"title": "a\0b", "body": "\0", "seo": {"title": "\0"}}, {"/title", "/body", "/seo/title"}),
    "pages": ({"title": "a\0b", "excerpt": "\0"}, {"/title", "/excerpt"}),
    "authors": ({"name": "a\0b", "bio": "x\0"}, {"/name", "/bio"}),
    "categories": ({"name": "\0", "description": "\0"}, {"/name", "/description"}),
    "menus": (
        {"key": "a\0", "name": "\0", "items": [{"label": "\0", "target": {"kind": "url", "url": "/\0"}}]},
        {"/key", "/name", "/items/0/label", "/items/0/target/url"},
    ),
    "tags": ({"name": "\0", "slug": "a\0"}, {"/name", "/slug"}),
    "users": (
        {"email": "a@b.example\0", "name": "\0", "password": "a long password\0", "roles": ["x", "\0"]},
        {"/email", "/name", "/password", "/roles/1"},
    ),
    "auth/login": ({"email": "a\0@b.example", "password": "\0"}, {"/email", "/password"}),
    "auth/refresh": ({"refresh_token": "\0"}, {"/refresh_token"}),
}


@pytest.mark.parametrize("path", NULS)
async def test_every_nul_is_named(site: Site, path: str) -> None:
    body, places = NULS[path]
    problem = check_problem(await site.admin.post(f"{API}/{path}", json=body), 422, "invalid")
    assert pointers(problem) == places
    assert {fault["code"] for fault in problem["errors"]} == {"nul"}


SEVERAL: dict[tuple[str, str], tuple[dict[str, Any], set[str]]] = {
    ("POST", "posts"): (
        {
            "titel": "x", "slug": 5, "format": "word", "tags": ["x", 3, ABSENT], "authors": "x",
            "seo": {"titel": 1, "title": 2}, "cover": "no id", "is_sticky": "yes", "locale": "!!",
        },
        {
            "/titel", "/title", "/slug", "/format", "/tags/0", "/tags/1", "/authors", "/seo/titel", "/seo/title",
            "/cover", "/is_sticky", "/locale",
        },
    ),
    ("PATCH", "posts"): (
        {"title": "", "body": None, "categories": [None], "seo": [], "excerpt": "x" * 5001},
        {"/title", "/body", "/categories/0", "/seo", "/excerpt"},
    ),
    ("POST", "pages"): (
        {"parent": 1, "menu_order": 1.5, "tags": []}, {"/title", "/parent", "/menu_order", "/tags"}
    ),
    ("PATCH", "pages"): (
        {"menu_order": 10**30, "parent": "x", "title": "x" * 501}, {"/menu_order", "/parent", "/title"}
    ),
    ("POST", "authors"): (
        {"user_id": 1, "website": "javascript:x", "avatar_id": ""}, {"/name", "/user_id", "/website", "/avatar_id"}
    ),
    ("PATCH", "authors"): ({"name": "", "bio": "x" * 2001, "slug": ""}, {"/name", "/bio", "/slug"}),
    ("POST", "categories"): ({"parent_id": [], "nam": "x"}, {"/name", "/nam", "/parent_id"}),
    ("PATCH", "categories"): ({"parent_id": 1, "name": 1}, {"/name", "/parent_id"}),
    ("POST", "tags"): ({"parent_id": None, "slug": {}}, {"/name", "/slug", "/parent_id"}),
    ("PATCH", "tags"): ({"id": "x", "description": 1}, {"/id", "/description"}),
    ("POST", "menus"): (
        {"key": 1, "items": [{"label": 1, "target": {"kind": "x", "id": "x"}}, {"children": {}}], "locale": "!"},
        {
            "/key", "/name", "/items/0/label", "/items/0/target/kind", "/items/0/target/id", "/items/1/target",
            "/items/1/children", "/locale",
        },
    ),
    ("PATCH", "menus"): ({"key": None, "items": None, "locale": "de"}, {"/key", "/items", "/locale"}),
    ("POST", "users"): (
        {"email": "x" * 321, "name": "", "password": "short", "roles": [1, "x", None], "is_active": True},
        {"/email", "/name", "/password", "/roles/0", "/roles/2", "/is_active"},
    ),
    ("PATCH", "users"): (
        {"is_active": "true", "roles": "administrator", "id": ABSENT}, {"/is_active", "/roles", "/id"}
    ),
    ("PATCH", "media"): ({"alt": 1, "titel": "x", "caption": "x" * 2001}, {"/alt", "/titel", "/caption"}),
    ("POST", "auth/login"): ({"pasword": "x", "email": 1}, {"/email", "/password", "/pasword"}),
    ("POST", "auth/password/change"): (
        {"current_password": "", "new_password": "short"}, {"/current_password", "/new_password"}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path"), SEVERAL, ids=[" ".join(key) for key in SEVERAL])
async def test_all_faults_are_named_at_once(site: Site, method: str, path: str) -> None:
    body, places = SEVERAL[method, path]
    url = f"{API}/{path}" + (f"/{site.ids[path]}" if method == "PATCH" else "")
    problem = check_problem(await site.admin.request(method, url, json=body, headers=ANY), 422, "invalid")
    assert pointers(problem) == places
    assert str(len(places)) in problem["detail"]


async def test_faults_have_an_end(site: Site) -> None:
    body = {"title": "x", "tags": ["x"] * 100, **{f"x{n}": n for n in range(5000)}}
    problem = check_problem(await site.admin.post(f"{API}/posts", json=body), 422, "invalid")
    assert len(problem["errors"]) == 50


async def test_rules_that_only_the_domain_knows(site: Site) -> None:
    cases: list[tuple[str, dict[str, Any], set[str]]] = [
        ("posts", {"title": "x", "tags": [ABSENT], "categories": [ABSENT]}, {"/tags/0", "/categories/0"}),
        ("posts", {"title": "x", "cover": ABSENT, "authors": [ABSENT]}, {"/cover", "/authors/0"}),
        ("posts", {"title": "x", "tags": [site.ids["categories"]]}, {"/tags/0"}),
        ("pages", {"title": "x", "parent": ABSENT}, {"/parent"}),
        ("pages", {"title": "x", "parent": site.ids["posts"]}, {"/parent"}),
        ("categories", {"name": "x", "parent_id": ABSENT}, {"/parent_id"}),
        ("categories", {"name": "x", "parent_id": site.ids["tags"]}, {"/parent_id"}),
        ("authors", {"name": "x", "avatar_id": ABSENT}, {"/avatar_id"}),
        (
            "menus",
            {"key": "A", "name": "x", "items": [{"target": {"kind": "tag", "id": ABSENT}}]},
            {"/key", "/items/0/target/id"},
        ),
        ("authors", {"name": "x", "user_id": ABSENT}, {"/user_id"}),
        ("users", {"email": "no address", "name": "x", "password": "ä" * 40}, {"/email", "/password"}),
        (
            "users",
            {"email": "x@example.org", "name": "x", "password": PASSWORD, "roles": ["editor", "pope"]},
            {"/roles/1"},
        ),
    ]
    for path, body, places in cases:
        problem = check_problem(await site.admin.post(f"{API}/{path}", json=body), 422)
        assert pointers(problem) == places, (path, body)


@every_route
async def test_huge(site: Site, method: str, path: str, field: str) -> None:
    body = b'{"%s": "%s"}' % (field.encode(), b"x" * 2_000_000)
    problem = check_problem(await send(site, method, path, body), 413, "too_large")
    assert "bytes" in problem["detail"]

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"x": "'
        for _ in range(40):
            yield b"x" * 65_536

    response = await send(site, method, path, pieces())
    assert "content-length" not in response.request.headers
    check_problem(response, 413, "too_large")


async def test_a_length_that_is_not_the_body_s(site: Site) -> None:
    for length in ("99999999999", "1048577"):
        response = await site.admin.post(
            f"{API}/tags", content=b"{}", headers={**JSON, "Content-Length": length}
        )
        check_problem(response, 413, "too_large")
    for length in ("-1", "ten", "", "1e3", "٣"):
        sent = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
        response = await site.admin.post(f"{API}/tags", content=b"{}", headers=sent)
        assert 400 <= response.status_code < 500, (length, response.text)
        check_problem(response, response.status_code)


async def test_bodies_as_long_as_they_may_be(site: Site) -> None:
    around = b'{"title": 1, "body": "%s"}'
    for letter in (b"x", "ü".encode(), rb"\u00fc"):
        fill = letter * ((1_048_576 - len(around)) // len(letter))
        check_problem(
            await site.admin.post(f"{API}/posts", content=around % fill, headers=JSON), 422, "invalid"
        )


KINDS = (
    "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data",
    "multipart/form-data; boundary=x", "application/jsonx", "application/json; charset=latin-1",
    "application/json; charset=utf-16", "application/problem+json", "json", "x", "*/*", "", ";", "ü/ü",
)  # fmt: skip


@every_route
async def test_media_types(site: Site, method: str, path: str, field: str) -> None:
    del field
    for kind in KINDS:
        response = await send(site, method, path, b"{}", {"Content-Type": kind.encode()})  # type: ignore[dict-item]
        problem = check_problem(response, 415, "unsupported_media_type")
        assert "application/json" in problem["detail"], kind
    if method == "POST":
        check_problem(await send(site, method, path, b"{}", MERGE), 415)
    for kind in ("application/json", "Application/JSON", 'application/json; charset="UTF-8"'):
        assert (await send(site, method, path, b"[]", {"Content-Type": kind})).status_code == 422


async def test_a_patch_takes_both_media_types(site: Site) -> None:
    for kind in (JSON, MERGE):
        url = f"{API}/tags/{site.ids['tags']}"
        response = await site.admin.patch(url, content=b"{}", headers={**kind, **ANY})
        assert response.status_code == 200
        assert response.json()["version"] == 1


FORMS: dict[str, tuple[dict[str, Any], int]] = {
    "JSON": ({"json": {"file": "x"}}, 415),
    "no body": ({}, 415),
    "urlencoded": ({"data": {"file": "x"}}, 415),
    "no boundary": ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
    "no part": ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400),
    "half a part": (
        {
            "content": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nxx',
            "headers": {"Content-Type": "multipart/form-data; boundary=b"},
        },
        400,
    ),
    "no disposition": (
        {
            "content": b"--b\r\nX: y\r\n\r\nxx\r\n--b--\r\n",
            "headers": {"Content-Type": "multipart/form-data; boundary=b"},
        },
        400,
    ),
    "no file": ({"files": {"x": ("a.png", picture())}}, 400),
    "the file as text": ({"files": {"file": (None, "x")}}, 400),
    "another file": ({"files": {"file": ("a.png", picture()), "other": ("b.png", picture())}}, 400),
    "a text as a file": ({"files": {"file": ("a.png", picture()), "alt": ("a.txt", b"x")}}, 400),
    "unknown text": ({"files": {"file": ("a.png", picture())}, "data": {"altt": "x"}}, 400),
    "long text": ({"files": {"file": ("a.png", picture())}, "data": {"title": "x" * 501}}, 422),
    "NUL in a text": ({"files": {"file": ("a.png", picture())}, "data": {"alt": "a\0b"}}, 422),
    "empty": ({"files": {"file": ("a.png", b"")}}, 400),
    "a program": ({"files": {"file": ("a.png", b"\x7fELF\2\1\1" + bytes(100))}}, 415),
    "HTML": ({"files": {"file": ("a.png", b"<!doctype html><script>x</script>")}}, 415),
    "half a picture": ({"files": {"file": ("a.png", picture()[:40])}}, 415),
    "large": ({"files": {"file": ("a.png", picture() + b"x" * 210_000)}}, 413),
    "huge": ({"files": {"file": ("a.png", picture() + b"x" * 900_000)}}, 413),
}


@pytest.mark.parametrize("name", FORMS)
async def test_uploads(site: Site, name: str) -> None:
    sent, status = FORMS[name]
    check_problem(await site.admin.post(f"{API}/media", **sent), status)


# Parts that come before the broken one are only closed when they are collected.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (b"text/plain", b"\xff\xfe"),
        (b"text/plain; charset=nothing", b"x"),
        (b"text/plain; charset=base64", b"x"),
    ],
)
async def test_a_text_of_a_form_that_can_t_be_read(site: Site, kind: bytes, text: bytes) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\nContent-Type: %s\r\n\r\n%s\r\n'
    file = part % (b"file", b'; filename="a.png"', b"image/png", picture())
    body = file + part % (b"alt", b"", kind, text) + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = await site.admin.post(f"{API}/media", content=body, headers=headers)
    check_problem(response, 400, "malformed")
    del response
    gc.collect()


async def test_who_asks_is_looked_at_before_what_is_asked(site: Site) -> None:
    """A body is read before the handler runs, but nothing of it is said to be taken."""
    for path, field in CREATING.items():
        if path.startswith("auth/"):
            continue
        response = await site.visitor.post(f"{API}/{path}", json={field: "x"})
        assert response.status_code in (401, 422), path
        check_problem(response, response.status_code)
    response = await site.visitor.post(f"{API}/auth/login", json={"email": ADMIN_EMAIL, "password": "x"})
    check_problem(response, 401, "wrong_credentials")


async def test_who_goes_away_before_all_is_said_is_no_error_in_the_log(site: Site) -> None:
    sent: list[Any] = []
    received: list[Any] = [
        {"type": "http.request", "body": b'{"a', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return received.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": f"{API}/auth/login",
        "raw_path": f"{API}/auth/login".encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"500")],
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 80),
    }
    with capture_logs() as logs:
        await site.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert [one for one in logs if one["log_level"] == "error"] == []

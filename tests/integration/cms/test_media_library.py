"""Files over HTTP: taken in whole, served safely, gone without a trace."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession
from tests.conftest import ADMIN_EMAIL, sign_in
from tests.integration.cms.cms_client import ANY, API, CONTENT, answered, at, change, items, published, rows

from cms_api.app import create_app
from cms_api.bootstrap.container import Application
from cms_api.settings import Settings

TEXT = b"Plain words.\n"


def image(form: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (3, 2), "green").save(out, form)
    return out.getvalue()


@pytest.fixture
def files(settings: Settings):
    """The files that lie in the media folder."""
    return lambda: sorted(path for path in Path(settings.media_dir).rglob("*") if path.is_file())


async def upload(
    client: httpx.AsyncClient, body: bytes = TEXT, name: str = "a.txt", **texts: str
) -> dict[str, Any]:
    response = await client.post(f"{API}/media", files={"file": (name, body)}, data=texts)
    made = answered(response, 201)
    assert response.headers["location"] == f"{API}/media/{made['id']}"
    assert response.headers["etag"] == '"v1"'
    return made


@pytest.mark.parametrize(
    ("body", "name", "media_type", "ending", "width"),
    [
        (image("PNG"), "Tree in autumn.png", "image/png", "-tree-in-autumn.png", 3),
        (image("JPEG"), "a.png", "image/jpeg", "-a.jpg", 3),
        (image("WEBP"), "你好", "image/webp", "-file.webp", 3),
        (TEXT, "evil.html", "text/plain", "-evil.txt", None),
        (b"%PDF-1.7\n%%EOF", "../../x.exe", "application/pdf", "-x.pdf", None),
    ],
    ids=["png", "jpeg", "webp", "text", "pdf"],
)
async def test_a_file_is_served_as_what_it_is(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    files,
    body: bytes,
    name: str,
    media_type: str,
    ending: str,
    width: int | None,
) -> None:
    made = await upload(admin, body, name, title="T", alt="A", caption="C")
    assert (made["media_type"], made["size"], made["width"]) == (media_type, len(body), width)
    assert (made["title"], made["alt"], made["caption"], made["source_url"]) == ("T", "A", "C", None)
    assert made["url"].endswith(ending)
    assert "/" not in made["filename"]
    assert answered(await admin.get(f"{API}/media/{made['id']}"), 200) == made

    served = await client.get(made["url"])
    assert (served.status_code, served.content) == (200, body)
    assert served.headers["content-type"].startswith(media_type)
    assert served.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in served.headers["content-security-policy"]
    assert "immutable" in served.headers["cache-control"]
    assert served.headers["content-disposition"] == f'inline; filename="{ending.removeprefix("-")}"'
    assert served.headers["accept-ranges"] == "bytes"
    assert 'desc="0 statements"' in served.headers["server-timing"]
    assert len(files()) == 1


async def test_a_file_is_served_in_parts(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    url = (await upload(admin))["url"]
    whole = await client.get(url)
    size = len(TEXT)
    for asked, sent in (("bytes=0-4", TEXT[:5]), ("bytes=6-", TEXT[6:]), ("bytes=-3", TEXT[-3:])):
        part = await client.get(url, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, sent)
        first = TEXT.index(sent)
        assert part.headers["content-range"] == f"bytes {first}-{first + len(sent) - 1}/{size}"
        same = set(whole.headers) - {"content-length", "x-request-id", "server-timing"}
        assert {name: part.headers[name] for name in same} == {name: whole.headers[name] for name in same}
    for asked in ("bytes=4-0", "bytes=0-1,3-4", "lines=1-2", "nothing"):
        part = await client.get(url, headers={"Range": asked})
        assert (part.status_code, part.content, part.headers.get("content-range")) == (200, TEXT, None)
    refused = await client.get(url, headers={"Range": f"bytes={size}-"})
    answered(refused, 416, "out_of_range")
    assert refused.headers["content-range"] == f"bytes */{size}"
    head = await client.head(url, headers={"Range": "bytes=0-4"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))
    assert head.headers["accept-ranges"] == "bytes"
    known = {"Range": "bytes=0-4", "If-Range": whole.headers["etag"]}
    assert (await client.get(url, headers=known)).status_code == 206
    assert (await client.get(url, headers=known | {"If-Range": '"x"'})).status_code == 200


async def test_a_file_is_not_sent_to_who_has_it(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    url = (await upload(admin))["url"]
    whole = await client.get(url)
    tag, date = whole.headers["etag"], whole.headers["last-modified"]
    for headers in ({"If-None-Match": f'"x", W/{tag}'}, {"If-None-Match": "*"}, {"If-Modified-Since": date}):
        for method in ("GET", "HEAD"):
            known = await client.request(method, url, headers=headers | {"Range": "bytes=0-1"})
            assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
            assert known.headers["cache-control"] == whole.headers["cache-control"]
    answered(await client.get(url, headers={"If-Match": '"x"'}), 412, "stale")
    again = await client.get(url, headers={"If-None-Match": '"x"', "If-Modified-Since": date})
    assert (again.status_code, again.content) == (200, TEXT)


async def test_what_may_be_asked_of_a_file(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    url = (await upload(admin))["url"]
    options = await client.options(url)
    assert options.status_code == 204
    refused = await client.post(url, headers={"Range": "bytes=0-1"})
    answered(refused, 405)
    for response in (options, refused):
        assert {one.strip() for one in response.headers["allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}


async def test_texts_change_by_versions(admin: httpx.AsyncClient) -> None:
    made = await upload(admin)
    url = f"{API}/media/{made['id']}"
    answered(await admin.patch(url, json={"alt": "x"}), 428)
    answered(await admin.patch(url, json={"alt": "x"}, headers=at(2)), 412, "stale")
    changed = answered(await admin.patch(url, json={"alt": "A tree"}, headers=at(1)), 200)
    assert changed == made | {"alt": "A tree", "version": 2, "updated_at": changed["updated_at"]}
    for body in ({"filename": "x"}, {"alt": "x" * 2_001}, {"alt": None}):
        answered(await admin.patch(url, json=body, headers=ANY), 422, "invalid")
    answered(await admin.delete(url), 428)
    answered(await admin.delete(url, headers=at(1)), 412)
    answered(await admin.delete(url, headers=at(2)), 204)
    answered(await admin.get(url), 404, "resource_not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"<html><script>alert(1)</script></html>",
        b"<!doctype html><p>x",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        image()[:40],
        b"MZ\x90\0\3",
        bytes(range(256)),
    ],
    ids=["html", "doctype", "svg", "half a png", "exe", "bytes"],
)
async def test_what_is_not_taken(admin: httpx.AsyncClient, files, body: bytes) -> None:
    response = await admin.post(f"{API}/media", files={"file": ("a.png", body, "image/png")})
    answered(response, 415, "unsupported_media_type")
    assert files() == []


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"files": {"file": ("a.txt", b"")}}, 400, "malformed"),
        ({"files": {"picture": ("a.txt", TEXT)}}, 400, "malformed"),
        ({"files": {"file": ("a.txt", TEXT)}, "data": {"colour": "red"}}, 400, "malformed"),
        ({"files": {"file": ("a.txt", TEXT)}, "data": {"alt": "x" * 2_001}}, 422, "invalid"),
        ({"json": {"file": "words"}}, 415, "unsupported_media_type"),
        ({"content": TEXT, "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
        ({"content": TEXT, "headers": {"Content-Type": "multipart/form-data"}}, 400, "malformed"),
        (
            {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            400,
            "malformed",
        ),
    ],
    ids=["empty", "other part", "unknown field", "long text", "json", "text", "no boundary", "cut off"],
)
async def test_forms_that_are_wrong(
    admin: httpx.AsyncClient, files, request_: dict[str, Any], status: int, code: str
) -> None:
    answered(await admin.post(f"{API}/media", **request_), status, code)
    assert files() == []


@pytest.mark.usefixtures("app")
async def test_a_file_that_is_too_large(settings: Settings, files) -> None:
    limited = create_app(msgspec.structs.replace(settings, max_upload_bytes=2_000))
    application: Application = limited.state.application
    await application.start()
    transport = httpx.ASGITransport(limited, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://cms.test") as client:
            await sign_in(client, ADMIN_EMAIL)
            await upload(client, b"x" * 2_000)
            for size in (2_001, 60_000, 200_000):
                response = await client.post(f"{API}/media", files={"file": ("a.txt", b"x" * size)})
                answered(response, 413, "too_large")
            assert len(files()) == 1
    finally:
        await application.stop()


async def test_files_are_listed_by_a_body(admin: httpx.AsyncClient, settings: Settings) -> None:
    made = await upload(admin, b"one", title="One")
    await upload(admin, b"two", title="Two")
    url = f"{API}/media/query"
    found = answered(await admin.post(url, json={"filter": {"title": "One"}, "count": "exact"}), 200)
    assert ([one["id"] for one in found["items"]], found["count"]) == ([made["id"]], 1)
    # No upload: as long as other bodies may be.
    assert settings.max_body_bytes < settings.max_upload_bytes
    long = {"filter": {"title": "x" * settings.max_body_bytes}}
    answered(await admin.post(url, json=long), 413, "too_large")


@pytest.mark.parametrize("where", ["flush", "commit"])
async def test_no_file_stays_of_an_upload_that_is_not_committed(
    admin: httpx.AsyncClient, files, database_url: str, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async def fails(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(AsyncSession, "commit" if where == "commit" else "execute", fails)
        response = await admin.post(f"{API}/media", files={"file": ("a.txt", TEXT)})
        answered(response, 500, "internal_error")
    assert files() == []
    assert rows(database_url, "SELECT count(*) FROM cms.media") == [(0,)]
    assert rows(database_url, "SELECT count(*) FROM activity.events WHERE name LIKE 'resource%%'") == [(0,)]
    await upload(admin)


async def test_a_file_stays_where_its_deletion_is_not_committed(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, files, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await upload(admin)

    async def fails(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(AsyncSession, "commit", fails)
        answered(await admin.delete(f"{API}/media/{made['id']}", headers=ANY), 500)
    assert (await client.get(made["url"])).content == TEXT
    answered(await admin.delete(f"{API}/media/{made['id']}", headers=ANY), 204)
    answered(await client.get(made["url"]), 404)
    assert files() == []


async def test_a_cover_stays_while_it_is_used(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    made = await upload(admin, image(), "a.png", alt="Tree")
    post = await published(admin, "posts", title="x", cover=made["id"])
    read = answered(await client.get(f"{CONTENT}/posts/{post['id']}?include=cover"), 200)
    assert (read["cover"]["url"], read["cover"]["alt"], read["cover"]["width"]) == (made["url"], "Tree", 3)
    answered(await admin.delete(f"{API}/media/{made['id']}", headers=ANY), 409, "in_use")
    await change(admin, "posts", post, cover=None)
    answered(await admin.delete(f"{API}/media/{made['id']}", headers=ANY), 409, "in_use")
    answered(await admin.post(f"{API}/posts/{post['id']}/publish", headers=ANY), 200)
    answered(await admin.delete(f"{API}/media/{made['id']}", headers=ANY), 204)


async def test_files_are_listed(admin: httpx.AsyncClient) -> None:
    picture = await upload(admin, image(), "b.png", title="Tree")
    text = await upload(admin, TEXT, "a.txt")
    for query, found in {
        "": [text, picture],
        "?sort=filename": [text, picture],
        "?sort=-filename": [picture, text],
        "?filter[media_type]=image/png": [picture],
        "?filter[media_type][starts_with]=image/": [picture],
        "?filter[title]=Tree": [picture],
        "?filter[filename][contains]=A.T": [text],
    }.items():
        assert await items(admin, f"{API}/media{query}") == found, query


async def test_many_files_at_once(admin: httpx.AsyncClient, files) -> None:
    made = await asyncio.gather(*(upload(admin, TEXT + bytes([65 + n]), "same.txt") for n in range(8)))
    assert len({one["url"] for one in made}) == len(files()) == 8


@pytest.mark.parametrize(
    "path",
    [
        "/media/../secret_key.txt", "/media/%2e%2e/secret_key.txt", "/media/..%2fsecret_key.txt",
        "/media//etc/hostname.txt", "/media/.incoming/a.txt", "/media/a%00.txt", "/media/", "/media/%2fetc/passwd",
        "/media/..%5csecret_key.txt", "/media/%252e%252e/secret_key.txt",
    ],
)  # fmt: skip
async def test_an_address_leads_to_stored_files_only(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, settings: Settings, path: str
) -> None:
    await upload(admin)
    secret = Path(settings.data_dir) / "secret_key.txt"
    secret.write_text("secret")
    response = await client.get(path)
    assert response.status_code in (400, 404)
    assert "secret" not in response.text or "secret" in path

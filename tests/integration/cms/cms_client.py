"""Short words for what the tests of the cms domain do over HTTP."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from cms_api.adapters.http.caching import ID_LENGTH, tag_of
from cms_api.bootstrap.container import Application
from cms_api.domains.jobs.api import JobState

API, CONTENT = "/api/v1", "/api/v1/content"
ANY = {"If-Match": "*"}


def at(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"If-Match": f'"v{version}"'}


def answered(response: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The body of an answer that has this status, and for a problem this code."""
    assert response.status_code == status, response.text
    if status == 204:
        assert response.content == b""
        return {}
    body: dict[str, Any] = response.json()
    if status >= 400:
        assert response.headers["content-type"].startswith("application/problem+json")
        assert body["status"] == status
        assert code is None or body["code"] == code, body
    return body


async def make(client: httpx.AsyncClient, kind: str, /, **body: Any) -> dict[str, Any]:
    """A new document, author or term."""
    response = await client.post(f"{API}/{kind}", json=body)
    made = answered(response, 201)
    assert response.headers["location"] == f"{API}/{kind}/{made['id']}"
    assert response.headers["etag"] == '"v1"'
    return made


async def change(client: httpx.AsyncClient, kind: str, one: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Change something, whatever its version."""
    return answered(await client.patch(f"{API}/{kind}/{one['id']}", json=body, headers=ANY), 200)


async def do(client: httpx.AsyncClient, kind: str, one: dict[str, Any], action: str) -> dict[str, Any]:
    """Publish, unpublish or restore a document, whatever its version."""
    return answered(await client.post(f"{API}/{kind}/{one['id']}/{action}", headers=ANY), 200)


async def remove(client: httpx.AsyncClient, kind: str, one: dict[str, Any]) -> None:
    """Delete something, whatever its version."""
    answered(await client.delete(f"{API}/{kind}/{one['id']}", headers=ANY), 204)


async def published(client: httpx.AsyncClient, kind: str, **body: Any) -> dict[str, Any]:
    """A new document that readers see."""
    return await do(client, kind, await make(client, kind, **body), "publish")


async def items(client: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
    """What a list has on its first page."""
    found: list[dict[str, Any]] = answered(await client.get(url), 200)["items"]
    return found


def tags(*keys: str) -> set[str]:
    """What stands for ids and other keys in the header Cache-Tag."""
    return {tag_of(key) for key in keys}


def tagged(response: httpx.Response) -> set[str]:
    """The tags in the header Cache-Tag, without the whole ids that short ones repeat."""
    return {tag for tag in response.headers["cache-tag"].split(",") if len(tag) != ID_LENGTH}


def faults(problem: dict[str, Any]) -> list[tuple[str, str]]:
    """Where and what of each fault."""
    return [(fault["pointer"], fault["code"]) for fault in problem["errors"]]


def rows(url: str, statement: str, params: Iterable[object] = ()) -> list[tuple[Any, ...]]:
    """What the database holds."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode(), list(params)).fetchall()


def translate(url: str, one: dict[str, Any], original: dict[str, Any]) -> None:
    """Have a document be a translation of another one, of whatever type."""
    rows(
        url,
        "UPDATE cms.documents SET translation_of = %s WHERE id = %s RETURNING id",
        (original["id"], one["id"]),
    )


async def settle(application: Application, key: str) -> None:
    """Have the indexes of a type's fields built, as a worker would."""
    job = JobState(
        id=uuid4(),
        kind="content_types.index",
        params={"type": key},
        cursor=None,
        done=0,
        total=None,
        result=None,
    )
    await application.container.cms.index_handler().prepare(job)

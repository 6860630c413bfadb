"""Short words for what the tests of workflows do over HTTP."""

from typing import Any

import httpx
from tests.integration.cms.cms_client import ANY, API, answered, rows

POSTS = f"{API}/workflows/post"


async def my_id(client: httpx.AsyncClient) -> str:
    """Who the client is signed in as."""
    found: str = answered(await client.get(f"{API}/auth/me"), 200)["user"]["id"]
    return found


async def turn(admin: httpx.AsyncClient, *, on: bool, kind: str = "post") -> dict[str, Any]:
    """Turn the workflow of a content type on or off."""
    return answered(await admin.patch(f"{API}/workflows/{kind}", json={"is_enabled": on}, headers=ANY), 200)


async def move(client: httpx.AsyncClient, one: dict[str, Any], stage: str, **more: Any) -> dict[str, Any]:
    """Move a document, whatever its version."""
    path = f"{API}/{one['type']}s/{one['id']}/move"
    return answered(await client.post(path, json={"stage": stage, **more}, headers=ANY), 200)


async def refused(
    client: httpx.AsyncClient, one: dict[str, Any], stage: str, status: int, code: str | None = None
) -> dict[str, Any]:
    """Try to move a document, in vain."""
    path = f"{API}/{one['type']}s/{one['id']}/move"
    return answered(await client.post(path, json={"stage": stage}, headers=ANY), status, code)


async def approve(client: httpx.AsyncClient, one: dict[str, Any]) -> dict[str, Any]:
    """Take a draft all the way."""
    await move(client, one, "in_review")
    return await move(client, one, "approved")


async def show(client: httpx.AsyncClient, one: dict[str, Any]) -> dict[str, Any]:
    """A document as it is now."""
    return answered(await client.get(f"{API}/{one['type']}s/{one['id']}"), 200)


async def tasks(client: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    """One's own open tasks, or what the query asks for."""
    found: list[dict[str, Any]] = answered(await client.get(f"{API}/tasks{query}"), 200)["items"]
    return found


def task_states(url: str, document: dict[str, Any]) -> list[tuple[str, str]]:
    """The tasks that a document ever had: at which stage, and what became of them."""
    statement = "SELECT stage, state FROM cms.tasks WHERE document_id = %s ORDER BY created_at, id"
    return [(stage, state) for stage, state in rows(url, statement, [document["id"]])]

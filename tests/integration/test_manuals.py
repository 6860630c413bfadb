"""What the API says of itself."""

import re

import httpx
from litestar import Litestar
from openapi_spec_validator import validate

from cms_api.adapters.http.openapi import document
from cms_api.adapters.http.problems import catalogue


async def test_the_manual_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "innerHTML" not in page.text
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(""", page.text)


async def test_the_openapi_document(client: httpx.AsyncClient, app: Litestar) -> None:
    answer = await client.get("/openapi.json")
    made = answer.json()
    validate(made)
    assert made == document(app, [])
    assert (
        await client.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    ).status_code == 304
    ids = set()
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            ids.add(operation["operationId"])
            assert operation["summary"], path
            assert operation["description"] or method == "get", path
            assert {"400", "500", "503"} <= set(operation["responses"])
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                assert kind == "multipart/form-data" or "example" in content, operation["operationId"]
            for status, response in operation["responses"].items():
                if status.startswith("2") and status != "204" and not path.startswith("/media"):
                    assert all(content["schema"] for content in response["content"].values()), operation[
                        "operationId"
                    ]
    assert len(ids) == sum(len(operations) for operations in made["paths"].values())


async def test_each_problem_is_documented(client: httpx.AsyncClient) -> None:
    page = (await client.get("/problems")).text
    codes = [code for code, *_ in catalogue()]
    assert {"stale", "slug_taken", "wrong_credentials", "internal_error", "unavailable"} <= set(codes)
    for code in codes:
        assert f'id="{code}"' in page

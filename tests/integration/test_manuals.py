"""What the API says of itself."""

import json
import os
import re
import subprocess
import sys

import httpx
import pytest
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
    assert list(made["paths"]) == sorted(made["paths"])
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


@pytest.mark.parametrize("module", [["cms_api", "openapi"], ["tests.integration.document_of_model"]])
def test_each_process_makes_the_same_bytes(module: list[str]) -> None:
    """Workers have one entity tag, whatever the seeds of their hashes."""
    made = {
        subprocess.run(
            [sys.executable, "-m", *module],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
    assert json.loads(made.pop())["paths"]


async def test_the_document_is_sent_compressed(client: httpx.AsyncClient) -> None:
    plain = await client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    assert plain.headers["vary"] == "Accept-Encoding"
    packed = await client.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.json() == plain.json()
    for one in (plain, packed):
        known = await client.get("/openapi.json", headers={"If-None-Match": one.headers["etag"]})
        assert known.status_code == 304
        assert known.headers["vary"] == "Accept-Encoding"


async def test_each_problem_is_documented(client: httpx.AsyncClient) -> None:
    page = (await client.get("/problems")).text
    codes = [code for code, *_ in catalogue()]
    assert {"stale", "slug_taken", "wrong_credentials", "internal_error", "unavailable"} <= set(codes)
    for code in codes:
        assert f'id="{code}"' in page

"""Four workers on one database: what one of them writes, readers of all see."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from benchmarks.coherence import delays, race
from benchmarks.common import EMAIL, PASSWORD

WORKERS = 4
# In seconds: what a worker may take to hear of something beside what another connection takes meanwhile,
# on a machine that has much else to do.
SLACK = 1.0
SECONDS = 10


@pytest.fixture
def workers(database_url: str, tmp_path: Path) -> Iterator[list[str]]:
    """The addresses of four workers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CMS_")}
    environment = {
        **kept, "CMS_DATABASE_URL": database_url, "CMS_DATA_DIR": str(tmp_path), "CMS_SECRET_KEY": "x" * 40,
        "CMS_BACKGROUND": "false", "CMS_LOG_LEVEL": "error", "CMS_ADMIN_EMAIL": EMAIL,
        "CMS_USER_PASSWORD": PASSWORD,
    }  # fmt: skip
    create = [
        sys.executable,
        "-m",
        "cms_api",
        "user",
        "create",
        EMAIL,
        "--name",
        "Ada",
        "--role",
        "administrator",
    ]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    ports = [_free_port() for _ in range(WORKERS)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", "--no-access-log", "--log-level", "error",
             "--host", "127.0.0.1", "--port", str(port), "cms_api.cli.worker:create"],
            env=environment,
        )
        for port in ports
    ]  # fmt: skip
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        for url in urls:
            _await_ready(url)
        yield urls
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError


async def test_nobody_sees_what_was_or_a_draft(workers: list[str], database_url: str) -> None:
    outcome, told = await asyncio.gather(
        race(workers, seconds=SECONDS, documents=3), delays(database_url, seconds=SECONDS)
    )
    assert outcome.writes > 3
    assert outcome.reads > outcome.writes
    assert outcome.hits > 0
    assert outcome.drafts == 0
    assert outcome.late_at_writer == 0
    assert max(outcome.late, default=0.0) < max(told[-1], 0) + SLACK

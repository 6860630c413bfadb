"""The memory of a worker under a mixed load with a full cache: it must stay where it is.

Readers ask for more than the cache can keep, in several codings, while a writer publishes. Prints
the resident memory of the worker all the while, and by how much it grew after the cache was full. Fails
where it was not full, or the memory went on growing.

    python -m benchmarks.memory [--minutes 10] [--cache 33554432] [--posts 10000]
"""

import argparse
import asyncio
import random
import sys
import time
from pathlib import Path

import httpx
from benchmarks.common import (
    APPLICATION,
    TAGS,
    Process,
    administrator,
    database,
    serving,
    sign_in,
    writing_application,
)

from cms_api.adapters.http.caching import ANSWER_OVERHEAD

POSTS = "/api/v1/content/posts"
CONNECTIONS = 8
SAMPLES = 40
# What the memory may still grow by from the third to the last quarter.
FLAT = 0.05


def resident(process: Process) -> int:
    """The memory that a process has in use, in bytes."""
    pages = int(Path(f"/proc/{process.handle.pid}/statm").read_text().split()[1])
    return pages * 4096


def path(posts: int) -> str:
    """Something to be asked for: mostly a post, or one of many lists."""
    match random.randint(0, 9):
        case 0:
            return f"{POSTS}?limit={random.randint(1, 100)}&include=author,tags"
        case 1 | 2:
            return f"{POSTS}?filter[tags.slug]=tag-{random.randint(1, TAGS)}&include=author"
        case 3:
            return f"{POSTS}/by-slug/nothing-{random.randint(1, posts)}"
        case _:
            return f"{POSTS}/by-slug/post-{random.randint(1, posts)}?include=author,categories,tags"


async def load(process: Process, *, seconds: float, posts: int) -> tuple[list[tuple[float, int]], int]:
    """Ask and publish.

    Returns the memory as it was, with the seconds since the start; and how many bytes the answers of
    posts take at least that were read in the first half, which nothing but the limit drops.
    """
    url = f"http://127.0.0.1:{process.port}"
    started = time.monotonic()
    samples: list[tuple[float, int]] = []
    requests = hits = 0
    read_first: dict[str, int] = {}

    async def read() -> None:
        nonlocal requests, hits
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            while time.monotonic() - started < seconds:
                coding = random.choice(["identity", "gzip", "br", "zstd"])
                asked = path(posts)
                answer = await client.get(asked, headers={"Accept-Encoding": coding})
                if "/by-slug/post-" in asked and time.monotonic() - started < seconds / 2:
                    read_first[asked] = len(answer.content) + ANSWER_OVERHEAD
                if answer.status_code not in (200, 404):
                    answer.raise_for_status()
                hits += answer.headers["server-timing"].startswith("cache")
                requests += 1

    async def write() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            await sign_in(client)
            client.headers["If-Match"] = "*"
            made = (await client.post("/api/v1/posts", json={"title": "Often"})).json()
            while time.monotonic() - started < seconds:
                token = await client.get("/api/v1/auth/me")
                if token.status_code == 401:
                    return
                await client.patch(f"/api/v1/posts/{made['id']}", json={"title": f"{random.random()}"})
                await client.post(f"/api/v1/posts/{made['id']}/publish")
                await asyncio.sleep(0.5)

    async def watch() -> None:
        while time.monotonic() - started < seconds:
            samples.append((time.monotonic() - started, resident(process)))
            await asyncio.sleep(seconds / SAMPLES)

    await asyncio.gather(watch(), write(), *(read() for _ in range(CONNECTIONS)))
    print(f"{requests} reads, {hits} out of the cache")
    return samples, sum(read_first.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--cache", type=int, default=2**25)
    parser.add_argument("--posts", type=int, default=10_000)
    options = parser.parse_args()

    environment = {"CMS_CACHE_SIZE": str(options.cache), "CMS_ACCESS_TOKEN_TTL": "7200"}
    with database(options.posts) as url:
        asyncio.run(writing_application(url, administrator))
        with serving(APPLICATION, url, server="uvicorn", environment=environment) as worker:
            idle = resident(worker)
            samples, kept = asyncio.run(load(worker, seconds=options.minutes * 60, posts=options.posts))
    mebi = 2**20
    print(f"cache of {options.cache / mebi:.0f} MiB; idle {idle / mebi:.0f} MiB")
    for seconds, used in samples[:: max(len(samples) // 20, 1)]:
        print(f"{seconds:7.0f} s {used / mebi:8.1f} MiB")
    second_half = [used for seconds, used in samples if seconds > options.minutes * 30]
    first, last = second_half[: len(second_half) // 2], second_half[len(second_half) // 2 :]
    growth = sum(last) / len(last) - sum(first) / len(first)
    print(f"growth from the third to the last quarter: {growth / mebi:+.1f} MiB")
    print(f"posts read in the first half take at least {kept / mebi:.0f} MiB")
    print(f"above idle at the most: {(max(used for _, used in samples) - idle) / mebi:.0f} MiB")
    if kept < options.cache:
        sys.exit("Missed: too little was read to fill the cache.")
    if growth > FLAT * sum(first) / len(first):
        sys.exit("Missed: the memory is not flat.")


if __name__ == "__main__":
    main()

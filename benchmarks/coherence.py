"""Random publishes against readers on several workers: does anybody see what was, or a draft?

One writer edits, publishes and unpublishes posts through the first worker; readers of every worker note
what they see of them by themselves, in a list, and included in an entry that points at them. A read that
began after a write had returned must not see what was before it: how late those were that did is printed,
beside the delay of notifications as such: how long after a commit has returned another connection hears of
it. Drafts must never be seen.

    python -m benchmarks.coherence [--workers 4] [--seconds 30] [--documents 5]
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from benchmarks.common import APPLICATION, administrator, database, serving, sign_in, writing_application

from cms_api.adapters.sqlalchemy.listening import notifications

CONTENT, POSTS = "/api/v1/content/posts", "/api/v1/posts"
POINTERS = "/api/v1/content/entries/pointer"
POINTER = {
    "key": "pointer",
    "name": "Pointer",
    "fields": [{"key": "post", "type": "reference", "types": ["post"]}],
}
DRAFT = "draft"
ANY = {"If-Match": "*"}


@dataclass
class Document:
    """What readers may see of a document: its titles in the order of writes, None while it is not live."""

    id: str
    pointer: str
    titles: list[str | None] = field(default_factory=lambda: [None])
    # When each write returned, by the clock of this process.
    returned: list[float] = field(default_factory=lambda: [0.0])


@dataclass
class Seen:
    """One read: when it began and ended, and the title that it saw."""

    document: Document
    worker: int
    began: float
    ended: float
    title: str | None


@dataclass
class Outcome:
    """What was found. ``late`` has one number for each read that saw what was: by how many seconds."""

    reads: int
    hits: int
    writes: int
    drafts: int
    late: list[float]
    late_at_writer: int


async def race(urls: Sequence[str], *, seconds: float, documents: int, readers: int = 2) -> Outcome:
    """Write through the first of ``urls``, read from all of them."""
    seen: list[Seen] = []
    hits = 0
    async with httpx.AsyncClient(base_url=urls[0], timeout=30) as writer:
        await sign_in(writer)
        await _ok(writer, "POST", "/api/v1/content-types", POINTER)
        pool = [await _document(writer) for _ in range(documents)]
        end = time.perf_counter() + seconds

        async def read(worker: int) -> None:
            nonlocal hits
            async with httpx.AsyncClient(base_url=urls[worker], timeout=30) as client:
                while time.perf_counter() < end:
                    document = random.choice(pool)
                    path, found = random.choice(
                        [
                            (f"{CONTENT}?limit=100&sort=title", _listed),
                            (f"{CONTENT}/{document.id}", _itself),
                            (f"{POINTERS}/{document.pointer}?include=post", _included),
                        ]
                    )
                    began = time.perf_counter()
                    answer = await client.get(path)
                    ended = time.perf_counter()
                    hits += answer.headers["server-timing"].startswith("cache")
                    title = found(answer, document)
                    seen.append(Seen(document, worker, began, ended, title))

        async def write() -> None:
            number = 0
            while time.perf_counter() < end:
                document, number = random.choice(pool), number + 1
                path = f"{POSTS}/{document.id}"
                if document.titles[-1] is not None and random.random() < 0.2:
                    await _write(writer, document, f"{path}/unpublish", None)
                else:
                    await _ok(writer, "PATCH", path, {"title": f"{DRAFT} {number}"})
                    await _ok(writer, "PATCH", path, {"title": str(number)})
                    await _write(writer, document, f"{path}/publish", str(number))
                await asyncio.sleep(random.random() * 0.05)

        await asyncio.gather(write(), *(read(worker) for worker in range(len(urls)) for _ in range(readers)))
    late = [(one, by) for one in seen if (by := _late(one)) is not None]
    return Outcome(
        reads=len(seen),
        hits=hits,
        writes=sum(len(document.titles) - 1 for document in pool),
        drafts=sum(DRAFT in (one.title or "") for one in seen),
        late=[by for _, by in late],
        late_at_writer=sum(one.worker == 0 for one, _ in late),
    )


async def _document(writer: httpx.AsyncClient) -> Document:
    """A draft, and a live entry that points at it."""
    post = await _ok(writer, "POST", POSTS, {"title": DRAFT})
    entries = "/api/v1/entries/pointer"
    pointer = await _ok(writer, "POST", entries, {"slug": post["id"], "post": post["id"]})
    await _ok(writer, "POST", f"{entries}/{pointer['id']}/publish", None)
    return Document(post["id"], pointer["id"])


def _itself(answer: httpx.Response, document: Document) -> str | None:
    del document
    title: str | None = answer.json()["title"] if answer.status_code == 200 else None
    return title


def _listed(answer: httpx.Response, document: Document) -> str | None:
    return next((one["title"] for one in answer.json()["items"] if one["id"] == document.id), None)


def _included(answer: httpx.Response, document: Document) -> str | None:
    """Of what is not live, an entry that points at it tells nothing."""
    del document
    post = answer.json()["post"]
    return post["title"] if isinstance(post, dict) else None


async def _write(client: httpx.AsyncClient, document: Document, path: str, title: str | None) -> None:
    document.titles.append(title)
    document.returned.append(float("inf"))
    await _ok(client, "POST", path, None)
    document.returned[-1] = time.perf_counter()


async def _ok(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> dict[str, Any]:
    answer = await client.request(method, path, json=body, headers=ANY)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _late(one: Seen) -> float | None:
    """By how many seconds a read saw what was; None where it saw what it should."""
    document = one.document
    last = max(n for n, returned in enumerate(document.returned) if returned <= one.began)
    if one.title in document.titles[last:]:
        return None
    before = [n for n, title in enumerate(document.titles[:last]) if title == one.title]
    # What is in no state at all was never to be seen.
    return one.began - document.returned[before[-1] + 1] if before else float("inf")


async def delays(url: str, *, seconds: float) -> list[float]:
    """How many seconds after a commit had returned somebody else was told of it; less than 0 where before that."""
    heard: dict[str, float] = {}
    returned: dict[str, float] = {}
    is_listening = asyncio.Event()

    async def listen() -> None:
        told = notifications(url, ["bench"], name="bench", silence=5, on_listening=is_listening.set)
        async for _, number in told:
            heard[number] = time.perf_counter()

    listening = asyncio.create_task(listen())
    await is_listening.wait()
    end = time.perf_counter() + seconds
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while time.perf_counter() < end:
            number = str(len(returned))
            await connection.execute("SELECT pg_notify('bench', %s)", [number])
            returned[number] = time.perf_counter()
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    listening.cancel()
    return sorted(heard[number] - at for number, at in returned.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--documents", type=int, default=5)
    options = parser.parse_args()

    with database(posts=0) as url, ExitStack() as stack:
        asyncio.run(writing_application(url, administrator))
        workers = [
            stack.enter_context(serving(APPLICATION, url, server="uvicorn")) for _ in range(options.workers)
        ]
        urls = [f"http://127.0.0.1:{worker.port}" for worker in workers]

        async def run() -> tuple[Outcome, list[float]]:
            racing = race(urls, seconds=options.seconds, documents=options.documents)
            return await asyncio.gather(racing, delays(url, seconds=options.seconds))

        outcome, told = asyncio.run(run())
    late = [by * 1000 for by in sorted(outcome.late)]
    print(
        f"{options.workers} workers, {outcome.writes} writes, {outcome.reads} reads, {outcome.hits} out of the cache"
    )
    print(f"drafts seen: {outcome.drafts}")
    print(f"reads that saw what was: {len(late)}, of them at the writer's worker: {outcome.late_at_writer}")
    if late:
        print(f"by how much: median {statistics.median(late):.1f} ms, at most {late[-1]:.1f} ms")
    print(
        f"notifications heard after the commit had returned, {len(told)} of them:"
        f" median {statistics.median(told) * 1000:.1f} ms, at most {told[-1] * 1000:.1f} ms"
    )
    if outcome.drafts or (late and late[-1] == float("inf")) or outcome.late_at_writer:
        raise SystemExit("Somebody saw what nobody may see.")


if __name__ == "__main__":
    main()

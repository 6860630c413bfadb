"""Delivery against bare twins in the same run: uncached, out of the cache, and 304.

Prints CPU per request of the server process over a few connections, as medians of short rounds that
take turns, and p50 and p99 over many. The twin of an uncached read runs the same statements; that of a
kept answer, and of a 304, sends ready bytes. Then, what a larger site costs more, also for lists of other
shapes: there the database's CPU counts as well. Names the aims that were missed, and fails where there
are any.

    python -m benchmarks.reads [--posts 10000 1000000] [--rounds 25] [--requests 100] [--only tag]
        [--kept FOLDER] [--server granian]
"""

import argparse
import asyncio
import pickle
import random
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx
from benchmarks.common import (
    APPLICATION,
    TAGS,
    Figures,
    Process,
    database,
    database_process,
    measure,
    serving,
)

from cms_api.app import create_app
from cms_api.settings import Settings

UNCACHED, CACHED, GROWTH, DEPTH = 1.6, 1.5, 1.5, 1.2
# Where more posts have the words, more are ranked.
MAY_GROW = "search"
FEW, MANY = 4, 32
POSTS = "/api/v1/content/posts"
INCLUDE = "include=author,categories,tags"
PAGE, SHOWN = 200, 20
FIRST, DEEP = f"list of {SHOWN}", f"page {PAGE}"
DISTINCT = 100
# Lists of other shapes, whose cost must not grow either; `{}` is a number of its own for each request.
LISTS = {
    "sorted by title": "sort=title",
    "in two directions": "sort=-published_at,title",
    "by slug": "filter[slug]=post-{0}",
    "by title": "filter[title]=Post number {0}",
    "of a category": "filter[categories.slug]=category-{1}",
    "of an author": "filter[author.slug]=author-{1}",
    "without a tag": "filter[not][tags.slug]=tag-{1}",
    "since a date": "filter[published_at][gte]=2026-01-{1:02}T00:00:00Z&sort=published_at",
    "estimated": "count=estimate",
}
LIST_ROUNDS, LIST_REQUESTS = 9, 60
# How long a round may take, in seconds.
LONG = 4.0
Asked = tuple[str, Any, bool | None]
Record = tuple[list[Asked], bytes, str]


class Recorder:
    """The application in this process; what it asks the database, and answers."""

    def __init__(self, url: str, folder: Path) -> None:
        settings = Settings(
            database_url=url,
            data_dir=folder,
            secret_key="x" * 40,
            log_level="error",
            cache_size=0,
            pool_size=1,
        )
        self._app = create_app(settings)
        self._asked: list[Asked] = []

    async def __aenter__(self) -> Self:
        application = self._app.state.application
        await application.start()
        reader = application.container.core.reader()
        run = reader._run  # noqa: SLF001 - what every statement goes through

        async def recorded(sql: str, params: Any, *, prepare: bool | None) -> Any:
            bound = reader._bound(params)  # noqa: SLF001
            self._asked.append((sql, bound and dict(bound), prepare))
            return await run(sql, params, prepare=prepare)

        reader._run = recorded  # noqa: SLF001
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://bench")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        await self._app.state.application.stop()

    async def get(self, path: str) -> tuple[Record, Any]:
        """What a path costs, and its answer."""
        self._asked.clear()
        answer = await self._client.get(path, headers={"Accept-Encoding": "identity"})
        answer.raise_for_status()
        return (list(self._asked), answer.content, answer.headers["etag"]), answer.json()


async def cases(recorder: Recorder, posts: int) -> dict[str, dict[str, Record]]:
    """The paths of each case, with what was recorded of them."""
    slugs = [f"{POSTS}/by-slug/post-{random.randint(1, posts)}?{INCLUDE}" for _ in range(DISTINCT)]
    tags = [f"{POSTS}?filter[tags.slug]=tag-{random.randint(1, TAGS)}&{INCLUDE}" for _ in range(DISTINCT)]
    cursor = ""
    for limit in (100,) * (PAGE * 20 // 100 - 1) + (80,):
        _, page = await recorder.get(
            f"{POSTS}?limit={limit}&fields=id" + (f"&after={cursor}" if cursor else "")
        )
        cursor = page["page"]["next"]
    words = ["mountain river", "quick garden", "stone window", "garden silver", "winter bread"]
    wanted = {
        "post by slug": slugs,
        FIRST: [f"{POSTS}?{INCLUDE}"],
        "list by tag": tags,
        DEEP: [f"{POSTS}?{INCLUDE}&after={cursor}"],
        "search": [f"/api/v1/content/search?q={two.replace(' ', '+')}" for two in words],
    }
    found: dict[str, dict[str, Record]] = {}
    for name, paths in wanted.items():
        found[name] = {}
        for path in dict.fromkeys(paths):
            found[name][path], answer = await recorder.get(path)
            # What is found nowhere costs nothing.
            if "items" in answer and len(answer["items"]) != SHOWN:
                raise RuntimeError(f"{path} has {len(answer['items'])} items, and not {SHOWN}.")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--only", default="")
    parser.add_argument("--server", choices=("uvicorn", "granian"), default="uvicorn")
    parser.add_argument("--kept", type=Path, help="where the filled databases stay for the next time")
    options = parser.parse_args()
    costs: dict[int, dict[str, float]] = {}
    missed: list[str] = []
    for posts in options.posts:
        with database(posts, options.kept) as url:
            costs[posts] = _run(url, posts, options, missed)
        if {FIRST, DEEP} <= costs[posts].keys():
            depth = costs[posts][DEEP] / costs[posts][FIRST]
            print(f"\n{DEEP} costs {depth:.2f} times what the first one does (aim {DEPTH})")
            if depth > DEPTH:
                missed.append(f"{DEEP}: {depth:.2f} times the first one, the aim is {DEPTH}")
    smallest, largest = min(costs), max(costs)
    if smallest < largest:
        print(
            f"\nCPU of the statements and the server at {largest} posts to that at {smallest} (aim {GROWTH}):"
        )
        for name, cost in costs[largest].items():
            growth = cost / costs[smallest][name]
            print(f"  {name:20}{growth:6.2f}")
            if growth > GROWTH and name != MAY_GROW:
                missed.append(f"{name}: grows {growth:.2f} times, the aim is {GROWTH}")
    if missed:
        sys.exit("\n".join(["", "Missed:", *missed]))


def _run(url: str, posts: int, options: Any, missed: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="cms-bench-") as folder:

        async def record() -> dict[str, dict[str, Record]]:
            async with Recorder(url, Path(folder)) as recorder:
                return await cases(recorder, posts)

        recorded = {name: case for name, case in asyncio.run(record()).items() if options.only in name}
        file = Path(folder) / "records"
        file.write_bytes(
            pickle.dumps({path: one[:2] for case in recorded.values() for path, one in case.items()})
        )
        given = {"BENCH_RECORDS": str(file)}
        with ExitStack() as stack:
            start = lambda target, **more: stack.enter_context(  # noqa: E731
                serving(target, url, server=options.server, environment=given | more)
            )
            twin, ready = start("benchmarks.twin:create"), start("benchmarks.twin:ready")
            uncached = start(APPLICATION, CMS_CACHE_SIZE="0")
            cached = start(APPLICATION, CMS_CACHE_SIZE=str(2**27))
            processes = (twin, uncached, ready, cached)
            print(
                f"\n{posts} posts, {options.rounds} rounds; CPU over {FEW} connections, latency over {MANY}"
            )
            print(f"Aims: uncached at most {UNCACHED} times the twin, cached and 304 at most {CACHED} times")
            print(f"{'':16}{'':>13}{'CPU µs':>8}{'database':>9}{'p50 ms':>8}{'p99 ms':>8}{'req/s':>7}")
            costs = {
                name: _case(name, case, processes, database_process(url), options, missed)
                for name, case in recorded.items()
            }
            for name, query in LISTS.items():
                if options.only in name:
                    costs[name] = _list(name, query, posts, uncached, database_process(url))
            return costs


def _case(
    name: str,
    case: dict[str, Record],
    processes: tuple[Process, ...],
    database: int,
    options: Any,
    missed: list[str],
) -> float:
    """Measures a case, prints it, and adds aims that it missed. Returns its CPU in the server and the database."""
    twin, uncached, ready, cached = processes
    tags = {path: one[2] for path, one in case.items()}
    # What is quick is asked more often: a round lasts as long.
    subjects = {
        "twin": (twin, None, 1), "uncached": (uncached, None, 1), "ready bytes": (ready, None, 8),
        "cached": (cached, None, 8), "304": (cached, tags, 8),
    }  # fmt: skip
    few, many = ({label: Figures() for label in subjects} for _ in range(2))
    requests = options.requests
    # In turn, so that a noisy moment hits all; the first round only warms up.
    for number in range(-1, options.rounds):
        started = time.perf_counter()
        for label, (process, known, times) in subjects.items():
            paths = random.choices(list(case), k=requests * times)
            figures = few[label] if number >= 0 else None
            asyncio.run(measure(process, paths, FEW, figures, known, database))
        # What is slow is asked less often.
        if number == -1 and (elapsed := time.perf_counter() - started) > LONG:
            requests = max(int(requests * LONG / elapsed), 2 * FEW)
    for number in range(-1, max(options.rounds // 5, 1)):
        for label, (process, known, times) in subjects.items():
            paths = random.choices(list(case), k=max(requests * times * 5, 2 * MANY))
            figures = many[label] if number >= 0 else None
            asyncio.run(measure(process, paths, MANY, figures, known))
    _print(name, few, many, missed)
    return few["uncached"].median("cpu") + few["uncached"].median("database")


def _list(name: str, query: str, posts: int, process: Process, database: int) -> float:
    """Measures a list without a twin, and prints it. Returns its CPU in the server and the database."""
    figures = Figures()
    for number in range(-1, LIST_ROUNDS):
        paths = [
            f"{POSTS}?{INCLUDE}&{query.format(random.randint(1, posts), random.randint(1, 20))}".replace(
                " ", "+"
            )
            for _ in range(LIST_REQUESTS)
        ]
        asyncio.run(measure(process, paths, FEW, figures if number >= 0 else None, None, database))
    print(
        f"{name:20}{'uncached':>9}{figures.median('cpu'):8.0f}{figures.median('database'):9.0f}", flush=True
    )
    return figures.median("cpu") + figures.median("database")


def _print(name: str, few: dict[str, Figures], many: dict[str, Figures], missed: list[str]) -> None:
    beside = {"uncached": "twin", "cached": "ready bytes", "304": "ready bytes"}
    for label, seen in few.items():
        latencies = many[label]
        row = f"{name:16}{label:>13}{seen.median('cpu'):8.0f}{seen.median('database'):9.0f}"
        row += f"{latencies.percentile(0.5):8.2f}{latencies.percentile(0.99):8.2f}"
        row += f"{latencies.requests / latencies.seconds:7.0f}"
        if (other := beside.get(label)) is not None:
            ratios = [mine / bare for mine, bare in zip(seen.cpu, few[other].cpu, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            row += f"   {middle:.2f} times {other} ({low:.2f}–{high:.2f})"
            if middle > (aim := UNCACHED if label == "uncached" else CACHED):
                missed.append(f"{name}, {label}: {middle:.2f} times {other}, the aim is {aim}")
        print(row, flush=True)


if __name__ == "__main__":
    main()

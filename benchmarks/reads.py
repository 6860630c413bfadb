"""Delivery against bare twins in the same run: uncached, out of the cache, and 304.

Prints CPU per request of the server process, as medians of the rounds, over a few connections, and
p50 and p99 over many. The twin of an uncached read runs the same statements; that of a kept answer,
and of a 304, sends ready bytes. Then, what a larger site costs more.

    python -m benchmarks.reads [--posts 10000 1000000] [--rounds 5] [--requests 1000] [--only tag]
"""

import argparse
import asyncio
import pickle
import random
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx
from benchmarks.common import TAGS, Figures, database, measure, serving

from cms_api.app import create_app
from cms_api.settings import Settings

UNCACHED, CACHED, GROWTH = 1.6, 1.5, 1.5
FEW, MANY = 4, 32
POSTS = "/api/v1/content/posts"
INCLUDE = "include=author,categories,tags"
PAGE = 200
DISTINCT = 100
Record = tuple[list[tuple[str, Any]], bytes, str]


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
        self._asked: list[tuple[str, Any]] = []

    async def __aenter__(self) -> Self:
        application = self._app.state.application
        await application.start()
        reader = application.container.core.reader()
        run = reader._run  # noqa: SLF001 - what every statement goes through

        async def recorded(sql: str, params: Any, **how: Any) -> Any:
            self._asked.append((sql, dict(params) if params else params))
            return await run(sql, params, **how)

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
    words = ["mountain river", "quick garden", "stone window", "paper lantern", "winter bread"]
    wanted = {
        "post by slug": slugs,
        "list of 20": [f"{POSTS}?{INCLUDE}"],
        "list by tag": tags,
        f"page {PAGE}": [f"{POSTS}?{INCLUDE}&after={cursor}"],
        "search": [f"/api/v1/content/search?q={two.replace(' ', '+')}" for two in words],
    }
    return {
        name: {path: (await recorder.get(path))[0] for path in dict.fromkeys(paths)}
        for name, paths in wanted.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    costs: dict[int, dict[str, float]] = {}
    for posts in options.posts:
        with database(posts) as url:
            costs[posts] = _run(url, posts, options)
    smallest, largest = min(costs), max(costs)
    if smallest < largest:
        print(
            f"\nCPU of the statements and the server at {largest} posts to that at {smallest} (aim {GROWTH}):"
        )
        for name, cost in costs[largest].items():
            print(f"  {name:16}{cost / costs[smallest][name]:6.2f}")


def _run(url: str, posts: int, options: Any) -> dict[str, float]:
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
                serving(target, url, server="uvicorn", environment=given | more)
            )
            twin, ready = start("benchmarks.twin:create"), start("benchmarks.twin:ready")
            uncached = start("cms_api.cli.worker:create", CMS_CACHE_SIZE="0")
            cached = start("cms_api.cli.worker:create", CMS_CACHE_SIZE=str(2**27))
            print(
                f"\n{posts} posts, {options.rounds} rounds; CPU over {FEW} connections, latency over {MANY}"
            )
            print(f"Aims: uncached at most {UNCACHED} times the twin, cached and 304 at most {CACHED} times")
            print(f"{'':16}{'':>16}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'req/s':>9}")
            costs = {}
            for name, case in recorded.items():
                tags = {path: one[2] for path, one in case.items()}
                subjects = {
                    "twin": (twin, None), "uncached": (uncached, None), "ready bytes": (ready, None),
                    "cached": (cached, None), "304": (cached, tags),
                }  # fmt: skip
                figures = {label: (Figures(), Figures()) for label in subjects}
                for number in range(-1, options.rounds):
                    # Turn about, so that a noisy minute hits all; the first round only warms up.
                    for label, (process, known) in subjects.items():
                        # The clock of processes ticks a hundred times a second: quick answers need more of them.
                        times = 1 if label in ("twin", "uncached") else 8
                        paths = random.choices(list(case), k=options.requests * times)
                        few, many = figures[label] if number >= 0 else (None, None)
                        asyncio.run(measure(process, paths, FEW, few, known))
                        asyncio.run(measure(process, paths, MANY, many, known))
                _print(name, figures)
                costs[name] = figures["uncached"][0].median("cpu")
            return costs


def _print(name: str, figures: dict[str, tuple[Figures, Figures]]) -> None:
    beside = {"uncached": "twin", "cached": "ready bytes", "304": "ready bytes"}
    for label, (few, many) in figures.items():
        values = [few.median("cpu"), many.median("p50"), many.median("p99"), many.median("rate")]
        row = f"{name:16}{label:>16}{values[0]:9.0f}{values[1]:9.2f}{values[2]:9.2f}{values[3]:9.0f}"
        if (other := beside.get(label)) is not None:
            pairs = zip(few.cpu, figures[other][0].cpu, strict=True)
            ratios = [mine / bare for mine, bare in pairs]
            row += f"   {few.median('cpu') / figures[other][0].median('cpu'):.2f} times {other}"
            row += f" (rounds {min(ratios):.2f}–{max(ratios):.2f})"
        print(row, flush=True)


if __name__ == "__main__":
    main()

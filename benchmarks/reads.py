"""A post by slug and a list of 20, against a bare twin that runs the same SQL, in the same run.

Prints CPU per request of the server process, and p50 and p99 of the latency, as medians of the
rounds, with their ratio. Aim: an uncached read costs at most 1.6 times its twin.

    python -m benchmarks.reads [--rounds 7] [--requests 2000] [--connections 4] [--server granian|uvicorn]
"""

import argparse
import asyncio
import random

from benchmarks.common import POSTS, Figures, database, measure, serving

AIM = 1.6
QUERY = "?include=author,categories,tags"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--server", choices=("granian", "uvicorn"), default="uvicorn")
    options = parser.parse_args()

    slugs = [f"post-{random.randint(1, POSTS)}" for _ in range(options.requests)]
    cases = {
        "post by slug": (
            [f"/slug/{slug}" for slug in slugs],
            [f"/api/v1/content/posts/by-slug/{slug}{QUERY}" for slug in slugs],
        ),
        "list of 20": (
            ["/list"] * (options.requests // 2),
            [f"/api/v1/content/posts{QUERY}"] * (options.requests // 2),
        ),
    }
    with (
        database() as url,
        serving("benchmarks.twin:create", url, server=options.server) as twin,
        serving("cms_api.cli.worker:create", url, server=options.server) as ours,
    ):
        print(f"{POSTS} posts, {options.rounds} rounds, {options.connections} connections, {options.server}")
        print(f"Aim: at most {AIM} times the CPU of the bare twin")
        print(f"{'':14}{'':>6}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'req/s':>9}")
        for name, (bare_paths, our_paths) in cases.items():
            bare, mine = Figures(), Figures()
            for number in range(-1, options.rounds):
                # Turn about, so that a noisy minute hits both; the first round only warms up.
                asyncio.run(measure(twin, bare_paths, options.connections, bare if number >= 0 else None))
                asyncio.run(measure(ours, our_paths, options.connections, mine if number >= 0 else None))
            for label, figures in (("bare", bare), ("cms", mine)):
                values = [figures.median(what) for what in ("cpu", "p50", "p99", "rate")]
                print(f"{name:14}{label:>6}{values[0]:9.0f}{values[1]:9.2f}{values[2]:9.2f}{values[3]:9.0f}")
            ratios = [a / b for a, b in zip(mine.cpu, bare.cpu, strict=True)]
            ratio = mine.median("cpu") / bare.median("cpu")
            print(
                f"{name:14}{'ratio':>6}{ratio:9.2f}{mine.median('p50') / bare.median('p50'):9.2f}"
                f"{mine.median('p99') / bare.median('p99'):9.2f}   (rounds {min(ratios):.2f}–{max(ratios):.2f})"
            )


if __name__ == "__main__":
    main()

"""What the history of a long post costs on disk: the database's growth for each save."""

import argparse
import asyncio
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from benchmarks.common import writing_application

from cms_api.adapters.postgres.server import EmbeddedPostgres
from cms_api.adapters.sqlalchemy import migrations
from cms_api.domains.cms.api import PostChanges
from cms_api.kernel.actor import SYSTEM

SAVES = 1_000
POST_BYTES = 20_480
TABLES = ("cms.documents", "cms.contents", "cms.revisions", "cms.links", "activity.events")


class Words:
    """Prose that compresses as prose does: words are drawn as often as words of their rank are used."""

    def __init__(self) -> None:
        self._random = random.Random(20)
        letters = "etaoinshrdlucmfwypvbgk"
        self._words = [
            "".join(self._random.choices(letters, k=self._random.randint(2, 10))) for _ in range(4_000)
        ]
        self._weights = [1 / rank for rank in range(1, len(self._words) + 1)]

    def line(self) -> str:
        """A sentence."""
        drawn = self._random.choices(self._words, self._weights, k=self._random.randint(8, 18))
        return " ".join(drawn).capitalize() + "."

    def lines(self, size: int) -> list[str]:
        """Sentences of so many bytes together."""
        found: list[str] = []
        while sum(len(line) + 1 for line in found) < size:
            found.append(self.line())
        return found

    def place(self, lines: list[str]) -> int:
        """Where somebody writes."""
        return self._random.randrange(len(lines))


def sizes(url: str) -> dict[str, int]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = {
            table: connection.execute("SELECT pg_total_relation_size(%s::regclass)", [table]).fetchone()
            for table in TABLES
        }
        found["database"] = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return {name: row[0] if row else 0 for name, row in found.items()}


async def saves(application: Any, number: int) -> float:
    """Save a post of 20 KB so many times, one line changed each time; seconds a save."""
    words = Words()
    lines = words.lines(POST_BYTES)
    posts = application.container.cms.posts()
    async with application.unit_of_work() as uow:
        post = await posts.create(uow, SYSTEM, PostChanges(title="A long post", body="\n".join(lines)))
    started = time.perf_counter()
    for _ in range(number):
        lines[words.place(lines)] = words.line()
        async with application.unit_of_work() as uow:
            changes = PostChanges(body="\n".join(lines))
            post = await posts.update(uow, SYSTEM, post.id, changes, expected=post.version)
    return (time.perf_counter() - started) / number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=SAVES, help="How many saves.")
    number = parser.parse_args().number
    folder = Path(tempfile.mkdtemp(prefix="cms-bench-"))
    server = EmbeddedPostgres(folder, throwaway=True)
    try:
        url = server.start()
        migrations.upgrade(url)
        before = sizes(url)
        seconds = asyncio.run(writing_application(url, lambda application: saves(application, number)))
        after = sizes(url)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{number:,} saves of a post of {POST_BYTES // 1024} KB, one line changed each time, nothing vacuumed by hand"
    )
    for name in ("database", *TABLES):
        print(f"  {name:18} {(after[name] - before[name]) / number / 1024:6.2f} KB a save")
    print(f"  {seconds * 1000:.1f} ms a save; at most 3 KB of the database's growth is the aim")


if __name__ == "__main__":
    main()

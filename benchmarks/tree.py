"""Moving the root of a subtree of many live pages, and publishing that.

Makes the pages through the service, each published, ten below each one. Then it moves their root
below another page (all drafts' addresses change) and publishes it (all public ones do, and from
each old one a redirect leads on), through the service too, and prints for each: the time, the
number of statements, of transactions, and what the database says has come of it. The same with
few pages shows that the number of statements is no matter of how many there are.

    python -m benchmarks.tree [--number 10000] [--few 10] [--rounds 3]
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from benchmarks.schedules import database
from sqlalchemy import event

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.api import PageChanges, PageView, Place
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.settings import Settings

WIDTH = 10
BATCH = 50


class Counted(NamedTuple):
    """What a piece of work took."""

    seconds: float
    statements: int
    transactions: int


class Site:
    """A subtree of live pages with two places to be moved to and fro."""

    def __init__(self, application: Application, url: str, number: int) -> None:
        self._application = application
        self._url = url
        self._number = number
        self._pages = application.container.cms.pages()
        self._places: list[PageView] = []
        self._root: PageView | None = None
        self._moves = 0
        self._looks = 0

    async def fill(self) -> None:
        """Make the pages."""
        await self._application.start()
        async with self._application.unit_of_work() as uow:
            names = (f"Here {self._number}", f"There {self._number}")
            self._places = [await self._live(uow, name, None) for name in names]
            self._root = await self._live(uow, "Root", self._places[0].id)
        ids = [self._root.id]
        while len(ids) < self._number:
            async with self._application.unit_of_work() as uow:
                for _ in range(min(BATCH, self._number - len(ids))):
                    above = ids[(len(ids) - 1) // WIDTH]
                    ids.append((await self._live(uow, f"Page {len(ids)}", above)).id)

    async def _live(self, uow: UnitOfWork, title: str, parent: UUID | None) -> PageView:
        page = await self._pages.create(uow, SYSTEM, PageChanges(title=title, parent=parent))
        return await self._pages.publish(uow, SYSTEM, page.id, expected=None)

    async def move(self) -> Counted:
        """Put the root below the other place."""
        self._moves += 1
        place = Place(parent=self._places[self._moves % 2].id)
        return await self._timed(lambda uow, root: self._pages.place(uow, SYSTEM, root, place, expected=None))

    async def publish(self) -> Counted:
        """Publish where it is now."""
        return await self._timed(lambda uow, root: self._pages.publish(uow, SYSTEM, root, expected=None))

    async def _timed(self, work: Callable[[UnitOfWork, UUID], Awaitable[object]]) -> Counted:
        if self._root is None:
            raise LookupError("There are no pages yet.")
        before = self._committed()
        with counted(self._application) as statements:
            started = time.perf_counter()
            async with self._application.unit_of_work() as uow:
                await work(uow, self._root.id)
            seconds = time.perf_counter() - started
        return Counted(seconds, len(statements), self._committed() - before)

    def _committed(self) -> int:
        """How many transactions have had a number, as those have that write; a look takes one too."""
        self._looks += 1
        return int(self.ask("SELECT pg_current_xact_id()::text::bigint")) - self._looks

    def ask(self, statement: str, *params: object) -> Any:
        """The first value of a row."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            row = connection.execute(statement.encode(), params or None).fetchone()
        return row[0] if row else None

    def check(self) -> int:
        """Print what must be true; returns how much of it isn't."""
        here = f"{'there' if self._moves % 2 else 'here'}-{self._number}/root"
        away = f"{'here' if self._moves % 2 else 'there'}-{self._number}/root"
        under = "path = %s OR path LIKE %s || '/%%'"
        broken = 0
        for name, statement, path in (
            ("drafts below the new place", f"SELECT count(*) FROM cms.documents WHERE {under}", here),
            ("live pages there", f"SELECT count(*) FROM cms.publications WHERE {under}", here),
            (
                "redirects from the old place",
                f"SELECT count(*) FROM cms.redirects WHERE is_automatic AND ({under.replace('path', 'source')})",
                away,
            ),
        ):
            found = self.ask(statement, path, path)
            broken += found != self._number
            print(f"  {name:32}{found:>8}{'' if found == self._number else '   WRONG'}")
        return broken


@contextmanager
def counted(application: Application) -> Iterator[list[str]]:
    """Collects the statements that units of work send."""
    engine, seen = application.container.core.engine().sync_engine, list[str]()

    def note(*given: Any) -> None:
        seen.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def measure(url: str, number: int, rounds: int) -> tuple[set[tuple[int, int]], int]:
    """Print how long it takes; returns the statements of moving and publishing, and what is broken."""
    application = Application(Settings(database_url=url, secret_key="x" * 40, statement_timeout=120))
    site = Site(application, url, number)
    started = time.monotonic()
    await site.fill()
    print(f"\n{number} live pages, made in {time.monotonic() - started:.0f} s")
    taken, broken = [], 0
    for _ in range(rounds):
        moved, published = await site.move(), await site.publish()
        broken += {moved.transactions, published.transactions} != {1}
        taken.append((moved, published))
    for index, name in enumerate(("the move", "the publication")):
        times = [pair[index].seconds for pair in taken]
        one = taken[0][index]
        print(
            f"  {name:16} {statistics.median(times):7.3f} s (median of {rounds}, {min(times):.3f} to "
            f"{max(times):.3f}), {one.statements} statements, {one.transactions} transaction"
        )
    broken += site.check()
    await application.stop()
    return {(moved.statements, published.statements) for moved, published in taken}, broken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with database() as url:
        few, broken = asyncio.run(measure(url, options.few, options.rounds))
        many, more = asyncio.run(measure(url, options.number, options.rounds))
    print(f"\nAs many statements for {options.number} pages as for {options.few}: {few == many}")
    sys.exit(1 if broken + more or few != many else 0)


if __name__ == "__main__":
    main()

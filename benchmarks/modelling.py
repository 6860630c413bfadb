"""What content types made at run time cost: beside a struct written by hand, beside posts, and with 10,000 entries."""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import msgspec
from benchmarks.common import administrator, sign_in, writing_application
from msgspec import Meta

from cms_api.adapters.postgres.server import EmbeddedPostgres
from cms_api.adapters.sqlalchemy import migrations
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.app import create_app
from cms_api.domains.cms.content_types.compiling import compiled
from cms_api.domains.cms.content_types.definition import Definition, with_ids
from cms_api.domains.cms.entries.interface import EntryChanges
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.kernel.actor import SYSTEM
from cms_api.settings import Settings
from cms_api.validation import convert

ENTRIES = 10_000
AT_ONCE = 6
KINDS: list[dict[str, Any]] = [
    {"type": "text", "max_length": 200},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "enum", "options": ["small", "medium", "large"]},
    {"type": "date"},
    {"type": "datetime"},
]
VALUES: list[Any] = ["Some words", 12.5, True, "medium", "2026-01-02", "2026-01-02T03:04:05Z"]
Text = Annotated[str, Meta(max_length=200)]
TYPES: list[Any] = [
    Text, int | float, bool, Literal["small", "medium", "large"], date, Annotated[datetime, Meta(tz=True)],
]  # fmt: skip


def thirty() -> Definition:
    """A type of 30 fields."""
    fields = [{"key": f"f{n}", **KINDS[n % len(KINDS)]} for n in range(30)]
    definition = msgspec.convert({"key": "thirty", "fields": fields}, Definition)
    return msgspec.structs.replace(definition, fields=with_ids(definition.fields))


def by_hand() -> type[msgspec.Struct]:
    """What somebody would write for it."""
    members: list[Any] = [("slug", str | None, None)]
    members += [(f"f{n}", TYPES[n % len(TYPES)] | None, None) for n in range(30)]
    return msgspec.defstruct("Thirty", members, frozen=True, kw_only=True, forbid_unknown_fields=True)


def seconds(work: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times


def validating(rounds: int) -> tuple[float, float, float]:
    """CPU seconds to check and encode an entry of 30 fields: compiled, by hand, and as it is stored; medians."""
    kind = compiled(thirty(), version=1)
    body = msgspec.json.encode({f"f{n}": VALUES[n % len(VALUES)] for n in range(30)})
    decoder, compiled_decoder = msgspec.json.Decoder(by_hand()), msgspec.json.Decoder(kind.new)

    def ours() -> bytes:
        return msgspec.json.encode(compiled_decoder.decode(body))

    def stored() -> bytes:
        given: Any = convert(msgspec.json.decode(body), kind.new)
        return kind.content(slug="x", fields=kind.stored_of(given)).encoded()

    def twin() -> bytes:
        return msgspec.json.encode(decoder.decode(body))

    taken = [[seconds(work, 5_000) for work in (ours, twin, stored)] for _ in range(rounds)]
    first, second, third = (statistics.median(one) for one in zip(*taken, strict=True))
    return first, second, third


async def creating(application: Any, number: int) -> tuple[float, float]:
    """Seconds to create an entry, and a post, in turns; medians."""
    cms = application.container.cms
    async with application.unit_of_work() as uow:
        definition = msgspec.convert(
            {
                "key": "article",
                "fields": [
                    {"key": "title", "type": "text", "required": True},
                    {"key": "body", "type": "rich_text"},
                    {"key": "excerpt", "type": "text"},
                ],
            },
            Definition,
        )
        await cms.content_types().create(uow, SYSTEM, definition)
    body, types, posts = "<p>" + "Some words. " * 200 + "</p>", cms.types(), cms.posts()
    taken: dict[str, list[float]] = {"entry": [], "post": []}
    for n in range(number):
        started = time.perf_counter()
        entries = await types.entries("article")
        values = {"title": f"Entry {n}", "body": body, "excerpt": "x"}
        async with application.unit_of_work() as uow:
            await entries.create(uow, SYSTEM, EntryChanges(values=values))
        between = time.perf_counter()
        async with application.unit_of_work() as uow:
            await posts.create(uow, SYSTEM, PostChanges(title=f"Post {n}", body=body, excerpt="x"))
        taken["entry"].append(between - started)
        taken["post"].append(time.perf_counter() - between)
    return statistics.median(taken["entry"]), statistics.median(taken["post"])


MODEL: list[dict[str, Any]] = [
    {"key": "place", "fields": [{"key": "name", "type": "text", "required": True}]},
    {
        "key": "person",
        "fields": [
            {"key": "name", "type": "text", "required": True},
            {"key": "home", "type": "reference", "types": ["place"]},
        ],
    },
    {
        "key": "event",
        "fields": [
            {"key": "headline", "type": "text", "required": True, "max_length": 200, "indexed": True},
            {"key": "starts_at", "type": "datetime", "indexed": True},
            {"key": "speakers", "type": "references", "types": ["person"]},
            {
                "key": "sections",
                "type": "blocks",
                "variants": [
                    {"key": "words", "fields": [{"key": "body", "type": "markdown"}]},
                    {"key": "quote", "fields": [{"key": "who", "type": "reference", "types": ["person"]}]},
                ],
            },
        ],
    },
]


async def filling(url: str, number: int) -> None:
    """A model made through the API alone, filled, and read back with two levels of references."""
    settings = Settings(
        database_url=url, data_dir=Path(tempfile.mkdtemp()), secret_key="s" * 40, bcrypt_rounds=4, log_level="error",
        background=False, access_token_ttl=86_400,
    )  # fmt: skip
    app = create_app(settings)
    application = app.state.application
    await application.start()
    await administrator(application)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", timeout=60) as client:
        await _fill(client, number)
        await _read(client, 1)  # types are compiled at the first time
        # As many as the bound on what a query costs allows with these relations.
        for limit in (1, 90):
            asked = _count()
            started = time.perf_counter()
            response = await _read(client, limit)
            took = time.perf_counter() - started
            print(
                f"  {len(response.json()['items']):3} events with speakers and their homes, and those quoted with "
                f"theirs: {len(asked)} statements, {took * 1000:.0f} ms, {len(response.content) / 1024:.0f} KB"
            )
    await application.stop()


async def _read(client: httpx.AsyncClient, limit: int) -> httpx.Response:
    response = await client.get(
        "/api/v1/content/entries/event",
        params={"include": "speakers.home,sections.who.home", "limit": limit, "sort": "-starts_at"},
    )
    return response.raise_for_status()


def _count() -> list[str]:
    asked: list[str] = []
    for name in ("rows", "one"):
        original = getattr(Reader, name)
        original = getattr(original, "original", original)

        async def counted(
            self: Reader, sql: str, params: Any = None, *, original: Any = original, **how: Any
        ) -> Any:
            asked.append(sql)
            return await original(self, sql, params, **how)

        counted.original = original  # type: ignore[attr-defined]  # so that the next count starts afresh
        setattr(Reader, name, counted)
    return asked


async def _fill(client: httpx.AsyncClient, number: int) -> None:
    await sign_in(client)
    for one in MODEL:
        (await client.post("/api/v1/content-types", json=one)).raise_for_status()

    async def made(key: str, **body: Any) -> str:
        response = await client.post(f"/api/v1/entries/{key}", json=body)
        response.raise_for_status()
        one = response.json()
        done = await client.post(f"/api/v1/entries/{key}/{one['id']}/publish", headers={"If-Match": '"v1"'})
        done.raise_for_status()
        return str(one["id"])

    started = time.perf_counter()
    places = [await made("place", name=f"Place {n}") for n in range(20)]
    people = [await made("person", name=f"Person {n}", home=places[n % 20]) for n in range(100)]

    async def event(n: int) -> None:
        await made(
            "event",
            headline=f"Event {n}",
            starts_at=f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}T10:00:00Z",
            speakers=[people[n % 100], people[(n + 7) % 100]],
            sections=[
                {"type": "words", "body": "Some *words* to read. " * 20},
                {"type": "quote", "who": people[(n + 3) % 100]},
            ],
        )

    for first in range(0, number - 120, AT_ONCE):
        await asyncio.gather(*(event(n) for n in range(first, min(first + AT_ONCE, number - 120))))
    took = time.perf_counter() - started
    print(
        f"  {number:,} entries created and published over HTTP in {took:.0f} s, {took / number * 1000:.1f} ms each"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=ENTRIES, help="How many entries.")
    number = parser.parse_args().number
    ours, twin, stored = validating(rounds=15)
    print(
        f"checking and encoding an entry of 30 fields: {ours * 1e6:.1f} µs, a struct written by hand "
        f"{twin * 1e6:.1f} µs, ratio {ours / twin:.2f} (aim 2)"
    )
    print(
        f"  with what storing adds (values under the ids of fields, sorted for the hash): {stored * 1e6:.1f} µs, "
        f"ratio {stored / twin:.2f}"
    )
    folder = Path(tempfile.mkdtemp(prefix="cms-bench-"))
    server = EmbeddedPostgres(folder, throwaway=True)
    try:
        url = server.start()
        migrations.upgrade(url)
        entry, post = asyncio.run(writing_application(url, lambda application: creating(application, 600)))
        print(
            f"creating an entry: {entry * 1000:.2f} ms, a post {post * 1000:.2f} ms, ratio {entry / post:.2f} (aim 1.2)"
        )
        asyncio.run(filling(url, number))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

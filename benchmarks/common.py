"""What the benchmarks share: a filled database, servers as processes, and load on them."""

import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
import psycopg

from cms_api.adapters.postgres.server import EmbeddedPostgres
from cms_api.adapters.sqlalchemy import migrations
from cms_api.bootstrap.container import Application
from cms_api.settings import Settings

T = TypeVar("T")

APPLICATION = "cms_api.cli.worker:create"
EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
POSTS = 10_000
TAGS = 200

SEED = """
SET session_replication_role = replica;
INSERT INTO cms.authors (id, name, slug, bio, created_at, updated_at)
SELECT md5('a' || n)::uuid, 'Author ' || n, 'author-' || n, repeat('Writes about things. ', 5), now(), now()
FROM generate_series(1, 50) n;
INSERT INTO cms.terms (id, taxonomy, name, slug, created_at, updated_at)
SELECT md5('c' || n)::uuid, 'category', 'Category ' || n, 'category-' || n, now(), now() FROM generate_series(1, 20) n;
INSERT INTO cms.terms (id, taxonomy, name, slug, created_at, updated_at)
SELECT md5('t' || n)::uuid, 'tag', 'Tag ' || n, 'tag-' || n, now(), now() FROM generate_series(1, 200) n;
BEGIN;
INSERT INTO cms.documents (id, type, locale, slug, path, title, draft_revision_id, created_at, updated_at)
SELECT md5('p' || n)::uuid, 'post', 'en', 'post-' || n, 'post-' || n, 'Post number ' || n, md5('r' || n)::uuid,
    now(), now()
FROM generate_series(1, %(posts)s) n;
INSERT INTO cms.contents (document_id, hash, data) SELECT id, '', '' FROM cms.documents;
INSERT INTO cms.revisions (document_id, id, document_version, hash, size, created_at)
SELECT id, draft_revision_id, 1, '', 0, now() FROM cms.documents;
COMMIT;
INSERT INTO cms.publications (document_id, type, locale, slug, path, has_address, version, title, published_at,
    first_published_at, created_at, updated_at, author_ids, category_ids, tag_ids, fields)
SELECT md5('p' || n)::uuid, 'post', 'en', 'post-' || n, 'post-' || n, true, 2, 'Post number ' || n,
    now() - n * interval '1 hour', now() - n * interval '1 hour', now(), now(),
    ARRAY[md5('a' || (n %% 50 + 1))::uuid], ARRAY[md5('c' || (n %% 20 + 1))::uuid],
    ARRAY[md5('t' || (n %% 200 + 1))::uuid,
        md5('t' || (n * 7 %% 200 + 1))::uuid, md5('t' || (n * 13 %% 200 + 1))::uuid],
    jsonb_build_object('excerpt', repeat('A sentence of the excerpt. ', 4), 'body',
        repeat('<p>' || repeat('Some words that somebody might want to read. ', 8) || '</p>', 6),
        'seo', '{}'::jsonb, 'reading_time', 3)
FROM generate_series(1, %(posts)s) n;
INSERT INTO cms.links (document_id, is_live, type, published_at, field, position, target_kind, target_id, pointer,
    on_delete)
SELECT p.document_id, true, p.type, p.published_at, l.* FROM cms.publications p CROSS JOIN LATERAL (
    SELECT 'tags', k - 1, 'tag', p.tag_ids[k], '/tags/' || k - 1, 'restrict' FROM generate_series(1, 3) k
    UNION ALL SELECT 'authors', 0, 'author', p.author_ids[1], '/authors/0', 'restrict'
    UNION ALL SELECT 'categories', 0, 'category', p.category_ids[1], '/categories/0', 'restrict') l;
INSERT INTO cms.search (document_id, type, locale, published_at, title, text, words)
SELECT p.document_id, 'post', 'en', p.published_at, p.title, t.text,
    setweight(to_tsvector('cms.english', p.title), 'A') || setweight(to_tsvector('cms.english', t.text), 'D')
FROM (SELECT *, substring(slug FROM 6)::int AS n FROM cms.publications) p CROSS JOIN LATERAL (
    SELECT repeat('Some words that somebody might want to read. ', 4) ||
        string_agg((%(words)s::text[])[1 + (p.n * k * k + p.n / 7) %% 40], ' ')
        AS text FROM generate_series(1, 8) k) t;
INSERT INTO cms.changes (resource, id, type, locale, is_deleted, changed_at)
SELECT 'document', document_id, type, locale, false, published_at FROM cms.publications;
SET session_replication_role = origin
"""
# Each post has some eight of these.
WORDS = re.findall(
    r"\w+",
    """
    mountain river quick garden stone window paper lantern winter bread silver forest copper bridge night harbour
    yellow morning letter travel music kitchen summer island thunder candle market village engine feather pocket
    shadow whisper rocket carpet planet mirror button ladder basket
    """,
)


# Those that no constraint needs.
INDEXES = """
SELECT format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'cms'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""


@contextmanager
def database(posts: int = POSTS, kept: Path | None = None) -> Iterator[str]:
    """A database with so many published posts, each with an author, a category and three tags.

    Below ``kept`` it stays for the next time: filling it with a million takes minutes.
    """
    folder = Path(tempfile.mkdtemp(prefix="cms-bench-")) if kept is None else kept / f"{posts}-posts"
    is_filled = kept is not None and folder.exists()
    server = EmbeddedPostgres(folder, throwaway=True)
    try:
        url = server.start()
        migrations.upgrade(url)
        if not is_filled:
            _fill(url, posts)
            is_filled = True
        yield url
    finally:
        server.stop()
        if kept is None or not is_filled:
            shutil.rmtree(folder, ignore_errors=True)


def _fill(url: str, posts: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        # Made after the rows, an index takes a fraction of the time.
        indexes = connection.execute(INDEXES).fetchall()
        for dropping, _ in indexes:
            connection.execute(str(dropping).encode())
        for statement in SEED.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), {"posts": posts, "words": WORDS})
        for _, making in indexes:
            connection.execute(str(making).encode())
        connection.execute("VACUUM ANALYZE")


async def administrator(application: Any) -> None:
    """Have somebody who may do everything, for `sign_in`."""
    async with application.unit_of_work() as uow:
        await application.container.auth.users().ensure_administrator(
            uow, email=EMAIL, name="Ada", password=PASSWORD
        )


async def sign_in(client: httpx.AsyncClient) -> None:
    """Make a client the administrator's."""
    answer = await client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"


async def writing_application(url: str, work: Callable[[Any], Awaitable[T]]) -> T:
    """What ``work`` does with the application's services, in this process."""
    with tempfile.TemporaryDirectory(prefix="cms-bench-") as folder:
        settings = Settings(database_url=url, data_dir=Path(folder), secret_key="-" * 32, log_level="error")
        application = Application(settings)
        await application.start()
        try:
            return await work(application)
        finally:
            await application.stop()


@dataclass
class Process:
    """A server with one worker."""

    port: int
    handle: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Seconds of CPU that the server and its children have used."""
        return cpu_of(self.handle.pid)


def cpu_of(root: int) -> float:
    """Seconds of CPU that a process and those below it have used, as far as they live.

    To the nanosecond, where the kernel counts so (proc(5), schedstat), so that rounds can be short.
    """
    seconds = 0.0
    pids = [root]
    for pid in pids:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
                pids += [int(child) for child in (task / "children").read_text().split()]
    return seconds


def database_process(url: str) -> int:
    """The process that all of a database's on this machine are below."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_read_file('postmaster.pid', 0, 20)").fetchone()
    return int(str(row[0] if row else "").split()[0])


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(
    target: str, url: str, *, server: str = "granian", environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """``target``, a factory of an ASGI application, on a port of its own."""
    port = free_port()
    # As `cms serve` does; what is not the application gets what everybody else has.
    http = "cms_api.adapters.http.protocol:Protocol" if target == APPLICATION else "httptools"
    command = {
        "granian": [
            "granian", "--interface", "asgi", "--factory", "--workers", "1", "--no-log", "--no-ws", "--loop", "uvloop",
            "--host", "127.0.0.1", "--port", str(port), target,
        ],
        "uvicorn": [
            "uvicorn", "--factory", "--workers", "1", "--no-access-log", "--log-level", "error", "--loop", "uvloop",
            "--http", http, "--no-proxy-headers", "--host", "127.0.0.1", "--port", str(port), target,
        ],
    }[server]  # fmt: skip
    given = os.environ | {
        "CMS_DATABASE_URL": url, "CMS_LOG_LEVEL": "warning", "CMS_SECRET_KEY": "x" * 40, "PYTHONPATH": ".",
        "CMS_BACKGROUND": "false", **(environment or {}),
    }  # fmt: skip
    handle = subprocess.Popen([sys.executable, "-m", *command], env=given)
    try:
        deadline = time.monotonic() + 120
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if handle.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{target} did not start.")
            time.sleep(0.05)
        time.sleep(0.5)
        yield Process(port, handle)
    finally:
        handle.send_signal(signal.SIGTERM)
        handle.wait(20)


@dataclass
class Figures:
    """Rounds of one subject: CPU per request in microseconds, its own and the database's; latencies in milliseconds."""

    cpu: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    requests: int = 0
    seconds: float = 0.0

    def median(self, name: Literal["cpu", "database"]) -> float:
        return statistics.median(getattr(self, name))

    def percentile(self, share: float) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * share)]


async def _connection(
    port: int, paths: list[str], latencies: list[float], known: Mapping[str, str] | None
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in paths:
        started = time.perf_counter()
        condition = f"If-None-Match: {known[path]}\r\n" if known else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n{condition}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 304" if known else b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        lengths = (line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        length = 0 if known else int(next(lengths))
        await reader.readexactly(length)
        latencies.append((time.perf_counter() - started) * 1000)
    writer.close()
    await writer.wait_closed()


async def measure(
    process: Process,
    paths: list[str],
    connections: int,
    figures: Figures | None,
    known: Mapping[str, str] | None = None,
    database: int | None = None,
) -> None:
    """One round: all ``paths`` over some connections that each wait for their answer.

    With ``known``, the entity tags of all paths, each request is answered with 304. ``database`` is
    the process whose CPU is counted beside the server's.
    """
    latencies: list[float] = []
    asked = 0.0 if database is None else cpu_of(database)
    before, started = process.cpu(), time.perf_counter()
    await asyncio.gather(
        *(
            _connection(process.port, paths[offset::connections], latencies, known)
            for offset in range(connections)
        )
    )
    spent, elapsed = process.cpu() - before, time.perf_counter() - started
    if figures is not None:
        figures.cpu.append(spent / len(paths) * 1e6)
        if database is not None:
            figures.database.append((cpu_of(database) - asked) / len(paths) * 1e6)
        figures.latencies += latencies
        figures.requests += len(paths)
        figures.seconds += elapsed

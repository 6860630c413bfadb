"""What the system stands on: units of work, migrations, the embedded server, the command line."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
import msgspec
import psycopg
import pytest
from click import ClickException
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration import database

from cms_api.adapters.postgres.binaries import find_binaries
from cms_api.adapters.postgres.errors import DataDirectoryBusy, NoBinaries, WrongVersion
from cms_api.adapters.postgres.server import EmbeddedPostgres
from cms_api.adapters.sqlalchemy import migrations
from cms_api.adapters.sqlalchemy.cms.contents import pack, unpack
from cms_api.adapters.sqlalchemy.engine import make_engine, make_sessions
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.cli import runtime
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.kernel.errors import Conflict
from cms_api.kernel.events import Event
from cms_api.settings import Settings


class Happened(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "thing.happened"


class Kept(Conflict):
    keeps_changes = True


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_url, size=2, statement_timeout=5)
    yield made
    await made.dispose()


@pytest.fixture
def new_uow(engine: AsyncEngine) -> Callable[[], SqlAlchemyUnitOfWork]:
    return lambda: SqlAlchemyUnitOfWork(make_sessions(engine), {})


def events(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM activity.events").fetchone()
        assert row is not None
        return int(row[0])


async def test_a_clean_exit_commits(new_uow: Callable[[], SqlAlchemyUnitOfWork], database_url: str) -> None:
    done: list[str] = []

    async def note() -> None:
        done.append("committed")

    async with new_uow() as uow:
        uow.record(Happened(subject=uuid4()))
        uow.on_commit(note)
    assert (events(database_url), done) == (1, ["committed"])


@pytest.mark.parametrize("error", [RuntimeError, Conflict, asyncio.CancelledError, KeyError])
async def test_any_exception_rolls_back(
    new_uow: Callable[[], SqlAlchemyUnitOfWork], database_url: str, error: type[BaseException]
) -> None:
    undone: list[str] = []

    async def undo() -> None:
        undone.append("undone")

    with pytest.raises(error):
        async with new_uow() as uow:
            uow.record(Happened(subject=uuid4()))
            uow.on_rollback(undo)
            await uow._store_events(uow.session)
            raise error("x")
    assert (events(database_url), undone) == (0, ["undone"])


async def test_events_of_a_part_that_fails_are_not_kept(
    new_uow: Callable[[], SqlAlchemyUnitOfWork], database_url: str
) -> None:
    async with new_uow() as uow:
        uow.record(Happened(subject=uuid4()))
        with pytest.raises(Conflict):
            async with uow.savepoint():
                uow.record(Happened(subject=uuid4()))
                raise Conflict("x")
        async with uow.savepoint():
            uow.record(Happened(subject=uuid4()))
    assert events(database_url) == 2


async def test_an_error_may_keep_its_changes(
    new_uow: Callable[[], SqlAlchemyUnitOfWork], database_url: str
) -> None:
    with pytest.raises(Kept):
        async with new_uow() as uow:
            uow.record(Happened(subject=uuid4()))
            raise Kept("x")
    assert events(database_url) == 1


async def test_a_cancelled_request_gives_its_connection_back(
    new_uow: Callable[[], SqlAlchemyUnitOfWork], engine: AsyncEngine, database_url: str
) -> None:
    async def work() -> None:
        async with new_uow() as uow:
            uow.record(Happened(subject=uuid4()))
            await uow._store_events(uow.session)
            await asyncio.sleep(60)

    for _ in range(5):
        task = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert events(database_url) == 0
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_no_connection_before_first_use(
    new_uow: Callable[[], SqlAlchemyUnitOfWork], engine: AsyncEngine
) -> None:
    async with new_uow() as uow:
        assert uow.session is not None
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError):
        _ = new_uow().session


def test_migrations_go_down_and_up_again(server: database.Server) -> None:
    with server.database(migrated=False) as url:
        assert migrations.current(url) is None
        migrations.upgrade(url)
        assert migrations.current(url) == migrations.head()
        migrations.downgrade(url, "base")
        with psycopg.connect(url) as connection:
            left = connection.execute(
                "SELECT count(*) FROM pg_namespace WHERE nspname IN ('auth', 'cms', 'activity', 'jobs', 'queue')"
            ).fetchone()
        assert left == (0,)
        migrations.upgrade(url)
        assert migrations.current(url) == migrations.head()


BEFORE_FOLLOWED = """
INSERT INTO cms.menus (id, key, name, locale, created_at, updated_at)
SELECT md5('m' || n)::uuid, 'm' || n, 'Menu', 'en', now(), now() FROM generate_series(1, 2) n;
INSERT INTO cms.redirects (id, locale, match, source, target, status, created_at, updated_at)
VALUES (md5('r')::uuid, 'en', 'exact', 'old', 'new', 301, now(), now());
-- What they are about does not matter here.
SET LOCAL session_replication_role = replica;
INSERT INTO cms.reader_comments (id, version, document_id, path, state, state_since, is_staff, body, html, created_at,
    updated_at)
SELECT md5(state)::uuid, 1, md5('d')::uuid, ARRAY[md5(state)::uuid], state, now(), false, '', '', now(), now()
FROM unnest(ARRAY['approved', 'pending', 'spam']) state;
-- As in a log from before these were noted.
DELETE FROM cms.changes WHERE id <> md5('m1')::uuid;
"""


def test_what_the_log_lacks_is_noted_once(server: database.Server) -> None:
    def noted() -> list[tuple[str, str]]:
        with psycopg.connect(url) as connection:
            return connection.execute(
                "SELECT resource, id::text FROM cms.changes WHERE NOT is_deleted ORDER BY 1, 2"
            ).fetchall()

    def one(name: str) -> str:
        return str(UUID(md5(name.encode(), usedforsecurity=False).hexdigest()))

    with server.database(migrated=False) as url:
        migrations.upgrade(url, "0024")
        with psycopg.connect(url) as connection:
            connection.execute(BEFORE_FOLLOWED)
        migrations.upgrade(url, "0025")
        everything = [
            ("comment", one("approved")), *sorted([("menu", one("m1")), ("menu", one("m2"))]),
            ("redirect", one("r")), ("settings", str(SITE_ID)),
        ]  # fmt: skip
        assert noted() == everything
        migrations.downgrade(url, "0024")
        assert noted() == everything[1:]
        migrations.upgrade(url, "0025")
        assert noted() == everything


OLD_CONTENT = """
INSERT INTO cms.documents (id, type, locale, version, slug, path, title, draft, draft_hash, live_revision_id,
    published_at, created_at, updated_at)
SELECT md5('d' || n)::uuid, 'post', 'en', n, 'p' || n, 'p' || n, 'Post ' || n,
    jsonb_build_object('title', 'Post ' || n, 'slug', 'p' || n, 'body', 'Größe ' || n), decode(md5('c' || n), 'hex'),
    CASE WHEN n % 3 > 0 THEN md5('r' || n)::uuid END, CASE WHEN n % 3 > 0 THEN now() END, now(), now()
FROM generate_series(1, 1200) n;
-- Of every three: a draft, one that is live as it is, one that was edited since.
INSERT INTO cms.revisions (id, document_id, hash, content, created_at)
SELECT md5('r' || n)::uuid, md5('d' || n)::uuid,
    CASE n % 3 WHEN 1 THEN d.draft_hash ELSE decode(md5('l' || n), 'hex') END,
    CASE n % 3 WHEN 1 THEN d.draft ELSE d.draft || '{"body": "Live"}' END, now()
FROM generate_series(1, 1200) n JOIN cms.documents d ON d.id = md5('d' || n)::uuid WHERE n % 3 > 0;
"""
OLD_STATE = """
SELECT d.id, d.draft, d.draft_hash, r.id, r.content, r.hash
FROM cms.documents d LEFT JOIN cms.revisions r ON r.document_id = d.id ORDER BY d.id, r.id
"""


def test_drafts_become_revisions_and_drafts_again(server: database.Server) -> None:
    with server.database(migrated=False) as url:
        migrations.upgrade(url, "0003")
        with psycopg.connect(url) as connection:
            connection.execute(OLD_CONTENT)
            before = connection.execute(OLD_STATE).fetchall()
        migrations.upgrade(url, "0004")
        with psycopg.connect(url) as connection:
            drafts = connection.execute(
                """
                SELECT d.title, d.draft_revision_id = d.live_revision_id, c.data, r.published_at IS NULL, r.size
                FROM cms.documents d JOIN cms.revisions r ON r.document_id = d.id AND r.id = d.draft_revision_id
                JOIN cms.contents c ON c.document_id = d.id AND c.hash = r.hash ORDER BY d.version
                """
            ).fetchall()
        assert len(drafts) == 1200
        for number, (title, is_live, data, is_unpublished, size) in enumerate(drafts, start=1):
            encoded = unpack(data, None)
            content = {"title": title, "slug": f"p{number}", "body": f"Größe {number}"}
            assert (msgspec.json.decode(encoded), len(encoded)) == (content, size)
            assert (is_live, is_unpublished) == ({0: None, 1: True, 2: False}[number % 3], number % 3 != 1)
        migrations.downgrade(url, "0003")
        with psycopg.connect(url) as connection:
            after = connection.execute(OLD_STATE).fetchall()
        # But for the hashes of drafts that were never published: they were made up above.
        assert [row[:2] + row[3:5] for row in after] == [row[:2] + row[3:5] for row in before]
        migrations.upgrade(url)


def test_orders_of_pages_become_a_column(server: database.Server) -> None:
    """Drafts told whole and as differences alike; the orders of live copies may be others."""
    with server.database(migrated=False) as url:
        migrations.upgrade(url, "0009")
        with psycopg.connect(url) as connection:
            for number in range(3):
                body = " ".join(str(n * n) for n in range(400))
                base = f'{{"menu_order":-1,"body":"{body}","title":"T"}}'.encode()
                draft = base.replace(b"-1", str(number * 7).encode())
                packed = pack(draft, base if number == 2 else None)
                assert packed.is_whole == (number != 2)
                document, revision = uuid4(), uuid4()
                connection.execute(
                    """
                    INSERT INTO cms.documents (id, type, locale, slug, path, title, draft_revision_id, created_at,
                        updated_at) VALUES (%s, 'page', 'en', %s, %s, 'T', %s, now(), now())
                    """,
                    (document, f"p{number}", f"p{number}", revision),
                )
                connection.execute(
                    "INSERT INTO cms.contents VALUES (%s, 'base', NULL, %s), (%s, 'draft', %s, %s)",
                    (
                        document,
                        pack(base, None).data,
                        document,
                        None if packed.is_whole else b"base",
                        packed.data,
                    ),
                )
                connection.execute(
                    """
                    INSERT INTO cms.revisions (document_id, id, document_version, hash, size, created_at)
                    VALUES (%s, %s, 1, 'draft', 1, now())
                    """,
                    (document, revision),
                )
        migrations.upgrade(url, "0010")
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT menu_order FROM cms.documents ORDER BY path").fetchall()
        assert found == [(0,), (7,), (14,)]
        migrations.downgrade(url, "0009")


def test_two_that_migrate_at_once(server: database.Server) -> None:
    with server.database(migrated=False) as url:
        command = [sys.executable, "-m", "cms_api", "migrate"]
        environment = {**os.environ, "CMS_DATABASE_URL": url}
        with ThreadPoolExecutor() as threads:
            run = lambda _: subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: E731
            assert [done.returncode for done in threads.map(run, range(2))] == [0, 0]
        assert migrations.current(url) == migrations.head()


def test_the_embedded_server_keeps_its_data(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    tmp_path.chmod(0o700)
    with EmbeddedPostgres(home) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t AS SELECT 42 AS n")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))
        with pytest.raises(DataDirectoryBusy, match=str(os.getpid())):
            EmbeddedPostgres(home).start()
        assert EmbeddedPostgres(home).running() is not None
    with EmbeddedPostgres(home) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (42,)
    assert EmbeddedPostgres(home).running() is None
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path, *home.iterdir()]}
    assert modes[tmp_path.name] == 0o700
    assert modes["postgres"] == 0o700
    assert modes["postgres.password"] == 0o600
    (home / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(WrongVersion, match="12"):
        EmbeddedPostgres(home).start()


def test_no_binaries_anywhere() -> None:
    with pytest.raises(NoBinaries, match="CMS_DATABASE_URL"):
        find_binaries(origins=())


EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


class Served:
    """``cms serve`` as a process of its own."""

    def __init__(self, home: Path, *options: str, **environment: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CMS_")}
        self.environment = {
            **kept, "CMS_DATA_DIR": str(home), "CMS_ADMIN_EMAIL": EMAIL, "CMS_ADMIN_PASSWORD": PASSWORD,
            "CMS_LOG_FORMAT": "json", "COLUMNS": "300", **environment,
        }  # fmt: skip
        self.log = home.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cms_api", "serve", "--port", str(self.port), *options],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def await_ready(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cms_api", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def sign_in(self) -> dict[str, str]:
        answer = httpx.post(
            f"{self.url}/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}, timeout=30
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Makes running servers on one data directory, and ends them."""
    made: list[Served] = []

    def start(*options: str, **environment: str) -> Served:
        served = Served(tmp_path / "home", *options, **environment)
        made.append(served)
        served.await_ready()
        return served

    yield start
    for served in made:
        served.end()


def test_serving_from_the_first_start_to_after_a_crash(serve: Callable[..., Served], tmp_path: Path) -> None:
    first = serve()
    second = first.run("serve", "--port", "1")
    assert second.returncode == 1
    assert "Can't listen" in second.stderr or "in use by another server" in second.stderr
    second = Served(tmp_path / "home")
    assert second.end(0) == 1
    assert "is in use by another server" in first.log.read_text()

    headers = first.sign_in()
    made = httpx.post(f"{first.url}/api/v1/posts", json={"title": "Kept"}, headers=headers)
    assert made.status_code == 201
    check = first.run("check")
    assert check.returncode == 0, check.stdout
    assert "up to date" in check.stdout
    assert PASSWORD not in check.stdout
    user = first.run("user", "create", "bea@example.org", "--role", "author", "--password", PASSWORD)
    assert "bea@example.org" in user.stdout, user.stderr

    first.process.kill()
    first.process.wait()
    again = serve("--workers", "2")
    kept = httpx.get(f"{again.url}/api/v1/posts/{made.json()['id']}", headers=again.sign_in())
    assert kept.json()["title"] == "Kept"
    assert again.end() == 0
    logged = again.log.read_text()
    assert PASSWORD not in logged
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert all(line["request_id"] for line in lines if line["event"] == "request")


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def until(condition: Callable[[], bool], *, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def processes() -> dict[int, tuple[int, str]]:
    """What runs: the parent and the command line of each process."""
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [line.split(None, 3) for line in shown.stdout.splitlines()]
    return {int(pid): (int(parent), args) for pid, parent, state, args in found if not state.startswith("Z")}


def left_of(home: Path) -> list[str]:
    """What runs with ``home`` on its command line: PostgreSQL, and what it is started by."""
    return [args for _, args in processes().values() if str(home) in args]


def logged(served: Served) -> list[str]:
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if line.startswith("{")]
    return [line["event"] for line in lines]


def test_a_database_that_is_killed_comes_back(serve: Callable[..., Served], tmp_path: Path) -> None:
    home = tmp_path / "home"
    served = serve("--workers", "2")
    made = httpx.post(
        f"{served.url}/api/v1/posts", json={"title": "Kept"}, headers=served.sign_in(), timeout=30
    )
    assert made.status_code == 201
    os.kill(postmaster(home), signal.SIGKILL)
    assert until(lambda: "postgres_returned" in logged(served))
    served.await_ready()
    url, headers = f"{served.url}/api/v1/posts/{made.json()['id']}", served.sign_in()

    def is_read() -> bool:
        """By either worker."""
        answers = [httpx.get(url, headers=headers, timeout=30) for _ in range(10)]
        return all(answer.status_code == 200 and answer.json()["title"] == "Kept" for answer in answers)

    assert until(is_read)
    events = logged(served)
    assert (events.count("postgres_ended"), events.count("postgres_returned")) == (1, 1)
    assert Served(home).end(0) == 1
    children = {pid for pid, (parent, _) in processes().items() if parent == served.process.pid}
    assert len(children) >= 3  # two workers and PostgreSQL
    served.process.kill()
    served.process.wait()
    assert until(lambda: not children & processes().keys())
    assert not left_of(home)


def test_workers_are_renewed_once_there_is_a_database(serve: Callable[..., Served], tmp_path: Path) -> None:
    def workers() -> set[int]:
        found = processes().items()
        return {pid for pid, (parent, args) in found if parent == served.process.pid and "spawn_main" in args}

    served = serve()
    before = workers()
    assert len(before) == 1
    os.kill(postmaster(tmp_path / "home"), signal.SIGKILL)
    assert until(lambda: "postgres_ended" in logged(served))
    served.process.send_signal(signal.SIGHUP)
    assert until(lambda: len(workers()) == 1 and workers() != before, seconds=90)
    served.await_ready()
    assert "not ready in time" not in served.log.read_text()


def test_a_stop_while_the_database_is_away(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve()
    with (tmp_path / "home" / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = on\n")
    os.kill(postmaster(tmp_path / "home"), signal.SIGKILL)
    assert until(lambda: "no_such_setting" in (tmp_path / "home" / "postgres.log").read_text())
    began = time.monotonic()
    assert served.end() == 0
    assert time.monotonic() - began < 40
    assert not left_of(tmp_path / "home")


def test_a_database_that_stays_away_ends_everything(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve()
    with (tmp_path / "home" / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = on\n")
    os.kill(postmaster(tmp_path / "home"), signal.SIGKILL)
    assert served.process.wait(120) == 1
    assert "PostgreSQL has ended, and did not come back after 5 starts" in served.log.read_text()
    assert not left_of(tmp_path / "home")


def test_requests_in_flight_are_finished(serve: Callable[..., Served]) -> None:
    # A password that takes bcrypt a second or two to check keeps the request in flight.
    served = serve(CMS_BCRYPT_ROUNDS="14")
    answers: list[Any] = []
    body = {"email": EMAIL, "password": PASSWORD}
    asking = threading.Thread(
        target=lambda: answers.append(httpx.post(f"{served.url}/api/v1/auth/login", json=body, timeout=30))
    )
    asking.start()
    time.sleep(0.4)
    served.process.send_signal(signal.SIGTERM)
    asking.join()
    assert answers[0].status_code == 200
    assert served.end() == 0


def test_commands_that_need_no_server(tmp_path: Path) -> None:
    environment = {**os.environ, "CMS_PRT": "1", "CMS_WORKERS": "many", "COLUMNS": "200"}
    command = [sys.executable, "-m", "cms_api"]
    refused = subprocess.run(
        [*command, "check"], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert refused.returncode == 1
    assert "CMS_PRT" in refused.stderr
    assert "CMS_PORT" in refused.stderr
    assert "CMS_WORKERS" in refused.stderr
    shown = subprocess.run([*command, "openapi"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(shown.stdout)["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://cms:secret@127.0.0.1:1/cms", '"127.0.0.1", port 1 failed: Connection refused'),
        (
            "postgresql://cms:secret@127.0.0.1:1,127.0.0.1:2/cms",
            '"127.0.0.1", port 2 failed: Connection refused',
        ),
        (
            "postgresql://cms:secret@localhost:1/cms?host=/nowhere",
            'on socket "/nowhere/.s.PGSQL.1" failed: No such file',
        ),
        # What is not encoded would be taken for other parts of the URL, and told.
        ("postgresql://cms:pass@secret@127.0.0.1:1/cms", "percent-encoded"),
        ("postgresql://cms:pass/secret@127.0.0.1:1/cms", "percent-encoded"),
        ("postgresql://cms:1/secret@127.0.0.1:1/cms", "percent-encoded"),
        ("postgresql://cms:secret%x@127.0.0.1:1/cms", "percent-encoded"),
    ],
)
def test_a_database_that_does_not_answer(url: str, told: str) -> None:
    with pytest.raises(ClickException) as caught, runtime.database(Settings(database_url=url)):
        pass
    message = caught.value.message
    assert told in message
    assert "CMS_DATABASE_URL" in message
    assert "secret" not in message
    assert "\n" not in message


def test_a_database_that_keeps_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = psycopg.connect
    monkeypatch.setattr(psycopg, "connect", lambda url, **_: connect(url, connect_timeout=2))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        url = f"postgresql://cms:secret@127.0.0.1:{port}/cms"
        with pytest.raises(ClickException) as caught, runtime.database(Settings(database_url=url)):
            pass
    assert f"127.0.0.1, port {port}: connection timeout expired" in caught.value.message

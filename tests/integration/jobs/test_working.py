"""What works on jobs: processes that come and go, a database that goes and comes, periodic work."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from tests.conftest import ADMIN_EMAIL, PASSWORD
from tests.integration.jobs.conftest import Await, Start, rows, until
from tests.integration.jobs.counting import Counting

from cms_api.adapters.jobs.worker import Periodic, QueueWorker
from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.bootstrap.container import Application
from cms_api.bootstrap.supervision import Background
from cms_api.domains.jobs.ports import JobQueue
from cms_api.settings import Settings

ROOT = Path(__file__).parents[3]


class Working:
    """`cms worker` as a process of its own; with the handler of the tests, or just as it is."""

    def __init__(self, settings: Settings, *command: str, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CMS_")}
        self.log = settings.data_dir / f"worker-{os.urandom(4).hex()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *(command or ("tests.integration.jobs.counting",))],
                cwd=ROOT,
                env={
                    **kept,
                    "CMS_DATABASE_URL": settings.database_url or "",
                    "CMS_DATA_DIR": str(settings.data_dir),
                    "CMS_LOG_FORMAT": "json",
                    **environment,
                },
                stdout=log,
                stderr=log,
            )

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(120)


@pytest.fixture
def worker(settings: Settings, steps: Callable[[], Any]) -> Iterator[Callable[..., Working]]:
    """Starts workers, and ends them."""
    del steps
    made: list[Working] = []

    def begin(*command: str, **environment: str) -> Working:
        made.append(Working(settings, *command, **environment))
        return made[-1]

    yield begin
    for one in made:
        one.end(signal.SIGKILL)


async def test_another_worker_finishes_what_a_killed_one_was_at(
    worker: Callable[..., Working], start: Start, awaited: Await, steps: Callable[[], Any]
) -> None:
    first = worker()
    job_id = await start(to=60, pause=0.15)
    await awaited(job_id, "running", done=5)
    first.end(signal.SIGKILL)
    second = worker()
    job = await awaited(job_id, "succeeded", seconds=90)
    assert job["done"] == 60
    assert [number for number, _ in steps()] == list(range(1, 61))
    assert {process for _, process in steps()} == {first.process.pid, second.process.pid}
    assert second.end() == 0
    assert "job_recovered" in second.log.read_text()


async def test_a_worker_that_is_told_to_end_hands_over(
    worker: Callable[..., Working], start: Start, awaited: Await, steps: Callable[[], Any]
) -> None:
    first = worker()
    job_id = await start(to=30, pause=0.2)
    await awaited(job_id, "running", done=3)
    assert first.end() == 0
    job = await awaited(job_id, "running")
    assert job["done"] == len(steps()) < 30
    worker()
    # At once: nobody has to be found dead first.
    await awaited(job_id, "succeeded", seconds=120)
    assert [number for number, _ in steps()] == list(range(1, 31))
    assert "rror" not in first.log.read_text()


async def test_a_step_that_outlasts_the_shutdown_is_taken_back_and_done_by_the_next(
    worker: Callable[..., Working], start: Start, awaited: Await, steps: Callable[[], Any], database_url: str
) -> None:
    first = worker(CMS_SHUTDOWN_TIMEOUT="4")
    job_id = await start(to=1, pause=40)
    await awaited(job_id, "running")
    await asyncio.sleep(0.3)
    assert first.end() == 0
    assert steps() == []
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE jobs.jobs SET params = '{\"to\": 1}'")
    worker()
    await awaited(job_id, "succeeded", seconds=120)
    assert len(steps()) == 1


async def test_two_workers_do_each_step_once(
    worker: Callable[..., Working],
    start: Start,
    awaited: Await,
    steps: Callable[[], Any],
    application: Application,
) -> None:
    """Even where both have the same job, as when one was slow and taken for dead."""
    job_id = await start(to=40, pause=0.05)
    for _ in range(3):
        async with application.unit_of_work() as uow:
            await uow.repository(JobQueue).enqueue(UUID(job_id))
    both = worker(), worker()
    await awaited(job_id, "succeeded", seconds=120)
    assert [number for number, _ in steps()] == list(range(1, 41))
    assert all("Traceback" not in one.log.read_text() for one in both)


async def test_the_command_as_it_is(worker: Callable[..., Working], start: Start, awaited: Await) -> None:
    one = worker("cms_api", "worker", "--concurrency", "1")
    job = await awaited(await start(kind="dancing"), "failed")
    assert job["error"] == {
        "code": "unknown_kind",
        "detail": "Nothing here does jobs of the kind “dancing”.",
    }
    assert one.end(signal.SIGINT) == 0
    assert one.log.read_text().splitlines()[-1] == "Stopped."


async def test_a_database_that_goes_and_comes(
    application: Application,
    start: Start,
    awaited: Await,
    database_url: str,
    steps: Callable[[], Any],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = database_url.rsplit("/", 1)[1]
    job_id = await start(to=60, pause=0.1)
    background = application.background(Counting())
    background.start()
    await awaited(job_id, "running", done=3)
    with psycopg.connect(database_url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as control:
        control.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        control.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        await asyncio.sleep(6)
        control.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
    await awaited(job_id, "succeeded", seconds=120)
    assert [number for number, _ in steps()] == list(range(1, 61))
    await background.stop()
    told = capsys.readouterr().out
    assert told.count("background_interrupted") <= 2
    assert "Traceback" not in told
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.usefixtures("working")
async def test_a_worker_that_was_taken_for_dead_comes_back(
    start: Start, awaited: Await, database_url: str, steps: Callable[[], Any]
) -> None:
    """As when its event loop was blocked for long: others have struck it off meanwhile."""
    job_id = await start(to=40, pause=0.1)
    await awaited(job_id, "running", done=1)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("DELETE FROM queue.procrastinate_workers").rowcount == 1
    other = await start(to=2)
    assert (await awaited(other, "succeeded"))["attempts"] == 1
    await awaited(job_id, "succeeded")
    assert sorted(number for number, _ in steps()) == sorted([*range(1, 41), 1, 2])


async def test_periodic_work_is_done_by_one_worker(database_url: str) -> None:
    done: list[tuple[str, float]] = []

    def worker(name: str) -> QueueWorker:
        async def work() -> None:
            done.append((name, asyncio.get_running_loop().time()))

        async def broken() -> None:
            raise RuntimeError

        async def run_job(job_id: UUID, stop: asyncio.Event) -> None:
            del job_id, stop

        return QueueWorker(
            database_url,
            run_job=run_job,
            periodic=[
                Periodic(name="tick", cron="* * * * * */2", work=work),
                Periodic(name="broken", cron="* * * * * *", work=broken),
            ],
            concurrency=1,
            timeout=5,
            is_outage=is_outage,
        )

    background = Background([worker("a"), worker("b")], timeout=6)
    began = asyncio.get_running_loop().time()
    background.start()
    await until(lambda: len(done) >= 4)
    took = asyncio.get_running_loop().time() - began
    await background.stop()
    assert len(done) <= took / 2 + 2
    left = rows(database_url, "SELECT status::text FROM queue.procrastinate_jobs")
    assert all(status == "todo" for (status,) in left)
    assert len(left) <= 2


async def test_periodic_work_of_a_dead_worker_gives_way_to_the_next(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back it would be in the queue twice; left alone it would keep the next from running."""
    monkeypatch.setattr("cms_api.adapters.jobs.worker.HEARTBEAT", 0.2)
    monkeypatch.setattr("cms_api.adapters.jobs.worker.STALLED", 2)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET search_path TO queue")
        connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
        )
        connection.execute(
            """
            INSERT INTO procrastinate_jobs
                (queue_name, task_name, lock, queueing_lock, args, status, worker_id)
            SELECT 'default', 'periodic:tick', 'tick', 'tick', jsonb_build_object('timestamp', n), s, w.id
            FROM (VALUES (1, 'doing'::procrastinate_job_status), (2, 'todo')) entry(n, s)
            LEFT JOIN procrastinate_workers w ON s = 'doing'
            """
        )
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    async def run_job(job_id: UUID, stop: asyncio.Event) -> None:
        del job_id, stop

    tick = Periodic(name="tick", cron="0 0 1 1 *", work=work)
    worker = QueueWorker(
        database_url, run_job=run_job, periodic=[tick], concurrency=1, timeout=5, is_outage=is_outage
    )
    background = Background([worker], timeout=6)
    background.start()
    await asyncio.wait_for(done.wait(), 20)
    await until(lambda: rows(database_url, "SELECT 1 FROM queue.procrastinate_jobs") == [])
    await background.stop()


async def test_few_connections(
    application: Application, start: Start, awaited: Await, database_url: str
) -> None:
    background = application.background(Counting())
    before = len(rows(database_url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'cms queue'"))
    background.start()
    for job_id in [await start(kind="dancing") for _ in range(10)]:
        await awaited(job_id, "failed")
    held = rows(database_url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'cms queue'")
    await background.stop()
    assert before == 0
    assert 2 <= len(held) <= 3
    assert rows(database_url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'cms queue'") == []


class Flaky:
    """Breaks, ends, and then does well."""

    def __init__(self) -> None:
        self.runs = 0
        self.well = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        self.runs += 1
        if self.runs == 1:
            raise RuntimeError("once")
        if self.runs == 2:
            return
        self.well.set()
        await stop.wait()


class Deaf:
    """Does not hear that it is to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        del stop
        await asyncio.Event().wait()


async def test_services_are_kept_alive_and_ended(capsys: pytest.CaptureFixture[str]) -> None:
    flaky = Flaky()
    background = Background([flaky, Deaf()], timeout=0.3)
    background.start()
    await asyncio.wait_for(flaky.well.wait(), 5)
    assert flaky.runs == 3
    async with asyncio.timeout(2):
        await background.stop()
    told = capsys.readouterr().out
    assert "background_broke" in told
    assert "once" in told


async def test_serving_works_on_jobs_too_unless_told_not_to(
    settings: Settings,
    start: Start,
    awaited: Await,
    worker: Callable[..., Working],
    unused_port: Callable[[], int],
) -> None:
    port = unused_port()
    served = worker("cms_api", "serve", "--port", str(port), "--no-background")
    base = f"http://127.0.0.1:{port}"
    await until(lambda: _is_ready(base))
    job_id = await start(kind="dancing")
    await asyncio.sleep(3)
    assert (await awaited(job_id, "queued"))["attempts"] == 0
    served.end()
    port = unused_port()
    served = worker("cms_api", "serve", "--port", str(port))
    await awaited(job_id, "failed")
    assert served.end() == 0
    assert "Traceback" not in served.log.read_text()
    assert settings.database_url is not None


async def test_a_server_does_not_wait_for_watchers(
    worker: Callable[..., Working], start: Start, unused_port: Callable[[], int]
) -> None:
    port = unused_port()
    served = worker("cms_api", "serve", "--port", str(port), "--no-background", CMS_SECRET_KEY="s" * 32)
    base = f"http://127.0.0.1:{port}"
    await until(lambda: _is_ready(base))
    job_id = await start(to=1)
    body = {"email": ADMIN_EMAIL, "password": PASSWORD}
    async with httpx.AsyncClient(base_url=base) as client:
        signed_in = await client.post("/api/v1/auth/login", json=body)
        headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        async with client.stream(
            "GET", f"/api/v1/jobs/{job_id}/events", headers=headers, timeout=30
        ) as stream:
            chunks = stream.aiter_text()
            assert (await anext(chunks)).startswith("event: progress")
            began = asyncio.get_running_loop().time()
            served.process.send_signal(signal.SIGTERM)
            rest = [chunk async for chunk in chunks]
    assert await asyncio.to_thread(served.process.wait, 120) == 0
    assert asyncio.get_running_loop().time() - began < 30
    assert "event: end" not in "".join(rest)


def _is_ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/health/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def unused_port() -> Callable[[], int]:
    """Finds a free port."""

    def find() -> int:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            return int(found.getsockname()[1])

    return find

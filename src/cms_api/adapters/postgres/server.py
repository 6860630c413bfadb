"""A private PostgreSQL, started and stopped with the process that needs it."""

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import psycopg

from cms_api.adapters.postgres import launch
from cms_api.adapters.postgres.binaries import Binaries, find_binaries
from cms_api.adapters.postgres.errors import (
    DataDirectoryBusy,
    EmbeddedPostgresError,
    StartFailed,
    WrongVersion,
)

USER = DATABASE = "cms"
START_SECONDS = 30.0
STOP_SECONDS = 20.0
LOG_KEPT = 5_000_000
LOG_SHOWN = 15
NOBODY = 65534
ATTEMPTS = 5

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
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

    It ends with this process, even where that is killed. ``throwaway`` gives durability up for
    speed; for tests. Raises `EmbeddedPostgresError` with a sentence for the person at the desk.
    """

    def __init__(self, data_dir: Path, *, throwaway: bool = False, binaries: Binaries | None = None) -> None:
        self._home = data_dir.absolute()
        self._data = self._home / "postgres"
        self._password_file = self._home / "postgres.password"
        self._log = self._home / "postgres.log"
        self._throwaway = throwaway
        self._binaries = binaries
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._mode = "plain"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> str:
        """Start the server, the first time on new data. Returns its URL, which holds the password."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._binaries = self._binaries or find_binaries()
            self._mode = self._choose_mode()
            if not (self._data / "PG_VERSION").exists():
                self._make_data()
            self._check_version()
            return self._serve()
        except BaseException:
            self.stop()
            raise

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
        if (process := self._process) is not None:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                if process.poll() is None:
                    process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_SECONDS)
                    break
            self._process = None
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
        except OSError:
            holder = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise DataDirectoryBusy(
                f"The data directory {self._home} is in use by another server (process {holder}). Stop that "
                "one first, or set CMS_DATA_DIR to another directory."
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        self._lock = handle

    def _choose_mode(self) -> str:
        """How to run: PostgreSQL refuses root, so root becomes somebody else, or lives in a namespace."""
        if os.getuid() != 0:
            self._check_user()
            return "plain"
        if self._data.exists() and (owner := self._data.stat().st_uid) != 0:
            return str(owner)
        probe = self._run(["/bin/true"], mode="namespace")
        if probe.returncode == 0:
            return "namespace"
        if not self._data.exists():
            return str(NOBODY)
        raise StartFailed(
            f"The data in {self._data} are root's, but this system lets root make no user namespace. Run as "
            "another user, or set CMS_DATABASE_URL."
        )

    def _check_user(self) -> None:
        try:
            pwd.getpwuid(os.getuid())
        except KeyError:
            raise StartFailed(
                f"The user id {os.getuid()} has no name on this system, and PostgreSQL's initdb needs one. Run "
                "as a user that the system knows, or set CMS_DATABASE_URL."
            ) from None

    def _run(self, command: list[str], *, mode: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command line
            self._command(command, mode), capture_output=True, text=True, check=False, env=self._environment()
        )

    def _command(self, command: list[str], mode: str | None = None) -> list[str]:
        helper = [sys.executable, "-I", launch.__file__, mode or self._mode, str(os.getpid())]
        return [*helper, *command]

    @staticmethod
    def _environment() -> dict[str, str]:
        # Nothing of PG… or CMS_… reaches the server.
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")}
        return kept | {"LC_ALL": "C", "TZ": "UTC"}

    def _program(self, name: str) -> str:
        if self._binaries is None:
            raise LookupError("The binaries are looked for by start().")
        return str(self._binaries.folder / name)

    def _make_data(self) -> None:
        """Initdb into a folder beside, then rename: a first start that is killed leaves nothing half-made."""
        binaries = self._binaries or find_binaries()
        for stale in self._home.glob("postgres.new.*"):
            shutil.rmtree(stale, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="postgres.new.", dir=self._home))
        password = secrets.token_urlsafe(32)
        given = folder.with_name(folder.name + ".password")
        handle = os.open(given, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(password)
        if self._mode.isdigit():
            os.chown(folder, int(self._mode), int(self._mode))
            os.chown(given, int(self._mode), int(self._mode))
            self._check_reachable(folder)
        modern = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        locale = modern if binaries.major >= 17 else ["--locale=C.UTF-8"]  # noqa: PLR2004 - a version
        command = [
            self._program("initdb"), "-D", str(folder), "-U", USER, "-A", "scram-sha-256",
            f"--pwfile={given}", "-E", "UTF8", *locale, *(["--no-sync"] if self._throwaway else []),
        ]  # fmt: skip
        made = self._run(command)
        try:
            if made.returncode != 0:
                shutil.rmtree(folder, ignore_errors=True)
                raise StartFailed(f"initdb failed:\n{(made.stderr or made.stdout).strip()[-2000:]}")
            if self._mode.isdigit():
                os.chown(given, 0, 0)
            given.replace(self._password_file)
            folder.rename(self._data)
        finally:
            given.unlink(missing_ok=True)

    def _check_reachable(self, folder: Path) -> None:
        seen = self._run(
            ["/bin/sh", "-c", 'test -x "$0" && test -x "$1"', self._program("initdb"), str(folder)]
        )
        if seen.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise StartFailed(
                "This runs as root without user namespaces, so PostgreSQL must run as “nobody”, who can't reach "
                f"{self._home} or the programs. Move both where everybody may look, run as another user, or set "
                "CMS_DATABASE_URL."
            )

    def _check_version(self) -> None:
        binaries = self._binaries or find_binaries()
        made_by = (self._data / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.major):
            raise WrongVersion(
                f"The data in {self._data} were made by PostgreSQL {made_by}, but this is {binaries.major}. Dump "
                f"them with version {made_by} and load the dump, or install that version."
            )

    def _serve(self) -> str:
        self._shorten_log()
        password = self._password_file.read_text()
        reason: str | None = None
        for _ in range(ATTEMPTS):
            port = _free_port()
            self._await_predecessor()
            self._spawn(port)
            url = f"postgresql://{USER}:{password}@127.0.0.1:{port}"
            if (reason := self._await_ready(f"{url}/postgres")) is None:
                return f"{url}/{DATABASE}"
            self._process = None
        raise StartFailed(f"PostgreSQL does not start:\n{reason}")

    def _spawn(self, port: int) -> None:
        settings = SETTINGS | {"port": str(port)} | (THROWAWAY if self._throwaway else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command([self._program("postgres"), "-D", str(self._data), *options]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                # Ctrl-C at the desk is for the application, which drains first.
                start_new_session=True,
            )

    def _shorten_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > LOG_KEPT:
            self._log.write_bytes(b"")
        self._log.touch(mode=0o600)

    def _await_predecessor(self) -> None:
        """Wait for the server of a process that was killed: it needs a moment to end."""
        pid_file = self._data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while pid_file.exists() and time.monotonic() < deadline:
            try:
                first = pid_file.read_text().splitlines()[0]
                os.kill(int(first), 0)
            except (OSError, ValueError, IndexError):
                return  # a stale file, which PostgreSQL knows how to handle
            time.sleep(0.05)

    def _await_ready(self, url: str) -> str | None:
        """None once the server answers and has our database, or the reason why it does not."""
        process = self._process
        deadline = time.monotonic() + START_SECONDS
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
                    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                    if found.fetchone() is None:
                        connection.execute(f"CREATE DATABASE {DATABASE}")
                    return None
            except psycopg.OperationalError:
                time.sleep(0.02)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_SHOWN:])


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

"""The server of a process that was killed: it may need a moment to end, or have left its pid file."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cms_api.adapters.postgres.errors import StartFailed

PAUSE = 0.05


def await_end(data: Path, *, seconds: float) -> None:
    """Wait until no server runs on ``data``, for which the caller holds the lock.

    One that still runs is told to stop. A pid file that a crash has left is removed, as PostgreSQL itself
    refuses to start where its number has gone to another process. Raises `StartFailed` after ``seconds``.
    """
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + seconds
    told = False
    while pid_file.exists():
        pid = _pid_in(pid_file)
        serves = pid is not None and _serves(pid, data)
        if pid is None or serves is False:
            pid_file.unlink(missing_ok=True)
            return
        if serves and not told:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGINT)
            told = True
        if time.monotonic() > deadline:
            raise StartFailed(
                f"Process {pid} seems to be a PostgreSQL that still uses {data}. End it, then try again."
            )
        time.sleep(PAUSE)


def _pid_in(pid_file: Path) -> int | None:
    try:
        # A server for a single user writes its number as a negative one.
        return abs(int(pid_file.read_text().splitlines()[0])) or None
    except (OSError, ValueError, IndexError):
        return None


def _serves(pid: int, data: Path) -> bool | None:
    """Whether a process is a PostgreSQL on ``data``; None where that can't be told."""
    if not sys.platform.startswith("linux"):
        return _seems_to_serve(pid, data)
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    if Path(arguments[0]).name not in {"postgres", "postmaster"}:
        return False
    if "-D" not in arguments[:-1]:
        return None
    with contextlib.suppress(OSError):
        return Path(arguments[arguments.index("-D") + 1]).samefile(data)
    return None


def _seems_to_serve(pid: int, data: Path) -> bool | None:
    try:
        line = subprocess.run(  # noqa: S603 - a number
            ["/bin/ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return None
    if "postgres" not in line and "postmaster" not in line:
        return False
    return True if f"-D {data} " in line else None

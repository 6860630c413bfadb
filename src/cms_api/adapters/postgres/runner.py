"""As whom PostgreSQL's programs are run: they refuse root."""

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Literal

import msgspec

from cms_api.adapters.postgres import launch
from cms_api.adapters.postgres.errors import StartFailed

Tie = Literal["kernel", "pipe"]

# How the server learns that this process is gone.
TIE: Tie = "kernel" if sys.platform.startswith("linux") else "pipe"
_KEPT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")


class Runner(msgspec.Struct, frozen=True):
    """Runs programs through `launch`, in one of its modes."""

    mode: str

    @property
    def user(self) -> int | None:
        """The user to change to, or None where files of this process's user can be used."""
        return int(self.mode) if self.mode.isdigit() else None

    def command(self, command: list[str], *, tie: Tie = "kernel") -> list[str]:
        """The command line that runs ``command``, its life tied to this process's."""
        # By path and isolated: nothing of this package, nor of the working directory, is imported.
        return [sys.executable, "-I", launch.__file__, self.mode, tie, str(os.getpid()), *command]

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run ``command`` to its end."""
        return subprocess.run(  # noqa: S603 - our own command line
            self.command(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )


def environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: nothing of PG… or CMS_… reaches them."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def choose(data: Path, postgres: Path) -> Runner:
    """How to run ``postgres`` on ``data``, which need not exist yet.

    Root lives in a user namespace, where its files stay its own, or else becomes “nobody”. Data that
    exist decide by their owner. Raises `StartFailed` where there is no way.
    """
    if os.getuid() != 0:
        _require_name(os.getuid())
        return Runner("plain")
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return Runner(str(owner))
    namespace = Runner("namespace")
    if _has_name(launch.INSIDE) and namespace.run([str(postgres), "--version"]).returncode == 0:
        return namespace
    if (data / "PG_VERSION").exists():
        raise StartFailed(
            f"The data in {data} are root's, but this system lets root make no user namespace. Run as another "
            "user, or set CMS_DATABASE_URL."
        )
    user = _nobody()
    _require_name(user)
    return Runner(str(user))


def _nobody() -> int:
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return launch.INSIDE


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _require_name(user: int) -> None:
    if not _has_name(user):
        raise StartFailed(
            f"The user id {user} has no name on this system, and PostgreSQL's initdb needs one. Run as a user "
            "that the system knows, or set CMS_DATABASE_URL."
        )

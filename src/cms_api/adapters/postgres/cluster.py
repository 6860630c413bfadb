"""The making of a data directory."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from cms_api.adapters.postgres.binaries import Binaries
from cms_api.adapters.postgres.errors import StartFailed
from cms_api.adapters.postgres.runner import Runner

USER = "cms"
BUILTIN_LOCALES = 17  # the first version that has them


def make(
    home: Path,
    *,
    data: Path,
    password_file: Path,
    binaries: Binaries,
    runner: Runner,
    durable: bool,
    open_home: bool,
) -> None:
    """Make ``data`` and ``password_file``, both in ``home``: a cluster whose superuser `USER` has that password.

    Made beside and then renamed: a first start that is killed leaves nothing half-made. With ``open_home``
    another user, where the server has to run as one, gets the right to pass through ``home``. Raises
    `StartFailed`.
    """
    for stale in home.glob("postgres.new.*"):
        _remove(stale)
    folder = Path(tempfile.mkdtemp(prefix="postgres.new.", dir=home))
    given = folder.with_name(folder.name + ".password")
    try:
        _write_password(given, durable=durable)
        if runner.user is not None:
            os.chown(folder, runner.user, -1)
            os.chown(given, runner.user, -1)
            if open_home:
                home.chmod(0o711)
            _check_reachable(home, folder, binaries, runner)
        _initdb(folder, given, binaries, runner, durable=durable)
        os.chown(given, os.getuid(), -1)
        given.replace(password_file)
        _rename(folder, data)
        if durable:
            _sync(home)
    except BaseException:
        _remove(folder)
        _remove(given)
        raise


def _write_password(path: Path, *, durable: bool) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(32))
        if durable:
            file.flush()
            os.fsync(handle)


def _check_reachable(home: Path, folder: Path, binaries: Binaries, runner: Runner) -> None:
    test = 'test -x "$0" && test -x "$1"'
    if runner.run(["/bin/sh", "-c", test, str(binaries.folder / "initdb"), str(folder)]).returncode != 0:
        raise StartFailed(
            "This runs as root without user namespaces, so PostgreSQL must run as “nobody”, who can't reach "
            f"{home} or {binaries.folder}. Move both where everybody may pass through (chmod o+x), run as "
            "another user, or set CMS_DATABASE_URL."
        )


def _initdb(folder: Path, password: Path, binaries: Binaries, runner: Runner, *, durable: bool) -> None:
    modern = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    locale = modern if binaries.major >= BUILTIN_LOCALES else ["--locale=C.UTF-8"]
    command = [
        str(binaries.folder / "initdb"), "-D", str(folder), "-U", USER, "-A", "scram-sha-256",
        f"--pwfile={password}", "-E", "UTF8", *locale, *([] if durable else ["--no-sync"]),
    ]  # fmt: skip
    made = runner.run(command)
    if made.returncode != 0:
        raise StartFailed(f"initdb failed:\n{(made.stderr or made.stdout).strip()[-2000:]}")


def _rename(folder: Path, data: Path) -> None:
    try:
        folder.rename(data)
    except OSError as error:
        raise StartFailed(
            f"{data} is in the way: it holds no PostgreSQL data, and can't be replaced ({error.strerror}). Move "
            "it away, or set CMS_DATA_DIR to another directory."
        ) from error


def _sync(folder: Path) -> None:
    """Let what was renamed in ``folder`` outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

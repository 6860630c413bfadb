"""The secret that tokens and cursors are signed with, where none is configured."""

import os
import secrets
from pathlib import Path

FILE = "secret_key"


def secret_key(data_dir: Path) -> str:
    """The secret kept in the data directory (mode 0600), made on first use.

    Several processes may ask at once: the first one's secret counts, whole.
    """
    path = data_dir / FILE
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = data_dir / f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        handle = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(mine, path)  # fails where another one was first, never replaces
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text()

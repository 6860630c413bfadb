"""Running the migrations, from a checkout or from an installed package."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

# One migrating process at a time, whatever the number of hosts that start together.
ADVISORY_LOCK = 7_025_519_312


def _folder() -> Path:
    """The migrations: shipped inside an installed package, beside ``src`` in a checkout."""
    package = Path(__file__).resolve().parents[2]
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parents[1] / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    return config


@lru_cache(maxsize=1)
def head() -> str:
    """The newest revision that this code knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise LookupError("There are no migrations.")
    return newest


def current(url: str) -> str | None:
    """The revision that the database is at, or None where it has never been migrated."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
        return row[0] if row else None


def _run(url: str, action: Callable[[Config], None]) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        action(config)


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``; waits while another process migrates."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database back to ``revision`` (``base``: to nothing)."""
    _run(url, lambda config: command.downgrade(config, revision))

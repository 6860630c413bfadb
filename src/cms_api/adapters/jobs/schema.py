"""The library's own tables, in a schema of their own, kept up to date by our migrations.

The schema is made as the installed version ships it, and the names of the library's migrations that
it thereby contains are noted. When the library is raised to a version that brings new ones, a new
revision of ours calls `upgrade`: it runs those that a database does not have yet. On a fresh
database, made by the newer version, there are none.
"""

from importlib.resources import files

import psycopg
from procrastinate.schema import SchemaManager
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection

SCHEMA = "queue"
# The newest of the library's migrations that ours know of; a test compares it with what is installed.
NEWEST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"


def shipped() -> list[str]:
    """The names of the library's migrations, in their order."""
    folder = files("procrastinate.sql") / "migrations"
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))


def install(connection: Connection) -> None:
    """Make the schema as the installed version ships it."""
    driver = _driver(connection)
    driver.execute(SQL("CREATE SCHEMA {}").format(Identifier(SCHEMA)))
    driver.execute(SQL("CREATE TABLE {}.migrations (name text PRIMARY KEY)").format(Identifier(SCHEMA)))
    _run(driver, [SchemaManager.get_schema()])
    _note(driver, shipped())


def upgrade(connection: Connection) -> None:
    """Run those of the library's migrations that the database does not have yet."""
    driver = _driver(connection)
    known = {
        row[0] for row in driver.execute(SQL("SELECT name FROM {}.migrations").format(Identifier(SCHEMA)))
    }
    new = [name for name in shipped() if name not in known]
    folder = files("procrastinate.sql") / "migrations"
    _run(driver, [(folder / name).read_text(encoding="utf-8") for name in new])
    _note(driver, new)


def _driver(connection: Connection) -> psycopg.Connection[tuple[str]]:
    driver: psycopg.Connection[tuple[str]] | None = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("The connection is closed.")
    return driver


def _run(driver: psycopg.Connection[tuple[str]], scripts: list[str]) -> None:
    """Run scripts that do not name their schema; Alembic, in the same transaction, needs the old path."""
    before = driver.execute("SELECT current_setting('search_path')").fetchone()
    driver.execute("SELECT set_config('search_path', %s, true)", [SCHEMA])
    for script in scripts:
        driver.execute(script.encode())
    driver.execute("SELECT set_config('search_path', %s, true)", before)


def _note(driver: psycopg.Connection[tuple[str]], names: list[str]) -> None:
    insert = SQL("INSERT INTO {}.migrations (name) SELECT unnest(%s::text[])").format(Identifier(SCHEMA))
    driver.execute(insert, [names])

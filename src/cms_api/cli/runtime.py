"""What commands share: settings, a database, the application in process."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import rich_click as click
from rich.console import Console

from cms_api.settings import Settings, SettingsError, load, variable

if TYPE_CHECKING:
    from cms_api.adapters.postgres.server import EmbeddedPostgres

T = TypeVar("T")

console = Console()
DEFAULT_ADMIN = "admin@example.org"


def settings_of(**options: object) -> Settings:
    """The settings of the environment, under those ``options`` that are given."""
    environment = dict(os.environ)
    environment.update({variable(name): str(value) for name, value in options.items() if value is not None})
    try:
        return load(environment)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def database(settings: Settings, *, server: "EmbeddedPostgres | None" = None) -> Iterator[Settings]:
    """The settings with a database that answers: the configured one, or the embedded one.

    That one is ``server``, which is started here; without it the one that ``cms serve`` has started is used where
    it runs.
    """
    import psycopg

    from cms_api.adapters.postgres.errors import EmbeddedPostgresError
    from cms_api.adapters.postgres.server import EmbeddedPostgres

    if settings.database_url is not None:
        try:
            psycopg.connect(settings.database_url, connect_timeout=10).close()
        except psycopg.Error as error:
            raise click.ClickException(_unreachable(settings.database_url, error)) from None
        yield settings
        return
    own = server or EmbeddedPostgres(settings.data_dir)
    try:
        url = (None if server else own.running()) or own.start()
    except (EmbeddedPostgresError, OSError) as error:
        raise click.ClickException(str(error)) from None
    try:
        yield msgspec.structs.replace(settings, database_url=url)
    finally:
        own.stop()


def _unreachable(url: str, error: Exception) -> str:
    """What is said of a database at ``url`` that can't be connected to: where, and why; never its password."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    malformed = (
        "CMS_DATABASE_URL can't be read as postgresql://user:password@host:port/database. Special characters in "
        "its parts are to be percent-encoded."
    )
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return malformed
    host, port = str(parts.get("host", "")), str(parts.get("port", 5432))
    # What comes after an @ or / in a password is taken for a host or a database, and would be shown.
    if "@" in f"{host}{parts.get('dbname', '')}":
        return malformed
    line = (str(error).strip() or "no reason").splitlines()[0]
    _, where, rest = line.partition("connection to server ")
    return (
        f"The database of CMS_DATABASE_URL does not answer: {where + rest or f'{host}, port {port}: {line}'}"
    )


def migrated(settings: Settings) -> str | None:
    """Migrate the database, and begin a new log of changes where it is a restored copy.

    Returns the revision that it was at.
    """
    import psycopg

    from cms_api.adapters.sqlalchemy import migrations

    url = settings.database_url or ""
    before = migrations.current(url)
    if before != migrations.head():
        migrations.upgrade(url)
    with psycopg.connect(url, connect_timeout=10) as connection:
        connection.execute("SELECT cms.renew_epoch()")
    return before


@asynccontextmanager
async def application(settings: Settings) -> AsyncIterator[Any]:
    """The application's services, in process."""
    from cms_api.bootstrap.container import Application

    running = Application(settings)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


def run(settings: Settings, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do ``work`` with the application. A refusal by the domain ends the command with its words."""
    from cms_api import logs
    from cms_api.kernel.errors import CmsError

    logs.configure(settings)

    async def main() -> T:
        async with application(settings) as running:
            return await work(running)

    try:
        return asyncio.run(main())
    except CmsError as error:
        faults = "".join(f"\n  {fault.pointer}: {fault.detail}" for fault in error.faults)
        raise click.ClickException(error.detail + faults) from None


def ensure_administrator(settings: Settings) -> tuple[str, str | None] | None:
    """Create the first administrator where there is no user.

    Returns her address, and the password if it was made up here; None where there are users.
    """
    email = settings.admin_email or DEFAULT_ADMIN
    made_up = None if settings.admin_password else secrets.token_urlsafe(15)

    async def work(running: Any) -> object:
        async with running.unit_of_work() as uow:
            return await running.container.auth.users().ensure_administrator(
                uow, email=email, name="Administrator", password=settings.admin_password or made_up
            )

    return (email, made_up) if run(settings, work) is not None else None

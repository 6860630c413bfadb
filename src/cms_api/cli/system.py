"""``cms migrate``, ``cms openapi`` and ``cms check``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cms_api.cli.runtime import console, database, migrated, run, settings_of
from cms_api.settings import Settings, variable

if TYPE_CHECKING:
    from rich.table import Table

SECRET = {"admin_password", "secret_key", "database_url"}
DATA_DIR = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where data are kept. [CMS_DATA_DIR, ./.cms]"
)


@click.command()
@DATA_DIR
def migrate(data_dir: Path | None) -> None:
    """Bring the database up to date; `cms serve` does it too."""
    from cms_api.adapters.sqlalchemy import migrations

    with database(settings_of(data_dir=data_dir)) as ready:
        before = migrated(ready)
    console.print(f"The database went from {before or 'nothing'} to {migrations.head()}.", highlight=False)


@click.command()
@DATA_DIR
def render(data_dir: Path | None) -> None:
    """Render anew what an older version has rendered; readers see each document as it was until then.

    Can be stopped at any time, and run while `cms serve` does.
    """
    from cms_api.kernel.actor import SYSTEM

    async def work(running: Any) -> int:
        with console.status("Rendering") as status:
            count: int = await running.container.cms.rendering().rerender(
                SYSTEM, running.unit_of_work, progress=lambda done: status.update(f"Rendering: {done:,}")
            )
            return count

    with database(settings_of(data_dir=data_dir)) as ready:
        migrated(ready)
        count = run(ready, work)
    console.print(f"{count:,} documents were rendered anew.", highlight=False)


@click.command()
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file to write to.")
def openapi(output: Path | None) -> None:
    """Print the OpenAPI 3.1 document; needs no database."""
    import msgspec

    from cms_api.adapters.http.openapi import document
    from cms_api.app import create_app

    unused = Settings(database_url="postgresql://unused", secret_key="-" * 32)
    text = msgspec.json.format(msgspec.json.encode(document(create_app(unused))), indent=2)
    if output is None:
        click.echo(text)
    else:
        output.write_bytes(text + b"\n")


@click.command()
@DATA_DIR
def check(data_dir: Path | None) -> None:
    """Check configuration and database; the exit code is 1 where something is wrong."""
    from rich.table import Table

    from cms_api.adapters.postgres.binaries import find_binaries
    from cms_api.adapters.postgres.errors import EmbeddedPostgresError

    settings = settings_of(data_dir=data_dir)
    table = Table(title="Configuration")
    for heading in ("Variable", "Value"):
        table.add_column(heading)
    for field in Settings.__struct_fields__:
        value = getattr(settings, field)
        table.add_row(variable(field), "(set)" if field in SECRET and value else str(value))
    console.print(table)

    results = Table(title="Checks")
    for heading in ("What", "Result"):
        results.add_column(heading)
    faults = 0
    if settings.database_url is None:
        try:
            found = find_binaries()
            results.add_row("PostgreSQL binaries", f"[green]version {found.major}[/] ({found.origin})")
        except EmbeddedPostgresError as error:
            results.add_row("PostgreSQL binaries", f"[red]{error}[/]")
            faults += 1
    try:
        with database(settings) as ready:
            faults += _check_database(results, ready)
    except click.ClickException as error:
        results.add_row("Database", f"[red]{error.message}[/]")
        faults += 1
    console.print(results)
    if faults:
        raise SystemExit(1)


def _check_database(results: "Table", settings: Settings) -> int:
    import psycopg

    from cms_api.adapters.sqlalchemy import migrations

    add = results.add_row
    with psycopg.connect(settings.database_url or "") as connection:
        row = connection.execute("SHOW server_version").fetchone()
    add("Database", f"[green]answers[/], version {row[0] if row else '?'}")
    at, newest = migrations.current(settings.database_url or ""), migrations.head()
    if at == newest:
        add("Migrations", f"[green]up to date[/] ({at})")
        return 0
    add("Migrations", f"[red]at {at or 'nothing'}, {newest} is needed: run cms migrate[/]")
    return 1

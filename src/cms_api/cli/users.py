"""``cms user``."""

from pathlib import Path
from typing import Any

import rich_click as click

from cms_api.cli.runtime import console, database, migrated, run, settings_of


@click.group()
def user() -> None:
    """Manage users."""


@user.command()
@click.argument("email")
@click.option("--name", help="What she is called; the address where not given.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=("administrator",),
    show_default=True,
    help="`administrator`, `editor`, `author` or `reader`; can be repeated.",
)
@click.option("--password", envvar="CMS_USER_PASSWORD", help="Asked for where not given.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where data are kept. [CMS_DATA_DIR, ./.cms]"
)
def create(
    email: str, name: str | None, roles: tuple[str, ...], password: str | None, data_dir: Path | None
) -> None:
    """Create a user with EMAIL."""
    from cms_api.kernel.actor import SYSTEM

    settings = settings_of(data_dir=data_dir)
    if password is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)

    async def work(running: Any) -> Any:
        async with running.unit_of_work() as uow:
            return await running.container.auth.users().create(
                uow, SYSTEM, email=email, name=name or email, password=password, roles=roles
            )

    with database(settings) as ready:
        migrated(ready)
        made = run(ready, work)
    console.print(f"Created [bold]{made.email}[/] ({', '.join(made.roles)}), id {made.id}", highlight=False)

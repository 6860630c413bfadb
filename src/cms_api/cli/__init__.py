"""The command line."""

import rich_click as click

from cms_api.cli.content import import_group
from cms_api.cli.serve import serve
from cms_api.cli.system import check, migrate, openapi, render
from cms_api.cli.types import types_group
from cms_api.cli.users import user
from cms_api.cli.work import worker

click.rich_click.TEXT_MARKUP = "markdown"
click.rich_click.SHOW_ARGUMENTS = True


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cms-api", prog_name="cms")
def cli() -> None:
    """A headless CMS API on PostgreSQL.

    Without configuration everything runs on a private PostgreSQL below `./.cms`. Every option is
    an environment variable too, `CMS_PORT` for `--port`; see the README for all of them.
    """


for command in (serve, worker, migrate, user, import_group, types_group, render, openapi, check):
    cli.add_command(command)

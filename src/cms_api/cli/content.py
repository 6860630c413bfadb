"""``cms import``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cms_api.cli.runtime import console, database, migrated, run, settings_of

if TYPE_CHECKING:
    from cms_api.domains.cms.api import ImportReport


@click.group(name="import")
def import_group() -> None:
    """Take over content from other systems."""


@import_group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fetch/--no-fetch", default=True, show_default=True, help="Fetch the attachments' files.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where data are kept. [CMS_DATA_DIR, ./.cms]"
)
def wordpress(file: Path, *, fetch: bool, data_dir: Path | None) -> None:
    """Import a WordPress export (WXR), plain or gzipped.

    Run again, it changes nothing but what has changed in the export. Documents that were edited
    here in the meantime are left alone.
    """
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from cms_api.adapters.wordpress.wxr import WxrFile
    from cms_api.kernel.actor import SYSTEM

    settings = settings_of(data_dir=data_dir)
    columns = (TextColumn("Importing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())

    async def work(running: Any) -> "ImportReport":
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("import", total=1.0)
            report: ImportReport = await running.container.cms.imports().run(
                SYSTEM,
                WxrFile(file),
                new_uow=running.unit_of_work,
                fetch_files=fetch,
                progress=lambda share: bar.update(task, completed=share),
            )
            return report

    with database(settings) as ready:
        migrated(ready)
        report = run(ready, work)
    _show(report)


def _show(report: "ImportReport") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Imported")
    table.add_column("Kind")
    for heading in ("Read", "Created", "Updated", "Unchanged", "Skipped"):
        table.add_column(heading, justify="right")
    for kind, tally in sorted(report.tallies.items()):
        counts = (tally.read, tally.created, tally.updated, tally.unchanged, tally.skipped)
        table.add_row(kind, *map(str, counts))
    console.print(table)
    if report.unplaced:
        console.print("No place for these yet, so they were left out:", style="yellow")
        for kind, number in sorted(report.unplaced.items()):
            console.print(f"  {number} × {escape(kind)}", highlight=False)
    for what, why in report.notes:
        console.print(f"  {escape(what)}: {escape(why)}", highlight=False)
    if report.more_notes:
        console.print(f"  … and {report.more_notes} more")

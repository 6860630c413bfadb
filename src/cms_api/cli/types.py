"""``cms types``."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from cms_api.cli.runtime import console, database, migrated, run, settings_of

if TYPE_CHECKING:
    from cms_api.domains.cms.api import Definition, Plan, Resolution, TypeView

T = TypeVar("T")

RESOLUTIONS = ("convert", "drop", "default")

existing = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
chosen_types = click.option("--type", "keys", multiple=True, help="One type only; can be repeated.")
resolve = click.option(
    "--resolve",
    "choices",
    multiple=True,
    metavar="TYPE.FIELD=HOW",
    help="What becomes of values that can't be kept: `convert`, `drop` or `default`; can be repeated.",
)
kept_in = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where data are kept. [CMS_DATA_DIR, ./.cms]"
)


@click.group(name="types")
def types_group() -> None:
    """Take content types from one environment to another, as files that can be versioned."""


@types_group.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@chosen_types
@kept_in
def export(folder: Path, keys: tuple[str, ...], data_dir: Path | None) -> None:
    """Write each content type to a file of its own in FOLDER: `<key>.json`.

    Files hold the ids of fields, so that a field which is renamed in a file keeps its values.
    """
    from cms_api.domains.cms.api import details

    async def work(running: Any) -> list["TypeView"]:
        return await _found(running.container.cms.content_types(), keys)

    found = _done(data_dir, work)
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        (folder / f"{one.key}.json").write_bytes(_pretty(details(one)))
        _say(f"{one.key}: version {one.version}, {len(one.fields)} fields")


@types_group.command()
@existing
@chosen_types
@resolve
@kept_in
def plan(folder: Path, keys: tuple[str, ...], choices: tuple[str, ...], data_dir: Path | None) -> None:
    """Tell what `cms types apply` would do with the files in FOLDER. It changes nothing.

    Ends with 1 where something would be lost that `--resolve` says nothing of.
    """
    found = _promoted(folder, keys, choices, data_dir, dry_run=True)
    if not all(one.is_applicable for one in found):
        raise SystemExit(1)


@types_group.command()
@existing
@chosen_types
@resolve
@kept_in
def apply(folder: Path, keys: tuple[str, ...], choices: tuple[str, ...], data_dir: Path | None) -> None:
    """Make the content types what the files in FOLDER say: all of them, or none.

    Types without a file stay. Documents follow in the background, as `cms serve` and `cms worker` do it.
    """
    found = _promoted(folder, keys, choices, data_dir, dry_run=False)
    if not all(one.is_applicable for one in found):
        raise click.ClickException(
            "Nothing was changed: say with --resolve what is to become of those values."
        )


def _promoted(
    folder: Path, keys: tuple[str, ...], choices: tuple[str, ...], data_dir: Path | None, *, dry_run: bool
) -> Sequence["Plan"]:
    """The plans, which are told, and carried out if all can be and this is no ``dry_run``."""
    from cms_api.kernel.actor import SYSTEM

    definitions = _read(folder, keys)
    resolutions = _resolutions(choices, [one.key for one in definitions])

    async def work(running: Any) -> Sequence["Plan"]:
        types = running.container.cms.content_types()
        async with running.unit_of_work() as uow:
            plans: Sequence[Plan] = await types.promote(
                uow, SYSTEM, definitions, resolutions=resolutions, dry_run=True
            )
            if not dry_run and all(one.is_applicable for one in plans):
                await types.promote(uow, SYSTEM, definitions, resolutions=resolutions, dry_run=False)
        return plans

    plans = _done(data_dir, work)
    for one in plans:
        _tell(one)
    return plans


def _done(data_dir: Path | None, work: Callable[[Any], Awaitable[T]]) -> T:
    with database(settings_of(data_dir=data_dir)) as ready:
        migrated(ready)
        return run(ready, work)


async def _found(types: Any, keys: tuple[str, ...]) -> list["TypeView"]:
    from cms_api.domains.cms.api import TYPES
    from cms_api.kernel.actor import SYSTEM
    from cms_api.querying import PageRequest

    if keys:
        return [await types.get(SYSTEM, key) for key in dict.fromkeys(keys)]
    found: list[TypeView] = []
    after: tuple[object, ...] | None = None
    while True:
        page = await types.list(SYSTEM, PageRequest(sort=TYPES.sort, limit=100, after=after))
        found += page.items
        if (after := page.next) is None:
            return found


def _pretty(value: Any) -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _read(folder: Path, keys: tuple[str, ...]) -> list["Definition"]:
    """The definitions in the files. What is wrong with any of them is told, of all at once."""
    files = [folder / f"{key}.json" for key in dict.fromkeys(keys)] or sorted(folder.glob("*.json"))
    if not files:
        raise click.ClickException(f"There are no files “<key>.json” in {folder}.")
    found: list[Definition] = []
    wrong: list[str] = []
    for file in files:
        try:
            found.append(_definition(file))
        except click.ClickException as error:
            wrong.append(error.message)
    if wrong:
        raise click.ClickException("\n".join(wrong))
    return found


def _definition(file: Path) -> "Definition":
    from cms_api.domains.cms.api import Definition
    from cms_api.kernel.errors import CmsError
    from cms_api.validation import decode

    try:
        found: Definition = decode(file.read_bytes(), Definition)
    except OSError as error:
        raise click.ClickException(f"{file.name} can't be read: {error.strerror}.") from None
    except CmsError as error:
        faults = "".join(f"\n  {fault.pointer}: {fault.detail}" for fault in error.faults)
        raise click.ClickException(f"{file.name}: {error.detail}{faults}") from None
    if file.name != f"{found.key}.json":
        raise click.ClickException(
            f"{file.name}: /key is “{found.key}”, so the file should be “{found.key}.json”."
        )
    return found


def _resolutions(choices: Iterable[str], keys: Sequence[str]) -> dict[str, dict[str, "Resolution"]]:
    found: dict[str, dict[str, Resolution]] = {}
    for choice in choices:
        field, _, how = choice.partition("=")
        key, _, name = field.partition(".")
        if how not in RESOLUTIONS or not name:
            raise click.UsageError(
                f"“{choice}” is not TYPE.FIELD=HOW, with one of {', '.join(RESOLUTIONS)} as HOW."
            )
        if key not in keys:
            raise click.UsageError(f"“{choice}”: the type “{key}” is not among {', '.join(keys)}.")
        found.setdefault(key, {})[name] = how  # type: ignore[assignment]  # one of those
    return found


def _tell(plan: "Plan") -> None:
    if not plan.changes:
        _say(f"{plan.key}: as it is")
        return
    _say(f"{plan.key}: {'can be applied' if plan.is_applicable else 'can NOT be applied'}")
    for one in plan.changes:
        is_open = not one.is_safe and one.resolution is None
        _say(f"  {'!' if is_open else '·'} {one.action} {one.path}".rstrip() + f": {one.detail}")
        if one.drafts or one.live:
            _say(
                f"      drafts: {one.drafts}, live: {one.live}, for example {', '.join(map(str, one.examples))}"
            )
        if one.resolution is not None:
            _say(f"      resolved: {one.resolution}")
        elif is_open and one.resolutions:
            ways = " or ".join(f"--resolve {plan.key}.{one.field}={way}" for way in one.resolutions)
            _say(f"      say {ways}")
        elif is_open:
            _say("      nothing but a change of those documents makes this possible")


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)

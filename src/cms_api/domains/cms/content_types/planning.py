"""Planning a change of a type: what it says, and what it would do to the documents that are there."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Literal

from cms_api.domains.cms.content_types import plans
from cms_api.domains.cms.content_types.conversions import Resolution
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import SCALARS, BooleanField, Field, NumberField
from cms_api.domains.cms.content_types.interface import Change, Plan
from cms_api.domains.cms.content_types.ports import (
    AddressRepository,
    IndexSpec,
    ModelledDocuments,
    TypeRecord,
)
from cms_api.domains.cms.content_types.tallies import Tally
from cms_api.kernel.errors import Fault, Faults
from cms_api.kernel.unit_of_work import UnitOfWork

AT_ONCE = 500


async def planned(
    uow: UnitOfWork, record: TypeRecord, after: Definition, resolutions: Mapping[str, Resolution]
) -> tuple[Plan, dict[str, Resolution | None]]:
    """The plan, and the conversions that it needs."""
    before = record.definition
    _check_resolutions(before, after, resolutions)
    counted = plans.tallies(before, after, resolutions)
    if counted:
        await _count(uow, record.key, counted)
    changes = [
        *plans.told(before, after),
        *(change for tally in counted for change in tally.changes()),
        *[change async for change in _collisions(uow, record, after)],
        *[change async for change in _moves(uow, record, after, resolutions)],
    ]
    is_applicable = all(
        change.action != "refuse" and (change.is_safe or change.resolution is not None) for change in changes
    )
    plan = Plan(
        key=record.key,
        version=record.version,
        is_safe=all(change.is_safe for change in changes),
        is_applicable=is_applicable,
        changes=tuple(changes),
    )
    conversions = {tally.field_id: tally.resolution for tally in counted if tally.needs_conversion}
    return plan, conversions


def refuse(wrong: Sequence[Fault]) -> None:
    """Raise `Invalid` with all faults, if there are any."""
    faults = Faults()
    faults.note(*wrong)
    faults.refuse()


def _check_resolutions(before: Definition, after: Definition, given: Mapping[str, Resolution]) -> None:
    kept = {field.id for field in after.fields}
    known = (
        {"path"}
        | {field.key for field in after.fields}
        | {one.key for one in before.fields if one.id not in kept}
    )
    refuse(
        [
            Fault(f"/resolutions/{key}", "unknown_field", f"There is no field “{key[:100]}”.")
            for key in given
            if key not in known
        ]
    )


async def _count(uow: UnitOfWork, key: str, counted: Sequence[Tally]) -> None:
    """Show every document of the type to the tallies."""
    documents, after = uow.repository(ModelledDocuments), None
    while True:
        rows = await documents.batch(key, after, AT_ONCE)
        for row in rows:
            for tally in counted:
                tally.see(row)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].id


async def _moves(
    uow: UnitOfWork, record: TypeRecord, after: Definition, resolutions: Mapping[str, Resolution]
) -> AsyncIterator[Change]:
    """What becomes of the addresses of live documents."""
    before = record.definition.path
    if before == after.path:
        return
    addresses = uow.repository(AddressRepository)
    yield plans.moving(before, after.path, await addresses.count(record.key), resolutions.get("path"))
    if after.path is not None:
        number, some = await addresses.taken(record.key, after.path)
        if number:
            yield plans.refused("path", number, some, "would be where others are")


async def _collisions(uow: UnitOfWork, record: TypeRecord, after: Definition) -> AsyncIterator[Change]:
    """What documents have that no field can be made to take."""
    documents, before = uow.repository(ModelledDocuments), record.definition
    old = {field.id: field for field in before.fields}
    for field in after.fields:
        known = old.get(field.id)
        is_new_rule = (
            field.unique and known is not None and not (known.unique and known.localised == field.localised)
        )
        if is_new_rule:
            number, some = await documents.duplicates(record.key, str(field.id), localised=field.localised)
            if number:
                yield plans.refused(field.key, number, some, "share a value that is to be unique")
        if known is not None and known.localised and not field.localised:
            number, some = await documents.unequal(record.key, str(field.id))
            if number:
                yield plans.refused(
                    field.key, number, some, "have another value than a translation of theirs"
                )
    for field, types in plans.narrowed(before, after):
        number, some = await documents.misfits(record.key, str(field.id), types)
        if number:
            yield plans.refused(field.key, number, some, "point at something of another type")


def specs_of(definition: Definition) -> list[IndexSpec]:
    """The indexes that the fields of a type are to have."""
    return [
        IndexSpec(field_id=str(field.id), kind=kind, shape=_shape(field), localised=field.localised)
        for field in definition.fields
        if isinstance(field, SCALARS)
        for kind in _kinds(field)
    ]


def _kinds(field: Field) -> Iterator[Literal["unique", "plain"]]:
    if field.unique:
        yield "unique"
    if field.indexed:
        yield "plain"


def _shape(field: Field) -> Literal["text", "number", "boolean"]:
    match field:
        case NumberField():
            return "number"
        case BooleanField():
            return "boolean"
        case _:
            return "text"

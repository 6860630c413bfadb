"""Whether a definition can be a type, and the next version of one that is there."""

from collections.abc import Collection

import msgspec

from cms_api.domains.cms.content_types import plans
from cms_api.domains.cms.content_types.compiling import checked_default
from cms_api.domains.cms.content_types.definition import Definition, faults_of, with_ids
from cms_api.domains.cms.content_types.fields import walk
from cms_api.domains.cms.content_types.planning import refuse
from cms_api.domains.cms.content_types.ports import AddressRepository, ContentTypeRepository, TypeRecord
from cms_api.kernel.errors import Fault
from cms_api.kernel.unit_of_work import UnitOfWork


async def check(uow: UnitOfWork, definition: Definition, also: Collection[str]) -> None:
    """Raise `Invalid` with every fault; ``also`` are types that come in or change together with it."""
    there = await uow.repository(ContentTypeRepository).known(definition.points_at() - {definition.key})
    wrong = list(faults_of(definition, {*there, *also}))
    if definition.path is not None:
        holder = await uow.repository(AddressRepository).holder(definition.path)
        if holder not in (None, definition.key, *also):
            wrong.append(Fault("/path", "taken", f"The content type “{holder}” has this path."))
    if not wrong:
        wrong = [
            Fault(f"/fields/{place}{fault.pointer}", fault.code, fault.detail)
            for place, field in enumerate(definition.fields)
            for one in walk((field,))
            for fault in checked_default(one)
        ]
    refuse(wrong)


async def checked(
    uow: UnitOfWork, record: TypeRecord, after: Definition, *, also: Collection[str] = ()
) -> Definition:
    """What the type is to become, with ids. Raises `Invalid` with every fault."""
    before = record.definition
    await check(uow, after, also)
    after = msgspec.structs.replace(after, fields=with_ids(after.fields, before.fields))
    wrong = list(plans.type_faults(before, after))
    if after.singleton != before.singleton:
        wrong.append(Fault("/singleton", "not_here", "A type is a singleton from the start, or never."))
    refuse(wrong)
    return after

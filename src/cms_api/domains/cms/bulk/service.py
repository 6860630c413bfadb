"""Running many operations."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from cms_api.domains.cms.bulk.interface import BatchService, Operation, Outcome
from cms_api.domains.cms.documents.interface import DocumentView
from cms_api.domains.cms.documents.ports import DocumentRepository, ReferenceRepository, Stages
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.entries.ports import TranslationRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import CmsError, Conflict
from cms_api.kernel.unit_of_work import UnitOfWork

# What may give a document another place in its tree.
MOVES = frozenset({"update", "discard", "restore_revision"})


class ResultMissing(Conflict):
    """The operation whose document is meant was refused itself."""

    code = "result_missing"
    title = "The operation that this one builds on was refused"

    def __init__(self, place: int) -> None:
        super().__init__(f"The operation {place} was refused, so there is no document of it.")


class Batch(BatchService):
    """The service of batches."""

    def __init__(
        self,
        *,
        types: DocumentTypes,
        stages: Stages,
    ) -> None:
        self._types = types
        self._stages = stages

    async def all_or_nothing(
        self, uow: UnitOfWork, actor: Actor, operations: Sequence[Operation]
    ) -> list[Outcome]:
        await self._lock(uow, operations)
        outcomes: list[Outcome] = []
        for place, operation in enumerate(operations):
            try:
                outcomes.append(await self._perform(uow, actor, operation, outcomes))
            except CmsError as error:
                error.members["operation"] = place
                _locate(error, place)
                raise
        return outcomes

    async def one_by_one(
        self, uow: UnitOfWork, actor: Actor, operations: Sequence[Operation]
    ) -> list[Outcome]:
        await self._lock(uow, operations)
        outcomes: list[Outcome] = []
        for place, operation in enumerate(operations):
            try:
                async with uow.savepoint():
                    outcome = await self._perform(uow, actor, operation, outcomes)
            except CmsError as error:
                _locate(error, place)
                known = operation.target if isinstance(operation.target, UUID) else None
                outcome = Outcome(document_id=known, error=error)
            outcomes.append(outcome)
        return outcomes

    async def _lock(self, uow: UnitOfWork, operations: Sequence[Operation]) -> None:
        """Take all locks at once, in the order of everybody: two batches must not wait in a circle."""
        for key in sorted({one.type for one in operations}):
            await (await self._types.service(key)).hold_addresses(uow)
        for key in sorted({one.type for one in operations if one.action in ("create", "duplicate")}):
            await self._stages.first_stage(uow, key)
        moved = {one.type for one in operations if one.action in MOVES}
        kinds = [await self._types.kind(key) for key in sorted(moved)]
        if any(kind.is_tree for kind in kinds):
            await uow.repository(ReferenceRepository).lock_tree()
        ids = {one.target for one in operations if isinstance(one.target, UUID)}
        if any(kind.version is not None for kind in kinds):
            # What translations share is changed in all of them.
            ids |= set(await uow.repository(TranslationRepository).others(*ids))
        await uow.repository(DocumentRepository).lock(ids)

    async def _perform(
        self, uow: UnitOfWork, actor: Actor, operation: Operation, outcomes: list[Outcome]
    ) -> Outcome:
        service = await self._types.service(operation.type)
        view: DocumentView | None
        if operation.action == "create":
            view = await service.create(uow, actor, operation.changes, locale=operation.locale)
            return Outcome(document_id=view.id, view=view)
        target = _target(operation, outcomes)
        expected = operation.expected
        match operation.action:
            case "update":
                view = await service.update(uow, actor, target, operation.changes, expected=expected)
            case "publish":
                view = await service.publish(
                    uow, actor, target, expected=expected, revision_id=operation.revision_id
                )
            case "restore_revision" if operation.revision_id is not None:
                view = await service.restore_revision(
                    uow, actor, target, operation.revision_id, expected=expected
                )
            case action:
                view = await getattr(service, action)(uow, actor, target, expected=expected)
        return Outcome(document_id=view.id if view else target, view=view)


def _target(operation: Operation, outcomes: list[Outcome]) -> UUID:
    """The document that is meant. Raises `ResultMissing`."""
    if isinstance(operation.target, UUID):
        return operation.target
    place = operation.target or 0
    if outcomes[place].error is not None or (found := outcomes[place].document_id) is None:
        raise ResultMissing(place)
    return found


def _locate(error: CmsError, place: int) -> None:
    """Have the faults point into the batch."""
    error.faults = tuple(
        msgspec.structs.replace(fault, pointer=f"/operations/{place}/data{fault.pointer}")
        for fault in error.faults
    )

"""Running many operations."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.bulk.interface import BatchService, Operation, Outcome
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.interface import DocumentService, DocumentView
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import CmsError
from cms_api.kernel.unit_of_work import UnitOfWork


class Batch(BatchService):
    """The service of batches; ``documents`` are the services of the content types by their keys."""

    def __init__(self, *, documents: Mapping[str, DocumentService[Any, Any]]) -> None:
        self._documents = documents

    async def all_or_nothing(
        self, uow: UnitOfWork, actor: Actor, operations: Sequence[Operation]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for place, operation in enumerate(operations):
            try:
                outcomes.append(await self._perform(uow, actor, operation, outcomes))
            except CmsError as error:
                error.members["operation"] = place
                error.faults = tuple(
                    msgspec.structs.replace(fault, pointer=f"/operations/{place}/data{fault.pointer}")
                    for fault in error.faults
                )
                raise
        return outcomes

    async def one_by_one(
        self, uow: UnitOfWork, actor: Actor, operations: Sequence[Operation]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for operation in operations:
            try:
                async with uow.savepoint():
                    outcome = await self._perform(uow, actor, operation, outcomes)
            except CmsError as error:
                outcome = Outcome(error=error)
            outcomes.append(outcome)
        return outcomes

    async def _perform(
        self, uow: UnitOfWork, actor: Actor, operation: Operation, outcomes: list[Outcome]
    ) -> Outcome:
        service = self._documents[operation.type]
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
    """The document that is meant. Raises `DocumentNotFound` where an earlier operation made none."""
    if isinstance(operation.target, UUID):
        return operation.target
    found = None if operation.target is None else outcomes[operation.target].document_id
    if found is None:
        raise DocumentNotFound
    return found

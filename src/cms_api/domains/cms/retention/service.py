"""Deciding what goes for good."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid5

import msgspec

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.resources import given
from cms_api.domains.cms.retention.errors import PolicyNotFound
from cms_api.domains.cms.retention.events import NAMESPACE, RetentionUpdated, RevisionsPurged
from cms_api.domains.cms.retention.interface import WRITE, RetentionChanges, RetentionPolicy, RetentionService
from cms_api.domains.cms.retention.ports import RetentionQueries, RetentionRepository
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Conflict, Faults, invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest
from cms_api.querying.evaluating import page_of

MAX_REVISIONS = 100_000
MAX_DAYS = 36_500
DOCUMENTS_AT_ONCE = 100


class Retention(RetentionService):
    """The service of retention."""

    def __init__(self, *, clock: Clock, queries: RetentionQueries, types: DocumentTypes) -> None:
        self._clock = clock
        self._queries = queries
        self._types = types

    async def list(self, actor: Actor, page: PageRequest) -> Page[RetentionPolicy]:
        actor.require(policy.READ)
        return page_of(await self._queries.list(), page, key="type")

    async def get(self, actor: Actor, type: str) -> RetentionPolicy:
        actor.require(policy.READ)
        found = next((one for one in await self._queries.list() if one.type == type), None)
        if found is None:
            raise PolicyNotFound
        return found

    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        type: str,
        changes: RetentionChanges,
        *,
        expected: int | None,
    ) -> RetentionPolicy:
        actor.require(WRITE)
        policies = uow.repository(RetentionRepository)
        if (found := await policies.get(type)) is None:
            raise PolicyNotFound
        check_version(found.version, expected)
        values = given(changes)
        _check(values)
        if all(getattr(found, name) == value for name, value in values.items()):
            return found
        changed = msgspec.structs.replace(
            found, **values, version=found.version + 1, updated_at=self._clock.now(), updated_by=actor.user_id
        )
        await policies.save(changed)
        limits = {name: getattr(changed, name) for name in RetentionChanges.__struct_fields__}
        uow.record(
            RetentionUpdated(
                subject=uuid5(NAMESPACE, type), type=type, version=changed.version, policy=limits
            ).by(actor)
        )
        return changed

    async def purge_revisions(self, new_uow: Callable[[], UnitOfWork]) -> int:
        total = 0
        for one in await self._queries.list():
            if one.max_revisions is not None or one.max_revision_days is not None:
                total += await self._purge_revisions_of(one, new_uow)
        return total

    async def _purge_revisions_of(self, one: RetentionPolicy, new_uow: Callable[[], UnitOfWork]) -> int:
        days = one.max_revision_days
        before = None if days is None else self._clock.now() - timedelta(days=days)
        total, after = 0, None
        while True:
            async with new_uow() as uow:
                purged = await uow.repository(RetentionRepository).purge_revisions(
                    one.type, keep=one.max_revisions, before=before, after=after, limit=DOCUMENTS_AT_ONCE
                )
                uow.record(
                    *(
                        RevisionsPurged(subject=document_id, type=one.type, number=number)
                        for document_id, number in purged.numbers.items()
                    )
                )
            total += sum(purged.numbers.values())
            if purged.last is None:
                return total
            if not purged.is_full:
                after = purged.last

    async def purge_trash(self, new_uow: Callable[[], UnitOfWork]) -> int:
        total = 0
        for one in await self._queries.list():
            if one.max_trash_days is None:
                continue
            before = self._clock.now() - timedelta(days=one.max_trash_days)
            while purged := await self._purge_trash_of(one.type, before, new_uow):
                total += purged
        return total

    async def _purge_trash_of(self, type: str, before: datetime, new_uow: Callable[[], UnitOfWork]) -> int:
        """Go once through what is overdue; how many went. What that has set free goes the next time."""
        service, total, after = await self._types.service(type), 0, None
        while True:
            async with new_uow() as uow:
                overdue = await uow.repository(RetentionRepository).overdue_trash(
                    type, before=before, after=after, limit=DOCUMENTS_AT_ONCE
                )
                for one in overdue:
                    # What another one still points at stays, and what went along is gone already.
                    with suppress(Conflict, DocumentNotFound):
                        async with uow.savepoint():
                            await service.purge(uow, SYSTEM, one.id, expected=None)
                        total += 1
            if len(overdue) < DOCUMENTS_AT_ONCE:
                return total
            after = overdue[-1]


def _check(values: dict[str, int | None]) -> None:
    faults = Faults()
    for name, value in values.items():
        top = MAX_REVISIONS if name == "max_revisions" else MAX_DAYS
        with faults.noted():
            if value is not None and not 1 <= value <= top:
                raise invalid(f"/{name}", "range", f"This is null, or a number from 1 to {top:,}.")
    faults.refuse()

"""Deciding about content types."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from cms_api.domains.cms.content_types import plans
from cms_api.domains.cms.content_types.checking import check, checked
from cms_api.domains.cms.content_types.conversions import Resolution
from cms_api.domains.cms.content_types.definition import Definition, with_ids
from cms_api.domains.cms.content_types.errors import (
    NothingToMigrate,
    TypeInUse,
    TypeMigrating,
    TypeNotFound,
    UnsafeChange,
)
from cms_api.domains.cms.content_types.events import TypeCreated, TypeDeleted, TypeUpdated
from cms_api.domains.cms.content_types.following import Following
from cms_api.domains.cms.content_types.interface import (
    WRITE,
    Applied,
    ContentTypeService,
    Plan,
    TypeChanges,
    TypeRevision,
    TypeView,
)
from cms_api.domains.cms.content_types.planning import planned, refuse, specs_of
from cms_api.domains.cms.content_types.ports import (
    ContentTypeQueries,
    ContentTypeRepository,
    TypeRecord,
)
from cms_api.domains.cms.content_types.views import view
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.jobs.api import JobService, JobView
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Invalid, NotFound
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest

MIGRATION = "content_types.migrate"
INDEXING = "content_types.index"


class ContentTypes(ContentTypeService):
    """The service of content types."""

    def __init__(
        self, *, clock: Clock, queries: ContentTypeQueries, jobs: JobService, following: Following
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._jobs = jobs
        self._following = following

    async def create(self, uow: UnitOfWork, actor: Actor, definition: Definition) -> TypeView:
        actor.require(WRITE)
        return view(await self._made(uow, actor, definition, also=()))

    async def get(self, actor: Actor, key: str) -> TypeView:
        actor.require(READ)
        if (record := await self._queries.get(key)) is None:
            raise TypeNotFound(key)
        return view(record)

    async def list(self, actor: Actor, page: PageRequest) -> Page[TypeView]:
        actor.require(READ)
        found = await self._queries.list(page)
        items = [view(record) for record in found.items]
        return found.of(items)

    async def revisions(self, actor: Actor, key: str, page: PageRequest) -> Page[TypeRevision]:
        actor.require(READ)
        if (record := await self._queries.get(key)) is None:
            raise TypeNotFound(key)
        return await self._queries.revisions(record.id, page)

    async def plan(self, uow: UnitOfWork, actor: Actor, key: str, changes: TypeChanges) -> Plan:
        actor.require(WRITE)
        record = await self._found(uow, key)
        after = await self._changed(uow, record, changes)
        plan, _ = await planned(uow, record, after, changes.resolutions)
        return plan

    async def update(
        self, uow: UnitOfWork, actor: Actor, key: str, changes: TypeChanges, *, expected: int | None
    ) -> Applied:
        actor.require(WRITE)
        record = await self._found(uow, key)
        check_version(record.version, expected)
        after = await self._changed(uow, record, changes)
        return await self._apply(uow, actor, record, after, changes.resolutions)

    async def migrate(self, uow: UnitOfWork, actor: Actor, key: str, *, expected: int | None) -> JobView:
        actor.require(WRITE)
        record = await self._found(uow, key)
        check_version(record.version, expected)
        if record.migration_id is None:
            raise NothingToMigrate
        if not await self._is_over(record.migration_id):
            raise TypeMigrating(record.migration_id, is_over=False)
        job = await self._migration(uow, actor, record)
        again = self._next(actor, record, migration_id=job.id)
        await uow.repository(ContentTypeRepository).save(again)
        await uow.repository(ContentTypeRepository).add_revision(again, ())
        uow.record(TypeUpdated(subject=again.id, key=key, version=again.version, actions=()).by(actor))
        return job

    async def delete(self, uow: UnitOfWork, actor: Actor, key: str, *, expected: int | None) -> None:
        actor.require(WRITE)
        record = await self._found(uow, key)
        check_version(record.version, expected)
        types = uow.repository(ContentTypeRepository)
        documents, named = await types.usage(key)
        if documents or named:
            raise TypeInUse(documents, named)
        await types.delete(key)
        uow.record(TypeDeleted(subject=record.id, key=key, version=record.version).by(actor))
        await self._jobs.start(uow, actor, kind=INDEXING, params={"type": key})

    async def promote(
        self,
        uow: UnitOfWork,
        actor: Actor,
        definitions: Sequence[Definition],
        *,
        resolutions: Mapping[str, Mapping[str, Resolution]],
        dry_run: bool,
    ) -> Sequence[Plan]:
        actor.require(WRITE)
        also, found, wrong = tuple(one.key for one in definitions), [], list[Fault]()
        # In one order for everybody: two who promote the same types must not wait in a circle.
        for definition in sorted(definitions, key=lambda one: one.key):
            chosen = resolutions.get(definition.key, {})
            try:
                found.append(await self._promoted(uow, actor, definition, also, chosen, dry_run=dry_run))
            except Invalid as error:
                wrong += [
                    Fault(f"/{definition.key}{fault.pointer}", fault.code, fault.detail)
                    for fault in error.faults
                ]
        refuse(wrong)
        return found

    async def _promoted(
        self,
        uow: UnitOfWork,
        actor: Actor,
        definition: Definition,
        also: tuple[str, ...],
        chosen: Mapping[str, Resolution],
        *,
        dry_run: bool,
    ) -> Plan:
        record = await uow.repository(ContentTypeRepository).get(definition.key)
        if record is None and dry_run:
            await check(uow, definition, also)
            return plans.created(definition.key)
        if record is None:
            await self._made(uow, actor, definition, also=also)
            return plans.created(definition.key)
        after = await checked(uow, record, definition, also=also)
        if dry_run:
            return (await planned(uow, record, after, chosen))[0]
        return (await self._apply(uow, actor, record, after, chosen)).plan

    async def _found(self, uow: UnitOfWork, key: str) -> TypeRecord:
        record = await uow.repository(ContentTypeRepository).get(key)
        if record is None:
            raise TypeNotFound(key)
        return record

    async def _made(
        self, uow: UnitOfWork, actor: Actor, definition: Definition, *, also: tuple[str, ...]
    ) -> TypeRecord:
        types = uow.repository(ContentTypeRepository)
        await check(uow, definition, also)
        definition = msgspec.structs.replace(definition, fields=with_ids(definition.fields))
        now = self._clock.now()
        record = TypeRecord(
            id=new_id(),
            key=definition.key,
            version=1,
            definition=definition,
            conversions={},
            migration_id=None,
            created_at=now,
            updated_at=now,
            created_by=actor.user_id,
            updated_by=actor.user_id,
        )
        await types.add(record)
        await types.add_revision(record, plans.created(record.key).changes)
        if await types.set_indexes(record.key, specs_of(definition)):
            await self._jobs.start(uow, actor, kind=INDEXING, params={"type": record.key})
        uow.record(TypeCreated(subject=record.id, key=record.key, version=1).by(actor))
        stored = await types.get(record.key)
        return stored or record

    async def _changed(self, uow: UnitOfWork, record: TypeRecord, changes: TypeChanges) -> Definition:
        given = {
            name: value
            for name in ("name", "description", "title_field", "path", "fields")
            if (value := getattr(changes, name)) is not UNSET
        }
        return await checked(uow, record, msgspec.structs.replace(record.definition, **given))

    async def _apply(
        self,
        uow: UnitOfWork,
        actor: Actor,
        record: TypeRecord,
        after: Definition,
        resolutions: Mapping[str, Resolution],
    ) -> Applied:
        plan, conversions = await planned(uow, record, after, resolutions)
        if not plan.changes:
            return Applied(type=view(record), plan=plan, job=None)
        if record.migration_id is not None:
            raise TypeMigrating(record.migration_id, is_over=await self._is_over(record.migration_id))
        if not plan.is_applicable:
            first = next(one for one in plan.changes if not one.is_safe and one.resolution is None)
            raise UnsafeChange(f"“{first.field}”: {first.detail}", msgspec.to_builtins(plan))
        job: JobView | None = None
        if conversions or record.definition.searched() != after.searched():
            job = await self._migration(uow, actor, record)
        changed = self._next(
            actor,
            record,
            definition=after,
            conversions=conversions,
            migration_id=job.id if job else None,
        )
        await self._store(uow, actor, record.definition, changed, plan)
        stored = await uow.repository(ContentTypeRepository).get(record.key)
        return Applied(type=view(stored or changed), plan=plan, job=job)

    def _next(self, actor: Actor, record: TypeRecord, **values: Any) -> TypeRecord:
        """The type at its next version."""
        return msgspec.structs.replace(
            record,
            version=record.version + 1,
            updated_at=self._clock.now(),
            updated_by=actor.user_id,
            **values,
        )

    async def _migration(self, uow: UnitOfWork, actor: Actor, record: TypeRecord) -> JobView:
        """The job by which documents follow the type's next version."""
        params = {"type": record.key, "version": record.version + 1}
        return await self._jobs.start(uow, actor, kind=MIGRATION, params=params)

    async def _is_over(self, job_id: UUID) -> bool:
        """Whether a migration that has not come to its end has ended all the same."""
        try:
            return (await self._jobs.get(SYSTEM, job_id)).state not in ("queued", "running")
        except NotFound:
            return True

    async def _store(
        self, uow: UnitOfWork, actor: Actor, before: Definition, record: TypeRecord, plan: Plan
    ) -> None:
        """Store a changed type, and what of its documents follows at once."""
        types = uow.repository(ContentTypeRepository)
        await types.save(record)
        await types.add_revision(record, plan.changes)
        await self._following.follow(uow, before, record)
        if await types.set_indexes(record.key, specs_of(record.definition)):
            await self._jobs.start(uow, actor, kind=INDEXING, params={"type": record.key})
        actions = tuple(dict.fromkeys(change.action for change in plan.changes))
        uow.record(
            TypeUpdated(subject=record.id, key=record.key, version=record.version, actions=actions).by(actor)
        )

"""Deciding about content types."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET

from cms_api.domains.cms.content_types import plans
from cms_api.domains.cms.content_types.compiling import checked_default
from cms_api.domains.cms.content_types.conversions import Resolution
from cms_api.domains.cms.content_types.definition import Definition, faults_of, with_ids
from cms_api.domains.cms.content_types.errors import (
    TypeInUse,
    TypeMigrating,
    TypeNotFound,
    UnsafeChange,
)
from cms_api.domains.cms.content_types.events import TypeCreated, TypeDeleted, TypeUpdated
from cms_api.domains.cms.content_types.fields import walk
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
    ModelledDocuments,
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
MAX_REVISIONS = 1_000


class ContentTypes(ContentTypeService):
    """The service of content types."""

    def __init__(self, *, clock: Clock, queries: ContentTypeQueries, jobs: JobService) -> None:
        self._clock = clock
        self._queries = queries
        self._jobs = jobs

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

    async def revisions(self, actor: Actor, key: str) -> Sequence[TypeRevision]:
        actor.require(READ)
        if (record := await self._queries.get(key)) is None:
            raise TypeNotFound(key)
        return await self._queries.revisions(record.id, MAX_REVISIONS)

    async def plan(self, uow: UnitOfWork, actor: Actor, key: str, changes: TypeChanges) -> Plan:
        actor.require(WRITE)
        record = await self._found(uow, key)
        after = await self._changed(uow, record, changes)
        plan, _, _ = await planned(uow, record, after, changes.resolutions)
        return plan

    async def update(
        self, uow: UnitOfWork, actor: Actor, key: str, changes: TypeChanges, *, expected: int | None
    ) -> Applied:
        actor.require(WRITE)
        record = await self._found(uow, key)
        check_version(record.version, expected)
        after = await self._changed(uow, record, changes)
        return await self._apply(uow, actor, record, after, changes.resolutions)

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
            await self._check(uow, definition, also)
            return plans.created(definition.key)
        if record is None:
            await self._made(uow, actor, definition, also=also)
            return plans.created(definition.key)
        after = await self._checked(uow, record, definition, also=also)
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
        await self._check(uow, definition, also)
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
            for name in ("name", "description", "title_field", "fields")
            if (value := getattr(changes, name)) is not UNSET
        }
        return await self._checked(uow, record, msgspec.structs.replace(record.definition, **given), also=())

    async def _checked(
        self, uow: UnitOfWork, record: TypeRecord, after: Definition, *, also: tuple[str, ...]
    ) -> Definition:
        """The definition with ids. Raises `Invalid` with every fault."""
        before = record.definition
        await self._check(uow, after, also)
        after = msgspec.structs.replace(after, fields=with_ids(after.fields, before.fields))
        wrong = list(plans.type_faults(before, after))
        if after.singleton != before.singleton:
            wrong.append(Fault("/singleton", "not_here", "A type is a singleton from the start, or never."))
        refuse(wrong)
        return after

    async def _check(self, uow: UnitOfWork, definition: Definition, also: tuple[str, ...]) -> None:
        there = await uow.repository(ContentTypeRepository).known(definition.points_at() - {definition.key})
        wrong = list(faults_of(definition, {*there, *also}))
        for place, field in enumerate(definition.fields):
            if not wrong:
                wrong += [
                    Fault(f"/fields/{place}{fault.pointer}", fault.code, fault.detail)
                    for one in walk((field,))
                    for fault in checked_default(one)
                ]
        refuse(wrong)

    async def _apply(
        self,
        uow: UnitOfWork,
        actor: Actor,
        record: TypeRecord,
        after: Definition,
        resolutions: Mapping[str, Resolution],
    ) -> Applied:
        plan, conversions, anew = await planned(uow, record, after, resolutions)
        if not plan.changes:
            return Applied(type=view(record), plan=plan, job=None)
        if await self._is_migrating(record):
            raise TypeMigrating(str(record.migration_id))
        if not plan.is_applicable:
            first = next(one for one in plan.changes if not one.is_safe and one.resolution is None)
            raise UnsafeChange(f"“{first.field}”: {first.detail}", msgspec.to_builtins(plan))
        job: JobView | None = None
        if (
            conversions
            or record.conversions
            or (anew and await uow.repository(ModelledDocuments).count(record.key))
        ):
            params = {"type": record.key, "version": record.version + 1}
            job = await self._jobs.start(uow, actor, kind=MIGRATION, params=params)
        changed = msgspec.structs.replace(
            record,
            version=record.version + 1,
            definition=after,
            conversions={**record.conversions, **conversions},
            migration_id=job.id if job else None,
            updated_at=self._clock.now(),
            updated_by=actor.user_id,
        )
        await self._store(uow, actor, record.definition, changed, plan)
        stored = await uow.repository(ContentTypeRepository).get(record.key)
        return Applied(type=view(stored or changed), plan=plan, job=job)

    async def _is_migrating(self, record: TypeRecord) -> bool:
        """Whether documents still follow the last change; a job that failed left some behind, and is over."""
        if record.migration_id is None:
            return False
        try:
            return (await self._jobs.get(SYSTEM, record.migration_id)).state in ("queued", "running")
        except NotFound:
            return False

    async def _store(
        self, uow: UnitOfWork, actor: Actor, before: Definition, record: TypeRecord, plan: Plan
    ) -> None:
        """Store a changed type, and what of its documents follows at once."""
        types, documents = uow.repository(ContentTypeRepository), uow.repository(ModelledDocuments)
        await types.save(record)
        await types.add_revision(record, plan.changes)
        if changed := plans.policies(before, record.definition):
            await documents.set_policies(record.key, changed)
        title, had = record.definition.title, before.title
        if (title and title.id) != (had and had.id):
            await documents.set_titles(record.key, title.id if title else None)
        if await types.set_indexes(record.key, specs_of(record.definition)):
            await self._jobs.start(uow, actor, kind=INDEXING, params={"type": record.key})
        actions = tuple(dict.fromkeys(change.action for change in plan.changes))
        uow.record(
            TypeUpdated(subject=record.id, key=record.key, version=record.version, actions=actions).by(actor)
        )

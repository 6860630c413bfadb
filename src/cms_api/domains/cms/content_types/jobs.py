"""What changes of types leave for later: documents that follow, and indexes that are built."""

from typing import ClassVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.content_types.events import TypeMigrated
from cms_api.domains.cms.content_types.ports import ContentTypeRepository, FieldIndexes, ModelledDocuments
from cms_api.domains.cms.content_types.service import INDEXING, MIGRATION
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.jobs.api import JobHandler, JobState, Step
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.unit_of_work import UnitOfWork

AT_ONCE = 20


class MigrationHandler(JobHandler):
    """Has the documents of a type follow its change, some at a time; until then they are shown as if they had."""

    kind: ClassVar[str] = MIGRATION

    def __init__(self, *, clock: Clock, types: DocumentTypes) -> None:
        self._clock = clock
        self._types = types

    async def step(self, uow: UnitOfWork, actor: Actor, job: JobState) -> Step:
        """Go on behind the document that the last step ended with."""
        key = str(job.params["type"])
        service = await self._types.entries(key)
        documents = uow.repository(ModelledDocuments)
        after = UUID(job.cursor[0]) if job.cursor else None
        total = await documents.count(key) if after is None else None
        rows = await documents.batch(key, after, AT_ONCE)
        changed = int((job.result or {}).get("changed", 0))
        for row in rows:
            changed += await service.follow(uow, actor, row.id)
        finished = len(rows) < AT_ONCE
        if finished:
            await self._finish(uow, actor, key, job.id)
        return Step(
            cursor=None if finished else [str(rows[-1].id)],
            done=job.done + len(rows),
            total=total,
            result={"changed": changed},
            finished=finished,
        )

    async def _finish(self, uow: UnitOfWork, actor: Actor, key: str, job_id: UUID) -> None:
        """All follow: there is nothing left to be made into something else."""
        types = uow.repository(ContentTypeRepository)
        record = await types.get(key)
        if record is None or record.migration_id != job_id:
            return
        done = msgspec.structs.replace(
            record,
            version=record.version + 1,
            conversions={},
            migration_id=None,
            updated_at=self._clock.now(),
            updated_by=actor.user_id,
        )
        await types.save(done)
        await types.add_revision(done, ())
        uow.record(TypeMigrated(subject=done.id, key=key, version=done.version).by(actor))


class IndexHandler(JobHandler):
    """Has the indexes of a type's fields built or dropped."""

    kind: ClassVar[str] = INDEXING

    def __init__(self, *, indexes: FieldIndexes) -> None:
        self._indexes = indexes

    async def prepare(self, job: JobState) -> None:
        """All of them, in no transaction, for which they would wait; what is there already is left alone."""
        await self._indexes.settle(str(job.params["type"]))

    async def step(self, uow: UnitOfWork, actor: Actor, job: JobState) -> Step:
        """They are settled."""
        del uow, actor, job
        return Step(cursor=None, done=1, total=1, result=None, finished=True)

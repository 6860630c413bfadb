"""The ports of revisions and of retention, without a database."""

import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.model import ContentType
from cms_api.domains.cms.retention.interface import RetentionPolicy
from cms_api.domains.cms.retention.ports import (
    Purged,
    RetentionQueries,
    RetentionRepository,
    TrashedDocument,
)
from cms_api.domains.cms.revisions.interface import Ref, RevisionDetail, RevisionView
from cms_api.domains.cms.revisions.model import Revision
from cms_api.domains.cms.revisions.ports import RevisionQueries, RevisionRepository
from cms_api.querying import Page, PageRequest

if TYPE_CHECKING:
    from tests.fakes_cms import Store

C = TypeVar("C", bound=Content)

REVISIONS_AT_ONCE = 1_000


def _values(store: "Store", revision_id: UUID) -> dict[str, Any]:
    row = store.revisions[revision_id]
    document = store.documents[row.document]
    return {
        "id": revision_id,
        "document_id": row.document,
        "document_version": row.document_version,
        "is_draft": revision_id == document.draft_revision_id,
        "is_live": revision_id == document.live_revision_id,
        "label": row.label,
        "is_pinned": row.is_pinned,
        "changed": row.changed,
        "restored_from": row.restored_from,
        "size": len(row.content.encoded()),
        "published_at": row.published_at,
        "created_at": row.at,
        "created_by": row.by,
        "version": row.version,
    }


class FakeRevisions(RevisionRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, document_id: UUID, revision_id: UUID) -> Revision | None:
        row = self._store.revisions.get(revision_id)
        if row is None or row.document != document_id:
            return None
        return Revision(**_values(self._store, revision_id))

    async def save(self, revision: Revision) -> None:
        row = self._store.revisions[revision.id]
        self._store.revisions[revision.id] = msgspec.structs.replace(
            row, label=revision.label, is_pinned=revision.is_pinned, version=revision.version
        )


class FakeRevisionQueries(RevisionQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def list(self, type: str, document_id: UUID, page: PageRequest) -> Page[RevisionView] | None:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - that module knows this one

        document = self._store.documents.get(document_id)
        if document is None or document.type != type:
            return None
        rows = [
            RevisionView(**_values(self._store, one))
            for one, row in self._store.revisions.items()
            if row.document == document_id
        ]
        return page_of(rows, page, getattr, lambda row: row)

    async def get(
        self, kind: ContentType[C], document_id: UUID, *refs: Ref
    ) -> dict[Ref, RevisionDetail[C]] | None:
        document = self._store.documents.get(document_id)
        if document is None or document.type != kind.key:
            return None
        meant: dict[Ref, UUID | None] = {
            "draft": document.draft_revision_id,
            "live": document.live_revision_id,
        }
        found: dict[Ref, RevisionDetail[C]] = {}
        for ref in refs:
            revision_id = ref if isinstance(ref, UUID) else meant[ref]
            row = self._store.revisions.get(revision_id) if revision_id else None
            if revision_id is not None and row is not None and row.document == document_id:
                content: Any = row.content
                found[ref] = RevisionDetail(**_values(self._store, revision_id), content=content)
        return found


class FakeRetention(RetentionRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, type: str) -> RetentionPolicy | None:
        return self._store.policies.get(type)

    async def save(self, policy: RetentionPolicy) -> None:
        self._store.policies[policy.type] = policy

    async def purge_revisions(
        self, type: str, *, keep: int | None, before: datetime | None, after: UUID | None, limit: int
    ) -> Purged:
        store = self._store
        seen = sorted(
            one for one, row in store.documents.items() if row.type == type and (after is None or one > after)
        )[:limit]
        surplus = []
        scheduled = {row.revision_id for row in store.schedules.values() if row.state == "pending"}
        for one in seen:
            document = store.documents[one]
            mine = sorted((key for key, row in store.revisions.items() if row.document == one), reverse=True)
            for place, key in enumerate(mine, start=1):
                row = store.revisions[key]
                is_over = (keep is not None and place > keep) or (before is not None and row.at < before)
                is_kept = (
                    row.is_pinned
                    or row.label is not None
                    or row.published_at is not None
                    or key in scheduled
                    or key in (document.draft_revision_id, document.live_revision_id)
                )
                if is_over and not is_kept:
                    surplus.append((one, key))
        numbers: dict[UUID, int] = {}
        for one, key in sorted(surplus)[:REVISIONS_AT_ONCE]:
            del store.revisions[key]
            numbers[one] = numbers.get(one, 0) + 1
        return Purged(
            numbers=numbers,
            last=seen[-1] if seen else None,
            is_full=sum(numbers.values()) == REVISIONS_AT_ONCE,
        )

    async def overdue_trash(
        self, type: str, *, before: datetime, limit: int, after: TrashedDocument | None = None
    ) -> list[TrashedDocument]:
        store = self._store
        used = {
            link.target
            for key, links in store.links.items()
            for link in links
            if link.target != key[0] and link.on_delete == "restrict"
        }
        overdue = [
            (row.trashed_at, row.id)
            for row in store.documents.values()
            if row.type == type
            and row.trashed_at is not None
            and row.trashed_at < before
            and row.id not in used
            and (after is None or (row.trashed_at, row.id) > (after.trashed_at, after.id))
        ]
        return [TrashedDocument(one, trashed_at) for trashed_at, one in sorted(overdue)[:limit]]


class FakeRetentionQueries(RetentionQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def list(self) -> list[RetentionPolicy]:
        return copy.copy([self._store.policies[key] for key in sorted(self._store.policies)])

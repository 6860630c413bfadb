"""The ports of locks, of presence, and of documents without their contents, on the store."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from cms_api.domains.cms.documents.subjects import Subject, SubjectQueries, SubjectRepository
from cms_api.domains.cms.locks.model import EditLock, Presence
from cms_api.domains.cms.locks.ports import (
    MAX_PRESENT,
    LockQueries,
    LockRepository,
    PresenceRepository,
    Present,
)

if TYPE_CHECKING:
    from tests.fakes_cms import Store


def repositories(store: "Store") -> dict[type, object]:
    return {
        SubjectRepository: FakeSubjects(store),
        LockRepository: FakeLocks(store),
        PresenceRepository: FakePresences(store),
    }


def subject(store: "Store", kind: str, document_id: UUID) -> Subject | None:
    row = store.documents.get(document_id)
    if row is None or row.type != kind:
        return None
    links = store.links.get((document_id, False), ())
    named = {link.target for link in links if link.field == "authors"}
    owners = {store.authors[one].user_id for one in named if one in store.authors} | {row.created_by}
    return Subject(
        id=document_id,
        type=kind,
        is_live=row.is_live,
        is_archived=row.archived_at is not None,
        is_trashed=row.trashed_at is not None,
        owners=frozenset(one for one in owners if one is not None),
    )


class FakeSubjects(SubjectRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, kind: str, document_id: UUID, *, alone: bool = False) -> Subject | None:
        del alone
        return subject(self._store, kind, document_id)


class FakeSubjectQueries(SubjectQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, kind: str, document_id: UUID) -> Subject | None:
        return subject(self._store, kind, document_id)


class FakeLocks(LockRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, document_id: UUID) -> EditLock | None:
        return self._store.locks.get(document_id)

    async def put(self, lock: EditLock, *, over: UUID | None = None) -> bool:
        there = self._store.locks.get(lock.document_id)
        if there is not None and there.is_held(lock.refreshed_at) and there.user_id != over:
            return False
        self._store.locks[lock.document_id] = lock
        return True

    async def delete(self, document_id: UUID, user_id: UUID) -> None:
        there = self._store.locks.get(document_id)
        if there is not None and there.user_id == user_id:
            del self._store.locks[document_id]

    async def purge(self, *, at: datetime, limit: int) -> int:
        gone = [one for one, lock in self._store.locks.items() if not lock.is_held(at)][:limit]
        for one in gone:
            del self._store.locks[one]
        return len(gone)


class FakePresences(PresenceRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def put(self, presence: Presence) -> None:
        key = (presence.document_id, presence.user_id)
        there = self._store.presences.get(key)
        if there is not None and there.expires_at > presence.seen_at:
            presence = replace(presence, since=there.since)
        self._store.presences[key] = presence

    async def delete(self, document_id: UUID, user_id: UUID) -> None:
        self._store.presences.pop((document_id, user_id), None)

    async def present(self, document_id: UUID, *, at: datetime) -> list[Present]:
        return present(self._store, document_id, at)[:MAX_PRESENT]

    async def purge(self, *, at: datetime, limit: int) -> int:
        gone = [key for key, one in self._store.presences.items() if one.expires_at <= at][:limit]
        for key in gone:
            del self._store.presences[key]
        return len(gone)


def present(store: "Store", document_id: UUID, at: datetime) -> list[Present]:
    lock = store.locks.get(document_id)
    editor = lock.user_id if lock is not None and lock.is_held(at) else None
    there = [
        one for one in store.presences.values() if one.document_id == document_id and one.expires_at > at
    ]
    there.sort(key=lambda one: (one.since, one.user_id))
    return [Present(user_id=one.user_id, since=one.since, is_editing=one.user_id == editor) for one in there]


class FakeLockQueries(LockQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def of(self, document_ids: Collection[UUID], *, at: datetime) -> dict[UUID, EditLock]:
        locks = self._store.locks
        return {one: locks[one] for one in document_ids if one in locks and locks[one].is_held(at)}

    async def present(self, document_id: UUID, *, at: datetime) -> list[Present]:
        return present(self._store, document_id, at)

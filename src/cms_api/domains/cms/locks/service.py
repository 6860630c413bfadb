"""Deciding about locks and presence."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.subjects import Subject, SubjectQueries, SubjectRepository
from cms_api.domains.cms.locks.errors import Locked, NotLocked
from cms_api.domains.cms.locks.events import DocumentLocked, DocumentUnlocked, LockEvent, LockTakenOver
from cms_api.domains.cms.locks.interface import LockService, LockView, PresenceService, PresenceView
from cms_api.domains.cms.locks.model import EditLock, Presence
from cms_api.domains.cms.locks.ports import LockQueries, LockRepository, PresenceRepository, Present
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest
from cms_api.querying.evaluating import page_of

PURGE_BATCH = 500


class Locks(LockService):
    """The service of locks. ``ttl`` is in seconds."""

    def __init__(
        self,
        *,
        clock: Clock,
        queries: LockQueries,
        subjects: SubjectQueries,
        users: UserService,
        ttl: int,
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._subjects = subjects
        self._users = users
        self._ttl = ttl

    async def take(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, *, take_over: bool = False
    ) -> LockView:
        user_id = _user(actor)
        document = await _kept(uow, actor, kind, document_id)
        policy.require(actor, policy.EDIT, owners=document.owners)
        document.require_untrashed()
        lock, event = await self._took(uow, document, user_id, take_over=take_over)
        if event is not None:
            uow.record(event.by(actor))
        names = await self._users.find_by_ids(uow, [user_id])
        return self._view(lock, names[user_id].name if user_id in names else None)

    async def _took(
        self, uow: UnitOfWork, document: Subject, user_id: UUID, *, take_over: bool
    ) -> tuple[EditLock, LockEvent | None]:
        """The lock that is the user's now, and what happened; nothing did where it was hers before."""
        locks = uow.repository(LockRepository)
        there = await locks.get(document.id)
        now, ttl = self._clock.now(), timedelta(seconds=self._ttl)
        held = there if there is not None and there.is_held(now) else None
        event: LockEvent | None = None
        if held is None:
            lock = EditLock.take(document.id, user_id, at=now, ttl=ttl)
            event = DocumentLocked(subject=document.id, type=document.type)
        elif held.user_id == user_id:
            lock = held.renewed(at=now, ttl=ttl)
        elif take_over:
            lock = EditLock.take(document.id, user_id, at=now, ttl=ttl)
            event = LockTakenOver(subject=document.id, type=document.type, previous=held.user_id)
        else:
            raise await self._locked(uow, held)
        if await locks.put(lock, over=held.user_id if held else None):
            return lock, event
        # Somebody was faster where there had been no lock. Now there is one, and it is kept as it is.
        return await self._took(uow, document, user_id, take_over=take_over)

    async def get(self, actor: Actor, kind: str, document_id: UUID) -> LockView:
        actor.require(policy.READ)
        if await self._subjects.get(kind, document_id) is None:
            raise DocumentNotFound
        held = await self._queries.of([document_id], at=self._clock.now())
        if (lock := held.get(document_id)) is None:
            raise NotLocked
        names = await self._users.summaries([lock.user_id])
        return self._view(lock, names[lock.user_id].name if lock.user_id in names else None)

    async def release(self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID) -> None:
        user_id = _user(actor)
        document = await _kept(uow, actor, kind, document_id)
        locks = uow.repository(LockRepository)
        lock = await locks.get(document_id)
        if lock is None or not lock.is_held(self._clock.now()):
            return
        if lock.user_id != user_id:
            raise await self._locked(uow, lock)
        await locks.delete(document_id, user_id)
        uow.record(DocumentUnlocked(subject=document_id, type=document.type).by(actor))

    async def purge_expired(self, new_uow: Callable[[], UnitOfWork]) -> int:
        now, total = self._clock.now(), 0
        while True:
            async with new_uow() as uow:
                number = await uow.repository(LockRepository).purge(at=now, limit=PURGE_BATCH)
                number += await uow.repository(PresenceRepository).purge(at=now, limit=PURGE_BATCH)
            total += number
            if number == 0:
                return total

    async def _locked(self, uow: UnitOfWork, lock: EditLock) -> Locked:
        names = await self._users.find_by_ids(uow, [lock.user_id])
        return Locked(
            lock.user_id, names[lock.user_id].name if lock.user_id in names else None, lock.expires_at
        )

    def _view(self, lock: EditLock, name: str | None) -> LockView:
        return LockView(
            document_id=lock.document_id,
            user_id=lock.user_id,
            user_name=name,
            acquired_at=lock.acquired_at,
            refreshed_at=lock.refreshed_at,
            expires_at=lock.expires_at,
            ttl=self._ttl,
        )


class Presences(PresenceService):
    """The service of presence. ``ttl`` is in seconds."""

    def __init__(
        self,
        *,
        clock: Clock,
        queries: LockQueries,
        subjects: SubjectQueries,
        users: UserService,
        ttl: int,
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._subjects = subjects
        self._users = users
        self._ttl = ttl

    async def appear(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID
    ) -> tuple[PresenceView, ...]:
        user_id = _user(actor)
        await _kept(uow, actor, kind, document_id)
        now = self._clock.now()
        presences = uow.repository(PresenceRepository)
        await presences.put(
            Presence(
                document_id=document_id,
                user_id=user_id,
                since=now,
                seen_at=now,
                expires_at=now + timedelta(seconds=self._ttl),
            )
        )
        found = await presences.present(document_id, at=now)
        names = await self._users.find_by_ids(uow, [one.user_id for one in found])
        return _shown(found, {one: user.name for one, user in names.items()})

    async def list(self, actor: Actor, kind: str, document_id: UUID, page: PageRequest) -> Page[PresenceView]:
        actor.require(policy.READ)
        if await self._subjects.get(kind, document_id) is None:
            raise DocumentNotFound
        found = await self._queries.present(document_id, at=self._clock.now())
        names = await self._users.summaries([one.user_id for one in found])
        shown = _shown(found, {one: user.name for one, user in names.items()})
        return page_of(shown, page, key="user_id")

    async def leave(self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID) -> None:
        user_id = _user(actor)
        await _kept(uow, actor, kind, document_id)
        await uow.repository(PresenceRepository).delete(document_id, user_id)


def _user(actor: Actor) -> UUID:
    """The user behind the actor: a lock is somebody's. Raises `Unauthenticated`, `Forbidden`."""
    actor.require(policy.READ)
    return actor.require_user()


async def _kept(uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID) -> Subject:
    """The document, kept as it is until the unit of work ends. Raises `DocumentNotFound`."""
    actor.require(policy.READ)
    document = await uow.repository(SubjectRepository).get(kind, document_id)
    if document is None:
        raise DocumentNotFound
    return document


def _shown(found: list[Present], names: dict[UUID, str]) -> tuple[PresenceView, ...]:
    return tuple(
        PresenceView(
            user_id=one.user_id,
            user_name=names.get(one.user_id),
            since=one.since,
            is_editing=one.is_editing,
        )
        for one in found
    )

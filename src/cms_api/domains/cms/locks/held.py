"""The locks that documents show."""

from collections.abc import Iterable
from uuid import UUID

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.locks.interface import HeldLocks, LockSummary
from cms_api.domains.cms.locks.ports import LockQueries
from cms_api.kernel.clock import Clock


class LocksNow(HeldLocks):
    """What is held at this moment, with names."""

    def __init__(self, *, clock: Clock, queries: LockQueries, users: UserService) -> None:
        self._clock = clock
        self._queries = queries
        self._users = users

    async def of(self, document_ids: Iterable[UUID]) -> dict[UUID, LockSummary]:
        ids = tuple(document_ids)
        if not ids:
            return {}
        held = await self._queries.of(ids, at=self._clock.now())
        if not held:
            return {}
        users = await self._users.summaries({lock.user_id for lock in held.values()})
        return {
            document_id: LockSummary(
                user_id=lock.user_id,
                user_name=users[lock.user_id].name if lock.user_id in users else None,
                expires_at=lock.expires_at,
            )
            for document_id, lock in held.items()
        }

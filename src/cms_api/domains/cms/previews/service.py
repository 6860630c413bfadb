"""Previews: drafts are published in a transaction that is rolled back once it was read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.access import may_look
from cms_api.domains.cms.documents.errors import AddressTaken, DocumentNotFound
from cms_api.domains.cms.documents.interface import DocumentService
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.previews.errors import PreviewNotFound, PreviewTokenRevoked
from cms_api.domains.cms.previews.interface import (
    DEFAULT_LIFETIME,
    MAX_DOCUMENTS,
    MAX_LIFETIME,
    MIN_LIFETIME,
    IssuedPreview,
    PreviewService,
    PreviewView,
)
from cms_api.domains.cms.previews.model import Preview
from cms_api.domains.cms.previews.policy import MANAGE
from cms_api.domains.cms.previews.ports import Draft, PreviewQueries, PreviewRepository, PreviewStage
from cms_api.domains.cms.previews.tokens import PreviewTokens
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Faults, Invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Comparison, Condition, Page, PageRequest, all_of

P = TypeVar("P", Preview, PreviewView)

# How many previews one worker makes at once: each takes a connection from those of editors.
AT_ONCE = 2
# In seconds: how long a request waits for its turn and for its answer.
PATIENCE = 10.0
PURGE_BATCH = 1_000


class _TakenBack(Exception):
    """Ends a transaction whose work nobody is to see."""


def view(preview: Preview) -> PreviewView:
    """The preview, as others may see it."""
    return msgspec.convert(preview, PreviewView, from_attributes=True)


class Previews(PreviewService):
    """The service of previews."""

    def __init__(
        self,
        *,
        clock: Clock,
        tokens: PreviewTokens,
        queries: PreviewQueries,
        types: DocumentTypes,
        new_uow: Callable[[], UnitOfWork],
    ) -> None:
        self._clock = clock
        self._tokens = tokens
        self._queries = queries
        self._types = types
        self._new_uow = new_uow
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def create(
        self, uow: UnitOfWork, actor: Actor, documents: Sequence[UUID], *, lifetime: int
    ) -> IssuedPreview:
        actor.require(policy.READ)
        wanted = tuple(dict.fromkeys(documents))
        faults = Faults()
        if not 1 <= len(wanted) <= MAX_DOCUMENTS:
            faults.note(Fault("/documents", "length", f"Name 1 to {MAX_DOCUMENTS} documents."))
        if not MIN_LIFETIME <= lifetime <= MAX_LIFETIME:
            detail = f"This is a number of seconds from {MIN_LIFETIME} to {MAX_LIFETIME:,}."
            faults.note(Fault("/expires_in", "range", detail))
        faults.refuse()
        there = {draft.id for draft in await self._queries.drafts(wanted)}
        missing = tuple(
            Fault(
                f"/documents/{index}", "unknown_reference", "There is no document with this id to be shown."
            )
            for index, document in enumerate(documents)
            if document not in there
        )
        if missing:
            raise Invalid("Some documents can't be shown.", faults=missing)
        preview, created = Preview.make(wanted, by=actor.user_id, at=self._clock.now(), lifetime=lifetime)
        await uow.repository(PreviewRepository).add(preview)
        uow.record(created)
        token = self._tokens.seal(preview.id, preview.expires_at)
        return IssuedPreview(**msgspec.structs.asdict(view(preview)), token=token)

    async def create_for(
        self,
        uow: UnitOfWork,
        actor: Actor,
        type: str,
        document: UUID,
        *,
        lifetime: int = DEFAULT_LIFETIME,
    ) -> IssuedPreview:
        may_look(actor)
        if [draft.type for draft in await self._queries.drafts([document])] != [type]:
            raise DocumentNotFound
        return await self.create(uow, actor, [document], lifetime=lifetime)

    async def get(self, actor: Actor, preview_id: UUID) -> PreviewView:
        actor.require_known()
        return self._at_hand(actor, await self._queries.get(preview_id))

    async def list(self, actor: Actor, page: PageRequest) -> Page[PreviewView]:
        actor.require_known()
        conditions: tuple[Condition, ...] = (Comparison("expires_at", "gt", (self._clock.now(),)),)
        if not actor.may(MANAGE):
            conditions += (Comparison("created_by", "eq", (actor.user_id,)),)
        return await self._queries.list(page.narrowed(all_of(*conditions)))

    async def revoke(self, uow: UnitOfWork, actor: Actor, preview_id: UUID) -> None:
        actor.require_known()
        previews = uow.repository(PreviewRepository)
        preview = self._at_hand(actor, await previews.get(preview_id))
        await previews.delete(preview.id)
        uow.record(preview.revoked().by(actor))

    def _at_hand(self, actor: Actor, found: P | None) -> P:
        """The preview, if it still holds and the actor may see it. Raises `PreviewNotFound`."""
        if found is None or found.expires_at <= self._clock.now():
            raise PreviewNotFound
        if not actor.owns(found.created_by) and not actor.may(MANAGE):
            raise PreviewNotFound
        return found

    async def purge_expired(self, new_uow: Callable[[], UnitOfWork]) -> int:
        now, total = self._clock.now(), 0
        while True:
            async with new_uow() as uow:
                number = await uow.repository(PreviewRepository).purge(at=now, limit=PURGE_BATCH)
            total += number
            if number < PURGE_BATCH:
                return total

    @asynccontextmanager
    async def showing(self, token: str) -> AsyncIterator[None]:
        # Before it takes a turn, which others wait for: who has no preview needs none.
        staged = await self._queries.staged(self._tokens.open(token, self._clock.now()))
        if staged is None:
            raise PreviewTokenRevoked
        # All in all, so that no lock is held for long whatever happens.
        async with asyncio.timeout(PATIENCE), self._turns:
            with suppress(_TakenBack):
                async with self._new_uow() as uow:
                    async with uow.repository(PreviewStage).reading():
                        await self._publish(uow, staged.drafts, staged.at)
                        yield
                    raise _TakenBack

    async def _publish(self, uow: UnitOfWork, found: Sequence[Draft], at: datetime) -> None:
        """Put all drafts live, each after those that must make room for it. Raises as publishing does.

        What went to the trash or the archive meanwhile is left out. The time of publishing is ``at`` in
        each request: a cursor on a list of the newest must be good in the next one, too.
        """
        services = await self._types.services({draft.type for draft in found})
        # Types first, then documents in the order of their ids: so everybody locks.
        for key in sorted(services):
            await services[key].hold(uow)
            await services[key].hold_addresses(uow)
        await uow.repository(PreviewStage).hold([draft.id for draft in found])
        # A type may have been deleted in between, and its documents with it.
        left = [(draft, services[draft.type]) for draft in found if draft.type in services]
        while left:
            later: list[tuple[Draft, DocumentService[Any, Any]]] = []
            for draft, service in left:
                try:
                    async with uow.savepoint():
                        await service.show_draft(uow, draft.id, at=at)
                # Somebody else's draft may be in the way, or a page that is yet to move.
                except (AddressTaken, Invalid):
                    later.append((draft, service))
                    if len(later) == len(left):
                        raise
            left = later

"""Previews: drafts are published in a transaction that is rolled back once it was read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from cms_api.domains.cms.content_types.errors import TypeNotFound
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.access import may_look
from cms_api.domains.cms.documents.errors import AddressTaken, DocumentNotFound
from cms_api.domains.cms.documents.interface import DocumentService
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.previews.interface import (
    DEFAULT_LIFETIME,
    MAX_DOCUMENTS,
    MAX_LIFETIME,
    MIN_LIFETIME,
    Preview,
    PreviewService,
)
from cms_api.domains.cms.previews.ports import Draft, PreviewQueries, PreviewStage
from cms_api.domains.cms.previews.tokens import PreviewTokens
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Fault, Faults, Invalid
from cms_api.kernel.unit_of_work import UnitOfWork

# How many previews one worker makes at once: each takes a connection from those of editors.
AT_ONCE = 2
# In seconds: how long a request waits for its turn and for its answer.
PATIENCE = 10.0


class _TakenBack(Exception):
    """Ends a transaction whose work nobody is to see."""


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

    async def create(self, actor: Actor, documents: Sequence[UUID], *, lifetime: int) -> Preview:
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
        expires_at = (self._clock.now() + timedelta(seconds=lifetime)).replace(microsecond=0)
        return Preview(token=self._tokens.seal(wanted, expires_at), expires_at=expires_at, documents=wanted)

    async def create_for(
        self, actor: Actor, type: str, document: UUID, *, lifetime: int = DEFAULT_LIFETIME
    ) -> Preview:
        may_look(actor)
        if [draft.type for draft in await self._queries.drafts([document])] != [type]:
            raise DocumentNotFound
        return await self.create(actor, [document], lifetime=lifetime)

    @asynccontextmanager
    async def showing(self, token: str) -> AsyncIterator[None]:
        documents = self._tokens.open(token, self._clock.now())
        # All in all, so that no lock is held for long whatever happens.
        async with asyncio.timeout(PATIENCE), self._turns:
            with suppress(_TakenBack):
                async with self._new_uow() as uow:
                    async with uow.repository(PreviewStage).reading():
                        await self._publish(uow, documents)
                        yield
                    raise _TakenBack

    async def _publish(self, uow: UnitOfWork, documents: Sequence[UUID]) -> None:
        """Put all drafts live, each after those that must make room for it. Raises as publishing does."""
        found = await self._queries.drafts(documents)
        services = {draft.type: await self._service(draft.type) for draft in found}
        # Types first, then documents in the order of their ids: so everybody locks.
        for _, service in sorted(services.items()):
            if service is not None:
                await service.hold(uow)
        await uow.repository(PreviewStage).hold([draft.id for draft in found])
        left = [(draft, service) for draft in found if (service := services[draft.type]) is not None]
        while left:
            later: list[tuple[Draft, DocumentService[Any, Any]]] = []
            for draft, service in left:
                try:
                    async with uow.savepoint():
                        await service.show_draft(uow, draft.id)
                # Somebody else's draft may be in the way, or a page that is yet to move.
                except (AddressTaken, Invalid):
                    later.append((draft, service))
                    if len(later) == len(left):
                        raise
            left = later

    async def _service(self, type: str) -> DocumentService[Any, Any] | None:
        try:
            return await self._types.service(type)
        except TypeNotFound:
            return None  # deleted in between, and its documents with it

"""Moderating what readers say."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from uuid import UUID

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.reader_comments import policy, texts
from cms_api.domains.cms.reader_comments.errors import ReaderCommentNotFound
from cms_api.domains.cms.reader_comments.events import (
    ReaderCommentErased,
    ReaderCommentEvent,
    ReaderCommentsPurged,
)
from cms_api.domains.cms.reader_comments.interface import (
    DeliveredCommentService,
    Moderated,
    ReaderCommentChanges,
    ReaderCommentCounts,
    ReaderCommentService,
    ReaderCommentView,
)
from cms_api.domains.cms.reader_comments.model import ReaderComment, State
from cms_api.domains.cms.reader_comments.ports import (
    CommenterRepository,
    CommentRules,
    DeliveredCommentQueries,
    RateRepository,
    ReaderCommentQueries,
    ReaderCommentRepository,
)
from cms_api.domains.cms.resources import given
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Faults
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest, Selection

# How long the hash of a client's address is kept: as long as a wave of spam is of interest.
CLIENT_DAYS = 30
AT_ONCE = 500


class ReaderComments(ReaderCommentService):
    """The service of moderators."""

    def __init__(self, *, clock: Clock, queries: ReaderCommentQueries, rules: CommentRules) -> None:
        self._clock = clock
        self._queries = queries
        self._rules = rules

    async def list(self, actor: Actor, page: PageRequest) -> Page[ReaderCommentView]:
        actor.require(policy.READ)
        return await self._queries.list(page)

    async def get(self, actor: Actor, comment_id: UUID) -> ReaderCommentView:
        actor.require(policy.READ)
        if (found := await self._queries.get(comment_id)) is None:
            raise ReaderCommentNotFound
        return found

    async def counts(self, actor: Actor) -> ReaderCommentCounts:
        actor.require(policy.READ)
        return await self._queries.counts()

    async def moderate(
        self, uow: UnitOfWork, actor: Actor, comment_id: UUID, state: State, *, expected: int | None
    ) -> ReaderCommentView:
        comment = await self._found(uow, actor, comment_id, expected)
        event = comment.moderate(state, at=self._clock.now(), by=actor.user_id)
        return await self._stored(uow, actor, comment, event)

    async def restore(
        self, uow: UnitOfWork, actor: Actor, comment_id: UUID, *, expected: int | None
    ) -> ReaderCommentView:
        comment = await self._found(uow, actor, comment_id, expected)
        event = comment.restore(at=self._clock.now(), by=actor.user_id)
        return await self._stored(uow, actor, comment, event)

    async def moderate_many(
        self, uow: UnitOfWork, actor: Actor, ids: Sequence[UUID], state: State
    ) -> Moderated:
        actor.require(policy.MODERATE)
        comments, wanted = uow.repository(ReaderCommentRepository), list(dict.fromkeys(ids))
        found = {comment.id: comment for comment in await comments.get_many(wanted)}
        at, changed = self._clock.now(), []
        for comment in found.values():
            if (event := comment.moderate(state, at=at, by=actor.user_id)) is not None:
                changed.append(comment)
                uow.record(event.by(actor))
        if changed:
            await comments.save_states(changed)
        done = {comment.id for comment in changed}
        return Moderated(
            changed=[one for one in wanted if one in done],
            unchanged=[one for one in wanted if one in found and one not in done],
            missing=[one for one in wanted if one not in found],
        )

    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        comment_id: UUID,
        changes: ReaderCommentChanges,
        *,
        expected: int | None,
    ) -> ReaderCommentView:
        comment = await self._found(uow, actor, comment_id, expected)
        checks = {"body": texts.check_body, "author_name": texts.check_name, "author_url": texts.check_url}
        values, faults = given(changes), Faults()
        for name, value in values.items():
            with faults.noted():
                values[name] = checks[name](value) if value is not None else None
        faults.refuse()
        return await self._stored(uow, actor, comment, comment.edit(values, at=self._clock.now()))

    async def delete(self, uow: UnitOfWork, actor: Actor, comment_id: UUID, *, expected: int | None) -> None:
        comment = await self._found(uow, actor, comment_id, expected)
        replies = await uow.repository(ReaderCommentRepository).delete(comment)
        uow.record(comment.deleted(replies).by(actor))

    async def erase(self, uow: UnitOfWork, actor: Actor, email: str) -> int:
        actor.require(policy.MODERATE)
        address = texts.check_email(email)
        erased = await uow.repository(CommenterRepository).erase(address, at=self._clock.now())
        uow.record(
            *(
                ReaderCommentErased(subject=one.id, document_id=one.document_id, version=one.version).by(
                    actor
                )
                for one in erased
            )
        )
        return len(erased)

    async def purge(self, new_uow: Callable[[], UnitOfWork]) -> int:
        rules, at, total = await self._rules.get(), self._clock.now(), 0
        days = {"spam_before": rules.spam_days, "trash_before": rules.trash_days}
        limits = {name: None if n is None else at - timedelta(days=n) for name, n in days.items()}
        is_more = True
        while is_more:
            async with new_uow() as uow:
                gone = await uow.repository(ReaderCommentRepository).purge(**limits, limit=AT_ONCE)
                uow.record(*(ReaderCommentsPurged(subject=one, number=n) for one, n in gone.items()))
            total += sum(gone.values())
            is_more = sum(gone.values()) >= AT_ONCE
        is_more = True
        while is_more:
            async with new_uow() as uow:
                forgotten = await uow.repository(CommenterRepository).forget_clients(
                    before=at - timedelta(days=CLIENT_DAYS), limit=AT_ONCE
                )
                full = await uow.repository(RateRepository).purge(at=at, limit=AT_ONCE)
            is_more = AT_ONCE in (forgotten, full)
        return total

    async def _found(
        self, uow: UnitOfWork, actor: Actor, comment_id: UUID, expected: int | None
    ) -> ReaderComment:
        """The comment, to be changed."""
        actor.require(policy.MODERATE)
        if (comment := await uow.repository(ReaderCommentRepository).get(comment_id)) is None:
            raise ReaderCommentNotFound
        check_version(comment.version, expected)
        return comment

    async def _stored(
        self, uow: UnitOfWork, actor: Actor, comment: ReaderComment, event: ReaderCommentEvent | None
    ) -> ReaderCommentView:
        """The comment, stored where something happened to it."""
        comments = uow.repository(ReaderCommentRepository)
        if event is not None:
            await comments.save(comment)
            uow.record(event.by(actor))
        return view(comment, await comments.type_of(comment))


class DeliveredComments(DeliveredCommentService):
    """The service of delivery: the queries, and a clear no."""

    def __init__(self, *, queries: DeliveredCommentQueries) -> None:
        self._queries = queries

    async def list(
        self, kind: str, document_id: UUID, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        if (found := await self._queries.list(kind, document_id, page, selection)) is None:
            raise NothingPublished
        return found

    async def one(self, kind: str, document_id: UUID, comment_id: UUID) -> Delivered:
        if (found := await self._queries.one(kind, document_id, comment_id)) is None:
            raise NothingPublished
        return found

    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        return await self._queries.those(ids)


def view(comment: ReaderComment, type: str) -> ReaderCommentView:
    """The comment as moderators see it."""
    names = [name for name in ReaderCommentView.__struct_fields__ if name != "type"]
    return ReaderCommentView(type=type, **{name: getattr(comment, name) for name in names})

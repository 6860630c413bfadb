"""Deciding about editorial comments."""

from collections.abc import Collection, Mapping
from uuid import UUID

from msgspec import UNSET

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.comments import policy
from cms_api.domains.cms.comments.errors import CommentNotFound
from cms_api.domains.cms.comments.events import CommentEvent
from cms_api.domains.cms.comments.interface import CommentChanges, CommentService, CommentView, NewComment
from cms_api.domains.cms.comments.model import EditorialComment, check_field
from cms_api.domains.cms.comments.ports import CommentQueries, CommentRepository
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.documents.subjects import Subject, SubjectQueries, SubjectRepository
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Faults, Forbidden, invalid
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest

STORED = [name for name in CommentView.__struct_fields__ if name != "author_name"]


class Comments(CommentService):
    """The service of editorial comments. ``types`` are the content types."""

    def __init__(
        self,
        *,
        clock: Clock,
        queries: CommentQueries,
        subjects: SubjectQueries,
        users: UserService,
        types: DocumentTypes,
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._subjects = subjects
        self._users = users
        self._types = types

    async def create(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, new: NewComment
    ) -> CommentView:
        actor.require(READ)
        actor.require(policy.WRITE)
        author_id = actor.require_user()
        document = await self._writable(uow, kind, document_id)
        document.require_untrashed()
        comments = uow.repository(CommentRepository)
        if new.parent_id is None:
            comment = await self._thread(actor, document, new, by=author_id)
        else:
            thread = await comments.get(document.id, new.parent_id)
            seen = await self._seen(actor, kind)
            comment = self._reply(thread if thread and thread.is_within(seen) else None, new, by=author_id)
        await comments.add(comment)
        uow.record(comment.created().by(actor))
        return await self._shown(uow, comment)

    async def _thread(
        self, actor: Actor, document: Subject, new: NewComment, *, by: UUID
    ) -> EditorialComment:
        thread = EditorialComment.begin(
            document.id, new.body, field=new.field, quote=new.quote, at=self._clock.now(), by=by
        )
        if new.field is not None:
            kind = await self._types.kind(document.type)
            check_field(new.field, kind.fields)
            if not thread.is_within(kind.seen(actor)):
                raise Forbidden(f"You may not see or comment on “{new.field}”.")
        return thread

    def _reply(self, thread: EditorialComment | None, new: NewComment, *, by: UUID) -> EditorialComment:
        faults = Faults()
        for name in ("field", "quote"):
            with faults.noted():
                if getattr(new, name) is not None:
                    raise invalid(f"/{name}", "reply", f"A reply has no {name} of its own.")
        with faults.noted():
            if thread is None:
                raise invalid("/parent_id", "unknown_reference", "There is no comment with this id here.")
            comment = thread.reply(new.body, at=self._clock.now(), by=by)
        faults.refuse()
        return comment

    async def get(self, actor: Actor, kind: str, document_id: UUID, comment_id: UUID) -> CommentView:
        seen = await self._readable(actor, kind, document_id)
        comment = await self._queries.get(document_id, comment_id)
        if comment is None or not comment.is_within(seen):
            raise CommentNotFound
        names = await self._users.summaries([comment.author_id])
        return view(comment, {one: user.name for one, user in names.items()})

    async def list(self, actor: Actor, kind: str, document_id: UUID, page: PageRequest) -> Page[CommentView]:
        seen = await self._readable(actor, kind, document_id)
        found = await self._queries.list(document_id, page, fields=seen)
        users = await self._users.summaries({comment.author_id for comment in found.items})
        names = {one: user.name for one, user in users.items()}
        return found.of([view(comment, names) for comment in found.items])

    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        changes: CommentChanges,
        *,
        expected: int | None,
    ) -> CommentView:
        document, comment = await self._of(uow, actor, kind, document_id, comment_id)
        policy.require_own(actor, comment.author_id)
        _check(document, comment, expected)
        if changes.body is UNSET:
            return await self._shown(uow, comment)
        return await self._stored(uow, actor, comment, comment.edit(changes.body, at=self._clock.now()))

    async def delete(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        *,
        expected: int | None,
    ) -> None:
        document, comment = await self._of(uow, actor, kind, document_id, comment_id)
        policy.require_own(actor, comment.author_id)
        _check(document, comment, expected)
        comments = uow.repository(CommentRepository)
        replies = await comments.reply_authors(comment)
        deleted = comment.deleted(replies, by=actor.user_id, may_moderate=actor.may(policy.MODERATE))
        await comments.delete(comment)
        uow.record(deleted.by(actor))

    async def resolve(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        *,
        expected: int | None,
    ) -> CommentView:
        document, comment = await self._of(uow, actor, kind, document_id, comment_id)
        actor.require(policy.WRITE)
        _check(document, comment, expected)
        event = comment.resolve(at=self._clock.now(), by=actor.user_id)
        return await self._stored(uow, actor, comment, event)

    async def reopen(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        comment_id: UUID,
        *,
        expected: int | None,
    ) -> CommentView:
        document, comment = await self._of(uow, actor, kind, document_id, comment_id)
        actor.require(policy.WRITE)
        _check(document, comment, expected)
        return await self._stored(uow, actor, comment, comment.reopen(at=self._clock.now()))

    async def _readable(self, actor: Actor, kind: str, document_id: UUID) -> Collection[str] | None:
        """The fields of the document that comments may be read on, as `ContentType.seen` has them."""
        actor.require(READ)
        if await self._subjects.get(kind, document_id) is None:
            raise DocumentNotFound
        return await self._seen(actor, kind)

    async def _seen(self, actor: Actor, kind: str) -> Collection[str] | None:
        return (await self._types.kind(kind)).seen(actor)

    async def _writable(self, uow: UnitOfWork, kind: str, document_id: UUID) -> Subject:
        """The document, kept as it is until the unit of work ends."""
        if (document := await uow.repository(SubjectRepository).get(kind, document_id)) is None:
            raise DocumentNotFound
        return document

    async def _of(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, comment_id: UUID
    ) -> tuple[Subject, EditorialComment]:
        actor.require(READ)
        document = await self._writable(uow, kind, document_id)
        comment = await uow.repository(CommentRepository).get(document_id, comment_id)
        if comment is None or not comment.is_within(await self._seen(actor, kind)):
            raise CommentNotFound
        return document, comment

    async def _stored(
        self, uow: UnitOfWork, actor: Actor, comment: EditorialComment, event: CommentEvent | None
    ) -> CommentView:
        """The comment, stored where something happened to it."""
        if event is not None:
            await uow.repository(CommentRepository).save(comment)
            uow.record(event.by(actor))
        return await self._shown(uow, comment)

    async def _shown(self, uow: UnitOfWork, comment: EditorialComment) -> CommentView:
        users = await self._users.find_by_ids(uow, [comment.author_id])
        return view(comment, {one: user.name for one, user in users.items()})


def view(comment: EditorialComment, names: Mapping[UUID, str]) -> CommentView:
    """The comment as others see it."""
    values = {name: getattr(comment, name) for name in STORED}
    return CommentView(author_name=names.get(comment.author_id), **values)


def _check(document: Subject, comment: EditorialComment, expected: int | None) -> None:
    """Raise `Stale` where another version is meant, `Trashed` where the document is in the trash."""
    check_version(comment.version, expected)
    document.require_untrashed()

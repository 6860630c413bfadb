"""Taking over what was said elsewhere."""

from uuid import UUID

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.documents.subjects import SubjectRepository
from cms_api.domains.cms.reader_comments import texts
from cms_api.domains.cms.reader_comments.interface import CommentImportService, PastComment, TakenComment
from cms_api.domains.cms.reader_comments.model import PastWriter, ReaderComment
from cms_api.domains.cms.reader_comments.policy import MODERATE
from cms_api.domains.cms.reader_comments.ports import ReaderCommentRepository
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Faults, Invalid, invalid
from cms_api.kernel.unit_of_work import UnitOfWork


class CommentImports(CommentImportService):
    """The service of imports: submitting without rules, rates and hashes of clients."""

    def __init__(self, *, clock: Clock, users: UserService) -> None:
        self._clock = clock
        self._users = users

    async def take_over(
        self, uow: UnitOfWork, actor: Actor, kind: str, document_id: UUID, past: PastComment
    ) -> TakenComment:
        actor.require(MODERATE)
        name, body, faults = past.author_name, past.body, Faults()
        with faults.noted():
            name = texts.check_name(name)
        with faults.noted():
            body = texts.check_body(body)
        faults.refuse()
        email, url, left_out = _addresses(past)
        document = await uow.repository(SubjectRepository).get(kind, document_id)
        if document is None:
            raise DocumentNotFound
        # An address that somebody only typed in says nothing of whose account it was.
        known = await self._users.find_by_emails(uow, [email]) if email and past.was_signed_in else {}
        user_id = known[email].id if email in known else None
        at = self._clock.now()
        comment = ReaderComment.taken_over(
            document_id,
            PastWriter(name=name, email=email, url=url, user_id=user_id, is_staff=user_id in document.owners),
            body,
            parent=await _parent(uow, document_id, past.parent),
            state=past.state,
            written_at=past.created_at or at,
            order=past.order,
            at=at,
        )
        await uow.repository(ReaderCommentRepository).add(comment)
        uow.record(comment.imported().by(actor))
        return TakenComment(id=comment.id, version=comment.version, left_out=left_out)


async def _parent(uow: UnitOfWork, document_id: UUID, parent_id: UUID | None) -> ReaderComment | None:
    if parent_id is None:
        return None
    parent = await uow.repository(ReaderCommentRepository).parent(document_id, parent_id)
    if parent is None:
        raise invalid("/parent", "unknown_reference", "What it replies to is no longer there.")
    return parent


def _addresses(past: PastComment) -> tuple[str | None, str | None, tuple[str, ...]]:
    """The e-mail address and the link, and which of the two are none: the words are worth more."""
    email = url = None
    left_out: list[str] = []
    if past.author_email:
        try:
            email = texts.check_email(past.author_email)
        except Invalid:
            left_out.append("author_email")
    if past.author_url:
        try:
            url = texts.check_url(past.author_url)
        except Invalid:
            left_out.append("author_url")
    return email, url, tuple(left_out)

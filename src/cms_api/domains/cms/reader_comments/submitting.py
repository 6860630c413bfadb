"""Taking in what readers say."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents.subjects import Subject, SubjectRepository
from cms_api.domains.cms.reader_comments import texts
from cms_api.domains.cms.reader_comments.errors import CommentsClosed, SaidAlready, TooManyComments
from cms_api.domains.cms.reader_comments.hashing import Hashes
from cms_api.domains.cms.reader_comments.interface import (
    NewReaderComment,
    Quota,
    SubmissionService,
    SubmittedComment,
)
from cms_api.domains.cms.reader_comments.model import ReaderComment, Reason, State, Writer, unknown_parent
from cms_api.domains.cms.reader_comments.policy import MODERATE
from cms_api.domains.cms.reader_comments.ports import (
    CommenterRepository,
    CommentRules,
    PlaceRepository,
    RateRepository,
    ReaderCommentRepository,
)
from cms_api.domains.cms.reader_comments.rates import Rate, allowance
from cms_api.domains.cms.reader_comments.rules import ReaderCommentRules, accepts, screen
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Faults, invalid
from cms_api.kernel.unit_of_work import UnitOfWork

# How long nobody may say the same again.
SAME_AGAIN = timedelta(hours=1)


class Submissions(SubmissionService):
    """The service that readers use. Without a ``rate`` they may comment as often as they like."""

    def __init__(
        self, *, clock: Clock, rules: CommentRules, users: UserService, hashes: Hashes, rate: Rate | None
    ) -> None:
        self._clock = clock
        self._rules = rules
        self._users = users
        self._hashes = hashes
        self._rate = rate

    async def submit(
        self,
        uow: UnitOfWork,
        actor: Actor,
        kind: str,
        document_id: UUID,
        new: NewReaderComment,
        *,
        client: str | None,
    ) -> tuple[SubmittedComment, Quota | None]:
        writer, body = await self._checked(uow, actor, new)
        rules = await self._rules.get()
        quota = await self._take(uow, actor, writer.email, client)
        document = await self._open(uow, rules, kind, document_id)
        is_staff = actor.may(MODERATE) or writer.user_id in document.owners
        writer = replace(writer, is_staff=is_staff)
        parent = await self._parent(uow, document_id, new.parent)
        words = self._hashes.words(document_id, writer.email, texts.folded(body))
        commenters, at = uow.repository(CommenterRepository), self._clock.now()
        if await commenters.was_said(words, since=at - SAME_AGAIN):
            raise SaidAlready
        fine = await self._state(commenters, rules, writer)
        reason = _reason(rules, writer, body, new, client)
        comment = ReaderComment.begin(
            document_id,
            writer,
            body,
            parent=parent,
            at=at,
            state=fine if reason is None else "spam",
            reason=reason,
            client_hash=None if client is None else self._hashes.client(client),
            words_hash=words,
        )
        await uow.repository(ReaderCommentRepository).add(comment)
        uow.record(comment.submitted().by(actor))
        # Who sends spam is not told: it looks as if it had been taken.
        return _submitted(comment, fine), quota

    async def _checked(self, uow: UnitOfWork, actor: Actor, new: NewReaderComment) -> tuple[Writer, str]:
        """Who it is from, and what it says. Raises `Invalid` with every fault."""
        name, email, url, body, faults = new.author_name, new.author_email, None, "", Faults()
        users = {} if actor.user_id is None else await self._users.find_by_ids(uow, [actor.user_id])
        account = users.get(actor.user_id) if actor.user_id else None
        for field, value in (("author_name", name), ("author_email", email)):
            with faults.noted():
                if account is not None and value is not None:
                    raise invalid(f"/{field}", "from_account", "This comes from your account: leave it out.")
                if account is None and value is None:
                    raise invalid(f"/{field}", "required", f"The field “{field}” is required.")
        if account is not None:
            name, email = account.name, account.email
        with faults.noted():
            name = texts.check_name(name) if name is not None else ""
        with faults.noted():
            email = texts.check_email(email) if email is not None else ""
        with faults.noted():
            url = texts.check_url(new.author_url) if new.author_url else None
        with faults.noted():
            body = texts.check_body(new.body)
        faults.refuse()
        return Writer(
            name=name or "", email=email or "", url=url, user_id=account.id if account else None
        ), body

    async def _take(self, uow: UnitOfWork, actor: Actor, email: str, client: str | None) -> Quota | None:
        """Take from the buckets of both addresses. Raises `TooManyComments`; moderators have no limit."""
        rate, at = self._rate, self._clock.now()
        if rate is None or actor.may(MODERATE):
            return None
        keys = [self._hashes.email(email)]
        if client is not None:
            keys.append(self._hashes.client(client))
        standing = allowance(rate, await uow.repository(RateRepository).take(keys, rate, at=at), at=at)
        if not standing.is_taken:
            raise TooManyComments(rate, standing)
        return Quota(
            limit=rate.number, window=rate.seconds, remaining=standing.remaining, reset=standing.reset
        )

    async def _open(
        self, uow: UnitOfWork, rules: ReaderCommentRules, kind: str, document_id: UUID
    ) -> Subject:
        """The document, kept as it is. Raises `NothingPublished`, `CommentsClosed`."""
        document = await uow.repository(SubjectRepository).get(kind, document_id)
        if document is None or not document.is_live or document.is_trashed:
            raise NothingPublished
        place = await uow.repository(PlaceRepository).get(kind, document_id)
        if place is None or not accepts(place, rules, at=self._clock.now()):
            raise CommentsClosed
        return document

    async def _parent(
        self, uow: UnitOfWork, document_id: UUID, parent_id: UUID | None
    ) -> ReaderComment | None:
        if parent_id is None:
            return None
        parent = await uow.repository(ReaderCommentRepository).parent(document_id, parent_id)
        if parent is None:
            raise unknown_parent()
        parent.require_repliable()
        return parent

    async def _state(
        self, commenters: CommenterRepository, rules: ReaderCommentRules, writer: Writer
    ) -> State:
        """What becomes of it if it is no spam."""
        if writer.is_staff or not rules.requires_moderation:
            return "approved"
        if rules.previously_approved and await commenters.has_approved(writer.email, writer.user_id):
            return "approved"
        return "pending"


def _reason(
    rules: ReaderCommentRules, writer: Writer, body: str, new: NewReaderComment, client: str | None
) -> Reason | None:
    """Why it is spam, if it is."""
    if new.website:
        return "honeypot"
    if writer.is_staff:
        return None
    return screen(rules, name=writer.name, email=writer.email, url=writer.url, body=body, client=client)


def _submitted(comment: ReaderComment, state: State) -> SubmittedComment:
    return SubmittedComment(
        id=comment.id,
        state=state,
        parent=comment.parent_id,
        author_name=comment.author_name or "",
        author_url=comment.author_url,
        body=comment.body,
        html=comment.html,
        created_at=comment.created_at,
        version=comment.version,
    )

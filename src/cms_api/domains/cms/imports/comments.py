"""Readers' comments, each below its document and what it replies to."""

from uuid import UUID

from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.imports.ports import Imported, ImportSources
from cms_api.domains.cms.imports.source import SourceComment
from cms_api.domains.cms.imports.steps import Outcome, Step, Tools, digest_of, size_of
from cms_api.domains.cms.reader_comments.interface import PastComment
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.unit_of_work import UnitOfWork

KIND = "comment"
UNPLACED = "comment on something that is not here"
# Replies that come before what they reply to wait for it; no more of them than that, in characters.
WAITING = 4 * 1024 * 1024
LEFT_OUT = {"author_email": "its e-mail address", "author_url": "its author's link"}


class Comments(Step):
    """Takes over comments, which come document by document."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._document_key: str | None = None
        self._document: tuple[str, UUID] | None = None
        self._waiting: list[SourceComment] = []
        self._size = 0

    async def take(self, item: SourceComment) -> None:
        """Take over one comment, or let it wait for the one that it replies to."""
        if item.document_key != self._document_key:
            await self.settle()
            self._document_key, self._document = item.document_key, await self._find(item.document_key)
        if self._document is None:
            self.report.unplaced[UNPLACED] += 1
            return
        self.report.of(KIND).read += 1
        await self._one(item, may_wait=True)
        if self._size > WAITING:
            await self.settle()

    async def settle(self) -> None:
        """Take over those that wait: nothing more comes that they may reply to."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        while waiting:
            keys = {item.key for item in waiting}
            # What replies to one another in a circle begins somewhere.
            ready = [item for item in waiting if item.parent_key not in keys] or waiting[:1]
            for item in ready:
                await self._one(item, may_wait=False)
            taken = set(map(id, ready))
            waiting = [item for item in waiting if id(item) not in taken]

    async def _find(self, key: str | None) -> tuple[str, UUID] | None:
        """The type and id of the document that was made of an item."""
        if key is None:
            return None
        async with self._new_uow() as uow:
            for kind in ("post", "page"):
                if (known := await self._known(uow, kind, key)) is not None:
                    return kind, known.target_id
        return None

    async def _one(self, item: SourceComment, *, may_wait: bool) -> None:
        what = f"comment {item.key} on {item.document_key}"
        await self._guarded(KIND, what, lambda uow: self._taken(uow, item, what, may_wait=may_wait))

    async def _taken(
        self, uow: UnitOfWork, item: SourceComment, what: str, *, may_wait: bool
    ) -> Outcome | None:
        keys = [item.key] if item.parent_key is None else [item.key, item.parent_key]
        known = await uow.repository(ImportSources).find(self._source, KIND, keys)
        if item.key in known:
            return "unchanged"  # what is here belongs to those who moderate here
        parent = known.get(item.parent_key or "")
        if item.parent_key is not None and parent is None:
            if may_wait:
                self._waiting.append(item)
                self._size += size_of(item)
                return None
            self.report.note(what, f"comment {item.parent_key}, which it replies to, is not here: at the top")
        if self._document is None:
            raise DocumentNotFound
        kind, document_id = self._document
        past = PastComment(
            body=item.body,
            author_name=item.author_name,
            author_email=item.author_email,
            author_url=item.author_url,
            was_signed_in=item.was_signed_in,
            state=item.state,
            parent=parent.target_id if parent else None,
            created_at=item.created_at,
            order=item.order,
        )
        made = await self._do.comments.take_over(uow, SYSTEM, kind, document_id, past)
        for field in made.left_out:
            self.report.note(what, f"{LEFT_OUT[field]} can't be one: left out")
        await self._remember(uow, KIND, item.key, Imported(made.id, digest_of(item), made.version))
        return "created"

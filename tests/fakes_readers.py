"""The ports of readers' comments on the store."""

import copy
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from cms_api.domains.cms.reader_comments.interface import ReaderCommentCounts, ReaderCommentView
from cms_api.domains.cms.reader_comments.model import ReaderComment, unknown_parent
from cms_api.domains.cms.reader_comments.ports import (
    CommenterRepository,
    CommentRules,
    PlaceQueries,
    PlaceRepository,
    RateRepository,
    ReaderCommentQueries,
    ReaderCommentRepository,
    Ref,
    RulesRepository,
)
from cms_api.domains.cms.reader_comments.rates import Rate, Taken
from cms_api.domains.cms.reader_comments.rules import DocumentSettings, Place, ReaderCommentRules
from cms_api.domains.cms.reader_comments.service import view
from cms_api.querying import Page, PageRequest

if TYPE_CHECKING:
    from tests.fakes_cms import Store


def repositories(store: "Store") -> dict[type, object]:
    return {
        ReaderCommentRepository: FakeReaderComments(store),
        CommenterRepository: FakeCommenters(store),
        RateRepository: FakeRates(store),
        RulesRepository: FakeRulesRepository(store),
        PlaceRepository: FakePlaces(store),
    }


class FakeReaderComments(ReaderCommentRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, comment_id: UUID) -> ReaderComment | None:
        return copy.copy(self._store.reader_comments.get(comment_id))

    async def get_many(self, ids: Collection[UUID]) -> list[ReaderComment]:
        known = self._store.reader_comments
        return [copy.copy(known[one]) for one in sorted(ids) if one in known]

    async def parent(self, document_id: UUID, comment_id: UUID) -> ReaderComment | None:
        found = await self.get(comment_id)
        return found if found is not None and found.document_id == document_id else None

    async def type_of(self, comment: ReaderComment) -> str:
        return self._store.documents[comment.document_id].type

    async def add(self, comment: ReaderComment) -> None:
        if (
            comment.parent_id is not None
            and await self.parent(comment.document_id, comment.parent_id) is None
        ):
            raise unknown_parent()
        self._store.reader_comments[comment.id] = copy.copy(comment)

    async def save(self, comment: ReaderComment) -> None:
        self._store.reader_comments[comment.id] = copy.copy(comment)

    async def save_states(self, comments: Sequence[ReaderComment]) -> None:
        for comment in comments:
            await self.save(comment)

    async def delete(self, comment: ReaderComment) -> int:
        return len(self._remove({comment.id})) - 1

    def _remove(self, ids: set[UUID]) -> list[ReaderComment]:
        known = self._store.reader_comments
        gone = [one for one in known.values() if ids & set(one.path)]
        for one in gone:
            del known[one.id]
        return gone

    async def purge(
        self, *, spam_before: datetime | None, trash_before: datetime | None, limit: int
    ) -> dict[UUID, int]:
        ends = {"spam": spam_before, "trash": trash_before}
        over = [
            one
            for one in self._store.reader_comments.values()
            if (before := ends.get(one.state)) is not None and one.state_since < before
        ]
        over.sort(key=lambda one: (one.state_since, one.id))
        numbers: dict[UUID, int] = {}
        for one in self._remove({one.id for one in over[:limit]}):
            numbers[one.document_id] = numbers.get(one.document_id, 0) + 1
        return numbers


class FakeCommenters(CommenterRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def has_approved(self, email: str, user_id: UUID | None) -> bool:
        return any(
            (one.author_email, one.user_id, one.state, one.is_staff) == (email, user_id, "approved", False)
            for one in self._store.reader_comments.values()
        )

    async def was_said(self, words_hash: bytes, *, since: datetime) -> bool:
        return any(
            one.words_hash == words_hash and one.created_at > since
            for one in self._store.reader_comments.values()
        )

    async def erase(self, email: str, *, at: datetime) -> list[Ref]:
        erased = []
        for one in list(self._store.reader_comments.values()):
            if one.author_email == email:
                changed = copy.copy(one)
                changed.version += 1
                changed.author_name = changed.author_email = changed.author_url = None
                changed.user_id = changed.client_hash = changed.words_hash = None
                changed.erased_at = changed.updated_at = at
                self._store.reader_comments[changed.id] = changed
                erased.append(Ref(one.id, one.document_id, changed.version))
        return erased

    async def forget_clients(self, *, before: datetime, limit: int) -> int:
        known = [
            one
            for one in self._store.reader_comments.values()
            if one.client_hash is not None and one.created_at < before
        ]
        for one in sorted(known, key=lambda one: one.created_at)[:limit]:
            changed = copy.copy(one)
            changed.client_hash = None
            self._store.reader_comments[changed.id] = changed
        return min(limit, len(known))


class FakeReaderCommentQueries(ReaderCommentQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    def _view(self, comment: ReaderComment) -> ReaderCommentView:
        return view(comment, self._store.documents[comment.document_id].type)

    async def get(self, comment_id: UUID) -> ReaderCommentView | None:
        found = self._store.reader_comments.get(comment_id)
        return None if found is None else self._view(found)

    async def list(self, page: PageRequest) -> Page[ReaderCommentView]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - which imports this module

        rows = [self._view(one) for one in self._store.reader_comments.values()]
        return page_of(rows, page, getattr, lambda row: row)

    async def counts(self) -> ReaderCommentCounts:
        states = [one.state for one in self._store.reader_comments.values()]
        return ReaderCommentCounts(**{state: states.count(state) for state in set(states)})


class FakeRates(RateRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def take(self, keys: Collection[bytes], rate: Rate, *, at: datetime) -> list[Taken]:
        taken = []
        for key in set(keys):
            full_at = max(self._store.comment_rates.get(key, at), at)
            if is_taken := full_at + rate.interval <= at + rate.window:
                full_at += rate.interval
            self._store.comment_rates[key] = full_at
            taken.append(Taken(is_taken, full_at))
        return taken

    async def purge(self, *, at: datetime, limit: int) -> int:
        full = sorted((full_at, key) for key, full_at in self._store.comment_rates.items() if full_at <= at)
        for _, key in full[:limit]:
            del self._store.comment_rates[key]
        return min(limit, len(full))


class FakeRules(CommentRules):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self) -> ReaderCommentRules:
        return self._store.comment_rules


class FakeRulesRepository(RulesRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self) -> ReaderCommentRules:
        return self._store.comment_rules

    async def save(self, rules: ReaderCommentRules) -> None:
        self._store.comment_rules = rules


def place(store: "Store", kind: str, document_id: UUID) -> Place | None:
    document = store.documents.get(document_id)
    if document is None or document.type != kind:
        return None
    live = store.publications.get(document_id)
    return Place(
        type=kind,
        first_published_at=live.first_published_at if live else None,
        settings=store.comment_settings.get(document_id, DocumentSettings(document_id=document_id)),
    )


class FakePlaces(PlaceRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, kind: str, document_id: UUID) -> Place | None:
        return place(self._store, kind, document_id)

    async def save(self, settings: DocumentSettings) -> None:
        self._store.comment_settings[settings.document_id] = msgspec.structs.replace(settings)


class FakePlaceQueries(PlaceQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, kind: str, document_id: UUID) -> Place | None:
        return place(self._store, kind, document_id)

"""Full-text search without a database: words are compared as they stand, in small letters."""

import html
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.search.interface import Facet, Question
from cms_api.domains.cms.search.ports import SearchIndex, SearchQueries, Unread
from cms_api.domains.cms.search.text import SearchText
from cms_api.querying import NO_SELECTION, Page, PageRequest, Selection, comparisons

if TYPE_CHECKING:
    from tests.fakes_cms import Store

WEIGHTS = {"title": 1.0, "high": 1.0, "medium": 0.4, "low": 0.1, "lowest": 0.05}
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def indexed(store: "Store") -> dict[UUID, SearchText]:
    """What can be found: what is searched goes with the live copy."""
    return {key: text for key, text in store.searched.items() if key in store.publications}


class FakeSearchIndex(SearchIndex):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def put(self, document_id: UUID, locale: str, text: SearchText) -> None:
        del locale
        if document_id in self._store.publications:
            self._store.searched[document_id] = text
        self._store.search_queue += (document_id,)

    async def add(self, document_id: UUID, locale: str, text: SearchText) -> None:
        await self.put(document_id, locale, self._store.searched.get(document_id, text))

    async def remove_type(self, type: str) -> None:
        for key, live in self._store.publications.items():
            if live.type == type:
                self._store.searched.pop(key, None)

    async def unread(self, limit: int) -> Sequence[Unread]:
        taken, self._store.search_queue = (
            self._store.search_queue[:limit],
            self._store.search_queue[limit:],
        )
        found = [
            (one, self._store.publications[one])
            for one in sorted(set(taken))
            if one in self._store.publications
        ]
        return [
            Unread(
                document_id=key,
                locale=live.locale,
                is_indexed=key in self._store.searched,
                title=self._store.live_titles.get(key, live.content.public_heading),
                excerpt=live.fields.get("excerpt"),
                body=live.fields.get("body"),
            )
            for key, live in found
        ]

    async def learn(self, ids: Collection[UUID]) -> None:
        texts = indexed(self._store)
        for one in ids:
            if one in texts:
                language = self._store.publications[one].locale
                learnt = words_of(f"{texts[one].title} {texts[one].body}")
                self._store.search_words |= {(language, word) for word in learnt if len(word) >= 4}


class FakeSearchQueries(SearchQueries):
    """Knows words, phrases, `or` and exclusion; of filters, the type."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    async def page(
        self, question: Question, page: PageRequest, selection: Selection = NO_SELECTION
    ) -> Page[Delivered]:
        backwards, position = page.before is not None, page.before or page.after
        hits = sorted(self._hits(question, page), reverse=not backwards)
        if position is not None:
            at = (float(str(position[0])), UUID(str(position[1])))
            hits = [hit for hit in hits if (hit > at if backwards else hit < at)]
        more, hits = len(hits) > page.limit, hits[: page.limit]
        if backwards:
            hits.reverse()
        is_next, is_prev = (True, more) if backwards else (more, page.after is not None)
        return Page(
            items=[self._delivered(score, key, selection) for score, key in hits],
            next=hits[-1] if hits and is_next else None,
            prev=hits[0] if hits and is_prev else None,
            count=len(self._hits(question, page)) if page.count != "none" else None,
        )

    def _hits(self, question: Question, page: PageRequest) -> list[tuple[float, UUID]]:
        wanted = {one.values[0] for one in comparisons(page.filter) if one.field == "type"}
        found = []
        for key, text in indexed(self._store).items():
            live = self._store.publications[key]
            score = _score(text, question)
            if live.locale == question.locale and score > 0 and (not wanted or live.type in wanted):
                found.append((score, key))
        return found

    def _delivered(self, score: float, key: UUID, selection: Selection) -> Delivered:
        live = self._store.publications[key]
        title = self._store.searched[key].title
        item: dict[str, Any] = {
            "id": key,
            "type": live.type,
            "title": title,
            "score": score,
            "highlights": {"title": html.escape(title)},
        }
        if selection.fields is not None:
            item = {name: item[name] for name in selection.fields}
        return Delivered(msgspec.json.encode(item).decode(), "", str(key))

    async def facets(
        self, question: Question, page: PageRequest, facets: Sequence[Facet]
    ) -> Mapping[Facet, str]:
        types = [self._store.publications[key].type for _, key in self._hits(question, page)]
        counts = [{"value": one, "count": types.count(one)} for one in sorted(set(types))]
        counts.sort(key=lambda one: -int(str(one["count"])))
        return {name: msgspec.json.encode(counts).decode() for name in facets if name == "type"}

    async def alternatives(self, locale: str, words: Sequence[str]) -> Mapping[str, Sequence[str]]:
        there = {
            word
            for key, text in indexed(self._store).items()
            if self._store.publications[key].locale == locale
            for word in words_of(f"{text.title} {text.body}")
        }
        known = sorted(
            word for language, word in self._store.search_words if language == locale and word in there
        )
        return {one: [word for word in known if word[0] == one[0]] for one in words if one not in there}


def _score(text: SearchText, question: Question) -> float:
    """The best of what stands between `or`; 0 where nothing matches."""
    best, wanted = 0.0, re.split(r"\s+or\s+", question.words.strip(), flags=re.IGNORECASE)
    for place, part in enumerate(wanted):
        terms = [(bool(minus), words_of(phrase or word)) for minus, phrase, word in _TERM.findall(part)]
        terms = [(minus, words) for minus, words in terms if words]
        is_begun = question.is_prefix and place == len(wanted) - 1
        scores = [
            (minus, _occurs(text, words, is_begun=is_begun and number == len(terms) - 1))
            for number, (minus, words) in enumerate(terms)
        ]
        if scores and all((score == 0) if minus else (score > 0) for minus, score in scores):
            best = max(best, sum(score for _, score in scores) or 0.01)
    return best


def _occurs(text: SearchText, words: list[str], *, is_begun: bool) -> float:
    total = 0.0
    for name, weight in WEIGHTS.items():
        held = words_of(getattr(text, name))
        for start in range(len(held) - len(words) + 1):
            there = held[start : start + len(words)]
            same = there[:-1] == words[:-1]
            total += weight * (
                same and (there[-1].startswith(words[-1]) if is_begun else there[-1] == words[-1])
            )
    return total

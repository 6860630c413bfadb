"""What search needs from outside."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import msgspec

from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.search.interface import Facet, Question
from cms_api.domains.cms.search.text import SearchText
from cms_api.querying import NO_SELECTION, Page, PageRequest, Selection


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A live copy whose words are still to be learnt.

    ``is_indexed`` is false where it was published before there was a search. ``excerpt`` and
    ``body``, safe HTML, are what readers of posts and pages get; None for other types.
    """

    document_id: UUID
    locale: str
    is_indexed: bool
    title: str
    excerpt: str | None
    body: str | None


class SearchIndex(ABC):
    """What live copies are found by. It goes with the live copy."""

    @abstractmethod
    async def put(self, document_id: UUID, locale: str, text: SearchText) -> None:
        """Have a live copy found by ``text`` from now on; its words are learnt later."""

    @abstractmethod
    async def add(self, document_id: UUID, locale: str, text: SearchText) -> None:
        """The same, unless it is found by something already: whoever published meanwhile knows better."""

    @abstractmethod
    async def remove_type(self, type: str) -> None:
        """Have no document of a type found, until they are put again."""

    @abstractmethod
    async def unread(self, limit: int) -> Sequence[Unread]:
        """Take up to ``limit`` live copies out of the queue; others who ask meanwhile get other ones."""

    @abstractmethod
    async def learn(self, ids: Collection[UUID]) -> None:
        """Note the words of indexed live copies, for those who misspell them."""


class SearchQueries(ABC):
    """Hits and what is counted of them: one statement each."""

    @abstractmethod
    async def page(
        self, question: Question, page: PageRequest, selection: Selection = NO_SELECTION
    ) -> Page[Delivered]:
        """A page of hits as JSON texts; by rank, positions are a score and an id."""

    @abstractmethod
    async def facets(
        self, question: Question, page: PageRequest, facets: Sequence[Facet]
    ) -> Mapping[Facet, str]:
        """How many of the `MAX_COUNTED` newest hits have which value, at most `MAX_VALUES` a facet, as JSON texts."""

    @abstractmethod
    async def alternatives(self, locale: str, words: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """For each word that no live copy has: words that some have and that look like it, the likest first."""

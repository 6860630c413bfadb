"""Searching what is published, for everybody."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from cms_api.domains.cms.delivery.interface import LISTINGS, Delivered
from cms_api.querying import NO_SELECTION, RANKED, Listing, Page, PageRequest, Relation, Selection

Facet = Literal["type", "category", "tag", "author", "month"]
FACETS: tuple[Facet, ...] = ("type", "category", "tag", "author", "month")

MAX_QUERY = 500
# Of words that nearly everything has, only the newest hits are ranked: see ADR 29.
MAX_RANKED = 2_000
# Counting costs far less than ranking, and still too much where a million documents have a word.
MAX_COUNTED = 100_000
MAX_VALUES = 50

SEARCH = Listing(
    sorts=("published_at",),
    shown=(
        "id",
        "type",
        "title",
        "slug",
        "path",
        "locale",
        "excerpt",
        "published_at",
        "score",
        "highlights",
    ),
    filters={
        "type": "text",
        "published_at": "timestamptz",
        "author": "uuid",
        "categories": "uuid",
        "tags": "uuid",
    },
    relations={
        "author": Relation(fields=lambda: LISTINGS["authors"], is_many=True),
        "categories": Relation(fields=lambda: LISTINGS["categories"], is_many=True),
        "tags": Relation(fields=lambda: LISTINGS["tags"], is_many=True),
    },
    sort=RANKED,
)


class Question(msgspec.Struct, frozen=True):
    """What is searched for: ``words`` in the syntax of search engines, in one language.

    With ``is_prefix``, the last word may be the beginning of one.
    """

    words: str
    locale: str
    is_prefix: bool = False


class Highlights(msgspec.Struct, frozen=True, kw_only=True):
    """Safe HTML with `<mark>` around what matches: the whole title, and what stands around matches in the text."""

    title: str
    text: str


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """A page of hits, the best first.

    ``corrected`` is what was searched for in place of words that nothing published has; ``facets``
    are counts over the `MAX_COUNTED` newest hits as JSON text. Only the `MAX_RANKED` newest hits are
    ranked: where there are more, the page is bounded. Its count is of all hits.
    """

    page: Page[Delivered]
    corrected: str | None = None
    facets: Mapping[Facet, str] | None = None


class SearchService(ABC):
    """Full-text search over live copies."""

    @abstractmethod
    async def search(
        self,
        words: str,
        page: PageRequest,
        *,
        locale: str | None = None,
        is_prefix: bool = False,
        facets: Sequence[Facet] = (),
        selection: Selection = NO_SELECTION,
    ) -> Hits:
        """A page of what matches, filtered, sorted and cut down to fields as `SEARCH` allows.

        It is in the default locale where none is named.

        Raises `Malformed` where ``words`` has more than `MAX_QUERY` characters, and for a cursor of
        another search.
        """

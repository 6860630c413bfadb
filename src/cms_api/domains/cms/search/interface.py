"""Searching what is published, for everybody."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from cms_api.domains.cms.delivery.interface import LISTINGS, Delivered
from cms_api.querying import Listing, Page, PageRequest, Relation, SortKey

Facet = Literal["type", "category", "tag", "author", "month"]
FACETS: tuple[Facet, ...] = ("type", "category", "tag", "author", "month")

MAX_QUERY = 500
# Of words that nearly everything has, only the newest hits are ranked: see ADR 29.
MAX_RANKED = 2_000
MAX_VALUES = 50

SEARCH = Listing(
    sorts=(),
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
    sort=(SortKey("score", descending=True),),
)


class Question(msgspec.Struct, frozen=True):
    """What is searched for: ``words`` in the syntax of search engines, in one language.

    With ``is_prefix``, the last word may be the beginning of one.
    """

    words: str
    locale: str
    is_prefix: bool = False


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """A page of hits, the best first.

    ``corrected`` is what was searched for in place of words that nothing published has; ``facets``
    are counts over all hits as JSON text. ``is_bounded`` says that there are more hits than are
    ranked: only the `MAX_RANKED` newest are.
    """

    page: Page[Delivered]
    corrected: str | None = None
    facets: Mapping[Facet, str] | None = None
    is_bounded: bool = False


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
    ) -> Hits:
        """A page of what matches, filtered as `SEARCH` allows; in the default locale where none is named.

        Raises `Malformed` where ``words`` has more than `MAX_QUERY` characters, and for a cursor of
        another search.
        """

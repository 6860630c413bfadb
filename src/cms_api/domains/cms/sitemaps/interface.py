"""Maps of the site for search engines (sitemaps.org), and what robots may fetch (RFC 9309)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from cms_api.domains.cms.site.facts import SiteFacts

# How many addresses a part has at most; the protocol allows 50,000. A part is put together as a
# whole, so that its tag is exact, and this bounds what that takes.
PART = 10_000


# What a part is of: documents, or what lists them: the archives of categories and tags, and of authors.
MapKind = Literal["documents", "terms", "authors"]


class MapPart(msgspec.Struct, frozen=True):
    """A part of the map, by its number; ``changed_at`` is when something in it was changed last."""

    kind: MapKind
    number: int
    changed_at: datetime


class MapEntry(msgspec.Struct, frozen=True):
    """An address, whole; with its pictures, or the author's, and those of its translations, each once."""

    url: str
    changed_at: datetime
    images: Sequence[str] = ()
    alternates: Sequence[tuple[str, str]] = ()


class SiteMap(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that there are. ``tags`` name what it is made of."""

    site: SiteFacts
    parts: Sequence[MapPart]
    tags: tuple[str, ...]


class SiteMapPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a part has: at most `PART` of it. ``tags`` name what it is made of."""

    entries: Sequence[MapEntry]
    changed_at: datetime
    tags: tuple[str, ...]


class SiteMapService(ABC):
    """Maps of what is published and may be found, for everybody.

    Each live copy has a number for as long as it lives, and so has each term and author; a part is a
    range of those: whatever comes and goes meanwhile, an address is in one part and stays there.
    Archives are in it while they list a live post.
    """

    @abstractmethod
    async def index(self) -> SiteMap:
        """The parts; none where the site is not to be found. Two statements."""

    @abstractmethod
    async def part(self, kind: MapKind, number: int) -> SiteMapPart:
        """A part. Raises `NothingPublished` where it has nothing. Two statements."""

    @abstractmethod
    async def robots(self) -> SiteFacts:
        """What robots are told. One statement."""

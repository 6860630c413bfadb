"""What feeds tell, whatever they are written as."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec

from cms_api.domains.cms.site.facts import SiteFacts

Scope = Literal["category", "tag", "author"]


class Position(msgspec.Struct, frozen=True):
    """The last post of a page: the next one begins behind it."""

    published_at: datetime
    id: UUID

    def __str__(self) -> str:
        """As the links of feeds have it."""
        return f"{self.published_at.astimezone(UTC).isoformat().replace('+00:00', 'Z')}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """What such a link names; None where it names none."""
        moment, _, document_id = text.partition("~")
        try:
            found = cls(msgspec.convert(moment, datetime), msgspec.convert(document_id, UUID))
        except msgspec.ValidationError:
            return None
        return found if found.published_at.tzinfo is not None else None


class FeedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote something; ``url`` is whole."""

    name: str
    url: str | None = None


class FeedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A cover. ``size`` is in bytes, 0 where it is not known."""

    url: str
    media_type: str
    size: int
    alt: str


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A post. Addresses are whole; ``html`` is None where feeds tell excerpts only."""

    id: UUID
    url: str
    title: str
    excerpt: str
    html: str | None
    published_at: datetime
    updated_at: datetime
    authors: tuple[FeedPerson, ...]
    terms: tuple[str, ...]
    cover: FeedFile | None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A category, a tag or an author that a feed is of; ``url`` is a path of the site."""

    id: UUID
    slug: str
    name: str
    description: str
    url: str


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A page of posts, the newest first. ``next`` is None on the last one.

    ``updated_at`` is when anything of it changed last; ``tags`` name all that it is made of.
    """

    id: UUID
    title: str
    description: str
    url: str
    locale: str
    site: SiteFacts
    items: tuple[FeedItem, ...]
    next: Position | None
    updated_at: datetime
    tags: tuple[str, ...]


class MovedFeed(msgspec.Struct, frozen=True, kw_only=True):
    """The feed of something that has another slug by now: ``slug``.

    ``service`` is where feeds are found from outside; ``tags`` name all that decides where this one is.
    """

    scope: Scope
    slug: str
    service: str
    tags: tuple[str, ...]


class FeedService(ABC):
    """Feeds of published posts, for everybody."""

    @abstractmethod
    async def read(
        self, scope: Scope | None, slug: str | None, *, locale: str | None, after: Position | None
    ) -> Feed | MovedFeed:
        """A page of the feed of the site, or of a scope; for a former slug, where its feed is by now.

        Raises `NothingPublished` where there is no such thing. Three statements at most. How much it
        tells, and of how many, the settings of the site say.
        """

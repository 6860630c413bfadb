"""What feeds need from outside."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from cms_api.domains.cms.feeds.interface import Position, Scope, Subject


class PersonRow(msgspec.Struct, frozen=True):
    """An author; ``url`` is a path of the site."""

    name: str
    url: str


class FileRow(msgspec.Struct, frozen=True):
    """A file; ``url`` is a path, or an address elsewhere."""

    url: str
    media_type: str | None
    size: int | None
    alt: str


class PostRow(msgspec.Struct, frozen=True, kw_only=True):
    """A live post, with what its texts mention in its place. ``touched_at`` covers its relations."""

    id: UUID
    url: str
    title: str
    excerpt: str
    body: str | None = None
    published_at: datetime
    updated_at: datetime
    touched_at: datetime
    authors: tuple[PersonRow, ...]
    terms: tuple[str, ...]
    cover: FileRow | None
    used: tuple[UUID, ...]


class FeedQueries(ABC):
    """Live posts, as feeds tell of them: one statement each."""

    @abstractmethod
    async def subject(self, scope: Scope, slug: str) -> Subject | None:
        """What a feed is of: what has the slug, or else what had it last."""

    @abstractmethod
    async def posts(
        self,
        scope: Scope | None,
        subject: UUID | None,
        *,
        locale: str,
        after: Position | None,
        limit: int,
        with_bodies: bool,
    ) -> Sequence[PostRow]:
        """Up to ``limit`` posts, the newest first."""

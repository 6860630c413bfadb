"""What a document says: immutable values, apart from where it stands in its life."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self
from uuid import UUID

import msgspec

Format = Literal["html", "markdown"]
TargetKind = Literal["author", "category", "tag", "media", "document"]


class Link(msgspec.Struct, frozen=True):
    """A reference from a field of a document to something else."""

    field: str
    position: int
    kind: TargetKind
    target: UUID

    @property
    def pointer(self) -> str:
        """Where it stands in the input (RFC 6901)."""
        return f"/{self.field}/{self.position}" if self.field in MANY else f"/{self.field}"


MANY = frozenset({"authors", "categories", "tags"})


class Seo(msgspec.Struct, frozen=True, kw_only=True):
    """What search engines and previews show in place of title and excerpt."""

    title: str | None = None
    description: str | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What every built-in type has. ``body`` is HTML or Markdown, as ``format`` says."""

    title: str
    slug: str
    excerpt: str = ""
    body: str = ""
    format: Format = "html"
    authors: tuple[UUID, ...] = ()
    cover: UUID | None = None
    seo: Seo = Seo()

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from _many("authors", "author", self.authors)
        yield from _one("cover", "media", self.cover)

    def without(self, gone: Iterable[Link]) -> Self:
        """The same content without those links."""
        values: dict[str, Any] = {}
        for link in gone:
            held = values.get(link.field, getattr(self, link.field))
            is_many = isinstance(held, tuple)
            values[link.field] = tuple(one for one in held if one != link.target) if is_many else None
        return msgspec.structs.replace(self, **values)

    def encoded(self) -> bytes:
        """JSON, the same for equal contents."""
        return msgspec.json.encode(self, order="sorted")

    def hash(self) -> bytes:
        """Equal for equal contents; 16 bytes of BLAKE2b."""
        return hash_of(self.encoded())


def hash_of(encoded: bytes) -> bytes:
    """The hash of an encoded content."""
    return hashlib.blake2b(encoded, digest_size=16).digest()


def _many(field: str, kind: TargetKind, targets: tuple[UUID, ...]) -> Iterator[Link]:
    for position, target in enumerate(targets):
        yield Link(field, position, kind, target)


def _one(field: str, kind: TargetKind, target: UUID | None) -> Iterator[Link]:
    if target is not None:
        yield Link(field, 0, kind, target)


class PostContent(Content, frozen=True, kw_only=True):
    """A post."""

    categories: tuple[UUID, ...] = ()
    tags: tuple[UUID, ...] = ()
    is_sticky: bool = False

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from Content.links(self)
        yield from _many("categories", "category", self.categories)
        yield from _many("tags", "tag", self.tags)


class PageContent(Content, frozen=True, kw_only=True):
    """A page, at home below another page or at the root."""

    parent: UUID | None = None
    menu_order: int = 0

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from Content.links(self)
        yield from _one("parent", "document", self.parent)

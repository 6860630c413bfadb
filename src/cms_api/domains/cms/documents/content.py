"""What a document says: immutable values, apart from where it stands in its life."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal, Self
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from cms_api.domains.cms.documents.mentions import mentioned, unlinked

Format = Literal["html", "markdown"]
TargetKind = Literal["author", "category", "tag", "media", "document"]
# What happens to a document when something is deleted that it points at.
OnDelete = Literal["restrict", "unlink", "cascade"]


class Link(msgspec.Struct, frozen=True):
    """A reference from a field of a document to something else.

    ``field`` names the field for good, ``position`` counts the references in it, and ``pointer``
    tells where in the input this one stands (RFC 6901). ``types`` are the types that the document
    at the other end may have, any where there are none. With ``is_public``, readers see the field.
    """

    field: str
    position: int
    kind: TargetKind
    target: UUID
    pointer: str = ""
    on_delete: OnDelete = "restrict"
    types: tuple[str, ...] = ()
    is_public: bool = True


CardKind = Literal["summary", "summary_large_image", "app", "player"]


class OpenGraph(msgspec.Struct, frozen=True, kw_only=True):
    """What previews show in networks (ogp.me); ``image`` is a file."""

    title: str | None = None
    description: str | None = None
    image: UUID | None = None
    type: str | None = None


class TwitterCard(msgspec.Struct, frozen=True, kw_only=True):
    """What previews show where they are cards; ``image`` is a file, ``creator`` a name like ``@ada``."""

    card: CardKind | None = None
    title: str | None = None
    description: str | None = None
    image: UUID | None = None
    creator: str | None = None


class Seo(msgspec.Struct, frozen=True, kw_only=True):
    """What search engines and previews show in place of title and excerpt; None is as ever.

    What came later is unset where it was never given, so that contents from before keep their hash.
    """

    title: str | None = None
    description: str | None = None
    canonical: str | UnsetType | None = UNSET
    noindex: bool | UnsetType = UNSET
    nofollow: bool | UnsetType = UNSET
    og: OpenGraph | UnsetType | None = UNSET
    twitter: TwitterCard | UnsetType | None = UNSET

    def images(self) -> Iterator[tuple[str, UUID]]:
        """The files that it points at, with their places in it."""
        for name, part in (("og", self.og), ("twitter", self.twitter)):
            if part and part.image is not None:
                yield name, part.image

    def without_images(self, gone: Collection[str]) -> Self:
        """The same without the images at those places."""
        lost = {name: msgspec.structs.replace(getattr(self, name), image=None) for name in gone}
        return msgspec.structs.replace(self, **lost)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What every type has."""

    slug: str
    authors: tuple[UUID, ...] = ()
    seo: Seo = Seo()

    @property
    def heading(self) -> str:
        """What it is called in lists, by everybody who may see it."""
        return self.slug

    @property
    def public_heading(self) -> str:
        """What readers know it by."""
        return self.heading

    def texts(self) -> Iterator[tuple[str, str]]:
        """What editors search: each text with the id of the field that it stands in, empty in those of all types."""
        yield "", self.slug

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from _many("authors", "author", self.authors)
        for name, target in self.seo.images():
            yield Link(f"seo.{name}.image", 0, "media", target, f"/seo/{name}/image")

    def without(self, gone: Collection[Link]) -> Self:
        """The same content without those links."""
        lost = {link.target for link in gone if link.field == "authors"}
        images = [link.field.split(".")[1] for link in gone if link.field.startswith("seo.")]
        return msgspec.structs.replace(
            self,
            authors=tuple(one for one in self.authors if one not in lost),
            seo=self.seo.without_images(images) if images else self.seo,
        )

    def changed(self, before: Self) -> tuple[str, ...]:
        """The fields in which it differs from ``before``, by the names that last."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) != getattr(before, name))

    def shown(self, fields: Iterable[str]) -> tuple[str, ...]:
        """What clients call those fields."""
        return tuple(fields)

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
        yield Link(field, position, kind, target, f"/{field}/{position}")


def _one(field: str, kind: TargetKind, target: UUID | None) -> Iterator[Link]:
    if target is not None:
        yield Link(field, 0, kind, target, f"/{field}")


class Article(Content, frozen=True, kw_only=True):
    """What the built-in types have. ``body`` is HTML or Markdown, as ``format`` says."""

    title: str
    excerpt: str = ""
    body: str = ""
    format: Format = "html"
    cover: UUID | None = None

    @property
    def heading(self) -> str:
        """What it is called in lists."""
        return self.title

    def texts(self) -> Iterator[tuple[str, str]]:
        """What editors search: the marks of HTML and Markdown count for no words."""
        for text in (self.title, self.slug, self.excerpt, self.body):
            yield "", text

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from Content.links(self)
        yield from _one("cover", "media", self.cover)
        for position, (kind, target) in enumerate(mentioned(self.body)):
            yield Link("body", position, kind, target, "/body")

    def without(self, gone: Collection[Link]) -> Self:
        """The same content without those links."""
        bare = Content.without(self, gone)
        values: dict[str, Any] = {}
        for link in gone:
            if link.field in ("authors", "body") or link.field.startswith("seo."):
                continue
            held = values.get(link.field, getattr(self, link.field))
            is_many = isinstance(held, tuple)
            values[link.field] = tuple(one for one in held if one != link.target) if is_many else None
        if lost := {link.target for link in gone if link.field == "body"}:
            values["body"] = unlinked(self.body, self.format, lost)
        return msgspec.structs.replace(bare, **values)


class PostContent(Article, frozen=True, kw_only=True):
    """A post."""

    categories: tuple[UUID, ...] = ()
    tags: tuple[UUID, ...] = ()
    is_sticky: bool = False

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from Article.links(self)
        yield from _many("categories", "category", self.categories)
        yield from _many("tags", "tag", self.tags)


class PageContent(Article, frozen=True, kw_only=True):
    """A page, at home below another page or at the root."""

    parent: UUID | None = None
    menu_order: int = 0

    def links(self) -> Iterator[Link]:
        """Everything that it points at."""
        yield from Article.links(self)
        if self.parent is not None:
            yield Link("parent", 0, "document", self.parent, "/parent", types=("page",))

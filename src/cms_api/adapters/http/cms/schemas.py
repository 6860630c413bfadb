"""What the cms routes take."""

from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.schemas import Name, ShortText, SlugText, Wire
from cms_api.domains.cms.api import Authors, Format, Locale, SeoInput, seo_of

T = TypeVar("T", bound=msgspec.Struct)

Title = Annotated[str, Meta(min_length=1, max_length=500)]
Excerpt = Annotated[str, Meta(max_length=5_000, description="Plain text; made of the body where empty.")]
Body = Annotated[str, Meta(description="HTML or Markdown, as `format` says; sanitised when it is published.")]
TermIds = Annotated[tuple[UUID, ...], Meta(max_length=100)]
MenuOrder = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Website = Annotated[str, Meta(max_length=2_000, pattern=r"^https?://[^\s]+$(?!\n)")]
OneLine = Annotated[str, Meta(max_length=500)]


class PostPatch(Wire, frozen=True, kw_only=True):
    """A post's new values; what is left out stays."""

    title: Title | UnsetType = UNSET
    slug: SlugText | UnsetType = UNSET
    excerpt: Excerpt | UnsetType = UNSET
    body: Body | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    authors: Authors | UnsetType = UNSET
    categories: TermIds | UnsetType = UNSET
    tags: TermIds | UnsetType = UNSET
    cover: UUID | UnsetType | None = UNSET
    seo: SeoInput | UnsetType = UNSET
    is_sticky: bool | UnsetType = UNSET


class PagePatch(Wire, frozen=True, kw_only=True):
    """A page's new values; what is left out stays."""

    title: Title | UnsetType = UNSET
    slug: SlugText | UnsetType = UNSET
    excerpt: Excerpt | UnsetType = UNSET
    body: Body | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    authors: Authors | UnsetType = UNSET
    cover: UUID | UnsetType | None = UNSET
    seo: SeoInput | UnsetType = UNSET
    parent: UUID | UnsetType | None = UNSET
    menu_order: MenuOrder | UnsetType = UNSET


class NewPost(PostPatch, frozen=True, kw_only=True):
    """A post to be begun."""

    title: Title
    locale: Locale | UnsetType = UNSET


class NewPage(PagePatch, frozen=True, kw_only=True):
    """A page to be begun."""

    title: Title
    locale: Locale | UnsetType = UNSET


class AuthorPatch(Wire, frozen=True, kw_only=True):
    """An author's new values; what is left out stays."""

    name: Name | UnsetType = UNSET
    slug: SlugText | UnsetType = UNSET
    user_id: UUID | UnsetType | None = UNSET
    bio: ShortText | UnsetType = UNSET
    website: Website | UnsetType | None = UNSET
    avatar_id: UUID | UnsetType | None = UNSET


class NewAuthor(AuthorPatch, frozen=True, kw_only=True):
    """An author to be made."""

    name: Name


class TagPatch(Wire, frozen=True, kw_only=True):
    """A tag's new values; what is left out stays."""

    name: Name | UnsetType = UNSET
    slug: SlugText | UnsetType = UNSET
    description: ShortText | UnsetType = UNSET


class CategoryPatch(TagPatch, frozen=True, kw_only=True):
    """A category's new values; what is left out stays."""

    parent_id: UUID | UnsetType | None = UNSET


class NewTag(TagPatch, frozen=True, kw_only=True):
    """A tag to be made."""

    name: Name


class NewCategory(CategoryPatch, frozen=True, kw_only=True):
    """A category to be made."""

    name: Name


class MediaPatch(Wire, frozen=True, kw_only=True):
    """A file's new texts; what is left out stays."""

    title: OneLine | UnsetType = UNSET
    alt: ShortText | UnsetType = UNSET
    caption: ShortText | UnsetType = UNSET


def into(data: Wire, changes: type[T]) -> T:
    """The wire form as the service takes it."""
    values = {name: getattr(data, name) for name in changes.__struct_fields__ if hasattr(data, name)}
    if isinstance(seo := values.get("seo"), SeoInput):
        values["seo"] = seo_of(seo)
    return changes(**values)

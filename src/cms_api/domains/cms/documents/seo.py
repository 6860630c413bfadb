"""What search engines and previews are told of a live copy, as far as the document itself decides it.

The rest is decided when it is read, as it changes without the document: the site's name, address and
image, files, translations.
"""

from typing import Any

import msgspec

from cms_api.domains.cms.documents.addresses import spelt
from cms_api.domains.cms.documents.content import CardKind, OpenGraph, Seo, TwitterCard

# The type of what is no article is that of any page on the web (ogp.me).
OG_TYPES = {"post": "article"}
OG_TYPE = "website"


# What previews show of a title, in characters, is hardly more.
MAX_STAND_IN = 60


def _beginning(excerpt: str) -> str:
    """What stands in for a title that is empty: the first words of the excerpt."""
    if len(excerpt) <= MAX_STAND_IN:
        return excerpt
    # Not all scripts have spaces between words.
    return f"{excerpt[: MAX_STAND_IN + 1].rpartition(' ')[0] or excerpt[:MAX_STAND_IN]} …"


def told(seo: Seo, *, type: str, title: str, excerpt: str) -> dict[str, Any]:
    """The fields with what stands in for those that were not given; None where the site has a say."""
    og, twitter = seo.og or OpenGraph(), seo.twitter or TwitterCard()
    named = seo.title or title or _beginning(excerpt)
    description = seo.description or excerpt or None
    return {
        "title": seo.title or None,
        "description": description,
        "canonical": spelt(seo.canonical) if seo.canonical else None,
        "noindex": seo.noindex is True,
        "nofollow": seo.nofollow is True,
        "og": {
            "title": og.title or named,
            "description": og.description or description,
            "type": og.type or OG_TYPES.get(type, OG_TYPE),
            "image": og.image,
        },
        "twitter": {
            "card": twitter.card,
            "title": twitter.title or og.title or named,
            "description": twitter.description or og.description or description,
            "image": twitter.image,
            "creator": twitter.creator,
        },
    }


class PreviewImage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture, its size in pixels where that is known."""

    url: str
    alt: str
    width: int | None
    height: int | None


class DeliveredOpenGraph(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes into the `og:` properties."""

    title: str
    description: str | None
    type: str
    url: str | None
    site_name: str | None
    image: PreviewImage | None


class DeliveredTwitterCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes into the `twitter:` properties."""

    card: CardKind
    title: str
    description: str | None
    image: str | None
    creator: str | None


class Alternate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is in a language, for `hreflang`."""

    locale: str
    url: str


class DeliveredSeo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What search engines and previews are told: what the document says, else what the site says.

    `title` is complete, with the site's name as its template has it; `canonical` is null where the
    site has no address in its language. `alternates` name all translations that are published, this one as well, but
    of those at one address one: this one, or that in the default locale.
    """

    title: str
    description: str | None
    canonical: str | None
    noindex: bool
    nofollow: bool
    og: DeliveredOpenGraph
    twitter: DeliveredTwitterCard
    alternates: tuple[Alternate, ...]

"""A feed as RSS 2.0, Atom (RFC 4287, with pages of RFC 5005) and JSON Feed 1.1."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cms_api.adapters.http.xml import DECLARATION, element
from cms_api.domains.cms.api import Feed, FeedItem, FeedPerson

NAMESPACES = {
    "xmlns_atom": "http://www.w3.org/2005/Atom",
    "xmlns_content": "http://purl.org/rss/1.0/modules/content/",
    "xmlns_dc": "http://purl.org/dc/elements/1.1/",
}
ATOM = "http://www.w3.org/2005/Atom"
JSON_FEED = "https://jsonfeed.org/version/1.1"


class JsonFeedAuthor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wrote something."""

    name: str
    url: str | UnsetType = UNSET


class JsonFeedAttachment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cover; `size_in_bytes` is there where it is known."""

    url: str
    mime_type: str
    title: str | UnsetType = UNSET
    size_in_bytes: int | UnsetType = UNSET


class JsonFeedItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A post: with `content_html`, or with `content_text` where feeds tell excerpts only."""

    id: str
    url: str
    title: str | UnsetType = UNSET
    content_html: str | UnsetType = UNSET
    content_text: str | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    image: str | UnsetType = UNSET
    date_published: Annotated[datetime, Meta(tz=True)]
    date_modified: Annotated[datetime, Meta(tz=True)]
    authors: list[JsonFeedAuthor] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    language: str
    attachments: list[JsonFeedAttachment] | UnsetType = UNSET


class JsonFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of a feed (https://jsonfeed.org/version/1.1). `next_url` leads to older posts."""

    version: str
    title: str
    home_page_url: str
    feed_url: str
    description: str | UnsetType = UNSET
    next_url: str | UnsetType = UNSET
    icon: str | UnsetType = UNSET
    favicon: str | UnsetType = UNSET
    language: str
    items: list[JsonFeedItem]


class Links(NamedTuple):
    """Where a page of a feed is, where its first page is, and the next one."""

    own: str
    first: str
    next: str | None


def urn(id: object) -> str:
    """A name that lasts wherever the site moves (RFC 9562, section 4)."""
    return f"urn:uuid:{id}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rfc822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def rss(feed: Feed, links: Links) -> bytes:
    """The feed as RSS 2.0."""
    channel = [
        element("title", feed.title),
        element("link", feed.url),
        element("description", feed.description or feed.title),
        element("language", feed.locale),
        element("lastBuildDate", _rfc822(feed.updated_at)),
        element("atom:link", rel="self", type="application/rss+xml", href=links.own),
    ]
    if links.next is not None:
        channel.append(element("atom:link", rel="next", type="application/rss+xml", href=links.next))
    if feed.site.logo is not None:
        image = (element("url", feed.site.logo), element("title", feed.title), element("link", feed.url))
        channel.append(element("image", image))
    channel += [element("item", _rss_item(item)) for item in feed.items]
    document = element("rss", (element("channel", channel),), version="2.0", **NAMESPACES)
    return f"{DECLARATION}{document}\n".encode()


def _rss_item(item: FeedItem) -> Iterator[str]:
    if item.title:  # one of title and description must be there, and the latter is
        yield element("title", item.title)
    yield element("link", item.url)
    yield element("guid", urn(item.id), isPermaLink="false")
    yield element("pubDate", _rfc822(item.published_at))
    yield element("description", item.excerpt)
    yield from (element("dc:creator", one.name) for one in item.authors)
    yield from (element("category", term) for term in item.terms)
    if item.html is not None:
        yield element("content:encoded", item.html)
    if (cover := item.cover) is not None:
        yield element("enclosure", url=cover.url, length=str(cover.size), type=cover.media_type)


def atom(feed: Feed, links: Links) -> bytes:
    """The feed as Atom."""
    kind = "application/atom+xml"
    parts = [
        element("id", urn(feed.id)),
        element("title", feed.title),
        element("subtitle", feed.description),
        element("updated", _moment(feed.updated_at)),
        # Posts may have no author, and then the feed must (RFC 4287, section 4.1.1).
        _atom_person(FeedPerson(name=feed.site.title, url=feed.site.base + "/")),
        element("link", rel="self", type=kind, href=links.own),
        element("link", rel="alternate", type="text/html", href=feed.url),
        element("link", rel="first", type=kind, href=links.first),
    ]
    if links.next is not None:
        parts.append(element("link", rel="next", type=kind, href=links.next))
    if feed.site.icon is not None:
        parts.append(element("icon", feed.site.icon))
    if feed.site.logo is not None:
        parts.append(element("logo", feed.site.logo))
    parts += [element("entry", _atom_entry(item)) for item in feed.items]
    document = element("feed", parts, xmlns=ATOM, xml_lang=feed.locale)
    return f"{DECLARATION}{document}\n".encode()


def _atom_person(person: FeedPerson) -> str:
    uri = () if person.url is None else (element("uri", person.url),)
    return element("author", (element("name", person.name), *uri))


def _atom_entry(item: FeedItem) -> Iterator[str]:
    yield element("id", urn(item.id))
    yield element("title", item.title)
    yield element("link", rel="alternate", type="text/html", href=item.url)
    yield element("published", _moment(item.published_at))
    yield element("updated", _moment(item.updated_at))
    yield from map(_atom_person, item.authors)
    yield from (element("category", term=term) for term in item.terms)
    yield element("summary", item.excerpt)
    if item.html is not None:
        yield element("content", item.html, type="html")
    if (cover := item.cover) is not None:
        length = str(cover.size) if cover.size else None
        yield element("link", rel="enclosure", type=cover.media_type, href=cover.url, length=length)


def json_feed(feed: Feed, links: Links) -> bytes:
    """The feed as JSON Feed."""
    document: dict[str, Any] = {
        "version": JSON_FEED,
        "title": feed.title,
        "home_page_url": feed.url,
        "feed_url": links.own,
        "description": feed.description or None,
        "next_url": links.next,
        "icon": feed.site.logo,
        "favicon": feed.site.icon,
        "language": feed.locale,
        "items": [_given(_json_item(item, feed.locale)) for item in feed.items],
    }
    return msgspec.json.encode(_given(document))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is not there: the format has no null."""
    return {name: value for name, value in values.items() if value is not None}


def _json_item(item: FeedItem, locale: str) -> dict[str, Any]:
    cover = item.cover
    attachment = None if cover is None else {
        "url": cover.url, "mime_type": cover.media_type, "title": cover.alt or None,
        "size_in_bytes": cover.size or None,
    }  # fmt: skip
    return {
        "id": urn(item.id),
        "url": item.url,
        "title": item.title or None,
        "content_html": item.html,
        # One of both must be there.
        "content_text": item.excerpt if item.html is None else None,
        "summary": item.excerpt or None,
        "image": cover.url if cover is not None and cover.media_type.startswith("image/") else None,
        "date_published": _moment(item.published_at),
        "date_modified": _moment(item.updated_at),
        "authors": [_given({"name": one.name, "url": one.url}) for one in item.authors] or None,
        "tags": list(item.terms) or None,
        "language": locale,
        "attachments": None if attachment is None else [_given(attachment)],
    }

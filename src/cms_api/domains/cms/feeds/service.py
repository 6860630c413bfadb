"""Putting feeds together."""

from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from mimetypes import MimeTypes
from urllib.parse import unquote, urljoin, urlsplit
from uuid import uuid5

from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents.markup import each_address, scheme_of
from cms_api.domains.cms.documents.slugs import composed
from cms_api.domains.cms.feeds.interface import (
    Feed,
    FeedFile,
    FeedItem,
    FeedPerson,
    FeedService,
    MovedFeed,
    Position,
    Scope,
    Subject,
)
from cms_api.domains.cms.feeds.ports import FeedQueries, PostRow
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.site.facts import FILES, SiteFacts, Sites

# Any post that comes or goes may change a page, and so may a setting.
POSTS, SETTINGS = "document:post", "settings"
_ALL: dict[Scope, str] = {"category": "categories", "tag": "tags", "author": "authors"}
UNKNOWN_TYPE = "application/octet-stream"
# What Python knows by itself: files of the machine would have each tell something else.
_TYPES = MimeTypes()


class Feeds(FeedService):
    """The service of feeds."""

    def __init__(self, *, queries: FeedQueries, sites: Sites, default_locale: str) -> None:
        self._queries = queries
        self._sites = sites
        self._default_locale = default_locale

    async def read(
        self, scope: Scope | None, slug: str | None, *, locale: str | None, after: Position | None
    ) -> Feed | MovedFeed:
        locale = locale or self._default_locale
        subject = None
        if scope is not None:
            slug = composed(slug or "")
            subject = await self._queries.subject(scope, slug)
            if subject is None:
                raise NothingPublished
        site = await self._sites.get()
        if scope is not None and subject is not None and subject.slug != slug:
            return _moved(site, scope, subject)
        rows = await self._queries.posts(
            scope,
            subject.id if subject else None,
            locale=locale,
            after=after,
            limit=site.feeds.items + 1,
            with_bodies=site.feeds.content == "full",
        )
        return _feed(site.within(locale), subject, locale, rows)


def _moved(site: SiteFacts, scope: Scope, subject: Subject) -> MovedFeed:
    return MovedFeed(
        scope=scope,
        slug=subject.slug,
        service=site.service,
        # Any other that gets the former slug takes it over.
        tags=(str(subject.id), _ALL[scope], SETTINGS),
    )


def _feed(site: SiteFacts, subject: Subject | None, locale: str, rows: Sequence[PostRow]) -> Feed:
    shown = rows[: site.feeds.items]
    last = shown[-1] if len(rows) > len(shown) else None
    used = [str(one) for row in shown for one in row.used]
    about = [str(subject.id)] if subject else []
    return Feed(
        # Of each scope and language there is one feed, wherever the site moves (RFC 4287, section 4.2.6).
        id=uuid5(SITE_ID, f"{subject.id if subject else ''}:{locale}"),
        title=f"{subject.name} – {site.title}" if subject else site.title,
        description=(subject.description if subject else "") or site.description,
        url=site.absolute(subject.url if subject else "/"),
        locale=locale,
        site=site,
        items=tuple(_item(site, row) for row in shown),
        next=Position(last.published_at, last.id) if last else None,
        updated_at=max((parsedate_to_datetime(site.changed_at), *(row.touched_at for row in shown))),
        tags=tuple(dict.fromkeys((POSTS, SETTINGS, *site.used.split(","), *about, *used))),
    )


def _item(site: SiteFacts, row: PostRow) -> FeedItem:
    cover, url = row.cover, site.absolute(row.url)
    return FeedItem(
        id=row.id,
        url=url,
        title=row.title,
        excerpt=row.excerpt,
        html=None if row.body is None else absolute(site, url, row.body),
        published_at=row.published_at,
        updated_at=row.updated_at,
        authors=tuple(FeedPerson(name=one.name, url=site.absolute(one.url)) for one in row.authors),
        terms=row.terms,
        cover=None
        if cover is None
        else FeedFile(
            url=site.absolute(cover.url),
            media_type=cover.media_type or media_type_of(cover.url),
            size=cover.size or 0,
            alt=cover.alt,
        ),
    )


def media_type_of(url: str) -> str:
    """What a file that was never fetched most likely is, by the ending of the path of its address."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return UNKNOWN_TYPE
    # Behind a slash nothing in it counts as a scheme.
    found, coding = _TYPES.guess_type(f"/{path}", strict=False)
    return found if found is not None and coding is None else UNKNOWN_TYPE


def absolute(site: SiteFacts, item: str, html: str) -> str:
    """Sanitised HTML with whole addresses: a feed's reader does not know what they are relative to.

    Paths begin where the site or its files do; all else is resolved against the address of the
    ``item`` (RFC 3986, section 5). What is no address at all stays.
    """

    def whole(url: str) -> str:
        bare = url.strip()
        if scheme_of(bare) is not None:
            return url
        if bare.startswith("/") and not bare.startswith("//"):
            # They are in their written form already.
            return f"{site.service if bare.startswith(FILES) else site.base}{bare}"
        try:
            return urljoin(item, bare)
        except ValueError:
            return url

    return each_address(html, whole)

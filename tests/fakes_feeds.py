"""The ports of feeds and maps on the store."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args
from uuid import UUID

from tests.fakes_redirects import has_address

from cms_api.domains.cms.feeds.interface import Position, Scope, Subject
from cms_api.domains.cms.feeds.ports import FeedQueries, FileRow, PersonRow, PostRow
from cms_api.domains.cms.media.service import url_of
from cms_api.domains.cms.site.facts import SiteFacts
from cms_api.domains.cms.sitemaps.interface import PART, MapKind, MapPart
from cms_api.domains.cms.sitemaps.ports import AddressRow, SiteMapQueries

if TYPE_CHECKING:
    from tests.fakes_cms import Publication, Store

    from cms_api.domains.cms.authors.model import Author
    from cms_api.domains.cms.taxonomies.model import Term

FIELDS = {"category": "categories", "tag": "tags", "author": "authors"}


class FakeFeedQueries(FeedQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def subject(self, scope: Scope, slug: str) -> Subject | None:
        store = self._store
        if scope == "author":
            authors = store.authors.values()
            found = next((one.id for one in authors if one.slug == slug), None)
        else:
            terms = store.terms.values()
            found = next((one.id for one in terms if (one.taxonomy, one.slug) == (scope, slug)), None)
        found = found or store.former_slugs.get((scope, slug))
        if found is None:
            return None
        pattern = getattr(store.site.paths, scope)
        if scope != "author":
            term = store.terms[found]
            name, text, now = term.name, term.description, term.slug
        elif any(found in live.content.authors for live in store.publications.values()):
            author = store.authors[found]
            name, text, now = author.name, author.bio, author.slug
        else:
            return None
        return Subject(id=found, slug=now, name=name, description=text, url=pattern.replace("{slug}", now))

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
        found = [
            (live.published_at, one, live)
            for one, live in self._store.publications.items()
            if live.type == "post"
            and live.locale == locale
            and (scope is None or subject in getattr(live.content, FIELDS[scope]))
            and (after is None or (live.published_at, one) < (after.published_at, after.id))
        ]
        found.sort(key=lambda row: row[:2], reverse=True)
        return [self._row(one, live, with_bodies=with_bodies) for _, one, live in found[:limit]]

    def _row(self, one: UUID, live: "Publication", *, with_bodies: bool) -> PostRow:
        store, content = self._store, live.content
        terms = (*getattr(content, "categories", ()), *getattr(content, "tags", ()))
        cover = getattr(content, "cover", None)
        used = [store.authors[author] for author in content.authors] + [store.terms[term] for term in terms]
        files = [] if cover is None else [store.media[cover]]
        path = store.site.paths.author
        return PostRow(
            id=one,
            url=f"/{live.path}",
            title=content.heading,
            excerpt=str(live.fields["excerpt"]),
            body=str(live.fields["body"]) if with_bodies else None,
            published_at=live.published_at,
            updated_at=live.updated_at,
            touched_at=max([live.updated_at, *(part.updated_at for part in [*used, *files])]),
            authors=tuple(
                PersonRow(store.authors[author].name, path.replace("{slug}", store.authors[author].slug))
                for author in content.authors
            ),
            terms=tuple(store.terms[term].name for term in terms),
            cover=FileRow(url_of(files[0].storage_key, files[0].source_url) or "", None, None, files[0].alt)
            if files
            else None,
            used=(one, *content.authors, *terms, *([cover] if cover else [])),
        )


class FakeSiteMapQueries(SiteMapQueries):
    """Numbers what is live in the order in which it was first published, and archives as they were made."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    def _rows(self, kind: MapKind, site: SiteFacts) -> list[AddressRow]:
        store = self._store
        match kind:
            case "documents":
                found = [(live, self._own(live, site)) for live in store.publications.values()]
                found.sort(key=lambda one: self._place(one[0]), reverse=True)
                first = {url: live for live, url in found if url is not None}
                return [
                    AddressRow(f"/{live.path}", live.updated_at, (), (), live.locale)
                    for live in store.publications.values()
                    if any(one is live for one in first.values())
                ]
            case "terms":
                found = [self._archive(term.taxonomy, term) for term in store.terms.values()]
            case "authors":
                files = {one.id: url_of(one.storage_key, one.source_url) for one in store.media.values()}
                found = [
                    self._archive("author", author, *([files[author.avatar_id]] if author.avatar_id else []))
                    for author in store.authors.values()
                ]
        return [row for row in found if row is not None]

    def _own(self, live: "Publication", site: SiteFacts) -> str | None:
        """The whole address of a live copy; None where it is not to be found there."""
        url = site.within(live.locale).absolute(f"/{live.path}")
        canonical = (live.content.seo.canonical or url).rstrip("/")
        is_found = live.content.seo.noindex is not True and canonical == url.rstrip("/")
        return url if has_address(live.type, live.content) and is_found else None

    def _place(self, live: "Publication") -> tuple[bool, str, str]:
        return live.locale != "en", live.locale, live.type

    def _archive(self, scope: Scope, of: "Term | Author", *images: str) -> AddressRow | None:
        """Where the posts of a term or an author are listed; None where there are none."""
        published = [
            live.published_at
            for live in self._store.publications.values()
            if live.type == "post" and of.id in getattr(live.content, FIELDS[scope])
        ]
        path = getattr(self._store.site.paths, scope).replace("{slug}", of.slug)
        return AddressRow(path, max(of.updated_at, *published), images, ()) if published else None

    async def parts(self, site: SiteFacts) -> Sequence[MapPart]:
        return [
            MapPart(kind, number, max(row.changed_at for row in rows[number * PART : (number + 1) * PART]))
            for kind in get_args(MapKind)
            if (rows := self._rows(kind, site))
            for number in range((len(rows) + PART - 1) // PART)
        ]

    async def addresses(self, kind: MapKind, part: int, site: SiteFacts) -> Sequence[AddressRow]:
        return self._rows(kind, site)[part * PART : (part + 1) * PART]

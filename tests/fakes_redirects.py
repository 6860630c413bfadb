"""The ports of redirects on the store, and the redirects that publishing makes."""

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from tests.fakes_search import FakeSearchQueries

from cms_api.domains.cms.delivery.interface import Delivered, Kind, Selection
from cms_api.domains.cms.delivery.ports import DeliveryQueries
from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.types import Catalogue, DocumentTypes
from cms_api.domains.cms.entries.content import EntryContent
from cms_api.domains.cms.entries.delivery import EntryDelivery, EntryQueries
from cms_api.domains.cms.redirects.errors import RedirectTaken
from cms_api.domains.cms.redirects.interface import RedirectView
from cms_api.domains.cms.redirects.model import Redirect
from cms_api.domains.cms.redirects.paths import is_address, is_at_or_below
from cms_api.domains.cms.redirects.ports import (
    Detour,
    Leading,
    LivePlace,
    RedirectQueries,
    RedirectRepository,
)
from cms_api.domains.cms.redirects.service import view
from cms_api.domains.cms.redirects.wholes import Wholes
from cms_api.domains.cms.search.interface import Question
from cms_api.kernel.errors import invalid
from cms_api.kernel.ids import new_id
from cms_api.querying import Comparison, Page, PageRequest

if TYPE_CHECKING:
    from tests.fakes_cms import Store

ADDRESSED = ("page", "post")


def has_address(type: str, content: Content) -> bool:
    """Whether a document of the type is on the site once it is live."""
    return type in ADDRESSED or (isinstance(content, EntryContent) and content.definition.path is not None)


def matches(redirect: Redirect, path: str) -> bool:
    """Whether a redirect leads away from a path."""
    if redirect.match == "exact":
        return redirect.source == path
    return is_at_or_below(path, redirect.source)


class FakeRedirects(RedirectRepository):
    def __init__(self, store: "Store") -> None:
        self._store = store

    def _others(self, redirect: Redirect) -> Iterator[Redirect]:
        for other in sorted(self._store.redirects.values(), key=lambda one: (one.source, one.match)):
            if other.id != redirect.id and other.locale == redirect.locale:
                yield copy.copy(other)

    async def get(self, redirect_id: UUID) -> Redirect | None:
        return copy.copy(self._store.redirects.get(redirect_id))

    async def lock_all(self) -> None:
        """One unit of work at a time runs here."""

    async def add(self, redirect: Redirect) -> None:
        await self.save(redirect)

    async def save(self, redirect: Redirect) -> None:
        if await self.twin(redirect) is not None:
            raise RedirectTaken(redirect.source)
        if redirect.document_id is not None and redirect.document_id not in self._store.documents:
            raise invalid("/document", "unknown_reference", "There is no page or post with this id.")
        self._store.redirects[redirect.id] = copy.copy(redirect)

    async def delete(self, redirect: Redirect) -> None:
        del self._store.redirects[redirect.id]

    async def twin(self, redirect: Redirect) -> Redirect | None:
        mine = (redirect.match, redirect.source)
        return next((one for one in self._others(redirect) if (one.match, one.source) == mine), None)

    async def behind(self, redirect: Redirect) -> Redirect | None:
        if (path := redirect.path) is None:
            return None
        return next(
            (
                one
                for one in self._others(redirect)
                if matches(one, path)
                or (redirect.match == "prefix" and not one.is_automatic and is_at_or_below(one.source, path))
            ),
            None,
        )

    async def before(self, redirect: Redirect) -> Redirect | None:
        return next(
            (
                one
                for one in self._others(redirect)
                if one.path is not None
                and (
                    matches(redirect, one.path)
                    or (one.match == "prefix" and is_at_or_below(redirect.source, one.path))
                )
            ),
            None,
        )

    async def has_document(self, document_id: UUID, locale: str) -> bool:
        row = self._store.documents.get(document_id)
        if row is None or row.locale != locale or row.trashed_at is not None:
            return False
        return has_address(row.type, row.draft)


class FakeRedirectQueries(RedirectQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def get(self, redirect_id: UUID) -> RedirectView | None:
        row = self._store.redirects.get(redirect_id)
        return None if row is None else view(row)

    async def list(self, page: PageRequest) -> Page[RedirectView]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - which imports this module

        rows = [view(one) for one in self._store.redirects.values()]
        return page_of(rows, page, getattr, lambda row: row)

    async def resolve(self, path: str, above: Collection[str], locale: str) -> LivePlace | Detour | None:
        home = self._store.site.home_page
        live = self._store.publications.get(home) if home and not path else None
        if live is not None and live.locale == locale and home is not None:
            return LivePlace(kind="page", id=home, path=live.path)
        if (found := self._live_at(path, locale)) is not None:
            return found
        fitting = [
            one
            for one in self._store.redirects.values()
            if one.locale == locale and matches(one, path) and (one.match == "exact" or one.source in above)
        ]
        if not fitting:
            return None
        best = min(fitting, key=lambda one: (one.match, -len(one.source)))
        to, document_id = self._end(best, path)
        return Detour(
            id=best.id,
            match=best.match,
            source=best.source,
            target=best.target,
            status=best.status,
            to=to,
            document_id=document_id,
        )

    async def those(self, ids: Collection[UUID]) -> Sequence[Leading]:
        found = []
        for one in (self._store.redirects[one] for one in ids if one in self._store.redirects):
            to, document_id = self._end(one, one.source)
            found.append(
                Leading(
                    id=one.id,
                    match=one.match,
                    source=one.source,
                    target=one.target,
                    status=one.status,
                    to=to,
                    document_id=document_id,
                    locale=one.locale,
                    document=one.document_id,
                )
            )
        return found

    def _end(self, redirect: Redirect, path: str) -> tuple[str | None, UUID | None]:
        base = redirect.target
        if redirect.document_id is not None:
            base = self._path_of(redirect.document_id)
        if base is None:
            return None, None
        rest = path[len(redirect.source) :] if redirect.match == "prefix" else ""
        to = f"{base}{rest}".lstrip("/")
        if not is_address(to):
            if (there := self._live_at(to, redirect.locale)) is not None:
                return there.path, there.id
            for one in self._store.redirects.values():
                led = (one.locale, one.match, one.source, one.is_automatic)
                if led == (redirect.locale, "exact", to, True) and one.document_id is not None:
                    later = self._path_of(one.document_id)
                    if later is not None:
                        return later, one.document_id
        if redirect.document_id is not None:
            return base, redirect.document_id
        return to, None

    def _path_of(self, document_id: UUID) -> str | None:
        live = self._store.publications.get(document_id)
        return None if live is None or not has_address(live.type, live.content) else live.path

    def _live_at(self, path: str, locale: str) -> LivePlace | None:
        found = [
            LivePlace(kind=row.type, id=one, path=row.path)
            for one, row in self._store.publications.items()
            if (row.path, row.locale) == (path, locale) and has_address(row.type, row.content)
        ]
        return min(found, key=lambda one: one.kind, default=None)


def live_paths(store: "Store") -> dict[UUID, str]:
    """Where the documents are that have an address."""
    return {one: row.path for one, row in store.publications.items() if has_address(row.type, row.content)}


def lead_on(store: "Store", document: Document[Any], before: Mapping[UUID, str]) -> None:
    """Make the redirects of a publication, after which others paths are live than ``before``."""
    if has_address(document.type, document.draft):
        _lead(store, before, document.locale, at=document.updated_at, also=[document.id])


def lead_all(store: "Store", before: Mapping[UUID, str], *, at: datetime) -> None:
    """Make the redirects from where documents were ``before`` to where they are."""
    for locale in {store.publications[one].locale for one in before}:
        _lead(
            store, {k: v for k, v in before.items() if store.publications[k].locale == locale}, locale, at=at
        )


def _lead(
    store: "Store", before: Mapping[UUID, str], locale: str, *, at: datetime, also: Collection[UUID] = ()
) -> None:
    now = live_paths(store)
    changed = {one for one, path in before.items() if now[one] != path}
    taken = {path for one, path in now.items() if store.publications[one].locale == locale}
    freed = {now[one] for one in (*changed, *also)}
    store.redirects = {
        key: row
        for key, row in store.redirects.items()
        if not (row.is_automatic and row.locale == locale and row.match == "exact" and row.source in freed)
    }
    for one in sorted(changed):
        if before[one] in taken:
            continue
        made = Redirect(
            id=new_id(),
            locale=locale,
            match="exact",
            source=before[one],
            document_id=one,
            is_automatic=True,
            created_at=at,
            updated_at=at,
        )
        standing = next(
            (
                row
                for row in store.redirects.values()
                if (row.locale, row.match, row.source) == (locale, "exact", made.source)
            ),
            None,
        )
        if standing is None:
            store.redirects[made.id] = made
        elif standing.is_automatic and standing.document_id != one:
            standing = copy.copy(standing)
            standing.document_id, standing.version = one, standing.version + 1
            standing.updated_at = at
            store.redirects[standing.id] = standing


class NoEntries(EntryQueries):
    """No entry is live."""

    async def one(
        self,
        catalogue: Catalogue,
        key: str,
        by: Literal["id", "slug"],
        value: object,
        selection: Selection,
        locale: str,
    ) -> Delivered | None:
        del catalogue, key, by, value, selection, locale
        return None

    async def list(
        self, catalogue: Catalogue, key: str, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        del catalogue, key, page, selection
        return Page(items=[], next=None, prev=None)

    async def search(
        self, catalogue: Catalogue, key: str, question: Question, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        del catalogue, key, question, page, selection
        return Page(items=[], next=None, prev=None)


def wholes(store: "Store", types: DocumentTypes) -> Wholes:
    """What is at a path, of posts and pages."""
    entries = EntryDelivery(types=types, queries=NoEntries(), default_locale="en")
    return Wholes(delivery=FakeDeliveryQueries(store), entries=entries, default_locale="en")


class FakeDeliveryQueries(DeliveryQueries):
    """Tells of each live copy its id, its path and the format that was asked for."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    async def one(
        self, kind: Kind, by: Literal["id", "slug", "path"], value: object, selection: Selection, locale: str
    ) -> Delivered | None:
        del locale
        for document_id, live in self._store.publications.items():
            known = {"id": document_id, "slug": live.content.slug, "path": live.path}
            if f"{live.type}s" == kind and value == known[by]:
                said = {"id": document_id, "path": live.path, "format": selection.format}
                return Delivered(msgspec.json.encode(said).decode(), "", str(document_id))
        return None

    async def list(self, kind: Kind, page: PageRequest, selection: Selection) -> Page[Delivered]:
        del page
        found = [
            await self.one(kind, "id", one, selection, live.locale)
            for one, live in self._store.publications.items()
        ]
        return Page(items=[one for one in found if one is not None], next=None, prev=None)

    async def search(
        self, kind: Kind, question: Question, page: PageRequest, selection: Selection
    ) -> Page[Delivered]:
        del selection
        only = Comparison("type", "eq", (kind.removesuffix("s"),))
        return await FakeSearchQueries(self._store).page(question, page.narrowed(only))

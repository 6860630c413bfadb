"""What changes of types do to documents, and who points at what, on the store."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from tests import fakes_redirects
from tests.fakes_content_types import TypeStore
from tests.fakes_references import effects_of

from cms_api.domains.cms.content_types.compiling import compiled
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.ports import (
    AddressRepository,
    Face,
    ModelledDocuments,
    ReadModel,
    StoredFields,
)
from cms_api.domains.cms.documents.content import Link
from cms_api.domains.cms.documents.errors import AddressTaken
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import ReferenceQueries
from cms_api.domains.cms.documents.references import PREVIEWED, DeletionPreview, FieldOf, Mode, Reference
from cms_api.domains.cms.documents.rendering import RENDERING_VERSION
from cms_api.domains.cms.entries.content import EntryContent
from cms_api.querying import EVERYTHING, Page, PageRequest, SortKey
from cms_api.querying.evaluating import holds, several

if TYPE_CHECKING:
    from tests.fakes_cms import Publication, Store

EXAMPLES = 5


def some(ids: Iterable[UUID]) -> tuple[int, list[UUID]]:
    """How many, and the first of them."""
    found = sorted(set(ids))
    return len(found), found[:EXAMPLES]


class FakeModelledDocuments(ModelledDocuments):
    def __init__(self, store: "Store") -> None:
        self._store = store

    def _of(self, key: str) -> Iterator[tuple[UUID, Document[Any]]]:
        return ((one, row) for one, row in sorted(self._store.documents.items()) if row.type == key)

    def _fields(self, row: Document[Any]) -> dict[str, Any]:
        return self._store.read_fields.get(row.id, row.draft.fields)

    async def batch(self, key: str, after: UUID | None, limit: int) -> list[StoredFields]:
        found = []
        for one, row in self._of(key):
            live = row.live_revision_id
            is_other = live is not None and live != row.draft_revision_id
            content: Any = self._store.revisions[live].content if live is not None and is_other else None
            if after is None or one > after:
                found.append(
                    StoredFields(
                        id=one,
                        draft=self._fields(row),
                        live=content and content.fields,
                        is_live=live is not None,
                    )
                )
        return found[:limit]

    async def count(self, key: str) -> int:
        return len(list(self._of(key)))

    async def duplicates(self, key: str, field_id: str, *, localised: bool) -> tuple[int, list[UUID]]:
        values: dict[tuple[Any, str], list[UUID]] = {}
        for one, row in self._of(key):
            fields = self._fields(row)
            if row.trashed_at is None and field_id in fields and (localised or row.translation_of is None):
                place = (fields[field_id], row.locale if localised else "")
                values.setdefault(place, []).append(one)
        return some(one for held in values.values() if len(held) > 1 for one in held)

    async def misfits(self, key: str, field_id: str, types: Collection[str]) -> tuple[int, list[UUID]]:
        documents = self._store.documents
        return some(
            one
            for one, _ in self._of(key)
            for is_live in (False, True)
            for link in self._store.links.get((one, is_live), ())
            if link.field == field_id
            and link.target in documents
            and documents[link.target].type not in types
        )

    async def unequal(self, key: str, field_id: str) -> tuple[int, list[UUID]]:
        documents = self._store.documents
        return some(
            one
            for one, row in self._of(key)
            if row.translation_of is not None
            and self._fields(row).get(field_id) != self._fields(documents[row.translation_of]).get(field_id)
        )

    def _relink(self, key: str, made: Mapping[str, dict[str, Any]]) -> None:
        """Give the links of some fields other values."""
        for one, _ in self._of(key):
            for is_live in (False, True):
                links = self._store.links.get((one, is_live))
                if links is not None:
                    self._store.links[one, is_live] = tuple(
                        msgspec.structs.replace(link, **made.get(link.field, {})) for link in links
                    )

    async def set_policies(self, key: str, policies: Mapping[str, str]) -> None:
        self._relink(key, {name: {"on_delete": policy} for name, policy in policies.items()})

    async def set_visibilities(self, key: str, visibilities: Mapping[str, bool]) -> None:
        self._relink(key, {name: {"is_public": shown} for name, shown in visibilities.items()})

    async def set_pointers(self, key: str, pointers: Mapping[str, str]) -> None:
        for one, _ in self._of(key):
            for is_live in (False, True):
                links = self._store.links.get((one, is_live))
                if links is not None:
                    self._store.links[one, is_live] = tuple(_placed(link, pointers) for link in links)

    async def put(self, definition: Definition, models: Collection[ReadModel]) -> None:
        del definition
        for model in models:
            self._store.read_fields[model.id] = model.draft.fields
            self._put_links(model.id, model.draft, is_live=False)
            live = self._store.publications.get(model.id)
            if model.live is not None and live is not None:
                self._put_links(model.id, model.live, is_live=True)
                self._store.publications[model.id] = msgspec.structs.replace(
                    live,
                    fields={**model.live.fields, "seo": live.fields.get("seo")},
                    others=model.live.others,
                    rendering_version=RENDERING_VERSION,
                )

    def _put_links(self, document_id: UUID, face: Face, *, is_live: bool) -> None:
        kept = [one for one in self._store.links.get((document_id, is_live), ()) if one.field == "authors"]
        self._store.links[document_id, is_live] = (*kept, *face.links)

    async def set_titles(self, key: str, draft: str | None, live: str | None) -> None:
        for one, row in self._of(key):
            said = self._fields(row).get(draft) if draft else None
            self._store.titles[one] = str(said or row.draft.slug)[:500]
            copy = self._store.publications.get(one)
            if copy is not None:
                shown = copy.fields.get(live) if live else None
                self._store.live_titles[one] = str(shown or copy.content.slug)[:500]

    async def is_taken(
        self, key: str, field_id: str, value: Any, *, locale: str | None, but: Collection[UUID]
    ) -> bool:
        return any(
            one not in but
            and row.trashed_at is None
            and locale in (None, row.locale)
            and self._fields(row).get(field_id) == value
            for one, row in self._of(key)
        )


def _placed(link: Link, pointers: Mapping[str, str]) -> Link:
    wanted = pointers.get(link.field)
    if wanted is None:
        return link
    parts = zip(wanted.split("/"), link.pointer.split("/"), strict=True)
    return msgspec.structs.replace(link, pointer="/".join(old if new == "*" else new for new, old in parts))


class FakeAddresses(AddressRepository):
    def __init__(self, store: "Store", types: TypeStore) -> None:
        self._store = store
        self._types = types

    def _live(self, key: str) -> list[tuple[UUID, "Publication"]]:
        return [(one, row) for one, row in sorted(self._store.publications.items()) if row.type == key]

    async def hold_posts(self) -> None:
        """One unit of work at a time runs here."""

    async def lock_posts(self) -> None:
        """One unit of work at a time runs here."""

    async def holder(self, path: str) -> str | None:
        if path == self._store.site.paths.post != "/{slug}":
            return "post"
        return next((key for key, one in self._types.types.items() if one.definition.path == path), None)

    async def count(self, key: str) -> int:
        return len(self._live(key))

    async def taken(self, key: str, path: str) -> tuple[int, list[UUID]]:
        return some(
            one
            for one, row in self._live(key)
            if self._is_other_there(key, row.locale, _address(path, row.content.slug))
        )

    def _is_other_there(self, key: str, locale: str, path: str) -> bool:
        return any(
            row.type != key
            and (row.locale, row.path) == (locale, path)
            and fakes_redirects.has_address(row.type, row.content)
            for row in self._store.publications.values()
        )

    async def move(self, key: str, path: str | None, *, at: datetime) -> None:
        before = fakes_redirects.live_paths(self._store)
        for one, row in self._live(key):
            content: Any = row.content
            place = content.slug if path is None else _address(path, content.slug)
            if path is not None and self._is_other_there(key, row.locale, place):
                raise AddressTaken(path)
            if isinstance(content, EntryContent):
                definition = msgspec.structs.replace(content.definition, path=path)
                kind = compiled(definition, version=1)
                content = kind.content(slug=content.slug, fields=content.fields)
            self._store.publications[one] = msgspec.structs.replace(row, path=place, content=content)
        if path is not None:
            fakes_redirects.lead_all(
                self._store, {one: before[one] for one, _ in self._live(key) if one in before}, at=at
            )


def _address(path: str, slug: str) -> str:
    return path.removeprefix("/").replace("{slug}", slug)


class FakeReferenceQueries(ReferenceQueries):
    def __init__(self, store: "Store") -> None:
        self._store = store

    async def find(self, kind: str, target: UUID) -> Mode | None:
        store = self._store
        if kind in ("author", "media"):
            rows: Mapping[UUID, object] = store.authors if kind == "author" else store.media
            return "delete" if target in rows else None
        if kind in ("category", "tag"):
            term = store.terms.get(target)
            return "delete" if term is not None and term.taxonomy == kind else None
        row = store.documents.get(target)
        if row is None or row.type != kind:
            return None
        return "trash" if row.trashed_at is None else "purge"

    async def list(
        self, target: UUID, page: PageRequest, *, withheld: Collection[FieldOf] = ()
    ) -> Page[Reference]:
        from tests.fakes_cms import page_of  # noqa: PLC0415 - that module knows this one

        rows = [
            (one, is_live, link)
            for (one, is_live), links in self._store.links.items()
            for link in links
            if link.target == target and FieldOf(self._store.documents[one].type, link.field) not in withheld
        ]
        found = [row for row in rows if holds(page.filter, partial(_shown, self._reference(row)))]
        keys = [SortKey(name) for name in ("face", "field", "id", "position")]
        page = msgspec.structs.replace(page, filter=EVERYTHING, sort=(*page.sort, *keys))
        return page_of(found, page, self._value, self._reference)

    def _value(self, row: tuple[UUID, bool, Link], name: str) -> Any:
        """What is sorted by: links are kept by fields, whatever these are called."""
        return getattr(row[2] if name in ("field", "position") else self._reference(row), name)

    def _reference(self, row: tuple[UUID, bool, Link]) -> Reference:
        one, is_live, link = row
        document = self._store.documents[one]
        return Reference(
            id=one,
            type=document.type,
            title=self._store.titles.get(one, document.draft.heading),
            slug=document.draft.slug,
            face="live" if is_live else "draft",
            field=next(iter(document.draft.shown([link.field])), link.field),
            pointer=link.pointer,
            on_delete=link.on_delete,
        )

    async def preview(
        self, target: UUID, mode: Mode, *, withheld: Collection[FieldOf] = ()
    ) -> DeletionPreview:
        effects = effects_of(self._store, target, mode, limit=PREVIEWED, withheld=withheld, is_preview=True)
        return DeletionPreview(
            is_allowed=not effects.restricted.count,
            restricted_by=effects.restricted,
            unlinked=effects.unlinked,
            cascaded=effects.cascaded,
        )


def _shown(reference: Reference, name: str) -> Collection[Any]:
    return several(getattr(reference, name))

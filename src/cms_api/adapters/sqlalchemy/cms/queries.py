"""What management sees of content: one statement each."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from cms_api.adapters.sqlalchemy.cms.documents import COLUMNS, FROM, IS_SCHEDULED, load
from cms_api.adapters.sqlalchemy.cms.entry_columns import column, relations, sort_column
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Relation
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.authors.interface import AuthorView
from cms_api.domains.cms.authors.ports import AuthorQueries
from cms_api.domains.cms.content_types.compiling import EntryKind
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.fields import RELATIONS
from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.ports import DocumentQueries
from cms_api.domains.cms.entries.listing import filterable, sortable
from cms_api.domains.cms.media.interface import MediaView
from cms_api.domains.cms.media.ports import MediaQueries
from cms_api.domains.cms.media.service import url_of
from cms_api.domains.cms.taxonomies.interface import TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy
from cms_api.domains.cms.taxonomies.ports import TermQueries
from cms_api.kernel.paging import Page, PageRequest

C = TypeVar("C", bound=Content)

DOCUMENT = f"SELECT {COLUMNS}\nFROM {FROM}"
NAMES = (
    "id", "type", "locale", "version", "draft_revision_id", "draft_hash", "data", "base", "live_revision_id",
    "live_hash", "published_at", "first_published_at", "is_scheduled", "archived_at", "trashed_at",
    "field_versions", "created_at", "updated_at", "created_by", "updated_by", "stage",
    "translation_of",
)  # fmt: skip


def linked(
    field: str, column: Column, *, table: str | None = None, live: bool = False, document: str = "d.id"
) -> Relation:
    """A filter on what a document points at through ``field``; ``table`` where that is looked into."""
    join = f" JOIN {table} t ON t.id = l.target_id" if table else ""
    return Relation(
        f"EXISTS (SELECT FROM cms.links l{join} WHERE l.document_id = {document}"
        f" AND l.is_live = {str(live).lower()} AND l.field = '{field}' AND {{}})",
        column,
    )


TARGET = Column("l.target_id", "uuid")
SLUG = Column("t.slug", "text")

STATUS = f"""CASE WHEN d.archived_at IS NOT NULL THEN 'archived' WHEN d.live_revision_id IS NOT NULL THEN 'published'
    WHEN {IS_SCHEDULED} THEN 'scheduled' ELSE 'draft' END"""

DOCUMENTS_SORTS = {
    "created_at": Column("d.created_at", "timestamptz"),
    "updated_at": Column("d.updated_at", "timestamptz"),
    "title": Column("d.title", "text"),
    "path": Column("d.path", "text"),
}
DOCUMENTS_FILTERS: dict[str, Column | Relation] = {
    "slug": Column("d.slug", "text"),
    "parent": Column("d.parent_id", "uuid"),
    "status": Column(STATUS, "text"),
    "locale": Column("d.locale", "text"),
    "stage": Column("d.stage", "text"),
    "published_at": Column("d.published_at", "timestamptz"),
    "created_by": Column("d.created_by", "uuid"),
    "trashed": Column("(d.trashed_at IS NOT NULL)", "boolean"),
    "author": linked("authors", TARGET),
    "author.slug": linked("authors", SLUG, table="cms.authors"),
    "tags": linked("tags", TARGET),
    "tags.slug": linked("tags", SLUG, table="cms.terms"),
    "categories": linked("categories", TARGET),
    "categories.slug": linked("categories", SLUG, table="cms.terms"),
}
DOCUMENTS_BY = Keyset(DOCUMENTS_SORTS, key=Column("d.id", "uuid"), filters=DOCUMENTS_FILTERS)
TYPES_KEPT = 256


@lru_cache(maxsize=TYPES_KEPT)
def _entries_by(key: str, version: int, encoded: bytes) -> Keyset:
    """What the entries of a type are sorted by and filtered on; ``encoded`` is its definition."""
    del key, version
    definition = msgspec.json.decode(encoded, type=Definition)
    custom: dict[str, Column | Relation] = {}
    for name, (field, kind) in filterable(definition).items():
        if isinstance(field, RELATIONS):
            custom |= relations(field, document="d.id", is_live=False)
        else:
            custom[name] = column("d.fields", field, kind)
    sorts = {name: sort_column("d.fields", *found) for name, found in sortable(definition).items()}
    return Keyset(
        DOCUMENTS_SORTS | sorts,
        key=Column("d.id", "uuid"),
        filters={**DOCUMENTS_FILTERS, "translation_of": Column("d.translation_of", "uuid"), **custom},
    )


def _keyset(kind: ContentType[Any]) -> Keyset:
    if not isinstance(kind, EntryKind):
        return DOCUMENTS_BY
    return _entries_by(kind.key, kind.version or 0, msgspec.json.encode(kind.definition))


class SqlDocuments(DocumentQueries):
    """Documents with their drafts."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        row = await self._reader.one(
            DOCUMENT + "\nWHERE d.id = %(id)s AND d.type = %(type)s", {"id": document_id, "type": kind.key}
        )
        return None if row is None else load(kind, dict(zip(NAMES, row, strict=True)))

    async def list(self, kind: ContentType[C], page: PageRequest) -> Page[Document[C]]:
        where = ["d.type = %(type)s"]
        if not any(wanted.field == "trashed" for wanted in page.filters):
            where.append("d.trashed_at IS NULL")

        def make(row: tuple[Any, ...]) -> Document[C]:
            return load(kind, dict(zip(NAMES, row, strict=True)))

        return await _keyset(kind).page(self._reader, DOCUMENT, where, {"type": kind.key}, page, make)

    async def paths(self, ids: Collection[UUID]) -> dict[UUID, str]:
        rows = await self._reader.rows(
            "SELECT id, path FROM cms.documents WHERE id = ANY(%(ids)s)", {"ids": list(ids)}
        )
        return dict(rows)


AUTHOR = """
SELECT a.id, a.name, a.slug, a.user_id, a.bio, a.website, a.avatar_id, a.version, a.created_at, a.updated_at
FROM cms.authors a"""
AUTHORS_BY = Keyset(
    {
        "name": Column("a.name", "text"),
        "slug": Column("a.slug", "text"),
        "created_at": Column("a.created_at", "timestamptz"),
    },
    key=Column("a.id", "uuid"),
    filters={"user_id": Column("a.user_id", "uuid")},
)


class SqlAuthors(AuthorQueries):
    """Authors."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, author_id: UUID) -> AuthorView | None:
        row = await self._reader.one(AUTHOR + "\nWHERE a.id = %(id)s", {"id": author_id})
        return None if row is None else _author(row)

    async def list(self, page: PageRequest) -> Page[AuthorView]:
        return await AUTHORS_BY.page(self._reader, AUTHOR, [], {}, page, _author)


def _author(row: tuple[Any, ...]) -> AuthorView:
    return AuthorView(**dict(zip(AuthorView.__struct_fields__, row, strict=True)))


TERM = """
SELECT t.id, t.taxonomy, t.name, t.slug, t.description, t.parent_id, t.version, t.created_at, t.updated_at
FROM cms.terms t"""
TERMS_BY = Keyset(
    {
        "name": Column("t.name", "text"),
        "slug": Column("t.slug", "text"),
        "created_at": Column("t.created_at", "timestamptz"),
    },
    key=Column("t.id", "uuid"),
    filters={"parent_id": Column("t.parent_id", "uuid")},
)


class SqlTerms(TermQueries):
    """Categories and tags."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, taxonomy: Taxonomy, term_id: UUID) -> TermView | None:
        row = await self._reader.one(
            TERM + "\nWHERE t.id = %(id)s AND t.taxonomy = %(taxonomy)s",
            {"id": term_id, "taxonomy": taxonomy},
        )
        return None if row is None else _term(row)

    async def list(self, taxonomy: Taxonomy, page: PageRequest) -> Page[TermView]:
        where = ["t.taxonomy = %(taxonomy)s"]
        return await TERMS_BY.page(self._reader, TERM, where, {"taxonomy": taxonomy}, page, _term)


def _term(row: tuple[Any, ...]) -> TermView:
    return TermView(**dict(zip(TermView.__struct_fields__, row, strict=True)))


MEDIUM = """
SELECT m.id, m.filename, m.title, m.alt, m.caption, m.media_type, m.size, m.width, m.height, m.storage_key,
       m.source_url, m.version, m.created_at, m.updated_at
FROM cms.media m"""
MEDIA_BY = Keyset(
    {"created_at": Column("m.created_at", "timestamptz"), "filename": Column("m.filename", "text")},
    key=Column("m.id", "uuid"),
    filters={"title": Column("m.title", "text"), "media_type": Column("m.media_type", "text")},
)


class SqlMedia(MediaQueries):
    """Files' records."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, media_id: UUID) -> MediaView | None:
        row = await self._reader.one(MEDIUM + "\nWHERE m.id = %(id)s", {"id": media_id})
        return None if row is None else _medium(row)

    async def list(self, page: PageRequest) -> Page[MediaView]:
        return await MEDIA_BY.page(self._reader, MEDIUM, [], {}, page, _medium)


def _medium(row: tuple[Any, ...]) -> MediaView:
    values = (*row[:9], url_of(row[9], row[10]), *row[10:])
    return MediaView(**dict(zip(MediaView.__struct_fields__, values, strict=True)))

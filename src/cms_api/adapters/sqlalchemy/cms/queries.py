"""What management sees of content: one statement each."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from cms_api.adapters.sqlalchemy.cms.documents import COLUMNS, FROM, IS_SCHEDULED, load
from cms_api.adapters.sqlalchemy.cms.draft_words import draft_search
from cms_api.adapters.sqlalchemy.cms.entry_columns import Place, entry_nodes, sort_columns, target_nodes
from cms_api.adapters.sqlalchemy.cms.sources import below, linked, placed
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Node, Related, Search, Several
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.authors.interface import AuthorView
from cms_api.domains.cms.authors.ports import AuthorQueries
from cms_api.domains.cms.content_types.compiling import EntryKind
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.model import ContentType, Document
from cms_api.domains.cms.documents.ports import DocumentQueries
from cms_api.domains.cms.documents.types import UntilChanged
from cms_api.domains.cms.entries.listing import MANAGED, listing_of, targets
from cms_api.domains.cms.entries.texts import unrestricted
from cms_api.domains.cms.media.interface import MediaView
from cms_api.domains.cms.media.ports import MediaQueries
from cms_api.domains.cms.media.service import url_of
from cms_api.domains.cms.taxonomies.interface import TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy
from cms_api.domains.cms.taxonomies.ports import TermQueries
from cms_api.querying import Fields, Page, PageRequest

C = TypeVar("C", bound=Content)

ROWS = "cms.documents d"
DOCUMENT = f"SELECT {COLUMNS}\nFROM {FROM}"
NAMES = (
    "id", "type", "locale", "version", "draft_revision_id", "draft_hash", "data", "base", "live_revision_id",
    "live_hash", "published_at", "first_published_at", "is_scheduled", "archived_at", "trashed_at",
    "field_versions", "created_at", "updated_at", "created_by", "updated_by", "stage",
    "translation_of",
)  # fmt: skip


STATUS = f"""CASE WHEN ~.archived_at IS NOT NULL THEN 'archived' WHEN ~.live_revision_id IS NOT NULL THEN 'published'
    WHEN {IS_SCHEDULED.replace("d.id", "~.id")} THEN 'scheduled' ELSE 'draft' END"""

DOCUMENTS_SORTS = {
    "created_at": Column("d.created_at", "timestamptz"),
    "updated_at": Column("d.updated_at", "timestamptz"),
    "title": Column("d.title", "text"),
    "path": Column("d.path", "text"),
}
DOCUMENTS_COLUMNS = {
    "id": Column("~.id", "uuid"),
    "title": Column("~.title", "text"),
    "slug": Column("~.slug", "text"),
    "path": Column("~.path", "text"),
    "status": Column(STATUS, "text", implied="(~.live_revision_id IS NULL) = ({} <> 'published')"),
    "locale": Column("~.locale", "text"),
    "stage": Column("~.stage", "text"),
    "created_at": Column("~.created_at", "timestamptz"),
    "updated_at": Column("~.updated_at", "timestamptz"),
    "published_at": Column("~.published_at", "timestamptz"),
    "first_published_at": Column("~.first_published_at", "timestamptz"),
    "created_by": Column("~.created_by", "uuid"),
    "updated_by": Column("~.updated_by", "uuid"),
    "trashed": Column("(~.trashed_at IS NOT NULL)", "boolean"),
    "trashed_at": Column("~.trashed_at", "timestamptz"),
    "translation_of": Column("~.translation_of", "uuid"),
}
AUTHOR_COLUMNS = {
    "id": Column("~.id", "uuid"),
    "name": Column("~.name", "text"),
    "slug": Column("~.slug", "text"),
    "user_id": Column("~.user_id", "uuid"),
    "avatar_id": Column("~.avatar_id", "uuid"),
    "created_at": Column("~.created_at", "timestamptz"),
}
TERM_COLUMNS = {
    "id": Column("~.id", "uuid"),
    "name": Column("~.name", "text"),
    "slug": Column("~.slug", "text"),
    "created_at": Column("~.created_at", "timestamptz"),
    "parent_id": Column("~.parent_id", "uuid"),
}
MEDIA_COLUMNS = {
    "id": Column("~.id", "uuid"),
    "filename": Column("~.filename", "text"),
    "title": Column("~.title", "text"),
    "media_type": Column("~.media_type", "text"),
    "created_at": Column("~.created_at", "timestamptz"),
}


def _pointing(alias: str, field: str, table: str, fields: Callable[[str], Mapping[str, Node]]) -> Related:
    """What a draft points at. Of several, the first is what is sorted by."""
    there = below(alias)
    exists = linked(alias, field, document=f"{alias}.id", live=False)
    join = f" JOIN {table} {there} ON {there}.id = {alias}l.target_id"
    return Related(
        exists.format(join),
        lambda: fields(there),
        Several(exists.format(""), Column(f"{alias}l.target_id", "uuid")),
        f"(SELECT {{}} FROM cms.links {alias}l{join} WHERE {alias}l.document_id = {alias}.id"
        f" AND NOT {alias}l.is_live AND {alias}l.field = '{field}' ORDER BY {alias}l.position LIMIT 1)",
    )


def _named(alias: str, column: str, table: str, fields: Callable[[str], Mapping[str, Node]]) -> Related:
    """The row that a column of another names."""
    there = below(alias)
    row = f"{table} {there} WHERE {there}.id = {alias}.{column}"
    return Related(
        f"EXISTS (SELECT FROM {row} AND {{}})",
        lambda: fields(there),
        Column(f"{alias}.{column}", "uuid"),
        f"(SELECT {{}} FROM {row})",
    )


def author_nodes(alias: str) -> dict[str, Node]:
    """What authors are filtered on."""
    return {**placed(AUTHOR_COLUMNS, alias), "avatar": _named(alias, "avatar_id", "cms.media", media_nodes)}


def term_nodes(alias: str) -> dict[str, Node]:
    """What categories and tags are filtered on."""
    return {**placed(TERM_COLUMNS, alias), "parent": _named(alias, "parent_id", "cms.terms", term_nodes)}


def media_nodes(alias: str) -> dict[str, Node]:
    """What files are filtered on."""
    return placed(MEDIA_COLUMNS, alias)


def system_nodes(alias: str) -> dict[str, Node]:
    """What documents of every type are filtered on."""
    authors = _pointing(alias, "authors", "cms.authors", author_nodes)
    return {**placed(DOCUMENTS_COLUMNS, alias), "author": authors, "authors": authors}


def article_nodes(alias: str) -> dict[str, Node]:
    """What posts and pages are filtered on."""
    return {
        **system_nodes(alias),
        "cover": _pointing(alias, "cover", "cms.media", media_nodes),
        "parent": _named(alias, "parent_id", "cms.documents", article_nodes),
        "tags": _pointing(alias, "tags", "cms.terms", term_nodes),
        "categories": _pointing(alias, "categories", "cms.terms", term_nodes),
    }


DOCUMENTS_BY = Keyset(
    DOCUMENTS_SORTS,
    key=Column("d.id", "uuid"),
    filters=article_nodes("d"),
    search=draft_search("d"),
    rows=ROWS,
)
DRAFTS = Place(
    face=MANAGED,
    table="cms.documents",
    key="id",
    live=False,
    system=system_nodes,
    built_in={"post": article_nodes, "page": article_nodes},
    files=media_nodes,
)


def _keyset_of(kind: EntryKind, definitions: Mapping[str, Definition]) -> Keyset:
    """What the entries of a type are sorted by and filtered on."""
    nodes = entry_nodes(kind.definition, definitions, DRAFTS, "d")
    searched = draft_search("d", {str(field.id) for field in unrestricted(kind.definition.fields)})
    return _keyset(nodes, listing_of(kind.definition, definitions), searched)


def _keyset_of_targets(types: tuple[str, ...], definitions: Mapping[str, Definition]) -> Keyset:
    """What documents of several types are sorted by and filtered on, where a relation leads to all of them."""
    nodes = target_nodes(types, definitions, DRAFTS, "d")
    return _keyset(nodes, targets(types, MANAGED, definitions))


def _keyset(nodes: Mapping[str, Node], fields: Fields, search: Search | None = None) -> Keyset:
    names = [name for name in fields.sorts if name not in DOCUMENTS_SORTS]
    sorts = DOCUMENTS_SORTS | sort_columns(nodes, names)
    return Keyset(sorts, key=Column("d.id", "uuid"), filters=nodes, search=search, rows=ROWS)


def _loading(kinds: Sequence[ContentType[C]]) -> Callable[[tuple[Any, ...]], Document[C]]:
    """What makes documents of rows, each by its type."""
    known = {kind.key: kind for kind in kinds}

    def make(row: tuple[Any, ...]) -> Document[C]:
        values = dict(zip(NAMES, row, strict=True))
        return load(known[values["type"]], values)

    return make


class SqlDocuments(DocumentQueries):
    """Documents with their drafts."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._keysets = UntilChanged[tuple[tuple[str, int | None], ...], Keyset]()

    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        row = await self._reader.one(
            DOCUMENT + "\nWHERE d.id = %(id)s AND d.type = %(type)s", {"id": document_id, "type": kind.key}
        )
        return None if row is None else load(kind, dict(zip(NAMES, row, strict=True)))

    async def list(self, kind: ContentType[C], page: PageRequest) -> Page[Document[C]]:
        where, params = ["d.type = %(type)s"], {"type": kind.key}
        return await self._keyset(kind).page(self._reader, DOCUMENT, where, params, page, _loading([kind]))

    def _keyset(self, kind: ContentType[Any]) -> Keyset:
        if not isinstance(kind, EntryKind):
            return DOCUMENTS_BY
        stamp, definitions = kind.neighbours
        return self._keysets.get(stamp, ((kind.key, kind.version),), lambda: _keyset_of(kind, definitions))

    async def several(self, kinds: Sequence[ContentType[Any]], page: PageRequest) -> Page[Document[Any]]:
        keyset = self._keyset(kinds[0]) if len(kinds) == 1 else self._keyset_of_several(kinds)
        where, params = ["d.type = ANY(%(types)s)"], {"types": [kind.key for kind in kinds]}
        return await keyset.page(self._reader, DOCUMENT, where, params, page, _loading(kinds))

    def _keyset_of_several(self, kinds: Sequence[ContentType[Any]]) -> Keyset:
        made = [kind for kind in kinds if isinstance(kind, EntryKind)]
        if not made:
            return DOCUMENTS_BY
        stamp, definitions = made[0].neighbours
        types = tuple(kind.key for kind in kinds)
        versions = tuple((kind.key, kind.version if isinstance(kind, EntryKind) else None) for kind in kinds)
        return self._keysets.get(stamp, versions, lambda: _keyset_of_targets(types, definitions))

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
    filters=author_nodes("a"),
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
    filters=term_nodes("t"),
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
    filters=media_nodes("m"),
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

"""Who points at what, for looking at it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from cms_api.adapters.sqlalchemy.cms.effects import effects_sql, names
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.documents.ports import ReferenceQueries
from cms_api.domains.cms.documents.references import (
    PREVIEWED,
    REFERENCES,
    DeletionPreview,
    FieldOf,
    Mode,
    Reference,
    grouped,
)
from cms_api.querying import Page, PageRequest, SortKey

# A field of an entry is stored by its id; its key is that of the type as it is now.
FACE = "CASE WHEN l.is_live THEN 'live' ELSE 'draft' END"
FIELD = """coalesce(jsonb_path_query_first(
        c.definition, '$.** ? (@.id == $id).key', jsonb_build_object('id', l.field)) #>> '{}', l.field)"""
REFERENCE = f"""
SELECT d.id, d.type, d.title, d.slug, {FACE}, {FIELD}, l.pointer, l.on_delete
FROM cms.links l JOIN cms.documents d ON d.id = l.document_id
LEFT JOIN cms.content_types c ON c.key = d.type"""
REFERENCES_BY = Keyset(
    {
        "face": Column("l.is_live", "boolean"),
        "field": Column("l.field", "text"),
        "id": Column("l.document_id", "uuid"),
        "type": Column("d.type", "text"),
        "title": Column("d.title", "text"),
        "slug": Column("d.slug", "text"),
    },
    key=Column("l.position", "integer"),
    filters={
        "id": Column("l.document_id", "uuid"),
        "face": Column(f"({FACE})", "text"),
        "field": Column(FIELD, "text"),
        "pointer": Column("l.pointer", "text"),
        "on_delete": Column("l.on_delete", "text"),
    },
)
TABLES = {"author": "cms.authors", "media": "cms.media"}


class SqlReferences(ReferenceQueries):
    """Links in ``cms.links``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def find(self, kind: str, target: UUID) -> Mode | None:
        if kind in TABLES:
            sql = f"SELECT false FROM {TABLES[kind]} WHERE id = %(id)s"
        elif kind in ("category", "tag"):
            sql = "SELECT false FROM cms.terms WHERE id = %(id)s AND taxonomy = %(kind)s"
        else:
            sql = "SELECT trashed_at IS NOT NULL FROM cms.documents WHERE id = %(id)s AND type = %(kind)s"
        row = await self._reader.one(sql, {"id": target, "kind": kind})
        if row is None:
            return None
        if kind in TABLES or kind in ("category", "tag"):
            return "delete"
        return "purge" if row[0] else "trash"

    async def list(
        self, target: UUID, page: PageRequest, *, withheld: Collection[FieldOf] = ()
    ) -> Page[Reference]:
        where, params = ["l.target_id = %(target)s"], dict[str, object](target=target)
        if withheld:
            where.append("(d.type || '.' || l.field) <> ALL(%(withheld)s::text[])")
            params["withheld"] = names(withheld)
        return await REFERENCES_BY.page(self._reader, REFERENCE, where, params, _in_order(page), _reference)

    async def preview(
        self, target: UUID, mode: Mode, *, withheld: Collection[FieldOf] = ()
    ) -> DeletionPreview:
        sql = effects_sql(mode, id="%(id)s", limit="%(limit)s", withheld="%(withheld)s", of="preview")
        params = {"id": target, "limit": PREVIEWED, "withheld": names(withheld)}
        effects = grouped(await self._reader.rows(sql, params))
        return DeletionPreview(
            is_allowed=not effects.restricted.count,
            restricted_by=effects.restricted,
            unlinked=effects.unlinked,
            cascaded=effects.cascaded,
        )


def _in_order(page: PageRequest) -> PageRequest:
    """The page in an order that knows each link from all others: a position alone is that of many."""
    known = {key.field for key in page.sort}
    down = page.sort[-1].descending
    more = [SortKey(key.field, down) for key in REFERENCES.sort if key.field not in known]
    return msgspec.structs.replace(page, sort=(*page.sort, *more))


def _reference(row: tuple[Any, ...]) -> Reference:
    return Reference(**dict(zip(Reference.__struct_fields__, row, strict=True)))

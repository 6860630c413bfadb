"""Approved comments as JSON text that PostgreSQL has encoded: one statement a read."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from cms_api.adapters.sqlalchemy.cms.delivery import http_date, kept, object_of
from cms_api.adapters.sqlalchemy.cms.sources import moment
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, cut
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.reader_comments.ports import DeliveredCommentQueries
from cms_api.querying import NO_SELECTION, Page, PageRequest, Selection

FIELDS = {
    "id": "c.id",
    "document": "c.document_id",
    "parent": "c.parent_id",
    "depth": "cardinality(c.path) - 1",
    "author_name": "c.author_name",
    "author_url": "c.author_url",
    "body": "c.body",
    "html": "c.html",
    "created_at": moment("c.created_at"),
    "is_staff": "c.is_staff",
}
BY = Keyset(
    {"thread": Column("c.path", "uuid[]"), "created_at": Column("c.created_at", "timestamptz")},
    key=Column("c.id", "uuid"),
    filters={
        "parent": Column("c.parent_id", "uuid"),
        "depth": Column("(cardinality(c.path) - 1)", "integer"),
        "is_staff": Column("c.is_staff", "boolean"),
    },
)
# What hangs below something that readers don't see is not to be seen either. A row's few ancestors are
# looked up by their ids: as a join, all spam on the document would be gone through for each row.
APPROVED = """c.state = 'approved' AND (c.parent_id IS NULL OR NOT EXISTS (
    SELECT FROM unnest(c.path) up(id) JOIN cms.reader_comments a ON a.id = up.id WHERE a.state <> 'approved'))"""
VISIBLE = f"c.document_id = %(document_id)s AND {APPROVED}"
PLACE = "p.document_id = %(document_id)s AND p.type = %(type)s"


def _shown(selection: Selection) -> str:
    return f"{object_of(kept(FIELDS, selection))}::text AS json, {http_date('c.updated_at')} AS changed_at"


class SqlDeliveredComments(DeliveredCommentQueries):
    """Reads of the table ``cms.reader_comments``, beside that of publications."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list(
        self, kind: str, document_id: UUID, page: PageRequest, selection: Selection
    ) -> Page[Delivered] | None:
        params: dict[str, object] = {"document_id": document_id, "type": kind}
        where = f"{VISIBLE} AND {BY.condition(page.filter, params)}"
        columns, behind, order = BY.clauses(page, params)
        names = [f"k{index}" for index in range(len(page.sort) + 1)]
        keys = ", ".join(f"{sql} AS {name}" for sql, name in zip(columns, names, strict=True))
        count = (
            f"(SELECT count(*) FROM cms.reader_comments c WHERE {where})" if page.count != "none" else "NULL"
        )
        # A row without a comment says that the document is there and has none on this page.
        rows = await self._reader.rows(
            f"""
            SELECT {count}, c.json, c.changed_at, {", ".join(f"c.{name}" for name in names)}
            FROM cms.publications p LEFT JOIN LATERAL (
                SELECT {_shown(selection)}, {keys}, row_number() OVER (ORDER BY {order}) AS place
                FROM cms.reader_comments c WHERE {where} AND {behind}
                ORDER BY {order} LIMIT {page.limit + 1}) c ON true
            WHERE {PLACE} ORDER BY c.place
            """,
            params,
        )
        if not rows:
            return None
        used = str(document_id)
        return cut(
            [row[1:] for row in rows if row[1] is not None],
            page,
            len(names),
            lambda row: Delivered(row[0], row[1], used),
            rows[0][0],
        )

    async def one(self, kind: str, document_id: UUID, comment_id: UUID) -> Delivered | None:
        row: Any = await self._reader.one(
            f"""
            SELECT {_shown(NO_SELECTION)} FROM cms.publications p JOIN cms.reader_comments c ON {VISIBLE}
            WHERE {PLACE} AND c.id = %(id)s
            """,
            {"document_id": document_id, "type": kind, "id": comment_id},
        )
        return None if row is None else Delivered(row[0], row[1], str(document_id))

    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        rows = await self._reader.rows(
            f"""
            SELECT {_shown(NO_SELECTION)}, concat_ws(',', c.id, c.document_id)
            FROM cms.reader_comments c JOIN cms.publications p ON p.document_id = c.document_id
            WHERE c.id = ANY(%(ids)s) AND {APPROVED}
            """,
            {"ids": list(ids)},
        )
        return [Delivered(*row) for row in rows]

"""Revisions: what is noted on them, and what they hold."""

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.documents import decoded
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.documents.model import ContentType
from cms_api.domains.cms.revisions.interface import Ref, RevisionDetail, RevisionView
from cms_api.domains.cms.revisions.model import Revision
from cms_api.domains.cms.revisions.ports import RevisionQueries, RevisionRepository
from cms_api.querying import Page, PageRequest

C = TypeVar("C", bound=Content)

COLUMNS = """r.id, r.document_id, r.document_version, r.id = d.draft_revision_id AS is_draft,
    r.id IS NOT DISTINCT FROM d.live_revision_id AS is_live, r.label, r.is_pinned, r.changed,
    r.restored_from, r.size, r.published_at, r.created_at, r.created_by, r.version"""
REVISION = f"SELECT {COLUMNS}\nFROM cms.revisions r JOIN cms.documents d ON d.id = r.document_id"

REVISIONS_BY = Keyset(
    {"created_at": Column("r.created_at", "timestamptz")},
    key=Column("r.id", "uuid"),
    filters={
        "is_pinned": Column("r.is_pinned", "boolean"),
        "label": Column("r.label", "text"),
        "created_by": Column("r.created_by", "uuid"),
        "published_at": Column("r.published_at", "timestamptz"),
    },
)


def _values(row: tuple[Any, ...]) -> dict[str, Any]:
    values = dict(zip(RevisionView.__struct_fields__, row, strict=True))
    return values | {"changed": tuple(values["changed"])}


class SqlAlchemyRevisions(RevisionRepository):
    """Revisions in ``cms.revisions``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, document_id: UUID, revision_id: UUID) -> Revision | None:
        found = await self._session.execute(
            text(f"{REVISION} WHERE r.document_id = :document_id AND r.id = :id"),
            {"document_id": document_id, "id": revision_id},
        )
        row = found.one_or_none()
        return None if row is None else Revision(**_values(tuple(row)))

    async def save(self, revision: Revision) -> None:
        await self._session.execute(
            text(
                """
                UPDATE cms.revisions SET label = :label, is_pinned = :is_pinned, version = :version
                WHERE document_id = :document_id AND id = :id
                """
            ),
            {
                "document_id": revision.document_id,
                "id": revision.id,
                "label": revision.label,
                "is_pinned": revision.is_pinned,
                "version": revision.version,
            },
        )


class SqlRevisions(RevisionQueries):
    """Revisions, for looking at them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list(self, type: str, document_id: UUID, page: PageRequest) -> Page[RevisionView] | None:
        key = {"type": type, "id": document_id}
        found = await REVISIONS_BY.page(
            self._reader,
            REVISION,
            ["r.document_id = %(id)s", "d.type = %(type)s"],
            key,
            page,
            lambda row: RevisionView(**_values(row)),
        )
        return found if found.items or await self._exists(key) else None

    async def get(
        self, kind: ContentType[C], document_id: UUID, *refs: Ref
    ) -> dict[Ref, RevisionDetail[C]] | None:
        key = {"type": kind.key, "id": document_id}
        rows = await self._reader.rows(
            f"""
            SELECT {COLUMNS}, c.data, b.data
            FROM cms.documents d
            JOIN cms.revisions r ON r.document_id = d.id AND (
                r.id = ANY(%(ids)s::uuid[])
                OR (%(wants_draft)s AND r.id = d.draft_revision_id)
                OR (%(wants_live)s AND r.id = d.live_revision_id))
            JOIN cms.contents c ON c.document_id = d.id AND c.hash = r.hash
            LEFT JOIN cms.contents b ON b.document_id = d.id AND b.hash = c.base_hash
            WHERE d.id = %(id)s AND d.type = %(type)s
            """,
            key
            | {
                "ids": [ref for ref in refs if isinstance(ref, UUID)],
                "wants_draft": "draft" in refs,
                "wants_live": "live" in refs,
            },
        )
        found: dict[Ref, RevisionDetail[C]] = {}
        for *values, data, base in rows:
            detail = RevisionDetail(**_values(tuple(values)), content=decoded(kind, data, base))
            names: dict[Ref, bool] = {detail.id: True, "draft": detail.is_draft, "live": detail.is_live}
            found |= {ref: detail for ref, is_meant in names.items() if is_meant and ref in refs}
        return found if found or await self._exists(key) else None

    async def _exists(self, key: dict[str, Any]) -> bool:
        row = await self._reader.one("SELECT FROM cms.documents WHERE id = %(id)s AND type = %(type)s", key)
        return row is not None

"""What documents point at, and what hangs below what."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.effects import effects_sql, names
from cms_api.adapters.sqlalchemy.cms.table import lock
from cms_api.domains.cms.documents.content import Content, Link
from cms_api.domains.cms.documents.ports import ReferenceRepository
from cms_api.domains.cms.documents.references import Effects, FieldOf, Mode, grouped

TARGETS = {
    "author": "SELECT id FROM cms.authors WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "category": "SELECT id FROM cms.terms WHERE taxonomy = 'category' AND id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "tag": "SELECT id FROM cms.terms WHERE taxonomy = 'tag' AND id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "media": "SELECT id FROM cms.media WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "document": """
        SELECT id, type FROM cms.documents WHERE trashed_at IS NULL AND id = ANY(:ids) ORDER BY id FOR KEY SHARE
    """,
}


class SqlAlchemyReferences(ReferenceRepository):
    """Links in ``cms.links``, and the tree of pages."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def existing(self, links: Iterable[Link]) -> frozenset[Link]:
        wanted: dict[str, dict[UUID, list[Link]]] = {}
        for link in links:
            wanted.setdefault(link.kind, {}).setdefault(link.target, []).append(link)
        found: set[Link] = set()
        for kind, targets in sorted(wanted.items()):
            for target, *types in await self._session.execute(text(TARGETS[kind]), {"ids": list(targets)}):
                found.update(link for link in targets[target] if not link.types or types[0] in link.types)
        return frozenset(found)

    async def is_below(self, document_id: UUID, ancestor: UUID) -> bool:
        found = await self._session.scalar(
            text(
                """
                WITH RECURSIVE up AS (
                    SELECT id, parent_id FROM cms.documents WHERE id = :id
                    UNION SELECT d.id, d.parent_id FROM cms.documents d JOIN up ON d.id = up.parent_id)
                SELECT EXISTS (SELECT FROM up WHERE id = :ancestor)
                """
            ),
            {"id": document_id, "ancestor": ancestor},
        )
        return bool(found)

    async def children(self, document_id: UUID) -> int:
        number = await self._session.scalar(
            text(
                """
                SELECT count(*) FROM cms.documents d LEFT JOIN cms.publications p ON p.document_id = d.id
                WHERE (d.parent_id = :id AND d.trashed_at IS NULL) OR p.parent_id = :id
                """
            ),
            {"id": document_id},
        )
        return number or 0

    async def lock_tree(self) -> None:
        await lock(self._session, "tree of pages")

    async def effects(
        self, target: UUID, mode: Mode, *, limit: int, withheld: Collection[FieldOf] = ()
    ) -> Effects:
        sql = effects_sql(mode, id=":id", limit=":limit", withheld=":withheld", of="all")
        params = {"id": target, "limit": limit, "withheld": names(withheld)}
        found = await self._session.execute(text(sql), params)
        return grouped([tuple(row) for row in found])


async def put_links(session: AsyncSession, document_id: UUID, content: Content, *, is_live: bool) -> None:
    """Make the stored links those of ``content``; rows that are right already stay untouched."""
    await put_all_links(session, [(document_id, is_live, tuple(content.links()))])


async def put_all_links(
    session: AsyncSession,
    faces: Collection[tuple[UUID, bool, tuple[Link, ...]]],
    *,
    but: Collection[str] = (),
) -> None:
    """Make the stored links of drafts and live copies the given ones, those of the fields ``but`` left alone."""
    links = [(document_id, is_live, link) for document_id, is_live, found in faces for link in found]
    await session.execute(
        text(
            """
            WITH wanted AS (
                SELECT * FROM unnest(
                    CAST(:documents AS uuid[]), CAST(:lives AS boolean[]),
                    CAST(:fields AS text[]), CAST(:positions AS integer[]), CAST(:kinds AS text[]),
                    CAST(:targets AS uuid[]), CAST(:pointers AS text[]), CAST(:deletes AS text[]),
                    CAST(:public AS boolean[]))
                    AS w (document_id, is_live, field, position, target_kind, target_id, pointer, on_delete,
                        is_public)),
            gone AS (
                DELETE FROM cms.links l
                USING unnest(CAST(:ids AS uuid[]), CAST(:faces AS boolean[])) AS f (document_id, is_live)
                WHERE l.document_id = f.document_id AND l.is_live = f.is_live AND l.field <> ALL (:but)
                  AND NOT EXISTS (
                    SELECT FROM wanted w WHERE w.document_id = l.document_id AND w.is_live = l.is_live
                      AND w.field = l.field AND w.position = l.position))
            INSERT INTO cms.links AS l (document_id, is_live, field, position, target_kind, target_id, pointer,
                on_delete, is_public, type, published_at)
            SELECT w.*, p.type, p.published_at
            FROM wanted w LEFT JOIN cms.publications p ON w.is_live AND p.document_id = w.document_id
            ON CONFLICT (document_id, is_live, field, position) DO UPDATE
            SET target_kind = excluded.target_kind, target_id = excluded.target_id, pointer = excluded.pointer,
                on_delete = excluded.on_delete, is_public = excluded.is_public, type = excluded.type,
                published_at = excluded.published_at
            WHERE (l.target_id, l.target_kind, l.pointer, l.on_delete, l.is_public, l.type, l.published_at)
                IS DISTINCT FROM (excluded.target_id, excluded.target_kind, excluded.pointer, excluded.on_delete,
                excluded.is_public, excluded.type, excluded.published_at)
            """
        ),
        {
            "ids": [one for one, _, _ in faces],
            "faces": [is_live for _, is_live, _ in faces],
            "but": list(but),
            "documents": [one for one, _, _ in links],
            "lives": [is_live for _, is_live, _ in links],
            "fields": [link.field for _, _, link in links],
            "positions": [link.position for _, _, link in links],
            "kinds": [link.kind for _, _, link in links],
            "targets": [link.target for _, _, link in links],
            "pointers": [link.pointer for _, _, link in links],
            "deletes": [link.on_delete for _, _, link in links],
            "public": [link.is_public for _, _, link in links],
        },
    )

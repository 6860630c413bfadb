"""The repository of documents, with revisions, links and live copies."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import translating
from cms_api.adapters.sqlalchemy.cms.contents import pack, unpack
from cms_api.adapters.sqlalchemy.cms.table import first_free, lock, numbered_like
from cms_api.domains.cms.documents.content import Content, Link, PageContent, PostContent
from cms_api.domains.cms.documents.errors import AddressTaken, SlugTaken
from cms_api.domains.cms.documents.model import ContentType, Document, Snapshot
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicFields
from cms_api.kernel.errors import invalid

C = TypeVar("C", bound=Content)

MAX_PATH = 2_000

IS_SCHEDULED = """EXISTS (
    SELECT FROM cms.schedules s WHERE s.document_id = d.id AND s.state = 'pending' AND s.action = 'publish')"""
COLUMNS = f"""
    d.id, d.type, d.locale, d.version, d.draft_revision_id, r.hash AS draft_hash, c.data, b.data AS base,
    d.live_revision_id, live.hash AS live_hash, d.published_at, d.first_published_at,
    {IS_SCHEDULED} AS is_scheduled, d.archived_at, d.trashed_at, d.field_versions, d.created_at, d.updated_at,
    d.created_by, d.updated_by, d.stage
"""
FROM = """cms.documents d
    JOIN cms.revisions r ON r.document_id = d.id AND r.id = d.draft_revision_id
    JOIN cms.contents c ON c.document_id = d.id AND c.hash = r.hash
    LEFT JOIN cms.contents b ON b.document_id = d.id AND b.hash = c.base_hash
    LEFT JOIN cms.revisions live ON live.document_id = d.id AND live.id = d.live_revision_id"""

# The content that the newest ones are told as differences from, if there is one.
KEYFRAME = """
    SELECT b.hash, b.data FROM (
        SELECT hash FROM cms.revisions WHERE document_id = :id ORDER BY id DESC LIMIT 1) r
    JOIN cms.contents c ON c.document_id = :id AND c.hash = r.hash
    JOIN cms.contents b ON b.document_id = :id AND b.hash = coalesce(c.base_hash, c.hash)
"""

TARGETS = {
    "author": "SELECT id FROM cms.authors WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "category": "SELECT id FROM cms.terms WHERE taxonomy = 'category' AND id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "tag": "SELECT id FROM cms.terms WHERE taxonomy = 'tag' AND id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "media": "SELECT id FROM cms.media WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE",
    "document": """
        SELECT id FROM cms.documents WHERE type = 'page' AND trashed_at IS NULL AND id = ANY(:ids)
        ORDER BY id FOR KEY SHARE
    """,
}


def load(kind: ContentType[C], row: Mapping[str, Any]) -> Document[C]:
    """The document that `COLUMNS` tell of."""
    values = dict(row)
    values["draft"] = decoded(kind, values.pop("data"), values.pop("base"))
    for name in ("draft_hash", "live_hash"):
        if values[name] is not None:
            values[name] = bytes(values[name])
    return Document(**values)


def decoded(kind: ContentType[C], data: bytes, base: bytes | None) -> C:
    """The content that is stored as ``data``, which may tell only what differs from ``base``."""
    whole = None if base is None else unpack(bytes(base), None)
    return msgspec.json.decode(unpack(bytes(data), whole), type=kind.content)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class SqlAlchemyDocuments(DocumentRepository):
    """Documents in ``cms.documents``, ``revisions``, ``links`` and ``publications``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, kind: ContentType[C], document_id: UUID) -> Document[C] | None:
        # First the lock, then the look: a statement that waits for a lock sees the locked row as it
        # is by then, but what it joins as it was before (PostgreSQL manual, section 13.2.1).
        key = {"id": document_id, "type": kind.key}
        locked = await self._session.scalar(
            text("SELECT id FROM cms.documents WHERE id = :id AND type = :type FOR UPDATE"), key
        )
        if locked is None:
            return None
        found = await self._session.execute(text(f"SELECT {COLUMNS} FROM {FROM} WHERE d.id = :id"), key)
        return load(kind, dict(found.mappings().one()))

    async def add(self, document: Document[C]) -> None:
        await self._write(
            document,
            """
            INSERT INTO cms.documents (id, type, locale, version, slug, path, parent_id, title,
                draft_revision_id, live_revision_id, field_versions, published_at, first_published_at,
                archived_at, trashed_at, created_at, updated_at, created_by, updated_by, stage)
            VALUES (:id, :type, :locale, :version, :slug, :path, :parent_id, :title,
                :draft_revision_id, :live_revision_id, CAST(:field_versions AS jsonb), :published_at,
                :first_published_at, :archived_at, :trashed_at, :created_at, :updated_at, :created_by,
                :updated_by, :stage)
            """,
        )
        await self.add_revision(document, changed=())

    async def save(self, document: Document[C]) -> None:
        await self._write(
            document,
            """
            UPDATE cms.documents SET version = :version, slug = :slug, path = :path, parent_id = :parent_id,
                title = :title, draft_revision_id = :draft_revision_id, live_revision_id = :live_revision_id,
                field_versions = CAST(:field_versions AS jsonb), published_at = :published_at,
                first_published_at = :first_published_at, archived_at = :archived_at,
                trashed_at = :trashed_at, updated_at = :updated_at, updated_by = :updated_by,
                stage = :stage
            WHERE id = :id
            """,
        )
        if isinstance(document.draft, PageContent):
            await self._move_drafts_below(document.id, document.draft.slug)

    async def _write(self, document: Document[C], statement: str) -> None:
        draft = document.draft
        parent = draft.parent if isinstance(draft, PageContent) else None
        values = {
            "id": document.id,
            "type": document.type,
            "locale": document.locale,
            "version": document.version,
            "slug": draft.slug,
            "path": await self._path(draft.slug, parent),
            "parent_id": parent,
            "title": draft.title,
            "draft_revision_id": document.draft_revision_id,
            "live_revision_id": document.live_revision_id,
            "field_versions": _json(document.field_versions),
            "published_at": document.published_at,
            "first_published_at": document.first_published_at,
            "archived_at": document.archived_at,
            "trashed_at": document.trashed_at,
            "created_at": document.created_at,
            "updated_at": document.updated_at,
            "created_by": document.created_by,
            "updated_by": document.updated_by,
            "stage": document.stage,
        }
        with translating({"uq_documents_path": SlugTaken(draft.slug)}):
            await self._session.execute(text(statement), values)
        await self._link(document.id, draft, is_live=False)

    async def _path(self, slug: str, parent: UUID | None) -> str:
        if parent is None:
            return slug
        above = await self._session.scalar(
            text("SELECT path FROM cms.documents WHERE id = :id"), {"id": parent}
        )
        path = f"{above}/{slug}"
        if len(path) > MAX_PATH:
            raise invalid("/parent", "too_deep", f"An address has at most {MAX_PATH} characters.")
        return path

    async def _move_drafts_below(self, document_id: UUID, slug: str) -> None:
        with translating({"uq_documents_path": SlugTaken(slug)}):
            await self._session.execute(
                text(
                    """
                    WITH RECURSIVE below AS (
                        SELECT id, path FROM cms.documents WHERE id = :id
                        UNION ALL
                        SELECT d.id, below.path || '/' || d.slug
                        FROM cms.documents d JOIN below ON d.parent_id = below.id)
                    UPDATE cms.documents d SET path = below.path
                    FROM below WHERE d.id = below.id AND d.path <> below.path
                    """
                ),
                {"id": document_id},
            )

    async def _link(self, document_id: UUID, content: Content, *, is_live: bool) -> None:
        """Make the stored links those of ``content``; rows that are right already stay untouched."""
        links = list(content.links())
        await self._session.execute(
            text(
                """
                WITH wanted AS (
                    SELECT * FROM unnest(
                        CAST(:fields AS text[]), CAST(:positions AS integer[]), CAST(:kinds AS text[]),
                        CAST(:targets AS uuid[])) AS w (field, position, target_kind, target_id)),
                gone AS (
                    DELETE FROM cms.links l WHERE l.document_id = :id AND l.is_live = :is_live
                      AND NOT EXISTS (
                        SELECT FROM wanted w WHERE w.field = l.field AND w.position = l.position))
                INSERT INTO cms.links AS l (document_id, is_live, field, position, target_kind, target_id)
                SELECT :id, :is_live, w.* FROM wanted w
                ON CONFLICT (document_id, is_live, field, position) DO UPDATE
                SET target_kind = excluded.target_kind, target_id = excluded.target_id
                WHERE l.target_id <> excluded.target_id OR l.target_kind <> excluded.target_kind
                """
            ),
            {
                "id": document_id,
                "is_live": is_live,
                "fields": [link.field for link in links],
                "positions": [link.position for link in links],
                "kinds": [link.kind for link in links],
                "targets": [link.target for link in links],
            },
        )

    async def add_revision(
        self, document: Document[C], *, changed: tuple[str, ...], restored_from: UUID | None = None
    ) -> None:
        content = document.draft.encoded()
        found = await self._session.execute(text(KEYFRAME), {"id": document.id})
        keyframe = found.one_or_none()
        base = None if keyframe is None else unpack(bytes(keyframe.data), None)
        packed = pack(content, base)
        await self._session.execute(
            text(
                """
                WITH content AS (
                    INSERT INTO cms.contents (document_id, hash, base_hash, data)
                    VALUES (:document_id, :hash, :base_hash, :data)
                    ON CONFLICT (document_id, hash) DO NOTHING)
                INSERT INTO cms.revisions (document_id, id, document_version, hash, size, changed,
                    restored_from, created_at, created_by)
                VALUES (:document_id, :id, :version, :hash, :size, CAST(:changed AS text[]),
                    :restored_from, :at, :by)
                """
            ),
            {
                "document_id": document.id,
                "id": document.draft_revision_id,
                "version": document.version,
                "hash": document.draft_hash,
                "base_hash": None if packed.is_whole or keyframe is None else bytes(keyframe.hash),
                "data": packed.data,
                "size": len(content),
                "changed": list(changed),
                "restored_from": restored_from,
                "at": document.updated_at,
                "by": document.updated_by,
            },
        )

    async def snapshot(
        self, kind: ContentType[C], document_id: UUID, revision_id: UUID | None = None
    ) -> Snapshot[C] | None:
        found = await self._session.execute(
            text(
                """
                SELECT r.id, r.hash, c.data, b.data AS base, r.published_at
                FROM cms.documents d
                JOIN cms.revisions r ON r.document_id = d.id
                    AND r.id = coalesce(CAST(:revision_id AS uuid), d.live_revision_id)
                JOIN cms.contents c ON c.document_id = d.id AND c.hash = r.hash
                LEFT JOIN cms.contents b ON b.document_id = d.id AND b.hash = c.base_hash
                WHERE d.id = :id
                """
            ),
            {"id": document_id, "revision_id": revision_id},
        )
        row = found.one_or_none()
        if row is None:
            return None
        return Snapshot(row.id, decoded(kind, row.data, row.base), bytes(row.hash), row.published_at)

    async def put_live(self, document: Document[C], content: C, fields: PublicFields) -> None:
        if document.published_at is None or document.first_published_at is None:
            raise LookupError("Only a published document has a live copy.")
        post = content if isinstance(content, PostContent) else None
        page = content if isinstance(content, PageContent) else None
        await self._session.execute(
            text(
                """
                UPDATE cms.revisions SET published_at = :at
                WHERE document_id = :id AND id = :revision_id AND published_at IS NULL
                """
            ),
            {"id": document.id, "revision_id": document.live_revision_id, "at": document.updated_at},
        )
        with translating({"uq_publications_path": AddressTaken(content.slug)}):
            await self._session.execute(
                text(
                    """
                    INSERT INTO cms.publications (document_id, type, locale, slug, path, parent_id, version,
                        title, published_at, first_published_at, created_at, updated_at, is_sticky, menu_order,
                        author_ids, category_ids, tag_ids, cover_id, fields)
                    VALUES (:id, :type, :locale, :slug, :path, :parent_id, :version, :title, :published_at,
                        :first_published_at, :created_at, :updated_at, :is_sticky, :menu_order,
                        CAST(:authors AS uuid[]), CAST(:categories AS uuid[]), CAST(:tags AS uuid[]), :cover,
                        CAST(:fields AS jsonb))
                    ON CONFLICT (document_id) DO UPDATE SET
                        slug = excluded.slug, path = excluded.path, parent_id = excluded.parent_id,
                        version = excluded.version, title = excluded.title,
                        published_at = excluded.published_at, updated_at = excluded.updated_at,
                        is_sticky = excluded.is_sticky, menu_order = excluded.menu_order,
                        author_ids = excluded.author_ids, category_ids = excluded.category_ids,
                        tag_ids = excluded.tag_ids, cover_id = excluded.cover_id, fields = excluded.fields
                    """
                ),
                {
                    "id": document.id,
                    "type": document.type,
                    "locale": document.locale,
                    "slug": content.slug,
                    "path": await self._live_path(document.id, content.slug, page.parent if page else None),
                    "parent_id": page.parent if page else None,
                    "version": document.version,
                    "title": content.title,
                    "published_at": document.published_at,
                    "first_published_at": document.first_published_at,
                    "created_at": document.created_at,
                    "updated_at": document.updated_at,
                    "is_sticky": post.is_sticky if post else False,
                    "menu_order": page.menu_order if page else 0,
                    "authors": list(content.authors),
                    "categories": list(post.categories) if post else [],
                    "tags": list(post.tags) if post else [],
                    "cover": content.cover,
                    "fields": _json(fields),
                },
            )
            if page is not None:
                await self._move_live_below(document.id)
        await self._link(document.id, content, is_live=True)

    async def _live_path(self, document_id: UUID, slug: str, parent: UUID | None) -> str:
        """The public address below ``parent``, whose live copy counts where it has one.

        Raises `Invalid` where live copies would hang below one another: drafts may have been
        turned round while the live copies still stand as they were.
        """
        if parent is None:
            return slug
        above = await self._session.execute(
            text(
                """
                WITH RECURSIVE up AS (
                    SELECT d.id, ARRAY[d.id] AS seen, coalesce(p.slug, d.slug) AS path,
                           CASE WHEN p.document_id IS NULL THEN d.parent_id ELSE p.parent_id END AS parent_id
                    FROM cms.documents d LEFT JOIN cms.publications p ON p.document_id = d.id WHERE d.id = :id
                    UNION ALL
                    SELECT d.id, up.seen || d.id, coalesce(p.slug, d.slug) || '/' || up.path,
                           CASE WHEN p.document_id IS NULL THEN d.parent_id ELSE p.parent_id END
                    FROM up JOIN cms.documents d ON d.id = up.parent_id
                    LEFT JOIN cms.publications p ON p.document_id = d.id
                    WHERE d.id <> ALL (up.seen))
                SELECT id, path, parent_id IS NULL FROM up
                """
            ),
            {"id": parent},
        )
        rows = above.all()
        root = next((path for _, path, is_root in rows if is_root), None)
        if root is None or any(found == document_id for found, _, _ in rows):
            raise invalid(
                "/parent",
                "cycle",
                "The live copy of a page above hangs below this one: publish that one first.",
            )
        return f"{root}/{slug}"

    async def _move_live_below(self, document_id: UUID) -> None:
        await self._session.execute(
            text(
                """
                WITH RECURSIVE below AS (
                    SELECT document_id, path, ARRAY[document_id] AS seen
                    FROM cms.publications WHERE document_id = :id
                    UNION ALL
                    SELECT p.document_id, below.path || '/' || p.slug, below.seen || p.document_id
                    FROM cms.publications p JOIN below ON p.parent_id = below.document_id
                    WHERE p.document_id <> ALL (below.seen))
                UPDATE cms.publications p SET path = below.path
                FROM below WHERE p.document_id = below.document_id AND p.path <> below.path
                """
            ),
            {"id": document_id},
        )

    async def take_down(self, document_id: UUID) -> None:
        for statement in (
            "DELETE FROM cms.publications WHERE document_id = :id",
            "DELETE FROM cms.links WHERE document_id = :id AND is_live",
        ):
            await self._session.execute(text(statement), {"id": document_id})

    async def free_slug(self, kind: ContentType[C], *, locale: str, base: str, parent: UUID | None) -> str:
        await lock(self._session, f"slug {kind.key} {locale} {base}")
        taken = await self._session.scalars(
            text(
                """
                SELECT slug FROM cms.documents
                WHERE type = :type AND locale = :locale AND trashed_at IS NULL
                  AND parent_id IS NOT DISTINCT FROM CAST(:parent AS uuid) AND (slug = :base OR slug LIKE :like)
                """
            ),
            {
                "type": kind.key,
                "locale": locale,
                "parent": parent,
                "base": base,
                "like": numbered_like(base),
            },
        )
        return first_free(base, set(taken))

    async def existing(self, links: Iterable[Link]) -> frozenset[Link]:
        wanted: dict[str, dict[UUID, list[Link]]] = {}
        for link in links:
            wanted.setdefault(link.kind, {}).setdefault(link.target, []).append(link)
        found: set[Link] = set()
        for kind, targets in sorted(wanted.items()):
            for target in await self._session.scalars(text(TARGETS[kind]), {"ids": list(targets)}):
                found.update(targets[target])
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

    async def users(self, document_id: UUID) -> int:
        number = await self._session.scalar(
            text(
                """
                SELECT count(*) FROM (
                    SELECT document_id FROM cms.links WHERE target_id = :id AND document_id <> :id
                    UNION SELECT id FROM cms.documents WHERE parent_id = :id) users
                """
            ),
            {"id": document_id},
        )
        return number or 0

    async def delete(self, document_id: UUID) -> None:
        await self._session.execute(text("DELETE FROM cms.documents WHERE id = :id"), {"id": document_id})

"""The repository of documents, with their revisions."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import json_text, translating
from cms_api.adapters.sqlalchemy.cms.contents import pack, unpack
from cms_api.adapters.sqlalchemy.cms.draft_words import put_words
from cms_api.adapters.sqlalchemy.cms.field_indexes import unique_errors
from cms_api.adapters.sqlalchemy.cms.references import put_links
from cms_api.adapters.sqlalchemy.cms.table import first_free, lock, numbered_like
from cms_api.domains.cms.content_types.errors import TranslationExists
from cms_api.domains.cms.documents.content import Content, PageContent
from cms_api.domains.cms.documents.errors import SlugTaken
from cms_api.domains.cms.documents.model import ContentType, Document, Snapshot
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.entries.content import EntryContent
from cms_api.kernel.errors import invalid

C = TypeVar("C", bound=Content)

MAX_PATH = 2_000

IS_SCHEDULED = """EXISTS (
    SELECT FROM cms.schedules s WHERE s.document_id = d.id AND s.state = 'pending' AND s.action = 'publish')"""
COLUMNS = f"""
    d.id, d.type, d.locale, d.version, d.draft_revision_id, r.hash AS draft_hash, c.data, b.data AS base,
    d.live_revision_id, live.hash AS live_hash, d.published_at, d.first_published_at,
    {IS_SCHEDULED} AS is_scheduled, d.archived_at, d.trashed_at, d.field_versions, d.created_at, d.updated_at,
    d.created_by, d.updated_by, d.stage, d.translation_of
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
    return kind.current(msgspec.json.decode(unpack(bytes(data), whole), type=kind.content))


class SqlAlchemyDocuments(DocumentRepository):
    """Documents in ``cms.documents``, ``revisions`` and ``contents``."""

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

    async def lock(self, ids: Collection[UUID]) -> None:
        await self._session.execute(
            text("SELECT id FROM cms.documents WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"),
            {"ids": list(ids)},
        )

    async def add(self, document: Document[C]) -> None:
        await self._write(
            document,
            """
            INSERT INTO cms.documents (id, type, locale, version, slug, path, parent_id, title,
                draft_revision_id, live_revision_id, field_versions, published_at, first_published_at,
                archived_at, trashed_at, created_at, updated_at, created_by, updated_by, stage,
                translation_of, fields, menu_order)
            VALUES (:id, :type, :locale, :version, :slug, :path, :parent_id, :title,
                :draft_revision_id, :live_revision_id, CAST(:field_versions AS jsonb), :published_at,
                :first_published_at, :archived_at, :trashed_at, :created_at, :updated_at, :created_by,
                :updated_by, :stage, :translation_of, CAST(:fields AS jsonb), :menu_order)
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
                stage = :stage, fields = CAST(:fields AS jsonb), menu_order = :menu_order
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
            "title": draft.heading,
            "draft_revision_id": document.draft_revision_id,
            "live_revision_id": document.live_revision_id,
            "field_versions": json_text(document.field_versions),
            "published_at": document.published_at,
            "first_published_at": document.first_published_at,
            "archived_at": document.archived_at,
            "trashed_at": document.trashed_at,
            "created_at": document.created_at,
            "updated_at": document.updated_at,
            "created_by": document.created_by,
            "updated_by": document.updated_by,
            "stage": document.stage,
            "menu_order": draft.menu_order if isinstance(draft, PageContent) else 0,
            "translation_of": document.translation_of,
            "fields": json_text(draft.fields) if isinstance(draft, EntryContent) else None,
        }
        taken = {
            "uq_documents_path": SlugTaken(draft.slug),
            "uq_documents_translation": TranslationExists(document.locale),
            **(unique_errors(draft.definition) if isinstance(draft, EntryContent) else {}),
        }
        with translating(taken):
            await self._session.execute(text(statement), values)
        await put_links(self._session, document.id, draft, is_live=False)
        await put_words(self._session, document.id, document.draft_revision_id, draft)

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
            longest = await self._session.scalar(
                text(
                    f"""
                    WITH RECURSIVE below AS (
                        SELECT id, path FROM cms.documents WHERE id = :id
                        UNION ALL
                        SELECT d.id, below.path || '/' || d.slug
                        FROM cms.documents d JOIN below ON d.parent_id = below.id),
                    moved AS (
                        UPDATE cms.documents d SET path = below.path
                        FROM below WHERE d.id = below.id AND d.path <> below.path
                          AND (SELECT max(length(path)) FROM below) <= {MAX_PATH})
                    SELECT max(length(path)) FROM below
                    """
                ),
                {"id": document_id},
            )
        if longest > MAX_PATH:
            raise invalid("/parent", "too_deep", f"An address has at most {MAX_PATH} characters.")

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

    async def delete(self, *ids: UUID) -> None:
        # One statement: they may hang on one another.
        await self._session.execute(
            text("DELETE FROM cms.documents WHERE id = ANY(:ids)"), {"ids": list(ids)}
        )

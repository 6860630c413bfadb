"""Live copies: the read model, one row for each published document."""

from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import translating
from cms_api.adapters.sqlalchemy.cms.references import put_links
from cms_api.domains.cms.documents.content import Content, PageContent, PostContent
from cms_api.domains.cms.documents.errors import AddressTaken
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import PublicationRepository, PublicFields
from cms_api.kernel.errors import invalid

C = TypeVar("C", bound=Content)


class SqlAlchemyPublications(PublicationRepository):
    """Live copies in ``cms.publications``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

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
                    "title": content.heading,
                    "published_at": document.published_at,
                    "first_published_at": document.first_published_at,
                    "created_at": document.created_at,
                    "updated_at": document.updated_at,
                    "is_sticky": post.is_sticky if post else False,
                    "menu_order": page.menu_order if page else 0,
                    "authors": list(content.authors),
                    "categories": list(post.categories) if post else [],
                    "tags": list(post.tags) if post else [],
                    "cover": getattr(content, "cover", None),
                    "fields": msgspec.json.encode(fields).decode(),
                },
            )
            if page is not None:
                await self._move_live_below(document.id)
        await put_links(self._session, document.id, content, is_live=True)

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

"""Live copies: the read model, one row for each published document."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import json_text, translating
from cms_api.adapters.sqlalchemy.cms.documents import MAX_PATH
from cms_api.adapters.sqlalchemy.cms.references import put_links
from cms_api.adapters.sqlalchemy.cms.urls import site_path
from cms_api.domains.cms.documents.content import Content, PageContent, PostContent
from cms_api.domains.cms.documents.errors import AddressTaken
from cms_api.domains.cms.documents.model import Document
from cms_api.domains.cms.documents.ports import PublicationRepository
from cms_api.domains.cms.documents.rendering import (
    OTHER_FORMATS,
    RENDERING_VERSION,
    OtherFormat,
    Public,
    PublicFields,
)
from cms_api.domains.cms.entries.content import EntryContent
from cms_api.kernel.errors import invalid

C = TypeVar("C", bound=Content)

# A UUIDv7 of this moment (RFC 9562, section 5.7), which PostgreSQL makes itself from version 18 on.
NEW_ID = """encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
    substring(int8send(CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)) FROM 3)
    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid"""
# What follows when live copies get other addresses, the rows of ``changed``: what led away from the new
# ones goes, and the old ones lead to the documents, unless something is live there.
LEAD_ON = f"""
freed AS (
    DELETE FROM cms.redirects r USING changed c
    WHERE r.locale = c.locale AND r.match = 'exact' AND r.source = c.path COLLATE "C" AND r.is_automatic),
led AS (
    INSERT INTO cms.redirects AS r (id, locale, match, source, document_id, status, is_automatic,
        created_at, updated_at)
    SELECT {NEW_ID}, c.locale, 'exact', c.before, c.document_id, 301, true, :at, :at
    FROM changed c
    WHERE c.before <> c.path
      AND NOT EXISTS (SELECT FROM changed o WHERE o.path = c.before AND o.locale = c.locale)
      AND NOT EXISTS (
        SELECT FROM cms.publications p
        WHERE p.has_address AND p.locale = c.locale AND p.path = c.before
          AND p.document_id NOT IN (SELECT document_id FROM changed))
    ON CONFLICT (locale, match, source) DO UPDATE SET document_id = excluded.document_id,
        version = r.version + 1, updated_at = excluded.updated_at
        WHERE r.is_automatic AND r.document_id <> excluded.document_id)"""
# The live paths of a page and of all below it, brought up to date. Where a page between is not
# live, its draft's slug counts.
MOVE = f"""
WITH RECURSIVE below AS (
    SELECT document_id AS id, path, ARRAY[document_id] AS seen
    FROM cms.publications WHERE document_id = :id
    UNION ALL
    SELECT child.id, below.path || '/' || child.slug, below.seen || child.id
    FROM below CROSS JOIN LATERAL (
        SELECT p.document_id AS id, p.slug FROM cms.publications p WHERE p.parent_id = below.id
        UNION ALL
        SELECT d.id, d.slug FROM cms.documents d
        WHERE d.parent_id = below.id AND d.trashed_at IS NULL
          AND NOT EXISTS (SELECT FROM cms.publications p WHERE p.document_id = d.id)) child
    WHERE child.id <> ALL (below.seen)),
readdressed AS MATERIALIZED (
    SELECT p.document_id, p.locale, below.path,
        CASE p.document_id WHEN :id THEN CAST(:before AS text) ELSE p.path END AS before
    FROM below JOIN cms.publications p ON p.document_id = below.id),
changed AS MATERIALIZED (SELECT * FROM readdressed WHERE before <> path),
moved AS (
    UPDATE cms.publications p SET path = c.path FROM changed c
    WHERE p.document_id = c.document_id AND p.path <> c.path
      AND (SELECT max(length(path)) FROM changed) <= {MAX_PATH}),
{LEAD_ON}
SELECT max(length(path)) FROM changed
"""

POST_PATH = f"SELECT ltrim({site_path('post', 'CAST(:slug AS text)')}, '/')"
RENDERED = """
INSERT INTO cms.renderings (document_id, markdown, text, blocks)
SELECT document_id, CAST(:markdown AS jsonb), CAST(:text AS jsonb), CAST(:blocks AS jsonb) FROM {source}
ON CONFLICT (document_id) DO UPDATE SET
    markdown = excluded.markdown, text = excluded.text, blocks = excluded.blocks"""


class SqlAlchemyPublications(PublicationRepository):
    """Live copies in ``cms.publications``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put_live(self, document: Document[C], content: C, public: Public) -> None:
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
        address = content.definition.address(content.slug) if isinstance(content, EntryContent) else None
        if post is not None:
            address = await self._post_path(post.slug)
        has_address = address is not None or not isinstance(content, EntryContent)
        path = address or await self._live_path(document.id, content.slug, page.parent if page else None)
        taken = AddressTaken(path if address else content.slug)
        with translating({"uq_publications_path": taken, "uq_publications_address": taken}):
            before = await self._session.scalar(
                text(
                    f"""
                    WITH freed AS (
                        DELETE FROM cms.redirects r WHERE r.locale = :locale AND r.match = 'exact'
                          AND r.source = :path AND r.is_automatic AND CAST(:has_address AS boolean)),
                    rendered AS ({RENDERED.format(source="(SELECT CAST(:id AS uuid) AS document_id) live")})
                    INSERT INTO cms.publications (document_id, type, locale, slug, path, has_address, parent_id,
                        version,
                        title, published_at, first_published_at, created_at, updated_at, is_sticky, menu_order,
                        author_ids, category_ids, tag_ids, cover_id, fields, mention_ids, rendering_version,
                        seo, toc, is_noindex, translation_group, ordinal)
                    VALUES (:id, :type, :locale, :slug, :path, :has_address, :parent_id, :version, :title,
                        :published_at,
                        :first_published_at, :created_at, :updated_at, :is_sticky, :menu_order,
                        CAST(:authors AS uuid[]), CAST(:categories AS uuid[]), CAST(:tags AS uuid[]), :cover,
                        CAST(:fields AS jsonb), CAST(:mentions AS uuid[]), {RENDERING_VERSION}, CAST(:seo AS jsonb),
                        CAST(:toc AS jsonb), :is_noindex,
                        coalesce(CAST(:translation_of AS uuid), (
                            SELECT translation_of FROM cms.documents
                            WHERE translation_of = :id AND trashed_at IS NULL LIMIT 1)),
                        -- A sequence counts at each try: what was live before keeps its number.
                        coalesce((SELECT ordinal FROM cms.publications WHERE document_id = :id),
                            nextval('cms.publications_ordinal')))
                    ON CONFLICT (document_id) DO UPDATE SET
                        slug = excluded.slug, path = excluded.path, has_address = excluded.has_address,
                        parent_id = excluded.parent_id,
                        version = excluded.version, title = excluded.title,
                        published_at = excluded.published_at, updated_at = excluded.updated_at,
                        is_sticky = excluded.is_sticky, menu_order = excluded.menu_order,
                        author_ids = excluded.author_ids, category_ids = excluded.category_ids,
                        tag_ids = excluded.tag_ids, cover_id = excluded.cover_id, fields = excluded.fields,
                        mention_ids = excluded.mention_ids, rendering_version = excluded.rendering_version,
                        seo = excluded.seo, toc = excluded.toc, is_noindex = excluded.is_noindex,
                        translation_group = excluded.translation_group
                    RETURNING (SELECT path FROM cms.publications WHERE document_id = :id AND has_address)
                    """
                ),
                {
                    "id": document.id,
                    "type": document.type,
                    "locale": document.locale,
                    "slug": content.slug,
                    "path": path,
                    "has_address": has_address,
                    "parent_id": page.parent if page else None,
                    "version": document.version,
                    "title": content.public_heading,
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
                    "is_noindex": content.seo.noindex is True,
                    "translation_of": document.translation_of,
                    **_texts(public),
                },
            )
            if document.translation_of is not None:
                await self._touch_translations(document.translation_of)
            if page is not None or (before not in (None, path) and has_address):
                await self._move_live(document, before)
        await put_links(self._session, document.id, content, is_live=True)

    async def _post_path(self, slug: str) -> str:
        """Where the settings say that a post is. They stay so while the unit of work holds its pattern."""
        path: str = await self._session.scalar(text(POST_PATH), {"slug": slug})
        return path

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

    async def _move_live(self, document: Document[C], before: str | None) -> None:
        longest = await self._session.scalar(
            text(MOVE), {"id": document.id, "before": before, "at": document.updated_at}
        )
        if longest is not None and longest > MAX_PATH:
            raise invalid("/parent", "too_deep", f"An address has at most {MAX_PATH} characters.")

    async def put_rendered(self, document_id: UUID, public: Public) -> None:
        await self._session.execute(
            text(
                f"""
                WITH live AS (
                UPDATE cms.publications SET fields = CAST(:fields AS jsonb),
                    seo = CAST(:seo AS jsonb), toc = CAST(:toc AS jsonb),
                    mention_ids = CAST(:mentions AS uuid[]), rendering_version = {RENDERING_VERSION}
                WHERE document_id = :id RETURNING document_id)
                {RENDERED.format(source="live")}
                """
            ),
            {"id": document_id, **_texts(public)},
        )

    async def outdated(self, after: UUID | None, limit: int) -> Sequence[tuple[UUID, str]]:
        found = await self._session.execute(
            text(
                f"""
                SELECT document_id, type FROM cms.publications
                WHERE rendering_version < {RENDERING_VERSION} AND document_id > :after
                ORDER BY document_id LIMIT :limit
                """
            ),
            {"after": after or UUID(int=0), "limit": limit},
        )
        return [(row.document_id, row.type) for row in found]

    async def take_down(self, document_id: UUID) -> None:
        group = await self._session.scalar(
            text("DELETE FROM cms.publications WHERE document_id = :id RETURNING translation_group"),
            {"id": document_id},
        )
        await self._session.execute(
            text("DELETE FROM cms.links WHERE document_id = :id AND is_live"), {"id": document_id}
        )
        if group is not None:
            await self._touch_translations(group)

    async def _touch_translations(self, group: UUID) -> None:
        """Have whoever looks at the rows of a group of translations know that they name others now."""
        await self._session.execute(
            text(
                """
                UPDATE cms.publications SET translation_group = :group
                WHERE document_id = :group OR translation_group = :group
                """
            ),
            {"group": group},
        )


def _texts(public: Public) -> dict[str, Any]:
    """What a live copy says, and what its texts mention."""
    about = {"seo": json_text(public.seo), "toc": json_text(public.toc)}
    fields, mentions = json_text(public.fields), sorted(public.mentions)
    return {"fields": fields, "mentions": mentions, **about, **others_of(public.others)}


def others_of(others: Mapping[OtherFormat, PublicFields]) -> dict[str, str]:
    """Fields in other formats than HTML as JSON, for the columns of these names."""
    return {name: json_text(others.get(name, {})) for name in OTHER_FORMATS}

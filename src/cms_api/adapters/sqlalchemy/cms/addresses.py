"""The addresses of the live documents of a type."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import translating
from cms_api.adapters.sqlalchemy.cms.publications import LEAD_ON
from cms_api.adapters.sqlalchemy.cms.table import lock
from cms_api.domains.cms.content_types.definition import SLUG
from cms_api.domains.cms.content_types.ports import AddressRepository
from cms_api.domains.cms.content_types.tallies import MAX_EXAMPLES
from cms_api.domains.cms.documents.errors import AddressTaken

# The lock of the pattern of posts. The row of the settings is not locked in its place: who purges the home
# page does so behind documents.
POSTS = "pattern of posts"
# What a live document's path is to be; without a pattern it is its slug, and no address.
PATH = f"coalesce(replace(ltrim(CAST(:path AS text), '/'), '{SLUG}', p.slug), p.slug)"
MOVE = f"""
WITH changed AS MATERIALIZED (
    SELECT p.document_id, p.locale, {PATH} AS path, CASE WHEN p.has_address THEN p.path END AS before
    FROM cms.publications p WHERE p.type = :key),
moved AS (
    UPDATE cms.publications p SET path = c.path, has_address = :has_address
    FROM changed c WHERE p.document_id = c.document_id)
"""


class SqlAlchemyAddresses(AddressRepository):
    """Addresses in ``cms.publications``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def hold_posts(self) -> None:
        await lock(self._session, POSTS, shared=True)

    async def lock_posts(self) -> None:
        await lock(self._session, POSTS)

    async def holder(self, path: str) -> str | None:
        await lock(self._session, f"pattern {path}")
        found: str | None = await self._session.scalar(
            text(
                f"""
                SELECT key FROM cms.content_types WHERE definition->>'path' = :path
                UNION ALL SELECT 'post' FROM cms.site_settings WHERE nullif(data->'paths'->>'post', '/{SLUG}') = :path
                """
            ),
            {"path": path},
        )
        return found

    async def count(self, key: str) -> int:
        found = await self._session.scalar(
            text("SELECT count(*) FROM cms.publications WHERE type = :key"), {"key": key}
        )
        return found or 0

    async def taken(self, key: str, path: str) -> tuple[int, list[UUID]]:
        found = await self._session.execute(
            text(
                f"""
                SELECT p.document_id, count(*) OVER () AS number FROM cms.publications p
                JOIN cms.publications o
                    ON o.has_address AND o.locale = p.locale AND o.path = {PATH} AND o.type <> p.type
                WHERE p.type = :key ORDER BY p.document_id LIMIT {MAX_EXAMPLES}
                """
            ),
            {"key": key, "path": path},
        )
        rows = found.all()
        return (rows[0].number if rows else 0), [row.document_id for row in rows]

    async def move(self, key: str, path: str | None, *, at: datetime) -> None:
        # What has no address any more leads nowhere, from anywhere.
        follows = f", {LEAD_ON}" if path is not None else ""
        params = {"key": key, "path": path, "has_address": path is not None}
        with translating({"uq_publications_address": AddressTaken(path or "")}):
            await self._session.execute(
                text(f"{MOVE}{follows} SELECT count(*) FROM changed"),
                params | ({"at": at} if follows else {}),
            )

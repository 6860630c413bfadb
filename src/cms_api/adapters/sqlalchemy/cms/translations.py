"""Which documents say the same in several languages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.domains.cms.entries.ports import TranslationRepository


class SqlAlchemyTranslations(TranslationRepository):
    """The column ``cms.documents.translation_of``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def others(self, document_id: UUID) -> Sequence[UUID]:
        found = await self._session.scalars(
            text(
                """
                WITH root AS (SELECT coalesce(translation_of, id) AS id FROM cms.documents WHERE id = :id)
                SELECT d.id FROM cms.documents d JOIN root ON d.id = root.id OR d.translation_of = root.id
                WHERE d.id <> :id ORDER BY d.id
                """
            ),
            {"id": document_id},
        )
        return list(found)

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

    async def others(self, *document_ids: UUID) -> Sequence[UUID]:
        found = await self._session.scalars(
            text(
                """
                WITH roots AS (
                    SELECT DISTINCT coalesce(translation_of, id) AS id FROM cms.documents WHERE id = ANY(:ids))
                SELECT d.id FROM cms.documents d JOIN roots ON d.id = roots.id OR d.translation_of = roots.id
                WHERE d.id <> ALL(:ids) ORDER BY d.id
                """
            ),
            {"ids": list(document_ids)},
        )
        return list(found)

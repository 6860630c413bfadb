"""Documents without their contents."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.documents.subjects import Subject, SubjectQueries, SubjectRepository

SUBJECT = """
SELECT d.id, d.type, d.live_revision_id IS NOT NULL, d.archived_at IS NOT NULL, d.trashed_at IS NOT NULL,
    array_remove(ARRAY(
    SELECT a.user_id FROM cms.links l JOIN cms.authors a ON a.id = l.target_id
    WHERE l.document_id = d.id AND NOT l.is_live AND l.field = 'authors'
    UNION SELECT d.created_by), NULL)
FROM cms.documents d
"""


def _subject(row: Any) -> Subject:
    *values, owners = row
    names = ("id", "type", "is_live", "is_archived", "is_trashed")
    return Subject(**dict(zip(names, values, strict=True)), owners=frozenset(owners))


class SqlAlchemySubjects(SubjectRepository):
    """Rows of ``cms.documents``, held by a lock that others may share or, alone, by one that they may not."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, kind: str, document_id: UUID, *, alone: bool = False) -> Subject | None:
        strength = "NO KEY UPDATE" if alone else "KEY SHARE"
        found = await self._session.execute(
            text(f"{SUBJECT} WHERE d.id = :id AND d.type = :type FOR {strength} OF d"),
            {"id": document_id, "type": kind},
        )
        row = found.one_or_none()
        return None if row is None else _subject(row)


class SqlSubjects(SubjectQueries):
    """Rows of ``cms.documents``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, kind: str, document_id: UUID) -> Subject | None:
        row = await self._reader.one(
            SUBJECT + "WHERE d.id = %(id)s AND d.type = %(type)s", {"id": document_id, "type": kind}
        )
        return None if row is None else _subject(row)

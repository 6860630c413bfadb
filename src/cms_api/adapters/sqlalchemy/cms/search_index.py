"""What live copies are found by: rows of ``cms.search``, in the transaction that publishes."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.search_languages import language_of
from cms_api.domains.cms.search.ports import SearchIndex, Unread
from cms_api.domains.cms.search.text import SearchText

# As a parser of HTML reads it, what stands in angle brackets would be no word.
_PARTS = " || ".join(
    f"setweight(to_tsvector(CAST(:configuration AS regconfig), translate(:{name}, '<>', '  ')), '{weight}')"
    for name, weight in {"title": "A", "high": "A", "medium": "B", "low": "C", "lowest": "D"}.items()
)
ADD = f"""
WITH put AS (
    INSERT INTO cms.search (document_id, type, locale, published_at, title, text, words)
    SELECT p.document_id, p.type, p.locale, p.published_at, :title, :text, {_PARTS}
    FROM cms.publications p WHERE p.document_id = :id
    ON CONFLICT (document_id) DO NOTHING)
INSERT INTO cms.search_queue (document_id) VALUES (:id)
"""
PUT = ADD.replace(
    "DO NOTHING",
    """DO UPDATE SET published_at = excluded.published_at, title = excluded.title, text = excluded.text,
        words = excluded.words""",
)
# Each of them once, though it may stand in the queue several times.
UNREAD = """
WITH taken AS (
    DELETE FROM cms.search_queue WHERE id IN (
        SELECT id FROM cms.search_queue ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING document_id)
SELECT p.document_id, p.locale, s.document_id IS NOT NULL AS is_indexed, p.title,
    CASE WHEN p.type IN ('page', 'post') THEN p.fields->>'excerpt' END AS excerpt,
    CASE WHEN p.type IN ('page', 'post') THEN p.fields->>'body' END AS body
FROM (SELECT DISTINCT document_id FROM taken) t
JOIN cms.publications p ON p.document_id = t.document_id
LEFT JOIN cms.search s ON s.document_id = t.document_id
ORDER BY p.document_id
"""
# Words as they are written, in small letters. In one order for everybody, as two may learn the same ones.
LEARN = """
INSERT INTO cms.search_words (language, word)
SELECT DISTINCT m.language, w.lexeme
FROM unnest(CAST(:locales AS text[]), CAST(:languages AS text[])) m(locale, language)
JOIN cms.search s ON s.locale = m.locale AND s.document_id = ANY(:ids),
LATERAL unnest(to_tsvector('pg_catalog.simple', translate(s.title || ' ' || s.text, '<>', '  '))) w
WHERE length(w.lexeme) BETWEEN 4 AND 40 AND w.lexeme !~ '[^[:alpha:]]'
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
# Answers to searches may be other ones now, though no document has changed.
NOTE = f"SELECT cms.note('search', ARRAY['{UUID(int=0)}'::uuid], false)"


class SqlAlchemySearchIndex(SearchIndex):
    """Rows of ``cms.search``, and the queue of those whose words are to be learnt."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, document_id: UUID, locale: str, text: SearchText) -> None:
        await self._write(PUT, document_id, locale, text)

    async def add(self, document_id: UUID, locale: str, text: SearchText) -> None:
        await self._write(ADD, document_id, locale, text)

    async def _write(self, statement: str, document_id: UUID, locale: str, text: SearchText) -> None:
        await self._execute(
            statement,
            id=document_id,
            configuration=f"cms.{language_of(locale)}",
            title=text.title,
            high=text.high,
            medium=text.medium,
            low=text.low,
            lowest=text.lowest,
            text=text.body,
        )

    async def remove_type(self, type: str) -> None:
        await self._execute("DELETE FROM cms.search WHERE type = :type", type=type)
        await self._execute(NOTE)

    async def unread(self, limit: int) -> Sequence[Unread]:
        found = await self._session.execute(text(UNREAD), {"limit": limit})
        rows = [Unread(**row) for row in found.mappings()]
        if rows:
            await self._execute(NOTE)
        return rows

    async def learn(self, ids: Collection[UUID]) -> None:
        if not ids:
            return
        locales = await self._session.scalars(
            text("SELECT DISTINCT locale FROM cms.search WHERE document_id = ANY(:ids)"), {"ids": list(ids)}
        )
        known = {locale: language_of(locale) for locale in locales}
        await self._execute(LEARN, ids=list(ids), locales=list(known), languages=list(known.values()))

    async def _execute(self, statement: str, **params: object) -> None:
        await self._session.execute(text(statement), params)

"""What editors find drafts by: rows of ``cms.draft_words``, written with each draft."""

import re
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.keyset import Search
from cms_api.domains.cms.documents.content import Content
from cms_api.domains.cms.search.text import SearchText

# Of no language, since editors look for documents in all of them; words are found by their beginnings instead of stems.
CONFIGURATION = "CAST('cms.simple' AS regconfig)"
# Tags and comments, as PostgreSQL's parser knows them too: but it looks for the end of each that has none,
# so that it is shown no brackets at all.
_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|</?[a-z!?][^<>]*>", re.IGNORECASE | re.DOTALL)
# The same draft is saved again with each step in its document's life.
PUT = f"""
INSERT INTO cms.draft_words (document_id, revision_id, fields, words)
SELECT :id, :revision_id, CAST(:fields AS text[]), to_tsvector({CONFIGURATION}, translate(:text, '<>', '  '))
WHERE NOT EXISTS (SELECT FROM cms.draft_words WHERE document_id = :id AND revision_id = :revision_id)
ON CONFLICT (document_id) DO UPDATE SET
    revision_id = excluded.revision_id, fields = excluded.fields, words = excluded.words
"""
# Each word of the query, which stands in quotes there, may be the beginning of one.
_BEGUN = f"""regexp_replace(websearch_to_tsquery({CONFIGURATION}, {{0}})::text, '''(?=$|[ )])', ''':*', 'g')::tsquery"""


async def put_words(session: AsyncSession, document_id: UUID, revision_id: UUID, draft: Content) -> None:
    """Have a document found by the draft that is its revision ``revision_id``."""
    texts = list(draft.texts())
    kept = SearchText.of("", [("low", _MARKUP.sub(" ", text)) for _, text in texts])
    values = {
        "id": document_id,
        "revision_id": revision_id,
        "fields": sorted({field for field, _ in texts if field}),
        "text": kept.low,
    }
    await session.execute(text(PUT), values)


def draft_search(alias: str, fields: Collection[str] = ()) -> Search:
    """The search of documents that go by ``alias``. ``fields`` are the ids of those that may be searched."""
    known = ", ".join(f"'{one}'" for one in sorted(fields))
    return Search(
        f"EXISTS (SELECT FROM cms.draft_words w WHERE w.document_id = {alias}.id AND w.words @@ {_BEGUN}"
        f" AND w.fields <@ ARRAY[{known}]::text[])"
    )

"""Full-text search in SQL: hits, ranks, snippets, facets and words that are near."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from cms_api.adapters.sqlalchemy.cms.delivery import STATEMENTS_KEPT, http_date, kept, object_of
from cms_api.adapters.sqlalchemy.cms.hits import (
    CONFIGURATION,
    Copies,
    Matching,
    highlights,
    of_hits,
    page_of_hits,
)
from cms_api.adapters.sqlalchemy.cms.search_languages import language_of
from cms_api.adapters.sqlalchemy.cms.sources import SOURCES, moment, related
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.search.interface import MAX_COUNTED, MAX_VALUES, Facet, Question
from cms_api.domains.cms.search.ports import SearchQueries
from cms_api.querying import NO_SELECTION, Page, PageRequest, Selection

_TARGETS = SOURCES["posts"].links
_SEARCH = of_hits(
    Keyset(
        {"published_at": Column("p.published_at", "timestamptz")},
        key=Column("s.document_id", "uuid"),
        filters={
            "type": Column("s.type", "text"),
            "published_at": Column("s.published_at", "timestamptz"),
            # “author” is any of the authors.
            "author": related(_TARGETS["authors"], "s", has_ids=False),
            "categories": related(_TARGETS["categories"], "s", has_ids=False),
            "tags": related(_TARGETS["tags"], "s", has_ids=False),
        },
    )
)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _copies(selection: Selection, *, is_prefix: bool) -> Copies:
    """The JSON of hits, their dates, and the ids of what they are made of."""
    known = {
        "id": "p.document_id",
        "type": "p.type",
        "title": "s.title",
        "slug": "p.slug",
        "path": "CASE WHEN p.has_address THEN p.path END",
        "locale": "p.locale",
        "excerpt": "coalesce(p.fields->>'excerpt', '')",
        "published_at": moment("p.published_at"),
        "score": "h.score",
        "highlights": highlights(is_prefix=is_prefix),
    }
    columns = f"{object_of(kept(known, selection))}::text, {http_date('p.updated_at')}, p.document_id::text"
    return Copies(columns, _SEARCH, are_asked=False)


def _values(rows: str, order: str) -> str:
    """A facet's values with their numbers, made of ``rows`` of a value, and perhaps an id and a name."""
    listed = f"{rows} ORDER BY {order} LIMIT {MAX_VALUES}"
    return f"(SELECT coalesce(json_agg(row_to_json(v)), '[]')::text FROM ({listed}) v)"


def _targets(column: str, table: str) -> str:
    return _values(
        f"SELECT t.slug AS value, t.id, t.name, c.count FROM"
        f" (SELECT unnest({column}) AS id, count(*) AS count FROM live GROUP BY 1) c"
        f" JOIN {table} t ON t.id = c.id",
        "c.count DESC, t.slug",
    )


_FACETS: dict[Facet, str] = {
    "type": _values("SELECT type AS value, count(*) AS count FROM live GROUP BY 1", "count DESC, value"),
    "category": _targets("category_ids", "cms.terms"),
    "tag": _targets("tag_ids", "cms.terms"),
    "author": _targets("author_ids", "cms.authors"),
    "month": _values(
        "SELECT to_char(published_at AT TIME ZONE 'UTC', 'YYYY-MM') AS value, count(*) AS count FROM live GROUP BY 1",
        "value DESC",
    ),
}
# Those that the rows of the search tell by themselves.
_OF_ROWS = frozenset[Facet]({"type", "month"})
# A word is known where a document is found by it, and so are words that say nothing by themselves.
_HAS = f"""EXISTS (SELECT FROM cms.search s
    WHERE s.locale = %(_locale)s AND s.words @@ plainto_tsquery({CONFIGURATION}, {{}}))"""
# Words with two neighbours in each other's place, which in short ones leaves nothing that looks alike.
_SWAPPED = """
    SELECT k.word, 0 FROM generate_series(1, length(w.word) - 1) i
    JOIN cms.search_words k ON k.language = %(_spoken)s AND k.word =
        left(w.word, i - 1) || substr(w.word, i + 1, 1) || substr(w.word, i, 1) || substr(w.word, i + 2)"""
_ALTERNATIVES = f"""
SELECT w.word, ARRAY(
    SELECT n.word FROM ({_SWAPPED}
        UNION ALL SELECT * FROM cms.similar_words(%(_spoken)s, w.word) WITH ORDINALITY) n(word, place)
    WHERE {_HAS.format("n.word")} ORDER BY n.place)
FROM unnest(%(_asked)s::text[]) w(word)
WHERE numnode(plainto_tsquery({CONFIGURATION}, w.word)) > 0 AND NOT {_HAS.format("w.word")}
"""


class SqlSearch(SearchQueries):
    """Reads of ``cms.search``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(
        self, question: Question, page: PageRequest, selection: Selection = NO_SELECTION
    ) -> Page[Delivered]:
        copies = _copies(selection, is_prefix=question.is_prefix)
        return await page_of_hits(self._reader, question, page, copies, lambda row: Delivered(*row))

    async def facets(
        self, question: Question, page: PageRequest, facets: Sequence[Facet]
    ) -> Mapping[Facet, str]:
        matching = Matching(question)
        params = {**matching.params, "_counted": MAX_COUNTED}
        hits = matching.all([_SEARCH.condition(page.filter, params)])
        newest = f"""(SELECT s.document_id, s.type, s.published_at {hits}
                ORDER BY s.published_at DESC, s.document_id DESC LIMIT %(_counted)s) s"""
        live = f"SELECT s.type, s.published_at FROM {newest}"
        if not _OF_ROWS.issuperset(facets):
            live = f"""SELECT p.type, p.published_at, p.author_ids, p.category_ids, p.tag_ids
                FROM {newest} JOIN cms.publications p ON p.document_id = s.document_id"""
        sql = f"""
            WITH live AS MATERIALIZED ({live})
            SELECT {", ".join(_FACETS[name] for name in facets)}
            """
        row = await self._reader.one(sql, params, prepare=False) or ()
        return dict(zip(facets, row, strict=True))

    async def alternatives(self, locale: str, words: Sequence[str]) -> Mapping[str, Sequence[str]]:
        params = {
            **Matching(Question("", locale)).params,
            "_spoken": language_of(locale),
            "_asked": list(words),
        }
        return dict(await self._reader.rows(_ALTERNATIVES, params, prepare=False))

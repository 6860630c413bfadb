"""Full-text search in SQL: hits, ranks, snippets, facets and words that are near."""

from collections.abc import Mapping, Sequence
from typing import Any

from cms_api.adapters.sqlalchemy.cms.delivery import http_date, object_of
from cms_api.adapters.sqlalchemy.cms.search_languages import language_of
from cms_api.adapters.sqlalchemy.cms.sources import SOURCES, moment, related
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, cut
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.search.interface import MAX_RANKED, MAX_VALUES, Facet, Question
from cms_api.domains.cms.search.ports import Found, SearchQueries
from cms_api.querying import PageRequest

# D, C, B, A: a word in the title is worth ten in the body.
WEIGHTS = "'{0.05, 0.1, 0.4, 1.0}'"
# Divided by the logarithm of the length (1), and brought between 0 and 1 (32).
NORMALISATION = 1 | 32
CONFIGURATION = "%(_language)s::regconfig"
# How much of a text is looked through for snippets, in characters.
LOOKED_THROUGH = 20_000

_TSQUERY = f"websearch_to_tsquery({CONFIGURATION}, %(_words)s)"
# Ends in a word, but where it ends in an excluded phrase.
_BEGUN = f"(CASE WHEN {_TSQUERY}::text LIKE '%%''' THEN {_TSQUERY}::text || ':*' ELSE {_TSQUERY}::text END)::tsquery"


class Matching:
    """The SQL that joins a search to a statement over live copies, ``p``.

    ``join`` brings in the row ``s``, ``condition`` holds for hits, ``rank`` is a real from 0 to 1,
    and ``params`` are what all of them are bound to.
    """

    join = "JOIN cms.search s ON s.document_id = p.document_id"

    def __init__(self, question: Question) -> None:
        self.tsquery = _BEGUN if question.is_prefix else _TSQUERY
        self.condition = f"s.locale = %(_locale)s AND s.words @@ {self.tsquery}"
        self.rank = f"ts_rank_cd({WEIGHTS}, s.words, {self.tsquery}, {NORMALISATION})"
        self.params: dict[str, object] = {
            "_words": question.words,
            "_locale": question.locale,
            "_language": f"cms.{language_of(question.locale)}",
        }


_TARGETS = SOURCES["posts"].links
_SEARCH = Keyset(
    {"score": Column("h.score", "real")},
    key=Column("h.id", "uuid"),
    filters={
        "type": Column("s.type", "text"),
        "published_at": Column("s.published_at", "timestamptz"),
        # “author” is any of the authors.
        "author": related(_TARGETS["authors"], "s"),
        "categories": related(_TARGETS["categories"], "s"),
        "tags": related(_TARGETS["tags"], "s"),
    },
)


def _escaped(headline: str) -> str:
    """HTML of what `ts_headline` has marked with U+0001 and U+0002; U+0003 and U+0004 stand for brackets."""
    for plain, made in (
        ("'&'", "&amp;"), ("chr(3)", "&lt;"), ("chr(4)", "&gt;"), ("'\"'", "&quot;"), ("chr(1)", "<mark>"),
        ("chr(2)", "</mark>"),
    ):  # fmt: skip
        headline = f"replace({headline}, {plain}, '{made}')"
    return headline


def _headline(text: str, tsquery: str, options: str) -> str:
    marks = "StartSel=' || chr(1) || ', StopSel=' || chr(2) || '"
    # What looks like a tag would be dropped by the parser.
    shown = f"translate({text}, '<>', chr(3) || chr(4))"
    return _escaped(f"ts_headline({CONFIGURATION}, {shown}, {tsquery}, '{marks}, {options}')")


def _item(tsquery: str) -> str:
    highlights = {
        "title": _headline("s.title", tsquery, "HighlightAll=true"),
        "text": _headline(
            f"left(s.text, {LOOKED_THROUGH})",
            tsquery,
            "MaxFragments=2, MaxWords=30, MinWords=12, FragmentDelimiter= … ",
        ),
    }
    return object_of(
        {
            "id": "p.document_id",
            "type": "p.type",
            "title": "s.title",
            "slug": "p.slug",
            "path": "CASE WHEN p.has_address THEN p.path END",
            "locale": "p.locale",
            "excerpt": "coalesce(p.fields->>'excerpt', '')",
            "published_at": moment("p.published_at"),
            "score": "h.score",
            "highlights": object_of(highlights),
        }
    )


def _hits(matching: Matching, page: PageRequest, columns: str, limit: int) -> tuple[str, dict[str, object]]:
    """The statement of the newest ``limit`` hits, and its parameters."""
    params = dict(matching.params)
    where = [matching.condition, _SEARCH.condition(page.filter, params)]
    sql = (
        f"SELECT {columns} FROM cms.search s WHERE {' AND '.join(where)}"
        f" ORDER BY s.published_at DESC, s.document_id DESC LIMIT {limit}"
    )
    return sql, params


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
# A word is known where a document is found by it, and so are words that say nothing by themselves.
_HAS = f"""EXISTS (SELECT FROM cms.search s
    WHERE s.locale = %(_locale)s AND s.words @@ plainto_tsquery({CONFIGURATION}, {{}}))"""
_ALTERNATIVES = f"""
SELECT w.word, ARRAY(
    SELECT n.word FROM cms.similar_words(%(_spoken)s, w.word) WITH ORDINALITY n(word, place)
    WHERE {_HAS.format("n.word")} ORDER BY n.place)
FROM unnest(%(_asked)s::text[]) w(word)
WHERE numnode(plainto_tsquery({CONFIGURATION}, w.word)) > 0 AND NOT {_HAS.format("w.word")}
"""


class SqlSearch(SearchQueries):
    """Reads of ``cms.search``.

    Not prepared: what is best depends on how common the words are, which a plan made for any words can't know.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(self, question: Question, page: PageRequest) -> Found:
        matching = Matching(question)
        hits, params = _hits(matching, page, "s.document_id, s.words", MAX_RANKED + 1)
        counted = dict(params)
        columns, behind, order = _SEARCH.clauses(page, params)
        sql = f"""
            WITH found AS MATERIALIZED ({hits}),
            hits AS MATERIALIZED (
                SELECT s.document_id AS id, {matching.rank} AS score FROM (SELECT * FROM found LIMIT {MAX_RANKED}) s)
            SELECT {_item(matching.tsquery)}::text, {http_date("p.updated_at")}, p.document_id::text,
                (SELECT count(*) FROM found) > {MAX_RANKED}, {", ".join(columns)}
            FROM (SELECT * FROM hits h WHERE {behind} ORDER BY {order} LIMIT {page.limit + 1}) h
            JOIN cms.publications p ON p.document_id = h.id JOIN cms.search s ON s.document_id = h.id
            ORDER BY {order}
            """
        rows = await self._reader.rows(sql, params, prepare=False)
        count = await self._count(question, page, counted) if page.count != "none" else None
        return Found(cut(rows, page, 2, _delivered, count), bool(rows) and rows[0][3])

    async def _count(self, question: Question, page: PageRequest, params: Mapping[str, object]) -> int:
        hits, _ = _hits(Matching(question), page, "1", MAX_RANKED)
        row = await self._reader.one(f"SELECT count(*) FROM ({hits}) h", params, prepare=False)
        return row[0] if row else 0

    async def facets(
        self, question: Question, page: PageRequest, facets: Sequence[Facet]
    ) -> Mapping[Facet, str]:
        hits, params = _hits(Matching(question), page, "s.document_id", MAX_RANKED)
        sql = f"""
            WITH live AS MATERIALIZED (
                SELECT p.type, p.published_at, p.author_ids, p.category_ids, p.tag_ids
                FROM ({hits}) h JOIN cms.publications p ON p.document_id = h.document_id)
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


def _delivered(row: tuple[Any, ...]) -> Delivered:
    return Delivered(*row[:3])

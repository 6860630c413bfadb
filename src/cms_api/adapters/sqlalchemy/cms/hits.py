"""What full-text search hits: the newest live copies that match, their ranks, and what is shown of matches."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from cms_api.adapters.sqlalchemy.cms.search_languages import language_of
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset, Statement, counted, cut
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.search.interface import MAX_RANKED, Question
from cms_api.querying import EVERYTHING, RANKED, Page, PageRequest

T = TypeVar("T")

# D, C, B, A: a word in the title is worth ten in the body.
WEIGHTS = "'{0.05, 0.1, 0.4, 1.0}'"
# Divided by the logarithm of the length (1), and brought between 0 and 1 (32).
NORMALISATION = 1 | 32
CONFIGURATION = "%(_language)s::regconfig"
# How much of a text is looked through for snippets, in characters.
LOOKED_THROUGH = 20_000
# Of how many live copies with all words of a phrase the words' places are looked up.
MAX_CHECKED = 5_000

_RANKED = "%(_ranked)s::int"
_COPIES = " JOIN cms.publications p ON p.document_id = s.document_id"
_TSQUERY = f"websearch_to_tsquery({CONFIGURATION}, %(_words)s)"
# Ends in a word, but where it ends in an excluded phrase.
_BEGUN = f"(CASE WHEN {_TSQUERY}::text LIKE '%%''' THEN {_TSQUERY}::text || ':*' ELSE {_TSQUERY}::text END)::tsquery"


def _tsquery_of(*, is_prefix: bool) -> str:
    """The expression of what is searched for."""
    return _BEGUN if is_prefix else _TSQUERY


class Matching:
    """The SQL of a search over the rows ``s`` of ``cms.search``.

    The index knows which words a row has, not where they stand: of phrases, `MAX_CHECKED` rows with
    all of the words are looked at. ``rank`` is a real from 0 to 1, and ``params`` are what all of it
    is bound to.
    """

    def __init__(self, question: Question) -> None:
        self.tsquery = _tsquery_of(is_prefix=question.is_prefix)
        self._is_ordered = f"({self.tsquery}::text LIKE '%% <%%')"
        self._most = f"(CASE WHEN {self._is_ordered} THEN %(_checked)s::int ELSE {_RANKED} END)"
        self.rank = f"ts_rank_cd({WEIGHTS}, s.words, {self.tsquery}, {NORMALISATION})"
        self.params: dict[str, object] = {
            "_words": question.words,
            "_locale": question.locale,
            "_language": f"cms.{language_of(question.locale)}",
            "_ranked": MAX_RANKED,
            "_checked": MAX_CHECKED,
        }

    def _candidates(self) -> str:
        """The condition of rows that may be hits: they are, but where a phrase is asked for."""
        # What is excluded counts only where it can be told by words alone; “T” is a query that has to look at all.
        told = f"querytree({self.tsquery})"
        words = f"regexp_replace({told}, ' <(-|\\d+)> ', ' & ', 'g')::tsquery"
        loose = f"{told} = 'T' OR s.words @@ {words}"
        exact = f"s.words @@ {self.tsquery}"
        return f"s.locale = %(_locale)s AND CASE WHEN {self._is_ordered} THEN {loose} ELSE {exact} END"

    def all(self, where: Sequence[str], *, copies: bool = False) -> str:
        """Every hit, from the FROM on. ``where`` are further conditions, see `hits`."""
        exact = f"s.locale = %(_locale)s AND s.words @@ {self.tsquery}"
        return f"FROM cms.search s{_COPIES if copies else ''} WHERE {' AND '.join([exact, *where])}"

    def hits(self, where: Sequence[str], *, copies: bool = False) -> str:
        """The tables ``candidates`` and ``found``: the newest hits. What has one row more was cut.

        ``where`` are further conditions, on ``s``, and with ``copies`` on the live copies ``p`` as well.
        """
        return f"""candidates AS MATERIALIZED (
                SELECT s.document_id, s.published_at, s.words FROM cms.search s{_COPIES if copies else ""}
                WHERE {" AND ".join([self._candidates(), *where])}
                ORDER BY s.published_at DESC, s.document_id DESC LIMIT {self._most} + 1),
            found AS MATERIALIZED (
                SELECT c.document_id, c.words FROM (SELECT * FROM candidates LIMIT {self._most}) c
                WHERE NOT {self._is_ordered} OR c.words @@ {self.tsquery}
                ORDER BY c.published_at DESC, c.document_id DESC LIMIT {_RANKED} + 1)"""

    @property
    def ranked(self) -> str:
        """The hits that are ranked and listed."""
        return f"(SELECT * FROM found LIMIT {_RANKED})"

    @property
    def is_bounded(self) -> str:
        """Whether there are, or may be, more hits than are ranked."""
        return (
            f"((SELECT count(*) FROM candidates) > {self._most} OR (SELECT count(*) FROM found) > {_RANKED})"
        )


class Copies(NamedTuple):
    """What of the live copies ``p`` is shown where they are hit, and how they are filtered and sorted.

    ``select`` are the columns; they see the row ``s`` of the search, and ``h`` with the ``score`` too.
    With ``are_asked`` it is copies that the filter is about, else rows ``s``. ``where`` keeps those that
    the list is of.
    """

    select: str
    keyset: Keyset
    where: tuple[str, ...] = ()
    are_asked: bool = True


def of_hits(keyset: Keyset) -> Keyset:
    """The same keyset for hits, which know an order more."""
    return keyset.extended({RANKED[0].field: Column("h.score", "real")}, key=Column("h.id", "uuid"))


def of_type(key: str) -> str:
    """The condition of hits that are of a type. Keys are letters, digits and underscores."""
    return f"s.type = '{key}'"


async def page_of_hits(
    reader: Reader,
    question: Question,
    page: PageRequest,
    copies: Copies,
    make: Callable[[tuple[Any, ...]], T],
) -> Page[T]:
    """A page of hits, in the order that is asked for: one statement, two with a count.

    Not prepared: what is best depends on how common the words are, which a plan made for any words can't know.
    """
    matching = Matching(question)
    statement = copies.keyset.kept(
        (copies, question.is_prefix), page, lambda: _statement(matching, page, copies)
    )
    filtered, placed = copies.keyset.bound(statement, page)
    rows = await reader.rows(statement.sql, {**matching.params, **placed}, prepare=False)
    count = await counted(reader, statement, {**matching.params, **filtered}, page, prepare=False)
    width = len(page.sort) + 1
    found = cut(rows, page, width, lambda row: make(row[:-1]), count)
    return msgspec.structs.replace(found, is_bounded=bool(rows) and rows[0][-width - 1])


def _statement(matching: Matching, page: PageRequest, copies: Copies) -> Statement:
    asked, bindings = copies.keyset.compiled(page.filter)
    where, looks_at_copies = [*copies.where, asked], copies.are_asked and page.filter != EVERYTHING
    hits = matching.hits(where, copies=looks_at_copies)
    columns, behind, order = copies.keyset.clauses(page, {})
    joined = "" if page.sort == RANKED else "JOIN cms.publications p ON p.document_id = h.id"
    sql = f"""
        WITH {hits},
        hits AS MATERIALIZED (
            SELECT s.document_id AS id, {matching.rank} AS score FROM {matching.ranked} s)
        SELECT {copies.select}, {matching.is_bounded}, {", ".join(columns)}
        FROM (SELECT h.id, h.score FROM hits h {joined} WHERE {behind} ORDER BY {order} LIMIT {page.limit + 1}) h
        JOIN cms.publications p ON p.document_id = h.id JOIN cms.search s ON s.document_id = h.id
        ORDER BY {order}
        """
    return Statement(sql, matching.all(where, copies=looks_at_copies), bindings)


def highlights(*, is_prefix: bool) -> str:
    """The JSON of what matches in the row ``s``: the whole title, and pieces of the text."""
    tsquery = _tsquery_of(is_prefix=is_prefix)
    text = _headline(
        f"left(s.text, {LOOKED_THROUGH})",
        tsquery,
        "MaxFragments=2, MaxWords=30, MinWords=12, FragmentDelimiter= … ",
    )
    title = _headline("s.title", tsquery, "HighlightAll=true")
    return f"(SELECT row_to_json(_) FROM (SELECT {title} AS title, {text} AS text) _)"


def _headline(text: str, tsquery: str, options: str) -> str:
    marks = "StartSel=' || chr(1) || ', StopSel=' || chr(2) || '"
    # What looks like a tag would be dropped by the parser.
    shown = f"translate({text}, '<>', chr(3) || chr(4))"
    return _escaped(f"ts_headline({CONFIGURATION}, {shown}, {tsquery}, '{marks}, {options}')")


def _escaped(headline: str) -> str:
    """HTML of what `ts_headline` has marked with U+0001 and U+0002; U+0003 and U+0004 stand for brackets."""
    for plain, made in (
        ("'&'", "&amp;"), ("chr(3)", "&lt;"), ("chr(4)", "&gt;"), ("'\"'", "&quot;"), ("chr(1)", "<mark>"),
        ("chr(2)", "</mark>"),
    ):  # fmt: skip
        headline = f"replace({headline}, {plain}, '{made}')"
    return headline

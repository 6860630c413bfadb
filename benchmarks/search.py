"""Full-text search over posts of random words, some of which nearly all have.

Prints the median time of the statements of a search, in milliseconds, for words of each frequency.

    python -m benchmarks.search [--posts 10000] [--rounds 9] [--explain]
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from cms_api.adapters.postgres.server import EmbeddedPostgres
from cms_api.adapters.sqlalchemy import migrations
from cms_api.adapters.sqlalchemy.cms.search import SqlSearch
from cms_api.adapters.sqlalchemy.reading import Reader, Row
from cms_api.domains.cms.search.interface import FACETS, SEARCH
from cms_api.domains.cms.search.service import Search
from cms_api.querying import Comparison, PageRequest

VOCABULARY = 20_000
WORDS = 120
AT_ONCE = 20_000

WORD = "left(translate(md5('w' || {0}), '0123456789', 'ghijklmnop'), 6)"
# The n-th word stands in fewer texts the greater n is: the first in nearly all, the last in one of 900.
SEED = """
INSERT INTO cms.terms (id, taxonomy, name, slug, created_at, updated_at)
SELECT md5('t' || n)::uuid, CASE WHEN n %% 2 = 0 THEN 'tag' ELSE 'category' END, 'Term ' || n, 'term-' || n,
    now(), now()
FROM generate_series(1, 200) n ON CONFLICT DO NOTHING;
INSERT INTO cms.authors (id, name, slug, bio, created_at, updated_at)
SELECT md5('a' || n)::uuid, 'Author ' || n, 'author-' || n, '', now(), now() FROM generate_series(1, 50) n
ON CONFLICT DO NOTHING;
INSERT INTO cms.publications (document_id, type, locale, slug, path, has_address, version, title, published_at,
    first_published_at, created_at, updated_at, author_ids, category_ids, tag_ids, fields)
SELECT md5('p' || n)::uuid, 'post', 'en', 'post-' || n, 'post-' || n, true, 1, 'Post ' || n,
    now() - n * interval '1 minute', now(), now(), now(), ARRAY[md5('a' || n %% 50 + 1)::uuid],
    ARRAY[md5('t' || n %% 100 * 2 + 1)::uuid], ARRAY[md5('t' || n %% 100 * 2 + 2)::uuid],
    jsonb_build_object('excerpt', 'An excerpt.', 'body', '', 'seo', '{}'::jsonb, 'reading_time', 1)
FROM generate_series(%(first)s::int, %(last)s::int) n;
INSERT INTO cms.links (document_id, is_live, field, position, target_kind, target_id, pointer, on_delete)
SELECT document_id, true, 'tags', 0, 'tag', tag_ids[1], '/tags/0', 'restrict' FROM cms.publications p
WHERE p.document_id IN (SELECT md5('p' || n)::uuid FROM generate_series(%(first)s::int, %(last)s::int) n)
"""


TEXTS = f"""
INSERT INTO cms.search (document_id, type, locale, published_at, title, text, words)
SELECT md5('p' || n)::uuid, 'post', 'en', now() - n * interval '1 minute', t.title, t.text,
    setweight(to_tsvector('cms.english', t.title), 'A') || setweight(to_tsvector('cms.english', t.text), 'C')
FROM generate_series(%(first)s::int, %(last)s::int) n CROSS JOIN LATERAL (
    SELECT string_agg(w.word, ' ') FILTER (WHERE k <= 6) AS title, string_agg(w.word, ' ') AS text
    FROM (SELECT k, {WORD.format("ceil(" + str(VOCABULARY) + " * power(random(), 4))::int")} AS word
        FROM generate_series(n - n + 1, n - n + {WORDS}) k) w) t
"""
# The same texts again for other posts: as frequent, and made in a fraction of the time.
COPIES = """
INSERT INTO cms.search (document_id, type, locale, published_at, title, text, words)
SELECT md5('p' || n)::uuid, s.type, s.locale, now() - n * interval '1 minute', s.title, s.text, s.words
FROM generate_series(%(first)s::int, %(last)s::int) n
JOIN cms.search s ON s.document_id = md5('p' || n - %(first)s::int + 1)::uuid
"""


class TimedReader(Reader):
    """Notes what each statement took, in milliseconds, and what it was."""

    seen: list[tuple[float, str, Mapping[str, object]]]

    async def rows(
        self, sql: str, params: Mapping[str, object] | None = None, *, prepare: bool | None = None
    ) -> list[Row]:
        start = time.perf_counter()
        found = await super().rows(sql, params, prepare=prepare)
        self.seen.append(((time.perf_counter() - start) * 1000, sql, params or {}))
        return found

    async def one(
        self, sql: str, params: Mapping[str, object] | None = None, *, prepare: bool | None = None
    ) -> Row | None:
        start = time.perf_counter()
        found = await super().one(sql, params, prepare=prepare)
        self.seen.append(((time.perf_counter() - start) * 1000, sql, params or {}))
        return found


def fill(url: str, posts: int) -> list[str]:
    """Make the posts; returns the words, the most frequent first."""
    with psycopg.connect(url, autocommit=True) as connection:
        # Publications without documents: nothing here looks at those.
        connection.execute("SET session_replication_role = replica")
        connection.execute("DROP INDEX cms.ix_search_words")
        for first in range(1, posts + 1, AT_ONCE):
            for statement in (*SEED.split(";\n"), TEXTS if first == 1 else COPIES):
                connection.execute(
                    statement.encode(), {"first": first, "last": min(first + AT_ONCE - 1, posts)}
                )
        connection.execute("CREATE INDEX ix_search_words ON cms.search USING gin (words)")
        listed = f"SELECT {WORD.format('n')} FROM generate_series(1, {VOCABULARY}) n ORDER BY n"
        words = [row[0] for row in connection.execute(listed.encode()).fetchall()]
        connection.execute(
            "INSERT INTO cms.search_words SELECT 'english', w FROM unnest(%s::text[]) w ON CONFLICT DO NOTHING",
            [words],
        )
        connection.execute("VACUUM ANALYZE")
        sizes = connection.execute(
            """
            SELECT pg_size_pretty(pg_table_size('cms.search')), pg_size_pretty(pg_relation_size('cms.ix_search_words'))
            """
        ).fetchall()[0]
        print(f"{posts} posts; table {sizes[0]}, index of words {sizes[1]}")
    return words


async def measured(url: str, words: list[str], rounds: int, *, explain: bool) -> None:
    reader = TimedReader(url, size=1, statement_timeout=120)
    reader.seen = []
    await reader.open()
    search = Search(queries=SqlSearch(reader), default_locale="en")
    page = PageRequest(sort=SEARCH.sort)
    tagged = PageRequest(sort=SEARCH.sort, filter=Comparison("tags.slug", "eq", ("term-2",)))
    cases = {
        "two rare words": (f"{words[9000]} {words[12000]}", page, False),
        "one rare word": (words[15000], page, False),
        "two frequent words": (f"{words[99]} {words[149]}", page, False),
        "one frequent word": (words[199], page, False),
        "two very common words": (f"{words[1]} {words[3]}", page, False),
        "the same, with facets": (f"{words[1]} {words[3]}", page, True),
        "the same, of one tag": (f"{words[1]} {words[3]}", tagged, False),
        "a phrase of common words": (f'"{words[1]} {words[3]}"', page, False),
        "a misspelt word": (f"{words[15005][:-1]}z{words[15005][-1]}", page, False),
    }
    print(f"{'':28}{'statements':>12}{'median ms':>12}")
    for name, (query, asked, has_facets) in cases.items():
        totals = []
        for _ in range(rounds):
            reader.seen.clear()
            await search.search(query, asked, facets=FACETS if has_facets else ())
            totals.append(sum(one[0] for one in reader.seen))
        print(f"{name:28}{len(reader.seen):12}{statistics.median(totals):12.1f}")
        if explain:
            _, sql, params = reader.seen[0]
            for (line,) in await Reader.rows(reader, f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}", params):
                print("   ", line)
    await reader.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--explain", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cms-bench-"))
    server = EmbeddedPostgres(folder, throwaway=True)
    try:
        url = server.start()
        migrations.upgrade(url)
        words = fill(url, options.posts)
        asyncio.run(measured(url, words, options.rounds, explain=options.explain))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

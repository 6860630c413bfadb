"""How PostgreSQL finds the rows of lists: a list of few must not look at many."""

import json
from typing import Any

import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import CONTENT, answered, change, do, make, published, rows

from cms_api.bootstrap.container import Application

SEED = """
INSERT INTO cms.documents (id, type, locale, slug, path, title, draft_revision_id, created_at, updated_at)
SELECT md5('p' || n)::uuid, 'post', 'en', 'post-' || n, 'post-' || n, 'Post', md5('r' || n)::uuid, now(), now()
FROM generate_series(1, 5000) n;
INSERT INTO cms.publications (document_id, type, locale, slug, path, has_address, version, title, published_at,
    first_published_at, created_at, updated_at, author_ids, category_ids, tag_ids, fields)
SELECT md5('p' || n)::uuid, 'post', 'en', 'post-' || n, 'post-' || n, true, 1, 'Post', now() - n * interval '1 hour',
    now(), now(), now(), '{}', '{}', ARRAY[%(tag)s::uuid], '{}'
FROM generate_series(1, 5000) n;
INSERT INTO cms.links (document_id, is_live, field, position, target_kind, target_id, pointer, on_delete, type,
    published_at)
SELECT document_id, true, 'tags', 0, 'tag', tag_ids[1], '/tags/0', 'restrict', type, published_at
FROM cms.publications;
"""


def _noted(application: Application, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The statements of the reader, from now on, with their parameters."""
    reader, asked = application.container.core.reader(), list[tuple[str, Any]]()
    run = reader.rows

    async def noted(sql: str, params: Any = None, **how: Any) -> Any:
        asked.append((sql, params))
        return await run(sql, params, **how)

    monkeypatch.setattr(reader, "rows", noted)
    return asked


def _plan(url: str, sql: str, params: Any) -> str:
    with psycopg.connect(url) as connection:
        return json.dumps(connection.execute(f"EXPLAIN (FORMAT JSON) {sql}", params).fetchone())


@pytest.mark.parametrize("by", ["tags", "tags.id", "tags.slug"])
async def test_the_newest_under_a_tag_are_found_in_their_order(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    application: Application,
    database_url: str,
    by: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tag = await make(admin, "tags", name="News")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in SEED.split(";\n"):
            if statement.strip():
                connection.execute(statement, {"tag": tag["id"]})
        connection.execute("ANALYZE")
    asked = _noted(application, monkeypatch)
    value = tag["slug"] if by == "tags.slug" else tag["id"]
    url = f"{CONTENT}/posts?filter[{by}]={value}&fields=slug"
    first = answered(await client.get(url), 200)
    second = answered(await client.get(f"{url}&after={first['page']['next']}"), 200)
    slugs = [one["slug"] for one in (*first["items"], *second["items"])]
    assert slugs == [f"post-{number}" for number in range(1, 41)]
    for sql, params in asked:
        text = _plan(database_url, sql, params)
        assert "ix_links_listed" in text
        assert '"Sort"' not in text


@pytest.mark.parametrize("query", ["", "&sort=-menu_order,-title"])
async def test_pages_are_found_in_their_order(
    client: httpx.AsyncClient,
    application: Application,
    database_url: str,
    query: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in SEED.split(";\n")[:2]:
            connection.execute(statement.replace("'post'", "'page'"), {"tag": None})
        connection.execute("ANALYZE")
    asked = _noted(application, monkeypatch)
    url = f"{CONTENT}/pages?fields=slug{query}"
    first = answered(await client.get(url), 200)
    second = answered(await client.get(f"{url}&after={first['page']['next']}"), 200)
    assert len({one["slug"] for one in (*first["items"], *second["items"])}) == 40
    assert len(asked) == 2
    for sql, params in asked:
        text = _plan(database_url, sql, params)
        assert "ix_publications_pages" in text
        assert '"Sort"' not in text


async def test_links_follow_what_lists_go_by(admin: httpx.AsyncClient, database_url: str) -> None:
    tag = await make(admin, "tags", name="News")
    post = await published(admin, "posts", title="One", tags=[tag["id"]])
    listed = """
        SELECT count(*) FROM cms.links l JOIN cms.publications p USING (document_id)
        WHERE l.is_live AND l.field = 'tags' AND l.type = p.type AND l.published_at = p.published_at
    """
    assert rows(database_url, listed) == [(1,)]
    await change(admin, "posts", post, title="Two")
    await do(admin, "posts", post, "publish")
    assert rows(database_url, listed) == [(1,)]

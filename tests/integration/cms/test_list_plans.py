"""How PostgreSQL finds the rows of lists: a list of few must not look at many."""

import json
from typing import Any

import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import API, CONTENT, answered, change, do, make, published, rows

from cms_api.bootstrap.container import Application

SEED = """
INSERT INTO cms.documents (id, type, locale, slug, path, title, draft_revision_id, created_at, updated_at)
SELECT md5('p' || n)::uuid, 'post', 'en', 'post-' || n, 'post-' || n, 'Post ' || n, md5('r' || n)::uuid, now(), now()
FROM generate_series(1, 5000) n;
INSERT INTO cms.publications (document_id, type, locale, slug, path, has_address, version, title, published_at,
    first_published_at, created_at, updated_at, author_ids, category_ids, tag_ids, fields)
SELECT md5('p' || n)::uuid, 'post', 'en', 'post-' || n, 'post-' || n, true, 1, 'Post ' || n,
    now() - n * interval '1 hour', now(), now(), now() - n * interval '1 minute', '{}', '{}', ARRAY[%(tag)s::uuid], '{}'
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


def _nodes(plan: str) -> list[dict[str, Any]]:
    """All nodes of a plan."""
    found, left = list[dict[str, Any]](), [one["Plan"] for one in json.loads(plan)[0]]
    while left:
        node = left.pop()
        found.append(node)
        left += node.get("Plans", [])
    return found


def _fill(url: str, *statements: str, tag: str | None = None) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            if statement.strip():
                connection.execute(statement, {"tag": tag} if "%(tag)s" in statement else None)
        connection.execute("ANALYZE")


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
    _fill(database_url, *SEED.split(";\n"), tag=tag["id"])
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
    _fill(database_url, *(one.replace("'post'", "'page'") for one in SEED.split(";\n")[:2]))
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


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("filter[slug]=post-7", "ix_publications_slug"),
        ("sort=title,-published_at", "ix_publications_title"),
        ("sort=-published_at,title", "ix_publications_published_at"),
        ("sort=-updated_at,-title,published_at", "ix_publications_updated_at"),
    ],
)
async def test_any_page_of_live_posts_is_found_by_an_index(
    client: httpx.AsyncClient,
    application: Application,
    database_url: str,
    query: str,
    index: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _fill(database_url, *SEED.split(";\n")[:2])
    asked = _noted(application, monkeypatch)
    url = f"{CONTENT}/posts?fields=slug&limit=5&{query}"
    seen, after = list[str](), ""
    for _ in range(3):
        page = answered(await client.get(url + after), 200)
        seen += [one["slug"] for one in page["items"]]
        after = f"&after={page['page']['next']}"
        if page["page"]["next"] is None:
            break
    assert len(set(seen)) == len(seen) == (1 if "slug" in query else 15)
    for place, (sql, params) in enumerate(asked):
        text = _plan(database_url, sql, params)
        assert index in text
        assert "Seq Scan" not in text
        # Behind a position, the index is entered there, and not at its beginning.
        if place and query.startswith("sort"):
            (scan,) = [one for one in _nodes(text) if one.get("Index Name") == index]
            assert query[5:].split(",", maxsplit=1)[0].lstrip("-") in scan["Index Cond"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("filter[status]=draft", "ix_documents_live"),
        ("filter[status]=archived", "ix_documents_live"),
        ("filter[slug]=post-7", "ix_documents_slug"),
        ("filter[created_by]=01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12", "ix_documents_created_by"),
    ],
)
async def test_few_of_many_documents_are_found_by_an_index(
    admin: httpx.AsyncClient,
    application: Application,
    database_url: str,
    query: str,
    index: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _fill(
        database_url,
        SEED.split(";\n", maxsplit=1)[0],
        "UPDATE cms.documents SET live_revision_id = draft_revision_id",
    )
    asked = _noted(application, monkeypatch)
    answered(await admin.get(f"{API}/posts?{query}"), 200)
    ((sql, params),) = [one for one in asked if "cms.contents" in one[0]]
    text = _plan(database_url, sql, params)
    assert index in text
    assert "Seq Scan on documents" not in text


async def test_documents_are_counted_without_what_they_say(
    admin: httpx.AsyncClient, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(admin, "posts", title="One")
    asked = list[str]()
    reader = application.container.core.reader()
    run = reader.one

    async def noted(sql: str, *given: Any, **how: Any) -> Any:
        asked.append(sql)
        return await run(sql, *given, **how)

    monkeypatch.setattr(reader, "one", noted)
    for count in ("exact", "estimate"):
        assert answered(await admin.get(f"{API}/posts?count={count}&filter[status]=draft"), 200)["count"] >= 1
    counting = [one for one in asked if "cms.documents" in one]
    assert len(counting) == 2
    assert not any("cms.contents" in one or "cms.revisions" in one for one in counting)


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

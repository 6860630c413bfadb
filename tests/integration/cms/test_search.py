"""Full-text search over HTTP."""

import asyncio
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration import database
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    change,
    do,
    make,
    published,
    remove,
    rows,
    tagged,
    tags,
)

from cms_api.adapters.http.cms.search import SearchHits
from cms_api.adapters.sqlalchemy import migrations
from cms_api.adapters.sqlalchemy.cms import hits, search
from cms_api.adapters.sqlalchemy.cms.search import SqlSearch
from cms_api.adapters.sqlalchemy.cms.search_languages import CONFIGURATIONS
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.search.interface import SEARCH as LISTING
from cms_api.domains.cms.search.interface import Question
from cms_api.querying import PageRequest

SEARCH = f"{CONTENT}/search"


async def found(client: httpx.AsyncClient, q: str, **more: str) -> dict[str, Any]:
    """The answer to a search, which has the shape that is documented."""
    response = await client.get(f"{SEARCH}?{urlencode({'q': q, **more})}")
    body = answered(response, 200)
    msgspec.json.decode(response.content, type=SearchHits)
    return body


async def titles(client: httpx.AsyncClient, q: str, **more: str) -> list[str]:
    """What a search finds, the best first."""
    return [item["title"] for item in (await found(client, q, **more))["items"]]


async def learn(application: Application) -> None:
    """Do what is done every minute."""
    await application.container.cms.search_reader().read_all(application.unit_of_work)


async def test_what_is_published_is_found_at_once_and_nothing_else(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    post = await make(admin, "posts", title="Growing tomatoes", body="<p>They like <b>warmth</b>.</p>")
    assert await titles(client, "tomatoes") == []
    await do(admin, "posts", post, "publish")
    assert await titles(client, "tomato") == await titles(client, "WARMTH") == ["Growing tomatoes"]
    await change(admin, "posts", post, title="Growing beans")
    assert await titles(client, "beans") == []
    await do(admin, "posts", post, "publish")
    assert (await titles(client, "beans"), await titles(client, "tomatoes")) == (["Growing beans"], [])
    await do(admin, "posts", post, "unpublish")
    assert await titles(client, "beans") == []
    await do(admin, "posts", post, "publish")
    await remove(admin, "posts", post)
    assert await titles(client, "beans") == []


async def test_what_is_rolled_back_is_not_found(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    post = await make(admin, "posts", title="Growing tomatoes")
    operations = [
        {"action": "publish", "type": "post", "id": post["id"]},
        {"action": "publish", "type": "post", "id": str(UUID(int=1))},
    ]
    response = await admin.post(f"{API}/batch", json={"mode": "atomic", "operations": operations})
    assert response.status_code >= 400 or not response.json().get("is_applied", True)
    assert await titles(client, "tomatoes") == []


async def test_words_phrases_alternatives_and_exclusions(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await published(admin, "posts", title="Red roses", body="<p>A garden full of roses, and a blue door.</p>")
    await published(admin, "pages", title="Blue roses", body="<p>The door of the garden is red.</p>")
    both = {"Red roses", "Blue roses"}
    assert set(await titles(client, "roses garden")) == both
    assert await titles(client, '"blue door"') == ["Red roses"]
    assert await titles(client, "roses -full") == ["Blue roses"]
    assert set(await titles(client, "full or zebra")) == {"Red roses"}
    assert await titles(client, "roses zebra") == []


async def test_the_title_counts_most_and_ties_keep_one_order(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await published(
        admin, "posts", title="Something else", body="<p>Tulips. " + "Some more words. " * 20 + "</p>"
    )
    await published(admin, "posts", title="Another thing", excerpt="All about tulips", body="<p>Words.</p>")
    await published(admin, "posts", title="Tulips", body="<p>Some words.</p>")
    assert await titles(client, "tulips") == ["Tulips", "Another thing", "Something else"]
    for number in range(7):
        await published(admin, "posts", title=f"Equal {number}", body="<p>marigold</p>")
    whole = [item["id"] for item in (await found(client, "marigold"))["items"]]
    assert whole == sorted(whole, reverse=True)
    seen: list[str] = []
    page = await found(client, "marigold", limit="3")
    while True:
        seen += [item["id"] for item in page["items"]]
        if page["page"]["next"] is None:
            break
        page = await found(client, "marigold", limit="3", after=page["page"]["next"])
    assert seen == whole
    back = await found(client, "marigold", limit="3", before=page["page"]["prev"])
    assert [item["id"] for item in back["items"]] == whole[3:6]


async def test_hits_are_sorted_and_cut_down_as_other_lists_are(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    for title in ("One", "Marigold", "Another"):
        await published(admin, "posts", title=title, body="<p>marigold</p>")
    assert (await titles(client, "marigold"))[0] == "Marigold"
    seen: list[str] = []
    asked = {"sort": "-published_at", "fields": "title", "limit": "2"}
    page = await found(client, "marigold", **asked)
    assert all(set(item) == {"title"} for item in page["items"])
    seen += [item["title"] for item in page["items"]]
    page = await found(client, "marigold", **asked, after=page["page"]["next"])
    assert [*seen, *(item["title"] for item in page["items"])] == ["Another", "Marigold", "One"]
    back = await found(client, "marigold", **asked, before=page["page"]["prev"])
    assert [item["title"] for item in back["items"]] == seen
    body = {"q": "marigold", "sort": ["published_at"], "fields": ["slug"], "limit": 1}
    response = await client.post(f"{SEARCH}/query", json=body)
    assert answered(response, 200)["items"] == [{"slug": "one"}]
    answered(await client.get(f"{SEARCH}?q=marigold&fields=body"), 400, "malformed")


async def test_of_words_that_all_have_only_the_newest_are_ranked(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "MAX_RANKED", 2)
    await published(admin, "posts", title="Marigold marigold")
    assert "only_newest" not in await found(client, "marigold")
    newer = {(await published(admin, "posts", title=f"A marigold {number}"))["title"] for number in range(2)}
    answer = await found(client, "marigold", count="exact", facets="type")
    assert {item["title"] for item in answer["items"]} == newer
    assert (answer["only_newest"], answer["count"], answer["facets"]["type"][0]["count"]) == (True, 3, 3)
    monkeypatch.setattr(search, "MAX_COUNTED", 2)
    answer = await found(client, "marigold", facets="type,author")
    assert [answer["facets"][name][0]["count"] for name in ("type", "author")] == [2, 2]
    guessed = await found(client, "marigold", count="estimate")
    assert guessed["count_is_estimate"]
    assert guessed["count"] >= len(guessed["items"])


async def test_a_cursor_belongs_to_its_search(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    for number in range(3):
        await published(admin, "posts", title=f"Marigold {number}")
    after = (await found(client, "marigold", limit="1"))["page"]["next"]
    for other in ({"q": "marigolds"}, {"q": "marigold", "prefix": "true"}, {"q": "marigold", "locale": "de"}):
        answered(await client.get(SEARCH, params={**other, "limit": "1", "after": after}), 400, "malformed")


async def test_snippets_are_safe(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await published(
        admin,
        "posts",
        title='<script>alert("tulip")</script> & <mark>',
        body="<p>Use List&lt;Tulip&gt; &amp; <i>more</i> \u0001tulips\u0002 &lt;img src=x onerror=alert(1)&gt;</p>",
    )
    (item,) = (await found(client, "tulip"))["items"]
    shown = item["highlights"]
    assert shown["title"] == (
        "&lt;script&gt;alert(&quot;<mark>tulip</mark>&quot;)&lt;/script&gt; &amp; &lt;mark&gt;"
    )
    assert "List&lt;<mark>Tulip</mark>&gt; &amp; more" in shown["text"]
    assert "<mark>tulips</mark>" in shown["text"]
    bare = shown["text"].replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert not {"\u0001", "\u0002", "\u0003", "\u0004"} & set(shown["text"])
    assert item["title"] == '<script>alert("tulip")</script> & <mark>'


async def test_each_language_has_its_own_rules(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await published(admin, "posts", title="Les chevaux rapides", body="<p>dans la plaine</p>", locale="fr")
    await published(admin, "posts", title="Running horses", locale="en-GB")
    await published(admin, "posts", title="Biegnące konie", locale="pl")
    assert await titles(client, "cheval", locale="fr") == ["Les chevaux rapides"]
    assert await titles(client, "rapide", locale="fr") == ["Les chevaux rapides"]
    assert await titles(client, "dans", locale="fr") == []
    assert await titles(client, "run", locale="en-GB") == ["Running horses"]
    assert await titles(client, "run") == []
    assert await titles(client, "konie", locale="pl") == ["Biegnące konie"]


async def test_accents_do_not_matter(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    await published(admin, "posts", title="Crème brûlée", locale="fr")
    is_there = rows(database_url, "SELECT count(*) FROM pg_extension WHERE extname = 'unaccent'")[0][0]
    expected = ["Crème brûlée"] if is_there else []
    assert await titles(client, "creme brulee", locale="fr") == expected
    assert await titles(client, "crème brûlée", locale="fr") == ["Crème brûlée"]


async def test_the_last_word_may_be_begun(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await published(admin, "posts", title="Growing chrysanthemums")
    assert await titles(client, "growing chrys") == []
    assert await titles(client, "growing chrys", prefix="true") == ["Growing chrysanthemums"]
    assert await titles(client, "gro chrysanthemums", prefix="true") == []
    assert await titles(client, '-"growing chrysanthemums"', prefix="true") == []
    assert await titles(client, "", prefix="true") == []


async def test_a_misspelt_word_is_corrected(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    await published(admin, "posts", title="Gardening", body="<p>Tomatoes in a small kitchen garden</p>")
    gone = await published(admin, "posts", title="Kitchens are gone")
    await learn(application)
    await do(admin, "posts", gone, "unpublish")
    if not rows(database_url, "SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"):
        assert (await found(client, "kitchn"))["items"] == []
        return
    answer = await found(client, 'tomattoes "small kitchn" -zebras', facets="type", count="exact")
    assert answer["corrected"] == 'tomatoes "small kitchen" -zebras'
    assert [item["title"] for item in answer["items"]] == ["Gardening"]
    assert (answer["count"], answer["facets"]["type"]) == (1, [{"value": "post", "count": 1}])
    for right in ("kitchen", "kitchen or gardn", "zzzzzz", "kitchen zzzzzz", "the"):
        assert "corrected" not in await found(client, right)
    assert (await found(client, "gadrening"))["corrected"] == "gardening"
    await published(admin, "posts", title="A test of the pool")
    await learn(application)
    for wrong, right in (("tset", "test"), ("etst", "test"), ("pol", None), ("opol", "pool")):
        assert (await found(client, wrong)).get("corrected") == right, wrong


async def test_facets_count_all_hits(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    news = await make(admin, "categories", name="News")
    tags = [await make(admin, "tags", name=name) for name in ("Big", "Small")]
    ada = await make(admin, "authors", name="Ada L.")
    for number in range(5):
        await published(
            admin,
            "posts",
            title=f"Oak {number}",
            categories=[news["id"]],
            tags=[tag["id"] for tag in tags[: 1 + number % 2]],
            authors=[ada["id"]],
        )
    await published(admin, "pages", title="Oak page", authors=[ada["id"]])
    await published(admin, "posts", title="Elm", categories=[news["id"]])
    answer = await found(client, "oak", facets="type,category,tag,author,month", limit="2")
    facets = answer["facets"]
    assert facets["type"] == [{"value": "post", "count": 5}, {"value": "page", "count": 1}]
    assert facets["category"] == [{"value": "news", "id": news["id"], "name": "News", "count": 5}]
    assert [(one["value"], one["count"]) for one in facets["tag"]] == [("big", 5), ("small", 2)]
    assert [(one["name"], one["count"]) for one in facets["author"]] == [("Ada L.", 6)]
    assert [one["count"] for one in facets["month"]] == [6]
    narrowed = await found(
        client, "oak", **{"filter[tags.slug]": "small", "facets": "type", "count": "exact"}
    )
    assert (narrowed["count"], narrowed["facets"]) == (2, {"type": [{"value": "post", "count": 2}]})
    assert len(await titles(client, "oak", **{"filter[type]": "page"})) == 1
    assert len(await titles(client, "oak", **{"filter[categories.slug]": "news"})) == 5
    assert len(await titles(client, "oak", **{"filter[author.slug]": "nobody"})) == 0
    assert len(await titles(client, "oak", **{"filter[published_at][gte]": "2999-01-01T00:00:00Z"})) == 0


async def test_the_number_of_statements_is_fixed(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, asked: list[str]
) -> None:
    for number in range(3):
        await published(admin, "posts", title=f"Oak {number}")
    for params, statements in (
        ({"q": "oak"}, 1),
        ({"q": "oak", "facets": "type,category,tag,author,month"}, 2),
        ({"q": "oak", "count": "exact", "facets": "type"}, 3),
        ({"q": "absent"}, 2),
    ):
        asked.clear()
        await found(client, **params)
        assert len(asked) == statements, params


async def test_it_can_be_kept(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    post = await published(admin, "posts", title="Oak")
    response = await client.get(SEARCH, params={"q": "oak", "facets": "author"})
    assert "public" in response.headers["cache-control"]
    assert tags(post["id"], "search", "documents", "authors") <= tagged(response)
    tag = response.headers["etag"]
    again = await client.get(SEARCH, params={"q": "oak", "facets": "author"}, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "query",
    [
        "", "q=", "q=a&q=b", "q=a&words=b", "q=" + "a" * 501, "q=" + "a" * 10_000, "q=%00", "q=%ff", "q=a&prefix=1",
        "q=a&facets=types", "q=a&filter[locale]=en", "q=a&filter[title]=b", "q=a&sort=title", "q=a&limit=101",
        "q=a&after=x", "q=a&filter[published_at]=yesterday",
    ],
)  # fmt: skip
async def test_what_is_asked_wrongly_is_refused(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"{SEARCH}?{query}")
    if query == "q=":
        assert answered(response, 200)["items"] == []
    else:
        assert answered(response, 400)["detail"]


async def test_hostile_queries_find_nothing(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await published(admin, "posts", title="Oak")
    for query in (
        "the of and", "'", '"', '"""', "\\", "'\\", "' || 'a", "a:*", ":*", "!!!", "-", "--", "-the", "or", "or or",
        "oak' & 'x", "(", ")(", "<->", "a <5> b", "%", "%s %(x)s", "\u202e", "\U0001f332", "x" * 500, "é" * 500,
        '"' * 500, "- " * 250, "$$", ";DROP TABLE cms.search", "\t\n\r", "\x01\x02",
    ):  # fmt: skip
        for prefix in ("true", "false"):
            answer = await found(client, query, prefix=prefix, facets="type")
            assert answer["items"] == [], query


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
async def test_any_query_is_answered(client: httpx.AsyncClient, query: str) -> None:
    for prefix in ("true", "false"):
        await found(client, query, prefix=prefix)


async def test_texts_without_bounds_are_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    words = " ".join(f"w{number:x}-x{number:x}.example.org/{number}" for number in range(12_000))
    await published(admin, "posts", title="Endless", body=f"<p>{words}</p><p>{'ab' * 100_000}</p>")
    assert await titles(client, "endless") == ["Endless"]


@pytest.mark.parametrize("piece", ["a_", "/.", "~/", "&lt;!--"])
async def test_texts_that_are_hard_to_parse_are_published(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, piece: str
) -> None:
    await published(admin, "posts", title="Hard", body=f"<p>{piece * (120_000 // len(piece))} oak</p>")
    assert await titles(client, "oak") == ["Hard"]


async def entry_type(admin: httpx.AsyncClient, *fields: dict[str, Any]) -> dict[str, Any]:
    body = {"key": "place", "fields": [{"key": "title", "type": "text"}, *fields]}
    return answered(await admin.post(f"{API}/content-types", json=body), 201)


async def test_fields_of_entries_are_searched_where_they_are_marked(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await entry_type(
        admin,
        {"key": "summary", "type": "text", "searchable": "medium"},
        {"key": "story", "type": "markdown", "searchable": "low"},
        {"key": "page", "type": "rich_text", "searchable": "lowest"},
        {"key": "sort", "type": "enum", "options": ["harbour", "station"], "searchable": "high"},
        {"key": "names", "type": "list", "of": {"type": "text", "searchable": "high"}},
        {"key": "group", "type": "group", "fields": [{"key": "hint", "type": "text", "searchable": "low"}]},
        {
            "key": "blocks",
            "type": "blocks",
            "variants": [{"key": "quote", "fields": [{"key": "said", "type": "text", "searchable": "low"}]}],
        },
        {"key": "plain", "type": "text"},
        {"key": "secret", "type": "text", "visibility": "internal", "searchable": "high"},
    )
    await published(
        admin,
        "entries/place",
        title="Somewhere",
        summary="summarised",
        story="*markdowned* words",
        page="<p>paragraphed</p>",
        sort="harbour",
        names=["firstname", "secondname"],
        group={"hint": "grouped"},
        blocks=[{"type": "quote", "said": "quoted"}],
        plain="unmarked",
        secret="classified",
    )
    for word in (
        "somewhere", "summarised", "markdowned", "paragraphed", "harbour", "firstname", "secondname", "grouped",
        "quoted",
    ):  # fmt: skip
        (item,) = (await found(client, word))["items"]
        assert (item["type"], item["title"], item["path"]) == ("place", "Somewhere", None)
        assert "<mark>" in item["highlights"]["title"] + item["highlights"]["text"]
        assert "classified" not in item["highlights"]["text"]
    for word in ("unmarked", "classified", "<p>"):
        assert await titles(client, f'"{word}"') == [], word


async def test_a_type_without_marked_fields_is_not_searched(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await entry_type(admin)
    await published(admin, "entries/place", title="Somewhere")
    assert await titles(client, "somewhere") == []


async def test_a_change_of_what_is_searched_reaches_what_is_there(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application
) -> None:
    kind = await entry_type(admin, {"key": "note", "type": "text"})
    await published(admin, "entries/place", title="Somewhere", note="remarkable")
    fields = kind["fields"]

    async def mark(**values: Any) -> dict[str, Any] | None:
        body = {"fields": [fields[0], {**fields[1], **values}]}
        changed = answered(await admin.patch(f"{API}/content-types/place", json=body, headers=ANY), 200)
        job: dict[str, Any] | None = changed["job"]
        return job

    async def carry_out(job: dict[str, Any] | None) -> None:
        assert job is not None
        parts = application.container
        handler = parts.cms.migration_handler()
        await parts.jobs.runner(handlers={handler.kind: handler}).run(UUID(job["id"]), asyncio.Event())

    await carry_out(await mark(searchable="low"))
    assert await titles(client, "remarkable") == await titles(client, "somewhere") == ["Somewhere"]
    hidden = await mark(searchable="low", visibility="internal")
    # At once, not when the job has come by.
    assert await titles(client, "remarkable") == []
    await carry_out(hidden)
    assert await titles(client, "remarkable") == await titles(client, "somewhere") == []


async def test_what_was_published_before_is_read_in(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    await published(admin, "posts", title="Old oak", body="<p>A <b>gnarled</b> trunk</p>")
    await published(admin, "posts", title="Old elm", excerpt="Mine", body="<p>Leaves &amp; bark</p>")
    with psycopg.connect(database_url) as connection:
        connection.execute("TRUNCATE cms.search, cms.search_queue")
        connection.execute(
            "INSERT INTO cms.search_queue (document_id) SELECT document_id FROM cms.publications"
        )
    assert await titles(client, "gnarled") == []
    await learn(application)
    assert await titles(client, "gnarled") == ["Old oak"]
    assert await titles(client, "mine bark") == ["Old elm"]
    await learn(application)
    known = {row[0] for row in rows(database_url, "SELECT word FROM cms.search_words")}
    assert {"gnarled", "bark", "leaves"} <= known
    assert rows(database_url, "SELECT count(*) FROM cms.search_queue") == [(0,)]


async def test_there_is_search_without_extensions(server: database.Server) -> None:
    with server.database(migrated=False) as url:
        name = url.rsplit("/", 1)[1]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET cms.search_extensions = 'off'".encode())
        migrations.upgrade(url)
        assert rows(url, "SELECT count(*) FROM pg_extension WHERE extname IN ('unaccent', 'pg_trgm')") == [
            (0,)
        ]
        reader = Reader(url, size=1, statement_timeout=5)
        await reader.open()
        try:
            queries = SqlSearch(reader)
            page = await queries.page(Question("oak", "en"), PageRequest(sort=LISTING.sort))
            assert page.items == []
            assert await queries.alternatives("en", ["oakk"]) == {"oakk": []}
        finally:
            await reader.close()
        assert rows(url, "SELECT to_tsvector('cms.french', 'élèves')::text") == [("'élev':1",)]
        migrations.downgrade(url, "0014")
        assert rows(url, "SELECT count(*) FROM pg_ts_config WHERE cfgnamespace = 'cms'::regnamespace") == [
            (0,)
        ]


def test_each_language_has_its_configuration(database_url: str) -> None:
    made = {
        row[0]
        for row in rows(
            database_url, "SELECT cfgname FROM pg_ts_config WHERE cfgnamespace = 'cms'::regnamespace"
        )
    }
    assert made == {*CONFIGURATIONS.values(), "simple"}

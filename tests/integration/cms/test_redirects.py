"""Redirects over HTTP: made, found, and made by themselves when something moves."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import msgspec
import pytest
from sqlalchemy import event
from tests.integration.cms.cms_client import (
    ANY,
    API,
    CONTENT,
    answered,
    at,
    change,
    do,
    faults,
    items,
    make,
    published,
    remove,
    rows,
    tagged,
    tags,
)

from cms_api.adapters.http.cms.redirects import Resolved
from cms_api.bootstrap.container import Application
from cms_api.domains.cms.api import PageChanges, PageView, RedirectChanges
from cms_api.domains.cms.redirects.errors import RedirectChain, RedirectTaken
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.unit_of_work import UnitOfWork


async def resolved(client: httpx.AsyncClient, path: str, **query: str) -> dict[str, Any] | None:
    """What is at a path, in the shape that the manual promises; None where nothing is."""
    response = await client.get(f"{CONTENT}/resolve?{urlencode({'path': path, **query})}")
    if response.status_code == 404:
        answered(response, 404, "nothing_published")
        return None
    body = answered(response, 200)
    msgspec.convert(body, Resolved)
    if body["kind"] != "redirect":
        document = body.pop("document")
        assert (document["type"], document["id"]) == (body["kind"], body["id"])
    return body


async def location(client: httpx.AsyncClient, path: str) -> str | None:
    found = await resolved(client, path)
    if found is None:
        return None
    assert found["kind"] == "redirect"
    to: str | None = found["location"]
    return to


async def test_the_life_of_a_redirect(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    made = await make(admin, "redirects", source="/Old/Page/", target="/new/page")
    assert made == {
        "id": made["id"], "locale": "en", "kind": "exact", "source": "Old/Page", "document": None,
        "target": "new/page", "status": 301, "is_automatic": False, "version": 1,
        "created_at": made["created_at"], "updated_at": made["created_at"],
    }  # fmt: skip
    url = f"{API}/redirects/{made['id']}"
    read = await admin.get(url)
    assert answered(read, 200) == made
    assert (await admin.get(url, headers={"If-None-Match": read.headers["etag"]})).status_code == 304
    assert await resolved(client, "/Old/Page") == {
        "kind": "redirect",
        "status": 301,
        "location": "/new/page",
    }
    assert await location(client, "/old/page") is None

    answered(await admin.patch(url, json={"status": 302}), 428, "precondition_required")
    answered(await admin.patch(url, json={"status": 302}, headers=at(2)), 412, "stale")
    response = await admin.patch(url, json={"status": 302}, headers=at(1))
    assert (answered(response, 200)["version"], response.headers["etag"]) == (2, '"v2"')
    assert (await resolved(client, "Old/Page") or {})["status"] == 302
    await change(admin, "redirects", made, status=410)
    assert await resolved(client, "Old/Page") == {"kind": "redirect", "status": 410, "location": None}

    answered(await admin.delete(url), 428)
    answered(await admin.delete(url, headers=at(2)), 412, "stale")
    await remove(admin, "redirects", made)
    answered(await admin.get(url), 404, "resource_not_found")
    answered(await admin.delete(url, headers=ANY), 404, "resource_not_found")
    assert await location(client, "Old/Page") is None
    events = "SELECT name FROM activity.events WHERE subject = %s ORDER BY position"
    assert [name for (name,) in rows(database_url, events, [made["id"]])] == [
        "resource.created", "resource.updated", "resource.updated", "resource.deleted",
    ]  # fmt: skip


async def test_who_may(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, user_client: Callable[..., Any]
) -> None:
    made = await make(admin, "redirects", source="/old", target="/new")
    url, body = f"{API}/redirects", {"source": "/x", "target": "/y"}
    answered(await client.get(url), 401)
    answered(await client.post(url, json=body), 401)
    answered(await client.delete(f"{url}/{made['id']}", headers=ANY), 401)
    for role in ("author", "reader"):
        who = await user_client(role, email=f"{role}@example.org")
        assert len(await items(who, url)) == 1
        answered(await who.post(url, json=body), 403, "forbidden")
        answered(await who.patch(f"{url}/{made['id']}", json=body, headers=ANY), 403, "forbidden")
        answered(await who.delete(f"{url}/{made['id']}", headers=ANY), 403, "forbidden")
    editor = await user_client("editor", email="editor@example.org")
    await make(editor, "redirects", **body)
    await remove(editor, "redirects", made)


async def test_the_list(admin: httpx.AsyncClient) -> None:
    page = await make(admin, "pages", title="Home")
    for body in (
        {"source": "/b", "target": "/x"},
        {"source": "/a", "kind": "prefix", "target": "https://example.org", "status": 308},
        {"source": "/d", "document": page["id"]},
        {"source": "/c", "status": 410},
    ):
        await make(admin, "redirects", **body)

    async def listed(query: str) -> list[str]:
        return [one["source"] for one in await items(admin, f"{API}/redirects?{query}")]

    assert await listed("") == ["a", "b", "c", "d"]
    for query, found in (
        ("sort=-created_at", ["c", "d", "a", "b"]),
        ("filter[source]=b", ["b"]),
        ("filter[source][starts_with]=c", ["c"]),
        ("filter[target]=x", ["b"]),
        ("filter[target][contains]=example", ["a"]),
        ("filter[kind]=prefix", ["a"]),
        ("filter[status]=410", ["c"]),
        ("filter[status][lt]=302", ["b", "d"]),
        ("filter[is_automatic]=false", ["a", "b", "c", "d"]),
        ("filter[is_automatic]=true", []),
        (f"filter[document]={page['id']}", ["d"]),
        ("filter[locale]=de", []),
    ):
        assert await listed(query) == found, query
    first = answered(await admin.get(f"{API}/redirects?limit=3&count=exact"), 200)
    assert first["count"] == 4
    assert await listed(f"limit=3&after={first['page']['next']}") == ["d"]


async def test_problems_name_what_is_wrong(admin: httpx.AsyncClient) -> None:
    made = await make(admin, "redirects", source="/a", target="/b")
    post = f"{API}/redirects"
    problem = answered(await admin.post(post, json={"source": "/a", "target": "/c"}), 409, "redirect_taken")
    assert problem["redirect"] == {"id": made["id"], "kind": "exact", "source": "a"}
    for body in ({"source": "/b", "target": "/c"}, {"source": "/x", "target": "/a"}):
        problem = answered(await admin.post(post, json=body), 409, "redirect_chain")
        assert problem["redirect"] == {"id": made["id"], "kind": "exact", "source": "a"}
    body = {"source": "//host", "target": "javascript:alert(1)", "kind": "prefix"}
    problem = answered(await admin.post(post, json=body), 422, "invalid")
    assert faults(problem) == [("/source", "path"), ("/target", "url")]
    problem = answered(await admin.post(post, json={"source": "/x", "status": 303, "kind": "regex"}), 422)
    assert [pointer for pointer, _ in faults(problem)] == ["/kind", "/status"]
    other = await make(admin, "redirects", source="/c", target="/d")
    response = await admin.patch(f"{post}/{other['id']}", json={"target": "/a"}, headers=ANY)
    answered(response, 409, "redirect_chain")


async def test_two_who_make_a_chain_together(admin: httpx.AsyncClient, database_url: str) -> None:
    for round_ in range(5):
        bodies = [
            {"source": f"/a{round_}", "target": f"/b{round_}"},
            {"source": f"/b{round_}", "target": f"/c{round_}"},
            {"source": f"/c{round_}", "kind": "prefix", "target": f"/a{round_}"},
        ]
        answers = await asyncio.gather(*(admin.post(f"{API}/redirects", json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert rows(database_url, "SELECT count(*) FROM cms.redirects") == [(5,)]


async def test_two_connections_in_both_orders(
    application: Application, new_uow: Callable[[], UnitOfWork]
) -> None:
    """The second one waits for the first one's end, and sees what came of it."""
    redirects = application.container.cms.redirects()
    first, second = RedirectChanges(source="/a", target="/b"), RedirectChanges(source="/b", target="/c")
    for one, other, rolls_back in ((first, second, False), (second, first, False), (first, second, True)):
        begun = asyncio.Event()

        async def wait_and_make(changes: RedirectChanges, begun: asyncio.Event) -> None:
            async with new_uow() as uow:
                begun.set()
                await redirects.create(uow, SYSTEM, changes)

        with suppress(ZeroDivisionError):
            async with new_uow() as uow:
                made = await redirects.create(uow, SYSTEM, one)
                waiting = asyncio.create_task(wait_and_make(other, begun))
                await begun.wait()
                await asyncio.sleep(0.1)
                assert not waiting.done()
                if rolls_back:
                    raise ZeroDivisionError
        if rolls_back:
            await waiting
            continue
        with pytest.raises(RedirectChain):
            await waiting
        async with new_uow() as uow:
            await redirects.delete(uow, SYSTEM, made.id, expected=None)


async def test_what_others_change_meanwhile_is_seen(admin: httpx.AsyncClient) -> None:
    """A change and a new one that make a chain together: one of them is refused."""
    for round_ in range(5):
        one = await make(admin, "redirects", source=f"/a{round_}", target=f"/z{round_}")
        changed, made = await asyncio.gather(
            admin.patch(f"{API}/redirects/{one['id']}", json={"target": f"/b{round_}"}, headers=ANY),
            admin.post(f"{API}/redirects", json={"source": f"/b{round_}", "target": f"/c{round_}"}),
        )
        assert (changed.status_code, made.status_code) in {(200, 409), (409, 201)}


async def test_the_same_source_twice_at_once(admin: httpx.AsyncClient) -> None:
    body = {"source": "/a", "target": "/b"}
    answers = await asyncio.gather(*(admin.post(f"{API}/redirects", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]


async def test_a_publication_takes_a_source_meanwhile(
    admin: httpx.AsyncClient, application: Application, new_uow: Callable[[], UnitOfWork]
) -> None:
    """A redirect is being made from a path that a page is just leaving: the later one loses, clearly."""
    page = await published(admin, "pages", title="A")
    await change(admin, "pages", page, slug="z")
    services = application.container.cms

    async def make_one() -> None:
        async with new_uow() as uow:
            await services.redirects().create(uow, SYSTEM, RedirectChanges(source="/a", target="/b"))

    async with new_uow() as uow:
        await services.pages().publish(uow, SYSTEM, UUID(page["id"]), expected=None)
        making = asyncio.create_task(make_one())
        await asyncio.sleep(0.1)
        assert not making.done()
    with pytest.raises(RedirectTaken):
        await making
    (found,) = await items(admin, f"{API}/redirects")
    assert (found["document"], found["is_automatic"]) == (page["id"], True)


async def test_a_publication_meets_one_that_was_made(
    admin: httpx.AsyncClient, application: Application, new_uow: Callable[[], UnitOfWork]
) -> None:
    """The other way round: what somebody made stays, and the publication goes through."""
    page = await published(admin, "pages", title="A")
    await change(admin, "pages", page, slug="z")
    async with new_uow() as uow:
        redirects = application.container.cms.redirects()
        await redirects.create(uow, SYSTEM, RedirectChanges(source="/a", target="/b"))
        publishing = asyncio.create_task(do(admin, "pages", page, "publish"))
        await asyncio.sleep(0.2)
        assert not publishing.done()
    assert (await publishing)["slug"] == "z"
    (found,) = await items(admin, f"{API}/redirects")
    assert (found["target"], found["is_automatic"]) == ("b", False)


# Resolving


async def test_resolving(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    page = await published(admin, "pages", title="Größe")
    post = await published(admin, "posts", title="News")
    await make(admin, "redirects", source="/news", target="/else")
    await make(admin, "redirects", source="/old", kind="prefix", target="/neu/größe")
    url = f"{CONTENT}/pages/{page['id']}"
    live = {"kind": "page", "id": page["id"], "path": "größe", "url": url}
    for path in ("/größe", "größe/", "/gr%C3%B6%C3%9Fe", "/gro\u0308ße"):
        assert await resolved(client, path) == live
    assert answered(await client.get(url), 200)["path"] == "größe"
    found = await resolved(client, "/news")
    assert found is not None
    assert (found["kind"], found["id"]) == ("post", post["id"])
    assert answered(await client.get(found["url"]), 200)["slug"] == "news"
    for path, to in (
        ("/old", "/neu/gr%C3%B6%C3%9Fe"),
        ("/old/ä b/", "/neu/gr%C3%B6%C3%9Fe/%C3%A4%20b"),
        ("/older", None), ("/ol", None), ("/OLD", None), ("/old/..", None), ("//old", None), ("/old?x", None),
        ("/old%00", None), ("/", None), ("", None), ("x" * 9_000, None), ("/a" * 3_000, None), ("%", None),
    ):  # fmt: skip
        assert await location(client, path) == to, path
    assert await resolved(client, "/news", locale="de") is None


async def test_one_call_answers_the_whole_document(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    tag = await make(admin, "tags", name="T")
    page = await published(admin, "pages", title="Home", body="<p>*Hi*</p>")
    post = await published(admin, "posts", title="News", body="<p>So</p>", tags=[tag["id"]])
    answered(await admin.patch(f"{API}/settings", json={"home_page": page["id"]}, headers=ANY), 200)

    async def document(path: str, query: str = "") -> dict[str, Any]:
        found = answered(await client.get(f"{CONTENT}/resolve?path={path}{query}"), 200)
        whole: dict[str, Any] = found["document"]
        return whole

    whole = answered(await client.get(f"{CONTENT}/posts/{post['id']}?include=tags&format=markdown"), 200)
    assert await document("/news", "&include=tags&format=markdown") == whole
    # What a page has not is left out of it.
    found = await document("/home", "&include=tags,author&fields=title,tags,body&format=text")
    assert found == {"title": "Home", "body": "*Hi*"}
    assert await document("/news", "&fields=path") == {"id": post["id"]}
    for root in ("", "/"):
        assert (await document(root))["id"] == page["id"]
    answered(await client.get(f"{CONTENT}/resolve?path=/&locale=de"), 404, "nothing_published")
    for wrong in ("include=x", "fields=x", "fields=tags.name", "format=x"):
        answered(await client.get(f"{CONTENT}/resolve?path=/news&{wrong}"), 400, "malformed")


async def test_the_question_must_be_whole(client: httpx.AsyncClient) -> None:
    for query in ("", "?path", "?path=a&path=b", "?path=a&lang=de", "?paht=a", "?path=%FF", "?path=%00"):
        response = await client.get(f"{CONTENT}/resolve{query}")
        if query == "?path":  # an empty path is the root
            answered(response, 404, "nothing_published")
        else:
            answered(response, 400, "malformed")


async def test_answers_are_cached_and_tagged(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    page = await published(admin, "pages", title="Home")
    made = await make(admin, "redirects", source="/old", document=page["id"])
    for path, used in (("/home", {page["id"], *page["authors"]}), ("/old", {made["id"], page["id"]})):
        response = await client.get(f"{CONTENT}/resolve", params={"path": path, "include": "author"})
        told = tagged(response) - tags(str(SITE_ID))
        assert told == tags(*used, "redirects", "documents", "settings", "content-types")
        assert "max-age" in response.headers["cache-control"]
        again = {"If-None-Match": response.headers["etag"]}
        same = await client.get(
            f"{CONTENT}/resolve", params={"path": path, "include": "author"}, headers=again
        )
        assert (same.status_code, same.content) == (304, b"")
    await change(admin, "pages", page, slug="start")
    await do(admin, "pages", page, "publish")
    response = await client.get(f"{CONTENT}/resolve", params={"path": "/old"}, headers=again)
    assert answered(response, 200)["location"] == "/start"


async def test_whatever_is_asked_is_one_statement(
    admin: httpx.AsyncClient,
    client: httpx.AsyncClient,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = await published(admin, "pages", title="Home")
    await make(admin, "redirects", source="/exact", document=page["id"])
    await make(admin, "redirects", source="/prefix", kind="prefix", target="/home")
    reader = application.container.core.reader()
    real, seen = reader._executed, list[str]()

    async def executed(sql: str, params: Any, **options: Any) -> Any:
        seen.append(sql)
        return await real(sql, params, **options)

    monkeypatch.setattr(reader, "_executed", executed)
    for path, number in (("/home", 2), ("/exact", 1), ("/prefix/a/b/c", 1), ("/nothing", 1)):
        seen.clear()
        await resolved(client, path)
        assert len(seen) == number, path


# Automatic ones


async def test_old_addresses_lead_on(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    a = await published(admin, "pages", title="A")
    b = await published(admin, "pages", title="B", parent=a["id"])
    await change(admin, "pages", a, slug="z")
    assert await items(admin, f"{API}/redirects") == []  # only drafts have moved
    await do(admin, "pages", a, "publish")
    await change(admin, "pages", b, parent=None)
    await do(admin, "pages", b, "publish")
    found = await items(admin, f"{API}/redirects?filter[is_automatic]=true")
    assert [(one["source"], one["document"], one["status"]) for one in found] == [
        ("a", a["id"], 301), ("a/b", b["id"], 301), ("z/b", b["id"], 301),
    ]  # fmt: skip
    for path, to in (("/a", "/z"), ("/a/b", "/b"), ("/z/b", "/b")):
        assert await location(client, path) == to


async def test_redirects_wait_while_their_document_is_away(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    post = await published(admin, "posts", title="News")
    await change(admin, "posts", post, slug="latest")
    await do(admin, "posts", post, "publish")
    assert await location(client, "/news") == "/latest"
    for away, back in (("unpublish", ["publish"]), ("archive", ["unarchive", "publish"])):
        await do(admin, "posts", post, away)
        assert await resolved(client, "/news") is None
        for step in back:
            await do(admin, "posts", post, step)
        assert await location(client, "/news") == "/latest"
    await remove(admin, "posts", post)
    assert await resolved(client, "/news") is None
    assert len(await items(admin, f"{API}/redirects")) == 1
    answered(await admin.post(f"{API}/posts/{post['id']}/purge", headers=ANY), 204)
    assert await items(admin, f"{API}/redirects") == []


async def test_a_made_redirect_to_a_path_that_moves_is_followed_on(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    page = await published(admin, "pages", title="Home")
    await make(admin, "redirects", source="/old", target="/home")
    await change(admin, "pages", page, slug="start")
    await do(admin, "pages", page, "publish")
    assert await location(client, "/old") == "/start"
    body = {"source": "/older", "target": "/home"}
    problem = answered(await admin.post(f"{API}/redirects", json=body), 409, "redirect_chain")
    assert problem["redirect"]["source"] == "home"


async def test_a_publication_that_fails_leaves_nothing(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    a, b = [await published(admin, "pages", title=name) for name in "AB"]
    below = await published(admin, "pages", title="Below", parent=a["id"])
    await change(admin, "pages", b, slug="c")
    await change(admin, "pages", a, slug="b")
    answered(await admin.post(f"{API}/pages/{a['id']}/publish", headers=ANY), 409, "address_taken")
    assert await items(admin, f"{API}/redirects") == []
    found = await resolved(client, "/a/below")
    assert found is not None
    assert found["id"] == below["id"]


async def test_pages_that_swap_their_addresses_in_turn(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    a, b = [await published(admin, "pages", title=name) for name in "AB"]
    for page, slug in ((a, "x"), (b, "a"), (a, "b")):
        await change(admin, "pages", page, slug=slug)
        await do(admin, "pages", page, "publish")
    for path, page in (("/a", b), ("/b", a)):
        found = await resolved(client, path)
        assert found is not None
        assert found["id"] == page["id"]
    assert await location(client, "/x") == "/b"
    assert len(await items(admin, f"{API}/redirects")) == 1


async def test_moving_many_takes_as_many_statements_as_moving_few(
    admin: httpx.AsyncClient, application: Application, database_url: str
) -> None:
    engine = application.container.core.engine().sync_engine

    async def moved(number: int) -> tuple[list[str], list[str]]:
        """The statements of moving the root of so many pages, and of publishing it."""
        root = await published(admin, "pages", title=f"Root {number}")
        pages: list[PageView] = []
        async with application.unit_of_work() as uow:
            service = application.container.cms.pages()
            for one in range(number):
                parent = UUID(root["id"]) if not pages or one % 5 else pages[one // 10].id
                page = await service.create(uow, SYSTEM, PageChanges(title=f"P{one}", parent=parent))
                pages.append(await service.publish(uow, SYSTEM, page.id, expected=None))
        taken = []
        for method, path, body in (
            ("PATCH", "", {"slug": f"moved-{number}"}),
            ("POST", "/publish", None),
        ):
            seen: list[str] = []

            def note(*given: Any, seen: list[str] = seen) -> None:
                seen.append(" ".join(given[2].split())[:60])

            event.listen(engine, "before_cursor_execute", note)
            try:
                response = await admin.request(
                    method, f"{API}/pages/{root['id']}{path}", json=body, headers=ANY
                )
            finally:
                event.remove(engine, "before_cursor_execute", note)
            answered(response, 200)
            taken.append(seen)
        counted = "SELECT count(*) FROM cms.{} WHERE {} LIKE %s"
        for table, column, like, found in (
            ("documents", "path", f"moved-{number}/%", number),
            ("publications", "path", f"moved-{number}/%", number),
            ("redirects", "source", f"root-{number}%", number + 1),
        ):
            assert rows(database_url, counted.format(table, column), [like]) == [(found,)]
        return taken[0], taken[1]

    assert await moved(3) == await moved(300)

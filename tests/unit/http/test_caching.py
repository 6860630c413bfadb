"""The cache of answers: what is kept, until when, and who waits for whom."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import uuid4

import brotli
import msgspec
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from litestar.types import ASGIApp, Scope

from cms_api.adapters.http import caching
from cms_api.adapters.http.caching import (
    HEAD_OVERHEAD,
    Answer,
    CacheAges,
    CachedAnswers,
    ResponseCache,
    shared,
)
from cms_api.adapters.http.compression import CODINGS, accepted

BODY = b'{"words": "' + b"many words " * 200 + b'"}'
LIMIT = 1_000_000


class Site:
    """An application with one answer for each path, made anew each time; it counts how often."""

    def __init__(self) -> None:
        self.made = 0
        self.says: dict[str, bytes] = {}
        self.pause: Callable[[], Awaitable[None]] | None = None
        self.refuses: int | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer; with a pause between looking and answering, where there is one."""
        self.made += 1
        body = self.says.get(scope["path"], BODY)
        if self.pause is not None:
            await self.pause()
        if self.refuses:
            problem = {"status": self.refuses, "request_id": scope["cms_request_id"]}
            body = msgspec.json.encode(problem)
            headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": self.refuses, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        await shared(scope, Answer(body, [], ("one", scope["path"])))(scope, receive, send)


async def ask(
    app: Any, path: str = "/content/a", *, method: str = "GET", query: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask and return status, headers and body."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "cms_request_id": uuid4().hex,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    await app(cast("Scope", scope), None, send)
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], head, b"".join(message["body"] for message in sent[1:])


def cached(site: Site, *, limit: int = LIMIT, listening: bool = True) -> tuple[CachedAnswers, ResponseCache]:
    """The site behind a cache."""
    cache = ResponseCache(limit=limit)
    if listening:
        cache.listening()
    return CachedAnswers(cast("ASGIApp", site), cache, prefixes=("/content/",)), cache


def held(site: Site) -> asyncio.Event:
    """Have the site look at once, and answer when the event is set."""
    gate = asyncio.Event()

    async def pause() -> None:
        await gate.wait()

    site.pause = pause
    return gate


async def test_what_was_answered_is_kept_until_it_changes() -> None:
    site = Site()
    app, cache = cached(site)
    first, second = await ask(app), await ask(app)
    assert first == second == (200, second[1], BODY)
    assert second[1]["cache-tag"] == "one,/content/a"
    assert site.made == 1
    cache.changed(["other"])
    await ask(app)
    assert site.made == 1
    cache.changed(["/content/a"])
    site.says["/content/a"] = b"{}"
    assert (await ask(app))[2] == b"{}"
    assert site.made == 2


async def test_only_what_everybody_may_read_is_kept() -> None:
    site = Site()
    app, cache = cached(site)
    for request in (
        {"path": "/other"},
        {"method": "POST"},
        {"authorization": "Bearer x"},
        {"query": b"x" * 2_001},
        {"path": "/content/" + "/" * 1_000, "query": b"x" * 1_000},
    ):
        await ask(app, **cast("dict[str, Any]", request))
        await ask(app, **cast("dict[str, Any]", request))
    assert (site.made, len(cache)) == (10, 0)
    site.refuses = 404
    await ask(app)
    assert (await ask(app))[0] == 404
    assert len(cache) == 0


async def test_what_is_asked_for_counts_with_what_is_kept() -> None:
    app, cache = cached(Site())
    await ask(app, "/content/" + "/" * 900, query=b"x" * 900)
    long = cache.size
    cache.clear()
    await ask(app, "/content/" + "/" * 800, query=b"x" * 800)
    # The path is a key of the answer as well.
    assert long - cache.size >= 200


async def test_queries_are_told_apart() -> None:
    site = Site()
    app, cache = cached(site)
    await ask(app, query=b"a=1")
    await ask(app, query=b"a=2")
    assert (site.made, len(cache)) == (2, 2)


async def test_without_notifications_every_request_goes_past_it() -> None:
    site = Site()
    app, cache = cached(site, listening=False)
    await ask(app)
    await ask(app)
    assert site.made == 2
    cache.listening()
    await ask(app)
    await ask(app)
    assert site.made == 3
    cache.deaf()
    await ask(app)
    assert (site.made, len(cache), cache.size) == (4, 0, 0)
    cache.listening()
    await ask(app)
    assert site.made == 5


async def test_own_changes_are_waited_for() -> None:
    site = Site()
    app, cache = cached(site)
    await ask(app)
    cache.expect("7")
    site.says["/content/a"] = b"new"
    cache.committed("7")
    assert (await ask(app))[2] == b"new"  # although nothing was told of yet
    cache.changed(["one"])
    cache.heard("7")
    await ask(app)
    assert (await ask(app))[2] == b"new"
    assert site.made == 3


async def test_what_was_committed_while_nobody_listened_is_waited_for_no_more() -> None:
    _, cache = cached(Site())
    cache.expect("7")
    cache.expect("8")
    cache.committed("7")
    cache.deaf()
    cache.expect("9")  # nobody may tell
    cache.listening()
    assert cache.is_current


@pytest.mark.parametrize("is_told_before", [True, False])
@pytest.mark.parametrize("is_deaf_before", [True, False])
async def test_a_commit_around_a_new_connection_is_seen_and_blocks_nothing(
    *, is_told_before: bool, is_deaf_before: bool
) -> None:
    site = Site()
    app, cache = cached(site)
    if is_deaf_before:
        cache.deaf()
    cache.expect("7")
    cache.deaf()
    cache.listening()
    # What is kept now may have been read before the commit, and whether that is told of is open.
    await ask(app)
    site.says["/content/a"] = b"new"
    if is_told_before:
        cache.changed(["one"])
        cache.heard("7")
    else:
        assert len(cache) == 1
    cache.committed("7")
    assert (await ask(app))[2] == b"new"
    assert cache.is_current
    assert len(cache) == 1
    cache.heard("7")
    assert cache.is_current


async def test_a_stampede_costs_one() -> None:
    site = Site()
    gate = held(site)
    app, _ = cached(site)
    tasks = [asyncio.create_task(ask(app)) for _ in range(50)]
    await asyncio.sleep(0)
    gate.set()
    assert {status for status, _, _ in await asyncio.gather(*tasks)} == {200}
    assert site.made == 1


@pytest.mark.parametrize("status", [400, 404, 410, 422])
async def test_a_stampede_for_what_is_not_there_costs_one(status: int) -> None:
    site = Site()
    site.refuses = status
    gate = held(site)
    app, cache = cached(site)
    tasks = [asyncio.create_task(ask(app)) for _ in range(50)]
    await asyncio.sleep(0)
    gate.set()
    told = await asyncio.gather(*tasks)
    assert site.made == 1
    assert {one[0] for one in told} == {status}
    assert {one[1]["content-type"] for one in told} == {"application/problem+json"}
    assert all(int(one[1]["content-length"]) == len(one[2]) for one in told)
    # Each has the id of its own request, to be found in the log.
    assert len({msgspec.json.decode(one[2])["request_id"] for one in told}) == 50
    # It is kept for nobody: it may be there by now.
    assert len(cache) == 0
    site.refuses = None
    assert (await ask(app))[0] == 200


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_what_is_one_clients_own_or_may_pass_is_not_shared(status: int) -> None:
    site = Site()
    site.refuses = status
    app, _ = cached(site)
    gate = held(site)
    tasks = [asyncio.create_task(ask(app)) for _ in range(5)]
    await asyncio.sleep(0)
    assert site.made == 1
    others = asyncio.Event()
    site.pause = others.wait  # type: ignore[assignment]  # what it returns is not looked at
    gate.set()
    async with asyncio.timeout(5):
        while site.made < 5:  # all at once: they do not wait for one another  # noqa: ASYNC110
            await asyncio.sleep(0)
    others.set()
    assert {one[0] for one in await asyncio.gather(*tasks)} == {status}
    assert site.made == 5


async def test_where_nothing_came_of_it_the_next_one_is_at_it() -> None:
    site = Site()
    gate = held(site)
    app, _ = cached(site)
    first = asyncio.create_task(ask(app))
    await asyncio.sleep(0)
    others = [asyncio.create_task(ask(app)) for _ in range(3)]
    await asyncio.sleep(0)
    assert site.made == 1
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    gate.set()
    assert [status for status, _, _ in await asyncio.gather(*others)] == [200] * 3
    assert site.made == 2


async def test_a_change_on_the_way_is_not_missed() -> None:
    site = Site()
    gate = held(site)
    app, cache = cached(site)
    before = asyncio.create_task(ask(app))
    await asyncio.sleep(0)
    site.says["/content/a"] = b"new"
    cache.changed(["one"])
    after = asyncio.create_task(ask(app))  # must not be handed what was begun before
    await asyncio.sleep(0)
    gate.set()
    assert (await before)[2] == BODY
    assert (await after)[2] == b"new"
    assert (await ask(app))[2] == b"new"
    assert site.made == 2


async def test_a_change_of_something_else_on_the_way_does_no_harm() -> None:
    site = Site()
    gate = held(site)
    app, cache = cached(site)
    task = asyncio.create_task(ask(app))
    await asyncio.sleep(0)
    cache.changed(["other"])
    gate.set()
    await task
    await ask(app)
    assert site.made == 1


async def test_what_was_begun_before_it_went_deaf_is_not_kept() -> None:
    site = Site()
    gate = held(site)
    app, cache = cached(site)
    task = asyncio.create_task(ask(app))
    await asyncio.sleep(0)
    cache.deaf()
    cache.listening()
    gate.set()
    await task
    assert len(cache) == 0


async def test_the_last_used_ones_stay() -> None:
    site = Site()
    app, cache = cached(site, limit=50_000)
    for number in range(100):
        await ask(app, f"/content/{number}")
        await ask(app, "/content/0")
        assert cache.size <= 50_000
    assert site.made == 100
    assert 2 < len(cache) < 50
    await ask(app, "/content/1")
    assert site.made == 101


async def test_what_is_too_large_is_not_kept() -> None:
    site = Site()
    site.says["/content/a"] = b"x" * 20_000
    app, cache = cached(site, limit=100_000)
    await ask(app)
    assert len(cache) == 0


@given(
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["ask", "change", "pack", "clear"])), max_size=60)
)
def test_the_size_is_that_of_what_is_kept(steps: list[tuple[int, str]]) -> None:
    async def run() -> None:
        site = Site()
        app, cache = cached(site, limit=30_000)
        for number, step in steps:
            path = f"/content/{number}"
            if step == "change":
                cache.changed([path])
            elif step == "clear":
                cache.listening()
            else:
                await ask(app, path, **({"accept_encoding": "gzip"} if step == "pack" else {}))
            kept = [cache.find((f"/content/{one}", b"")) for one in range(9)]
            assert cache.size == sum(answer.size for answer in kept if answer) <= 30_000
        cache.changed([f"/content/{one}" for one in range(9)])
        assert (cache.size, len(cache), cache._users) == (0, 0, {})

    asyncio.run(run())


@pytest.mark.parametrize("coding", CODINGS)
async def test_each_coding_is_made_once_and_has_a_tag_of_its_own(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    make = CODINGS[coding]

    def counted(body: bytes) -> bytes:
        nonlocal made
        made += 1
        return make(body)

    monkeypatch.setitem(CODINGS, coding, counted)
    app, cache = cached(Site())
    plain = await ask(app)
    before = cache.size
    packed = await ask(app, accept_encoding=coding)
    assert await ask(app, accept_encoding=coding) == packed
    assert made == 1
    assert cache.size == before + len(packed[2]) + len(packed[1]["cache-tag"]) + HEAD_OVERHEAD
    status, headers, body = packed
    assert (status, headers["content-encoding"], headers["content-length"]) == (200, coding, str(len(body)))
    unpack = {"zstd": zstd.decompress, "br": brotli.decompress, "gzip": gzip.decompress}[coding]
    assert unpack(body) == plain[2] == BODY
    assert headers["etag"] != plain[1]["etag"]
    for tag in (headers["etag"], plain[1]["etag"], f'"x", W/{headers["etag"]}', "*"):
        status, head, body = await ask(app, accept_encoding=coding, if_none_match=tag)
        assert (status, body) == (304, b"")
        assert "content-length" not in head
        assert head["etag"] == (tag if tag == plain[1]["etag"] else headers["etag"])
    assert (await ask(app, if_none_match='"other"'))[0] == 200


async def test_the_tag_of_a_coding_that_is_not_taken_is_none_of_an_answer() -> None:
    app, _ = cached(Site())
    await ask(app)
    tag = (await ask(app, accept_encoding="gzip"))[1]["etag"]
    # Who has it packed, and takes it so, has it; who takes plain bytes, or others, does not.
    for codings, status in (
        ("gzip", 304),
        ("br, gzip;q=0.5", 304),
        ("*", 304),
        ("br", 200),
        ("gzip;q=0", 200),
    ):
        told, head, _ = await ask(app, accept_encoding=codings, if_none_match=tag)
        assert told == status, codings
        assert (head["etag"] == tag) is (status == 304)
    assert (await ask(app, if_none_match=tag))[0] == 200


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Wed, 25 Nov 2026 10:00:00 GMT", 304),
        # Later, and yet not the same: what is gone may have been newer.
        ("Wed, 25 Nov 2026 10:00:01 GMT", 200),
        ("Wed, 25 Nov 2026 09:59:59 GMT", 200),
        ("yesterday", 200),
        ("", 200),
    ],
)
async def test_what_was_not_modified_since(date: str, status: int) -> None:
    dated = "Wed, 25 Nov 2026 10:00:00 GMT"
    answer = Answer(BODY, [], ("one",), date=dated)
    told, head, body = await ask(answer, if_modified_since=date)
    assert told == status
    assert "etag" in head
    assert (body == b"") is (status == 304)
    # The tag knows better (RFC 9110, section 13.1.3); and what tells no date was modified at any time.
    assert (await ask(answer, if_modified_since=date, if_none_match='"x"'))[0] == 200
    assert (await ask(Answer(BODY, [], ("one",)), if_modified_since=date))[0] == 200
    assert (await ask(Answer(BODY, [], ("one",), date=dated, is_dated=False), if_modified_since=date))[
        0
    ] == 200


async def test_a_date_is_told_once_its_second_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now, later = "Wed, 25 Nov 2026 10:00:00 GMT", "Wed, 25 Nov 2026 10:00:01 GMT"
    monkeypatch.setattr(caching, "formatdate", lambda **_: now)
    cache = ResponseCache(limit=LIMIT)
    answer = Answer(BODY, [], ("one",), date=now)
    answer.keep(cache)
    for _ in range(2):
        assert "last-modified" not in (await ask(answer))[1]
        assert "last-modified" not in (await ask(answer, accept_encoding="gzip"))[1]
        assert (await ask(answer, if_modified_since=now))[0] == 200
    monkeypatch.setattr(caching, "formatdate", lambda **_: later)
    for coding in ("gzip", "br", "identity"):
        status, head, _ = await ask(answer, accept_encoding=coding)
        assert (status, head["last-modified"]) == (200, now)
        for condition in ({"if_none_match": "*"}, {"if_modified_since": now}):
            status, head, _ = await ask(answer, accept_encoding=coding, **condition)
            assert (status, head["last-modified"]) == (304, now)
    assert "last-modified" not in (await ask(Answer(BODY, [], ("one",), date=later)))[1]
    assert (await ask(Answer(BODY, [], ("one",), date=now)))[1]["last-modified"] == now


async def test_what_has_too_many_tags_is_to_be_asked_for() -> None:
    control = (b"cache-control", b"public, max-age=60")
    few = Answer(BODY, [control], [f"key-{number}" for number in range(800)])
    _, head, _ = await ask(few)
    assert (head["cache-control"], len(head["cache-tag"]) > 5_000) == ("public, max-age=60", True)
    many = Answer(BODY, [control], [f"key-{number}" for number in range(2_000)])
    _, head, _ = await ask(many)
    assert (head["cache-control"], "cache-tag" in head) == ("public, max-age=0, must-revalidate", False)
    _, head, _ = await ask(many, if_none_match=head["etag"])
    assert head["cache-control"] == "public, max-age=0, must-revalidate"


async def test_headers_that_are_changed_on_the_way_stay_as_they_are() -> None:
    answer = Answer(BODY, [], ("one",))

    async def browser(scope: Any, receive: Any, send: Any) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"access-control-allow-origin", b"https://one.example"))
            await send(message)

        await answer(scope, receive, marked)

    assert "access-control-allow-origin" in (await ask(browser))[1]
    assert "access-control-allow-origin" not in (await ask(answer))[1]


async def test_what_is_short_is_not_compressed() -> None:
    site = Site()
    site.says["/content/a"] = b"{}"
    app, _ = cached(site)
    await ask(app)
    assert "content-encoding" not in (await ask(app, accept_encoding="gzip"))[1]


async def test_what_is_large_is_compressed_beside_the_requests() -> None:
    site = Site()
    site.says["/content/a"] = b"many words " * 30_000
    app, _ = cached(site, limit=10_000_000)
    _, headers, body = await ask(app, accept_encoding="br")
    assert headers["content-encoding"] == "br"
    assert brotli.decompress(body) == site.says["/content/a"]


async def test_what_is_large_is_compressed_once_for_many() -> None:
    site = Site()
    site.says["/content/a"] = b"many words " * 30_000
    app, cache = cached(site, limit=10_000_000)
    await ask(app)
    plain = cache.size
    answers = await asyncio.gather(*(ask(app, accept_encoding="br") for _ in range(20)))
    assert {headers["content-encoding"] for _, headers, _ in answers} == {"br"}
    _, head, body = answers[0]
    assert cache.size == plain + len(body) + len(head["cache-tag"]) + HEAD_OVERHEAD


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "br"),
        ("gzip;q=0", None),
        ("identity", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("deflate", None),
        ("", None),
        ("gzip;q=nonsense", None),
        ("GZIP ; q=0.9", "gzip"),
    ],
)
def test_the_best_coding_that_a_client_takes(header: str, coding: str | None) -> None:
    assert accepted(header.encode()) == coding


def test_how_long_others_may_keep_an_answer_depends_on_what_it_is() -> None:
    ages = CacheAges(0, ("feeds=300", "pages=60+600", "menus=0+60", "settings=60+0", "tags=0"))
    assert ages.of("pages") == b"public, max-age=60, stale-while-revalidate=600"
    assert ages.of("menus") == b"public, max-age=0, stale-while-revalidate=60"
    assert ages.of("settings") == b"public, max-age=60, stale-while-revalidate=0"
    assert ages.of("tags") == ages.of("posts")
    assert ages.of("posts") == b"public, max-age=0, must-revalidate"
    assert ages.of("feeds") == b"public, max-age=300, stale-while-revalidate=300"

"""Redirects: paths in one form, and what the service decides, on fakes."""

import asyncio
import random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.pages.interface import PageChanges, PageView
from cms_api.domains.cms.redirects.errors import RedirectChain, RedirectTaken
from cms_api.domains.cms.redirects.interface import REDIRECTS, RedirectChanges, RedirectView
from cms_api.domains.cms.redirects.paths import (
    MAX_BYTES,
    MAX_SEGMENTS,
    clean_path,
    clean_target,
    is_address,
    with_ancestors,
)
from cms_api.domains.cms.redirects.wanted import Wanted
from cms_api.domains.cms.resources import ResourceNotFound
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import CmsError, Forbidden, Invalid, Malformed, Stale, Unauthenticated
from cms_api.querying import PageRequest

READER = Actor(user_id=uuid4(), permissions=frozenset({"documents:read"}))
EDITOR = Actor(user_id=uuid4(), permissions=frozenset({"documents:read", "redirects:manage"}))


def faults(error: CmsError) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in error.faults]


# Paths


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/old/page", "old/page"),
        ("old/page", "old/page"),
        ("/old/page/", "old/page"),
        ("/", ""),
        ("", ""),
        ("/Old/Page.HTML", "Old/Page.HTML"),
        ("/gr%C3%B6%C3%9Fe", "größe"),
        ("/gr%c3%b6%c3%9fe", "größe"),
        ("/größe", "größe"),
        ("/gro\u0308ße", "größe"),
        ("/a%20b", "a b"),
        ("/a b", "a b"),
        ("/a+b&c=d;e@f:g,h!~$'()*", "a+b&c=d;e@f:g,h!~$'()*"),
        ("/日本/語", "日本/語"),
        ("/...", "..."),
        ("/.well-known/x", ".well-known/x"),
        ("/javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_a_path_has_one_form(written: str, kept: str) -> None:
    assert clean_path(written, pointer="/source") == kept
    assert clean_path(kept, pointer="/source") == kept
    assert clean_target(f"/{kept}", is_prefix=False, pointer="/target") == kept


HOSTILE_PATHS = [
    "//host", "//", "///a", "/a//b", "a//", "/a/../b", "/..", "..", ".", "/./a", "/a/%2e%2e/b", "/%2E", "/%2f%2fhost",
    "/a%2F%2Fb", "/\\host", "\\\\host", "/a\\b", "/a%5Cb", "/a?b=c", "/a%3Fb", "/a#b", "/a%23", "/100%", "/a%25b",
    "/%zz", "/a\nb", "/a%0Ab", "/a\tb", "/a\x00b", "/a%00b", "/a\x7f", "/a\u202eb", "/a\u200bb", "/a\ufeffb",
    "/a\u2028b", "/\ud800", "/%ff", "/%c3", "/%c0%af", "/<script>", '/"', "/{a}", "/a|b", "/^", "/`", "/ /a", "/a/ ",
    "/%E2%80%8B", "/" + "x" * (MAX_BYTES + 1), "/" + "ß" * (MAX_BYTES // 2 + 1), "/a" * (MAX_SEGMENTS + 1),
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_path(path, pointer="/source")
    assert faults(refused.value) == [("/source", "path")]
    with pytest.raises(Invalid):
        clean_target(path, is_prefix=False, pointer="/target")


def test_paths_as_long_as_can_be() -> None:
    for path in ("x" * MAX_BYTES, "ß" * (MAX_BYTES // 2), "/".join(["a"] * MAX_SEGMENTS)):
        assert clean_path(f"/{path}/", pointer="") == path


@given(st.text(max_size=30) | st.text(alphabet="/.%25cC3fF\\?#: ab", max_size=20))
def test_what_is_accepted_is_in_its_form(text: str) -> None:
    try:
        kept = clean_path(text, pointer="/source")
    except Invalid:
        return
    assert clean_path(kept, pointer="/source") == clean_path(f"/{kept}", pointer="/source") == kept
    assert not kept.startswith("/")
    assert not kept.endswith("/")
    assert "//" not in kept
    assert not set(kept) & set("\\%?#\n\r\0")


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org", "https://example.org/a/b", "https://example.org:8443/", "https://example.org/?a=b#c",
        "https://[2001:db8::1]/a", "HTTPS://Example.ORG/", "https://xn--gre-gna1c.example/%C3%B6", "http://localhost/a",
    ],
)  # fmt: skip
def test_an_address_of_another_site(address: str) -> None:
    assert clean_target(address, is_prefix=False, pointer="/target") == address
    assert is_address(address)


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "mailto:a@example.org", "ftp://example.org",
        "file:///etc/passwd", "http:example.org", "http:/example.org", "https:///example.org", "http://", "https://?a",
        "https://user@example.org", "https://user:pass@example.org/", "https://@example.org", "https://example.org\\@evil",
        "https://exa mple.org", "https://example.org/\n", "https://example.org/\tx", "https://größe.example",
        "https://example.org/ß", "https://example.org:0/", "https://example.org:99999/", "https://example.org:x/",
        "https://[::1", "vbscript:x", "a:b", "https://example.org/" + "x" * MAX_BYTES, "https://example.org/<a>",
    ],
)  # fmt: skip
def test_what_is_no_address(target: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_target(target, is_prefix=False, pointer="/target")
    assert [fault.pointer for fault in refused.value.faults] == ["/target"]


def test_a_prefix_needs_an_address_that_can_be_added_to() -> None:
    assert clean_target("https://example.org/a/", is_prefix=True, pointer="") == "https://example.org/a"
    for target in ("https://example.org/?a=b", "https://example.org/#a"):
        with pytest.raises(Invalid):
            clean_target(target, is_prefix=True, pointer="")


def test_ancestors() -> None:
    assert with_ancestors("a/b/c") == ["a", "a/b", "a/b/c"]
    assert with_ancestors("") == [""]
    assert len(with_ancestors("a/" * 1000 + "a")) == MAX_SEGMENTS


# The service


@pytest.fixture
def create(cms: FakeCms):
    async def work(who: Actor = EDITOR, /, *, locale: str | None = None, **values: Any) -> RedirectView:
        async with cms.uow() as uow:
            changes = RedirectChanges(**({"source": "/old"} | values))
            return await cms.redirects.create(uow, who, changes, locale=locale)

    return work


@pytest.fixture
def update(cms: FakeCms):
    async def work(one: RedirectView, *, expected: int | None = None, **values: Any) -> RedirectView:
        async with cms.uow() as uow:
            return await cms.redirects.update(
                uow, EDITOR, one.id, RedirectChanges(**values), expected=expected
            )

    return work


@pytest.fixture
def publish(cms: FakeCms):
    """A live page."""

    async def work(title: str, **values: Any) -> PageView:
        async with cms.uow() as uow:
            page = await cms.pages.create(uow, SYSTEM, PageChanges(title=title, **values))
            return await cms.pages.publish(uow, SYSTEM, page.id, expected=None)

    return work


@pytest.fixture
def resolved(cms: FakeCms):
    async def work(path: str, locale: str | None = None) -> Any:
        return msgspec.json.decode((await cms.redirects.resolve(path, locale)).json)

    return work


async def test_a_redirect_is_made(cms: FakeCms, create) -> None:
    made = await create(source="/Old/", target="/new/page/", status=308)
    assert (made.kind, made.source, made.target, made.document) == ("exact", "Old", "new/page", None)
    assert (made.status, made.locale, made.version, made.is_automatic) == (308, "en", 1, False)
    assert await cms.redirects.get(READER, made.id) == made
    assert cms.names() == ["resource.created"]
    assert cms.store.events[0].kind == "redirect"  # type: ignore[attr-defined]


async def test_who_may(cms: FakeCms, create) -> None:
    made = await create(target="/new")
    with pytest.raises(Forbidden):
        await create(READER, source="/x", target="/y")
    with pytest.raises(Unauthenticated):
        await create(ANONYMOUS, source="/x", target="/y")
    with pytest.raises(Unauthenticated):
        await cms.redirects.get(ANONYMOUS, made.id)
    with pytest.raises(Unauthenticated):
        await cms.redirects.list(ANONYMOUS, PageRequest(sort=REDIRECTS.sort))
    async with cms.uow() as uow:
        with pytest.raises(Forbidden):
            await cms.redirects.update(uow, READER, made.id, RedirectChanges(), expected=None)
        with pytest.raises(Forbidden):
            await cms.redirects.delete(uow, READER, made.id, expected=None)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, [("/target", "required")]),
        ({"source": msgspec.UNSET, "target": "/x"}, [("/source", "required")]),
        ({"target": "/x", "document": uuid4()}, [("/target", "two_targets"), ("/document", "unknown_reference")]),
        ({"document": uuid4()}, [("/document", "unknown_reference")]),
        ({"target": "/x", "status": 410}, [("/status", "gone")]),
        ({"source": "/", "target": "/x", "kind": "prefix"}, [("/source", "path")]),
        ({"source": "//x", "target": "//y"}, [("/source", "path"), ("/target", "path")]),
        ({"source": "/a?b", "document": uuid4()}, [("/source", "path"), ("/document", "unknown_reference")]),
        ({"target": "/old"}, [("/target", "loop")]),
        ({"target": "/%6Fld/"}, [("/target", "loop")]),
        ({"source": "/", "target": "/"}, [("/target", "loop")]),
        ({"target": "/old", "kind": "prefix"}, [("/target", "loop")]),
        ({"target": "/old/er/still", "kind": "prefix"}, [("/target", "loop")]),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_all_said(
    cms: FakeCms, create, values: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refused:
        await create(**values)
    assert faults(refused.value) == found
    assert not cms.store.redirects
    assert not cms.names()


async def test_what_is_no_loop(create) -> None:
    await create(source="/old", target="/older", kind="prefix")
    await create(source="/a/b", target="/a", kind="prefix")
    await create(source="/c", target="/c/d")
    await create(source="/C", target="/e")


async def test_a_path_is_led_away_once(create) -> None:
    made = await create(target="/new")
    with pytest.raises(RedirectTaken) as refused:
        await create(target="/newer")
    assert refused.value.members["redirect"] == {"id": str(made.id), "kind": "exact", "source": "old"}
    await create(target="/newer", locale="de")
    await create(target="/newer", kind="prefix")


async def test_a_chain_is_refused_and_the_other_one_named(cms: FakeCms, create, update) -> None:
    made = await create(source="/a", target="/b")
    for values in ({"source": "/b", "target": "/c"}, {"source": "/b", "kind": "prefix", "status": 410}):
        with pytest.raises(RedirectChain) as refused:
            await create(**values)
        assert refused.value.members["redirect"]["id"] == str(made.id)
        assert "“/a”" in refused.value.detail
    with pytest.raises(RedirectChain):
        await create(source="/c", target="/a")
    other = await create(source="/c", target="/d")
    before = dict(cms.store.redirects)
    for changed in ({"target": "/a"}, {"source": "/b"}, {"source": "/b", "target": "/a"}):
        with pytest.raises(RedirectChain):
            await update(other, **changed)
    assert cms.store.redirects == before
    assert (await update(other, source="/x", target="/b")).target == "b"


async def test_a_document_is_the_end_of_every_way(create, publish) -> None:
    page = await publish("Home")
    await create(source="/a", document=page.id)
    await create(source="/b", kind="prefix", document=page.id)
    await create(source="/c", target="/home")
    with pytest.raises(RedirectChain):
        await create(source="/d", target="/b/x")


async def test_where_it_leads_is_changed(cms: FakeCms, create, update, publish) -> None:
    page = await publish("Home")
    made = await create(target="/new")
    to_document = await update(made, document=page.id, expected=1)
    assert (to_document.target, to_document.document, to_document.version) == (None, page.id, 2)
    gone = await update(made, status=410)
    assert (gone.target, gone.document, gone.status) == (None, None, 410)
    with pytest.raises(Invalid):
        await update(made, status=301)
    back = await update(made, status=301, target="https://example.org")
    assert (back.target, back.version) == ("https://example.org", 4)
    assert await update(made, target="https://example.org") == back
    with pytest.raises(Stale):
        await update(made, expected=1, target="//")
    event = cms.store.events[-1]
    assert (event.name, event.changed) == ("resource.updated", ("target", "status"))  # type: ignore[attr-defined]


async def test_an_automatic_redirect_that_is_changed_is_no_longer_one(cms: FakeCms, update, publish) -> None:
    page = await publish("A")
    async with cms.uow() as uow:
        await cms.pages.update(uow, SYSTEM, page.id, PageChanges(slug="z"), expected=None)
        await cms.pages.publish(uow, SYSTEM, page.id, expected=None)
    (found,) = (await cms.redirects.list(READER, PageRequest(sort=REDIRECTS.sort))).items
    assert (found.source, found.document, found.is_automatic) == ("a", page.id, True)
    assert (await update(found, status=301)).is_automatic
    assert not (await update(found, status=302)).is_automatic
    # Whatever goes live there now, it stays.
    await publish("A")
    assert (await cms.redirects.get(READER, found.id)).source == "a"


async def test_a_redirect_is_deleted(cms: FakeCms, create) -> None:
    made = await create(target="/new")
    async with cms.uow() as uow:
        with pytest.raises(Stale):
            await cms.redirects.delete(uow, EDITOR, made.id, expected=2)
        await cms.redirects.delete(uow, EDITOR, made.id, expected=1)
    with pytest.raises(ResourceNotFound):
        await cms.redirects.get(READER, made.id)
    async with cms.uow() as uow:
        with pytest.raises(ResourceNotFound):
            await cms.redirects.update(uow, EDITOR, made.id, RedirectChanges(), expected=None)
    assert cms.names() == ["resource.created", "resource.deleted"]


@pytest.mark.parametrize(
    ("values", "path", "location"),
    [
        ({"target": "/new"}, "/old", "/new"),
        ({"target": "/größe/a b"}, "old/", "/gr%C3%B6%C3%9Fe/a%20b"),
        ({"target": "/"}, "/old", "/"),
        ({"target": "/javascript:alert(1)"}, "/old", "/javascript:alert(1)"),
        ({"target": "/new", "kind": "prefix"}, "/old/%C3%B6/x", "/new/%C3%B6/x"),
        ({"target": "/", "kind": "prefix"}, "/old/x", "/x"),
        ({"target": "https://example.org", "kind": "prefix"}, "/old/ö", "https://example.org/%C3%B6"),
        ({"target": "https://[::1]:80/?a=%20#b"}, "/old", "https://[::1]:80/?a=%20#b"),
        ({"source": "/a/b", "target": "/a", "kind": "prefix"}, "/a/b/b/b/c", "/a/c"),
        ({"source": "/a/b", "target": "/a", "kind": "prefix"}, "/a/b/bc", "/a/bc"),
        ({"source": "/a/b", "target": "/", "kind": "prefix"}, "/a/b/a/b", "/"),
        ({"status": 410}, "/old", None),
    ],
)
async def test_locations_are_ready_for_a_header(
    create, resolved, values: dict[str, Any], path: str, location: str | None
) -> None:
    made = await create(**values)
    assert await resolved(path) == {"kind": "redirect", "status": made.status, "location": location}


@pytest.mark.parametrize("path", [*HOSTILE_PATHS, "/older", "/OLD", "/old/x"])
async def test_where_nothing_is(create, resolved, path: str) -> None:
    await create(target="/new")
    with pytest.raises(NothingPublished):
        await resolved(path)


async def test_what_is_live(cms: FakeCms, create, publish, resolved) -> None:
    page = await publish("Home")
    await create(source="/home", target="/else")
    url = f"/api/v1/content/pages/{page.id}"
    live = {"kind": "page", "id": str(page.id), "path": "home", "url": url}
    assert await resolved("/home") == live
    made = await create(document=page.id)
    assert (await cms.redirects.resolve("/old", "en")).used == f"{made.id},{page.id}"
    assert await resolved("/old") == {"kind": "redirect", "status": 301, "location": "/home"}
    async with cms.uow() as uow:
        await cms.pages.unpublish(uow, SYSTEM, page.id, expected=None)
    with pytest.raises(NothingPublished):
        await resolved("/old")
    assert (await resolved("/home"))["location"] == "/else"


async def test_what_is_live_whole(cms: FakeCms, publish) -> None:
    page = await publish("Home")
    found = await cms.redirects.resolve("/home", None, Wanted(include="tags,author", format="text"))
    assert msgspec.json.decode(found.json)["document"] == {
        "id": str(page.id), "path": "home", "format": "text",
    }  # fmt: skip
    assert found.used == f"{SITE_ID},{page.id}"
    for wrong in (
        Wanted(include="tag"),
        Wanted(fields="titel"),
        Wanted(format="pdf"),
        Wanted(fields="author.name"),
    ):
        with pytest.raises(Malformed):
            await cms.redirects.resolve("/home", None, wrong)


def test_no_way_has_two_steps_whatever_is_made() -> None:
    """Random redirects: those that are accepted lead somewhere from where nothing leads on."""
    seen = random.Random(4)

    async def play() -> int:
        cms, made = FakeCms(), 0
        names = ["a", "b", "ab", "a/a", "a/b", "b/a", "a/b/a", "b/b", ""]
        for _ in range(400):
            changes = RedirectChanges(
                source=seen.choice(names),
                target="/" + seen.choice(names),
                kind=seen.choice(["exact", "prefix"]),
            )
            try:
                async with cms.uow() as uow:
                    await cms.redirects.create(uow, EDITOR, changes)
                made += 1
            except (Invalid, RedirectChain, RedirectTaken):
                pass
            if seen.random() < 0.3 and cms.store.redirects:
                one = seen.choice(sorted(cms.store.redirects))
                async with cms.uow() as uow:
                    await cms.redirects.delete(uow, EDITOR, one, expected=None)
            for path in [*names, "a/b/b", "a/a/a/a", "b/a/b", "a/b/a/b/a"]:
                try:
                    found = msgspec.json.decode((await cms.redirects.resolve(path, None)).json)
                except NothingPublished:
                    continue
                with pytest.raises(NothingPublished):
                    await cms.redirects.resolve(found["location"], None)
        return made

    assert asyncio.run(play()) > 50

"""How many statements a request takes: its shape decides, never how many rows there are."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from tests.integration.http.asking import API, CONTENT, make
from tests.integration.http.conftest import Site
from tests.integration.http.filling import DOCUMENTS, WORD, add, prepare

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.api import FACETS
from cms_api.querying import Fields, Listing
from cms_api.querying.parsing import MAX_INCLUDES

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Routes that are not asked, and why.
LEFT_OUT = {
    f"{API}/jobs/{{job_id:uuid}}/events": "never ends",
    f"{API}/purges/events": "never ends",
    f"{CONTENT}/sync/events": "never ends",
    "/media/{key:path}": "is a file",
    "/docs": "is a file",
    "/problems": "is written in the program",
}
# Routes that answer no more than before where there is more of everything, and why. What ends in a
# parameter is one thing, and may stay as it is as well, but for those below.
STEADY = {
    "/health/live": "is a word",
    "/health/ready": "is a word",
    "/robots.txt": "names the sitemap",
    "/sitemap.xml": "names files, which have room for more",
    f"{API}/roles": "are written in the program",
    f"{API}/permissions": "are written in the program",
    f"{API}/auth/me": "is one user",
    f"{API}/comments/counts": "are numbers",
    f"{API}/comments/rules": "is one record",
    f"{API}/settings": "is one record",
    f"{CONTENT}/settings": "is one record",
    f"{CONTENT}/resolve": "is one document",
    **{
        f"{API}/{kind}/{{document_id:uuid}}/{one}": "is of one document"
        for kind in ("posts", "pages", "entries/{type:str}")
        for one in ("lock", "diff", "comment-settings")
    },
}
GROWING = (f"{API}/menus/{{menu_id:uuid}}", f"{CONTENT}/menus/{{key:str}}", "/sitemaps/{file:str}")
SEARCH = f"{CONTENT}/search"
FILES = ("0.xml", "terms-0.xml", "authors-0.xml")
PARAMETER = re.compile(r"\{(\w+):\w+\}")
TOLD = re.compile(r'desc="(\d+) statements"')
# What the pool asks a connection before it hands it out.
PING = ";"
# More than what includes of everything cost: it is not what is tested here.
COST_LIMIT = 10_000


class Question(msgspec.Struct, frozen=True, eq=False):
    """A request. ``include`` has the paths of what it includes; ``grows`` says whether more must come.

    ``preview`` is the token of one that shows it all as it would be.
    """

    url: str
    body: dict[str, Any] | None = None
    include: tuple[str, ...] = ()
    grows: bool = True
    preview: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What it took, how much came, and how many different things were included by each path."""

    statements: int
    size: int
    included: dict[str, int]


class Asked(msgspec.Struct, frozen=True):
    """The same question, with few rows there and with more."""

    question: Question
    few: Answer
    more: Answer


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that the driver is given, by whomever, in their order."""
    seen: list[str] = []

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def execute(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
            if query != PING:
                seen.append(str(query))
            return real(cursor, query, *args, **options)

        return execute

    for name in ("execute", "executemany"):
        monkeypatch.setattr(psycopg.AsyncCursor, name, counted(getattr(psycopg.AsyncCursor, name)))
    return seen


@pytest.fixture
def counts(site: Site, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The requests of the administrator, and how many statements each took; the answer tells as many."""
    seen: list[tuple[str, int]] = []

    async def begin(_: httpx.Request) -> None:
        sent.clear()

    async def end(response: httpx.Response) -> None:
        told = TOLD.search(response.headers["server-timing"])
        assert told is not None
        assert int(told[1]) == len(sent), (response.url, sent)
        seen.append((f"{response.request.method} {response.url}", len(sent)))

    monkeypatch.setattr(site.admin, "event_hooks", {"request": [begin], "response": [end]})
    return seen


def _handlers(site: Site) -> Iterator[tuple[str, HTTPRouteHandler]]:
    for route in site.app.routes:
        if isinstance(route, HTTPRoute):
            yield from ((route.path, handler) for handler in route.route_handlers)


def _readable(site: Site) -> dict[str, HTTPRouteHandler]:
    """What answers GET, by the path."""
    return {path: one for path, one in _handlers(site) if "GET" in one.http_methods}


class _Asking:
    """What there is to ask, with the ids of what has been filled."""

    def __init__(self, site: Site, hubs: dict[str, str]) -> None:
        self._site = site
        self._hubs = hubs
        self._values = {"{type:str}": "event", "{type_key:str}": "post", "{path:path}": "about"}
        self._keys = {"content-types": "event", "menus": "main"}
        self._slugs: dict[str, str] = {}
        self._queries: dict[str, tuple[str, ...]] = {f"{CONTENT}/resolve": ("?path=/about",)}

    async def begin(self) -> None:
        """Have all that is published or changed from now on count as new."""
        synced = await self._shown(f"{CONTENT}/sync?limit=100")
        purged = await self._shown(f"{API}/purges?token=now")
        self._queries[f"{CONTENT}/sync"] = ("?limit=100", f"?limit=100&token={synced['token']}")
        self._queries[f"{API}/purges"] = (f"?limit=100&token={purged['token']}",)

    async def questions(self) -> list[Question]:
        """All that can be read."""
        for kind in ("posts", "entries/event", "categories", "tags", "authors"):
            self._slugs[kind] = (await self._shown(f"{CONTENT}/{kind}/{self._hubs[kind]}"))["slug"]
        application: Application = self._site.app.state.application
        described = await application.container.cms.types().described()
        (event,) = (one for one in described if one.key == "event")
        own = {f"{API}/entries/event": event.listing, f"{CONTENT}/entries/event": event.public_listing}
        found: list[Question] = []
        for path, handler in _readable(self._site).items():
            for url in [] if path in LEFT_OUT else await self._filled(path):
                listing = own.get(url, handler.opt.get("listing"))
                if listing is not None:
                    found += _asked_of(listing, url, grows=path not in STEADY)
                    continue
                if (item := handler.opt.get("item_of")) is not None:
                    found += _chosen_of(own.get(url.rpartition("/")[0], item), url)
                grows = path in GROWING or not (path in STEADY or path.endswith("}"))
                found += [Question(url + query, grows=grows) for query in self._queries.get(path, ("",))]
        return found + await self._previewed(found)

    async def _previewed(self, questions: list[Question]) -> list[Question]:
        """The lists, feeds and maps of delivery as they would be, were drafts published."""
        made = await make(self._site.admin, "previews", documents=[self._hubs[kind] for kind in DOCUMENTS])
        lists = (one for one in questions if one.url.startswith(f"{CONTENT}/") and "?limit" in one.url)
        files = (one for one in questions if re.search(r"/(feed|atom|sitemaps?)[./]", one.url))
        return [
            msgspec.structs.replace(one, preview=made["token"])
            for one in (*lists, *files)
            if "/sync?" not in one.url
        ]

    async def _filled(self, path: str) -> list[str]:
        """A path with what there is in the place of its parameters."""
        if "{file:" in path:
            return [PARAMETER.sub(file, path) for file in FILES]
        for parameter, value in self._values.items():
            path = path.replace(parameter, value)
        kind = path.removeprefix(f"{CONTENT}/").removeprefix(f"{API}/").split("/{")[0]
        kind = kind.strip("/").removesuffix("/by-slug")
        while found := PARAMETER.search(path):
            path = PARAMETER.sub(await self._value(path[: found.start()], found[1], kind), path, count=1)
        return [path]

    async def _value(self, before: str, name: str, kind: str) -> str:
        if name == "slug":
            return self._slugs[kind]
        if name == "key":
            return self._keys[kind]
        if before in (f"{API}/{kind}/", f"{CONTENT}/{kind}/") and kind in self._hubs:
            return self._hubs[kind]
        shown = await self._shown(before.rstrip("/").removesuffix("/items"))
        first: str = shown["items"][0]["id"]
        return first

    async def _shown(self, url: str) -> dict[str, Any]:
        response = await self._site.admin.get(url)
        assert response.status_code == 200, (url, response.text)
        shown: dict[str, Any] = response.json()
        return shown


def _asked_of(listing: Listing, url: str, *, grows: bool) -> Iterator[Question]:
    """A list with all that it can be asked for, by its address and by a body."""
    whole = {"limit": 100, "count": "exact"}
    searched = whole | {"q": WORD}
    forms: list[tuple[dict[str, Any], tuple[str, ...]]]
    if url == SEARCH:
        forms = [(searched, ()), (searched | {"facets": ",".join(FACETS)}, ())]
    else:
        forms = [(whole, ()), *([(searched, ())] if listing.is_searchable else [])]
    relations = dict(_relations(listing)) if listing.expands else {}
    forms += [({"limit": 100, "include": paths}, paths) for paths in _together(relations)]
    for path in (path for path, is_many in relations.items() if is_many):
        forms.append(({"limit": 100, "include": {path: {"limit": 1}}}, (path,)))
    for body, include in forms:
        yield Question(f"{url}?{httpx.QueryParams(_spelt(body))}", None, include, grows)
        yield Question(f"{url}/query", body, include, grows)


def _chosen_of(listing: Listing, url: str) -> Iterator[Question]:
    """One item of a list with all that it can include, and a part of it."""
    yield Question(f"{url}?fields=id", grows=False)
    for paths in _together(dict(_relations(listing))) if listing.expands else ():
        yield Question(f"{url}?include={','.join(paths)}", None, paths, grows=False)


def _relations(fields: Fields, *, hops: int = 2) -> Iterator[tuple[str, bool]]:
    """The paths of what can be included, and whether there may be several of it."""
    for name, relation in fields.relations.items():
        if relation.hops:
            yield name, relation.is_many
        if left := hops - relation.hops:
            for path, is_many in _relations(relation.fields(), hops=left):
                yield f"{name}.{path}", is_many


def _together(paths: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """As many at a time as may be included, with what leads to them."""
    taken: list[str] = []
    for _, more in groupby(paths, key=lambda path: path.partition(".")[0]):
        group = list(more)
        all_of_them = [*taken, *group]
        steps = {path.rsplit(".", n)[0] for path in all_of_them for n in range(path.count(".") + 1)}
        if len(steps) > MAX_INCLUDES:
            yield tuple(taken)
            all_of_them = group
        taken = all_of_them
    if taken:
        yield tuple(taken)


def _spelt(body: dict[str, Any]) -> dict[str, str]:
    """The parameters that ask the same."""
    include = body.get("include", ())
    given = {name: str(value) for name, value in body.items() if name != "include"}
    given |= {"include": ",".join(include)} if include else {}
    if isinstance(include, dict):
        given |= {f"include[{path}][limit]": str(wanted["limit"]) for path, wanted in include.items()}
    return given


def _ids(held: Any, path: str) -> set[str]:
    """The ids of what is included at the end of a path."""
    there = [one for one in (held if isinstance(held, list) else [held]) if isinstance(one, dict)]
    if not path:
        return {one["id"] for one in there}
    name, _, rest = path.partition(".")
    return {found for one in there for found in _ids(one.get(name), rest)}


async def _answer(client: httpx.AsyncClient, question: Question, counts: list[tuple[str, int]]) -> Answer:
    """Ask, and ask again: only then is everything at hand that is kept between requests."""
    method = "GET" if question.body is None else "POST"
    headers = {} if question.preview is None else {"Preview-Token": question.preview}
    for _ in range(2):
        response = await client.request(method, question.url, json=question.body, headers=headers)
        assert response.status_code == 200, (question, response.text)
    is_json = response.headers["content-type"].startswith("application/json")
    items = response.json().get("items") if is_json else None
    included = {path: len(_ids(items or response.json(), path)) for path in question.include}
    return Answer(counts[-1][1], len(response.content if items is None else items), included)


async def test_no_request_asks_more_for_more_rows(
    site: Site, library: Any, counts: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every route that reads, each list with all that it can include; and what writes more rows."""
    monkeypatch.setitem(site.app.state, "query_cost_limit", COST_LIMIT)
    hubs = site.ids | {"entries/event": library["event"]["id"]}
    asking = _Asking(site, hubs)
    await prepare(site.admin)
    await asking.begin()
    await add(site, hubs, 0)
    questions = await asking.questions()
    before = [await _answer(site.admin, question, counts) for question in questions]
    written: list[list[tuple[str, int]]] = []
    for number in (1, 2, 3):
        # Each round makes types: or the first to write an entry would load them.
        for kind in ("event", "place", "city"):
            await site.admin.get(f"{API}/entries/{kind}?limit=1")
        counts.clear()
        await add(site, hubs, number)
        written.append(counts.copy())
    after = [await _answer(site.admin, question, counts) for question in questions]

    asked = list(map(Asked, questions, before, after))
    assert [one for one in asked if one.more.statements != one.few.statements] == []
    pairs = [pair for other in written[1:] for pair in zip(written[0], other, strict=True)]
    assert [(one, other) for one, other in pairs if one[1] != other[1]] == []
    # Else nothing would have been found out.
    assert [one for one in asked if one.question.grows and one.more.size <= one.few.size] == []
    assert [
        one
        for one in asked
        if one.question.grows and any(one.more.included[path] <= n for path, n in one.few.included.items())
    ] == []
    single = [one.more for one in asked if not one.question.grows and one.question.include]
    assert len([one for one in single if any(one.included.values())]) >= len(DOCUMENTS)
    # A page of everything asks once for each kind, and a preview publishes before that. Included drafts
    # take three: their types, themselves, and who is editing them.
    bounded = [one for one in asked if "/sync?" not in one.question.url and one.question.preview is None]
    steps = [sum(path.count(".") + 1 for path in one.question.include) for one in bounded]
    assert [one for one, n in zip(bounded, steps, strict=True) if one.more.statements > 6 + 3 * n] == []


async def test_no_list_is_left_out(site: Site) -> None:
    """All lists can be asked by bodies as well, and no exception is made for what is gone."""
    lists = {one.operation_id for one in _readable(site).values() if "listing" in one.opt}
    assert {one.opt["query_of"] for _, one in _handlers(site) if "query_of" in one.opt} == lists
    assert {*LEFT_OUT, *STEADY, *GROWING, SEARCH} <= set(_readable(site))

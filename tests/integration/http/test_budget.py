"""How many statements lists take: as many with six rows of everything as with one."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.described import names_of
from tests.integration.http.asking import API, CONTENT, make, make_live
from tests.integration.http.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")


# What comes whole, or by pages of its own.
OTHERS = (
    *(f"{API}/{path}" for path in ("auth/sessions", "roles", "permissions", "retention-policies", "workflows")),
    *(f"{API}/{path}" for path in ("purges", "content-types/event/revisions", "posts/{document_id}/presence")),
    f"{API}/menus/{{document_id}}",
    *(f"{CONTENT}/{path}" for path in ("pages/tree", "menus/main", "sync?limit=100", "resolve?path=/about")),
    "/feed.xml", "/atom.xml", "/feed.json", "/tags/more-0/feed.xml", "/sitemap.xml", "/sitemaps/0.xml",
    "/sitemaps/terms-0.xml", "/sitemaps/authors-0.xml",
)  # fmt: skip


@pytest.fixture
def filled(site: Site, library: dict[str, Any]) -> Callable[[str], str]:
    """A path of the document with ids of what is there."""

    def fill(path: str) -> str:
        kind, *more = path.removeprefix(f"{CONTENT}/").removeprefix(f"{API}/").split("/")
        there = library[more[0]]["id"] if kind == "entries" else site.ids.get(kind, site.ids["posts"])
        return path.replace("{document_id}", there).replace("{target_id}", there)

    return fill


def _lists(document: dict[str, Any]) -> dict[str, bool]:
    """The lists that take the whole grammar, and whether words are searched for there."""
    named = {
        path: set(names_of(document, operations.get("get", {})))
        for path, operations in document["paths"].items()
    }
    return {path: "q" in names for path, names in named.items() if {"limit", "count"} <= names}


async def test_no_list_asks_more_for_more_rows(
    site: Site, library: Any, asked: list[str], filled: Callable[[str], str]
) -> None:
    """Every list of the application, with all that it can include."""
    document = (await site.visitor.get("/openapi.json")).json()
    lists = _lists(document)
    # Words that only some lists search for.
    urls = [
        f"{filled(path)}?limit=100&count=exact{'&q=more' * has_words}" for path, has_words in lists.items()
    ]
    urls += [
        f"{filled(path)}?limit=100"
        for path, has_words in lists.items()
        if has_words and "/search" not in path
    ]
    assert len(urls) > 30
    urls += map(filled, OTHERS)

    async def cost(url: str) -> int:
        response = await site.admin.get(url)
        assert response.status_code == 200, (url, response.text)
        asked.clear()
        await site.admin.get(url)
        return len(asked)

    async def add(*numbers: int) -> None:
        post = site.ids["posts"]
        for number in numbers:
            tag = await make(site.admin, "tags", name=f"More {number}")
            for kind, body in (
                ("categories", {"name": f"More {number}"}),
                ("authors", {"name": f"More {number}"}),
                ("menus", {"key": f"more-{number}", "name": "More"}),
                ("redirects", {"source": f"/more-{number}", "target": "/x"}),
            ):
                await make(site.admin, kind, **body)
            await make_live(site.admin, "posts", title=f"More {number}", tags=[tag["id"]])
            await make_live(site.admin, "pages", title=f"More {number}")
            await make_live(
                site.admin, "entries/event", headline=f"More {number}", place=library["place"]["id"]
            )
            await make(site.admin, f"posts/{post}/comments", body=f"More {number}")

    await add(0)
    before = {url: await cost(url) for url in urls}
    await add(1, 2, 3, 4, 5)
    assert {url: await cost(url) for url in urls} == before
    # A page of everything asks once for each kind.
    assert max(number for url, number in before.items() if "/sync" not in url) <= 5, before

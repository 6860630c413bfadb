"""The examples of `docs/querying.md` are answered, and each of them by a list that it is meant for."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.integration.http.asking import API, CONTENT, make, make_live
from tests.integration.http.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (Path(__file__).parents[3] / "docs" / "querying.md").read_text(encoding="utf-8")
# What stands for any field, operator or value is no example.
ANY = re.compile(r"filter\[(?:field|…)|^\w+$")
NAMES = re.compile(r"(?:filter|include|fields|sort|limit|count|q)(?:\[[^`\s]*\])*=[^`]*")
FIELDS = [
    {"key": "seats", "type": "number"},
    {"key": "place", "type": "reference", "types": ["place"]},
    {"key": "address", "type": "group", "fields": [{"key": "street", "type": "text"}]},
    {
        "key": "stands",
        "type": "list",
        "of": {"type": "group", "fields": [{"key": "name", "type": "text"}]},
    },
    {
        "key": "body",
        "type": "blocks",
        "variants": [{"key": "quote", "fields": [{"key": "words", "type": "text"}]}],
    },
]


def blocks(language: str) -> list[str]:
    """The code of the page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def examples() -> list[str]:
    """The query strings of the page, each once."""
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    spans = re.findall(r"`([^`]+)`", prose)
    lines = [line for block in blocks("text") for line in block.splitlines()]
    return [one for one in dict.fromkeys([*spans, *lines]) if NAMES.fullmatch(one) and not ANY.search(one)]


@pytest.fixture(scope="module")
def lists() -> list[str]:
    """The lists that examples are for."""
    return [f"{CONTENT}/posts", f"{CONTENT}/entries/event", f"{API}/posts"]


async def test_the_examples(site: Site, lists: list[str]) -> None:
    for key, fields in (
        ("city", [{"key": "name", "type": "text"}]),
        ("place", [{"key": "name", "type": "text"}, {"key": "city", "type": "reference", "types": ["city"]}]),
        ("event", FIELDS),
    ):
        await make(site.admin, "content-types", key=key, fields=fields)
    await make_live(site.admin, "entries/event", slug="fair", seats=10, address={"street": "Main"})
    found = examples()
    assert len(found) > 15, found
    for query in found:
        answers = [(await site.admin.get(f"{url}?{query}")) for url in lists]
        assert 200 in {one.status_code for one in answers}, (query, answers[0].text)


async def test_the_command_and_the_bodies(site: Site) -> None:
    for command in blocks("bash"):
        words = shlex.split(command)
        response = await site.visitor.get(words[-1].removeprefix("http://127.0.0.1:8000"))
        assert (words[0], response.status_code) == ("curl", 200), response.text
    bodies: list[Any] = [json.loads(block) for block in blocks("json")]
    assert bodies
    for body in bodies:
        response = await site.visitor.post(f"{CONTENT}/posts/query", json=body)
        assert response.status_code == 200, response.text


async def test_the_costs_that_it_names(site: Site) -> None:
    named = re.search(r"`CMS_QUERY_COST_LIMIT` \((\d+)\)", PAGE)
    assert named is not None
    assert site.app.state.query_cost_limit == int(named[1])

"""The commands of `docs/content-types.md` do what it says."""

import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

import httpx
from tests.integration.cms.cms_client import API, answered, change, items
from tests.integration.http.asking import upload

PAGE = Path(__file__).parents[3] / "docs" / "content-types.md"


def commands(heading: str) -> list[list[str]]:
    """The calls of curl below a heading, as their words."""
    found = re.split(r"^#+ (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    below = dict(zip(found[1::2], found[2::2], strict=True))
    shells = "\n".join(re.findall(r"```sh\n(.*?)```", below[heading], flags=re.DOTALL)).replace("\\\n", " ")
    return [shlex.split(one) for one in re.split(r"^(?=curl )", shells, flags=re.MULTILINE) if one.strip()]


async def run(client: httpx.AsyncClient, words: list[str], names: dict[str, str]) -> dict[str, Any]:
    """The answer to a call of curl."""
    known = {"CMS": API, "JSON": "Content-Type: application/json", "AUTH": "X-Nothing: here"} | names
    told = [Template(word).substitute(known) for word in words]
    assert told[:2] == ["curl", "-s"]
    method, headers, body, url = None, {}, None, ""
    rest = iter(told[2:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest)
            case _:
                url = word
    response = await client.request(method or ("POST" if body else "GET"), url, content=body, headers=headers)
    assert response.status_code in (200, 201), response.text
    return answered(response, response.status_code)


async def test_the_commands(admin: httpx.AsyncClient) -> None:
    made = [await run(admin, words, {}) for words in commands("Content types")]
    assert [one.get("key", one.get("type")) for one in made] == [
        "person",
        "event",
        "event",
    ]
    entry = await change(admin, "entries/event", made[2], sections=[{"type": "words", "body": "Hello"}])
    names = {
        "HEADLINE": made[1]["fields"][0]["id"],
        "EVENT": entry["id"],
        "SECTION": entry["sections"][0]["id"],
        "FILE": (await upload(admin))["id"],
    }
    [patch] = commands("Changing an entry")
    patched = await run(admin, patch, names)
    assert patched["sections"][0] == {"id": names["SECTION"], "type": "words", "body": "Bye"}
    assert patched["sections"][1]["file"] == names["FILE"]
    [address] = commands("Addresses")
    assert (await run(admin, address, names))["type"]["path"] == "/events/{slug}"
    plan, update = commands("Changing a type")
    planned = await run(admin, plan, names)
    assert not planned["is_applicable"]
    assert {one["field"] for one in planned["changes"] if not one["is_safe"]} == {"seats", "sections"}
    done = await run(admin, update, names)
    assert [field["key"] for field in done["type"]["fields"]] == ["title"]
    [left] = await items(admin, f"{API}/entries/event")
    assert (left["title"], "seats" in left) == ("We launch", False)

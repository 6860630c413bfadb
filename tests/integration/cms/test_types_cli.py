"""Content types taken from one environment to another by the command line."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from tests.integration import database
from tests.integration.cms.cms_client import API, answered, make, rows

from cms_api.cli import cli

PLACE = {"key": "place", "fields": [{"key": "name", "type": "text", "id": "aaaaaaaaa1"}]}
EVENT = {
    "key": "event",
    "fields": [
        {"key": "headline", "type": "text", "id": "aaaaaaaaa2", "required": True},
        {"key": "place", "type": "reference", "types": ["place"], "id": "aaaaaaaaa3"},
        {"key": "seats", "type": "number", "id": "aaaaaaaaa4"},
    ],
}
Cms = Callable[..., Result]


@pytest.fixture
def cms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cms:
    """Runs the command on a database."""
    monkeypatch.setenv("CMS_SECRET_KEY", "a secret for tests, 32 bytes long")

    def invoke(url: str, *words: object) -> Result:
        monkeypatch.setenv("CMS_DATABASE_URL", url)
        return CliRunner().invoke(cli, ["types", *map(str, words), "--data-dir", str(tmp_path / "data")])

    return invoke


def write(folder: Path, *definitions: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for one in definitions:
        (folder / f"{one['key']}.json").write_text(json.dumps(one))
    return folder


def types(url: str) -> dict[str, Any]:
    return {key: held for key, held in rows(url, "SELECT key, definition FROM cms.content_types")}  # noqa: C416


def test_from_one_database_to_another(cms: Cms, server: database.Server, tmp_path: Path) -> None:
    files = write(tmp_path / "files", PLACE, EVENT)
    with server.database() as one, server.database() as other:
        # They name one another, and so come in together.
        planned = cms(one, "plan", files)
        assert (planned.exit_code, types(one)) == (0, {}), planned.output
        assert "create_type" in planned.output
        assert cms(one, "apply", files).exit_code == 0
        assert types(one).keys() == {"event", "place"}
        told = cms(one, "export", tmp_path / "told")
        assert told.exit_code == 0, told.output
        again = cms(one, "export", tmp_path / "again")
        assert again.exit_code == 0
        for key in ("event", "place"):
            written = (tmp_path / "told" / f"{key}.json").read_text()
            assert written == (tmp_path / "again" / f"{key}.json").read_text()
            assert written.startswith("{\n  ")
            assert "aaaaaaaaa" in written
        assert cms(other, "apply", tmp_path / "told").exit_code == 0
        assert types(other) == types(one)
        same = cms(other, "plan", tmp_path / "told")
        assert (same.exit_code, same.output.count("as it is")) == (0, 2)


def test_one_type_only(cms: Cms, server: database.Server, tmp_path: Path) -> None:
    files = write(tmp_path / "files", PLACE, EVENT)
    with server.database() as url:
        alone = cms(url, "apply", files, "--type", "event")
        assert alone.exit_code == 1
        assert "/event/fields/1/types/0: There is no content type “place”." in alone.output
        assert cms(url, "apply", files, "--type", "place").exit_code == 0
        assert types(url).keys() == {"place"}
        assert cms(url, "apply", files, "--type", "event").exit_code == 0
        told = cms(url, "export", tmp_path / "told", "--type", "place")
        assert [file.name for file in (tmp_path / "told").iterdir()] == ["place.json"], told.output
        assert cms(url, "export", tmp_path / "told", "--type", "nope").exit_code == 1


def test_bad_files(cms: Cms, database_url: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "There are no files" in cms(database_url, "plan", empty).output
    files = write(tmp_path / "files", PLACE)
    (files / "broken.json").write_text("{")
    (files / "other.json").write_text(json.dumps(PLACE))
    (files / "typo.json").write_text(json.dumps({"key": "typo", "feilds": [], "name": 3}))
    found = cms(database_url, "apply", files)
    assert found.exit_code == 1
    for words in ("broken.json", "should be “place.json”", "/feilds: There is no field", "/name: Expected"):
        assert words in found.output
    assert "nope.json can't be read" in cms(database_url, "plan", files, "--type", "nope").output
    for choice in ("place.name", "place.name=burn", "nope.name=drop"):
        assert cms(database_url, "plan", files, "--type", "place", "--resolve", choice).exit_code == 2
    wrong = write(
        tmp_path / "wrong",
        {"key": "one", "fields": [{"key": "slug", "type": "text"}]},
        {"key": "two", "fields": [{"key": "x", "type": "enum"}]},
    )
    found = cms(database_url, "apply", wrong)
    assert found.exit_code == 1
    assert "/one/fields/0/key" in found.output
    assert "/two/fields/0/options" in found.output
    assert types(database_url) == {}


async def test_values_are_kept_or_spoken_of(
    admin: httpx.AsyncClient, cms: Cms, database_url: str, tmp_path: Path
) -> None:
    files = write(tmp_path / "files", PLACE, EVENT)

    async def run(*words: object) -> Result:
        return await asyncio.to_thread(cms, database_url, *words)

    assert (await run("apply", files)).exit_code == 0
    entry = await make(admin, "entries/event", headline="We launch", seats=3)
    fields = [EVENT["fields"][0] | {"key": "title"}, EVENT["fields"][1]]
    write(files, PLACE | {"name": "Place"}, EVENT | {"fields": fields})
    planned = await run("plan", files)
    assert planned.exit_code == 1
    for words in (
        "rename_field title",
        "! drop_values seats",
        "drafts: 1, live: 0",
        "--resolve event.seats=drop",
    ):
        assert words in planned.output
    refused = await run("apply", files)
    assert refused.exit_code == 1
    assert "Nothing was changed" in refused.output
    # Not even what could have been.
    assert types(database_url)["place"]["name"] == ""
    done = await run("apply", files, "--resolve", "event.seats=drop")
    assert done.exit_code == 0, done.output
    assert types(database_url)["place"]["name"] == "Place"
    seen = answered(await admin.get(f"{API}/entries/event/{entry['id']}"), 200)
    assert seen["title"] == "We launch"
    assert "seats" not in seen

"""A deletion and an editor meet, in each order: nothing dangles, and no edit is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.integration.cms.cms_client import ANY, API, answered, do, make, rows

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.entries.interface import EntryChanges
from cms_api.kernel.actor import SYSTEM

POLICIES = ("restrict", "unlink", "cascade")
DANGLING = """
    SELECT l.document_id, l.field FROM cms.links l JOIN cms.documents d ON d.id = l.document_id
    LEFT JOIN cms.documents t ON t.id = l.target_id
    WHERE l.target_kind = 'document' AND d.trashed_at IS NULL AND (t.id IS NULL OR t.trashed_at IS NOT NULL)
"""


class Race:
    """Types that point at places, one for each policy, and two who do something at once."""

    def __init__(self, admin: httpx.AsyncClient, application: Application, url: str) -> None:
        self.admin, self.application, self.url = admin, application, url

    async def model(self) -> None:
        body: dict[str, Any] = {"key": "place", "fields": [{"key": "name", "type": "text"}]}
        answered(await self.admin.post(f"{API}/content-types", json=body), 201)
        for policy in POLICIES:
            place = {"key": "place", "type": "reference", "types": ["place"], "on_delete": policy}
            body = {"key": policy, "fields": [{"key": "headline", "type": "text"}, place]}
            answered(await self.admin.post(f"{API}/content-types", json=body), 201)

    async def pair(self, policy: str, *, linked: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """A place, and an entry that points at it or is about to."""
        place = await make(self.admin, "entries/place", name="Mill")
        more = {"place": place["id"]} if linked else {}
        entry = await make(self.admin, f"entries/{policy}", headline="Old", **more)
        return place, await do(self.admin, f"entries/{policy}", entry, "publish")

    @asynccontextmanager
    async def editing(self, entry: dict[str, Any], **values: Any) -> AsyncIterator[None]:
        """An edit that is committed once the block is left."""
        service = await self.application.container.cms.types().entries(entry["type"])
        async with self.application.unit_of_work() as uow:
            changes = EntryChanges(values=values)
            await service.update(uow, SYSTEM, UUID(entry["id"]), changes, expected=None)
            yield

    @asynccontextmanager
    async def deleting(self, place: dict[str, Any]) -> AsyncIterator[None]:
        """A deletion that is committed once the block is left."""
        service = await self.application.container.cms.types().entries("place")
        async with self.application.unit_of_work() as uow:
            await service.trash(uow, SYSTEM, UUID(place["id"]), expected=None)
            yield

    async def waiting(self, request: Awaitable[httpx.Response]) -> asyncio.Future[httpx.Response]:
        """The request, once it waits for somebody's lock."""
        task = asyncio.ensure_future(request)
        while not rows(self.url, "SELECT FROM pg_stat_activity WHERE datname = current_database()"
                                 " AND wait_event_type = 'Lock'"):  # fmt: skip
            assert not task.done(), task.result().text
            await asyncio.sleep(0.02)
        return task

    def edit(self, entry: dict[str, Any], **values: Any) -> Awaitable[httpx.Response]:
        url = f"{API}/entries/{entry['type']}/{entry['id']}"
        return self.admin.patch(url, json=values, headers=ANY)

    def delete(self, place: dict[str, Any]) -> Awaitable[httpx.Response]:
        return self.admin.delete(f"{API}/entries/place/{place['id']}", headers=ANY)

    async def seen(self, entry: dict[str, Any]) -> dict[str, Any]:
        return answered(await self.admin.get(f"{API}/entries/{entry['type']}/{entry['id']}"), 200)

    def check(self) -> None:
        assert rows(self.url, DANGLING) == []


@pytest.fixture
async def race(admin: httpx.AsyncClient, application: Application, database_url: str) -> Race:
    made = Race(admin, application, database_url)
    await made.model()
    return made


async def test_the_new_link_is_first(race: Race) -> None:
    for policy in POLICIES:
        place, entry = await race.pair(policy, linked=False)
        answered(await race.edit(entry, place=place["id"], headline="New"), 200)
        answer = await race.delete(place)
        after = await race.seen(entry)
        assert after["headline"] == "New"
        match policy:
            case "restrict":
                answered(answer, 409, "in_use")
                assert after["place"] == place["id"]
            case "unlink":
                answered(answer, 204)
                assert (after["place"], after["trashed_at"]) == (None, None)
            case _:
                answered(answer, 204)
                assert after["trashed_at"]
        race.check()


async def test_the_deletion_is_first(race: Race) -> None:
    for policy in POLICIES:
        place, entry = await race.pair(policy, linked=False)
        answered(await race.delete(place), 204)
        problem = answered(await race.edit(entry, place=place["id"], headline="New"), 422)
        assert problem["errors"][0]["code"] == "unknown_reference"
        after = await race.seen(entry)
        assert (after["headline"], after["place"], after["trashed_at"]) == ("Old", None, None)
        race.check()


async def test_the_deletion_waits_for_a_new_link(race: Race) -> None:
    for policy in POLICIES:
        place, entry = await race.pair(policy, linked=False)
        async with race.editing(entry, place=place["id"], headline="New"):
            deletion = await race.waiting(race.delete(place))
        # It had not locked the newcomer: where that would be changed, the deletion is to be tried again.
        answered(await deletion, 409, "in_use" if policy == "restrict" else "busy")
        after = await race.seen(entry)
        assert (after["headline"], after["place"], after["trashed_at"]) == ("New", place["id"], None)
        again = await race.delete(place)
        answered(again, 409 if policy == "restrict" else 204)
        assert (await race.seen(entry))["headline"] == "New"
        race.check()


async def test_the_new_link_waits_for_the_deletion(race: Race) -> None:
    for policy in POLICIES:
        place, entry = await race.pair(policy, linked=False)
        async with race.deleting(place):
            edit = await race.waiting(race.edit(entry, place=place["id"], headline="New"))
        answered(await edit, 422)
        after = await race.seen(entry)
        assert (after["headline"], after["place"], after["trashed_at"]) == ("Old", None, None)
        race.check()


async def test_the_deletion_waits_for_an_edit_of_a_referrer(race: Race) -> None:
    for policy in ("unlink", "cascade"):
        place, entry = await race.pair(policy, linked=True)
        async with race.editing(entry, headline="New"):
            deletion = await race.waiting(race.delete(place))
        answered(await deletion, 204)
        after = await race.seen(entry)
        assert after["headline"] == "New"
        assert (after["place"] is None) == (policy == "unlink")
        assert (after["trashed_at"] is not None) == (policy == "cascade")
        race.check()


async def test_an_edit_of_a_referrer_waits_for_the_deletion(race: Race) -> None:
    for policy in ("unlink", "cascade"):
        place, entry = await race.pair(policy, linked=True)
        async with race.deleting(place):
            edit = await race.waiting(race.edit(entry, headline="New"))
        answer, after = await edit, await race.seen(entry)
        if policy == "unlink":
            answered(answer, 200)
            assert (after["headline"], after["place"]) == ("New", None)
        else:
            answered(answer, 409, "trashed")
            assert (after["headline"], after["trashed_at"] is not None) == ("Old", True)
        race.check()


async def test_what_forbids_needs_no_waiting(race: Race) -> None:
    place, entry = await race.pair("restrict", linked=True)
    await do(race.admin, "entries/restrict", entry, "unpublish")
    async with race.editing(entry, place=None):
        answered(await race.delete(place), 409, "in_use")
    answered(await race.delete(place), 204)
    race.check()


async def test_an_edit_that_takes_the_link_away_meanwhile(race: Race) -> None:
    for policy in ("unlink", "cascade"):
        place, entry = await race.pair(policy, linked=True)
        await do(race.admin, f"entries/{policy}", entry, "unpublish")
        async with race.editing(entry, place=None):
            deletion = await race.waiting(race.delete(place))
        answered(await deletion, 204)
        after = await race.seen(entry)
        assert (after["place"], after["trashed_at"]) == (None, None)
        race.check()

"""What deletions do to those that point at what is deleted, on fakes."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.fakes_cms import CmsUnitOfWork, FakeCms
from tests.fakes_content_types import FakeContentTypes, TypeStore

from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.ports import ContentTypeRepository, TypeRecord
from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.content import OnDelete
from cms_api.domains.cms.documents.errors import Busy, InUse
from cms_api.domains.cms.documents.ports import ReferenceRepository
from cms_api.domains.cms.documents.references import Effects, Group, Referrer
from cms_api.domains.cms.entries.interface import EntryChanges
from cms_api.domains.cms.entries.registry import kind_of
from cms_api.domains.cms.entries.service import Entries
from cms_api.domains.cms.posts.interface import PostChanges
from cms_api.kernel.actor import SYSTEM, Actor
from cms_api.kernel.errors import Forbidden


class Model:
    """A type whose entries point at posts, each field with another policy."""

    def __init__(self) -> None:
        self.cms = FakeCms()
        self.types = TypeStore()
        fields = [
            {"key": name, "id": f"{name:a<10}"[:10], "type": "references", "on_delete": name}
            for name in ("restrict", "unlink", "cascade")
        ]
        record = TypeRecord(
            id=uuid4(), key="thing", version=1, conversions={}, migration_id=None, created_at=self.cms.clock.at,
            updated_at=self.cms.clock.at, created_by=None, updated_by=None,
            definition=msgspec.convert({"key": "thing", "fields": fields}, Definition),
        )  # fmt: skip
        self.types.types["thing"] = record
        self.things = Entries(kind_of(record), **self.cms.tools)
        self.cms.types.known["thing"] = self.things

    def uow(self, **more: Any) -> CmsUnitOfWork:
        held = {ContentTypeRepository: FakeContentTypes(self.types), **more.get("more", {})}
        return CmsUnitOfWork(self.cms.store, held)

    async def post(self, title: str = "Target") -> UUID:
        async with self.uow() as uow:
            return (await self.cms.posts.create(uow, SYSTEM, PostChanges(title=title))).id

    async def thing(self, policy: OnDelete, *targets: UUID, by: Actor = SYSTEM) -> UUID:
        values = {policy: [str(one) for one in targets], "authors": []}
        async with self.uow() as uow:
            return (await self.things.create(uow, by, EntryChanges(values=values))).id

    async def publish(self, thing: UUID) -> None:
        async with self.uow() as uow:
            await self.things.publish(uow, SYSTEM, thing, expected=None)

    async def trash(self, post: UUID, actor: Actor = SYSTEM) -> None:
        async with self.uow() as uow:
            await self.cms.posts.trash(uow, actor, post, expected=None)

    async def purge(self, post: UUID) -> None:
        async with self.uow() as uow:
            await self.cms.posts.purge(uow, SYSTEM, post, expected=None)

    def draft(self, thing: UUID) -> Any:
        return self.cms.store.documents[thing].draft

    def is_trashed(self, document: UUID) -> bool:
        return self.cms.store.documents[document].trashed_at is not None


@pytest.fixture
def model() -> Model:
    return Model()


async def test_what_restricts_names_itself(model: Model) -> None:
    target = await model.post()
    thing = await model.thing("restrict", target)
    with pytest.raises(InUse) as caught:
        await model.trash(target)
    assert [one["id"] for one in caught.value.members["referrers"]] == [str(thing)]
    assert not model.is_trashed(target)


async def test_what_is_unlinked_loses_only_that(model: Model) -> None:
    target, other = await model.post(), await model.post()
    thing = await model.thing("unlink", target, other)
    await model.publish(thing)
    await model.trash(target)
    left = model.draft(thing).fields["unlinkaaaa"]
    assert left == [str(other)]
    for is_live in (False, True):
        assert [link.target for link in model.cms.store.links[thing, is_live]] == [other]
    assert model.cms.names().count("document.unlinked") == 1
    document = model.cms.store.documents[thing]
    assert document.draft_revision_id == document.live_revision_id
    await model.purge(target)
    assert target not in model.cms.store.documents


async def test_what_goes_along_goes_all_the_way(model: Model) -> None:
    target = await model.post()
    near = await model.thing("cascade", target)
    far = await model.thing("cascade", near)
    bystander = await model.thing("unlink", far)
    await model.trash(target)
    assert all(map(model.is_trashed, (target, near, far)))
    assert not model.is_trashed(bystander)
    assert list(model.cms.store.links[bystander, False]) == []
    await model.purge(target)
    assert model.cms.store.documents.keys() == {bystander}


async def test_one_that_restricts_stops_all(model: Model) -> None:
    target = await model.post()
    unlinked, along = await model.thing("unlink", target), await model.thing("cascade", target)
    await model.thing("restrict", along)
    with pytest.raises(InUse):
        await model.trash(target)
    assert not any(map(model.is_trashed, (target, along)))
    assert model.draft(unlinked).fields["unlinkaaaa"] == [str(target)]


@pytest.mark.parametrize("kind", ["cascade", "unlink"])
async def test_who_may_delete_the_target_only(model: Model, kind: OnDelete) -> None:
    eve = Actor(
        user_id=model.cms.users.add("Eve", "eve@example.org"),
        permissions=frozenset({policy.READ, policy.CREATE, f"{policy.DELETE}_own"}),
    )
    async with model.uow() as uow:
        target = (await model.cms.posts.create(uow, eve, PostChanges(title="Hers"))).id
    thing = await model.thing(kind, target)
    if kind == "unlink":
        await model.trash(target, eve)
        assert list(model.cms.store.links[thing, False]) == []
        return
    with pytest.raises(Forbidden):
        await model.trash(target, eve)
    assert not model.is_trashed(target)
    assert not model.is_trashed(thing)


class Late(ReferenceRepository):
    """References of which one comes in between the two looks of a deletion."""

    def __init__(self, of: ReferenceRepository, late: Effects) -> None:
        self._of, self._late, self._looks = of, late, 0

    async def effects(self, *args: Any, **more: Any) -> Effects:
        self._looks += 1
        return await self._of.effects(*args, **more) if self._looks == 1 else self._late

    async def existing(self, *args: Any) -> Any:
        return await self._of.existing(*args)

    async def is_below(self, *args: Any) -> bool:
        return await self._of.is_below(*args)

    async def children(self, *args: Any) -> int:
        return await self._of.children(*args)

    async def lock_tree(self) -> None:
        await self._of.lock_tree()


@pytest.mark.parametrize("effect", ["unlinked", "cascaded", "restricted"])
async def test_a_link_made_meanwhile(model: Model, effect: str) -> None:
    target = await model.post()
    thing = await model.thing("unlink", target)
    newcomer = Referrer(await model.thing("cascade", target), "thing", "New")
    late = Effects(**{effect: Group(1, (newcomer,))})
    async with CmsUnitOfWork(model.cms.store) as plain:
        references = plain.repository(ReferenceRepository)
    seen = Effects(unlinked=Group(1, (Referrer(thing, "thing", ""),)))

    class Looks(Late):
        async def effects(self, *args: Any, **more: Any) -> Effects:
            found = await super().effects(*args, **more)
            return seen if self._looks == 1 else found

    with pytest.raises(InUse if effect == "restricted" else Busy):
        async with model.uow(more={ReferenceRepository: Looks(references, late)}) as uow:
            await model.cms.posts.trash(uow, SYSTEM, target, expected=None)
    assert not any(map(model.is_trashed, (target, thing, newcomer.id)))

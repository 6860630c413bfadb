"""What is decided about previews, on fakes."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes_cms import FakeCms

from cms_api.domains.cms.documents import policy
from cms_api.domains.cms.documents.errors import DocumentNotFound
from cms_api.domains.cms.posts.interface import PostChanges, PostView
from cms_api.domains.cms.previews.errors import PreviewExpired, PreviewNotFound, PreviewTokenRevoked
from cms_api.domains.cms.previews.events import PreviewCreated, PreviewRevoked
from cms_api.domains.cms.previews.interface import PREVIEWS, IssuedPreview, PreviewView
from cms_api.domains.cms.previews.policy import MANAGE
from cms_api.kernel.actor import ANONYMOUS, SYSTEM, Actor
from cms_api.kernel.errors import Forbidden, Invalid, Unauthenticated
from cms_api.querying import Comparison, PageRequest

READING = frozenset({policy.READ})
ADA, BEA = (Actor(user_id=uuid4(), permissions=READING) for _ in range(2))
EDITOR = Actor(user_id=uuid4(), permissions=frozenset({MANAGE}))
ASKED = PageRequest(sort=PREVIEWS.sort)


@pytest.fixture
async def post(cms: FakeCms) -> PostView:
    async with cms.uow() as uow:
        made = await cms.posts.create(uow, SYSTEM, PostChanges(title="Hello"))
    cms.store.events.clear()
    return made


@pytest.fixture
def create(cms: FakeCms, post: PostView):
    async def work(actor: Actor = ADA, *documents: UUID, lifetime: int = 3_600) -> IssuedPreview:
        async with cms.uow() as uow:
            return await cms.previews.create(uow, actor, documents or [post.id], lifetime=lifetime)

    return work


@pytest.fixture
def revoke(cms: FakeCms):
    async def work(actor: Actor, preview: UUID) -> None:
        async with cms.uow() as uow:
            await cms.previews.revoke(uow, actor, preview)

    return work


async def listed(cms: FakeCms, actor: Actor, page: PageRequest = ASKED) -> list[UUID]:
    return [one.id for one in (await cms.previews.list(actor, page)).items]


async def shown(cms: FakeCms, preview: IssuedPreview) -> set[UUID]:
    async with cms.previews.showing(preview.token):
        return set(cms.store.publications)


async def test_a_preview_is_made_and_told(cms: FakeCms, post: PostView, create: Any) -> None:
    made = await create(ADA, post.id, post.id)
    assert (made.documents, made.created_by, made.created_at) == ((post.id,), ADA.user_id, cms.clock.at)
    assert (made.expires_at - made.created_at).total_seconds() == 3_600
    assert cms.store.events == [
        PreviewCreated(subject=made.id, actor=ADA.user_id, documents=(post.id,), expires_at=made.expires_at)
    ]
    assert made.token not in repr(made)
    found = await cms.previews.get(ADA, made.id)
    assert type(found) is PreviewView
    assert made.token not in repr(found)


async def test_it_shows_the_drafts_and_nothing_of_that_stays(
    cms: FakeCms, post: PostView, create: Any
) -> None:
    made, since = await create(), cms.clock.at
    for _ in range(2):
        cms.clock.move(seconds=1)
        async with cms.previews.showing(made.token):
            (live,) = cms.store.publications.values()
        # Else a cursor would not be good in the next request.
        assert (live.published_at, live.updated_at) == (since, since)
    async with cms.uow() as uow:
        await cms.posts.update(uow, SYSTEM, post.id, PostChanges(title="Again"), expected=None)
    async with cms.previews.showing(made.token):
        (live,) = cms.store.publications.values()
    assert (live.content.title, live.published_at, live.updated_at) == ("Again", since, cms.clock.at)
    assert cms.store.publications == {}


async def test_who_sees_and_takes_back_what(cms: FakeCms, create: Any, revoke: Any) -> None:
    hers, others = await create(ADA), await create(BEA)
    nobodys = await create(SYSTEM)
    assert nobodys.created_by is None
    assert await listed(cms, ADA) == [hers.id]
    everybodys = {hers.id, others.id, nobodys.id}
    assert set(await listed(cms, EDITOR)) == set(await listed(cms, SYSTEM)) == everybodys
    mine = PageRequest(sort=PREVIEWS.sort, filter=Comparison("created_by", "eq", (BEA.user_id,)))
    assert await listed(cms, EDITOR, mine) == [others.id]
    assert await listed(cms, ADA, mine) == []
    for preview in (others.id, nobodys.id, uuid4()):
        with pytest.raises(PreviewNotFound):
            await cms.previews.get(ADA, preview)
        with pytest.raises(PreviewNotFound):
            await revoke(ADA, preview)
    await revoke(EDITOR, others.id)
    # Her own is hers, whatever she may by now.
    await revoke(Actor(user_id=ADA.user_id), hers.id)
    assert await listed(cms, EDITOR) == [nobodys.id]


async def test_nobody_has_previews(cms: FakeCms, create: Any, revoke: Any) -> None:
    made = await create()
    with pytest.raises(Unauthenticated):
        await create(ANONYMOUS)
    with pytest.raises(Forbidden):
        await create(EDITOR)
    with pytest.raises(Unauthenticated):
        await cms.previews.get(ANONYMOUS, made.id)
    with pytest.raises(Unauthenticated):
        await cms.previews.list(ANONYMOUS, ASKED)
    with pytest.raises(Unauthenticated):
        await revoke(ANONYMOUS, made.id)


async def test_what_was_taken_back_shows_nothing(
    cms: FakeCms, post: PostView, create: Any, revoke: Any
) -> None:
    made, other = await create(), await create()
    cms.store.events.clear()
    await revoke(ADA, made.id)
    assert cms.store.events == [PreviewRevoked(subject=made.id, actor=ADA.user_id, documents=(post.id,))]
    with pytest.raises(PreviewTokenRevoked):
        await shown(cms, made)
    with pytest.raises(PreviewNotFound):
        await revoke(ADA, made.id)
    assert await shown(cms, other) == {post.id}


async def test_what_has_expired_is_gone_before_it_is_removed(cms: FakeCms, create: Any, revoke: Any) -> None:
    late, lasting = await create(lifetime=60), await create(lifetime=61)
    cms.clock.move(seconds=60)
    assert await listed(cms, ADA) == [lasting.id]
    with pytest.raises(PreviewNotFound):
        await cms.previews.get(ADA, late.id)
    with pytest.raises(PreviewNotFound):
        await revoke(ADA, late.id)
    for expected in (1, 0):
        # Stored or not, it has expired.
        with pytest.raises(PreviewExpired):
            await shown(cms, late)
        assert await cms.previews.purge_expired(cms.uow) == expected
    assert set(cms.store.previews) == {lasting.id}


async def test_what_can_t_be_shown_is_refused(cms: FakeCms, post: PostView, create: Any) -> None:
    with pytest.raises(Invalid) as refused:
        await create(ADA, post.id, uuid4(), lifetime=60)
    assert [fault.pointer for fault in refused.value.faults] == ["/documents/1"]
    with pytest.raises(Invalid) as refused:
        await create(ADA, *(uuid4() for _ in range(51)), lifetime=59)
    assert [fault.pointer for fault in refused.value.faults] == ["/documents", "/expires_in"]
    async with cms.uow() as uow:
        with pytest.raises(DocumentNotFound):
            await cms.previews.create_for(uow, ADA, "page", post.id)
    assert cms.store.previews == {}

"""What every repository of authors, and the queries beside it, do."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from cms_api.domains.cms.authors.errors import UserHasAuthor
from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.authors.service import view
from cms_api.domains.cms.documents.errors import SlugTaken
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.kernel.errors import Invalid
from cms_api.kernel.ids import new_id
from cms_api.querying import Comparison, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
USER = UUID(int=1)


def author(slug: str = "ada", **values: Any) -> Author:
    return Author(**({"id": new_id(), "name": slug.title(), "slug": slug} | dates(AT) | values))


def dates(at: datetime) -> dict[str, Any]:
    return {"created_at": at, "updated_at": at}


def state(found: Author | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in Author.__dataclass_fields__}


@pytest.fixture
def write(backend):
    """Does some work on the repository in a unit of work of its own."""

    async def work(do: Callable[[AuthorRepository], Awaitable[Any]]) -> Any:
        async with backend.uow() as uow:
            return await do(uow.repository(AuthorRepository))

    return work


@pytest.fixture
def add(write):
    async def work(*authors: Author) -> None:
        for one in authors:
            await write(lambda repository, one=one: repository.add(one))

    return work


@pytest.fixture
async def picture(backend) -> UUID:
    asset = Asset(id=new_id(), filename="a.png", source_url="https://old.example/a.png", **dates(AT))
    async with backend.uow() as uow:
        await uow.repository(MediaRepository).add(asset)
    return asset.id


async def test_an_author_comes_back_as_stored(backend, add, write, picture) -> None:
    made = author(user_id=USER, bio="Wrote.", website="https://ada.example", avatar_id=picture)
    await add(made)
    assert state(await write(lambda r: r.get(made.id))) == state(made)
    assert state(await write(lambda r: r.of_user(USER))) == state(made)
    assert await backend.authors.get(made.id) == view(made)


async def test_nobody_is_found_under_strange_ids(backend, write) -> None:
    assert await write(lambda r: r.get(uuid4())) is None
    assert await write(lambda r: r.of_user(uuid4())) is None
    assert await backend.authors.get(uuid4()) is None


async def test_a_changed_author_is_kept(add, write) -> None:
    made = author()
    await add(made)
    later = AT + timedelta(hours=1)
    made.change({"name": "Ada L.", "slug": "ada-l", "user_id": USER}, expected=1, at=later)
    await write(lambda r: r.save(made))
    found = await write(lambda r: r.get(made.id))
    assert state(found) == state(made)
    assert found.version == 2


async def test_a_slug_is_taken_once(add, write) -> None:
    other = author("bea")
    await add(author(), other)
    with pytest.raises(SlugTaken):
        await add(author())
    other.slug = "ada"
    with pytest.raises(SlugTaken):
        await write(lambda r: r.save(other))


async def test_a_user_has_one_author(add, write) -> None:
    other = author("bea")
    await add(author(user_id=USER), other)
    with pytest.raises(UserHasAuthor):
        await add(author("cleo", user_id=USER))
    other.user_id = USER
    with pytest.raises(UserHasAuthor):
        await write(lambda r: r.save(other))


async def test_many_authors_belong_to_nobody(add, write) -> None:
    ada, bea, cleo = author(user_id=USER), author("bea"), author("cleo")
    await add(ada, bea, cleo)
    ids = [ada.id, bea.id, cleo.id, uuid4()]
    assert await write(lambda r: r.user_ids(ids)) == {USER}
    assert await write(lambda r: r.user_ids([])) == frozenset()


async def test_an_avatar_must_be_there(add, write, picture) -> None:
    made = author()
    with pytest.raises(Invalid) as caught:
        await add(author(avatar_id=uuid4()))
    assert [(f.pointer, f.code) for f in caught.value.faults] == [("/avatar_id", "unknown_reference")]
    await add(made)
    made.avatar_id = uuid4()
    with pytest.raises(Invalid):
        await write(lambda r: r.save(made))
    made.avatar_id = picture
    await write(lambda r: r.save(made))


async def test_an_author_is_deleted(add, write) -> None:
    made = author()
    await add(made)
    await write(lambda r: r.delete(made))
    assert await write(lambda r: r.get(made.id)) is None


async def test_the_first_free_slug(add, write) -> None:
    assert await write(lambda r: r.free_slug("ada")) == "ada"
    await add(author(), author("ada-3"), author("ada-lovelace"))
    assert await write(lambda r: r.free_slug("ada")) == "ada-2"
    await add(author("ada-2"))
    assert await write(lambda r: r.free_slug("ada")) == "ada-4"


async def test_authors_are_listed(backend, add) -> None:
    ada, bea, cleo = author(user_id=USER), author("bea"), author("cleo", **dates(AT - timedelta(days=1)))
    await add(cleo, ada, bea)

    async def names(*filters: Comparison, sort: str = "name", **asked: Any) -> list[str]:
        page = PageRequest(sort=(SortKey(sort),), filter=all_of(*filters), **asked)
        return [found.slug for found in (await backend.authors.list(page)).items]

    assert await names() == ["ada", "bea", "cleo"]
    assert await names(sort="created_at") == ["cleo", "ada", "bea"]
    assert await names(limit=2) == ["ada", "bea"]
    assert await names(Comparison("user_id", "exists", (False,))) == ["bea", "cleo"]
    assert await names(Comparison("user_id", "eq", (USER,))) == ["ada"]
    assert await names(Comparison("slug", "nin", ("ada",)), Comparison("name", "contains", ("E",))) == [
        "bea",
        "cleo",
    ]
    page = await backend.authors.list(PageRequest(sort=(SortKey("name"),), limit=2, count="exact"))
    assert page.count == 3
    rest = await backend.authors.list(PageRequest(sort=(SortKey("name"),), after=page.next))
    assert rest.items == [view(cleo)]
    assert rest.prev is not None
    assert rest.next is None

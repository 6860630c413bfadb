"""What every repository of files' records, and the queries beside it, do."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from cms_api.domains.cms.authors.model import Author
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.documents.errors import InUse
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.media.service import view
from cms_api.kernel.ids import new_id
from cms_api.querying import Comparison, PageRequest, SortKey, all_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def asset(filename: str = "tree.png", **values: Any) -> Asset:
    return Asset(
        id=new_id(),
        filename=filename,
        **({"source_url": f"https://old.example/{filename}", "created_at": AT, "updated_at": AT} | values),
    )


def state(found: Asset | None) -> dict[str, Any]:
    assert found is not None
    return {name: getattr(found, name) for name in Asset.__dataclass_fields__}


@pytest.fixture
def write(backend):
    """Does some work on the repository in a unit of work of its own."""

    async def work(do: Callable[[MediaRepository], Awaitable[Any]]) -> Any:
        async with backend.uow() as uow:
            return await do(uow.repository(MediaRepository))

    return work


@pytest.fixture
def add(write):
    async def work(*assets: Asset) -> None:
        for one in assets:
            await write(lambda repository, one=one: repository.add(one))

    return work


async def test_a_record_comes_back_as_stored(backend, add, write) -> None:
    made = asset(
        title="A tree",
        alt="Tree",
        caption="In autumn",
        media_type="image/png",
        size=2**33,
        sha256=bytes(range(32)),
        width=3,
        height=2,
        storage_key="ab/tree.png",
        created_by=UUID(int=1),
    )
    await add(made)
    assert state(await write(lambda r: r.get(made.id))) == state(made)
    shown = await backend.media.get(made.id)
    assert shown == view(made)
    assert shown.url == "/media/ab/tree.png"


async def test_a_record_without_a_file_is_served_from_elsewhere(backend, add) -> None:
    made = asset()
    await add(made)
    shown = await backend.media.get(made.id)
    assert (shown.url, shown.size, shown.media_type) == ("https://old.example/tree.png", None, None)


async def test_nothing_is_found_under_strange_ids(backend, write) -> None:
    assert await write(lambda r: r.get(uuid4())) is None
    assert await backend.media.get(uuid4()) is None


async def test_a_changed_record_is_kept(add, write) -> None:
    made = asset()
    await add(made)
    made.change({"alt": "Tree", "storage_key": "k", "sha256": b"x" * 32}, expected=1, at=AT)
    await write(lambda r: r.save(made))
    assert state(await write(lambda r: r.get(made.id))) == state(made)


async def test_the_picture_of_an_author_stays(backend, add, write) -> None:
    avatar, free = asset("a.png"), asset("f.png")
    await add(avatar, free)
    async with backend.uow() as uow:
        author = Author(id=new_id(), name="A", slug="a", avatar_id=avatar.id, created_at=AT, updated_at=AT)
        await uow.repository(AuthorRepository).add(author)
    with pytest.raises(InUse) as caught:
        await write(lambda r: r.delete(avatar))
    assert caught.value.members == {"documents": 1, "referrers": []}
    await write(lambda r: r.delete(free))
    assert await write(lambda r: r.get(free.id)) is None


async def test_records_are_listed(backend, add) -> None:
    a, b = asset("a.png", media_type="image/png"), asset("b.pdf", title="Report")
    c = asset("c.png", media_type="image/png", created_at=AT - timedelta(days=1))
    await add(b, a, c)

    async def names(*filters: Comparison, sort: str = "filename") -> list[str]:
        page = PageRequest(sort=(SortKey(sort),), filter=all_of(*filters))
        return [found.filename for found in (await backend.media.list(page)).items]

    assert await names() == ["a.png", "b.pdf", "c.png"]
    assert await names(sort="created_at") == ["c.png", "a.png", "b.pdf"]
    assert await names(Comparison("media_type", "eq", ("image/png",))) == ["a.png", "c.png"]
    assert await names(Comparison("media_type", "exists", (False,))) == ["b.pdf"]
    assert await names(Comparison("media_type", "ne", ("image/png",))) == ["b.pdf"]
    assert await names(Comparison("title", "starts_with", ("rep",))) == ["b.pdf"]
    assert await names(Comparison("filename", "contains", (".PNG",))) == ["a.png", "c.png"]

"""What every memory of imports does."""

from uuid import UUID

import pytest

from cms_api.domains.cms.imports.ports import Imported, ImportSources

FIRST = Imported(UUID(int=1), b"\x00\xff", 1)
SECOND = Imported(UUID(int=2), b"", 7)


@pytest.fixture
def find(backend):
    async def work(*keys: str, source: str = "site", kind: str = "post") -> dict[str, Imported]:
        async with backend.uow() as uow:
            found: dict[str, Imported] = await uow.repository(ImportSources).find(source, kind, keys)
            return found

    return work


@pytest.fixture
def put(backend):
    async def work(key: str, imported: Imported, *, source: str = "site", kind: str = "post") -> None:
        async with backend.uow() as uow:
            await uow.repository(ImportSources).put(source, kind, key, imported)

    return work


async def test_what_was_imported_is_known(find, put) -> None:
    await put("1", FIRST)
    await put("größe", SECOND)
    assert await find("1", "größe", "3") == {"1": FIRST, "größe": SECOND}
    assert await find() == {}


async def test_sources_and_kinds_are_apart(find, put) -> None:
    await put("1", FIRST)
    assert await find("1", source="else") == {}
    assert await find("1", kind="page") == {}
    await put("1", SECOND, kind="page")
    assert await find("1") == {"1": FIRST}


async def test_the_latest_counts(find, put) -> None:
    await put("1", FIRST)
    await put("1", SECOND)
    assert await find("1") == {"1": SECOND}


async def test_a_rolled_back_unit_of_work_is_forgotten(backend, find) -> None:
    async def put_and_fail() -> None:
        async with backend.uow() as uow:
            await uow.repository(ImportSources).put("site", "post", "1", FIRST)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await put_and_fail()
    assert await find("1") == {}

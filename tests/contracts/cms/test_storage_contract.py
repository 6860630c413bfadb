"""What every storage of files does."""

from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from uuid import uuid4

import pytest
from PIL import Image
from tests.fakes_cms import MemoryStorage, in_chunks

from cms_api.adapters.storage.local import LocalStorage
from cms_api.domains.cms.media.ports import Storage
from cms_api.kernel.errors import Malformed, TooLarge, UnsupportedMedia

TEXT = b"Plain words, and many of them. " * 100
LIMIT = 1_000_000


def image(width: int = 3, height: int = 2) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "green").save(out, "PNG")
    return out.getvalue()


@pytest.fixture(params=["fake", "local"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return MemoryStorage() if request.param == "fake" else LocalStorage(tmp_path / "media")


async def test_a_file_is_taken_in_and_looked_into(storage: Storage) -> None:
    body = image()
    stored = await storage.put(uuid4(), "Tree in autumn.PNG", in_chunks(body), limit=LIMIT)
    assert (stored.media_type, stored.width, stored.height) == ("image/png", 3, 2)
    assert (stored.size, stored.sha256) == (len(body), sha256(body).digest())
    assert stored.key.endswith("-tree-in-autumn.png")
    found = storage.find(PurePosixPath(stored.key))
    assert found is not None
    assert found.path.endswith(stored.key)
    assert (found.media_type, found.filename) == ("image/png", "tree-in-autumn.png")


async def test_what_it_is_called_counts_for_nothing(storage: Storage) -> None:
    stored = await storage.put(uuid4(), "tree.png", in_chunks(TEXT), limit=LIMIT)
    assert (stored.media_type, stored.width, stored.height) == ("text/plain", None, None)
    assert stored.key.endswith("-tree.txt")


async def test_an_id_does_not_tell_where_a_file_is(storage: Storage) -> None:
    one = uuid4()
    keys = {(await storage.put(one, "a.txt", in_chunks(TEXT), limit=LIMIT)).key for _ in range(3)}
    assert len(keys) == 3


async def test_equal_files_have_different_keys(storage: Storage) -> None:
    keys = {(await storage.put(uuid4(), "a.txt", in_chunks(TEXT), limit=LIMIT)).key for _ in range(3)}
    assert len(keys) == 3


async def test_the_limit_is_the_last_byte_that_is_taken(storage: Storage) -> None:
    await storage.put(uuid4(), "a.txt", in_chunks(TEXT), limit=len(TEXT))
    with pytest.raises(TooLarge):
        await storage.put(uuid4(), "a.txt", in_chunks(TEXT), limit=len(TEXT) - 1)


async def test_an_endless_file_is_not_read_to_its_end(storage: Storage) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1000

    with pytest.raises(TooLarge):
        await storage.put(uuid4(), "a.txt", endless(), limit=10_000)
    assert read == 11


@pytest.mark.parametrize(
    "body",
    [b"<html><script>alert(1)</script></html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0\1\2"],
)
async def test_what_is_not_taken(storage: Storage, body: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        await storage.put(uuid4(), "a.png", in_chunks(body), limit=LIMIT)


async def test_an_empty_file_is_refused(storage: Storage) -> None:
    with pytest.raises(Malformed):
        await storage.put(uuid4(), "a.txt", in_chunks(b""), limit=LIMIT)


async def test_a_removed_file_is_gone(storage: Storage) -> None:
    stored = await storage.put(uuid4(), "a.txt", in_chunks(TEXT), limit=LIMIT)
    await storage.remove(stored.key)
    assert storage.find(PurePosixPath(stored.key)) is None
    await storage.remove(stored.key)


@pytest.mark.parametrize("key", ["nothing/here.txt", "../secret", "ab/../../secret", ".incoming/x", "."])
def test_nothing_is_found_but_what_is_stored(storage: Storage, key: str) -> None:
    assert storage.find(PurePosixPath(key)) is None

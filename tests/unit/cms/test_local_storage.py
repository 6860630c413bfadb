"""Files on the disk: whole or not at all, and nowhere else."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes_cms import in_chunks

from cms_api.adapters.storage.local import LocalStorage, _key
from cms_api.domains.cms.media.ports import Found
from cms_api.kernel.errors import Malformed, TooLarge, UnsupportedMedia

TEXT = b"Plain words. " * 100
LIMIT = 10_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def storage(root: Path) -> LocalStorage:
    return LocalStorage(root)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_a_file_lies_where_its_key_says(storage: LocalStorage, root: Path) -> None:
    asset_id = uuid4()
    stored = await storage.put(asset_id, "My Notes.md", in_chunks(TEXT), limit=LIMIT)
    place = rf"{asset_id.hex[:4]}/{asset_id.hex[4:8]}/{asset_id.hex}-[0-9a-f]{{16}}-my-notes\.txt"
    assert re.fullmatch(place, stored.key)
    assert files(root) == [root / stored.key]
    assert (root / stored.key).read_bytes() == TEXT
    assert storage.find(PurePosixPath(stored.key)) == Found(
        path=str(root / stored.key), media_type="text/plain", filename="my-notes.txt"
    )


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        (f"{'0a' * 16}-{'1b' * 8}-a-b-2.txt", "a-b-2.txt"),
        (f"{'0a' * 16}-a-b-2.txt", "a-b-2.txt"),  # from before there were secrets
        ("put-here-by-hand.txt", None),
        (f'{"0a" * 16}-{"1b" * 8}-"\r.txt', None),
    ],
)
def test_what_a_file_is_called(storage: LocalStorage, root: Path, name: str, filename: str | None) -> None:
    root.mkdir()
    (root / name).write_bytes(TEXT)
    found = storage.find(PurePosixPath(name))
    assert found is not None
    assert found.filename == filename


async def _cut_off() -> AsyncIterator[bytes]:
    yield TEXT
    raise ConnectionResetError


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        (lambda: in_chunks(b"x" * (LIMIT + 1)), TooLarge),
        (lambda: in_chunks(b"<html>"), UnsupportedMedia),
        (lambda: in_chunks(b""), Malformed),
        (_cut_off, ConnectionResetError),
    ],
    ids=["too large", "wrong type", "empty", "cut off"],
)
async def test_nothing_is_left_of_a_failure(storage: LocalStorage, root: Path, chunks, error) -> None:
    with pytest.raises(error):
        await storage.put(uuid4(), "a.txt", chunks(), limit=LIMIT)
    assert files(root) == []


async def test_nothing_is_left_of_a_cancelled_upload(storage: LocalStorage, root: Path) -> None:
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield TEXT
        begun.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(storage.put(uuid4(), "a.txt", slow(), limit=LIMIT))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(root) == []


async def test_nothing_is_seen_of_a_file_before_it_is_whole(storage: LocalStorage, root: Path) -> None:
    seen: list[Path] = []

    async def watched() -> AsyncIterator[bytes]:
        yield TEXT
        seen.extend(path for path in files(root) if not path.is_relative_to(root / ".incoming"))

    stored = await storage.put(uuid4(), "a.txt", watched(), limit=LIMIT)
    assert seen == []
    assert files(root) == [root / stored.key]


@pytest.mark.parametrize(
    "filename",
    [
        "../../../etc/passwd", "..\\..\\evil.exe", "/etc/passwd", "C:\\evil", ".htaccess", "", ".", "..", "a/b/c.png",
        "a\0b", "x" * 300, "你好.png", "ö ü.png", "-rf", "a.php.png", "CON",
    ],
)  # fmt: skip
async def test_a_name_leads_nowhere(storage: LocalStorage, root: Path, filename: str) -> None:
    stored = await storage.put(UUID(int=1 << 100), filename, in_chunks(TEXT), limit=LIMIT)
    (found,) = files(root)
    assert found == root / stored.key
    assert ".." not in stored.key
    assert storage.find(PurePosixPath(stored.key)) is not None
    assert len(found.name) <= 150


@given(st.text(max_size=300))
def test_a_key_is_plain_whatever_the_name(filename: str) -> None:
    key = _key(UUID(int=1 << 100), filename, "png")
    folder, inner, name = key.split("/")
    assert key.isascii()
    assert key == key.lower()
    assert folder.isalnum()
    assert inner.isalnum()
    assert name.endswith(".png")
    assert name.replace("-", "").replace(".png", "").isalnum()


@pytest.mark.parametrize("key", ["../secret.txt", "ab/../../secret.txt", "./../secret.txt", ".hidden.txt"])
def test_a_key_leads_nowhere_else(storage: LocalStorage, root: Path, key: str) -> None:
    root.mkdir()
    (root / ".hidden.txt").write_text("words")
    (root.parent / "secret.txt").write_text("words")
    (root / "ab").mkdir()
    assert storage.find(PurePosixPath(key)) is None


def test_an_absolute_key_leads_nowhere_else(storage: LocalStorage, root: Path) -> None:
    root.mkdir()
    secret = root.parent / "secret.txt"
    secret.write_text("words")
    assert storage.find(PurePosixPath(secret)) is None


def test_a_file_of_an_unknown_type_is_not_served(storage: LocalStorage, root: Path) -> None:
    root.mkdir()
    for name in ("a.html", "a.svg", "a"):
        (root / name).write_text("words")
        assert storage.find(PurePosixPath(name)) is None
    (root / "folder.txt").mkdir()
    assert storage.find(PurePosixPath("folder.txt")) is None

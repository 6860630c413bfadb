"""Files as answers: which bytes, to whom, and what becomes of them on the way."""

import asyncio
import os
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.adapters.http.files import PIECE, FileAnswer, asked_range
from cms_api.adapters.http.methods import IS_HEAD
from cms_api.adapters.http.preconditions import is_unchanged
from cms_api.adapters.http.problems import OutOfRange
from cms_api.kernel.errors import NotFound, Stale

TAG, OTHER = '"a"', '"b"'
BEFORE, MODIFIED, AFTER = (formatdate(at, usegmt=True) for at in (1_000_000, 1_000_001, 1_000_002))


@pytest.mark.parametrize(
    ("header", "size", "found"),
    [
        ("bytes=0-9", 100, range(10)),
        ("bytes=0-0", 100, range(1)),
        ("bytes=5-", 100, range(5, 100)),
        ("bytes=-5", 100, range(95, 100)),
        ("bytes=-500", 100, range(100)),
        ("bytes=90-500", 100, range(90, 100)),
        ("bytes=99-99", 100, range(99, 100)),
        ("bytes=0-" + "9" * 20, 100, range(100)),
        ("BYTES=0-9", 100, range(10)),
        ("bytes= 0-9\t, ,", 100, range(10)),
        # All is sent.
        ("bytes=9-0", 100, None),
        ("bytes=500-400", 100, None),
        ("bytes=0-9,20-29", 100, None),
        ("bytes=" + "0-9," * 10_000, 100, None),
        ("bytes=" + "9" * 10_000 + "-", 100, None),
        ("bytes=", 100, None),
        ("bytes=-", 100, None),
        ("bytes", 100, None),
        ("", 100, None),
        ("bytes=a-b", 100, None),
        ("bytes=+1-2", 100, None),
        ("bytes=--1", 100, None),
        ("bytes=1.0-2", 100, None),
        ("bytes=0x1-2", 100, None),
        ("bytes=\xb2-", 100, None),
        ("bytes 0-9", 100, None),
        ("bytes=0 - 9", 100, None),
        ("items=0-9", 100, None),
        ("bytes=-5", 0, None),
    ],
)
def test_which_bytes_are_asked_for(header: str, size: int, found: range | None) -> None:
    assert asked_range(header, size) == found


@pytest.mark.parametrize(
    ("header", "size"),
    [("bytes=100-", 100), ("bytes=100-100", 100), ("bytes=-0", 100), ("bytes=0-", 0), ("bytes=-0", 0)],
)
def test_bytes_that_there_are_not(header: str, size: int) -> None:
    with pytest.raises(OutOfRange) as refused:
        asked_range(header, size)
    assert refused.value.size == size


@given(st.text(alphabet="bytes=0123456789-, \t", max_size=30), st.integers(0, 50))
def test_a_range_is_never_empty_or_outside(header: str, size: int) -> None:
    for given_ in (header, f"bytes={header}"):
        try:
            found = asked_range(given_, size)
        except OutOfRange:
            continue
        assert found is None or 0 <= found.start < found.stop <= size


@pytest.mark.parametrize(
    "headers",
    [
        {"if-none-match": TAG},
        {"if-none-match": f"W/{TAG}"},
        {"if-none-match": f"{OTHER}, W/{TAG}"},
        {"if-none-match": "*"},
        {"if-modified-since": MODIFIED},
        {"if-modified-since": AFTER},
        {"if-modified-since": "Monday, 12-Jan-70 13:46:41 GMT"},
        {"if-modified-since": "Mon Jan 12 13:46:41 1970"},
        # A tag counts for more than a date.
        {"if-none-match": TAG, "if-modified-since": BEFORE},
        {"if-match": f"{OTHER}, {TAG}", "if-none-match": TAG},
    ],
)
def test_who_has_what_is_there(headers: dict[str, str]) -> None:
    assert is_unchanged(headers, TAG, MODIFIED)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"if-none-match": OTHER},
        {"if-none-match": "a"},
        {"if-none-match": OTHER, "if-modified-since": MODIFIED},
        {"if-modified-since": BEFORE},
        {"if-modified-since": "yesterday"},
        {"if-modified-since": ""},
        {"if-modified-since": "Mon, 12 Jan 99999999999999999999 13:46:41 GMT"},
        {"if-match": TAG},
        {"if-match": "*", "if-unmodified-since": BEFORE},
        {"if-unmodified-since": MODIFIED},
        {"if-unmodified-since": "never"},
    ],
)
def test_who_has_not_what_is_there(headers: dict[str, str]) -> None:
    assert not is_unchanged(headers, TAG, MODIFIED)


@pytest.mark.parametrize(
    "headers",
    [
        {"if-match": OTHER},
        {"if-match": f"W/{TAG}"},
        {"if-match": OTHER, "if-none-match": TAG},
        {"if-match": OTHER, "if-unmodified-since": AFTER},
        {"if-unmodified-since": BEFORE},
    ],
)
def test_who_wants_something_else(headers: dict[str, str]) -> None:
    with pytest.raises(Stale):
        is_unchanged(headers, TAG, MODIFIED)


@given(st.text(max_size=60))
def test_no_date_breaks_anything(date: str) -> None:
    is_unchanged({"if-modified-since": date}, TAG, MODIFIED)


class Client:
    """Who asks for a file; ``hears`` is called with each message that arrives."""

    def __init__(self, hears: Callable[["Client"], None] = lambda _: None) -> None:
        self._hears = hears
        self.messages: list[Any] = []
        self.gone = asyncio.Event()

    async def ask(self, answer: FileAnswer, *, is_head: bool = False, **headers: str) -> None:
        scope: Any = {
            "type": "http", "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        } | ({IS_HEAD: True} if is_head else {})  # fmt: skip
        await answer(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.messages.append(message)
        self._hears(self)
        await asyncio.sleep(0)

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def bodies(self) -> list[bytes]:
        return [one["body"] for one in self.messages[1:]]

    @property
    def is_answered(self) -> bool:
        return not self.messages[-1]["more_body"]


BYTES = os.urandom(3 * PIECE + 100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def answer(path: Path) -> FileAnswer:
    return FileAnswer(str(path), "a/a.bin", {"Content-Type": "application/zip"})


async def test_a_file_is_sent_in_pieces(answer: FileAnswer) -> None:
    client = Client()
    await client.ask(answer)
    assert b"".join(client.bodies) == BYTES
    assert [len(one) for one in client.bodies] == [PIECE, PIECE, PIECE, 100]
    assert (client.messages[0]["status"], client.is_answered) == (200, True)
    assert client.headers["content-length"] == str(len(BYTES))


@pytest.mark.parametrize("first", [0, 1, PIECE - 1, PIECE, len(BYTES) - PIECE, len(BYTES) - 1])
@pytest.mark.parametrize("length", [1, PIECE, PIECE + 1, len(BYTES)])
async def test_a_range_is_sent_in_pieces(answer: FileAnswer, first: int, length: int) -> None:
    client = Client()
    await client.ask(answer, range=f"bytes={first}-{first + length - 1}")
    expected = BYTES[first : first + length]
    assert (client.messages[0]["status"], b"".join(client.bodies)) == (206, expected)
    assert client.headers["content-length"] == str(len(expected))
    assert client.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(BYTES)}"
    assert max(map(len, client.bodies)) <= PIECE
    assert client.is_answered


async def test_a_range_of_a_certain_state(answer: FileAnswer) -> None:
    client = Client()
    await client.ask(answer)
    tag, date = client.headers["etag"], client.headers["last-modified"]
    for given_, status in (
        (tag, 206), (date, 206), (f"W/{tag}", 200), (OTHER, 200), ("*", 200), (f"{tag}, {OTHER}", 200), (AFTER, 200),
        ("", 200),
    ):  # fmt: skip
        client = Client()
        await client.ask(answer, range="bytes=0-9", if_range=given_)
        assert client.messages[0]["status"] == status, given_
    # Of another state no range is out of it.
    client = Client()
    await client.ask(answer, range="bytes=99999999-", if_range=OTHER)
    assert client.messages[0]["status"] == 200


async def test_conditions_come_before_ranges(answer: FileAnswer) -> None:
    client = Client()
    await client.ask(answer, range="bytes=99999999-", if_none_match="*")
    assert (client.messages[0]["status"], client.bodies) == (304, [b""])
    assert set(client.headers) == {"etag", "cache-control"}


async def test_head_takes_no_range(answer: FileAnswer) -> None:
    whole = Client()
    await whole.ask(answer)
    for asked in ("bytes=0-9", "bytes=99999999-"):
        client = Client()
        await client.ask(answer, is_head=True, range=asked)
        assert (client.messages[0]["status"], client.bodies) == (200, [b""])
        assert client.headers == whole.headers


async def test_the_tag_is_that_of_the_file_on_any_machine(answer: FileAnswer, tmp_path: Path) -> None:
    async def tag(name: str, body: bytes, address: str = "a/a.bin") -> str:
        other = tmp_path / name
        other.write_bytes(body)
        os.utime(other, (1, 1))
        client = Client()
        await client.ask(FileAnswer(str(other), address, {}), is_head=True)
        return client.headers["etag"]

    client = Client()
    await client.ask(answer, is_head=True)
    ours = client.headers["etag"]
    assert not ours.startswith("W/")
    assert await tag("copy", BYTES) == ours
    assert await tag("half", BYTES[:100]) != ours
    assert await tag("other", BYTES, "a/b.bin") != ours


async def test_an_empty_file(path: Path, answer: FileAnswer) -> None:
    os.truncate(path, 0)
    for headers in ({}, {"range": "bytes=-5"}):
        client = Client()
        await client.ask(answer, **headers)
        assert (client.messages[0]["status"], client.bodies, client.is_answered) == (200, [b""], True)
        assert client.headers["content-length"] == "0"
    with pytest.raises(OutOfRange):
        await Client().ask(answer, range="bytes=0-")


async def test_a_file_that_is_not_there_any_more(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await Client().ask(FileAnswer(str(tmp_path / "b.bin"), "a/b.bin", {}))


async def test_a_file_that_goes_while_it_is_sent(path: Path, answer: FileAnswer) -> None:
    client = Client(lambda _: path.unlink(missing_ok=True))
    await client.ask(answer)
    assert b"".join(client.bodies) == BYTES


async def test_a_file_that_becomes_longer_while_it_is_sent(path: Path, answer: FileAnswer) -> None:
    def grow(_: Client) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    client = Client(grow)
    await client.ask(answer)
    assert b"".join(client.bodies) == BYTES


async def test_what_is_missing_of_a_file_is_not_made_up(path: Path, answer: FileAnswer) -> None:
    """The answer does not end: the server closes the connection."""
    client = Client(lambda _: os.truncate(path, PIECE + 10))
    await client.ask(answer)
    assert b"".join(client.bodies) == BYTES[: PIECE + 10]
    assert not client.is_answered


async def test_nothing_is_read_for_who_went_away(answer: FileAnswer) -> None:
    def leave(client: Client) -> None:
        if client.bodies:
            client.gone.set()

    client = Client(leave)
    await client.ask(answer)
    assert len(client.bodies) <= 2
    assert not client.is_answered

"""Files as answers: whole or a range of their bytes (RFC 9110, section 14), and 304 to who has them."""

import asyncio
import os
import re
from collections.abc import Mapping
from email.utils import formatdate
from io import BufferedReader
from pathlib import Path

import structlog
from litestar.datastructures import Headers
from litestar.types import Receive, Scope, Send

from cms_api.adapters.http.methods import IS_HEAD
from cms_api.adapters.http.preconditions import Ready, hash_tag, is_unchanged
from cms_api.adapters.http.problems import OutOfRange
from cms_api.kernel.errors import NotFound

# So many bytes of a file are in memory at a time, for each client.
PIECE = 262_144
CACHE_CONTROL = b"public, max-age=31536000, immutable"
# No file has a length of more digits.
_SINGLE = re.compile(r"bytes=[ \t,]*([0-9]{0,20})-([0-9]{0,20})[ \t,]*", re.IGNORECASE)

_log = structlog.get_logger("cms.files")


def asked_range(given: str, size: int) -> range | None:
    """The bytes of ``size`` that a Range header asks for; None where all of them are sent.

    So they are for several ranges and other units, which a server need not know. Raises `OutOfRange`.
    """
    if (found := _SINGLE.fullmatch(given)) is None:
        return None
    first, last = found.groups()
    if first:
        start, stop = int(first), int(last) + 1 if last else size
        if last and stop <= start:
            return None
    elif last:
        start, stop = size - int(last), size
        # There are last bytes of nothing, but no range that could be told.
        if size == 0 and start < 0:
            return None
    else:
        return None
    asked = range(max(start, 0), min(stop, size))
    if not asked:
        raise OutOfRange(f"The file has {size} bytes.", size=size)
    return asked


class FileAnswer:
    """A file whose bytes stay as they are for good, sent in pieces."""

    __slots__ = ("_address", "_headers", "_path")

    def __init__(self, path: str, address: str, headers: Mapping[str, str]) -> None:
        """``address`` is what the file is known by on all machines, ``headers`` say what it is."""
        self._path = Path(path)
        self._address = address
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is asked for. Raises `NotFound`, `Stale`, `OutOfRange`."""
        try:
            file = await asyncio.to_thread(self._path.open, "rb")
        except FileNotFoundError:
            raise NotFound("There is no such file.") from None
        with file:
            await self._answer(file, scope, receive, send)

    async def _answer(self, file: BufferedReader, scope: Scope, receive: Receive, send: Send) -> None:
        found = os.fstat(file.fileno())
        size, modified = found.st_size, formatdate(found.st_mtime, usegmt=True)
        # What was copied to another machine in part is not the same.
        tag = hash_tag(f"{self._address} {size}".encode())
        given = Headers.from_scope(scope)
        headers = [(b"etag", tag.encode()), (b"cache-control", CACHE_CONTROL)]
        if is_unchanged(given, tag, modified):
            await Ready(b"", headers, 304)(scope, receive, send)
            return
        asked = None
        if IS_HEAD not in scope and "range" in given and given.get("if-range", tag) in (tag, modified):
            asked = asked_range(given["range"], size)
        sent = range(size) if asked is None else asked
        headers += [
            *self._headers,
            (b"accept-ranges", b"bytes"),
            (b"last-modified", modified.encode()),
            (b"content-length", str(len(sent)).encode()),
        ]
        if asked is not None:
            told = f"bytes {asked.start}-{asked.stop - 1}/{size}"
            headers.append((b"content-range", told.encode()))
        if IS_HEAD in scope:
            await Ready(b"", headers)(scope, receive, send)
            return
        await send(
            {"type": "http.response.start", "status": 200 if asked is None else 206, "headers": headers}
        )
        await self._send(file, sent, receive, send)

    async def _send(self, file: BufferedReader, sent: range, receive: Receive, send: Send) -> None:
        """Send bytes while there is somebody who takes them."""
        gone = asyncio.create_task(_gone(receive))
        try:
            file.seek(sent.start)
            left = len(sent)
            while not gone.done():
                piece = await asyncio.to_thread(_read, file, min(PIECE, left))
                left -= len(piece)
                if left and not piece:
                    # The server closes the connection then: the client sees that something is missing.
                    _log.error("file_incomplete", path=str(self._path), missing=left)
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
                if not left:
                    return
        finally:
            gone.cancel()


def _read(file: BufferedReader, size: int) -> bytes:
    """Up to ``size`` bytes; none where they can't be read any more."""
    try:
        return file.read(size)
    except OSError:
        return b""


async def _gone(receive: Receive) -> None:
    """Wait until the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass

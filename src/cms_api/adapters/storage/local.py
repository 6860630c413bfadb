"""Files on the local disk."""

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from uuid import UUID

from cms_api.adapters.storage.sniffing import TYPES, sniff
from cms_api.domains.cms.documents.slugs import make_slug
from cms_api.domains.cms.media.ports import Found, Storage, Stored
from cms_api.kernel.errors import Malformed, TooLarge

INCOMING = ".incoming"
# So many random bytes are in the name of a file.
SECRET = 8
# Stored names end in what was found inside, so the ending is to be trusted.
MEDIA_TYPES = {ending: media_type for media_type, ending in TYPES.items()}
# What stands behind the id and the secret. Files that are older than secrets have none.
_FILENAME = re.compile(rf"[0-9a-f]{{32}}-(?:[0-9a-f]{{{2 * SECRET}}}-)?([a-z0-9-]+\.[a-z0-9]+)")


class LocalStorage(Storage):
    """Files below one folder, as ``<id>-<secret>-<name>.<ending>`` in folders by the start of the id.

    Whoever knows where a file is gets it: ids alone, which many see, don't tell.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, asset_id: UUID, filename: str, chunks: AsyncIterator[bytes], *, limit: int) -> Stored:
        incoming = self._root / INCOMING
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = incoming / asset_id.hex
        digest, size = hashlib.sha256(), 0
        try:
            with part.open("wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > limit:
                        raise TooLarge(f"A file has at most {limit} bytes.", limit=limit)
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            if size == 0:
                raise Malformed("The file is empty.")
            media_type, width, height = await asyncio.to_thread(sniff, part)
            key = _key(asset_id, filename, TYPES[media_type])
            target = self._root / key
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return Stored(
            key=key, media_type=media_type, size=size, sha256=digest.digest(), width=width, height=height
        )

    async def remove(self, key: str) -> None:
        (self._root / key).unlink(missing_ok=True)

    def find(self, key: PurePosixPath) -> Found | None:
        if key.is_absolute() or any(part.startswith(".") for part in key.parts):
            return None
        path = self._root.joinpath(*key.parts)
        media_type = MEDIA_TYPES.get(path.suffix.removeprefix("."))
        if media_type is None or not path.is_file():
            return None
        named = _FILENAME.fullmatch(path.name)
        return Found(path=str(path), media_type=media_type, filename=named[1] if named else None)


def _key(asset_id: UUID, filename: str, ending: str) -> str:
    stem = make_slug(PurePosixPath(filename.replace("\\", "/")).stem)[:80].strip("-")
    ascii_stem = stem.encode("ascii", "ignore").decode().strip("-") or "file"
    return f"{asset_id.hex[:4]}/{asset_id.hex[4:8]}/{asset_id.hex}-{secrets.token_hex(SECRET)}-{ascii_stem}.{ending}"

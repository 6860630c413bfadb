"""WordPress's own export, WXR 1.0 to 1.2, as a source of content.

The format has no specification but the code that writes and reads it: ``export_wp`` in WordPress
and the ``wordpress-importer`` plugin, which the readings here follow.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from cms_api.adapters.wordpress.elements import ElementStream
from cms_api.adapters.wordpress.records import items_of, site_of, text_of
from cms_api.domains.cms.imports.source import ContentSource, SourceError, SourceItem, SourceSite

_HEAD = ("title", "link", "wp:wxr_version", "wp:base_site_url", "wp:base_blog_url")


class WxrFile(ContentSource):
    """An export file, plain or compressed by gzip. Blocks while it reads.

    ``max_bytes`` bounds the file as decompressed.
    """

    def __init__(self, path: Path, *, max_bytes: int = 8 * 1024**3) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._size = path.stat().st_size
        self._key: str | None = None
        self._stream = self._opened()

    @property
    def key(self) -> str:
        """The site's address without the scheme, so that a move to https makes no new site of it."""
        if self._key is None:
            self._key = self._read_key()
        return self._key

    @property
    def size(self) -> int:
        return self._size

    @property
    def position(self) -> int:
        return self._stream.position

    def items(self) -> Iterator[SourceItem]:
        self._stream = stream = self._opened()
        return _items(stream)

    def _opened(self) -> ElementStream:
        return ElementStream(self._path, max_bytes=self._max_bytes)

    def _read_key(self) -> str:
        with closing(_items(self._opened())) as items:
            return next(_site_key(item.url) for item in items if isinstance(item, SourceSite))


def _items(stream: ElementStream) -> Generator[SourceItem, None, None]:
    head: dict[str, str] = {}
    site: SourceSite | None = None
    try:
        for line, element in stream:
            if element.tag in _HEAD:
                head.setdefault(element.tag, text_of(element))
                continue
            if site is None:
                site = _site(head)
                yield site
            yield from items_of(element, line)
        if site is None:
            yield _site(head)
    except SourceError:
        if site is not None:
            yield from stream.faults()
        raise
    yield from stream.faults()


def _site(head: Mapping[str, str]) -> SourceSite:
    if not head.get("wp:wxr_version"):
        raise SourceError("The file is not a WordPress export: it has no wp:wxr_version.")
    site = site_of(head)
    if site is None:
        raise SourceError("The export doesn't say which site it is of.")
    return site


def _site_key(url: str) -> str:
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise SourceError("The export doesn't say which site it is of: its address is none.")
    return f"{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"

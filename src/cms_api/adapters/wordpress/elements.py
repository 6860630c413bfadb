"""The elements of a WXR file, one at a time.

WXR is RSS 2.0 with elements of WordPress's own. A file comes from outside and may be damaged or
hostile, so nothing is held that grows with it: elements leave as they end, what an import has no
use for is never built, and the rest has bounds.
"""

import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

# Only the builder: the parser is the defused one.
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from cms_api.domains.cms.imports.source import SourceError, SourceFault, SourceRefused

_CHUNK: Final = 64 * 1024
_MAX_ELEMENT: Final = 32 * 1024 * 1024
"""Characters in one item. A body in WordPress is at most 4 GiB, and at most a few MB in practice."""
_MAX_MARKUP: Final = 4 * 1024 * 1024
"""Bytes of one tag or comment, which the parser must hold, and read again with every chunk."""
_MAX_DEPTH: Final = 64
_CHANNEL_DEPTH: Final = 2
"""``<rss>``, then ``<channel>``."""
_IN_ITEM: Final = _CHANNEL_DEPTH + 2
"""The depth of an item's children."""
_ELEMENT_COST: Final = 200
"""About what an empty element takes, in characters."""

_GZIP: Final = b"\x1f\x8b"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_BEFORE_XML: Final = b"\xef\xbb\xbf \t\r\n"
_CONTROLS: Final = bytes({*range(0x20)} - {*b"\t\r\n"})
"""The bytes that XML 1.0 has no way to hold (section 2.2), and that WordPress exports all the same."""
_JUNK_AFTER_ROOT: Final = 9
"""XML_ERROR_JUNK_AFTER_DOC_ELEMENT of expat."""

_PREFIXES: Final = (
    (re.compile(r"https?://(?:www\.)?wordpress\.org/export/[\d.]+/?"), "wp:"),
    (re.compile(r"https?://(?:www\.)?wordpress\.org/export/[\d.]+/excerpt/?"), "excerpt:"),
    (re.compile(r"https?://purl\.org/rss/1\.0/modules/content/?"), "content:"),
    (re.compile(r"https?://purl\.org/dc/elements/1\.1/?"), "dc:"),
)

_TOP: Final = frozenset(
    "title link item wp:wxr_version wp:base_site_url wp:base_blog_url "  # noqa: SIM905 - reads better
    "wp:author wp:category wp:tag wp:term".split()
)
_WITHIN: Final = frozenset(
    "title link guid pubDate category dc:creator content:encoded excerpt:encoded "  # noqa: SIM905 - reads better
    "wp:author_login wp:author_email wp:author_display_name wp:author_first_name wp:author_last_name "
    "wp:category_nicename wp:category_parent wp:cat_name wp:category_description "
    "wp:tag_slug wp:tag_name wp:tag_description "
    "wp:term_id wp:term_taxonomy wp:term_slug wp:term_parent wp:term_name wp:term_description "
    "wp:post_id wp:post_date wp:post_date_gmt wp:post_modified wp:post_modified_gmt wp:post_name wp:status "
    "wp:post_parent wp:menu_order wp:post_type wp:post_password wp:is_sticky wp:attachment_url "
    "wp:postmeta wp:meta_key wp:meta_value wp:comment_status "
    "wp:comment wp:comment_id wp:comment_author wp:comment_author_email wp:comment_author_url "
    "wp:comment_date wp:comment_date_gmt wp:comment_content wp:comment_approved wp:comment_type "
    "wp:comment_parent wp:comment_user_id".split()
)
COMMENT: Final = "wp:comment"
POST_ID: Final = "wp:post_id"
"""Of an item; comments, which leave before their item does, have it as an attribute."""


class ElementStream:
    """One reading of a file, plain or compressed by gzip."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._channel = _Channel()
        self._removed = 0
        self._removed_line = 0
        self._junk_line = 0
        self._lines = 1
        self.position = 0
        """Bytes of the file read so far."""

    def __iter__(self) -> Iterator[tuple[int, Element]]:
        """The children of the channel that matter, each with its line, and apart from them comments.

        Names have their usual prefix, whichever the file has. Raises `SourceError` after the
        last one that could be read.
        """
        parser = DefusedXMLParser(target=self._channel, forbid_dtd=True)
        self._channel.parser = parser.parser
        with closing(self._chunks()) as chunks:
            more = True
            while more:
                error: SourceError | None = None
                try:
                    more = self._advance(parser, chunks)
                except SourceError as met:
                    error = met
                while self._channel.ready:
                    yield self._channel.ready.popleft()
                if error is not None:
                    raise error

    def faults(self) -> Iterator[SourceFault]:
        """What was wrong with the file as a whole and did no harm, once everything is read."""
        if self._removed:
            yield SourceFault(
                where=f"line {self._removed_line}",
                reason=f"{self._removed} control characters, the first of them here, were removed.",
            )
        if self._junk_line:
            yield SourceFault(
                where=f"line {self._junk_line}", reason="What follows the end of the export was left out."
            )

    def _advance(self, parser: Any, chunks: Iterator[bytes]) -> bool:
        """Parse the next chunk, or the end. Whether there is more."""
        chunk = next(chunks, None)
        try:
            if chunk is None:
                parser.close()
                return False
            parser.feed(chunk)
        except ParseError as error:
            if self._channel.finished and error.code == _JUNK_AFTER_ROOT:
                self._junk_line = error.position[0] + self._channel.lines_before
                return False
            raise self._unreadable(error, at_end=chunk is None) from error
        except DefusedXmlException as error:
            raise _refused(error) from error
        except (LookupError, ValueError) as error:
            raise SourceError("The file is in an encoding that can't be read.") from error
        self._channel.bound(len(chunk))
        return True

    def _unreadable(self, error: ParseError, *, at_end: bool) -> SourceError:
        line, column = error.position
        where = f"line {line + self._channel.lines_before}, column {column + 1}"
        reason = str(error).split(": line ")[0]
        if not self._channel.started:
            return SourceError(f"The file is not XML: {reason} at {where}.")
        if at_end:
            return SourceError(f"The file ends too early, at {where}: {reason}.")
        return SourceError(f"The file is broken at {where}: {reason}.")

    def _chunks(self) -> Generator[bytes, None, None]:
        """The bytes, decompressed and cleaned."""
        total = 0
        strips: bool | None = None
        with closing(self._decompressed()) as chunks:
            for chunk in chunks:
                total += len(chunk)
                if total > self._max_bytes:
                    raise SourceRefused(f"The export is larger than {self._max_bytes} bytes.")
                if strips is None:
                    strips = not chunk.startswith(_UTF16)
                if clean := self._cleaned(chunk) if strips else chunk:
                    yield clean

    def _decompressed(self) -> Generator[bytes, None, None]:
        with self._path.open("rb") as raw:
            compressed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            stream: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if compressed else raw
            try:
                while chunk := stream.read1(_CHUNK):
                    self.position = raw.tell()
                    yield chunk
            except (EOFError, zlib.error, gzip.BadGzipFile) as cause:
                raise SourceError(
                    f"The compressed file is damaged or cut short, at line {self._lines}."
                ) from cause
            self.position = raw.tell()

    def _cleaned(self, chunk: bytes) -> bytes:
        if not self._channel.fed:
            whole, chunk = chunk, chunk.lstrip(_BEFORE_XML)
            self._channel.fed = bool(chunk)
            skipped = whole.count(b"\n", 0, len(whole) - len(chunk))
            self._channel.lines_before += skipped
            self._lines += skipped
        clean = chunk.translate(None, _CONTROLS)
        if len(clean) < len(chunk):
            if not self._removed:
                first = next(at for at, byte in enumerate(chunk) if byte in _CONTROLS)
                self._removed_line = self._lines + chunk.count(b"\n", 0, first)
            self._removed += len(chunk) - len(clean)
        self._lines += clean.count(b"\n")
        return clean


class _Channel:
    """Builds the children of the channel from the parser's events, and lets everything else pass."""

    def __init__(self) -> None:
        self.parser: Any = None
        self.ready: deque[tuple[int, Element]] = deque()
        self.started = self.finished = self.fed = False
        self.lines_before = 0
        self._depth = 0
        self._line = 0
        self._builder: TreeBuilder | None = None
        self._post_id = ""
        self._item: tuple[TreeBuilder, int, int] | None = None
        """The builder of the item in which a comment is being built, its line and its size."""
        self._comments: list[tuple[int, Element]] = []
        """Comments that came before the id of their item."""
        self._skipped_from: int | None = None
        self._size = 0
        self._heard = False
        self._silent = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._heard = True
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise SourceRefused(f"Elements are nested too deeply at line {self._here()}.")
        if self._skipped_from is not None:
            return
        name = _name(tag)
        if not self._wanted(name):
            self._skipped_from = self._depth
        elif self._depth > _CHANNEL_DEPTH:
            builder = self._builder
            if builder is None:
                builder, self._post_id = self._begin(), ""
            elif name == COMMENT and self._depth == _IN_ITEM:
                self._item = builder, self._line, self._size
                builder = self._begin()
            builder.start(name, dict(attributes))
            self._hold(_ELEMENT_COST + sum(len(key) + len(value) for key, value in attributes.items()))

    def data(self, text: str) -> None:
        """Text, or a part of it."""
        self._heard = True
        if self._builder is not None and self._skipped_from is None:
            self._builder.data(text)
            self._hold(len(text))

    def end(self, tag: str) -> None:
        """An element ends."""
        self._heard = True
        self._depth -= 1
        if self._skipped_from is not None:
            if self._depth < self._skipped_from:
                self._skipped_from = None
        elif self._builder is not None:
            element = self._builder.end(_name(tag))
            if self._depth == _CHANNEL_DEPTH:
                self._end_item(self._builder.close())
            elif self._depth == _IN_ITEM - 1 and self._item is not None:
                self._end_comment(self._builder.close(), *self._item)
            elif self._depth == _IN_ITEM - 1 and element.tag == POST_ID and not self._post_id:
                self._post_id = "".join(element.itertext()).strip()
        self.finished = self._depth == 0

    def close(self) -> None:
        """The file ends."""

    def bound(self, fed: int) -> None:
        """Refuse where the parser has been fed too much without an event."""
        self._silent = 0 if self._heard else self._silent + fed
        self._heard = False
        if self._silent > _MAX_MARKUP:
            raise SourceRefused(f"A tag or comment is longer than {_MAX_MARKUP} bytes.")

    def _begin(self) -> TreeBuilder:
        self._builder = builder = TreeBuilder()
        self._line, self._size = self._here(), 0
        return builder

    def _end_item(self, item: Element) -> None:
        self.ready.append((self._line, item))
        for line, comment in self._comments:
            comment.set(POST_ID, self._post_id)
            self.ready.append((line, comment))
        self._comments.clear()
        self._builder = None

    def _end_comment(self, comment: Element, item: TreeBuilder, item_line: int, item_size: int) -> None:
        """Let a comment go, so that an item takes no memory for each; go on with the item."""
        line, size = self._line, self._size
        self._builder, self._line, self._size = item, item_line, item_size
        self._item = None
        if self._post_id:
            comment.set(POST_ID, self._post_id)
            self.ready.append((line, comment))
        else:
            self._comments.append((line, comment))
            self._hold(size)

    def _wanted(self, name: str) -> bool:
        if self._depth == 1:
            self.started = True
            if name != "rss":
                raise SourceError(f"The file is not a WordPress export: it is <{name[:40]}>, not <rss>.")
            return True
        if self._depth == _CHANNEL_DEPTH:
            return name == "channel"
        return name in (_TOP if self._builder is None else _WITHIN)

    def _hold(self, size: int) -> None:
        self._size += size
        if self._size > _MAX_ELEMENT:
            raise SourceRefused(f"The item at line {self._line} is larger than {_MAX_ELEMENT} characters.")

    def _here(self) -> int:
        return int(self.parser.CurrentLineNumber) + self.lines_before


@lru_cache(maxsize=1024)
def _name(tag: str) -> str:
    """``{namespace}name`` with the usual prefix for the namespace, whatever its version."""
    if not tag.startswith("{"):
        return tag
    namespace, _, name = tag[1:].rpartition("}")
    return next((prefix + name for known, prefix in _PREFIXES if known.fullmatch(namespace)), tag)


def _refused(error: DefusedXmlException) -> SourceRefused:
    name = str(getattr(error, "name", ""))[:40]
    return SourceRefused(
        f"The file declares a document type, “{name}”. No WordPress export has one, and it could"
        " define entities or name other files; none is ever read."
    )

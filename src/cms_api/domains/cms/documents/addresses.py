"""Delivered texts with the addresses of this moment in place of `cms://` ones."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from cms_api.domains.cms.documents.mentions import MARK, MARKED, MENTION, SCHEME, without_links
from cms_api.domains.cms.documents.rendering import BodyFormat

# What a path may have as it is (RFC 3986, section 3.3), and what other addresses may have beside.
_SAFE = "/!$&'()*+,;=:@~"
_SAFE_ADDRESS = f"{_SAFE}?#[]%"
# An id of nobody: that some of the texts are from before addresses were marked.
UNMARKED = str(UUID(int=0))
_ANY = re.compile(f"{MARK}?{MENTION.pattern}")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')


def spelt(url: str) -> str:
    """A path or an address as it is written in texts: in ASCII, with what else it has percent-encoded."""
    return quote(url, safe=_SAFE if url.startswith("/") else _SAFE_ADDRESS)


def addressed(json: str, addresses: str, format: BodyFormat) -> str:
    """JSON text with what it mentions replaced by ``addresses``, JSON of paths by ids.

    What has none is not there for readers: of its link the words stay, an image goes. Only the
    strings that mention something are decoded, all else stays as it is, byte by byte. With `UNMARKED`
    among the ids, whatever looks like an address of ours is taken for one.
    """
    if SCHEME not in json:
        return json
    known: Mapping[str, str] = msgspec.json.decode(addresses)
    sign, pattern = (f"{SCHEME}://", _ANY) if UNMARKED in known else (MARK, MARKED)
    if sign not in json:
        return json

    def replaced(match: re.Match[str]) -> str:
        if sign not in match[0]:
            return match[0]
        text: Any = msgspec.json.decode(match[0])
        return msgspec.json.encode(_in_place(text, known, format, pattern)).decode()

    return _STRING.sub(replaced, json)


def _in_place(text: str, known: Mapping[str, str], format: BodyFormat, pattern: re.Pattern[str]) -> str:
    """A text with its mentions replaced by paths, or their links undone."""
    lost = {match[0] for match in pattern.finditer(text) if not known.get(match[2].lower())}
    if lost:
        text = without_links(text, "markdown" if format == "markdown" else "html", lost)
    return pattern.sub(lambda match: spelt(known.get(match[2].lower()) or ""), text)

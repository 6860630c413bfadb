"""What texts point at: `cms://document/<id>` and the like, in HTML and Markdown alike.

In what was rendered for readers such an address has a `MARK` before it, so that whoever puts the
address of the moment in its place needs no look at what is around it: words that only look like one,
in code say, have none.
"""

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal, cast
from uuid import UUID

from cms_api.domains.cms.documents.markup import each_address, each_candidate

if TYPE_CHECKING:
    from cms_api.domains.cms.documents.content import TargetKind

SCHEME = "cms"

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_WRITTEN = rf"{SCHEME}://(author|category|tag|media|document)/({_UUID})"
MENTION = re.compile(rf"\b{_WRITTEN}")
# No character of any text (Unicode, section 23.7: noncharacters are for internal use).
MARK = "\ufdd0"
MARKED = re.compile(f"{MARK}{MENTION.pattern}")
# Also where it would become a mention only once what stands before it is taken away.
_ADDRESS = re.compile(f"{MARK}?{_WRITTEN}")
# A link whose words are its address, as `<cms://document/…>` in Markdown makes it.
_BARE = re.compile(rf'(<a [^<>]*href="{MARK}({MENTION.pattern}[^"]*)"[^<>]*>)\2</a>')
# The shortest spellings of links and images; what is none of them keeps its words, and loses the
# address only. None looks further than to the next bracket or quote, so that all that begin and don't
# end take no longer than as many that do.
_ANCHOR_TAG = re.compile(r"(<a\b[^<>]*>|</a\s*>)", re.IGNORECASE)
_HREF = re.compile(rf"""\b(?i:href)\s*=\s*["']?({_ADDRESS.pattern})""")
_IMAGE_TAG = re.compile(r"<(?:img|source)\b[^<>]*>", re.IGNORECASE)
_SRC = re.compile(rf"""\b(?i:src)\s*=\s*["']?({_ADDRESS.pattern})""")
_SRCSET = re.compile(r"""(?<!\s)\s+srcset\s*=\s*(["'])(.*?)\1""", re.IGNORECASE | re.DOTALL)
_MARKDOWN_IMAGE = re.compile(rf"!\[[^\[\]]*\]\(({_ADDRESS.pattern})[^()]*\)")
_MARKDOWN_LINK = re.compile(rf"\[(?P<words>[^\[\]]*)\]\((?P<address>{_ADDRESS.pattern})[^()]*\)")


def mentioned(text: str) -> Iterator[tuple["TargetKind", UUID]]:
    """What a text points at, in its order, each once."""
    if f"{SCHEME}://" not in text:
        return
    seen = dict.fromkeys((kind, UUID(target)) for kind, target in MENTION.findall(text))
    for kind, target in seen:
        yield cast("TargetKind", kind), target


def marked(html: str) -> str:
    """Sanitised HTML with a `MARK` before each address of ours: in attributes, and where it is a link's words."""
    html = html.replace(MARK, "")
    if f"{SCHEME}://" not in html:
        return html
    html = each_address(html, lambda url: f"{MARK}{url.strip()}" if MENTION.match(url.strip()) else url)
    return _BARE.sub(rf"\g<1>{MARK}\g<2></a>", html)


def targets_of(rendered: Iterable[str]) -> frozenset[UUID]:
    """All that rendered texts point at, whatever it is."""
    return frozenset(UUID(target) for text in rendered for _, target in MARKED.findall(text))


def unlinked(text: str, format: Literal["html", "markdown"], gone: Collection[UUID]) -> str:
    """The text without links to ``gone``: their words stay, their images go."""
    addresses = {match[0] for match in _ADDRESS.finditer(text) if UUID(match[2]) in gone}
    if not addresses:
        return text
    text = without_links(text, format, addresses)
    return _ADDRESS.sub(lambda match: "" if match[0] in addresses else match[0], text)


def without_links(text: str, format: Literal["html", "markdown"], addresses: Collection[str]) -> str:
    """The text without links to ``addresses``, as they are written in it; where they are no link, they stay.

    Takes time in proportion to the text, whatever is in it.
    """
    if format == "markdown":
        text = _MARKDOWN_IMAGE.sub(lambda match: "" if match[1] in addresses else match[0], text)
        text = _MARKDOWN_LINK.sub(
            lambda match: match["words"] if match["address"] in addresses else match[0], text
        )
    text = _without_anchors(text, addresses)
    text = _IMAGE_TAG.sub(lambda match: "" if _has(_SRC, match[0], addresses) else match[0], text)
    return _SRCSET.sub(partial(_srcset_without, addresses), text)


def _without_anchors(text: str, addresses: Collection[str]) -> str:
    """The text without the tags of such links. The first one that is open ends first; one without an end stays."""
    parts = _ANCHOR_TAG.split(text)
    open_at = deque[int]()
    for at in range(1, len(parts), 2):
        if not parts[at].startswith("</"):
            if _has(_HREF, parts[at], addresses):
                open_at.append(at)
        elif open_at:
            parts[open_at.popleft()] = parts[at] = ""
    return "".join(parts)


def _has(attribute: re.Pattern[str], tag: str, addresses: Collection[str]) -> bool:
    return any(match[1] in addresses for match in attribute.finditer(tag))


def _srcset_without(addresses: Collection[str], match: re.Match[str]) -> str:
    if not any(found[0] in addresses for found in _ADDRESS.finditer(match[2])):
        return match[0]
    left = each_candidate(match[2], lambda url: None if _begins(url, addresses) else url)
    return f" srcset={match[1]}{left}{match[1]}" if left else ""


def _begins(url: str, addresses: Collection[str]) -> bool:
    found = _ADDRESS.match(url)
    return found is not None and found[0] in addresses

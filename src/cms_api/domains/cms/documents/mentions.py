"""What texts point at: `cms://document/<id>` and the like, in HTML and Markdown alike.

In what was rendered for readers such an address has a `MARK` before it, so that whoever puts the
address of the moment in its place needs no look at what is around it: words that only look like one,
in code say, have none.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal, cast
from uuid import UUID

from cms_api.domains.cms.documents.markup import each_address, each_candidate

if TYPE_CHECKING:
    from cms_api.domains.cms.documents.content import TargetKind

SCHEME = "cms"

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
MENTION = re.compile(rf"\b{SCHEME}://(author|category|tag|media|document)/({_UUID})")
# No character of any text (Unicode, section 23.7: noncharacters are for internal use).
MARK = "\ufdd0"
MARKED = re.compile(f"{MARK}{MENTION.pattern}")
# A link whose words are its address, as `<cms://document/…>` in Markdown makes it.
_BARE = re.compile(rf'(<a [^<>]*href="{MARK}({MENTION.pattern}[^"]*)"[^<>]*>)\2</a>')
# The shortest spellings of links and images around one address; what is none of them keeps its
# words, and loses the address only.
_ANCHOR = r'<a\b[^<>]*\bhref\s*=\s*["\']?{}["\']?[^<>]*>(?P<words>.*?)</a\s*>'
_SRCSET = re.compile(r"""\s+srcset\s*=\s*(["'])(.*?)\1""", re.IGNORECASE | re.DOTALL)
_IMAGE = r'<(?:img|source)\b[^<>]*\bsrc\s*=\s*["\']?{}["\']?[^<>]*>'
_MARKDOWN_IMAGE = r"!\[[^\[\]]*\]\({}[^()]*\)"
_MARKDOWN_LINK = r"\[(?P<words>[^\[\]]*)\]\({}[^()]*\)"


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
    addresses = {match[0] for match in MENTION.finditer(text) if UUID(match[2]) in gone}
    return without(text, format, addresses)


def without(text: str, format: Literal["html", "markdown"], addresses: Collection[str]) -> str:
    """The text without links to ``addresses``, as they are written in it."""
    for address in addresses:
        held = re.escape(address)
        if format == "markdown":
            text = re.sub(_MARKDOWN_IMAGE.format(held), "", text)
            text = re.sub(_MARKDOWN_LINK.format(held), r"\g<words>", text)
        text = re.sub(_ANCHOR.format(held), r"\g<words>", text, flags=re.DOTALL | re.IGNORECASE)
        text = re.sub(_IMAGE.format(held), "", text, flags=re.IGNORECASE)
        text = _SRCSET.sub(partial(_srcset_without, address), text)
        text = text.replace(address, "")
    return text


def _srcset_without(address: str, match: re.Match[str]) -> str:
    if address not in match[2]:
        return match[0]
    left = each_candidate(match[2], lambda url: None if url.startswith(address) else url)
    return f" srcset={match[1]}{left}{match[1]}" if left else ""

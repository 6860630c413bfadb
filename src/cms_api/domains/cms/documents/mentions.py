"""What texts point at: `cms://document/<id>` and the like, in HTML and Markdown alike."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, cast
from uuid import UUID

if TYPE_CHECKING:
    from cms_api.domains.cms.documents.content import TargetKind

SCHEME = "cms"

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
MENTION = re.compile(rf"\b{SCHEME}://(author|category|tag|media|document)/({_UUID})")
# The shortest spellings of links and images around one address; what is none of them keeps its
# words, and loses the address only.
_ANCHOR = r'<a\b[^<>]*\bhref\s*=\s*["\']?{}["\']?[^<>]*>(?P<words>.*?)</a\s*>'
_IMAGE = r'<(?:img|source)\b[^<>]*\bsrc\s*=\s*["\']?{}["\']?[^<>]*>'
_MARKED_IMAGE = r"!\[[^\[\]]*\]\({}[^()]*\)"
_MARKED = r"\[(?P<words>[^\[\]]*)\]\({}[^()]*\)"


def mentioned(text: str) -> Iterator[tuple["TargetKind", UUID]]:
    """What a text points at, in its order, each once."""
    if f"{SCHEME}://" not in text:
        return
    seen = dict.fromkeys((kind, UUID(target)) for kind, target in MENTION.findall(text))
    for kind, target in seen:
        yield cast("TargetKind", kind), target


def targets_of(texts: Iterable[str]) -> frozenset[UUID]:
    """All that texts point at, whatever it is."""
    return frozenset(target for text in texts for _, target in mentioned(text))


def unlinked(text: str, format: Literal["html", "markdown"], gone: Collection[UUID]) -> str:
    """The text without links to ``gone``: their words stay, their images go."""
    for address in {match[0] for match in MENTION.finditer(text) if UUID(match[2]) in gone}:
        held = re.escape(address)
        if format == "markdown":
            text = re.sub(_MARKED_IMAGE.format(held), "", text)
            text = re.sub(_MARKED.format(held), r"\g<words>", text)
        text = re.sub(_ANCHOR.format(held), r"\g<words>", text, flags=re.DOTALL | re.IGNORECASE)
        text = re.sub(_IMAGE.format(held), "", text, flags=re.IGNORECASE)
        text = text.replace(address, "")
    return text

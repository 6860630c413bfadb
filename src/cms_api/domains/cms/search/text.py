"""What of a document is searched."""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

# How much a match counts, beginning with what counts most.
Weight = Literal["high", "medium", "low", "lowest"]

# A tsvector holds a megabyte (PostgreSQL manual, section 12.11), a word more of it than of the text.
MAX_BYTES = 200_000
# What looks like one long address or path takes PostgreSQL's parser time by the square of its length:
# there is a space in it, behind a word, each so many characters.
_UNBROKEN = re.compile(r"\S{250}[^\W_]*+")


class SearchText(msgspec.Struct, frozen=True, kw_only=True):
    """Plain text, by how much a match in it counts. ``title`` counts as ``high``, and names it in results.

    All texts together have at most `MAX_BYTES` in UTF-8 where `of` made them.
    """

    title: str
    high: str = ""
    medium: str = ""
    low: str = ""
    lowest: str = ""

    @classmethod
    def of(cls, title: str, texts: Iterable[tuple[Weight, str]]) -> "SearchText":
        """The text made of parts; what is beyond the bound is left out, beginning with the last ones."""
        room = MAX_BYTES
        title, room = _cut(title, room)
        parts: dict[Weight, list[str]] = {}
        for weight, text in texts:
            kept, room = _cut(text, room)
            if kept:
                parts.setdefault(weight, []).append(kept)
        return cls(title=title, **{weight: "\n".join(one) for weight, one in parts.items()})

    @property
    def body(self) -> str:
        """All but the title: what snippets are made of."""
        return "\n".join(part for part in (self.high, self.medium, self.low, self.lowest) if part)


def _cut(text: str, room: int) -> tuple[str, int]:
    """The text without control characters or endless words, as much as there is room for, and the room that is left."""
    clean = _UNBROKEN.sub(r"\g<0> ", text.translate(_BLANK))
    encoded = clean.encode(errors="replace")
    if len(encoded) > room:
        clean = encoded[:room].decode(errors="ignore")
    return clean, max(0, room - len(encoded))


# PostgreSQL takes no U+0000; two of the others are what marks matches on the way.
_BLANK = dict.fromkeys((*range(32), 127), " ")

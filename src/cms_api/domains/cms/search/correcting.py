"""Misspelt words: which may be replaced, and by what."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

# Shorter words have too many neighbours; whoever excludes a word means that one.
MIN_LENGTH = 4
MAX_WORDS = 8
_WORD = re.compile(r"(?<![\w'’-])[^\W\d_]+(?![\w'’-])")


def doubtful(query: str, *, is_prefix: bool) -> list[str]:
    """The words of a query that may be misspelt, each once, `MAX_WORDS` at most."""
    return list(dict.fromkeys(found[0].lower() for found in _words(query, is_prefix=is_prefix)))[:MAX_WORDS]


def corrected(query: str, alternatives: Mapping[str, Sequence[str]], *, is_prefix: bool) -> str | None:
    """The query with the nearest alternatives in place of words; None where nothing is near."""
    parts, end, better = list[str](), 0, False
    for found in _words(query, is_prefix=is_prefix):
        chosen = nearest(found[0].lower(), alternatives.get(found[0].lower(), ()))
        if chosen is not None:
            parts += [query[end : found.start()], chosen]
            end, better = found.end(), True
    return "".join([*parts, query[end:]]) if better else None


def nearest(word: str, candidates: Sequence[str]) -> str | None:
    """The candidate that is the fewest mistakes away: one at most in up to five letters, else two.

    Accents are none: words are found without them.
    """
    allowed = 1 if len(word) <= 5 else 2  # noqa: PLR2004 - said in the line above
    plain = _unaccented(word)
    distances = [(distance(plain, _unaccented(one)), place) for place, one in enumerate(candidates)]
    best, place = min(distances, default=(allowed + 1, 0))
    return candidates[place] if best <= allowed else None


def _unaccented(word: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", word) if not unicodedata.combining(one))


def distance(one: str, other: str) -> int:
    """Letters put in, left out, replaced, or in the place of a neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _words(query: str, *, is_prefix: bool) -> Iterator[re.Match[str]]:
    for found in _WORD.finditer(query):
        is_begun = is_prefix and not query[found.end() :].strip()
        if len(found[0]) >= MIN_LENGTH and not is_begun:
            yield found

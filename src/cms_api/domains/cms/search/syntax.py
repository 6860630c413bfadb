"""What readers type, in one form: words, phrases, exclusions, and `or` between two of them."""

import re
from collections.abc import Iterator

# More than anybody means; each of them is looked up.
MAX_TERMS = 40
_TERM = re.compile(r'(-*)(?:"([^"]*)"|([^\s"]+))')
_WORD = re.compile(r"\w")


def canonical(query: str) -> str:
    """The query without what says nothing: dashes and quotes around no word, `or` beside none, what is said twice.

    PostgreSQL's own parser takes any text, but gives up on long rows of operators, and looks for
    each word that is repeated at each place that another one of them has.
    """
    kept: list[str] = []
    for term in _terms(query):
        if term == "or" and (not kept or kept[-1] == "or"):
            continue
        kept.append(term)
        if len(kept) == MAX_TERMS:
            break
    if kept and kept[-1] == "or":
        kept.pop()
    if "or" not in kept:
        # The last one stays where it is: it may be the beginning of a word.
        kept = [*{term.lower(): term for term in reversed(kept)}.values()][::-1]
    return " ".join(kept)


def _terms(query: str) -> Iterator[str]:
    for found in _TERM.finditer(query):
        dash, phrase, word = "-" if found[1] else "", found[2], found[3]
        text = phrase if phrase is not None else word
        if not _WORD.search(text):
            continue
        if phrase is None and word.lower() == "or":
            yield "or"
        else:
            yield f'{dash}"{phrase.strip()}"' if phrase is not None else f"{dash}{word}"

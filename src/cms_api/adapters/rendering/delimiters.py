"""Marks of Markdown, put where CommonMark reads them as marks whatever stands beside them.

While a document is converted its marks, breaks and lists are surrogates, which no text has (Unicode,
section 3.8): only at its end is known what their neighbours are.
"""

import re
from unicodedata import category

BREAK = "\ud800"
EMPHASIS, STRONG, DELETED, CODE, LINK = (
    ("\ud801", "\ud802"), ("\ud803", "\ud804"), ("\ud805", "\ud806"), ("\ud807", "\ud808"), ("\ud809", "\ud80a"),
)  # fmt: skip
# Behind the target of a link.
TARGET_END = "\ud80b"
BULLETS, NUMBERS = ("\ud80c", "\ud80d"), ("\ud80e", "\ud80f")
# What is moved out of marks, and off the ends of blocks.
BLANKS = BREAK + "".join(one for one in map(chr, range(0x3001)) if one.isspace())

TOKEN = re.compile(f"({BREAK}\n?|[\ud801-\ud809]|\ud80a[^{TARGET_END}]*{TARGET_END})")
# How each is written: delimiters, else HTML.
_WRITTEN = {
    EMPHASIS[0]: ("*", "<em>"), EMPHASIS[1]: ("*", "</em>"),
    STRONG[0]: ("**", "<strong>"), STRONG[1]: ("**", "</strong>"),
    DELETED[0]: ("~~", "<del>"), DELETED[1]: ("~~", "</del>"),
}  # fmt: skip
_MERGED = dict((EMPHASIS, STRONG, DELETED, CODE))
_OPENING = frozenset(opening for opening, _ in (EMPHASIS, STRONG, DELETED))
_BACKTICKS = re.compile("`+")
# Lines of breaks, and what follows where it is no words: of quotes and items lines have their signs.
_MARGIN = r"(?:[^\S\n]|>)*"
_BREAKS = re.compile(
    rf"{BREAK}(?:\n{_MARGIN}{BREAK})*+(?P<end>\n?+{_MARGIN}(?:[{BULLETS[0]}{NUMBERS[0]}]|\n|\Z))?"
)
_NEIGHBOURS = re.compile(
    rf"{BULLETS[1]}((?:\n{_MARGIN})+){BULLETS[0]}|{NUMBERS[1]}((?:\n{_MARGIN})+){NUMBERS[0]}"
)
_LEFT = re.compile("[\ud800-\ud80f]")


def delimited(text: str) -> str:
    """Markdown with its marks, breaks and lists written.

    Neighbours that are marked alike are one. What is no delimiter where it stands (CommonMark 0.31,
    section 6.2) is HTML. Breaks at the end of a block go. A comment parts neighbouring lists (section 5.3).
    """
    text = _BREAKS.sub(_broken, _marks_written(text))
    return _LEFT.sub("", _NEIGHBOURS.sub(_parted, text))


def _broken(match: re.Match[str]) -> str:
    end: str | None = match["end"]
    return match[0].replace(BREAK, "\\") if end is None else end


def _parted(match: re.Match[str]) -> str:
    _, *empty, margin = (match[1] or match[2]).split("\n")
    if any(line.rstrip() != margin.rstrip() for line in empty):
        return match[0]  # they are in quotes of their own
    return f"\n{margin.rstrip()}\n{margin}<!-- -->\n{margin.rstrip()}\n{margin}"


def _marks_written(text: str) -> str:
    tokens: list[str] = []
    for token in filter(None, TOKEN.split(text)):
        if tokens and tokens[-1] == _MERGED.get(token):
            tokens.pop()
        else:
            tokens.append(token)
    mates = _mates_of(tokens)
    written = [_WRITTEN[token][0] if token in _WRITTEN else token for token in tokens]
    pending = list(mates)
    while pending:
        place = pending.pop()
        if written[place][0] != "<" and not _is_delimiter(tokens, written, mates, place):
            for one in (place, mates[place]):
                written[one] = _WRITTEN[tokens[one]][1]
                # A run of delimiters has two at most on each side: emphasis and strong.
                pending += [near for near in range(one - 2, one + 3) if near in mates]
    return "".join(_joined(tokens, written))


def _mates_of(tokens: list[str]) -> dict[int, int]:
    """The places of marks, each with that of its other end."""
    mates: dict[int, int] = {}
    opened: list[int] = []
    for place, token in enumerate(tokens):
        if token in _OPENING:
            opened.append(place)
        elif token in _WRITTEN:
            mates[place] = begin = opened.pop()
            mates[begin] = place
    return mates


def _is_delimiter(tokens: list[str], written: list[str], mates: dict[int, int], place: int) -> bool:
    """Whether what is written opens, or closes, as its mark does."""
    sign, is_opening = written[place][0], tokens[place] in _OPENING
    first = last = place
    while first and tokens[first - 1] in _WRITTEN and written[first - 1][0] == sign:
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1] in _WRITTEN and written[last + 1][0] == sign:
        last += 1
    if (tokens[first] in _OPENING) != (tokens[last] in _OPENING):
        return not is_opening  # one of both gives way, and the other is looked at again
    if is_opening and first < place and mates[first] != mates[place] + 1:
        return False  # of three signs the last one could be closed by what begins in between
    before = _end(written[first - 1]) if first else "\n"
    behind = _beginning(written[last + 1]) if last + 1 < len(written) else "\n"
    inside, outside = (behind, before) if is_opening else (before, behind)
    if inside.isspace():
        return False
    # Symbols are punctuation since CommonMark 0.31: nothing is built on what they are.
    return category(inside)[0] not in "PS" or outside.isspace() or _is_punctuation(outside)


def _end(written: str) -> str:
    if written == CODE[1]:
        return "`"
    return ")" if written[-1] == TARGET_END else written[-1]


def _beginning(written: str) -> str:
    if written[0] == CODE[0]:
        return "`"
    return {LINK[0]: "[", LINK[1]: "]", BREAK: "\\"}.get(written[0], written[0])


def _is_punctuation(character: str) -> bool:
    return category(character)[0] == "P" or (character.isascii() and category(character)[0] == "S")


def _joined(tokens: list[str], written: list[str]) -> list[str]:
    parts: list[str] = []
    begin = 0
    for place, token in enumerate(tokens):
        if token == CODE[0]:
            begin = len(parts)
        elif token == CODE[1]:
            parts[begin:] = [_span("".join(parts[begin:]))]
        elif token == LINK[0]:
            if parts and parts[-1].endswith("!"):
                parts[-1] = f"{parts[-1][:-1]}\\!"  # a link, and no image
            parts.append("[")
        else:
            parts.append(token[1:-1] if token[0] == LINK[1] else written[place])
    return parts


def _span(words: str) -> str:
    """A span of code; no run of backticks in it is as long as those around it."""
    runs = _BACKTICKS.findall(words)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    return f"{fence} {words} {fence}" if runs else f"{fence}{words}{fence}"

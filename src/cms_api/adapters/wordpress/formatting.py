"""What WordPress does to text between its tables and the reader, as far as an import needs it.

Exports hold what editors typed, not what readers saw: classic content has blank lines where
readers saw paragraphs. Every function here takes time in proportion to its input, whatever that is.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

# A tag ends at the first ">", quoted or not, as it does in WordPress's own splitting; a comment
# that is never closed goes on to the end, as it does in a browser.
_MARKUP = re.compile(r"<!--(?:.*?-->|.*\Z)|</?([a-zA-Z][a-zA-Z0-9:-]*)[^<>]*>", re.DOTALL)
_BLOCK_COMMENT = re.compile(r"<!--\s+/?wp:")
_HAS_BLOCKS = re.compile(r"<!--\s+wp:")
_BREAK_COMMENT = re.compile(r"<!--\s*(?:more|nextpage)\b")
_BLANK_LINES = re.compile(r"\n[ \t]*\n[ \t\n]*")
_CAPTION = re.compile(r"\[caption\b([^\[\]]*)\]")
_CAPTION_END = "[/caption]"
_CAPTION_TEXT = re.compile(r"""\bcaption=(?:"([^"]*)"|'([^']*)')""")
_IMAGE = re.compile(r"\s*((?:<a\s[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?)", re.IGNORECASE)

_BLOCKS = frozenset(
    "address article aside audio blockquote center details dialog div dl fieldset figure footer form "  # noqa: SIM905 - reads better
    "h1 h2 h3 h4 h5 h6 header hgroup hr iframe main map menu nav noscript object ol p pre script section "
    "select style svg table template textarea ul video".split()
)
_VERBATIM = {
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "textarea", "iframe")
}
_SHOWN = frozenset({"br", "button", "embed", "img", "input"})
"""Inline elements that are something to see without any text."""

_LINES = frozenset({"br", "li", "dt", "dd", "tr"})
"""Elements that begin a line, or end one."""
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)

_SPACE = " \t\n\f"


def plain(text: str) -> str:
    """A line of text: no tags, entities decoded, whitespace collapsed."""
    shown = "".join(token for token, name in _tokens(text) if name is None and not token.startswith("<!--"))
    return " ".join(html.unescape(shown).split())


def lines(content: str) -> str:
    """Text of several lines: paragraphs apart, no tags, entities decoded.

    Where a link says something else than its address, that stands behind it in brackets.
    """
    text = _Lines()
    for token, name in _tokens(content.replace("\r\n", "\n").replace("\r", "\n")):
        if name is not None:
            text.tag(token, name)
        elif not token.startswith("<!--"):
            text.add(html.unescape(token))
    return text.whole()


def formatted(content: str) -> str:
    """The HTML of a body as WordPress would show it, with shortcodes other than captions left as text."""
    return paragraphs(captions(content))


def captions(content: str) -> str:
    """``[caption …]<img …> text[/caption]``, or with a ``caption`` attribute, made a ``<figure>``."""
    parts: list[str] = []
    at = 0
    while (opening := _CAPTION.search(content, at)) and (
        end := content.find(_CAPTION_END, opening.end())
    ) >= 0:
        for later in _CAPTION.finditer(content, opening.end(), end):
            opening = later  # the earlier one was never closed
        after = end + len(_CAPTION_END)
        figure = _figure(opening[1], content[opening.end() : end])
        parts += content[at : opening.start()], figure or content[opening.start() : after]
        at = after
    return "".join([*parts, content[at:]])


def paragraphs(content: str) -> str:
    """Text between blank lines made paragraphs, and single newlines ``<br />``.

    Block-level elements, existing paragraphs among them, stay as they are with all that is in
    them. Content of the block editor has its paragraphs already and only loses the comments
    that delimit its blocks.
    """
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    if _HAS_BLOCKS.search(content):
        return _without_block_comments(content)
    return "\n".join(_laid_out(content))


def _figure(attributes: str, inner: str) -> str | None:
    image = _IMAGE.match(inner)
    if image is None:
        return None
    given = _CAPTION_TEXT.search(attributes)
    text = inner[image.end() :].strip()
    if not text and given:
        text = (given[1] or given[2] or "").strip()
    return f"<figure>{image[1]}{f'<figcaption>{text}</figcaption>' if text else ''}</figure>"


def _without_block_comments(content: str) -> str:
    parts: list[str] = []
    for token, _name in _tokens(content):
        if _BLOCK_COMMENT.match(token):
            continue
        # Where a comment stood alone, one of the line breaks around it is enough.
        kept = token.lstrip("\n") if parts and parts[-1].endswith("\n") else token
        if kept:
            parts.append(kept)
    return "".join(parts).strip(_SPACE)


def _tokens(content: str) -> Iterator[tuple[str, str | None]]:
    """Text and comments, which have no name, and tags, named in lower case, closing ones with a slash.

    The content of scripts and their like is part of their opening tag.
    """
    at = 0
    while found := _MARKUP.search(content, at):
        if found.start() > at:
            yield content[at : found.start()], None
        name = found[1] and found[1].lower()
        at = found.end()
        if name is not None and content[found.start() + 1] == "/":
            name = f"/{name}"
        elif name in _VERBATIM:
            closing = _VERBATIM[name].search(content, at)
            at = closing.start() if closing else len(content)
        yield content[found.start() : at], name
    if at < len(content):
        yield content[at:], None


class _Lines:
    """Text as it is put together of what stands between tags."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._href = ""
        self._link: list[str] = []

    def add(self, text: str) -> None:
        if self._parts and self._parts[-1].endswith("\n"):
            text = text.lstrip(_SPACE)  # a line that is begun already
        if text:
            self._parts.append(text)
        if text and self._href:
            self._link.append(text)

    def tag(self, token: str, name: str) -> None:
        bare = name.lstrip("/")
        if bare == "a":
            self._end_link()
            found = _HREF.search(token) if name == "a" else None
            self._href = html.unescape(next(filter(None, found.groups()), "")) if found else ""
        elif bare in _LINES:
            self._break("\n")
            self.add("- " if name == "li" else "")
        elif bare in _BLOCKS:
            self._break("\n\n")

    def whole(self) -> str:
        self._end_link()
        return "".join(self._parts).strip()

    def _end_link(self) -> None:
        href, said = self._href, "".join(self._link)
        if href.startswith(("http://", "https://")) and href.split("://", 1)[1].rstrip("/") not in said:
            self._parts.append(f" ({href})")
        self._href = ""
        self._link.clear()

    def _break(self, wanted: str) -> None:
        """Begin a new line, or paragraph, unless there is one."""
        while self._parts:
            text = self._parts.pop()
            kept = text.rstrip(_SPACE)
            wanted = max(wanted, "\n" * min(2, text.count("\n", len(kept))), key=len)
            if kept:
                self._parts += kept, wanted
                return


class _OpenBlocks:
    """The block-level elements open at a place."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._count: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._names)

    def open(self, name: str) -> None:
        if self._names and self._names[-1] == "p":
            self._pop()  # HTML, section 4.4.1: a paragraph ends where another block begins
        if name != "hr":
            self._names.append(name)
            self._count[name] += 1

    def close(self, name: str) -> None:
        while self._count[name] and self._pop() != name:
            pass

    def _pop(self) -> str:
        name = self._names.pop()
        self._count[name] -= 1
        return name


def _laid_out(content: str) -> Iterator[str]:
    """The top-level blocks and paragraphs."""
    blocks = _OpenBlocks()
    block: list[str] = []
    paragraph: list[tuple[str, str | None]] = []
    for token, name in _tokens(content):
        if name is not None and name.lstrip("/") in _BLOCKS:
            yield from _paragraph(paragraph)
            if name.startswith("/"):
                blocks.close(name[1:])
            else:
                blocks.open(name)
            block.append(token)
        elif blocks:
            block.append(token)
        elif name is None and not token.startswith("<!--"):
            first, *rest = _BLANK_LINES.split(token)
            paragraph.append((first, None))
            for text in rest:
                yield from _paragraph(paragraph)
                paragraph.append((text, None))
        elif _BREAK_COMMENT.match(token):
            yield from _paragraph(paragraph)
            yield token
        else:
            paragraph.append((token, name or "!--"))
        if block and not blocks:
            yield "".join(block)
            block = []
    yield from _paragraph(paragraph)
    if block:
        yield "".join(block).rstrip(_SPACE)


def _paragraph(pieces: list[tuple[str, str | None]]) -> Iterator[str]:
    """The pieces gathered so far as a paragraph, if there are any; the list is emptied.

    Tags that enclose nothing to see, such as a link's around a whole block, go without one.
    """
    worth = any(text.strip() if name is None else name in _SHOWN for text, name in pieces)
    if pieces and pieces[0][1] is None:
        pieces[0] = pieces[0][0].lstrip(_SPACE), None
    if pieces and pieces[-1][1] is None:
        pieces[-1] = pieces[-1][0].rstrip(_SPACE), None
    parts: list[str] = []
    for (_, before), (text, name) in pairwise([("", None), *pieces]):
        parts.append(_with_breaks(text, after_break=before == "br") if worth and name is None else text)
    text = "".join(parts).strip(_SPACE)
    pieces.clear()
    if text:
        yield f"<p>{text}</p>" if worth else text


def _with_breaks(text: str, *, after_break: bool) -> str:
    lines = text.split("\n")
    given = lines.pop(0) if after_break and len(lines) > 1 and not lines[0].strip(_SPACE) else None
    broken = "<br />\n".join([*(line.rstrip(_SPACE) for line in lines[:-1]), lines[-1]])
    return broken if given is None else f"\n{broken}"

"""Sanitised HTML as Markdown (CommonMark with GitHub's tables)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from markdownify import ATX, MarkdownConverter

from cms_api.adapters.rendering.delimiters import (
    BLANKS,
    BREAK,
    BULLETS,
    CODE,
    DELETED,
    EMPHASIS,
    LINK,
    NUMBERS,
    STRONG,
    TARGET_END,
    TOKEN,
    delimited,
)
from cms_api.domains.cms.documents.mentions import MARK

# What may stand in a link's target as it is: everything of an address (RFC 3986) but brackets.
_SAFE = "!#$%&'*+,-./:;=?@_~"
_SPECIAL = re.compile(r"([\\`*_\[\]<>&!|])")
_SPACE = re.compile(r"\s+")
_FENCE = re.compile(r"`{3,}")


BLOCKS = frozenset({
    "div", "section", "article", "aside", "nav", "main", "center", "header", "footer", "hgroup", "address",
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "figure", "table", "hr",
    "video", "audio", "dl", "details",
})  # fmt: skip
# What is no part of a line: words end where it begins and where it ends (HTML, section 15.3).
PARTING = BLOCKS - {"video", "audio"} | {
    "br", "caption", "col", "colgroup", "dd", "dialog", "dt", "fieldset", "figcaption", "form", "legend", "li", "menu",
    "optgroup", "option", "search", "summary", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
# Of the number that an item of a list has (CommonMark, section 5.2).
MAX_DIGITS = 9
# Columns of a cell (HTML, section 4.9.11).
MAX_SPAN = 1_000

_MARKED = frozenset({"a", "b", "strong", "em", "i", "del", "s", "q"})
_ALIKE = (("em", "i"), ("strong", "b"), ("del", "s"))

_NUMBER = re.compile(r"\s*[0-9]{1,9}")


def has_blocks(tag: Tag) -> bool:
    """Whether a tag is a block: to look for those inside of another one."""
    return tag.name in BLOCKS


def _attribute(tag: Tag, name: str) -> str:
    value = tag.get(name)
    return value if isinstance(value, str) else ""


def _target(tag: Tag, name: str) -> str:
    """The address that an attribute has, with the mark of one of ours."""
    url = _attribute(tag, name)
    return f"{MARK if url.startswith(MARK) else ''}{quote(url.removeprefix(MARK), safe=_SAFE)}"


def _words(text: str) -> str:
    """Words in which nothing is taken for markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _title(tag: Tag) -> str:
    title = _words(_attribute(tag, "title"))
    return ' "{}"'.format(title.replace('"', '\\"')) if title else ""


def language_of(pre: Tag) -> str:
    """The language that a block of code names in its class, as highlighters have it."""
    for tag in (pre, *pre.find_all("code")):
        for name in tag.get_attribute_list("class"):
            if (found := re.fullmatch(r"lang(?:uage)?-([\w+#.-]{1,40})", str(name))) is not None:
                return found[1]
    return ""


def said(tag: Tag) -> str:
    """The text of a tag, with a new line for each break and at the edges of blocks."""
    parts: list[str] = []
    for part in _parts(tag):
        if part:
            parts.append(part)
        elif parts and not parts[-1].endswith("\n"):
            parts.append("\n")
    return "".join(parts)


def _parts(tag: Tag) -> Iterator[str]:
    """Texts and breaks, and nothing for the edge of a block."""
    for one in tag.contents:
        if not isinstance(one, Tag):
            yield str(one)
        elif one.name == "br":
            yield "\n"
        elif one.name in PARTING:
            yield ""
            yield from _parts(one)
            yield ""
        else:
            yield from _parts(one)


def rows_of(table: Tag) -> list[Tag]:
    """The rows of a table, without those of tables inside of it."""
    return [row for row in table.find_all("tr") if row.find_parent("table") is table]


def cells_of(row: Tag) -> list[Tag]:
    """The cells of a row."""
    return row.find_all(("td", "th"), recursive=False)


def _columns(cell: Tag) -> int:
    span = _attribute(cell, "colspan")
    return max(1, min(int(span), MAX_SPAN)) if span.isdecimal() and len(span) <= MAX_DIGITS else 1


def _width(row: Tag) -> int:
    return sum(map(_columns, cells_of(row)))


def _around(text: str, mark: tuple[str, str]) -> str:
    """Words with a mark around them, blanks and breaks left outside of it."""
    words = text.strip(BLANKS)
    if not words:
        return text
    begin = len(text) - len(text.lstrip(BLANKS))
    return f"{text[:begin]}{mark[0]}{words}{mark[1]}{text[begin + len(words) :]}"


def start_of(tag: Tag) -> int | None:
    """The number that an ordered list says it begins with."""
    start = _attribute(tag, "start")
    return int(start) if start.isdecimal() and len(start) <= MAX_DIGITS else None


class _Converter(MarkdownConverter):
    """Closes what the library leaves open: attributes and fences from which markup could break out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Of the item that comes next, by the list.
        self._numbers: dict[int, int] = {}
        self._around_blocks: set[int] = set()
        self._with_head: set[int] = set()

    def convert_soup(self, soup: BeautifulSoup) -> str:
        for block in soup.find_all(has_blocks):
            for outer in block.parents:
                if id(outer) in self._around_blocks:
                    break
                self._around_blocks.add(id(outer))
        return str(super().convert_soup(soup))

    def process_text(self, el: NavigableString, parent_tags: set[str]) -> str:
        text = str(super().process_text(el, parent_tags))  # type: ignore[misc]  # likewise
        if not text.startswith((".", ")")) or "_noformat" in parent_tags:
            return text
        # Behind a number that is in another tag it would begin an item.
        before = el.find_previous(string=True)
        return f"\\{text}" if before is not None and _NUMBER.fullmatch(str(before)) else text

    def get_conv_fn(self, tag_name: str) -> Any:
        convert = super().get_conv_fn(tag_name)  # type: ignore[misc]  # the library's types leave it out
        if tag_name in BLOCKS and convert is not None:
            # A block without words parts those around it, too.
            return lambda el, text, parent_tags: convert(el, text.strip(BLANKS), parent_tags) or "\n\n"
        if tag_name not in _MARKED or convert is None:
            return convert
        # Marks go around words: blocks behind them would not begin their line.
        return lambda el, text, parent_tags: (
            text if id(el) in self._around_blocks else convert(el, text, parent_tags)
        )

    def _marked(self, el: Tag, text: str, parent_tags: set[str], mark: tuple[str, str]) -> str:
        """Words with a mark around them where none around them is the same."""
        alike = next(names for names in _ALIKE if el.name in names)
        is_marked = not parent_tags.isdisjoint(alike) and any(
            id(outer) not in self._around_blocks for outer in el.find_parents(alike)
        )
        return text if is_marked else _around(text, mark)

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        target = _target(el, "href")
        if "a" in parent_tags or not target:
            return text
        return _around(text, (LINK[0], f"{LINK[1]}]({target}{_title(el)}){TARGET_END}"))

    def convert_em(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._marked(el, text, parent_tags, EMPHASIS)

    def convert_strong(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._marked(el, text, parent_tags, STRONG)

    def convert_del(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._marked(el, text, parent_tags, DELETED)

    convert_i, convert_b, convert_s = convert_em, convert_strong, convert_del

    def convert_sub(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del el, parent_tags
        return text

    convert_sup = convert_sub

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del el
        return f" {text}" if "_inline" in parent_tags else f"{BREAK}\n{text}"

    def convert_hr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del el, text
        # Behind the sign of an item dashes would be one line with it.
        return "\n\n***\n\n" if "li" in parent_tags else "\n\n---\n\n"

    def convert_ul(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        begin, end = BULLETS if el.name == "ul" else NUMBERS
        text = text.strip()
        # No other number may follow words in the line above.
        is_close = "li" in parent_tags and text.startswith(("- ", "1. "))
        return f"\n{'' if is_close else chr(10)}{begin}{text}{end}\n\n" if text else "\n\n"

    convert_ol = convert_ul

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del parent_tags
        sign = "- "
        if el.parent is not None and el.parent.name == "ol":
            number = self._numbers.get(id(el.parent), start_of(el.parent))
            number = 1 if number is None else number
            self._numbers[id(el.parent)] = number + 1
            sign = f"{number % 10**MAX_DIGITS}. "
        lines = text.strip(BLANKS).split("\n")
        margin = " " * len(sign)
        return (
            sign + "\n".join([lines[0], *(line and margin + line for line in lines[1:])]) + "\n"
            if lines[0]
            else ""
        )

    def convert_blockquote(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        quoted = str(super().convert_blockquote(el, text, parent_tags))  # type: ignore[misc]  # likewise
        return quoted if "_inline" in parent_tags else f"\n{quoted}"

    def convert_aside(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return str(self.convert_div(el, text, parent_tags))  # type: ignore[attr-defined]  # likewise

    convert_nav = convert_main = convert_center = convert_header = convert_footer = convert_aside
    convert_hgroup = convert_address = convert_details = convert_summary = convert_figure = convert_aside

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del text, parent_tags
        return f"![{_words(_attribute(el, 'alt'))}]({_target(el, 'src')}{_title(el)})"

    def convert_video(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        source = el if el.get("src") else el.find("source", src=True)
        if source is None:
            return text
        target = _target(source, "src")
        words = " ".join(self.escape(said(el), parent_tags).split())  # type: ignore[attr-defined]  # likewise
        return f"[{words or _words(target)}]({target})"

    convert_audio = convert_video

    def convert_input(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del text, parent_tags
        return "[x]" if el.has_attr("checked") else "[ ]"

    def convert_code(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del el
        if "_noformat" in parent_tags:
            return text
        # A span of code ends where its paragraph does, so it has no lines, and with the cell of a table.
        text = text.replace("|", "\\|") if parent_tags & {"td", "th"} else text
        parts = TOKEN.split(text)
        # Nothing is marked in code: it is code in the marks.
        parts[::2] = (_around(_SPACE.sub(" ", words), CODE) for words in parts[::2])
        return "".join(parts)

    convert_kbd = convert_samp = convert_code

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        # Words are left of a table in a cell: Markdown has none there.
        end = " " if "_inline" in parent_tags else " |" * _columns(el)
        return f" {text.strip().replace(chr(10), ' ')}{end}"

    convert_th = convert_td

    def convert_tr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        table = el.find_parent("table")
        if "_inline" in parent_tags or table is None:
            return text
        if id(table) in self._with_head:
            return f"|{text}\n"
        self._with_head.add(id(table))
        # Readers leave out what is in no column of the head.
        width = max(map(_width, rows_of(table)))
        line = f"|{' --- |' * width}\n"
        if el.find_parent("thead") is not None or all(cell.name == "th" for cell in cells_of(el)):
            return f"|{text}{'  |' * (width - _width(el))}\n{line}"
        return f"|{'  |' * width}\n{line}|{text}\n"

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        text = said(el)  # nothing is marked in code
        if "_inline" in parent_tags:
            return self.convert_code(el, text, parent_tags)
        longest = max((len(run) for run in _FENCE.findall(text)), default=2)
        fence = "`" * (longest + 1)
        return f"\n\n{fence}{language_of(el)}\n{text.strip(chr(10))}\n{fence}\n\n"


_CONVERTER_OPTIONS: dict[str, Any] = {
    "heading_style": ATX,
    "escape_misc": True,
    # Blanks are single, and lines end at breaks only.
    "wrap": True,
    "wrap_width": None,
    "autolinks": False,
}


def markdown_of(soup: BeautifulSoup) -> str:
    """The Markdown of a document."""
    return delimited(str(_Converter(**_CONVERTER_OPTIONS).convert_soup(soup))).strip()

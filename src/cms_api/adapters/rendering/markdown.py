"""Sanitised HTML as Markdown (CommonMark with GitHub's tables)."""

import re
from typing import Any
from urllib.parse import quote

from bs4 import BeautifulSoup, Tag
from markdownify import ATX, BACKSLASH, MarkdownConverter

from cms_api.domains.cms.documents.mentions import MARK

# What may stand in a link's target as it is: everything of an address (RFC 3986) but brackets.
_SAFE = "!#$%&'*+,-./:;=?@_~"
_SPECIAL = re.compile(r"([\\`*_\[\]<>&!|])")
_FENCE = re.compile(r"`{3,}")


BLOCKS = frozenset({
    "div", "section", "article", "main", "center", "header", "footer", "p", "h1", "h2", "h3", "h4", "h5", "h6",
    "ul", "ol", "blockquote", "pre", "figure", "table", "hr", "video", "audio", "dl", "details",
})  # fmt: skip
_MARKED = frozenset({"a", "b", "strong", "em", "i", "del", "s", "q", "sub", "sup"})


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


class _Converter(MarkdownConverter):
    """Closes what the library leaves open: attributes and fences from which markup could break out."""

    def get_conv_fn(self, tag_name: str) -> Any:
        convert = super().get_conv_fn(tag_name)  # type: ignore[misc]  # the library's types leave it out
        if tag_name not in _MARKED or convert is None:
            return convert
        # Marks go around words: blocks behind them would not begin their line.
        return lambda el, text, parent_tags: (
            text if el.find(has_blocks) is not None else convert(el, text, parent_tags)
        )

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        words, target = text.strip(), _target(el, "href")
        if "_noformat" in parent_tags or not words or not target:
            return text
        before, behind = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{before}[{words}]({target}{_title(el)}){behind}"

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del text, parent_tags
        return f"![{_words(_attribute(el, 'alt'))}]({_target(el, 'src')}{_title(el)})"

    def convert_video(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del parent_tags
        source = el if el.get("src") else el.find("source", src=True)
        if source is None:
            return text
        target = _target(source, "src")
        return f"[{text.strip() or _words(target)}]({target})"

    convert_audio = convert_video

    def convert_input(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        del text, parent_tags
        return "[x]" if el.has_attr("checked") else "[ ]"

    def convert_code(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "pre" in parent_tags:
            return text
        # A span of code ends where its paragraph does, so it has no lines, and with the cell of a table.
        words = " ".join(text.split())
        words = words.replace("|", "\\|") if parent_tags & {"td", "th"} else words
        return str(super().convert_code(el, words, parent_tags))  # type: ignore[misc]  # likewise

    convert_kbd = convert_samp = convert_code

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_inline" in parent_tags:
            return self.convert_code(el, text, parent_tags)
        longest = max((len(run) for run in _FENCE.findall(text)), default=2)
        fence = "`" * (longest + 1)
        return f"\n\n{fence}{language_of(el)}\n{text.strip(chr(10))}\n{fence}\n\n"


_CONVERTER_OPTIONS: dict[str, Any] = {
    "heading_style": ATX,
    "bullets": "-",
    "escape_misc": True,
    "newline_style": BACKSLASH,
    "autolinks": False,
}


def markdown_of(soup: BeautifulSoup) -> str:
    """The Markdown of a document."""
    return str(_Converter(**_CONVERTER_OPTIONS).convert_soup(soup)).strip()

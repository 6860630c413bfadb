"""What sanitised HTML is made of: blocks, headings with anchors, plain text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from html import escape, unescape
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import PageElement, Tag

from cms_api.adapters.rendering.markdown import (
    BLOCKS,
    PARTING,
    cells_of,
    has_blocks,
    language_of,
    markdown_of,
    rows_of,
    said,
    start_of,
)
from cms_api.domains.cms.documents.mentions import MARK
from cms_api.domains.cms.documents.rendering import Heading, OtherFormat
from cms_api.domains.cms.documents.slugs import make_slug

# What is nested deeper is taken for one text: nobody writes so, and to walk there could take the stack.
MAX_DEPTH = 100

_HEADING = re.compile(r"h[1-6]")
# Attributes are in double quotes here, without any in them: the sanitiser has written them.
_OPENING = re.compile(r'<(h[1-6])((?: [^\s=<>"]+="[^"]*")*)>')
_ID = re.compile(r' id="([^"]*)"')
_BLANK = re.compile(r"\s")
_CONTAINERS = frozenset({
    "div", "section", "article", "aside", "nav", "main", "center", "header", "footer", "hgroup", "address",
})  # fmt: skip
# As `repr` writes it: ids of blocks are older than marks.
_MARK = repr(MARK)[1:-1]
_MEDIA = ("video", "audio")
_IMAGE_ATTRIBUTES = ("src", "alt", "title", "width", "height")

Block = dict[str, Any]


def parsed(html: str) -> BeautifulSoup:
    """Sanitised HTML as a tree, flat where it is too deep to be walked."""
    if _depth(html) > MAX_DEPTH:
        html = f"<p>{_TAG.sub(' ', html)}</p>"
    return BeautifulSoup(html, "html.parser")


_PARTING = re.compile(rf"</?(?:{'|'.join(sorted(PARTING))})(?=[\s/>])", re.IGNORECASE)
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)(?: [^\s=<>"]+="[^"]*")*/?>')
_VOID = frozenset({"br", "hr", "img", "input", "source", "track", "wbr", "area", "col"})


def _depth(html: str) -> int:
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name not in _VOID:
            depth += -1 if closing else 1
            deepest = max(deepest, depth)
    return deepest


def parted(html: str) -> str:
    """HTML with a blank before each edge of a block, so that words are not glued where its tags are taken away."""
    return _PARTING.sub(r" \g<0>", html)


def _listed(soup: BeautifulSoup) -> None:
    """Puts items that are in no list into lists, those in a row into one."""
    outside = {
        id(tag): tag
        for one in soup.find_all("li")
        if (tag := one.parent) is not None and tag.name not in ("ul", "ol")
    }
    for tag in outside.values():
        items: Tag | None = None
        for one in list(tag.contents):
            one.extract()
            if isinstance(one, Tag) and one.name == "li":
                if items is None:
                    items = Tag(name="ul")
                    tag.append(items)
                items.append(one)
                continue
            if isinstance(one, Tag) or str(one).strip():
                items = None
            (tag if items is None else items).append(one)


def _itemised(soup: BeautifulSoup) -> None:
    """Puts what is loose in lists into items: a list into the item before it, all else into items of its own."""
    for tag in soup.find_all(("ul", "ol")):
        if all(one.name == "li" if isinstance(one, Tag) else not str(one).strip() for one in tag.contents):
            continue
        item: Tag | None = None
        is_ours = False
        for one in list(tag.contents):
            name = one.name if isinstance(one, Tag) else None
            one.extract()
            if isinstance(one, Tag) and name == "li":
                item, is_ours = one, False
                tag.append(one)
                continue
            is_list = name in ("ul", "ol")
            if item is None or not (is_list or is_ours):
                if name is None and not str(one).strip():
                    continue
                item = Tag(name="li")
                tag.append(item)
            is_ours = not is_list
            item.append(one)


def anchored(html: str, soup: BeautifulSoup) -> tuple[str, tuple[Heading, ...]]:
    """The HTML, and its tree as well, with an id for each heading; and the headings, nested by their levels.

    An id that is there stays with the first that has it; others are made of the words, the same for
    the same words. What has a space in it is no id (HTML, section 3.2.6).
    """
    found = soup.find_all(_HEADING)
    if not found:
        return html, ()
    held: dict[str, Tag] = {}
    for tag in soup.find_all(id=True):
        held.setdefault(str(tag["id"]), tag)
    taken, names = set(held), list[str]()
    for tag in found:
        name = str(tag.get("id") or "")
        if not name or _BLANK.search(name):
            name = _free(make_slug(tag.get_text(" ", strip=True)[:200]), taken)
        elif held[name] is not tag:
            name = _free(name, taken)
        tag["id"] = name
        taken.add(name)
        names.append(name)
    left = iter(names)

    def named(match: re.Match[str]) -> str:
        name, own = next(left), _ID.search(match[2])
        if own is not None and unescape(own[1]) == name:
            return match[0]
        return f'<{match[1]} id="{escape(name)}"{_ID.sub("", match[2])}>'

    headings = [
        (int(tag.name[1]), name, " ".join(said(tag).split())) for tag, name in zip(found, names, strict=True)
    ]
    return _OPENING.sub(named, html), _nested(headings)


def _free(base: str, taken: set[str]) -> str:
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _nested(headings: list[tuple[int, str, str]]) -> tuple[Heading, ...]:
    found: list[Heading] = []
    place = 0
    while place < len(headings):
        level, name, words = headings[place]
        end = place + 1
        while end < len(headings) and headings[end][0] > level:
            end += 1
        below = _nested(headings[place + 1 : end])
        found.append(Heading(id=name, level=level, text=words, headings=below))
        place = end
    return tuple(found)


def structured(html: str) -> tuple[str, tuple[Heading, ...], Mapping[OtherFormat, Any]]:
    """Sanitised HTML with anchors, its table of contents, and the same in the other formats."""
    soup = parsed(html)
    _listed(soup)
    _itemised(soup)
    html, toc = anchored(html, soup)
    markdown = markdown_of(soup)  # before blocks are taken out of the tree
    blocks = list(_blocks_of(soup.contents))
    text = "\n\n".join(filter(None, map(_plain, blocks)))
    return html, toc, {"markdown": markdown, "text": text, "blocks": tuple(_identified(map(_bare, blocks)))}


def _bare(block: Block) -> Block:
    """A block without its plain text, which is there as a format of its own."""
    return {
        name: [_bare(one) for one in value] if name in ("items", "lists") else value
        for name, value in block.items()
        if name != "text" or block.get("type") == "heading"
    }


def _identified(blocks: Iterable[Block]) -> Iterator[Block]:
    """Each block with an id that stays while the block says the same: the anchor of a heading, else a hash."""
    seen: dict[str, int] = {}
    for block in blocks:
        anchor = block.pop("anchor", None)
        text = repr(sorted(block.items())).replace(_MARK, "")
        name = anchor or blake2b(text.encode(), digest_size=6).hexdigest()
        seen[name] = number = seen.get(name, 0) + 1
        yield {"id": name if number == 1 else f"{name}-{number}", **block}


def _html(tag: Tag) -> str:
    return tag.decode_contents(formatter="minimal").strip()


def _text(tag: Tag) -> str:
    if tag.find("br") is None:
        return " ".join(tag.get_text().split())
    lines: list[list[str]] = [[]]
    for one in tag.descendants:
        if not isinstance(one, Tag):
            lines[-1].append(str(one))
        elif one.name == "br":
            lines.append([])
    return "\n".join(" ".join("".join(line).split()) for line in lines).strip()


def _blocks_of(nodes: Iterable[PageElement]) -> Iterator[Block]:
    """Blocks; what stands between them is paragraphs."""
    loose: list[PageElement] = []
    for node in list(nodes):
        if isinstance(node, Tag) and (node.name in BLOCKS or node.find(has_blocks) is not None):
            yield from _paragraph(loose)
            loose = []
            yield from _block(node) if node.name in BLOCKS else _blocks_of(node.contents)
        else:
            loose.append(node)
    yield from _paragraph(loose)


def _paragraph(nodes: list[PageElement]) -> Iterator[Block]:
    if not any(isinstance(node, Tag) or str(node).strip() for node in nodes):
        return
    tag = Tag(name="p")
    tag.extend([node.extract() for node in nodes])
    yield from _block(tag)


def _block(tag: Tag) -> Iterator[Block]:  # noqa: C901, PLR0912 - a case for each kind of block
    name = tag.name
    if name == "p":
        images = tag.find_all("img")
        if len(images) == 1 and not tag.get_text(strip=True):
            yield _image(tag, images[0])
        elif html := _html(tag):
            yield {"type": "paragraph", "html": html, "text": _text(tag)}
        return
    if _HEADING.fullmatch(name):
        yield {
            "type": "heading",
            "anchor": tag.get("id"),
            "level": int(name[1]),
            "html": _html(tag),
            "text": " ".join(said(tag).split()),
        }
        return
    if name in ("ul", "ol"):
        yield {"type": "list", **_list(tag)}
        return
    if name == "blockquote":
        yield {"type": "quote", "html": _html(tag), "text": _lines(tag)}
        return
    if name == "pre":
        yield {"type": "code", "language": language_of(tag) or None, "code": said(tag).strip("\n")}
        return
    if name == "table":
        yield _table(tag)
        return
    if name in _MEDIA:
        yield {"type": "embed", "html": str(tag.decode(formatter="minimal"))}
        return
    if name == "figure":
        image, table, media = tag.find("img"), tag.find("table"), tag.find(_MEDIA)
        if image is not None and len(tag.find_all("img")) == 1 and table is None and media is None:
            yield _image(tag, image)
        elif table is not None:
            yield _table(table)
        else:
            yield {"type": "embed", "html": str(tag.decode(formatter="minimal"))}
        return
    if name == "hr":
        yield {"type": "divider"}
        return
    if name in _CONTAINERS:
        yield from _blocks_of(tag.contents)
        return
    yield {"type": "html", "html": str(tag.decode(formatter="minimal"))}


def _image(around: Tag, image: Tag) -> Block:
    caption, link = around.find("figcaption"), image.find_parent("a")
    block: Block = {"type": "image", "src": "", "alt": ""}
    for name in _IMAGE_ATTRIBUTES:
        if (value := image.get(name)) is not None:
            is_number = name in ("width", "height") and str(value).isdecimal()
            block[name] = int(str(value)) if is_number else str(value)
    if link is not None and link.get("href"):
        block["href"] = str(link["href"])
    return block | ({"caption": _html(caption)} if caption is not None else {})


def _list(tag: Tag) -> Block:
    is_ordered = tag.name == "ol"
    block: Block = {"is_ordered": is_ordered}
    if is_ordered and (start := start_of(tag)) is not None:
        block["start"] = start
    block["items"] = [_item(one) for one in tag.find_all("li", recursive=False)]
    return block


def _item(tag: Tag) -> Block:
    box = tag.find("input", type="checkbox")
    below: list[Block] = []
    for one in list(tag.contents):
        one.extract()
        if isinstance(one, Tag) and one.name in ("ul", "ol"):
            below.append(_list(one))
            tag.append(" ")  # so that the words on both sides of it stay apart
        else:
            tag.append(one)
    item: Block = {}
    if box is not None:
        item["is_checked"] = box.has_attr("checked")
        box.extract()
    only = [one for one in tag.contents if str(one).strip()]
    inner = only[0] if len(only) == 1 and isinstance(only[0], Tag) and only[0].name == "p" else tag
    return {"html": _html(inner), "text": _lines(tag), **item, **({"lists": below} if below else {})}


def _table(tag: Tag) -> Block:
    head: list[list[str]] = []
    rows: list[list[str]] = []
    for row in rows_of(tag):
        cells = cells_of(row)
        is_head = row.find_parent("thead") is not None or (not rows and all(c.name == "th" for c in cells))
        (head if is_head else rows).append([_html(cell) for cell in cells])
    caption = tag.find("caption", recursive=False)
    return {
        "type": "table",
        "head": head,
        "rows": rows,
        "caption": _html(caption) if caption is not None else None,
    }


def _lines(tag: Tag) -> str:
    """The words of a tag that may have blocks in it, a line for each."""
    parts = [_plain(block) for block in _blocks_of(tag.contents)]
    return "\n".join(filter(None, parts))


def _words(html: str) -> str:
    return " ".join(unescape(_TAG.sub("", parted(html))).split())


def _plain(block: Block) -> str:
    match block["type"]:
        case "list":
            return "\n".join(_item_lines(block, 0))
        case "code":
            return str(block["code"])
        case "image":
            return _words(block["caption"]) if "caption" in block else str(block["alt"])
        case "table":
            return "\n".join("\t".join(map(_words, row)) for row in [*block["head"], *block["rows"]])
        case "embed" | "html":
            return _words(block["html"])
        case _:
            return str(block.get("text", ""))


def _item_lines(block: Block, depth: int) -> Iterator[str]:
    for number, item in enumerate(block["items"], block.get("start", 1)):
        sign = f"{number}." if block["is_ordered"] else "-"
        first, *more = item["text"].split("\n")
        yield f"{'  ' * depth}{sign} {first}"
        yield from (f"{'  ' * (depth + 1)}{line}" for line in more)
        for below in item.get("lists", ()):
            yield from _item_lines(below, depth + 1)

"""Bodies as safe HTML: Markdown rendered by markdown-it, everything sanitised by nh3 (ammonia)."""

import asyncio
import html
import math
import re
from copy import deepcopy
from itertools import islice
from unicodedata import category

import nh3
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from cms_api.adapters.rendering.structure import parted, structured
from cms_api.domains.cms.documents.content import Format
from cms_api.domains.cms.documents.markup import each_candidate, scheme_of
from cms_api.domains.cms.documents.mentions import MARKED, MENTION, SCHEME, marked
from cms_api.domains.cms.documents.ports import Renderer
from cms_api.domains.cms.documents.rendering import Rendered

# Silent reading of English non-fiction (Brysbaert 2019, Journal of Memory and Language 109).
WORDS_A_MINUTE = 238
# Of texts in scripts without blanks between words (Medium, "Read time").
CHARACTERS_A_MINUTE = 500
EXCERPT_WORDS = 55
# Two for a word, as they are read.
EXCERPT_UNPARTED = 2 * EXCERPT_WORDS
EXCERPT_CHARACTERS = 500
# A body above this many characters is rendered on a thread, so that others need not wait.
LARGE = 4_000

_SPACE = re.compile(r"\s+")
_PAUSE = re.compile("[ 、。，！？：；]")
_JOINER = "\u200d"
# What belongs to the character before it beside marks: joiners, half-width voicing, skin tones, tags of flags.
_BELONGING = re.compile("[\u200c\u200d\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
# Two of them are a flag.
_REGIONAL = "".join(map(chr, range(0x1F1E6, 0x1F200)))
# Of scripts that put no blanks between words: Thai, Lao, Burmese, Khmer, kana, Han, with their punctuation.
_UNPARTED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3001-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff1f"
    "\U00020000-\U0003ffff]"
)

TAGS = nh3.ALLOWED_TAGS | {
    "figure", "figcaption", "section", "video", "audio", "source", "track", "picture", "input", "s", "main",
    "center", "font", "big", "tt",
}  # fmt: skip


def _attributes() -> dict[str, set[str]]:
    attributes = deepcopy(nh3.ALLOWED_ATTRIBUTES)
    attributes.setdefault("*", set()).update({"id", "class", "lang", "dir", "title", "role", "aria-label"})
    attributes.setdefault("img", set()).update({"srcset", "sizes", "loading", "decoding"})
    attributes["video"] = {"src", "poster", "controls", "width", "height", "preload", "loop", "muted"}
    attributes["audio"] = {"src", "controls", "preload", "loop", "muted"}
    attributes["source"] = {"src", "srcset", "type", "media", "sizes"}
    attributes["track"] = {"src", "kind", "srclang", "label", "default"}
    attributes["input"] = {"checked", "disabled"}
    attributes["ol"] = attributes.get("ol", set()) | {"start", "type", "reversed"}
    return attributes


ATTRIBUTES = _attributes()
SCHEMES = frozenset({"http", "https", "mailto", "tel", SCHEME})
_OURS = re.compile(rf"\s*{MENTION.pattern}(?:[?#].*)?\s*", re.DOTALL)

# As the sanitiser writes them. What may be typed into is no part of a text.
_BARE = re.compile(r'<(input|img)((?: [^\s=<>"]+="[^"]*")*) ?/?>')
_BOX = re.compile(r' type="checkbox"').search
_DISABLED = re.compile(r' disabled="').search
_SOURCE = re.compile(r' src(?:set)?="\s*[^"\s]').search
_ADDRESS = re.compile(rf"{MARKED.pattern}\S*")


def sanitise(body: str) -> str:
    """HTML with everything gone that could run, load a frame, or submit a form."""
    clean = nh3.clean(
        body,
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        # Ours are replaced by addresses when the text is read.
        url_schemes=set(SCHEMES),
        attribute_filter=_attribute,
        link_rel="noopener noreferrer",
    )
    return _BARE.sub(_bare, clean)


def _bare(match: re.Match[str]) -> str:
    """A box of a list of tasks or an image with a source as it is; nothing of any other input or image."""
    name, said = match.groups()
    is_kept = _BOX(said) and _DISABLED(said) if name == "input" else _SOURCE(said)
    return match[0] if is_kept else ""


def _attribute(tag: str, name: str, value: str) -> str | None:
    """An attribute as it stays, None where it goes: what the library does not look into, or can't know."""
    del tag
    if name in ("href", "src", "poster"):
        return value if _may_be_loaded(value) else None
    if name == "cite":  # the library takes it for words; it names a source, which is a page
        return value if _may_be_loaded(value) and scheme_of(value) not in ("mailto", "tel") else None
    if name != "srcset":
        return value
    return each_candidate(value, lambda url: url if _may_be_loaded(url) else None) or None


def _may_be_loaded(url: str) -> bool:
    """Whether an address has a scheme that is allowed, or none; one of ours must name what it leads to."""
    scheme = scheme_of(url)
    if scheme is None:
        return True
    return scheme in SCHEMES and (scheme != SCHEME or _OURS.fullmatch(url) is not None)


def text_of(body: str) -> str:
    """The words of an HTML body, spaces made single, blocks apart. Addresses of ours that are marked are none."""
    words = html.unescape(nh3.clean(parted(body), tags=set()))
    return _SPACE.sub(" ", _ADDRESS.sub("", words)).strip()


class HtmlRenderer(Renderer):
    """Renders on the event loop what is small, on a thread what is large."""

    def __init__(self) -> None:
        self._markdown = (
            MarkdownIt("gfm-like", {"html": True, "linkify": True}).use(footnote_plugin).use(tasklists_plugin)
        )

    async def render(self, body: str, format: Format, *, excerpt: str) -> Rendered:
        if len(body) < LARGE:
            return self._rendered(body, format, excerpt)
        return await asyncio.to_thread(self._rendered, body, format, excerpt)

    def _rendered(self, body: str, kind: Format, excerpt: str) -> Rendered:
        safe = marked(sanitise(self._markdown.render(body) if kind == "markdown" else body))
        body, toc, others = structured(safe)
        words = text_of(safe)
        given = _SPACE.sub(" ", excerpt).strip()  # plain text: “List<String>” is no markup in it
        return Rendered(
            body=body,
            excerpt=given or shortened(words),
            reading_time=_minutes(words),
            toc=toc,
            others=others,
        )

    async def text(self, body: str) -> str:
        return text_of(body) if len(body) < LARGE else await asyncio.to_thread(text_of, body)

    def reading_time(self, body: str) -> int:
        return _minutes(re.sub(r"<[^<>]*>", " ", body))


def shortened(words: str) -> str:
    """The first 55 words, or 110 characters of scripts without blanks between words; at most 500 characters.

    The ellipsis counts. Where there is no blank it ends behind punctuation if it can, and parts no letter from its
    marks, no flag, and no emoji that is made of several.
    """
    parts = words.split(" ", EXCERPT_WORDS)
    kept = " ".join(parts[:EXCERPT_WORDS])
    unparted = [match.end() for match in islice(_UNPARTED.finditer(kept), EXCERPT_UNPARTED)]
    limit = min([EXCERPT_CHARACTERS, *unparted[EXCERPT_UNPARTED - 1 :]])
    if len(parts) > EXCERPT_WORDS:
        kept += " …"
    return kept if len(kept) <= limit else f"{words[: _end(words, limit - 1)].rstrip()}…"


def _end(words: str, limit: int) -> int:
    """Where to cut words: in the last fifth of what is allowed behind punctuation or a blank, else at its end."""
    if found := list(_PAUSE.finditer(words, limit * 4 // 5, limit)):
        return found[-1].end()
    end = limit
    while end and _is_inside(words, end):
        end -= 1
    return end or limit


def _is_inside(words: str, place: int) -> bool:
    """Whether a place is in a character that is made of several."""
    if words[place] in _REGIONAL:
        before = words[:place]
        return (len(before) - len(before.rstrip(_REGIONAL))) % 2 == 1
    is_belonging = category(words[place])[0] == "M" or _BELONGING.match(words, place) is not None
    return is_belonging or words[place - 1] == _JOINER


def _minutes(text: str) -> int:
    words, characters = _UNPARTED.subn(" ", text)
    return max(1, math.ceil(len(words.split()) / WORDS_A_MINUTE + characters / CHARACTERS_A_MINUTE))

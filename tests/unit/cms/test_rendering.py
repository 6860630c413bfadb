"""Bodies for readers: nothing that runs, everything that is said."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from uuid import UUID

import msgspec
import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cms_api.adapters.rendering.html import ATTRIBUTES, TAGS, HtmlRenderer, sanitise, shortened, text_of
from cms_api.adapters.rendering.structure import structured
from cms_api.domains.cms.documents.addresses import UNMARKED, addressed
from cms_api.domains.cms.documents.mentions import MARK, mentioned, targets_of, unlinked

RENDERER = HtmlRenderer()


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<ScRiPt src=//evil.example></sCrIpT>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<img src=x onerror=alert(1)>",
        "<img src=x oNeRrOr=alert(1)>",
        "<body onload=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='JaVaScRiPt:alert(1)'>x</a>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<a href='&#106;avascript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<a href='vbscript:alert(1)'>x</a>",
        "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
        "<iframe src='https://evil.example'></iframe>",
        "<object data='evil.swf'></object><embed src='evil.swf'>",
        "<form action='https://evil.example'><button>x</button></form>",
        "<input type=password name=p><input type=text autofocus onfocus=alert(1)>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<style>@import 'https://evil.example/x.css'</style>",
        "<p style='background:url(javascript:alert(1))'>x</p>",
        "<link rel=stylesheet href=https://evil.example/x.css>",
        "<meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<base href='https://evil.example/'>",
        "<video src='javascript:alert(1)' onplay=alert(1)></video>",
        "<template><script>alert(1)</script></template>",
        "<!--[if IE]><script>alert(1)</script><![endif]-->",
        "<details ontoggle=alert(1) open>x</details>",
    ],
)
@pytest.mark.parametrize("form", ["html", "markdown"])
async def test_nothing_runs(body: str, form: str) -> None:
    rendered = (await RENDERER.render(body, form, excerpt="")).body.lower()  # type: ignore[arg-type]
    tags = " ".join(re.findall(r"<[^>]*>", rendered))
    assert not re.search(
        r"<(script|iframe|object|embed|form|button|style|link|meta|base|svg|math|template|body)", tags
    )
    assert not re.search(r"\son\w+\s*=|javascript:|vbscript:|data:|style\s*=|type=\"(?!checkbox)", tags)


@given(st.text(alphabet="<>/=\"'&;:!-ascriptonjvlm \t\n", max_size=60))
def test_cleaning_the_clean_changes_nothing(body: str) -> None:
    once = sanitise(body)
    assert "<script" not in once.lower()
    assert sanitise(once) == once


@pytest.mark.parametrize(
    "body",
    [
        '<h2 id="part">Part</h2>',
        "<p>One<br>two</p>",
        '<figure class="wide"><img src="/a.png" alt="A" width="3" loading="lazy"><figcaption>B</figcaption></figure>',
        '<ol start="3"><li>three</li></ol>',
        "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>",
        '<video src="/media/a.mp4" controls="" poster="/media/a.png"></video>',
        '<p lang="de" dir="ltr">Grüße &amp; Küsse</p>',
        "<blockquote><p>Said</p></blockquote><pre><code>x &lt; y</code></pre>",
    ],
)
def test_what_is_harmless_stays(body: str) -> None:
    def tags(text: str) -> list[list[str]]:
        return [sorted(re.findall(r"[\w-]+(?:=\"[^\"]*\")?", tag)) for tag in re.findall(r"<[^>]*>", text)]

    cleaned = sanitise(body)
    assert tags(cleaned) == tags(body)
    assert re.sub(r"<[^>]*>", "", cleaned) == re.sub(r"<[^>]*>", "", body)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('<input type="checkbox" disabled>', True),
        ('<input class="task-list-item-checkbox" disabled="disabled" type="checkbox" checked>', True),
        ("<input>", False),
        ('<input type="text" name="q" value="x" disabled>', False),
        ('<input type="checkbox" checked>', False),
        ("<input disabled title='type=\"checkbox\"'>", False),
        ('<img src="/a.png">', True),
        ('<img srcset="/a.png 1x">', True),
        ('<img alt="a > b" title=\' src="/x"\'>', False),
        ("<img src>", False),
        ('<img src=" " srcset=", ,">', False),
        ('<img src="javascript:alert(1)" alt="x">', False),
        ("<code>&lt;input&gt;&lt;img&gt;</code>", True),
    ],
)
def test_inputs_and_images_that_say_nothing_go(body: str, *, kept: bool) -> None:
    said = f"<p>a{body}b</p>"
    assert sanitise(said) == (sanitise(sanitise(said)) if kept else "<p>ab</p>")
    assert (len(sanitise(said)) > len("<p>ab</p>")) is kept


ID = "01936f2a-d1c8-7b6e-9c1f-3a5b7d9e0f12"


@pytest.mark.parametrize(
    "href",
    [
        "cms://document/nothing", "cms://", "cms:document", "CMS://document/1", f"cms://document/{ID}x",
        f"cms://nobody/{ID}", f"cms:///{ID}",
    ],
)  # fmt: skip
def test_links_of_ours_that_name_nothing_are_undone(href: str) -> None:
    said = f'<p><a href="{href}">words</a> <img src="{href}" alt="a"><video poster="{href}"></video></p>'
    assert "cms" not in sanitise(said).lower()
    assert ">words</a>" in sanitise(said)


@pytest.mark.parametrize("href", [f"cms://document/{ID}", f"cms://tag/{ID}#top", f"cms://media/{ID}?w=1"])
def test_links_of_ours_stay(href: str) -> None:
    assert f'href="{href}"' in sanitise(f'<a href="{href}">words</a>')


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/a.png", "/a.png"),
        (" ,, /a.png 1x,https://x.example/b,c.png 2x,, ", "/a.png 1x, https://x.example/b,c.png 2x"),
        ("/a,b.png, /c.png 200w", "/a,b.png, /c.png 200w"),
        (f"cms://media/{ID} 1x, cms://media/1 2x", f"cms://media/{ID} 1x"),
        ("/a.png 1x, data:image/png;base64,AA== 2x, JavaScript:alert(1) 3x", "/a.png 1x"),
        ("javascript:alert(1)", None),
        (", ,", None),
    ],
)
def test_each_address_of_a_srcset_is_looked_into(given: str, kept: str | None) -> None:
    found = re.search(r'srcset="([^"]*)"', sanitise(f'<img src="/a.png" srcset="{given}">'))
    assert (found and found[1]) == kept


def test_a_long_srcset_is_read_once() -> None:
    for part in (",", " ", "a,", "a ", ", a"):
        assert sanitise(f'<img src="/x" srcset="{part * 100_000}">').startswith('<img src="/x"')


@pytest.mark.parametrize("tag", ["blockquote", "del", "ins", "q"])
def test_a_source_is_a_page(tag: str) -> None:
    for cite in ("https://x.example/a", "HTTP://x.example", "/a", "#a", f"cms://document/{ID}"):
        assert f'cite="{cite}"' in sanitise(f'<{tag} cite="{cite}">x</{tag}>')
    for cite in (
        "javascript:alert(1)",
        " JaVaScript:x",
        "java&#9;script:x",
        "data:,x",
        "vbscript:x",
        "mailto:a@b",
        "cms://a",
    ):
        assert "cite" not in sanitise(f'<{tag} cite="{cite}">x</{tag}>')


def test_every_address_is_looked_into() -> None:
    """Attributes that have addresses in HTML, old ones and those of SVG too."""
    names = {
        "action", "archive", "background", "cite", "classid", "codebase", "data", "formaction", "href", "icon",
        "longdesc", "manifest", "ping", "poster", "profile", "src", "srcset", "usemap", "xlink:href",
    }  # fmt: skip
    for tag in TAGS:
        said = " ".join(f"{name}='javascript:alert(1)'" for name in sorted(names))
        assert "javascript" not in sanitise(f"<{tag} {said}>x</{tag}>")
    assert set().union(*ATTRIBUTES.values()) & names == {"cite", "href", "poster", "src", "srcset"}


def test_a_link_gives_nothing_away() -> None:
    assert sanitise('<a href="https://old.example/a">x</a>') == (
        '<a href="https://old.example/a" rel="noopener noreferrer">x</a>'
    )
    assert 'href="mailto:a@b.example"' in sanitise('<a href="mailto:a@b.example">x</a>')


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("*so* **strong**", "<p><em>so</em> <strong>strong</strong></p>\n"),
        ("# Title\n\n- a\n- b", '<h1 id="title">Title</h1>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n'),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>\n"),
        ("<em>html</em> too", "<p><em>html</em> too</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ],
)
async def test_markdown(body: str, found: str) -> None:
    assert (await RENDERER.render(body, "markdown", excerpt="")).body == found


async def test_markdown_has_tables_tasks_notes_and_bare_links() -> None:
    body = "| a |\n|---|\n| b |\n\n- [x] done\n\nSee https://old.example.[^1]\n\n[^1]: A note."
    rendered = (await RENDERER.render(body, "markdown", excerpt="")).body
    assert "<table>" in rendered
    assert re.search(r'<input[^>]*type="checkbox"', rendered)
    assert 'href="https://old.example"' in rendered
    assert "A note." in rendered


async def test_html_is_not_read_as_markdown() -> None:
    assert (await RENDERER.render("a *b* c", "html", excerpt="")).body == "a *b* c"


async def test_a_large_body_is_rendered_alike() -> None:
    small = (await RENDERER.render("*a*\n\n", "markdown", excerpt="")).body
    large = (await RENDERER.render("*a*\n\n" * 5_000, "markdown", excerpt="")).body
    assert large == small * 5_000


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("One<br>two<br/>three", "One two three"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("<b>in</b>side", "inside"),
        ("a &amp; b &lt; c &nbsp; d", "a & b < c d"),
        ("<p>x</p><script>no</script><style>no</style>", "x"),
        ("  spaces \n\n and\ttabs ", "spaces and tabs"),
        ("<td>a</td><td>b</td>", "a b"),
        ("", ""),
        ("<ul><li>Fruit<ul><li>Apples</li></ul></li></ul>", "Fruit Apples"),
        ("word<table><caption>c</caption><tr><td>a</td></tr></table>loose<h2>b</h2>", "word c a loose b"),
        ("<div>Outer<p class='>'>Inner</p>tail</div>", "Outer Inner tail"),
        ("<details><summary>Ask</summary>text</details>more<HR>end", "Ask text more end"),
        ("<li>x<pre>y</pre>z</li><dl><dt>t<dd>d</dl>", "x y z t d"),
        ("a<section>b</section>c<figure>d<figcaption>e</figcaption></figure>f", "a b c d e f"),
        ("a<aside>b</aside><nav>c</nav><address>d</address><header>e</header>f", "a b c d e f"),
        ("<blockquote>Say<cite>so</cite></blockquote>, <q>a</q>b <code>c</code>d", "Sayso , ab cd"),
    ],
)
def test_the_words_of_a_body(body: str, words: str) -> None:
    assert text_of(body) == words


def test_an_excerpt_is_the_first_words() -> None:
    assert shortened(" ".join(["w"] * 55)) == " ".join(["w"] * 55)
    assert shortened(" ".join(["w"] * 56)) == " ".join(["w"] * 55) + " …"
    assert shortened("") == ""


@pytest.mark.parametrize(
    ("words", "excerpt"),
    [
        ("的" * 110, "的" * 110),
        ("的" * 111, "的" * 109 + "…"),
        ("句" * 99 + "。" + "的" * 2_000, "句" * 99 + "。…"),
        ("a" * 500, "a" * 500),
        ("a" * 501, "a" * 499 + "…"),
        ("a" * 3_000, "a" * 499 + "…"),
        ("a" * 490 + " " + "b" * 20, "a" * 490 + "…"),
        ("a" * 498 + "e\u0301\u0323" + "b", "a" * 498 + "…"),
        ("a" * 498 + "👩\u200d🚀" + "b", "a" * 498 + "…"),
        ("a" * 497 + "👩\u200d🚀" + "b", "a" * 497 + "…"),
        ("a" * 498 + "👍🏽" + "b", "a" * 498 + "…"),
        ("a" * 498 + "❤\ufe0f" + "b", "a" * 498 + "…"),
        ("a" * 498 + "ｶﾞ" + "b", "a" * 498 + "…"),
        ("a" * 495 + "🏴\U000e0067\U000e0062\U000e007f" + "bbb", "a" * 495 + "🏴\U000e0067\U000e0062\U000e007f…"),
        ("a" * 496 + "🏴\U000e0067\U000e0062\U000e007f" + "b", "a" * 496 + "…"),
        ("a" * 498 + "🇫🇷" + "b", "a" * 498 + "…"),
        ("a" * 497 + "🇫🇷🇩🇪", "a" * 497 + "🇫🇷…"),
        ("🇫🇷" * 300, "🇫🇷" * 249 + "…"),
        ("e" + "\u0301" * 600, "e" + "\u0301" * 498 + "…"),
        (" ".join(["的的"] * 60), " ".join(["的的"] * 54) + "…"),
        ("w " * 54 + "b" * 390 + " c", "w " * 54 + "b" * 390 + " …"),
        ("w " * 54 + "b" * 391 + " c", "w " * 54 + "b" * 391 + "…"),
        ("w " * 54 + "b" * 392 + " c", "w " * 54 + "b" * 391 + "…"),
    ],
)  # fmt: skip
def test_an_excerpt_is_bounded_where_words_are_not_parted(words: str, excerpt: str) -> None:
    assert shortened(words) == excerpt
    assert len(excerpt) <= 500


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("的" * 500, 1), ("的" * 501, 2), ("の" * 1_500, 3), ("ก" * 1_501, 4), ("的，" * 250, 1),
        ("word " * 119 + "的" * 250, 1), ("word " * 119 + "的" * 251, 2), ("한국 " * 238, 1), ("한국 " * 239, 2),
    ],
)  # fmt: skip
async def test_scripts_without_blanks_are_read_by_characters(words: str, minutes: int) -> None:
    assert RENDERER.reading_time(f"<p>{words}</p>") == minutes
    assert (await RENDERER.render(f"<p>{words}</p>", "html", excerpt="")).reading_time == minutes


async def test_an_excerpt_comes_from_markdown_without_marks() -> None:
    rendered = await RENDERER.render("# T\n\n*so* [it](https://a.example) goes", "markdown", excerpt="")
    assert rendered.excerpt == "T so it goes"


@pytest.mark.parametrize("excerpt", ["Using List<String> in Java", "if a <b then", "AT&amp;T", "a < b > c"])
async def test_a_given_excerpt_is_plain_text(excerpt: str) -> None:
    assert (await RENDERER.render("<p>Body</p>", "html", excerpt=f"  {excerpt}\n")).excerpt == excerpt


HOSTILE = [
    "<p>", "</p>", "<b>", "</b>", "<a href='x) <script>'>", "</a>", "<pre>", "</pre>", "<code>", "</code>", "```",
    "``", "\n\n<script>", "&lt;script&gt;", "\n", "    ", "<table><tr><td>", "</td></tr></table>", "<h2>", "</h2>",
    "<ul><li>", "</li></ul>", "[x](javascript:a)", "![", "](", "javascript:", "&#10;&#10;", "<div>", "<td>|", "\\",
    "<blockquote>", "</blockquote>", "<q>", "<sup>", "<input type=checkbox>", "<br>", "word",
    "<img src=\"a b)\" alt='](x)<script>' title='\"><script>'>", "<video src='a)<script>'>x</video>",
    "<h2 id='a\"b>'>x</h2>",
]  # fmt: skip
READERS = MarkdownIt("commonmark", {"html": True}).enable("table")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE), max_size=14).map("".join))
def test_nothing_breaks_out_of_markdown(body: str) -> None:
    html = READERS.render(structured(sanitise(body))[2]["markdown"])
    tags = " ".join(re.findall(r"<[^>]*>", html)).lower()
    assert "<script" not in tags
    assert "javascript:" not in tags


INLINE = st.recursive(
    st.sampled_from(
        ["a", "b c", " ", "\n", " d", "e ", ".", "(", "!", "1", ". ", "1.", "-", "#", "*", "_", "`", "``", "\\",
         "[x](y)", "~", "€", "\u00a0", "注意", "：", "<br>", "<br>", "&lt;b&gt;", "&amp;amp;"]
    ),
    lambda inside: st.builds(
        lambda tag, said: f"<{tag}>{''.join(said)}</{tag.split()[0]}>",
        st.sampled_from(["strong", "strong", "b", "em", "em", "i", "code", "a href='/x'", "a href='/y'", "span"]),
        st.lists(inside, max_size=3),
    ),
    max_leaves=10,
)  # fmt: skip
PARTS = st.lists(INLINE, max_size=4).map("".join)
PIECES = st.recursive(
    st.builds("<p>{}</p>".format, PARTS),
    lambda inside: (
        st.builds(
            lambda tag, items: f"<{tag}>{''.join(map('<li>{}</li>'.format, items))}</{tag}>",
            st.sampled_from(["ul", "ol", "ol start='3'"]),
            st.lists(st.lists(inside | PARTS, max_size=3).map("".join), max_size=3),
        )
        | st.builds("<blockquote>{}</blockquote>".format, inside)
    ),
    max_leaves=4,
)
MARKS = {"b": "strong", "i": "em"}


Marked = tuple[str, frozenset[str]]


def characters(node: Any, marks: frozenset[str]) -> Iterator[Marked]:
    """What is in a line, each character with its marks."""
    if not isinstance(node, Tag):
        yield from ((one, marks) for one in re.sub(r"\s+", " ", str(node)))
    elif node.name == "br":
        yield "\n", marks
    else:
        name = MARKS.get(node.name, node.name)
        own = {f"a {node['href']}"} if name == "a" else {name} - {"span", "p"}
        for one in node.contents:
            yield from characters(one, marks | own)


def paragraph(nodes: list[Any]) -> list[Any]:
    """A paragraph, or none: blanks are single, have no marks, and are not beside breaks."""
    kept: list[Marked] = []
    for one, marks in (found for node in nodes for found in characters(node, frozenset())):
        if not one.isspace():
            kept.append((one, marks))
        elif one == "\n":
            if kept and kept[-1][0] == " ":
                kept.pop()
            kept.append((one, frozenset()))
        elif kept and not kept[-1][0].isspace():
            kept.append((" ", frozenset()))
    while kept and kept[-1][0].isspace():
        kept.pop()
    while kept and kept[0][0].isspace():
        del kept[0]
    return [("p", kept)] if kept else []


def meant(nodes: list[Any]) -> list[Any]:
    """What HTML means: paragraphs, in quotes and in items of lists."""
    found, loose = list[Any](), list[Any]()
    for node in nodes:
        name = node.name if isinstance(node, Tag) else ""
        if name not in ("p", "ul", "ol", "li", "blockquote"):
            loose.append(node)
            continue
        found += paragraph(loose)
        loose = []
        if name == "p":
            found += paragraph([node])
        elif inside := meant(node.contents):
            found.append((name, inside))
    return found + paragraph(loose)


def tree(html: str) -> list[Any]:
    return BeautifulSoup(html.replace("<!-- -->", ""), "html.parser").contents


@settings(max_examples=75, deadline=None)
@given(st.lists(PIECES, max_size=3).map("".join))
def test_markdown_means_what_the_html_says(body: str) -> None:
    html = sanitise(body)
    markdown = structured(html)[2]["markdown"]
    assert meant(tree(READERS.render(markdown))) == meant(tree(html)), markdown


@pytest.mark.parametrize(
    ("body", "markdown"),
    [
        ("<p>a<br></p>", "a"),
        ("<p>1<span>.</span> x</p>", "1\\. x"),
        ("<ul><li>a<br><ul><li>b</li></ul></li></ul>", "- a\n  - b"),
        ("a<br><br><p>b</p>", "a\n\nb"),
        ("<p>a<br><br>b</p>", "a\\\n\\\nb"),
        ("<p><strong>x<br></strong>y</p>", "**x**\\\ny"),
        ("<p><strong>Note:</strong>text</p>", "<strong>Note:</strong>text"),
        ("<p><strong>Note:</strong> text</p>", "**Note:** text"),
        ("<p><strong>注意：</strong>文字<em>强</em>调</p>", "<strong>注意：</strong>文字*强*调"),
        ("<p><b>a</b><b>b</b> <em>a</em><i>b</i></p>", "**ab** *ab*"),
        ("<p><code>x</code><code>y`</code></p>", "`` xy` ``"),
        ("<p><code>a<br>b <b>c</b></code></p>", "`a`\\\n`b` **`c`**"),
        ("<p><b>a</b><i>b</i></p>", "**a**<em>b</em>"),
        ("<p><b>a <i>b</i></b></p>", "**a *b***"),
        ("<p><b><i>a</i></b> <i><b>a</b> b</i></p>", "***a*** *<strong>a</strong> b*"),
        ("<p><i>a<i>b</i></i></p>", "*ab*"),
        ("<p><b>a&nbsp;</b>b<del>c.</del>d</p>", "**a**\u00a0b<del>c.</del>d"),
        ("<p>wow!<a href='/x'><b>a</b> </a>b</p>", "wow\\![**a**](/x) b"),
        ("<ul><li>a</li></ul><ul><li>b</li></ul>", "- a\n\n<!-- -->\n\n- b"),
        (
            "<ol><li>a<ul><li>b</li></ul><ul><li>c</li></ul></li></ol>",
            "1. a\n   - b\n\n   <!-- -->\n\n   - c",
        ),
        ("<ul><li>a</li></ul><ol><li>b</li></ol>", "- a\n\n1. b"),
        ("<ul><li>a<ol start='3'><li>b</li></ol>c</li></ul>", "- a\n\n  3. b\n\n  c"),
        ("<ol start='²'><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<ul><li><hr></li></ul>", "- ***"),
        ("<header>a</header><aside>b</aside><details><summary>c</summary>d</details>", "a\n\nb\n\nc\n\nd"),
        (
            "<table><tr><td>a</td><td><table><tr><td>b</td></tr><tr><th>c</th></tr></table></td></tr></table>",
            "|  |  |\n| --- | --- |\n| a | b  c |",
        ),
        (
            "<table><tr><th>a</th><th><table><tr><td>b</td></tr></table></th></tr></table>",
            "| a | b |\n| --- | --- |",
        ),
        (
            "<table><tr><th>a</th></tr><tr><td>b</td><td>c</td></tr><tr><td colspan='2'>d</td></tr></table>",
            "| a |  |\n| --- | --- |\n| b | c |\n| d | |",
        ),
        (
            "<table><tbody><tr><td colspan='²'>a</td></tr></tbody><tfoot><tr><td>b</td></tr></tfoot></table>",
            "|  |\n| --- |\n| a |\n| b |",
        ),
        ("<div>a <li>b</li> <li>c</li>d</div><li>e</li>", "a\n\n- b\n- c\n\nd\n\n- e"),
        ("<video src='/v.mp4'><p>a</p><p>b<b>c</b><a href='/x'>[d]</a></p></video>", "[a bc\\[d\\]](/v.mp4)"),
        ("<table><tr><th><ul><li>a</li></ul><ul><li>b</li></ul></th></tr></table>", "| - a  - b |\n| --- |"),
    ],
)
def test_markdown_of_html(body: str, markdown: str) -> None:
    assert structured(body)[2]["markdown"] == markdown


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>a\nb<br>c</p>", "a b\nc"),
        ("<h2>Alpha<br>Omega</h2>", "Alpha Omega"),
        ("<pre>a<br>b\nc</pre>", "a\nb\nc"),
        ("<aside>a</aside><nav>b</nav>c", "a\n\nb\n\nc"),
        ("<details><summary>a<b>b</b></summary>c</details>", "ab c"),
        ("<table><tr><td>in<b>side</b><p>a</p>b</td></tr></table>", "inside a b"),
        ("<ul><li>a<ul><li>b</li></ul>c</li></ul>", "- a c\n  - b"),
        ("<div>a <li>b</li> <li>c</li>d</div><li>e</li>", "a\n\n- b\n- c\n\nd\n\n- e"),
        ("<h2>a<div>b</div></h2>", "a b"),
        (
            "<table><tr><td>a</td><td><table><tr><td>b</td></tr><tr><td>c</td></tr></table></td></tr></table>",
            "a\tb c",
        ),
    ],
)
def test_text_of_html(body: str, text: str) -> None:
    assert structured(body)[2]["text"] == text


def test_a_break_parts_the_words_of_a_heading() -> None:
    _, (heading,), others = structured("<h2>Alpha<br>Omega</h2>")
    assert (heading.id, heading.text) == ("alpha-omega", "Alpha Omega")
    assert others["blocks"][0]["text"] == "Alpha Omega"


def test_a_table_in_a_cell_is_said_once() -> None:
    inner = "<table><caption>T</caption><tr><td>b</td></tr><tr><td>c</td></tr></table>"
    (block,) = structured(f"<table><tr><td>a</td><td>{inner}</td></tr></table>")[2]["blocks"]
    assert (block["head"], block["rows"], block["caption"]) == ([], [["a", inner]], None)


def test_items_in_a_row_that_are_in_no_list_are_one() -> None:
    body = "<div>a <li>b</li>\n<li>c</li>d</div>"
    html, _, others = structured(body)
    assert html == body
    assert [block["type"] for block in others["blocks"]] == ["paragraph", "list", "paragraph"]
    assert others["blocks"][1]["items"] == [{"html": "b"}, {"html": "c"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('x<img src="/i.png" alt="z">y', "xy"),
        ("1<h2>t</h2>2", "1\nt\n2"),
        ("1<hr>2<ul><li>3</li><li>4</li></ul>5", "1\n2\n3\n4\n5"),
        ("<code><div>a</div><div><br></div><div>b</div></code>", "a\n\nb"),
        ("<b>*a*</b> <a href='/x'>_b_</a> `c`<pre>d</pre>", "*a* _b_ `c`\nd"),
        ("<table><tr><td>a</td></tr></table><blockquote>b</blockquote>", "a\nb"),
    ],
)
def test_code_is_plain_text(body: str, code: str) -> None:
    others = structured(f"<pre>{body}</pre>")[2]
    assert (others["blocks"][0]["code"], others["text"]) == (code, code)
    assert others["markdown"] == f"```\n{code}\n```"


def test_a_break_in_code_is_a_line_of_it() -> None:
    others = structured("<pre>a<br>b</pre><pre><code>c<br>d</code></pre>")[2]
    assert [block["code"] for block in others["blocks"]] == ["a\nb", "c\nd"]
    assert others["markdown"] == "```\na\nb\n```\n\n```\nc\nd\n```"


@pytest.mark.parametrize(
    ("body", "text", "items"),
    [
        ("<ul><li>a</li>stray</ul>", "- a\n- stray", ["a", "stray"]),
        ("<ul>\nx <b>y</b>\n<li>a</li>\n<p>z</p></ul>", "- x y\n- a\n- z", ["x <b>y</b>", "a", "z"]),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b", ["a"]),
        ("<ol><ol><li>b</li></ol>c</ol>", "1. \n  1. b\n2. c", ["", "c"]),
    ],
)
def test_what_is_loose_in_a_list_is_kept(body: str, text: str, items: list[str]) -> None:
    html, _, others = structured(body)
    assert (html, others["text"]) == (body, text)
    assert [item["html"] for item in others["blocks"][0]["items"]] == items
    words = re.findall(r"\w+", re.sub("<[^>]*>", " ", READERS.render(others["markdown"])))
    assert words == re.findall(r"\w+", re.sub("<[^>]*>", " ", body))


def test_what_is_too_deep_is_one_text() -> None:
    html, toc, others = structured("<div>" * 5_000 + "<h2>x &lt;b&gt;</h2>" + "</div>" * 5_000)
    assert (toc, others["markdown"], others["text"]) == ((), "x \\<b\\>", "x <b>")
    assert html.count("<h2>") == 1


def test_headings_have_anchors_of_their_own() -> None:
    html, toc, _ = structured('<h2>A</h2><p id="a-2">x</p><h3>A</h3><h2 id="own">B <i>c</i></h2><h4></h4>')
    assert re.findall(r'<h\d id="([^"]*)"', html) == ["a", "a-3", "own", "untitled"]
    assert [(one.id, one.text, [below.id for below in one.headings]) for one in toc] == [
        ("a", "A", ["a-3"]), ("own", "B c", ["untitled"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (
            '<h2 id="intro">One</h2><h2 id="intro">Two</h2><h3 id="intro">C</h3>',
            ["intro", "intro-2", "intro-3"],
        ),
        ('<h2 id="a">A</h2><h2 id="a-2">B</h2><h2 id="a">C</h2>', ["a", "a-2", "a-3"]),
        ('<p id="a">x</p><h2 id="a">A</h2>', ["a-2"]),
        ('<h2 id="a">A</h2><p id="a">x</p>', ["a"]),
        (
            '<h2 id="x y">A b</h2><h2 id="x&#9;y" class="c">A b</h2><h2 id="">A b</h2>',
            ["a-b", "a-b-2", "a-b-3"],
        ),
        ('<h2 class="c" id="x&amp;y">A</h2><h2 id="x&amp;y" class="c">A</h2>', ["x&y", "x&y-2"]),
    ],
)
def test_all_formats_agree_on_unique_anchors(body: str, ids: list[str]) -> None:
    html, toc, others = structured(sanitise(body))
    assert [unescape(one) for one in re.findall(r'<h\d[^>]* id="([^"]*)"', html)] == ids
    assert html.count(' class="c"') == body.count(' class="c"')
    flat = [one for heading in toc for one in (heading, *heading.headings)]
    assert [one.id for one in flat] == ids
    assert [block["id"] for block in others["blocks"] if block["type"] == "heading"] == ids
    assert structured(html)[:2] == (html, toc)


def test_each_kind_of_block() -> None:
    body = (
        'loose<p><img src="/a.png" alt="A"></p><figure><a href="/b"><img src="/b.png" alt="B" width="3"></a>'
        '<figcaption>C <b>d</b></figcaption></figure><pre><code class="language-py">x\n</code></pre>'
        '<ol start="3"><li>a<ul><li>b</li></ul></li></ol><blockquote><p>q</p></blockquote><hr>'
        "<table><caption>T</caption><tr><th>h</th></tr><tr><td>c</td></tr></table><dl><dt>t</dt></dl>"
        "<div><p>in</p></div><p>loose</p>"
    )
    blocks = structured(body)[2]["blocks"]
    bare = [{name: value for name, value in block.items() if name != "id"} for block in blocks]
    assert bare == [
        {"type": "paragraph", "html": "loose"},
        {"type": "image", "src": "/a.png", "alt": "A"},
        {"type": "image", "src": "/b.png", "alt": "B", "width": 3, "href": "/b", "caption": "C <b>d</b>"},
        {"type": "code", "language": "py", "code": "x"},
        {"type": "list", "is_ordered": True, "start": 3, "items": [
            {"html": "a", "lists": [{"is_ordered": False, "items": [{"html": "b"}]}]}]},
        {"type": "quote", "html": "<p>q</p>"},
        {"type": "divider"},
        {"type": "table", "head": [["h"]], "rows": [["c"]], "caption": "T"},
        {"type": "html", "html": "<dl><dt>t</dt></dl>"},
        {"type": "paragraph", "html": "in"},
        {"type": "paragraph", "html": "loose"},
    ]  # fmt: skip
    ids = [block["id"] for block in blocks]
    assert ids[-1] == f"{ids[0]}-2"
    assert len(set(ids)) == len(ids)


ID, OTHER = "0192f000-0000-7000-8000-000000000001", "0192f000-0000-7000-8000-000000000002"


KNOWN = f'{{"{ID}":"/größe"}}'
M = MARK


@pytest.mark.parametrize(
    ("format", "said", "shown"),
    [
        ("html", f'<a href=\\"{M}cms://document/{ID}\\">ä</a>', '<a href=\\"/gr%C3%B6%C3%9Fe\\">ä</a>'),
        ("html", f'<a href=\\"{M}cms://document/{OTHER}\\">\\u00e4</a> b', "ä b"),
        ("html", f'a <img src=\\"{M}cms://media/{OTHER}\\">b', "a b"),
        ("html", f'<img srcset=\\"/a 1x, {M}cms://media/{OTHER} 2x\\">', '<img srcset=\\"/a 1x\\">'),
        ("html", f'<img srcset=\\"{M}cms://media/{OTHER} 2x\\" alt=\\"\\">', '<img alt=\\"\\">'),
        ("html", f"<code>cms://document/{ID}</code>", f"<code>cms://document/{ID}</code>"),
        ("html", f"cms://document/{OTHER}", f"cms://document/{OTHER}"),
        (
            "markdown",
            f"[a]({M}cms://document/{OTHER}) [b]({M}cms://document/{ID})",
            "a [b](/gr%C3%B6%C3%9Fe)",
        ),
        ("markdown", f"[a]({M}cms://document/{OTHER}) `cms://tag/{OTHER}`", f"a `cms://tag/{OTHER}`"),
        ("text", f"{M}cms://document/{ID} cms://document/{ID}", f"/gr%C3%B6%C3%9Fe cms://document/{ID}"),
        ("blocks", f"{M}cms://media/{OTHER}", ""),
        ("html", "cms:// alone", "cms:// alone"),
    ],
)
def test_mentions_become_addresses(format: str, said: str, shown: str) -> None:
    before, after = '{"a":1.50,"b":"', '","c":"\\u00e4"}'
    found = addressed(f"{before}{said}{after}", KNOWN, format)  # type: ignore[arg-type]
    assert found == f"{before}{shown}{after}"


def test_mentions_from_before_they_were_marked_become_addresses() -> None:
    said = f'{{"a":"<a href=\\"cms://document/{ID}\\">cms://tag/{OTHER}</a>"}}'
    known = f'{{"{ID}":"/größe","{UNMARKED}":""}}'
    assert addressed(said, known, "html") == '{"a":"<a href=\\"/gr%C3%B6%C3%9Fe\\"></a>"}'


async def delivered(body: str, format: str = "html", known: str = KNOWN) -> dict[str, Any]:
    """A body as it is rendered, stored and read, in all formats, with its excerpt."""
    rendered = await RENDERER.render(body, format, excerpt="")  # type: ignore[arg-type]
    texts: dict[str, Any] = {"html": rendered.body, "toc": rendered.toc, **rendered.others}
    json = {name: msgspec.json.encode(text).decode() for name, text in texts.items()}
    found = {name: msgspec.json.decode(addressed(text, known, name)) for name, text in json.items()}  # type: ignore[arg-type]
    assert MARK not in msgspec.json.encode(found).decode() + rendered.excerpt
    return {**found, "excerpt": rendered.excerpt}


@pytest.mark.parametrize("known", [KNOWN, "{}"])
async def test_what_only_looks_like_an_address_stays(known: str) -> None:
    address = f"cms://document/{ID}"
    said = f'Write `{address}` or `<a href="{address}">` or {address} to [link]({address} "{address}").'
    found = await delivered(f"{said}\n\n```\n[x]({address})\n```", "markdown", known)
    html = found["html"]
    assert f'<code>{address}</code> or <code>&lt;a href="{address}"&gt;</code> or {address} to' in html
    assert f"<pre><code>[x]({address})\n</code></pre>" in html
    link = f'<a href="/gr%C3%B6%C3%9Fe" title="{address}"'
    assert (link in html) is (known == KNOWN)
    assert found["text"] == f'Write {address} or <a href="{address}"> or {address} to link.\n\n[x]({address})'
    assert found["excerpt"] == f'Write {address} or <a href="{address}"> or {address} to link. [x]({address})'
    assert f"`{address}`" in found["markdown"]
    assert ("](/gr%C3%B6%C3%9Fe" in found["markdown"]) is (known == KNOWN)
    assert found["blocks"][1]["code"] == f"[x]({address})"
    assert f"<code>{address}</code>" in found["blocks"][0]["html"]
    mentioned = targets_of([(await RENDERER.render(f"`{address}`", "markdown", excerpt="")).body])
    assert mentioned == frozenset()


async def test_every_address_is_put_in() -> None:
    media = f"cms://media/{ID}"
    body = (
        f'<p><img src=" {media}#x" srcset="{media} 1x, /b.png 2x" alt="{media}"></p><video poster="{media}"></video>'
        f'<blockquote cite="{media}">q</blockquote><p><a href="https://x.example/?u={media}">x</a></p>'
    )
    html = (await delivered(body))["html"]
    assert 'src="/gr%C3%B6%C3%9Fe#x"' in html
    assert 'srcset="/gr%C3%B6%C3%9Fe 1x, /b.png 2x"' in html
    assert f'alt="{media}"' in html
    assert 'poster="/gr%C3%B6%C3%9Fe"' in html
    assert 'cite="/gr%C3%B6%C3%9Fe"' in html
    # The address of somebody else may have anything in it.
    assert f'href="https://x.example/?u={media}"' in html
    assert (await delivered(body))["blocks"][0]["src"] == "/gr%C3%B6%C3%9Fe#x"


async def test_a_link_whose_words_are_its_address_says_where_it_leads() -> None:
    found = await delivered(f"## See <cms://document/{ID}>", "markdown")
    assert ">/gr%C3%B6%C3%9Fe</a></h2>" in found["html"]
    assert (found["text"], found["toc"][0]["text"]) == ("See /gr%C3%B6%C3%9Fe",) * 2
    assert (found["excerpt"], found["markdown"]) == (
        "See", "## See [/gr%C3%B6%C3%9Fe](/gr%C3%B6%C3%9Fe)",
    )  # fmt: skip
    assert (
        await RENDERER.text((await RENDERER.render(f"<cms://tag/{ID}> a", "markdown", excerpt="")).body)
        == "a"
    )


async def test_nobody_can_write_a_mark() -> None:
    address = f"{MARK}cms://document/{ID}"
    found = await delivered(f'<p title="{address}">{address} &#xFDD0;{address} <a href="{address}">x</a></p>')
    assert found["text"] == f"cms://document/{ID} cms://document/{ID} x"


async def test_blocks_with_links_keep_the_ids_that_they_had() -> None:
    (block,) = (await RENDERER.render(f'<p><a href="cms://tag/{ID}">x</a></p>', "html", excerpt="")).others[
        "blocks"
    ]
    assert block["id"] == "921b97ae9a59"


def test_many_links_that_lead_nowhere_are_undone_at_once() -> None:
    lost = [str(UUID(int=number)) for number in range(1, 5_001)]
    spellings = [
        "".join(c.upper() if n >> i & 1 else c for i, c in enumerate("abcdefabcdef")) for n in range(1_500)
    ]
    lost += [f"0192f000-0000-7000-8000-{spelling}" for spelling in spellings]
    body = "".join(
        f'<a href="{MARK}cms://document/{one}">w</a><img src="{MARK}cms://media/{one}">' for one in lost
    )
    json = msgspec.json.encode({"a": f'{body}<a href="{MARK}cms://document/{ID.upper()}">b</a>'}).decode()
    found = msgspec.json.decode(addressed(json, KNOWN, "html"))
    assert found == {"a": f'{"w" * len(lost)}<a href="/gr%C3%B6%C3%9Fe">b</a>'}
    markdown = "".join(f"[w]({MARK}cms://document/{one})![i]({MARK}cms://media/{one})" for one in lost)
    json = msgspec.json.encode({"a": markdown}).decode()
    assert msgspec.json.decode(addressed(json, KNOWN, "markdown")) == {"a": "w" * len(lost)}


ADDRESS = f"cms://document/{OTHER}"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f'<a href="{ADDRESS}">', '<a href="">'),
        (f'<a href="{ADDRESS}" ', '<a href="" '),
        (f'<a href="{ADDRESS}">x</a', '<a href="">x</a'),
        (f'<img src="{ADDRESS}" ', '<img src="" '),
        (f' srcset="{ADDRESS} 1x, ', ' srcset=" 1x, '),
        (f"[x]({ADDRESS} ", "[x]( "),
        (f"![x]({ADDRESS} ", "![x]( "),
        (f"[x]: {ADDRESS}\n", "[x]: \n"),
        (f"<{ADDRESS}>", "<>"),
        ("<a ", "<a "),
        ("![", "!["),
        (" " * 20, " " * 20),
        ("</a   ", "</a   "),
    ],
)
@pytest.mark.parametrize("format", ["html", "markdown"])
def test_links_that_begin_and_do_not_end_lose_their_address(format: str, said: str, left: str) -> None:
    number = 10_000
    found = unlinked(f"{said * number}{ADDRESS}", format, {UUID(OTHER)})  # type: ignore[arg-type]
    if "srcset" in said:  # the next one ends it
        assert OTHER not in found
    else:
        assert found == left * number


@pytest.mark.parametrize("format", ["html", "markdown"])
def test_links_in_links_are_undone(format: str) -> None:
    said = f'<a href="{ADDRESS}">' * 10_000 + "x" + "</a>" * 10_000
    assert unlinked(said, format, {UUID(OTHER)}) == "x"  # type: ignore[arg-type]
    kept = f'<a href="cms://tag/{ID}">'
    said = f'{kept}a<a href="{ADDRESS}">b</a>c</a>'
    assert unlinked(said, format, {UUID(OTHER)}) == f"{kept}abc</a>"  # type: ignore[arg-type]


PIECES = st.sampled_from(
    ['<a href="{}">', "<a href={} class=x>", "</a>", '<img src="{}">', ' srcset="{} 1x, {} 2x"', "![a]({})", "[b](",
     "[c]({})", "[d]: {}\n", "<{}>", "{}", "x", "(", ")", "[", "]", "<", ">", '"', "<!--", " "]
)  # fmt: skip
WRITTEN = st.sampled_from([f"cms://document/{ID}", f"cms://tag/{OTHER}", f"cms://media/{OTHER.upper()}"])


@given(st.lists(st.tuples(PIECES, WRITTEN, WRITTEN), max_size=12), st.sampled_from(["html", "markdown"]))
def test_nothing_that_is_unlinked_is_mentioned_any_more(
    parts: list[tuple[str, str, str]], format: str
) -> None:
    said = "".join(piece.format(one, two) for piece, one, two in parts)
    left = unlinked(said, format, {UUID(OTHER)})  # type: ignore[arg-type]
    assert OTHER not in left.lower()
    assert set(mentioned(left)) <= set(mentioned(said)) | {("document", UUID(ID))}
    assert unlinked(said, format, set()) == said  # type: ignore[arg-type]

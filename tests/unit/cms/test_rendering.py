"""Bodies for readers: nothing that runs, everything that is said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.adapters.rendering.html import HtmlRenderer, sanitise, shortened, text_of

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
    ],
)
def test_the_words_of_a_body(body: str, words: str) -> None:
    assert text_of(body) == words


def test_an_excerpt_is_the_first_words() -> None:
    assert shortened(" ".join(["w"] * 55)) == " ".join(["w"] * 55)
    assert shortened(" ".join(["w"] * 56)) == " ".join(["w"] * 55) + " …"
    assert shortened("") == ""


async def test_an_excerpt_comes_from_markdown_without_marks() -> None:
    rendered = await RENDERER.render("# T\n\n*so* [it](https://a.example) goes", "markdown", excerpt="")
    assert rendered.excerpt == "T so it goes"


@pytest.mark.parametrize("excerpt", ["Using List<String> in Java", "if a <b then", "AT&amp;T", "a < b > c"])
async def test_a_given_excerpt_is_plain_text(excerpt: str) -> None:
    assert (await RENDERER.render("<p>Body</p>", "html", excerpt=f"  {excerpt}\n")).excerpt == excerpt

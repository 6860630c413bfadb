"""What every renderer does."""

import pytest
from tests.fakes_cms import PlainRenderer

from cms_api.adapters.rendering.html import HtmlRenderer
from cms_api.domains.cms.documents.content import Format
from cms_api.domains.cms.documents.ports import Renderer


@pytest.fixture(params=[PlainRenderer, HtmlRenderer])
def renderer(request: pytest.FixtureRequest) -> Renderer:
    made: Renderer = request.param()
    return made


@pytest.mark.parametrize(
    ("form", "body"), [("html", "<p>Some <em>words</em></p>"), ("markdown", "Some *words*")]
)
async def test_words_come_through(renderer: Renderer, form: Format, body: str) -> None:
    rendered = await renderer.render(body, form, excerpt="")
    assert rendered.body.strip().startswith("<p>Some")
    assert rendered.excerpt == "Some words"
    assert rendered.reading_time == 1


@pytest.mark.parametrize("form", ["html", "markdown"])
async def test_nothing_runs(renderer: Renderer, form: Format) -> None:
    rendered = await renderer.render("Hi <script>alert(1)</script><b onclick=x()>there</b>", form, excerpt="")
    assert "<script" not in rendered.body
    assert "onclick" not in rendered.body


async def test_an_excerpt_is_kept_where_there_is_one(renderer: Renderer) -> None:
    rendered = await renderer.render("<p>Long</p>", "html", excerpt="Short, with 1 < 2")
    assert rendered.excerpt == "Short, with 1 < 2"


async def test_an_excerpt_has_an_end(renderer: Renderer) -> None:
    rendered = await renderer.render("<p>" + "word " * 500 + "</p>", "html", excerpt="")
    assert 55 <= len(rendered.excerpt.split()) <= 56
    assert rendered.reading_time == 3


async def test_nothing_is_read_in_a_minute(renderer: Renderer) -> None:
    rendered = await renderer.render("", "html", excerpt="")
    assert (rendered.body, rendered.excerpt) in (("", ""), ("<p></p>", ""))
    assert rendered.reading_time == renderer.reading_time("") == 1


@pytest.mark.parametrize(("words", "minutes"), [(1, 1), (238, 1), (239, 2), (476, 2), (477, 3)])
def test_reading_takes_its_time(renderer: Renderer, words: int, minutes: int) -> None:
    assert renderer.reading_time("<p>" + "<b>word</b> " * words + "</p>") == minutes


@pytest.mark.parametrize("form", ["html", "markdown"])
async def test_words_come_through_in_all_formats(renderer: Renderer, form: Format) -> None:
    others = (await renderer.render("<p>Some words</p>", form, excerpt="")).others
    assert (others["markdown"], others["text"]) == ("Some words", "Some words")
    (block,) = others["blocks"]
    assert (block["type"], block["html"]) == ("paragraph", "Some words")
    assert block["id"]

"""What strangers write, hashed and made fit to be shown."""

import html
import unicodedata
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.domains.cms.reader_comments import texts
from cms_api.domains.cms.reader_comments.hashing import Hashes
from cms_api.domains.cms.reader_comments.rates import Rate, Taken, allowance, parse_rate
from cms_api.domains.cms.reader_comments.rules import (
    DEFAULTS,
    DocumentSettings,
    Place,
    ReaderCommentRules,
    accepts,
    checked,
    screen,
)
from cms_api.kernel.errors import Invalid

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("  a  ", "a"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("a  \n \t \n b", "a\n\n b"),
        ("a\0b\x07\x1b[31mc\x7f\x9f", "ab[31mc"),
        ("a\tb", "a\tb"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2066a\u2069\ufeff", "a"),
        ("e\u0301", "é"),
        ("a\u2028b\u2029c", "a\nb\n\nc"),
        ("👩\u200d🚀 שלום\u200f!", "👩\u200d🚀 שלום\u200f!"),
    ],
)
def test_cleaning(given_text: str, expected: str) -> None:
    assert texts.clean(given_text) == expected


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs in ([], [("dir", "auto")])
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@given(st.text() | st.text(alphabet="<>&\"'/ab=\n\r\u202e\0"))
def test_html_says_what_the_text_says_and_nothing_runs(raw: str) -> None:
    body = texts.clean(raw)
    assert texts.clean(body) == body
    assert not any(unicodedata.category(one) == "Cc" and one not in "\n\t" for one in body)
    reader = _Reader()
    reader.feed(texts.as_html(body))
    reader.close()
    assert reader.tags <= {"p", "br"}
    assert "".join(reader.words) == body.replace("\n", "")


def test_markup_is_text() -> None:
    body = '<script>alert("1")</script>\n<img src=x onerror=alert(1)>\n\n&lt; [x](javascript:y)'
    assert texts.as_html(body) == (
        '<p dir="auto">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;<br>'
        '&lt;img src=x onerror=alert(1)&gt;</p><p dir="auto">&amp;lt; [x](javascript:y)</p>'
    )


@pytest.mark.parametrize("body", ["", " \n ", "\u200b\u200d", "\0\x01", "\u202e\u202c", "\u00ad", "\u0301"])
def test_nothing_to_see(body: str) -> None:
    for check, pointer in ((texts.check_body, "/body"), (texts.check_name, "/author_name")):
        with pytest.raises(Invalid) as caught:
            check(body)
        assert [(one.pointer, one.code) for one in caught.value.faults] == [(pointer, "empty")]


def test_lengths() -> None:
    assert len(texts.check_body("ß" * 5_000)) == 5_000
    assert texts.check_name("  Grace \n  Hopper\u202e ") == "Grace Hopper"
    # U+FB2C in NFC is three characters.
    for check, text in ((texts.check_body, "\ufb2c" * 2_000), (texts.check_name, "x" * 101)):
        with pytest.raises(Invalid, match="at most"):
            check(text)


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "http://example.org:8080/a?b=c#d", "https://bücher.example/ä", "http://[::1]/"],
)
def test_links_that_are_taken(url: str) -> None:
    assert texts.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "//example.org", "example.org", "https://",
        "http:///x", "https://a b", "https://a\n", "https://a\u202eb", 'https://a"onclick=x', "https://a<b",
        "https://paypal.com@evil.example/", "http://[::1", "http://a:99999", "ftp://a", "https://" + "a" * 500, " https://a",
    ],
)  # fmt: skip
def test_links_that_are_not(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        texts.check_url(url)
    assert caught.value.faults[0].code == "url"


def test_addresses() -> None:
    assert texts.check_email(" Grace@EXAMPLE.org".strip()) == "grace@example.org"
    for wrong in (
        "",
        "grace",
        "grace@",
        "@example.org",
        "a@b@c.org",
        "a b@example.org",
        "x@example.org\nBcc: y",
    ):
        with pytest.raises(Invalid) as caught:
            texts.check_email(wrong)
        assert (caught.value.faults[0].code, caught.value.detail) == ("email", "This is no e-mail address.")


def test_hashes() -> None:
    one, two = Hashes("secret"), Hashes("other")
    assert one.client("192.0.2.1") != one.client("192.0.2.2")
    assert one.client("192.0.2.1") != two.client("192.0.2.1") != one.email("192.0.2.1")
    # A network of the size that one household has.
    assert one.client("2001:db8::1") == one.client("2001:DB8:0:0:ffff::2") != one.client("2001:db8:0:1::1")
    assert one.client("unix") == one.client("unix")
    assert one.words(UUID(int=1), "a", "b") != one.words(UUID(int=2), "a", "b")


def test_rates() -> None:
    assert [parse_rate(text) for text in ("5/10m", "1/1s", "20/2h", "100/1d", None)] == [
        Rate(5, 600),
        Rate(1, 1),
        Rate(20, 7_200),
        Rate(100, 86_400),
        None,
    ]
    rate = Rate(5, 600)
    full = Taken(is_taken=True, full_at=AT + timedelta(minutes=2))
    empty = Taken(is_taken=False, full_at=AT + timedelta(minutes=9, seconds=1))
    standing = allowance(rate, [full], at=AT)
    assert (standing.is_taken, standing.remaining, standing.reset) == (True, 4, 120)
    standing = allowance(rate, [full, empty], at=AT)
    assert (standing.is_taken, standing.remaining, standing.reset) == (False, 0, 541)
    assert standing.retry_after == 61


def place(**own: object) -> Place:
    settings = DocumentSettings(document_id=UUID(int=1), **own)  # type: ignore[arg-type]
    return Place(type="post", first_published_at=AT, settings=settings)


@pytest.mark.parametrize(
    ("own", "rules", "expected"),
    [
        ({}, {}, True),
        ({}, {"enabled": False}, False),
        ({}, {"enabled": False, "types": {"post": True}}, True),
        ({}, {"types": {"post": False}}, False),
        ({}, {"types": {"page": False}}, True),
        ({"is_open": True}, {"enabled": False, "types": {"post": False}}, True),
        ({"is_open": False}, {"types": {"post": True}}, False),
        ({}, {"closes_after_days": 10}, False),
        ({}, {"closes_after_days": 11}, True),
        ({"is_open": True}, {"closes_after_days": 1}, True),
        ({"closes_at": AT + timedelta(days=10)}, {}, False),
        ({"closes_at": AT + timedelta(days=11)}, {"closes_after_days": 1}, True),
        ({"is_open": True, "closes_at": AT}, {}, False),
        ({"closes_at": AT + timedelta(days=11)}, {"enabled": False}, False),
    ],
)
def test_where_readers_may_comment(own, rules, expected) -> None:
    assert accepts(place(**own), ReaderCommentRules(**rules), at=AT + timedelta(days=10)) is expected


def test_nobody_comments_on_what_is_not_published() -> None:
    hidden = Place(type="post", first_published_at=None, settings=place(is_open=True).settings)
    assert not accepts(hidden, DEFAULTS, at=AT)


@pytest.mark.parametrize(
    ("said", "rules", "expected"),
    [
        ({}, {}, None),
        ({"body": "http://a https://b"}, {}, None),
        ({"body": "http://a HTTPS://www.b www.c"}, {}, "links"),
        ({"body": "www.a"}, {"max_links": 0}, "links"),
        ({"body": "Visit our CASINO!"}, {"blocked_words": ("casino",)}, "word"),
        ({"body": "Visit our ｃａｓｉｎｏ"}, {"blocked_words": ("casino",)}, "word"),
        ({"body": "buy   cheap\nstuff"}, {"blocked_words": ("cheap stuff",)}, "word"),
        ({"name": "Casino Bot"}, {"blocked_words": ("casino",)}, "word"),
        ({"url": "https://casino.example"}, {"blocked_words": ("casino",)}, "word"),
        ({"body": "(a+)+$"}, {"blocked_words": ("(a+)+$",)}, "word"),
        ({"email": "x@spam.example"}, {"blocked_addresses": ("@spam.example",)}, "address"),
        ({"email": "x@notspam.example"}, {"blocked_addresses": ("@spam.example",)}, None),
        ({"email": "x@a.example"}, {"blocked_addresses": ("x@a.example",)}, "address"),
        ({"client": "192.0.2.7"}, {"blocked_networks": ("192.0.2.0/24",)}, "network"),
        ({"client": "::ffff:192.0.2.7"}, {"blocked_networks": ("192.0.2.0/24",)}, "network"),
        ({"client": "2001:db8::1"}, {"blocked_networks": ("192.0.2.0/24", "2001:db8::/32")}, "network"),
        ({"client": "192.0.3.7"}, {"blocked_networks": ("192.0.2.0/24",)}, None),
        ({"client": None}, {"blocked_networks": ("0.0.0.0/0",)}, None),
        ({"client": "unix"}, {"blocked_networks": ("0.0.0.0/0",)}, None),
    ],
)
def test_screening(said: dict, rules: dict, expected: str | None) -> None:
    what = {"name": "G", "email": "g@a.example", "url": None, "body": "Hm.", "client": "192.0.2.1"} | said
    assert screen(ReaderCommentRules(**rules), **what) == expected


def test_lists_are_checked_whole() -> None:
    found = checked(
        {
            "blocked_words": ("  Casino ", "casino", "Ｂ"),
            "blocked_addresses": ("X@A.example", "@a.example"),
            "blocked_networks": ("192.0.2.1", "2001:DB8::/32"),
            "max_links": 3,
        }
    )
    assert found == {
        "blocked_words": ("casino", "b"),
        "blocked_addresses": ("x@a.example", "@a.example"),
        "blocked_networks": ("192.0.2.1/32", "2001:db8::/32"),
        "max_links": 3,
    }
    with pytest.raises(Invalid) as caught:
        checked(
            {
                "blocked_words": ("ok", " "),
                "blocked_addresses": ("a.example", "a b@c", "a@b@c", "@"),
                "blocked_networks": ("192.0.2.1/24", "x"),
            }
        )
    assert [one.pointer for one in caught.value.faults] == [
        "/blocked_words/1",
        *(f"/blocked_addresses/{n}" for n in range(4)),
        "/blocked_networks/0",
        "/blocked_networks/1",
    ]


def test_escaping_is_the_librarys() -> None:
    assert html.escape("'") in texts.as_html("'")

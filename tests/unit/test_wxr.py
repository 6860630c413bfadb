"""WordPress exports: what is read of each kind, what is refused, and what damage does."""

import gzip
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.adapters.wordpress import elements
from cms_api.adapters.wordpress.formatting import captions, formatted, lines, paragraphs, plain
from cms_api.adapters.wordpress.wxr import WxrFile
from cms_api.domains.cms.imports.source import (
    SourceAttachment,
    SourceAuthor,
    SourceComment,
    SourceDocument,
    SourceError,
    SourceFault,
    SourceItem,
    SourceMenu,
    SourceMenuItem,
    SourceOther,
    SourceRefused,
    SourceSite,
    SourceTerm,
    SourceTermRef,
)

NAMESPACES = (
    ' xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/"'
)
VERSION = "<wp:wxr_version>1.2</wp:wxr_version>"
HEAD = f"""<title>The Site</title><link>https://site.example</link>{VERSION}
<wp:base_site_url>https://site.example/</wp:base_site_url>
<wp:base_blog_url>https://Site.example/blog/</wp:base_blog_url>
<image><title>not this</title></image>
"""
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)

Read = Callable[[str], list[SourceItem]]


def wxr(*parts: str, head: str = HEAD, namespaces: str = NAMESPACES) -> str:
    body = "\n".join(parts)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"{namespaces}>'
        f"<channel>{head}{body}</channel></rss>"
    )


def item(*extra: str, **given: str) -> str:
    """A sound published post; a field given as "" is left out, and ``extra`` is more of its markup."""
    fields = {
        "post_id": "7",
        "post_type": "post",
        "status": "publish",
        "post_date_gmt": "2024-05-01 12:00:00",
    } | given
    content, title = fields.pop("content", "Text"), fields.pop("title", "A title")
    inner = "".join(f"<wp:{name}><![CDATA[{text}]]></wp:{name}>" for name, text in fields.items() if text)
    return (
        f"<item><title>{title}</title><content:encoded><![CDATA[{content}]]></content:encoded>"
        f"{inner}{''.join(extra)}</item>"
    )


def meta(key: str, text: str) -> str:
    return (
        f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key>"
        f"<wp:meta_value><![CDATA[{text}]]></wp:meta_value></wp:postmeta>"
    )


def category(domain: str, nicename: str, name: str) -> str:
    return f'<category domain="{domain}" nicename="{nicename}"><![CDATA[{name}]]></category>'


def comment(key: str = "5", **given: str) -> str:
    """A sound approved comment; a field given as "" is left out."""
    fields = {
        "id": key,
        "author": "Grace",
        "date_gmt": "2024-05-01 12:00:00",
        "content": "Well said.",
        "approved": "1",
        "parent": "0",
    } | given
    inner = "".join(
        f"<wp:comment_{name}><![CDATA[{text}]]></wp:comment_{name}>" for name, text in fields.items() if text
    )
    commentmeta = "<wp:commentmeta><wp:meta_key>_thumbnail_id</wp:meta_key></wp:commentmeta>"
    return f"<wp:comment>{inner}{commentmeta}</wp:comment>"


def menu_item(*extra: str, menu: str = "main", **given: str) -> str:
    """An item of a menu; what isn't one of the item's own fields is one of its ``_menu_item_`` fields."""
    own = {name: given.pop(name) for name in ("post_id", "status", "title", "menu_order") if name in given}
    metas = {"type": "custom", "url": "https://else.example/", "object": "custom", "object_id": "7"} | given
    return item(
        category("nav_menu", menu, menu.title()),
        *(meta(f"_menu_item_{name}", text) for name, text in metas.items()),
        *extra,
        post_type="nav_menu_item",
        **own,
    )


def the(kind: type, items: list[SourceItem]) -> list:
    return [found for found in items if isinstance(found, kind)]


@pytest.fixture
def export(tmp_path: Path) -> Callable[[str | bytes], WxrFile]:
    def write(text: str | bytes) -> WxrFile:
        path = tmp_path / "export.xml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return WxrFile(path)

    return write


@pytest.fixture
def read(export) -> Read:
    """Everything after the site, of an export with these parts."""

    def items(*parts: str) -> list[SourceItem]:
        site, *rest = export(wxr(*parts)).items()
        assert isinstance(site, SourceSite)
        return rest

    return items


@pytest.fixture
def document(read) -> Callable[..., SourceDocument]:
    """The document made of one item."""

    def only(*extra: str, **given: str) -> SourceDocument:
        (found,) = read(item(*extra, **given))
        assert isinstance(found, SourceDocument), found
        return found

    return only


def until_error(source: WxrFile) -> tuple[list[SourceItem], SourceError]:
    found: list[SourceItem] = []
    with pytest.raises(SourceError) as caught:
        found.extend(source.items())  # keeps those that came before the error
    return found, caught.value


class TestSite:
    def test_comes_first_even_of_an_empty_export(self, export):
        assert list(export(wxr()).items()) == [SourceSite(url="https://Site.example/blog/", title="The Site")]

    def test_key_is_the_address_without_scheme_and_slash(self, export):
        assert export(wxr()).key == "site.example/blog"

    def test_key_falls_back_on_the_link(self, export):
        head = f"<title>T</title><link>http://localhost:8080/</link>{VERSION}"
        assert export(wxr(head=head)).key == "localhost:8080"

    def test_no_address(self, export):
        with pytest.raises(SourceError, match="which site"):
            _ = export(wxr(head=VERSION)).key

    @pytest.mark.parametrize("url", ["http://[broken", "http://"])
    def test_an_address_that_is_none(self, export, url):
        with pytest.raises(SourceError, match="which site"):
            _ = export(wxr(head=f"{VERSION}<link>{url}</link>")).key

    def test_key_leaves_the_position_alone(self, export):
        source = export(wxr(item()))
        assert source.key
        assert source.position == 0

    def test_position_ends_at_size(self, export):
        for data in (wxr(item()).encode(), gzip.compress(wxr(item()).encode())):
            source = export(data)
            assert source.position == 0
            list(source.items())
            assert source.position == source.size == len(data)

    def test_reads_again_from_the_beginning(self, export):
        source = export(wxr(item()))
        assert list(source.items()) == list(source.items())


class TestEnvelope:
    @pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_namespaces_of_any_version_under_any_prefix(self, export, scheme, version):
        text = wxr(item("<excerpt:encoded>Short</excerpt:encoded>"))
        text = text.replace("http://wordpress.org/export/1.2/", f"{scheme}://wordpress.org/export/{version}/")
        text = text.replace("wp:", "w:").replace(":wp=", ":w=").replace("excerpt:", "e:")
        text = text.replace("xmlns:e:", "xmlns:e").replace(":excerpt=", ":e=")
        (found,) = the(SourceDocument, list(export(text).items()))
        assert (found.key, found.excerpt) == ("7", "Short")

    def test_gzip_is_known_by_its_first_bytes(self, export):
        assert list(export(gzip.compress(wxr(item()).encode())).items()) == list(export(wxr(item())).items())

    def test_utf16(self, export):
        text = wxr(item(title="Ω")).replace("UTF-8", "UTF-16")
        assert the(SourceDocument, list(export(text.encode("utf-16")).items()))[0].title == "Ω"

    def test_blank_lines_and_byte_order_mark_before_the_declaration(self, export):
        items = list(export("\n\n\ufeff" + wxr(item(), item(status="odd"))).items())
        assert the(SourceDocument, items)
        assert items[-1].where == "post 7, line 9"

    def test_what_follows_the_end_is_left_out(self, export):
        *_, document, fault = export(wxr(item()) + "\n<b>Warning</b>: headers already sent").items()
        assert isinstance(document, SourceDocument)
        assert fault == SourceFault(where="line 7", reason="What follows the end of the export was left out.")

    def test_control_characters_are_removed_and_told_of(self, export):
        text = wxr(item(title="One\x0b\x00 two"), item(content="\x1bThree"))
        _, first, second, fault = export(text).items()
        assert (first.title, second.body) == ("One two", "<p>Three</p>")
        assert fault.where == "line 6"
        assert fault.reason.startswith("3 control characters")

    def test_unknown_elements_pass(self, read):
        assert the(SourceDocument, read("<atom><item>no</item></atom>", item("<x><wp:status/></x>")))


class TestRefused:
    def test_entity_bomb(self, export):
        entities = '<!ENTITY a "ha">' + "".join(
            f'<!ENTITY {name} "{f"&{before};" * 10}">'
            for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        )
        bomb = wxr(item(title="&i;")).replace("<rss", f"<!DOCTYPE lolz [{entities}]><rss", 1)
        items, error = until_error(export(bomb))
        assert items == []
        assert isinstance(error, SourceRefused)
        assert "“lolz”" in error.detail

    def test_external_entity(self, export, tmp_path):
        (tmp_path / "secret").write_text("secret")
        doctype = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
        items, error = until_error(export(wxr(item(title="&x;")).replace("<rss", f"{doctype}<rss", 1)))
        assert items == []
        assert isinstance(error, SourceRefused)
        assert str(tmp_path) not in error.detail

    def test_external_document_type(self, export):
        text = wxr(item()).replace("<rss", '<!DOCTYPE rss SYSTEM "http://evil.example/x.dtd"><rss', 1)
        assert isinstance(until_error(export(text))[1], SourceRefused)

    def test_more_than_may_be_decompressed(self, export, tmp_path):
        export(gzip.compress(wxr(item(content="x" * 10_000_000)).encode()))
        source = WxrFile(tmp_path / "export.xml", max_bytes=1_000_000)
        assert "larger than 1000000 bytes" in until_error(source)[1].detail

    def test_an_item_too_large_to_hold(self, export, monkeypatch):
        monkeypatch.setattr(elements, "_MAX_ELEMENT", 100_000)
        items, error = until_error(export(wxr(item(), item(content="x" * 200_000))))
        assert len(the(SourceDocument, items)) == 1
        assert error.detail == "The item at line 7 is larger than 100000 characters."

    def test_a_tag_too_large_to_hold(self, export, monkeypatch):
        monkeypatch.setattr(elements, "_MAX_MARKUP", 200_000)
        error = until_error(export(wxr(f'<category nicename="{"x" * 500_000}"/>')))[1]
        assert isinstance(error, SourceRefused)

    def test_nesting(self, export):
        error = until_error(export(wxr("<a>" * 10_000)))[1]
        assert "nested too deeply at line 6" in error.detail


class TestDamaged:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "The file is not XML: no element found at line 1, column 1."),
            ("plain words", "The file is not XML: syntax error at line 1, column 1."),
            (b"\x89PNG\r\n\x1a\n\x00", "The file is not XML: "),
            ("<html><body/></html>", "The file is not a WordPress export: it is <html>, not <rss>."),
            ("<rss><channel><title>News</title></channel></rss>", "it has no wp:wxr_version."),
            ("<rss><channel><item/></channel></rss>", "it has no wp:wxr_version."),
            ("<rss/>", "it has no wp:wxr_version."),
            ("<rss><channel><wp:author/></channel></rss>", "unbound prefix"),
            ('<?xml version="1.0" encoding="klingon"?><rss/>', "encoding"),
            (gzip.compress(b"plain words", mtime=0), "The file is not XML: "),
        ],
    )
    def test_no_export(self, export, text, sentence):
        items, error = until_error(export(text))
        assert items == []
        assert sentence in error.detail

    def test_ends_too_early(self, export):
        text = wxr(item(), item(post_id="8"), item(post_id="9"))
        items, error = until_error(export(text[: text.index("<wp:post_id><![CDATA[9")]))
        assert [found.key for found in the(SourceDocument, items)] == ["7", "8"]
        assert error.detail.startswith("The file ends too early, at line 8, column ")

    def test_broken_in_the_middle(self, export):
        text = wxr(item(), "<item></oops>", item(post_id="8"))
        items, error = until_error(export(text))
        assert [found.key for found in the(SourceDocument, items)] == ["7"]
        assert error.detail == "The file is broken at line 7, column 9: mismatched tag."

    def test_undefined_entity(self, export):
        assert (
            "line 6, column 15: undefined entity"
            in until_error(export(wxr(item(title="a&nbsp;b"))))[1].detail
        )

    def test_control_characters_are_told_of_all_the_same(self, export):
        items, _ = until_error(export(wxr(item(title="\x01"))[:-5]))
        assert isinstance(items[-1], SourceFault)

    def test_gzip_cut_short(self, export):
        # What doesn't compress, so that the cut falls late in the text.
        filler = "".join(f"{number * 7919 % 99991:x}" for number in range(100_000))
        data = gzip.compress(wxr(item(), item(post_id="8", content=filler)).encode())
        items, error = until_error(export(data[: len(data) // 2]))
        assert [found.key for found in the(SourceDocument, items)] == ["7"]
        assert "damaged or cut short" in error.detail

    def test_gzip_damaged(self, export):
        data = bytearray(gzip.compress(wxr(item()).encode()))
        data[-8:] = bytes(8)
        assert "damaged" in until_error(export(bytes(data)))[1].detail

    def test_errors_name_no_path(self, export, tmp_path):
        for text in ("", wxr(item())[:-9], gzip.compress(b"x" * 99, mtime=0)[:-9]):
            assert str(tmp_path) not in until_error(export(text))[1].detail


class TestAuthor:
    @pytest.mark.parametrize(
        ("names", "name"),
        [
            ("<wp:author_display_name>Ann &amp;amp; Bo</wp:author_display_name>", "Ann & Bo"),
            (
                "<wp:author_first_name>Ann</wp:author_first_name><wp:author_last_name>Lee</wp:author_last_name>",
                "Ann Lee",
            ),
            ("", "ann"),
        ],
    )
    def test_name(self, read, names, name):
        login = "<wp:author_login><![CDATA[ann]]></wp:author_login>"
        (author,) = read(
            f"<wp:author>{login}<wp:author_email>a@b.example</wp:author_email>{names}</wp:author>"
        )
        assert author == SourceAuthor(key="ann", email="a@b.example", name=name)

    def test_no_email(self, read):
        assert read("<wp:author><wp:author_login>ann</wp:author_login></wp:author>")[0].email is None

    def test_no_login(self, read):
        (fault,) = read("<wp:author><wp:author_email>a@b.example</wp:author_email></wp:author>")
        assert fault == SourceFault(where="line 6", reason="An author has no login.")


class TestTerms:
    def test_category(self, read):
        (term,) = read(
            "<wp:category><wp:category_nicename>%ce%b1-1</wp:category_nicename>"
            "<wp:category_parent>%CE%B2</wp:category_parent><wp:cat_name><![CDATA[A &amp; B]]></wp:cat_name>"
            "<wp:category_description><![CDATA[All <b>of</b> it]]></wp:category_description></wp:category>"
        )
        assert term == SourceTerm(
            key="category:α-1",
            taxonomy="category",
            name="A & B",
            slug="α-1",
            parent_slug="β",
            description="All of it",
        )

    def test_tag(self, read):
        (term,) = read("<wp:tag><wp:tag_slug>a</wp:tag_slug><wp:tag_name>A</wp:tag_name></wp:tag>")
        assert (term.key, term.taxonomy, term.name, term.parent_slug) == ("tag:a", "tag", "A", None)

    def test_name_falls_back_on_the_slug(self, read):
        assert read("<wp:tag><wp:tag_slug>a</wp:tag_slug></wp:tag>")[0].name == "a"

    def test_no_slug(self, read):
        (fault,) = read("<wp:tag><wp:tag_name>A</wp:tag_name></wp:tag>")
        assert fault == SourceFault(where="line 6", reason="A tag has no slug.")

    @pytest.mark.parametrize(("taxonomy", "ours"), [("category", "category"), ("post_tag", "tag")])
    def test_general_form(self, read, taxonomy, ours):
        (term,) = read(
            f"<wp:term><wp:term_taxonomy>{taxonomy}</wp:term_taxonomy><wp:term_slug>a</wp:term_slug>"
            "<wp:term_parent>top</wp:term_parent><wp:term_name>A</wp:term_name></wp:term>"
        )
        assert (term.key, term.name, term.parent_slug) == (f"{ours}:a", "A", "top")

    def test_other_taxonomy(self, read):
        (other,) = read(
            "<wp:term><wp:term_taxonomy>genre</wp:term_taxonomy><wp:term_slug>jazz</wp:term_slug></wp:term>"
        )
        assert isinstance(other, SourceOther)
        assert (other.kind, other.key) == ("term:genre", "jazz")

    @pytest.mark.parametrize(
        "markup",
        [
            "<wp:category><wp:term_id>12</wp:term_id><wp:category_nicename>a</wp:category_nicename></wp:category>",
            "<wp:tag><wp:term_id>12</wp:term_id><wp:tag_slug>a</wp:tag_slug></wp:tag>",
            "<wp:term><wp:term_id>12</wp:term_id><wp:term_taxonomy>tag</wp:term_taxonomy><wp:term_slug>a</wp:term_slug></wp:term>",
        ],
    )
    def test_number(self, read, markup):
        assert read(markup)[0].number == "12"
        assert read(markup.replace("12", "twelve"))[0].number is None

    def test_mentions(self, read):
        found, *others = read(
            item(
                category("category", "%ce%b1", "Alpha &amp; more"),
                category("post_tag", "b", "B"),
                category("tag", "b", "B"),
                category("post_format", "post-format-aside", "Aside"),
                category("genre", "jazz", "Jazz"),
                "<category>Alpha</category>",
            )
        )
        alpha = SourceTermRef(taxonomy="category", slug="α", name="Alpha & more")
        assert found.terms == (alpha, SourceTermRef(taxonomy="tag", slug="b", name="B"))
        assert alpha.key == "category:α"
        assert [(other.kind, other.key, other.reason) for other in others] == [
            ("post_format", "7", "aside"),
            ("term_ref:genre", "7", "jazz"),
        ]


class TestDocument:
    def test_everything(self, document):
        found = document(
            "<dc:creator>ann</dc:creator>",
            "<excerpt:encoded><![CDATA[In <em>short</em>]]></excerpt:encoded>",
            category("category", "news", "News"),
            meta("_edit_last", "1"),
            meta("_thumbnail_id", "99"),
            post_type="page",
            post_name="a-page",
            post_modified_gmt="2024-05-02 12:00:00",
            post_parent="3",
            menu_order="-2",
            is_sticky="1",
            post_password="enter",
            content="<p>Body</p>",
        )
        assert found == SourceDocument(
            key="7",
            type="page",
            title="A title",
            slug="a-page",
            status="published",
            body="<p>Body</p>",
            excerpt="In short",
            author_key="ann",
            published_at=NOON,
            modified_at=datetime(2024, 5, 2, 12, 0, tzinfo=UTC),
            created_at=NOON,
            parent_key="3",
            menu_order=-2,
            is_sticky=True,
            password=True,
            terms=(SourceTermRef(taxonomy="category", slug="news", name="News"),),
            cover_key="99",
        )
        assert "enter" not in repr(found)

    def test_only_what_must_be(self, document):
        found = document(title="", content="", post_date_gmt="")
        assert (found.title, found.slug, found.body, found.author_key) == ("", None, "", None)
        assert (found.published_at, found.modified_at, found.created_at) == (None, None, None)
        assert (found.parent_key, found.menu_order, found.cover_key) == (None, 0, None)
        assert not found.is_sticky
        assert not found.password

    @pytest.mark.parametrize(("given", "takes"), [("open", True), ("closed", False), ("", None), ("x", None)])
    def test_whether_it_takes_comments(self, document, given, takes):
        assert document(comment_status=given).takes_comments is takes

    def test_zero_is_no_parent(self, document):
        assert document(post_parent="0").parent_key is None

    @pytest.mark.parametrize(
        ("given", "title"),
        [
            ("<![CDATA[Title <em>With</em> <b>Markup</b>]]>", "Title With Markup"),
            ("<![CDATA[Fish &amp; chips &#8217;n&rsquo; more]]>", "Fish & chips ’n’ more"),
            ("Fish &amp; chips", "Fish & chips"),
            ("<![CDATA[&lt;b&gt; is bold]]>", "<b> is bold"),
            ("<![CDATA[1 < 2 > 0]]>", "1 < 2 > 0"),
            ("<![CDATA[ two\n\t lines ]]>", "two lines"),
            ("<![CDATA[a <!-- not shown --> b]]>", "a b"),
            ("<![CDATA[safe<script>alert(1)</script>]]>", "safe"),
        ],
    )
    def test_title(self, document, given, title):
        assert document(title=given).title == title

    @pytest.mark.parametrize(
        ("given", "slug"),
        [
            ("%ce%b5%cf%80%ce%af%cf%80%ce%b5%ce%b4%ce%bf-2", "επίπεδο-2"),
            ("plain", "plain"),
            ("cut-%ce%b1%ce", "cut-α"),
            ("cut-%ce%b1%c", "cut-α"),
            ("nul%00", "nul"),
        ],
    )
    def test_slug(self, document, given, slug):
        assert document(post_name=given).slug == slug

    @pytest.mark.parametrize(
        ("given", "status", "dated"),
        [
            ("publish", "published", True),
            ("future", "scheduled", True),
            ("private", "private", True),
            ("draft", "draft", False),
            ("pending", "pending", False),
            ("auto-draft", "draft", False),
            ("trash", "trashed", False),
        ],
    )
    def test_status(self, document, given, status, dated):
        found = document(status=given)
        assert found.status == status
        assert found.published_at == (NOON if dated else None)
        assert found.created_at == (None if given == "future" else NOON)

    def test_trashed_after_it_was_live(self, document):
        found = document(meta("_wp_trash_meta_status", "publish"), status="trash", post_name="a__trashed")
        assert (found.slug, found.published_at) == ("a", NOON)

    def test_scheduled_was_made_before_it_goes_live(self, document):
        found = document(status="future", post_modified_gmt="2024-01-01 00:00:00")
        assert found.created_at == datetime(2024, 1, 1, tzinfo=UTC)
        assert found.published_at == NOON


class TestDates:
    @pytest.mark.parametrize("zero", ["0000-00-00 00:00:00", "-0001-11-30 00:00:00", ""])
    def test_local_time_where_there_is_no_other(self, document, zero):
        found = document(post_date_gmt=zero, post_date="2024-05-01 12:00:00")
        assert found.published_at == NOON

    def test_the_feeds_date_where_there_is_no_other(self, document):
        zero = "0000-00-00 00:00:00"
        published = "<pubDate>Wed, 01 May 2024 14:00:00 +0200</pubDate>"
        found = document(published, post_date_gmt=zero, post_date=zero)
        assert found.published_at == NOON
        assert found.published_at.tzinfo is UTC

    @pytest.mark.parametrize("published", ["Mon, 30 Nov -0001 00:00:00 +0000", "", "soon"])
    def test_none(self, document, published):
        zero = "0000-00-00 00:00:00"
        found = document(f"<pubDate>{published}</pubDate>", post_date_gmt=zero, post_modified_gmt=zero)
        assert (found.published_at, found.modified_at, found.created_at) == (None, None, None)

    @pytest.mark.parametrize(
        "date", ["2024-13-01 00:00:00", "yesterday", "2024-05-01", "2024-05-01T12:00:00Z"]
    )
    def test_broken(self, read, date):
        (fault,) = read(item(post_date_gmt=date))
        assert fault.reason == f"An item has the date “{date}” in wp:post_date_gmt, which is none."


class TestAttachment:
    def test_everything(self, read):
        (found,) = read(
            item(
                "<excerpt:encoded>A caption</excerpt:encoded>",
                meta("_wp_attachment_image_alt", "A cat"),
                post_type="attachment",
                status="inherit",
                attachment_url="https://site.example/cat.jpg",
                post_parent="3",
                content="About <b>it</b>",
            )
        )
        assert found == SourceAttachment(
            key="7",
            title="A title",
            url="https://site.example/cat.jpg",
            alt="A cat",
            caption="A caption",
            description="About it",
            created_at=NOON,
            parent_key="3",
        )

    def test_address_falls_back_on_the_guid(self, read):
        (found,) = read(item("<guid>http://site.example/a.pdf</guid>", post_type="attachment"))
        assert found.url == "http://site.example/a.pdf"

    @pytest.mark.parametrize("url", ["", "file:///etc/passwd", "javascript:1", "uploads/a.jpg", "http://[x"])
    def test_no_web_address(self, read, url):
        (fault,) = read(item(post_type="attachment", attachment_url=url))
        assert fault == SourceFault(where="post 7, line 6", reason="An attachment has no web address.")


class TestOther:
    def test_custom_types(self, read):
        (product,) = read(item(post_id="8", post_type="product", post_date_gmt="odd"))
        assert (product.kind, product.key) == ("type:product", "8")

    def test_what_is_no_comment_is_told_by_its_type(self, read):
        kinds = ("", "comment", "pingback", "review", "trackback")
        found = read(item(*(comment(type=kind) for kind in kinds)))
        assert len(the(SourceComment, found)) == 2
        assert [(other.kind, other.key) for other in the(SourceOther, found)] == [
            ("pingback", "7"),
            ("comment:review", "7"),
            ("trackback", "7"),
        ]


class TestComments:
    def test_everything(self, read):
        found, document = read(
            item(
                comment(
                    author="Ann &amp; Bo",
                    author_email="ann@b.example",
                    author_url="https://ann.example/",
                    author_IP="192.0.2.1",
                    type="comment",
                    parent="4",
                    user_id="2",
                    content="<p>One</p>two <b>&lt;3</b>",
                )
            )
        )
        assert isinstance(document, SourceDocument)
        assert found == SourceComment(
            key="5",
            document_key="7",
            parent_key="4",
            state="approved",
            body="One\n\ntwo <3",
            author_name="Ann & Bo",
            author_email="ann@b.example",
            author_url="https://ann.example/",
            was_signed_in=True,
            created_at=NOON,
            order=5,
        )
        assert "192.0.2.1" not in repr(found)

    def test_only_what_must_be(self, read):
        (found,) = the(
            SourceComment, read(item(comment(author="", date_gmt="", content="", author_url="http://")))
        )
        assert (found.author_name, found.author_email, found.author_url) == ("Anonymous", None, None)
        assert (found.body, found.created_at, found.parent_key) == ("", None, None)
        assert not found.was_signed_in

    @pytest.mark.parametrize(
        ("given", "state"),
        [
            ("1", "approved"),
            ("0", "pending"),
            ("hold", "pending"),
            ("spam", "spam"),
            ("trash", "trash"),
            ("post-trashed", "trash"),
        ],
    )
    def test_state(self, read, given, state):
        assert the(SourceComment, read(item(comment(approved=given))))[0].state == state

    def test_local_time_where_there_is_no_other(self, read):
        given = comment(date_gmt="0000-00-00 00:00:00", date="2024-05-01 12:00:00")
        assert the(SourceComment, read(item(given)))[0].created_at == NOON

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({"key": ""}, "A comment has the comment_id “”, which is no number."),
            ({"key": "x"}, "A comment has the comment_id “x”, which is no number."),
            ({"approved": ""}, "A comment has the state “”, which is not known."),
            ({"approved": "odd"}, "A comment has the state “odd”, which is not known."),
        ],
    )
    def test_broken(self, read, given, reason):
        fault, sound, document = read(item(comment(**given), comment("6")))
        assert fault == SourceFault(where="post 7, line 6", reason=reason)
        assert (sound.key, document.key) == ("6", "7")

    @pytest.mark.parametrize("kind", ["post", "attachment", "product"])
    def test_of_whatever_item(self, read, kind):
        found = read(item(comment(), post_type=kind, attachment_url="https://site.example/a.jpg"))
        assert the(SourceComment, found)[0].document_key == "7"

    def test_before_the_id_of_its_item(self, read):
        document, first, second = read(item().replace("<title>", f"{comment()}{comment('6')}<title>"))
        assert isinstance(document, SourceDocument)
        assert [(found.key, found.document_key) for found in (first, second)] == [("5", "7"), ("6", "7")]

    def test_of_an_item_without_an_id(self, read):
        fault, found, after = read(item(comment(), post_id=""), item(post_id="8"))
        assert isinstance(fault, SourceFault)
        assert found.document_key is None
        assert after.key == "8"

    def test_elsewhere_is_none(self, read):
        assert read(comment(), item(f"<wp:postmeta>{comment()}</wp:postmeta>"))[0].key == "7"

    def test_line(self, read):
        fault = read(item("\n\n", comment(approved="odd")))[0]
        assert fault.where == "post 7, line 8"

    @pytest.mark.parametrize("first", [False, True])
    def test_too_large_to_hold(self, export, monkeypatch, first):
        """Where they come before the id of their item they count as a part of it."""
        monkeypatch.setattr(elements, "_MAX_ELEMENT", 100_000)
        many = "".join(comment(str(key), content="x" * 10_000) for key in range(1, 21))
        text = item(many) if not first else item().replace("<title>", f"{many}<title>")
        if first:
            assert "larger than 100000 characters" in until_error(export(wxr(text)))[1].detail
        else:
            assert len(the(SourceComment, list(export(wxr(text)).items()))) == 20
        assert "line 6" in until_error(export(wxr(item(comment(content="x" * 200_000)))))[1].detail


class TestLines:
    @pytest.mark.parametrize(
        ("given", "made"),
        [
            ("", ""),
            ("One\ntwo\n\nthree", "One\ntwo\n\nthree"),
            ("One<br />\ntwo<br>three", "One\ntwo\nthree"),
            ("<p>One</p>\n<p>Two &amp; <b>three</b></p>", "One\n\nTwo & three"),
            ("One <blockquote>two</blockquote> three", "One\n\ntwo\n\nthree"),
            ("<ul><li>a</li>\n<li>b</li></ul>c", "- a\n- b\n\nc"),
            ("1 < 2 &lt;b&gt;", "1 < 2 <b>"),
            ('See <a href="https://x.example/?a=1&amp;b">this</a>.', "See this (https://x.example/?a=1&b)."),
            ("<a href='http://x.example/'>x.example</a>", "x.example"),
            ('<a href="javascript:alert(1)">this</a>', "this"),
            ('<a href="http://x.example">never closed', "never closed (http://x.example)"),
            ("safe<script>alert(1)</script><!-- not shown -->", "safe"),
        ],
    )
    def test_text(self, given, made):
        assert lines(given) == made


class TestMenus:
    def test_menu(self, read):
        (menu,) = read(
            "<wp:term><wp:term_id>3</wp:term_id><wp:term_taxonomy>nav_menu</wp:term_taxonomy>"
            "<wp:term_slug>haupt-men%c3%bc</wp:term_slug><wp:term_name>Haupt &amp;amp; Menü</wp:term_name></wp:term>"
        )
        assert menu == SourceMenu(key="haupt-menü", name="Haupt & Menü")

    def test_no_slug(self, read):
        (fault,) = read("<wp:term><wp:term_taxonomy>nav_menu</wp:term_taxonomy></wp:term>")
        assert fault.reason == "A menu has no slug."

    def test_item(self, read):
        (found,) = read(
            menu_item(
                "<excerpt:encoded><![CDATA[Look <b>here</b>]]></excerpt:encoded>",
                title="There &amp;amp; back",
                menu_order="4",
                menu_item_parent="6",
                url="https://else.example/?a=1",
                target="_blank",
            )
        )
        assert found == SourceMenuItem(
            key="7",
            menu_key="main",
            menu_name="Main",
            parent_key="6",
            order=4,
            label="There & back",
            title="Look here",
            target="url",
            target_kind="custom",
            target_key="https://else.example/?a=1",
            opens_in_new_tab=True,
            is_shown=True,
        )

    @pytest.mark.parametrize(
        ("kind", "name", "target"),
        [
            ("post_type", "page", "page"),
            ("post_type", "post", "post"),
            ("post_type", "product", None),
            ("taxonomy", "category", "category"),
            ("taxonomy", "post_tag", "tag"),
            ("taxonomy", "genre", None),
        ],
    )
    def test_target(self, read, kind, name, target):
        (found,) = read(menu_item(type=kind, object=name, object_id="12"))
        assert (found.target, found.target_kind, found.target_key) == (target, name, "12")

    def test_kind_that_is_not_known(self, read):
        (found,) = read(menu_item(type="post_type_archive", object="product", object_id="-7"))
        assert (found.target, found.target_kind) == (None, "post_type_archive")

    def test_item_that_was_never_saved(self, read):
        assert not read(menu_item(status="draft"))[0].is_shown

    def test_item_of_no_menu(self, read):
        (fault,) = read(item(post_type="nav_menu_item"))
        assert fault == SourceFault(where="post 7, line 6", reason="An item belongs to no menu.")


class TestBrokenItems:
    @pytest.mark.parametrize(
        ("given", "where", "reason"),
        [
            ({"post_id": ""}, "line 7", "An item has no post_id."),
            ({"post_id": "x1"}, "line 7", "An item has the post_id “x1”, which is no number."),
            ({"post_type": ""}, "post 7, line 7", "An item has no post_type."),
            ({"status": ""}, "post 7, line 7", "An item has the status “”, which is not known."),
            ({"status": "odd"}, "post 7, line 7", "An item has the status “odd”, which is not known."),
        ],
    )
    def test_become_faults_and_the_rest_goes_on(self, read, given, where, reason):
        before, fault, after = read(item(post_id="1"), item(**given), item(post_id="9"))
        assert fault == SourceFault(where=where, reason=reason)
        assert (before.key, after.key) == ("1", "9")

    def test_an_order_that_is_no_number_is_none(self, document):
        assert document(menu_order="first").menu_order == 0


@pytest.mark.parametrize("compressed", [False, True])
def test_memory_does_not_grow_with_the_file(tmp_path, compressed):
    number, filler = 5_000, "Lorem ipsum dolor sit amet. " * 250
    path = tmp_path / "large.xml"
    before, after = wxr("@").split("@")
    with gzip.open(path, "wt", compresslevel=1) if compressed else path.open("w") as file:
        file.write(before)
        size = sum(file.write(item(post_id=str(key), content=filler)) for key in range(1, number + 1))
        file.write(after)
    assert size > 30_000_000

    tracemalloc.start()
    try:
        documents = sum(isinstance(found, SourceDocument) for found in WxrFile(path).items())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert documents == number
    assert peak < 5_000_000


def test_memory_does_not_grow_with_an_items_comments(tmp_path):
    number, filler = 20_000, "Lorem ipsum dolor sit amet. " * 50
    path = tmp_path / "large.xml"
    before, after = wxr(item("@")).split("@")
    with path.open("w") as file:
        file.write(before)
        size = sum(file.write(comment(str(key), content=filler)) for key in range(1, number + 1))
        file.write(after)
    assert size > 30_000_000

    tracemalloc.start()
    try:
        comments = sum(isinstance(found, SourceComment) for found in WxrFile(path).items())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert comments == number
    assert peak < 5_000_000


class TestParagraphs:
    @pytest.mark.parametrize(
        ("given", "made"),
        [
            ("", ""),
            (" \n\n ", ""),
            ("One", "<p>One</p>"),
            ("One\n\nTwo", "<p>One</p>\n<p>Two</p>"),
            ("One\r\n \t\r\n\r\nTwo\r\n", "<p>One</p>\n<p>Two</p>"),
            ("One\nline", "<p>One<br />\nline</p>"),
            ("One<br />\nline", "<p>One<br />\nline</p>"),
            ("<em>One\nline</em>\n\nTwo", "<p><em>One<br />\nline</em></p>\n<p>Two</p>"),
            ("One\n<h2>Head</h2>\nTwo", "<p>One</p>\n<h2>Head</h2>\n<p>Two</p>"),
            ("<ul>\n<li>a</li>\n\n<li>b</li>\n</ul>", "<ul>\n<li>a</li>\n\n<li>b</li>\n</ul>"),
            (
                "a\n<div>x\n<div>y\n</div>\n\nz</div>\nb",
                "<p>a</p>\n<div>x\n<div>y\n</div>\n\nz</div>\n<p>b</p>",
            ),
            ("<pre>a\n\n\nb <b>c</b>\n</pre>", "<pre>a\n\n\nb <b>c</b>\n</pre>"),
            ("<script>if (a<b) {\n\n'<p>'}</script>x", "<script>if (a<b) {\n\n'<p>'}</script>\n<p>x</p>"),
            ("<STYLE>a\n\nb</STYLE>", "<STYLE>a\n\nb</STYLE>"),
            ("<table>\n<tr><td>a\n\nb</td></tr></table>", "<table>\n<tr><td>a\n\nb</td></tr></table>"),
            ("a\n<hr />\nb", "<p>a</p>\n<hr />\n<p>b</p>"),
            ('<img src="a.jpg" />', '<p><img src="a.jpg" /></p>'),
            ("<a href='#'><div>x</div></a>", "<a href='#'>\n<div>x</div>\n</a>"),
            ("a<!-- note -->b", "<p>a<!-- note -->b</p>"),
            ("a\n<!--more-->\nb", "<p>a</p>\n<!--more-->\n<p>b</p>"),
            ("a <!-- never closed\n\n b", "<p>a <!-- never closed\n\n b</p>"),
            ("1 < 2\n\n3 > 2", "<p>1 < 2</p>\n<p>3 > 2</p>"),
            ("<p>One</p>\n\n<p class='x'>Two\nlines</p>", "<p>One</p>\n<p class='x'>Two\nlines</p>"),
            ("<p>One\n<h2>Head</h2>\nTwo", "<p>One\n<h2>Head</h2>\n<p>Two</p>"),
            ("</div>\nOne", "</div>\n<p>One</p>"),
            ("<div>open\n\nend\n", "<div>open\n\nend"),
            ("&nbsp;", "<p>&nbsp;</p>"),
            ('[gallery ids="1,2"]', '<p>[gallery ids="1,2"]</p>'),
        ],
    )
    def test_classic(self, given, made):
        assert paragraphs(given) == made

    def test_blocks_lose_their_comments_only(self):
        content = (
            '<!-- wp:paragraph {"a":"<b>"} -->\n<p>One\nline</p>\n<!-- /wp:paragraph -->\n\n'
            "<!-- wp:more -->\n<!--more-->\n<!-- /wp:more -->\n\n"
            "<!-- wp:latest-posts /-->\n\n<!-- wp:code -->\n<pre>a\n\n\nb</pre>\n<!-- /wp:code -->"
        )
        assert paragraphs(content) == "<p>One\nline</p>\n<!--more-->\n<pre>a\n\n\nb</pre>"

    @given(
        st.lists(
            st.sampled_from(
                "\n|\n\n| |a|b &amp;|<p>|</p>|<div>|</div>|<em>|</em>|<br />|<hr>|<img>|"  # noqa: SIM905
                "<pre>|</pre>|<script>|</script>|<!--more-->|<!-- x -->|<ul>|</ul>|<li>|<|>".split("|")
            )
        ).map("".join)
    )
    def test_text_survives_and_a_second_time_changes_nothing(self, content):
        once = paragraphs(content)
        assert paragraphs(once) == once
        assert once.count("a") == content.count("a")

    @pytest.mark.parametrize(
        "unit",
        [
            "<",
            "<a",
            "<!--",
            "<div>",
            "</p>",
            "<p>",
            "\n \n",
            " ",
            '<a "',
            "[caption]",
            "[caption",
            "<script>",
            "a<br>",
            "<li>",
            "<a href=http://x.example>",
        ],
    )
    def test_takes_hostile_content(self, unit):
        content = unit * 50_000
        assert isinstance(formatted(content), str)
        assert isinstance(plain(content), str)
        assert isinstance(lines(content), str)


class TestCaptions:
    @pytest.mark.parametrize(
        ("given", "made"),
        [
            (
                '[caption id="x" width="9"]<img src="a" /> Some <em>text</em>.[/caption]',
                '<figure><img src="a" /><figcaption>Some <em>text</em>.</figcaption></figure>',
            ),
            (
                '[caption]<a href="b"><img src="a"></a> Text[/caption]',
                '<figure><a href="b"><img src="a"></a><figcaption>Text</figcaption></figure>',
            ),
            (
                '[caption width="9" caption="Old form"]<img src="a">[/caption]',
                '<figure><img src="a"><figcaption>Old form</figcaption></figure>',
            ),
            ("[caption]<img>[/caption]", "<figure><img></figure>"),
            ("[caption]no image[/caption]", "[caption]no image[/caption]"),
            ("[caption]<img> never closed", "[caption]<img> never closed"),
            (
                "[caption] [caption]<img> b[/caption]",
                "[caption] <figure><img><figcaption>b</figcaption></figure>",
            ),
            ("[gallery] [captions]", "[gallery] [captions]"),
        ],
    )
    def test_become_figures(self, given, made):
        assert captions(given) == made

    def test_stand_between_paragraphs(self, document):
        found = document(content="One\n[caption]<img> Two[/caption]\nThree")
        figure = "<figure><img><figcaption>Two</figcaption></figure>"
        assert found.body == f"<p>One</p>\n{figure}\n<p>Three</p>"

"""What strangers write, made fit to be stored and shown: plain text, and paragraphs made of it."""

import html
import unicodedata
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from cms_api.kernel.errors import invalid

MAX_BODY = 5_000
MAX_NAME = 100
MAX_URL = 500
MAX_EMAIL = 320

# Control characters but for line breaks and tabs, and what turns the direction of text round beyond
# its own end (Unicode Standard Annex 9, section 2): marks, which end with their character, stay.
_GONE = {
    code: None
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
    if code not in (0x09, 0x0A)
}
_BREAKS = {0x2028: "\n", 0x2029: "\n\n", 0x85: "\n"}
# General categories of what can be seen: letters, numbers, punctuation, symbols.
_VISIBLE = frozenset("LNPS")
_NOT_IN_URLS = frozenset("<>\"'`\\^{|}@")


def clean(text: str) -> str:
    """The text in NFC, without characters that only do harm; at most one empty line at a time."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BREAKS).translate(_GONE)
    lines = [line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n")]
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip()


def check_body(body: str) -> str:
    """A comment's text, cleaned. Raises `Invalid` where there is nothing to see, or too much."""
    cleaned = clean(body)
    if not _is_visible(cleaned):
        raise invalid("/body", "empty", "There is nothing to be seen in this.")
    if len(cleaned) > MAX_BODY:
        raise invalid("/body", "length", f"A comment has at most {MAX_BODY} characters.")
    return cleaned


def check_name(name: str) -> str:
    """A name on one line. Raises `Invalid`."""
    cleaned = " ".join(clean(name).split())
    if not _is_visible(cleaned):
        raise invalid("/author_name", "empty", "There is nothing to be seen in this.")
    if len(cleaned) > MAX_NAME:
        raise invalid("/author_name", "length", f"A name has at most {MAX_NAME} characters.")
    return cleaned


def check_email(email: str) -> str:
    """The one spelling of an address, in lower case. Raises `Invalid` where it is none."""
    try:
        checked = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        # The library's own sentence may repeat the address.
        raise invalid("/author_email", "email", "This is no e-mail address.") from None
    return checked.normalized.lower()


def check_url(url: str) -> str:
    """An address of a web page, as it stands. Raises `Invalid`."""
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_right = False
    is_plain = url.isprintable() and not any(one.isspace() or one in _NOT_IN_URLS for one in url)
    if not (is_right and is_plain and len(url) <= MAX_URL):
        raise invalid("/author_url", "url", "This is no address that begins with http:// or https://.")
    return url


def as_html(body: str) -> str:
    """A cleaned text as HTML: paragraphs and line breaks, everything else escaped.

    ``dir="auto"`` keeps a text that runs from right to left from turning its surroundings round.
    """
    paragraphs = [html.escape(part).replace("\n", "<br>") for part in body.split("\n\n")]
    return "".join(f'<p dir="auto">{part}</p>' for part in paragraphs)


def folded(text: str) -> str:
    """The text as it is compared: compatible characters, case and spaces made one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def links_in(body: str) -> int:
    """How many addresses of web pages a text holds."""
    plain = body.casefold().replace("://www.", "://")
    return plain.count("http://") + plain.count("https://") + plain.count("www.")


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(one)[0] in _VISIBLE for one in text)

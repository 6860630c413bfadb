"""Slugs: a document's name in addresses."""

import re
import unicodedata

from slugify import slugify

from cms_api.kernel.errors import invalid

MAX_LENGTH = 200
FALLBACK = "untitled"
_SHAPE = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def make_slug(text: str) -> str:
    """A slug of ``text``: lower case, words of any script joined by hyphens, at most 200 long."""
    slug = slugify(
        unicodedata.normalize("NFC", text),
        allow_unicode=True,
        max_length=MAX_LENGTH - 8,
        algorithm="modern",  # the other one takes combining marks for the ends of words
    )
    return _clean(slug) or FALLBACK


def _clean(slug: str) -> str:
    """``slug`` in its one spelling, with nothing but hyphens and words that have a letter or digit."""
    spelt = unicodedata.normalize("NFC", slug).lower()
    kept = "".join(c for c in spelt if c == "-" or c.isalnum() or unicodedata.category(c).startswith("M"))
    return "-".join(word for word in kept.split("-") if any(c.isalnum() for c in word))


def check_slug(slug: str, *, pointer: str = "/slug") -> str:
    """``slug`` in its one spelling. Raises `Invalid` unless it is words joined by hyphens."""
    given = unicodedata.normalize("NFC", slug).lower()
    # Combining marks are part of the words of many scripts.
    bare = "".join(c for c in given if not unicodedata.category(c).startswith("M"))
    if len(given) > MAX_LENGTH or not _SHAPE.fullmatch(bare):
        raise invalid(
            pointer,
            "slug",
            f"A slug is up to {MAX_LENGTH} letters and digits, in words joined by single hyphens; "
            f"like “{make_slug(slug[:MAX_LENGTH])}”.",
        )
    return given


def composed(address: str) -> str:
    """A slug or path that is asked for, composed (NFC) as all that are kept. Upper and lower case differ."""
    return unicodedata.normalize("NFC", address)


def numbered(slug: str, number: int) -> str:
    """The slug with a number behind it, no longer than a slug may be."""
    return slug if number == 1 else f"{slug[: MAX_LENGTH - 8].rstrip('-')}-{number}"


def is_numbered(slug: str, base: str) -> bool:
    """Whether ``slug`` is ``base`` with a number behind it."""
    head = numbered(base, 0).removesuffix("0")
    return slug.startswith(head) and slug.removeprefix(head).isdecimal()

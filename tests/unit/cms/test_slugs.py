"""Slugs: what is made of a title, what is taken, and what a number does to them."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cms_api.domains.cms.documents.slugs import FALLBACK, MAX_LENGTH, check_slug, make_slug, numbered
from cms_api.kernel.errors import Invalid

words = st.text(max_size=300)
slugs = words.map(make_slug)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("  Spaces \t and\nlines ", "spaces-and-lines"),
        ("Grüße aus Köln", "grüße-aus-köln"),
        ("Привет, мир", "привет-мир"),
        ("你好,世界", "你好-世界"),
        ("한국어", "한국어"),
        ("हिन्दी भाषा", "हिन्दी-भाषा"),
        ("ภาษาไทย", "ภาษาไทย"),
        ("שָׁלוֹם", unicodedata.normalize("NFC", "שָׁלוֹם")),
        ("Cafe\u0301", "café"),
        ("ﬁne", "fine"),
        ("snake_case", "snake-case"),
        ("a/b\\c?d#e", "a-b-c-d-e"),
        ("Q&amp;A", "q-a"),
        ("--a----b--", "a-b"),
        ("İstanbul", "i̇stanbul"),
        ("🎉", FALLBACK),
        ("", FALLBACK),
        ("\u0301", FALLBACK),
        ("…", FALLBACK),
    ],
)
def test_a_slug_is_made_of_any_script(title: str, slug: str) -> None:
    assert make_slug(title) == slug


@given(words)
@example("İ" * 300)
@example("ŉ" * 192)
@example("ﷺ" * 60)
@example("a\u0345" * 200)
@example("Σ" * 10)
def test_what_is_made_is_taken_as_it_is(title: str) -> None:
    slug = make_slug(title)
    assert check_slug(slug) == slug
    assert make_slug(slug) == slug
    assert len(slug) <= MAX_LENGTH - 8


@given(slugs, st.integers(min_value=2, max_value=9_999_999))
def test_a_number_keeps_a_slug_a_slug(slug: str, number: int) -> None:
    made = numbered(slug, number)
    assert check_slug(made) == made
    assert made.endswith(f"-{number}")


def test_the_first_has_no_number() -> None:
    assert numbered("about", 1) == "about"


def test_a_number_finds_room_behind_the_longest_slug() -> None:
    longest = "a" * (MAX_LENGTH - 9) + "-" + "b" * 8
    assert check_slug(longest) == longest
    assert check_slug(numbered(longest, 12)) == "a" * (MAX_LENGTH - 9) + "-12"


@pytest.mark.parametrize(
    ("given_", "taken"),
    [
        ("hello", "hello"),
        ("Hello-World", "hello-world"),
        ("cafe\u0301", "café"),
        ("हिन्दी", "हिन्दी"),
        ("2024", "2024"),
    ],
)
def test_one_spelling_is_kept_of_a_given_slug(given_: str, taken: str) -> None:
    assert check_slug(given_) == taken


@pytest.mark.parametrize(
    "slug",
    [
        "", " ", "-", "a b", "a--b", "-a", "a-", "a/b", "../a", "a_b", "a.b", "a?b", "a\0b", "a\u200bb",
        "\u0301", "<b>", "a" * (MAX_LENGTH + 1),
    ],
)  # fmt: skip
def test_what_is_no_slug_is_refused_with_one_that_is(slug: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_slug(slug, pointer="/here")
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code) == ("/here", "slug")
    proposed = fault.detail.split("“")[1].split("”")[0]
    assert check_slug(proposed) == proposed

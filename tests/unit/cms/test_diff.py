"""Diffs are exact whatever the texts, and fine where that is of use."""

import itertools
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms_api.domains.cms.documents.content import PostContent, Seo
from cms_api.domains.cms.revisions import diff
from cms_api.domains.cms.revisions.diff import (
    ListChange,
    Segment,
    TextChange,
    ValueChange,
    compare,
    compare_texts,
)

EMPTY = PostContent(title="A", slug="a")
A, B, C = (UUID(int=number) for number in range(3))


def sides(segments: list[Segment]) -> tuple[str, str]:
    old = "".join(one.text for one in segments if one.op != "insert")
    new = "".join(one.text for one in segments if one.op != "delete")
    return old, new


def short(segments: list[Segment]) -> list[str]:
    signs = {"equal": " ", "delete": "-", "insert": "+"}
    return [signs[one.op] + one.text for one in segments]


def changed(**values: Any) -> PostContent:
    return msgspec.structs.replace(EMPTY, **values)


def test_equal_contents_have_no_changes() -> None:
    assert compare(EMPTY, changed()) == ()


def test_fields_come_in_their_order_and_nested_ones_by_their_pointers() -> None:
    before = changed(seo=Seo(title="Old"), is_sticky=False)
    after = changed(title="B", body="x", seo=Seo(title="New", description="D"), is_sticky=True, cover=A)
    found = compare(before, after)
    assert [one.pointer for one in found] == [
        "/seo/title", "/seo/description", "/title", "/body", "/cover", "/is_sticky",
    ]  # fmt: skip
    assert found[4] == ValueChange(pointer="/cover", before=None, after=A)
    assert found[1] == ValueChange(pointer="/seo/description", before=None, after="D")
    assert found[5] == ValueChange(pointer="/is_sticky", before=False, after=True)


@pytest.mark.parametrize(
    ("old", "new", "added", "removed", "is_reordered"),
    [
        ((A, B), (B, A), [], [], True),
        ((A, B), (A, B, C), [C], [], False),
        ((A, B, C), (C, A), [], [B], True),
        ((A,), (B,), [B], [A], False),
        ((), (A,), [A], [], False),
    ],
)
def test_lists(old: Any, new: Any, added: Any, removed: Any, is_reordered: bool) -> None:  # noqa: FBT001
    (found,) = compare(changed(tags=old), changed(tags=new))
    assert found == ListChange(
        pointer="/tags",
        before=list(old),
        after=list(new),
        added=added,
        removed=removed,
        is_reordered=is_reordered,
    )


class Block(msgspec.Struct, frozen=True):
    id: str


class Loose(msgspec.Struct, frozen=True):
    data: dict[str, Any] = {}
    blocks: tuple[Block, ...] = ()


def test_objects_are_looked_into_by_key_and_blocks_are_values() -> None:
    before = Loose(data={"a/b": 1, "same": 2, "gone": 3}, blocks=(Block("x"),))
    after = Loose(data={"a/b": "1", "same": 2, "~new": [1]}, blocks=())
    assert compare(before, after) == (
        ValueChange(pointer="/data/a~1b", before=1, after="1"),
        ValueChange(pointer="/data/gone", before=3, after=None),
        ValueChange(pointer="/data/~0new", before=None, after=[1]),
        ValueChange(pointer="/blocks", before=(Block("x"),), after=()),
    )


def test_a_change_says_its_kind() -> None:
    (found,) = compare(EMPTY, changed(title="B"))
    assert isinstance(found, TextChange)
    assert msgspec.to_builtins(found)["kind"] == "text"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("same", "same", [" same"]),
        ("", "new", ["+new"]),
        ("old", "", ["-old"]),
        ("second", "sector", ["-second", "+sector"]),
        ("The first words.", "The second words.", [" The ", "-first", "+second", "  words."]),
        ("one two", "one two three", [" one two", "+ three"]),
        ("<p>Hi there</p>", "<p>Hi <b>there</b></p>", [" <p>Hi ", "+<b>", " there", "+</b>", " </p>"]),
        ("a b c d", "a x y d", [" a ", "-b c", "+x y", "  d"]),
        ("1\n2\n3\n", "1\n3\n", [" 1\n", "-2\n", " 3\n"]),
        ("1\n2\n", "1\nnew\n2\n", [" 1\n", "+new\n", " 2\n"]),
    ],
)
def test_texts_word_by_word(old: str, new: str, expected: list[str]) -> None:
    found = compare_texts(old, new)
    assert sides(found) == (old, new)
    assert short(found) == expected


WORDS = st.lists(
    st.sampled_from(["a", "b", " ", "\n", "<p>", "</p>", "word", "\r\n", "é", ".", "\u2028"]), max_size=40
)


@settings(max_examples=400)
@given(WORDS.map("".join), WORDS.map("".join))
def test_both_texts_can_be_read_from_the_segments(old: str, new: str) -> None:
    found = compare_texts(old, new)
    assert sides(found) == (old, new)
    assert all(one.text for one in found)
    pairs = [(one.op, other.op) for one, other in itertools.pairwise(found)]
    assert all(one != other for one, other in pairs)
    assert ("insert", "delete") not in pairs
    assert (old == new) == all(one.op == "equal" for one in found)


@given(st.text(), st.text())
def test_any_text_at_all(old: str, new: str) -> None:
    assert sides(compare_texts(old, new)) == (old, new)


def test_one_word_in_a_long_line_is_one_word() -> None:
    words = [f"word{number}" for number in range(3_000)]
    old = f"<p>{' '.join(words)}</p>"
    words[1_500] = "changed"
    words[2_500] = "too"
    found = compare_texts(old, f"<p>{' '.join(words)}</p>")
    assert [one for one in short(found) if not one.startswith(" ")] == [
        "-word1500", "+changed", "-word2500", "+too",
    ]  # fmt: skip


def test_a_word_in_a_text_of_a_megabyte() -> None:
    old = "Some words that go on. " * 50_000
    new = old[:600_000] + "here! " + old[600_000:]
    found = compare_texts(old, new)
    assert sides(found) == (old, new)
    assert sum(len(one.text) for one in found if one.op != "equal") < 100


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\n" * 400_000, "b\n" * 400_000),
        ("".join(f"{n}\n" for n in range(150_000)), "".join(f"{n}\n" for n in range(150_000, 0, -1))),
        ("x" * 1_000_000, "y" * 1_000_000),
        ("ab " * 300_000, "ba " * 300_000),
        ("\n" * 1_000_000, "\n" * 999_998 + "x"),
    ],
)
def test_texts_that_would_cost_too_much_are_compared_coarsely(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = 0
    real = diff.LCSseq.opcodes

    def counting(a: list[int], b: list[int]) -> Any:
        nonlocal spent
        spent += len(a) * len(b)
        return real(a, b)

    monkeypatch.setattr(diff.LCSseq, "opcodes", counting)
    assert sides(compare_texts(old, new)) == (old, new)
    assert spent <= diff.MAX_PAIRS


def test_blocks_are_compared_by_their_ids() -> None:
    before = {"sections": [{"id": "a", "type": "words", "body": "One two"}, {"id": "b", "type": "gap"}]}
    after = {"sections": [{"id": "c", "type": "gap"}, {"id": "a", "type": "words", "body": "One three"}]}
    words, listed = compare(before, after)
    assert (words.pointer, type(words)) == ("/sections/a/body", TextChange)
    assert isinstance(listed, ListChange)
    assert (listed.pointer, listed.before, listed.after) == ("/sections", ["a", "b"], ["c", "a"])
    assert (listed.added, listed.removed, listed.is_reordered) == (
        [{"id": "c", "type": "gap"}],
        [{"id": "b", "type": "gap"}],
        False,
    )

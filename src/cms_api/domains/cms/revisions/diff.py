"""What is different between two contents: field by field, texts word by word."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from rapidfuzz.distance import LCSseq

from cms_api.validation import escaped

# The work on one text, in pairs of pieces that may have to be compared: rapidfuzz looks at 64 of
# them at once, and keeps a bit of each. So this is about 25 MB and some tens of milliseconds.
MAX_PAIRS = 200_000_000
# A change that is longer, in characters, is not looked into for words.
MAX_REGION = 500_000

Op = Literal["equal", "insert", "delete"]

_WORDS = re.compile(r"<[^<>]*>|\s+|\w+|[^\w\s]")


class Segment(msgspec.Struct, frozen=True):
    """A run of text that is in both texts, or in one of them only."""

    op: Op
    text: str


class ValueChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="value"):
    """Another value; ``pointer`` (RFC 6901) tells where."""

    pointer: str
    before: Any
    after: Any


class TextChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="text"):
    """Another text. The equal and deleted segments together are the old one, the equal and inserted the new."""

    pointer: str
    segments: tuple[Segment, ...]


class ListChange(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="list"):
    """Another list; ``is_reordered`` where what stayed stands in another order.

    Of blocks, ``before`` and ``after`` are the ids.
    """

    pointer: str
    before: list[Any]
    after: list[Any]
    added: list[Any]
    removed: list[Any]
    is_reordered: bool


FieldChange = ValueChange | TextChange | ListChange


def compare(before: Any, after: Any) -> tuple[FieldChange, ...]:
    """The fields in which two contents of one type, or what is shown of them, differ; in their order."""
    return tuple(_fields(_named(before), _named(after), ""))


def _named(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    return {name: getattr(value, name) for name in value.__struct_fields__}


def _fields(before: Mapping[str, Any], after: Mapping[str, Any], pointer: str) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield from _changes(old, new, f"{pointer}/{escaped(name)}")


def _changes(old: Any, new: Any, pointer: str) -> Iterator[FieldChange]:
    match old, new:
        case str(), str():
            yield TextChange(pointer=pointer, segments=tuple(compare_texts(old, new)))
        case msgspec.Struct(), msgspec.Struct():
            yield from _fields(_named(old), _named(new), pointer)
        case dict(), dict():
            yield from _fields(old, new, pointer)
        case (tuple() | list(), tuple() | list()) if _is_plain(old) and _is_plain(new):
            yield _list_change(list(old), list(new), pointer)
        case list(), list() if _are_blocks(old) and _are_blocks(new):
            yield from _block_changes(old, new, pointer)
        case _:
            yield ValueChange(pointer=pointer, before=old, after=new)


def _are_blocks(values: list[Any]) -> bool:
    return all(isinstance(value, dict) and "id" in value and "type" in value for value in values)


def _block_changes(old: list[Any], new: list[Any], pointer: str) -> Iterator[FieldChange]:
    """What is different in each block, by its id; then which came, which went, and whether they moved."""
    had, has = {one["id"]: one for one in old}, {one["id"]: one for one in new}
    for name, block in has.items():
        if name in had:
            yield from _fields(had[name], block, f"{pointer}/{name}")
    if list(had) != list(has):
        listed = _list_change(list(had), list(has), pointer)
        yield msgspec.structs.replace(
            listed, added=[has[name] for name in listed.added], removed=[had[name] for name in listed.removed]
        )


def _is_plain(values: Sequence[Any]) -> bool:
    return not any(isinstance(value, (dict, list, tuple, msgspec.Struct)) for value in values)


def _list_change(old: list[Any], new: list[Any], pointer: str) -> ListChange:
    had, has = set(old), set(new)
    return ListChange(
        pointer=pointer,
        before=old,
        after=new,
        added=[value for value in new if value not in had],
        removed=[value for value in old if value not in has],
        is_reordered=[value for value in old if value in has] != [value for value in new if value in had],
    )


def compare_texts(old: str, new: str) -> list[Segment]:
    """The segments of two texts; exact, and fine enough to read as long as the texts allow it."""
    head, tail = _common(old, new)
    middle = _Comparison().lines(old[head : len(old) - tail], new[head : len(new) - tail])
    return _tidied([Segment("equal", old[:head]), *middle, Segment("equal", old[len(old) - tail :])])


class _Comparison:
    """The comparison of two texts, which has so much work to spend."""

    def __init__(self) -> None:
        self._left = MAX_PAIRS

    def lines(self, old: str, new: str) -> Iterator[Segment]:
        for equal, removed, added in self._runs(old.splitlines(keepends=True), new.splitlines(keepends=True)):
            yield Segment("equal", equal)
            if removed and added:
                yield from self._words(removed, added)
            else:
                yield from _change(removed, added)

    def _words(self, old: str, new: str) -> Iterator[Segment]:
        if max(len(old), len(new)) > MAX_REGION:
            yield from _change(old, new)
            return
        for equal, removed, added in self._runs(_WORDS.findall(old), _WORDS.findall(new)):
            yield Segment("equal", equal)
            yield from _change(removed, added)

    def _runs(self, old: list[str], new: list[str]) -> Iterator[tuple[str, str, str]]:
        """What is equal, then removed, then added, again and again; at once where the work is too much."""
        pairs = len(old) * len(new)
        if pairs > self._left:
            yield "", "".join(old), "".join(new)
            return
        self._left -= pairs
        numbers: dict[str, int] = {}
        a, b = ([numbers.setdefault(piece, len(numbers)) for piece in pieces] for pieces in (old, new))
        equal = removed = added = ""
        for op in LCSseq.opcodes(a, b):
            if op.tag == "equal":
                yield equal, removed, added
                equal, removed, added = "".join(old[op.src_start : op.src_end]), "", ""
            else:
                removed += "".join(old[op.src_start : op.src_end])
                added += "".join(new[op.dest_start : op.dest_end])
        yield equal, removed, added


def _change(removed: str, added: str) -> tuple[Segment, Segment]:
    return Segment("delete", removed), Segment("insert", added)


def _common(old: str, new: str) -> tuple[int, int]:
    """How many characters are equal at the start and at the end, without cutting through a word."""
    head = _shared(old, new)
    while 0 < head < max(len(old), len(new)) and not _is_edge(old[head - 1]):
        head -= 1
    most = min(len(old), len(new)) - head
    tail = min(_shared(old[::-1], new[::-1]), most)
    while tail and not (tail < most and _is_edge(old[len(old) - tail])) and not _starts_word(old, new, tail):
        tail -= 1
    return head, tail


def _starts_word(old: str, new: str, tail: int) -> bool:
    """Whether the equal end begins where a word does, in both texts."""
    return all(tail == len(text) or _is_edge(text[len(text) - tail - 1]) for text in (old, new))


def _is_edge(character: str) -> bool:
    return character.isspace() or character == ">"


def _shared(old: str, new: str) -> int:
    """The length of the common start, found by halving: slices compare at the speed of memory."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _tidied(segments: list[Segment]) -> list[Segment]:
    """Deletions in front of insertions, neighbours joined; a mere space between two changes is part of them."""
    runs: list[tuple[str, str, str]] = []  # what is equal, and the deletion and insertion behind it
    for segment in segments:
        if not segment.text:
            continue
        if segment.op == "equal" or not runs:
            runs.append(("", "", ""))
        equal, deleted, inserted = runs[-1]
        match segment.op:
            case "equal":
                runs[-1] = (segment.text, "", "")
            case "delete":
                runs[-1] = (equal, deleted + segment.text, inserted)
            case "insert":
                runs[-1] = (equal, deleted, inserted + segment.text)
    joined: list[tuple[str, str, str]] = []
    for equal, deleted, inserted in runs:
        before = joined[-1] if joined else ("", "", "")
        was_changed, is_changed = bool(before[1] or before[2]), bool(deleted or inserted)
        if joined and not was_changed:
            joined[-1] = (before[0] + equal, deleted, inserted)
        elif joined and is_changed and equal.isspace():
            joined[-1] = (before[0], before[1] + equal + deleted, before[2] + equal + inserted)
        else:
            joined.append((equal, deleted, inserted))
    ops: tuple[Op, Op, Op] = ("equal", "delete", "insert")
    return [Segment(op, part) for run in joined for op, part in zip(ops, run, strict=True) if part]

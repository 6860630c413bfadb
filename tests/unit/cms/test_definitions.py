"""What is wrong with the definition of a content type."""

import time
from typing import Any

import msgspec
import pytest

from cms_api.domains.cms.content_types.compiling import checked_default, compiled
from cms_api.domains.cms.content_types.definition import Definition, faults_of, with_ids
from cms_api.kernel.errors import Invalid
from cms_api.validation import convert

TEXT = {"key": "a", "type": "text"}


def definition(*fields: dict[str, Any], **more: Any) -> Definition:
    return msgspec.convert({"key": "thing", "fields": list(fields)} | more, Definition)


def nested(depth: int) -> dict[str, Any]:
    return TEXT if depth == 1 else {"key": "g", "type": "group", "fields": [nested(depth - 1)]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([TEXT | {"key": "slug"}], [("/fields/0/key", "reserved")]),
        ([TEXT, TEXT], [("/fields/1/key", "duplicate")]),
        ([TEXT | {"id": "aaaaaaaaa1"}, {"key": "b", "type": "text", "id": "aaaaaaaaa1"}],
         [("/fields/1/id", "duplicate")]),
        ([nested(5)], []),
        ([nested(6)], [("/fields/0" * 6, "too_deep")]),
        ([{"key": f"f{n}", "type": "text"} for n in range(1_000)], [("/fields", "too_many")]),
        ([TEXT | {"pattern": "(a"}], [("/fields/0/pattern", "pattern")]),
        ([TEXT | {"pattern": r"(a)\1"}], [("/fields/0/pattern", "pattern")]),
        ([TEXT | {"min_length": 3, "max_length": 2}], [("/fields/0/max_length", "range")]),
        ([TEXT | {"indexed": True}], [("/fields/0/max_length", "range")]),
        ([{"key": "a", "type": "enum"}], [("/fields/0/options", "required")]),
        ([{"key": "a", "type": "enum", "options": ["x", "x"]}], [("/fields/0/options/1", "duplicate")]),
        ([{"key": "a", "type": "reference", "types": ["post", "nope"]}], [("/fields/0/types/1", "unknown_type")]),
        ([{"key": "a", "type": "media", "required": True, "on_delete": "unlink"}],
         [("/fields/0/on_delete", "contradiction")]),
        ([{"key": "a", "type": "json", "unique": True}], [("/fields/0/unique", "not_here")]),
        ([{"key": "a", "type": "group"}], [("/fields/0/fields", "required")]),
        ([{"key": "a", "type": "list", "of": {"type": "list", "of": {"type": "text"}}}],
         [("/fields/0/of/type", "not_here")]),
    ],
)  # fmt: skip
def test_faults(fields: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    assert [(one.pointer, one.code) for one in faults_of(definition(*fields), ())] == expected


def test_ten_thousand_fields_are_refused_by_the_type() -> None:
    with pytest.raises(Invalid) as caught:
        convert({"key": "thing", "fields": [TEXT] * 10_000}, Definition)
    assert caught.value.faults[0].pointer == "/fields"


@pytest.mark.parametrize("key", ["posts", "query"])
def test_the_type_itself(key: str) -> None:
    wrong = definition(TEXT, key=key, title_field="b")
    assert [(one.pointer, one.code) for one in faults_of(wrong, ())] == [
        ("/key", "reserved"),
        ("/title_field", "unknown_field"),
    ]


@pytest.mark.parametrize(
    "one",
    [
        TEXT | {"max_length": 2, "default": "long"},
        {"key": "a", "type": "number", "maximum": 1, "default": 2},
        {"key": "a", "type": "enum", "options": ["x"], "default": "y"},
        {"key": "a", "type": "date", "default": "2026-02-30"},
        TEXT | {"pattern": "b+", "default": "a"},
    ],
)
def test_a_default_is_a_value(one: dict[str, Any]) -> None:
    [field] = definition(one).fields
    assert [fault.pointer for fault in checked_default(field)] == ["/default"]


def test_a_pattern_takes_time_in_proportion_to_the_text() -> None:
    made = definition(TEXT | {"pattern": "(a+)+$", "max_length": 100_000})
    kind = compiled(msgspec.structs.replace(made, fields=with_ids(made.fields)), version=1)
    begun = time.process_time()
    with pytest.raises(Invalid) as caught:
        kind.stored_of(convert({"a": "a" * 50_000 + "!"}, kind.new))
    assert [(one.pointer, one.code) for one in caught.value.faults] == [("/a", "pattern")]
    # Backtracking would take longer than the universe has been there.
    assert time.process_time() - begun < 10

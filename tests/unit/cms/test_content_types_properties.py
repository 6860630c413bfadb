"""Whatever a content type says, its entries read back as they were written, and every fault is named."""

import copy
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cms_api.domains.cms.content_types.compiling import EntryKind, compiled
from cms_api.domains.cms.content_types.definition import Definition, faults_of, with_ids
from cms_api.domains.cms.entries.interface import PatchOperation
from cms_api.domains.cms.entries.patching import merged, patched
from cms_api.kernel.errors import Invalid

SCALARS = ("text", "rich_text", "markdown", "number", "integer", "boolean", "date", "datetime", "enum",
           "json", "slug", "media", "reference", "references")  # fmt: skip
WRONG: dict[str, Any] = {
    "text": [7, "x" * 21, "no!"], "rich_text": [7], "markdown": [7], "number": ["x", 101], "integer": [1.5, -101],
    "boolean": ["true"], "date": ["2026-02-30", 3], "datetime": ["2026-01-02T03:04:05", 3], "enum": ["c", 3],
    "slug": ["", 3, "A b!"], "media": ["x", 3], "reference": ["x", 3], "references": [["x"], 3], "json": ["x" * 300],
    "list": [3, [None] * 5], "group": [3], "blocks": [3, [{"type": "nope"}]],
}  # fmt: skip


def field(chance: random.Random, key: str, depth: int) -> dict[str, Any]:  # noqa: C901 - a case for each type
    kind = chance.choice(SCALARS + (("list", "group", "blocks") * 3 if depth < 4 else ()))
    made: dict[str, Any] = {"type": kind, "required": chance.random() < 0.4}
    if key:
        made["key"] = key
    match kind:
        case "text":
            made |= {"max_length": 20, "pattern": "[^!]*"}
        case "number":
            made |= {"minimum": -100, "maximum": 100}
        case "integer":
            made |= {"type": "number", "integer": True, "minimum": -100, "maximum": 100}
        case "enum":
            made |= {"options": ["a", "b"]}
        case "json":
            made |= {"max_bytes": 200}
        case "list":
            inner = field(chance, "", depth + 1)
            while inner["type"] in ("list", "blocks", "references"):
                inner = field(chance, "", depth + 1)
            made |= {"of": inner | {"required": False}, "max_items": 4}
        case "group":
            made |= {"fields": fields(chance, depth + 1)}
        case "blocks":
            made |= {"variants": [{"key": f"v{n}", "fields": fields(chance, depth + 1)} for n in range(2)]}
    return made


def fields(chance: random.Random, depth: int = 1) -> list[dict[str, Any]]:
    return [field(chance, f"f{number}", depth) for number in range(chance.randint(1, 3 if depth > 1 else 6))]


def value(chance: random.Random, one: dict[str, Any]) -> Any:  # noqa: C901, PLR0911, PLR0912 - a case for each type
    """A value in the form that is shown, so that it reads back as it is."""
    match one["type"]:
        case "text" | "rich_text" | "markdown":
            return chance.choice(("", "x", "ÄÖ 𝄞", "a\nb", "<p>é</p>"))
        case "number":
            return chance.choice((0, -100, 100, 7) if one.get("integer") else (0, 1.5, -99.25, 100))
        case "boolean":
            return chance.random() < 0.5
        case "date":
            return chance.choice(("2026-01-02", "0001-01-01", "9999-12-31"))
        case "datetime":
            return chance.choice(("2026-01-02T03:04:05Z", "0099-01-02T03:04:05.000100Z"))
        case "enum":
            return chance.choice("ab")
        case "json":
            return chance.choice(({"a": [1, None]}, [], "x", 0, False, {"id": "x"}))
        case "slug":
            return chance.choice(("one", "one-two"))
        case "media" | "reference":
            return str(UUID(int=chance.getrandbits(128), version=4))
        case "references":
            return [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(chance.randint(0, 3))]
        case "list":
            return [value(chance, one["of"]) for _ in range(chance.randint(0, 3))]
        case "group":
            return values(chance, one["fields"])
        case _:
            return [
                {"id": str(UUID(int=chance.getrandbits(128), version=4)), "type": kind["key"]}
                | values(chance, kind["fields"])
                for kind in chance.choices(one["variants"], k=chance.randint(0, 3))
            ]


def values(chance: random.Random, of: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        one["key"]: value(chance, one) if one["required"] or chance.random() < 0.7 else None for one in of
    }


def kind_of(given_fields: list[dict[str, Any]]) -> EntryKind:
    definition = msgspec.convert({"key": "thing", "fields": given_fields}, Definition)
    assert list(faults_of(definition, ())) == []
    definition = msgspec.structs.replace(definition, fields=with_ids(definition.fields))
    return compiled(definition, version=1)


def content(kind: EntryKind, given_values: dict[str, Any]) -> Any:
    return kind.content(slug="x", fields=kind.read(given_values, kind.new)[1])


def told(kind: EntryKind, one: Any) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(one.told())
    return {name: shown[name] for name in kind.fields if name not in ("slug", "authors", "seo")}


def places(
    of: list[dict[str, Any]], held: dict[str, Any], at: str
) -> Iterator[tuple[str, dict[str, Any], Any, Any]]:
    """Where single faults can be put: the pointer, the field, and the object and name that hold the value."""
    for one in of:
        here, inner = f"{at}/{one['key']}", held[one["key"]]
        yield here, one, held, one["key"]
        if inner is not None:
            yield from inside(one, inner, here)


def inside(one: dict[str, Any], held: Any, at: str) -> Iterator[tuple[str, dict[str, Any], Any, Any]]:
    match one["type"]:
        case "group":
            yield from places(one["fields"], held, at)
        case "list":
            for place, item in enumerate(held):
                yield f"{at}/{place}", one["of"], held, place
                yield from inside(one["of"], item, f"{at}/{place}")
        case "blocks":
            kinds = {kind["key"]: kind["fields"] for kind in one["variants"]}
            for place, block in enumerate(held):
                yield from places(kinds[block["type"]], block, f"{at}/{place}")


def linked(of: list[dict[str, Any]], held: dict[str, Any]) -> set[tuple[str, str]]:
    found = set[tuple[str, str]]()
    for at, one, holder, name in places(of, held, ""):
        target = holder[name]
        if one["type"] in ("media", "reference") and target is not None:
            found.add((at, target))
        if one["type"] == "references":
            found |= {(f"{at}/{place}", item) for place, item in enumerate(target or ())}
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_entries_read_back_as_they_were_written(seed: int) -> None:
    chance = random.Random(seed)
    of = fields(chance)
    kind = kind_of(of)
    wanted = values(chance, of)
    one = content(kind, wanted)
    assert told(kind, one) == wanted
    again = msgspec.json.decode(one.encoded(), type=kind.content)
    assert (again, again.hash()) == (one, one.hash())
    assert told(kind, content(kind, told(kind, one))) == wanted
    assert {(link.pointer, str(link.target)) for link in one.links()} == linked(of, wanted)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_every_fault_is_named(seed: int) -> None:
    chance = random.Random(seed)
    of = fields(chance)
    kind = kind_of(of)
    wanted = copy.deepcopy(values(chance, of))
    spots = list(places(of, wanted, ""))
    chance.shuffle(spots)
    chosen: dict[str, tuple[Any, Any, Any]] = {}
    for at, one, holder, name in spots[:4]:
        # A fault inside of something that is wrong as a whole is none of its own.
        if any(at.startswith(f"{other}/") or other.startswith(f"{at}/") for other in chosen):
            continue
        kind_name = "integer" if one.get("integer") else one["type"]
        wrong = chance.choice([bad for bad in WRONG[kind_name] if not isinstance(bad, list)] or [3])
        chosen[at] = (holder, name, wrong)
    if one_missing := [
        at for at, one, _, name in spots if at in chosen and one["required"] and isinstance(name, str)
    ]:
        at = one_missing[0]
        holder, name, _ = chosen.pop(at)
        del holder[name]
        expected = {at}
    else:
        expected = set()
    for at, (holder, name, wrong) in chosen.items():
        holder[name] = wrong
        expected.add(at)
    for at, one, holder, name in spots:
        is_free = not any(f"{at}/".startswith(f"{other}/") for other in expected)
        if one["type"] == "references" and is_free and holder.get(name):
            holder[name] = [*holder[name], holder[name][0]]
            expected.add(f"{at}/{len(holder[name]) - 1}")
        if one["type"] == "blocks" and is_free and holder.get(name):
            holder[name] += [{"id": holder[name][0]["id"], "type": "nope"}] * 2
            last = len(holder[name])
            expected |= {f"{at}/{place}/{what}" for place in (last - 2, last - 1) for what in ("type", "id")}
    wanted |= {"nobody": 1, "slug": "No slug!"}
    expected |= {"/nobody", "/slug"}
    with pytest.raises(Invalid) as caught:
        content(kind, wanted)
    assert {fault.pointer for fault in caught.value.faults} == expected


def test_moments_slugs_and_ids_have_one_form() -> None:
    kind = kind_of(
        [{"key": "at", "type": "datetime"}, {"key": "it", "type": "media"}, {"key": "n", "type": "number"}]
    )
    one = content(
        kind, {"at": "2026-05-01T10:00:00+02:00", "it": "ABCDEF01-0000-4000-8000-000000000000", "n": 2.0}
    )
    assert told(kind, one) == {
        "at": "2026-05-01T08:00:00Z", "it": "abcdef01-0000-4000-8000-000000000000", "n": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [  # RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}), ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}), ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}), (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]), ({"a": "foo"}, None, None), ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}), ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)  # fmt: skip
def test_merge_patches(before: Any, patch: Any, after: Any) -> None:
    assert merged(before, patch) == after


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [  # RFC 6902, appendix A; then blocks by their ids
        ({"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"foo": "bar", "baz": "qux"}),
        ({"foo": ["bar", "baz"]}, {"op": "add", "path": "/foo/1", "value": "qux"}, {"foo": ["bar", "qux", "baz"]}),
        ({"baz": 1, "foo": 2}, {"op": "remove", "path": "/baz"}, {"foo": 2}),
        ({"foo": [1, 2, 3]}, {"op": "remove", "path": "/foo/1"}, {"foo": [1, 3]}),
        ({"baz": 1}, {"op": "replace", "path": "/baz", "value": 2}, {"baz": 2}),
        ({"a": {"b": 1}, "c": {}}, {"op": "move", "from": "/a/b", "path": "/c/d"}, {"a": {}, "c": {"d": 1}}),
        ({"a": [1, 2, 3, 4]}, {"op": "move", "from": "/a/1", "path": "/a/3"}, {"a": [1, 3, 4, 2]}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": 1}, {"a": 1}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": True}, None),
        ({"a": "b"}, {"op": "test", "path": "/a", "value": "c"}, None),
        ({"a": "b"}, {"op": "add", "path": "/x/y", "value": 1}, None),
        ({"a": [1]}, {"op": "add", "path": "/a/2", "value": 1}, None),
        ({"a": ["b"]}, {"op": "add", "path": "/a/-", "value": ["c"]}, {"a": ["b", ["c"]]}),
        ({"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": 10}, {"/": 9, "~1": 10}),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a", "path": "/a/b"}, None),
        ({"a": [{"id": "x", "v": 1}, {"id": "y"}]}, {"op": "replace", "path": "/a/X/v", "value": 2},
         {"a": [{"id": "x", "v": 2}, {"id": "y"}]}),
        ({"a": [{"id": "x"}, {"id": "y"}]}, {"op": "remove", "path": "/a/y"}, {"a": [{"id": "x"}]}),
        ({"a": [{"id": "x"}]}, {"op": "remove", "path": "/a/z"}, None),
    ],
)  # fmt: skip
def test_json_patches(before: Any, operation: Any, after: Any) -> None:
    kept = copy.deepcopy(before)
    operations = [msgspec.convert(operation, PatchOperation)]
    if after is None:
        with pytest.raises(Invalid) as caught:
            patched(before, operations)
        assert caught.value.faults[0].pointer.startswith("/0/")
    else:
        assert patched(before, operations) == after
    assert before == kept

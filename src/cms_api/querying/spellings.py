"""The two ways to spell a query: as a query string, and as JSON."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from cms_api.kernel.errors import Fault
from cms_api.querying.listings import FieldType
from cms_api.querying.parsing import Node, Refused, Spelling
from cms_api.validation import escaped

# A parameter's name, and what follows it in brackets: `filter[tags.slug][in]`.
_NAME = re.compile(r"(filter|include)((?:\[[^\[\]]*\])+)")
_STEPS = re.compile(r"\[([^\[\]]*)\]")
MAX_STEPS = 24
# Of a body: all filters that are taken, with as many values, and names to show.
MAX_PARTS = 6_000
_Integer = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
_MAX_DIGITS = 4
# Of a number, as a power of ten: more than a JSON number in double precision has.
MAX_EXPONENT = 400
# Python takes more for a number: underscores, signs, spaces, digits of all scripts.
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def of_parameters(pairs: Iterable[tuple[str, str]]) -> Node:
    """The pairs of a query string as a tree. A fault's place is the parameter, behind a question mark."""
    root = Node("?")
    for name, value in pairs:
        place = f"?{name[:200]}"
        found = _NAME.fullmatch(name)
        steps = [found[1], *_STEPS.findall(found[2])] if found else [name]
        if len(steps) > MAX_STEPS:
            steps = [name]
        root.walk(steps, place).values.append(value)
    return root


def of_json(value: Any, place: str = "") -> Node:
    """JSON as a tree. A fault's place is a JSON Pointer (RFC 6901).

    Raises `Refused` where it has more than `MAX_PARTS`: each of them might have to be told of.
    """
    return _tree(value, place, 0, count(1))


def _tree(value: Any, place: str, depth: int, numbers: Iterator[int]) -> Node:
    if next(numbers) > MAX_PARTS:
        raise Refused([Fault(place, "too_many", f"At most {MAX_PARTS} members and items are taken.")])
    node = Node(place)
    node.values.append(value)
    parts: Iterable[tuple[str, Any]] = ()
    if depth > MAX_STEPS:
        return node
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list):
        parts = ((str(number), one) for number, one in enumerate(value[:1_000]))
    for name, one in parts:
        node.parts[name] = _tree(one, f"{place}/{escaped(name)}", depth + 1, numbers)
    return node


def _moment(raw: Any) -> datetime:
    moment = msgspec.convert(raw, datetime)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)  # which is not there at the ends of the calendar


def _number(raw: str | float) -> Decimal:
    number = Decimal(str(raw))
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError
    return number.normalize()


def _matching(pattern: re.Pattern[str], raw: str) -> str:
    if not pattern.fullmatch(raw):
        raise ValueError
    return raw


def _of_text(raw: Any, kind: FieldType) -> object:
    match kind:
        case "uuid":
            return msgspec.convert(raw, UUID)
        case "timestamptz" | "datetime":
            return _moment(raw)
        case "boolean":
            return {"true": True, "false": False}[raw]
        case "integer":
            return msgspec.convert(int(_matching(_WHOLE, raw)), _Integer)
        case "number":
            return _number(_matching(_NUMBER, raw))
        case "date":
            return date.fromisoformat(raw).isoformat()
        case _:
            return raw


def _of_json(raw: Any, kind: FieldType) -> object:
    match kind:
        case "uuid" | "timestamptz" | "datetime" | "date":
            if not isinstance(raw, str):
                raise TypeError
            return _of_text(raw, kind)
        case "boolean":
            return msgspec.convert(raw, bool)
        case "integer":
            return msgspec.convert(raw, _Integer)
        case "number":
            if isinstance(raw, bool) or not isinstance(raw, (int, float)):
                raise TypeError
            return _number(raw)
        case _:
            return msgspec.convert(raw, str)


def _listed(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise TypeError
    return raw


def _count_of_text(raw: Any) -> int:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= _MAX_DIGITS else 0


def _count_of_json(raw: Any) -> int:
    return msgspec.convert(raw, int)


PARAMETERS = Spelling(
    value=_of_text,
    several=lambda raw: raw.split(","),
    number=_count_of_text,
    member="query parameter",
    filter="filter[…]",
    condition="filter[title]=…",
    branches="filter[{}][0][title]=…",
)
JSON = Spelling(
    value=_of_json,
    several=_listed,
    number=_count_of_json,
    member="member",
    filter="filter",
    condition='{"title": …}',
    branches='{{"{}": [{{"title": …}}]}}',
)

"""From what was sent to what is asked: one parser for query strings and JSON, which tells every fault.

Both are turned into a tree of `Node` first. What differs is told by a `Spelling`: how values are read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import msgspec

from cms_api.kernel.errors import Fault
from cms_api.querying.conditions import AnyOf, Comparison, Condition, Matches, Not, all_of
from cms_api.querying.listings import (
    LOGIC,
    MAX_RELATIONS,
    OPERATORS,
    Ended,
    Fields,
    FieldType,
    Listing,
    Manifold,
    TooFar,
    Unknown,
    find,
    find_sort,
    follow,
    nearest,
)
from cms_api.querying.pages import DEFAULT_LIMIT, MAX_LIMIT, RANKED, Count, SortKey
from cms_api.querying.selections import HIGHLIGHTS, NO_SELECTION, Selection, TextFormat

T = TypeVar("T")

MAX_CONDITIONS = 50
MAX_NESTING = 5
MAX_SORTS = 8
MAX_INCLUDES = 20
MAX_FIELDS = 200
# In one list, whatever they name.
MAX_NAMES = 1_000
MAX_FAULTS = 50
MAX_SEARCH = 500
# Of a text that is compared with: as long as the longest address is.
MAX_TEXT = 2_000
FORMATS: tuple[TextFormat, ...] = get_args(TextFormat)
SHOWN = 100


class Node:
    """A part of what was sent: the values given for it, the parts inside of it, and its place for faults."""

    __slots__ = ("parts", "place", "values")

    def __init__(self, place: str) -> None:
        self.place = place
        self.values: list[Any] = []
        self.parts: dict[str, Node] = {}

    def walk(self, steps: Iterable[str], place: str) -> "Node":
        """The node at the end of ``steps``; those that are not there yet are made, with ``place``."""
        node = self
        for step in steps:
            node = node.parts.setdefault(step, Node(place))
        return node


class Spelling(NamedTuple):
    """How values are written.

    ``value`` makes what a field of a type is compared with of what was written, ``several`` gives the
    parts of a list, ``number`` a number of rows; each raises `ValueError` or `TypeError` where that is wrong.
    ``member`` is what a part of a query is called; the others are examples for messages, ``branches`` with
    ``{}`` for what joins them.
    """

    value: Callable[[Any, FieldType], object]
    several: Callable[[Any], list[Any]]
    number: Callable[[Any], int]
    member: str
    filter: str
    condition: str
    branches: str


class Extra(NamedTuple):
    """A parameter that a list has of its own: a text, which JSON may also say natively by its ``kind``."""

    name: str
    kind: Literal["text", "boolean", "names"] = "text"


# What is expected of an extra parameter.
EXTRAS = {"text": "text", "boolean": "true or false", "names": "a list of names"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a query says."""

    limit: int
    after: str | None
    before: str | None
    sort: tuple[SortKey, ...]
    filter: Condition
    count: Count
    selection: Selection
    extra: dict[str, str] = {}


class Refused(Exception):
    """A query with faults, all of which are here."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults[0].detail)
        self.faults = tuple(faults[:MAX_FAULTS])
        self._number = len(faults)

    @property
    def detail(self) -> str:
        """What is wrong in a sentence."""
        first = self.faults[0].detail
        return first if self._number == 1 else f"{first} There are {self._number} faults in all."


VALUES: dict[FieldType, str] = {
    "text": "text",
    "uuid": "a UUID",
    "timestamptz": "a time like 2026-01-02T03:04:05Z",
    "datetime": "a time like 2026-01-02T03:04:05Z",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "date": "a day like 2026-01-02",
}


class _Parser:
    """Reads the parts of a query, and notes what is wrong with them."""

    def __init__(self, spelling: Spelling) -> None:
        self.faults: list[Fault] = []
        self._spelling = spelling
        self._conditions = 0

    def fault(self, node: Node, code: str, detail: str) -> None:
        self.faults.append(Fault(node.place, code, detail))

    def near(self, name: str, known: Iterable[str]) -> str:
        """What is meant, perhaps, by a name that is unknown; no more than faults are told."""
        return nearest(name, known) if len(self.faults) < MAX_FAULTS else ""

    def names(self, root: Node, known: Sequence[str]) -> None:
        """Note parts that are unknown, or given twice."""
        for name, node in root.parts.items():
            if name not in known:
                hint = self.near(name, [self._spelling.filter if one == "filter" else one for one in known])
                written = node.place[1:] if node.place.startswith("?") else name
                detail = f"There is no {self._spelling.member} “{written[:SHOWN]}” here.{hint}"
                self.fault(node, "unknown_parameter", detail)
            elif name != "filter" and len(node.values) > 1:
                self.fault(node, "duplicate", f"The parameter “{name}” is given twice.")

    def walked(self, node: Node, what: str, look: Callable[[], T]) -> T | None:
        """What a path leads to; None, and a fault, where it leads nowhere or too far."""
        try:
            return look()
        except Manifold as error:
            detail = f"“{error.name[:SHOWN]}” leads to several: only what there is one of can be sorted by."
            self.fault(node, f"unknown_{what}", detail)
        except Ended as error:
            detail = f"“{error.name[:SHOWN]}” is a plain value: no {what} goes on behind it."
            self.fault(node, f"unknown_{what}", detail)
        except Unknown as error:
            hint = self.near(error.name, error.known)
            self.fault(node, f"unknown_{what}", f"There is no {what} “{error.name[:SHOWN]}” here.{hint}")
        except TooFar:
            self.fault(node, "too_far", f"A path walks at most {MAX_RELATIONS} relations.")
        return None

    # Conditions

    def condition(self, node: Node, fields: Fields, depth: int = 0) -> Condition:
        """All that the parts of ``node`` say, together."""
        if depth > MAX_NESTING:
            self.fault(node, "too_deep", f"Conditions are nested at most {MAX_NESTING} deep.")
            return all_of()
        if any(not isinstance(value, dict) for value in node.values):
            self.fault(node, "type", f"A condition in “filter” names a field: {self._spelling.condition}")
        found: list[Condition] = []
        for name, part in node.parts.items():
            if name == "not":
                found.append(Not(self.condition(part, fields, depth + 1)))
            elif name in LOGIC:
                branches = self._branches(name, part, fields, depth)
                found.append(AnyOf(branches) if name == "or" else all_of(*branches))
            else:
                found += self._comparisons(name, part, fields)
        return all_of(*found)

    def _branches(self, name: str, node: Node, fields: Fields, depth: int) -> tuple[Condition, ...]:
        is_list = all(isinstance(value, list) for value in node.values)
        numbers = all(step.isascii() and step.isdigit() and len(step) <= 3 for step in node.parts)  # noqa: PLR2004 - 999 is more than enough
        if not (is_list and numbers and node.parts):
            example = self._spelling.branches.format(name)
            self.fault(node, "type", f"“{name}” is a list of conditions: {example}")
            return ()
        branches = sorted(node.parts.items(), key=lambda one: int(one[0]))
        return tuple(self.condition(part, fields, depth + 1) for _, part in branches)

    def _comparisons(self, name: str, node: Node, fields: Fields) -> Iterator[Condition]:
        found = self.walked(node, "filter", lambda: find(fields, name))
        if found is None:
            return
        given = [("eq", node, value) for value in node.values if not isinstance(value, dict)]
        for operator, part in node.parts.items():
            if part.parts and not any(isinstance(value, list) for value in part.values):
                written = part.place[1:] if part.place.startswith("?") else operator
                detail = f"There is no {self._spelling.member} “{written[:SHOWN]}” here."
                self.fault(part, "unknown_parameter", detail)
            given += [(operator, part, value) for value in part.values if not isinstance(value, dict)]
        for operator, part, value in given:
            if (one := self._comparison(name, operator, found.kind, part, value)) is not None:
                yield one

    def _comparison(
        self, field: str, operator: str, kind: FieldType, node: Node, value: Any
    ) -> Comparison | None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            if self._conditions == MAX_CONDITIONS + 1:
                self.fault(node, "too_many", f"At most {MAX_CONDITIONS} filters are taken.")
            return None
        checked = next((one for one in OPERATORS[kind] if one == operator), None)
        if checked is None:
            hint = self.near(operator, OPERATORS[kind])
            detail = f"The filter “{field}” has no operator “{operator[:SHOWN]}”.{hint}"
            self.fault(node, "unknown_operator", detail)
            return None
        read = "boolean" if checked == "exists" else kind
        wanted = f"The filter “{field}” takes"
        if checked not in ("in", "nin"):
            made = self._values(Node(node.place), [value], read, wanted)
            return None if made is None else Comparison(field, checked, made)
        try:
            values = self._spelling.several(value)
        except TypeError:
            self.fault(node, "type", f"{wanted} a list of {VALUES[read]}.")
            return None
        if not values:
            self.fault(node, "required", f"{wanted} one value at least.")
        elif len(values) > MAX_LIMIT:
            self.fault(node, "too_many", f"{wanted} at most {MAX_LIMIT} values.")
        elif (made := self._values(node, values, read, wanted)) is not None:
            return Comparison(field, checked, made)
        return None

    def _values(
        self, node: Node, values: Sequence[Any], kind: FieldType, wanted: str
    ) -> tuple[object, ...] | None:
        """The values that were written; None, and a fault for each that is none."""
        made, wrong = [], []
        for number, one in enumerate(values):
            if isinstance(one, str) and len(one) > MAX_TEXT:
                self.fault(node, "too_long", f"{wanted} values of at most {MAX_TEXT} characters.")
                return None
            try:
                made.append(self._spelling.value(one, kind))
            except (ValueError, KeyError, OverflowError, TypeError, ArithmeticError):
                # In JSON, each of several has a place of its own.
                wrong.append(node.parts.get(str(number), node).place)
        detail = f"{wanted} {VALUES[kind]}."
        self.faults += [Fault(place, "type", detail) for place in dict.fromkeys(wrong)]
        return None if wrong else tuple(made)

    # Orders

    def sort(self, node: Node | None, fields: Fields, default: tuple[SortKey, ...]) -> tuple[SortKey, ...]:
        """The keys of an order."""
        if node is None:
            return default
        keys: list[SortKey] = []
        for part in self.texts(node, '“sort” is a list of fields, like ["-title"].'):
            key = SortKey(part.removeprefix("-"), part.startswith("-"))
            if self.walked(node, "sort", partial(find_sort, fields, key.field)) is not None:
                keys.append(key)
        if len({key.field for key in keys}) < len(keys):
            self.fault(node, "duplicate", "A field is sorted by twice.")
        if len(keys) > MAX_SORTS:
            self.fault(node, "too_many", f"At most {MAX_SORTS} sort keys are taken.")
        return tuple(keys) or default

    def texts(self, node: Node, expected: str) -> list[str]:
        """The texts of a list; ``expected`` is said where it is none, as may happen in JSON."""
        try:
            found = [one for value in node.values for one in self._spelling.several(value)]
        except TypeError:
            found = [None]
        if not all(isinstance(one, str) for one in found):
            self.fault(node, "type", expected)
            return []
        if len(found) > MAX_NAMES:
            self.fault(node, "too_many", f"At most {MAX_NAMES} names are taken.")
            return []
        return found

    # Selections

    def selected(self, parts: Mapping[str, Node], of: Fields) -> Selection:
        """The relations to expand, the fields to keep, and the format of texts."""
        include, fields = parts.get("include"), parts.get("fields")
        wanted = _Wanted()
        if include is not None:
            self._include(include, wanted, of)
            if wanted.size() > MAX_INCLUDES:
                self.fault(include, "too_many", f"At most {MAX_INCLUDES} includes are taken.")
        if fields is not None:
            self._fields(fields, wanted, of)
        return msgspec.structs.replace(wanted.frozen(), format=self._format(parts.get("format")))

    def _format(self, node: Node | None) -> TextFormat:
        given = self.text(node)
        for known in FORMATS:
            if given == known:
                return known
        if node is not None and given is not None:
            hint = self.near(given, FORMATS)
            self.fault(node, "unknown_format", f"There is no format “{given[:SHOWN]}” here.{hint}")
        return "html"

    def _include(self, node: Node, wanted: "_Wanted", of: Fields) -> None:
        # In JSON a list of paths, or an object with what is wanted of each.
        is_object = any(isinstance(value, dict) for value in node.values)
        if not is_object:
            for path in self.texts(
                node, '“include” is a list of relations, like ["author"], or an object with them.'
            ):
                if path:
                    self._expanded(node, path, wanted, of)
        for path, part in node.parts.items():
            if path.isdigit() and not is_object and node.values:
                continue  # the members of a list of paths, which were read already
            if _is_null(part):
                self.walked(part, "include", lambda path=path: list(follow(of, path)))  # type: ignore[misc]  # the path of this round
                continue
            found = self._expanded(part, path, wanted, of)
            if found is not None:
                self._options(part, *found)

    def _expanded(
        self, node: Node, path: str, wanted: "_Wanted", of: Fields
    ) -> "tuple[_Wanted, Fields, bool] | None":
        """What is wanted at the end of a path, the fields there, and whether there may be several."""
        relations = self.walked(node, "include", lambda: list(follow(of, path)))
        if relations is None:
            return None
        if sum(one.hops for one in relations) > MAX_RELATIONS:
            self.fault(node, "too_far", f"An include goes at most {MAX_RELATIONS} relations deep.")
            return None
        last = relations[-1]
        if not last.hops:
            self.fault(node, "unknown_include", f"“{path[:SHOWN]}” is no relation.")
            return None
        for step in path.split("."):
            wanted = wanted.into(step)
        return wanted, last.fields(), last.is_many

    def _options(self, node: Node, wanted: "_Wanted", of: Fields, is_many: bool) -> None:  # noqa: FBT001 - handed on
        known = ("limit", "sort", "include", "fields")
        for value in node.values:
            if value is not True and not isinstance(value, dict):
                self.fault(node, "type", "This is true, or says “limit”, “sort”, “include” or “fields”.")
        self.names(node, known)
        for name, part in _given(node).items():
            if name not in known:
                continue
            if name in ("limit", "sort") and not is_many:
                self.fault(part, "not_many", f"“{name}” is for relations to several.")
            elif name == "limit":
                wanted.limit = self.limit(part, None)
            elif name == "sort":
                wanted.sort = self.sort(part, of, ())
            elif name == "include":
                self._include(part, wanted, of)
            else:
                self._fields(part, wanted, of)

    def _fields(self, node: Node, wanted: "_Wanted", of: Fields) -> None:
        faults = len(self.faults)
        paths = [path for path in self.texts(node, '“fields” is a list of fields, like ["title"].') if path]
        if not paths and len(self.faults) == faults:
            self.fault(node, "required", "“fields” names no field.")
        for path in paths[:MAX_FIELDS]:
            place, into = of, wanted
            steps = path.split(".")
            for number, step in enumerate(steps):
                if step not in place.shown:
                    prefix = ".".join([*steps[:number], ""])
                    hint = self.near(f"{prefix}{step}", [f"{prefix}{name}" for name in place.shown])
                    self.fault(node, "unknown_field", f"There is no field “{path[:SHOWN]}” here.{hint}")
                    break
                into.keep(step)
                if number == len(steps) - 1:
                    break
                relation, inner = place.relations.get(step), into.parts.get(step)
                if relation is None or inner is None:
                    so_far = ".".join(steps[: number + 1])
                    hint = "comes whole, or not at all" if relation is None else "is not included"
                    detail = f"There is no field “{path[:SHOWN]}” here: “{so_far[:SHOWN]}” {hint}."
                    self.fault(node, "unknown_field", detail)
                    break
                place, into = relation.fields(), inner
        if len(paths) > MAX_FIELDS:
            self.fault(node, "too_many", f"At most {MAX_FIELDS} fields are taken.")

    # The rest

    def limit(self, node: Node | None, default: int | None) -> int | None:
        """A number of rows."""
        if node is None:
            return default
        try:
            found = self._spelling.number(node.values[0])
        except (ValueError, TypeError, IndexError):
            found = 0
        if not 1 <= found <= MAX_LIMIT:
            self.fault(node, "range", f"“limit” is a number from 1 to {MAX_LIMIT}.")
            return default
        return found

    def text(self, node: Node | None) -> str | None:
        """A text, where one is given."""
        if node is None:
            return None
        if not node.values or not isinstance(node.values[0], str):
            self.fault(node, "type", "This is text.")
            return None
        return node.values[0]

    def beside(self, extra: Extra, node: Node | None) -> str | None:
        """An extra parameter as a text, where one is given."""
        match node and node.values[0]:
            case None:
                return None
            case str(given):
                return given
            case bool(given) if extra.kind == "boolean":
                return str(given).lower()
            case [*names] if extra.kind == "names" and all(
                isinstance(one, str) and "," not in one for one in names
            ):
                return ",".join(names)
        if node is not None:
            self.fault(node, "type", f"“{extra.name}” is {EXTRAS[extra.kind]}.")
        return None

    def words(self, node: Node | None) -> str | None:
        """What is searched for."""
        given = self.text(node)
        if node is not None and given is not None and len(given) > MAX_SEARCH:
            self.fault(node, "too_long", f"“q” has at most {MAX_SEARCH} characters.")
        return given

    def count(self, node: Node | None) -> Count:
        """Whether all rows are counted, and how."""
        given = self.text(node)
        match given:
            case None | "none":
                return "none"
            case "exact" | "estimate":
                return given
        if node is not None:
            self.fault(node, "unknown_count", "“count” is “exact”, “estimate” or “none”.")
        return "none"


def _is_null(node: Node) -> bool:
    """Whether JSON says null: the same as nothing, where nothing may be said."""
    return node.values == [None]


def _given(root: Node) -> dict[str, Node]:
    """The parts that say something."""
    return {name: node for name, node in root.parts.items() if not _is_null(node)}


class _Wanted:
    """A selection in the making."""

    def __init__(self) -> None:
        self.parts: dict[str, _Wanted] = {}
        self.kept: dict[str, None] = {}
        self.limit: int | None = None
        self.sort: tuple[SortKey, ...] = ()

    def into(self, step: str) -> "_Wanted":
        return self.parts.setdefault(step, _Wanted())

    def keep(self, name: str) -> None:
        self.kept[name] = None

    def size(self) -> int:
        return sum(1 + one.size() for one in self.parts.values())

    def frozen(self) -> Selection:
        if not (self.parts or self.kept or self.limit or self.sort):
            return NO_SELECTION
        return Selection(
            include=tuple((step, self.parts[step].frozen()) for step in sorted(self.parts)),
            fields=tuple(self.kept) or None,
            limit=self.limit,
            sort=self.sort,
        )


PLAIN = ("limit", "after", "before", "sort", "count")


def parsed(root: Node, listing: Listing, spelling: Spelling, *, extra: tuple[Extra, ...] = ()) -> Asked:
    """What is asked of a list. ``extra`` are parameters whose texts are read elsewhere. Raises `Refused`."""
    parser = _Parser(spelling)
    selecting = _selecting(listing)
    known = [*PLAIN, "filter", *(one.name for one in extra), *selecting]
    known += ["q"] if listing.is_searchable else []
    parser.names(root, known)
    parts = _given(root)
    texts = {one.name: parser.beside(one, parts.get(one.name)) for one in extra}
    if "after" in parts and "before" in parts:
        parser.fault(parts["after"], "conflict", "Give “after” or “before”, not both.")
    filters = [parser.condition(parts["filter"], listing)] if "filter" in parts else []
    default = listing.sort
    if listing.is_searchable and (words := parser.words(parts.get("q"))):
        filters.append(Matches(words))
        if listing.is_ranked:
            default = RANKED
            listing = msgspec.structs.replace(listing, shown=(*listing.shown, HIGHLIGHTS))
    asked = Asked(
        limit=parser.limit(parts.get("limit"), DEFAULT_LIMIT) or DEFAULT_LIMIT,
        after=parser.text(parts.get("after")),
        before=parser.text(parts.get("before")),
        sort=parser.sort(parts.get("sort"), listing, default),
        filter=all_of(*filters),
        count=parser.count(parts.get("count")),
        selection=parser.selected({name: node for name, node in parts.items() if name in selecting}, listing),
        extra={name: text for name, text in texts.items() if text is not None},
    )
    if parser.faults:
        raise Refused(parser.faults)
    return asked


def condition_of(root: Node, fields: Fields, spelling: Spelling) -> Condition:
    """The condition that a filter alone asks for. Raises `Refused`."""
    parser = _Parser(spelling)
    found = parser.condition(root, fields)
    if parser.faults:
        raise Refused(parser.faults)
    return found


def selection_of(
    root: Node, listing: Listing, spelling: Spelling, *, extra: tuple[str, ...] = ()
) -> Selection:
    """What `include`, `fields` and `format` alone ask for. ``extra`` is read elsewhere. Raises `Refused`."""
    parser = _Parser(spelling)
    known = _selecting(listing)
    parser.names(root, [*known, *extra])
    found = parser.selected({name: node for name, node in root.parts.items() if name in known}, listing)
    if parser.faults:
        raise Refused(parser.faults)
    return found


def _selecting(listing: Listing) -> list[str]:
    """The parts of a query that say what of the items is wanted, where these have it."""
    taken = {"fields": bool(listing.shown), "include": listing.expands, "format": listing.has_texts}
    return [name for name, is_taken in taken.items() if is_taken]

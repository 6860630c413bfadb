"""What a list can be asked: its fields, what they lead to, and its orders."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Literal, NamedTuple

import msgspec

from cms_api.querying.conditions import Operator
from cms_api.querying.pages import SortKey

FieldType = Literal["text", "uuid", "timestamptz", "boolean", "integer", "number", "date", "datetime"]

# How many relations a path may walk.
MAX_RELATIONS = 3
# What joins conditions; a field of such a name can't be filtered on.
LOGIC = ("and", "or", "not")

# What each type of field can be filtered by.
OPERATORS: dict[FieldType, tuple[Operator, ...]] = {
    "text": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "contains", "starts_with", "exists"),
    "uuid": ("eq", "ne", "in", "nin", "exists"),
    "timestamptz": ("eq", "ne", "lt", "lte", "gt", "gte", "exists"),
    "integer": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "exists"),
    "number": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "exists"),
    "date": ("eq", "ne", "lt", "lte", "gt", "gte", "in", "nin", "exists"),
    "datetime": ("eq", "ne", "lt", "lte", "gt", "gte", "exists"),
    "boolean": ("eq", "ne", "exists"),
}


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a name leads on to.

    ``fields`` is asked when it is walked: relations go round in circles. ``is_many`` says that there
    may be several of what it leads to. ``hops`` is 1, or 0 where it leads into a part of the same
    row: a group, a list, blocks. ``kinds`` says what it leads to, for whoever looks that up by its
    ids; ``held`` is the field that has these, where it goes by another name than the relation.
    """

    fields: "Callable[[], Fields]"
    is_many: bool = False
    hops: int = 1
    kinds: tuple[str, ...] = ()
    held: str | None = None


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of rows, as far as whoever asks may know of them.

    ``filters`` can be filtered on; ``relations`` lead on, some of them filtered on as well, by id;
    ``sorts`` can be sorted by; ``shown`` is what an answer may be cut down to.
    """

    filters: Mapping[str, FieldType] = {}
    relations: Mapping[str, Relation] = {}
    sorts: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


NO_FIELDS = Fields()


class Listing(Fields, frozen=True, kw_only=True):
    """What a list can be asked. ``sort`` is its order where none is asked for.

    ``expands`` says that relations can be included, ``has_texts`` that texts come in several formats,
    ``is_searchable`` that `q` searches it, ``is_ranked`` that what it finds comes by rank then, with
    what matches.
    """

    sort: tuple[SortKey, ...]
    expands: bool = False
    has_texts: bool = False
    is_searchable: bool = False
    is_ranked: bool = False


class Found(NamedTuple):
    """Where a path ends: the type of the field, and how many relations were walked on the way."""

    kind: FieldType
    hops: int


class Unknown(Exception):
    """A path that leads nowhere: which part of it, and what there is instead."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(name)
        self.name = name
        self.known = tuple(known)


class Manifold(Unknown):
    """A path through a relation to several, where a single value is wanted."""


class Ended(Unknown):
    """A path that goes on behind a plain value."""


class TooFar(Exception):
    """A path that walks more relations than are walked."""


def _walked(fields: Fields, path: str, *, single: bool = False) -> tuple[Fields, str, int]:
    """The fields that the last step of ``path`` is one of, that step, and the relations walked."""
    *steps, last = path.split(".")
    hops, prefix = 0, ""
    for step in steps:
        relation = fields.relations.get(step)
        if relation is None or (single and relation.is_many):
            usable = [n for n, one in fields.relations.items() if not (single and one.is_many)]
            wrong = Manifold if relation else Ended if step in fields.filters else Unknown
            raise wrong(prefix + step, [f"{prefix}{name}" for name in usable])
        hops += relation.hops
        if hops > MAX_RELATIONS:
            raise TooFar
        fields, prefix = relation.fields(), f"{prefix}{step}."
    return fields, last, hops


def find(fields: Fields, path: str) -> Found:
    """What a filter's path leads to. Raises `Unknown`, `Ended` and `TooFar`."""
    if (kind := fields.filters.get(path)) is not None:
        return Found(kind, 0)
    inner, last, hops = _walked(fields, path)
    if (kind := inner.filters.get(last)) is None:
        prefix = path.removesuffix(last)
        raise Unknown(path, [f"{prefix}{name}" for name in inner.filters])
    return Found(kind, hops)


def find_sort(fields: Fields, path: str) -> Found:
    """What a sort's path leads to: single values only. Raises `Unknown`, `Ended`, `Manifold` and `TooFar`."""
    if path in fields.sorts:
        return Found(fields.filters.get(path, "text"), 0)
    inner, last, hops = _walked(fields, path, single=True)
    if last not in inner.sorts:
        prefix = path.removesuffix(last)
        raise Unknown(path, [f"{prefix}{name}" for name in inner.sorts])
    return Found(inner.filters.get(last, "text"), hops)


def sort_paths(fields: Fields) -> Iterator[str]:
    """All that `find_sort` finds, the shortest paths first."""
    waiting = deque([("", fields, 0)])
    while waiting:
        prefix, place, hops = waiting.popleft()
        yield from (f"{prefix}{name}" for name in place.sorts)
        waiting += (
            (f"{prefix}{name}.", relation.fields(), hops + relation.hops)
            for name, relation in place.relations.items()
            if not relation.is_many and hops + relation.hops <= MAX_RELATIONS
        )


def follow(fields: Fields, path: str) -> Iterator[Relation]:
    """The relations that a path goes along, one after another. Raises `Unknown`."""
    steps = path.split(".")
    for number, step in enumerate(steps):
        if (relation := fields.relations.get(step)) is None:
            raise Unknown(path, [".".join([*steps[:number], name]) for name in fields.relations])
        yield relation
        fields = relation.fields()


def nearest(name: str, known: Iterable[str]) -> str:
    """“Did you mean …?”, or nothing."""
    found = get_close_matches(name[:100], list(known), n=1)
    return f" Did you mean “{found[0]}”?" if found else ""

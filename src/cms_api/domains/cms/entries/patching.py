"""Changing a JSON value: merge patches (RFC 7396), and JSON Patch (RFC 6902) that knows blocks by their ids."""

import copy
import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import UNSET

from cms_api.domains.cms.entries.interface import PatchOperation
from cms_api.kernel.errors import invalid

# Deeper values could not be gone through; and a copy of something into itself doubles it.
MAX_NESTED = 100
MAX_VALUES = 100_000
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_ABSENT = object()


def check_nesting(value: Any, pointer: str, *, above: int = 0) -> int:
    """How many values ``value`` is made of, which hangs ``above`` levels deep.

    Raises `Invalid` where they are nested more than 100 deep.
    """
    level, depth, number = [value], above, 0
    while level:
        if depth > MAX_NESTED:
            raise invalid(pointer, "too_deep", f"Values are nested at most {MAX_NESTED} deep.")
        number, depth = number + len(level), depth + 1
        level = [one for held in level for one in _inner(held)]
    return number


def _inner(held: Any) -> Iterable[Any]:
    if isinstance(held, dict):
        return held.values()
    return held if isinstance(held, list) else ()


def merged(value: Any, patch: Any) -> Any:
    """``value`` with a merge patch applied."""
    if not isinstance(patch, dict):
        return patch
    found = dict(value) if isinstance(value, dict) else {}
    for name, one in patch.items():
        if one is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), one)
    return found


def patched(value: Any, operations: Sequence[PatchOperation]) -> Any:
    """``value`` with a JSON Patch applied, all of it or nothing. Raises `Invalid` that names the operation."""
    document, number = {"": copy.deepcopy(value)}, 0
    for place, operation in enumerate(operations):
        number += _Step(document, operation, f"/{place}").take()
        if number > MAX_VALUES:
            raise invalid(f"/{place}", "too_large", f"A patch brings in at most {MAX_VALUES:,} values.")
    return document.get("")


class _Step:
    """One operation on a document, which hangs below the name ""."""

    def __init__(self, document: dict[str, Any], operation: PatchOperation, at: str) -> None:
        self._document, self._operation, self._at = document, operation, at
        self._number = self._depth = 0

    def take(self) -> int:
        """Do it; how many values it brings in."""
        operation = self._operation
        path = self._steps(operation.path, "path")
        self._depth = len(path) - 1
        match operation.op:
            case "add":
                self._add(path, self._value())
            case "remove":
                self._remove(path, "path")
            case "replace":
                value = self._value()
                self._get(path, "path")
                self._set(path, value)
            case "test":
                if not _equal(self._get(path, "path"), self._value()):
                    raise invalid(f"{self._at}/value", "test", "The value is another one.")
            case "copy":
                self._add(path, self._copied(self._get(self._source(), "from"), "from"))
            case "move":
                self._move(path)
        return self._number

    def _move(self, path: list[str]) -> None:
        source = self._source()
        if path[: len(source)] == source and len(path) > len(source):
            raise invalid(f"{self._at}/path", "path", "Nothing can be moved into itself.")
        value = self._get(source, "from")
        check_nesting(value, f"{self._at}/from", above=self._depth)
        self._remove(source, "from")
        self._add(path, value)

    def _value(self) -> Any:
        if self._operation.value is UNSET:
            raise invalid(f"{self._at}/value", "required", f"“{self._operation.op}” needs a value.")
        return self._copied(self._operation.value, "value")

    def _copied(self, value: Any, name: str) -> Any:
        self._number = check_nesting(value, f"{self._at}/{name}", above=self._depth)
        return copy.deepcopy(value) if self._number <= MAX_VALUES else None

    def _source(self) -> list[str]:
        if not isinstance(self._operation.source, str):
            raise invalid(f"{self._at}/from", "required", f"“{self._operation.op}” needs a “from”.")
        return self._steps(self._operation.source, "from")

    def _steps(self, pointer: str, name: str) -> list[str]:
        if pointer and not pointer.startswith("/"):
            raise invalid(f"{self._at}/{name}", "path", "A path is empty, or begins with a slash (RFC 6901).")
        return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")]

    def _get(self, steps: list[str], name: str) -> Any:
        found: Any = self._document
        for step in steps:
            found = self._inside(found, step, name)
        return found

    def _inside(self, holder: Any, step: str, name: str) -> Any:
        if isinstance(holder, dict):
            found = holder.get(step, _ABSENT)
        elif isinstance(holder, list) and (index := _place(holder, step)) is not None and index < len(holder):
            found = holder[index]
        else:
            found = _ABSENT
        if found is _ABSENT:
            raise invalid(f"{self._at}/{name}", "path", f"There is nothing at “{step[:100]}” in this path.")
        return found

    def _add(self, steps: list[str], value: Any) -> None:
        holder, last = self._holder(steps, "path")
        if isinstance(holder, dict):
            holder[last] = value
            return
        index = len(holder) if last == "-" else _place(holder, last)
        if index is None or index > len(holder):
            raise invalid(f"{self._at}/path", "path", f"There is no place “{last[:100]}” in this list.")
        holder.insert(index, value)

    def _set(self, steps: list[str], value: Any) -> None:
        holder, last = self._holder(steps, "path")
        holder[last if isinstance(holder, dict) else _place(holder, last)] = value

    def _remove(self, steps: list[str], name: str) -> None:
        self._get(steps, name)
        holder, last = self._holder(steps, name)
        del holder[last if isinstance(holder, dict) else _place(holder, last)]

    def _holder(self, steps: list[str], name: str) -> tuple[Any, str]:
        holder = self._get(steps[:-1], name) if len(steps) > 1 else self._document
        if not isinstance(holder, (dict, list)):
            raise invalid(f"{self._at}/{name}", "path", "There is nothing inside of a single value.")
        return holder, steps[-1]


def _place(items: list[Any], step: str) -> int | None:
    """The place that a step means: a number, or the id of a block."""
    if _INDEX.fullmatch(step):
        return int(step)
    wanted = step.lower()
    return next(
        (n for n, one in enumerate(items) if isinstance(one, dict) and str(one.get("id", "")) == wanted), None
    )


def _equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same: in Python, true is 1."""
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)

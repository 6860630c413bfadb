"""Input that is checked against a type: at full speed where it is right, gone through with care where not."""

import re
import types
import typing
from collections.abc import Generator, Iterator
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from cms_api.kernel.errors import Fault, Invalid, Malformed

MAX_FAULTS = 50
_DECODERS_KEPT = 1_024
_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


@lru_cache(maxsize=_DECODERS_KEPT)
def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(wanted)


def escaped(step: str) -> str:
    """A step of a JSON Pointer (RFC 6901, section 3)."""
    return step.replace("~", "~0").replace("/", "~1")


def convert(value: Any, wanted: Any, *, pointer: str = "") -> Any:
    """JSON values as ``wanted``. Raises `Invalid` with all faults."""
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        faults = list(_faults(value, wanted, pointer))[:MAX_FAULTS]
        if not faults:
            raise
        raise _invalid(faults) from None


def decode(body: bytes, wanted: Any) -> Any:
    """``body`` as ``wanted``. Raises `Malformed` where it is no JSON, `Invalid` with all faults."""
    try:
        value = _decoder(wanted).decode(body)
    except msgspec.ValidationError:
        faults = list(_faults(_parsed(body), wanted, ""))[:MAX_FAULTS]
        if not faults:
            raise
        raise _invalid(faults) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from None
    if b"\\u0000" in body and (nuls := list(_nuls(_parsed(body), ""))):
        raise _invalid(nuls)
    return value


def _invalid(faults: list[Fault]) -> Invalid:
    detail = faults[0].detail if len(faults) == 1 else f"The body has {len(faults)} faults."
    return Invalid(detail, faults=tuple(faults))


def _malformed(error: Exception) -> Malformed:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return Malformed(f"The body is no valid JSON: {reason}.")


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from None


def _nuls(value: Any, pointer: str) -> Generator[Fault, None, None]:
    if isinstance(value, str) and "\0" in value:
        yield Fault(pointer, "nul", "The character U+0000 is not allowed.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if "\0" in key:
                yield Fault(pointer, "nul", "The character U+0000 is not allowed in a name.")
            yield from _nuls(inner, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _nuls(inner, f"{pointer}/{index}")


def _faults(value: Any, wanted: Any, pointer: str) -> Generator[Fault, None, None]:
    """All faults of ``value``, each found by looking at the smallest part that is wrong."""
    bare = _variant(_bare(wanted), value)
    found = False
    parts: Iterator[Fault] = iter(())
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct) and isinstance(value, dict):
        parts = _struct_faults(value, bare, pointer)
    elif typing.get_origin(bare) in (list, tuple) and isinstance(value, list):
        item = typing.get_args(bare)[0]
        inner = (f for i, one in enumerate(value) for f in _faults(one, item, f"{pointer}/{i}"))
        # How many they are is told beside what is wrong with them.
        parts = chain(inner, _leaf_faults([None] * len(value), _uncounted(wanted, list), pointer))
    elif typing.get_origin(bare) is dict and isinstance(value, dict):
        of_names, of_values = typing.get_args(bare)
        inner = _member_faults(value, of_names, of_values, pointer)
        parts = chain(inner, _leaf_faults(dict.fromkeys(value), _uncounted(wanted, dict), pointer))
    for fault in parts:
        found = True
        yield fault
    if not found:
        yield from _leaf_faults(value, wanted, pointer)


def _uncounted(wanted: Any, kind: type) -> Any:
    """The constraints of ``wanted``, a list or an object as ``kind`` says, for one of anything."""
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        kinds = (list, tuple) if kind is list else (dict,)
        parts = (one for one in typing.get_args(wanted) if typing.get_origin(_bare(one)) in kinds)
        return _uncounted(next(parts, kind), kind)
    if typing.get_origin(wanted) is typing.Annotated:
        metas = [one for one in wanted.__metadata__ if isinstance(one, msgspec.Meta)]
        for meta in metas:
            return typing.Annotated[kind, meta]
    return kind


def _bare(wanted: Any) -> Any:
    """``wanted`` without its constraints, and without “or null” and “or unset”."""
    while typing.get_origin(wanted) is typing.Annotated:
        wanted = typing.get_args(wanted)[0]
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        inner = [t for t in typing.get_args(wanted) if t not in (types.NoneType, msgspec.UnsetType)]
        if len(inner) == 1:
            return _bare(inner[0])
    return wanted


def _variant(wanted: Any, value: Any) -> Any:
    """Of several structs that are told apart by a tag, the one that ``value`` says it is."""
    if typing.get_origin(wanted) not in (typing.Union, types.UnionType):
        return wanted
    if isinstance(value, list):
        return next(
            (one for one in typing.get_args(wanted) if typing.get_origin(one) in (list, tuple)), wanted
        )
    if not isinstance(value, dict):
        return wanted
    for one in typing.get_args(wanted):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            config = one.__struct_config__
            if config.tag is not None and value.get(str(config.tag_field)) == config.tag:
                return one
    return wanted


def _struct_faults(
    value: dict[str, Any], wanted: type[msgspec.Struct], pointer: str
) -> Generator[Fault, None, None]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name in value:
        if name == wanted.__struct_config__.tag_field:
            continue
        if name not in fields and wanted.__struct_config__.forbid_unknown_fields:
            nearest = get_close_matches(name, fields, n=1)
            hint = f" Did you mean “{nearest[0]}”?" if nearest else ""
            detail = f"There is no field “{name[:100]}”.{hint}"
            yield Fault(f"{pointer}/{escaped(name)}", "unknown_field", detail)
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.type, f"{pointer}/{escaped(name)}")
        elif field.required:
            yield Fault(f"{pointer}/{escaped(name)}", "required", f"The field “{name}” is required.")


def _member_faults(
    value: dict[str, Any], of_names: Any, of_values: Any, pointer: str
) -> Generator[Fault, None, None]:
    for name, one in value.items():
        place = f"{pointer}/{escaped(name)}"
        yield from _leaf_faults(name, of_names, place)
        yield from _faults(one, of_values, place)


def _leaf_faults(value: Any, wanted: Any, pointer: str) -> Generator[Fault, None, None]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        message = str(error)
        if place := _PLACE.search(message):
            message = message[: place.start()]
            for name, index in _STEP.findall(place["path"]):
                pointer += f"/{escaped(name or index)}"
        yield Fault(pointer, _code(message), message + ".")


def _code(message: str) -> str:
    if message.startswith("Expected") and ("length" in message or "regex" in message):
        return "length" if "length" in message else "pattern"
    if message.startswith("Expected") and re.search(r"(<|>)=? -?\d", message):
        return "range"
    return "type" if message.startswith("Expected") else "value"

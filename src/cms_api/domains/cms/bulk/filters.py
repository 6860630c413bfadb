"""Filters as JSON: `{"tags.slug": {"in": ["news"]}, "status": "draft"}`."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any
from uuid import UUID

import msgspec

from cms_api.kernel.errors import Faults, Invalid, invalid
from cms_api.kernel.paging import MAX_LIMIT, OPERATORS, FieldType, Filter, Listing
from cms_api.validation import escaped

MAX_FILTERS = 20
TYPES: dict[FieldType, tuple[type, str]] = {
    "text": (str, "text"),
    "uuid": (UUID, "a UUID"),
    "timestamptz": (datetime, "a time like 2026-01-02T03:04:05Z"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "number": (float, "a number"),
    "date": (date, "a day like 2026-01-02"),
    "datetime": (datetime, "a time like 2026-01-02T03:04:05Z"),
}


def filters_of(listing: Listing, given: Mapping[str, Any], *, pointer: str = "/filter") -> tuple[Filter, ...]:
    """The filters that a JSON object asks for; a value alone means `eq`. Raises `Invalid` with every fault."""
    faults = Faults()
    found: list[Filter] = []
    for field, wanted in given.items():
        place = f"{pointer}/{escaped(field)}"
        named = (
            {f"{place}/{name}": (name, value) for name, value in wanted.items()}
            if isinstance(wanted, dict)
            else {}
        )
        for at, (operator, value) in (named or {place: ("eq", wanted)}).items():
            with faults.noted():
                found.append(_filter(at, place, field, listing.filters, operator, value))
    if len(found) > MAX_FILTERS:
        with faults.noted():
            raise invalid(pointer, "too_many", f"At most {MAX_FILTERS} filters are taken.")
    faults.refuse()
    return tuple(found)


def _filter(
    at: str, place: str, field: str, known: Mapping[str, FieldType], operator: str, value: Any
) -> Filter:
    if (kind := known.get(field)) is None:
        raise _unknown(place, "unknown_filter", f"There is no filter “{field[:100]}”.", field, known)
    checked = next((one for one in OPERATORS[kind] if one == operator), None)
    if checked is None:
        detail = f"The filter “{field}” has no operator “{operator[:100]}”."
        raise _unknown(at, "unknown_operator", detail, operator, OPERATORS[kind])
    if checked == "exists":
        return Filter(field, checked, (_value(at, "boolean", value),))
    if checked not in ("in", "nin"):
        return Filter(field, checked, (_value(at, kind, value),))
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_LIMIT:
        raise invalid(at, "type", f"This is a list of 1 to {MAX_LIMIT} values.")
    return Filter(field, checked, tuple(_value(f"{at}/{n}", kind, one) for n, one in enumerate(value)))


def _value(place: str, kind: FieldType, value: Any) -> object:
    wanted, words = TYPES[kind]
    try:
        found: object = msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        raise invalid(place, "type", f"This is {words}.") from None
    if isinstance(found, datetime) and found.tzinfo is None:
        raise invalid(place, "type", f"This is {words}.")
    return found.isoformat() if kind == "date" and isinstance(found, date) else found


def _unknown(place: str, code: str, detail: str, name: str, known: Iterable[str]) -> Invalid:
    nearest = get_close_matches(name, list(known), n=1)
    hint = f" Did you mean “{nearest[0]}”?" if nearest else ""
    return invalid(place, code, detail + hint)

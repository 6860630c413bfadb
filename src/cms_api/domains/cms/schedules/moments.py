"""Moments: what clocks show somewhere, and the instant that this is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from cms_api.kernel.errors import Faults, Invalid, invalid

DEFAULT_TIMEZONE = "UTC"
MAX_AHEAD = timedelta(days=50 * 365.25)

Zones = Callable[[str], tzinfo]

_SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
# In the folder of zones, and names of no place: the one is the host's own, the other a placeholder.
_NO_ZONES = frozenset({"localtime", "Factory"})


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """``local_at`` (without offset) is what clocks in ``timezone`` show at the instant ``due_at`` (UTC).

    The wall time is what was meant: where the rules of a zone change, the instant follows it.
    """

    local_at: datetime
    timezone: str
    due_at: datetime


@cache
def _names() -> dict[str, str]:
    """The IANA names that this host knows, by their spelling in lower case."""
    return {name.lower(): name for name in sorted(available_timezones() - _NO_ZONES)}


def check_timezone(name: str, *, pointer: str = "/timezone") -> str:
    """``name``. Raises `Invalid`, with the nearest name, unless it is one of the IANA database."""
    known = _names()
    if known.get(name.lower()) == name:
        return name
    found = get_close_matches(name.lower(), known, n=1)
    hint = f" Did you mean “{known[found[0]]}”?" if found else " Names are like “Europe/Paris”."
    raise invalid(pointer, "unknown_timezone", f"There is no time zone “{name[:100]}”.{hint}")


def instant(local_at: datetime, zone: tzinfo, *, known: datetime | None = None) -> datetime:
    """The instant, in UTC, at which clocks in ``zone`` show ``local_at``.

    Where they show it twice, it is the first time, unless ``known`` is the second; where they
    never do, as they are put forward, it is counted on from before (PEP 495).
    """
    first, second = (local_at.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return second if second == known and second > first else first


def is_skipped(local_at: datetime, zone: tzinfo) -> bool:
    """Whether clocks in ``zone`` never show ``local_at``, as they are put forward over it."""
    return instant(local_at, zone).astimezone(zone).replace(tzinfo=None) != local_at


def moment(text: str, timezone: str, *, pointer: str, now: datetime, zones: Zones = ZoneInfo) -> Moment:
    """The moment that a client means. Raises `Invalid` with the faults of ``text`` and ``timezone``.

    ``text`` is RFC 3339 with an offset, and turned into the wall time of the zone; or it has no
    offset, and is that wall time.
    """
    faults = Faults()
    given: datetime | None = None
    with faults.noted():
        given = _read(text, pointer)
    with faults.noted():
        check_timezone(timezone)
    faults.refuse()
    if given is None:
        raise LookupError("What could not be read was refused.")
    zone = zones(timezone)
    try:
        if given.tzinfo is None:
            return at_wall_time(given, timezone, pointer=pointer, now=now, zones=zones)
        due_at = given.astimezone(UTC)
        local_at = due_at.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise _unreadable(pointer) from None
    _check_ahead(due_at, now, pointer)
    return Moment(local_at=local_at, timezone=timezone, due_at=due_at)


def at_wall_time(
    local_at: datetime, timezone: str, *, pointer: str, now: datetime, zones: Zones = ZoneInfo
) -> Moment:
    """The moment at which clocks in a zone show ``local_at``, for the first time. Raises `Invalid`."""
    zone = zones(timezone)
    if is_skipped(local_at, zone):
        raise invalid(
            pointer,
            "skipped_time",
            f"Clocks in {timezone} never show {local_at.isoformat()}: they are put forward over it.",
        )
    due_at = instant(local_at, zone)
    _check_ahead(due_at, now, pointer)
    return Moment(local_at=local_at, timezone=timezone, due_at=due_at)


def _read(text: str, pointer: str) -> datetime:
    shouted = text.upper()  # RFC 3339 takes “t” and “z” as well
    if not _SHAPE.fullmatch(shouted):
        raise _unreadable(pointer)
    try:
        return datetime.fromisoformat(shouted)
    except ValueError:
        raise _unreadable(pointer) from None


def _unreadable(pointer: str) -> Invalid:
    return invalid(
        pointer,
        "time",
        "A time is like 2026-12-24T09:00:00+01:00, or without offset beside “timezone”.",
    )


def _check_ahead(due_at: datetime, now: datetime, pointer: str) -> None:
    if due_at <= now:
        raise invalid(pointer, "past", "The time must lie in the future.")
    if due_at > now + MAX_AHEAD:
        raise invalid(pointer, "too_far", "The time may lie at most 50 years ahead.")

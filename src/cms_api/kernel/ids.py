"""Identifiers: UUIDv7 (RFC 9562, section 5.7), made here because PostgreSQL 15 to 17 cannot."""

import os
import threading
import time
from datetime import datetime
from uuid import UUID

_lock = threading.Lock()
_last = 0

_RANDOM_BITS = 62
_COUNTER_BITS = 12
_ORDER_BITS = 32


def new_id() -> UUID:
    """A UUIDv7 that sorts after every other one made by this process.

    48 bits of Unix milliseconds, then 12 bits that count up within a millisecond (RFC 9562,
    section 6.2, method 1), then 62 random bits. When the counter is full the next
    millisecond is borrowed.
    """
    global _last  # noqa: PLW0603 - the monotonic counter is state of the process by nature
    with _lock:
        _last = max(time.time_ns() // 1_000_000 << _COUNTER_BITS, _last + 1)
        stamp = _last
    return _uuid7(stamp >> _COUNTER_BITS, stamp & (1 << _COUNTER_BITS) - 1, _random(_RANDOM_BITS))


def dated_id(at: datetime, order: int) -> UUID:
    """A UUIDv7 of something that began at a moment of the past, from 1970 on.

    It sorts among others by that moment, within a millisecond by ``order`` (modulo 2³²), which stands
    where others have a counter and the first random bits (RFC 9562, section 6.2, method 1).
    """
    order &= (1 << _ORDER_BITS) - 1
    low = _ORDER_BITS - _COUNTER_BITS
    rest = _RANDOM_BITS - low
    milliseconds = max(0, int(at.timestamp() * 1000))
    return _uuid7(milliseconds, order >> low, (order & (1 << low) - 1) << rest | _random(rest))


def _random(bits: int) -> int:
    return int.from_bytes(os.urandom(8), "big") & (1 << bits) - 1


def _uuid7(milliseconds: int, counter: int, rest: int) -> UUID:
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | rest)

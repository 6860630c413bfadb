"""Identifiers: UUIDv7 (RFC 9562, section 5.7), made here because PostgreSQL 15 to 17 cannot."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0

_RANDOM_BITS = 62
_COUNTER_BITS = 12


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
    milliseconds, counter = stamp >> _COUNTER_BITS, stamp & (1 << _COUNTER_BITS) - 1
    random = int.from_bytes(os.urandom(8), "big") & (1 << _RANDOM_BITS) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random)

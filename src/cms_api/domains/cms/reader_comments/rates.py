"""How often somebody may do something: a bucket of tokens that fills up again."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Rate(msgspec.Struct, frozen=True):
    """``number`` at once, and one more each time that a part of ``seconds`` has gone by."""

    number: int
    seconds: int

    @property
    def window(self) -> timedelta:
        """How long an empty bucket takes to be full."""
        return timedelta(seconds=self.seconds)

    @property
    def interval(self) -> timedelta:
        """How long one token takes."""
        return self.window / self.number


def parse_rate(text: str | None) -> Rate | None:
    """What a setting like ``5/10m`` says; None is without limit."""
    if text is None:
        return None
    number, _, period = text.partition("/")
    return Rate(int(number), int(period[:-1]) * UNITS[period[-1]])


class Taken(msgspec.Struct, frozen=True):
    """What became of one bucket: whether there was a token, and when it is full again."""

    is_taken: bool
    full_at: datetime


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody stands: tokens left, seconds until the bucket is full and until there is one."""

    is_taken: bool
    remaining: int
    reset: int
    retry_after: int


def allowance(rate: Rate, buckets: Sequence[Taken], *, at: datetime) -> Allowance:
    """How somebody stands who took from several buckets, all or none: the emptiest counts."""
    full_at = max(bucket.full_at for bucket in buckets)
    missing = full_at - at
    return Allowance(
        is_taken=all(bucket.is_taken for bucket in buckets),
        remaining=max(0, (rate.window - missing) // rate.interval),
        reset=max(0, math.ceil(missing.total_seconds())),
        retry_after=max(1, math.ceil((missing + rate.interval - rate.window).total_seconds())),
    )

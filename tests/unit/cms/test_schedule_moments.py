"""What a time in a zone is: gaps, times that come twice, odd offsets, and nonsense."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms_api.domains.cms.schedules.moments import (
    MAX_AHEAD,
    Moment,
    check_timezone,
    instant,
    is_skipped,
    moment,
)
from cms_api.kernel.errors import Invalid

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def read(text: str, zone: str = "UTC", **more: Any) -> Moment:
    return moment(text, zone, pointer="/publish_at", **({"now": NOW} | more))


def refused(text: str, zone: str = "UTC", **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        read(text, zone, **more)
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "local", "due"),
    [
        ("2026-12-24T09:00:00Z", "UTC", "2026-12-24T09:00", "2026-12-24T09:00"),
        ("2026-12-24T09:00:00", "UTC", "2026-12-24T09:00", "2026-12-24T09:00"),
        ("2026-12-24T09:00:00", "Europe/Paris", "2026-12-24T09:00", "2026-12-24T08:00"),
        ("2026-07-24T09:00:00", "Europe/Paris", "2026-07-24T09:00", "2026-07-24T07:00"),
        ("2026-12-24T09:00:00Z", "Europe/Paris", "2026-12-24T10:00", "2026-12-24T09:00"),
        ("2026-12-24T09:00:00-05:00", "Europe/Paris", "2026-12-24T15:00", "2026-12-24T14:00"),
        ("2026-12-24T09:00:00+01:00", "UTC", "2026-12-24T08:00", "2026-12-24T08:00"),
        ("2026-12-24T09:00", "Asia/Kolkata", "2026-12-24T09:00", "2026-12-24T03:30"),
        ("2026-12-24T09:00", "Asia/Kathmandu", "2026-12-24T09:00", "2026-12-24T03:15"),
        ("2026-12-24T09:00", "Australia/Lord_Howe", "2026-12-24T09:00", "2026-12-23T22:00"),
        ("2026-07-24T09:00", "Australia/Lord_Howe", "2026-07-24T09:00", "2026-07-23T22:30"),
        ("2026-12-24T00:00", "Pacific/Kiritimati", "2026-12-24T00:00", "2026-12-23T10:00"),
        ("2026-12-24t09:00:00z", "UTC", "2026-12-24T09:00", "2026-12-24T09:00"),
        ("2026-12-24 09:00:00.25", "UTC", "2026-12-24T09:00:00.25", "2026-12-24T09:00:00.25"),
        ("2026-12-24T09:00:00.123456789Z", "UTC", "2026-12-24T09:00:00.123456", "2026-12-24T09:00:00.123456"),
        ("2028-02-29T12:00", "Europe/Paris", "2028-02-29T12:00", "2028-02-29T11:00"),
        # after the last transition that a zone's table lists, its rule counts
        ("2075-07-01T12:00", "America/New_York", "2075-07-01T12:00", "2075-07-01T16:00"),
        ("2075-12-01T12:00", "America/New_York", "2075-12-01T12:00", "2075-12-01T17:00"),
    ],
)
def test_a_time_in_a_zone(text: str, zone: str, local: str, due: str) -> None:
    found = read(text, zone)
    assert found == Moment(local_at=datetime.fromisoformat(local), timezone=zone, due_at=utc(due))
    assert found.local_at.tzinfo is None


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-03-29T02:30:00", "Europe/Paris"),
        ("2026-03-29T02:00:00", "Europe/Paris"),
        ("2026-03-08T02:30:00", "America/New_York"),
        ("2026-10-04T02:15:00", "Australia/Lord_Howe"),  # put forward by half an hour
    ],
)
def test_a_time_that_no_clock_shows_is_refused(text: str, zone: str) -> None:
    assert refused(text, zone) == [("/publish_at", "skipped_time")]


@pytest.mark.parametrize("text", ["2026-03-29T01:59:59", "2026-03-29T03:00:00"])
def test_times_around_a_gap_are_taken(text: str) -> None:
    assert read(text, "Europe/Paris").local_at == datetime.fromisoformat(text)


def test_of_a_time_that_comes_twice_the_first_counts_unless_an_offset_says_otherwise() -> None:
    first = read("2026-10-25T02:30:00", "Europe/Paris")
    assert first.due_at == utc("2026-10-25T00:30")
    assert read("2026-10-25T02:30:00+02:00", "Europe/Paris") == first
    second = read("2026-10-25T02:30:00+01:00", "Europe/Paris")
    assert second.local_at == first.local_at
    assert second.due_at == utc("2026-10-25T01:30")
    # and the second one stays the second, where the instant is worked out anew
    zone = ZoneInfo("Europe/Paris")
    assert instant(second.local_at, zone, known=second.due_at) == second.due_at
    assert instant(second.local_at, zone) == first.due_at


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "now", "tomorrow", "2026-12-24", "09:00", "20261224T090000", "2026-W52-4T09:00",
        "2026-13-01T00:00:00", "2026-02-30T00:00:00", "2027-02-29T00:00", "2026-12-24T25:00", "2026-12-24T09:60",
        "2026-12-24T09:00:61Z", "2026-12-24T09:00:00+25:00", "2026-12-24T09:00:00+0100", "2026-12-24T09:00:00+1",
        "2026-12-24T09:00:00 Europe/Paris", "2026-12-24T09:00:00[Europe/Paris]", "2026-12-24T09:00:00Z\n",
        " 2026-12-24T09:00:00Z", "２０２６-12-24T09:00:00Z", "2026-12-24T09:00:00,5Z", "1766566800",
        "-2026-12-24T09:00", "+12026-12-24T09:00", "0000-01-01T00:00", "' OR 1=1 --", "2026‑12‑24T09:00", "9" * 64,
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    assert refused(text) == [("/publish_at", "time")]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_times_at_the_ends_of_the_calendar_are_refused(text: str) -> None:
    assert refused(text, "Pacific/Kiritimati")[0][1] in ("time", "past", "too_far")
    assert refused(text[:-6], "Pacific/Kiritimati")[0][1] in ("time", "past", "too_far")


def test_a_time_lies_in_the_future_but_not_too_far() -> None:
    at = NOW.replace(tzinfo=None)
    assert refused(at.isoformat()) == [("/publish_at", "past")]
    assert refused("2026-01-02T04:04:05+01:00") == [("/publish_at", "past")]
    assert refused("1970-01-01T00:00:00Z") == [("/publish_at", "past")]
    assert read((at + timedelta(microseconds=1)).isoformat()).due_at == NOW + timedelta(microseconds=1)
    far = at + MAX_AHEAD
    assert read(far.isoformat()).due_at == NOW + MAX_AHEAD
    assert refused((far + timedelta(seconds=1)).isoformat()) == [("/publish_at", "too_far")]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/paris", "“Europe/Paris”"),
        ("Europe/Pari", "“Europe/Paris”"),
        ("Asia/Calcuta", "“Asia/Calcutta”"),
        ("New_York", "York"),
        ("xyzzy", "Names are like"),
        ("", "Names are like"),
        ("../../etc/passwd", "no time zone"),
        ("/etc/localtime", "no time zone"),
        ("Europe/Paris\0", "no time zone"),
        ("localtime", "no time zone"),
        ("Factory", "no time zone"),
        ("+01:00", "no time zone"),
        ("posix/Europe/Paris", "no time zone"),
        ("Europe", "no time zone"),
    ],
)
def test_what_is_no_zone_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_timezone(name)
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code) == ("/timezone", "unknown_timezone")
    assert hint in fault.detail


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "EST"]
)
def test_iana_names_are_taken(name: str) -> None:
    assert check_timezone(name) == name


def test_both_faults_are_told() -> None:
    assert refused("soon", "Mars/Olympus") == [("/publish_at", "time"), ("/timezone", "unknown_timezone")]


ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


WALL_TIMES = st.datetimes(datetime.fromisoformat("2026-02-01"), datetime.fromisoformat("2070-01-01"))


@given(WALL_TIMES, ZONES)
def test_what_is_taken_is_shown_again_by_the_clocks_there(local: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    if is_skipped(local, zone):
        return
    found = read(local.isoformat(), name)
    assert found.due_at.astimezone(zone).replace(tzinfo=None) == local == found.local_at
    # written with its offset, it is the same moment
    assert read(found.due_at.astimezone(zone).isoformat(), name) == found


@given(st.text(max_size=64), st.text(max_size=64))
def test_any_text_is_taken_or_refused(text: str, zone: str) -> None:
    with suppress(Invalid):
        assert read(text, zone).due_at > NOW


class Shifted(tzinfo):
    """A zone whose only offset was another one yesterday."""

    def __init__(self, hours: float) -> None:
        self._offset = timedelta(hours=hours)

    def utcoffset(self, _: datetime | None) -> timedelta:
        return self._offset

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta()

    def tzname(self, _: datetime | None) -> str:
        return "SHIFT"


def test_new_rules_give_another_instant() -> None:
    local = datetime.fromisoformat("2026-12-24T09:00")
    assert instant(local, Shifted(1)) == utc("2026-12-24T08:00")
    assert instant(local, Shifted(2), known=utc("2026-12-24T08:00")) == utc("2026-12-24T07:00")
    assert instant(local, UTC) == utc("2026-12-24T09:00")

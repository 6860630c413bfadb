"""Ids of what began in the past."""

from datetime import UTC, datetime, timedelta

from cms_api.kernel.ids import dated_id, new_id

THEN = datetime(2019, 5, 1, 12, tzinfo=UTC)


def test_sort_by_moment_and_then_by_order() -> None:
    wanted = [
        dated_id(THEN - timedelta(milliseconds=1), 9),
        *(dated_id(THEN, order) for order in (0, 1, 4095, 4096, 2**20, 2**32 - 1)),
        dated_id(THEN + timedelta(milliseconds=1), 0),
        new_id(),
    ]
    assert sorted(wanted) == wanted


def test_are_of_version_7_and_differ() -> None:
    ids = {dated_id(THEN, 7) for _ in range(1000)}
    assert len(ids) == 1000
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    assert {one.int >> 80 for one in ids} == {int(THEN.timestamp() * 1000)}


def test_takes_whatever_is_given() -> None:
    assert dated_id(datetime(1, 1, 2, tzinfo=UTC), 10**20).int >> 80 == 0
    assert dated_id(datetime.max.replace(tzinfo=UTC), -1).version == 7
